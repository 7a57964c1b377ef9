"""What a question says, read into values: everything is bounded, and nothing a caller can choose is believed.

A caller's number and name are whatever somebody sent: a number that cannot be read is one that nobody can text, and a
name that is too long is cut. What only the dialplan's author writes is refused when it is wrong, by its name.
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import unquote

from ringback.core.calls import presentation
from ringback.core.offers import OfferKind
from ringback.core.text_queues import Note
from ringback.core.writing import clean
from ringback.flow.dialplan_words import Question, Reach

T = TypeVar("T")
MOST_FIELDS = 32
LONGEST_NUMBER = 128
LONGEST_NAME = 80
LONGEST_PATH = 120
LONGEST_BODY = 1_600


class Unread(Exception):
    """A parameter that makes no sense; `name` is ours and `why` repeats nothing of what came."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} {why}")
        self.name = name
        self.why = why


Fields = Mapping[str, str]


def fields_of(pairs: Iterable[str]) -> Fields:
    """Take `name=value` apart. A `+` is a plus: numbers begin with it, and URIENCODE writes a space as %20."""
    found: dict[str, str] = {}
    for count, pair in enumerate(pairs):
        if count >= MOST_FIELDS:
            raise Unread("call", "has too many parameters beside it")
        name, _, value = pair.partition("=")
        if name in READERS and value:
            if name in found:
                raise Unread(name, "is there twice")
            found[name] = unquote(value, errors="replace")
    return found


def query_fields(query: str) -> Fields:
    """The parameters of an address."""
    return fields_of(query.split("&"))


def read(fields: Fields, needed: Iterable[str]) -> Question:
    """Make a question of the parameters; raises Unread."""
    for name in ("call", *needed):
        if name not in fields:
            raise Unread(name, "is missing")
    values = {READERS[name].field: _read(name, text) for name, text in fields.items()}
    return Question(**values)  # type: ignore[arg-type]  # the table below gives each field its own type


def _read(name: str, text: str) -> object:
    try:
        return READERS[name].read(text)
    except ValueError as problem:
        raise Unread(name, str(problem)) from None


def _shaped(pattern: str, means: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def read_one(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise ValueError(f"is not {means}")
        return text

    return read_one


def _kept(pattern: str) -> Callable[[str], str]:
    """What is left out where it makes no sense: the question can be answered without it."""
    compiled = re.compile(pattern)
    return lambda text: text if compiled.fullmatch(text) else ""


def _number(text: str) -> str:
    return text[:LONGEST_NUMBER]


def _queue(text: str) -> str:
    if len(text) > 80 or not text.isprintable():
        raise ValueError("is not the name of a queue")
    return text


def _kind(text: str) -> OfferKind:
    if text not in frozenset(OfferKind):
        raise ValueError(f"is none of {', '.join(OfferKind)}")
    return OfferKind(text)


def _note(text: str) -> Note:
    if text not in frozenset(Note):
        raise ValueError(f"is none of {', '.join(Note)}")
    return Note(text)


def _reach(text: str) -> Reach:
    if text not in frozenset(Reach):
        raise ValueError(f"is none of {', '.join(Reach)}")
    return Reach(text)


def _line(most: int) -> Callable[[str], str]:
    return lambda text: " ".join(clean(text).split())[:most].rstrip()


def _decoded(text: str) -> str:
    try:
        return b64decode(text, validate=True).decode("utf-8")
    except (NotBase64, ValueError):
        raise ValueError("is not UTF-8 in base 64") from None


def _name(text: str) -> str:
    try:
        # a name that was cut in the middle of a character is still a name
        raw = b64decode(text[: LONGEST_NAME * 8 // 4 * 4], validate=True)
    except (NotBase64, ValueError):
        return ""
    return _line(LONGEST_NAME)(raw.decode("utf-8", "ignore"))


def _body(text: str) -> str:
    words = clean(_decoded(text))
    if not words:
        raise ValueError("is empty")
    if len(words) > LONGEST_BODY:
        raise ValueError(f"is longer than {LONGEST_BODY} characters")
    return words


@dataclass(frozen=True, slots=True)
class Reader:
    """How a parameter is read, and which field of a question it becomes."""

    field: str
    read: Callable[[str], object]


READERS: Mapping[str, Reader] = {
    "call": Reader("uniqueid", _shaped(r"[!-~]{1,150}", "the id of a channel")),
    "pbx": Reader("pbx", _shaped(r"[A-Za-z0-9_-]{1,60}", "the name of a PBX")),
    "from": Reader("caller", _number),
    "did": Reader("did", _number),
    "pres": Reader("presentation", presentation),
    "to": Reader("to", _number),
    "queue": Reader("queue", _queue),
    "kind": Reader("kind", _kind),
    "lang": Reader("language", _kept(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})?")),
    "ivr": Reader("ivr_path", _line(LONGEST_PATH)),
    "prompt": Reader("prompt", _shaped(r"[A-Za-z0-9._-]{1,60}", "the name of a prompt")),
    "key": Reader("key", _shaped(r"[0-9A-D*#]{1,4}", "a key")),
    "name64": Reader("caller_name", _name),
    "text": Reader("text", _shaped(r"msg_[0-9a-z]{26}", "the id of a text")),
    "body64": Reader("body", _body),
    "note": Reader("note", _note),
    "scope": Reader("reach", _reach),
}
