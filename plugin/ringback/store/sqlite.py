"""SQLite as the writer's database: WAL, every commit flushed, one connection for all writes and checkpoints."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from ringback.store.nouns import Nouns
from ringback.store.sql import Sql
from ringback.store.tx import Cursor, Values

PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # with NORMAL a power cut lost every acknowledged row of a test
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
)
LOOKING = ("PRAGMA query_only = ON", "PRAGMA wal_autocheckpoint = 0")
BUSY_WAIT_S = 5.0
LATER = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOMEM,
    }
)
"""Primary result codes of the disk and of foreign locks; all others are a step's own fault."""


class SqliteDriver:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: Sql, values: Values) -> Cursor:
        return self._connection.execute(statement.sqlite, values)

    def executemany(self, statement: Sql, rows: Iterable[Values]) -> None:
        self._connection.executemany(statement.sqlite, rows)


class SqliteConnection:
    """One writing connection; it also does all checkpoints."""

    def __init__(self, path: Path, pragmas: Iterable[str] = PRAGMAS) -> None:
        self._connection = sqlite3.connect(path, timeout=BUSY_WAIT_S, isolation_level=None, cached_statements=256)
        for pragma in pragmas:
            self._connection.execute(pragma).fetchall()
        self.nouns = Nouns(SqliteDriver(self._connection))

    def later(self, problem: Exception) -> bool:
        # what the module itself complains of, like a value that is not there, has no code
        code = getattr(problem, "sqlite_errorcode", None) or 0
        return isinstance(problem, sqlite3.Error) and code & 0xFF in LATER

    def begin(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def look(self) -> None:
        """Begin a transaction that only reads."""
        self._connection.execute("BEGIN")

    def save(self) -> None:
        self._connection.execute("SAVEPOINT step")

    def keep(self) -> None:
        self._connection.execute("RELEASE step")

    def undo(self) -> None:
        self._connection.execute("ROLLBACK TO step")
        self._connection.execute("RELEASE step")

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()
