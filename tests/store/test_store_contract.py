"""What the store promises, on SQLite and on PostgreSQL alike."""

import asyncio
import sqlite3
from datetime import timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from ringback.errors import Locked, StoreBusy, StoreFault
from ringback.store.addresses import sqlite_path
from ringback.store.database import Database, peek, reader
from ringback.store.holding import hold
from ringback.store.schema import HEAD, alembic_config, prepare, schema_version
from ringback.store.search import INDEXES
from ringback.store.sql import REGISTRY, Sql
from ringback.store.tables import metadata
from tests.conftest import NOON
from tests.fakes.hand_clock import HandClock


def put(key, tx):
    tx.settings.put(key, "x", NOON, "test")
    return key


def put_and_fail(key, tx):
    put(key, tx)
    raise ValueError(key)


async def keys(store: Database) -> set[str]:
    return await store.read(lambda connection: {row[0] for row in connection.execute(text("SELECT key FROM setting"))})


async def test_a_step_that_fails_rolls_back_alone_and_raises_to_its_caller(store):
    results = await store.commit_all([partial(put, "a"), partial(put_and_fail, "b"), partial(put, "c")])
    assert results[0] == "a"
    assert isinstance(results[1], ValueError)
    assert results[2] == "c"
    assert {"a", "c"} <= await keys(store)
    assert "b" not in await keys(store)


async def test_one_failing_step_raises_what_it_raised(store):
    with pytest.raises(ValueError, match="only"):
        await store.commit(partial(put_and_fail, "only"))
    assert await store.commit(partial(put, "after")) == "after"


async def test_steps_of_many_callers_all_land_in_the_order_they_were_handed_over(store):
    seen = []

    def step(n, tx):
        put(f"k{n:04}", tx)
        seen.append(n)

    await asyncio.gather(*(store.commit(partial(step, n)) for n in range(500)))
    assert seen == list(range(500))
    assert len({key for key in await keys(store) if key.startswith("k")}) == 500


async def test_what_a_commit_returned_is_there_after_a_restart(store, url):
    await store.commit(partial(put, "kept"))
    await store.close()
    again = Database(url, HandClock())
    await again.open()
    assert "kept" in await keys(again)
    await again.close()


async def test_every_start_has_a_higher_epoch(store, url):
    first = await store.commit(lambda tx: int(tx.settings.get("epoch")[0]))
    await store.close()
    again = Database(url, HandClock())
    assert await again.open() == first + 1
    await again.close()


async def test_a_store_that_is_closing_takes_nothing_new(store):
    await store.close()
    with pytest.raises(StoreBusy, match="stopping"):
        await store.commit(partial(put, "late"))


async def test_too_many_waiting_changes_are_refused_at_the_edge(store):
    with pytest.raises(StoreBusy, match="wait already"):
        await store.commit_all([partial(put, "x")] * 20_001)


async def test_a_reader_cannot_write(store, url):
    engine = reader(url)
    with engine.connect() as connection, pytest.raises(Exception, match=r"(?i)read-?only|query_only"):
        connection.execute(text("DELETE FROM setting"))
    engine.dispose()


@pytest.mark.parametrize("statement", REGISTRY, ids=lambda statement: statement.sqlite[:60])
def test_every_statement_of_the_hot_path_is_understood_by_both_databases(statement: Sql, explained):
    explained(statement)


@pytest.fixture(scope="module")
def explained(postgres, tmp_path_factory):
    """Explain a statement on SQLite and on PostgreSQL, with nothing bound."""
    path = tmp_path_factory.mktemp("explain") / "db"
    prepare(f"sqlite:///{path}")
    name = "explain"
    lite = sqlite3.connect(path)
    post = psycopg.connect(postgres.create(name, "template"), autocommit=True)

    def explain(statement: Sql) -> None:
        names = dict.fromkeys(_names(statement))
        lite.execute(f"EXPLAIN {statement.sqlite}", names).fetchall()
        post.execute(f"EXPLAIN {statement.postgres}", names, prepare=False)

    yield explain
    lite.close()
    post.close()


def _names(statement: Sql) -> list[str]:
    import re

    lite = re.findall(r"(?<![:\w]):([a-z_][a-z0-9_]*)", statement.sqlite)
    return [*lite, *re.findall(r"%\(([a-z0-9_]+)\)s", statement.postgres)]


