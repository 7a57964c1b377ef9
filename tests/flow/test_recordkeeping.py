"""By the hour the history of texts is sealed, the head of the record anchored outside, and all of it looked through."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from ringback.errors import StoreFault
from ringback.flow.recordkeeping import EVERY, Recordkeeping
from ringback.ports.record import Head
from ringback.store.anchors import FILE, Anchors, read_anchors
from ringback.store.database import Database
from ringback.store.verifying import Verifier
from tests.conftest import NOON
from tests.flow.world import World
from tests.store.rows import run


@pytest.fixture
def state(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


@pytest.fixture
async def kept(url, clock, state):
    database = Database(url, clock, state)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def keeping(kept, clock, state, url):
    return Recordkeeping(kept, clock, Anchors(state), Verifier(url, state))


async def test_an_hour_seals_texts_anchors_the_head_and_looks_through_all(kept, keeping, clock, state, tmp_path):
    async with World(kept, clock, tmp_path).running() as world:
        await world.says("HELP")
    with capture_logs() as logged:
        await keeping.each_hour()
    head = await kept.commit(lambda tx: tx.audit.head())
    assert [(anchor.row, anchor.seal) for anchor in read_anchors(state / FILE)] == [(head.row, head.seal)]
    assert [(line["event"], line.get("row"), line.get("seal")) for line in logged] == [
        ("the record is anchored", head.row, head.seal)
    ]
    assert (keeping.checked.rows, keeping.checked.fault, keeping.checked.head) == (1, None, head)


async def test_it_is_anchored_at_the_start_and_each_hour(kept, keeping, clock, state):
    task = asyncio.ensure_future(keeping.run())
    while len(read_anchors(state / FILE)) < 1:
        await asyncio.sleep(0)
    await kept.commit(lambda tx: tx.audit.note("shell root", "pause", "all", "", NOON))
    clock.move(EVERY)
    while keeping.checked is None:
        await asyncio.sleep(0)
    task.cancel()
    assert [anchor.row for anchor in read_anchors(state / FILE)] == [0, 1]


async def test_a_record_that_was_changed_is_an_error_in_the_log(kept, keeping, url):
    for n in range(3):
        await kept.commit(lambda tx, n=n: tx.audit.note("shell root", "pause", f"{n}", "", NOON))
    run(url, "UPDATE audit SET who = 'eve' WHERE id = 2")
    with capture_logs() as logged:
        await keeping.check()
    (line,) = logged
    assert (line["log_level"], line["event"], line["row"]) == ("error", "the record was changed by hand", 2)


async def test_a_folder_that_cannot_be_written_or_a_database_that_is_away_stops_nothing(kept, clock):
    class Full:
        def keep(self, head: Head, now: object) -> bool:
            raise StoreFault("no room")

    class Away:
        async def check(self, now: object) -> object:
            raise StoreFault("away")

    keeping = Recordkeeping(kept, clock, Full(), Away())
    with capture_logs() as logged:
        await keeping.each_hour()
    assert [line["event"] for line in logged] == [
        "the record cannot be anchored",
        "the record cannot be looked through",
    ]
    assert keeping.checked is None
    assert timedelta(hours=1) == EVERY
