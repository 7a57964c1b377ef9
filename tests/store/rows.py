"""Puts rows straight into a database, and asks SQLite how it would find some."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection, Select, create_engine, insert
from sqlalchemy.dialects import sqlite

from ringback.store.tables import metadata
from ringback.store.tables.record import UNGUARDED

# Rows made by the statement itself have no name or a bracketed one; a covering index is walked in its order.
WALKED = re.compile(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?$")


@contextmanager
def changing(url: str) -> Iterator[Connection]:
    """A connection beside the daemon's own that may change everything."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def put(url: str, rows: Mapping[str, Iterable[Mapping[str, object]]]) -> None:
    """Put rows into tables by name, in the order given."""
    with changing(url) as connection:
        for table, values in rows.items():
            for value in values:
                connection.execute(insert(metadata.tables[table]).values(**value))


def unguard(url: str) -> None:
    """Drop the triggers of the record, if they are still there."""
    with changing(url) as connection:
        for statement in UNGUARDED[connection.dialect.name]:
            connection.exec_driver_sql(statement)


def run(url: str, statement: str) -> None:
    """Run one statement as it stands; whoever can do that can drop what keeps the record as it is."""
    if " audit " in statement:
        unguard(url)
    with changing(url) as connection:
        connection.exec_driver_sql(statement)


def a_call(n: int, at: int, **change: object) -> dict[str, object]:
    """A missed call whose text went, begun at `at` microseconds."""
    return {
        "id": n,
        "public_id": f"call_{n:026}",
        "pbx": "main",
        "uniqueid": f"{n}.0",
        "linkedid": f"{n}.0",
        "direction": "inbound",
        "caller": "+15125550123",
        "did": "+12025550101",
        "peer": "+15125550123",
        "presentation": "shown",
        "started_at": at,
        "ended_at": at + 20_000_000,
        "outcome": "missed",
        "decision": "send",
        "reason": "allowed",
        "rule": "missed",
    } | change


def a_task(n: int, at: int, **change: object) -> dict[str, object]:
    """An open task without anything it is about."""
    return {"id": n, "public_id": f"task_{n:026}", "key": f"storm:{n}", "kind": "storm", "at": at} | change


def a_text(n: int, at: int, **change: object) -> dict[str, object]:
    """The delivered text of rule `missed` in thread 1."""
    return {
        "id": n,
        "public_id": f"msg_{n:026}",
        "thread_id": 1,
        "carrier": "main",
        "class_": "transactional",
        "basis": "caller_initiated",
        "language": "en",
        "cause": "rule missed",
        "body": "Sorry we missed you.",
        "state": "delivered",
        "not_before": at,
        "created_at": at,
        "state_at": at,
        "expires_at": at + 1,
        "rule": "missed",
    } | change


def a_thread(n: int = 1, did: int = 1, peer: str = "+15125550123", **change: object) -> dict[str, object]:
    return {
        "id": n,
        "public_id": f"thr_{n:026}",
        "number_id": did,
        "peer": peer,
        "created_at": n,
        "changed_at": n,
    } | change


OUR_NUMBER = {"id": 1, "e164": "+12025550101"}


def plan(connection: Connection, statement: Select[tuple[object, ...]]) -> list[str]:
    """How SQLite would run it, a line a step."""
    words = str(statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}")]


def walks(steps: list[str]) -> list[tuple[str, str]]:
    """The tables it goes through from an end, each with the index whose order it follows."""
    return [(found[1], found[2] or "") for step in steps if (found := WALKED.match(step))]
