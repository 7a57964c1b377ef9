"""The one place that asks the machine what time it is."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

LONGEST_NAP = timedelta(seconds=30)
"""Sleeps are cut into naps, so that a clock that was set or a machine that was suspended is noticed."""


class SystemClock:
    """The machine's clock. Satisfies `ports.Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251  # this is the adapter the ban points to

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep_until(self, moment: datetime) -> None:
        while (left := moment - self.now()) > timedelta():  # noqa: ASYNC110  # the event is the time itself
            await asyncio.sleep(min(left, LONGEST_NAP).total_seconds())
