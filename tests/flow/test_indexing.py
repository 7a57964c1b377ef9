"""The part that makes texts findable: it works when something was written, in small transactions, and rests else."""

import asyncio
from contextlib import suppress

import pytest

from ringback.core.grants import EVERYTHING
from ringback.core.search import read_query
from ringback.flow import indexing
from ringback.flow.indexing import CALM, Indexing
from ringback.store.read_search import StoredSearch
from tests.flow.world import PAT, World


@pytest.fixture
async def world(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        yield world


@pytest.fixture
async def part(store, clock):
    task = asyncio.create_task(Indexing(store, store.changes, clock).run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def behind(store):
    return await store.commit(lambda tx: tx.search.behind())


async def until_taken_in(store, clock):
    async with asyncio.timeout(10):
        while await behind(store):
            clock.move(CALM)


async def test_what_is_written_is_found_at_once_and_taken_in_a_little_later(world, store, clock, part):
    await until_taken_in(store, clock)
    await world.says("the boiler is cold")
    search = StoredSearch(store)
    (found,) = (await search.find(EVERYTHING, read_query("boiler"))).rows
    assert found.peer == PAT
    await until_taken_in(store, clock)
    assert (await search.find(EVERYTHING, read_query("boiler"))).rows == (found,)


async def test_much_is_taken_in_by_and_by(world, store, clock, monkeypatch):
    taken = []

    def take_in(limit, tx):
        taken.append(tx.search.take_in(limit))
        return taken[-1]

    monkeypatch.setattr(indexing, "AT_ONCE", 2)
    monkeypatch.setattr(indexing, "take_in", take_in)
    for n in range(5):
        await world.says(f"boiler {n}")
    assert await Indexing(store, store.changes, clock).catch_up() == 5
    assert taken == [2, 2, 1, 0]
    assert await behind(store) == 0
