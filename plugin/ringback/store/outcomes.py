"""What became of an attempt: the carrier's answer (D3), its receipts (D4), or nothing at all (D5)."""

from collections.abc import Sequence
from datetime import datetime

from ringback.core.messages import SAID_BY, Allowed, MessageClass, PartState, ReceiptStatus, State, fold, may_move
from ringback.core.provider_ids import Ids, candidates, key, pick
from ringback.core.reasons import Reason
from ringback.ports import Receipt
from ringback.ports.changes import ANY_THREAD, Touch
from ringback.ports.texts import Attempt, Doubt
from ringback.store.moments import maybe_moment_of, micros, moment_of
from ringback.store.moves import note_known_move, note_move
from ringback.store.opened import Attempts, Opened, Text
from ringback.store.receipt_rows import columns_of, forms_of, time_of
from ringback.store.sql import insert, rows, sql, values
from ringback.store.tx import Row, Runner

# Fenced: only the daemon that opened the attempt may close it, and only once.
CLOSE = sql(
    """UPDATE attempt SET outcome = :outcome, cause = :cause, provider_id = :provider_id,
    provider_key = :provider_key, closed_at = :at WHERE id = :id AND outcome IS NULL RETURNING carrier"""
)
CLOSE_MANY = sql(CLOSE.sqlite.removesuffix(" RETURNING carrier"))
SET_PART = sql("UPDATE part SET state = :state WHERE id = :id")
STATES = sql("SELECT m.state, p.id, p.state FROM message m JOIN part p ON p.message_id = m.id WHERE m.id = :message")
MOVE = sql("UPDATE message SET state = :state, reason = :reason, state_at = :at WHERE id = :id AND state = :old")
BY_PROVIDER = sql(
    """SELECT a.id, a.part_id, a.message_id, p.state, a.cause FROM attempt a JOIN part p ON p.id = a.part_id
    WHERE a.carrier = :carrier AND a.provider_key = :provider_id ORDER BY a.id DESC LIMIT 1"""
)
# A number has one key in each base it may be written in; more than a few of them are no evidence.
BY_NUMBER = sql(
    """SELECT a.id, a.part_id, a.message_id, p.state, a.cause, a.provider_id, a.provider_key
    FROM attempt a JOIN part p ON p.id = a.part_id
    WHERE a.carrier = :carrier AND a.provider_key IN (:first, :second, :third) ORDER BY a.id DESC LIMIT 20"""
)
BY_ATTEMPT = sql(
    """SELECT a.id, a.part_id, a.message_id, p.state, a.cause FROM attempt a JOIN part p ON p.id = a.part_id
    WHERE a.public_id = :attempt AND a.carrier = :carrier"""
)
RESOLVE = sql(
    """UPDATE attempt SET provider_id = :provider_id, provider_key = :provider_key, outcome = 'accepted',
    cause = :cause, closed_at = :at WHERE id = :id"""
)
SAY = sql("UPDATE attempt SET outcome = :outcome, cause = :cause WHERE id = :id")
# The last attempt is the one in doubt; why it came to that stands with the first, where the task began.
DOUBT = sql(
    """SELECT m.id, m.state, p.id, a.id, a.public_id, m.carrier, a.opened_at, a.outcome, a.cause, a.provider_id,
    (SELECT e.detail FROM message_event e WHERE e.message_id = m.id AND e.state = 'unconfirmed' ORDER BY e.id LIMIT 1),
    (SELECT k.public_id FROM task k WHERE k.key = 'unconfirmed:' || m.id), n.e164, m.class_
    FROM message m JOIN part p ON p.message_id = m.id JOIN thread t ON t.id = m.thread_id
    JOIN number n ON n.id = t.number_id LEFT JOIN attempt a ON a.message_id = m.id
    WHERE m.public_id = :public_id ORDER BY a.id DESC LIMIT 1"""
)
_RECEIPT = "attempt_id carrier provider_id status carrier_at received_at error"
RECEIPT = insert("receipt", _RECEIPT, "ON CONFLICT (carrier, provider_id, status, carrier_at) DO NOTHING")
RECEIPTS = rows("receipt", _RECEIPT)
PARK = insert(
    "receipt_parked",
    "carrier provider_id status carrier_at received_at error provider_key",
    "ON CONFLICT (carrier, provider_id, status, carrier_at) DO NOTHING",
)
PARKED = sql(
    """DELETE FROM receipt_parked WHERE carrier = :carrier AND provider_key IN (:first, :second, :third)
    RETURNING provider_id, status, carrier_at, error"""
)
FORGET_PARKED = sql(
    """DELETE FROM receipt_parked WHERE id IN
    (SELECT id FROM receipt_parked WHERE received_at < :at ORDER BY received_at LIMIT :limit)"""
)


