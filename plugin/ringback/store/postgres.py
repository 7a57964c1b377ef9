"""PostgreSQL as the writer's database: the same contract over one synchronous connection in the writer's thread."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

import psycopg
from psycopg import sql

from ringback.errors import Locked
from ringback.store.batches import insert_all, numbered, places, rounds, together
from ringback.store.counting import COUNT, COUNTED, count_of
from ringback.store.nouns import Nouns
from ringback.store.sql import Rows, Sql
from ringback.store.tx import Change, Cursor, Question, Row, Values

# What ends with the connection, or with the standby that took over, is worth another try.
LATER = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)
NEVER = psycopg.errors.ProgramLimitExceeded
"""A value too long for its index is the step's own fault, though psycopg counts it among those of the server."""

CONNECT_WITHIN_S = 2
"""Short, since what comes in waits for it twice at most, and must have an answer in 5 s."""

LOCK_WITHIN_MS = 500
"""The server may hold the lock of a session that was cut for a moment longer."""

# No statement of ours walks through a table, and none needs another plan for other values. A server that knows nothing
# of new tables, or knows them as they were last night, would take one that grew for empty and join it row by row.
SETTINGS = (
    "synchronous_commit = on",
    "enable_seqscan = off",
    "enable_hashjoin = off",
    "enable_mergejoin = off",
    "jit = off",
    "plan_cache_mode = force_generic_plan",
    "standard_conforming_strings = on",
)

DAMAGED = (psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted)
WRITER = 0x52696E67
"""The advisory lock of the one that writes: the lock file of the state folder does not reach another machine."""


IDS_AT_ONCE = 256
IDS = "SELECT nextval(%(sequence)s) FROM generate_series(1, %(count)s)"
ASKED = "SELECT array_to_string(parameter_types, ' ') FROM pg_prepared_statements WHERE name = 'asked'"

CHANGES = ("INSERT", "UPDATE", "DELETE")

Saying = tuple[str, Values]
"""A statement with its places, and what it is given."""


