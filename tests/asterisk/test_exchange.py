"""What is known of a PBX's queues and phones: from recorded calls, from lists and events, and from nonsense."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringback.asterisk import devices, learning, queues
from ringback.asterisk.ami import Account
from ringback.asterisk.codec import OF_QUEUES, WANTED, Decoder, Event
from ringback.asterisk.devices import Devices, phone_of
from ringback.asterisk.exchange import PbxExchange
from ringback.asterisk.feed import AmiFeed
from ringback.asterisk.learning import SETTLES, Learning
from ringback.asterisk.queues import Queues
from ringback.asterisk.runs import SHAPES
from ringback.asterisk.standing import Pace
from ringback.asterisk.tracker import Tracker
from ringback.core.presence import Phone
from ringback.core.voice_queues import DeviceState, Served, ServedHow, VoiceCaller, VoiceQueue, Waited
from tests.asterisk.scenes import LAB_INBOUND, LAB_PHONES, recording, timed
from tests.fakes.ami import CHANNEL, FakePbx, message
from tests.fakes.ami import event as say
from tests.fakes.hand_clock import HandClock
from tests.fakes.queues import device, device_event, listed_member, member, member_lines, params, queue_line

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Pupil:
    """Plays a recording to the queues and the learning of a PBX."""

    def __init__(self) -> None:
        self.told: list[Waited | Served] = []
        self.queues = Queues("lab")
        self.learning = Learning("lab", self.told.append)
        self.longest: dict[str, int] = {}

    def play(self, name: str) -> "Pupil":
        for event, at in timed(recording(name)):
            self.take(event, at)
        self.learning.settle(at + SETTLES)
        return self

    def take(self, event: Event, at: datetime) -> None:
        self.learning.settle(at)
        if event.name == "Hangup":
            self.learning.settled(event.get("Uniqueid"))
        elif event.name == "VarSet" and event.get("Variable") == "QUEUESTATUS":
            self.learning.given_up(event.get("Uniqueid"))
        elif event.get("Queue"):
            self.learning.receive(event, at)
            self.queues.receive(event, at)
            for queue in self.queues.all():
                self.longest[queue.name] = max(self.longest.get(queue.name, 0), len(queue.callers))

    def waited(self) -> list[Waited]:
        return [one for one in self.told if isinstance(one, Waited)]

    def served(self) -> list[Served]:
        return [one for one in self.told if isinstance(one, Served)]


@pytest.mark.parametrize(
    ("name", "queue", "how", "seconds", "talks"),
    [
        pytest.param("queue_abandon", "support", ServedHow.ABANDONED, 3.51, [], id="hung up while they waited"),
        pytest.param("queue_timeout", "empty", ServedHow.LEFT, 6.0, [], id="the queue's time was up"),
        pytest.param("queue_timeout_voicemail", "empty", ServedHow.LEFT, 3.0, [], id="the same, and then voicemail"),
        pytest.param("queue_key_deflect", "support", ServedHow.LEFT, 1.68, [], id="pressed a key"),
        pytest.param("queue_answered", "support", ServedHow.CONNECTED, 2.0, [2.5], id="served"),
        pytest.param("local_queue_abandon", "support-sim", ServedHow.ABANDONED, 2.5, [], id="hung up, through Local"),
        pytest.param("local_queue_key", "support-sim", ServedHow.LEFT, 0.7, [], id="pressed a key, through Local"),
        pytest.param("local_queue_answered", "support-sim", ServedHow.CONNECTED, 0.5, [2.5], id="served by Local"),
    ],
)
def test_one_caller_of_a_recording(name, queue, how, seconds, talks):
    pupil = Pupil().play(name)
    (waited,) = pupil.waited()
    assert (waited.pbx, waited.queue, waited.how) == ("lab", queue, how)
    assert waited.waited.total_seconds() == pytest.approx(seconds, abs=0.05)
    assert [one.talk.total_seconds() for one in pupil.served()] == pytest.approx(talks, abs=0.05)
    assert [len(one.callers) for one in pupil.queues.all()] == [0]


def test_a_recorded_storm_is_counted_to_the_last_caller():
    """120 callers, 107 of whom hung up: the recording's own account says so."""
    pupil = Pupil().play("big_mixed_200_calls")
    hows = [one.how for one in pupil.waited()]
    assert (len(hows), hows.count(ServedHow.CONNECTED)) == (120, 13)
    assert hows.count(ServedHow.ABANDONED) + hows.count(ServedHow.LEFT) == 107
    assert len({one.uniqueid for one in pupil.waited()}) == 120
    assert len(pupil.served()) == 13
    (queue,) = pupil.queues.all()
    assert (queue.callers, queue.completed, queue.abandoned) == ((), 13, 107)
    assert not any(one.in_call for one in queue.members)
    assert pupil.longest[queue.name] > 50
    assert pupil.learning.remembered() == 0


