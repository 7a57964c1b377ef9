"""What the dialplan asks while a caller waits: answered from memory where that can be, in time or not at all.

Every verb is bounded, and a step whose turn comes after the caller was told that nobody answered does nothing. The one
exception is an opt-out, which holds however late it is.
"""

import asyncio
import threading
from functools import partial
from typing import Protocol, TypeVar

from ringback.core.consents import CONVERSATION
from ringback.core.messages import MessageClass
from ringback.core.offers import OfferKind
from ringback.core.reasons import Reason
from ringback.core.text_queues import Queues, TextQueue
from ringback.errors import StoreBusy, StoreFault
from ringback.flow import dialplan_steps as steps
from ringback.flow.desk import unless
from ringback.flow.dialplan_callers import Caller, Callers, wide_enough
from ringback.flow.dialplan_going import BUSY, LATEST_S, Begun, Going, in_time
from ringback.flow.dialplan_log import log, tell
from ringback.flow.dialplan_steps import Kept, NotSent
from ringback.flow.dialplan_words import Accepted, Offered, Question, Sent, Step, TextNow, Wait
from ringback.flow.house import House
from ringback.flow.insist import insist_one
from ringback.flow.offering import Asking, Offerings, decide
from ringback.flow.outbound import Submitted
from ringback.flow.sending import Lanes
from ringback.ports import Clock
from ringback.ports.live_calls import Beside
from ringback.ports.storage import Step as Change
from ringback.ports.storage import Store

T = TypeVar("T")
MOST_GOING = 500
"""What may wait at once for a database that cannot write."""
MOST_ANSWERS = 5_000


class Able(Protocol):
    """Who could take a text now (`flow.presence.Roll`)."""

    def able(self, queue: int, did: str) -> int: ...


class Book(Protocol):
    """The text queues (`flow.queue_book.QueueBook`)."""

    now: Queues


