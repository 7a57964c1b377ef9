"""PostgreSQL as the writer's database: the same contract over one synchronous connection in the writer's thread."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

import psycopg
from psycopg import sql

from ringback.errors import Locked
from ringback.store.counting import COUNT, COUNTED, count_of
from ringback.store.nouns import Nouns
from ringback.store.sql import Sql
from ringback.store.tx import Cursor, Row, Values

# What ends with the connection, or with the standby that took over, is worth another try.
LATER = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)
NEVER = psycopg.errors.ProgramLimitExceeded
"""A value too long for its index is the step's own fault, though psycopg counts it among those of the server."""

CONNECT_WITHIN_S = 2
"""Short, since what comes in waits for it twice at most, and must have an answer in 5 s."""

LOCK_WITHIN_MS = 500
"""The server may hold the lock of a session that was cut for a moment longer."""

DAMAGED = (psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted)
WRITER = 0x52696E67
"""The advisory lock of the one that writes: the lock file of the state folder does not reach another machine."""


FEW = 8
IDS_AT_ONCE = 256
IDS = "SELECT nextval(%s) FROM generate_series(1, %s)"


class PostgresDriver:
    ids_last = True

    def __init__(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        self._connection = connection

    def execute(self, statement: Sql, values: Values) -> Cursor:
        return self._connection.execute(statement.postgres, values)

    def executemany(self, statement: Sql, rows: Iterable[Values]) -> int:
        """In one message, however many: psycopg sends them through a pipeline."""
        with self._connection.cursor() as cursor:
            cursor.executemany(statement.postgres, list(rows))
            return cursor.rowcount

    def pour(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        if len(rows) < FEW:
            self._insert(table, columns, rows)
            return
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def _insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """COPY costs two more ways to the server and back."""
        places = ", ".join(["%s"] * len(columns))
        text = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
        with self._connection.cursor() as cursor:
            cursor.executemany(text, rows)

    def ids(self, table: str) -> Iterable[int]:
        """Of the table's own sequence, which nobody gets an id of twice, and no rollback gives back."""
        found = self._connection.execute(IDS, (f"{table}_id_seq", IDS_AT_ONCE)).fetchall()
        return [int(str(row[0])) for row in found]


class PostgresConnection:
    """Reconnects at the next transaction when the server went away. `lock` None is for one who only looks.

    Raises Locked when another Ringback writes to this database.
    """

    def __init__(self, conninfo: str, lock: int | None = WRITER) -> None:
        self._conninfo = conninfo
        self._lock = lock
        self._connection = self._connect()
        self.nouns = Nouns(PostgresDriver(self._connection))
        self.new = True

    def _connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        connection = psycopg.connect(self._conninfo, autocommit=True, connect_timeout=CONNECT_WITHIN_S)
        connection.execute("SET synchronous_commit = on")
        if self._lock is not None:
            self._take_lock(connection, self._lock)
        return connection

    def _take_lock(self, connection: "psycopg.Connection[tuple[object, ...]]", lock: int) -> None:
        try:
            connection.execute(f"SET lock_timeout = {LOCK_WITHIN_MS}")
            connection.execute("SELECT pg_advisory_lock(%s)", (lock,))
            connection.execute("SET lock_timeout = 0")
        except psycopg.errors.LockNotAvailable as problem:
            connection.close()
            raise Locked("another Ringback writes to this database; stop it first") from problem

    def later(self, problem: Exception) -> bool:
        # after a cut the server may hold our old session's lock for a while
        return isinstance(problem, (*LATER, Locked)) and not isinstance(problem, NEVER)

    def full(self, problem: Exception) -> bool:
        """The reserve lies on this machine's disk, which is of no use to the server's."""
        return False

    def damaged(self, problem: Exception) -> bool:
        return isinstance(problem, DAMAGED)

    def counted(self) -> int:
        return count_of(self._connection.execute(COUNTED.postgres).fetchone())

    def begin(self) -> None:
        if self._connection.closed:
            self._connection = self._connect()
            self.new = True
            self.nouns.use(PostgresDriver(self._connection))
        self._connection.execute("BEGIN")
        self.nouns.begun()

    def look(self) -> None:
        """Begin a transaction that only reads."""
        self._connection.execute("BEGIN READ ONLY")

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
        # both in one message: the count costs no way to the server and back of its own
        self._connection.execute(f"{COUNT.postgres.replace('%(count)s', repr(str(count)))}; COMMIT", prepare=False)

    def rollback(self) -> None:
        self.nouns.undone()
        try:
            self._connection.execute("ROLLBACK")
        except LATER:
            self._connection.close()

    def close(self) -> None:
        # the server ends a session when it gets to it, and whoever starts next should not meet its lock
        with suppress(psycopg.Error):
            self._connection.execute("SELECT pg_advisory_unlock_all()")
        self._connection.close()