def test_two_in_a_queue_stand_one_behind_the_other():
    pupil, seen = Pupil(), list[tuple[int, ...]]()
    for event, at in timed(recording("queue_two_callers")):
        pupil.take(event, at)
        seen += [tuple(caller.position for caller in queue.callers) for queue in pupil.queues.all()]
    steps = [one for one, after in pairwise([*seen, None]) if one != after]
    assert steps == [(1,), (1, 2), (1,), ()]


@pytest.mark.parametrize(
    ("interface", "phone"),
    [
        pytest.param("PJSIP/122", "122", id="a phone"),
        pytest.param("SIP/anna.desk", "anna.desk", id="an old one with a name"),
        pytest.param("Local/122@from-queue/n", "122", id="as FreePBX writes a member"),
        pytest.param("Custom:x", "Custom:x", id="no technology at all"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_phone_is_known_by_its_name_alone(interface, phone):
    assert phone_of(interface) == phone


def told(*pairs: tuple[str, str]) -> Devices:
    known = Devices()
    known.reset([Event("DeviceStateChange", {"Device": name, "State": state}) for name, state in pairs])
    return known


@pytest.mark.parametrize(
    ("states", "found"),
    [
        pytest.param([("PJSIP/122", "NOT_INUSE")], DeviceState.NOT_INUSE, id="one phone"),
        pytest.param(
            [("PJSIP/122", "INUSE"), ("PJSIP/122", "UNAVAILABLE")], DeviceState.UNAVAILABLE, id="the last word"
        ),
        pytest.param(
            [("SIP/122", "UNAVAILABLE"), ("PJSIP/122", "NOT_INUSE")], DeviceState.NOT_INUSE, id="one is there"
        ),
        pytest.param([("SIP/122", "INUSE"), ("PJSIP/122", "NOT_INUSE")], DeviceState.INUSE, id="one speaks"),
        pytest.param([("Local/122@x", "INUSE"), ("Custom:122", "INUSE")], None, id="no phone at all"),
        pytest.param([("PJSIP/122", "SINGING")], None, id="a state nobody knows"),
    ],
)
def test_the_state_of_a_phone(states, found):
    assert told(*states).state("122") is found


@pytest.mark.parametrize(
    ("states", "dnd"),
    [
        pytest.param([("Custom:DND122", "BUSY")], True, id="as FreePBX turns it on"),
        pytest.param([("Custom:DND122", "INUSE")], True, id="as others do"),
        pytest.param([("Custom:DND122", "BUSY"), ("Custom:DND122", "NOT_INUSE")], False, id="and off again"),
        pytest.param([("Custom:DEVDND122", "BUSY")], True, id="of the device"),
        pytest.param([("Custom:DEVDND122", "BUSY"), ("Custom:DND122", "NOT_INUSE")], True, id="one of both"),
        pytest.param([("Custom:DND123", "BUSY")], False, id="somebody else"),
    ],
)
def test_do_not_disturb(states, dnd):
    assert told(*states).dnd("122") is dnd


def test_paused_is_paused_everywhere():
    known = Queues("main")
    known.reset([listed_member("support", "122", Paused="1"), listed_member("sales", "122")], AT)
    assert known.paused("122") is False
    known.receive(member("QueueMemberPause", "sales", "122", Paused="1"), AT)
    assert known.paused("122") is True
    known.receive(member("QueueMemberRemoved", "support", "122"), AT)
    known.receive(member("QueueMemberRemoved", "sales", "122"), AT)
    assert (known.paused("122"), known.serves("122"), known.remembered()) == (False, None, 2)


def test_a_list_keeps_what_only_the_events_knew():
    known = Queues("main")
    known.receive(queue_line("QueueCallerJoin", "support", "1.1", Position="1", Count="1"), AT)
    known.receive(member("QueueMemberStatus", "support", "122", InCall="1"), AT)
    later = AT + timedelta(seconds=9.4)
    entry = Event("QueueEntry", {"Queue": "support", "Position": "1", "Uniqueid": "1.1", "Wait": "9"})
    known.reset([params("support"), listed_member("support", "122", InCall="1"), entry], later)
    (queue,) = known.all()
    assert (queue.callers[0].joined_at, queue.members[0].busy_since) == (AT, AT)


@pytest.mark.parametrize(
    ("event", "fits"),
    [
        pytest.param(queue_line("QueueCallerJoin", "support", "1.2", Position="2", Count="2"), True, id="as expected"),
        pytest.param(queue_line("QueueCallerJoin", "support", "1.2", Position="4", Count="4"), False, id="two unseen"),
        pytest.param(queue_line("QueueCallerLeave", "support", "1.1", Count="3"), False, id="others there"),
        pytest.param(queue_line("QueueCallerJoin", "new", "1.2", Position="1", Count="1"), False, id="a new queue"),
        pytest.param(queue_line("QueueCallerLeave", "support", "1.1", Count="0"), True, id="gone"),
    ],
)
def test_what_does_not_fit_is_noticed(event, fits):
    known = Queues("main")
    known.reset([params("support")], AT)
    known.receive(queue_line("QueueCallerJoin", "support", "1.1", Position="1", Count="1"), AT)
    assert known.receive(event, AT) is fits


def test_who_stood_before_somebody_who_left_is_remembered():
    known = Queues("main")
    known.reset([params("support")], AT)
    for place in ("1", "2", "3"):
        known.receive(queue_line("QueueCallerJoin", "support", f"1.{place}", Position=place, Count=place), AT)
    known.receive(queue_line("QueueCallerLeave", "support", "1.3", Count="2"), AT)
    known.receive(queue_line("QueueCallerLeave", "support", "1.1", Count="1"), AT)
    assert known.queue("support").left == {"1.3": ("1.1", "1.2"), "1.1": ()}
    for number in range(200):
        uniqueid = f"2.{number}"
        known.receive(queue_line("QueueCallerJoin", "support", uniqueid, Position="2", Count="2"), AT)
        known.receive(queue_line("QueueCallerLeave", "support", uniqueid, Count="1"), AT)
    assert len(known.queue("support").left) == 100
    known.reset([params("support")], AT)
    assert known.queue("support").left["2.199"] == ("1.2",)


def test_whoever_comes_in_front_moves_the_others_back():
    known = Queues("main")
    for uniqueid, position, count in (("1.1", "1", "1"), ("1.2", "2", "2"), ("vip", "1", "3")):
        known.receive(queue_line("QueueCallerJoin", "support", uniqueid, Position=position, Count=count), AT)
    (queue,) = known.all()
    assert [(one.uniqueid, one.position) for one in queue.callers] == [("vip", 1), ("1.1", 2), ("1.2", 3)]


SEEN = {"Queue": "support", "Uniqueid": "1.1"}


@pytest.mark.parametrize(
    ("events", "listed", "told"),
    [
        pytest.param(
            [("QueueCallerJoin", {}), ("QueueCallerAbandon", {"HoldTime": "4"}), ("QueueCallerLeave", {})],
            [],
            [(ServedHow.ABANDONED, 4)],
            id="the hang-up itself was not heard",
        ),
        pytest.param([("QueueCallerJoin", {})], [], [(ServedHow.LEFT, 4)], id="gone from the list, nobody said how"),
        pytest.param([("QueueCallerJoin", {})], ["1.1"], [], id="still in the list"),
        pytest.param(
            [("AgentConnect", {"HoldTime": "9"})], [], [(ServedHow.CONNECTED, 9)], id="came before we listened"
        ),
        pytest.param(
            [("QueueCallerAbandon", {"HoldTime": "9"})], [], [(ServedHow.ABANDONED, 9)], id="the same, hung up"
        ),
        pytest.param([("QueueCallerLeave", {})], [], [], id="came before, and left in a way nobody saw"),
        pytest.param(
            [("QueueCallerJoin", {}), ("QueueCallerLeave", {}), ("QueueCallerJoin", {"Queue": "sales"})],
            ["1.1"],
            [(ServedHow.LEFT, 4)],
            id="sent on to another queue",
        ),
    ],
)
def test_what_is_learned_of_a_wait_that_was_half_seen(events, listed, told):
    heard: list[Waited | Served] = []
    taught = Learning("main", heard.append)
    for name, more in events:
        at = AT if name == "QueueCallerJoin" else AT + timedelta(seconds=4)
        taught.receive(Event(name, SEEN | more), at)
    queue = "sales" if len(events) == 3 and events[2][0] == "QueueCallerJoin" else "support"
    callers = tuple(VoiceCaller(one, 1, AT) for one in listed)
    taught.compare([VoiceQueue("main", queue, callers)], AT + timedelta(seconds=4))
    assert taught.unsettled is any(how is not ServedHow.CONNECTED for how, _ in told)
    taught.settle(AT + timedelta(seconds=4) + SETTLES)
    assert [(one.how, one.waited.total_seconds()) for one in heard] == told


def test_after_a_gap_nothing_of_before_is_told():
    heard: list[Waited | Served] = []
    taught = Learning("main", heard.append)
    taught.receive(Event("QueueCallerJoin", SEEN), AT)
    taught.receive(Event("QueueCallerLeave", SEEN), AT)
    taught.forget()
    taught.settle(AT + SETTLES)
    taught.receive(Event("AgentComplete", SEEN | {"TalkTime": "12", "Interface": "PJSIP/122"}), AT)
    assert heard == [Served("main", "support", "PJSIP/122", timedelta(seconds=12), AT)]


# -- nonsense

_NAMES = st.sampled_from(["support", "sales", "", "a" * 200, "x\r\nQueue: y", "\x00"])
_EVENTS = st.builds(
    lambda name, queue, who, more: Event(name, {"Queue": queue, "Uniqueid": who, "Interface": f"PJSIP/{who}", **more}),
    st.sampled_from(sorted({*SHAPES, "QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon", "AgentConnect"})),
    _NAMES,
    st.sampled_from(["1", "2", "", "3\r\n", "é" * 300]),
    st.dictionaries(
        st.sampled_from(["Position", "Count", "HoldTime", "Status", "InCall", "Paused", "Device", "State"]),
        st.sampled_from(["0", "1", "-1", "²", "9" * 40, "INUSE", "Custom:DND1", "PJSIP/1", "Local/1@x"]),
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_EVENTS, max_size=60))
def test_nonsense_breaks_nothing_and_counts_stay_true(events):
    known, taught, phones = Queues("main"), Learning("main", lambda _: None), Devices()
    for event in events:
        if event.name == "DeviceStateChange":
            phones.receive(event)
            continue
        taught.receive(event, AT)
        known.receive(event, AT)
    shown = known.all()
    held = len(shown) + sum(len(one.callers) + len(one.members) for one in shown)
    assert known.remembered() == held
    for queue in shown:
        assert [one.position for one in queue.callers] == list(range(1, len(queue.callers) + 1))
        assert len({one.uniqueid for one in queue.callers}) == len(queue.callers)
        texts = [queue.name, *(one.uniqueid for one in queue.callers), *(one.interface for one in queue.members)]
        assert all(text.isprintable() and len(text) <= 80 for text in texts)


def test_memory_is_bounded(monkeypatch):
    for module, name in ((queues, "MOST_QUEUES"), (queues, "MOST_CALLERS"), (queues, "MOST_MEMBERS")):
        monkeypatch.setattr(module, name, 10)
    monkeypatch.setattr(learning, "MOST", 10)
    monkeypatch.setattr(devices, "MOST_DEVICES", 10)
    known, taught, phones = Queues("main"), Learning("main", lambda _: None), Devices()
    for n in range(100):
        joined = queue_line("QueueCallerJoin", f"q{n % 12}", f"1.{n}", Position="1", Count="1")
        taught.receive(joined, AT)
        known.receive(joined, AT)
        known.receive(member("QueueMemberAdded", f"q{n % 12}", str(n)), AT)
        phones.receive(Event("DeviceStateChange", {"Device": f"PJSIP/{n}", "State": "INUSE"}))
        phones.receive(Event("DeviceStateChange", {"Device": f"Custom:DND{n}", "State": "INUSE"}))
    assert (known.remembered(), taught.remembered(), phones.remembered()) == (30, 10, 20)


def test_a_number_cannot_be_written_so_that_it_passes_for_a_phone_or_a_member():
    """79 bytes are all that Asterisk keeps; the shortest whole event takes more, the line break behind it aside."""
    for name, shape in SHAPES.items():
        values = {"Event": name, "Privilege": "call,all", "Device": "SIP/1", "State": "BUSY"}
        lines = [(key, values.get(key, "0")) for key in shape]
        assert len(b"\r\n\r\n" + message(lines)) - 2 >= 79, name


def test_a_phone_in_a_number_is_no_news_of_that_phone():
    forged = message(device_event("SIP/1", "BUSY"))
    hostile = say("Newchannel", Uniqueid="1.1", CallerIDNum="1\r\n\r\n" + forged.decode())
    honest = message(device_event("PJSIP/122", "INUSE"))
    heard = [said for said in Decoder().feed(hostile + honest) if isinstance(said, Event)]
    assert [(said.name, said.get("Device")) for said in heard] == [
        ("Newchannel", ""),
        ("DeviceStateChange", "PJSIP/122"),
    ]


def test_local_channels_are_no_news_of_phones():
    said = message(
        [("Event", "DeviceStateChange"), ("Privilege", "call,all"), ("Device", "Local/1@x"), ("State", "BUSY")]
    )
    decoder = Decoder()
    assert (decoder.feed(said), decoder.decoded, decoder.seen) == ([], 0, 1)
    assert OF_QUEUES < WANTED


# -- with a line


class Rig:
    def __init__(self, pbx: FakePbx) -> None:
        self.pbx, self.clock = pbx, HandClock()
        account = Account("pbx1", "127.0.0.1", pbx.port, "ringback", "secret")
        self.feed = AmiFeed(account, self.clock, Tracker("pbx1", LAB_INBOUND, LAB_PHONES, trust_caller_id=True))
        self.exchange: PbxExchange = self.feed.exchange
        self.learned: list[Waited | Served] = []
        self.changes = 0
        self.exchange.on_learned(self.learned.append)
        self.exchange.on_change(self._count)
        self.bell = asyncio.Event()

    def _count(self) -> None:
        self.changes += 1
        self.bell.set()

    async def until(self, holds) -> None:
        async with asyncio.timeout(10):
            while not holds():
                self.bell.clear()
                await self.bell.wait()


@pytest.fixture
async def rig(monkeypatch) -> AsyncIterator[Rig]:
    monkeypatch.setattr("ringback.asterisk.exchange.CALM_S", 0.01)
    async with FakePbx() as fake:
        fake.queues = [params("support"), listed_member("support", "122")]
        fake.devices = [device("PJSIP/122", "NOT_INUSE"), device("PJSIP/trunk", "NOT_INUSE")]
        rig = Rig(fake)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(rig.feed.run()), group.create_task(rig.feed.listen_in())]
            await rig.until(lambda: rig.exchange.heard)
            yield rig
            for task in tasks:
                task.cancel()


async def test_it_is_asked_for_at_the_connect(rig):
    (queue,) = rig.exchange.queues()
    assert (queue.pbx, queue.name, [one.phone for one in queue.members]) == ("pbx1", "support", ["122"])
    assert rig.exchange.phone("122") == Phone(DeviceState.NOT_INUSE)
    assert (rig.exchange.phone("999"), rig.exchange.phone(""), rig.exchange.queue("sales")) == (None, None, None)


async def test_an_event_is_there_at_once(rig):
    rig.pbx.raw(message(device_event("PJSIP/122", "INUSE")))
    await rig.until(lambda: rig.exchange.phone("122") == Phone(DeviceState.INUSE))
    rig.pbx.raw(
        message(
            [("Event", "QueueMemberPause"), ("Privilege", "agent,all"), *member_lines("support", "122", Paused="1")]
        )
    )
    await rig.until(lambda: rig.exchange.phone("122").paused)
    rig.pbx.raw(message(device_event("Custom:DND122", "BUSY")))
    await rig.until(lambda: rig.exchange.phone("122").dnd)


async def test_a_line_that_breaks_says_so_and_what_changed_meanwhile_is_known_after_it(rig):
    rig.pbx.queues = [params("sales")]
    rig.pbx.devices = [device("PJSIP/122", "UNAVAILABLE")]
    rig.pbx.cut()
    await rig.until(lambda: not rig.exchange.heard)
    assert rig.exchange.queue("support") is not None
    await rig.until(lambda: rig.exchange.heard)
    assert [one.name for one in rig.exchange.queues()] == ["sales"]
    assert rig.exchange.phone("122") == Phone(DeviceState.UNAVAILABLE)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param([("Event", "Reload"), ("Privilege", "system,all"), ("Module", "app_queue")], id="a reload"),
        pytest.param(
            [
                ("Event", "DeviceStateChange"),
                ("Privilege", "call,all"),
                ("Device", "Queue:sales_avail"),
                ("State", "INUSE"),
            ],
            id="the device of a queue nobody knows",
        ),
    ],
)
async def test_what_hints_at_other_queues_is_asked_about(rig, said):
    rig.pbx.queues = [params("sales")]
    rig.pbx.raw(message(said))
    await rig.until(lambda: [one.name for one in rig.exchange.queues()] == ["sales"])


