"""The AMI codec: any bytes in any portions; and no text that becomes a second action."""

import gzip
import itertools
import os
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback.asterisk.codec import (
    LONGEST_LINE,
    LONGEST_MESSAGE,
    WANTED,
    Answer,
    Decoder,
    Event,
    encode,
)
from ringback.errors import ProtocolError
from tests.fakes.ami import CHANNEL, event

pytestmark = pytest.mark.timeout(3600 if os.environ.get("SOAK") else 300)
SCENES = Path(__file__).parent.parent / "scenes"
LONG = os.environ.get("SOAK", "0") not in ("", "0")
FUZZ = 20_000 if LONG else 300  # inputs a property of hypothesis
MUTATIONS = 10_000_000 if LONG else 200_000  # seeded inputs without hypothesis; the fewer take about two seconds

GOOD = event("Hangup", Uniqueid="lab-1.1", Cause="16", Cause_txt="Normal Clearing")
GOOD_EVENT = Event(
    "Hangup",
    {"Event": "Hangup", "Privilege": "call,all"}
    | CHANNEL
    | {"Uniqueid": "lab-1.1", "Linkedid": "lab-1.1", "Cause": "16", "Cause-txt": "Normal Clearing"},
)

fuzz = settings(max_examples=FUZZ, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def hear(decoder: Decoder, *chunks: bytes) -> list[Event | Answer]:
    """Feed as the connection does: after a fault it goes on with nothing."""
    heard = []
    for chunk in chunks:
        try:
            heard += decoder.feed(chunk)
        except ProtocolError:
            heard += decoder.feed(b"")
    return heard


def cut_at(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[begin:end] for begin, end in itertools.pairwise(edges)]


# -- what is read


@pytest.mark.parametrize(
    ("lines", "fields"),
    [
        pytest.param(b"AccountCode: \r\n", {"AccountCode": ""}, id="a header without a value is empty"),
        pytest.param(b"Empty:\r\n", {"Empty": ""}, id="no space behind the colon is empty, not dropped"),
        pytest.param(b"Tight:x: y\r\n", {"Tight": "x: y"}, id="a value without the space is kept whole"),
        pytest.param(b"Did: +1\r\nDid: +2\r\n", {"Did": "+1"}, id="the first of a repeated header counts"),
        pytest.param(b"Name: <unknown>\r\n", {"Name": "<unknown>"}, id="unknown stays as it was written"),
        pytest.param(b"Uri: sip:a@b: c\r\n", {"Uri": "sip:a@b: c"}, id="a value may hold colons"),
        pytest.param(b"no header here\r\n", {}, id="a line without a colon is left out"),
        pytest.param(b"Name: Jos\xff\r\n", {"Name": "Jos\N{REPLACEMENT CHARACTER}"}, id="bad UTF-8 is shown, not lost"),
    ],
)
def test_headers(lines, fields):
    (of_a_queue,) = Decoder().feed(b"Event: QueueMemberStatus\r\n" + lines + b"\r\n")
    assert of_a_queue == Event("QueueMemberStatus", {"Event": "QueueMemberStatus"} | fields)
    (of_a_channel,) = Decoder().feed(GOOD[:-2] + lines + b"\r\n")
    assert of_a_channel == Event("Hangup", GOOD_EVENT.fields | fields)


@pytest.mark.parametrize(
    ("variable", "heard"),
    [
        pytest.param("DIALSTATUS", True, id="how a dial ended"),
        pytest.param("QUEUESTATUS", True, id="how a queue ended"),
        pytest.param("VMSTATUS", True, id="how voicemail ended"),
        pytest.param("DIALSTATUS2", False, id="a longer name is another variable"),
        pytest.param("SECRET", False, id="anything else is skipped"),
    ],
)
def test_varset_is_narrowed_to_three_variables(variable, heard):
    said = Decoder().feed(event("VarSet", Variable=variable, Value="X"))
    assert [variable_set.get("Variable") for variable_set in said] == ([variable] if heard else [])


def test_events_nobody_wants_are_counted_and_skipped():
    decoder = Decoder(frozenset({b"Hangup"}))
    assert decoder.feed(b"Event: Newexten\r\nUniqueid: 1\r\n\r\n" + GOOD) == [GOOD_EVENT]
    assert (decoder.seen, decoder.decoded, decoder.bad) == (2, 1, 0)


def test_an_answer_behind_the_banner():
    (answer,) = Decoder().feed(
        b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nActionID: a1\r\nMessage: Authentication accepted\r\n\r\n"
    )
    assert (answer.response, answer.action_id, answer.message) == ("Success", "a1", "Authentication accepted")
    assert answer.get("Nothing") == ""


def test_the_lines_of_our_own_lists_are_decoded_though_not_wanted():
    lines = b"Event: QueueParams\r\nQueue: x\r\nActionID: rb1-7\r\n\r\nEvent: QueueParams\r\nActionID: other\r\n\r\n"
    assert [said.name for said in Decoder(mark="rb1-").feed(lines)] == ["QueueParams"]


@pytest.mark.parametrize(
    "junk",
    [
        pytest.param(b"\r\n\r\n\r\n", id="line breaks alone"),
        pytest.param(b"\0\xff\xfe garbage\r\n\r\n", id="garbage with an end"),
        pytest.param(b"garbage without an end\r\n", id="garbage in front of a good event"),
        pytest.param(b"Event:\r\n\r\nResponse:\r\n\r\n", id="names that are empty"),
        pytest.param(b": : :\r\n:\r\n\r\n", id="only colons"),
        pytest.param(b"Asterisk Call Manager/11.0.0\r\n", id="a banner in the middle"),
    ],
)
def test_the_next_good_event_is_heard_behind(junk):
    assert Decoder().feed(GOOD + junk + GOOD)[-1] == GOOD_EVENT


# -- any portions


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1448])
def test_a_letter_cut_in_two_is_whole(size):
    data = event("Newchannel", CallerIDName="José Zoë 電話")
    (said,) = hear(Decoder(), *(data[i : i + size] for i in range(0, len(data), size)))
    assert said.get("CallerIDName") == "José Zoë 電話"


