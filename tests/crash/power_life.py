"""A life of the store under the record: texts asked for, sent, told of, answered and stopped, many at once, by seed.

python -m tests.crash.power_life FOLDER ACKNOWLEDGEMENTS SEED SYNCHRONOUS

FOLDER has an empty `ringback.db`; `record` is written beside it. Everything here is the real flow on the real store;
only the carrier is our own, which notes when the bytes of an attempt left. SYNCHRONOUS other than FULL is a fault
planted on purpose.
"""

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path

import structlog

from ringback.core.messages import Basis, MessageClass, Outgoing, ReceiptStatus, Urgency, Wanted
from ringback.core.numbers import NumberFormat, read_number
from ringback.flow.arrivals import Arrivals
from ringback.flow.house import Limits
from ringback.flow.outbound import submit
from ringback.flow.sending import Lane, Lanes
from ringback.ports import CarrierRef, Incoming, Receipt
from ringback.ports.texts import Order
from ringback.store import sqlite
from ringback.store.database import Database
from tests.conftest import NOON
from tests.crash.power_vfs import Deed, Line, Record, Sink, record
from tests.crash.pragmas import write_with
from tests.fakes.hand_clock import HandClock
from tests.flow.world import DID, HOUSE

AT_ONCE = 24
PEOPLE = 400
WITHOUT_END = 10**9


@dataclass
class Ledger:
    """What was told, in the record itself, so that its order to the writes is known."""

    sink: Sink
    wanted: int
    told: int = 0

    def tell(self, kind: str, name: str) -> None:
        self.sink(Line(Deed.TOLD, f"{kind} {name}"))
        self.told += 1

    @property
    def full(self) -> bool:
        return self.told >= self.wanted


@dataclass
class Telling:
    """The store, which tells the ledger of every outcome that is on disk."""

    store: Database
    ledger: Ledger

    async def commit(self, step):
        return await self.store.commit(step)

    def ride_along(self, steps):
        self.store.ride_along(steps)

    async def commit_all(self, steps):
        results = await self.store.commit_all(steps)
        for step, result in zip(steps, results, strict=True):
            orders = [part for part in getattr(step, "args", ()) if isinstance(part, Order)]
            if orders and not isinstance(result, Exception):
                self.ledger.tell("outcome", orders[0].text.attempt)
        return results


@dataclass
class Carrier:
    """Takes every text at once and gives it an id."""

    ledger: Ledger
    taken: list[str] = field(default_factory=list)
    name: str = "main"
    window: int = 16
    receipts: bool = True
    max_segments: int = 10
    answers_commands: bool = True
    numbers: "count[int]" = field(default_factory=count)

    async def send(self, text: Outgoing) -> CarrierRef:
        self.ledger.sink(Line(Deed.LEFT, text.attempt))
        await asyncio.sleep(0)
        sid = f"SM{next(self.numbers):032x}"
        self.taken.append(sid)
        return CarrierRef(sid)


@dataclass
class Life:
    """What may happen, each done and then told."""

    store: Telling
    ledger: Ledger
    lanes: Lanes
    arrivals: Arrivals
    carrier: Carrier
    dice: random.Random
    clock: HandClock
    numbers: "count[int]" = field(default_factory=count)

    async def ask(self) -> None:
        """A program asks for a text."""
        words = f"text {next(self.numbers)} {'x' * self.dice.randrange(300)}"
        peer = read_number(self._peer(), NumberFormat.E164, "US", extension_digits=4)
        expires = self.clock.now() + timedelta(hours=4)
        basis = Basis.CONSENT
        kind, urgency = MessageClass.TRANSACTIONAL, Urgency.TRANSACTIONAL
        wanted = Wanted(DID, peer, words, "en", kind, basis, "test", False, expires_at=expires, urgency=urgency)
        slot = self.lanes.reserve("main")
        done = await self.store.commit(partial(submit, HOME, slot, wanted, None, self.clock.now()))
        self.ledger.tell("message", done.message)
        self.lanes.settle(slot, done.order)
        if done.waits_on:
            self.lanes.nudge(done.waits_on)

    async def hear(self) -> None:
        """A handset writes."""
        await self._bring("incoming", f"please call me back {'y' * self.dice.randrange(300)}")

    async def stop(self) -> None:
        """A handset writes STOP."""
        await self._bring("stopped", "STOP")

    async def _bring(self, kind: str, words: str) -> None:
        name, peer = f"IN{next(self.numbers):032x}", self._peer()
        incoming = Incoming(name, peer, DID, words, self.clock.now())
        await self.arrivals.take("main", [incoming], b"raw")
        self.ledger.tell("incoming", name)
        if kind == "stopped":
            self.ledger.tell(kind, f"{name} {peer}")

    async def receipt(self) -> None:
        """The carrier says that a text arrived; of some it says so before we know their id."""
        early = not self.carrier.taken or self.dice.random() < 0.1
        name = f"SM{next(self.numbers):032x}e" if early else self.dice.choice(self.carrier.taken)
        status = self.dice.choice((ReceiptStatus.SENT, ReceiptStatus.DELIVERED))
        await self.arrivals.take("main", [Receipt(name, status, self.clock.now())], b"raw")
        self.ledger.tell("receipt", f"{name} {status}")

    def _peer(self) -> str:
        return f"+1512555{self.dice.randrange(PEOPLE):04}"


HOME = replace(HOUSE, limits=Limits(WITHOUT_END, WITHOUT_END, WITHOUT_END))


async def live(folder: Path, wanted: int, seed: int, sink: Sink) -> None:
    ledger, clock = Ledger(sink, wanted), HandClock(NOON)
    store = Telling(Database(f"sqlite:///{folder / 'ringback.db'}", clock), ledger)
    await store.store.open()
    carrier = Carrier(ledger)
    lane = Lane(carrier, HOME, store, clock)
    lanes = Lanes({"main": lane})
    arrivals = Arrivals(HOME, store, lanes, clock)
    life = Life(store, ledger, lanes, arrivals, carrier, random.Random(seed), clock)
    acts: list[Callable[[], Awaitable[None]]] = [life.ask] * 5 + [life.hear] * 2 + [life.receipt] * 3 + [life.stop]

    async def somebody() -> None:
        while not ledger.full:
            await life.dice.choice(acts)()

    async with asyncio.TaskGroup() as group:
        running = group.create_task(lane.run())
        await asyncio.gather(*(somebody() for _ in range(AT_ONCE)))
        lanes.drain()
        await running
    await store.store.close()


def main(folder: str, wanted: str, seed: str, synchronous: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    write_with(text.replace("FULL", synchronous) for text in sqlite.PRAGMAS)
    sink = Record(Path(folder) / "record")
    record(sink)
    asyncio.run(live(Path(folder), int(wanted), int(seed), sink))
    sink.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
