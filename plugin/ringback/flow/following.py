"""Follows the calls of the PBXs: events in, decisions committed in groups, texts handed to their lanes."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from ringback.core.calls import (
    UNANSWERED,
    CallAnswered,
    CallEnded,
    CallEvent,
    CallStarted,
    FeedBack,
    FeedLost,
)
from ringback.core.numbers import mask
from ringback.core.triggers import CallDecision, CallVerdict
from ringback.errors import StoreBusy, told
from ringback.flow.calls import (
    NOTHING,
    Concluded,
    Ended,
    answered,
    back,
    began,
    conclude,
    finish,
    look_ahead,
    lost,
    prepare,
)
from ringback.flow.delays import Delays
from ringback.flow.house import House
from ringback.flow.insist import insist, insist_one, to_the_end
from ringback.flow.outbound import Slot
from ringback.flow.sending import Lanes
from ringback.ports import CallEventSource, Clock
from ringback.ports.storage import Step, Store, Tx

log = structlog.get_logger("calls")

AT_ONCE = 128
"""Call events in one commit: the first texts of a burst leave while the rest is still decided."""


def step_for(house: House, slot: Slot | None, event: CallEvent, now: datetime) -> Step[Concluded]:
    """The change that one call event asks for."""
    match event:
        case CallStarted(call):
            return partial(began, house, call)
        case CallAnswered(call):
            return partial(answered, house, call)
        case CallEnded(call):
            return partial(conclude, house, slot, call, now)
        case FeedLost():
            return partial(lost, event)
        case FeedBack():
            return partial(back, event)


def take_all(house: House, happened: Sequence[tuple[CallEvent, Slot | None]], now: datetime, tx: Tx) -> list[Concluded]:
    """Take call events in their order, each as its own step would, in a few statements for all of them."""
    ends = [prepare(house, event.call) for event, _slot in happened if isinstance(event, CallEnded)]
    tx.calls.read_ahead(event.call for event, _slot in happened if isinstance(event, CallStarted | CallEnded))
    tx.sessions.read_ahead()
    look_ahead(ends, now, tx)
    prepared = iter(ends)
    return [
        finish(house, slot, next(prepared), now, tx)
        if isinstance(event, CallEnded)
        else step_for(house, slot, event, now)(tx)
        for event, slot in happened
    ]


def slot_for(house: House, lanes: Lanes, event: CallEvent) -> Slot | None:
    """A window slot for a call that may want its text at once."""
    if not isinstance(event, CallEnded) or event.call.outcome not in UNANSWERED:
        return None
    return lanes.reserve(house.carrier(house.read(event.call.pbx, event.call.did).e164 or event.call.did))


def without_spent_beginnings(events: Sequence[CallEvent]) -> list[CallEvent]:
    """Leave out the beginning of a call whose end came in the same breath: its end stores all of it."""
    over = {event.call.uniqueid for event in events if isinstance(event, CallEnded)}
    return [event for event in events if not (isinstance(event, CallStarted) and event.call.uniqueid in over)]


@dataclass(frozen=True, slots=True)
class Follower:
    """Turns the calls of one PBX into decisions."""

    house: House
    store: Store
    lanes: Lanes
    delays: Delays
    clock: Clock
    is_back: Callable[[], None] = lambda: None
    """Called when the line to the PBX is back after a gap."""

    async def follow(self, source: CallEventSource) -> None:
        """Go on for ever. What cannot be stored now is tried again, in order, while the source waits."""
        async for batch in source.batches():
            events = without_spent_beginnings(batch)
            for start in range(0, len(events), AT_ONCE):
                await to_the_end(self._take(source.name, events[start : start + AT_ONCE]))

    async def _take(self, pbx: str, events: Sequence[CallEvent]) -> None:
        now = self.clock.now()
        if all(isinstance(event, CallStarted) for event in events) and self._rides_along(events, now):
            return
        happened = [(event, slot_for(self.house, self.lanes, event)) for event in events]
        results = await self._store(happened, now)
        for (event, slot), result in zip(happened, results, strict=True):
            if isinstance(result, Exception):
                log.error("a call event could not be stored", pbx=pbx, kind=type(event).__name__, problem=told(result))
            concluded = NOTHING if isinstance(result, Exception) else result
            self.lanes.settle(slot, concluded.submitted.order if concluded.submitted else None)
            self._wake(concluded)
        # the texts that were just handed over leave first
        asyncio.get_running_loop().call_soon(tell_all, results)
        if any(isinstance(event, FeedBack) for event in events):
            self.is_back()

    async def _store(
        self, happened: Sequence[tuple[CallEvent, Slot | None]], now: datetime
    ) -> "Sequence[Concluded | Exception]":
        """Together; one by one if that fails, so that what is wrong with one fails alone."""
        if len(happened) > 1:
            try:
                return await insist_one(self.store, self.clock, partial(take_all, self.house, happened, now))
            except Exception as problem:  # whatever it is, it comes up again where it belongs
                log.warning("call events could not be stored together", events=len(happened), problem=told(problem))
        steps = [step_for(self.house, slot, event, now) for event, slot in happened]
        return await insist(self.store, self.clock, steps)

    def _rides_along(self, events: Sequence[CallEvent], now: datetime) -> bool:
        """Nobody waits for a beginning: the end of a call stores it too, should a crash take it."""
        try:
            self.store.ride_along([step_for(self.house, None, event, now) for event in events])
        except StoreBusy:
            return False
        return True

    def after(self, concluded: Concluded) -> None:
        """A call was decided about: wake who has to do something now, and tell."""
        self._wake(concluded)
        tell_all([concluded])

    def _wake(self, concluded: Concluded) -> None:
        if concluded.submitted is not None:
            self.lanes.nudge(concluded.submitted.waits_on)
        elif concluded.decision is not None and concluded.decision.verdict is CallVerdict.SEND:
            self.delays.nudge()


def tell_all(results: "Sequence[Concluded | Exception]") -> None:
    for result in results:
        if isinstance(result, Concluded) and result.ended is not None and result.decision is not None:
            tell(result.ended, result.decision)


def tell(ended: Ended, decision: CallDecision) -> None:
    """One log line a call: what became of it, and what we do about it, and why."""
    call = ended.call
    log.info(
        "call ended",
        call=call.uniqueid,
        pbx=call.pbx,
        caller=mask(ended.peer.e164) if ended.peer.e164 else str(ended.peer.kind),
        did=ended.did,
        outcome=str(call.outcome),
        decision=str(decision.verdict),
        reason=str(decision.reason),
        rule=decision.rule.name if decision.rule else None,
    )
