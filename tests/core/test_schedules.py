"""Opening hours and call-back windows, on ordinary days, on days off, and where clocks jump."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringback.core.schedules import (
    WORDS,
    Calendar,
    Span,
    Window,
    check_holidays,
    is_open,
    next_windows,
    parse_spans,
    say_windows,
)

NEW_YORK = ZoneInfo("America/New_York")
OFFICE = {"mon-fri": ["09:00-17:00"]}


def calendar(hours=OFFICE, callback=None, zone="America/New_York", closed=(), holidays=""):
    days_off = frozenset(map(date.fromisoformat, closed))
    return Calendar("main", ZoneInfo(zone), parse_spans(hours), parse_spans(callback or {}), days_off, holidays)


def local(text, zone="America/New_York", fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


NIGHTS = {"fri": ["22:00-02:00"], "sat": ["20:00-24:00"]}


@pytest.mark.parametrize(
    ("kept", "moment", "expected"),
    [
        pytest.param(calendar(), local("2026-11-23T09:00"), True, id="Monday at nine"),
        pytest.param(calendar(), local("2026-11-23T08:59:59"), False, id="a second before nine"),
        pytest.param(calendar(), local("2026-11-23T17:00"), False, id="the end is outside"),
        pytest.param(calendar(), local("2026-11-22T12:00"), False, id="Sunday"),
        pytest.param(calendar(), datetime(2026, 11, 23, 14, 0, tzinfo=UTC), True, id="asked in UTC"),
        pytest.param(calendar(), datetime(2026, 11, 23, 13, 59, tzinfo=UTC), False, id="asked in UTC, too early there"),
        pytest.param(calendar({}), local("2026-11-23T12:00"), False, id="no hours at all"),
        pytest.param(calendar(closed=["2026-11-23"]), local("2026-11-23T12:00"), False, id="a day off"),
        pytest.param(calendar(holidays="US-NY"), local("2026-11-26T12:00"), False, id="Thanksgiving"),
        pytest.param(calendar(holidays="US-NY"), local("2026-11-27T12:00"), True, id="the day after"),
        pytest.param(
            calendar(holidays="US"), local("2027-12-31T12:00"), False, id="a holiday of the next year, kept in this"
        ),
        pytest.param(calendar(NIGHTS), local("2026-11-27T22:00"), True, id="Friday night"),
        pytest.param(calendar(NIGHTS), local("2026-11-28T01:59"), True, id="Friday night, on Saturday"),
        pytest.param(calendar(NIGHTS), local("2026-11-28T02:00"), False, id="Friday night is over"),
        pytest.param(calendar(NIGHTS), local("2026-11-27T01:00"), False, id="Thursday night was none"),
        pytest.param(calendar(NIGHTS), local("2026-11-28T23:59"), True, id="until midnight"),
        pytest.param(calendar(NIGHTS), local("2026-11-29T00:00"), False, id="midnight is outside"),
        pytest.param(
            calendar(NIGHTS, closed=["2026-11-28"]), local("2026-11-28T01:00"), True, id="Friday's span on a day off"
        ),
        pytest.param(
            calendar(NIGHTS, closed=["2026-11-27"]), local("2026-11-28T01:00"), False, id="no Friday, no Friday night"
        ),
        pytest.param(calendar({"daily": ["00:00-24:00"]}), local("2026-11-29T00:00"), True, id="always"),
        pytest.param(calendar({"sun": ["02:30-03:30"]}), local("2026-03-08T03:00"), True, id="spring: what is left"),
        pytest.param(calendar({"sun": ["02:00-03:00"]}), local("2026-03-08T03:00"), False, id="spring: all skipped"),
        pytest.param(calendar({"sun": ["01:00-01:30"]}), local("2026-11-01T01:15"), True, id="autumn: the first"),
        pytest.param(
            calendar({"sun": ["01:00-01:30"]}), local("2026-11-01T01:15", fold=1), True, id="autumn: the second"
        ),
        pytest.param(calendar({"sun": ["01:00-01:30"]}), local("2026-11-01T01:45"), False, id="autumn: between"),
        pytest.param(
            calendar(zone="Asia/Kathmandu"), datetime(2026, 11, 23, 3, 15, tzinfo=UTC), True, id="a zone of 5:45 hours"
        ),
        pytest.param(
            calendar(zone="Pacific/Kiritimati"), datetime(2026, 11, 22, 19, tzinfo=UTC), True, id="Monday begins early"
        ),
    ],
)
def test_is_open(kept, moment, expected):
    assert is_open(kept, moment) is expected


def test_christmas_is_kept_year_after_year():
    kept = calendar({"daily": ["00:00-24:00"]}, holidays="DE-BY")
    assert [is_open(kept, local(f"{year}-12-25T12:00")) for year in (2026, 2027, 2028)] == [False] * 3


LUNCH = {"mon-fri": ["13:00-14:00"], "tue": ["10:00-11:00"]}


def shown(windows):
    return [f"{window.start:%a %H:%M}-{window.end:%H:%M}" for window in windows]


@pytest.mark.parametrize(
    ("kept", "moment", "expected"),
    [
        pytest.param(
            calendar(callback=LUNCH),
            local("2026-11-23T09:10"),
            ["Mon 13:00-14:00", "Tue 10:00-11:00"],
            id="the next two",
        ),
        pytest.param(
            calendar(callback=LUNCH),
            local("2026-11-23T13:20"),
            ["Mon 13:30-14:00", "Tue 10:00-11:00"],
            id="one has begun",
        ),
        pytest.param(
            calendar(callback=LUNCH),
            local("2026-11-23T13:45"),
            ["Mon 13:45-14:00", "Tue 10:00-11:00"],
            id="15 min left",
        ),
        pytest.param(
            calendar(callback=LUNCH),
            local("2026-11-23T13:46"),
            ["Tue 10:00-11:00", "Tue 13:00-14:00"],
            id="14 min left",
        ),
        pytest.param(
            calendar(callback=LUNCH), local("2026-11-28T12:00"), ["Mon 13:00-14:00", "Tue 10:00-11:00"], id="weekend"
        ),
        pytest.param(
            calendar(callback=LUNCH, closed=["2026-11-24"], holidays="US"),
            local("2026-11-23T15:00"),
            ["Wed 13:00-14:00", "Fri 13:00-14:00"],
            id="over a day off and Thanksgiving",
        ),
        pytest.param(
            calendar(callback={"mon": ["13:00-14:00"]}), local("2026-11-23T14:00"), ["Mon 13:00-14:00"], id="in a week"
        ),
        pytest.param(
            calendar(callback={"mon": ["13:00-14:00"]}),
            local("2026-11-23T12:00"),
            ["Mon 13:00-14:00"],
            id="not the week after",
        ),
        pytest.param(calendar(), local("2026-11-23T12:00"), [], id="none at all"),
        pytest.param(
            calendar(callback=NIGHTS), local("2026-11-28T00:40"), ["Sat 00:45-02:00", "Sat 20:00-00:00"], id="at night"
        ),
        pytest.param(
            calendar(callback={"mon": ["13:00-13:10"]}), local("2026-11-23T12:00"), [], id="too short to be a promise"
        ),
        pytest.param(
            calendar(callback={"sun": ["01:00-02:30"]}),
            local("2026-03-08T00:00"),
            ["Sun 01:00-01:30"],
            id="end skipped",
        ),
        pytest.param(
            calendar(callback={"sun": ["02:30-04:00"]}),
            local("2026-03-08T00:00"),
            ["Sun 03:30-04:00"],
            id="start skipped",
        ),
        pytest.param(
            calendar(callback={"sun": ["01:15-03:00"]}),
            local("2026-11-01T00:00"),
            ["Sun 01:15-03:00"],
            id="start twice",
        ),
        pytest.param(
            calendar(callback={"sun": ["01:00-02:00"]}),
            local("2026-11-01T01:40"),
            ["Sun 01:00-02:00"],
            id="the second hour is still to come",
        ),
    ],
)
def test_next_windows(kept, moment, expected):
    assert shown(next_windows(kept, moment)) == expected


def test_as_many_windows_as_asked_for():
    assert len(next_windows(calendar(callback=LUNCH), local("2026-11-23T09:10"), 5)) == 5


zones = st.sampled_from(
    [
        "UTC",
        "America/New_York",
        "Europe/London",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Africa/Casablanca",
    ]
)
moments = st.integers(1262304000, 2114380800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
near_jumps = st.builds(
    lambda day, minutes: datetime.combine(day, time(), UTC) + timedelta(minutes=minutes),
    st.sampled_from(
        list(map(date.fromisoformat, ["2026-03-08", "2026-11-01", "2026-03-29", "2026-10-25", "2011-12-29"]))
    ),
    st.integers(-1500, 3000),
)
spans = st.builds(Span, st.integers(0, 6), st.times(), st.times()).map(
    lambda span: Span(
        span.weekday, span.start.replace(second=0, microsecond=0), span.end.replace(second=0, microsecond=0)
    )
)


@example("Europe/London", datetime(2026, 3, 29, tzinfo=UTC), [Span(6, time(1, fold=1), time(0))])
@given(zones, moments | near_jumps, st.lists(spans, max_size=6))
def test_a_window_is_ahead_in_order_and_inside_the_hours(zone, moment, hours):
    kept = Calendar("main", ZoneInfo(zone), tuple(hours), tuple(hours))
    windows = next_windows(kept, moment, 4)
    starts = [window.start.timestamp() for window in windows]
    assert starts == sorted(starts)
    for window in windows:
        start, end = window.start.astimezone(UTC), window.end.astimezone(UTC)
        assert moment <= start < moment + timedelta(days=7)
        assert end - start >= timedelta(minutes=15)
        assert is_open(kept, start)
        assert is_open(kept, end - timedelta(minutes=1))


@given(zones, moments | near_jumps, st.lists(spans, max_size=6))
def test_open_means_that_the_clock_on_the_wall_is_in_a_span(zone, moment, hours):
    kept = Calendar("main", ZoneInfo(zone), tuple(hours))
    wall = moment.astimezone(kept.zone).replace(tzinfo=None)
    by_minutes = False
    for span in hours:
        start = span.weekday * 1440 + span.start.hour * 60 + span.start.minute
        length = (span.end.hour * 60 + span.end.minute - start) % 1440 or 1440
        now = wall.weekday() * 1440 + wall.hour * 60 + wall.minute
        by_minutes = by_minutes or (now - start) % (7 * 1440) < length
    assert is_open(kept, moment) == by_minutes


MONDAY = local("2026-11-23T09:00")
TODAY = Window(local("2026-11-23T13:00"), local("2026-11-23T14:00"))
TONIGHT = Window(local("2026-11-23T16:00"), local("2026-11-23T17:00"))
TOMORROW = Window(local("2026-11-24T10:00"), local("2026-11-24T11:00"))
THURSDAY = Window(local("2026-11-26T10:00"), local("2026-11-26T11:30"))


@pytest.mark.parametrize(
    ("windows", "language", "said"),
    [
        pytest.param((TODAY, TOMORROW), "en", "today 13:00-14:00 or tomorrow 10:00-11:00", id="two days"),
        pytest.param((TODAY, TONIGHT), "en", "today 13:00-14:00 or 16:00-17:00", id="a day is said once"),
        pytest.param((THURSDAY,), "en", "Thursday 10:00-11:30", id="further on"),
        pytest.param((), "en", "", id="none"),
        pytest.param((TODAY, THURSDAY), "es", "hoy 13:00-14:00 o jueves 10:00-11:30", id="Spanish"),
        pytest.param((TOMORROW, THURSDAY), "fr", "demain 10:00-11:00 ou jeudi 10:00-11:30", id="French"),
        pytest.param((TODAY, TOMORROW), "pt-BR", "hoje 13:00-14:00 ou amanhã 10:00-11:00", id="Portuguese of Brazil"),
        pytest.param((TODAY, THURSDAY), "ru", "сегодня 13:00-14:00 или четверг 10:00-11:30", id="Russian"),
        pytest.param((TODAY, THURSDAY), "it", "oggi 13:00-14:00 o giovedì 10:00-11:30", id="Italian"),
        pytest.param((TODAY,), "tlh", "today 13:00-14:00", id="a tongue we do not speak"),
    ],
)
def test_windows_in_words(windows, language, said):
    assert say_windows(windows, MONDAY, language) == said


def test_the_day_is_that_of_the_business_not_of_the_asker():
    assert say_windows((TOMORROW,), datetime(2026, 11, 24, 3, 0, tzinfo=UTC), "en") == "tomorrow 10:00-11:00"


def test_every_language_names_seven_days():
    assert {language: len(words.days) for language, words in WORDS.items()} == dict.fromkeys(WORDS, 7)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param({"sat": []}, [], id="closed on Saturday"),
        pytest.param({"mon-wed": ["09:00-17:00"]}, [(0, 9, 17), (1, 9, 17), (2, 9, 17)], id="range"),
        pytest.param({"sat-mon": ["9:00-17:00"]}, [(0, 9, 17), (5, 9, 17), (6, 9, 17)], id="range over Sunday"),
        pytest.param({"sun-tue": ["09:00 - 17:00"]}, [(0, 9, 17), (1, 9, 17), (6, 9, 17)], id="blanks around the dash"),
        pytest.param({"mon,Wed": ["09:00-17:00"]}, [(0, 9, 17), (2, 9, 17)], id="list of days"),
        pytest.param({"mon-tue, fri": ["09:00-17:00"]}, [(0, 9, 17), (1, 9, 17), (4, 9, 17)], id="range and day"),
        pytest.param({"daily": ["00:00-24:00"]}, [(day, 0, 0) for day in range(7)], id="always"),
        pytest.param({"fri": ["13:00-17:00", "08:00-12:00"]}, [(4, 8, 12), (4, 13, 17)], id="sorted"),
        pytest.param({"fri": ["22:00-02:00"]}, [(4, 22, 2)], id="over midnight"),
        pytest.param({"sun": ["22:00-02:00"], "mon": ["02:00-03:00"]}, [(0, 2, 3), (6, 22, 2)], id="end to end"),
        pytest.param(
            {"mon": ["09:00-12:00"], "mon-tue": ["13:00-17:00"]}, [(0, 9, 12), (0, 13, 17), (1, 13, 17)], id="two"
        ),
    ],
)
def test_spans_are_read(table, expected):
    assert parse_spans(table) == tuple(Span(day, time(start), time(end)) for day, start, end in expected)


@pytest.mark.parametrize(
    ("table", "key", "cure"),
    [
        pytest.param({"monday": ["09:00-17:00"]}, "monday", "mon, tue, wed", id="a long name"),
        pytest.param({"mon-": ["09:00-17:00"]}, "mon-", "a range like mon-fri", id="half a range"),
        pytest.param({"": ["09:00-17:00"]}, "", "or daily", id="no day"),
        pytest.param({"mon": "09:00-17:00"}, "mon", 'write mon = ["09:00-17:00"]', id="no list"),
        pytest.param({"mon": 9}, "mon", 'write mon = ["09:00-17:00"]', id="a number"),
        pytest.param({"mon": ["9-17"]}, '"9-17"', 'like "09:00-17:00"', id="no minutes"),
        pytest.param({"mon": [917]}, '"917"', 'like "09:00-17:00"', id="a number in the list"),
        pytest.param({"mon": ["09:00-25:00"]}, '"09:00-25:00"', 'like "09:00-17:00"', id="hour 25"),
        pytest.param({"mon": ["09:00-24:30"]}, '"09:00-24:30"', "ends at 24:00", id="half past midnight"),
        pytest.param({"mon": ["24:00-09:00"]}, '"24:00-09:00"', "ends at 24:00", id="begins at 24:00"),
        pytest.param({"mon": ["09:00-09:00"]}, '"09:00-09:00"', '"00:00-24:00"', id="no time at all"),
        pytest.param(
            {"mon": ["09:00-12:00", "11:00-17:00"]}, "mon 09:00-12:00 and mon 11:00-17:00", "join", id="overlap"
        ),
        pytest.param({"mon": ["09:00-12:00"], "daily": ["09:00-12:00"]}, "mon", "join", id="a day said twice"),
        pytest.param(
            {"sun": ["22:00-02:00"], "mon": ["01:00-03:00"]}, "sun 22:00-02:00 and mon", "join", id="over Sunday"
        ),
    ],
)
def test_a_fault_in_spans_names_the_key_and_the_cure(table, key, cure):
    with pytest.raises(ValueError) as fault:
        parse_spans(table)
    assert key in str(fault.value)
    assert cure in str(fault.value)


@pytest.mark.parametrize("code", ["US", "US-NY", "DE-BY", "JP"])
def test_holidays_that_are_known(code):
    check_holidays(code)


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        pytest.param("XX", "write the ISO code of a country", id="no country"),
        pytest.param("", "write the ISO code of a country", id="empty"),
        pytest.param("us-ny", "like US, DE or US-NY", id="small letters"),
        pytest.param("US-ZZ", "US- and one of AK, AL", id="no state"),
        pytest.param("JP-13", "write JP alone", id="a country without parts"),
    ],
)
def test_holidays_that_are_not_known(code, cure):
    with pytest.raises(ValueError, match="no holidays are known for") as fault:
        check_holidays(code)
    assert cure in str(fault.value)
