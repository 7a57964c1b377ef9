"""Looks at each recipient of a run as it comes in: a number, once, with the words that the text needs.

One that cannot be used does not stop the others. It is counted, and the first hundred are named.
"""

import secrets
from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import NamedTuple

from ringback.api.streams import Found, Unread
from ringback.core.numbers import Number, NumberKind, is_usual
from ringback.core.policy import UNREACHABLE_KINDS, UNREACHABLE_LINES
from ringback.core.reasons import Reason
from ringback.core.segments import Encoding, measure
from ringback.core.templates import WORD_ROOM, Template, TemplateFault, clean, needed
from ringback.ports.bulks import Item

MOST_NAMED = 100
LONGEST_REFERENCE = 200
LONGEST_NUMBER = 40


class Reject(NamedTuple):
    """One that was turned away: where it stood, which field, and what is wrong with it."""

    place: int
    field: str
    detail: str


class Seen:
    """Numbers that came by. A set would take four times the room for a million of them."""

    def __init__(self, most: int) -> None:
        bits = (2 * most).bit_length()
        self._mask, self._shift = (1 << bits) - 1, 64 - bits
        self._places = array("Q", [0]) * (self._mask + 1)
        # drawn anew each time: with one that is known somebody could choose numbers that all want one place
        self._factor = secrets.randbits(64) | 1

    def add(self, e164: str) -> bool:
        """Note a number; False when it came by before. At most `most` are ever added."""
        number = int(e164[1:])
        places, mask = self._places, self._mask
        at = (number * self._factor >> self._shift) & mask
        while places[at]:
            if places[at] == number:
                return False
            at = (at + 1) & mask
        places[at] = number
        return True


@dataclass(slots=True)
class _Extent:
    """The shortest and the longest value that came for a name."""

    least: int = WORD_ROOM + 1
    most: int = 0
    shortest: str = ""
    longest: str = ""

    def stretch(self, value: str, size: int) -> None:
        if size < self.least:
            self.least, self.shortest = size, value
        if size > self.most:
            self.most, self.longest = size, value


class _Unusable(Exception):
    """One recipient; `field` and the text say why."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(detail)
        self.field = name


@dataclass(slots=True)
class Recipients:
    """Those of one run. `items` are to be stored and taken out by the caller; `taken` counts all that ever were."""

    template: Template
    business: str
    typed: Callable[[str], Number]
    largest: int
    items: list[Item] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    taken: int = 0
    rejected: int = 0
    dear: bool = False
    """Some word has a letter that makes its text dearer."""
    _needed: frozenset[str] = frozenset()
    _keys: "tuple[tuple[str, str, _Extent], ...]" = ()
    _extents: dict[str, _Extent] = field(default_factory=dict)
    _seen: Seen = field(init=False)

    def __post_init__(self) -> None:
        self._seen = Seen(self.largest)
        self._needed = frozenset(needed(self.template))
        self._extents = {name: _Extent() for name in self.template.names}
        self._keys = tuple((name, f"{encode_basestring(name)}:", each) for name, each in self._extents.items())

    @property
    def full(self) -> bool:
        """Whether one more would be too many."""
        return self.taken + self.rejected > self.largest

    def take(self, found: Iterable[Found]) -> None:
        """Judge some; those that can be used are in `items` then."""
        for place, item in found:
            if self.full:
                return
            try:
                peer, words = self._read(item)
            except _Unusable as problem:
                self._reject(place, problem.field, str(problem))
                continue
            self.taken += 1
            self.items.append(Item(self.taken, peer, words))

    def _reject(self, place: int, name: str, detail: str) -> None:
        self.rejected += 1
        if len(self.rejects) < MOST_NAMED:
            self.rejects.append(Reject(place, name, detail))

    def _read(self, item: object) -> tuple[str, str]:
        """The number in E.164 and the words as JSON."""
        if isinstance(item, str):
            item = {"to": item}
        if not isinstance(item, dict):
            raise _Unusable("", item.why if isinstance(item, Unread) else 'must be an object, as in {"to": "+1..."}')
        peer = self._number(item.get("to"))
        words = self._words(item)
        if not self._seen.add(peer):
            raise _Unusable("to", "was there before: it gets one text")
        return peer, words

    def _number(self, given: object) -> str:
        if not isinstance(given, str) or not given:
            raise _Unusable("to", 'is missing, or no text: write the number in quotes, as in "+15125550123"')
        if is_usual(given):
            return given
        number = self.typed(given[: LONGEST_NUMBER + 1])
        if why := _unreachable(number):
            raise _Unusable("to", f"cannot be texted: {why}")
        assert number.e164 is not None  # the kinds without one are all unreachable
        return number.e164

    def _words(self, item: Mapping[str, object]) -> str:
        """The words that the text uses, and the asker's own reference, as a JSON object; empty for none."""
        members = []
        for name, key, extent in self._keys:
            given = item.get(name)
            if given.__class__ is str and given.isascii() and given.isprintable() and len(given) <= WORD_ROOM:
                value = " ".join(given.split())  # the usual case, which must cost little
            else:
                value = _word(name, given)
                self.dear = self.dear or measure(value).encoding is Encoding.UCS2
            if value:
                members.append(key + encode_basestring(value))
            elif name in self._needed:
                raise _Unusable(name, "is missing, and the text has no words for who has none")
            if not extent.least <= (size := len(value)) <= extent.most:
                extent.stretch(value, size)
        if (reference := item.get("reference")) is not None and "reference" not in self._extents:
            members.append(f'"reference":{encode_basestring(_reference(reference))}')
        return f"{{{','.join(members)}}}" if members else ""

    def segments(self) -> tuple[int, int]:
        """About how many parts one text takes, from the shortest words and from the longest."""
        least = self._parts({name: extent.shortest for name, extent in self._extents.items()}, dear=False)
        most = self._parts({name: extent.longest for name, extent in self._extents.items()}, dear=self.dear)
        return least, max(least, most)

    def _parts(self, values: dict[str, str], *, dear: bool) -> int:
        try:
            text = self.template.render_once({"business": self.business} | {k: v for k, v in values.items() if v})
        except TemplateFault:
            return 0  # with just these words nothing is left of it
        units = len(text.encode("utf-16-le")) // 2
        if dear and measure(text).encoding is Encoding.GSM7:
            return 1 if units <= 70 else -(-units // 67)
        return measure(text).segments


def _unreachable(number: Number) -> Reason | None:
    return UNREACHABLE_KINDS.get(number.kind) or (
        UNREACHABLE_LINES.get(number.line) if number.kind is NumberKind.E164 else Reason.INVALID_NUMBER
    )


def _word(name: str, value: object) -> str:
    """A word as it may stand in a text: what cannot be seen is taken out."""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise _Unusable(name, "must be text: put it in quotes")
    if len(value) > WORD_ROOM or (not value.isascii() and len(value.encode("utf-16-le", "replace")) > 2 * WORD_ROOM):
        raise _Unusable(name, f"is longer than {WORD_ROOM} characters: shorten it")
    return clean(value, WORD_ROOM)


def _reference(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable() or len(value) > LONGEST_REFERENCE:
        raise _Unusable("reference", f"is text of at most {LONGEST_REFERENCE} characters, in one line")
    return value
