"""Texts that wait out their rule's delay, and the housekeeping that goes by the clock."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from ringback.core.policy import Defer, Refuse
from ringback.core.reasons import Reason
from ringback.core.tasks import TaskKind
from ringback.core.triggers import CallDecision, CallVerdict
from ringback.errors import told
from ringback.flow.calls import TASKS
from ringback.flow.doubts import give_up
from ringback.flow.house import House
from ringback.flow.insist import insist, insist_one, to_the_end
from ringback.flow.outbound import Slot, Submitted, submit
from ringback.flow.sending import Lanes, first
from ringback.ports import Clock
from ringback.ports.storage import Store, Tx
from ringback.ports.texts import DueText

log = structlog.get_logger("delays")

ON_THE_LINE = timedelta(seconds=5)
"""How long a due text waits on when its caller is in a call with us just now."""
LIVE_AT_MOST = timedelta(hours=4)
LOGINS_KEPT = timedelta(days=30)
SWEEP = timedelta(minutes=1)
AT_ONCE = 100
SEEN = "seen"
"""The setting whose time is the daemon's last sign of life."""


@dataclass(frozen=True, slots=True)
class Fired:
    submitted: Submitted | None


class Delays:
    """Fires what is due, in order, and wakes for the next."""

    def __init__(self, house: House, store: Store, lanes: Lanes, clock: Clock) -> None:
        self._house = house
        self._store = store
        self._lanes = lanes
        self._clock = clock
        self._wake = asyncio.Event()

    def nudge(self) -> None:
        """A text was put here; it may be due before the one we wait for."""
        self._wake.set()

    async def run(self) -> None:
        while True:
            self._wake.clear()
            now = self._clock.now()
            due, upcoming = await insist_one(self._store, self._clock, partial(look, now))
            if due:
                await to_the_end(self._fire(due))
                continue
            limit = now + SWEEP
            async with asyncio.TaskGroup() as group:
                sleep = group.create_task(self._clock.sleep_until(min(upcoming or limit, limit)))
                await first(group, sleep, self._wake)

    async def _fire(self, due: list[DueText]) -> None:
        now = self._clock.now()
        slots = [self._lanes.reserve(self._house.carrier(text.did)) for text in due]
        steps = [partial(fire, self._house, slot, text, now) for text, slot in zip(due, slots, strict=True)]
        results = await insist(self._store, self._clock, steps)
        for text, slot, result in zip(due, slots, results, strict=True):
            if isinstance(result, Exception):
                log.error("a due text could not be stored", rule=text.rule, problem=told(result))
                self._lanes.settle(slot, None)
                await insist(self._store, self._clock, [partial(put_off, text, now + SWEEP)])
                continue
            self._lanes.settle(slot, result.submitted.order if result.submitted else None)
            self._lanes.nudge(result.submitted.waits_on if result.submitted else "")


def look(now: datetime, tx: Tx) -> tuple[list[DueText], datetime | None]:
    due = tx.pending.due(now, AT_ONCE)
    return due, None if due else tx.pending.next_due()


def fire(house: House, slot: Slot | None, text: DueText, now: datetime, tx: Tx) -> Fired:
    """The delay is over: ask the gates again and queue the text, all in one transaction."""
    if tx.pending.on_the_line(text.peer, now - LIVE_AT_MOST):
        tx.pending.put_off(text.id, now + ON_THE_LINE)
        return Fired(None)
    if is_too_old(house, text, now):
        if tx.pending.close(text.id, "expired", Reason.TOO_OLD):
            leave_to_a_person(Reason.TOO_OLD, text, now, tx)
        return Fired(None)
    if not tx.pending.close(text.id, "fired", None):
        return Fired(None)
    sent = submit(house, slot, text.wanted(house.read("", text.peer)), text.call.facts(), now, tx)
    match sent.verdict:
        case Refuse(reason):
            leave_to_a_person(reason, text, now, tx)
        case Defer(reason, until):
            tx.calls.redecided(text.call_id, CallDecision(CallVerdict.DEFER, reason, until=until))
        case None:
            pass
    return Fired(sent)


def is_too_old(house: House, text: DueText, now: datetime) -> bool:
    """Was nobody here when it was due, and that long ago? Then nobody knows whether the call was returned since."""
    rule = next((rule for rule in house.rules if rule.name == text.rule), None)
    return rule is not None and now - text.due_at > rule.age_limit


def leave_to_a_person(reason: Reason, text: DueText, now: datetime, tx: Tx) -> None:
    """The text does not go; where the reason asks for somebody, there is a task."""
    tx.calls.redecided(text.call_id, CallDecision(CallVerdict.SUPPRESS, reason))
    if task := TASKS.get(reason):
        tx.tasks.add(task, now, text.rule, call_id=text.call_id if task is TaskKind.TOO_OLD else None)


def put_off(text: DueText, until: datetime, tx: Tx) -> None:
    tx.pending.put_off(text.id, until)


def sweep(house: House, now: datetime, tx: Tx) -> None:
    """Give up waiting for word that is overdue, and forget what no longer counts."""
    give_up(house, now, tx)
    tx.pairs.forget_old(now)
    tx.accounts.forget_old(now - LOGINS_KEPT)
    tx.settings.put(SEEN, "", now, "daemon")


def wake_up(pbxs: Sequence[str], tx: Tx) -> None:
    """At start: since the last sign of life nobody watched the PBXs. A stop in good order has noted that already."""
    seen = tx.settings.get(SEEN)
    if seen is not None:
        for pbx in pbxs:
            tx.calls.lose_sight(pbx, seen[1])


async def sweep_each_minute(house: House, store: Store, clock: Clock) -> None:
    while True:
        await insist_one(store, clock, partial(sweep, house, clock.now()))
        await clock.sleep_until(clock.now() + SWEEP)
