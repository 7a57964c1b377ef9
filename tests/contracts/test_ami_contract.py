"""What AMI is to us, asked of a real Asterisk and of the fake alike, so that the fake cannot drift."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from lab.asterisk import Asterisk
from ringback.asterisk.ami import Account, Ami
from ringback.asterisk.codec import Event
from ringback.asterisk.rights import CONTEXT, contexts_calling_us, dangerous, dialplan_version, rights
from ringback.asterisk.standing import Pace, Retry, State, Trouble
from ringback.clock import SystemClock
from ringback.errors import PbxAway, PbxRefused
from tests.fakes.ami import REPORTING, FakePbx, channel

QUICK = Pace(retries=dict.fromkeys(Trouble, Retry(0.0, 0.0)))
WITHIN = 10.0
PAT, DID = "+15125550123", "+12125550160"


class Ear:
    """Keeps what it hears, and rings for each."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.lives: list[tuple[int | None, list[Event]]] = []
        self.losses = 0
        self._rang = asyncio.Event()

    def on_event(self, event: Event) -> None:
        self.events.append(event)
        self._rang.set()

    def on_live(self, uptime: int | None, channels: list[Event]) -> None:
        self.lives.append((uptime, channels))
        self._rang.set()

    def on_lost(self) -> None:
        self.losses += 1
        self._rang.set()

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(WITHIN):
            while not holds():
                self._rang.clear()
                await self._rang.wait()


@dataclass
class Rig:
    """A PBX of one kind. `call` makes somebody ring line 60; `cut` breaks the line and comes back; `leave` does not."""

    account: Account
    call: Callable[[], Awaitable[None]]
    cut: Callable[[], Awaitable[None]]
    leave: Callable[[], Awaitable[None]]


MakeRig = Callable[[Asterisk], AbstractAsyncContextManager[Rig]]


@asynccontextmanager
async def real(asterisk: Asterisk) -> AsyncIterator[Rig]:
    async with asterisk.opened() as pbx:

        async def call() -> None:
            await (await (await pbx.caller(PAT)).call(DID)).ringing()

        async def leave() -> None:
            asterisk.kill()

        async def cut() -> None:
            asterisk.kill()
            asterisk.restart()

        who = asterisk.account
        yield Rig(Account("main", "127.0.0.1", asterisk.ami_port, who.user, who.secret), call, cut, leave)
    if not asterisk.pid:
        asterisk.restart()


GOSUB = {
    "Context": "from-trunk",
    "Extension": "_+12[01]255501XX",
    "Application": "Gosub",
    "AppData": f"{CONTEXT},s,1(${{EXTEN}})",
}
MARKER = {"Context": CONTEXT, "Extension": "s", "Application": "NoOp", "AppData": "ringback-dialplan 1"}


@asynccontextmanager
async def fake(_: Asterisk) -> AsyncIterator[Rig]:
    dialplan = {"from-trunk": [list(GOSUB.items())], CONTEXT: [list(MARKER.items())]}
    async with FakePbx(commands=dict(REPORTING), dialplan=dialplan) as pbx:

        async def call() -> None:
            begin = channel("lab-1.1", "ringback-call", CallerIDNum=PAT, Exten="s", Application="Dial")
            pbx.channels = [begin]
            pbx.variables = {dict(begin)["Channel"]: {"RINGBACK_DID": DID}}
            caller = {**dict(begin), "Context": "from-trunk", "Exten": DID}
            pbx.say("Newchannel", **{name: value for name, value in caller.items() if name[:4] not in ("Appl", "Dura")})

        async def leave() -> None:
            await pbx.stop()

        async def cut() -> None:
            pbx.restart()

        yield Rig(Account("main", "127.0.0.1", pbx.port, "ringback", "secret"), call, cut, leave)


RIGS: dict[str, MakeRig] = {"the fake": fake, "a real Asterisk, lab": real}


@pytest.fixture(scope="module")
def asterisk() -> Iterator[Asterisk]:
    with Asterisk.running() as started:
        yield started


@pytest.fixture(params=RIGS)
async def rig(request: pytest.FixtureRequest, asterisk: Asterisk) -> AsyncIterator[Rig]:
    async with RIGS[request.param](asterisk) as made:
        yield made


@dataclass
class Line:
    """A connection and what it heard."""

    ami: Ami
    ear: Ear = field(default_factory=Ear)


