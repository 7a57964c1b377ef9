"""Replies that name one of the windows offered, replies that do not, and windows kept as text."""

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.schedules import Window, say_windows
from ringback.core.window_words import VOCABULARY
from ringback.core.windows import TEXT_LIMIT, named_window, read_windows, write_windows

NEW_YORK = ZoneInfo("America/New_York")
EARLY = datetime(2026, 11, 23, 5, 0, tzinfo=NEW_YORK)
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=NEW_YORK)


def window(day, start, end, zone=NEW_YORK):
    """The 23rd is a Monday. `24:00` is midnight that night."""
    midnight = datetime(2026, 11, day, tzinfo=zone)
    first, last = (timedelta(hours=int(text[:2]), minutes=int(text[3:])) for text in (start, end))
    return Window(midnight + first, midnight + last)


ONE_PM = window(23, "13:00", "14:00")
TOMORROW_TEN = window(24, "10:00", "11:00")
OFFERED = (ONE_PM, TOMORROW_TEN)


def split_rows(rows):
    return [text.strip() for line in rows.strip().splitlines() for text in line.split(" | ") if text.strip()]


FIRST = """
1 | 1. | 1) | #1 | № 1 | option 1 | Option 1 please | opción 1 | вариант 1 | the first | The first one please
first works | 1st | el primero | la primera | le premier svp | 1er | o primeiro | 1º | первое | 1-й | il primo | 13:00
13.00 | １３：００ | 13h | 13h00 | 13 h 00 | 13:00h | 1pm | 1 pm | 1 P.M. | 1:30 pm | at 13 | at 1 | at 1:30pm
13:30 works | 13:30 works for me, thanks! | 13-14 | 13:00-14:00 | 13:00–14:00 | 1-2pm | 1pm-2pm | 1 - 2 pm
between 1 and 2 | from 13 to 14 | today | Today please | today at 1 | today 13:00-14:00 | Monday | on Monday | mon
this afternoon | today, 1 o'clock | after 12 | after noon | by 14:00 today | 12:30-13:30 | hoy | hoy a las 13
a las 13:00 por favor | a la 1 de la tarde | lunes | el lunes a las 13h | entre las 13 y las 14 | de 13 a 14
esta tarde | después de las 12 | aujourd'hui | aujourd’hui à 13h | à 13 h | vers 13h | lundi | entre 13h et 14h
de 13h à 14h | cet après-midi | après 12h | hoje | hoje às 13h | às 13:00 | das 13 às 14 | segunda-feira
entre 13 e 14 | depois das 12 | сегодня | сегодня в 13 | в 13:00, пожалуйста | в понедельник | с 13 до 14
между 13 и 14 | oggi | oggi alle 13 | alle 13 grazie | lunedì | dalle 13 alle 14 | tra le 13 e le 14 | dopo le 12
"""
SECOND = """
2 | 2. | #2 | nr 2 | the second | second one | The 2nd | la segunda opción | el segundo | le deuxième | 2e
a segunda opção | второе | вторую | 2-я | la seconda | 10 | 10:00 | 10am | 10 a.m. | 10:30 | at 10 | 10h30 | 10-11
10:00 - 11:00 am | tomorrow | Tomorrow works | tomorrow morning | tomorrow at 10 is fine | tmrw 10am
yes, tomorrow at 10 | Tuesday | tue | on Tuesday at 10:00 | before noon | mañana | mañana por la mañana
mañana a las 10 | martes | a las 10 de la mañana | 10 de la mañana | demain | demain matin | demain à 10h | mardi
à 10 heures | 10h du matin | amanhã | amanhã de manhã | amanhã às 10 | terça-feira | terça | завтра | завтра утром
завтра в 10 | во вторник | в 10 утра | вторник подходит | domani | domani mattina | domani alle 10 | martedì
alle ore 10 | 👍 tomorrow
"""
NONE = """
yes | ok | 👍 | sure | sí | да | 3 | 4 | 12:30 | 14:00 | 11:00 tomorrow | today at 10 | tomorrow at 13 | Wednesday
wednesday at 10 | today or tomorrow | 10 or 13 | both | either | any | no | not tomorrow | not at 13:00 | not 1
I can't at 13:00 | I called at 13:00 | I will call you tomorrow | anything but 10 | my number is 10 | today tomorrow
first second | the first tomorrow | option | at | the | thanks | please call me | hello | 13:00 14:00 | 10 13 | 1 2
between 10 | 99 | 25:00 | 13:60 | 1300000 | 2026-11-23 | 24.11. | +12025550101 | 10 Main Street | 10 people | 13 euros
I have 2 dogs | evening | tonight | after 20 | hasta luego | mañana no puedo | demain je ne peux pas | не завтра
non domani | pas demain | tomorrow evening | 10 pm | 1 am | pm tomorrow | day after tomorrow | 1 and 2 | 14-13 | ?
... | 😀 | segunda | quarta quinta segunda
"""
NONE_TOO = ["", " ", "\n", "\u200b", "1" * 200, "today " * 30, "the " * 25 + "first", "\x00"]


