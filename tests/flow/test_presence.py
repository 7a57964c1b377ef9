"""The roll of agents: every presence and how it comes, graces, and who could take a text now."""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from ringback.core.book import Book
from ringback.core.grants import ALL_NUMBERS, Effect, Grant, Level, Subject, Way
from ringback.core.permissions import Role
from ringback.core.presence import AtDesk, Presence
from ringback.core.text_queues import Plan, Queues, TextQueue
from ringback.core.voice_queues import DeviceState
from ringback.flow.changes import Hub
from ringback.flow.presence import PAGE_GRACE, PBX_GRACE, START_GRACE, Roll, Tables
from ringback.ports.changes import PRESENCE
from ringback.ports.queues import Agent
from tests.conftest import NOON
from tests.fakes.exchange import FakeExchange
from tests.fakes.grants import OPEN_BOOK
from tests.fakes.hand_clock import HandClock

DID = "+12025550101"
ANNA = Agent(1, "usr_anna", "anna", "Anna", "122")
BERT = Agent(2, "usr_bert", "bert", "Bert", "", capacity=1)


@dataclass
class World:
    agents: dict[int, Agent]
    exchange: FakeExchange
    hub: Hub
    clock: HandClock
    roll: Roll

    def keep(self, *agents: Agent) -> None:
        """Have these in the tables."""
        self.agents |= {agent.account: agent for agent in agents}
        self.know()

    def know(self, loads: Mapping[int, int] | None = None, book: Book = OPEN_BOOK) -> None:
        queue = TextQueue(10, "que_main", "main", Plan(), main=True, members=(1, 2))
        self.roll.know(Tables(Queues((queue,), "v1"), dict(self.agents), loads or {}, book))

    async def until(self, holds) -> None:
        """Wait for what the roll tells; it must tell of each change."""
        with self.hub.watch() as watch:
            watch.of((PRESENCE,))
            async with asyncio.timeout(5):
                while not holds():
                    await watch.wait()

    async def is_now(self, presence: Presence, account: int = 1) -> None:
        await self.until(lambda: (now := self.roll.of(account)) is not None and now.presence is presence)

    async def moves(self, by: timedelta) -> None:
        await asyncio.wait_for(self.clock.until_somebody_sleeps(), 5)
        self.clock.move(by)


@asynccontextmanager
async def running():
    exchange, hub, clock = FakeExchange(), Hub(), HandClock(NOON)
    exchange.is_now("122", DeviceState.NOT_INUSE)
    roll = Roll({"main": exchange}, hub, clock)
    world = World({1: ANNA, 2: BERT}, exchange, hub, clock, roll)
    world.know()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(roll.run())
        try:
            yield world
        finally:
            task.cancel()


@pytest.fixture
async def world():
    """Anna has a page open and a phone that is free; Bert has neither."""
    async with running() as world:
        with world.roll.here(1):
            await world.moves(START_GRACE)
            await world.is_now(Presence.READY)
            await world.is_now(Presence.LOGGED_OUT, 2)
            yield world


# -- each presence and how it comes


@pytest.mark.parametrize(
    ("happens", "presence", "on_call"),
    [
        pytest.param(
            lambda pbx: pbx.is_now("122", DeviceState.UNAVAILABLE), Presence.UNREGISTERED, False, id="unplugged"
        ),
        pytest.param(
            lambda pbx: pbx.is_now("122", DeviceState.INVALID), Presence.UNREGISTERED, False, id="no such phone"
        ),
        pytest.param(lambda pbx: pbx.is_now("122", DeviceState.INUSE), Presence.ON_CALL, True, id="on a call"),
        pytest.param(lambda pbx: pbx.is_now("122", DeviceState.ONHOLD), Presence.ON_CALL, True, id="with one on hold"),
        pytest.param(lambda pbx: pbx.pauses("122"), Presence.PAUSED, False, id="paused"),
        pytest.param(lambda pbx: pbx.disturb_not("122"), Presence.DND, False, id="does not want to be disturbed"),
    ],
)
async def test_the_phone_says(world, happens, presence, on_call):
    happens(world.exchange)
    await world.is_now(presence)
    assert world.roll.of(1).on_call is on_call
    assert world.roll.of(1).since == world.clock.now()


