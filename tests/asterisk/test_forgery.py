"""No caller's text passes for a line of Asterisk: numbers that forge headers and events, written as Asterisk does."""

import gzip
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ringback.asterisk.codec import WANTED, Answer, Decoder, Event
from ringback.asterisk.plain import LONGEST, plain
from ringback.asterisk.runs import LONGEST_EXTEN, PREFIXES, RUN, SHAPES, SHORTEST_HEAD
from ringback.asterisk.tracker import Tracker
from ringback.core.calls import CallEnded, Outcome
from tests.asterisk.scenes import SCENES, timed
from tests.fakes.ami import CHANNEL, event, message

VICTIM = "1795305384.0"  # the shortest an id can be, so that a forgery has the most room
HOSTILE = "1795305390.1"
FORGED_CALLS = 1500  # seeded, two seconds; 50,000 ran clean when this was written
LONGEST_SAFE = 103
"""Bytes of a number that cannot even lie about its own call; Asterisk keeps 79."""

fuzz = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def told(name: str, *runs: list[tuple[str, str]], before: dict[str, str] | None = None, **after: str) -> bytes:
    """An event with these runs, and headers in front of and behind them."""
    lines = [
        ("Event", name),
        ("Privilege", "call,all"),
        *(before or {}).items(),
        *(line for run in runs for line in run),
    ]
    return message([*lines, *((key.replace("_", "-"), value) for key, value in after.items())])


def run(prefix: str = "", **fields: str) -> list[tuple[str, str]]:
    return [(prefix + key, value) for key, value in (CHANNEL | fields).items()]


def hear(*stream: bytes) -> list[Event]:
    return [said for said in Decoder().feed(b"".join(stream)) if isinstance(said, Event)]


def channels(heard: list[Event]) -> list[tuple[str, ...]]:
    """Of each event its name and which channels it is about."""
    return [
        (said.name, *(said.get(key) for key in ("Uniqueid", "Linkedid", "DestUniqueid") if said.get(key)))
        for said in heard
    ]


# -- one forgery after the other

ENDS_A_RUN = f"9\r\nPriority: 1\r\nUniqueid: {VICTIM}\r\nLinkedid: 1"

FORGERIES = [
    pytest.param({"CallerIDNum": f"1\r\nUniqueid: {VICTIM}"}, id="a Uniqueid in front of the real one"),
    pytest.param({"CallerIDNum": f"1\r\nUniqueid: {VICTIM}\r\n\r\n"}, id="the same, and the event ends there"),
    pytest.param({"CallerIDNum": f"1\r\n\r\nEvent: Hangup\r\nUniqueid: {VICTIM}\r\n\r\n"}, id="a hang-up of its own"),
    pytest.param(
        {"CallerIDNum": f"\r\n\r\nEvent: Hangup\r\nUniqueid: {VICTIM}\r\nX:"}, id="a hang-up that takes the rest along"
    ),
    pytest.param(
        {"CallerIDNum": "1\r\n\r\nEvent: Hangup\r\nPrivilege: call,all\r\nX:"}, id="another name for its own event"
    ),
    pytest.param({"CallerIDNum": "1\r\n\r\n\r\n\r\n\r\n\r\n"}, id="nothing but ends"),
    pytest.param({"CallerIDNum": "1\r\n"}, id="half an end, which the next line completes"),
    pytest.param({"CallerIDNum": "1\r\n\r\nResponse: Success\r\nActionID: a1\r\n\r\n"}, id="an answer"),
    pytest.param({"CallerIDNum": "1\r\n\r\nEvent: Shutdown\r\n\r\n"}, id="a shutdown"),
    pytest.param({"CallerIDNum": "1\r\nCallerIDName: x\r\nConnectedLineNum: y"}, id="the next lines, once more"),
    pytest.param(
        {"ConnectedLineNum": f"1\r\n\r\nEvent: BridgeEnter\r\nUniqueid: {VICTIM}\r\n\r\n"}, id="by whoever answers"
    ),
    pytest.param({"Exten": ENDS_A_RUN}, id="an extension that ends the run"),
    pytest.param({"Exten": f"{ENDS_A_RUN}\r\n\r\n"}, id="an extension that ends the event"),
    pytest.param({"Exten": f"{ENDS_A_RUN}\r\n\r\nEvent: A"}, id="an extension that ends it and begins another"),
    pytest.param({"Exten": f"{ENDS_A_RUN}\r\n\r\nX\r\n\r\nEvent: B"}, id="an extension with an event between"),
    pytest.param(
        {"CallerIDNum": f"1\r\n\r\nEvent: Hangup\r\nUniqueid: {VICTIM}\r\n\r\n", "Exten": f"{ENDS_A_RUN}\r\n\r\n"},
        id="number and extension together",
    ),
    pytest.param({"Channel": f"Local/9\r\nUniqueid: {VICTIM}@in-00000001;2"}, id="in the name of a Local channel"),
]


