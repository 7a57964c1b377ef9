"""A clock that stands still until a test moves it."""

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


class HandClock:
    """Satisfies the Clock port. `move` wakes whoever slept long enough."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._start = start
        self._sleepers: list[tuple[datetime, asyncio.Event]] = []
        self._slept = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    async def sleep_until(self, moment: datetime) -> None:
        if moment <= self._now:
            return
        alarm = (moment, asyncio.Event())
        self._sleepers.append(alarm)
        self._slept.set()
        try:
            await alarm[1].wait()
        finally:
            self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[1] is not alarm[1]]

    async def until_somebody_sleeps(self) -> None:
        """Wait for a sleeper, so that moving the clock is seen."""
        while not self._sleepers:
            self._slept.clear()
            await self._slept.wait()

    def move(self, by: timedelta) -> None:
        self._now += by
        for moment, alarm in self._sleepers:
            if moment <= self._now:
                alarm.set()

    def set_back(self, by: timedelta) -> None:
        """Somebody sets the wall clock; what sleeps sleeps no longer for that."""
        self._now -= by
        self._start -= by
        self._sleepers = [(moment - by, alarm) for moment, alarm in self._sleepers]
