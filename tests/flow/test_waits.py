"""Waits as the daemon keeps them: answered from memory, learned from what happens, kept over a restart, compared."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest

from ringback.core.offers import Offer, OfferKind, Situation
from ringback.core.reasons import Reason
from ringback.core.text_queues import VoiceName
from ringback.core.voice_queues import Served, ServedHow, Waited
from ringback.flow.waits import Expected, Waits
from tests.conftest import NOON
from tests.fakes.voice_queues import HandQueues, voice_queue

SALES = VoiceName("main", "sales")


def s(seconds):
    return timedelta(seconds=seconds)


def served(talk=60, at=0):
    return Served("main", "sales", "PJSIP/101", s(talk), NOON + s(at))


def waited(uniqueid="u1", how=ServedHow.CONNECTED, seconds=30, at=30):
    return Waited("main", "sales", uniqueid, how, s(seconds), NOON + s(at))


@pytest.fixture
def exchange():
    return HandQueues(queues=[voice_queue(busy_since=NOON)])


@pytest.fixture
def waits(exchange, store, clock):
    return Waits({"main": exchange}, store, clock)


async def committed(store):
    """What rides along is on disk when a later step is."""
    await store.commit(lambda _tx: None)


async def test_a_queue_that_learned_answers(waits, exchange):
    assert waits.expected("main", "sales").wait is None
    exchange.learns(*[served()] * 10)
    assert waits.expected("main", "sales") == Expected(s(60), 1, 0, s(77))


async def test_who_waits_already_stands_where_they_stand(waits, exchange):
    exchange.learns(*[served()] * 10)
    for name in ("u1", "u2", "u3"):
        exchange.joins("sales", name, NOON)
    assert waits.expected("main", "sales", "u2") == Expected(s(120), 2, 2, s(77))
    assert waits.expected("main", "sales", "new") == Expected(s(240), 4, 3, s(77))
    assert waits.ahead("main", "sales", "u2") == ("u1",)
    assert waits.ahead("main", "sales", "new") == ("u1", "u2", "u3")


@pytest.mark.parametrize(
    ("pbx", "queue", "heard"),
    [("main", "sales", False), ("main", "nowhere", True), ("elsewhere", "sales", True)],
    ids=["the PBX is out of sight", "no such queue", "no such PBX"],
)
async def test_nobody_can_say(waits, exchange, pbx, queue, heard):
    exchange.learns(*[served()] * 10)
    exchange.heard = heard
    assert waits.expected(pbx, queue) == Expected()
    assert waits.ahead(pbx, queue, "u") == ()
    assert not waits.knows(pbx, queue)


async def test_what_was_learned_is_kept_for_the_next_start(waits, exchange, store, clock):
    exchange.learns(*[served()] * 10, waited())
    waits.keep(clock.now())
    await committed(store)
    again = Waits({"main": HandQueues(queues=exchange.queues())}, store, clock)
    await again.load()
    assert again.expected("main", "sales").wait == waits.expected("main", "sales").wait


async def test_a_model_that_learned_nothing_is_not_written_again(waits, exchange, store, clock):
    exchange.learns(served())
    waits.keep(clock.now())
    await store.commit(lambda tx: tx.queues.keep_models({SALES: "mine"}, clock.now()))
    waits.keep(clock.now())
    await committed(store)
    assert await store.commit(lambda tx: tx.queues.models()) == {SALES: "mine"}


async def test_it_runs_and_writes_at_most_once_a_minute(waits, exchange, store, clock):
    running = asyncio.create_task(waits.run())
    try:
        await asyncio.sleep(0)
        exchange.learns(served())
        await clock.until_somebody_sleeps()
        assert await store.commit(lambda tx: tx.queues.models()) == {}
        clock.move(s(61))
        exchange.learns(served())
        await asyncio.sleep(0)  # it wakes
        await clock.until_somebody_sleeps()
        assert list(await store.commit(lambda tx: tx.queues.models())) == [SALES]
    finally:
        running.cancel()
        await asyncio.wait((running,))


async def test_what_was_said_is_compared_with_what_came_true(waits, exchange, clock):
    exchange.learns(*[served()] * 10)
    exchange.joins("sales", "u1", clock.now())
    waits.look(clock.now())
    exchange.leaves("sales", "u1")
    exchange.learns(waited("u1", at=90))
    errors = waits.errors()[SALES]
    assert (errors.count, errors.off, errors.bias, errors.hold) == (1, 30.0, -30.0, 13.0)


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(waited("u1", ServedHow.ABANDONED, at=90), id="they gave up: nobody knows how long they had to go"),
        pytest.param(waited("u1", ServedHow.LEFT, at=90), id="they left by a key"),
        pytest.param(waited("u9", at=90), id="nothing was said to them"),
    ],
)
async def test_what_cannot_be_compared_is_not(waits, exchange, clock, what):
    exchange.learns(*[served()] * 10)
    exchange.joins("sales", "u1", clock.now())
    waits.look(clock.now())
    exchange.learns(what)
    assert waits.errors() == {}


async def test_only_who_just_came_is_told(waits, exchange, clock):
    exchange.learns(*[served()] * 10)
    exchange.joins("sales", "u1", clock.now() - s(60))
    waits.look(clock.now())
    exchange.learns(waited("u1", at=90))
    assert waits.errors() == {}


async def test_an_offer_learns_how_long_the_wait_was_in_truth(waits, exchange, store, clock):
    offer = Offer(
        "main", "u1", OfferKind.DEFLECTION, "+12025550101", "+15125550123", Situation("sales"), Reason.ALLOWED, NOON
    )
    await store.commit(partial(lambda tx: tx.offers.put(offer)))
    exchange.learns(waited("u1", seconds=42))
    waits.tell()
    await committed(store)
    kept = await store.commit(lambda tx: tx.offers.of("main", "u1", OfferKind.DEFLECTION))
    assert kept.waited == s(42)
