"""The schema as one script a database: `python -m tools.schema` writes what an empty database is made from.

A first start would else walk through every migration there ever was, and load SQLAlchemy and Alembic for that.
"""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from ringback.store.schema import HEAD, SCHEMAS
from ringback.store.tables import metadata
from ringback.store.tables.record import GUARDED
from ringback.store.tables.search import SPECIAL
from ringback.store.tables.sessions import MAIN_QUEUE

DIALECTS: dict[str, Dialect] = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}
VERSION = (
    "CREATE TABLE IF NOT EXISTS alembic_version "
    "(version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


def script(kind: str) -> str:
    """Everything from the first table to the version."""
    return "".join(f"{statement};\n\n" for statement in _statements(DIALECTS[kind])).rstrip() + "\n"


def _statements(dialect: Dialect) -> Iterator[str]:
    yield "-- Written by `python -m tools.schema` from tables.py\nBEGIN"
    for table in metadata.sorted_tables:
        yield _tidy(str(CreateTable(table).compile(dialect=dialect)))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            yield _tidy(str(CreateIndex(index).compile(dialect=dialect)))
    yield from SPECIAL[dialect.name]
    yield from GUARDED[dialect.name]
    yield MAIN_QUEUE
    yield VERSION
    yield f"INSERT INTO alembic_version (version_num) VALUES ('{HEAD}')"
    yield "COMMIT"


def _tidy(statement: str) -> str:
    return "\n".join(line.rstrip().replace("\t", "    ") for line in statement.strip().splitlines())


def path(kind: str) -> Path:
    return SCHEMAS / f"schema.{kind}.sql"


if __name__ == "__main__":
    for kind in DIALECTS:
        path(kind).write_text(script(kind))
