"""Runs to many people: taken in piece by piece, let go in one commit, paused and called off.

Recipients are written as they come in, a few thousand a step, so that nobody's reply waits for a long one. Nothing of a
run can go before the commit that opens it, and that commit is what its asker is told of.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import TypeVar

import structlog

from ringback.core.grants import Way
from ringback.core.messages import State
from ringback.core.permissions import Asker, Principal
from ringback.core.plurals import count_of
from ringback.errors import RingbackError, StoreBusy
from ringback.flow.permits import Denied, allow_way, note_denied, rights_in, sees
from ringback.ports import Clock
from ringback.ports.bulks import Item, Plan, Run, RunState, Tallied
from ringback.ports.storage import Store, Tx

T = TypeVar("T")
log = structlog.get_logger("bulk")

AT_ONCE = 1_000
"""Recipients in one step: some milliseconds of the writer's time."""
CALLED_OFF_AT_ONCE = 100
GIVES_UP = frozenset({RunState.OPEN, RunState.PAUSED})


@dataclass(frozen=True, slots=True)
class Asked:
    """A key of the asker's own, what was asked with it (a hash), and the answer to give again."""

    principal: str
    key: str
    what: str


@dataclass(frozen=True, slots=True)
class Opened:
    """`before` is what the same key asked and was told before, by a request that was faster."""

    open: bool
    before: tuple[str, str] | None = None


class NoRun(RingbackError):
    """There is no such run."""


class Turn(StrEnum):
    """What may be done to a run that is open."""

    PAUSE = "pause"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class CalledOff:
    """`run` as it is now; `texts` waited and are cancelled."""

    run: Run
    texts: int


