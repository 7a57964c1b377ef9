"""The AMI connection against a PBX that lies, hangs and dies; each flaw known of panoramisk has its row or test."""

import asyncio
import random
import socket
from contextlib import contextmanager
from datetime import timedelta

import pytest

from ringback.asterisk.ami import Account, Ami
from ringback.asterisk.codec import Event
from ringback.asterisk.standing import RETRIES, Pace, Retry, Standing, State, Trouble
from ringback.errors import PbxAway, PbxRefused, ProtocolError
from tests.fakes.ami import CHANNEL, FakePbx, channel, event, message
from tests.fakes.hand_clock import START, HandClock

AT_ONCE = Retry(first=0.0, most=0.0)
QUICK = Pace(connect=5, answer=5, boot=5, ping=60, retries=dict.fromkeys(Trouble, AT_ONCE))


class Ear:
    """Keeps what it hears and lets a test wait for it."""

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

    async def until(self, holds, within: float = 10.0) -> None:
        async with asyncio.timeout(within):
            while not holds():
                self._rang.clear()
                await self._rang.wait()

    async def live(self, times: int = 1) -> None:
        await self.until(lambda: len(self.lives) >= times)

    async def lost(self, times: int = 1) -> None:
        await self.until(lambda: self.losses >= times)

    def named(self, name: str) -> list[Event]:
        return [event for event in self.events if event.name == name]


@contextmanager
def line(port: int, ear: Ear, pace: Pace = QUICK, clock: HandClock | None = None, **account: str):
    known = {"pbx": "pbx1", "host": "127.0.0.1", "user": "ringback", "secret": "secret"} | account
    ami = Ami(Account(port=port, **known), clock or HandClock(), ear, pace)
    ami.start()
    try:
        yield ami
    finally:
        ami.close()


@pytest.fixture
def ear():
    return Ear()


@pytest.fixture
async def pbx():
    async with FakePbx() as fake:
        yield fake


# -- becoming live


async def test_live_after_login_full_boot_and_snapshot(pbx, ear):
    pbx.channels = [channel("lab-1.1"), channel("lab-1.2")]
    with line(pbx.port, ear) as ami:
        await ear.live()
        uptime, channels = ear.lives[0]
        assert uptime == 100
        assert [seen.get("Uniqueid") for seen in channels] == ["lab-1.1", "lab-1.2"]
        assert ami.standing == Standing(State.LIVE, START)
        assert [action["Action"] for action in pbx.heard] == ["Login", "CoreShowChannels"]


async def test_not_live_before_asterisk_is_fully_booted(pbx, ear):
    pbx.booted = False
    with line(pbx.port, ear) as ami:
        await pbx.action("Login")
        with pytest.raises(PbxAway, match="cannot be asked"):
            await ami.ask("Ping")
        assert pbx.asked("CoreShowChannels") == []
        pbx.boot()
        await ear.live()


async def test_fully_booted_that_never_comes_is_asked_for_by_a_new_login(pbx, ear):
    pbx.booted = False
    with line(pbx.port, ear, Pace(boot=0.01, retries=QUICK.retries)):
        await pbx.action("Login", 3)
        pbx.booted = True
        await ear.live()


async def test_fully_booted_without_uptime_is_live_of_unknown_age(pbx, ear):
    pbx.booted = False
    with line(pbx.port, ear):
        await pbx.action("Login")
        pbx.raw(b"Event: FullyBooted\r\nUptime: soon\r\n\r\n")
        await ear.live()
        assert ear.lives[0][0] is None


async def test_a_server_absent_at_start_is_found_later(ear):
    pbx = FakePbx()
    await pbx.start()
    await pbx.stop()
    with line(pbx.port, ear) as ami:
        assert (await ami.settled(0.01)).state in (State.AWAY, State.CONNECTING)
        assert str(pbx.port) in ami.standing.why
        await pbx.start()
        await ear.live()
    await pbx.stop()


async def test_reconnects_within_two_seconds_of_the_pbx_being_up(ear):
    pbx = FakePbx()
    await pbx.start()
    loop = asyncio.get_running_loop()
    with line(pbx.port, ear, Pace()):
        await ear.live()
        await pbx.stop()
        await ear.lost()
        await pbx.start()
        up_at = loop.time()
        await ear.live(2)
        assert loop.time() - up_at < 2.0
    await pbx.stop()