@pytest.mark.parametrize("forged", FORGERIES)
@pytest.mark.parametrize("name", ["Newchannel", "BridgeEnter", "HangupRequest", "Hangup"])
def test_an_event_is_about_the_channel_it_is_about(forged, name):
    more = {"Cause": "16", "Cause-txt": "Normal Clearing"} if name == "Hangup" else {}
    hostile = told(name, run(Uniqueid=HOSTILE, Linkedid=HOSTILE, **forged), **more)
    honest = event("Newchannel", Uniqueid=VICTIM)
    heard = hear(honest, hostile, honest)
    assert channels(heard) == [("Newchannel", VICTIM, VICTIM), (name, HOSTILE, HOSTILE), ("Newchannel", VICTIM, VICTIM)]
    assert {key: heard[1].get(key) for key in forged} == forged
    assert heard[1].fields.items() >= more.items()


@pytest.mark.parametrize("forged", FORGERIES)
def test_a_dial_keeps_both_its_channels(forged):
    caller = run(Uniqueid=HOSTILE, Linkedid=HOSTILE, **forged)
    phone = run("Dest", Uniqueid="1795305390.2", Linkedid=HOSTILE, ConnectedLineNum=forged.get("CallerIDNum", "1"))
    heard = hear(told("DialEnd", caller, phone, DialStatus="CANCEL"), event("Newchannel", Uniqueid=VICTIM))
    assert channels(heard) == [("DialEnd", HOSTILE, HOSTILE, "1795305390.2"), ("Newchannel", VICTIM, VICTIM)]
    assert heard[0].get("DialStatus") == "CANCEL"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"x\r\nUniqueid: {VICTIM}", id="another Uniqueid behind the run"),
        pytest.param("x\r\nUserEvent: RingbackDeflect", id="another user event"),
        pytest.param(f"x\r\n\r\nEvent: Hangup\r\nUniqueid: {VICTIM}\r\n\r\n", id="a hang-up behind the run"),
        pytest.param(
            "x\r\n\r\nEvent: Hangup\r\nPrivilege: call,all\r\nChannel: x", id="an event that swallows the next"
        ),
    ],
)
def test_what_a_dialplan_puts_into_a_user_event_forges_nothing(text):
    foreign = event("UserEvent", Uniqueid=HOSTILE, UserEvent="Foreign", Number=text)
    heard = hear(foreign, event("BridgeEnter", Uniqueid=VICTIM))
    assert channels(heard) == [("UserEvent", HOSTILE, HOSTILE), ("BridgeEnter", VICTIM, VICTIM)]
    assert heard[0].get("UserEvent") == "Foreign"


def test_a_skipped_event_is_no_way_around():
    number = f"1\r\n\r\nEvent: Hangup\r\nUniqueid: {VICTIM}\r\n\r\n"
    decoder = Decoder(frozenset({b"Hangup"}))
    assert decoder.feed(event("Newexten", CallerIDNum=number)) == []
    assert decoder.hostile == 2


def test_a_list_of_ours_loses_no_line_and_does_not_end_early():
    mark = "\r\nActionID: rb1-7"
    number = "1\r\n\r\nEvent: CoreShowChannelsComplete\r\nEventList: Complete\r\n\r\n"
    line = event("CoreShowChannel", Uniqueid=HOSTILE, CallerIDNum=number, Duration="00:00:01")
    end = b"Event: CoreShowChannelsComplete" + mark.encode() + b"\r\nEventList: Complete\r\n\r\n"
    marked = line.replace(b"CoreShowChannel\r\n", b"CoreShowChannel" + mark.encode() + b"\r\n", 1)
    first, second, last = Decoder(mark="rb1-").feed(marked + marked + end)
    assert channels([first, second]) == [("CoreShowChannel", HOSTILE, HOSTILE)] * 2
    assert last.name == "CoreShowChannelsComplete"


