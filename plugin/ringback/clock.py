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
        # no longer than it was meant to take, so that a clock that was set back does not put everybody to sleep
        end = self.monotonic() + (moment - self.now()).total_seconds()
        while (left := min((moment - self.now()).total_seconds(), end - self.monotonic())) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left, LONGEST_NAP.total_seconds()))