def test_however_long_the_pbx_was_away_the_next_try_is_near():
    waits = [RETRIES[Trouble.NOBODY].wait(tries) for tries in range(1000)]
    assert max(waits) <= 1.5
    assert waits[0] <= 0.2


@pytest.mark.parametrize("trouble", Trouble)
def test_waits_double_to_a_bound_with_jitter(trouble):
    retry = RETRIES[trouble]
    for tries in range(60):
        whole = min(retry.most, retry.first * 2**tries)
        assert whole * 0.75 <= retry.wait(tries) <= whole <= 300
    assert RETRIES[Trouble.STRANGE].most == 30


async def test_a_host_that_does_not_answer_is_given_up_in_time(ear):
    """A full backlog: the kernel takes no more connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as first, socket.socket() as second:
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        with line(full.getsockname()[1], ear, Pace(connect=0.05, retries=dict.fromkeys(Trouble, Retry(60, 60)))) as ami:
            async with asyncio.timeout(10):
                while ami.standing.state is not State.AWAY:
                    await ami.settled(0.02)
            assert ami.standing.why == "no connection within 0.05 s"
            ami.pause()
            ami.resume()


async def test_a_port_that_closes_at_once_is_tried_again(ear):
    tried = 0
    often = asyncio.Event()

    async def slam(_, writer):
        nonlocal tried
        tried += 1
        writer.transport.abort()
        if tried == 5:
            often.set()

    server = await asyncio.start_server(slam, "127.0.0.1", 0)
    with line(server.sockets[0].getsockname()[1], ear) as ami:
        await asyncio.wait_for(often.wait(), 10)
        assert ami.standing.state is not State.LIVE
    server.close()
    await server.wait_closed()


# -- refused


async def test_a_wrong_password_is_a_state_of_its_own_and_not_hammered(pbx, ear):
    slow = Pace(retries=QUICK.retries | {Trouble.REFUSED: Retry(3600, 3600)})
    with line(pbx.port, ear, slow, secret="wrong") as ami:
        standing = await ami.settled(10)
        assert standing.state is State.REFUSED
        said = standing.text(START)
        assert said.startswith("refused: wrong password for user ringback")
        assert "Authentication failed" in said
        assert "wrong" not in repr(ami.account).replace("wrong password", "")
        await ear.lost()
        assert pbx.connections == 1
        with pytest.raises(PbxAway, match="wrong password"):
            await ami.ask("Ping")


async def test_an_account_in_use_elsewhere_is_not_a_wrong_password_and_soon_tried_again(pbx, ear):
    pbx.taken.add("ringback")
    with line(pbx.port, ear) as ami:
        await ear.lost()
        assert ami.standing.state is State.AWAY
        assert "logged in already" in ami.standing.why
        pbx.taken.clear()
        await ear.live()


async def test_a_password_set_right_later_is_taken(pbx, ear):
    with line(pbx.port, ear, secret="new") as ami:
        assert (await ami.settled(10)).state is State.REFUSED
        pbx.users["ringback"] = "new"
        await ear.live()


async def test_an_account_that_may_not_list_channels_is_told_what_it_lacks(pbx, ear):
    del pbx.commands["CoreShowChannels"]
    with line(pbx.port, ear) as ami:
        standing = await ami.settled(10)
        assert standing.state is State.REFUSED
        assert "write = reporting" in standing.why


def test_a_secret_that_cannot_be_sent_is_refused_before_any_connection():
    with pytest.raises(ProtocolError):
        Ami(Account("pbx1", "127.0.0.1", 1, "ringback", "a\r\nAction: Logoff"), HandClock(), Ear())


# -- asking


async def test_an_answer_and_a_list(pbx, ear):
    pbx.dialplan["ringback-call"] = [[("Extension", "s"), ("Application", "NoOp")]]
    with line(pbx.port, ear) as ami:
        await ear.live()
        assert (await ami.ask("Ping")).get("Ping") == "Pong"
        (shown,) = await ami.ask_list("ShowDialPlan", Context="ringback-call")
        assert shown.get("Application") == "NoOp"
        assert ear.named("ListDialplan") == []


async def test_many_questions_at_once_get_their_own_answers(pbx, ear):
    with line(pbx.port, ear) as ami:
        await ear.live()
        answers = await asyncio.gather(*(ami.ask("Getvar", Variable=f"V{n}") for n in range(200)))
        assert [answer.get("Variable") for answer in answers] == [f"V{n}" for n in range(200)]


async def test_an_error_is_a_refusal(pbx, ear):
    with line(pbx.port, ear) as ami:
        await ear.live()
        with pytest.raises(PbxRefused, match="Originate: Permission denied"):
            await ami.ask("Originate", Channel="Local/1@x")
        with pytest.raises(PbxRefused, match="Did not find context"):
            await ami.ask_list("ShowDialPlan", Context="nope")


@pytest.mark.parametrize("value", ["a\r\nAction: Originate", "a\nb", "a\0b", "x" * 1001])
async def test_line_breaks_in_a_value_never_reach_the_wire(pbx, ear, value):
    with line(pbx.port, ear) as ami:
        await ear.live()
        with pytest.raises(ProtocolError):
            await ami.ask("Getvar", Variable=value)
        await ami.ask("Ping")
        assert [action["Action"] for action in pbx.heard[2:]] == ["Ping"]


async def test_an_action_without_answer_ends_by_its_time_out_and_leaves_nothing(pbx, ear):
    pbx.silent_to.add("QueueAdd")
    with line(pbx.port, ear, Pace(answer=0.05, retries=QUICK.retries)) as ami:
        await ear.live()
        with pytest.raises(PbxAway, match="did not answer QueueAdd"):
            await ami.ask("QueueAdd", Queue="support")
        assert ami._link.wire().responses == {}
        await ami.ask("Ping")


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        pytest.param("QueueAdd", {"Queue": "support"}, id="QueueAdd, which never resolved"),
        pytest.param("Originate", {"Channel": "Local/1@x"}, id="Originate without Async, which broke the line"),
        pytest.param("PlayDTMF", {"Digit": "1"}, id="PlayDTMF, which broke the line"),
        pytest.param("Originate", {"Async": "true"}, id="Originate with Async, which waited for the ringing"),
    ],
)
async def test_odd_actions_resolve_by_their_first_answer(pbx, ear, action, fields):
    pbx.commands[action] = "(Priv: <none>)"
    with line(pbx.port, ear) as ami:
        await ear.live()
        assert (await ami.ask(action, **fields)).response == "Success"


async def test_what_waits_for_an_answer_fails_at_once_when_the_line_is_cut(pbx, ear):
    pbx.silent_to.add("Getvar")
    with line(pbx.port, ear) as ami:
        await ear.live()
        async with asyncio.timeout(1), asyncio.TaskGroup() as tasks:
            asking = [tasks.create_task(outcome(ami.ask("Getvar", Variable=f"V{n}"))) for n in range(50)]
            await pbx.action("Getvar", 50)
            pbx.cut()
        assert {type(task.result()) for task in asking} == {PbxAway}


async def outcome(asking):
    try:
        return await asking
    except (PbxAway, PbxRefused) as problem:
        return problem


async def test_nothing_is_queued_while_away_nor_sent_again_after(pbx, ear):
    pbx.silent_to.add("MessageSend")
    with line(pbx.port, ear) as ami:
        await ear.live()
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(outcome(ami.ask("MessageSend", To="pjsip:101")))
            await pbx.action("MessageSend")
            pbx.cut()
        assert isinstance(sending.result(), PbxAway)
        assert isinstance(await outcome(ami.ask("MessageSend", To="pjsip:102")), PbxAway)
        await ear.live(2)
        await ami.ask("Ping")
        assert [action["To"] for action in pbx.asked("MessageSend")] == ["pjsip:101"]


async def test_a_late_line_of_a_list_nobody_waits_for_is_no_event(pbx, ear):
    pbx.silent_to.add("ParkedCalls")
    with line(pbx.port, ear, Pace(answer=0.05, retries=QUICK.retries)) as ami:
        await ear.live()
        with pytest.raises(PbxAway):
            await ami.ask_list("ParkedCalls")
        late = ("ActionID", pbx.asked("ParkedCalls")[0]["ActionID"])
        parkee = [(f"Parkee{name}", value) for name, value in CHANNEL.items()]
        pbx.raw(message([("Event", "ParkedCall"), late, *parkee]))
        pbx.say("UserEvent", UserEvent="Somebody", ActionID="theirs")
        await ear.until(lambda: ear.named("UserEvent"))
        assert ear.named("ParkedCall") == []


# -- events


async def test_a_letter_cut_by_a_segment_is_whole(pbx, ear):
    with line(pbx.port, ear):
        await ear.live()
        await pbx.portions(event("Newchannel", CallerIDName="Zoë José"), 1)
        await ear.until(lambda: ear.named("Newchannel"))
        assert ear.named("Newchannel")[0].get("CallerIDName") == "Zoë José"


async def test_a_listener_that_raises_loses_neither_the_line_nor_the_next_event(pbx):
    class Clumsy(Ear):
        def on_event(self, event: Event) -> None:
            super().on_event(event)
            raise ValueError(event.name)

        def on_live(self, uptime: int | None, channels: list[Event]) -> None:
            super().on_live(uptime, channels)
            raise ValueError("live")

    ear = Clumsy()
    with line(pbx.port, ear) as ami:
        await ear.live()
        pbx.say("Hangup", Uniqueid="1")
        pbx.say("Hangup", Uniqueid="2")
        await ear.until(lambda: len(ear.named("Hangup")) == 2)
        assert (await ami.ask("Ping")).response == "Success"
        assert ami.faults == 4  # FullyBooted, live and two hang-ups
        assert pbx.connections == 1


async def test_garbage_and_endless_messages_do_not_break_the_line(pbx, ear):
    rng = random.Random(7)
    with line(pbx.port, ear) as ami:
        await ear.live()
        for n in range(20):
            pbx.raw(rng.randbytes(5000) + b"\r\n\r\n")
            pbx.say("Hangup", Uniqueid=str(n))
        pbx.raw(b"x" * 200_000 + b"\r\n\r\n")
        pbx.say("Hangup", Uniqueid="last")
        await ear.until(lambda: len(ear.named("Hangup")) == 21)
        assert pbx.connections == 1
        assert ami.decoder.bad == 21


async def test_a_banner_that_is_no_ami_ends_in_a_slow_retry(ear):
    async def shout(reader, writer):
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(shout, "127.0.0.1", 0)
    slow = Pace(answer=0.02, retries=QUICK.retries | {Trouble.STRANGE: Retry(3600, 3600)})
    with line(server.sockets[0].getsockname()[1], ear, slow) as ami:
        await ear.lost()
        assert ami.standing.text(START).startswith("away since 2026-11-20T15:00:00+00:00 (the login is not answered)")
        assert ami.standing.next_try > START + timedelta(seconds=2000)
    server.close()
    await server.wait_closed()


# -- losing the line


async def test_a_half_open_line_is_noticed_by_its_silence(pbx, ear):
    clock = HandClock()
    with line(pbx.port, ear, Pace(ping=0.01, retries=QUICK.retries), clock):
        await ear.live()
        await pbx.action("Ping")
        pbx.mute = True
        pbx.before_answer = lambda name, _: clock.move(timedelta(seconds=1)) if pbx.mute else None
        await ear.lost()
        pbx.mute = False
        await ear.live(2)


async def test_a_line_that_answers_pings_is_kept(pbx, ear):
    clock = HandClock()
    pbx.before_answer = lambda name, _: clock.move(timedelta(seconds=0.019)) if name == "Ping" else None
    with line(pbx.port, ear, Pace(ping=0.01, retries=QUICK.retries), clock):
        await ear.live()
        await pbx.action("Ping", 10)
        assert ear.losses == 0


async def test_a_paused_line_is_not_taken_for_dead(pbx, ear):
    clock = HandClock()
    with line(pbx.port, ear, Pace(ping=0.01, retries=QUICK.retries), clock) as ami:
        await ear.live()
        ami.pause()
        clock.move(timedelta(hours=1))
        pbx.say("Hangup", Uniqueid="1")
        with pytest.raises(TimeoutError):  # several pings would have been due
            await ear.until(lambda: ear.losses or ear.named("Hangup"), within=0.05)
        ami.resume()
        await ear.until(lambda: ear.named("Hangup"))
        assert ear.losses == 0


async def test_a_mute_server_is_left_after_the_login_time_out(pbx, ear):
    pbx.mute = True
    with line(pbx.port, ear, Pace(answer=0.02, retries=QUICK.retries)):
        await ear.lost(2)
        pbx.mute = False
        await ear.live()


async def test_a_snapshot_that_is_not_answered_is_asked_for_on_a_new_line(pbx, ear):
    pbx.silent_to.add("CoreShowChannels")
    with line(pbx.port, ear, Pace(answer=0.05, retries=QUICK.retries)):
        await ear.lost()
        assert ear.lives == []
        pbx.silent_to.clear()
        await ear.live()


async def test_a_shutdown_names_the_reason_and_ends_nothing_by_itself(pbx, ear):
    """A caller's number may forge one; the real one is followed by the end of the connection."""
    with line(pbx.port, ear, Pace()) as ami:
        await ear.live()
        pbx.raw(message([("Event", "Shutdown"), ("Shutdown", "Cleanly"), ("Restart", "False")]))
        pbx.say("Hangup")
        await ear.until(lambda: ear.named("Hangup"))
        assert ami.standing.state is State.LIVE
        pbx.cut()
        await ear.lost()
        assert ami.standing.why == "Asterisk shut down"


