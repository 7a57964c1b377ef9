"""What a person at the panel does to texts and threads: one door, which asks first what they may do."""

import asyncio
import threading
from collections.abc import Mapping
from functools import partial
from typing import TypeVar

import structlog

from ringback.core.ids import Kind
from ringback.core.permissions import Action, Principal, may
from ringback.core.policy import GateAnswer, Refuse
from ringback.core.reasons import Reason
from ringback.core.segments import measure
from ringback.core.tasks import OF_PERMISSIONS
from ringback.core.writing import clean
from ringback.errors import StoreBusy
from ringback.flow import noting_consent, opt_outs, settling
from ringback.flow.advice import Advice, consider
from ringback.flow.house import House
from ringback.flow.insist import LAST_S
from ringback.flow.outbound import Submitted
from ringback.flow.permits import Denied, NotThere, Unwritten, allow, note_denied, of_kind, see
from ringback.flow.receipts import ids_of
from ringback.flow.replies import Replied, Reply, answer, missing
from ringback.flow.sending import Lanes
from ringback.flow.settling import Resolution, Settled
from ringback.flow.stopping import NoTexts, Whole, no_texts
from ringback.ports import Carrier, Clock
from ringback.ports.pairs import Thread
from ringback.ports.storage import Step, Store, Tx

__all__ = ["Advice", "Denied", "Desk", "GateAnswer", "NotThere", "Replied", "Resolution", "Settled", "Unwritten"]

T = TypeVar("T")
PATIENCE_S = 4.5
"""How long a person waits for the database before they are told that it is busy."""
GLANCE_S = 1.0
"""The same for what a page does beside showing what they came to read."""
BUSY = "the database is busy; try again, nothing is done twice"
LONGEST_KEY = 200
LONGEST_NOTE = 500

log = structlog.get_logger("desk")


