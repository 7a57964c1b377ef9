"""One transaction, as a step sees it: the nouns it may change, and a plain way to run statements."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from ringback.core.ids import ENTROPY_BYTES, Kind, make_id
from ringback.entropy import entropy
from ringback.ports.changes import Counted, Touch
from ringback.store.sql import Rows, Sql

Row = tuple[Any, ...]
Values = Mapping[str, object]
Question = tuple[Sql, Values]
Change = tuple[Sql | Rows, list[Any]]
"""Rows to insert, or what a statement is given for each of many."""


class Cursor(Protocol):
    """What sqlite3 and psycopg cursors have in common."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Row | None: ...
    def fetchall(self) -> list[Row]: ...


class Driver(Protocol):
    """A connection of either database, with the dialect chosen.

    `ask` puts several questions in one go, and returns the rows each found. `write` makes changes that waited, in their
    order; returns how many rows each touched. `ids` gives ids for new rows of a table, of which some may be left
    unused. `ids_last`: they hold beyond the transaction.
    """

    ids_last: bool

    def execute(self, statement: Sql, values: Values) -> Cursor: ...
    def ask(self, questions: "Sequence[Question]") -> Sequence[list[Row]]: ...
    def executemany(self, statement: Sql, rows: Iterable[Values]) -> int: ...
    def write(self, changes: "Sequence[Change]") -> Sequence[int]: ...
    def pour(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None: ...
    def ids(self, table: str) -> Iterable[int]: ...


class Memory(Protocol):
    """What a noun read ahead for a batch. It is forgotten when a statement changes one of `tables` beside it."""

    tables: frozenset[str]

    def forget(self) -> None: ...


class Fenced(Exception):
    """Some of the rows a batch was to change were not as it knew them. Done one by one it comes out which."""


IN_ORDER = (
    "call",
    "call_leg",
    "call_event",
    "thread",
    "message",
    "part",
    "attempt",
    "receipt",
    "message_event",
    "cool_down",
    "pending_text",
    "idempotency",
    "meter",
)
"""Tables whose changes may wait for more of their kind, each after those it refers to. What is new goes first: no
change that waits can mean a row that is not there yet."""
_TURN = {kind: turn for turn, kind in enumerate((table, adds) for table in IN_ORDER for adds in (True, False))}


class Runner:
    """Statements of one transaction.

    Changes that nobody asks about may wait, so that many rows go in one statement. Whatever is read or changed after
    them, and the end of a step, sees them done.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._touched: set[Touch] = set()
        self._counted: list[Counted] = []
        self._waiting: dict[tuple[str, bool], tuple[Sql | Rows, list[Any]]] = {}
        self._sums: dict[tuple[object, ...], dict[str, Any]] = {}
        self._memories: list[Memory] = []
        self._ids: dict[str, Iterator[int]] = {}

    def touch(self, *touches: Touch) -> None:
        """Note what this transaction changes, for those who show it."""
        self._touched.update(touches)

    def take_touched(self) -> frozenset[Touch]:
        """What was touched since the last call; some of it may have been undone."""
        touched = frozenset(self._touched)
        self._touched.clear()
        return touched

    def count(self, what: str, *labels: str) -> None:
        """Note one of something, for the figures; it counts once the transaction is on disk."""
        self._counted.append(Counted(what, labels))

    def counted(self) -> int:
        """How much is noted by now, for `uncount`."""
        return len(self._counted)

    def uncount(self, mark: int = 0) -> None:
        """Forget what was noted since `mark`: it was undone."""
        del self._counted[mark:]

    def take_counted(self) -> list[Counted]:
        """What was noted since the last call, and was not undone."""
        counted, self._counted = self._counted, []
        return counted

    def use(self, driver: Driver) -> None:
        """Go on over a new connection."""
        self._driver = driver
        self._ids.clear()
        self.undone()

    def remember(self, memory: Memory) -> None:
        """Have a memory forgotten in time."""
        self._memories.append(memory)

    def begun(self) -> None:
        """A transaction begins: what was known of the database may be wrong."""
        self.undone()
        if not self._driver.ids_last:
            self._ids.clear()

    def undone(self) -> None:
        """A step or its transaction was rolled back."""
        self._waiting.clear()
        self._sums.clear()
        for memory in self._memories:
            memory.forget()

    def one(self, statement: Sql, **values: object) -> Row | None:
        self._before(statement)
        return self._driver.execute(statement, values).fetchone()

    def all(self, statement: Sql, **values: object) -> list[Row]:
        self._before(statement)
        return self._driver.execute(statement, values).fetchall()

    def ask(self, *questions: Question) -> Sequence[list[Row]]:
        """Several questions in one go, with the rows of each: another database may be far away."""
        self.flush()
        return self._driver.ask(questions)

    def change(self, statement: Sql, **values: object) -> int:
        """Run a change; returns how many rows it touched."""
        self._before(statement)
        return self._driver.execute(statement, values).rowcount

    def many(self, statement: Sql, rows: list[dict[str, object]]) -> None:
        if rows:
            self._before(statement)
            self._driver.executemany(statement, rows)

    def pour(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Insert many rows as fast as the database can."""
        self.flush()
        self._driver.pour(table, columns, rows)

    def later(self, rows: Rows, row: Row) -> None:
        """Insert a row, with others like it."""
        self._wait(rows, row)

    def change_later(self, statement: Sql, **values: object) -> dict[str, object]:
        """Run a change with others like it; each must touch a row: if not, flushing is Fenced. Returns what waits."""
        self._wait(statement, values)
        return values

    def waits(self, statement: Sql, row: dict[str, object]) -> bool:
        """Whether this is the last change of its kind and waits yet, so that it may be completed."""
        waiting = self._waiting.get(statement.kind)
        return waiting is not None and waiting[1][-1] is row

    def add_later(self, statement: Sql, n: int, **key: object) -> None:
        """Add `n` to what `key` names, with whatever else is added to it."""
        name = (statement.writes, *key.values())
        row = self._sums.get(name)
        if row is not None:
            row["n"] += n
            return
        row = {**key, "n": n}
        self._wait(statement, row)
        self._sums[name] = row

    def _wait(self, what: Sql | Rows, row: object) -> None:
        waiting = self._waiting.get(what.kind)
        if waiting is not None and waiting[0] is not what:
            self.flush()
            waiting = None
        if waiting is None:
            waiting = self._waiting[what.kind] = (what, [])
        waiting[1].append(row)

    def flush(self) -> None:
        """Do what waits."""
        waiting, self._waiting = self._waiting, {}
        self._sums.clear()
        if not waiting:
            return
        changes = [waiting[kind] for kind in sorted(waiting, key=_TURN.__getitem__)]
        for (what, rows), touched in zip(changes, self._driver.write(changes), strict=True):
            if touched != len(rows):
                raise Fenced(f"{what.writes}: some of {len(rows)} rows were not as they were read")

    def next_id(self, table: str) -> int:
        """An id for a new row. All rows of a table that takes its ids here must do so."""
        ids = self._ids.get(table)
        found = next(ids, None) if ids is not None else None
        if found is not None:
            return found
        self.flush()
        ids = self._ids[table] = iter(self._driver.ids(table))
        return next(ids)

    def _before(self, statement: Sql) -> None:
        if self._waiting:
            self.flush()
        if statement.writes:
            for memory in self._memories:
                if statement.writes in memory.tables:
                    memory.forget()


def new_id(kind: Kind, now: datetime) -> str:
    return make_id(kind, now, entropy(ENTROPY_BYTES))
