"""Which of the offered call-back windows a reply names, and how offered windows are kept.

A reply is understood whole or not at all: at one word that is not known, a person has to read it. So `not at 13:00`
and `I called at 13:00` name nothing. docs/keywords.md tells it to owners; the words are in `window_words`.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo

from ringback.core.folding import fold
from ringback.core.schedules import Window
from ringback.core.window_words import MORNING, PARTS, PM, VOCABULARY, Kind, Meaning

TEXT_LIMIT = 160
"""Characters of the longest reply that is looked at."""

_WORDS_LIMIT = 20
_PHRASE_WORDS = max(map(len, VOCABULARY))
_TWO_MEANINGS_LIMIT = 2
_MIDNIGHT = 24 * 60


@dataclass(frozen=True, slots=True)
class _Clock:
    """A time of day: the minutes after midnight that it may be, and what stood before it.

    `number` is set where it may also be one of those offered: a `2` by itself.
    """

    minutes: tuple[int, ...]
    number: int = 0
    lead: frozenset[Kind] = frozenset()


@dataclass(frozen=True, slots=True)
class _Reply:
    """A reply that was understood, in one of its meanings."""

    clocks: tuple[_Clock, ...]
    meanings: frozenset[Meaning]

    def values(self, kind: Kind) -> frozenset[int]:
        return frozenset(meaning.value for meaning in self.meanings if meaning.kind is kind)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is looked for: minutes of a day, from the first up to the last, and places in the offer."""

    span: tuple[int, int] | None = None
    places: frozenset[int] = frozenset()


def named_window(text: str, offered: Sequence[Window], said_at: datetime) -> Window | None:
    """Return the window that a reply of `said_at` (aware) names, None if it names none or may mean several.

    Times and days are those of the windows' own zone. A window that is over is not named any more. Never raises.
    """
    items = _understand(text) if len(text) <= TEXT_LIMIT else []
    if not items or sum(len(item) > 1 for item in items) > _TWO_MEANINGS_LIMIT:
        return None
    named: set[int] = set()
    for chosen in product(*items):
        reply = _gather(part for row in chosen for part in row)
        for reading in _readings(reply, len(offered)):
            found = [place for place, window in enumerate(offered) if _fits(place, window, reading, reply, said_at)]
            named.update(found if len(found) == 1 else ())
    return offered[named.pop()] if len(named) == 1 else None


_Item = tuple[tuple[Meaning | _Clock, ...], ...]

_SIGNS = str.maketrans(dict.fromkeys("👍👌✅🆗", " yes ") | dict.fromkeys("#№", " option "))
_MINUTES = re.compile(r"(?<=[0-9])\s?(?:[:.]|h\s?)(?=[0-9]{2}(?![0-9]))", re.IGNORECASE)
_INSIDE = re.compile(r"(?<=[0-9])-(?=[^\W\d_])")
_DASH = re.compile(r"[-\u2010-\u2015\u2212~]\s?(?=[0-9])")
_CLOCK = re.compile(r"([0-9]{1,2})(?:h([0-9]{2}))?(am|pm|h|hs|hrs)?")


def _understand(text: str) -> list[_Item]:
    """Read the whole text, the longest phrases first; empty if a word is not known."""
    plain = unicodedata.normalize("NFKC", text.translate(_SIGNS))
    marked = _DASH.sub(" to ", _INSIDE.sub("", _MINUTES.sub("h", plain)))
    words = tuple(fold(marked).split())
    items: list[_Item] = []
    while words:
        count = next((count for count in range(_PHRASE_WORDS, 0, -1) if words[:count] in VOCABULARY), 0)
        if count:
            items.append(VOCABULARY[words[:count]])
        elif clock := _read_clock(words[0]):
            items.append(((clock,),))
        else:
            return []
        words = words[count or 1 :]
    return items if len(items) <= _WORDS_LIMIT else []


def _read_clock(word: str) -> _Clock | None:
    """`13h00` and `13` as minutes; `6` may be in the evening too."""
    found = _CLOCK.fullmatch(word)
    if not found or (hour := int(found[1])) * 60 + (minute := int(found[2] or 0)) > _MIDNIGHT or minute > 59:
        return None
    twice = 1 <= hour <= 12 and not word.startswith("0")
    clock = _Clock(
        tuple(each * 60 + minute for each in ((hour % 12, hour % 12 + 12) if twice else (hour,))),
        number=hour if word == str(hour) else 0,
    )
    return _halve(clock, _HALVES[found[3]]) if found[3] in _HALVES else clock


_HALVES = {"am": MORNING, "pm": PM}


def _halve(clock: _Clock, half: int) -> _Clock:
    """Take the reading before noon, or the one after it."""
    return replace(clock, minutes=(clock.minutes[0] % 720 + PARTS[half][0] * 60,), number=0)


