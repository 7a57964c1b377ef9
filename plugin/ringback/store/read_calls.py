"""Calls for the pages: a list by keyset over the indexes of `call`, and one call with its whole story."""

from sqlalchemy import ColumnElement, Connection, Row, Select, TextClause, and_, select, tuple_

from ringback.core.ids import Kind, kind_of
from ringback.ports.callbook import CallFilter, CallLine, CallsPage, Group
from ringback.ports.stories import CallStory
from ringback.store.database import Database
from ringback.store.moments import maybe_moment_of, maybe_span_of, micros, moment_of
from ringback.store.stories import find
from ringback.store.tables import UNANSWERED, WITH_TEXT, WITHOUT_TEXT, call, message, number, pending_text, thread

PAGE = 50
ROWS_OF: dict[Group, TextClause] = {
    Group.UNANSWERED: UNANSWERED,
    Group.WITH_TEXT: WITH_TEXT,
    Group.WITHOUT_TEXT: WITHOUT_TEXT,
}


class ReadCalls:
    """Satisfies `ports.callbook.Callbook`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, wanted: CallFilter, before: str | None = None) -> CallsPage:
        return await self._database.read(lambda connection: read_page(connection, wanted, before))

    async def story(self, public_id: str) -> CallStory | None:
        return await self._database.read(lambda connection: read_story(connection, public_id))


def read_page(connection: Connection, wanted: CallFilter, before: str | None, most: int = PAGE) -> CallsPage:
    """One call more than asked for says that there are older ones. An unknown `before` begins at the newest."""
    seen = connection.execute(select(call.c.started_at, call.c.id).where(call.c.public_id == before)).first()
    rows = connection.execute(lines(wanted, None if seen is None else (seen[0], seen[1]), most + 1)).all()
    calls = tuple(_line(row) for row in rows[:most])
    return CallsPage(calls, calls[-1].public_id if len(rows) > most else None)


def lines(wanted: CallFilter, before: tuple[int, int] | None, most: int) -> Select[tuple[object, ...]]:
    """The newest calls that fit; what belongs to each is looked up only for those."""
    newest = (
        select(call)
        .where(*_conditions(wanted, before))
        .order_by(call.c.started_at.desc(), call.c.id.desc())
        .limit(most)
        .subquery("newest")
    )
    of_rule = and_(message.c.call_id == newest.c.id, message.c.rule == newest.c.rule, message.c.step == 0)
    waiting = and_(pending_text.c.call_id == newest.c.id, pending_text.c.rule == newest.c.rule)
    return (
        select(
            newest,
            thread.c.public_id.label("thread_id"),
            message.c.state.label("text_state"),
            message.c.reason.label("text_reason"),
            pending_text.c.due_at.label("pending_at"),
            pending_text.c.state.label("pending_state"),
        )
        .outerjoin(number, number.c.e164 == newest.c.did)
        .outerjoin(thread, and_(thread.c.number_id == number.c.id, thread.c.peer == newest.c.peer))
        .outerjoin(message, of_rule)
        .outerjoin(pending_text, waiting)
        .order_by(newest.c.started_at.desc(), newest.c.id.desc())
    )


def _conditions(wanted: CallFilter, before: tuple[int, int] | None) -> list[ColumnElement[bool] | TextClause]:
    found: list[ColumnElement[bool] | TextClause] = []
    if wanted.group in ROWS_OF:
        found.append(ROWS_OF[wanted.group])
    if wanted.peer is not None:
        found.append(call.c.peer == wanted.peer)
    if wanted.since is not None:
        found.append(call.c.started_at >= micros(wanted.since))
    if wanted.until is not None:
        found.append(call.c.started_at < micros(wanted.until))
    if before is not None:
        found.append(tuple_(call.c.started_at, call.c.id) < before)
    return found


def _line(row: "Row[tuple[object, ...]]") -> CallLine:
    return CallLine(
        public_id=row.public_id,
        direction=row.direction,
        caller=row.caller,
        did=row.did,
        peer=row.peer,
        presentation=row.presentation,
        started_at=moment_of(row.started_at),
        ended_at=maybe_moment_of(row.ended_at),
        rang=maybe_span_of(row.rang_us),
        waited=maybe_span_of(row.waited_us),
        outcome=row.outcome,
        decision=row.decision,
        reason=row.reason,
        rule=row.rule,
        until_at=maybe_moment_of(row.until_at),
        thread=row.thread_id,
        text=row.text_state,
        text_reason=row.text_reason,
        waits_until=moment_of(row.pending_at) if row.pending_state == "pending" else None,
    )


def read_story(connection: Connection, public_id: str) -> CallStory | None:
    """All of one call, as `ringback explain` tells it."""
    if kind_of(public_id) is not Kind.CALL:
        return None
    return next(iter(find(connection, public_id).calls), None)
