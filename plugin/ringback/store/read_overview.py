"""Figures for the dashboard: each counts the rows of one index since a moment, and stops at the most that is shown."""

from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, Select, and_, func, select

from ringback.core.messages import State
from ringback.ports.overview import MOST, Day, Past
from ringback.store.database import Database
from ringback.store.moments import micros
from ringback.store.tables import OPEN_TASK, UNANSWERED, WAITS, WITH_TEXT, call, message, task, thread

T = TypeVar("T")
LEFT = (State.ACCEPTED, State.SENT, State.DELIVERED, State.UNDELIVERED, State.NO_RECEIPT)
"""A carrier took the text."""
FIRST = 100
"""Whether a text ever went is looked up among so many of the first and of the last."""


class ReadOverview:
    """Satisfies `ports.overview.Overview`. Its page must stand when the database does not, so it raises StoreFault."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def day(self, since: datetime) -> Day:
        return await self._database.read(lambda connection: read_day(connection, since))

    async def past(self) -> Past:
        return await self._database.read(read_past)


def read_day(connection: Connection, since: datetime) -> Day:
    return Day(
        unanswered=_count(connection, unanswered(since)),
        texted=_count(connection, texted(since)),
        waiting=_count(connection, select(thread.c.id).where(WAITS)),
        tasks=_count(connection, select(task.c.id).where(OPEN_TASK)),
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