@pytest.mark.parametrize("scene", ["missed_caller_hangs_up", "resync_after_reconnect", "queue_two_callers"])
@pytest.mark.parametrize("size", [1, 5, 97, 1448, 65536])
def test_a_recording_reads_the_same_in_any_portions(scene, size):
    data = gzip.decompress((SCENES / f"{scene}.ami.txt.gz").read_bytes())
    whole = Decoder().feed(data)
    assert len(whole) > 10
    assert hear(Decoder(), *(data[i : i + size] for i in range(0, len(data), size))) == whole


@pytest.mark.parametrize("path", sorted(SCENES.glob("*.ami.txt.gz")), ids=lambda path: path.name.partition(".")[0])
def test_every_recording_reads_without_a_bad_frame(path):
    decoder = Decoder()
    heard = decoder.feed(gzip.decompress(path.read_bytes()))
    assert decoder.bad == 0
    assert {said.name.encode() for said in heard if isinstance(said, Event) and not said.get("ActionID")} <= WANTED


RECORDED = gzip.decompress((SCENES / "missed_caller_hangs_up.ami.txt.gz").read_bytes())[:6000]


@fuzz
@given(st.lists(st.integers(0, 6000), max_size=20))
def test_a_recording_reads_the_same_wherever_it_is_cut(places):
    assert hear(Decoder(), *cut_at(RECORDED, places)) == Decoder().feed(RECORDED)


# -- too long


def test_a_message_without_end_is_told_once_and_the_next_is_heard():
    decoder = Decoder()
    told = 0
    for _ in range(100):
        try:
            assert decoder.feed(b"x" * 4096) == []
        except ProtocolError:
            told += 1
    assert told == 1
    assert decoder.feed(b"the end\r\n\r") == []
    assert decoder.feed(b"\n" + GOOD) == [GOOD_EVENT]
    assert decoder.bad == 1


def test_good_events_around_a_message_that_is_too_long_are_kept():
    decoder = Decoder()
    with pytest.raises(ProtocolError, match="longer than"):
        decoder.feed(GOOD + GOOD[:-2] + b"X: " + b"x" * LONGEST_MESSAGE + b"\r\n\r\n" + GOOD + GOOD[:20])
    assert decoder.feed(b"") == [GOOD_EVENT, GOOD_EVENT]
    assert decoder.feed(GOOD[20:]) == [GOOD_EVENT]


@pytest.mark.parametrize("more", [-1, 0, 1, 2, 3, 4])
@pytest.mark.parametrize("size", [1000, 10**6])
def test_the_bound_is_the_same_in_any_portions(more, size):
    head = GOOD[:-2] + b"X: "
    data = head + b"x" * (LONGEST_MESSAGE - len(head) + more) + b"\r\n\r\n" + GOOD
    heard = hear(Decoder(), *(data[i : i + size] for i in range(0, len(data), size)))
    assert len(heard) == (2 if more <= 0 else 1)
    assert heard[-1] == GOOD_EVENT


# -- any bytes

PIECES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"\r\n",
            b"\r\n\r\n",
            b"\n\n",
            b"\r",
            b"Event: ",
            b"Event: VarSet\r\n",
            b"Event: Hangup\r\n",
            b"Response: ",
            b"Response: Error\r\n",
            b"ActionID: ",
            b"Variable: ",
            b"Asterisk Call Manager/",
            b": ",
            b":",
            b"\0",
            "é".encode()[:1],
            b"x" * 70_000,
            GOOD,
        ]
    ),
)