class Outcomes:
    def __init__(self, run: Runner) -> None:
        self._run = run
        self._attempts = Attempts(run)

    def close(
        self,
        attempt_id: int,
        outcome: str,
        cause: str,
        provider_id: str | None,
        now: datetime,
        ids: Ids = Ids.TEXT,
    ) -> bool:
        """Record an attempt's outcome; False when somebody did before, and then nothing else may be written."""
        name = key(provider_id, ids) if provider_id else None
        values = {
            "id": attempt_id,
            "outcome": outcome,
            "cause": cause,
            "provider_id": provider_id or None,
            "provider_key": name,
            "at": micros(now),
        }
        known = self._attempts.of(attempt_id)
        if known is not None:
            if not known.open:
                return False
            known.open, known.cause = False, cause
            self._run.change_later(CLOSE_MANY, **values)
            carrier = known.carrier
        else:
            row = self._run.one(CLOSE, **values)
            if row is None:
                return False
            carrier = row[0]
        if name is not None:
            self._attempts.named(carrier, name)
        self._run.count("attempts", carrier, outcome)
        return True

    def part_moves(
        self,
        part: int,
        message: int,
        state: PartState,
        reason: Reason | None,
        detail: str,
        now: datetime,
        allowed: Allowed = may_move,
    ) -> State | None:
        """Move a part, and the message with it if the fold of its parts says so; returns the message's new state."""
        text = self._attempts.text(message)
        if text is not None:
            return self._known_moves(text, part, message, state, (reason, detail, now), allowed)
        rows = self._run.all(STATES, message=message)
        parts = {row[1]: PartState(row[2]) for row in rows}
        if allowed(State(parts[part]), State(state)):
            self._run.change(SET_PART, id=part, state=state)
            parts[part] = state
        old, new = State(rows[0][0]), fold(list(parts.values()))
        if not allowed(old, new):
            return None
        self._run.change(MOVE, id=message, old=old, state=new, reason=reason, at=micros(now))
        self._run.touch(ANY_THREAD, Touch("message", message))
        note_move(self._run, message, new, reason, detail, now)
        return new

    def _known_moves(
        self,
        text: Text,
        part: int,
        message: int,
        state: PartState,
        why: tuple[Reason | None, str, datetime],
        allowed: Allowed,
    ) -> State | None:
        """The same for a text of one part that was read ahead."""
        reason, detail, now = why
        if allowed(State(text.part), State(state)):
            self._run.change_later(SET_PART, id=part, state=state.value)
            text.part = state
        old, new = text.state, fold([text.part])
        if not allowed(old, new):
            return None
        said = reason.value if reason else None
        self._run.change_later(MOVE, id=message, old=old.value, state=new.value, reason=said, at=micros(now))
        self._run.touch(ANY_THREAD, Touch("message", message))
        note_known_move(self._run, message, new, reason, detail, micros(now), text.carrier)
        text.state = new
        return new

    def read_ahead(self, carrier: str, attempts: Sequence[int], provider_ids: Sequence[str], ids: Ids) -> None:
        """Read what is known of attempts whose outcomes come next, and of receipts that came before them."""
        self._attempts.read(carrier, attempts, {form for name in provider_ids for form in candidates(name, ids)})

    def read_receipts_ahead(self, carrier: str, receipts: Sequence[Receipt]) -> None:
        """The same for receipts of a carrier whose ids are text."""
        names = {receipt.provider_id for receipt in receipts if receipt.provider_id}
        self._attempts.read_received(carrier, names, {receipt.attempt for receipt in receipts if receipt.attempt})

    def find(self, carrier: str, receipt: Receipt, ids: Ids = Ids.TEXT) -> Attempt | None:
        """The attempt a receipt speaks of, by the carrier's id or by ours where the carrier hands it back.

        Our own id outdoes a number, which may be written in more than one way.
        """
        if ids is Ids.TEXT and (known := self._known(carrier, receipt)) is not None:
            return Attempt(known.id, known.part, known.message, known.text.part, _said(known.cause))
        looks = (self._by_provider, self._by_attempt) if ids is Ids.TEXT else (self._by_attempt, self._by_number)
        row = next((row for look in looks if (row := look(carrier, receipt)) is not None), None)
        return Attempt(row[0], row[1], row[2], PartState(row[3]), _said(row[4])) if row else None

    def _known(self, carrier: str, receipt: Receipt) -> Opened | None:
        return self._attempts.by_key(carrier, receipt.provider_id) if receipt.provider_id else None

    def _by_provider(self, carrier: str, receipt: Receipt) -> Row | None:
        name = receipt.provider_id
        return self._run.one(BY_PROVIDER, carrier=carrier, provider_id=name) if name else None

    def _by_attempt(self, carrier: str, receipt: Receipt) -> Row | None:
        return self._run.one(BY_ATTEMPT, carrier=carrier, attempt=receipt.attempt) if receipt.attempt else None

    def _by_number(self, carrier: str, receipt: Receipt) -> Row | None:
        name = receipt.provider_id
        rows = self._run.all(BY_NUMBER, carrier=carrier, **forms_of(name, Ids.NUMBER)) if name else []
        place = pick(name, [(row[5], row[6]) for row in rows], Ids.NUMBER)
        return None if place is None else rows[place]

    def resolve(
        self, attempt_id: int, carrier: str, provider_id: str, cause: str, now: datetime, ids: Ids = Ids.TEXT
    ) -> None:
        """A receipt shows that an attempt arrived after all."""
        named = {"provider_id": provider_id, "provider_key": key(provider_id, ids)}
        self._run.count("attempts", carrier, "accepted")
        known = self._attempts.of(attempt_id)
        if known is None:
            self._run.change(RESOLVE, id=attempt_id, cause=cause, at=micros(now), **named)
            return
        known.open, known.cause = False, cause
        self._attempts.named(carrier, named["provider_key"])
        self._run.change_later(RESOLVE, id=attempt_id, cause=cause, at=micros(now), **named)

    def say(self, attempt_id: int, outcome: str, cause: str) -> None:
        """Write a person's word as the outcome of an attempt, or what stood there before it."""
        self._run.change(SAY, id=attempt_id, outcome=outcome, cause=cause)

    def doubt(self, public_id: str) -> Doubt | None:
        """A text and its last attempt, for whoever asks what became of it."""
        row = self._run.one(DOUBT, public_id=public_id)
        if row is None:
            return None
        return Doubt(
            message=row[0],
            public_id=public_id,
            did=row[12],
            class_=MessageClass(row[13]),
            state=State(row[1]),
            part=row[2],
            attempt=row[3] or 0,
            attempt_id=row[4] or "",
            carrier=row[5],
            opened_at=moment_of(row[6] or 0),
            outcome=row[7] or "",
            said=_said(row[8]),
            provider_id=row[9] or "",
            doubted=row[10] or "",
            task=row[11] or "",
        )

    def keep(self, attempt_id: int, carrier: str, receipt: Receipt, now: datetime) -> bool:
        """Append a receipt (D4); False when it came before."""
        columns = columns_of(carrier, receipt, now)
        received = self._attempts.received(carrier, receipt.provider_id)
        if received is None:
            new = self._run.change(RECEIPT, attempt_id=attempt_id, **columns) == 1
        else:
            one = (receipt.status.value, time_of(receipt))
            new = one not in received
            if new:
                received.add(one)
                self._run.later(RECEIPTS, values(RECEIPTS, attempt_id=attempt_id, **columns))
        self._run.count("receipts", carrier, receipt.status, "kept" if new else "again")
        return new

    def park(self, carrier: str, receipt: Receipt, now: datetime, ids: Ids = Ids.TEXT) -> None:
        """Keep a receipt whose text is not known yet; the answer may still be on its way."""
        known_as = key(receipt.provider_id, ids)
        self._attempts.parked(carrier, known_as)
        new = self._run.change(PARK, provider_key=known_as, **columns_of(carrier, receipt, now)) == 1
        self._run.count("receipts", carrier, receipt.status, "parked" if new else "again")

    def take_parked(self, carrier: str, provider_id: str, ids: Ids = Ids.TEXT) -> list[Receipt]:
        """Receipts that may be of a text whose id is known now; whoever takes them looks for their text anew."""
        if not any(self._attempts.has_parked(carrier, form) for form in candidates(provider_id, ids)):
            return []
        return [
            Receipt(name, ReceiptStatus(status), maybe_moment_of(carrier_at or None), error=error)
            for name, status, carrier_at, error in self._run.all(PARKED, carrier=carrier, **forms_of(provider_id, ids))
        ]

    def forget_parked(self, before: datetime, limit: int) -> int:
        """Drop receipts whose text never became known, some at a time; returns how many."""
        return self._run.change(FORGET_PARKED, at=micros(before), limit=limit)


def _said(cause: str | None) -> bool:
    return (cause or "").startswith(SAID_BY)
