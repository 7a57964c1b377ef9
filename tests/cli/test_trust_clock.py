"""`ringback trust-clock`, with a daemon and without one."""

import asyncio
import sqlite3

from tests.fakes.ami import FakePbx


def record(place) -> list[tuple[str]]:
    with sqlite3.connect(place.state / "ringback.db") as database:
        return database.execute("SELECT action FROM audit WHERE about = 'retention'").fetchall()


def test_the_clock_is_said_to_be_right(place, ringback):
    place.migrate()
    ran = ringback("trust-clock")
    assert (ran.code, ran.out.startswith("it is 20"), record(place)) == (0, True, [("trust_clock",)])


async def test_a_daemon_believes_it_at_once(place, ringback):
    async with FakePbx() as pbx, place.daemon(pbx):
        ran = await asyncio.to_thread(ringback, "trust-clock")
    assert (ran.code, ran.out.startswith("it is 20"), record(place)) == (0, True, [("trust_clock",)])
