"""What is on its way from the loopback carrier to its reader: receipts and texts, each due at a moment."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from ringback.core.messages import ReceiptStatus
from ringback.ports import CarrierEvent, Clock
from ringback.ports.handsets import HandsetText

MOST_AT_ONCE = 256


class News(NamedTuple):
    """What a text on a handset shall show once an event of the line has been read."""

    number: str
    provider_id: str
    status: ReceiptStatus


class _Due(NamedTuple):
    """An event that is on its way; `order` breaks ties, so events are never compared."""

    at: datetime
    order: int
    event: CarrierEvent
    news: News | None


class Line:
    """Brings events when they are due, to one reader. What that one was not done with comes again to the next."""

    def __init__(self, clock: Clock, tell: Callable[[News], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._due: list[_Due] = []
        self._orders = count()
        self._arrived = asyncio.Event()

    def __len__(self) -> int:
        """How many events wait for their reader."""
        return len(self._due)

    def plan(self, event: CarrierEvent, at: datetime, news: News | None = None) -> None:
        """Bring an event at that moment, and tell the news once it has been read."""
        heappush(self._due, _Due(at, next(self._orders), event, news))
        self._arrived.set()

    async def batches(self) -> AsyncGenerator[list[CarrierEvent], None]:
        """Yield what is due, in order."""
        while True:
            while not self._due or self._due[0].at > self._clock.now():
                await self._wait_for_due()
            taken = self._take_due()
            unread = taken
            try:
                yield [due.event for due in taken]
                unread = []
            finally:
                for due in unread:
                    heappush(self._due, due)
            for due in taken:
                if due.news is not None:
                    self._tell(due.news)

    def _take_due(self) -> list[_Due]:
        now = self._clock.now()
        taken: list[_Due] = []
        while self._due and self._due[0].at <= now and len(taken) < MOST_AT_ONCE:
            taken.append(heappop(self._due))
        return taken

    async def _wait_for_due(self) -> None:
        """Until the next event is due, or another one is planned that may be due before it."""
        self._arrived.clear()
        if not self._due:
            await self._arrived.wait()
            return
        race = {
            asyncio.ensure_future(self._clock.sleep_until(self._due[0].at)),
            asyncio.ensure_future(self._arrived.wait()),
        }
        try:
            await asyncio.wait(race, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for runner in race:
                runner.cancel()


def news_of(text: HandsetText, status: ReceiptStatus) -> News:
    return News(text.handset, text.provider_id, status)
