"""Statements of the hot path: written once as SQL that both databases speak, sent straight to the driver.

SQLAlchemy would compile them anew for every row (a hundred times the cost of the insert itself), so it describes the
schema only. A test explains every statement registered here on both databases.
"""

import re
from dataclasses import dataclass

_NAME = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")
REGISTRY: "list[Sql]" = []


@dataclass(frozen=True, slots=True)
class Sql:
    """One statement, with `:name` places as SQLite wants them and `%(name)s` as psycopg does."""

    sqlite: str
    postgres: str


def sql(text: str) -> Sql:
    """Register a statement; places are written `:name`."""
    plain = " ".join(text.split())
    statement = Sql(plain, _NAME.sub(r"%(\1)s", plain.replace("%", "%%")))
    REGISTRY.append(statement)
    return statement


def insert(table: str, columns: str, extra: str = "") -> Sql:
    """Register an insert of the columns named, `extra` behind it (`ON CONFLICT ...`, `RETURNING id`)."""
    names = columns.split()
    places = ", ".join(f":{name}" for name in names)
    return sql(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places}) {extra}")