async def test_a_ringing_phone_is_ready(world):
    world.exchange.is_now("122", DeviceState.INUSE)
    await world.is_now(Presence.ON_CALL)
    world.exchange.is_now("122", DeviceState.RINGING)
    await world.is_now(Presence.READY)


async def test_paused_and_on_a_call_both_show(world):
    world.exchange.is_now("122", DeviceState.INUSE)
    world.exchange.pauses("122")
    await world.is_now(Presence.PAUSED)
    assert world.roll.of(1).on_call


async def test_what_they_say_at_the_panel_comes_first(world):
    world.keep(replace(ANNA, desk=AtDesk.AWAY))
    await world.is_now(Presence.AWAY)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"follows_phone": False}, id="their phone does not count"),
        pytest.param({"phone": ""}, id="they have none"),
        pytest.param({"phone": "777"}, id="nobody ever heard of it"),
    ],
)
async def test_without_a_phone_only_the_page_counts(world, change):
    world.exchange.is_now("122", DeviceState.UNAVAILABLE)
    await world.is_now(Presence.UNREGISTERED)
    world.keep(replace(ANNA, **change))
    await world.is_now(Presence.READY)
    assert not world.roll.of(1).on_call


async def test_whoever_is_no_agent_any_more_is_not_in_it(world):
    del world.agents[1]
    world.keep(replace(BERT, disabled=True))
    await world.until(lambda: not world.roll.now())


async def test_one_of_two_pbxs_that_speaks_is_enough():
    exchanges = {"a": FakeExchange("a"), "b": FakeExchange("b")}
    exchanges["a"].is_now("122", DeviceState.UNAVAILABLE)
    exchanges["b"].is_now("122", DeviceState.NOT_INUSE)
    roll = Roll(exchanges, Hub(), HandClock(NOON))
    roll.know(Tables(Queues(), {1: ANNA}, {}, OPEN_BOOK))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(roll.run())
        with roll.here(1):
            await until(lambda: roll.of(1) is not None and roll.of(1).presence is Presence.READY)
            exchanges["a"].is_now("122", DeviceState.INUSE)
            await until(lambda: roll.of(1).presence is Presence.ON_CALL)
        task.cancel()


async def until(holds) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.01)


# -- graces


async def test_a_page_that_closes_counts_a_little_longer():
    async with running() as world:
        with ExitStack() as page, ExitStack() as other:
            page.enter_context(world.roll.here(1))
            other.enter_context(world.roll.here(1))
            await world.moves(START_GRACE)
            await world.is_now(Presence.READY)
            page.close()
            await world.moves(PAGE_GRACE * 2)
            world.exchange.changed()
            other.close()
            left = world.clock.now()
        world.roll.reckon()
        assert world.roll.of(1).presence is Presence.READY
        await world.moves(PAGE_GRACE)
        await world.is_now(Presence.LOGGED_OUT)
        assert world.roll.of(1).since == left + PAGE_GRACE


async def test_a_clock_that_is_set_back_keeps_nobody_at_their_desk(world):
    with world.roll.here(2):
        await world.is_now(Presence.READY, 2)
    world.clock.set_back(timedelta(days=1))
    world.roll.reckon()
    assert world.roll.of(1).since <= world.clock.now()
    world.clock.move(PAGE_GRACE)
    world.roll.reckon()
    assert world.roll.of(2).presence is Presence.LOGGED_OUT


async def test_a_clock_that_is_set_back_at_the_start_has_nobody_awaited_for_longer():
    async with running() as world:
        await world.is_now(Presence.READY)
        world.clock.set_back(timedelta(days=1))
        world.clock.move(START_GRACE)
        world.roll.reckon()
        assert world.roll.of(1).presence is Presence.LOGGED_OUT


