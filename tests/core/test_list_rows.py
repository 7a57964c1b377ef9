"""Lists of former systems, line by line: what is taken, and what is said of a line that is not."""

from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.list_rows import MOST_LINES, SENTENCES, Fault, Reading, read_listing
from ringback.core.numbers import NumberFormat, read_number

NOW = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
HOW = Reading(partial(read_number, fmt=NumberFormat.AS_IS, country="US"), NEW_YORK, NOW)
HEAD = ["number", "date", "reason", "source"]
PAT = "+15125550123"


def read(*rows, head=HEAD):
    return read_listing([head, *rows], HOW)


@pytest.mark.parametrize(
    ("head", "line", "row"),
    [
        pytest.param(["Phone Number"], ["(512) 555-0123"], (PAT, None, "", ""), id="as people write it"),
        pytest.param(["MSISDN", "x"], ["15125550123", "y"], (PAT, None, "", ""), id="a column that is passed over"),
        pytest.param(["to", "note"], [PAT, " STOP  me\n"], (PAT, None, "STOP me", ""), id="words in one line"),
        pytest.param(["number", "reason"], [PAT, "'+1 he said"], (PAT, None, "+1 he said", ""), id="a defused cell"),
        pytest.param(
            ["Opted_Out At", "Teléfono"],
            ["2024-05-06", "512.555.0123"],
            (PAT, datetime(2024, 5, 6, tzinfo=NEW_YORK), "", ""),
            id="columns in any order, with accents",
        ),
        pytest.param(
            HEAD,
            [PAT, "2024-05-06T07:08:09Z", "asked", "web form"],
            (PAT, datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC), "asked", "web form"),
            id="a moment with its zone",
        ),
        pytest.param(HEAD, [PAT], (PAT, None, "", ""), id="a short line"),
    ],
)
def test_what_is_taken(head, line, row):
    listing = read(line, head=head)
    (found,) = listing.rows
    assert (found.number, found.at, found.reason, found.source) == row
    assert listing.troubles == ()


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        pytest.param(["", "2024-05-06"], Fault.WHO, id="nobody"),
        pytest.param(["12 34"], Fault.NO_NUMBER, id="no number"),
        pytest.param(["'=1+1"], Fault.NO_NUMBER, id="a formula made harmless is no number either"),
        pytest.param(["=1+1"], Fault.FORMULA, id="a formula for a number"),
        pytest.param([PAT, "", "=cmd|' /C calc'!A0"], Fault.FORMULA, id="a formula for a reason"),
        pytest.param([PAT, "", "", "@SUM(A1)"], Fault.FORMULA, id="a formula for a source"),
        pytest.param([PAT, "", "\uff1dHYPERLINK()"], Fault.FORMULA, id="a formula in full width"),
        pytest.param([PAT, "05/06/2024"], Fault.NO_DATE, id="a date that is two days"),
        pytest.param([PAT, "soon"], Fault.NO_DATE, id="no date"),
        pytest.param([PAT, "2031-01-01"], Fault.TO_COME, id="a date to come"),
        pytest.param([PAT, "1899-12-30"], Fault.TOO_OLD, id="the day zero of a table program"),
        pytest.param([PAT, "0001-01-01T00:00:00+14:00"], Fault.TOO_OLD, id="before time began"),
        pytest.param([PAT, "9999-12-31T23:59:59-12:00"], Fault.TO_COME, id="when time ends"),
        pytest.param([PAT, "", "x" * 201], Fault.TOO_LONG, id="a long reason"),
    ],
)
def test_what_is_wrong_with_a_line(line, fault):
    listing = read([PAT], line)
    assert [(one.line, one.fault) for one in listing.troubles] == [(3, fault)]
    assert "line 3" in str(listing.troubles[0])


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        pytest.param([], Fault.EMPTY, id="nothing"),
        pytest.param([["number"]], Fault.EMPTY, id="only names"),
        pytest.param([["who", "date"], [PAT, ""]], Fault.NO_NUMBERS, id="no column of numbers"),
        pytest.param([["phone", "mobile"], [PAT, PAT]], Fault.TWO_COLUMNS, id="two columns of numbers"),
    ],
)
def test_what_is_wrong_with_a_file(table, fault):
    listing = read_listing(table, HOW)
    assert [one.fault for one in listing.troubles] == [fault]
    assert listing.rows == ()


def test_more_lines_than_we_take_are_not_read_to_the_end():
    def endless():
        yield ["number"]
        while True:
            yield [PAT]

    listing = read_listing(endless(), HOW)
    assert [one.fault for one in listing.troubles] == [Fault.TOO_MANY]
    assert listing.lines == MOST_LINES + 1


def test_of_two_lines_about_one_number_the_later_date_holds():
    dates = ["2024-05-06", "2025-01-01", "2023-01-01"]
    listing = read(*([PAT, date] for date in dates), ["5125550123", "2024-06-01"])
    assert [row.at for row in listing.rows] == [datetime(2025, 1, 1, tzinfo=NEW_YORK)]
    assert (listing.lines, listing.twice) == (4, 3)
    assert [row.at for row in read([PAT, ""], [PAT, "2025-01-01"]).rows] == [None], "no date is just now"


def test_five_thousand_faulty_lines_are_all_told():
    listing = read(*(["12 34", "soon"] for _ in range(5000)))
    assert len(listing.troubles) == 10_000
    assert listing.troubles[-1].line == 5001


@given(st.lists(st.lists(st.text(max_size=20), max_size=5), max_size=6))
def test_no_table_is_too_odd_to_be_read(rows):
    listing = read_listing([HEAD, *rows], HOW)
    assert all(row.number.startswith("+") for row in listing.rows)
    assert all(str(trouble) for trouble in listing.troubles)
    assert all(row.at is None or row.at < NOW + timedelta(days=2) for row in listing.rows)


def test_every_fault_has_a_sentence():
    assert set(SENTENCES) == set(Fault)
