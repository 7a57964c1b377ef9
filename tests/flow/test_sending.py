"""From a queued text to its last word: every answer a carrier can give, on both databases."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from structlog.testing import capture_logs

from ringback.carriers.loopback import Settings
from ringback.core.messages import ReceiptStatus
from ringback.core.reasons import Reason
from ringback.errors import Rejected, Unconfirmed
from ringback.flow.attempts import recover
from ringback.flow.delays import sweep
from ringback.flow.house import Limits
from ringback.flow.pauses import Pause, Scope, pause
from ringback.flow.receipts import apply_receipt
from ringback.ports import CarrierRef, Receipt
from ringback.ports.handsets import Behaviour
from tests.conftest import NOON
from tests.flow.test_calls import tasks
from tests.flow.world import DID, HOUSE, OTHER_DID, PAT, SAM, World, a_call, life_of, ruled


@pytest.fixture
async def world(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        yield world


@pytest.mark.parametrize(
    ("behaviour", "states"),
    [
        pytest.param(Behaviour.DELIVERS, ["accepted", "sent", "delivered"], id="taken and delivered"),
        pytest.param(Behaviour.UNDELIVERS, ["accepted", "sent", "undelivered"], id="the handset could not be reached"),
        pytest.param(Behaviour.REPEATS, ["accepted", "delivered"], id="receipts twice and in the wrong order"),
        pytest.param(Behaviour.NO_RECEIPTS, ["accepted"], id="taken, and never heard of again"),
        pytest.param(Behaviour.REFUSES, ["failed"], id="a definite no"),
        pytest.param(Behaviour.BLOCKS, ["failed"], id="blocked at the carrier"),
        pytest.param(Behaviour.THROTTLES, ["held"], id="too fast"),
        pytest.param(Behaviour.AWAY, ["held"], id="the line is down"),
    ],
)
async def test_what_the_carrier_answers_is_what_the_text_becomes(world, behaviour, states):
    world.carrier.behave(PAT, behaviour)
    await world.happens(*life_of(a_call("1")))
    assert await world.states("1") == ["submitting", *states]


async def test_a_carrier_that_never_answers_leaves_the_text_unconfirmed_and_a_task(world, store):
    world.carrier.behave(PAT, Behaviour.SILENT)
    await world.happens(*life_of(a_call("1")))
    await world.passes(timedelta(seconds=11))
    assert await world.states("1") == ["submitting", "unconfirmed"]
    assert await tasks(store) == ["unconfirmed"]
    await world.passes(timedelta(hours=5))
    assert len(world.handset()) == 1, "never sent again by itself"


async def test_a_receipt_settles_a_text_whose_answer_was_lost(world):
    world.carrier.behave(PAT, Behaviour.ANSWER_LOST)
    await world.happens(*life_of(a_call("1")))
    await world.passes(timedelta(seconds=11))
    assert (await world.states("1"))[-1] == "delivered"
    assert len(world.handset()) == 1


async def test_a_carrier_that_is_back_gets_the_text_after_the_wait(world):
    world.carrier.behave(PAT, Behaviour.AWAY)
    await world.happens(*life_of(a_call("1")))
    await world.passes(timedelta(seconds=4))
    assert (await world.states("1"))[-1] == "held"
    world.carrier.behave(PAT, Behaviour.DELIVERS)
    await world.passes(timedelta(seconds=2))
    assert (await world.states("1"))[-1] == "delivered"
    assert len(world.handset()) == 1


async def test_a_text_too_old_to_be_worth_anything_expires_and_never_leaves(world):
    world.carrier.behave(PAT, Behaviour.AWAY)
    await world.happens(*life_of(a_call("1")))
    for _ in range(30):
        await world.passes(timedelta(minutes=10))
    world.carrier.behave(PAT, Behaviour.DELIVERS)
    await world.passes(timedelta(minutes=30))
    assert (await world.states("1"))[-1] == "expired"
    assert world.handset() == []


async def test_a_block_at_the_carrier_is_an_opt_out_here(world, clock):
    world.carrier.behave(PAT, Behaviour.BLOCKS)
    await world.happens(*life_of(a_call("1")))
    await world.passes(timedelta(hours=25))
    await world.happens(*life_of(a_call("2", ended=clock.now())))
    assert await world.decision("2") == ("suppress", Reason.OPTED_OUT)


async def test_a_window_that_is_full_queues_and_goes_on_when_a_slot_is_free(store, clock, tmp_path):
    async with World(store, clock, tmp_path, options=Settings(window=2)).running() as world:
        for number in (PAT, SAM):
            world.carrier.behave(number, Behaviour.SILENT)
        third = "+15125550125"
        await world.happens(
            *life_of(a_call("1")), *life_of(a_call("2", caller=SAM)), *life_of(a_call("3", caller=third))
        )
        assert world.lane.in_flight == 2
        assert await world.states("3") == ["queued"]
        await world.passes(timedelta(seconds=11))
        assert world.lane.in_flight == 0
        assert (await world.states("3"))[-1] == "delivered"


async def test_texts_to_one_person_keep_their_order(store, clock, tmp_path):
    async with World(store, clock, tmp_path, ruled(cool_down=timedelta())).running() as world:
        world.carrier.behave(PAT, Behaviour.SILENT)
        await world.happens(*life_of(a_call("1")))
        world.carrier.behave(PAT, Behaviour.DELIVERS)
        await world.happens(*life_of(a_call("2")))
        assert await world.states("2") == ["queued"], "the first is still on its way"
        await world.passes(timedelta(seconds=11))
        assert (await world.states("1"))[-1] == "unconfirmed"
        assert (await world.states("2"))[-1] == "delivered", "a text in doubt does not block the next"


async def test_a_number_sends_as_fast_as_it_may_and_then_waits(store, clock, tmp_path):
    house = replace(HOUSE, limits=Limits(per_number_per_minute=3))
    async with World(store, clock, tmp_path, house).running() as world:
        for n in range(5):
            await world.happens(*life_of(a_call(str(n), caller=f"+1512555{n + 100:04}")))
        assert [(await world.states(str(n)))[-1] for n in range(5)] == ["delivered"] * 3 + ["held"] * 2
        assert await world.decision("4") == ("defer", Reason.RATE_NUMBER)
        await world.passes(timedelta(minutes=1))
        assert [(await world.states(str(n)))[-1] for n in range(5)] == ["delivered"] * 5


async def test_a_pause_reaches_texts_that_are_queued_already(world, store):
    world.carrier.behave(PAT, Behaviour.AWAY)
    await world.happens(*life_of(a_call("1")))
    await store.commit(partial(pause, Pause(Scope.ALL), "ana", NOON))
    world.carrier.behave(PAT, Behaviour.DELIVERS)
    await world.passes(timedelta(seconds=10))
    assert (await world.states("1"))[-1] == "refused"
    assert world.handset() == []


async def test_a_carrier_with_a_bug_leaves_its_text_in_doubt_and_the_lane_running(world, monkeypatch):
    send = world.carrier.send

    async def fall_over(text):
        if text.to == PAT:
            raise ZeroDivisionError("a bug")
        return await send(text)

    monkeypatch.setattr(world.carrier, "send", fall_over)
    await world.happens(*life_of(a_call("1")), *life_of(a_call("2", caller=SAM)))
    assert (await world.states("1"))[-1] == "unconfirmed"
    assert (await world.states("2"))[-1] == "delivered"


async def test_an_attempt_left_open_by_a_crash_is_in_doubt_at_the_next_start(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as first:
        first.carrier.behave(PAT, Behaviour.SILENT)
        await first.happens(*life_of(a_call("1")))
        assert await first.states("1") == ["submitting"]
    async with World(store, clock, tmp_path).running() as second:
        assert await second.states("1") == ["submitting", "unconfirmed"]
        assert second.handset() == []
    assert await tasks(store) == ["unconfirmed"]


async def test_a_receipt_that_comes_before_the_answer_is_parked_and_found(store, clock, tmp_path):
    world = World(store, clock, tmp_path)
    early = Receipt("lb-early", ReceiptStatus.DELIVERED, NOON)
    assert await store.commit(partial(apply_receipt, "main", early, NOON)) is None

    async def named(_text):
        return CarrierRef("lb-early")

    world.carrier.send = named
    async with world.running():
        await world.happens(*life_of(a_call("1")))
        assert await world.states("1") == ["submitting", "accepted", "delivered"]


@pytest.mark.parametrize(
    ("receipts", "states"),
    [
        pytest.param(["delivered", "sent", "accepted"], ["delivered"], id="late ones change nothing"),
        pytest.param(["delivered", "delivered"], ["delivered"], id="the same twice"),
        pytest.param(["undelivered", "delivered"], ["undelivered", "delivered"], id="delivered after all"),
        pytest.param(["delivered", "undelivered"], ["delivered"], id="never back from delivered"),
        pytest.param(["sent", "delivered"], ["sent", "delivered"], id="in order"),
    ],
)
async def test_receipts_in_any_order_only_move_a_text_forward(world, store, receipts, states):
    world.carrier.behave(PAT, Behaviour.NO_RECEIPTS)
    await world.happens(*life_of(a_call("1")))
    (call,) = (await world.story("1")).calls
    provider_id = call.texts[0].attempts[0].provider_id
    for place, status in enumerate(receipts):
        receipt = Receipt(provider_id, ReceiptStatus(status), NOON + timedelta(seconds=place))
        await store.commit(partial(apply_receipt, "main", receipt, NOON))
    assert await world.states("1") == ["submitting", "accepted", *states]


async def test_no_word_from_the_carrier_for_three_days_is_said_as_such(world, store, clock):
    world.carrier.behave(PAT, Behaviour.NO_RECEIPTS)
    world.carrier.behave(SAM, Behaviour.SILENT)
    await world.happens(*life_of(a_call("1")), *life_of(a_call("2", caller=SAM)))
    await world.passes(timedelta(seconds=11))
    await world.passes(timedelta(hours=73))
    await store.commit(partial(sweep, HOUSE, clock.now()))
    assert (await world.states("1"))[-1] == "no_receipt"
    assert (await world.states("2"))[-1] == "unresolved"


async def test_an_attempt_closed_once_is_never_closed_again(world, store):
    world.carrier.behave(PAT, Behaviour.SILENT)
    await world.happens(*life_of(a_call("1")))
    assert await store.commit(partial(recover, "main", NOON)) == 1
    assert await store.commit(partial(recover, "main", NOON)) == 0
    with capture_logs() as lines:
        await world.passes(timedelta(seconds=11))
    assert await world.states("1") == ["submitting", "unconfirmed"], "the late answer wrote nothing"
    (line,) = [line for line in lines if line["event"] == "text handed over"]
    assert line["state"] == "settled before this answer"


async def test_a_lane_that_drains_lets_what_is_on_its_way_end(store, clock, tmp_path):
    world = World(store, clock, tmp_path)
    world.carrier.behave(PAT, Behaviour.SILENT)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(world.lane.run())
        follower = group.create_task(world.follower.follow(world.script))
        await world.settled()
        await world.happens(*life_of(a_call("1")))
        world.lane.drain()
        await world.happens(*life_of(a_call("2", caller=SAM)))
        assert not running.done()
        clock.move(timedelta(seconds=11))
        await running
        follower.cancel()
    assert await world.states("1") == ["submitting", "unconfirmed"]
    assert await world.states("2") == ["queued"], "kept for the next start"


@pytest.mark.parametrize("answer", [Rejected("no"), Unconfirmed("cut")], ids=["a definite no", "in doubt"])
async def test_only_a_provable_not_sent_is_tried_again(world, monkeypatch, answer):
    tries = []

    async def fail(text):
        tries.append(text.attempt)
        raise answer

    monkeypatch.setattr(world.carrier, "send", fail)
    await world.happens(*life_of(a_call("1")))
    for _ in range(6):
        await world.passes(timedelta(minutes=30))
    assert len(tries) == 1


async def test_a_text_longer_than_the_limit_is_refused(store, clock, tmp_path):
    house = replace(
        HOUSE, limits=Limits(max_segments=1), business="x" * 60, carrier_of={DID: "main", OTHER_DID: "main"}
    )
    long = replace(house.rules[0], text={"en": Words("a" * 161)})
    async with World(store, clock, tmp_path, replace(house, rules=(long,))).running() as world:
        await world.happens(*life_of(a_call("1")))
        assert await world.decision("1") == ("suppress", Reason.TOO_LONG)
        assert await world.states("1") == ["refused"]


class Words:
    def __init__(self, text):
        self.source = text

    def render(self, values):
        return self.source
