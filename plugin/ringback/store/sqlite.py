"""SQLite as the writer's database: WAL, every commit flushed, one connection for all writes and checkpoints."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import count as counting
from pathlib import Path
from typing import Any

from ringback.store.counting import COUNT, COUNTED, count_of
from ringback.store.nouns import Nouns
from ringback.store.sql import Rows, Sql
from ringback.store.tx import Change, Cursor, Question, Row, Values

PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # with NORMAL a power cut lost every acknowledged row of a test
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA secure_delete = ON",  # what is erased leaves no bytes behind; Debian's library does so by itself
)
LOOKING = ("PRAGMA query_only = ON", "PRAGMA wal_autocheckpoint = 0")
BUSY_WAIT_S = 2.0
"""Somebody else's lock is waited for so long. Who comes meanwhile waits twice that at most."""

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


DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class SqliteDriver:
    ids_last = False

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: Sql, values: Values) -> Cursor:
        return self._connection.execute(statement.sqlite, values)

    def ask(self, questions: Sequence[Question]) -> Sequence[list[Row]]:
        return [self.execute(statement, values).fetchall() for statement, values in questions]

    def executemany(self, statement: Sql, rows: Iterable[Values]) -> int:
        return self._connection.executemany(statement.sqlite, rows).rowcount

    def write(self, changes: Sequence[Change]) -> Sequence[int]:
        return [self._write(what, rows) for what, rows in changes]

    def _write(self, what: Sql | Rows, rows: list[Any]) -> int:
        if isinstance(what, Sql):
            return self.executemany(what, rows)
        self.pour(what.writes, what.columns, rows)
        return len(rows)

    def pour(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        places = ", ".join("?" * len(columns))
        self._connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)

    def ids(self, table: str) -> Iterable[int]:
        """Only this connection writes, so the ids after the last one are free as long as the transaction lasts."""
        (last,) = self._connection.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()
        return counting(last + 1)


class Emptying:
    """Asks the writing connection to empty its log after the next commit; `done` says whether it is empty.

    Another connection must not: see `checking.WAL_FIXED`.
    """

    def __init__(self) -> None:
        self.asked = self.done = False


class SqliteConnection:
    """One writing connection; it also does all checkpoints."""

    def __init__(self, path: Path, pragmas: Iterable[str] = PRAGMAS, emptying: Emptying | None = None) -> None:
        self._emptying = emptying or Emptying()
        self._connection = sqlite3.connect(path, timeout=BUSY_WAIT_S, isolation_level=None, cached_statements=256)
        for pragma in pragmas:
            self._connection.execute(pragma).fetchall()
        self.nouns = Nouns(SqliteDriver(self._connection))
        self.new = True

    def later(self, problem: Exception) -> bool:
        return _code(problem) in LATER

    def full(self, problem: Exception) -> bool:
        return _code(problem) == sqlite3.SQLITE_FULL

    def damaged(self, problem: Exception) -> bool:
        return _code(problem) in DAMAGED

    def counted(self) -> int:
        row = self._connection.execute(COUNTED.sqlite).fetchone()
        return count_of(row)

    def begin(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self.nouns.begun()

    def look(self) -> None:
        """Begin a transaction that only reads."""
        self._connection.execute("BEGIN")

    def save(self) -> None:
        self._connection.execute("SAVEPOINT step")

    def keep(self) -> None:
        self.nouns.flush()
        self._connection.execute("RELEASE step")

    def undo(self) -> None:
        self.nouns.undone()
        self._connection.execute("ROLLBACK TO step")
        self._connection.execute("RELEASE step")

    def commit(self, count: int) -> None:
        self.nouns.flush()
        self._connection.execute(COUNT.sqlite, {"count": str(count)})
        self._connection.execute("COMMIT")
        if self._emptying.asked:
            self._empty_log()

    def _empty_log(self) -> None:
        """Whatever comes of it, what was committed is. Somebody's reading may keep it off, and is not waited for."""
        self._emptying.asked = self._emptying.done = False
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA busy_timeout = 0")
            (busy, *_) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._emptying.done = not busy
        self._connection.execute(f"PRAGMA busy_timeout = {int(BUSY_WAIT_S * 1000)}")

    def rollback(self) -> None:
        self.nouns.undone()
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()


def _code(problem: Exception) -> int:
    """The primary result code; what the module itself complains of, like a value that is not there, has none."""
    code = getattr(problem, "sqlite_errorcode", None) or 0
    return code & 0xFF if isinstance(problem, sqlite3.Error) else 0
