"""What became of an attempt: the carrier's answer (D3), its receipts (D4), or nothing at all (D5)."""

from datetime import datetime

from ringback.core.messages import SAID_BY, Allowed, PartState, ReceiptStatus, State, fold, may_move
from ringback.core.reasons import Reason
from ringback.ports import Receipt
from ringback.ports.changes import ANY_THREAD, Touch
from ringback.ports.texts import Attempt, Doubt
from ringback.store.moments import maybe_moment_of, micros, moment_of
from ringback.store.outbox import EVENT
from ringback.store.sql import insert, sql
from ringback.store.tx import Runner

# Fenced: only the daemon that opened the attempt may close it, and only once.
CLOSE = sql(
    """UPDATE attempt SET outcome = :outcome, cause = :cause, provider_id = :provider_id,
    provider_key = :provider_id, closed_at = :at WHERE id = :id AND outcome IS NULL"""
)
SET_PART = sql("UPDATE part SET state = :state WHERE id = :id")
STATES = sql("SELECT m.state, p.state FROM message m JOIN part p ON p.message_id = m.id WHERE m.id = :message")
MOVE = sql("UPDATE message SET state = :state, reason = :reason, state_at = :at WHERE id = :id AND state = :old")
BY_PROVIDER = sql(
    """SELECT a.id, a.part_id, a.message_id, p.state, a.cause FROM attempt a JOIN part p ON p.id = a.part_id
    WHERE a.carrier = :carrier AND a.provider_key = :provider_id ORDER BY a.id DESC LIMIT 1"""
)
BY_ATTEMPT = sql(
    """SELECT a.id, a.part_id, a.message_id, p.state, a.cause FROM attempt a JOIN part p ON p.id = a.part_id
    WHERE a.public_id = :attempt AND a.carrier = :carrier"""
)
RESOLVE = sql(
    """UPDATE attempt SET provider_id = :provider_id, provider_key = :provider_id, outcome = 'accepted',
    cause = :cause, closed_at = :at WHERE id = :id"""
)
SAY = sql("UPDATE attempt SET outcome = :outcome, cause = :cause WHERE id = :id")
# A text in doubt is never tried again, so its first time in doubt is the one that counts.
DOUBT = sql(
    """SELECT m.id, m.state, p.id, a.id, a.public_id, m.carrier, a.opened_at, a.outcome, a.cause, a.provider_id,
    (SELECT e.detail FROM message_event e WHERE e.message_id = m.id AND e.state = 'unconfirmed' ORDER BY e.id LIMIT 1),
    (SELECT k.public_id FROM task k WHERE k.key = 'unconfirmed:' || m.id)
    FROM message m JOIN part p ON p.message_id = m.id LEFT JOIN attempt a ON a.message_id = m.id
    WHERE m.public_id = :public_id ORDER BY a.id DESC LIMIT 1"""
)
RECEIPT = insert(
    "receipt",
    "attempt_id carrier provider_id status carrier_at received_at error",
    "ON CONFLICT (carrier, provider_id, status, carrier_at) DO NOTHING",
)
PARK = insert(
    "receipt_parked",
    "carrier provider_id status carrier_at received_at error provider_key",
    "ON CONFLICT (carrier, provider_id, status, carrier_at) DO NOTHING",
)
PARKED = sql(
    """DELETE FROM receipt_parked WHERE carrier = :carrier AND provider_key = :provider_id
    RETURNING status, carrier_at, received_at, error"""
)
NO_TIME = 0
"""Stands for the time of a carrier that tells none, so that its receipts are unique by their status."""

FORGET_PARKED = sql("DELETE FROM receipt_parked WHERE received_at < :at")


class Outcomes:
    def __init__(self, run: Runner) -> None:
        self._run = run

    def close(self, attempt_id: int, outcome: str, cause: str, provider_id: str | None, now: datetime) -> bool:
        """Record an attempt's outcome; False when somebody did before, and then nothing else may be written."""
        changed = self._run.change(
            CLOSE, id=attempt_id, outcome=outcome, cause=cause, provider_id=provider_id or None, at=micros(now)
        )
        return changed == 1

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
        self._run.change(SET_PART, id=part, state=state)
        rows = self._run.all(STATES, message=message)
        old, new = State(rows[0][0]), fold([PartState(row[1]) for row in rows])
        if not allowed(old, new):
            return None
        self._run.change(MOVE, id=message, old=old, state=new, reason=reason, at=micros(now))
        self._run.touch(ANY_THREAD, Touch("message", message))
        self._run.change(EVENT, message_id=message, at=micros(now), state=new, reason=reason, detail=detail)
        return new

    def find(self, carrier: str, receipt: Receipt) -> Attempt | None:
        """The attempt a receipt speaks of, by the carrier's id or by ours where the carrier hands it back."""
        row = (
            self._run.one(BY_PROVIDER, carrier=carrier, provider_id=receipt.provider_id)
            if receipt.provider_id
            else None
        )
        if row is None and receipt.attempt:
            row = self._run.one(BY_ATTEMPT, carrier=carrier, attempt=receipt.attempt)
        return Attempt(row[0], row[1], row[2], PartState(row[3]), _said(row[4])) if row else None

    def resolve(self, attempt_id: int, provider_id: str, cause: str, now: datetime) -> None:
        """A receipt shows that an attempt arrived after all."""
        self._run.change(RESOLVE, id=attempt_id, provider_id=provider_id, cause=cause, at=micros(now))

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
        return self._run.change(RECEIPT, attempt_id=attempt_id, **_columns(carrier, receipt, now)) == 1

    def park(self, carrier: str, receipt: Receipt, now: datetime) -> None:
        """Keep a receipt whose text is not known yet; the answer may still be on its way."""
        self._run.change(PARK, provider_key=receipt.provider_id, **_columns(carrier, receipt, now))

    def take_parked(self, carrier: str, provider_id: str) -> list[Receipt]:
        return [
            Receipt(provider_id, ReceiptStatus(status), maybe_moment_of(carrier_at or None), error=error)
            for status, carrier_at, _received, error in self._run.all(PARKED, carrier=carrier, provider_id=provider_id)
        ]

    def forget_parked(self, before: datetime) -> None:
        self._run.change(FORGET_PARKED, at=micros(before))


def _said(cause: str | None) -> bool:
    return (cause or "").startswith(SAID_BY)


def _columns(carrier: str, receipt: Receipt, now: datetime) -> dict[str, object]:
    return {
        "carrier": carrier,
        "provider_id": receipt.provider_id,
        "status": receipt.status,
        "carrier_at": micros(receipt.carrier_at) if receipt.carrier_at else NO_TIME,
        "received_at": micros(now),
        "error": receipt.error,
    }
