"""The writer's connection to SQLite with other settings than it gives itself."""

from collections.abc import Iterable
from functools import partial

from ringback.store import addresses, sqlite


def write_with(pragmas: Iterable[str]) -> None:
    """Let every writer that this process opens from now on have these."""
    # what is replaced has to be what is used; elsewhere it would change nothing and prove nothing
    assert addresses.SqliteConnection is sqlite.SqliteConnection
    addresses.SqliteConnection = partial(sqlite.SqliteConnection, pragmas=tuple(pragmas))  # type: ignore[misc,assignment]
