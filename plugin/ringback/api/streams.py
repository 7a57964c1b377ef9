"""Takes long bodies apart while they come in: a JSON document with one long list, or a JSON object a line.

Each reader is fed bytes and gives back what is whole: first the head, as one text, then items with the place where they
stood. What is broken for good raises `BrokenStream`. Nothing but the part that is not whole yet is kept.
"""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import count
from json import JSONDecodeError
from typing import NamedTuple, NoReturn, Protocol

from ringback.core.plurals import count_of

LONGEST_HEAD = 64 * 1024
LONGEST_ITEM = 16 * 1024
LIST = "recipients"


class BrokenStream(Exception):
    """The body cannot be read on; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Unread:
    """An item that makes no sense by itself; those after it do."""

    why: str


class Found(NamedTuple):
    """One item. `place` counts from 1: the line it begins on, or how many items it is from the first."""

    place: int
    item: object


class Stream(Protocol):
    """One body. `head` is the text of the head once it is there, None before; `places` is what `Found.place` counts."""

    head: str | None
    places: str

    def feed(self, chunk: bytes, *, last: bool) -> list[Found]: ...


def once(pairs: list[tuple[str, object]]) -> object:
    """An object of JSON, or what is wrong with it: where a key stands twice nobody knows which one is meant."""
    found = dict(pairs)
    return found if len(found) == len(pairs) else Unread("has a key twice: leave one of them out")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=once, parse_constant=_no_constant)
_BLANKS = re.compile(r"[ \t\r\n]*")
_UNWHOLE = (ValueError, IndexError, StopIteration, RecursionError)
"""What reading raises where a text ends too early, or is broken: which of them, only more text can tell."""


class Utf8:
    """Bytes as text, in strict UTF-8."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("strict")

    def decode(self, chunk: bytes, *, last: bool) -> str:
        try:
            return self._decoder.decode(chunk, last)
        except UnicodeDecodeError as problem:
            raise BrokenStream(f"it is not UTF-8: {problem.reason}") from problem


def _blanks(text: str, at: int) -> int:
    """The next place that is no blank."""
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _sign(text: str, at: int, sign: str) -> int:
    """The place behind a sign that is due. Raises ValueError or IndexError."""
    at = _blanks(text, at)
    if text[at] != sign:
        raise JSONDecodeError(f"'{sign}' is due", text, at)
    return at + 1


class _Due(Enum):
    """What comes next in a document with one list."""

    HEAD = auto()
    FIRST = auto()
    """A recipient, or the end of the list."""
    ITEM = auto()
    END = auto()
    NOTHING = auto()