def test_an_answer_of_ours_is_not_taken_for_the_rest_of_an_event():
    torn = event("Newchannel")[:200] + b"\r\n\r\n"
    decoder = Decoder(mark="rb1-")
    heard = decoder.feed(torn + b"Response: Success\r\nActionID: rb1-7\r\nMessage: here\r\n\r\n" + event("Newchannel"))
    assert [getattr(said, "message", "") for said in heard] == ["here", ""]
    assert decoder.hostile == 1


def test_an_extension_that_ends_the_event_is_seen_through_in_almost_any_portions():
    """What stands behind an event decides; where nothing stands there yet, the event is not kept waiting."""
    hostile = event("Newchannel", Uniqueid=HOSTILE, Exten=f"{ENDS_A_RUN}\r\n\r\nEvent: A")
    fooled = []
    for place in range(len(hostile)):
        decoder = Decoder()
        heard = decoder.feed(hostile[:place]) + decoder.feed(hostile[place:])
        if channels(heard) != [("Newchannel", HOSTILE, HOSTILE)]:
            fooled.append(place)
    assert fooled == [hostile.index(b"\r\n\r\n") + 4]


def test_an_event_with_a_channel_is_none_without_its_run():
    assert hear(b"Event: Hangup\r\nPrivilege: call,all\r\nUniqueid: 1\r\nCause: 16\r\n\r\n") == []
    assert [said.get("New") for said in hear(b"Event: MessageWaiting\r\nMailbox: 1\r\nNew: 1\r\n\r\n")] == ["1"]


def test_every_wanted_event_with_a_channel_is_fenced():
    without = {b"FullyBooted", b"Shutdown", b"Reload"} | {name.encode() for name in SHAPES}
    assert {name.encode() for name in PREFIXES} - {b"CoreShowChannel"} == WANTED - without


def test_the_rest_of_a_run_does_not_fit_into_what_asterisk_keeps():
    """The room that the fence stands on; see the module's docstring."""
    assert sum(len(f"\r\n{name}: ") for name in RUN[4:]) > LONGEST_EXTEN + 60
    head = "\r\n\r\nEvent: A\r\nPrivilege: \r\nChannel: x\r\nChannelState: 0\r\nChannelStateDesc: \r\nCallerIDNum: "
    assert len(head) > LONGEST_EXTEN
    assert len("\r\n\r\n") + SHORTEST_HEAD > LONGEST_SAFE
    assert sum(len(f"\r\n{name}: ") for name in RUN[4:]) > LONGEST_SAFE
    shortest = event("Hangup", Channel="x")
    assert shortest.index(b"\r\nCallerIDName") - len(CHANNEL["CallerIDNum"]) >= SHORTEST_HEAD


@pytest.mark.parametrize("path", sorted(SCENES.glob("*.ami.txt.gz")), ids=lambda path: path.name.partition(".")[0])
def test_no_event_that_asterisk_wrote_has_so_short_a_head(path):
    told = gzip.decompress(path.read_bytes()).split(b"\r\n\r\n")
    heads = [
        one.index(b"CallerIDNum: ") for one in told if b"\r\nChannelStateDesc: " in one and b"CallerIDNum: " in one
    ]
    assert min(heads, default=SHORTEST_HEAD) + len("CallerIDNum: ") >= SHORTEST_HEAD


# -- any text

PIECES = [
    *("\r\n", "\r\n\r\n", "\r\n\r\n", "\r", "\n", "1", "x", "\r\nX:", "@", "Response: Success\r\n", "Value: ANSWER"),
    *("Event: Hangup\r\n", "\r\n\r\nEvent: Hangup\r\n", "\r\n\r\nEvent: Hangup\r\nPrivilege: call,all\r\n"),
    *("Event: DialEnd\r\nPrivilege: a\r\n", "Event: BridgeEnter\r\nPrivilege: a\r\nBridgeType: basic\r\n"),
    *("\r\n\r\nEvent: VarSet\r\n", "Event: UserEvent\r\n", "UserEvent: RingbackCall\r\n", "Variable: DIALSTATUS\r\n"),
    *(f"\r\n{prefix}{name}: " for prefix in ("", "Dest", "Transferee") for name in RUN),
    *(f"{name}: " for name in RUN),
    *(f"\r\nUniqueid: {VICTIM}", f"\r\nDestUniqueid: {VICTIM}1", f"\r\nTransfereeUniqueid: {VICTIM}", VICTIM),
    *(ENDS_A_RUN[1:], f"{ENDS_A_RUN[1:]}\r\n\r\n", f"{ENDS_A_RUN[1:]}\r\nCause: 1\r\nX: "),
    *("\r\nChannel: x\r\nChannelState: 0\r\nChannelStateDesc: \r\nCallerIDNum: ", "Local/103@office-00000012;2"),
]
"""What a forger would put together."""


