"""Tasks for the pages: what is due first, then the oldest; what is done, the latest first. By keyset, on indexes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    TextualSelect,
    UnaryExpression,
    and_,
    asc,
    desc,
    func,
    select,
    text,
    tuple_,
)

from ringback.core.grants import Reach
from ringback.core.permissions import Asker
from ringback.ports.worklist import TaskCall, TaskIncoming, TaskLine, TasksPage, TaskText, TaskThread
from ringback.store.database import Database
from ringback.store.moments import maybe_moment_of, moment_of
from ringback.store.reach import OF_NO_NUMBER, Walk, as_json
from ringback.store.read_timeline import FAR, NO_TIME
from ringback.store.tables import (
    DONE_TASK,
    DUE_TASK,
    OPEN_TASK,
    UNDATED_TASK,
    account,
    call,
    incoming,
    message,
    number,
    pair_facts,
    task,
    thread,
)

PAGE = 50
KNOWN = 64
"""Statements that are kept: to put one together takes longer than to run it."""
Found = tuple[object, ...]
Listed = Select[Found]
Place = tuple[int, int]
"""Where a page goes on: the value its rows are ordered by, and the row's id."""
List = Callable[[Place | None, int, str], Listed]
BEFORE_ALL, BEYOND_ALL = (NO_TIME, 0), (FAR, 0)

USER = f"{Asker.USER} "
"""How the label of somebody who logged in begins; their public id follows."""


class ReadTasks:
    """Satisfies `ports.worklist.Worklist`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, reach: Reach, after: str | None = None) -> TasksPage:
        return await self._database.read(lambda connection: read_open(connection, reach, after))

    async def done(self, reach: Reach, before: str | None = None) -> TasksPage:
        return await self._database.read(lambda connection: read_done(connection, reach, before))

    async def task(self, reach: Reach, public_id: str) -> TaskLine | None:
        return await self._database.read(lambda connection: read_one(connection, reach, public_id))


def within(reach: Reach, did: str) -> bool:
    """Whether a task about this number is for them; what is about none is for everybody."""
    return did == OF_NO_NUMBER or did in reach


def read_open(connection: Connection, reach: Reach, after: str | None, most: int = PAGE) -> TasksPage:
    """What is due at a time, then the rest until the page is full. An unknown `after` begins at the top."""
    look = _Look(connection, reach)
    seen = connection.execute(select(task).where(task.c.public_id == after)).first()
    seen = seen if seen is not None and within(reach, seen.did) else None
    among_due, among_rest = (None, None) if seen is None else ((seen.due_at, seen.id), (seen.at, seen.id))
    rows: list[Row[Found]] = []
    if seen is None or seen.due_at is not None:
        rows += look.rows(due, among_due, most + 1)
        among_rest = None
    if len(rows) <= most:
        rows += look.rows(undated, among_rest, most + 1 - len(rows))
    return _page(connection, rows, most)


def read_done(connection: Connection, reach: Reach, before: str | None, most: int = PAGE) -> TasksPage:
    """What was settled, the latest first. An unknown `before` begins at the latest."""
    seen = connection.execute(select(task).where(task.c.public_id == before, DONE_TASK)).first()
    place = (seen.done_at, seen.id) if seen is not None and within(reach, seen.did) else None
    return _page(connection, _Look(connection, reach).rows(settled, place, most + 1), most)


def read_one(connection: Connection, reach: Reach, public_id: str) -> TaskLine | None:
    row = connection.execute(select(task.c.did).where(task.c.public_id == public_id)).first()
    if row is None or not within(reach, row.did):
        return None
    one = select(task).where(task.c.public_id == public_id)
    return next(iter(_page(connection, connection.execute(_with_all_about_it(one, "id")).all(), 1).tasks), None)


@dataclass(frozen=True, slots=True)
class _Look:
    """Asks for rows of a list: as it stands, or of the numbers of a reach."""

    connection: Connection
    reach: Reach

    def rows(
        self, listed: "Callable[[Place | None, int, str], Listed]", place: Place | None, most: int
    ) -> "list[Row[Found]]":
        if self.reach.everything:
            return list(self.connection.execute(listed(place, most, "")))
        values = {"reach": as_json(self.reach, OF_NO_NUMBER)}
        return list(self.connection.execute(listed(place, most, self.connection.dialect.name), values))


COLUMNS = " ".join(column.name for column in task.c)
BY_DUE = Walk("task", COLUMNS, "due_at", "did", where=f"AND {DUE_TASK.text}", turn="ASC")
BY_AGE = Walk("task", COLUMNS, "at", "did", where=f"AND {UNDATED_TASK.text}", turn="ASC")
BY_END = Walk("task", COLUMNS, "done_at", "did", where=f"AND {DONE_TASK.text}")


def _of_each(walk: Walk, kind: str, place: Place, most: int) -> TextualSelect:
    """The same rows from those of each number of `:reach`."""
    return text(walk.page(kind)).bindparams(at=place[0], id=place[1], most=most).columns(*task.c)


# `kind` is that of the database where the rows are those of a reach, empty where they are all there are.


@lru_cache(KNOWN)
def due(after: Place | None, most: int, kind: str = "") -> Listed:
    if kind:
        return _with_all_about_it(_of_each(BY_DUE, kind, after or BEFORE_ALL, most), "due_at")
    rows = select(task).where(DUE_TASK).order_by(task.c.due_at, task.c.id).limit(most)
    if after is not None:
        rows = rows.where(tuple_(task.c.due_at, task.c.id) > after)
    return _with_all_about_it(rows, "due_at")


@lru_cache(KNOWN)
def undated(after: Place | None, most: int, kind: str = "") -> Listed:
    if kind:
        return _with_all_about_it(_of_each(BY_AGE, kind, after or BEFORE_ALL, most), "at")
    rows = select(task).where(OPEN_TASK, task.c.due_at.is_(None)).order_by(task.c.at, task.c.id).limit(most)
    if after is not None:
        rows = rows.where(tuple_(task.c.at, task.c.id) > after)
    return _with_all_about_it(rows, "at")


@lru_cache(KNOWN)
def settled(before: Place | None, most: int, kind: str = "") -> Listed:
    if kind:
        return _with_all_about_it(_of_each(BY_END, kind, before or BEYOND_ALL, most), "done_at", desc)
    rows = select(task).where(DONE_TASK).order_by(task.c.done_at.desc(), task.c.id.desc()).limit(most)
    if before is not None:
        rows = rows.where(tuple_(task.c.done_at, task.c.id) < before)
    return _with_all_about_it(rows, "done_at", desc)


def _with_all_about_it(
    rows: "Select[Found] | TextualSelect", by: str, order: Callable[[ColumnElement[int]], UnaryExpression[int]] = asc
) -> Select[Found]:
    """Look up what the tasks are about. The thread is the task's own, or that of its text or its call."""
    some = rows.subquery("some")
    called, theirs, ours = number.alias("called"), thread.alias("theirs"), number.alias("ours")
    its_thread = func.coalesce(some.c.thread_id, message.c.thread_id, theirs.c.id)
    return (
        select(
            some,
            *_named("text", message, "public_id body state state_at carrier"),
            *_named("call", call, "public_id caller did peer started_at outcome"),
            *_named("their", incoming, "public_id body at"),
            *_named("thread", thread, "public_id peer"),
            ours.c.e164,
            pair_facts.c.opted_out_at,
        )
        .outerjoin(message, message.c.id == some.c.message_id)
        .outerjoin(call, call.c.id == some.c.call_id)
        .outerjoin(incoming, incoming.c.id == some.c.incoming_id)
        .outerjoin(called, called.c.e164 == call.c.did)
        .outerjoin(theirs, and_(theirs.c.number_id == called.c.id, theirs.c.peer == call.c.peer))
        .outerjoin(thread, thread.c.id == its_thread)
        .outerjoin(ours, ours.c.id == thread.c.number_id)
        .outerjoin(pair_facts, pair_facts.c.thread_id == thread.c.id)
        .order_by(order(some.c[by]), order(some.c.id))
    )