@pytest.mark.parametrize("seed", range(40))
async def test_cut_at_any_moment_it_comes_back(ear, seed):
    rng = random.Random(seed)
    async with FakePbx(channels=[channel("1")]) as pbx:
        left = [rng.choice(["Login", "CoreShowChannels", "Ping"]) for _ in range(3)]

        def cut(name: str, _: dict[str, str]) -> None:
            if left and name == left[0]:
                left.pop(0)
                rng.choice([pbx.cut, pbx.restart])()

        pbx.before_answer = cut
        with line(pbx.port, ear, Pace(ping=0.01, retries=QUICK.retries)) as ami:
            await pbx.until(lambda: not left)
            lives = len(ear.lives)
            await ear.live(lives + 1)
            assert (await ami.ask("Ping")).response == "Success"


# -- closing


async def test_close_in_the_wait_for_a_retry_stops_it_for_good(ear):
    pbx = FakePbx()
    await pbx.start()
    with line(pbx.port, ear, Pace(retries=dict.fromkeys(Trouble, Retry(0.02, 0.02)))) as ami:
        await ear.live()
        pbx.cut()
        await ear.lost()
        ami.close()
        before = pbx.connections
        with pytest.raises(TimeoutError):
            await pbx.until(lambda: pbx.connections > before, within=0.2)
        assert ami.standing.text(START) == "away since 2026-11-20T15:00:00+00:00 (closed)"
    await pbx.stop()