def cut(text: str) -> str:
    """As much of it as Asterisk keeps."""
    return text.encode()[:LONGEST_EXTEN].decode("utf-8", "ignore")


def call_of(uniqueid: str, caller: dict[str, str], phone: dict[str, str], asked: str, extra: str) -> list[bytes]:
    """Each kind of event there is, in which a caller's text can stand."""
    ids = {"Uniqueid": uniqueid, "Linkedid": uniqueid}
    one, two = ids | caller, ids | {"Uniqueid": f"{uniqueid}1"} | phone
    bridge = {"BridgeUniqueid": "x", "BridgeType": "basic", "BridgeName": extra}
    return [
        told("Newchannel", run(**one)),
        told("Newexten", run(**one), AppData=extra),
        told("UserEvent", run(**one), UserEvent="Foreign", Number=extra),
        told("DialBegin", run(**one), run("Dest", **two), DialString=f"{asked}@office"),
        told("DialBegin", run("Dest", **two), DialString=asked),
        told("DialEnd", run(**one), run("Dest", **two), Forward=asked, DialStatus="CANCEL"),
        told("VarSet", run(**one), Variable="SECRET", Value="BUSY"),
        told("VarSet", run(**one), Variable="DIALSTATUS", Value="BUSY"),
        told("HangupRequest", run(**one)),
        told("BridgeEnter", run(**one), before=bridge),
        told("BlindTransfer", run("Transferer", **two), run("Transferee", **one), Context="c", Extension=asked),
        told("Hangup", run(**one), Cause="16", Cause_txt="Normal Clearing"),
    ]


def about(heard: list[Event], uniqueid: str) -> list[Event]:
    """What is said of a call, in the headers of runs, which are the only ones that say so."""
    ids = {uniqueid, f"{uniqueid}1"}
    keys = {name: [f"{prefix}Uniqueid" for prefix in prefixes] for name, prefixes in PREFIXES.items()}
    return [said for said in heard if ids & {said.get(key) for key in keys.get(said.name, ())}]


def mixed(one: list[bytes], other: list[bytes], rng: Random) -> bytes:
    """Two calls at the same time."""
    left, right = list(one), list(other)
    turns = rng.sample([left] * len(left) + [right] * len(right), len(left) + len(right))
    return b"".join(whose.pop(0) for whose in turns)


def forge(texts: list[str], rng: Random) -> None:
    """A call whose every text is hostile says nothing of another call, and hides nothing of it."""
    number, exten, phone, answerer, asked, extra = texts
    local = {"Channel": f"Local/{asked}@office-00000001;2"} if rng.random() < 0.3 else {}
    caller = {"CallerIDNum": number, "ConnectedLineNum": answerer, "Exten": exten, **local}
    dialled = {"CallerIDNum": phone, "ConnectedLineNum": number, "Exten": exten}
    honest = call_of(VICTIM, {}, {}, "103", "")
    stream = mixed(call_of(HOSTILE, caller, dialled, asked, extra), honest, rng)
    assert about(hear(stream), VICTIM) == about(hear(*honest), VICTIM)


@fuzz
@given(
    st.lists(st.lists(st.sampled_from(PIECES) | st.text(max_size=9)).map("".join).map(cut), min_size=6, max_size=6),
    st.randoms(),
)
def test_no_text_of_a_caller_says_anything_of_another_call(texts, rng):
    forge(texts, rng)


def test_many_forgeries_say_nothing_of_another_call():
    rng = Random(20261121)
    for _ in range(FORGED_CALLS):
        forge([cut("".join(rng.choices(PIECES, k=rng.randrange(8)))) for _ in range(6)], rng)


RECORDED = gzip.decompress((SCENES / "missed_caller_hangs_up.ami.txt.gz").read_bytes())
NUMBER = b"+15125550123"
KEPT = ("Event", "Uniqueid", "Linkedid", "Context", "Exten", "DestUniqueid", "DestLinkedid", "DialStatus", "Cause")


