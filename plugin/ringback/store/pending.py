"""Texts that wait out their rule's delay: fired when due, cancelled when the call was returned."""

from datetime import datetime, timedelta

from ringback.core.messages import Wanted
from ringback.ports.texts import CallFactsRow, DueText
from ringback.store.guards import WAITING, WAITS_FOR, Guards
from ringback.store.moments import micros, moment_of, span_micros
from ringback.store.sql import insert, sql
from ringback.store.tx import Runner

PUT = insert(
    "pending_text",
    "call_id rule group_ did peer language body cool_down_us due_at expires_at state windows",
    "ON CONFLICT (call_id, rule) DO NOTHING",
)
DUE = sql(
    """SELECT p.id, p.call_id, p.rule, p.group_, p.did, p.peer, p.language, p.body, p.cool_down_us, p.expires_at,
    c.pbx, p.due_at, p.windows, c.presentation, c.verstat, c.vetoed
    FROM pending_text p JOIN call c ON c.id = p.call_id
    WHERE p.state = 'pending' AND p.due_at <= :now ORDER BY p.due_at, p.id LIMIT :limit"""
)
# Each says by which index: PostgreSQL finds all of them equal when few texts wait, and holds on to that when many do.
NEXT = sql("SELECT due_at FROM pending_text WHERE state = 'pending' AND due_at > 0 ORDER BY due_at LIMIT 1")
CLOSE = sql("UPDATE pending_text SET state = :state, cause = :cause WHERE id = :id AND state || '' = 'pending'")
PUT_OFF = sql("UPDATE pending_text SET due_at = :due_at WHERE id = :id AND state || '' = 'pending'")
_OF_PEER = f"SELECT id, call_id FROM pending_text WHERE {WAITING.format(':peer')} = 1 AND {WAITS_FOR.format(':peer')}"
OF_PEER = sql(_OF_PEER)
OF_PAIR = sql(f"{_OF_PEER} AND did = :did")
LIVE_CALL = sql("SELECT 1 FROM call WHERE peer = :peer AND coalesce(ended_at, 0) = 0 AND started_at > :since LIMIT 1")


class PendingTexts:
    def __init__(self, run: Runner, guards: Guards) -> None:
        self._run = run
        self._guards = guards

    def put(self, wanted: Wanted, peer: str, due_at: datetime) -> None:
        """Have a text wait out its delay; nothing happens where one of this call and rule waited before."""
        ahead = self._guards.knows(wanted.did, peer)
        if ahead:
            self._guards.waits(peer)
        (self._run.change_later if ahead else self._run.change)(
            PUT,
            call_id=wanted.call_id,
            rule=wanted.rule,
            group_=wanted.group,
            did=wanted.did,
            peer=peer,
            language=wanted.language,
            body=wanted.text,
            cool_down_us=span_micros(wanted.cool_down),
            due_at=micros(due_at),
            expires_at=micros(wanted.expires_at),
            state="pending",
            windows=wanted.windows,
        )

    def due(self, now: datetime, limit: int) -> list[DueText]:
        rows = self._run.all(DUE, now=micros(now), limit=limit)
        return [
            DueText(
                row[0],
                row[1],
                row[2],
                row[3],
                row[4],
                row[5],
                row[6],
                row[7],
                timedelta(microseconds=row[8]),
                moment_of(row[9]),
                row[10],
                moment_of(row[11]),
                CallFactsRow(*row[13:]),
                row[12],
            )
            for row in rows
        ]

    def next_due(self) -> datetime | None:
        row = self._run.one(NEXT)
        return moment_of(row[0]) if row and row[0] is not None else None

    def close(self, pending_id: int, state: str, cause: str | None) -> bool:
        return self._run.change(CLOSE, id=pending_id, state=state, cause=cause) == 1

    def put_off(self, pending_id: int, due_at: datetime) -> None:
        self._run.change(PUT_OFF, id=pending_id, due_at=micros(due_at))

    def of_peer(self, peer: str) -> list[tuple[int, int]]:
        """The waiting texts to a person from any of our numbers, as (id, call id)."""
        return [(row[0], row[1]) for row in self._run.all(OF_PEER, peer=peer)]

    def of_pair(self, did: str, peer: str) -> list[tuple[int, int]]:
        """The waiting texts of one of our numbers to a person, as (id, call id)."""
        return [(row[0], row[1]) for row in self._run.all(OF_PAIR, did=did, peer=peer)]

    def on_the_line(self, peer: str, since: datetime) -> bool:
        """Is this person in a call with us now (begun after `since`, so that a call lost in a gap does not count)?"""
        return self._run.one(LIVE_CALL, peer=peer, since=micros(since)) is not None
