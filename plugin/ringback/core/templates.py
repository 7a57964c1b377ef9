"""Texts written by the owner: Liquid cut down, checked when loaded, filled in without surprises.

The names a template may use are a closed list per kind. Values come from callers and their phones: what cannot be seen
is taken out, they are cut to their room, and nothing in them is ever read as Liquid. The grammar stands in
`template_grammar`, which brings python-liquid along and is loaded with the first template.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

from ringback.core.segments import SEGMENT_CAP, measure, normalise

SOURCE_LIMIT = 2000
"""The longest template, in characters."""


class TemplateFault(ValueError):
    """A template that cannot be used. The text says what is wrong and what to write instead."""


class TextKind(StrEnum):
    """What the text is for; each kind has its own names."""

    CALL_TEXT = "call_text"
    BULK_TEXT = "bulk_text"
    """One text to many people. Beside `business`, its names are whatever each recipient brings along."""
    QUEUE_TEXT = "queue_text"
    """A text queue says something by itself."""
    TRANSFER_TEXT = "transfer_text"
    WARNING_TEXT = "warning_text"
    HOURS_TEXT = "hours_text"
    INTRODUCTION = "introduction"
    """What somebody gets who texts us for the first time."""


@dataclass(frozen=True, slots=True)
class Name:
    """A value a template may use: `room` in UTF-16 units, and the `longest` value it can have.

    `literal` stands in for a missing value. A name without one (None) has to be guarded by `{% if name %}`.
    """

    room: int
    longest: str
    literal: str | None = ""


def _words(room: int, literal: str | None = "") -> Name:
    return Name(room, "Ж" * room, literal)


def _digits(room: int) -> Name:
    return Name(room, "0" * room)


WORD_ROOM = 80
"""The longest value a recipient of a run may bring for a name, in UTF-16 units."""
_WORD = re.compile(r"[a-z][a-z0-9_]{0,29}")


class _AnyWord(Mapping[str, Name]):
    """Every plain name, and no other."""

    _business = _words(60)
    _brought = _words(WORD_ROOM)

    def __getitem__(self, name: str) -> Name:
        if not _WORD.fullmatch(name):
            raise KeyError(name)
        return self._business if name == "business" else self._brought

    def __iter__(self) -> Iterator[str]:
        yield "business"

    def __len__(self) -> int:
        return 1


def choices(names: Mapping[str, Name]) -> str:
    """What may be written instead of a name that is not there."""
    brought = ", or a field of your recipients, in small letters, digits and _" * isinstance(names, _AnyWord)
    return f"use one of {', '.join(names)}{brought}"


_OF_QUEUE = {"business": _words(60), "queue": _words(40), "did": _digits(24)}
NAMES: Mapping[TextKind, Mapping[str, Name]] = {
    TextKind.BULK_TEXT: _AnyWord(),
    TextKind.CALL_TEXT: {
        "business": _words(60),
        "caller": _digits(24),
        "did": _digits(24),
        "queue": _words(40),
        "windows": _words(100, literal=None),
    },
    TextKind.QUEUE_TEXT: _OF_QUEUE,
    TextKind.TRANSFER_TEXT: {**_OF_QUEUE, "agent": _words(60, literal=None)},
    TextKind.WARNING_TEXT: {**_OF_QUEUE, "minutes": _digits(6)},
    TextKind.INTRODUCTION: {"business": _words(60), "contact": _words(60), "did": _digits(24)},
    TextKind.HOURS_TEXT: {**_OF_QUEUE, "windows": _words(100, literal=None)},
}


class Filled(Protocol):
    """The part of a parsed template that is used: fill in the names, None for what is missing."""

    def render(self, values: Mapping[str, str | None], /) -> str: ...


@dataclass(frozen=True, slots=True)
class Template:
    """A checked template, made by `parse`. `source` is what the owner wrote; `names` are those it uses."""

    source: str
    kind: TextKind
    names: tuple[str, ...]
    _filled: Filled = field(repr=False, compare=False)

    def render(self, values: Mapping[str, str]) -> str:
        """Fill in the values; what is missing, or blank, falls back to its literal.

        Raises TemplateFault, and nothing else, if the text comes out empty or longer than the cap.
        """
        return _render(self, tuple([values.get(name, "") for name in self.names]))

    def render_once(self, values: Mapping[str, str]) -> str:
        """The same for values that nobody else has: nothing is remembered."""
        return _fill(self, tuple([values.get(name, "") for name in self.names]))


@lru_cache(maxsize=256)
def _render(template: Template, values: tuple[str, ...]) -> str:
    """Remembered, since most texts name only the business and are the same for thousands of callers."""
    return _fill(template, values)


def _fill(template: Template, values: tuple[str, ...]) -> str:
    known = NAMES[template.kind]
    filled = zip(template.names, values, strict=True)
    text = tidy(template._filled.render({name: _value(value, known[name]) for name, value in filled}))
    if not text:
        raise TemplateFault("the text comes out empty: write words around the names")
    if (found := measure(text).segments) > SEGMENT_CAP:
        raise TemplateFault(f"the text comes out at {found} parts, the cap is {SEGMENT_CAP}: shorten it")
    return text


_BAD = ("Cc", "Cs")


@lru_cache(maxsize=512)
def parse(source: str, kind: TextKind) -> Template:
    """Check a template; raise TemplateFault for anything outside the grammar, naming it and the cure."""
    from ringback.core import template_grammar  # noqa: PLC0415  python-liquid costs 0.1 s and 18 MB, see above

    text = source.replace("\r\n", "\n")
    if len(text) > SOURCE_LIMIT:
        raise TemplateFault(f"the template has {len(text)} characters, the limit is {SOURCE_LIMIT}: shorten it")
    if bad := next((letter for letter in text if letter not in "\n\t" and unicodedata.category(letter) in _BAD), None):
        raise TemplateFault(f"the template holds the control character U+{ord(bad):04X}: take it out")
    text = normalise(text)
    names, filled = template_grammar.check(text, NAMES[kind])
    template = Template(source, kind, names, filled)
    template.render({})
    return template


def needed(template: Template) -> tuple[str, ...]:
    """The names of a text to many people that each recipient has to bring: nothing is said for who has none."""
    from ringback.core import template_grammar  # noqa: PLC0415  as in `parse`

    text = normalise(template.source.replace("\r\n", "\n"))
    known = {name: NAMES[template.kind][name] for name in template.names}
    strict = []
    for name in template.names:
        try:
            template_grammar.check(text, known | {name: _words(WORD_ROOM, literal=None)})
        except TemplateFault:
            strict.append(name)
    return tuple(name for name in strict if name != "business")


def _value(value: str, name: Name) -> str | None:
    """None tells Liquid that there is nothing: `{% if name %}` is false then, as it is not for an empty text."""
    return clean(value, name.room) or name.literal or None


def clean(value: str, room: int) -> str:
    """One line of what can be seen, at most `room` UTF-16 units long."""
    if not value.isprintable():
        value = "".join(letter for letter in value if letter.isspace() or _is_shown(letter))
    value = " ".join(value.split())
    if not value.isascii():
        value = normalise(value)
    if 2 * len(value) > room:
        value = value.encode("utf-16-le")[: 2 * room].decode("utf-16-le", "ignore")
    return value


def _is_shown(letter: str) -> bool:
    """Controls, marks of direction and tags are not; the joiners are, since Persian and families of emoji need them."""
    return letter in "\u200c\u200d" or unicodedata.category(letter) not in ("Cc", "Cf", "Cs")


_BLANKS = re.compile(r"[^\S\n]+")
_LINE_END = re.compile(r" ?\n ?")
_LINES = re.compile(r"\n{3,}")
_STRAY = re.compile(r"[ ,]+(?=\.(?:\s|$))| +(?=,(?:\s|$))")
_UNTIDY = re.compile(r"\s\s|[^\S\n ]|[ ,]\.|[ ],")


def tidy(text: str) -> str:
    """Close the gaps that dropped clauses leave: runs of blanks, what stands lost before a full stop, empty lines."""
    text = text.strip()
    if _UNTIDY.search(text):
        text = _LINE_END.sub("\n", _BLANKS.sub(" ", text))
        text = _STRAY.sub("", _LINES.sub("\n\n", text))
    return text if text.isascii() else normalise(text)
