"""Buckets by the clock: what fits, until when one is full, and where in the line a text comes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.rates import (
    DAY,
    LONGEST_PACE,
    MINUTE,
    Bucket,
    Place,
    a_day,
    a_minute,
    begins,
    fullest,
    minute_of,
    next_place,
    paced,
    still_busy,
)
from ringback.core.reasons import Reason

NOW = datetime(2026, 11, 20, 17, 0, 30, tzinfo=UTC)
BUCKET = a_minute("rate:+12025550101", Reason.RATE_NUMBER, 10, NOW)
EARLIEST, LATEST = NOW.replace(year=2020, tzinfo=None), NOW.replace(year=2040, tzinfo=None)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("used", "segments", "full"),
    [
        pytest.param(0, 1, False, id="nothing left yet"),
        pytest.param(9, 1, False, id="the last one fits"),
        pytest.param(10, 1, True, id="one too many"),
        pytest.param(8, 3, True, id="a long text is counted in parts"),
        pytest.param(0, 11, False, id="longer than the limit goes alone"),
        pytest.param(1, 11, True, id="and waits for an empty minute"),
    ],
)
def test_what_fits(used, segments, full):
    assert BUCKET.full(used, segments) is full


def test_a_minute_ends_with_the_minute_and_is_kept_under_its_number():
    assert datetime(2026, 11, 20, 17, 1, tzinfo=UTC) == BUCKET.ends
    assert BUCKET.slot == minute_of(NOW)


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        pytest.param(NOW, datetime(2026, 11, 21, 5, 0, tzinfo=UTC), id="midnight in the zone, not here"),
        pytest.param(datetime(2026, 3, 8, 6, tzinfo=UTC), datetime(2026, 3, 9, 4, tzinfo=UTC), id="a day of 23 hours"),
        pytest.param(datetime(2026, 11, 1, 5, tzinfo=UTC), datetime(2026, 11, 2, 5, tzinfo=UTC), id="one of 25 hours"),
    ],
)
def test_a_day_is_midnight_to_midnight_of_its_zone(now, ends):
    assert a_day("campaign day:x", Reason.RATE_CAMPAIGN, 10, NEW_YORK, now).ends == ends


@given(
    st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC)),
    st.sampled_from(["UTC", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe"]),
)
def test_all_moments_of_a_day_count_in_one_place(now, zone):
    day = a_day("k", Reason.RATE_CAMPAIGN, 1, ZoneInfo(zone), now)
    assert now < day.ends <= now + timedelta(hours=25)
    last = a_day("k", Reason.RATE_CAMPAIGN, 1, ZoneInfo(zone), day.ends - timedelta(microseconds=1))
    assert (last.slot, last.ends) == (day.slot, day.ends)
    assert a_day("k", Reason.RATE_CAMPAIGN, 1, ZoneInfo(zone), day.ends).slot > day.slot


def test_of_several_the_one_that_is_full_for_longest_speaks():
    day = a_day("campaign day:x", Reason.RATE_CAMPAIGN, 5, UTC, NOW)
    other = a_minute("campaign:x", Reason.RATE_CAMPAIGN, 5, NOW)
    used = {BUCKET.key: 10, day.key: 5}
    assert fullest((BUCKET, day, other), used, 1) == day
    assert fullest((BUCKET, other), used, 1) == BUCKET
    assert fullest((other,), used, 1) is None


def line(bucket: Bucket, sizes: list[int]) -> list[Place]:
    places: list[Place] = []
    for size in sizes:
        places.append(next_place(bucket, places[-1] if places else None, size))
    return places


@given(st.lists(st.integers(1, 10), min_size=1, max_size=200), st.sampled_from([MINUTE, DAY]))
def test_the_line_keeps_its_order_and_promises_no_more_than_there_is(sizes, span):
    bucket = replace(BUCKET, span=span)
    places = line(bucket, sizes)
    assert [place.slot for place in places] == sorted(place.slot for place in places)
    promised: dict[int, int] = {}
    for place, size in zip(places, sizes, strict=True):
        promised[place.slot] = promised.get(place.slot, 0) + size
        assert place.promised == promised[place.slot]
        assert begins(bucket, place) >= bucket.ends
        assert (begins(bucket, place) - bucket.ends) % span == timedelta()
    assert max(promised.values()) <= bucket.limit
    assert len(places) >= len(promised) >= sum(sizes) / bucket.limit


def test_a_line_that_is_over_begins_anew():
    assert next_place(BUCKET, Place(BUCKET.slot - 5, 10), 1) == Place(BUCKET.slot + 1, 1)


def test_a_paced_number_is_free_again_after_each_of_its_parts():
    assert paced(None, 0.1, 1, NOW) == NOW + timedelta(seconds=10)
    assert paced(NOW + timedelta(seconds=5), 2, 3, NOW) == NOW + timedelta(seconds=6.5)
    assert paced(NOW - timedelta(hours=1), 1, 1, NOW) == NOW + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("free_at", "busy"),
    [
        pytest.param(None, False, id="never sent"),
        pytest.param(NOW, False, id="free now"),
        pytest.param(NOW + timedelta(seconds=1), True, id="not yet"),
        pytest.param(NOW + LONGEST_PACE + timedelta(seconds=1), False, id="of before the clock was set back"),
    ],
)
def test_a_number_is_busy_until_its_moment_and_no_longer(free_at, busy):
    assert still_busy(free_at, NOW) == (free_at if busy else None)