def test_the_migrations_make_exactly_the_schema_that_is_described(url):
    engine = reader(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": _ordinary})
        assert compare_metadata(context, metadata) == []
    engine.dispose()
    assert schema_version(url) == HEAD


def _ordinary(name, kind, parents):
    """Leave out the search index, which each database describes in words of its own: test_schema looks at it."""
    return not (kind == "table" and name is not None and name.startswith(INDEXES))


def test_every_migration_can_be_taken_back(url):
    from alembic import command

    command.downgrade(alembic_config(url), "base")
    engine = reader(url)
    with engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) == {"alembic_version"}
    engine.dispose()
    prepare(url)
    assert schema_version(url) == HEAD


def test_the_schema_version_in_the_program_is_the_newest_migration():
    assert ScriptDirectory.from_config(alembic_config("sqlite://")).get_heads() == [HEAD]


def test_a_newer_database_is_refused_with_the_cure(tmp_path):
    url = f"sqlite:///{tmp_path / 'db'}"
    prepare(url)
    with sqlite3.connect(tmp_path / "db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreFault, match="newer than this Ringback"):
        prepare(url)


def test_an_empty_database_has_no_version_and_a_reader_says_how_to_make_one(tmp_path):
    url = f"sqlite:///{tmp_path / 'none.db'}"
    assert schema_version(url) is None
    with pytest.raises(StoreFault, match="ringback migrate"):
        reader(url)


def test_only_one_ringback_holds_a_state_folder(tmp_path: Path):
    with hold(tmp_path), pytest.raises(Locked, match="already runs"), hold(tmp_path):
        pass
    with hold(tmp_path):
        assert (tmp_path / "ringback.lock").read_text().strip().isdigit()


async def test_a_locked_database_says_busy_and_takes_the_next_change_when_free(tmp_path, clock, monkeypatch):
    monkeypatch.setattr("ringback.store.sqlite.BUSY_WAIT_S", 0.05)
    url = f"sqlite:///{tmp_path / 'db'}"
    prepare(url)
    database = Database(url, clock)
    await database.open()
    foreign = sqlite3.connect(sqlite_path(url), isolation_level=None)
    foreign.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreBusy, match="locked"):
        await database.commit(partial(put, "x"))
    foreign.execute("ROLLBACK")
    foreign.close()
    assert await database.commit(partial(put, "x")) == "x"
    await database.close()


async def test_a_full_disk_says_busy_and_nothing_of_that_change_stays(tmp_path, clock):
    url = f"sqlite:///{tmp_path / 'db'}"
    prepare(url)
    database = Database(url, clock)
    await database.open()

    def fill(tx):
        tx.settings.put("big", "x" * 10_000_000, NOON, "test")

    pages = await database.commit(lambda tx: tx._run._driver._connection.execute("PRAGMA page_count").fetchone()[0])
    # max_page_count makes SQLite answer SQLITE_FULL as a full disk does
    await database.commit(lambda tx: tx._run._driver._connection.execute(f"PRAGMA max_page_count = {pages + 8}"))
    with pytest.raises(StoreBusy, match="full"):
        await database.commit(fill)
    assert await database.commit(partial(put, "small")) == "small"
    assert "big" not in await keys(database)
    await database.close()


async def test_a_lost_postgres_connection_is_made_anew(postgres, clock):
    url = postgres.create("cut", "template")
    database = Database(url, clock)
    await database.open()
    with psycopg.connect(postgres.conninfo("postgres"), autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'cut'")
    with pytest.raises(StoreBusy):
        await database.commit(partial(put, "x"))
    assert await database.commit(partial(put, "x")) == "x"
    await database.close()
    postgres.drop("cut")


async def test_a_second_ringback_on_one_postgres_is_told_and_a_look_is_not(postgres, clock):
    url = postgres.create("twice", "template")
    first, second = Database(url, clock), Database(url, clock)
    await first.open()
    with pytest.raises(Locked, match="another Ringback"):
        await second.open()
    assert peek(url, lambda tx: tx.settings.pauses()) == []
    await first.close()
    third = Database(url, clock)
    await third.open()
    await third.close()
    postgres.drop("twice")


async def test_times_keep_their_microseconds(store):
    moment = NOON + timedelta(microseconds=123_457)
    await store.commit(lambda tx: tx.settings.put("t", "", moment, "test"))
    assert await store.commit(lambda tx: tx.settings.get("t")[1]) == moment
