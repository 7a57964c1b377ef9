"""Asks carriers now and then what came in for us, since a hook that nobody answered may never come again (H7)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter

import structlog

from ringback.errors import SendFailed
from ringback.flow.arrivals import Arrivals
from ringback.flow.house import House, at_carrier
from ringback.flow.insist import insist_one
from ringback.flow.listing import BEFORE
from ringback.ports import Clock, Incoming, Listing
from ringback.ports.storage import Store, Tx

log = structlog.get_logger("inbound")

EVERY = timedelta(minutes=5)
OVERLAP = timedelta(minutes=10)
"""A list may lag behind; what is asked for twice is known by the carrier's id."""

AS_FAR_AS = timedelta(days=7)
"""After a longer absence nobody waits for an answer to what came before."""


@dataclass(frozen=True, slots=True)
class Reconcile:
    """One carrier's gaps. The first look begins at the first start: what came before was not for us."""

    name: str
    carrier: Listing
    house: House
    arrivals: Arrivals
    store: Store
    clock: Clock

    async def run(self) -> None:
        """Look at the start, when texts may have come while nobody was there, and then every few minutes.

        After an absence it looks further back: clocks may differ from what they were.
        """
        away = True
        while True:
            now = self.clock.now()
            since = await insist_one(self.store, self.clock, partial(looked_at, self.name, now))
            overlap = BEFORE if away and since != now else OVERLAP
            try:
                await self.look(max(min(since, now) - overlap, now - AS_FAR_AS))
            except SendFailed as problem:
                away = True
                log.warning("a carrier cannot be asked what came in", carrier=self.name, problem=str(problem))
            else:
                away = False
                await insist_one(self.store, self.clock, partial(look_was_at, self.name, now))
            await self.clock.sleep_until(now + EVERY)

    async def look(self, since: datetime) -> None:
        """Take what came since then, oldest first; what is here already changes nothing. Raises SendFailed."""
        for text in ours(self.house, self.name, await self.carrier.received_since(since)):
            await self.arrivals.take(self.name, [text], b"")


def ours(house: House, carrier: str, texts: Collection[Incoming]) -> list[Incoming]:
    """Those to numbers of ours, in the order they were written: an account may have other numbers too."""
    mine = [text for text in texts if house.read(at_carrier(carrier), text.to).e164 in house.numbers]
    return sorted(mine, key=attrgetter("carrier_at"))


def looked_at(name: str, now: datetime, tx: Tx) -> datetime:
    """When the carrier was last asked; now, if it never was."""
    known = tx.settings.get(_key(name))
    if known is None:
        look_was_at(name, now, tx)
        return now
    return datetime.fromisoformat(known[0])


def look_was_at(name: str, now: datetime, tx: Tx) -> None:
    tx.settings.put(_key(name), now.isoformat(), now, "daemon")


def _key(name: str) -> str:
    return f"reconciled:{name}"