def _named(prefix: str, table: Table, columns: str) -> Iterator[ColumnElement[object]]:
    """Columns under names of their own, since several tables have an `at`."""
    return (table.c[name].label(f"{prefix}_{name}") for name in columns.split())


def _page(connection: Connection, rows: "Sequence[Row[Found]]", most: int) -> TasksPage:
    """One task more than a page holds says that there are more."""
    names = _names(connection, {str(row.done_by).removeprefix(USER) for row in rows[:most]})
    tasks = tuple(_line(row, names) for row in rows[:most])
    return TasksPage(tasks, tasks[-1].public_id if len(rows) > most else None)


def _names(connection: Connection, users: set[str]) -> Mapping[str, str]:
    query = select(account.c.public_id, account.c.name).where(account.c.public_id.in_(users))
    return {f"{USER}{public_id}": name for public_id, name in connection.execute(query)}


def _line(row: "Row[Found]", names: Mapping[str, str]) -> TaskLine:
    return TaskLine(
        public_id=row.public_id,
        kind=row.kind,
        at=moment_of(row.at),
        due_at=maybe_moment_of(row.due_at),
        detail=row.detail,
        done_at=maybe_moment_of(row.done_at),
        done_by=row.done_by,
        done_name=names.get(row.done_by, ""),
        thread=_thread(row),
        text=_text(row),
        call=_call(row),
        incoming=_incoming(row),
    )


def _thread(row: "Row[Found]") -> TaskThread | None:
    if row.thread_public_id is None:
        return None
    return TaskThread(row.thread_public_id, row.e164, row.thread_peer, row.opted_out_at is not None)


def _text(row: "Row[Found]") -> TaskText | None:
    if row.text_public_id is None:
        return None
    return TaskText(row.text_public_id, row.text_body, row.text_state, moment_of(row.text_state_at), row.text_carrier)


def _call(row: "Row[Found]") -> TaskCall | None:
    if row.call_public_id is None:
        return None
    started_at = moment_of(row.call_started_at)
    return TaskCall(row.call_public_id, row.call_caller, row.call_did, row.call_peer, started_at, row.call_outcome)


def _incoming(row: "Row[Found]") -> TaskIncoming | None:
    if row.their_public_id is None:
        return None
    return TaskIncoming(row.their_public_id, row.their_body, moment_of(row.their_at))
