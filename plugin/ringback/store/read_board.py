"""Queues, agents and sessions as they are now, for supervisors."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ringback.core.grants import Reach
from ringback.core.sessions import SessionState, StartType
from ringback.ports.sessions import ALL_SESSIONS, AgentCount, Board, Narrowed, QueueCount, SessionRow
from ringback.store.moments import maybe_moment_of, micros
from ringback.store.queue_rows import load_agents, load_queues
from ringback.store.reading import reading
from ringback.store.session_lists import read_rows, within

OPEN = "SELECT * FROM session s WHERE s.ended_at IS NULL"
NARROWED = {
    "queue": "AND s.queue_id = :queue",
    "agent": "AND (s.agent_id = :agent OR s.offered_to = :agent)",
    "state": "AND s.state = :state",
    "start": "AND s.start = :start",
}
LAST_FIRST = "{0}.changed_at DESC, {0}.id DESC"
OF_QUEUES = """SELECT s.queue_id, s.state, s.start, count(*), min(s.queued_at) FROM session s
    WHERE s.ended_at IS NULL {mine} GROUP BY s.queue_id, s.state, s.start"""
EXPIRED = """SELECT s.queue_id, count(*) FROM session s
    WHERE s.ended_at >= :midnight AND s.state = 'expired' {mine} GROUP BY s.queue_id"""
OF_AGENTS = """SELECT few.account_id, count(CASE WHEN s.state IN ('assigned', 'wrap_up') THEN 1 END)
    FROM (SELECT account_id FROM agent UNION SELECT account_id FROM queue_member) AS few
    CROSS JOIN session s WHERE s.agent_id = few.account_id AND s.ended_at IS NULL {mine} GROUP BY few.account_id"""
SERVED = """SELECT few.account_id, count(s.replied_at), avg(s.replied_at - s.opened_at), avg(s.ended_at - s.assigned_at)
    FROM (SELECT account_id FROM agent UNION SELECT account_id FROM queue_member) AS few
    CROSS JOIN session s WHERE s.agent_id = few.account_id AND s.assigned_at >= :midnight {mine}
    GROUP BY few.account_id"""
# Of the threads in which something happened today; more than the most are not looked at.
MOST = 5000
TEXTS = """SELECT
    coalesce(sum((SELECT count(*) FROM incoming i WHERE i.thread_id = few.id AND i.at >= :midnight
      AND i.state <> 'waiting')), 0),
    coalesce(sum((SELECT count(*) FROM message m WHERE m.thread_id = few.id AND m.created_at >= :midnight
      AND m.state IN ('accepted', 'sent', 'delivered', 'undelivered', 'no_receipt'))), 0)
    FROM (SELECT t.id FROM thread t JOIN (SELECT id, e164 AS did FROM number) AS s ON s.id = t.number_id
      WHERE t.changed_at >= :midnight {mine} ORDER BY t.changed_at DESC, t.id DESC LIMIT :most) AS few"""
Served = tuple[int, timedelta | None, timedelta | None]
NOBODY: Served = (0, None, None)


def read_board(
    connection: Connection,
    reach: Reach,
    midnight: datetime,
    most: int,
    only: Narrowed = ALL_SESSIONS,
    texts: tuple[int, int] | None = None,
) -> Board:
    """All of it; counts are of sessions within the reach."""
    since = micros(midnight)
    came, left = texts or _texts(connection, reach, since)
    return Board(
        _queues(connection, reach, since),
        _agents(connection, reach, since),
        _listed(connection, reach, most, only),
        came,
        left,
    )


def _texts(connection: Connection, reach: Reach, since: int) -> tuple[int, int]:
    """How many came in and went out."""
    statement, values = within(connection, reach, TEXTS)
    came, left = connection.execute(statement, {**values, "midnight": since, "most": MOST}).one()
    return int(came), int(left)


def _listed(connection: Connection, reach: Reach, most: int, only: Narrowed) -> tuple[SessionRow, ...]:
    """Open sessions, what changed last first: no more of them than people have in hand."""
    values = {name: value for name, value in asdict(only).items() if value is not None}
    chosen = " ".join(
        [OPEN, *(NARROWED[name] for name in values), f"{{mine}} ORDER BY {LAST_FIRST.format('s')} LIMIT :most"]
    )
    return read_rows(connection, reach, chosen, LAST_FIRST.format("few"), most=most, **values)


def _queues(connection: Connection, reach: Reach, since: int) -> tuple[QueueCount, ...]:
    states: dict[int, Counter[SessionState]] = {}
    starts: dict[int, Counter[StartType]] = {}
    oldest: dict[int, int] = {}
    open_now, values = within(connection, reach, OF_QUEUES)
    for queue, state, start, sessions, first in connection.execute(open_now, values):
        states.setdefault(queue, Counter())[SessionState(state)] += sessions
        starts.setdefault(queue, Counter())[StartType(start)] += sessions
        if state == SessionState.QUEUED:
            oldest[queue] = min(first, oldest.get(queue, first))
    gone, values = within(connection, reach, EXPIRED)
    expired: Mapping[int, int] = {row[0]: row[1] for row in connection.execute(gone, {**values, "midnight": since})}
    return tuple(
        QueueCount(
            queue.id,
            queue.name,
            dict(states.get(queue.id, {})),
            dict(starts.get(queue.id, {})),
            maybe_moment_of(oldest.get(queue.id)),
            expired.get(queue.id, 0),
        )
        for queue in load_queues(reading(connection)).all
    )


def _agents(connection: Connection, reach: Reach, since: int) -> tuple[AgentCount, ...]:
    statement, values = within(connection, reach, OF_AGENTS)
    carried: Mapping[int, int] = {row[0]: row[1] for row in connection.execute(statement, values)}
    statement, values = within(connection, reach, SERVED)
    served: Mapping[int, Served] = {
        account: (int(answered), _span(first), _span(lasted))
        for account, answered, first, lasted in connection.execute(statement, {**values, "midnight": since})
    }
    return tuple(
        AgentCount(
            account,
            agent.name,
            agent.public_id,
            carried.get(account, 0),
            *served.get(account, NOBODY),
        )
        for account, agent in load_agents(reading(connection)).items()
        if not agent.disabled
    )


def _span(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(microseconds=int(value))
