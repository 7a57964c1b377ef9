"""One transaction, as a step sees it: the nouns it may change, and a plain way to run statements."""

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from ringback.core.ids import ENTROPY_BYTES, Kind, make_id
from ringback.ports.changes import Touch
from ringback.store.sql import Sql

Row = tuple[Any, ...]
Values = Mapping[str, object]


class Cursor(Protocol):
    """What sqlite3 and psycopg cursors have in common."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Row | None: ...
    def fetchall(self) -> list[Row]: ...


class Driver(Protocol):
    """A connection of either database, with the dialect chosen."""

    def execute(self, statement: Sql, values: Values) -> Cursor: ...
    def executemany(self, statement: Sql, rows: Iterable[Values]) -> None: ...


class Runner:
    """Statements of one transaction."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._touched: set[Touch] = set()

    def touch(self, *touches: Touch) -> None:
        """Note what this transaction changes, for those who show it."""
        self._touched.update(touches)

    def take_touched(self) -> frozenset[Touch]:
        """What was touched since the last call; some of it may have been undone."""
        touched = frozenset(self._touched)
        self._touched.clear()
        return touched

    def use(self, driver: Driver) -> None:
        """Go on over a new connection."""
        self._driver = driver

    def one(self, statement: Sql, **values: object) -> Row | None:
        return self._driver.execute(statement, values).fetchone()

    def all(self, statement: Sql, **values: object) -> list[Row]:
        return self._driver.execute(statement, values).fetchall()

    def change(self, statement: Sql, **values: object) -> int:
        """Run a change; returns how many rows it touched."""
        return self._driver.execute(statement, values).rowcount

    def many(self, statement: Sql, rows: list[dict[str, object]]) -> None:
        if rows:
            self._driver.executemany(statement, rows)


def new_id(kind: Kind, now: datetime) -> str:
    return make_id(kind, now, os.urandom(ENTROPY_BYTES))