@fuzz
@given(st.lists(PIECES, max_size=14).map(b"".join), st.lists(st.integers(min_value=0), max_size=8))
def test_any_bytes_in_any_portions_and_the_next_good_event_is_heard(data, places):
    split = hear(Decoder(), *cut_at(data, places), b"\r\n\r\n", GOOD)
    assert split[-1] == GOOD_EVENT
    assert hear(Decoder(), data, b"\r\n\r\n", GOOD) == split


@fuzz
@given(st.lists(st.tuples(st.integers(0, 5999), st.integers(0, 255)), min_size=1, max_size=20))
def test_a_mutated_recording_raises_nothing_and_the_next_good_event_is_heard(changes):
    mutated = bytearray(RECORDED)
    for place, byte in changes:
        mutated[place] = byte
    assert hear(Decoder(), bytes(mutated), b"\r\n\r\n" + GOOD)[-1] == GOOD_EVENT


ODD = (
    b"\r\n",
    b"\r\n\r\n",
    b"\r",
    b"\n",
    b"\0",
    b":",
    b": ",
    b"Event: ",
    b"Response: ",
    b"\xc3",
    b"\xff",
    b"ActionID: ",
)
MESSAGES = [message for message in RECORDED.split(b"\r\n\r\n") if message][:12]


def mutate(message: bytes, rng: random.Random) -> bytes:
    """Bytes changed, cut out and put in, as a bad line or a hostile caller would."""
    data = bytearray(message)
    for _ in range(rng.randrange(1, 6)):
        place = rng.randrange(len(data) + 1)
        match rng.randrange(3):
            case 0:
                data[place : place + 1] = rng.randbytes(1)
            case 1:
                del data[place : place + rng.randrange(40)]
            case 2:
                data[place:place] = rng.choice(ODD)
    return bytes(data)


def test_many_mutations_in_two_portions_raise_nothing_and_the_next_good_event_is_heard():
    rng = random.Random(20261121)
    decoder = Decoder()
    for _ in range(MUTATIONS):
        data = mutate(rng.choice(MESSAGES), rng) + b"\r\n\r\n" + GOOD
        place = rng.randrange(len(data))
        heard = decoder.feed(data[:place]) + decoder.feed(data[place:])
        assert heard[-1] == GOOD_EVENT


# -- what is written


def test_an_action_as_asterisk_reads_it():
    assert encode("Getvar", "a1", {"Channel": "PJSIP/101-1", "Variable": "Zoë"}) == (
        "Action: Getvar\r\nActionID: a1\r\nChannel: PJSIP/101-1\r\nVariable: Zoë\r\n\r\n".encode()
    )


@pytest.mark.parametrize(
    ("action", "action_id", "fields"),
    [
        pytest.param("Ping", "1", {"To": "a\r\nAction: Originate"}, id="CR LF in a value"),
        pytest.param("Ping", "1", {"To": "a\nb"}, id="LF in a value"),
        pytest.param("Ping", "1", {"To": "a\rb"}, id="CR in a value"),
        pytest.param("Ping", "1", {"To": "a\0b"}, id="NUL in a value"),
        pytest.param("Ping", "1\r\nX: y", {}, id="CR LF in the id"),
        pytest.param("Ping", "", {}, id="no id"),
        pytest.param("Ping\r\nX: y", "1", {}, id="CR LF in the action"),
        pytest.param("", "1", {}, id="no action"),
        pytest.param("Ping", "1", {"To\r\nX": "y"}, id="CR LF in a header name"),
        pytest.param("Ping", "1", {"To:": "y"}, id="a colon in a header name"),
        pytest.param("Ping", "1", {"": "y"}, id="an empty header name"),
        pytest.param("Ping", "1", {"Ö": "y"}, id="a header name that is no ASCII"),
        pytest.param("Ping", "1", {"action": "Originate"}, id="a second action"),
        pytest.param("Ping", "1", {"ActionID": "2"}, id="a second id"),
        pytest.param("Ping", "1", {"To": "x" * LONGEST_LINE}, id="a line Asterisk would cut"),
        pytest.param("Ping", "1", {"To": "é" * 500}, id="bytes count, not letters"),
        pytest.param("Ping", "1", {"To": "\ud800"}, id="half a surrogate pair"),
    ],
)
def test_what_cannot_be_an_action_is_refused(action, action_id, fields):
    with pytest.raises(ProtocolError):
        encode(action, action_id, fields)


def test_the_longest_line_that_goes():
    value = "x" * (LONGEST_LINE - len("To: \r\n"))
    assert value.encode() in encode("Ping", "1", {"To": value})


@fuzz
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_no_text_becomes_a_second_action_or_header(action_id, name, value):
    try:
        data = encode("Getvar", action_id, {"Channel": "x", name: value})
    except ProtocolError:
        return
    assert data.endswith(b"\r\n\r\n")
    assert [line.partition(b": ")[0] for line in data[:-4].split(b"\r\n")] == [
        b"Action",
        b"ActionID",
        *dict.fromkeys([b"Channel", name.encode()]),
    ]
    assert not set(data[:-4].replace(b"\r\n", b"")) & set(b"\r\n\0")
