"""Before the daemon uses a database: is the file one, is it ours, is it whole? Each fault is one clear line.

The file is kept as it is. Nothing is made in the place of what was there.
"""

import asyncio
import os
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

import structlog

from ringback.errors import StoreAway, StoreFault
from ringback.store.marks import FILE as MARK

log = structlog.get_logger("store")

MAGIC = b"SQLite format 3\x00"
WAL_FIXED = (3, 51, 3)
"""From this SQLite on two connections may write and check-point; before it that could damage the file."""

SMALL, LARGE = 16 * 1024 * 1024, 256 * 1024 * 1024
"""Up to the first a start looks at every index entry, up to the second at every page: some tenths of a second at most.
A million texts are 930 MB, 1.6 s to look at quickly; larger files are looked at while the daemon runs."""

CURE = "keep the file, and see `ringback restore`"


def library() -> str:
    """Which SQLite runs, for the log: with an older one, that only one connection writes is what keeps files whole."""
    fixed = sqlite3.sqlite_version_info >= WAL_FIXED
    return f"SQLite {sqlite3.sqlite_version}{'' if fixed else ', safe with one writing connection only'}"


def check_file(database: Path, state: Path) -> None:
    """Raises StoreFault for a file that must not be used. No file is no fault, unless there was one."""
    log, _ = beside(database)
    if not database.exists():
        if log.exists() and log.stat().st_size:
            raise StoreFault(f"{log} is there and {database} is not: put the database back beside it")
        if (state / MARK).exists() and (state / MARK).stat().st_size:
            raise StoreFault(
                f"{database} is gone, though there was one: put it back, or see `ringback restore`; "
                f"to begin anew, delete {state / MARK}"
            )
        return
    _check_rights(database)
    _check_head(database)
    _check_content(database)


def _check_rights(database: Path) -> None:
    if not database.is_file():
        raise StoreFault(f"{database} is no file")
    for path in (database, *beside(database)):
        if path.exists() and not os.access(path, os.R_OK | os.W_OK):
            raise StoreFault(f"{path} belongs to somebody else or is read-only: give it to the user who runs Ringback")
    if not os.access(database.parent, os.W_OK):
        raise StoreFault(f"{database.parent} cannot be written: SQLite keeps its log there")


def _check_head(database: Path) -> None:
    size = database.stat().st_size
    if size == 0 and not beside(database)[0].exists():
        raise StoreFault(f"{database} is empty: delete it to begin anew, or see `ringback restore`")
    with database.open("rb") as file:
        head = file.read(len(MAGIC))
    if size and head != MAGIC:
        raise StoreFault(f"{database} is no SQLite database: {CURE}")


def _check_content(database: Path) -> None:
    size = database.stat().st_size
    if size <= LARGE:
        with closing(_looking(database)) as connection:
            _look(connection, database, "integrity_check" if size <= SMALL else "quick_check")


async def look_through(database: Path) -> None:
    """Look at every page of a file that is too large for that at the start, beside all other work. Raises StoreFault.

    Whoever stops us does not wait for the end of a long look.
    """
    begun: list[sqlite3.Connection] = []
    over = threading.Event()

    def look() -> None:
        if not database.exists() or database.stat().st_size <= LARGE:
            return
        with closing(_looking(database)) as connection:
            begun.append(connection)
            if not over.is_set():
                _look(connection, database, "quick_check")

    try:
        await asyncio.to_thread(look)
    except StoreAway as problem:
        log.warning("the database file could not be looked through", problem=str(problem))
    finally:
        over.set()
        with suppress(sqlite3.ProgrammingError):  # it is closed already
            for connection in begun:
                connection.interrupt()


def _looking(database: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(database, timeout=5, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection


def _look(connection: sqlite3.Connection, database: Path, check: str) -> None:
    try:
        faults = faults_of(connection, check)
    except sqlite3.Error as problem:
        faults = [str(problem)]
        if locked(problem):
            raise StoreAway(f"{database}: somebody else has locked it") from problem
    if faults:
        raise StoreFault(f"{database} is damaged ({faults[0]}): {CURE}")


def faults_of(connection: sqlite3.Connection, check: str) -> list[str]:
    """What SQLite finds wrong; nothing when all is well."""
    try:
        rows = [str(row[0]) for row in connection.execute(f"PRAGMA {check}(5)")]
    except sqlite3.DatabaseError as problem:
        if locked(problem):
            raise
        return [str(problem)]
    except UnicodeDecodeError:
        return ["what is wrong quotes bytes that are no text"]
    return [] if rows == ["ok"] else [row.partition("\n")[0] for row in rows] or ["it says nothing"]


def locked(problem: sqlite3.Error) -> bool:
    """Whether somebody else's lock is all that is wrong."""
    return (getattr(problem, "sqlite_errorcode", None) or 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def beside(database: Path) -> tuple[Path, Path]:
    """The files SQLite keeps beside a database: its log, and the index of that."""
    return database.with_name(f"{database.name}-wal"), database.with_name(f"{database.name}-shm")