class Dialplan:
    """A method a verb. Raises StoreFault where no answer can be given in time; the dialplan goes on without one."""

    def __init__(
        self,
        house: House,
        store: Store,
        beside: Beside,
        lanes: Lanes,
        callers: Callers,
        offerings: Offerings,
        roll: Able,
        queues: Book,
        clock: Clock,
    ) -> None:
        self._house = house
        self._store = store
        self._beside = beside
        self._lanes = lanes
        self._callers = callers
        self._offerings = offerings
        self._roll = roll
        self._queues = queues
        self._clock = clock
        self._going = Going()
        self._accepting: dict[tuple[str, str, OfferKind], Begun[Accepted]] = {}

    async def settle(self) -> None:
        """We stop: give what goes on a moment to end."""
        await self._going.settle()

    # -- questions

    async def textable(self, question: Question) -> Reason:
        """Whether texts reach this caller, or the mobile they keyed in, and are wanted."""
        asked = self._meant(question, self._callers.of(question))
        reason = await self._callers.textable(asked)
        tell("textable", asked, reason)
        return reason

    async def consent(self, question: Question) -> Reason:
        """Whether a yes of theirs to go on by text holds now."""
        asked = self._callers.of(question)
        known = await self._callers.pair(asked)
        if known is None:
            return Reason.GATE_ERROR
        holds = known.consents.holds(MessageClass.CONVERSATIONAL, CONVERSATION, self._clock.now())
        return Reason.ALLOWED if holds and not known.opted_out else Reason.CONSENT_MISSING

    async def agents(self, question: Question) -> int:
        """How many could take a text of this voice queue, or of the number that was called."""
        queue, did = self._queue(question), self._callers.of(question).did
        return 0 if queue is None else self._roll.able(queue.id, did if did in self._house.numbers else "")

    async def wait(self, question: Question) -> Wait:
        """How long somebody would wait in this voice queue."""
        expected = self._offerings.waits.expected(self._callers.pbx_of(question), question.queue, question.uniqueid)
        return Wait(expected.wait, expected.waiting)

    async def state(self, question: Question) -> TextNow:
        """How a text of this call stands."""
        return await self._beside.look(partial(steps.state_of, question))

    async def reply(self, question: Question) -> str | None:
        """What they wrote first since a text of this call."""
        return await self._beside.look(partial(steps.reply_to, question))

    # -- offers

    async def offer(self, question: Question) -> Offered:
        """Decide what this call is offered, once, and keep it with its reason."""
        asked = await self._callers.sure(question)
        if asked.doubt is not Reason.ALLOWED:
            tell("offer", asked, asked.doubt, question)
            return Offered(Step.NOTHING, asked.doubt)
        asking, now = await self._asking(asked, question), self._clock.now()
        seen = self._offerings.see(asking, now)
        try:
            made = await self._do(partial(decide, asking, seen, now))
        except StoreFault:
            if not seen.stood:
                raise
            # who pressed a key has left the queue, and goes back to where they stood
            self._offerings.keep_place(asking, seen)
            return Offered(Step.NOTHING, Reason.GATE_ERROR, position=self._offerings.position(*asking.place))
        self._offerings.remember(asking, seen, made)
        tell("offer", asked, made.reason, question, expected=seen.situation.expected, waiting=seen.situation.waiting)
        place = self._offerings.position(*asking.place)
        if made.reason is not Reason.ALLOWED:
            return Offered(Step.NOTHING, made.reason, position=place)
        step = Step.ASK if made.ask else Step.OFFER
        return Offered(step, made.reason, seen.situation.expected, f"{question.kind}:{asked.uniqueid}", place)

    async def accept(self, question: Question) -> Accepted:
        """Take a yes by key. Asked twice, it is one yes, and the answer is the same."""
        asked = await self._callers.sure(question)
        key = (asked.pbx, asked.uniqueid, question.kind)
        going = self._accepting.get(key)
        if going is None or going.failed or (going.late.is_set() and not going.task.done()):
            while len(self._accepting) >= MOST_ANSWERS:
                del self._accepting[next(iter(self._accepting))]
            going = self._accepting[key] = self._going.begin(partial(self._accept, asked, question))
        try:
            return await in_time(going)
        except StoreFault as fault:
            return Accepted(Reason.GATE_ERROR, position=self._place_despite(fault, asked, question), sure=False)

    async def decline(self, question: Question) -> int | None:
        """Take a no, or nothing, for one; it holds for the whole call. Returns the place to keep."""
        asked = self._callers.of(question)
        seen = self._offerings.see(await self._asking(asked, question), self._clock.now()).situation
        try:
            await self._do(partial(steps.decline, asked, question, seen, self._clock.now()))
        except StoreFault as fault:
            self._offerings.say_no(asked.pbx, asked.uniqueid)
            return self._place_despite(fault, asked, question)
        tell("decline", asked, Reason.ALLOWED, question)
        return self._place(asked, question)

    async def letgo(self, question: Question) -> str:
        """The carrier took the first text: the session waits for an agent, and the caller may go."""
        asked = self._callers.of(question)
        why = await self._do(partial(steps.let_go, asked, question, self._clock.now()))
        log.info("dialplan", asked="letgo", call=asked.uniqueid, pbx=asked.pbx, text=question.text, answer=why or "ok")
        return why

    # -- texts

    async def send(self, question: Question) -> Sent:
        """Send the caller a text, or say why not."""
        asked = self._meant(question, await self._callers.sure(question))
        if asked.doubt is not Reason.ALLOWED:
            tell("send", asked, asked.doubt)
            return Sent(asked.doubt)
        sent = await in_time(self._going.begin(partial(self._send, asked, question)))
        tell("send", asked, sent.reason, text=sent.text)
        return sent

    async def optout(self, question: Question) -> Reason:
        """They want no more texts. It is written down even if that takes longer than they wait."""
        asked = self._callers.of(question)
        if asked.doubt is Reason.NOT_THE_CALLER or asked.number.e164 is None:
            reason = asked.doubt if asked.number.e164 else Reason.INVALID_NUMBER
            tell("optout", asked, reason)
            return reason
        if len(self._going) >= MOST_GOING:
            raise StoreBusy(BUSY)
        asked, question = wide_enough(self._house, asked, question)
        step = partial(steps.opt_out, asked, question, self._clock.now())
        await in_time(self._going.follow(insist_one(self._store, self._clock, step)))
        self._callers.forget(asked)
        tell("optout", asked, Reason.ALLOWED, reach=str(question.reach))
        return Reason.ALLOWED

    # -- how

    def _meant(self, question: Question, asked: Caller) -> Caller:
        return self._callers.to(asked, question.to) if question.to else asked

    def _queue(self, question: Question) -> TextQueue | None:
        """The text queue beside a voice queue; without one, that of the number that was called."""
        queues, pbx = self._queues.now, self._callers.pbx_of(question)
        if question.queue:
            return queues.of_voice(pbx, question.queue)
        return queues.of_number(self._callers.of(question).did) if queues.all else None

    async def _asking(self, asked: Caller, question: Question) -> Asking:
        queue = steps.queue_for(self._queues.now, asked, question)
        return Asking(
            question.kind,
            asked.pbx,
            asked.uniqueid,
            question.queue,
            asked.did,
            asked.peer,
            queue,
            0 if queue is None else self._roll.able(queue.id, asked.did),
            await self._callers.textable(self._meant(question, asked)),
        )

    def _place(self, asked: Caller, question: Question) -> int | None:
        return self._offerings.position(asked.pbx, asked.uniqueid, question.queue)

    def _place_despite(self, fault: StoreFault, asked: Caller, question: Question) -> int:
        """Nothing could be written; the place is in memory. Raises the fault where it is not."""
        place = self._place(asked, question)
        if place is None:
            raise fault
        return place

    async def _accept(self, asked: Caller, question: Question, late: threading.Event) -> Accepted:
        """Take a slot of the carrier's window, write everything, and hand over what was born in flight."""
        meant, place = self._meant(question, asked), self._place(asked, question)
        if asked.doubt is not Reason.ALLOWED:
            tell("accept", meant, asked.doubt, question)
            return Accepted(asked.doubt, position=place)
        now = self._clock.now()
        seen = self._offerings.see(await self._asking(asked, question), now).situation
        slot = self._lanes.reserve(self._house.carrier(asked.did))
        submitted: Submitted | None = None
        try:
            kept: Kept = await self._store.commit(
                unless(late, partial(steps.accept, self._house, slot, meant, question, seen, now))
            )
            submitted = kept.submitted
            answer = Accepted(Reason.ALLOWED, kept.text, place)
        except NotSent as held:
            await self._store.commit(unless(late, partial(steps.not_sent, meant, question, seen, now)))
            answer = Accepted(held.reason, position=place)
        finally:
            self._lanes.settle(slot, submitted.order if submitted else None)
        self._nudge(submitted)
        self._callers.forget(asked)
        tell("accept", meant, answer.reason, question, text=answer.text, place=place)
        return answer

    async def _send(self, asked: Caller, question: Question, late: threading.Event) -> Sent:
        slot = self._lanes.reserve(self._house.carrier(asked.did))
        submitted: Submitted | None = None
        try:
            step = partial(steps.send, self._house, slot, asked, question, self._clock.now())
            sent, submitted = await self._store.commit(unless(late, step))
        finally:
            self._lanes.settle(slot, submitted.order if submitted else None)
        self._nudge(submitted)
        return sent

    def _nudge(self, submitted: Submitted | None) -> None:
        if submitted is not None:
            self._lanes.nudge(submitted.waits_on)

    async def _do(self, step: Change[T]) -> T:
        """Commit a step while the caller waits; one whose turn comes later does nothing."""
        late = threading.Event()
        try:
            async with asyncio.timeout(LATEST_S):
                return await self._store.commit(unless(late, step))
        except TimeoutError:
            raise StoreBusy(BUSY) from None
        finally:
            late.set()
