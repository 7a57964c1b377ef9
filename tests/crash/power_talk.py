"""The store with a real carrier over HTTP on one side and the real listener for hooks on the other, then the end.

python -m tests.crash.power_talk FOLDER MANY CARRIER_ADDRESS HOOK_PORT SYNCHRONOUS

Sends so many texts and takes so many hooks, then ends. FOLDER has an empty `ringback.db`.
"""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog

from ringback.carriers.twilio import build
from ringback.clock import SystemClock
from ringback.config import Address
from ringback.core.messages import Basis, MessageClass, Urgency, Wanted
from ringback.core.numbers import NumberFormat, read_number
from ringback.flow.arrivals import Arrivals
from ringback.flow.house import Limits
from ringback.flow.outbound import submit
from ringback.flow.sending import Lane, Lanes
from ringback.hooks import Reception, serve
from ringback.ports import CarrierContext, CarrierEvent
from ringback.store import sqlite
from ringback.store.database import Database
from tests.crash.pragmas import write_with
from tests.fakes.twilio import ACCOUNT, TOKEN
from tests.flow.world import DID, HOUSE
from tests.hooks.conftest import PUBLIC

WITHOUT_END = 10**9
HOME = replace(HOUSE, limits=Limits(WITHOUT_END, WITHOUT_END, WITHOUT_END))
AT_ONCE = 16


@dataclass
class Counting:
    """The way in, which knows when enough came."""

    arrivals: Arrivals
    left: int
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, carrier: str, events: Sequence[CarrierEvent], raw: bytes) -> None:
        await self.arrivals.take(carrier, events, raw)
        self.left -= 1
        if self.left == 0:
            self.enough.set()

    async def quarantine(self, carrier: str, raw: bytes, why: str) -> None:
        await self.arrivals.quarantine(carrier, raw, why)


async def talk(folder: Path, many: int, api: str, port: int) -> None:
    clock = SystemClock()
    store = Database(f"sqlite:///{folder / 'ringback.db'}", clock)
    await store.open()
    context = CarrierContext(clock, folder, f"{PUBLIC}/hooks/main")
    carrier = build("main", {"account": ACCOUNT, "key": TOKEN, "api": api, "window": AT_ONCE}, context)
    lane = Lane(carrier, HOME, store, clock)
    lanes = Lanes({"main": lane})
    intake = Counting(Arrivals(HOME, store, lanes, clock), many)
    reception = Reception({"main": carrier}, intake, PUBLIC, clock)
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    numbers = iter(range(many))

    async def ask() -> None:
        for number in numbers:
            peer = read_number(f"+1512555{number:04}", NumberFormat.E164, "US", extension_digits=4)
            until = clock.now() + timedelta(hours=1)
            kind, basis = MessageClass.TRANSACTIONAL, Basis.CONSENT
            text, urgency = f"text {number}", Urgency.TRANSACTIONAL
            wanted = Wanted(DID, peer, text, "en", kind, basis, "test", False, expires_at=until, urgency=urgency)
            slot = lanes.reserve("main")
            done = await store.commit(partial(submit, HOME, slot, wanted, None, clock.now()))
            lanes.settle(slot, done.order)
            if done.waits_on:
                lanes.nudge(done.waits_on)

    async with asyncio.TaskGroup() as group:
        running = group.create_task(lane.run())
        serving = group.create_task(serve(Address("127.0.0.1", port), reception, listening.set_result))
        await listening
        await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
        await intake.enough.wait()
        serving.cancel()
        await asyncio.wait((serving,))
        await drained(store, lane, running)
    await carrier.close()
    await store.close()


async def drained(store: Database, lane: Lane, running: "asyncio.Task[None]") -> None:
    """Wait until no text waits or is on its way."""
    while lane.in_flight or await store.commit(lambda tx: tx.outbox.count_waiting("main", 1)):
        await asyncio.sleep(0.01)
    lane.drain()
    await running


def main(folder: str, many: str, api: str, port: str, synchronous: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    write_with(text.replace("FULL", synchronous) for text in sqlite.PRAGMAS)
    asyncio.run(talk(Path(folder), int(many), api, int(port)))


if __name__ == "__main__":
    main(*sys.argv[1:])
