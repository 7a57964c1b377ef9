"""Addresses of databases: which kind it is, and how the writer connects."""

from collections.abc import Callable
from pathlib import Path

from ringback.store.sqlite import Emptying, SqliteConnection
from ringback.store.writer import Connection

ANSWERS_WITHIN_S = 5
"""How long a server may take to let us in when we look whether it is there."""


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL, None for another database."""
    prefix = "sqlite:///"
    return Path(url.removeprefix(prefix)) if url.startswith(prefix) else None


def plain(url: str) -> str:
    """The address of a PostgreSQL as libpq reads it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def connector(url: str, emptying: Emptying | None = None) -> Callable[[], Connection]:
    """How the writer's thread opens its connection."""
    path = sqlite_path(url)
    if path is not None:
        return lambda: SqliteConnection(path, emptying=emptying)
    from ringback.store.postgres import PostgresConnection

    return lambda: PostgresConnection(plain(url))