async def test_without_any_hint_it_is_asked_for_again_after_a_while(rig, monkeypatch):
    monkeypatch.setattr("ringback.asterisk.exchange.REFRESH_S", 0.05)
    rig.pbx.queues = []
    rig.pbx.raw(message([("Event", "Reload"), ("Privilege", "system,all"), ("Module", "app_queue")]))
    await rig.until(lambda: not rig.exchange.queues())
    rig.pbx.queues = [params("back")]
    await rig.until(lambda: [one.name for one in rig.exchange.queues()] == ["back"])


async def test_what_happens_while_the_lists_are_on_their_way_is_not_lost(rig):
    """The list was made before the pause and is taken after it."""

    def meanwhile(action: str, _: dict[str, str]) -> None:
        if action == "DeviceStateList":
            rig.pbx.raw(message(device_event("PJSIP/122", "INUSE")))
            lines = member_lines("support", "122", Paused="1")
            rig.pbx.raw(message([("Event", "QueueMemberPause"), ("Privilege", "agent,all"), *lines]))

    rig.pbx.before_answer = meanwhile
    asked = len(rig.pbx.asked("DeviceStateList"))
    rig.pbx.raw(message([("Event", "Reload"), ("Privilege", "system,all"), ("Module", "app_queue")]))
    await rig.pbx.action("DeviceStateList", asked + 1)
    await rig.until(lambda: rig.exchange.phone("122") == Phone(DeviceState.INUSE, paused=True))
    rig.pbx.before_answer = None
    rig.pbx.raw(message(device_event("PJSIP/200", "INUSE")))
    await rig.until(lambda: rig.exchange.phone("200") is not None)
    assert rig.exchange.phone("122") == Phone(DeviceState.INUSE, paused=True)


