"""The thread that writes dies of a fault of its own: whoever waits hears it, and the daemon is told to end."""

import asyncio

import pytest

from ringback.errors import StoreBusy, StoreFault
from ringback.store.database import Database
from ringback.store.tally import Tally
from ringback.store.writer import GONE


async def test_nobody_waits_for_a_writer_that_died(url, clock, monkeypatch):
    told: list[StoreFault] = []
    database = Database(url, clock, broken=told.append)
    await database.open()
    assert database.trouble == ""

    def dies(*_args):
        raise MemoryError("no room for a figure")

    monkeypatch.setattr(Tally, "flushed", dies)
    async with asyncio.timeout(10):
        first = database.commit(lambda tx: None)
        others = [database.commit(lambda tx: None) for _ in range(3)]
        said = await asyncio.gather(first, *others, return_exceptions=True)
        assert [str(problem) for problem in said] == [GONE] * 4
        assert all(isinstance(problem, StoreFault) for problem in said)
        assert [str(fault) for fault in told] == [GONE]
        assert database.trouble == GONE
        with pytest.raises(StoreBusy, match="has ended"):
            await database.commit(lambda tx: None)
        with pytest.raises(StoreBusy, match="has ended"):
            database.ride_along([lambda tx: None])
        await database.close()
