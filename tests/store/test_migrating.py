"""A migration that is stopped in its middle leaves the database as it was, and is simply run again."""

import pytest
from alembic import command
from sqlalchemy import Connection

from ringback.store.database import HEAD, alembic_config, migrate, schema_version


class Stopped(Exception):
    """The power went."""


@pytest.mark.parametrize("at", [5, 15, 25, 35, 44])
def test_a_stop_in_its_middle_undoes_all_of_it(tmp_path, monkeypatch, at):
    url = f"sqlite:///{tmp_path / 'ringback.db'}"
    command.upgrade(alembic_config(url), "0001")
    left = at
    real = Connection.execute

    def execute(*args, **more):
        nonlocal left
        left -= 1
        if not left:
            raise Stopped
        return real(*args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(Connection, "execute", execute)
        with pytest.raises(Stopped):
            migrate(url)
    assert schema_version(url) == "0001"
    migrate(url)
    assert schema_version(url) == HEAD
