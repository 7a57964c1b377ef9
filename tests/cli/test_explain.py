"""`ringback explain`: finds a call, a text or a person however they are named, and tells the story safely."""

import json
import re
from datetime import timedelta

import pytest

from ringback.cli.explain import sentence
from ringback.core.calls import CallEnded, FeedBack, FeedLost, Leg, Presentation, Rang, Sighting
from tests.conftest import NOON
from tests.flow.world import OTHER_DID, PAT, SAM, a_call, answered, life_of, ruled

SEEN = (Sighting(NOON, "queue_joined", "support position 1"), Sighting(NOON, "hangup", "cause 16"))
LEGS = (Leg("101", NOON - timedelta(seconds=19), NOON, Rang.NO_ANSWER),)
MISSED = a_call("1795303500.1", linkedid="1795303500.0", legs=LEGS, seen=SEEN, queue="support")


@pytest.fixture
def past(place):
    async def story(world):
        await world.happens(*life_of(MISSED))
        await world.happens(*life_of(a_call("1795303600.2", did=OTHER_DID)))
        await world.happens(*life_of(a_call("1795303700.3", "anonymous", presentation=Presentation.WITHHELD)))

    place.live(story)
    return place


def stories(ringback, what):
    return json.loads(ringback("explain", what, "--json").out)


@pytest.mark.parametrize(
    ("what", "calls"),
    [
        pytest.param("1795303500.0", ["1795303500.1"], id="a linkedid"),
        pytest.param("1795303500.1", ["1795303500.1"], id="a uniqueid"),
        pytest.param("+15125550123", ["1795303500.1", "1795303600.2"], id="a number in E.164"),
        pytest.param("5125550123", ["1795303500.1", "1795303600.2"], id="ten digits"),
        pytest.param("15125550123", ["1795303500.1", "1795303600.2"], id="digits without the plus"),
        pytest.param("(512) 555-0123", ["1795303500.1", "1795303600.2"], id="as on paper"),
        pytest.param("512.555.0123", ["1795303500.1", "1795303600.2"], id="with points"),
        pytest.param("011 1 512 555 0123", ["1795303500.1", "1795303600.2"], id="dialled from abroad"),
        pytest.param("tel:+1-512-555-0123", ["1795303500.1", "1795303600.2"], id="as a link"),
        pytest.param(" 1795303500.0 ", ["1795303500.1"], id="blanks that were copied along"),
    ],
)
def test_a_call_is_found_however_it_is_named(past, ringback, what, calls):
    assert [call["uniqueid"] for call in stories(ringback, what)["calls"]] == calls


def test_a_call_and_a_text_are_found_by_our_ids(past, ringback):
    (call,) = stories(ringback, "1795303500.0")["calls"]
    (text,) = call["texts"]
    assert stories(ringback, call["public_id"])["calls"] == [call]
    assert stories(ringback, text["public_id"])["calls"] == [call]


def test_the_story_of_a_call_that_got_its_text(past, ringback):
    told = ringback("explain", "1795303500.0").out
    plain = re.sub(r"(call|msg|att|lb)_[0-9a-z]{26}", r"\1_ID", told)
    assert plain.splitlines()[:12] == [
        "Call 1795303500.0 on main (call_ID)",
        "  2026-11-20 11:59:40  inbound: +15125550123 called +12025550101",
        "                       caller's number is shown",
        "  2026-11-20 11:59:41  101 rang 19.0 s: no answer",
        "  2026-11-20 12:00:00  queue joined support position 1",
        "  2026-11-20 12:00:00  hangup cause 16",
        "  2026-11-20 12:00:00  ended: missed, rang 20.0 s",
        "    rule missed: fits",
        "  Decision: send, allowed by rule missed (version v1)",
        "    Nothing held it back.",
        "  Text msg_ID from +12025550101 to +15125550123, asked for by rule missed, segments 1",
        "    | Sorry we missed you, Northlight.",
    ]
    states = re.findall(r"^  2026-11-20 12:00:00  (\w+)(?: \(.*\))?$", plain, re.MULTILINE)
    assert states == ["submitting", "accepted", "sent", "delivered"]
    assert "attempt att_ID on main: accepted" in plain


def test_a_person_is_told_call_by_call_with_every_reason(past, ringback):
    told = ringback("explain", PAT).out
    assert told.count("Decision: ") == 2
    assert "Decision: suppress, cool_down by rule missed" in told
    assert "    This caller already got a text a short while ago.\n    until 2026-11-21 12:00:00" in told