async def test_close_in_the_middle_of_a_connect_leaves_no_connection(pbx, ear):
    with line(pbx.port, ear) as ami:
        ami.close()
        with pytest.raises(TimeoutError):
            await pbx.until(lambda: bool(pbx.heard), within=0.1)


async def test_close_answers_those_who_wait(pbx, ear):
    pbx.silent_to.add("Getvar")
    with line(pbx.port, ear) as ami:
        await ear.live()
        async with asyncio.timeout(1), asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(outcome(ami.ask("Getvar", Variable="X")))
            await pbx.action("Getvar")
            ami.close()
        assert isinstance(asking.result(), PbxAway)
        assert ear.losses == 0


async def test_never_started_it_can_be_closed_and_says_so(ear):
    ami = Ami(Account("pbx1", "127.0.0.1", 1, "u", "s"), HandClock(), ear)
    with pytest.raises(PbxAway, match="not started"):
        await ami.ask("Ping")
    ami.pause()
    ami.resume()
    ami.close()


# -- in words


@pytest.mark.parametrize(
    ("standing", "text"),
    [
        pytest.param(Standing(State.LIVE, START), "live", id="live"),
        pytest.param(
            Standing(State.AWAY, START, "refused", START + timedelta(seconds=64)),
            "away since 2026-11-20T15:00:00+00:00 (refused), next try in 4 s",
            id="away, with the next try",
        ),
        pytest.param(
            Standing(State.AWAY, START, "", START), "away since 2026-11-20T15:00:00+00:00, next try in 0 s", id="now"
        ),
        pytest.param(Standing(State.REFUSED, START, "wrong password"), "refused: wrong password", id="refused"),
        pytest.param(Standing(State.STARTING, START, "logging in"), "starting: logging in", id="starting"),
    ],
)
def test_how_it_stands_in_one_line(standing, text):
    assert standing.text(START + timedelta(seconds=60)) == text
