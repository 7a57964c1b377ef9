"""`ringback explain`: finds a call, a text or a person however they are named, and tells the story safely."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ringback.carriers.loopback import Behaviour
from ringback.cli.telling import at, sentence
from ringback.core.calls import CallEnded, FeedBack, FeedLost, Leg, Presentation, Rang, Sighting
from ringback.core.permissions import Role
from ringback.core.reasons import SENTENCES, Reason
from ringback.flow.desk import Resolution
from ringback.flow.holds import hold
from ringback.flow.put_back import RESTORE, keep_back, put_back
from ringback.panel.hold_words import GOES_WHEN
from ringback.ports import MediaLink, Piece
from tests.conftest import NOON
from tests.flow.office import ANNA, begin, column, desk_of
from tests.flow.world import HOUSE, OTHER_DID, PAT, SAM, a_call, answered, life_of, ruled

PAGE = Path(__file__).parents[2] / "docs" / "explain.md"
SECOND = timedelta(seconds=1)
CAME_IN = "  2026-11-20 12:00:00  came in over main, without an id of the carrier's"

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
        f"nothing is known of {what}; give a linkedid, a phone number, or an id of a call (call_...), "
        "text (msg_..., inb_..., att_...), thread (thr_...), session (ses_...) or task (task_...)\n"
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


async def account(world):
    """Anna with an account of her own."""
    made = await world.store.commit(
        lambda tx: tx.accounts.add("anna", "Anna Lee", frozenset({Role.AGENT}), "x", "", NOON)
    )
    return replace(ANNA, id=made.public_id, account=made.id)


def masked(text: str) -> str:
    """The same text whatever ids were drawn."""
    return re.sub(r"lb-[0-9a-f]{8}-\d+", "lb-ID", re.sub(r"([a-z]{3,4})_[0-9a-z]{26}", r"\1_ID", text))


async def a_conversation(world):
    """A text, its answer, and a STOP that takes back what waited."""
    anna = await account(world)
    await world.says("Can I come at 3?", provider_id="in-1", carrier_at=NOON - 2 * SECOND)
    await world.passes(30 * SECOND)
    await desk_of(world).reply(anna, await begin(world), "Yes, 3 is fine.", "k1")
    await world.happens(*life_of(a_call("1795303600.2", ended=world.clock.now() + SECOND)))
    await world.passes(5 * SECOND)
    await world.says("STOP", provider_id="in-2")
    await world.passes(30 * SECOND)
    await desk_of(world).reply(anna, await begin(world), "See you soon.", "k2")


def test_the_page_tells_a_conversation_as_it_is_told(place, ringback):
    place.live(a_conversation, ruled(delay=timedelta(seconds=20)))
    told = ringback("explain", PAT).out
    (shown,) = (
        block for block in re.findall(r"```\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL) if "STOP\n" in block
    )
    assert masked(told).splitlines() == masked(shown).splitlines()


def test_a_thread_is_told_in_the_order_of_time(place, ringback):
    place.live(a_conversation, ruled(delay=timedelta(seconds=20)))
    story = stories(ringback, PAT)
    (thread,) = story["threads"]
    assert ringback("explain", thread["public_id"]).out == ringback("explain", PAT).out
    begins = re.findall(
        r"^(?:  )?(Thread|Session|Call|Text|Incoming text) ", ringback("explain", PAT).out, re.MULTILINE
    )
    assert begins == ["Thread", "Incoming text", "Session", "Call", "Text", "Incoming text", "Text", "Text"]
    assert [key for key in story if story[key]] == ["calls", "texts", "incoming", "threads", "sessions"]
    assert story["incoming"][1]["ledger"]["called_off"] == [story["calls"][0]["public_id"]]
    assert story["texts"][0]["author"]["login"] == "anna"


@pytest.mark.parametrize(
    ("house", "texts", "line"),
    [
        pytest.param(HOUSE, ["hi"], "    read as an ordinary text", id="an ordinary text"),
        pytest.param(HOUSE, ["stop"], "    read as STOP", id="STOP in small letters"),
        pytest.param(HOUSE, ["STOP"], "  2026-11-20 12:00:00  opted out, by a text of theirs", id="the ledger"),
        pytest.param(
            HOUSE,
            ["STOP", "STOP"],
            "    not answered: they were opted out before, and that is confirmed once",
            id="said before",
        ),
        pytest.param(
            replace(HOUSE, carriers_that_answer=frozenset({"main"})),
            ["HELP"],
            "    not answered by us: carrier main does that itself",
            id="the carrier answers",
        ),
        pytest.param(
            HOUSE,
            ["HELP"] * 4,
            "  2026-11-20 12:00:00  refused: This pair already had its automatic texts for the hour.",
            id="a loop",
        ),
        pytest.param(
            HOUSE,
            ["take me off your list"],
            "    reads like STOP and does not say it, so a person decides",
            id="a suggestion",
        ),
    ],
)
def test_an_incoming_text_says_what_it_was_read_as_and_what_it_did(place, ringback, house, texts, line):
    async def story(world):
        for text in texts:
            await world.says(text)

    place.live(story, house)
    last = stories(ringback, PAT)["incoming"][-1]["public_id"]
    assert line in ringback("explain", last).lines


def test_a_text_in_pieces_with_files_and_a_wrong_clock(place, ringback):
    async def story(world):
        early = datetime(1, 1, 1, tzinfo=UTC)
        photo = (MediaLink("http://127.0.0.1/1", "image/png"),)
        await world.says("one", piece=Piece("r", 1, 3), provider_id="", carrier_at=early, media=photo)
        await world.passes(timedelta(minutes=11))

    place.live(story)
    told = masked(ringback("explain", PAT).out)
    assert told.splitlines()[5:] == [
        "  Incoming text inb_ID from +15125550123 to +12025550101, in thr_ID",
        "    | one",
        "    with files: image/png",
        "  0001-01-01 00:00:00  written, says the clock of main",
        f"{CAME_IN}; in the journal it is done",
        "  2026-11-20 12:00:00  is its place in the thread, since that clock cannot be right",
        "    in 3 pieces: 1 came, missing 2, 3; shown as it is",
        "    does nothing before it is whole",
        "  2026-11-20 12:11:00  task task_ID: partial",
        "    | one",
        "    the task is open",
        "",
        "Session ses_ID of +12025550101 and +15125550123, in thr_ID",
        "  2026-11-20 12:11:00  They wrote.",
        "  2026-11-20 12:11:00  They wrote, and nobody had it: it went to main. (queued)",
        "    It waits in main.",
        "    Runs out at 2026-11-21 12:11:00 if nobody takes it.",
    ]


def test_a_repeat_and_a_text_that_left_the_journal(place, ringback):
    async def story(world):
        for _ in range(2):
            await world.says("hi", provider_id="")
        await world.store.commit(lambda tx: tx.inbound.forget_raw(NOON + SECOND, 100))
        await desk_of(world).mark_read(ANNA, await begin(world))

    place.live(story)
    told = ringback("explain", PAT).lines
    assert [line for line in told if "looks the same as inb_" in line]
    assert told.count("  2026-11-20 12:00:00  came in over main; no longer in the journal") == 2
    assert told.count("  2026-11-20 12:00:00  somebody looked at it") == 2


def test_a_persons_word_its_undo_and_the_task(place, ringback):
    async def story(world):
        anna = await account(world)
        world.carrier.behave(PAT, Behaviour.SILENT)
        message = (await desk_of(world).reply(anna, await begin(world), "We open at 9.", "k")).message
        await world.passes(11 * SECOND)
        await desk_of(world).resolve(anna, message, Resolution.SENT)
        await world.passes(SECOND)
        await desk_of(world).undo(anna, message)
        await world.passes(SECOND)
        await desk_of(world).resolve(anna, message, Resolution.NOT_SENT)

    place.live(story)
    told = re.sub(r"usr_\w+", "usr_ID", masked(ringback("explain", PAT).out))
    assert told.splitlines()[3:] == [
        "  Text msg_ID from +12025550101 to +15125550123, asked for by Anna Lee (anna), segments 1",
        "    | We open at 9.",
        "  2026-11-20 12:00:00  submitting (main)",
        "  2026-11-20 12:00:11  unconfirmed (the line took the text and did not answer)",
        "  2026-11-20 12:00:11  accepted (said by user usr_ID)",
        "  2026-11-20 12:00:11  Anna Lee (anna) said that it was sent",
        "  2026-11-20 12:00:12  unconfirmed (taken back by user usr_ID)",
        "  2026-11-20 12:00:12  Anna Lee (anna) took that word back",
        "  2026-11-20 12:00:13  failed (said by user usr_ID)",
        "  2026-11-20 12:00:13  Anna Lee (anna) said that it was not sent",
        "    attempt att_ID on main: not_sent (said by user usr_ID)",
        "  2026-11-20 12:00:11  task task_ID: unconfirmed",
        "    | the line took the text and did not answer",
        "  2026-11-20 12:00:13  the task was settled by Anna Lee (anna)",
    ]


def test_what_was_noted_by_hand_is_told_with_who_noted_it(place, ringback):
    async def story(world):
        anna, thread = await account(world), await begin(world)
        await desk_of(world).opt_out(anna, thread, "they phoned: no texts")
        await world.passes(SECOND)
        await desk_of(world).mark_answered(ANNA, thread)

    place.live(story)
    told = ringback("explain", PAT).lines
    assert told[1:] == [
        "  2026-11-20 12:00:00  begun",
        "  2026-11-20 12:00:00  opted out: they get no texts from +12025550101",
        "",
        "  2026-11-20 12:00:00  opted out, by word of mouth, noted by Anna Lee (anna)",
        "    evidence: they phoned: no texts",
        "",
        "  2026-11-20 12:00:01  user usr_anna said that no answer is needed",
    ]


def test_a_quarantined_hook_is_told_by_its_task(place, ringback):
    tasks = []

    async def story(world):
        await world.arrivals.quarantine("main", b"Body=\x1b[2J\nDecision: send\xff", "no \x1bFrom")
        tasks.extend(await column(world, "SELECT public_id FROM task"))

    place.live(story)
    assert ringback("explain", *tasks).lines == [
        f"  2026-11-20 12:00:00  task {tasks[0]}: quarantined",
        "    | main: no \\u001bFrom",
        "    the task is open",
        f"{CAME_IN}; in the journal it is quarantined: no \\u001bFrom",
        "    | Body=\\u001b[2J\\u000aDecision: send\ufffd",
    ]


def test_the_page_tells_a_quarantined_hook_as_it_is_told(place, ringback):
    tasks = []

    async def story(world):
        await world.arrivals.quarantine("main", b"To=%2B12025550101&Body=hello", "it names no sender")
        tasks.extend(await column(world, "SELECT public_id FROM task"))

    place.live(story)
    (shown,) = re.findall(r"\$ ringback explain task_\w+\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert masked(ringback("explain", *tasks).out) == masked(shown)


def test_a_text_that_may_have_been_sent_does_not_say_that_it_goes_by_itself(place, ringback):
    async def story(world):
        thread = await begin(world)
        await world.store.commit(partial(hold, "main", "It was put back.", RESTORE, NOON))
        world.lane.hold("It was put back.")
        await desk_of(world).reply(ANNA, thread, "We call you back.", "k1")
        await world.store.commit(partial(put_back, "a test", NOON + timedelta(hours=1)))
        await world.store.commit(partial(keep_back, "main", NOON + timedelta(hours=1)))

    place.live(story)
    told = ringback("explain", PAT).lines
    assert any(SENTENCES[Reason.PUT_BACK] in line for line in told)
    assert not [line for line in told if "waits until" in line or GOES_WHEN in line]


def test_a_text_whose_carrier_is_held_says_the_same_as_its_thread(place, ringback):
    async def story(world):
        thread = await begin(world)
        await world.store.commit(partial(hold, "main", "Their line is bad.", "ana", NOON))
        world.lane.hold("Their line is bad.")
        await desk_of(world).reply(ANNA, thread, "We call you back.", "k1")

    place.live(story)
    told = ringback("explain", PAT).lines
    assert "    Carrier main is held back since 2026-11-20 12:00:00 by ana: Their line is bad." in told
    assert f"    {GOES_WHEN}" in told
    assert told[told.index(f"    {GOES_WHEN}") + 1].startswith("    expires ")


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["for people", "as JSON"])
def test_nothing_in_a_text_moves_the_cursor_or_begins_a_line(place, ringback, form):
    async def story(world):
        photo = (MediaLink("http://127.0.0.1/1", HOSTILE),)
        await world.says(HOSTILE, sender="A\x1b[2J\nDecision: send", provider_id=HOSTILE, media=photo)
        await desk_of(world).opt_out(ANNA, (await column(world, "SELECT public_id FROM thread"))[0], HOSTILE)

    place.live(story)
    ran = ringback("explain", "A\x1b[2J\nDecision: send", *form)
    assert ran.code == 0
    assert all(line.isprintable() for line in ran.lines)
    assert not any(line.strip().startswith("Decision") for line in ran.lines)


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        pytest.param(datetime(1, 1, 1, tzinfo=UTC), "0001-01-01 00:00:00", id="the beginning of time"),
        pytest.param(NOON, "2026-11-20 12:00:00", id="noon"),
    ],
)
def test_a_moment_is_shown_in_the_zone_of_the_business(moment, shown):
    assert at(moment, ZoneInfo("America/New_York")) == shown
