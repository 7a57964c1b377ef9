"""Killed around every commit of a reply, then asked again with the same key: one text, neither lost nor sent twice."""

from datetime import timedelta

import pytest

from ringback.core.messages import State
from ringback.ports.handsets import Behaviour
from tests.flow.office import ANNA, begin, desk_of, rows
from tests.flow.test_crash import Crash, Crashing, Moment, sent
from tests.flow.world import PAT, SAM, World

THIRD = "+15125550125"
FINE = (State.ACCEPTED, State.SENT, State.DELIVERED)


async def ask(world, told) -> None:
    """Three people get a reply: one at once, one whose carrier is away, one behind another text."""
    for number, peer in enumerate((PAT, SAM, THIRD, THIRD)):
        replied = await desk_of(world).reply(ANNA, await begin(world, peer=peer), f"Text {number}.", f"key {number}")
        told.setdefault(number, replied.message)
        assert told[number] == replied.message, "the key stands for another text now"


async def live(store, clock, folder, told) -> None:
    world = World(store, clock, folder)
    for peer in (PAT, THIRD):
        world.carrier.behave(peer, Behaviour.NO_RECEIPTS)  # or a receipt would settle what the crash left in doubt
    world.carrier.behave(SAM, Behaviour.AWAY)
    async with world.running():
        await ask(world, told)
        await world.settled()


async def revive(store, clock, folder, told) -> World:
    """The next life, in which every page is sent again that got no answer, and some that did."""
    world = World(store, clock, folder)
    async with world.running():
        await ask(world, told)
        for _ in range(4):
            await world.passes(timedelta(seconds=30))
    return world


@pytest.mark.parametrize("moment", list(Moment))
async def test_crash_around_a_reply_loses_nothing_and_sends_nothing_twice(store, tmp_path, moment, fresh):
    crashes = doubts = 0
    for at in range(1, 100):
        folder = tmp_path / f"{at}"
        folder.mkdir()
        database, clock = await fresh()
        told: dict[int, str] = {}
        try:
            await live(Crashing(database, at, moment), clock, folder, told)
        except (Crash, BaseExceptionGroup) as crash:
            assert isinstance(crash, Crash) or crash.split(Crash)[1] is None, crash
            crashes += 1
        else:
            break
        doubts += await check(await revive(database, clock, folder, told), folder)
        await database.close()
    await database.close()
    assert crashes > 8
    assert at == crashes + 1, "the run never got through"
    if moment is Moment.BEFORE:
        assert doubts > 0, "no crash fell between the carrier's answer and its record"


async def check(world, folder) -> int:
    """Every text is there once; what is said to be sent was. Returns how many are in doubt."""
    ledger = sent(folder)
    assert len({line["attempt"] for line in ledger}) == len(ledger), "an attempt went out twice"
    assert len({line["message"] for line in ledger}) == len(ledger), "a text went out twice"
    arrived = {line["message"] for line in ledger}
    kept = await rows(world, "SELECT public_id, body, state FROM message ORDER BY body")
    assert [body for _id, body, _state in kept] == [f"Text {number}." for number in range(4)]
    doubts = 0
    for message, body, state in kept:
        doubts += state == State.UNCONFIRMED
        assert state in (*FINE, State.UNCONFIRMED), (body, state)
        assert state == State.UNCONFIRMED or message in arrived, "said to be sent, and never was"
    return doubts
