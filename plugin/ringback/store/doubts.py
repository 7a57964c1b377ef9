"""Texts in doubt: which are due, what is counted of them, and what else is told by an attempt that is open."""

from datetime import datetime

from ringback.core.messages import SAID_BY, Basis, MessageClass, OnDoubt, State, Urgency
from ringback.ports.doubts import InDoubt
from ringback.ports.pairs import Thread
from ringback.ports.texts import CallFactsRow, StoredMessage, WaitingText
from ringback.store.moments import maybe_moment_of, micros, moment_of
from ringback.store.sql import sql
from ringback.store.tx import Runner

DUE = sql(
    """SELECT m.id, m.public_id, m.state_at, a.opened_at, a.carrier, m.expires_at, m.doubt, m.resends
    FROM message m JOIN attempt a ON a.id = (SELECT max(l.id) FROM attempt l WHERE l.message_id = m.id)
    WHERE m.carrier = :carrier AND m.state = 'unconfirmed' AND m.asked_at IS NULL AND m.state_at <= :before
    ORDER BY m.state_at LIMIT :limit"""
)
OLDEST = sql(
    """SELECT min(state_at) FROM message
    WHERE carrier = :carrier AND state = 'unconfirmed' AND asked_at IS NULL"""
)
ASKED = sql("UPDATE message SET asked_at = :at WHERE id = :id")
STILL = sql(
    """SELECT m.public_id, p.id, m.segments, t.id, t.public_id, n.id, n.e164, t.peer, m.body, m.automatic, m.rule,
    m.expires_at, m.tries, m.command, m.account_id, m.class_, m.urgency, m.campaign, m.basis,
    c.presentation, c.verstat, c.vetoed
    FROM message m JOIN thread t ON t.id = m.thread_id JOIN number n ON n.id = t.number_id
    JOIN part p ON p.message_id = m.id LEFT JOIN call c ON c.id = m.call_id
    WHERE m.id = :id AND m.state || '' = 'unconfirmed' AND m.resends = :resends"""
)
RESENT = sql("UPDATE message SET resends = resends + 1, asked_at = NULL WHERE id = :id")
NOT_RESENT = sql("UPDATE message SET resends = resends - 1, asked_at = NULL WHERE id = :id AND resends > 0")
# What a crash of our own left open says nothing about the carrier.
BETWEEN = sql(
    """SELECT count(*) FROM attempt WHERE carrier = :carrier AND outcome = 'unconfirmed' AND closed_at > :since
    AND closed_at <= :now AND cause NOT IN ('crash', 'stranded')"""
)
NEWEST = sql("SELECT max(id) FROM attempt")
SENDS = sql(
    """SELECT count(*) FROM attempt WHERE id > :after AND carrier = :carrier AND opened_at > :since
    AND opened_at <= :now"""
)
UNSAID = sql(
    f"""UPDATE attempt SET outcome = 'unconfirmed', cause = 'another attempt has a receipt'
    WHERE message_id = :id AND cause LIKE '{SAID_BY}%'"""
)
UNRESOLVED = sql("SELECT id FROM message WHERE state = 'unconfirmed' AND state_at < :before LIMIT :limit")
WITHOUT_RECEIPT = sql(
    """SELECT id, state FROM message
    WHERE carrier = :carrier AND state IN ('accepted', 'sent') AND state_at < :before LIMIT :limit"""
)
CROSSING = sql(
    """SELECT m.id FROM message m JOIN attempt a ON a.message_id = m.id AND a.outcome IS NULL
    WHERE m.thread_id = :thread AND m.state IN ('queued', 'held', 'submitting') AND m.state = 'submitting'
    AND m.command <> 'stop'"""
)
WRITTEN = sql("SELECT 1 FROM message WHERE id = :id AND account_id IS NOT NULL AND class_ = 'conversational'")


class Doubts:
    """Satisfies `ports.doubts.Doubts`."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def due(self, carrier: str, before: datetime, limit: int) -> list[InDoubt]:
        rows = self._run.all(DUE, carrier=carrier, before=micros(before), limit=limit)
        return [
            InDoubt(
                message, public_id, moment_of(since), moment_of(tried), by, moment_of(expires), OnDoubt(policy), resends
            )
            for message, public_id, since, tried, by, expires, policy, resends in rows
        ]

    def oldest(self, carrier: str) -> datetime | None:
        row = self._run.one(OLDEST, carrier=carrier)
        return maybe_moment_of(row[0]) if row else None

    def asked(self, message: int, now: datetime) -> None:
        self._run.change(ASKED, id=message, at=micros(now))

    def still(self, message: int, resends: int) -> WaitingText | None:
        row = self._run.one(STILL, id=message, resends=resends)
        if row is None:
            return None
        return WaitingText(
            message=StoredMessage(message, row[0], row[1], row[2]),
            state=State.UNCONFIRMED,
            thread=Thread(row[3], row[4], row[5], row[6], row[7]),
            text=row[8],
            automatic=bool(row[9]),
            rule=row[10] or "",
            expires_at=moment_of(row[11]),
            tries=row[12],
            call=CallFactsRow(*row[19:]),
            command=row[13],
            account=row[14],
            class_=MessageClass(row[15]),
            urgency=Urgency(row[16]),
            campaign=row[17],
            basis=Basis(row[18]),
        )

    def count_resend(self, message: int) -> None:
        self._run.change(RESENT, id=message)

    def take_resend_back(self, message: int) -> None:
        self._run.change(NOT_RESENT, id=message)

    def between(self, carrier: str, since: datetime, now: datetime) -> int:
        row = self._run.one(BETWEEN, carrier=carrier, since=micros(since), now=micros(now))
        return int(row[0]) if row else 0

    def sends(self, carrier: str, since: datetime, now: datetime, most: int) -> int:
        newest = self._run.one(NEWEST)
        after = (newest[0] or 0) - most if newest else 0
        row = self._run.one(SENDS, after=after, carrier=carrier, since=micros(since), now=micros(now))
        return int(row[0]) if row else 0

    def unresolved(self, before: datetime, limit: int) -> list[int]:
        return [row[0] for row in self._run.all(UNRESOLVED, before=micros(before), limit=limit)]

    def without_receipt(self, carrier: str, before: datetime, limit: int) -> list[tuple[int, str]]:
        rows = self._run.all(WITHOUT_RECEIPT, carrier=carrier, before=micros(before), limit=limit)
        return [(row[0], row[1]) for row in rows]

    def take_words_back(self, message: int) -> bool:
        return self._run.change(UNSAID, id=message) > 0

    def crossing(self, thread: int) -> list[int]:
        return [row[0] for row in self._run.all(CROSSING, thread=thread)]

    def written_by_a_person(self, message: int) -> bool:
        return self._run.one(WRITTEN, id=message) is not None