class Runs:
    """What programs and people do to runs. The feeder asks `coming` which ones are still read."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.coming: set[int] = set()

    async def begin(self, who: Principal, plan: Plan) -> "Coming":
        """Make a run that takes recipients. Raises Denied for what they may not, and StoreBusy."""
        now = self._clock.now()
        row, public_id = await self._noting(who, plan.did, self._store.commit(partial(begin, who, plan, now)))
        self.coming.add(row)
        return Coming(row, public_id, self._store, self._clock, self.coming)

    async def _noting(self, who: Principal, about: str, doing: Awaitable[T]) -> T:
        """Leave in the audit what is refused."""
        try:
            return await doing
        except Denied as denied:
            note_denied(who, denied, about, self._clock.now(), self._store)
            raise

    async def asked(self, asked: Asked) -> tuple[str, str] | None:
        """What was asked with this key before, and the answer."""
        return await self._store.commit(lambda tx: tx.idempotency.asked(asked.principal, asked.key))

    async def call_off(self, who: Principal, public_id: str) -> CalledOff | None:
        """Make no more texts of a run, and cancel those that have not left us; None where there is no such run."""
        texts = 0
        while True:
            step = partial(call_off, who, public_id, self._clock.now())
            found = await self._noting(who, public_id, self._store.commit(step))
            if found is None:
                return None
            texts += found.texts
            if found.texts < CALLED_OFF_AT_ONCE:
                log.info("run called off", run=public_id, by=who.label, texts=texts, dropped=found.run.dropped)
                return CalledOff(found.run, texts)

    async def turn(self, who: Principal, public_id: str, way: Turn) -> Run | None:
        """Make no more texts of a run for now, or go on; None where there is no such run."""
        step = partial(turn, who, public_id, way, self._clock.now())
        return await self._noting(who, public_id, self._store.commit(step))


class Coming:
    """A run whose recipients are coming in. Whoever holds it ends it with `open` or `give_up`."""

    def __init__(self, row: int, public_id: str, store: Store, clock: Clock, coming: set[int]) -> None:
        self.public_id = public_id
        self._row = row
        self._store = store
        self._clock = clock
        self._coming = coming

    async def add(self, items: Sequence[Item]) -> None:
        """Write recipients, at most AT_ONCE. Raises StoreBusy."""
        await self._store.commit(lambda tx: tx.bulks.add(self._row, items))

    async def open(self, total: int, rejected: int, asked: Asked | None, answer: str) -> Opened:
        """Let it go, and keep the answer for whoever asks again. Raises StoreBusy."""
        step = partial(open_run, self._row, (total, rejected), asked, answer, self._clock.now())
        opened = await self._store.commit(step)
        if opened.open:
            self._coming.discard(self._row)
        return opened

    async def give_up(self) -> None:
        """It never came whole; the feeder clears it away. Without a database the next start does."""
        self._coming.discard(self._row)
        try:
            now = self._clock.now()
            await self._store.commit(partial(break_off, self._row, now))
        except StoreBusy as problem:
            log.warning("a run that did not come whole stays for now", run=self.public_id, problem=str(problem))


def begin(who: Principal, plan: Plan, now: datetime, tx: Tx) -> tuple[int, str]:
    allow_way(rights_in(who, tx), Way.BULK, plan.did, plan.class_)
    return tx.bulks.begin(plan, now)


def open_run(row: int, counts: tuple[int, int], asked: Asked | None, answer: str, now: datetime, tx: Tx) -> Opened:
    """The one commit that lets a run go."""
    total, rejected = counts
    if asked is not None:
        if before := tx.idempotency.asked(asked.principal, asked.key):
            return Opened(False, before)
        tx.idempotency.keep(asked.principal, asked.key, asked.what, answer, now)
    return Opened(tx.bulks.open(row, total, rejected, now))


def break_off(row: int, now: datetime, tx: Tx) -> bool:
    """Nobody brings the recipients of this run any more."""
    return tx.bulks.turn(row, RunState.READING, RunState.BROKEN, now)


def may_see(who: Principal, run: Run) -> bool:
    """A program knows its own runs; people and the shell know those of their numbers."""
    return who.kind is not Asker.PROGRAM or run.plan.asked_by == who.label


def known(who: Principal, public_id: str, tx: Tx) -> Run | None:
    """A run that this asker may know of."""
    run = tx.bulks.find(public_id)
    told = run is not None and run.state not in (RunState.READING, RunState.BROKEN)
    if run is None or not told or not may_see(who, run):
        return None
    return run if sees(rights_in(who, tx), run.plan.did) else None


def steered(who: Principal, public_id: str, tx: Tx) -> Run | None:
    """The same for an asker who stops it or lets it go on. Raises Denied for one who may only look."""
    run = known(who, public_id, tx)
    if run is not None:
        allow_way(rights_in(who, tx), Way.BULK, run.plan.did, run.plan.class_)
    return run


def call_off(who: Principal, public_id: str, now: datetime, tx: Tx) -> CalledOff | None:
    run = steered(who, public_id, tx)
    if run is None:
        return None
    if run.state in GIVES_UP or (run.state is RunState.DONE and tx.bulks.waiting(run.id)):
        tx.bulks.drop(run.id, run.state, RunState.CANCELLING, run.left, now)
        tx.audit.note(who.label, "cancel_run", public_id, f"{run.left} without a text", now)
    unsent = tx.bulks.unsent(run.id, CALLED_OFF_AT_ONCE)
    for message, state in unsent:
        tx.outbox.move(message, state, State.CANCELLED, None, f"run called off by {who.label}", now)
    return CalledOff(tx.bulks.find(public_id) or run, len(unsent))


def call_off_whole(who: Principal, public_id: str, now: datetime, tx: Tx) -> CalledOff | None:
    """The same in one step, where nobody waits for the database."""
    texts = 0
    while (found := call_off(who, public_id, now, tx)) and found.texts:
        texts += found.texts
    return replace(found, texts=texts) if found else None


def say_off(public_id: str, off: CalledOff | None) -> str:
    """What became of calling a run off, in a sentence. Raises NoRun."""
    if off is None:
        raise NoRun(f"there is no run {public_id}; `ringback bulk list` shows what there is")
    if not off.run.dropped and not off.texts:
        return "nothing of it was left to stop"
    nobody = count_of(off.run.dropped, "recipient gets", "recipients get")
    return f"{nobody} no text, {count_of(off.texts, 'text that waited is', 'texts that waited are')} cancelled"


def turn(who: Principal, public_id: str, way: Turn, now: datetime, tx: Tx) -> Run | None:
    run = steered(who, public_id, tx)
    if run is None:
        return None
    old, new = (RunState.OPEN, RunState.PAUSED) if way is Turn.PAUSE else (RunState.PAUSED, RunState.OPEN)
    if tx.bulks.turn(run.id, old, new, now):
        tx.audit.note(who.label, f"{way}_run", public_id, run.plan.name, now)
    return tx.bulks.find(public_id)


def ends_at(segments: int, begins: datetime, per_minute: float) -> datetime:
    """When so many segments have gone that begin then."""
    return begins + timedelta(minutes=segments / per_minute)


@dataclass(frozen=True, slots=True)
class Outlook:
    """How much is left of a run and when it ends, as far as can be said."""

    left: int
    segments_left: int
    ends_at: datetime | None
    in_time: bool


UNSENT = frozenset({State.QUEUED, State.HELD, State.SUBMITTING})
LEARNT = timedelta(minutes=1)
"""After this long the pace that was seen counts, if it is slower than what is allowed."""
AGES = timedelta(days=3_660)
"""An end further ahead than this is none: no run may go for so long."""


def outlook(told: Tallied, per_minute: int, now: datetime) -> Outlook:
    """Reckon the end from what is left and from how many segments our number may send a minute."""
    run = told.run
    waiting = sum(told.states.get(state, 0) for state in UNSENT)
    left = run.left + waiting
    each = run.segments / run.made if run.segments else 1.0
    segments_left = round(left * each)
    if run.state is RunState.PAUSED or not left:
        return Outlook(left, segments_left, None, in_time=True)
    began = max(run.created_at, run.plan.not_before)
    pace = float(per_minute)
    if now - began >= LEARNT and (gone := run.made - waiting) > 0:
        pace = min(pace, gone * each / ((now - began) / timedelta(minutes=1)))
    if segments_left / pace > AGES / timedelta(minutes=1):
        return Outlook(left, segments_left, None, in_time=False)
    end = ends_at(segments_left, max(now, began), pace)
    return Outlook(left, segments_left, end, end <= run.plan.expires_at)
