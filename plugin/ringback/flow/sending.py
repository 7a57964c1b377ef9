"""Lanes: one for each carrier, with a window of texts on their way. Claim, open the attempt, send, record the outcome.

A slot of the window is taken before the attempt is opened and given back only after its outcome is on disk, so what is
in doubt after a crash is never more than the window.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from ringback.core.messages import State
from ringback.core.policy import AT_OPEN, Defer, Facts, Refuse, judge
from ringback.core.retries import WRITE_MARGIN
from ringback.flow.attempts import STRANDED, attempt, find_stranded, record, recover
from ringback.flow.house import House
from ringback.flow.insist import insist_one
from ringback.flow.outbound import AFTER_STOP, Slot, Text, gate_facts
from ringback.ports import Carrier, CarrierRef, Clock
from ringback.ports.storage import Store, Tx
from ringback.ports.texts import Order, WaitingText

log = structlog.get_logger("sending")

IDLE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a claim found: attempts opened, whether more were due than it looked at, and what still waits.

    `upcoming` is the next moment at which a text may go; `blocked` says that one waits for another to the same person.
    """

    orders: tuple[Order, ...] = ()
    more: bool = False
    upcoming: datetime | None = None
    blocked: bool = False


class Lane:
    """One carrier's way out. Runs under keep_running; only its own task group sends."""

    def __init__(self, carrier: Carrier, house: House, store: Store, clock: Clock) -> None:
        self.carrier = carrier
        self._house = house
        self._store = store
        self._clock = clock
        self._free = carrier.window
        self._wake = asyncio.Event()
        self._behind = True  # something may wait in the database that we have not looked at
        self._found = Claimed()
        self._group: asyncio.TaskGroup | None = None
        self._closing = False
        self._in_hand: set[int] = set()
        self._searched_at = clock.now()

    @property
    def in_flight(self) -> int:
        return self.carrier.window - self._free

    def reserve(self) -> Slot | None:
        """Take a slot if the lane runs and has one."""
        if self._free == 0 or self._group is None or self._closing:
            return None
        self._free -= 1
        return Slot(self.carrier.name)

    def give_back(self) -> None:
        # a slot of before a fall may come back after the window was opened anew
        self._free = min(self._free + 1, self.carrier.window)
        if self._found.blocked:
            self._behind = True
        if self._behind:
            self._wake.set()

    def nudge(self) -> None:
        """Something was queued for this lane, or put off."""
        self._behind = True
        self._wake.set()

    def hand(self, order: Order) -> None:
        """Send an open attempt; its slot was reserved before."""
        if self._group is None:
            # the lane fell between the commit and now; when it runs again it finds this attempt open
            log.warning("carrier does not run", carrier=self.carrier.name, message=order.text.message)
            return
        self._in_hand.add(order.attempt)
        self._group.create_task(self._send(order))

    async def run(self) -> None:
        """Send what waits, as slots get free and moments come. Ends when told to drain and the window is empty."""
        now = self._clock.now()
        lost = await insist_one(self._store, self._clock, partial(recover, self.carrier.name, now))
        if lost:
            log.warning("texts in doubt after a stop", carrier=self.carrier.name, texts=lost)
        self._free = self.carrier.window
        self._in_hand.clear()
        self._behind = True
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                while not self._closing:
                    await self._look_and_wait()
            finally:
                self._group = None

    def drain(self) -> None:
        """Open no more attempts; `run` returns when those on their way have ended."""
        self._closing = True
        self._wake.set()

    async def _look_and_wait(self) -> None:
        """Claim what is due if there may be something, then wait for a reason to look again."""
        self._wake.clear()
        await self._search()
        if self._behind and self._free:
            await self._claim()
        if not self._closing and not (self._behind and self._free):
            await self._until(self._found.upcoming)

    async def _search(self) -> None:
        """Now and then, look for attempts that were opened and never came here."""
        now = self._clock.now()
        if now - self._searched_at < STRANDED:
            return
        self._searched_at = now
        step = partial(find_stranded, self.carrier.name, self._in_hand, now)
        if found := await insist_one(self._store, self._clock, step):
            self._behind = True
            log.warning("texts in doubt that no lane knows", carrier=self.carrier.name, texts=found)

    async def _claim(self) -> None:
        wanted = self._free
        self._free = 0
        self._behind = False
        step = partial(claim, self._house, self.carrier.name, wanted, self._clock.now())
        try:
            self._found = await insist_one(self._store, self._clock, step)
        finally:
            self._free += wanted
        self._free -= len(self._found.orders)
        self._behind = self._behind or self._found.more
        for order in self._found.orders:
            self.hand(order)

    async def _until(self, due: datetime | None) -> None:
        """Wait until something is queued, a slot is free for it, or the next text is due."""
        now = self._clock.now()
        ahead = due if due is not None and due > now else now + IDLE
        async with asyncio.TaskGroup() as group:
            sleep = group.create_task(self._clock.sleep_until(min(ahead, now + IDLE)))
            await first(group, sleep, self._wake)
        self._behind = self._behind or self._clock.now() >= ahead

    async def _send(self, order: Order) -> None:
        """One attempt from the open row to its recorded outcome."""
        try:
            result = await attempt(self.carrier, order)
            state = await insist_one(
                self._store, self._clock, partial(record, self.carrier, order, result, self._clock.now())
            )
            if state is State.HELD:
                self.nudge()
            log.info(
                "text handed over",
                message=order.text.message,
                carrier=order.carrier,
                state=str(state) if state else "fenced",
                cause="" if isinstance(result, CarrierRef) else str(result),
            )
        finally:
            self._in_hand.discard(order.attempt)
            self.give_back()


