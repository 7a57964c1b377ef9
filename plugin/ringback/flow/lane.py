"""A lane: one for each carrier, with a window of texts on their way. Claim, open the attempt, send, record the outcome.

A slot of the window is taken before the attempt is opened and given back only after its outcome is on disk, so what is
in doubt after a crash is never more than the window. How many may be opened now is for the governor to say.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from ringback.core.messages import State
from ringback.flow.attempts import attempt, recover, set_aside
from ringback.flow.claiming import AT_ONCE, Claimed, Detour, carry_on, claim, tend
from ringback.flow.governor import Governor, Room
from ringback.flow.house import House
from ringback.flow.insist import insist_one
from ringback.flow.outbound import Slot
from ringback.flow.recording import Recorder
from ringback.flow.rounds import Rounds
from ringback.ports import Carrier, CarrierRef, Clock
from ringback.ports.lanes import LaneStanding
from ringback.ports.storage import Step, Store
from ringback.ports.texts import Order

if TYPE_CHECKING:
    from ringback.flow.sending import Lanes

log = structlog.get_logger("sending")

IDLE = timedelta(seconds=60)
GLANCE = timedelta(seconds=1)
SETTLED_BEFORE = "settled before this answer"


class Lane:
    """One carrier's way out. Runs under keep_running; only its own task group sends."""

    def __init__(self, carrier: Carrier, house: House, store: Store, clock: Clock) -> None:
        self.carrier = carrier
        self.governor = Governor(carrier.window, house.rate_of.get(carrier.name), clock)
        self._house = house
        self._store = store
        self._clock = clock
        self._free = carrier.window
        self._wake = asyncio.Event()
        self._behind = True  # something may wait in the database that we have not looked at
        self._untended = True  # the same while nothing may leave
        self._found = Claimed()
        self._group: asyncio.TaskGroup | None = None
        self._closing = False
        self._in_hand: set[int] = set()
        self._looked_at = clock.now()
        self._rounds = Rounds(carrier.name, store, clock)
        self._recorder: Recorder | None = None
        self._others: Lanes | None = None

    @property
    def in_flight(self) -> int:
        return self.carrier.window - self._free

    @property
    def held(self) -> str:
        """Why somebody holds this carrier back; empty when nobody does."""
        return self.governor.held

    def hold(self, why: str) -> None:
        """Open no more attempts until let go; what is on its way ends as it does."""
        self.governor.held = why

    def let_go(self) -> None:
        self.governor.held = ""
        self.nudge()

    def join(self, others: "Lanes") -> None:
        """Know the lanes beside this one: it may have to send its texts by another."""
        self._others = others

    def standing(self) -> LaneStanding:
        """How it goes, for those who show it."""
        governor = self.governor
        return LaneStanding(
            carrier=self.carrier.name,
            running=self._group is not None,
            held=governor.held,
            paused_until=governor.paused_until,
            broken_since=governor.broken_since,
            next_try=governor.next_probe,
            pace=governor.pace,
            in_flight=self.in_flight,
            window=self.carrier.window,
            bulk_in_flight=governor.bulk_in_flight,
            bulk_window=governor.bulk_window,
            fallback=self._house.fallback_of.get(self.carrier.name, ""),
        )

    @property
    def takes_more(self) -> bool:
        """Whether texts of another carrier may come here."""
        return self._group is not None and not self._closing and not self.governor.held and not self.governor.broken

    def reserve(self) -> Slot | None:
        """Take a slot if the lane runs, has one, and may send at once."""
        if self._free == 0 or self._group is None or self._closing or not self.governor.takes_one(self._behind):
            return None
        self._free -= 1
        self.governor.charge(1)
        return Slot(self.carrier.name)

    def release(self) -> None:
        """Give a reserved slot back that was not needed."""
        self.governor.charge(-1)
        self.give_back()

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
        self._untended = True
        self._wake.set()

    def take(self, order: Order) -> None:
        """Send a text that was born in flight, in the slot reserved for it."""
        self.governor.charge(order.segments - 1)
        self.hand(order)

    def hand(self, order: Order) -> None:
        """Send an open attempt; its slot was taken before."""
        if self._group is None:
            # the lane fell between the commit and now; when it runs again it finds this attempt open
            log.warning("carrier does not run", carrier=self.carrier.name, message=order.text.message)
            return
        self._in_hand.add(order.attempt)
        self.governor.opened(order)
        assert self._recorder is not None
        self._group.create_task(self._send(order, self._recorder))

    async def run(self) -> None:
        """Send what waits, as slots get free and moments come. Ends when told to drain and the window is empty."""
        now = self._clock.now()
        lost = await insist_one(self._store, self._clock, partial(recover, self.carrier.name, now))
        if lost:
            log.warning("texts in doubt after a stop", carrier=self.carrier.name, texts=lost)
        self._free = self.carrier.window
        self._in_hand.clear()
        self.governor.begin_anew()
        self._behind = self._untended = True
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._recorder = Recorder(self.carrier, self._store, self._clock, group)
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
        if await self._rounds.search(self._in_hand):
            self._behind = True
        if await self._rounds.mind_the_clock():
            self._looked_at = self._clock.now()
            self.nudge()
        self._notice()
        room = self.governor.room(self._free)
        if self._behind and room.texts:
            await self._claim(room)
        elif self._to_tend():
            await self._tend()
        if not self._closing and not (self._behind and self.governor.room(self._free).texts) and not self._to_tend():
            await self._until(self._next_moment())

    def _notice(self) -> None:
        """The moment of a text that was put off has come. It may have to wait on, for room, and so is seen once."""
        upcoming = self._found.upcoming
        if upcoming is not None and upcoming <= self._clock.now():
            self._found = replace(self._found, upcoming=None)
            self._behind = self._untended = True

    def _to_tend(self) -> bool:
        """Whether texts that cannot leave need something: there are new ones, or one is too old."""
        if self._untended and (self.governor.shut or self._clock.now() >= self._glance_at):
            return True
        return self._found.expires is not None and self._found.expires <= self._clock.now()

    def _next_moment(self) -> datetime | None:
        """When to look again by itself."""
        moments = [self._found.expires, self._found.upcoming]
        if self._behind and self._free:
            moments.append(self.governor.changes_at())
        elif self._untended:
            moments.append(self._glance_at)
        return min((moment for moment in moments if moment is not None), default=None)

    @property
    def _glance_at(self) -> datetime:
        """When to look at texts that came while the window was full: one may be too old before a slot is free."""
        return self._looked_at + GLANCE

    async def _claim(self, room: Room) -> None:
        self._untended = False
        self._looked_at = self._clock.now()
        taken = self._free
        self._free = 0
        self._behind = False
        # texts that are only put off are looked at many at a time
        look = AT_ONCE if self._found.more and not self._found.orders else 0
        step = partial(claim, self._house, self.carrier.name, room, self._clock.now(), look=look)
        try:
            self._found = await self._look(step)
        finally:
            self._free += taken
        self._free -= len(self._found.orders)
        self._behind = self._behind or self._found.more
        for order in self._found.orders:
            self.governor.charge(order.segments)
            self.hand(order)

    async def _look(self, step: Step[Claimed]) -> Claimed:
        """See to what waits. A look that falls over a row changed by hand is taken again without that row."""
        try:
            return await insist_one(self._store, self._clock, step)
        except Exception:
            if not await insist_one(self._store, self._clock, partial(set_aside, self.carrier.name, self._clock.now())):
                raise
        return await insist_one(self._store, self._clock, step)

    async def _tend(self) -> None:
        """See to what waits while nothing leaves."""
        self._untended = False
        self._looked_at = self._clock.now()
        name, detour = self.carrier.name, self._detour()
        step = partial(tend, name, self.governor.next_probe, detour, self._clock.now())
        self._found = await self._look(step)
        self._untended = self._untended or self._found.more
        if detour is not None and self._others is not None:
            self._others.nudge(detour.carrier)

    def _detour(self) -> Detour | None:
        """The carrier that sends for this one while it does not answer, if that one can.

        What a person, the alarm or a restore holds back waits: nobody decided that it should go another way.
        """
        name = self._house.fallback_of.get(self.carrier.name)
        broken = self.governor.broken and not self.held
        other = self._others.get(name) if self._others is not None and name and broken else None
        return (
            Detour(other.carrier.name, other.carrier.max_segments) if other is not None and other.takes_more else None
        )

    async def _until(self, due: datetime | None) -> None:
        """Wait until something is queued, a slot is free for it, or the next text is due; it may be so by now."""
        now = self._clock.now()
        ahead = due if due is not None else now + IDLE
        async with asyncio.TaskGroup() as group:
            sleep = group.create_task(self._clock.sleep_until(min(ahead, now + IDLE)))
            await first(group, sleep, self._wake)
        if self._clock.now() >= ahead:
            self._behind = self._untended = True

    async def _send(self, order: Order, recorder: Recorder) -> None:
        """One attempt from the open row to its recorded outcome."""
        answered = False
        try:
            result = await attempt(self.carrier, order, self._clock.now())
            was_broken = self.governor.broken
            self.governor.answered(order, result)
            answered = True
            state = await recorder.record(order, result)
            if state is State.HELD:
                self.nudge()
            if self.governor.broken is not was_broken:
                await self._turned()
            log.info(
                "text handed over",
                message=order.text.message,
                attempt=order.text.attempt,
                carrier=order.carrier,
                state=str(state) if state else SETTLED_BEFORE,
                cause="" if isinstance(result, CarrierRef) else str(result),
            )
        finally:
            self._in_hand.discard(order.attempt)
            if not answered:
                self.governor.dropped(order)
            self.give_back()

    async def _turned(self) -> None:
        """The carrier stopped answering, or answers again."""
        if self.governor.broken:
            log.warning("carrier does not answer", carrier=self.carrier.name, next_try=str(self.governor.next_probe))
        else:
            step = partial(carry_on, self.carrier.name, self._clock.now())
            waited = await insist_one(self._store, self._clock, step)
            log.info("carrier answers again", carrier=self.carrier.name, texts=waited)
        self.nudge()


async def first(group: asyncio.TaskGroup, sleep: "asyncio.Task[None]", wake: asyncio.Event) -> None:
    """Return when either the sleep is over or the event is set."""
    waiting = group.create_task(wake.wait())
    await asyncio.wait((sleep, waiting), return_when=asyncio.FIRST_COMPLETED)
    sleep.cancel()
    waiting.cancel()
