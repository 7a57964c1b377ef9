"""Figures for the dashboard: each counts the rows of one index since a moment, and stops at the most that is shown."""

from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, Select, TextClause, and_, func, select, text

from ringback.core.grants import Reach
from ringback.core.messages import State
from ringback.ports.overview import MOST, Day, Past
from ringback.store.database import Database
from ringback.store.moments import micros
from ringback.store.reach import LITE, MINE, OF_NO_NUMBER, POST, as_json
from ringback.store.read_threads import count_waiting
from ringback.store.tables import (
    DUE_TASK,
    OPEN_TASK,
    UNANSWERED,
    UNDATED_TASK,
    WAITS,
    WITH_TEXT,
    call,
    message,
    task,
    thread,
)

T = TypeVar("T")
LEFT = (State.ACCEPTED, State.SENT, State.DELIVERED, State.UNDELIVERED, State.NO_RECEIPT)
"""A carrier took the text."""
FIRST = 100
"""Whether a text ever went is looked up among so many of the first and of the last."""


def _few(rows: str) -> dict[str, TextClause]:
    """Count rows of the numbers of a reach, up to the most that is shown. In SQLite a CROSS JOIN keeps its order."""
    return {
        kind: text(f"SELECT count(*) FROM ({rows.format(mine=f'({MINE[kind]}) AS mine')} LIMIT :most) AS few")
        for kind in (LITE, POST)
    }


UNANSWERED_OF = _few(
    f"""SELECT 1 FROM {{mine}} CROSS JOIN call WHERE call.did = mine.value AND {UNANSWERED.text}
    AND call.started_at >= :since"""
)
_LEFT = ", ".join(f"'{state}'" for state in LEFT)
TEXTED_OF = _few(
    f"""SELECT 1 FROM (SELECT call.id, call.rule FROM {{mine}} CROSS JOIN call WHERE call.did = mine.value
      AND {WITH_TEXT.text} AND call.started_at >= :since ORDER BY call.started_at DESC LIMIT :newest) AS newest
    CROSS JOIN message m WHERE m.call_id = newest.id AND m.rule = newest.rule AND m.step = 0 AND m.state IN ({_LEFT})"""
)
TASKS_OF = _few(
    f"""SELECT 1 FROM {{mine}} CROSS JOIN task WHERE task.did = mine.value AND {UNDATED_TASK.text}
    UNION ALL SELECT 1 FROM {{mine}} CROSS JOIN task WHERE task.did = mine.value AND {DUE_TASK.text}"""
)


class ReadOverview:
    """Satisfies `ports.overview.Overview`. Its page must stand when the database does not, so it raises StoreFault."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def day(self, reach: Reach, since: datetime) -> Day:
        return await self._database.read(lambda connection: read_day(connection, reach, since))

    async def past(self) -> Past:
        return await self._database.read(read_past)


def read_day(connection: Connection, reach: Reach, since: datetime) -> Day:
    if not reach.everything:
        return _day_of_some(connection, reach, since)
    return Day(
        unanswered=_count(connection, unanswered(since)),
        texted=_count(connection, texted(since)),
        waiting=_count(connection, select(thread.c.id).where(WAITS)),
        tasks=_count(connection, select(task.c.id).where(OPEN_TASK)),
    )


def _day_of_some(connection: Connection, reach: Reach, since: datetime) -> Day:
    """The same of some numbers; what is about no number is everybody's."""
    kind, at = connection.dialect.name, micros(since)
    values = {"reach": as_json(reach), "since": at, "newest": MOST, "most": MOST + 1}
    own = {"reach": as_json(reach, OF_NO_NUMBER), "most": MOST + 1}
    return Day(
        unanswered=connection.execute(UNANSWERED_OF[kind], values).scalar_one(),
        texted=connection.execute(TEXTED_OF[kind], values).scalar_one(),
        waiting=count_waiting(connection, reach, MOST + 1),
        tasks=connection.execute(TASKS_OF[kind], own).scalar_one(),
    )


def unanswered(since: datetime) -> Select[tuple[int]]:
    return select(call.c.id).where(UNANSWERED, call.c.started_at >= micros(since))


def texted(since: datetime) -> Select[tuple[int]]:
    """Of at most the `MOST` newest calls with a text, those whose text a carrier took."""
    asked = select(call.c.id, call.c.rule).where(WITH_TEXT, call.c.started_at >= micros(since))
    newest = asked.order_by(call.c.started_at.desc()).limit(MOST).subquery("newest")
    of_rule = and_(message.c.call_id == newest.c.id, message.c.rule == newest.c.rule, message.c.step == 0)
    return select(newest.c.id).join(message, of_rule).where(message.c.state.in_(LEFT))


def read_past(connection: Connection) -> Past:
    called = connection.execute(select(call.c.id).limit(1)).first() is not None
    first, last = (
        select(message.c.state).order_by(order).limit(FIRST).subquery() for order in (message.c.id, message.c.id.desc())
    )
    left = (select(some.c.state).where(some.c.state.in_(LEFT)).limit(1) for some in (first, last))
    return Past(called, any(connection.execute(query).first() is not None for query in left))


def _count(connection: Connection, rows: Select[tuple[int]]) -> int:
    return connection.execute(select(func.count()).select_from(rows.limit(MOST + 1).subquery())).scalar_one()
