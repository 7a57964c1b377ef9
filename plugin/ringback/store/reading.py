"""Reads beside the writer with the very statements that a step uses."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from ringback.errors import StoreFault
from ringback.store.sql import Sql
from ringback.store.tx import Change, Cursor, Question, Row, Runner, Values

if TYPE_CHECKING:
    from sqlalchemy import Connection


class OnReader:
    """A reading connection as the statements of `sql` want it."""

    ids_last = False

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._sqlite = connection.dialect.name == "sqlite"

    def execute(self, statement: Sql, values: Values) -> Cursor:
        text = statement.sqlite if self._sqlite else statement.postgres
        return cast(Cursor, self._connection.exec_driver_sql(text, dict(values)))

    def ask(self, questions: Sequence[Question]) -> Sequence[list[Row]]:
        return [self.execute(statement, values).fetchall() for statement, values in questions]

    def executemany(self, statement: Sql, rows: Iterable[Values]) -> int:
        """Reads have no rows to give."""
        raise StoreFault("a reader cannot write")

    def write(self, changes: Sequence[Change]) -> Sequence[int]:
        """Nor changes that waited."""
        raise StoreFault("a reader cannot write")

    def pour(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Nor here."""
        raise StoreFault("a reader cannot write")

    def ids(self, table: str) -> Iterable[int]:
        """Nor ids for new ones."""
        raise StoreFault("a reader cannot write")


def reading(connection: "Connection") -> Runner:
    """Statements over a connection that can only read."""
    return Runner(OnReader(connection))