async def test_it_learns_of_a_caller_and_of_the_talk(rig):
    rig.pbx.say("QueueCallerJoin", Uniqueid="1.1", Queue="support", Position="1", Count="1")
    await rig.until(lambda: len(rig.exchange.queue("support").callers) == 1)
    rig.clock.move(timedelta(seconds=7))
    rig.pbx.say("QueueCallerLeave", Uniqueid="1.1", Queue="support", Position="1", Count="0")
    more = {f"Dest{key}": value for key, value in CHANNEL.items()}
    connected = {"Queue": "support", "Interface": "PJSIP/122", "MemberName": "x", "HoldTime": "7", "RingTime": "1"}
    rig.pbx.say("AgentConnect", Uniqueid="1.1", **more, **connected)
    await rig.until(lambda: rig.exchange.queue("support").members[0].in_call)
    at = rig.clock.now()
    rig.clock.move(timedelta(seconds=90))
    rig.pbx.say("AgentComplete", Uniqueid="1.1", **more, **connected, TalkTime="90", Reason="agent")
    await rig.until(lambda: len(rig.learned) == 2)
    assert rig.learned == [
        Waited("pbx1", "support", "1.1", ServedHow.CONNECTED, timedelta(seconds=7), at),
        Served("pbx1", "support", "PJSIP/122", timedelta(seconds=90), rig.clock.now()),
    ]


