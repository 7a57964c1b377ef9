"""What an exchange is to us: the fake in memory, ours on a fake PBX, and ours on a real Asterisk with real phones."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from lab.asterisk import Asterisk
from lab.call import Call
from lab.phone import answer
from ringback.asterisk.ami import Account
from ringback.asterisk.feed import AmiFeed
from ringback.asterisk.tracker import Tracker
from ringback.clock import SystemClock
from ringback.core.presence import Phone
from ringback.core.voice_queues import DeviceState, ServedHow, Waited
from ringback.ports.exchange import Exchange, Learned
from tests.conftest import NOON
from tests.fakes.ami import FakePbx, message
from tests.fakes.exchange import FakeExchange, a_queue
from tests.fakes.queues import device, device_event, listed_member, member_lines, params

SECOND = 1.0
"""How soon something that happens at the PBX has to be known."""
QUEUE, PHONE = "support", "122"

Deed = Callable[[], Awaitable[None]]


@dataclass
class Rig:
    """An exchange and what can be done at it, to phone 122, which serves the queue `support`."""

    exchange: Exchange
    register: Deed
    speak: Deed
    hang_up: Deed
    unregister: Deed
    pause: Deed
    go_on: Deed
    disturb_not: Deed
    wait_in_queue: Deed
    give_up: Deed
    restart: Deed

    def __post_init__(self) -> None:
        """Hear what it tells."""
        self.bell = asyncio.Event()
        self.learned: list[Learned] = []
        self.exchange.on_change(self.bell.set)
        self.exchange.on_learned(self._learn)

    def _learn(self, what: Learned) -> None:
        self.learned.append(what)
        self.bell.set()

    async def until(self, holds: Callable[[], object], within: float = SECOND) -> None:
        async with asyncio.timeout(within):
            while not holds():
                self.bell.clear()
                await self.bell.wait()

    async def phone_is(self, state: DeviceState, **more: bool) -> None:
        await self.until(lambda: self.exchange.phone(PHONE) == Phone(state, **more))


@asynccontextmanager
async def in_memory(_: object) -> AsyncIterator[Rig]:
    fake = FakeExchange("main", [a_queue(QUEUE, PHONE)])
    fake.is_now(PHONE, DeviceState.UNAVAILABLE)

    def deed(act: Callable[..., object], *what: object) -> Deed:
        async def done() -> None:
            act(*what)

        return done

    async def restart() -> None:
        fake.lost()
        await asyncio.sleep(0)
        fake.is_now(PHONE, DeviceState.UNAVAILABLE)
        fake.pauses(PHONE, False)
        asyncio.get_running_loop().call_later(0.02, fake.back)

    async def give_up() -> None:
        fake.leaves(QUEUE, "1.1")
        fake.learned(Waited("main", QUEUE, "1.1", ServedHow.ABANDONED, timedelta(seconds=1), NOON))

    yield Rig(
        fake,
        register=deed(fake.is_now, PHONE, DeviceState.NOT_INUSE),
        speak=deed(fake.is_now, PHONE, DeviceState.INUSE),
        hang_up=deed(fake.is_now, PHONE, DeviceState.NOT_INUSE),
        unregister=deed(fake.is_now, PHONE, DeviceState.UNAVAILABLE),
        pause=deed(fake.pauses, PHONE, True),
        go_on=deed(fake.pauses, PHONE, False),
        disturb_not=deed(fake.disturb_not, PHONE),
        wait_in_queue=deed(fake.joins, QUEUE, "1.1"),
        give_up=give_up,
        restart=restart,
    )


@asynccontextmanager
async def heard(account: Account) -> AsyncIterator[AmiFeed]:
    """A feed that listens and keeps its exchange up to date."""
    feed = AmiFeed(
        account, SystemClock(), Tracker("main", frozenset({"from-trunk"}), frozenset(), trust_caller_id=True)
    )
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(feed.run()), group.create_task(feed.listen_in())]
        try:
            yield feed
        finally:
            for task in tasks:
                task.cancel()


@asynccontextmanager
async def spoken(_: object) -> AsyncIterator[Rig]:
    async with FakePbx() as pbx:
        state, paused = ["UNAVAILABLE"], ["0"]

        def listed() -> None:
            pbx.queues = [params(QUEUE), listed_member(QUEUE, PHONE, Paused=paused[0])]
            pbx.devices = [device(f"PJSIP/{PHONE}", state[0])]

        def is_now(new: str) -> Deed:
            async def done() -> None:
                state[0] = new
                pbx.raw(message(device_event(f"PJSIP/{PHONE}", new)))
                listed()

            return done

        def pause(new: str) -> Deed:
            async def done() -> None:
                paused[0] = new
                lines = member_lines(QUEUE, PHONE, Paused=new)
                pbx.raw(message([("Event", "QueueMemberPause"), ("Privilege", "agent,all"), *lines]))
                listed()

            return done

        async def disturb_not() -> None:
            pbx.raw(message(device_event(f"Custom:DND{PHONE}", "BUSY")))

        async def wait_in_queue() -> None:
            pbx.say("QueueCallerJoin", Uniqueid="1.1", Queue=QUEUE, Position="1", Count="1")

        async def give_up() -> None:
            where = {"Uniqueid": "1.1", "Queue": QUEUE, "Position": "1"}
            pbx.say("QueueCallerAbandon", **where, OriginalPosition="1", HoldTime="1")
            pbx.say("QueueCallerLeave", **where, Count="0")
            pbx.say("Hangup", Uniqueid="1.1", Cause="16")

        async def restart() -> None:
            state[0], paused[0] = "UNAVAILABLE", "0"
            listed()
            pbx.restart()

        listed()
        async with heard(Account("main", "127.0.0.1", pbx.port, "ringback", "secret")) as feed:
            yield Rig(
                feed.exchange,
                register=is_now("NOT_INUSE"),
                speak=is_now("INUSE"),
                hang_up=is_now("NOT_INUSE"),
                unregister=is_now("UNAVAILABLE"),
                pause=pause("1"),
                go_on=pause("0"),
                disturb_not=disturb_not,
                wait_in_queue=wait_in_queue,
                give_up=give_up,
                restart=restart,
            )


@asynccontextmanager
async def real(asterisk: Asterisk) -> AsyncIterator[Rig]:
    async with asterisk.opened() as pbx:
        ami, carrier = await pbx.ami(), await pbx.carrier()
        carrier.behaviour = answer()
        phone = await pbx.phone(PHONE)
        await phone.register(expires=0)
        calls = list[Call]()

        async def speak() -> None:
            calls.append(await phone.call("+15125550177"))
            await calls[-1].answered()

        async def hang_up() -> None:
            await calls.pop().hang_up()

        def pause(paused: str) -> Deed:
            async def done() -> None:
                await ami.action("QueuePause", Queue=QUEUE, Interface=f"PJSIP/{PHONE}", Paused=paused)

            return done

        async def wait_in_queue() -> None:
            calls.append(await (await pbx.caller("+15125550123")).call("+12125550122"))

        async def disturb_not() -> None:
            asterisk.cli(f"devstate change Custom:DND{PHONE} BUSY")

        async def restart() -> None:
            await asyncio.to_thread(asterisk.kill)
            await asyncio.to_thread(asterisk.restart)

        async def unregister() -> None:
            await phone.register(expires=0)

        who = asterisk.account
        asterisk.cli(f"devstate change Custom:DND{PHONE} NOT_INUSE")
        async with heard(Account("main", "127.0.0.1", asterisk.ami_port, who.user, who.secret)) as feed:
            yield Rig(
                feed.exchange,
                register=phone.register,
                speak=speak,
                hang_up=hang_up,
                unregister=unregister,
                pause=pause("true"),
                go_on=pause("false"),
                disturb_not=disturb_not,
                wait_in_queue=wait_in_queue,
                give_up=hang_up,
                restart=restart,
            )


@pytest.fixture(scope="module")
def asterisk() -> Iterator[Asterisk]:
    """One of its own, since it is killed here."""
    with Asterisk.running() as running:
        yield running


@pytest.fixture
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    make = request.param
    async with make(request.getfixturevalue("asterisk") if make is real else None) as rig:
        await rig.until(lambda: rig.exchange.heard, within=10)
        yield rig


RIGS = pytest.mark.parametrize(
    "rig",
    [pytest.param(in_memory, id="fake"), pytest.param(spoken, id="fake_pbx"), pytest.param(real, id="lab")],
    indirect=True,
)


@RIGS
async def test_a_phone_comes_speaks_and_goes(rig: Rig):
    await rig.phone_is(DeviceState.UNAVAILABLE)
    await rig.register()
    await rig.phone_is(DeviceState.NOT_INUSE)
    await rig.speak()
    await rig.until(lambda: rig.exchange.phone(PHONE).state.busy)
    await rig.hang_up()
    await rig.phone_is(DeviceState.NOT_INUSE)
    await rig.unregister()
    await rig.phone_is(DeviceState.UNAVAILABLE)
    assert rig.exchange.phone("no-such-phone") is None


@RIGS
async def test_a_phone_is_paused_and_does_not_want_to_be_disturbed(rig: Rig):
    await rig.register()
    await rig.phone_is(DeviceState.NOT_INUSE)
    await rig.pause()
    await rig.phone_is(DeviceState.NOT_INUSE, paused=True)
    await rig.go_on()
    await rig.phone_is(DeviceState.NOT_INUSE)
    await rig.disturb_not()
    await rig.phone_is(DeviceState.NOT_INUSE, dnd=True)


@RIGS
async def test_a_caller_waits_and_gives_up(rig: Rig):
    assert PHONE in [one.phone for one in rig.exchange.queue(QUEUE).members]
    assert rig.exchange.queue("no-such-queue") is None
    await rig.wait_in_queue()
    await rig.until(lambda: [one.position for one in rig.exchange.queue(QUEUE).callers] == [1], within=5)
    await rig.give_up()
    await rig.until(lambda: not rig.exchange.queue(QUEUE).callers)
    await rig.until(lambda: rig.learned)
    (waited,) = rig.learned
    assert isinstance(waited, Waited)
    assert (waited.pbx, waited.queue, waited.how) == ("main", QUEUE, ServedHow.ABANDONED)


@RIGS
async def test_a_pbx_that_was_started_anew_is_asked_again(rig: Rig):
    await rig.register()
    await rig.phone_is(DeviceState.NOT_INUSE)
    await rig.pause()
    await rig.phone_is(DeviceState.NOT_INUSE, paused=True)
    losing = asyncio.create_task(rig.restart())
    await rig.until(lambda: not rig.exchange.heard, within=5)
    await losing
    await rig.until(lambda: rig.exchange.heard, within=20)
    assert rig.exchange.queue(QUEUE).members
    assert not any(one.paused for one in rig.exchange.queue(QUEUE).members)
    await rig.register()  # it may have forgotten that, or not
    await rig.phone_is(DeviceState.NOT_INUSE)