def heard(stream: bytes) -> list[Event | Answer]:
    """All but answers to nobody: the wire looks for who asked by the ActionID, and finds none."""
    return [said for said in Decoder().feed(stream) if isinstance(said, Event) or said.action_id]


def tell_of_the_same(number: bytes) -> None:
    """With this as the number of a recorded call all is heard as before, but for what says the number."""
    forged = RECORDED
    for header in (b"CallerIDNum: ", b"ConnectedLineNum: "):
        forged = forged.replace(header + NUMBER + b"\r\n", header + number + b"\r\n")
    before, after = heard(RECORDED), heard(forged)
    own = [NUMBER.decode() in said.fields.values() for said in before]
    assert [[said.get(key) for key in KEPT] for said in after] == [[said.get(key) for key in KEPT] for said in before]
    assert [said for said, mine in zip(after, own, strict=True) if not mine] == [
        said for said, mine in zip(before, own, strict=True) if not mine
    ]


@fuzz
@example("\r\nResponse: Success\r\n", 79)
@example("\r\n\r\nResponse: Success\r\n", 79)
@example("\r\nEvent: Shutdown\r\n", 79)
@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=60), max_size=12).map("".join), st.integers(40, LONGEST_SAFE)
)
def test_no_number_in_a_recording_changes_any_other_event_or_what_its_own_is_about(text, longest):
    """Up to more than Asterisk keeps; what longer ones can do stands below."""
    tell_of_the_same(text.encode()[:longest])


@pytest.mark.parametrize("name", ["Hangup", "BridgeEnter", "Newexten", "A"])
@pytest.mark.parametrize("channel", ["x", "PJSIP/carrier-00000000"], ids=["of any name", "of its own name"])
@pytest.mark.parametrize("before", ["", "1", "1\r\nX: y"])
def test_a_number_that_begins_an_event_of_its_own_call_has_no_room_for_it(name, channel, before):
    head = head_of(name, "Privilege: ", channel, "")
    tell_of_the_same(f"{before}\r\n\r\n{head}".encode()[:LONGEST_SAFE])
    tell_of_the_same(f"{before}\r\n\r\n{head}".encode()[-LONGEST_SAFE:])


# -- any text that knows how the fence is built


def head_of(name: str, second: str, channel: str, prefix: str, state: str = "0", desc: str = "") -> str:
    """An event up to the number of its first channel."""
    lines = (f"{prefix}Channel: {channel}", f"{prefix}ChannelState: {state}", f"{prefix}ChannelStateDesc: {desc}")
    return "\r\n".join((f"Event: {name}", second, *lines, f"{prefix}CallerIDNum: "))


def rest_of(uniqueid: str, prefix: str, begin: int) -> str:
    """A run from one of its headers on to its end."""
    values = {"Priority": "1", "Uniqueid": uniqueid, "Linkedid": "1"}
    return "".join(f"\r\n{prefix}{name}: {values.get(name, '')}" for name in RUN[begin:])


def clever(uniqueid: str, longest: int, rng: Random) -> str:
    """Whole heads and rests, cut at either side to what there is room for; the id is what it tries to speak of."""
    parts = []
    for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 4, 5])):
        prefix = rng.choice(["", "", "", "Dest", "Transferee"])
        name = rng.choice(["Hangup", "BridgeEnter", "Newchannel", "DialEnd", "VarSet", "UserEvent", "A"])
        channel = rng.choice(["x", "PJSIP/carrier-00000001", "PJSIP/carrier-00000002"])
        second = f"Privilege: {rng.choice(['', 'a', 'call,all'])}"
        head = head_of(name, second, channel, prefix, desc=rng.choice(["", "Up"]))
        rest = rest_of(uniqueid, prefix, rng.choice([4, 4, 6, 6, rng.randrange(4, 14)]))
        small = rng.choice(
            ["\r\n\r\n", "\r\n\r\n", "1", "\r\n", "\r\nX: " + "y" * rng.randrange(60), "Event: A\r\nX: "]
        )
        parts.append(
            rng.choice([head, head, f"\r\n\r\n{head}", f"\n{head}", rest, rest, f"{rest}\r\n\r\n", small, small])
        )
    text = "".join(parts)
    return text[:longest] if rng.random() < 0.5 else text[-longest:]


