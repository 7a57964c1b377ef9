"""PostgreSQL as the writer's database: the same contract over one synchronous connection in the writer's thread."""

from collections.abc import Iterable

import psycopg

from ringback.errors import Locked
from ringback.store.nouns import Nouns
from ringback.store.sql import Sql
from ringback.store.tx import Cursor, Values

# What ends with the connection, or with the standby that took over, is worth another try.
LATER = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)
NEVER = psycopg.errors.ProgramLimitExceeded
"""A value too long for its index is the step's own fault, though psycopg counts it among those of the server."""

CONNECT_WITHIN_S = 5
WRITER = 0x52696E67
"""The advisory lock of the one that writes: the lock file of the state folder does not reach another machine."""


class PostgresDriver:
    def __init__(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        self._connection = connection

    def execute(self, statement: Sql, values: Values) -> Cursor:
        return self._connection.execute(statement.postgres, values)

    def executemany(self, statement: Sql, rows: Iterable[Values]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(statement.postgres, list(rows))


class PostgresConnection:
    """Reconnects at the next transaction when the server went away. `lock` None is for one who only looks.

    Raises Locked when another Ringback writes to this database.
    """

    def __init__(self, conninfo: str, lock: int | None = WRITER) -> None:
        self._conninfo = conninfo
        self._lock = lock
        self._connection = self._connect()
        self.nouns = Nouns(PostgresDriver(self._connection))

    def _connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        connection = psycopg.connect(self._conninfo, autocommit=True, connect_timeout=CONNECT_WITHIN_S)
        connection.execute("SET synchronous_commit = on")
        if self._lock is not None:
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", (self._lock,)).fetchone()
            if row is None or not row[0]:
                connection.close()
                raise Locked("another Ringback writes to this database; stop it first")
        return connection

    def later(self, problem: Exception) -> bool:
        # after a cut the server may hold our old session's lock for a while
        return isinstance(problem, (*LATER, Locked)) and not isinstance(problem, NEVER)

    def begin(self) -> None:
        if self._connection.closed:
            self._connection = self._connect()
            self.nouns.use(PostgresDriver(self._connection))
        self._connection.execute("BEGIN")

    def look(self) -> None:
        """Begin a transaction that only reads."""
        self._connection.execute("BEGIN READ ONLY")

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
        try:
            self._connection.execute("ROLLBACK")
        except LATER:
            self._connection.close()

    def close(self) -> None:
        self._connection.close()
