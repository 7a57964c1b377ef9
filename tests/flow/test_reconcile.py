"""What came in while nobody was there is asked for, taken once, and in the order it was written."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest

from ringback.errors import Unreachable
from ringback.flow.reconcile import Reconcile, look_was_at
from ringback.ports import Incoming
from ringback.store.tables import incoming
from tests.flow.test_inbound import opted_out, rows
from tests.flow.world import DID, PAT, SAM, World


class Remembers:
    """A carrier that can say what it took for us; `away` is why it cannot."""

    def __init__(self) -> None:
        self.texts: list[Incoming] = []
        self.asked = []
        self.away = ""

    async def sent_since(self, moment):
        return []

    async def received_since(self, moment):
        self.asked.append(moment)
        if self.away:
            raise Unreachable(self.away)
        return [text for text in self.texts if text.carrier_at >= moment][::-1]


@pytest.fixture
async def scene(store, clock, tmp_path):
    carrier = Remembers()
    async with World(store, clock, tmp_path).running() as world:
        reconcile = Reconcile("main", carrier, world.house, world.arrivals, store, clock)
        task = asyncio.ensure_future(reconcile.run())
        await world.settled()
        yield world, carrier
        task.cancel()


def said(world, number, text, sender=PAT, to=DID):
    return Incoming(f"SM{number}", sender, to, text, world.clock.now())


async def bodies(store):
    return [row[0] for row in await rows(store, incoming.c.body)]


async def test_a_text_whose_hook_never_came_is_found(scene, store):
    world, carrier = scene
    carrier.texts.append(said(world, 1, "Hello?"))
    await world.passes(timedelta(minutes=5))
    assert await bodies(store) == ["Hello?"]


async def test_what_came_by_hook_too_is_there_once(scene, store):
    world, carrier = scene
    carrier.texts.append(said(world, 1, "Hello?"))
    await world.arrivals.take("main", carrier.texts, b"hook")
    for _ in range(3):
        await world.passes(timedelta(minutes=5))
    assert await bodies(store) == ["Hello?"]


async def test_texts_to_other_numbers_of_the_account_are_not_ours(scene, store):
    world, carrier = scene
    carrier.texts.append(said(world, 1, "for the shop next door", to="+12025550177"))
    await world.passes(timedelta(minutes=5))
    assert await bodies(store) == []


async def test_they_are_taken_in_the_order_they_were_written(scene, store):
    world, carrier = scene
    for number, text in enumerate(("START", "STOP")):
        carrier.texts.append(said(world, number, text))
        await world.passes(timedelta(seconds=1))
    await world.passes(timedelta(minutes=5))
    assert await bodies(store) == ["START", "STOP"]
    assert await opted_out(store) == [True]


async def test_a_start_found_late_does_not_lift_a_stop_that_was_said_after_it(scene, store):
    world, carrier = scene
    await world.says("STOP")
    await world.passes(timedelta(minutes=1))
    carrier.texts.append(said(world, 1, "START"))
    await world.passes(timedelta(minutes=1))
    await world.says("STOP")
    await world.passes(timedelta(minutes=10))
    assert await opted_out(store) == [True]


async def test_a_carrier_that_is_away_is_asked_again_about_all_of_it(scene, store):
    world, carrier = scene
    carrier.away = "no answer"
    carrier.texts.append(said(world, 1, "Hello?", sender=SAM))
    for _ in range(6):
        await world.passes(timedelta(minutes=5))
    assert await bodies(store) == []
    carrier.away = ""
    await world.passes(timedelta(minutes=5))
    assert await bodies(store) == ["Hello?"]


async def test_after_an_absence_it_is_asked_two_hours_further_back(scene, store):
    """Whoever was away may have had another clock."""
    world, carrier = scene
    begun = world.clock.now()
    await world.passes(timedelta(minutes=5))
    carrier.away = "no answer"
    await world.passes(timedelta(minutes=5))
    carrier.away = ""
    await world.passes(timedelta(minutes=5))
    await world.passes(timedelta(minutes=5))
    looked = [begun + timedelta(minutes=minutes) for minutes in (0, 0, 5, 5, 15)]
    back = [timedelta(minutes=minutes) for minutes in (10, 10, 10, 120, 10)]
    assert carrier.asked == [moment - before for moment, before in zip(looked, back, strict=True)]


async def test_a_clock_that_was_ahead_hides_nothing_once_it_is_right(store, clock, tmp_path):
    carrier = Remembers()
    async with World(store, clock, tmp_path).running() as world:
        await store.commit(partial(look_was_at, "main", clock.now() + timedelta(days=2)))
        carrier.texts.append(Incoming("SM1", PAT, DID, "STOP", clock.now() - timedelta(hours=1)))
        task = asyncio.ensure_future(Reconcile("main", carrier, world.house, world.arrivals, store, clock).run())
        await world.settled()
        task.cancel()
    assert await bodies(store) == ["STOP"]


async def test_what_came_before_the_first_start_is_left_alone(store, clock, tmp_path):
    carrier = Remembers()
    carrier.texts.append(Incoming("SM0", PAT, DID, "last year", clock.now() - timedelta(days=1)))
    async with World(store, clock, tmp_path).running() as world:
        task = asyncio.ensure_future(Reconcile("main", carrier, world.house, world.arrivals, store, clock).run())
        await world.settled()
        task.cancel()
    assert await bodies(store) == []
