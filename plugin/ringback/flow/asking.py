"""What a program asks for over the API: a text to anybody, once for each key of its own; and to call one off.

Wishes that come while the disk is busy are stored together, in the order they came. A request that goes away takes
nothing back: what was opened is handed to its lane all the same.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from ringback.core.messages import State
from ringback.core.permissions import Action, Principal
from ringback.errors import StoreBusy, told
from ringback.flow.desk import PATIENCE_S, unless
from ringback.flow.house import House
from ringback.flow.insist import to_the_end
from ringback.flow.outbound import Slot
from ringback.flow.permits import Denied, allow, note_denied
from ringback.flow.sending import Lanes
from ringback.flow.wishes import Asked, One, Outcome, Wish, answer, answer_all, call_off
from ringback.ports import Clock
from ringback.ports.storage import Store

log = structlog.get_logger("asking")

AT_ONCE = 256
"""Wishes in one go at the store."""
AT_A_TIME = 2
"""So many go's are under way: one is flushed while the next is put together."""
MOST_WAITING = 5_000
BUSY = "the database is busy; ask again with the same Idempotency-Key, and nothing is done twice"
STOPPING = "ringback stops; try again, nothing was stored"


@dataclass(slots=True)
class _Waiting:
    who: Principal
    wish: Wish
    key: str
    answer: "asyncio.Future[Asked]"


class Asking:
    """`run` is a part of the daemon; while it does not run, everything is refused as busy."""

    def __init__(self, house: House, store: Store, lanes: Lanes, clock: Clock) -> None:
        self._house = house
        self._store = store
        self._lanes = lanes
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()
        self._bell = asyncio.Event()
        self._open = False

    async def send(self, who: Principal, wish: Wish, key: str = "") -> Asked:
        """Submit a wish, once for each key that is not empty; resolves when it is on disk.

        Raises Denied for what they may not, or for a key that stood for another wish, and StoreBusy within five
        seconds.
        """
        allow(who, Action.SEND)
        if not self._open:
            raise StoreBusy(STOPPING)
        if len(self._waiting) >= MOST_WAITING:
            raise StoreBusy(f"{len(self._waiting)} texts wait to be stored already")
        answer: asyncio.Future[Asked] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(who, wish, key, answer))
        self._bell.set()
        try:
            return await answer
        except Denied as denied:
            note_denied(who, denied, wish.did, self._clock.now(), self._store)
            raise

    async def call_off(self, who: Principal, message: str) -> State:
        """Cancel a text that has not left us; returns the state it is in now, whether that is cancelled or not."""
        allow(who, Action.SEND)
        try:
            state = await self._store.commit(partial(call_off, who, message, self._clock.now()))
        except Denied as denied:
            note_denied(who, denied, message, self._clock.now(), self._store)
            raise
        log.info("called off", who=who.label, message=message, state=str(state))
        return state

    async def run(self) -> None:
        """Store what is asked, until cancelled; what waits then is refused."""
        self._open = True
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_A_TIME):
                    group.create_task(self._serve())
        finally:
            self._open = False
            for one in self._take(len(self._waiting)):
                one.answer.set_exception(StoreBusy(STOPPING))

    async def _serve(self) -> None:
        while True:
            await self._bell.wait()
            if batch := self._take(AT_ONCE):
                await to_the_end(self._store_them(batch))
            elif not self._waiting:
                self._bell.clear()

    def _take(self, most: int) -> list[_Waiting]:
        """The next wishes that somebody still waits for."""
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        return [one for one in taken if not one.answer.done()]

    async def _store_them(self, batch: Sequence[_Waiting]) -> None:
        """Take slots, commit, hand over what was born in flight, and tell each who asked."""
        now, late = self._clock.now(), threading.Event()
        slots = [self._lanes.reserve(self._house.carrier(one.wish.did)) for one in batch]
        asked = [One(slot, one.who, one.wish, one.key) for one, slot in zip(batch, slots, strict=True)]
        timer = asyncio.get_running_loop().call_later(PATIENCE_S, _give_up, batch, late)
        outcomes: list[Outcome] = [StoreBusy(STOPPING)] * len(batch)
        try:
            outcomes = await self._commit(asked, late, now)
        except StoreBusy as problem:
            outcomes = [problem] * len(batch)
        finally:
            timer.cancel()
            self._hand_over(slots, outcomes)
            for one, outcome in zip(batch, outcomes, strict=True):
                _tell(one, outcome)

    async def _commit(self, asked: Sequence[One], late: threading.Event, now: datetime) -> "list[Outcome]":
        """Together, in a few statements; one by one if that fails, so that what is wrong with one fails alone."""
        if len(asked) > 1:
            try:
                return await self._store.commit(unless(late, partial(answer_all, self._house, asked, now)))
            except StoreBusy:
                raise
            except Exception as problem:
                log.warning("texts could not be stored together", texts=len(asked), problem=told(problem))
        steps = [unless(late, partial(answer, self._house, one.slot, one.who, one.wish, one.key, now)) for one in asked]
        return await self._store.commit_all(steps)

    def _hand_over(self, slots: Sequence[Slot | None], outcomes: "Sequence[Outcome]") -> None:
        carriers: set[str] = set()
        for slot, outcome in zip(slots, outcomes, strict=True):
            submitted = None if isinstance(outcome, Exception) else outcome[1]
            self._lanes.settle(slot, submitted.order if submitted else None)
            if submitted and submitted.waits_on:
                carriers.add(submitted.waits_on)
        for carrier in carriers:
            self._lanes.nudge(carrier)


def _give_up(batch: Sequence[_Waiting], late: threading.Event) -> None:
    """Tell everybody to ask again, and see to it that what is not stored by now never is."""
    late.set()
    for one in batch:
        if not one.answer.done():
            one.answer.set_exception(StoreBusy(BUSY))


def _tell(one: _Waiting, outcome: Outcome) -> None:
    if one.answer.done():
        return
    if isinstance(outcome, Exception):
        one.answer.set_exception(outcome)
    else:
        one.answer.set_result(outcome[0])
