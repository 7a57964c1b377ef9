"""A database that is open: the one writer, and readers beside it."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from ringback.errors import RingbackError, StoreAway, StoreBusy, StoreFault
from ringback.flow.changes import Hub
from ringback.flow.put_back import put_back
from ringback.keyfile import Key, open_keys
from ringback.ports import Clock
from ringback.ports.storage import Step, Tx
from ringback.store.addresses import ANSWERS_WITHIN_S, connector, plain, sqlite_path
from ringback.store.asking import as_asked
from ringback.store.audit import RECORD
from ringback.store.marks import Mark
from ringback.store.nouns import Nouns
from ringback.store.reserve import Reserve
from ringback.store.search import INDEXES
from ringback.store.sqlite import LOOKING, Emptying, SqliteConnection
from ringback.store.tally import Tally
from ringback.store.writer import GONE, Connection, Keeping, Writer

if TYPE_CHECKING:
    from sqlalchemy import Connection as Reading
    from sqlalchemy import Engine

T = TypeVar("T")


class Database:
    """The one writer, and readers beside it. Satisfies `ports.storage.Store`.

    With its `state` folder it keeps room there for hard times, knows a database that went back, and has there the key
    that seals the record; whoever has no such folder hands in the `key`. `broken` is told when the database must not
    be used any more.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        state: Path | None = None,
        broken: Callable[[StoreFault], None] | None = None,
        *,
        key: Key | None = None,
    ) -> None:
        self.url = url
        self._key = open_keys(state, RECORD).current if state and key is None else key
        self.changes = Hub()
        self._clock = clock
        self._keeping = Keeping(Mark(state), Reserve(state) if sqlite_path(url) else None) if state else Keeping()
        self._keeping.broken = broken or self._keeping.broken
        self._emptying = Emptying()
        self._writer = Writer(self._connect, self.changes.tell, self._keeping)
        self._engine: Engine | None = None
        self._trouble = ""

    def _connect(self) -> Connection:
        connection = connector(self.url, self._emptying)()
        connection.nouns.audit.seal_with(self._key)
        return connection

    @property
    def trouble(self) -> str:
        """Why the last changes could not be written; empty when they were."""
        return self._trouble or ("" if self.alive else GONE)

    @property
    def tally(self) -> Tally:
        """What was committed since the start, in figures."""
        return self._writer.tally

    @property
    def waiting(self) -> int:
        """How many changes wait to be written."""
        return self._writer.waiting

    @property
    def alive(self) -> bool:
        """Whether the thread that writes is there."""
        return self._writer.alive

    async def open(self) -> int:
        """Start writing; returns the number of this start (the epoch). Raises StoreAway where that may work later."""
        try:
            return await self._open()
        except (OSError, RingbackError) as problem:
            await self.close()
            if isinstance(problem, StoreBusy):
                raise StoreAway(str(problem)) from problem
            raise
        except Exception as problem:  # each driver has its own
            await self.close()
            raise StoreAway(f"the database cannot be opened: {problem}") from problem

    async def _open(self) -> int:
        if self._keeping.reserve is not None:
            await asyncio.to_thread(self._keeping.reserve.fill)
        await self._writer.start()

        def count(tx: Tx) -> int:
            now = self._clock.now()
            if self._writer.behind:
                put_back(f"its last {self._writer.behind} commits are missing", now, tx)
            epoch = tx.settings.next_epoch(now)
            cast(Nouns, tx).begin_epoch(epoch)
            return epoch

        return await self.commit(count)

    async def commit(self, step: Step[T]) -> T:
        """Run one step; resolves after the flush."""
        ((done, value),) = await self._writer.put(as_asked([step]))
        if not done:
            raise value
        return cast(T, value)

    async def commit_all(self, steps: Sequence[Step[T]]) -> "list[T | Exception]":
        """Run steps in order and wait once; a step that failed leaves its exception in its place."""
        values = [value for _done, value in await self._writer.put(as_asked(steps))]
        self._trouble = next((str(value) for value in values if isinstance(value, StoreBusy)), "")
        return values

    def ride_along(self, steps: Sequence[Step[object]]) -> None:
        """Hand over steps that nobody waits for; they share the next flush, within a quarter of a second."""
        self._writer.put_along(as_asked(steps))

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

    @property
    def read_before(self) -> bool:
        """Whether somebody read beside the writer, so that what this takes is loaded."""
        return self._engine is not None

    async def scrub(self) -> bool:
        """Clean what lies beside the tables of rows that are gone; False when somebody's reading keeps it off."""
        if sqlite_path(self.url) is None:
            return await asyncio.to_thread(_scrub_postgres, self.url)
        self._emptying.asked = True
        with suppress(StoreFault):
            await self.commit(_nothing)
            return self._emptying.done
        return False

    async def close(self) -> None:
        """Finish what waits, then close."""
        await self._writer.stop()
        if self._keeping.mark is not None:
            self._keeping.mark.close()
        if self._engine is not None:
            self._engine.dispose()


def _nothing(_tx: Tx) -> None:
    """A step that changes nothing."""


def _scrub_postgres(url: str) -> bool:
    """Give up dead rows; PostgreSQL's own log is its owner's."""
    import psycopg

    try:
        with psycopg.connect(plain(url), autocommit=True, connect_timeout=ANSWERS_WITHIN_S) as database:
            database.execute("VACUUM")
            for index in INDEXES:  # one of words keeps those that no row has any more
                database.execute(f"REINDEX INDEX CONCURRENTLY ix_{index}_words")
    except psycopg.Error:
        return False
    return True


def reader(url: str) -> "Engine":
    """An engine that can only read. SQLAlchemy is imported here, since the daemon's first event does not need it."""
    from sqlalchemy import create_engine, event

    path = sqlite_path(url)
    if path is None:
        return create_engine(
            url.replace("postgresql://", "postgresql+psycopg://", 1),
            pool_size=2,
            pool_pre_ping=True,  # a server that came back has ended the connections of before
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


def peek(url: str, step: Step[T]) -> T:
    """Run a step that only looks, on a connection that cannot write, beside whatever daemon runs."""
    path = sqlite_path(url)
    if path is not None:
        connection: Connection = SqliteConnection(path, LOOKING)
    else:
        from ringback.store.postgres import PostgresConnection

        connection = PostgresConnection(plain(url), lock=None)
    try:
        connection.look()
        return step(connection.nouns)
    finally:
        connection.rollback()
        connection.close()
