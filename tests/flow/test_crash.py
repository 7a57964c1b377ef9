"""Killed before or after every durable point in turn, then started again: nothing lost, nothing twice, nothing hidden.

A crash here is an exception that nothing in the house catches, raised around the n-th commit; what was committed is all
the next start has. The real `kill -9` of the whole daemon is in tests/stories.
"""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

import pytest

from ringback.core.calls import CallStarted, FeedBack, FeedLost
from ringback.core.messages import State
from ringback.ports.handsets import Behaviour
from tests.conftest import NOON
from tests.flow.world import PAT, SAM, World, a_call, life_of, ruled

THIRD = "+15125550125"


class Moment(StrEnum):
    BEFORE = "before"
    AFTER = "after"


class Crash(BaseException):
    """Not an Exception, so that nobody handles it."""


@dataclass
class Crashing:
    """A store that dies around its n-th commit."""

    store: object
    at: int
    moment: Moment
    count: int = 0

    async def commit(self, step):
        async with self._point():
            return await self.store.commit(step)

    async def commit_all(self, steps):
        async with self._point():
            return await self.store.commit_all(steps)

    def ride_along(self, steps):
        self.store.ride_along(steps)

    def _point(self):
        return _Point(self)


class _Point:
    def __init__(self, crashing):
        self._crashing = crashing

    async def __aenter__(self):
        self._crashing.count += 1
        self._mine = self._crashing.count
        if self._mine == self._crashing.at and self._crashing.moment is Moment.BEFORE:
            raise Crash

    async def __aexit__(self, *_):
        if self._mine == self._crashing.at and self._crashing.moment is Moment.AFTER:
            raise Crash


EVENTS = [
    *life_of(a_call("1")),
    *life_of(a_call("2", caller=SAM, ended=NOON + timedelta(seconds=1))),
    *life_of(a_call("3", caller=THIRD)),
    *life_of(a_call("4")),
]


async def live(store, clock, folder, delay) -> None:
    """One life of the daemon: four calls, one carrier that is away for one of them, a delay that runs out."""
    world = World(store, clock, folder, ruled(delay=delay))
    world.carrier.behave(THIRD, Behaviour.AWAY)
    world.carrier.behave(SAM, Behaviour.NO_RECEIPTS)  # or a receipt would settle what the crash left in doubt
    async with world.running():
        for event in EVENTS:
            await world.happens(event)
        await world.passes(timedelta(seconds=3))
        world.carrier.behave(THIRD, Behaviour.DELIVERS)
        await world.passes(timedelta(seconds=6))


async def revive(store, clock, folder, delay) -> World:
    """The next life: everything that was not seen ended unseen, everything that waited goes."""
    world = World(store, clock, folder, ruled(delay=delay))
    async with world.running():
        await world.happens(FeedLost("main", clock.now()), FeedBack("main", clock.now(), frozenset()))
        for _ in range(6):
            await world.passes(timedelta(seconds=30))
    return world


def sent(folder) -> list[dict]:
    """What the carrier got, in its own words."""
    path = folder / "handset.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    return [line for line in lines if line["kind"] == "text"]


@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("delay", [timedelta(), timedelta(seconds=2)], ids=["at once", "with a delay"])
async def test_crash_at_any_durable_point_loses_nothing_and_sends_nothing_twice(
    store, clock, tmp_path, moment, delay, fresh
):
    crashes = doubts = 0
    for at in range(1, 200):
        folder = tmp_path / f"{at}"
        folder.mkdir()
        database, clock = await fresh()
        crashing = Crashing(database, at, moment)
        try:
            await live(crashing, clock, folder, delay)
        except BaseExceptionGroup as group:
            assert group.split(Crash)[1] is None, group
            crashes += 1
            survived = "crash"
        except Crash:
            crashes += 1
            survived = "crash"
        else:
            survived = "whole"
        world = await revive(database, clock, folder, delay)
        doubts += await check(world, folder)
        await database.close()
        if survived == "whole":
            break
    assert survived == "whole", "the run never got through"
    assert crashes > 10
    if moment is Moment.BEFORE:
        assert doubts > 0, "no crash fell between the carrier's answer and its record"


async def check(world: World, folder) -> int:
    """The books balance: calls, texts and the carrier's own ledger. Returns how many texts are in doubt."""
    doubts = 0
    ledger = sent(folder)
    assert len({line["attempt"] for line in ledger}) == len(ledger), "an attempt went out twice"
    assert len({line["message"] for line in ledger}) == len(ledger), "a text went out twice"
    assert len({line["to"] for line in ledger}) == len(ledger), "somebody got two texts inside the cool-down"
    arrived = {line["message"] for line in ledger}
    for number in (PAT, SAM, THIRD):
        for call in (await world.story(number)).calls:
            assert call.ended_at is not None, "a call that never ends"
            assert call.decision is not None, "a call without a decision"
            wanted = call.decision == "send"
            assert len(call.texts) == int(wanted), f"{call.uniqueid}: {call.decision} {call.reason}"
            for text in call.texts:
                final = State(text.state)
                # a receipt that was still with the carrier's own memory died with it, so less than delivered is honest
                doubts += final is State.UNCONFIRMED
                assert final in (State.ACCEPTED, State.SENT, State.DELIVERED, State.UNCONFIRMED), text
                assert final is State.UNCONFIRMED or text.public_id in arrived, "said to be sent, and never was"
    return doubts


async def test_crash_while_a_call_is_up_leaves_it_to_a_person(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as first:
        await first.happens(CallStarted(replace(a_call("1"), ended_at=None, outcome=None)))
    second = await revive(store, clock, tmp_path, timedelta())
    (call,) = (await second.story("1")).calls
    assert (call.decision, call.reason) == ("none", "unseen")
    assert sent(tmp_path) == []