async def test_an_asterisk_without_queues_still_has_phones(monkeypatch):
    monkeypatch.setattr("ringback.asterisk.exchange.CALM_S", 0.01)
    async with FakePbx() as fake:
        del fake.commands["QueueStatus"]
        fake.devices = [device("PJSIP/122", "INUSE")]
        rig = Rig(fake)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(rig.feed.run()), group.create_task(rig.feed.listen_in())]
            await rig.until(lambda: rig.exchange.heard)
            assert (rig.exchange.queues(), rig.exchange.phone("122")) == ((), Phone(DeviceState.INUSE))
            for task in tasks:
                task.cancel()


async def test_an_account_whose_filter_keeps_phones_from_us_is_found_out(rig):
    rig.pbx.devices = [device("PJSIP/122", "INUSE")]
    rig.pbx.raw(message([("Event", "Reload"), ("Privilege", "system,all"), ("Module", "app_queue")]))
    await rig.until(lambda: rig.exchange.kept_from_us)
    assert rig.exchange.phone("122") == Phone(DeviceState.INUSE)
    rig.pbx.raw(message(device_event("PJSIP/122", "NOT_INUSE")))
    await rig.until(lambda: not rig.exchange.kept_from_us)


async def test_why_somebody_left_is_told_after_a_while_though_nothing_more_is_heard(rig, monkeypatch):
    monkeypatch.setattr("ringback.asterisk.exchange.SETTLES", timedelta())
    rig.pbx.say("QueueCallerJoin", Uniqueid="1.1", Queue="support", Position="1", Count="1")
    await rig.until(lambda: len(rig.exchange.queue("support").callers) == 1)
    rig.pbx.say("QueueCallerLeave", Uniqueid="1.1", Queue="support", Position="1", Count="0")
    await rig.until(lambda: not rig.exchange.queue("support").callers)
    rig.exchange.on_learned(lambda _: rig.bell.set())
    rig.clock.move(SETTLES)
    await rig.until(lambda: [one.how for one in rig.learned] == [ServedHow.LEFT])