def forge_cleverly(uniqueid: str, longest: int, rng: Random) -> None:
    """In every place at once, or in one to three; an extension holds what it always does."""
    room = [longest, LONGEST_EXTEN, longest, longest, LONGEST_EXTEN, longest]
    texts = [clever(uniqueid, most, rng) for most in room]
    if rng.random() < 0.5:
        for place in rng.sample(range(len(texts)), rng.randrange(3, 6)):
            texts[place] = "1"
    forge(texts, rng)


def test_many_clever_forgeries_say_nothing_of_another_call():
    rng = Random(20261122)
    for _ in range(FORGED_CALLS):
        forge_cleverly(VICTIM, LONGEST_SAFE, rng)


@fuzz
@given(st.integers(LONGEST_EXTEN, 400), st.integers(min_value=0))
def test_no_longer_text_changes_or_hides_what_is_said_of_a_call_whose_id_it_does_not_hold(longest, seed):
    forge_cleverly("1795305391.7", longest, Random(seed))


@pytest.mark.parametrize("longest", [200, 400, 4000])
def test_no_much_longer_text_does(longest):
    rng = Random(longest)
    for _ in range(FORGED_CALLS // 5):
        forge_cleverly("1795305391.7", longest, rng)


# -- why that is all: the same bytes, told by other texts, and no reader can know by which


def test_a_long_copy_of_a_number_could_be_somebody_elses_event_and_is_taken_for_it():
    """Were it taken for the caller's, a Hangup put into a variable would end the call whose event comes next."""
    ends = event("Hangup", Uniqueid=VICTIM, Linkedid=VICTIM, Cause="16")
    begins = event("DialBegin", Uniqueid=HOSTILE)
    at, there = (one.index(b"CallerIDNum: ") + len("CallerIDNum: ") for one in (begins, ends))
    in_a_variable = told("VarSet", run(Uniqueid=HOSTILE), Variable="X", Value="5\r\n\r\n" + begins[:at].decode()) + ends
    its_number = b"\r\n\r\n" + ends[:there]
    in_a_number = (
        told("VarSet", run(Uniqueid=HOSTILE), Variable="X", Value="5") + begins[:at] + its_number + ends[there:]
    )
    assert in_a_variable == in_a_number
    assert len(its_number) > LONGEST_SAFE
    assert channels(hear(in_a_variable)) == [("Hangup", VICTIM, VICTIM)]


def test_a_number_as_long_as_an_event_reads_as_events_of_asterisk():
    two = event("Hangup", Uniqueid=VICTIM) + event("Hangup", Uniqueid=HOSTILE)
    begin, end = two.index(b"CallerIDNum: ") + len("CallerIDNum: "), two.rindex(b"\r\nCallerIDName: ")
    number = two[begin:end].decode()
    assert event("Hangup", Uniqueid=HOSTILE, CallerIDNum=number) == two
    assert len(number) > 3 * LONGEST_SAFE
    assert channels(hear(two)) == [("Hangup", VICTIM, VICTIM), ("Hangup", HOSTILE, HOSTILE)]


# -- what becomes of a call


def test_the_recorded_forgery_ends_no_call_but_its_own():
    """Three callers on a real Asterisk; two put the id of the first into their numbers, one of them with a hang-up."""
    stream = gzip.decompress((SCENES / "forged_number.ami.txt.gz").read_bytes())
    tracker = Tracker("lab", frozenset({"from-trunk"}), frozenset(), trust_caller_id=False)
    ended = [
        said.call for heard, at in timed(stream) for said in tracker.receive(heard, at) if isinstance(said, CallEnded)
    ]
    assert [(call.uniqueid[-1], call.outcome, len(call.legs)) for call in ended] == [
        ("2", Outcome.MISSED, 1),
        ("4", Outcome.MISSED, 1),
        ("0", Outcome.MISSED, 1),
    ]
    assert [call.caller for call in ended[:1]] == ["1��Uniqueid: lab-1795305384.0��X: y"]
    assert ended[2].caller == "+15125550123"
    assert tracker.live() == frozenset()


@given(st.text())
def test_what_is_kept_can_be_shown(text):
    shown = plain(text)
    assert shown.isprintable()
    assert len(shown) == min(len(text), LONGEST)
    assert not text.isprintable() or shown == text[:LONGEST]
