"""Who goes first: urgency, order to one person, the share of runs, a carrier that is held back, texts that get old."""

import asyncio
from datetime import timedelta

import pytest

from ringback.core.messages import State, Urgency
from ringback.core.reasons import Reason
from tests.flow.lanes import Answering, Yard

BULK, AGENT, CALL, COMMAND = Urgency.BULK, Urgency.AGENT, Urgency.CALL, Urgency.COMMAND


@pytest.fixture
def carrier():
    return Answering(window=1)


@pytest.fixture
async def yard(store, clock, carrier):
    async with Yard(store, clock, carrier).running() as yard:
        yield yard


async def hold_then_go(yard, *wishes):
    """Queue texts while nothing leaves, then let all go; returns the words in the order they left."""
    yard.lane.hold("a test")
    await yard.put(*wishes)
    yard.lane.let_go()
    await yard.settled()
    return yard.lane.carrier.got


async def test_the_most_urgent_goes_first_whatever_came_before(yard):
    kinds = [BULK, Urgency.TRANSACTIONAL, CALL, AGENT, COMMAND]
    wishes = [yard.wanted(kind.name, to=100 + kind, urgency=kind) for kind in kinds]
    assert await hold_then_go(yard, *wishes) == ["COMMAND", "AGENT", "CALL", "TRANSACTIONAL", "BULK"]


async def test_texts_to_one_person_keep_their_order(yard):
    assert await hold_then_go(yard, *(yard.wanted(str(n)) for n in range(5))) == list("01234")


async def test_a_text_does_not_wait_for_a_less_urgent_one_to_the_same_person(yard):
    first = [yard.wanted("advert", urgency=BULK), yard.wanted("more", urgency=BULK)]
    assert await hold_then_go(yard, *first, yard.wanted("answer", urgency=AGENT)) == ["answer", "advert", "more"]


async def test_a_less_urgent_text_waits_for_a_more_urgent_one_to_the_same_person(yard, carrier):
    carrier.window = 2
    carrier.wait = asyncio.Event()
    await hold_then_go(yard, yard.wanted("answer", urgency=AGENT), yard.wanted("advert", urgency=BULK))
    assert carrier.got == ["answer"], "the second waits for the first, though a slot is free"
    carrier.wait.set()
    await yard.settled()
    assert carrier.got == ["answer", "advert"]


async def test_a_text_does_not_wait_for_one_that_is_to_go_later(yard, clock):
    later = yard.wanted("tomorrow", not_before=clock.now() + timedelta(hours=1))
    assert await hold_then_go(yard, later, yard.wanted("now")) == ["now"]
    await yard.passes(timedelta(hours=1, seconds=1))
    assert yard.lane.carrier.got == ["now", "tomorrow"]


async def test_a_text_born_in_flight_does_not_overtake_an_equal_one(yard, carrier):
    await yard.put(yard.wanted("first", not_before=None))
    yard.lane.hold("a test")
    await yard.put(yard.wanted("second"))
    yard.lane.let_go()
    third = await yard.send(yard.wanted("third"))
    assert third.order is None
    assert carrier.got == ["first", "second", "third"]


async def test_a_text_born_in_flight_overtakes_a_run(store, clock):
    carrier = Answering(window=8, wait=asyncio.Event())
    async with Yard(store, clock, carrier).running() as yard:
        await yard.put(*(yard.wanted(f"run {n}", to=n, urgency=BULK) for n in range(20)))
        assert len(carrier.got) == 6, "a quarter of the window is not for runs"
        assert yard.lane.standing().bulk_in_flight == yard.lane.standing().bulk_window == 6
        reply = await yard.send(yard.wanted("reply", to=15, urgency=AGENT))
        assert reply.order is not None, "although one of the run to the same person waits"
        assert carrier.got[-1] == "reply"
        carrier.wait.set()
        await yard.settled()
        assert len(carrier.got) == 21


async def test_one_of_a_run_never_takes_a_slot_by_itself(yard, carrier):
    made = await yard.send(yard.wanted("run", urgency=BULK))
    assert made.order is None
    assert carrier.got == ["run"], "it goes in its turn"
    assert yard.lane.in_flight == 0


async def test_a_lane_that_is_held_opens_nothing_and_says_why(yard, carrier):
    yard.lane.hold("too much is in doubt")
    assert yard.lanes.reserve("main") is None
    made = await yard.send(yard.wanted("waits"))
    await yard.passes(timedelta(minutes=10))
    assert carrier.got == []
    assert (yard.lane.held, yard.lane.standing().held) == ("too much is in doubt",) * 2
    assert await yard.state(made) is State.QUEUED
    yard.lane.let_go()
    await yard.settled()
    assert carrier.got == ["waits"]
    assert yard.lane.held == ""


async def test_what_is_on_its_way_ends_although_the_lane_is_held(yard, carrier):
    carrier.wait = asyncio.Event()
    made = await yard.send(yard.wanted("off"))
    yard.lane.hold("stop")
    carrier.wait.set()
    await yard.settled()
    assert await yard.state(made) is State.ACCEPTED


@pytest.mark.parametrize("held", ["", "a person said so"], ids=["while the window is full", "while the lane is held"])
async def test_a_text_expires_on_time(store, clock, held):
    carrier = Answering(window=1, wait=asyncio.Event())
    async with Yard(store, clock, carrier).running() as yard:
        await yard.send(yard.wanted("on its way", to=1))
        yard.lane.hold(held)
        made = (await yard.put(yard.wanted("waits", expires_at=clock.now() + timedelta(seconds=30))))[0]
        await yard.passes(timedelta(seconds=27))
        assert await yard.state(made) is State.QUEUED
        await yard.passes(timedelta(seconds=1, milliseconds=1))
        assert await yard.state(made) is State.EXPIRED, "two seconds before its time is over"
        assert carrier.got == ["on its way"]


async def test_no_attempt_is_opened_in_the_last_two_seconds(yard, clock, carrier):
    for ms in range(-500, 500, 50):
        ends = clock.now() + timedelta(seconds=2, milliseconds=ms)
        await yard.put(yard.wanted(str(ms), to=1000 + ms, expires_at=ends))
    assert sorted(map(int, carrier.got)) == list(range(50, 500, 50))


async def test_a_text_put_off_before_the_clock_was_set_back_does_not_wait_for_hours(store, clock):
    from dataclasses import replace

    from ringback.flow.house import Limits
    from tests.flow.world import HOUSE

    carrier = Answering()
    async with Yard(
        store, clock, carrier, house=replace(HOUSE, limits=Limits(per_number_per_minute=1))
    ).running() as yard:
        _, waits = await yard.put(yard.wanted("first", to=1), yard.wanted("second", to=2))
        assert (await yard.row(waits))[:2] == (State.HELD, Reason.RATE_NUMBER)
        clock.set_back(timedelta(hours=3))
        await yard.passes(timedelta(seconds=61))
        assert carrier.got == ["first", "second"]


async def test_a_text_that_waits_for_its_turn_when_the_clock_is_set_back_goes_when_its_turn_comes(store, clock):
    carrier = Answering(window=1, wait=asyncio.Event())
    async with Yard(store, clock, carrier).running() as yard:
        await yard.put(yard.wanted("first", to=1), yard.wanted("second", to=2))
        clock.set_back(timedelta(hours=3))
        carrier.wait.set()
        await yard.passes(timedelta(seconds=61))
        assert carrier.got == ["first", "second"]
