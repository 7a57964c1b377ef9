"""Texts that wait in a database that was put back, and may have been sent after that moment all the same."""

from datetime import datetime

from ringback.core.messages import OnDoubt, State, Urgency
from ringback.core.reasons import Reason
from ringback.ports.pairs import Thread
from ringback.ports.restored import Known, Unclear
from ringback.ports.texts import CallFactsRow, StoredMessage, WaitingText
from ringback.store.moments import maybe_moment_of, micros, moment_of
from ringback.store.sql import sql
from ringback.store.tx import Row, Runner

_NEWEST = " UNION ALL ".join(
    f"SELECT {column} AS at FROM {table} WHERE id = (SELECT max(id) FROM {table})"
    for table, column in (("message_event", "at"), ("incoming", "received_at"), ("call", "started_at"), ("audit", "at"))
)
KNOWN = sql(f"SELECT (SELECT coalesce(max(id), 0) FROM message), (SELECT max(always.at) FROM ({_NEWEST}) AS always)")
# What waits for a moment of its own that was still to come cannot have been sent.
UNCLEAR = sql(
    """SELECT m.id, m.public_id, p.id, m.segments, m.state, t.id, t.public_id, n.id, n.e164, t.peer, m.body,
    m.expires_at, m.tries, m.urgency, m.reason, m.doubt FROM message m
    JOIN thread t ON t.id = m.thread_id JOIN number n ON n.id = t.number_id JOIN part p ON p.message_id = m.id
    LEFT JOIN call c ON c.id = m.call_id LEFT JOIN incoming i ON i.id = m.answers_id
    WHERE m.carrier = :carrier AND m.state IN ('queued', 'held') AND m.id > :after
    AND (m.id <= :messages OR c.started_at < :before OR i.carrier_at < :before)
    AND NOT (coalesce(m.reason, '') = 'scheduled' AND m.not_before > :before) ORDER BY m.id LIMIT :limit"""
)
# The first of the two says by which index. One that was let go keeps its reason until its turn comes.
_KEPT = """carrier = :carrier AND state IN ('queued', 'held') AND state = 'held' AND reason = 'put_back'
    AND not_before = expires_at"""
KEPT = sql(f"SELECT count(*) FROM message WHERE {_KEPT}")
LET_GO = sql(f"UPDATE message SET not_before = :now WHERE {_KEPT} AND not_before > :now")
LET_ONE_GO = sql("UPDATE message SET not_before = :now WHERE id = :id AND state = 'held' AND reason = 'put_back'")
NOBODY = CallFactsRow(None, None, None)


class Restored:
    """Satisfies `ports.restored.Restored`."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def known(self) -> Known:
        row = self._run.one(KNOWN)
        return Known(row[0], maybe_moment_of(row[1])) if row else Known()

    def unclear(self, carrier: str, known: Known, before: datetime, after: int, limit: int) -> list[Unclear]:
        rows = self._run.all(
            UNCLEAR, carrier=carrier, messages=known.messages, before=micros(before), after=after, limit=limit
        )
        return [Unclear(_text(row), OnDoubt(row[15]), row[14] == Reason.PUT_BACK) for row in rows]

    def kept(self, carrier: str) -> int:
        row = self._run.one(KEPT, carrier=carrier)
        return row[0] if row else 0

    def let_go(self, carrier: str, now: datetime) -> int:
        return self._run.change(LET_GO, carrier=carrier, now=micros(now))

    def let_one_go(self, message: int, now: datetime) -> None:
        self._run.change(LET_ONE_GO, id=message, now=micros(now))


def _text(row: Row) -> WaitingText:
    return WaitingText(
        message=StoredMessage(row[0], row[1], row[2], row[3]),
        state=State(row[4]),
        thread=Thread(row[5], row[6], row[7], row[8], row[9]),
        text=row[10],
        automatic=False,
        rule="",
        expires_at=moment_of(row[11]),
        tries=row[12],
        call=NOBODY,
        urgency=Urgency(row[13]),
        reason=Reason(row[14]) if row[14] else None,
    )