async def test_after_a_start_everybody_may_come_back_and_is_given_nothing_before():
    async with running() as world:
        await world.is_now(Presence.READY)
        assert world.roll.of(1).awaited
        world.know()
        assert world.roll.able(10, DID) == 0
        with world.roll.here(1):
            await world.until(lambda: not world.roll.of(1).awaited)
            assert world.roll.able(10, DID) == 1
            await world.moves(START_GRACE)
            await world.is_now(Presence.LOGGED_OUT, 2)
            assert world.roll.of(2).since == NOON + START_GRACE
            assert world.roll.of(1).presence is Presence.READY


async def test_a_pbx_out_of_hearing_is_taken_as_it_was_and_after_that_no_phone_counts(world):
    world.exchange.is_now("122", DeviceState.UNAVAILABLE)
    await world.is_now(Presence.UNREGISTERED)
    since = world.roll.of(1).since
    world.exchange.lost()
    world.roll.reckon()
    assert (world.roll.of(1).presence, world.roll.of(1).since) == (Presence.UNREGISTERED, since)
    await world.moves(PBX_GRACE)
    await world.is_now(Presence.READY)
    world.exchange.back()
    await world.is_now(Presence.UNREGISTERED)


async def test_since_stays_while_the_presence_does(world):
    world.clock.move(timedelta(minutes=5))
    world.exchange.is_now("122", DeviceState.INUSE)
    await world.is_now(Presence.ON_CALL)
    since = world.clock.now()
    world.clock.move(timedelta(minutes=5))
    world.exchange.is_now("122", DeviceState.ONHOLD)
    world.roll.reckon()
    assert world.roll.of(1).since == since


async def test_nothing_is_told_where_nothing_changed(world):
    with world.hub.watch() as watch:
        watch.of((PRESENCE,))
        world.exchange.changed()
        world.roll.reckon()
        assert not watch.bell.is_set()


# -- who could take one


def only(*accounts: int) -> Book:
    """A book by which these may text from the number and read its threads."""
    ways = (Way.SEND, Way.RECEIVE)
    grants = [Grant(Subject(Level.USER, one), way, ALL_NUMBERS, "", Effect.ALLOW) for one in accounts for way in ways]
    return Book("only", tuple(grants), roles={1: frozenset({Role.AGENT}), 2: frozenset({Role.AGENT})})


@pytest.mark.parametrize(
    ("loads", "book", "did", "able"),
    [
        pytest.param({}, OPEN_BOOK, DID, [1, 2], id="both"),
        pytest.param({}, OPEN_BOOK, "", [1, 2], id="whatever the number"),
        pytest.param({1: 2, 2: 1}, OPEN_BOOK, DID, [1], id="one is full"),
        pytest.param({1: 3, 2: 1}, OPEN_BOOK, DID, [], id="both are full"),
        pytest.param({}, only(2), DID, [2], id="one may text from there"),
        pytest.param({}, only(), DID, [], id="nobody may"),
        pytest.param({}, replace(OPEN_BOOK, roles={1: frozenset({Role.AUDITOR})}), DID, [], id="no role for it"),
    ],
)
async def test_who_could_take_one(world, loads, book, did, able):
    with world.roll.here(2):
        await world.is_now(Presence.READY, 2)
        world.know(loads, book)
        assert world.roll.who(10, did) == able
        assert world.roll.able(10, did) == len(able)


async def test_a_call_counts_and_another_book_counts_at_once(world):
    world.know({1: 2})
    assert world.roll.able(10, DID) == 1
    world.exchange.is_now("122", DeviceState.INUSE)
    await world.is_now(Presence.ON_CALL)
    assert world.roll.able(10, DID) == 0
    world.know()
    assert world.roll.able(10, DID) == 1
    world.know({}, only(2))
    assert world.roll.able(10, DID) == 0
