"""Compares what Ringback wrote down about a call, and what came to the handset, with what the story expects."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

SENT = ("accepted", "sent", "delivered")  # the last three states of a text that arrived
FINAL = ("delivered", "undelivered", "unconfirmed", "failed", "expired", "cancelled", "refused")


@dataclass(frozen=True, slots=True)
class Expected:
    """What should stand in the record of one call. `text` is a pattern of the whole text; empty: no text at all."""

    outcome: str
    decision: str
    reason: str
    rule: str | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to see. `wrong` says what was there instead."""

    name: str
    wrong: str = ""


def read_handset(file: Path, did: str, caller: str) -> list[str]:
    """The texts that came to the caller's handset from this number, oldest first."""
    lines = file.read_text("ascii").splitlines() if file.exists() else []
    arrived = [json.loads(line) for line in lines]
    return [text["text"] for text in arrived if (text["sender"], text["to"]) == (did, caller)]


def compare(call: dict[str, Any], expected: Expected, arrived: list[str]) -> Iterator[Step]:
    """Every step of one call, seen or not. `arrived` are the texts that came to the handset after this call."""
    yield Step("the outcome", differs(call["outcome"], expected.outcome))
    seen = (call["decision"], call["reason"], call["rule"])
    yield Step("the decision", differs(seen, (expected.decision, expected.reason, expected.rule)))
    if not expected.text:
        yield Step("no text", differs([*arrived, *(text["body"] for text in call["texts"])], []))
        return
    bodies = [text["body"] for text in call["texts"]]
    fits = len(arrived) == 1 and re.fullmatch(expected.text, arrived[0])
    yield Step("the text", differs(arrived, bodies) or ("" if fits else f"{arrived} is not {expected.text!r}"))
    states = [tuple(step["state"] for step in text["steps"])[-3:] for text in call["texts"]]
    yield Step("the receipt", differs(states, [SENT]))


def differs(seen: object, expected: object) -> str:
    return "" if seen == expected else f"{shown(seen)} instead of {shown(expected)}"


def shown(value: object) -> str:
    match value:
        case tuple():
            return " ".join(str(part) for part in value)
        case list():
            return " and ".join(shown(part) for part in value) or "nothing"
    return str(value)


def is_final(call: dict[str, Any]) -> bool:
    """Has every text of the call its last state?"""
    return all(text["state"] in FINAL for text in call["texts"])


def seconds(record: dict[str, Any], at: str, since: str = "started_at") -> float:
    """How long after the call, or whatever began, this was."""
    return (datetime.fromisoformat(at) - datetime.fromisoformat(record[since])).total_seconds()
