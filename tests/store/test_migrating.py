"""A migration that is stopped in its middle leaves the database as it was; up and down keep every row."""

import os
import random
import subprocess
import sys

import pytest
from alembic import command
from sqlalchemy import BigInteger, Boolean, Connection, Integer, LargeBinary, MetaData, create_engine, insert, select

from ringback.store.addresses import sqlite_path
from ringback.store.schema import HEAD, alembic_config, migrate, schema_version

BEFORE = "0002"
KILLS = 10
"""For each database; twenty in all."""


class Stopped(Exception):
    """The power went."""


@pytest.fixture
def old(request, url, tmp_path):
    """The address of an empty database at the schema before ours, of the same kind as `url`."""
    if sqlite_path(url):
        address = f"sqlite:///{tmp_path / 'old.db'}"
    else:
        address = request.getfixturevalue("postgres").create(f"old{os.getpid()}_{os.urandom(4).hex()}")
    command.upgrade(alembic_config(address), BEFORE)
    return address


def engine_of(url):
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))


def value_of(column, row):
    """Something of the column's type, another for each row."""
    if column.foreign_keys:
        return row
    if isinstance(column.type, Boolean):
        return row % 2 == 0
    if isinstance(column.type, (BigInteger, Integer)):
        return row if column.primary_key or column.name.endswith("_id") else row * 7
    if isinstance(column.type, LargeBinary):
        return bytes([row, 0, 255])
    assert column.type.python_type is str
    return f"{column.name} {row} \N{SNOWMAN} 'x'"


def fill(url, rows=5):
    """Put rows into every table there is."""
    engine = engine_of(url)
    tables = MetaData()
    tables.reflect(engine)
    with engine.begin() as connection:
        for table in tables.sorted_tables:
            if table.name != "alembic_version":
                values = [{c.name: value_of(c, row) for c in table.columns} for row in range(1, rows + 1)]
                connection.execute(insert(table), values)
    engine.dispose()


def export(url, only=None):
    """Every row of every table, by table; `only` names the columns to look at, as an export has them."""
    engine = engine_of(url)
    tables = MetaData()
    tables.reflect(engine)
    found = {}
    with engine.connect() as connection:
        for table in tables.sorted_tables:
            if table.name == "alembic_version" or (only is not None and table.name not in only):
                continue
            names = sorted(c.name for c in table.columns if only is None or c.name in only[table.name][0])
            rows = connection.execute(select(*(table.c[name] for name in names)))
            found[table.name] = (names, sorted(map(repr, map(tuple, rows))))
    engine.dispose()
    return found


def test_up_and_down_and_up_again_keep_every_row_of_every_table(old):
    fill(old)
    before = export(old)
    assert len(before) > 20
    migrate(old)
    assert export(old, before) == before
    above = export(old)
    command.downgrade(alembic_config(old), BEFORE)
    assert export(old) == before
    migrate(old)
    assert export(old) == above
    assert schema_version(old) == HEAD


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


# The child says each statement before it runs it, and waits; so each is a place where it can be killed.
CHILD = """
import os, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from ringback.store.schema import migrate

@event.listens_for(Engine, "before_cursor_execute")
def tell(*_):
    os.write(1, b".")
    os.read(0, 1)

migrate(sys.argv[1])
os.write(1, b"!")
"""


def kill_at(url, statement):
    """Migrate in another process, and kill it before it runs its nth statement; False when it was done before."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=dict(os.environ),
        bufsize=0,
    )
    try:
        for _ in range(statement):
            if child.stdout.read(1) != b".":
                return False
            child.stdin.write(b"x")
        return child.stdout.read(1) == b"."
    finally:
        child.kill()
        child.communicate()


def test_a_kill_in_its_middle_undoes_all_of_it(old, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    fill(old)
    before = export(old)
    chance = random.Random(14)
    for _ in range(KILLS):
        assert kill_at(old, chance.randrange(2, 30))
        assert schema_version(old) == BEFORE
    assert export(old) == before
    migrate(old)
    assert export(old, before) == before
    assert schema_version(old) == HEAD
