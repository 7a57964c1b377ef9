"""Compares what Ringback wrote down about a call, and what came to the handset, with what the story expects."""

import json
import re
from collections.abc import Iterator, Sequence
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


@dataclass(frozen=True, slots=True)
class Sent:
    """What should stand in the record of one text. `name` is what the story calls it, `text` a pattern."""

    name: str
    text: str
    state: str = "delivered"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Came:
    """What should stand in the record of one text from the handset; `command` is what it was read as."""

    text: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class Served:
    """What should stand in the record of a session: how it is now, and why it moved; a queue is as quick as a call."""

    state: str
    whys: frozenset[str]


def read_handset(file: Path, did: str, caller: str) -> list[str]:
    """The texts that came to the caller's handset from this number, oldest first."""
    return _read(file, "text", did, caller)


def read_replies(file: Path, caller: str, did: str) -> list[str]:
    """The texts that were written on the caller's handset to this number, oldest first."""
    return _read(file, "reply", caller, did)


def _read(file: Path, kind: str, sender: str, to: str) -> list[str]:
    lines = file.read_text("ascii").splitlines() if file.exists() else []
    texts = [json.loads(line) for line in lines]
    return [text["text"] for text in texts if (text["kind"], text["sender"], text["to"]) == (kind, sender, to)]


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


def compare_thread(said: dict[str, Any], expected: Sequence[Sent | Came | Served]) -> Iterator[Step]:
    """What a person wrote, every text to them and their sessions, each in its order, as expected and no other."""
    came = [(text["body"], text["command"]) for text in said["incoming"]]
    yield Step(
        "what the caller wrote", differs(came, [(it.text, it.command) for it in expected if isinstance(it, Came)])
    )
    yield from compare_texts(texts_of(said), [it for it in expected if isinstance(it, Sent)])
    if sessions := [(it.state, *sorted(it.whys)) for it in expected if isinstance(it, Served)]:
        yield Step("the session", differs([moves_of(session) for session in said["sessions"]], sessions))


def compare_texts(texts: list[dict[str, Any]], expected: Sequence[Sent]) -> Iterator[Step]:
    yield Step("every text", differs(len(texts), len(expected)))
    for text, sent in zip(texts, expected, strict=False):
        fits = re.fullmatch(sent.text, text["body"])
        wrong = "" if fits else f"{text['body']!r} is not {sent.text!r}"
        yield Step(sent.name, wrong or differs((text["state"], text["reason"]), (sent.state, sent.reason)))


def moves_of(session: dict[str, Any]) -> tuple[str, ...]:
    """How a session stands, and why it moved, each reason once."""
    return session["row"]["session"]["state"], *sorted({step["why"] for step in session["steps"]})


def texts_of(said: dict[str, Any]) -> list[dict[str, Any]]:
    """All texts of a record, to a call, to what they wrote, or to neither; oldest first."""
    answers = [came["answer"] for came in said["incoming"] if came["answer"]]
    texts = [*said["texts"], *answers, *(text for call in said["calls"] for text in call["texts"])]
    return sorted({text["public_id"]: text for text in texts}.values(), key=lambda text: str(text["created_at"]))


def is_settled(said: dict[str, Any]) -> bool:
    """Has every text of the record its last state?"""
    return all(text["state"] in FINAL for text in texts_of(said))


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
