"""The gates: what each refuses or puts off, which one speaks first, and that a broken one lets nothing through."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ringback.core import policy
from ringback.core.calls import Presentation
from ringback.core.numbers import Line, Number, NumberKind
from ringback.core.policy import (
    AT_OPEN,
    AT_SUBMIT,
    BORN_IN_FLIGHT,
    SPOOFED,
    UNREACHABLE_KINDS,
    CallFacts,
    Defer,
    Facts,
    GateAnswer,
    Refuse,
    answers,
    judge,
)
from ringback.core.reasons import Reason

PAT = Number("+15125550123", NumberKind.E164, "+15125550123", Line.TEXTABLE, "US")
CALL = CallFacts(Presentation.SHOWN, "", vetoed=False)
FINE = Facts(peer=PAT, automatic=True, call=CALL)
LATER = datetime(2026, 11, 20, 17, 1, tzinfo=UTC)
BY_HAND = {"automatic": False, "call": None}


def peer(**change):
    return {"peer": replace(PAT, **change)}


def call(**change):
    return {"call": replace(CALL, **change)}


def kind(kind):
    return peer(kind=kind, e164=None, line=Line.UNKNOWN)


REFUSED = [
    pytest.param({"permitted": False}, Reason.PERMISSION_DENIED, id="whoever asks may not"),
    pytest.param({"permitted": None}, Reason.GATE_ERROR, id="nobody could find out whether they may"),
    pytest.param({"over": True}, Reason.QUOTA_EXCEEDED, id="more than may be sent in the month"),
    pytest.param({"over": None}, Reason.GATE_ERROR, id="nobody could find out what is used of the month"),
    pytest.param({"paused": True}, Reason.PAUSED, id="paused"),
    pytest.param({"carrier_known": False}, Reason.NUMBER_UNKNOWN, id="no carrier for our number"),
    pytest.param({"own_number": True}, Reason.OWN_NUMBER, id="one of our own"),
    pytest.param(peer(kind=NumberKind.SHORT, line=Line.EMERGENCY), Reason.EMERGENCY, id="emergency, before short"),
    pytest.param(kind(NumberKind.WITHHELD), Reason.WITHHELD, id="no number at all"),
    pytest.param(kind(NumberKind.INVALID), Reason.INVALID_NUMBER, id="cannot exist"),
    pytest.param(kind(NumberKind.INTERNAL), Reason.INTERNAL, id="a phone of the house"),
    pytest.param(kind(NumberKind.SHORT), Reason.SHORT_CODE, id="a short code"),
    pytest.param(kind(NumberKind.ALPHA), Reason.NOT_TEXTABLE, id="a word instead of a number"),
    pytest.param(peer(line=Line.PREMIUM), Reason.PREMIUM, id="premium rate"),
    pytest.param(peer(line=Line.LANDLINE), Reason.LANDLINE, id="a landline"),
    pytest.param(peer(line=Line.UNKNOWN), Reason.NOT_TEXTABLE, id="a line of no known kind"),
    pytest.param(call(vetoed=True), Reason.VETOED, id="the dialplan said no"),
    pytest.param(call(presentation=Presentation.WITHHELD), Reason.WITHHELD, id="the number is hidden"),
    pytest.param(call(presentation=Presentation.UNKNOWN), Reason.PRESENTATION_UNKNOWN, id="nobody told if it is"),
    pytest.param({"caller_initiated": False}, Reason.CALLER_INITIATED_OFF, id="off for the country"),
    pytest.param({"never_text": True}, Reason.NEVER_TEXT, id="on the list of those never texted"),
    pytest.param({"staged_out": True}, Reason.STAGING, id="staging is on, and they are not on its list"),
    pytest.param(BY_HAND | {"never_text": True}, Reason.NEVER_TEXT, id="never, also when a person writes"),
    pytest.param(BY_HAND | {"staged_out": True}, Reason.STAGING, id="staging, also when a person writes"),
    pytest.param(BY_HAND | {"never_text": True, "program": True}, Reason.NEVER_TEXT, id="never, also for a program"),
    pytest.param(BY_HAND | {"staged_out": True, "program": True}, Reason.STAGING, id="staging, also for a program"),
    pytest.param({"opted_out": True}, Reason.OPTED_OUT, id="said STOP"),
    pytest.param({"unconsented": True}, Reason.CONSENT_MISSING, id="it stands on a yes, and nobody gave one"),
    pytest.param(BY_HAND | {"unconsented": True}, Reason.CONSENT_MISSING, id="a yes, also when a person writes"),
    pytest.param({"unreached": Reason.LANDLINE}, Reason.LANDLINE, id="a carrier said landline"),
    pytest.param({"unreached": Reason.NOT_TEXTABLE}, Reason.NOT_TEXTABLE, id="a carrier said that no text arrives"),
    pytest.param(
        peer(line=Line.PREMIUM) | {"unreached": Reason.LANDLINE}, Reason.PREMIUM, id="the plan, before what was learned"
    ),
    pytest.param({"too_long": True}, Reason.TOO_LONG, id="longer than we send"),
    pytest.param({"automatic_to_pair": 3}, Reason.LOOP, id="three in this hour"),
    pytest.param({"automatic_this_minute": 60}, Reason.STORM, id="sixty in this minute"),
]


@pytest.mark.parametrize(("change", "reason"), REFUSED)
def test_what_is_refused_when_a_text_is_submitted(change, reason):
    assert judge(replace(FINE, **change), AT_SUBMIT) == Refuse(reason)


@pytest.mark.parametrize("verstat", sorted(SPOOFED))
def test_a_number_the_network_calls_a_fake_is_refused(verstat):
    assert judge(replace(FINE, **call(verstat=verstat)), AT_SUBMIT) == Refuse(Reason.SPOOFED)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, id="all fine"),
        pytest.param(call(verstat="TN-Validation-Passed-A"), id="the network vouches for the number"),
        pytest.param(call(verstat="No-TN-Validation"), id="the network did not look"),
        pytest.param({"automatic_to_pair": 2}, id="two in this hour"),
        pytest.param({"automatic_this_minute": 59}, id="fifty-nine in this minute"),
        pytest.param({"automatic_to_pair": 3, "automatic_per_hour": 4}, id="the owner allows four an hour"),
        pytest.param({"automatic_this_minute": 60, "texts_per_minute": 61}, id="the owner allows more a minute"),
        pytest.param(BY_HAND | {"paused": True}, id="a pause holds only what is automatic"),
        pytest.param(
            BY_HAND | {"automatic_to_pair": 9, "automatic_this_minute": 99}, id="guards are for automatic texts"
        ),
        pytest.param(BY_HAND | {"caller_initiated": False}, id="no call asked for it"),
        pytest.param(BY_HAND | {"unreached": Reason.LANDLINE}, id="a person may try where a carrier said landline"),
        pytest.param(
            {"unreached": Reason.LANDLINE, "command": True, "call": None},
            id="the answer to a text that came from there",
        ),
        pytest.param({"opted_out": True, "command": True, "call": None}, id="the answer to STOP itself"),
        pytest.param(
            {"never_text": True, "command": True, "call": None}, id="the answer to a STOP of one never texted"
        ),
        pytest.param(
            {"staged_out": True, "command": True, "call": None}, id="the answer to a STOP while staging is on"
        ),
    ],
)
def test_what_may_go(change):
    assert judge(replace(FINE, **change), AT_SUBMIT) is None


@pytest.mark.parametrize(
    ("gates", "verdict"),
    [
        pytest.param(AT_SUBMIT, None, id="a text may be queued whatever the rate"),
        pytest.param(AT_OPEN, Defer(Reason.RATE_NUMBER, LATER), id="an attempt waits its turn"),
        pytest.param(BORN_IN_FLIGHT, Defer(Reason.RATE_NUMBER, LATER), id="a text that leaves at once waits its turn"),
    ],
)
def test_the_rate_puts_off(gates, verdict):
    assert judge(replace(FINE, next_free_at=LATER), gates) == verdict


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"automatic_to_pair": 3}, id="loop"),
        pytest.param({"automatic_this_minute": 60}, id="storm"),
    ],
)
def test_a_text_that_counted_once_is_not_counted_against_itself_when_it_leaves(change):
    assert judge(replace(FINE, **change), AT_OPEN) is None


ORDER = [
    Reason.PERMISSION_DENIED,
    Reason.PAUSED,
    Reason.NUMBER_UNKNOWN,
    Reason.OWN_NUMBER,
    Reason.LANDLINE,
    Reason.VETOED,
    Reason.CALLER_INITIATED_OFF,
    Reason.NEVER_TEXT,
    Reason.STAGING,
    Reason.OPTED_OUT,
    Reason.CONSENT_MISSING,
    Reason.TOO_LONG,
    Reason.LOOP,
    Reason.STORM,
    Reason.QUOTA_EXCEEDED,
]
ALL_AT_ONCE = {
    Reason.PERMISSION_DENIED: {"permitted": False},
    Reason.PAUSED: {"paused": True},
    Reason.NUMBER_UNKNOWN: {"carrier_known": False},
    Reason.OWN_NUMBER: {"own_number": True},
    Reason.LANDLINE: peer(line=Line.LANDLINE),
    Reason.VETOED: call(vetoed=True),
    Reason.CALLER_INITIATED_OFF: {"caller_initiated": False},
    Reason.NEVER_TEXT: {"never_text": True},
    Reason.STAGING: {"staged_out": True},
    Reason.OPTED_OUT: {"opted_out": True},
    Reason.CONSENT_MISSING: {"unconsented": True},
    Reason.TOO_LONG: {"too_long": True},
    Reason.QUOTA_EXCEEDED: {"over": True},
    Reason.LOOP: {"automatic_to_pair": 3},
    Reason.STORM: {"automatic_this_minute": 60},
}


@pytest.mark.parametrize("first", range(len(ORDER)), ids=ORDER)
def test_the_first_refusal_wins_and_every_refusal_comes_before_a_wait(first):
    facts = replace(FINE, next_free_at=LATER)
    for reason in ORDER[first:]:
        facts = replace(facts, **ALL_AT_ONCE[reason])
    assert judge(facts, BORN_IN_FLIGHT) == Refuse(ORDER[first])


@pytest.mark.parametrize("gates", [AT_SUBMIT, AT_OPEN, BORN_IN_FLIGHT], ids=["submit", "open", "born in flight"])
def test_gates_that_put_off_are_asked_last(gates):
    defers = [gate in (policy.schedule, policy.rate) for gate in gates]
    assert defers == sorted(defers)


def test_what_holds_when_a_text_is_submitted_holds_when_it_leaves():
    assert set(AT_OPEN) >= set(AT_SUBMIT) - {policy.loop, policy.storm, policy.schedule}
    assert set(BORN_IN_FLIGHT) == set(AT_SUBMIT) | set(AT_OPEN)


def test_a_gate_that_fails_lets_nothing_through():
    def broken(_facts):
        raise ZeroDivisionError

    assert judge(FINE, (broken, policy.rate)) == Refuse(Reason.GATE_ERROR)


def test_every_kind_that_is_no_number_is_refused():
    assert set(UNREACHABLE_KINDS) == set(NumberKind) - {NumberKind.E164}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"paused": True}, Reason.PAUSED, id="paused"),
        pytest.param(peer(line=Line.LANDLINE), Reason.LANDLINE, id="a landline"),
        pytest.param({"automatic_to_pair": 3}, Reason.LOOP, id="three in this hour"),
        pytest.param({"automatic_this_minute": 60}, Reason.STORM, id="sixty in this minute"),
    ],
)
@pytest.mark.parametrize("gates", [AT_SUBMIT, BORN_IN_FLIGHT], ids=["submit", "born in flight"])
def test_the_answer_to_a_command_passes_no_gate_but_the_opt_out(change, reason, gates):
    facts = replace(FINE, call=None, command=True, opted_out=True)
    assert judge(replace(facts, **change), gates) == Refuse(reason)


def test_every_gate_says_what_it_says_until_one_decides():
    said = answers(replace(FINE, opted_out=True, automatic_to_pair=3), BORN_IN_FLIGHT)
    assert [answer.gate for answer in said] == [gate.__name__ for gate in BORN_IN_FLIGHT]
    up_to = ["permission", "pause", "reachable", "caller", "never_text", "staging", "opt_out"]
    assert [answer.gate for answer in said if answer.asked] == up_to
    assert [answer.verdict for answer in said if answer.verdict] == [Refuse(Reason.OPTED_OUT)]


def test_a_gate_that_fails_says_so_and_ends_the_row():
    def broken(_facts):
        raise ZeroDivisionError

    assert answers(FINE, (policy.pause, broken, policy.rate)) == (
        GateAnswer("pause", None, True),
        GateAnswer("broken", Refuse(Reason.GATE_ERROR), True),
        GateAnswer("rate", None, False),
    )


@pytest.mark.parametrize("change", [case.values[0] for case in REFUSED], ids=[case.id for case in REFUSED])
@pytest.mark.parametrize("gates", [AT_SUBMIT, AT_OPEN, BORN_IN_FLIGHT], ids=["submit", "open", "born in flight"])
def test_the_answers_of_the_gates_come_to_the_judgement(change, gates):
    facts = replace(FINE, next_free_at=LATER, **change)
    said = answers(facts, gates)
    assert [answer.verdict for answer in said if answer.verdict] == [judge(facts, gates)]
    asked = [answer.asked for answer in said]
    assert asked == sorted(asked, reverse=True), "once one decided, the rest is not asked"