@pytest.mark.parametrize("text", split_rows(FIRST), ids=ascii)
def test_a_reply_that_names_the_first_window(text):
    assert named_window(text, OFFERED, MONDAY) is ONE_PM


@pytest.mark.parametrize("text", split_rows(SECOND), ids=ascii)
def test_a_reply_that_names_the_second_window(text):
    assert named_window(text, OFFERED, MONDAY) is TOMORROW_TEN


@pytest.mark.parametrize("text", [*split_rows(NONE), *NONE_TOO], ids=ascii)
def test_a_reply_that_names_none_or_may_mean_both(text):
    assert named_window(text, OFFERED, MONDAY) is None


@pytest.mark.parametrize(
    "text",
    split_rows(
        """
        yes | Yes please! | ok | 👍 | sounds good | that works | sí | vale | oui | d'accord | sim | да | хорошо
        va bene
        """
    ),
)
def test_yes_is_enough_where_only_one_was_offered(text):
    assert named_window(text, (ONE_PM,), MONDAY) is ONE_PM


TEN = window(23, "10:00", "11:00")
SIX_PM = window(23, "18:00", "19:00")
HALF_PAST_FIVE = window(23, "17:30", "18:30")
SEVEN = window(23, "07:00", "08:00")
TOMORROW_ONE = window(24, "13:00", "14:00")
NIGHT = window(27, "22:00", "26:00")
LATE = window(23, "22:00", "24:00")


