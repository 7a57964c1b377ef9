"""Killed around every commit while texts come in: what was acknowledged is there once, no STOP is half done."""

import pytest

from ringback.core.messages import State
from ringback.ports import Incoming
from ringback.store.tables import incoming, message, thread
from tests.flow.test_crash import Crash, Crashing, Moment, sent
from tests.flow.test_inbound import opted_out, rows
from tests.flow.world import DID, PAT, World, a_call, life_of

SAID = ("When can you come?", "STOP", "HELP")


async def bring(store, clock, folder, acknowledged: list[str]) -> World:
    """One life: a missed call is texted back, then the carrier brings each text that was not acknowledged yet."""
    world = World(store, clock, folder)
    async with world.running():
        await world.happens(*life_of(a_call("1")))
        for number, text in enumerate(SAID):
            if text not in acknowledged:
                came = Incoming(f"SM{number}", PAT, DID, text, clock.now())
                await world.arrivals.take("main", [came], b"raw")
                acknowledged.append(text)
        await world.settled()
    return world


@pytest.mark.parametrize("moment", list(Moment))
async def test_crash_around_any_commit_keeps_each_text_once(store, clock, tmp_path, moment, fresh):
    crashes = 0
    for at in range(1, 100):
        folder = tmp_path / f"{at}"
        folder.mkdir()
        database, clock = await fresh()
        acknowledged: list[str] = []
        crashing = Crashing(database, at, moment)
        try:
            await bring(crashing, clock, folder, acknowledged)
        except BaseExceptionGroup as group:
            assert group.split(Crash)[1] is None, group
        crashed = crashing.count >= at
        crashes += crashed
        told = list(acknowledged)
        kept = [row[0] for row in await rows(database, incoming.c.body)]
        assert set(told) <= set(kept), "what was acknowledged is on disk"
        await bring(database, clock, folder, acknowledged)
        await check(database, folder)
        await database.close()
        if not crashed:
            break
    assert crashes > 5


async def check(database, folder) -> None:
    assert [row[0] for row in await rows(database, incoming.c.body)] == list(SAID)
    assert await opted_out(database) == [True]
    assert len(await rows(database, thread.c.id)) == 1
    texts = await rows(database, message.c.command, message.c.state, message.c.public_id)
    assert sorted(row[0] for row in texts if row[0]) == ["help", "stop"], "each answered once"
    got = [line["message"] for line in sent(folder)]
    assert len(got) == len(set(got)), "nothing went twice"
    for _command, state, public_id in texts:
        left = State(state) not in (State.CANCELLED, State.REFUSED, State.QUEUED, State.HELD)
        assert (public_id in got) <= left, f"{public_id} is {state}"
