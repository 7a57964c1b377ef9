"""What all tests share: the databases, a clock that stands still, and no way off the machine."""

import itertools
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from ringback.store.database import Database
from ringback.store.schema import migrate
from tests.fakes.hand_clock import HandClock
from tests.postgres import Cluster, cluster

# as it comes, structlog draws a traceback with all that its frames hold: a minute of work for that of a daemon
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
_names = itertools.count()


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOON)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    with cluster() as server:
        server.create("template")
        migrate(server.conninfo("template"))
        yield server


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy from, since a migration takes a second."""
    path = tmp_path_factory.mktemp("template") / "ringback.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path, empty_sqlite: Path) -> Iterator[str]:
    """An empty database of each kind, with our schema in it."""
    if request.param == "sqlite":
        shutil.copy(empty_sqlite, tmp_path / "ringback.db")
        yield f"sqlite:///{tmp_path / 'ringback.db'}"
        return
    server: Cluster = request.getfixturevalue("postgres")
    name = f"t{os.getpid()}_{next(_names)}"
    lent = server.lend(name)
    yield lent
    server.give_back(lent)


@pytest.fixture
async def store(url: str, clock: HandClock) -> AsyncIterator[Database]:
    database = Database(url, clock)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def fresh(
    request: pytest.FixtureRequest, url: str, tmp_path: Path, empty_sqlite: Path
) -> Callable[[], Awaitable[tuple[Database, HandClock]]]:
    """Make one more empty database of the kind this test runs on, with a clock at noon."""

    async def make() -> tuple[Database, HandClock]:
        number = next(_names)
        if url.startswith("sqlite"):
            path = tmp_path / f"fresh{number}.db"
            shutil.copy(empty_sqlite, path)
            address = f"sqlite:///{path}"
        else:
            address = request.getfixturevalue("postgres").create(f"f{os.getpid()}_{number}", "template")
        clock = HandClock(NOON)
        database = Database(address, clock)
        await database.open()
        return database, clock

    return make