def _gather(parts: Iterable[Meaning | _Clock]) -> _Reply:
    clocks: list[_Clock] = []
    lead: set[Kind] = set()
    meanings: set[Meaning] = set()
    for part in parts:
        if isinstance(part, _Clock) or part.kind is Kind.NOON:
            clock = part if isinstance(part, _Clock) else _Clock((720,))
            clocks.append(replace(clock, lead=frozenset(lead)))
            lead.clear()
        elif part.kind is Kind.HALF and clocks:
            clocks[-1] = _halve(clocks[-1], part.value)
        elif part.kind is Kind.HOUR and clocks:
            clocks[-1] = replace(clocks[-1], number=0)
        else:
            lead.add(part.kind)
            meanings.add(Meaning(Kind.PART, part.value) if part.kind is Kind.HALF else part)
    return _Reply(tuple(clocks), frozenset(meanings))


_NAMING = (Kind.DAY, Kind.WEEKDAY, Kind.ORDINAL, Kind.PART)
_TIMED = frozenset((Kind.AT, Kind.AFTER, Kind.BEFORE, Kind.FROM, Kind.TO, Kind.BETWEEN))


def _readings(reply: _Reply, offered: int) -> Iterator[_Reading]:
    """Return what may be meant, each to be looked for by itself."""
    places = reply.values(Kind.ORDINAL)
    match reply.clocks:
        case ():
            agreed = offered == 1 and reply.values(Kind.YES)
            if agreed or any(reply.values(kind) for kind in _NAMING):
                yield _Reading(places=places)
        case (clock,) if Kind.BETWEEN not in clock.lead:
            if clock.number and not clock.lead & _TIMED:
                yield _Reading(places=places | {clock.number})
            if Kind.CHOICE not in clock.lead:
                yield from (_Reading(_span(minute, clock.lead), places) for minute in _in_part(clock, reply))
        case (first, last) if last.lead & {Kind.TO, Kind.BEFORE} or (
            Kind.AND in last.lead and Kind.BETWEEN in first.lead
        ):
            for end in _in_part(last, reply):
                starts = [minute for minute in first.minutes if minute < (end or _MIDNIGHT)]
                yield from (_Reading((start, end or _MIDNIGHT), places) for start in starts[-1:])


def _span(minute: int, lead: frozenset[Kind]) -> tuple[int, int]:
    if lead & {Kind.AFTER, Kind.FROM}:
        return minute, _MIDNIGHT
    return (0, minute) if Kind.BEFORE in lead else (minute, minute + 1)


def _in_part(clock: _Clock, reply: _Reply) -> tuple[int, ...]:
    """Keep the readings that lie in the part of the day that was named, if one was."""
    parts = [PARTS[part] for part in reply.values(Kind.PART)]
    return tuple(minute for minute in clock.minutes if all(first * 60 <= minute < last * 60 for first, last in parts))


def _fits(place: int, window: Window, reading: _Reading, reply: _Reply, said_at: datetime) -> bool:
    if window.end <= said_at or not all(place + 1 == each for each in reading.places):
        return False
    zone = window.start.tzinfo
    end = window.end.astimezone(zone)
    today = said_at.astimezone(zone).date()
    if reading.span is None:
        hours = [PARTS[part] for part in reply.values(Kind.PART)]
        return _is_day(window.start.date(), today, reply) and all(
            first <= window.start.hour < last for first, last in hours
        )
    first, last = (timedelta(minutes=minute) for minute in reading.span)
    midnights = (datetime.combine(day, time(), zone) for day in {window.start.date(), end.date()})
    return any(
        _is_day(midnight.date(), today, reply) and midnight + first < end and window.start < midnight + last
        for midnight in midnights
    )


def _is_day(day: date, today: date, reply: _Reply) -> bool:
    """Is this the day that was named? Every day is, if none was."""
    return all((day - today).days == ahead for ahead in reply.values(Kind.DAY)) and all(
        day.weekday() == number for number in reply.values(Kind.WEEKDAY)
    )


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_KEPT = re.compile(r"(-?[0-9]{1,18}) (-?[0-9]{1,18}) ([A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*)")
_KEPT_LIMIT = 4000


def write_windows(windows: Sequence[Window]) -> str:
    """Put windows into one line: microseconds since 1970 of start and end, and the name of the zone, each."""
    return ";".join(f"{_ticks(window.start)} {_ticks(window.end)} {_zone(window.start)}" for window in windows)


def _ticks(moment: datetime) -> int:
    return (moment.astimezone(UTC) - _EPOCH) // _TICK


def _zone(moment: datetime) -> str:
    """What has no name, like a fixed distance to UTC, is kept as UTC: the same moments."""
    return moment.tzinfo.key if isinstance(moment.tzinfo, ZoneInfo) and moment.tzinfo.key else "UTC"


def read_windows(text: str) -> tuple[Window, ...]:
    """Read back what `write_windows` wrote. Anything else is no windows at all. Never raises."""
    if not text or len(text) > _KEPT_LIMIT:
        return ()
    found = [_KEPT.fullmatch(part) for part in text.split(";")]
    try:
        windows = tuple(_window(int(kept[1]), int(kept[2]), ZoneInfo(kept[3])) for kept in found if kept)
    except (KeyError, ValueError, OverflowError, OSError):  # no such zone, or no such year
        return ()
    return windows if len(windows) == len(found) and all(each.start < each.end for each in windows) else ()


def _window(start: int, end: int, zone: ZoneInfo) -> Window:
    return Window((_EPOCH + start * _TICK).astimezone(zone), (_EPOCH + end * _TICK).astimezone(zone))