async def first(group: asyncio.TaskGroup, sleep: "asyncio.Task[None]", wake: asyncio.Event) -> None:
    """Return when either the sleep is over or the event is set."""
    waiting = group.create_task(wake.wait())
    await asyncio.wait((sleep, waiting), return_when=asyncio.FIRST_COMPLETED)
    sleep.cancel()
    waiting.cancel()


class Lanes:
    """All carriers' lanes by name."""

    def __init__(self, lanes: Mapping[str, Lane]) -> None:
        self._lanes = lanes

    def drain(self) -> None:
        for lane in self._lanes.values():
            lane.drain()

    def reserve(self, carrier: str | None) -> Slot | None:
        lane = self._lanes.get(carrier or "")
        return lane.reserve() if lane else None

    def settle(self, slot: Slot | None, order: Order | None) -> None:
        """After the commit: send the text that was born in flight, or give its slot back."""
        if slot is None:
            return
        lane = self._lanes[slot.carrier]
        if order is None:
            lane.give_back()
        else:
            lane.hand(order)

    def nudge(self, carrier: str) -> None:
        """A text waits for this carrier now."""
        if lane := self._lanes.get(carrier):
            lane.nudge()


def claim(house: House, carrier: str, limit: int, now: datetime, tx: Tx) -> Claimed:
    """Open attempts for texts that are due, each asked by the gates once more in this very transaction (D2)."""
    due = tx.outbox.due(carrier, now, limit)
    orders = [order for text in due if (order := open_one(house, carrier, text, now, tx))]
    upcoming, blocked = tx.outbox.still_waiting(carrier, now)
    return Claimed(tuple(orders), len(due) == limit, upcoming, blocked)


def open_one(house: House, carrier: str, text: WaitingText, now: datetime, tx: Tx) -> Order | None:
    """Open one attempt, or let the text expire, be refused or wait on."""
    message = text.message
    if text.expires_at - WRITE_MARGIN <= now:
        tx.outbox.move(message.id, text.state, State.EXPIRED, None, "never left us", now)
        return None
    match judge(facts_at_open(house, text, now, tx), AT_OPEN):
        case Refuse(reason):
            tx.outbox.move(message.id, text.state, State.REFUSED, reason, "", now)
            return None
        case Defer() as verdict:
            tx.outbox.hold(message.id, text.state, verdict, "", now)
            return None
        case None:
            tx.pairs.count_sent(text.thread.did, message.segments, now)
            return tx.outbox.open_attempt(text, carrier, now)


def facts_at_open(house: House, text: WaitingText, now: datetime, tx: Tx) -> Facts:
    pair = tx.pairs.facts(text.thread.did, text.thread.peer, "", text.rule, now)
    asked = Text(text.automatic, text.message.segments, text.call.facts(), text.command in AFTER_STOP, text.permitted)
    return gate_facts(house, text.thread.did, house.read("", text.thread.peer), asked, pair, now)