class JsonList:
    """`{"from": ..., "recipients": [{...}, ...]}`: the list comes last, since its items cannot be judged before."""

    places = "recipient"

    def __init__(self) -> None:
        self.head: str | None = None
        self._text = Utf8()
        self._rest = ""
        self._count = 0
        self._due = _Due.HEAD

    def feed(self, chunk: bytes, *, last: bool) -> list[Found]:
        text = self._rest + self._text.decode(chunk, last=last)
        found: list[Found] = []
        at = self._read_head(text, last=last) if self._due is _Due.HEAD else 0
        at = self._read_many(text, at, found)
        while self._due in (_Due.FIRST, _Due.ITEM):
            before = at
            at = self._read_item(text, at, found, last=last)
            if at == before:
                break
        self._rest = text[self._read_end(text, at) :]
        if last and self._due is not _Due.NOTHING:
            raise self._broken(text, at)
        return found

    def _read_head(self, text: str, *, last: bool) -> int:
        """Return where the list begins, 0 if that has not come yet."""
        try:
            at = self._members(text)
        except _UNWHOLE as problem:
            if last or len(text) > LONGEST_HEAD:
                where = str(problem) if isinstance(problem, JSONDecodeError) else "it does not begin as it should"
                shape = f'{{"from": ..., "text": ..., "{LIST}": [...]}}'
                raise BrokenStream(f"{where}: write {shape}, the list last") from problem
            return 0
        self._due = _Due.FIRST
        return at

    def _members(self, text: str) -> int:
        """Read members up to the list, and return where it begins."""
        at = _sign(text, 0, "{")
        members: list[tuple[str, object]] = []
        while True:
            name, at = _DECODER.raw_decode(text, _blanks(text, at))
            at = _sign(text, at, ":")
            if name == LIST:
                at = _sign(text, at, "[")
                self.head = _whole_head(once(members))
                return at
            value, at = _DECODER.raw_decode(text, _blanks(text, at))
            members.append((name, value))
            at = _sign(text, at, ",")

    def _read_many(self, text: str, at: int, found: list[Found]) -> int:
        """Read all that is surely whole in one go, which takes half as long; what that cannot do is left."""
        end = text.rfind("},", at)
        if end < 0 or self._due not in (_Due.FIRST, _Due.ITEM):
            return at
        try:
            items = _DECODER.decode(f"[{text[at : end + 1]}]")
        except (ValueError, RecursionError):
            return at
        found += map(Found, count(self._count + 1), items)
        self._count += len(items)
        self._due = _Due.ITEM
        return end + 2

    def _read_item(self, text: str, at: int, found: list[Found], *, last: bool) -> int:
        """Read one item with the sign behind it; return where it began if it is not whole yet."""
        begin = _blanks(text, at)
        if self._due is _Due.FIRST and text.startswith("]", begin):
            self._due = _Due.END
            return begin + 1
        try:
            item, end = _DECODER.raw_decode(text, begin)
            end = _blanks(text, end)
            sign = text[end]
        except _UNWHOLE as problem:
            if last or len(text) - begin > LONGEST_ITEM:
                raise self._broken(text, begin) from problem
            return at
        if sign not in ",]":
            raise self._broken(text, end)
        self._count += 1
        found.append(Found(self._count, item))
        self._due = _Due.ITEM if sign == "," else _Due.END
        return end + 1

    def _read_end(self, text: str, at: int) -> int:
        """Behind the list there is only the end of the document."""
        at = _blanks(text, at)
        if self._due is _Due.END and text.startswith("}", at):
            self._due, at = _Due.NOTHING, _blanks(text, at + 1)
        if self._due in (_Due.END, _Due.NOTHING) and at < len(text):
            raise BrokenStream(f'there is more behind the list: "{LIST}" must be the last member, with }} behind it')
        return at

    def _broken(self, text: str, at: int) -> BrokenStream:
        near = text[at : at + 20].encode("unicode_escape").decode()
        return BrokenStream(f"the list cannot be read on after {count_of(self._count, 'recipient')}, near '{near}'")


def _whole_head(members: object) -> str:
    """The head as JSON again. Raises BrokenStream where a name stands twice."""
    inner = members.values() if isinstance(members, dict) else ()
    if isinstance(members, Unread) or any(isinstance(value, Unread) for value in inner):
        raise BrokenStream("the head has a name twice: leave one of them out")
    return json.dumps(members)


class JsonLines:
    """NDJSON: the head on the first line, then a recipient a line."""

    places = "line"

    def __init__(self) -> None:
        self.head: str | None = None
        self._text = Utf8()
        self._rest = ""
        self._line = 0

    def feed(self, chunk: bytes, *, last: bool) -> list[Found]:
        *lines, self._rest = (self._rest + self._text.decode(chunk, last=last)).split("\n")
        if last:
            lines.append(self._rest)
        elif len(self._rest) > LONGEST_HEAD:
            raise BrokenStream(f"line {self._line + len(lines) + 1} does not end: write a JSON object a line")
        return list(self._read(lines))

    def _read(self, lines: list[str]) -> Iterator[Found]:
        for line in lines:
            self._line += 1
            if not line or line.isspace():
                continue
            if self.head is None:
                self.head = self._whole(line)
            else:
                yield Found(self._line, read_line(line))

    def _whole(self, line: str) -> str:
        found = read_line(line)
        if isinstance(found, Unread):
            raise BrokenStream(f"the head on line {self._line} {found.why}")
        return _whole_head(found)


def read_line(line: str) -> object:
    """One line as JSON, or what is wrong with it."""
    if len(line) > LONGEST_ITEM:
        return Unread(f"is longer than {LONGEST_ITEM} characters: shorten it")
    try:
        return _DECODER.decode(line)
    except RecursionError:
        return Unread("is nested too deeply: write one flat object")
    except json.JSONDecodeError as problem:
        return Unread(f"is not JSON, at character {problem.pos + 1}: {problem.msg}")
    except ValueError as problem:
        return Unread(f"is not JSON: {problem}")