class Desk:
    """Every method raises Denied, NotThere or Unwritten before it changes anything, and StoreBusy within five seconds.

    `thread`, `message` and `task` are public ids.
    """

    def __init__(self, house: House, store: Store, lanes: Lanes, carriers: Mapping[str, Carrier], clock: Clock) -> None:
        self._house = house
        self._store = store
        self._lanes = lanes
        self._carriers = carriers
        self._clock = clock

    async def advise(self, who: Principal, thread: str, text: str) -> Advice:
        """Say what the gates would answer to this text now, and how long it is. Changes nothing."""
        allow(who, Action.READ_THREADS)
        words, now = clean(text), self._clock.now()
        return await self._do(lambda tx: consider(self._house, who, find(who, thread, tx), words, now, tx), GLANCE_S)

    async def reply(self, who: Principal, thread: str, text: str, key: str) -> Replied:
        """Send a text in a thread, once for each key; raises Unwritten for an empty one.

        A refused reply stays in the thread with its reason; only one that is too long is not kept.
        """
        allow(who, Action.REPLY)
        words = clean(text)
        if not words:
            raise Unwritten("there is nothing to send; write a text first")
        if not 0 < len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
            raise Unwritten("this form is broken; load the page again")
        late = threading.Event()
        task = asyncio.ensure_future(self._reply(who, thread, words, key, late))
        task.add_done_callback(_heard)
        try:
            done, _ = await asyncio.wait((task,), timeout=PATIENCE_S)
        except asyncio.CancelledError:
            await asyncio.wait((task,), timeout=LAST_S)  # an attempt that is opened is handed to its lane
            late.set()  # one that is not opened by now would find the lane closed
            raise
        if not done:
            late.set()
            raise StoreBusy(BUSY)
        replied = task.result()
        log.info(
            "reply",
            who=who.label,
            thread=thread,
            message=replied.message,
            verdict=str(replied.verdict.reason) if replied.verdict else "",
            again=replied.again,
        )
        return replied

    async def mark_read(self, who: Principal, thread: str) -> None:
        """They looked at the thread."""
        allow(who, Action.READ_THREADS)
        now = self._clock.now()
        await self._do(lambda tx: tx.inbound.mark_read(find(who, thread, tx).id, now), GLANCE_S)

    async def mark_answered(self, who: Principal, thread: str) -> None:
        """No answer is needed."""
        allow(who, Action.SETTLE)
        now = self._clock.now()

        def step(tx: Tx) -> None:
            tx.inbound.mark_answered(find(who, thread, tx).id)
            tx.audit.note(who.label, "no_answer_needed", thread, "", now)

        await self._do(step)

    async def resolve(self, who: Principal, message: str, how: Resolution) -> Settled:
        """Take their word for what became of a text that nobody knows about."""
        allow(who, Action.SETTLE)
        return await self._do(partial(settling.resolve, who, message, how, self._clock.now()))

    async def undo(self, who: Principal, message: str) -> Settled:
        """Take such a word back, as long as nothing else happened to the text."""
        allow(who, Action.SETTLE)
        return await self._do(partial(settling.undo, who, message, self._clock.now()))

    async def check_again(self, who: Principal, message: str) -> Settled:
        """Ask the carrier whether it knows a text that nobody knows about. Takes ten seconds at most."""
        allow(who, Action.SETTLE)
        doubt = await self._do(partial(settling.find_for, who, message))
        if doubt.state not in settling.IN_DOUBT:
            return Settled.TOO_LATE
        carrier = self._carriers.get(doubt.carrier)
        listed = await settling.ask(carrier, doubt)
        if isinstance(listed, Settled):
            return listed
        return await self._do(partial(settling.compare, who, doubt, listed, ids_of(carrier), self._clock.now()))

    async def close_task(self, who: Principal, task: str) -> bool:
        """Somebody did it; False when it was done before."""
        allow(who, Action.SETTLE)
        now = self._clock.now()

        def step(tx: Tx) -> bool:
            closed = tx.tasks.close(find_task(who, task, tx), who.label, now)
            if closed:
                tx.audit.note(who.label, "closed_task", task, "", now)
            return closed

        return await self._do(step)

    async def reopen_task(self, who: Principal, task: str) -> bool:
        """It was not done after all; False when it is open."""
        allow(who, Action.SETTLE)
        now = self._clock.now()

        def step(tx: Tx) -> bool:
            opened = tx.tasks.reopen(find_task(who, task, tx))
            if opened:
                tx.audit.note(who.label, "reopened_task", task, "", now)
            return opened

        return await self._do(step)

    async def opt_out(self, who: Principal, thread: str, note: str, whole: Whole = Whole.NUMBER) -> None:
        """This person does not want texts from this number, or from any of ours: they said so in some other way."""
        allow(who, Action.SETTLE)
        now, wish = self._clock.now(), NoTexts(whole, note=note)

        def step(tx: Tx) -> None:
            no_texts(who, find(who, thread, tx), wish, now, tx)

        await self._do(step)

    async def opt_in(self, who: Principal, thread: str, note: str) -> None:
        """This person wants texts again; `note` says how they asked for it, and must not be empty."""
        allow(who, Action.SETTLE)
        if not clean(note):
            raise Unwritten("write how this person asked for texts again; it is kept as the evidence")
        now, evidence = self._clock.now(), evidence_of(who, note)

        def step(tx: Tx) -> None:
            opt_outs.start(find(who, thread, tx), "person", evidence, now, tx)
            tx.audit.note(who.label, "opt_in", thread, "", now)

        await self._do(step)

    async def note_consent(self, who: Principal, thread: str, told: noting_consent.Told) -> None:
        """They said which texts they want, or do not; raises Unwritten for what the ledger cannot take."""
        allow(who, Action.SETTLE)
        noting_consent.check(told)
        now = self._clock.now()
        await self._do(lambda tx: noting_consent.note(who, find(who, thread, tx), told, now, tx))

    async def _do(self, step: Step[T], patience_s: float = PATIENCE_S) -> T:
        """Commit a step while the person waits; one whose turn comes later does nothing."""
        late = threading.Event()
        try:
            async with asyncio.timeout(patience_s):
                return await self._store.commit(unless(late, step))
        except TimeoutError:
            late.set()
            raise StoreBusy(BUSY) from None

    async def _reply(self, who: Principal, thread: str, text: str, key: str, late: threading.Event) -> Replied:
        """Find the thread, take a slot of its carrier's window, commit, and hand over what was born in flight."""
        where = await self._store.commit(unless(late, partial(find, who, thread)))
        if measure(text).segments > self._house.most_segments(where.did):
            return Replied("", Refuse(Reason.TOO_LONG))
        slot = self._lanes.reserve(self._house.carrier(where.did))
        submitted: Submitted | None = None
        step = partial(answer, self._house, slot, Reply(who, where, text, key), self._clock.now())
        try:
            replied, submitted = await self._store.commit(unless(late, step))
        except Denied as denied:
            note_denied(who, denied, thread, self._clock.now(), self._store)
            raise
        finally:
            self._lanes.settle(slot, submitted.order if submitted else None)
        if submitted is not None:
            self._lanes.nudge(submitted.waits_on)
        return replied


def find(who: Principal, thread: str, tx: Tx) -> Thread:
    """Return a thread by its public id; raises NotThere, also for one that they may not see."""
    where = tx.pairs.find(of_kind(Kind.THREAD, thread))
    if where is None:
        raise NotThere(missing(thread))
    see(who, where.did, tx, missing(thread))
    return where


def find_task(who: Principal, task: str, tx: Tx) -> str:
    """Return the id of a task; raises NotThere, also for one they may not see. One that has to do with no number of
    ours is for whoever may tick off tasks, and one about permissions for whoever decides those."""
    missing = f"there is no task {task}"
    about = tx.tasks.about(of_kind(Kind.TASK, task))
    if about is None or (about[0] in OF_PERMISSIONS and not may(who, Action.MANAGE_PERMISSIONS)):
        raise NotThere(missing)
    if about[1]:
        see(who, about[1], tx, missing)
    return task


def evidence_of(who: Principal, note: str) -> str:
    """What the ledger keeps: who wrote it down, and in what words, if any."""
    words = clean(note)[:LONGEST_NOTE]
    return f"{who.label}: {words}" if words else who.label


def unless(late: threading.Event, step: Step[T]) -> Step[T]:
    """The step, or nothing at all when whoever asked for it has been told that it failed."""

    def in_time(tx: Tx) -> T:
        if late.is_set():
            raise StoreBusy(BUSY)
        return step(tx)

    return in_time


def _heard(task: "asyncio.Task[Replied]") -> None:
    """Take note of how a reply ended that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
