"""An agent whose phone is a real one: what happens to it shows on the roll within a second."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lab.asterisk import Asterisk
from lab.pbx import Pbx
from lab.phone import answer
from ringback.asterisk.ami import Account
from ringback.asterisk.feed import AmiFeed
from ringback.asterisk.tracker import Tracker
from ringback.clock import SystemClock
from ringback.core.presence import Presence
from ringback.core.text_queues import Plan, Queues, TextQueue
from ringback.flow.changes import Hub
from ringback.flow.presence import Roll, Tables
from ringback.ports.changes import PRESENCE
from ringback.ports.queues import Agent
from tests.fakes.grants import OPEN_BOOK

ANNA, DID = 1, "+12025550122"
SECOND = 1.0
QUEUE = TextQueue(10, "que_help", "help", Plan(), main=True, members=(ANNA,))


class Watched:
    """The roll, and how soon it says a thing."""

    def __init__(self, roll: Roll, hub: Hub, feed: AmiFeed) -> None:
        self.roll, self.hub, self.feed = roll, hub, feed

    async def shows(self, presence: Presence, within: float = SECOND, on_call: bool = False) -> None:
        with self.hub.watch() as watch:
            watch.of((PRESENCE,))
            async with asyncio.timeout(within):
                while (now := self.roll.of(ANNA)) is None or (now.presence, now.on_call) != (presence, on_call):
                    await watch.wait()


@asynccontextmanager
async def watching(asterisk: Asterisk) -> AsyncIterator[Watched]:
    """Anna has a page open; her phone is 122."""
    who, clock, hub = asterisk.account, SystemClock(), Hub()
    account = Account("main", "127.0.0.1", asterisk.ami_port, who.user, who.secret)
    feed = AmiFeed(account, clock, Tracker("main", frozenset({"from-trunk"}), frozenset(), trust_caller_id=True))
    roll = Roll({"main": feed.exchange}, hub, clock)
    roll.know(Tables(Queues((QUEUE,), "v"), {ANNA: Agent(ANNA, "usr_anna", "anna", "Anna", "122")}, {}, OPEN_BOOK))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(part) for part in (feed.run(), feed.listen_in(), roll.run())]
        try:
            with roll.here(ANNA):
                yield Watched(roll, hub, feed)
        finally:
            for task in tasks:
                task.cancel()


async def test_lab_phone_of_an_agent_shows_on_the_roll_within_a_second(asterisk: Asterisk, pbx: Pbx):
    carrier, ami = await pbx.carrier(), await pbx.ami()
    carrier.behaviour = answer()
    async with watching(asterisk) as anna:
        await anna.shows(Presence.UNREGISTERED, within=10)
        assert anna.roll.able(QUEUE.id, DID) == 0
        phone = await pbx.phone("122")
        await anna.shows(Presence.READY)
        assert anna.roll.able(QUEUE.id, DID) == 1

        call = await phone.call("+15125550177")
        await call.answered()
        await anna.shows(Presence.ON_CALL, on_call=True)
        await call.hang_up()
        await anna.shows(Presence.READY)

        for paused, presence in (("true", Presence.PAUSED), ("false", Presence.READY)):
            await ami.action("QueuePause", Interface="PJSIP/122", Paused=paused)
            await anna.shows(presence)

        for state, presence in (("BUSY", Presence.DND), ("NOT_INUSE", Presence.READY)):
            asterisk.cli(f"devstate change Custom:DND122 {state}")
            await anna.shows(presence)

        await phone.register(expires=0)
        await anna.shows(Presence.UNREGISTERED)


@pytest.mark.parametrize(
    "command",
    [pytest.param("queue reload all", id="queue reload"), pytest.param("module reload app_queue", id="module")],
)
async def test_lab_reload_with_a_new_queue_is_noticed(asterisk: Asterisk, command: str):
    file = asterisk.run / "etc" / "queues.conf"
    before = file.read_text()
    async with watching(asterisk) as anna:
        await anna.shows(Presence.UNREGISTERED, within=10)
        exchange = anna.feed.exchange
        told = asyncio.Event()
        exchange.on_change(told.set)
        try:
            file.write_text(f"{before}\n[fresh](served)\nmember => PJSIP/124\n")
            asterisk.cli(command)
            async with asyncio.timeout(5):
                while exchange.queue("fresh") is None:
                    told.clear()
                    await told.wait()
        finally:
            file.write_text(before)
            asterisk.cli("module reload app_queue")
        async with asyncio.timeout(5):
            while exchange.queue("fresh") is not None:
                told.clear()
                await told.wait()
