"""What the drills need: an empty database of a kind, and a PostgreSQL that may be killed."""

import itertools
import os
from collections.abc import Iterator

import pytest

from tests.postgres import Cluster, cluster

_names = itertools.count()


@pytest.fixture
def mortal() -> Iterator[Cluster]:
    """A PostgreSQL for one test, which may kill it."""
    with cluster() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty database without our schema; empty for SQLite, which lies in the state folder."""
    if request.param == "sqlite":
        yield ""
        return
    server: Cluster = request.getfixturevalue("postgres")
    name = f"crash{os.getpid()}_{next(_names)}"
    yield server.create(name)
    server.drop(name)