def test_a_caller_without_a_number_is_told_so(past, ringback):
    told = ringback("explain", "1795303700.3").out
    assert "inbound: anonymous called +12025550101\n                       caller's number is withheld" in told
    assert "Decision: suppress, withheld" in told


def test_every_moment_of_the_json_has_its_offset(past, ringback):
    (call,) = stories(ringback, "1795303500.0")["calls"]
    assert call["ended_at"] == "2026-11-20T17:00:00+00:00"
    assert call["rang"] == 20.0
    assert call["tried"] == [["missed", "allowed"]]
    assert [step["state"] for step in call["texts"][0]["steps"]][-1] == "delivered"


@pytest.mark.parametrize(
    "what",
    [
        "1795303500.9",
        "+15125550999",
        "call_" + "0" * 26,
        "msg_" + "0" * 26,
        "att_" + "0" * 26,
        "",
        "'; DROP TABLE call",
    ],
)
def test_what_is_not_known_is_an_error_that_says_what_to_give(past, ringback, what):
    ran = ringback("explain", what)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"nothing is known of {what}; give a linkedid, a message id (msg_...), a call id (call_...) or a phone number\n"
    )


HOSTILE = "A\r\nDecision: send, allowed\x1b[2J\x9b31m\u202e\u2028<b>\x00\x07"


@pytest.fixture
def hostile_past(place):
    legs = (Leg(HOSTILE, NOON, NOON, Rang.NO_ANSWER),)
    call = a_call("1.1", HOSTILE.replace("\x00", ""), did="99\x1b[1m\n", queue="q\x1b]0;", legs=legs)

    async def story(world):
        await world.happens(CallEnded(call))

    place.live(story)
    return place


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["for people", "as JSON"])
def test_nothing_a_caller_chose_moves_the_cursor_or_begins_a_line(hostile_past, ringback, form):
    ran = ringback("explain", "1.1", *form)
    assert ran.code == 0
    assert all(line.isprintable() for line in ran.out.splitlines())
    assert sum(line.strip().startswith("Decision") for line in ran.out.splitlines()) == (not form)


def test_what_is_asked_for_is_printed_safely_too(past, ringback):
    ran = ringback("explain", "x\x1b[2J")
    assert "x\\u001b[2J" in ran.err


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        pytest.param(lambda place: None, "the database is not there yet", id="no database"),
        pytest.param(lambda place: place.state.joinpath("ringback.db").touch(), "is not there yet", id="an empty file"),
        pytest.param(
            lambda place: place.state.joinpath("ringback.db").write_bytes(b"no database" * 200),
            "cannot be read: file is not a database",
            id="not a database",
        ),
    ],
)
def test_without_a_database_it_says_so(place, ringback, spoil, says):
    place.state.mkdir()
    spoil(place)
    ran = ringback("explain", "1.1")
    assert ran.code == 1
    assert says in ran.err
    assert ran.err.count("\n") == 1


def test_a_call_that_goes_on_a_text_that_waits_and_one_that_was_taken_back(place, ringback):
    house = ruled(delay=timedelta(seconds=20))

    async def story(world):
        await world.happens(*life_of(a_call("1.1")), *life_of(a_call("2.1", SAM)))
        again = a_call("3.1", SAM, ended=NOON + timedelta(seconds=9), started_at=NOON)
        await world.happens(*life_of(answered(again))[:2])

    place.live(story, house)
    waits = ringback("explain", "1.1").out
    assert "Decision: send, allowed by rule missed" in waits
    assert waits.splitlines()[-1] == "    the text was due 2026-11-20 12:00:20, pending"
    assert ringback("explain", "2.1").out.splitlines()[-1] == (
        "    the text was due 2026-11-20 12:00:20, cancelled: Somebody spoke with this caller before the text was due."
    )
    assert ringback("explain", "3.1").out.splitlines()[-1] == "  the call is still going on"


def test_a_call_that_ended_out_of_sight_says_so(place, ringback):
    async def story(world):
        await world.happens(life_of(a_call("1.1"))[0], FeedLost("main", NOON), FeedBack("main", NOON))

    place.live(story)
    told = ringback("explain", "1.1").out
    assert "ended: unseen" in told
    assert "Decision: none, unseen\n    The call ended while Asterisk was out of sight, so nobody knows how." in told


def test_the_reason_of_a_newer_ringback_stands_for_itself():
    assert sentence("moon_phase") == "moon_phase"
    assert sentence(None) == ""
