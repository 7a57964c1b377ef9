"""Counters by key and span of time: what left in a minute, a day or a month, and the lines behind what is full."""

import json
from collections.abc import Collection, Iterable
from datetime import datetime

from ringback.core.rates import Bucket, Counter, Place
from ringback.store.moments import maybe_moment_of, micros
from ringback.store.sql import for_each, insert, sql
from ringback.store.tx import Question, Row, Runner

MINUTE_US = 60_000_000
KEEP_MONTHS = 24
"""So long it is known what was sent of an allowance."""

COUNT = insert("meter", "key slot n", "ON CONFLICT (key, slot) DO UPDATE SET n = meter.n + excluded.n")
METER = sql("SELECT n FROM meter WHERE key = :key AND slot = :slot")
METERS = for_each(
    "SELECT each.key, each.slot, m.n FROM {each} LEFT JOIN meter m ON m.key = each.key AND m.slot = each.slot",
    key="text",
    slot="bigint",
)
LAST_PLACE = sql("SELECT slot, n FROM meter WHERE key = :key AND slot > :slot ORDER BY slot DESC LIMIT 1")
# What is paced has one row, whose slot is the moment it is free again.
FREE_AT = sql("SELECT max(slot) FROM meter WHERE key = :key")
BUSY_UNTIL = sql("UPDATE meter SET slot = :slot WHERE key = :key")
FORGET_PROMISES = sql("DELETE FROM meter WHERE key >= 'line:' AND key < 'line;'")
# Months are counted by other numbers than minutes.
FORGET_METERS = sql("DELETE FROM meter WHERE slot < :slot AND (key < 'used:' OR key >= 'used;')")
FORGET_MONTHS = sql("DELETE FROM meter WHERE slot < :slot AND key >= 'used:' AND key < 'used;'")


def meters_of(meters: Iterable[tuple[str, int]]) -> Question:
    return METERS, {"each": json.dumps(list(meters))}


class Meters:
    """What was read is kept as long as it holds, for the texts of a batch."""

    tables = frozenset({"meter"})

    def __init__(self, run: Runner) -> None:
        self._run = run
        self._meters: dict[tuple[str, int], int] = {}
        run.remember(self)

    def forget(self) -> None:
        self._meters.clear()

    def _learn_meters(self, found: Iterable[Row]) -> None:
        self._meters |= {(key, slot): n or 0 for key, slot, n in found}

    def _metered(self, key: str, slot: int) -> int:
        found = self._meters.get((key, slot))
        if found is None:
            row = self._run.one(METER, key=key, slot=slot)
            found = self._meters[key, slot] = row[0] if row else 0
        return found

    def _add(self, key: str, slot: int, n: int) -> None:
        if (key, slot) in self._meters:
            self._meters[key, slot] += n
        self._run.add_later(COUNT, n, key=key, slot=slot)

    def used(self, counters: Iterable[Counter]) -> dict[str, int]:
        """How many segments left in the spans that these count now."""
        return {counter.key: self._metered(counter.key, counter.slot) for counter in counters}

    def count(self, counter: Counter, segments: int) -> None:
        self._add(counter.key, counter.slot, segments)

    def read_counters(self, counters: Collection[Counter]) -> None:
        """Read many counters in one look, for the texts of a batch."""
        unknown = {(one.key, one.slot) for one in counters} - self._meters.keys()
        if len(unknown) > 1:
            self._learn_meters(*self._run.ask(meters_of(unknown)))

    def last_place(self, bucket: Bucket) -> Place | None:
        """The end of the line behind a full bucket."""
        row = self._run.one(LAST_PLACE, key=f"line:{bucket.key}", slot=bucket.slot)
        return Place(*row) if row else None

    def promise(self, bucket: Bucket, place: Place, segments: int) -> None:
        """Give a text a place in that line."""
        self._add(f"line:{bucket.key}", place.slot, segments)

    def free_at(self, key: str) -> datetime | None:
        """When something that is paced is free again, or was."""
        row = self._run.one(FREE_AT, key=key)
        return maybe_moment_of(row[0]) if row else None

    def busy_until(self, key: str, moment: datetime) -> None:
        if not self._run.change(BUSY_UNTIL, key=key, slot=micros(moment)):
            self._run.change(COUNT, key=key, slot=micros(moment), n=0)

    def forget_promises(self) -> None:
        """The clock was set back: the lines would begin too late."""
        self._run.change(FORGET_PROMISES)

    def forget_spans(self, now: datetime) -> None:
        self._run.change(FORGET_METERS, slot=micros(now) // MINUTE_US - 2)
        self._run.change(FORGET_MONTHS, slot=now.year * 12 + now.month - KEEP_MONTHS)
