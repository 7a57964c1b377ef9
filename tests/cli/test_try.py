"""`ringback try`: a call that never was, weighed by the rules, the gates and what is known now."""

import json
from functools import partial

import pytest

from ringback.core.calls import Outcome
from ringback.flow.pauses import Pause, Scope, pause
from tests.conftest import NOON
from tests.flow.world import PAT, a_call, life_of

CALL = ("try", "--from", PAT, "--did", "+12025550101")
FRIDAY_NOON = ("--at", "2026-11-20 12:05:00")
FRIDAY_NIGHT = ("--at", "2026-11-20T21:00:00")
TEXT = "Sorry we missed you, Northlight. STOP to end"


@pytest.fixture
def tried(ringback):
    """What is decided about a call at Friday noon, as the JSON says."""

    def run(*arguments, at=FRIDAY_NOON):
        ran = ringback(*CALL, *at, *arguments, "--json")
        assert ran.code == 0, ran.err
        return json.loads(ran.out)

    return run


def decided(said):
    return said["decision"], said["reason"], said["rule"]


@pytest.mark.parametrize("outcome", Outcome)
def test_each_outcome(place, tried, outcome):
    answered = (Outcome.ANSWERED, Outcome.ANSWERED_ELSEWHERE)
    wanted = {Outcome.MISSED: ("send", "allowed", "missed"), Outcome.BUSY: ("send", "allowed", "missed")}
    expected = wanted.get(outcome, ("none", "answered" if outcome in answered else "no_rule", None))
    assert decided(tried("--outcome", outcome)) == expected


@pytest.mark.parametrize(
    ("arguments", "at", "decision"),
    [
        pytest.param([], FRIDAY_NOON, ("send", "allowed", "missed"), id="inside the hours"),
        pytest.param([], FRIDAY_NIGHT, ("send", "allowed", "evening"), id="outside, another rule speaks"),
        pytest.param(["--outcome", "busy"], FRIDAY_NIGHT, ("none", "outside_hours", None), id="outside, none does"),
        pytest.param(["--withheld"], FRIDAY_NOON, ("suppress", "withheld", "missed"), id="withheld"),
        pytest.param(["--rang", "4s"], FRIDAY_NOON, ("none", "too_short", None), id="rang too short"),
        pytest.param(["--from", "101"], FRIDAY_NOON, ("suppress", "internal", "missed"), id="a colleague"),
        pytest.param(["--from", "nobody\n"], FRIDAY_NOON, ("suppress", "not_textable", "missed"), id="no number"),
        pytest.param(["--from", "+1"], FRIDAY_NOON, ("suppress", "invalid_number", "missed"), id="a bad number"),
        pytest.param(["--did", "+12025550199"], FRIDAY_NOON, ("suppress", "number_unknown", "missed"), id="not ours"),
        pytest.param(["--did", "2025550102"], FRIDAY_NOON, ("send", "allowed", "missed"), id="ours, as dialled"),
    ],
)
def test_what_would_happen(place, tried, arguments, at, decision):
    assert decided(tried(*arguments, at=at)) == decision


def test_the_json_says_everything(place, tried):
    assert tried("--from", "(512) 555-0123") == {
        "caller": PAT,
        "did": "+12025550101",
        "outcome": "missed",
        "decision": "send",
        "reason": "allowed",
        "rule": "missed",
        "at": "2026-11-20T12:05:00-05:00",
        "until": None,
        "text": TEXT,
        "tried": [{"rule": "missed", "reason": "allowed"}],
    }


def test_the_words_for_people(place, ringback):
    assert ringback(*CALL, *FRIDAY_NIGHT).lines[-7:] == [
        "  rule missed: is not meant for this time of day",
        "  rule evening: fits",
        "Decision: send, allowed",
        "  Nothing held it back.",
        "  the text would go at 2026-11-20T21:00:20-05:00",
        "  | We are closed. STOP to end",
        "Nothing was sent or stored.",
    ]


def test_who_was_texted_a_while_ago_is_in_cool_down(place, tried):
    async def story(world):
        await world.happens(*life_of(a_call("1")))

    place.live(story)
    said = tried()
    assert decided(said) == ("suppress", "cool_down", "missed")
    assert (said["until"], said["text"]) == ("2026-11-21T17:00:00+00:00", None)
    assert decided(tried("--from", "+15125550124")) == ("send", "allowed", "missed")


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        pytest.param(Pause(Scope.ALL), "paused", id="everything"),
        pytest.param(Pause(Scope.NUMBER, "+12025550101"), "paused", id="this number"),
        pytest.param(Pause(Scope.RULE, "missed"), "paused", id="this rule"),
        pytest.param(Pause(Scope.NUMBER, "+12025550102"), "allowed", id="another number"),
        pytest.param(Pause(Scope.RULE, "evening"), "allowed", id="another rule"),
    ],
)
def test_a_pause_is_seen(place, tried, what, reason):
    async def story(world):
        await world.store.commit(partial(pause, what, "ann", NOON))

    place.live(story)
    assert tried()["reason"] == reason


def test_a_text_of_too_many_parts_is_seen(place, tried):
    place.change("Sorry we missed you", "Sorry, so sorry, " * 12)
    place.change("[calendar.main]", "[limits]\nmax_segments = 1\n\n[calendar.main]")
    assert decided(tried()) == ("suppress", "too_long", "missed")


def test_without_a_moment_it_is_now(place, ringback):
    place.change('hours = "open"', 'hours = "any"')
    said = json.loads(ringback(*CALL, "--json").out)
    assert decided(said) == ("send", "allowed", "missed")


def test_nothing_is_stored(place, ringback):
    ringback(*CALL)
    assert not place.state.exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--rang", "soon"], "--rang is 'soon', which is not a duration", id="a bad duration"),
        pytest.param(["--at", "yesterday"], "--at", id="a bad moment"),
        pytest.param(["--outcome", "lost"], "--outcome", id="an outcome that is none"),
    ],
)
def test_what_cannot_be_read_is_named_and_the_exit_code_is_two(place, ringback, arguments, says):
    ran = ringback(*CALL, *arguments)
    assert ran.code == 2
    assert says in ran.err
    assert ran.out == ""


def test_hours_count_by_the_zone_of_the_business(place, tried):
    """17:30 in New York is closed, while it is still afternoon further west."""
    assert decided(tried(at=("--at", "2026-11-20 16:59:59"))) == ("send", "allowed", "missed")
    assert decided(tried(at=("--at", "2026-11-20 17:00:00"))) == ("send", "allowed", "evening")
    place.change('zone = "America/New_York"', 'zone = "Pacific/Kiritimati"')
    assert tried(at=("--at", "2026-11-20 17:00:00"))["at"] == "2026-11-20T17:00:20+14:00"


def test_the_delay_of_the_rule_is_added(place, tried):
    place.change('delay = "0s"', 'delay = "90s"')
    assert tried()["at"] == "2026-11-20T12:06:30-05:00"
