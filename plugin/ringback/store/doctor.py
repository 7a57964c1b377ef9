"""Looks at the whole database and says what is wrong with it, row by row. It only reads.

Whatever a row holds, a check says so and goes on: rows written by hand must not stop the one who looks for them.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial, reduce
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from ringback.core.consents import Consents
from ringback.core.consents import fold as fold_consents
from ringback.core.messages import PartState, fold
from ringback.errors import StoreFault
from ringback.keyfile import known_keys
from ringback.store import chain
from ringback.store.addresses import sqlite_path
from ringback.store.ailments import (
    EXPIRED_LONG,
    NO_WORD,
    OPEN_LONG,
    PARKED_LONG,
    QUERIES,
    UNREAD_LONG,
    UNSENT,
    Ailment,
)
from ringback.store.anchors import FILE, read_anchors
from ringback.store.audit import RECORD, Audit
from ringback.store.consents import EVENT, event_of, write_consents
from ringback.store.database import reader
from ringback.store.ghosts import PREFIX
from ringback.store.moments import micros
from ringback.store.schema import HEAD, schema_version

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

MOST = 20
"""Rows of one kind that are told one by one; the others are counted."""

_LINE = ", ".join(f"e.{name.strip()}" for name in EVENT.split(","))
SAID = f"""SELECT t.id, t.public_id, coalesce(f.consents, ''), {_LINE}
    FROM consent_event e JOIN thread t ON t.id = e.thread_id LEFT JOIN pair_facts f ON f.thread_id = t.id
    WHERE substr(t.peer, 1, {len(PREFIX)}) <> '{PREFIX}' ORDER BY t.id, e.id"""
TEXTS = (
    ("message", "public_id"),
    ("message", "body"),
    ("message", "carrier"),
    ("thread", "peer"),
    ("incoming", "body"),
)
"""Columns that SQLite lets anything into; each must be text."""


class Doctor:
    """One look at one database."""

    def __init__(self, url: str, now: datetime, state: Path | None = None) -> None:
        self._url = url
        self._now = now
        self._state = state
        self._times = {
            name: micros(now - span)
            for name, span in (
                ("open_long", OPEN_LONG),
                ("unread_long", UNREAD_LONG),
                ("parked_long", PARKED_LONG),
                ("expired_long", EXPIRED_LONG),
                ("no_word", NO_WORD),
            )
        }

    def look(self) -> Iterator[tuple[str, list[Ailment]]]:
        """Run every check, each in its own short read; gives its name and what it found.

        Raises StoreFault when there is no database or it speaks another schema.
        """
        version = schema_version(self._url)
        if version != HEAD:
            raise StoreFault(f"the database is at schema {version}, wanted {HEAD}: run `ringback migrate`")
        engine = reader(self._url)
        try:
            for name, check in self._checks():
                yield name, self._ask(engine, name, check)
        finally:
            engine.dispose()

    def _ask(self, engine: "Engine", name: str, check: "Callable[[Connection], Iterator[Ailment]]") -> list[Ailment]:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with engine.connect() as connection:
                return list(check(connection))
        except (SQLAlchemyError, ValueError) as problem:
            # a text that is no UTF-8 is a ValueError of the driver's
            why = str(getattr(problem, "orig", None) or problem).strip().partition("\n")[0]
            return [Ailment(name, "database", f"cannot be looked at: {why}")]

    def _checks(self) -> "Iterator[tuple[str, Callable[[Connection], Iterator[Ailment]]]]":
        yield "file", self._file
        yield "references", self._references
        yield "values", self._values
        yield "folds", self._folds
        for name in dict.fromkeys(query.name for query in QUERIES):
            yield name, partial(self._queries, name)
        yield "ledger", self._ledger
        yield "audit", self._audit
        yield "digests", self._digests

    def _file(self, connection: "Connection") -> Iterator[Ailment]:
        """Is the database itself whole, with the tables we expect?"""
        from sqlalchemy import inspect

        from ringback.store.tables import metadata

        if sqlite_path(self._url):
            for (said,) in connection.exec_driver_sql(f"PRAGMA integrity_check({MOST})"):
                if said != "ok":
                    yield Ailment("file", "database", str(said).partition("\n")[0])
        else:
            yield from self._postgres_indexes(connection)
        there = set(inspect(connection).get_table_names())
        yield from (Ailment("file", name, "this table is missing") for name in sorted(set(metadata.tables) - there))

    def _postgres_indexes(self, connection: "Connection") -> Iterator[Ailment]:
        rows = connection.exec_driver_sql(
            """SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'public' AND NOT (i.indisvalid AND i.indisready)"""
        )
        yield from (Ailment("file", row[0], "this index is not valid") for row in rows)

    def _references(self, connection: "Connection") -> Iterator[Ailment]:
        """Does every row that names another find it? PostgreSQL sees to that itself, unless somebody turned it off."""
        if sqlite_path(self._url):
            for table, row, parent, _key in list(connection.exec_driver_sql("PRAGMA foreign_key_check"))[:MOST]:
                yield Ailment("references", f"{table} row {row}", f"names a row of {parent} that is not there")
            return
        rows = connection.exec_driver_sql(
            """SELECT conrelid::regclass::text, conname FROM pg_constraint
            WHERE contype = 'f' AND NOT convalidated AND connamespace = 'public'::regnamespace"""
        )
        yield from (Ailment("references", row[0], f"{row[1]} was never checked") for row in rows)

    def _values(self, connection: "Connection") -> Iterator[Ailment]:
        """SQLite keeps what it is given: a number or bytes where a text belongs."""
        for table, column in TEXTS if sqlite_path(self._url) else ():
            rows = connection.exec_driver_sql(
                f"SELECT id, typeof({column}) FROM {table} WHERE typeof({column}) <> 'text' LIMIT {MOST}"
            )
            yield from (
                Ailment("values", f"{table} row {row[0]}", f"its {column} is {row[1]}, not text") for row in rows
            )

    def _folds(self, connection: "Connection") -> Iterator[Ailment]:
        """Is every text that went to a carrier what its parts say?"""
        # in one statement, since a daemon that runs may move a text between two
        rows = connection.exec_driver_sql(
            f"""SELECT m.id, m.public_id, m.state, p.state FROM message m JOIN part p ON p.message_id = m.id
            WHERE m.state NOT IN ({UNSENT}, 'unresolved', 'no_receipt') AND EXISTS
            (SELECT 1 FROM part o WHERE o.message_id = m.id AND o.state <> m.state) ORDER BY m.id"""
        )
        for (id_, public_id, state), group in groupby(rows, key=lambda row: (row[0], row[1], row[2])):
            parts = [row[3] for row in group]
            if any(part not in set(PartState) for part in parts):
                continue  # told by its own check
            should = fold([PartState(part) for part in parts])
            if should != state:
                yield Ailment("folds", str(public_id), f"is {state}, and its parts make it {should}", "message", id_)

    def _queries(self, name: str, connection: "Connection") -> Iterator[Ailment]:
        from sqlalchemy import text

        for query in (query for query in QUERIES if query.name == name):
            wanted = {key: value for key, value in self._times.items() if f":{key}" in query.statement}
            for id_, where, told in connection.execute(text(query.statement), wanted):
                yield Ailment(name, str(where), query.says.format(told), query.cure, id_)

    def _ledger(self, connection: "Connection") -> Iterator[Ailment]:
        """Does what holds beside each pair follow from what was said? Of somebody erased nothing holds."""
        rows = connection.exec_driver_sql(SAID)
        for (thread, public_id, holds), said in groupby(rows, key=lambda row: (row[0], row[1], row[2])):
            should = reduce(fold_consents, (event_of(tuple(row[3:])) for row in said), Consents())
            if holds != write_consents(should):
                what = "said what makes up another than what holds: " + (holds or "nothing")
                yield Ailment("ledger", str(public_id), what, "consents", thread)

    def _audit(self, connection: "Connection") -> Iterator[Ailment]:
        """Was the record changed by hand? The first row that does not fit is told; those behind it cannot be judged."""
        from ringback.store.reading import reading

        keys = known_keys(self._state, RECORD) if self._state else None
        anchors = read_anchors(self._state / FILE) if self._state else []
        if fault := Audit(reading(connection)).look(keys, anchors, self._now).fault:
            yield Ailment("audit", f"row {fault.row}", fault.what)

    def _digests(self, connection: "Connection") -> Iterator[Ailment]:
        """Do the histories of texts still make the digests that stand in the record?"""
        digests = connection.exec_driver_sql(
            f"SELECT id, about, detail FROM audit WHERE action = '{chain.DIGEST}' ORDER BY id"
        )
        for id_, about, sealed in list(digests):
            if (span := chain.span_of(about)) is None:
                continue
            rows = connection.exec_driver_sql(
                f"SELECT id, message_id, at, state, reason FROM message_event "
                f"WHERE id BETWEEN {span.first} AND {span.last} ORDER BY id"
            )
            events = [tuple(row) for row in rows]
            if chain.digest(events) != sealed:
                yield Ailment("digests", about, f"was changed by hand since row {id_} of the record was written")


def as_json(ailments: list[Ailment]) -> str:
    return json.dumps(
        [{"check": one.check, "where": one.where, "what": one.what, "cure": one.cure} for one in ailments]
    )
