"""Calls for the pages: a list by keyset over the indexes of `call`, and one call with its whole story."""

from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    TextClause,
    TextualSelect,
    and_,
    select,
    text,
    tuple_,
)

from ringback.core.calls import Direction
from ringback.core.grants import EVERYTHING, Reach
from ringback.core.ids import Kind, kind_of
from ringback.ports.callbook import CallFilter, CallLine, CallsPage, Group
from ringback.ports.stories import CallStory
from ringback.store.database import Database
from ringback.store.moments import maybe_moment_of, maybe_span_of, micros, moment_of
from ringback.store.reach import LITE, Walk, as_json
from ringback.store.read_timeline import FAR, NO_TIME
from ringback.store.stories import find
from ringback.store.tables import UNANSWERED, WITH_TEXT, WITHOUT_TEXT, call, message, number, pending_text, thread

PAGE = 50
OUTBOUND = str(Direction.OUTBOUND)
ROWS_OF: dict[Group, TextClause] = {
    Group.UNANSWERED: UNANSWERED,
    Group.WITH_TEXT: WITH_TEXT,
    Group.WITHOUT_TEXT: WITHOUT_TEXT,
}


def _only(group: Group) -> str:
    return f" AND {ROWS_OF[group].text}" if group in ROWS_OF else ""


WALKS: dict[Group, Walk] = {
    group: Walk(
        "call",
        " ".join(column.name for column in call.c),
        "started_at",
        "did",
        where=f"AND direction <> '{OUTBOUND}' AND x.started_at >= :since{_only(group)}",
    )
    for group in Group
}
Place = tuple[int, int]
"""Where a page goes on: when a call began, and its row."""


class ReadCalls:
    """Satisfies `ports.callbook.Callbook`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, reach: Reach, wanted: CallFilter, before: str | None = None) -> CallsPage:
        return await self._database.read(lambda connection: read_page(connection, reach, wanted, before))

    async def story(self, reach: Reach, public_id: str) -> CallStory | None:
        return await self._database.read(lambda connection: read_story(connection, reach, public_id))


@dataclass(frozen=True, slots=True)
class Asked:
    """One page: `kind` is that of the database. A call is of the number that was called, so one to outside is of none
    of ours."""

    wanted: CallFilter
    before: Place | None
    most: int
    reach: Reach = EVERYTHING
    kind: str = LITE


def read_page(
    connection: Connection, reach: Reach, wanted: CallFilter, before: str | None, most: int = PAGE
) -> CallsPage:
    """One call more than asked for says that there are older ones. An unknown `before` begins at the newest."""
    place = select(call.c.started_at, call.c.id, call.c.did, call.c.direction).where(call.c.public_id == before)
    seen = connection.execute(place).first()
    from_ = (seen.started_at, seen.id) if seen is not None and _within(reach, seen.direction, seen.did) else None
    rows = connection.execute(lines(Asked(wanted, from_, most + 1, reach, connection.dialect.name))).all()
    calls = tuple(_line(row) for row in rows[:most])
    return CallsPage(calls, calls[-1].public_id if len(rows) > most else None)


def _within(reach: Reach, direction: str, did: str) -> bool:
    return reach.everything or (direction != OUTBOUND and did in reach)


def lines(asked: Asked) -> Select[tuple[object, ...]]:
    """The newest calls that fit; what belongs to each is looked up only for those."""
    newest = _newest(asked).subquery("newest")
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


def _newest(asked: Asked) -> "Select[tuple[object, ...]] | TextualSelect":
    if not asked.reach.everything and asked.wanted.peer is None:
        return _of_each(asked)
    rows = select(call).where(*_conditions(asked.wanted, asked.before))
    if not asked.reach.everything:
        rows = rows.where(call.c.did.in_(sorted(asked.reach.numbers)), call.c.direction != OUTBOUND)
    return rows.order_by(call.c.started_at.desc(), call.c.id.desc()).limit(asked.most)


def _of_each(asked: Asked) -> TextualSelect:
    """The same from the newest of each number. A call that begins when a span ends is no part of it."""
    wanted = asked.wanted
    until = FAR if wanted.until is None else micros(wanted.until)
    at, row = min(asked.before or (FAR, 0), (until, 0))
    since = NO_TIME if wanted.since is None else micros(wanted.since)
    values = {"reach": as_json(asked.reach), "at": at, "id": row, "since": since, "most": asked.most}
    return text(WALKS[wanted.group].page(asked.kind)).bindparams(**values).columns(*call.c)


def _conditions(wanted: CallFilter, before: Place | None) -> list[ColumnElement[bool] | TextClause]:
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


def read_story(connection: Connection, reach: Reach, public_id: str) -> CallStory | None:
    """All of one call, as `ringback explain` tells it."""
    if kind_of(public_id) is not Kind.CALL:
        return None
    if not reach.everything:
        whose = select(call.c.direction, call.c.did).where(call.c.public_id == public_id)
        row = connection.execute(whose).first()
        if row is None or not _within(reach, row.direction, row.did):
            return None
    return next(iter(find(connection, public_id).calls), None)
