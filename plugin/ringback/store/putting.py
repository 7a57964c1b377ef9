"""Texts on their way out, as they are written: the message, its part, one attempt row for every try (D1, D2), moves."""

from dataclasses import dataclass
from datetime import datetime

from ringback.core.ids import Kind
from ringback.core.messages import Outgoing, PartState, State, Urgency, Wanted
from ringback.core.policy import Defer, Refuse, Verdict
from ringback.core.reasons import Reason
from ringback.ports.changes import ANY_THREAD, Touch
from ringback.ports.pairs import Thread
from ringback.ports.texts import Order, Route, StoredMessage, WaitingText
from ringback.store.crowd import Crowd
from ringback.store.guards import Guards
from ringback.store.moments import micros
from ringback.store.moves import note_known_move, note_move
from ringback.store.sql import insert, rows, sql, values
from ringback.store.tx import Runner, new_id

_COLUMNS = """id public_id thread_id carrier class_ basis language pbx cause automatic body segments state reason
    not_before created_at state_at expires_at call_id rule step tries account_id answers_id command windows urgency
    campaign reference doubt bulk_id"""
MESSAGE = rows("message", _COLUMNS)
PUT = insert("message", _COLUMNS, "ON CONFLICT DO NOTHING")
PART = rows("part", "id message_id seq body state")
ATTEMPT = rows("attempt", "id public_id part_id message_id carrier epoch opened_at")
MOVE = sql("UPDATE message SET state = :state, reason = :reason, state_at = :at WHERE id = :id AND state = :old")
PUT_OFF = sql(
    """UPDATE message SET state = 'held', reason = :reason, not_before = :until, state_at = :at
    WHERE id = :id AND state = :old"""
)
OPENED = sql("UPDATE message SET state = 'submitting', reason = NULL, state_at = :at, tries = tries + 1 WHERE id = :id")
PART_OPENED = sql("UPDATE part SET state = 'submitting' WHERE id = :id")
PART_QUEUED = sql("UPDATE part SET state = 'queued' WHERE id = :id")
DETOUR = sql(
    """UPDATE message SET carrier = :carrier, state = 'queued', reason = NULL, not_before = :at, state_at = :at
    WHERE id = :id AND state IN ('queued', 'held')"""
)
REROUTE = sql("UPDATE message SET carrier = :carrier WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Filed:
    """How a new text is kept: its state, the reason, from when on it may go, and how often it was tried."""

    state: State
    reason: Reason | None
    not_before: datetime
    tries: int = 0


def filed(verdict: Verdict | None, now: datetime) -> Filed:
    """How a text is kept that the gates judged so."""
    match verdict:
        case Refuse(reason):
            return Filed(State.REFUSED, reason, now)
        case Defer(reason, until):
            return Filed(State.HELD, reason, until)
        case None:
            return Filed(State.QUEUED, None, now)


class Putting:
    def __init__(self, run: Runner, crowd: Crowd, guards: Guards, epoch: int) -> None:
        self._run = run
        self._crowd = crowd
        self._guards = guards
        self._epoch = epoch

    def put(
        self, wanted: Wanted, thread: Thread, route: Route, verdict: Verdict | None, now: datetime
    ) -> StoredMessage | None:
        """Keep a text as the gates decided (D1): queued, held, or refused with its reason, since a no is never silent.

        None when this call's rule, or the incoming text it answers, already has its text.
        """
        return self._put(wanted, thread, route, filed(verdict, now), now)

    def put_in_flight(self, wanted: Wanted, thread: Thread, route: Route, now: datetime) -> Order | None:
        """Keep a text with its first attempt open (D1 and D2 in one); the caller holds a slot of the carrier."""
        stored = self._put(wanted, thread, route, Filed(State.SUBMITTING, None, now, tries=1), now)
        if stored is None:
            return None
        words = (wanted.text, wanted.expires_at)
        return self._attempt(stored, thread, route.carrier, words, (1, wanted.urgency), now)

    def _put(self, wanted: Wanted, thread: Thread, route: Route, kept: Filed, now: datetime) -> StoredMessage | None:
        at = micros(now)
        expires_at = micros(wanted.expires_at)
        not_before = min(micros(kept.not_before), expires_at)
        id_, public_id = self._run.next_id("message"), new_id(Kind.MESSAGE, now)
        # values of plain types: the driver asks each of the others what it is
        new = self._insert(
            thread,
            id=id_,
            public_id=public_id,
            thread_id=thread.id,
            carrier=route.carrier,
            class_=wanted.class_.value,
            basis=wanted.basis.value,
            language=wanted.language,
            pbx=wanted.pbx,
            cause=wanted.cause,
            automatic=wanted.automatic,
            body=wanted.text,
            segments=route.segments,
            state=kept.state.value,
            reason=kept.reason.value if kept.reason else None,
            not_before=not_before,
            created_at=at,
            state_at=at,
            expires_at=expires_at,
            call_id=wanted.call_id,
            rule=wanted.rule,
            step=wanted.step,
            tries=kept.tries,
            account_id=wanted.account,
            answers_id=wanted.answers,
            command=wanted.command,
            windows=wanted.windows,
            urgency=wanted.urgency.value,
            campaign=wanted.campaign,
            reference=wanted.reference,
            doubt=route.on_doubt.value,
            bulk_id=wanted.bulk,
        )
        if not new:
            return None
        self._guards.went(thread.did, thread.peer, kept.state, wanted.automatic)
        self._crowd.waits(thread.id, kept.state, kept.reason, wanted.urgency, not_before > at)
        part, state = self._run.next_id("part"), PartState.QUEUED
        if kept.state is State.SUBMITTING:
            state = PartState.SUBMITTING
        self._run.later(PART, (part, id_, 0, "", state.value))
        self._run.touch(ANY_THREAD, Touch("message", id_))
        detail = route.carrier if state is PartState.SUBMITTING else ""
        note_known_move(self._run, id_, kept.state, kept.reason, detail, at, route.carrier)
        return StoredMessage(id_, public_id, part, route.segments)

    def _insert(self, thread: Thread, **row: object) -> bool:
        """False when this call's rule, or the incoming text it answers, has its text; others can have no double.

        In a batch of calls one that has its text fails them all, since one that ends only now has none.
        """
        first = row["call_id"] is None or self._guards.knows(thread.did, thread.peer)
        if first and row["answers_id"] is None:
            self._run.later(MESSAGE, values(MESSAGE, **row))
            return True
        return self._run.change(PUT, **row) == 1

    def note(self, message_id: int, state: State, reason: Reason | None, detail: str, now: datetime) -> None:
        self._run.touch(ANY_THREAD, Touch("message", message_id))
        note_move(self._run, message_id, state, reason, detail, now)

    def open_attempt(self, text: WaitingText, carrier: str, now: datetime) -> Order:
        """D2: from here on a byte may leave, so whatever happens next is recorded as an outcome."""
        self._run.change_later(OPENED, id=text.message.id, at=micros(now))
        self._run.change_later(PART_OPENED, id=text.message.part)
        self._crowd.waits(text.thread.id, State.SUBMITTING, None, text.urgency, later=False)
        self._run.touch(ANY_THREAD, Touch("message", text.message.id))
        note_known_move(self._run, text.message.id, State.SUBMITTING, None, carrier, micros(now), carrier)
        words = (text.text, text.expires_at)
        return self._attempt(text.message, text.thread, carrier, words, (text.tries + 1, text.urgency), now)

    def _attempt(
        self,
        message: StoredMessage,
        thread: Thread,
        carrier: str,
        words: tuple[str, datetime],
        turn: tuple[int, Urgency],
        now: datetime,
    ) -> Order:
        public_id = new_id(Kind.ATTEMPT, now)
        id_ = self._run.next_id("attempt")
        row = (id_, public_id, message.part, message.id, carrier, self._epoch, micros(now))
        self._run.later(ATTEMPT, row)
        self._run.count("attempts", carrier, "opened")
        (text, expires_at), (tries, urgency) = words, turn
        outgoing = Outgoing(public_id, message.public_id, thread.did, thread.peer, text, expires_at)
        return Order(
            id_,
            message.part,
            message.id,
            thread,
            carrier,
            outgoing,
            now,
            tries,
            segments=message.segments,
            urgency=urgency,
        )

    def move(self, message_id: int, old: State, new: State, reason: Reason | None, detail: str, now: datetime) -> bool:
        """Move a text that no attempt is open for; False when it is not in `old` any more."""
        if self._run.change(MOVE, id=message_id, old=old, state=new, reason=reason, at=micros(now)) != 1:
            return False
        self.note(message_id, new, reason, detail, now)
        return True

    def hold(self, message_id: int, old: State, verdict: Defer, detail: str, now: datetime) -> None:
        if self._run.change(
            PUT_OFF, id=message_id, old=old, reason=verdict.reason, until=micros(verdict.until), at=micros(now)
        ):
            self.note(message_id, State.HELD, verdict.reason, detail, now)

    def take_back(self, order: Order, verdict: Defer, detail: str, now: datetime) -> None:
        """Provably nothing left us: the part is queued again and its text waits."""
        self._run.change(PART_QUEUED, id=order.part)
        self.hold(order.message, State.SUBMITTING, verdict, detail, now)

    def give_up(self, order: Order, detail: str, now: datetime) -> None:
        """Provably nothing left us, and it is not worth sending any more."""
        self._run.change(PART_QUEUED, id=order.part)
        self.move(order.message, State.SUBMITTING, State.EXPIRED, None, detail, now)

    def reroute(self, message_id: int, state: State, carrier: str, detail: str, now: datetime) -> None:
        """Let a waiting text go by another carrier."""
        self._run.change(REROUTE, id=message_id, carrier=carrier)
        self.note(message_id, state, None, detail, now)

    def detour(self, message_id: int, carrier: str, detail: str, now: datetime) -> None:
        """Let a text that never left us go at once by another carrier."""
        if self._run.change(DETOUR, id=message_id, carrier=carrier, at=micros(now)):
            self.note(message_id, State.QUEUED, None, detail, now)
