"""Outcomes of one carrier on their way to disk: what it answers while one flush runs is recorded with the next."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from ringback.core.messages import State
from ringback.errors import SendFailed, told
from ringback.flow.attempts import record, record_all
from ringback.flow.insist import insist, insist_one
from ringback.ports import Carrier, CarrierRef, Clock
from ringback.ports.storage import Needed, Store
from ringback.ports.texts import Order

log = structlog.get_logger("sending")

AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class _Waiting:
    order: Order
    result: CarrierRef | SendFailed
    state: "asyncio.Future[State | None]"


class Recorder:
    """A lane's own, as long as it runs: `group` is the lane's."""

    def __init__(self, carrier: Carrier, store: Store, clock: Clock, group: asyncio.TaskGroup) -> None:
        self._carrier = carrier
        self._store = store
        self._clock = clock
        self._group = group
        self._waiting: list[_Waiting] = []
        self._writing = False

    async def record(self, order: Order, result: CarrierRef | SendFailed) -> State | None:
        """Write what became of an attempt; resolves when it is on disk, with what `attempts.record` said."""
        one = _Waiting(order, result, asyncio.get_running_loop().create_future())
        if self._writing:
            self._waiting.append(one)
        else:
            self._writing = True
            await self._tell([one])
            self._go_on()
        return await one.state

    def _go_on(self) -> None:
        """See to what came meanwhile. Whoever is cancelled goes with the whole lane, and needs nobody after it."""
        self._writing = bool(self._waiting)
        if self._writing:
            self._group.create_task(self._write_all())

    async def _write_all(self) -> None:
        batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        await self._tell(batch)
        self._go_on()

    async def _tell(self, batch: Sequence[_Waiting]) -> None:
        for one, outcome in zip(batch, await self._write(batch), strict=True):
            if one.state.done():
                continue
            if isinstance(outcome, Exception):
                one.state.set_exception(outcome)
            else:
                one.state.set_result(outcome)

    async def _write(self, batch: Sequence[_Waiting]) -> "list[State | Exception | None]":
        """Together; one by one if that fails, so that what is wrong with one fails alone."""
        now = self._clock.now()
        if len(batch) > 1:
            answers = [(one.order, one.result) for one in batch]
            try:
                return [
                    *await insist_one(
                        self._store, self._clock, Needed(partial(record_all, self._carrier, answers, now))
                    )
                ]
            except Exception as problem:  # whatever it is, it comes up again where it belongs
                log.warning("outcomes could not be recorded together", texts=len(batch), problem=told(problem))
        steps = [Needed(partial(record, self._carrier, one.order, one.result, now)) for one in batch]
        return await insist(self._store, self._clock, steps)