@asynccontextmanager
async def connected(account: Account) -> AsyncIterator[Line]:
    ear = Ear()
    ami = Ami(account, SystemClock(), ear, QUICK)
    ami.start()
    try:
        yield Line(ami, ear)
    finally:
        ami.close()


@pytest.fixture
async def line(rig: Rig) -> AsyncIterator[Line]:
    async with connected(rig.account) as made:
        await made.ear.until(lambda: made.ear.lives)
        yield made


async def test_a_login_brings_fully_booted_and_the_channels(line: Line) -> None:
    assert line.ami.standing.state is State.LIVE
    uptime, channels = line.ear.lives[0]
    assert uptime is not None
    assert channels == []
    (booted,) = [event for event in line.ear.events if event.name == "FullyBooted"]
    assert booted.get("Status") == "Fully Booted"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"secret": "not-the-one-there"}, id="a wrong password"),
        pytest.param({"user": "nobody"}, id="an unknown user"),
    ],
)
async def test_a_login_is_refused(rig: Rig, change: dict[str, str]) -> None:
    async with connected(replace(rig.account, **change)) as line:
        standing = await line.ami.settled(WITHIN)
        assert standing.state is State.REFUSED
        assert "wrong password for user" in standing.why
        assert "Authentication failed" in standing.why
        with pytest.raises(PbxAway):
            await line.ami.ask("Ping")


async def test_ping_tells_the_time_of_the_exchange(line: Line) -> None:
    answer = await line.ami.ask("Ping")
    assert answer.get("Ping") == "Pong"
    assert float(answer.get("Timestamp")) > 1_700_000_000


async def test_list_commands_names_each_action_with_its_classes(line: Line) -> None:
    found = await rights(line.ami)
    assert found.missing() == ()
    assert dangerous(found) == ()
    assert "Originate" not in found.actions
    described = (await line.ami.ask("ListCommands")).get("CoreShowChannels")
    assert described == REPORTING["CoreShowChannels"]


async def test_the_dialplan_can_be_read(line: Line) -> None:
    assert await dialplan_version(line.ami) == "1"
    assert await contexts_calling_us(line.ami, ("from-trunk", "no-such-context")) == {"from-trunk"}
    with pytest.raises(PbxRefused, match="Did not find context no-such-context"):
        await line.ami.ask_list("ShowDialPlan", Context="no-such-context")


@pytest.mark.parametrize("action", ["NoSuchAction", "Originate", "UpdateConfig"])
async def test_what_we_may_not_do_is_refused(line: Line, action: str) -> None:
    with pytest.raises(PbxRefused, match=action):
        await line.ami.ask(action)
    assert (await line.ami.ask("Ping")).get("Ping") == "Pong"


async def test_a_call_is_heard_and_stands_in_the_list(rig: Rig, line: Line) -> None:
    await rig.call()
    await line.ear.until(lambda: any(event.name == "Newchannel" for event in line.ear.events))
    begin = next(event for event in line.ear.events if event.name == "Newchannel")
    assert (begin.get("Context"), begin.get("Exten"), begin.get("CallerIDNum")) == ("from-trunk", DID, PAT)
    assert begin.get("Uniqueid") == begin.get("Linkedid") != ""

    listed = await line.ami.ask_list("CoreShowChannels")
    (caller,) = [each for each in listed if each.get("Uniqueid") == begin.get("Uniqueid")]
    for name in ("Channel", "CallerIDNum", "Linkedid"):
        assert caller.get(name) == begin.get(name)
    assert caller.name == "CoreShowChannel"
    assert caller.get("Application") == "Dial"
    assert caller.get("Duration").count(":") == 2
    kept = await line.ami.ask("Getvar", Channel=caller.get("Channel"), Variable="RINGBACK_DID")
    assert (kept.get("Variable"), kept.get("Value")) == ("RINGBACK_DID", DID)


async def test_a_line_that_is_cut_comes_back_by_itself(rig: Rig, line: Line) -> None:
    await rig.cut()
    await line.ear.until(lambda: len(line.ear.lives) == 2)
    assert line.ear.losses >= 1
    uptime, channels = line.ear.lives[1]
    assert uptime is not None
    assert uptime < WITHIN
    assert channels == []
    assert (await line.ami.ask("Ping")).get("Ping") == "Pong"


async def test_an_exchange_that_is_gone_cannot_be_asked(rig: Rig, line: Line) -> None:
    await rig.leave()
    await line.ear.until(lambda: line.ear.losses)
    with pytest.raises(PbxAway):
        await line.ami.ask("Ping")
