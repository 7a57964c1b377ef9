"""Whom we never text, as it is kept: one row a person and list, found by the number or by its hash.

The rows of an import come in piece by piece beside these, and count from the commit on that takes the sign off it that
it is coming; then they are merged, piece by piece.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from ringback.ports.changes import Touch
from ringback.ports.lists import COMING, Entry, ListName, ListPage, Place
from ringback.store.ghosts import PREFIX, Ghosts
from ringback.store.moments import maybe_moment_of, micros, moment_of
from ringback.store.reading import reading
from ringback.store.sql import for_each, insert, sql
from ringback.store.tx import Row, Runner

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from ringback.store.database import Database

T = TypeVar("T")
AT_ONCE = 500
"""So many numbers go into one question."""
AT = 5
"""Where a row has its moment."""

# Somebody's name, where who listed them is a user; labels are as in `Principal.label`.
_WHOLE = f"(l.batch = '' OR NOT EXISTS (SELECT 1 FROM setting s WHERE s.key = '{COMING}' || l.batch))"
_FROM = """l.list, l.key, l.reason, l.source, l.by_, l.at, coalesce(nullif(a.name, ''), a.login, l.by_)
    FROM listed l LEFT JOIN account a ON a.public_id = substr(l.by_, 6)"""
PUT = insert(
    "listed",
    "key list reason source by_ at",
    """ON CONFLICT (key, list, batch) DO UPDATE SET reason = excluded.reason, source = excluded.source,
    by_ = excluded.by_, at = excluded.at WHERE excluded.at > listed.at""",
)
DROP = sql(f"DELETE FROM listed AS l WHERE l.key = :key AND l.list = :list AND {_WHOLE}")
OF = sql(f"SELECT {_FROM} WHERE l.key IN (:number, :ghost) AND {_WHOLE} ORDER BY l.list, l.key")
PAGE = sql(f"SELECT {_FROM} WHERE l.list = :list AND {_WHOLE} ORDER BY l.at DESC, l.key DESC LIMIT :limit")
PAGE_AFTER = sql(
    f"""SELECT {_FROM} WHERE l.list = :list AND (l.at, l.key) < (:at, :key) AND {_WHOLE}
    ORDER BY l.at DESC, l.key DESC LIMIT :limit"""
)
KNOWN = for_each(
    f"""SELECT each.number, l.at FROM {{each}} CROSS JOIN listed l
    WHERE l.key IN (each.number, each.ghost) AND l.list = each.list AND {_WHOLE}""",
    number="text",
    ghost="text",
    list="text",
)
KEPT_BY_GHOST = sql(
    """DELETE FROM listed WHERE key = :ghost AND list IN
    (SELECT l.list FROM listed l WHERE l.key = :number AND l.at >= listed.at AND l.batch = listed.batch)"""
)
LESS_THAN_GHOST = sql(
    """DELETE FROM listed WHERE key = :number AND list IN
    (SELECT l.list FROM listed l WHERE l.key = :ghost AND l.batch = listed.batch)"""
)
ERASE = sql("UPDATE listed SET key = :ghost, reason = '', source = '' WHERE key = :number")

BROUGHT = ("key", "list", "batch", "reason", "source", "by_", "at")
LAST_OF = sql(
    """SELECT max(key) FROM (SELECT key FROM listed WHERE batch = :batch AND batch <> '' ORDER BY key LIMIT :most)
    AS few"""
)
MERGE = sql(
    """INSERT INTO listed (key, list, batch, reason, source, by_, at)
    SELECT key, list, '', reason, source, by_, at FROM listed WHERE batch = :batch AND batch <> '' AND key <= :last
    ON CONFLICT (key, list, batch) DO UPDATE SET reason = excluded.reason, source = excluded.source,
    by_ = excluded.by_, at = excluded.at WHERE excluded.at > listed.at"""
)
TAKE_OUT = sql("DELETE FROM listed WHERE batch = :batch AND batch <> '' AND key <= :last RETURNING key, list, at")

LIFTED = sql("SELECT 1 FROM opt_out_event WHERE thread_id = :thread AND kind = 'opt_in' AND at > :at LIMIT 1")

# What the facts of a pair ask, by the number and by the hash that stands for it once it was erased. Whoever said START
# in a thread since they stopped is texted there again, and nowhere else.
MARKS = (
    """(SELECT max(CASE l.list WHEN 'never' THEN 1 ELSE 0 END) + 2 * max(CASE l.list WHEN 'only' THEN 1 ELSE 0 END)
    + 4 * max(CASE WHEN l.list = 'stopped' AND NOT EXISTS (SELECT 1 FROM opt_out_event o WHERE o.thread_id = t.id
      AND o.kind = 'opt_in' AND o.at > l.at) THEN l.at ELSE 0 END) FROM listed l WHERE l.key IN ({0}, {1})
    AND """
    + _WHOLE
    + ")"
)


@dataclass(frozen=True, slots=True)
class Marks:
    """What MARKS found of a person: their lists, and since when they want no texts from any of our numbers."""

    never: bool = False
    only: bool = False
    stopped_at: datetime | None = None


UNMARKED = Marks()


def marks_of(found: int | None) -> Marks:
    return UNMARKED if not found else Marks(bool(found & 1), bool(found & 2), maybe_moment_of(found >> 2 or None))


class Lists:
    """Satisfies `ports.lists.Lists`."""

    def __init__(self, run: Runner, ghosts: Ghosts) -> None:
        self._run = run
        self._ghosts = ghosts

    def put(self, entry: Entry) -> bool:
        self._run.touch(Touch("peer", entry.number))
        return self._run.change(PUT, **_values(entry)) == 1

    def bring(self, batch: str, entries: Sequence[Entry]) -> None:
        rows = [_values(entry) | {"batch": batch} for entry in entries]
        self._run.pour("listed", BROUGHT, [tuple(map(row.__getitem__, BROUGHT)) for row in rows])

    def merge(self, batch: str, most: int) -> dict[str, datetime]:
        if (last := self._last_of(batch, most)) is None:
            return {}
        self._run.change(MERGE, batch=batch, last=last)
        return {key: moment_of(at) for key, _list, at in self._run.all(TAKE_OUT, batch=batch, last=last)}

    def leave_out(self, batch: str, most: int) -> int:
        last = self._last_of(batch, most)
        return 0 if last is None else len(self._run.all(TAKE_OUT, batch=batch, last=last))

    def _last_of(self, batch: str, most: int) -> str | None:
        row = self._run.one(LAST_OF, batch=batch, most=most)
        return row[0] if row else None

    def drop(self, list_: ListName, number: str) -> Entry | None:
        found = next((entry for entry in self.of(number) if entry.list is list_), None)
        self._run.touch(Touch("peer", number))
        for key in (number, self._ghosts.of(number)):
            self._run.change(DROP, key=key, list=list_)
        return found

    def of(self, number: str) -> tuple[Entry, ...]:
        rows = self._run.all(OF, number=number, ghost=self._ghosts.of(number))
        latest = {row[0]: _entry(row) for row in sorted(rows, key=lambda row: row[AT])}
        return tuple(latest[name] for name in ListName if name in latest)

    def page(self, list_: ListName, after: Place | None, most: int) -> ListPage:
        if after is None:
            rows = self._run.all(PAGE, list=list_, limit=most + 1)
        else:
            rows = self._run.all(PAGE_AFTER, list=list_, at=after.at, key=after.key, limit=most + 1)
        older = Place(rows[most - 1][AT], rows[most - 1][1]) if len(rows) > most else None
        return ListPage(tuple(map(_entry, rows[:most])), older)

    def known(self, list_: ListName, numbers: Collection[str]) -> dict[str, datetime]:
        found: dict[str, datetime] = {}
        wanted = list(numbers)
        for start in range(0, len(wanted), AT_ONCE):
            few = [[number, self._ghosts.of(number), list_] for number in wanted[start : start + AT_ONCE]]
            for number, at in self._run.all(KNOWN, each=json.dumps(few)):
                found[number] = max(found.get(number, moment_of(at)), moment_of(at))
        return found

    def erase(self, number: str) -> int:
        ghost = self._ghosts.of(number)
        self._run.change(KEPT_BY_GHOST, number=number, ghost=ghost)
        self._run.change(LESS_THAN_GHOST, number=number, ghost=ghost)
        self._run.change(ERASE, number=number, ghost=ghost)
        return len(self._run.all(OF, number=number, ghost=ghost))


def of_number(connection: "Connection", number: str) -> tuple[Entry, ...]:
    """The lists somebody is on."""
    return _reading(connection).of(number)


def lists_in(connection: "Connection", thread_id: int, peer: str) -> tuple[Entry, ...]:
    """The lists somebody is on, as it holds in one thread: a START there lifts what was said to the whole business."""
    run = reading(connection)
    found = Lists(run, Ghosts(run)).of(peer)
    return tuple(
        entry
        for entry in found
        if entry.list is not ListName.STOPPED or run.one(LIFTED, thread=thread_id, at=micros(entry.at)) is None
    )


class ReadLists:
    """Reads beside the writer, with the same statements. Satisfies `ports.lists.ReadLists`."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def of(self, number: str) -> tuple[Entry, ...]:
        return await self._read(lambda lists: lists.of(number))

    async def page(self, list_: ListName, after: Place | None = None, most: int = 50) -> ListPage:
        return await self._read(lambda lists: lists.page(list_, after, most))

    async def known(self, list_: ListName, numbers: Iterable[str]) -> dict[str, datetime]:
        asked = list(numbers)
        return await self._read(lambda lists: lists.known(list_, asked))

    async def _read(self, look: "Callable[[Lists], T]") -> T:
        return await self._database.read(lambda connection: look(_reading(connection)))


def _reading(connection: "Connection") -> Lists:
    run = reading(connection)
    return Lists(run, Ghosts(run))


def _values(entry: Entry) -> dict[str, object]:
    return {
        "key": entry.number,
        "list": entry.list,
        "reason": entry.reason,
        "source": entry.source,
        "by_": entry.by,
        "at": micros(entry.at),
    }


def _entry(row: Row) -> Entry:
    list_, key, reason, source, by, at, name = row
    return Entry(ListName(list_), "" if key.startswith(PREFIX) else key, reason, source, by, moment_of(at), name)
