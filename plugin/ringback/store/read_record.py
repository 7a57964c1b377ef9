"""The record as it is read, page by page."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, select

from ringback.ports.record import Entry, Wanted
from ringback.store.database import Database
from ringback.store.moments import micros, moment_of
from ringback.store.tables import audit

if TYPE_CHECKING:
    from ringback.store.tx import Row

AT_ONCE = 2_000
IDS_AT_ONCE = 500
COLUMNS = [
    audit.c[name] for name in ["id", "at", "who", "action", "about", "detail", "source", "request", "before", "after"]
]


class StoredRecord:
    """Behind `late.read_record`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entries(self, wanted: Wanted, before: int | None, limit: int) -> list[Entry]:
        """The newest rows below `before`."""
        return await self._database.read(lambda connection: newest(connection, wanted, before, limit))

    async def oldest(self, wanted: Wanted, after: int) -> list[Entry]:
        """The oldest rows above `after`, some of them."""
        return await self._database.read(lambda connection: oldest(connection, wanted, after))


def newest(connection: Connection, wanted: Wanted, before: int | None, limit: int) -> list[Entry]:
    found = asked(connection, wanted).order_by(audit.c.id.desc()).limit(limit)
    return _entries(connection, found if before is None else found.where(audit.c.id < before))


def oldest(connection: Connection, wanted: Wanted, after: int) -> list[Entry]:
    found = asked(connection, wanted).where(audit.c.id > after).order_by(audit.c.id).limit(AT_ONCE)
    return _entries(connection, found)


def about_any(connection: Connection, ids: Collection[str]) -> list[Entry]:
    """Every row about any of these, the oldest first."""
    wanted, found = sorted(ids), []
    for start in range(0, len(wanted), IDS_AT_ONCE):
        some = wanted[start : start + IDS_AT_ONCE]
        found += _entries(connection, select(*COLUMNS).where(audit.c.about.in_(some)))
    return sorted(found, key=lambda entry: entry.id)


def asked(connection: Connection, wanted: Wanted) -> "Select[Row]":
    """Rows are asked for by one index, and of the others only their ends: days are turned into rows first."""
    found = select(*COLUMNS)
    for column in ("who", "action", "about"):
        if value := getattr(wanted, column):
            found = found.where(audit.c[column] == value)
    if wanted.since is not None:
        first = select(audit.c.id).where(audit.c.at >= micros(wanted.since)).order_by(audit.c.at, audit.c.id).limit(1)
        at_least = connection.execute(first).scalar()
        found = found.where(audit.c.at >= micros(wanted.since), audit.c.id >= (at_least or 0))
    if wanted.until is not None:
        last = select(audit.c.id).where(audit.c.at < micros(wanted.until))
        at_most = connection.execute(last.order_by(audit.c.at.desc(), audit.c.id.desc()).limit(1)).scalar()
        found = found.where(audit.c.at < micros(wanted.until), audit.c.id <= (at_most or 0))
    return found


def _entries(connection: Connection, query: "Select[Row]") -> list[Entry]:
    return [_entry(*tuple[Any, ...](row)) for row in connection.execute(query)]


def _entry(id_: int, at: int, *words: Any) -> Entry:  # the words of a row, in the order of NAMES
    return Entry(id_, moment_of(at), *words)