@pytest.mark.parametrize(
    ("text", "offered", "expected"),
    [
        pytest.param("1", (TEN, ONE_PM), None, id="1 may be the first one and one o'clock"),
        pytest.param("option 1", (TEN, ONE_PM), TEN, id="option 1 is no clock"),
        pytest.param("at 1", (TEN, ONE_PM), ONE_PM, id="at 1 is no place in the offer"),
        pytest.param(
            "2", (ONE_PM, window(23, "14:00", "15:00")), window(23, "14:00", "15:00"), id="2 is both, and the same"
        ),
        pytest.param("after 6", (ONE_PM, SIX_PM), SIX_PM, id="after 6 is the evening if the morning would mean all"),
        pytest.param("after 6", (SEVEN, SIX_PM), SIX_PM, id="after 6 in the evening names one"),
        pytest.param("after 18:15", (ONE_PM, HALF_PAST_FIVE), HALF_PAST_FIVE, id="after a time inside the window"),
        pytest.param("after 18:30", (ONE_PM, HALF_PAST_FIVE), None, id="after the end"),
        pytest.param("from 18", (ONE_PM, SIX_PM), SIX_PM, id="from without to"),
        pytest.param("desde las 18", (ONE_PM, SIX_PM), SIX_PM, id="from in Spanish"),
        pytest.param("after 6pm", (ONE_PM, SIX_PM), SIX_PM, id="after 6pm"),
        pytest.param("7", (SEVEN, window(23, "19:00", "20:00")), None, id="7 in the morning or in the evening"),
        pytest.param("07:00", (SEVEN, window(23, "19:00", "20:00")), SEVEN, id="a nought in front is the morning"),
        pytest.param(
            "7 вечера", (SEVEN, window(23, "19:00", "20:00")), window(23, "19:00", "20:00"), id="seven at night"
        ),
        pytest.param("7 утра", (SEVEN, window(23, "19:00", "20:00")), SEVEN, id="seven in the morning"),
        pytest.param(
            "8 de la tarde",
            (window(23, "08:00", "09:00"), window(23, "20:00", "21:00")),
            window(23, "20:00", "21:00"),
            id="eight is still tarde",
        ),
        pytest.param("tonight", (ONE_PM, SIX_PM), SIX_PM, id="tonight"),
        pytest.param("tonight", (ONE_PM, window(24, "18:00", "19:00")), None, id="tonight is not tomorrow night"),
        pytest.param("pm", (TEN, SIX_PM), SIX_PM, id="pm by itself is half of the day"),
        pytest.param("18:30 works", (ONE_PM, SIX_PM), SIX_PM, id="a time inside of the window"),
        pytest.param("13:00", (ONE_PM, TOMORROW_ONE), None, id="the same hour on two days"),
        pytest.param("13:00 tomorrow", (ONE_PM, TOMORROW_ONE), TOMORROW_ONE, id="the hour and the day"),
        pytest.param("today", (TEN, ONE_PM), None, id="two windows today"),
        pytest.param("12", (window(23, "12:00", "13:00"), TOMORROW_TEN), window(23, "12:00", "13:00"), id="12 is noon"),
        pytest.param("noon", (window(23, "12:00", "13:00"), TOMORROW_TEN), window(23, "12:00", "13:00"), id="noon"),
        pytest.param(
            "11-1pm",
            (window(23, "11:00", "13:00"), TOMORROW_ONE),
            window(23, "11:00", "13:00"),
            id="pm is of the end alone",
        ),
        pytest.param("22-24", (LATE, TOMORROW_TEN), LATE, id="24 is midnight"),
        pytest.param("10pm to 12am", (LATE, TOMORROW_TEN), LATE, id="12am as an end is midnight"),
        pytest.param("at 23:59", (LATE, TOMORROW_TEN), LATE, id="until midnight"),
        pytest.param("Friday", (TOMORROW_TEN, NIGHT), NIGHT, id="a window over midnight is of the day it begins"),
        pytest.param("1am Saturday", (TOMORROW_TEN, NIGHT), NIGHT, id="a time of it is of the day after"),
        pytest.param("1am Friday", (TOMORROW_TEN, NIGHT), None, id="not of the day it begins"),
        pytest.param("segunda", (TOMORROW_TEN, NIGHT), NIGHT, id="segunda is the second if no Monday is offered"),
        pytest.param("segunda-feira", OFFERED, ONE_PM, id="segunda-feira is Monday"),
        pytest.param("третью", (TEN, ONE_PM, SIX_PM), SIX_PM, id="the third"),
        pytest.param("1", (), None, id="nothing was offered"),
        pytest.param("yes", (), None, id="yes to nothing"),
    ],
)
def test_what_is_named_depends_on_the_offer(text, offered, expected):
    assert named_window(text, offered, EARLY) == expected


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        pytest.param("1", datetime(2026, 11, 23, 14, 0, tzinfo=NEW_YORK), None, id="the first is over"),
        pytest.param("yes", datetime(2026, 11, 23, 13, 59, tzinfo=NEW_YORK), None, id="yes to two"),
        pytest.param("1", datetime(2026, 11, 23, 13, 59, tzinfo=NEW_YORK), ONE_PM, id="the first is just not over"),
        pytest.param("2", datetime(2026, 11, 23, 20, 0, tzinfo=NEW_YORK), TOMORROW_TEN, id="2 stays the second"),
        pytest.param("today", datetime(2026, 11, 24, 2, 0, tzinfo=UTC), None, id="still the 23rd there, and over"),
        pytest.param(
            "tomorrow", datetime(2026, 11, 24, 2, 0, tzinfo=UTC), TOMORROW_TEN, id="tomorrow is the windows' own"
        ),
        pytest.param(
            "today", datetime(2026, 11, 24, 6, 0, tzinfo=UTC), TOMORROW_TEN, id="past midnight today is the 24th"
        ),
    ],
)
def test_when_it_is_said_counts(text, at, expected):
    assert named_window(text, OFFERED, at) == expected


def test_a_window_that_is_over_does_not_make_a_time_ambiguous():
    assert named_window("13:00", (ONE_PM, TOMORROW_ONE), ONE_PM.end) is TOMORROW_ONE


@pytest.mark.parametrize("language", ["en", "es", "fr", "pt", "ru", "it"])
@pytest.mark.parametrize("place", [0, 1])
def test_our_own_words_sent_back_name_the_window(language, place):
    said = say_windows(OFFERED[place : place + 1], MONDAY, language)
    assert named_window(said, OFFERED, MONDAY) is OFFERED[place]


AUTUMN = Window(datetime(2026, 11, 1, 1, 30, tzinfo=NEW_YORK), datetime(2026, 11, 1, 2, 30, tzinfo=NEW_YORK))
SPRING = Window(datetime(2026, 3, 8, 1, 30, tzinfo=NEW_YORK), datetime(2026, 3, 8, 3, 30, tzinfo=NEW_YORK))