class PostgresDriver:
    """Says as much as it can in one message: each way to the server and back costs more than most statements.

    Statements are prepared by name in the session and executed in the text of the message, since only text may hold
    several of them. What needs no answer, like a BEGIN, waits for the next message.
    """

    ids_last = True

    def __init__(self, connection: "psycopg.Connection[Row]") -> None:
        self._connection = connection
        self._cursor = psycopg.ClientCursor(connection)
        self._names: dict[str, str] = {}
        self._made = 0
        self._together: dict[Sql, str | None] = {}
        self._ahead: list[str] = []

    def ahead(self, word: str) -> None:
        """Send this before the next statement."""
        self._ahead.append(word)

    def forget_ahead(self) -> None:
        """What waits to be sent is not needed any more: its transaction is over."""
        self._ahead.clear()

    def commit(self, count: str) -> None:
        self._send([(COUNT.postgres, {"count": count})], ["COMMIT"])

    def execute(self, statement: Sql, values: Values) -> Cursor:
        return self._last(self._send([(statement.postgres, values)]))

    def ask(self, questions: Sequence[Question]) -> list[list[Row]]:
        cursor = self._send([(statement.postgres, values) for statement, values in questions])
        found = [cursor.fetchall() if cursor.description else [] for _ in _results(cursor)]
        return found[-len(questions) :]

    def executemany(self, statement: Sql, rows: Iterable[Values]) -> int:
        (touched,) = self.write([(statement, list(rows))])
        return touched

    def write(self, changes: Sequence[Change]) -> list[int]:
        """Each change in one statement for all its rows, or nearly."""
        said = [list(self._said(what, rows)) for what, rows in changes]
        cursor = self._send([words for each in said for words in each])
        counts = [cursor.rowcount for _ in _results(cursor) if (cursor.statusmessage or "").startswith(CHANGES)]
        left = iter(counts)
        return [sum(islice(left, len(each))) for each in said]

    def _said(self, what: Sql | Rows, rows: list[Any]) -> Iterator[Saying]:
        """The statements that write these rows."""
        if isinstance(what, Rows):
            given = [dict(zip(what.columns, row, strict=True)) for row in rows]
            yield insert_all(what.writes, what.columns), {"each": json.dumps(given)}
        elif len(rows) > 1 and (text := self._for_many(what)):
            yield from ((text, {"each": json.dumps(once)}) for once in rounds(rows))
        else:
            yield from ((what.postgres, row) for row in rows)

    def _for_many(self, statement: Sql) -> str | None:
        if statement not in self._together:
            self._together[statement] = together(statement.postgres, self._kinds(statement.postgres))
        return self._together[statement]

    def _kinds(self, text: str) -> dict[str, str]:
        """The types of what a statement is given; the server is asked, once a connection."""
        cursor = self._send([], [f"PREPARE asked AS {numbered(text)}", ASKED])
        (kinds,) = self._last(cursor).fetchone() or ("",)
        self._send([], ["DEALLOCATE asked"])
        return dict(zip(places(text), str(kinds).split(), strict=True))

    def _send(self, sayings: Sequence[Saying], words: Iterable[str] = ()) -> "psycopg.ClientCursor[Row]":
        """Send what waits, then these, as one message. What is prepared with it is known once it was heard."""
        new: dict[str, str] = {}
        said = [self._in_text(text, values, new) for text, values in sayings]
        prepared = [f"PREPARE {name} AS {numbered(text)}" for text, name in new.items()]
        whole = "; ".join((*self._ahead, *prepared, *said, *words)).encode()
        self._ahead.clear()
        cursor = psycopg.ClientCursor(self._connection)
        cursor.execute(whole)
        self._names |= new
        return cursor

    def _in_text(self, text: str, values: Values, new: dict[str, str]) -> str:
        """A statement as it stands in a message."""
        name = self._names.get(text) or new.get(text)
        if name is None:
            self._made += 1
            name = new[text] = f"s{self._made}"
        order = places(text)
        if not order:
            return f"EXECUTE {name}"
        return self._cursor.mogrify(f"EXECUTE {name} ({', '.join(f'%({place})s' for place in order)})", values)

    def _last(self, cursor: "psycopg.ClientCursor[Row]") -> "psycopg.ClientCursor[Row]":
        for _ in _results(cursor):
            """Come to the end."""
        return cursor

    def pour(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        if self._ahead:
            self._send([])
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def ids(self, table: str) -> Iterable[int]:
        """Of the table's own sequence, which nobody gets an id of twice, and no rollback gives back."""
        cursor = self._send([(IDS, {"sequence": f"{table}_id_seq", "count": IDS_AT_ONCE})])
        return [int(str(row[0])) for row in self._last(cursor).fetchall()]


def _results(cursor: "psycopg.ClientCursor[Row]") -> Iterator[None]:
    """Stand at each answer to a message in turn, and then at the last."""
    yield
    while cursor.nextset():
        yield


class PostgresConnection:
    """Reconnects at the next transaction when the server went away. `lock` None is for one who only looks.

    Raises Locked when another Ringback writes to this database.
    """

    def __init__(self, conninfo: str, lock: int | None = WRITER) -> None:
        self._conninfo = conninfo
        self._lock = lock
        self._connection = self._connect()
        self._driver = PostgresDriver(self._connection)
        self.nouns = Nouns(self._driver)
        self.new = True

    def _connect(self) -> "psycopg.Connection[Row]":
        connection = psycopg.connect(
            self._conninfo,
            autocommit=True,
            connect_timeout=CONNECT_WITHIN_S,
            client_encoding="UTF8",  # what our messages are in, whatever the environment says
        )
        connection.prepare_threshold = None  # the driver does; psycopg would drop what is prepared after a rollback
        for setting in SETTINGS:
            connection.execute(f"SET {setting}".encode())
        if self._lock is not None:
            self._take_lock(connection, self._lock)
        return connection

    def _take_lock(self, connection: "psycopg.Connection[Row]", lock: int) -> None:
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
        return count_of(self._driver.execute(COUNTED, {}).fetchone())

    def begin(self) -> None:
        if self._connection.closed:
            self._connection = self._connect()
            self.new = True
            self._driver = PostgresDriver(self._connection)
            self.nouns.use(self._driver)
        self._driver.ahead("BEGIN")
        self.nouns.begun()

    def look(self) -> None:
        """Begin a transaction that only reads."""
        self._driver.ahead("BEGIN READ ONLY")

    def save(self) -> None:
        self._driver.ahead("SAVEPOINT step")

    def keep(self) -> None:
        self.nouns.flush()
        self._driver.ahead("RELEASE step")

    def undo(self) -> None:
        self.nouns.undone()
        self._driver.ahead("ROLLBACK TO step")
        self._driver.ahead("RELEASE step")

    def commit(self, count: int) -> None:
        self.nouns.flush()
        self._driver.commit(str(count))

    def rollback(self) -> None:
        self.nouns.undone()
        self._driver.forget_ahead()
        try:
            self._connection.execute("ROLLBACK")
        except LATER:
            self._connection.close()

    def close(self) -> None:
        # the server ends a session when it gets to it, and whoever starts next should not meet its lock
        with suppress(psycopg.Error):
            self._connection.execute("SELECT pg_advisory_unlock_all()")
        self._connection.close()
