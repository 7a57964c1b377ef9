"""How much may leave in a minute or a day: buckets by the clock on the wall, counted in segments.

What was used of a bucket stands in the database and is counted in the commit that opens an attempt, so that no restart
forgets it. A bucket counts whole minutes and days: a clock that is set back finds the counters of the time it shows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

from ringback.core.reasons import Reason

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LONGEST_PACE = timedelta(minutes=10)
"""No text makes its number wait longer; a moment further ahead is left from before the clock was set back."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Counter(Protocol):
    """What is counted for a span, and under which number that span is kept."""

    @property
    def key(self) -> str: ...
    @property
    def slot(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Bucket:
    """What may leave until `ends`; `slot` is the last minute of that span, under which its use is kept."""

    key: str
    reason: Reason
    limit: int
    ends: datetime
    span: timedelta

    @property
    def slot(self) -> int:
        return minute_of(self.ends) - 1

    def full(self, used: int, segments: int) -> bool:
        """Whether so many more do not fit. What is longer than the whole limit has a span to itself."""
        return used > 0 and used + segments > self.limit

    def ends_at(self, slot: int) -> datetime:
        """When the span ends whose last minute this is."""
        return _EPOCH + MINUTE * (slot + 1)


def minute_of(moment: datetime) -> int:
    return (moment - _EPOCH) // MINUTE


def a_minute(key: str, reason: Reason, limit: int, now: datetime) -> Bucket:
    return Bucket(key, reason, limit, _EPOCH + MINUTE * (minute_of(now) + 1), MINUTE)


def a_day(key: str, reason: Reason, limit: int, zone: tzinfo, now: datetime) -> Bucket:
    """The day of a zone, from midnight to midnight, however long that is."""
    tomorrow = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0) + DAY
    return Bucket(key, reason, limit, tomorrow.astimezone(UTC), DAY)


def fullest(buckets: Iterable[Bucket], used: Mapping[str, int], segments: int) -> Bucket | None:
    """Of the buckets that so many segments do not fit into, the one that is full for longest."""
    full = [bucket for bucket in buckets if bucket.full(used.get(bucket.key, 0), segments)]
    return max(full, key=lambda bucket: bucket.ends, default=None)


@dataclass(frozen=True, slots=True)
class Place:
    """A span to come in which room was promised: the slot, and how much was promised there."""

    slot: int
    promised: int


def next_place(bucket: Bucket, last: Place | None, segments: int) -> Place:
    """Where in the line behind a full bucket a text comes: behind `last`, in its span or in the next.

    So each of a hundred thousand texts is put off about once, and not all of them every minute.
    """
    behind = bucket.slot + bucket.span // MINUTE
    if last is None or last.slot < behind:
        return Place(behind, segments)
    if last.promised + segments <= bucket.limit:
        return Place(last.slot, last.promised + segments)
    return Place(last.slot + bucket.span // MINUTE, segments)


def begins(bucket: Bucket, place: Place) -> datetime:
    """When the span of a place begins. A day with 23 or 25 hours moves that by an hour."""
    return bucket.ends_at(place.slot) - bucket.span


def paced(free_at: datetime | None, per_second: float, segments: int, now: datetime) -> datetime:
    """When a number that sends so many segments a second is free again, once these have left."""
    return max(free_at or now, now) + timedelta(seconds=segments / per_second)


def still_busy(free_at: datetime | None, now: datetime) -> datetime | None:
    """The moment at which a paced number is free, None when that is now."""
    return free_at if free_at is not None and now < free_at <= now + LONGEST_PACE else None
