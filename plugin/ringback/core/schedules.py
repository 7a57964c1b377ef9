"""When a business is open, and when it calls back. All reckoning is done in the calendar's own zone.

What the clock on the wall shows decides: an hour that a zone repeats in autumn is open twice, one that it skips in
spring is skipped. A span that runs over midnight belongs to the day on which it starts.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from operator import attrgetter
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` up to, not including, `end` on one weekday (0 is Monday). `end` of 00:00 is midnight that night."""

    weekday: int
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Calendar:
    """Opening hours, days off, and the windows in which callers are called back."""

    name: str
    zone: ZoneInfo
    open: tuple[Span, ...]
    callback: tuple[Span, ...] = ()
    closed: frozenset[date] = frozenset()
    holidays: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """A time to call back, as aware moments in the calendar's zone."""

    start: datetime
    end: datetime


AHEAD = timedelta(days=7)
QUARTER = 15 * 60
"""Windows begin on the quarter hour and last at least one, in seconds: a shorter rest is no promise to make."""

_DAY = timedelta(days=1)


def is_open(calendar: Calendar, moment: datetime) -> bool:
    """Is the aware `moment` inside the opening hours?"""
    local = moment.astimezone(calendar.zone)
    today, now = local.date(), local.time()
    return any(
        span.start <= now and (now < span.end or _is_overnight(span)) for span in _spans(calendar, calendar.open, today)
    ) or any(_is_overnight(span) and now < span.end for span in _spans(calendar, calendar.open, today - _DAY))


def next_windows(calendar: Calendar, moment: datetime, count: int = 2) -> tuple[Window, ...]:
    """The next times to call back within seven days, in order; one that has begun starts at the next quarter hour."""
    today = moment.astimezone(calendar.zone).date()
    days = (today + timedelta(days=ahead) for ahead in range(-1, AHEAD.days + 1)) if calendar.callback else ()
    return tuple(islice((window for day in days for window in _windows(calendar, day, moment)), count))


def _windows(calendar: Calendar, day: date, moment: datetime) -> Iterator[Window]:
    earliest = -(-moment.timestamp() // QUARTER) * QUARTER
    latest = moment.timestamp() + AHEAD.total_seconds()
    for span in sorted(_spans(calendar, calendar.callback, day), key=attrgetter("start")):
        last_day = day + _DAY if _is_overnight(span) else day
        start = max(earliest, *_timestamps(day, span.start, calendar.zone))
        end = min(_timestamps(last_day, span.end, calendar.zone))
        if start < latest and end - start >= QUARTER:
            yield Window(datetime.fromtimestamp(start, calendar.zone), datetime.fromtimestamp(end, calendar.zone))


def _timestamps(day: date, at: time, zone: ZoneInfo) -> tuple[float, float]:
    """Where the clock shows it twice or never these differ; who takes the inner one promises no minute too many."""
    first = datetime.combine(day, at.replace(fold=0), zone)
    return first.timestamp(), first.replace(fold=1).timestamp()


def _spans(calendar: Calendar, spans: tuple[Span, ...], day: date) -> Iterator[Span]:
    """The spans that start on a day; none on a day off."""
    if day not in calendar.closed and day not in _days_off(calendar.holidays, day.year):
        yield from (span for span in spans if span.weekday == day.weekday())


def _is_overnight(span: Span) -> bool:
    return span.end <= span.start


@lru_cache(maxsize=64)
def _days_off(code: str, year: int) -> frozenset[date]:
    if not code:
        return frozenset()
    import holidays  # noqa: PLC0415  19 MB and 0.2 s, only for those who name holidays

    country, _, part = code.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))


def check_holidays(code: str) -> None:
    """Raise ValueError, with the cure, if this names no holiday calendar. `US-NY` is a country and a part of it."""
    import holidays  # noqa: PLC0415  as above

    country, _, part = code.partition("-")
    parts = holidays.list_supported_countries().get(country)
    if parts is None:
        raise ValueError(
            f"no holidays are known for '{country}': write the ISO code of a country, like US, DE or US-NY"
        )
    try:
        holidays.country_holidays(country, subdiv=part or None)
    except NotImplementedError as fault:
        known = f"{country}- and one of {', '.join(parts)}" if parts else f"{country} alone"
        raise ValueError(f"no holidays are known for '{part}' of {country}: write {known}") from fault


@dataclass(frozen=True, slots=True)
class Words:
    """How a language says when; `days` from Monday on."""

    today: str
    tomorrow: str
    either: str
    days: tuple[str, ...]


