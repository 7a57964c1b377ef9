"""While the database is made ready: the service manager is asked for patience, and a fault is told as it is."""

import asyncio

import pytest

from ringback import standby
from ringback.errors import Locked
from ringback.standby import Standby


class Told:
    """A service that keeps what it is to say."""

    def __init__(self):
        self.lines = []
        self.said = asyncio.Event()

    def tell(self, *lines):
        self.lines += lines
        self.said.set()


async def test_a_long_migration_is_not_ended_by_the_time_a_start_may_take(monkeypatch, clock):
    monkeypatch.setattr(standby, "EXTEND_S", 0.02)
    told = Told()

    async def migrate():
        await told.said.wait()

    async with asyncio.timeout(5):
        assert await Standby(None, clock, asyncio.Event(), told).until(migrate)
    assert told.lines[:2] == ["STATUS=makes the database ready", "EXTEND_TIMEOUT_USEC=20000"]


async def test_what_does_not_end_by_itself_is_raised(clock):
    async def refuse():
        raise Locked("process 7 already runs here")

    with pytest.raises(Locked):
        await Standby(None, clock, asyncio.Event(), Told()).until(refuse)
