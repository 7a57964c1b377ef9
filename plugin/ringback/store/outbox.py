"""Texts on their way out: the message, its part, and one attempt row for every try (D1, D2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ringback.core.ids import Kind
from ringback.core.messages import Outgoing, PartState, State, Wanted
from ringback.core.policy import Defer, Refuse, Verdict
from ringback.core.reasons import Reason
from ringback.ports.changes import ANY_THREAD, Touch
from ringback.ports.pairs import Thread
from ringback.ports.texts import CallFactsRow, Order, Route, StoredMessage, WaitingText
from ringback.store.moments import maybe_moment_of, micros, moment_of
from ringback.store.sql import Sql, insert, sql
from ringback.store.tx import Runner, new_id

PUT = insert(
    "message",
    """public_id thread_id carrier class_ basis language pbx cause automatic body segments state reason not_before
    created_at state_at expires_at call_id rule step tries account_id answers_id command windows urgency campaign
    reference doubt bulk_id""",
    "ON CONFLICT DO NOTHING RETURNING id",
)
EVENT = insert("message_event", "message_id at state reason detail")
PART = insert("part", "message_id seq body state", "RETURNING id")
ATTEMPT = insert("attempt", "public_id part_id message_id carrier epoch opened_at", "RETURNING id")
MOVE = sql("UPDATE message SET state = :state, reason = :reason, state_at = :at WHERE id = :id AND state = :old")
PUT_OFF = sql(
    """UPDATE message SET state = 'held', reason = :reason, not_before = :until, state_at = :at
    WHERE id = :id AND state = :old"""
)
OPENED = sql("UPDATE message SET state = 'submitting', reason = NULL, state_at = :at, tries = tries + 1 WHERE id = :id")
PART_OPENED = sql("UPDATE part SET state = 'submitting' WHERE id = :id")
PART_QUEUED = sql("UPDATE part SET state = 'queued' WHERE id = :id")
# The oldest waiting text of each thread that has none in the air, so that texts to one person keep their order.
DUE = sql(
    """SELECT m.id, m.public_id, m.state, t.id, t.public_id, n.id, n.e164, t.peer, m.body, m.segments, m.automatic,
    m.rule, m.expires_at, m.tries, p.id, m.command, a.disabled_at, c.presentation, c.verstat, c.vetoed
    FROM message m JOIN thread t ON t.id = m.thread_id JOIN number n ON n.id = t.number_id
    JOIN part p ON p.message_id = m.id LEFT JOIN call c ON c.id = m.call_id LEFT JOIN account a ON a.id = m.account_id
    WHERE m.carrier = :carrier AND m.state IN ('queued', 'held') AND m.not_before <= :now
    AND NOT EXISTS (SELECT 1 FROM message e WHERE e.thread_id = m.thread_id
      AND e.state IN ('queued', 'held', 'submitting') AND (e.state = 'submitting' OR e.id < m.id))
    ORDER BY m.not_before, m.id LIMIT :limit"""
)
STILL_WAITING = sql(
    """SELECT (SELECT min(not_before) FROM message
      WHERE carrier = :carrier AND state IN ('queued', 'held') AND not_before > :now),
    EXISTS (SELECT 1 FROM message WHERE carrier = :carrier AND state IN ('queued', 'held') AND not_before <= :now)"""
)
# Both go from name to name by an index, however many texts there are.
NEXT_WAITED_FOR = sql("SELECT min(carrier) FROM message WHERE carrier > :after AND state IN ('queued', 'held')")
NEXT_TRIED = sql("SELECT min(carrier) FROM attempt WHERE carrier > :after AND outcome IS NULL")
WAITING_FOR = sql(
    """SELECT m.id, m.state, n.e164 FROM message m
    JOIN thread t ON t.id = m.thread_id JOIN number n ON n.id = t.number_id
    WHERE m.carrier = :carrier AND m.state IN ('queued', 'held') ORDER BY m.id"""
)
REROUTE = sql("UPDATE message SET carrier = :carrier WHERE id = :id")
TO_PEER = sql(
    """SELECT m.id, m.state, m.call_id FROM thread t JOIN message m ON m.thread_id = t.id
    WHERE t.peer = :peer AND m.state IN ('queued', 'held') AND m.automatic AND m.call_id IS NOT NULL"""
)
IN_THREAD = sql(
    """SELECT id, state, call_id FROM message WHERE thread_id = :thread AND state IN ('queued', 'held')
    AND command <> 'stop'"""
)
CLOSED_ACCOUNT = sql("SELECT 1 FROM account WHERE id = :id AND disabled_at IS NOT NULL")
OPEN_ATTEMPTS = sql(
    "SELECT id, part_id, message_id, opened_at FROM attempt WHERE outcome IS NULL AND carrier = :carrier"
)
WAITING_LONG = sql(
    "SELECT id, state FROM message WHERE state IN ('accepted', 'sent', 'unconfirmed') AND state_at < :at LIMIT :limit"
)


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


class Outbox:
    def __init__(self, run: Runner, epoch: int) -> None:
        self._run = run
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
        return self._attempt(stored, thread, route.carrier, (wanted.text, wanted.expires_at), 1, now)

    def _put(self, wanted: Wanted, thread: Thread, route: Route, kept: Filed, now: datetime) -> StoredMessage | None:
        at = micros(now)
        expires_at = micros(wanted.expires_at)
        public_id = new_id(Kind.MESSAGE, now)
        row = self._run.one(
            PUT,
            public_id=public_id,
            thread_id=thread.id,
            carrier=route.carrier,
            class_=wanted.class_,
            basis=wanted.basis,
            language=wanted.language,
            pbx=wanted.pbx,
            cause=wanted.cause,
            automatic=wanted.automatic,
            body=wanted.text,
            segments=route.segments,
            state=kept.state,
            reason=kept.reason,
            not_before=min(micros(kept.not_before), expires_at),
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
            urgency=wanted.urgency,
            campaign=wanted.campaign,
            reference=wanted.reference,
            doubt=wanted.on_doubt,
            bulk_id=wanted.bulk,
        )
        if row is None:
            return None
        state = PartState.SUBMITTING if kept.state is State.SUBMITTING else PartState.QUEUED
        part = self._run.one(PART, message_id=row[0], seq=0, body="", state=state)
        assert part is not None
        self.note(row[0], kept.state, kept.reason, route.carrier if state is PartState.SUBMITTING else "", now)
        return StoredMessage(row[0], public_id, part[0], route.segments)

    def note(self, message_id: int, state: State, reason: Reason | None, detail: str, now: datetime) -> None:
        self._run.touch(ANY_THREAD, Touch("message", message_id))
        self._run.change(EVENT, message_id=message_id, at=micros(now), state=state, reason=reason, detail=detail)

    def open_attempt(self, text: WaitingText, carrier: str, now: datetime) -> Order:
        """D2: from here on a byte may leave, so whatever happens next is recorded as an outcome."""
        self._run.change(OPENED, id=text.message.id, at=micros(now))
        self._run.change(PART_OPENED, id=text.message.part)
        self.note(text.message.id, State.SUBMITTING, None, carrier, now)
        return self._attempt(text.message, text.thread, carrier, (text.text, text.expires_at), text.tries + 1, now)

    def _attempt(
        self,
        message: StoredMessage,
        thread: Thread,
        carrier: str,
        words: tuple[str, datetime],
        tries: int,
        now: datetime,
    ) -> Order:
        public_id = new_id(Kind.ATTEMPT, now)
        row = self._run.one(
            ATTEMPT,
            public_id=public_id,
            part_id=message.part,
            message_id=message.id,
            carrier=carrier,
            epoch=self._epoch,
            opened_at=micros(now),
        )
        assert row is not None
        text, expires_at = words
        outgoing = Outgoing(public_id, message.public_id, thread.did, thread.peer, text, expires_at)
        return Order(row[0], message.part, message.id, thread, carrier, outgoing, now, tries)

    def due(self, carrier: str, now: datetime, limit: int) -> list[WaitingText]:
        """Texts that may go now, oldest first, at most one a thread."""
        return [
            WaitingText(
                StoredMessage(row[0], row[1], row[14], row[9]),
                State(row[2]),
                Thread(row[3], row[4], row[5], row[6], row[7]),
                row[8],
                bool(row[10]),
                row[11] or "",
                moment_of(row[12]),
                row[13],
                CallFactsRow(*row[17:]),
                row[15],
                row[16] is None,
            )
            for row in self._run.all(DUE, carrier=carrier, now=micros(now), limit=limit)
        ]

    def still_waiting(self, carrier: str, now: datetime) -> tuple[datetime | None, bool]:
        """The next moment at which a waiting text may go, and whether one waits whose moment has come."""
        row = self._run.one(STILL_WAITING, carrier=carrier, now=micros(now))
        assert row is not None
        return maybe_moment_of(row[0]), bool(row[1])

    def unsent_to(self, peer: str) -> list[tuple[int, State, int]]:
        """Texts after calls that have not left us yet, from any of our numbers, as (message, state, call)."""
        return [(row[0], State(row[1]), row[2]) for row in self._run.all(TO_PEER, peer=peer)]

    def unsent_in(self, thread_id: int) -> list[tuple[int, State, int | None]]:
        """Texts of a thread that have not left us yet, as (message, state, call); the answer to a STOP is left out."""
        return [(row[0], State(row[1]), row[2]) for row in self._run.all(IN_THREAD, thread=thread_id)]

    def may_write(self, account_id: int | None) -> bool:
        """Whether an account is open; what has none is not a matter of accounts."""
        return account_id is None or self._run.one(CLOSED_ACCOUNT, id=account_id) is None

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

    def left_open(self, carrier: str) -> list[tuple[int, int, int, datetime]]:
        """Attempts on a carrier without an outcome, as (attempt, part, message, opened at)."""
        return [(*row[:3], moment_of(row[3])) for row in self._run.all(OPEN_ATTEMPTS, carrier=carrier)]

    def carriers_at_work(self) -> set[str]:
        """Carriers that texts wait for or are on their way with."""
        return {name for statement in (NEXT_WAITED_FOR, NEXT_TRIED) for name in self._names(statement)}

    def _names(self, statement: Sql) -> Iterator[str]:
        after = ""
        while (row := self._run.one(statement, after=after)) and row[0] is not None:
            after = row[0]
            yield after

    def waiting_for(self, carrier: str) -> list[tuple[int, State, str]]:
        """Texts that wait for a carrier, as (message, state, our number)."""
        return [(row[0], State(row[1]), row[2]) for row in self._run.all(WAITING_FOR, carrier=carrier)]

    def reroute(self, message_id: int, state: State, carrier: str, detail: str, now: datetime) -> None:
        """Let a waiting text go by another carrier."""
        self._run.change(REROUTE, id=message_id, carrier=carrier)
        self.note(message_id, state, None, detail, now)

    def quiet_since(self, at: datetime, limit: int) -> list[tuple[int, State]]:
        """Texts that wait for word from the carrier since before `at`."""
        return [(row[0], State(row[1])) for row in self._run.all(WAITING_LONG, at=micros(at), limit=limit)]