WORDS: Mapping[str, Words] = {
    language: Words(today, tomorrow, either, tuple(days.split()))
    for language, today, tomorrow, either, days in (
        ("en", "today", "tomorrow", "or", "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
        ("es", "hoy", "mañana", "o", "lunes martes miércoles jueves viernes sábado domingo"),
        ("fr", "aujourd'hui", "demain", "ou", "lundi mardi mercredi jeudi vendredi samedi dimanche"),
        ("it", "oggi", "domani", "o", "lunedì martedì mercoledì giovedì venerdì sabato domenica"),
        (
            "pt",
            "hoje",
            "amanhã",
            "ou",
            "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
        ),
        ("ru", "сегодня", "завтра", "или", "понедельник вторник среда четверг пятница суббота воскресенье"),
    )
}


def say_windows(windows: Sequence[Window], moment: datetime, language: str) -> str:
    """`today 13:00-14:00 or tomorrow 10:00-11:00`, as seen at `moment`; English where the language is not spoken."""
    words = WORDS.get(re.split("[-_]", language.lower())[0], WORDS["en"])
    said = []
    before = None
    for window in windows:
        day = window.start.date()
        hours = f"{window.start:%H:%M}-{window.end:%H:%M}"
        said.append(
            hours if day == before else f"{_say_day(day, moment.astimezone(window.start.tzinfo).date(), words)} {hours}"
        )
        before = day
    return f" {words.either} ".join(said)


def _say_day(day: date, today: date, words: Words) -> str:
    near = {today: words.today, today + _DAY: words.tomorrow}
    return near.get(day, words.days[day.weekday()])


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_SPAN = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])\s*-\s*([01]?[0-9]|2[0-4]):([0-5][0-9])")


def parse_spans(table: Mapping[str, Sequence[str]]) -> tuple[Span, ...]:
    """Read `{ mon-fri = ["09:00-17:00"], sat = [] }`; days as `mon`, `mon,wed`, `fri-mon` or `daily`.

    Raises ValueError that names the key and the cure.
    """
    spans = [
        Span(day, start, end)
        for key, texts in table.items()
        for start, end in _hours(key, texts)
        for day in _weekdays(key)
    ]
    spans.sort(key=lambda span: (span.weekday, span.start))
    _check_overlap(spans)
    return tuple(spans)


def _weekdays(key: str) -> list[int]:
    days = []
    for part in key.lower().replace("daily", "mon-sun").split(","):
        first, dash, last = part.strip().partition("-")
        last = last if dash else first
        if first not in DAYS or last not in DAYS:
            raise ValueError(f"{key} names no days: write {', '.join(DAYS)}, a range like mon-fri, or daily")
        start = DAYS.index(first)
        days += [(start + step) % 7 for step in range((DAYS.index(last) - start) % 7 + 1)]
    return days


def _hours(key: str, texts: Sequence[str]) -> list[tuple[time, time]]:
    if isinstance(texts, str) or not isinstance(texts, Sequence):
        raise ValueError(f'{key} is no list: write {key} = ["09:00-17:00"]')
    return [_read_hours(key, str(text)) for text in texts]


def _read_hours(key: str, text: str) -> tuple[time, time]:
    found = _SPAN.fullmatch(text.strip())
    if not found:
        raise ValueError(f'{key} has "{text}", which is no span: write it like "09:00-17:00"')
    hour, minute, end_hour, end_minute = map(int, found.groups())
    if hour == 24 or (end_hour, end_minute) > (24, 0):
        raise ValueError(f'{key} has "{text}", which is past midnight: a day ends at 24:00')
    if (hour, minute) == (end_hour, end_minute):
        raise ValueError(f'{key} has "{text}", which is no time at all: a whole day is "00:00-24:00"')
    return time(hour, minute), time(end_hour % 24, end_minute)


def _check_overlap(spans: list[Span]) -> None:
    """Compare each span with the next one; the last of the week may run into the first."""
    for one, other in pairwise([*spans, *spans[:1]]):
        gap = _minutes(other.start) - _minutes(one.start) + (other.weekday - one.weekday) * 1440
        length = (_minutes(one.end) - _minutes(one.start)) % 1440 or 1440
        if one is not other and gap % (7 * 1440) < length:
            raise ValueError(f"{_print(one)} and {_print(other)} overlap: join them, or move one")


def _minutes(moment: time) -> int:
    return moment.hour * 60 + moment.minute


def _print(span: Span) -> str:
    return f"{DAYS[span.weekday]} {span.start:%H:%M}-{span.end:%H:%M}"
