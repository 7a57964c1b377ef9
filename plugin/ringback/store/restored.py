"""Texts that wait in a database that was put back, and may have been sent after that moment all the same."""

from ringback.ports.restored import Known, Unclear
from ringback.store.moments import moment_of
from ringback.store.sql import sql
from ringback.store.tx import Runner

KNOWN = sql(
    """SELECT (SELECT coalesce(max(id), 0) FROM message), (SELECT coalesce(max(id), 0) FROM call),
    (SELECT coalesce(max(id), 0) FROM bulk)"""
)
# Also texts made since, for a call or a run of before: the database forgot that they were made once already.
UNCLEAR = sql(
    """SELECT m.id, m.public_id, n.e164, t.peer, m.body, m.created_at FROM message m
    JOIN thread t ON t.id = m.thread_id JOIN number n ON n.id = t.number_id
    WHERE m.carrier = :carrier AND m.state IN ('queued', 'held') AND m.id > :after
    AND (m.id <= :messages OR m.call_id <= :calls OR m.bulk_id <= :runs) ORDER BY m.id LIMIT :limit"""
)


class Restored:
    """Satisfies `ports.restored.Restored`."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def known(self) -> Known:
        row = self._run.one(KNOWN)
        return Known(*row) if row else Known()

    def unclear(self, carrier: str, known: Known, after: int, limit: int) -> list[Unclear]:
        rows = self._run.all(
            UNCLEAR,
            carrier=carrier,
            messages=known.messages,
            calls=known.calls,
            runs=known.runs,
            after=after,
            limit=limit,
        )
        return [Unclear(id_, public_id, did, peer, body, moment_of(at)) for id_, public_id, did, peer, body, at in rows]