@pytest.mark.parametrize(("text", "offered"), [("1:45 am", AUTUMN), ("02:15", AUTUMN), ("3:15", SPRING)])
def test_hours_of_the_clock_change_can_be_named(text, offered):
    assert named_window(text, (offered, TOMORROW_TEN), offered.start - timedelta(hours=3)) is offered


PAGE = (Path(__file__).parents[2] / "docs" / "keywords.md").read_text("utf-8")
TOLD = PAGE.partition("\n| a reply | names |\n")[2].partition("\n\n")[0]


@pytest.mark.parametrize("text", re.findall(r"`([^`]+)`", TOLD), ids=ascii)
def test_what_the_page_shows_is_understood(text):
    offers = (OFFERED, (ONE_PM, SIX_PM), (ONE_PM,))
    assert any(named_window(text, offered, MONDAY) for offered in offers)


def test_few_words_have_two_meanings():
    assert {words for words, meanings in VOCABULARY.items() if len(meanings) > 1} == {
        ("segunda",),
        ("quarta",),
        ("quinta",),
        ("prima",),
    }


@given(st.text(), st.sampled_from([(), (ONE_PM,), OFFERED]))
def test_no_text_breaks_it(text, offered):
    assert named_window(text, offered, MONDAY) in (None, *offered)


@given(
    st.lists(st.sampled_from([" ".join(words) for words in VOCABULARY] + ["1", "13:00", "6", "9-10", "24"]), max_size=9)
)
def test_no_reply_of_known_words_breaks_it(words):
    assert named_window(" ".join(words), OFFERED, MONDAY) in (None, *OFFERED)


@given(
    st.integers(0, 23),
    st.integers(0, 59),
    st.sampled_from(["{:02}:{:02}", "at {:02}.{:02}", "a las {:02}h{:02}", "в {:02}:{:02}"]),
)
def test_exactly_the_times_inside_name_a_window(hour, minute, wording):
    named = named_window(wording.format(hour, minute), OFFERED, MONDAY)
    assert named is {13: ONE_PM, 10: TOMORROW_TEN}.get(hour)


def test_the_limit_is_for_longer_texts():
    assert named_window("1pm".ljust(TEXT_LIMIT), OFFERED, MONDAY) is ONE_PM
    assert named_window("1pm".ljust(TEXT_LIMIT + 1), OFFERED, MONDAY) is None


ZONES = st.sampled_from(["America/New_York", "UTC", "Europe/Rome", "Asia/Kathmandu", "Etc/GMT+5"]).map(ZoneInfo)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.lists(st.tuples(st.integers(0, 4 * 10**15), st.integers(1, 10**11), ZONES), max_size=5))
def test_windows_are_read_back_as_they_were(rows):
    windows = []
    for start, length, zone in rows:
        first, last = (EPOCH + timedelta(microseconds=ticks) for ticks in (start, start + length))
        windows.append(Window(first.astimezone(zone), last.astimezone(zone)))
    read = read_windows(write_windows(windows))
    assert read == tuple(windows)
    assert [each.start.tzinfo for each in read] == [each.start.tzinfo for each in windows]


@pytest.mark.parametrize("fixed", [UTC, timezone(timedelta(hours=5, minutes=30))])
def test_what_has_no_zone_name_is_kept_as_the_same_moments(fixed):
    kept = Window(ONE_PM.start.astimezone(fixed), ONE_PM.end.astimezone(fixed))
    assert read_windows(write_windows((kept,))) == (kept,)


def test_no_windows_are_an_empty_line():
    assert write_windows(()) == ""
    assert read_windows("") == ()


GOOD = write_windows((ONE_PM,))


@pytest.mark.parametrize(
    "junk",
    [
        "junk", ";", GOOD + ";", ";" + GOOD, GOOD + " x", "1 2", "1 2 Nowhere/Land", "1 2 ../etc/passwd", "1 2 America",
        "2 1 UTC", "1 1 UTC", "x 2 UTC", "1 999999999999999999 UTC", "-999999999999999999 1 UTC", "1 2 UTC\n",
        f"{GOOD};junk",
        "1 2 UTC;" * 1000, "1 2 \u0660TC", "\u0661 2 UTC", "1 2 " + "A" * 300,
    ],
    ids=lambda junk: ascii(junk[:30]),
)  # fmt: skip
def test_junk_is_no_windows(junk):
    assert read_windows(junk) == ()


@given(st.text())
def test_any_text_can_be_read(text):
    assert isinstance(read_windows(text), tuple)
