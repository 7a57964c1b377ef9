"""Steps that are run, seen and taken back, so that the same can be done in two ways on the same database."""

from itertools import count

import pytest

from tests.flow.world import DID, OTHER_DID

_names = count()


class Undo(Exception):
    """Takes back what a step did, once it was seen."""


def alone(value, tx):
    """What was just done knows of nothing before it, and nothing after it knows of it, but by the database."""
    tx.flush()
    tx.begun()
    return value


@pytest.fixture(params=["sqlite", "postgres"])
def runner(request, tmp_path, empty_sqlite, postgres, clock):
    """Runs a step in a transaction of its own, which is always taken back."""
    import shutil

    from ringback.store.postgres import PostgresConnection
    from ringback.store.sqlite import SqliteConnection

    if request.param == "sqlite":
        shutil.copy(empty_sqlite, tmp_path / "db")
        connection = SqliteConnection(tmp_path / "db")
    else:
        connection = PostgresConnection(postgres.create(f"undone{next(_names)}", "template"), lock=None)
    connection.begin()
    connection.nouns.begin_epoch(1)
    for number in (DID, OTHER_DID):
        connection.nouns.pairs.thread(number, "+15125550123", clock.now())
    connection.commit(1)

    def run(step):
        connection.begin()
        with pytest.raises(Undo):
            step(connection.nouns)
        connection.rollback()

    yield run
    connection.close()
