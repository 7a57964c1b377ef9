"""How much somebody may send in a month: where a text counts, what refuses it, and what is told."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ringback.core.allowances import Limit, Passed, Use, is_over, key_of, month_of, passed, uses
from ringback.core.book import Book
from ringback.core.grants import Department

DID = "+12025550101"
BOOK = Book(
    departments={1: Department(1, "d1", "Sales"), 2: Department(2, "d2", "North", 1)}, members={5: (2,)}, roles={}
)
EVERY = {
    key: Limit(1, 2)
    for key in (
        "used:user:5",
        "used:department:2",
        "used:department:1",
        "used:department:3",
        f"used:number:{DID}",
        "used:everyone:0",
    )
}


@pytest.mark.parametrize(
    ("account", "number", "keys"),
    [
        pytest.param(
            5,
            DID,
            ["used:user:5", "used:department:2", "used:department:1", f"used:number:{DID}", "used:everyone:0"],
            id="a person: their own, their departments up to the top, the number, the business",
        ),
        pytest.param(6, DID, [f"used:number:{DID}", "used:everyone:0"], id="a person in no department without a limit"),
        pytest.param(None, DID, [f"used:number:{DID}", "used:everyone:0"], id="a rule"),
        pytest.param(None, "+12025550102", ["used:everyone:0"], id="another number"),
    ],
)
def test_where_a_text_counts(account, number, keys):
    assert uses(replace(BOOK, limits=EVERY), account, number, 7) == tuple(Use(key, 7) for key in keys)


def test_without_allowances_nothing_counts():
    assert uses(BOOK, 5, DID, 7) == ()


@pytest.mark.parametrize(
    ("moment", "zone", "month"),
    [
        pytest.param(datetime(2026, 11, 30, 23, 59, tzinfo=UTC), "UTC", 2026 * 12 + 11, id="the last minute"),
        pytest.param(datetime(2026, 12, 1, tzinfo=UTC), "UTC", 2026 * 12 + 12, id="the first moment"),
        pytest.param(
            datetime(2026, 12, 1, 4, tzinfo=UTC), "America/New_York", 2026 * 12 + 11, id="earlier in the west"
        ),
        pytest.param(datetime(2027, 1, 1, tzinfo=UTC), "UTC", 2026 * 12 + 12 + 1, id="the next year"),
    ],
)
def test_months_are_those_of_the_business(moment, zone, month):
    assert month_of(moment, ZoneInfo(zone)) == month


@pytest.mark.parametrize(
    ("limit", "used", "segments", "over"),
    [
        pytest.param(Limit(0, 10), 9, 1, False, id="the last one fits"),
        pytest.param(Limit(0, 10), 9, 2, True, id="two do not"),
        pytest.param(Limit(0, 10), 10, 1, True, id="all is used"),
        pytest.param(Limit(0, 10), 0, 11, True, id="one that is longer than the month"),
        pytest.param(Limit(10, 0), 500, 1, False, id="a soft limit refuses nothing"),
    ],
)
def test_what_is_over(limit, used, segments, over):
    assert is_over({"k": limit}, {"k": used}, segments) == ("k" if over else "")


@pytest.mark.parametrize(
    ("limit", "before", "after", "reached"),
    [
        pytest.param(Limit(100, 0), 78, 79, None, id="not yet"),
        pytest.param(Limit(100, 0), 79, 80, Passed.NEARLY, id="four fifths of the soft limit"),
        pytest.param(Limit(0, 100), 79, 81, Passed.NEARLY, id="past four fifths of the hard limit"),
        pytest.param(Limit(100, 200), 159, 161, None, id="four fifths are those of the smaller one"),
        pytest.param(Limit(100, 200), 80, 81, None, id="once only"),
        pytest.param(Limit(100, 200), 99, 100, None, id="all that is free is not more than that"),
        pytest.param(Limit(100, 200), 100, 101, Passed.SOFT, id="over the soft limit"),
        pytest.param(Limit(100, 0), 10, 150, Passed.SOFT, id="over both marks at once"),
        pytest.param(Limit(100, 200), 199, 200, Passed.HARD, id="all of the hard limit"),
        pytest.param(Limit(0, 0), 5, 50, None, id="no limits"),
    ],
)
def test_what_is_told(limit, before, after, reached):
    assert passed(limit, before, after) is reached


def test_a_key_names_whose_it_is():
    assert (key_of("user", 5), key_of("number", DID)) == ("used:user:5", f"used:number:{DID}")