async def test_a_queue_that_gave_up_did_not_lose_its_caller(rig):
    rig.exchange.on_learned(lambda _: rig.bell.set())
    rig.pbx.say("QueueCallerJoin", Uniqueid="1.1", Queue="support", Position="1", Count="1")
    rig.pbx.say("QueueCallerAbandon", Uniqueid="1.1", Queue="support", Position="1", HoldTime="6")
    rig.pbx.say("QueueCallerLeave", Uniqueid="1.1", Queue="support", Position="1", Count="0")
    rig.pbx.say("VarSet", Uniqueid="1.1", Variable="QUEUESTATUS", Value="TIMEOUT")
    await rig.until(lambda: [one.how for one in rig.learned] == [ServedHow.LEFT])


async def test_a_list_that_does_not_come_is_asked_for_again(rig, monkeypatch):
    rig.pbx.silent_to.add("DeviceStateList")
    rig.feed.ami.pace = Pace(answer=0.05)
    rig.pbx.queues = [params("sales")]
    asked = len(rig.pbx.asked("DeviceStateList"))
    rig.pbx.raw(message([("Event", "Reload"), ("Privilege", "system,all"), ("Module", "app_queue")]))
    await rig.pbx.action("DeviceStateList", asked + 2)
    rig.pbx.silent_to.clear()
    await rig.until(lambda: [one.name for one in rig.exchange.queues()] == ["sales"])
