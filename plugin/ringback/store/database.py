"""Opening a database: which kind it is, whether its schema is ours, who holds it, how it is read."""

import asyncio
import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from ringback.errors import Locked, StoreBusy, StoreFault
from ringback.flow.changes import Hub
from ringback.ports import Clock
from ringback.ports.storage import Step, Tx
from ringback.store.nouns import Nouns
from ringback.store.writer import Connection, Writer

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection as Reading
    from sqlalchemy import Engine

T = TypeVar("T")
HEAD = "0003"
"""The schema this program speaks; a test compares it with the newest migration."""
SCHEMAS = Path(__file__).parent
"""Where the scripts are that make an empty database; `python -m tools.schema` writes them."""


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL, None for another database."""
    prefix = "sqlite:///"
    return Path(url.removeprefix(prefix)) if url.startswith(prefix) else None


def connector(url: str) -> Callable[[], Connection]:
    """How the writer's thread opens its connection."""
    path = sqlite_path(url)
    if path is not None:
        from ringback.store.sqlite import SqliteConnection

        return lambda: SqliteConnection(path)
    from ringback.store.postgres import PostgresConnection

    return lambda: PostgresConnection(url.replace("postgresql+psycopg://", "postgresql://", 1))


@contextmanager
def hold(state: Path) -> Iterator[None]:
    """Hold the state folder: one writing Ringback at a time. Raises Locked, naming who holds it, or StoreFault."""
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o750)
        handle = os.open(state / "ringback.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as problem:
        raise StoreFault(f"{problem.filename or state}: cannot be written: {problem.strerror}") from problem
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            holder = os.read(handle, 32).decode(errors="replace").strip() or "unknown"
            raise Locked(f"process {holder} already runs on {state}; stop it first") from problem
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


class Database:
    """The one writer, and readers beside it. Satisfies `ports.storage.Store`."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.url = url
        self.changes = Hub()
        self._clock = clock
        self._writer = Writer(connector(url), self.changes.tell)
        self._engine: Engine | None = None
        self.trouble = ""
        """Why the last changes could not be written; empty when they were."""

    async def open(self) -> int:
        """Start writing; returns the number of this start (the epoch)."""
        await self._writer.start()

        def count(tx: Tx) -> int:
            epoch = tx.settings.next_epoch(self._clock.now())
            cast(Nouns, tx).begin_epoch(epoch)
            return epoch

        return await self.commit(count)

    async def commit(self, step: Step[T]) -> T:
        """Run one step; resolves after the flush."""
        ((done, value),) = await self._writer.put([step])
        if not done:
            raise value
        return cast(T, value)

    async def commit_all(self, steps: Sequence[Step[T]]) -> "list[T | Exception]":
        """Run steps in order and wait once; a step that failed leaves its exception in its place."""
        values = [value for _done, value in await self._writer.put(list(steps))]
        self.trouble = next((str(value) for value in values if isinstance(value, StoreBusy)), "")
        return values

    def ride_along(self, steps: Sequence[Step[object]]) -> None:
        """Hand over steps that nobody waits for; they share the next flush, within a quarter of a second."""
        self._writer.put_along(list(steps))

    async def read(self, query: "Callable[[Reading], T]") -> T:
        """Run a query on a reading connection, off the loop. Raises StoreFault when it cannot be read."""
        return await asyncio.to_thread(self._query, query)

    def _query(self, query: "Callable[[Reading], T]") -> T:
        from sqlalchemy.exc import SQLAlchemyError

        if self._engine is None:
            self._engine = reader(self.url)
        try:
            with self._engine.connect() as connection:
                return query(connection)
        except SQLAlchemyError as problem:
            why = getattr(problem, "orig", None) or problem
            raise StoreFault(f"the database cannot be read: {why}") from problem

    async def close(self) -> None:
        """Finish what waits, then close."""
        await self._writer.stop()
        if self._engine is not None:
            self._engine.dispose()


def reader(url: str) -> "Engine":
    """An engine that can only read. SQLAlchemy is imported here, since the daemon's first event does not need it."""
    from sqlalchemy import create_engine, event

    path = sqlite_path(url)
    if path is None:
        return create_engine(
            url.replace("postgresql://", "postgresql+psycopg://", 1),
            pool_size=2,
            connect_args={"options": "-c default_transaction_read_only=on"},
        )
    if not path.exists():
        raise StoreFault(f"there is no database at {path}; `ringback run` or `ringback migrate` makes it")
    engine = create_engine(f"sqlite:///{path}", pool_size=2)

    @event.listens_for(engine, "connect")
    def _read_only(connection: object, _record: object) -> None:
        for pragma in ("PRAGMA query_only = ON", "PRAGMA wal_autocheckpoint = 0", "PRAGMA busy_timeout = 5000"):
            connection.execute(pragma)  # type: ignore[attr-defined]  # a raw sqlite3 connection

    return engine


def schema_version(url: str) -> str | None:
    """Which migration the database is at, None when it is empty. Raises StoreFault when it cannot be read.

    Needs no SQLAlchemy, so the daemon starts fast.
    """
    path = sqlite_path(url)
    return _postgres_version(url) if path is None else _sqlite_version(path) if path.exists() else None


def _sqlite_version(path: Path) -> str | None:
    import sqlite3

    try:
        with closing(sqlite3.connect(path, timeout=5)) as connection:
            known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
    except sqlite3.Error as problem:
        raise StoreFault(f"the database {path} cannot be read: {problem}") from problem
    return cast(str, row[0]) if row else None


def _postgres_version(url: str) -> str | None:
    import psycopg

    try:
        with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://", 1)) as database:
            known = database.execute("SELECT to_regclass('alembic_version')").fetchone()
            row = database.execute("SELECT version_num FROM alembic_version").fetchone() if known and known[0] else None
    except psycopg.Error as problem:
        why = str(problem).strip().partition("\n")[0]
        raise StoreFault(f"the database cannot be reached: {why}") from problem
    return cast(str, row[0]) if row else None


def alembic_config(url: str) -> "Config":
    """How Alembic finds our migrations and this database."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "ringback:store/migrations")
    address = url.replace("postgresql://", "postgresql+psycopg://", 1)
    config.set_main_option("sqlalchemy.url", address.replace("%", "%%"))
    return config


def make(url: str) -> None:
    """Make the schema in an empty database: one transaction, and no need of SQLAlchemy."""
    path = sqlite_path(url)
    if path is None:
        _make_in_postgres(url)
    else:
        _make_in_sqlite(path)


def _make_in_sqlite(path: Path) -> None:
    import sqlite3

    try:
        with closing(sqlite3.connect(path, timeout=5)) as connection:
            connection.executescript((SCHEMAS / "schema.sqlite.sql").read_text())
    except sqlite3.Error as problem:
        raise StoreFault(f"the database {path} cannot be made: {problem}") from problem


def _make_in_postgres(url: str) -> None:
    import psycopg

    try:
        with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://", 1), autocommit=True) as database:
            database.execute((SCHEMAS / "schema.postgresql.sql").read_bytes())
    except psycopg.Error as problem:
        raise StoreFault(f"the database cannot be made: {str(problem).strip()}") from problem


def migrate(url: str) -> None:
    """Bring the schema to HEAD, a migration after the other. The caller holds the state folder."""
    from alembic import command

    command.upgrade(alembic_config(url), "head")


def prepare(url: str) -> None:
    """Make sure the schema is ours: make or upgrade it; refuse a newer one than this program knows."""
    version = schema_version(url)
    if version == HEAD:
        return
    if version is not None and version > HEAD:
        raise StoreFault(f"the database is at schema {version}, newer than this Ringback ({HEAD}); upgrade Ringback")
    if version is None:
        make(url)
    else:
        migrate(url)


def peek(url: str, step: Step[T]) -> T:
    """Run a step that only looks, on a connection that cannot write, beside whatever daemon runs."""
    path = sqlite_path(url)
    if path is not None:
        from ringback.store.sqlite import LOOKING, SqliteConnection

        connection: Connection = SqliteConnection(path, LOOKING)
    else:
        from ringback.store.postgres import PostgresConnection

        connection = PostgresConnection(url.replace("postgresql+psycopg://", "postgresql://", 1), lock=None)
    try:
        connection.look()
        return step(connection.nouns)
    finally:
        connection.rollback()
        connection.close()
