"""Outcomes of one carrier on their way to disk: what it answers while one flush runs is recorded with the next."""

import asyncio
from collections.abc import Sequence
from functools import partial

import structlog

from ringback.core.messages import State
from ringback.errors import SendFailed, told
from ringback.flow.attempts import record, record_all
from ringback.flow.gathering import Gathering
from ringback.flow.insist import insist, insist_one
from ringback.ports import Carrier, CarrierRef, Clock
from ringback.ports.storage import Needed, Store
from ringback.ports.texts import Order

log = structlog.get_logger("sending")

Answer = tuple[Order, CarrierRef | SendFailed]


class Recorder:
    """A lane's own, as long as it runs: `group` is the lane's."""

    def __init__(self, carrier: Carrier, store: Store, clock: Clock, group: asyncio.TaskGroup) -> None:
        self._carrier = carrier
        self._store = store
        self._clock = clock
        self._answers: Gathering[Answer, State | None] = Gathering(self._write, group.create_task)

    async def record(self, order: Order, result: CarrierRef | SendFailed) -> State | None:
        """Write what became of an attempt; resolves when it is on disk, with what `attempts.record` said."""
        return await self._answers.put((order, result))

    async def _write(self, answers: Sequence[Answer]) -> "list[State | Exception | None]":
        """Together; one by one if that fails, so that what is wrong with one fails alone."""
        now = self._clock.now()
        if len(answers) > 1:
            together = Needed(partial(record_all, self._carrier, answers, now))
            try:
                return [*await insist_one(self._store, self._clock, together)]
            except Exception as problem:  # whatever it is, it comes up again where it belongs
                log.warning("outcomes could not be recorded together", texts=len(answers), problem=told(problem))
        steps = [Needed(partial(record, self._carrier, order, result, now)) for order, result in answers]
        return await insist(self._store, self._clock, steps)
