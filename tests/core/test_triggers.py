"""Which rule speaks for a call, and what becomes of its wish."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ringback.core.calls import Call, Direction, Outcome, Presentation
from ringback.core.numbers import Line, Number, NumberKind
from ringback.core.policy import CallFacts, Facts
from ringback.core.reasons import Reason
from ringback.core.schedules import Calendar, parse_spans
from ringback.core.templates import TextKind, parse
from ringback.core.triggers import (
    CallDecision,
    CallVerdict,
    Chosen,
    Hours,
    Known,
    Rule,
    Tried,
    choose,
    decide,
    in_language,
)

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)  # a Friday, noon in New York
OFFICE = Calendar("main", ZoneInfo("America/New_York"), parse_spans({"mon-fri": ["09:00-17:00"]}))
OURS = Number("+12025550101", NumberKind.E164, "+12025550101", Line.TEXTABLE, "US")
PAT = Number("+15125550123", NumberKind.E164, "+15125550123", Line.TEXTABLE, "US")
RULE = Rule("missed", frozenset({Outcome.MISSED, Outcome.BUSY}), {"en": parse("Sorry", TextKind.CALL_TEXT)}, "v1")
CALL = Call(
    pbx="main",
    uniqueid="1.1",
    linkedid="1.1",
    direction=Direction.INBOUND,
    caller="+15125550123",
    did="+12025550101",
    started_at=NOON - timedelta(seconds=20),
    ended_at=NOON,
    outcome=Outcome.MISSED,
    queue="support",
    extensions=("101", "102"),
    rang=timedelta(seconds=20),
)


def rule(name="missed", **change):
    return replace(RULE, name=name, **change)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({}, Reason.ALLOWED, id="the outcome fits and nothing else is asked"),
        pytest.param({"when": frozenset({Outcome.BUSY})}, Reason.NO_RULE, id="another outcome"),
        pytest.param({"did": frozenset({"+12025550101"})}, Reason.ALLOWED, id="this number"),
        pytest.param({"did": frozenset({"+12025550102"})}, Reason.NO_RULE, id="another number"),
        pytest.param({"queue": frozenset({"support", "sales"})}, Reason.ALLOWED, id="one of these queues"),
        pytest.param({"queue": frozenset({"sales"})}, Reason.NO_RULE, id="another queue"),
        pytest.param({"extension": frozenset({"102", "103"})}, Reason.ALLOWED, id="one of the phones that rang"),
        pytest.param({"extension": frozenset({"103"})}, Reason.NO_RULE, id="a phone that did not ring"),
        pytest.param({"min_ring": timedelta(seconds=20)}, Reason.ALLOWED, id="rang just long enough"),
        pytest.param({"min_ring": timedelta(seconds=21)}, Reason.TOO_SHORT, id="rang too short"),
        pytest.param({"hours": Hours.OPEN, "calendar": OFFICE}, Reason.ALLOWED, id="inside the hours"),
        pytest.param({"hours": Hours.CLOSED, "calendar": OFFICE}, Reason.OUTSIDE_HOURS, id="only for the evening"),
        pytest.param({"hours": Hours.ANY, "calendar": OFFICE}, Reason.ALLOWED, id="a calendar for the windows only"),
        pytest.param({"hours": Hours.OPEN}, Reason.ALLOWED, id="hours without a calendar ask nothing"),
        pytest.param(
            {"hours": Hours.CLOSED, "calendar": OFFICE, "min_ring": timedelta(seconds=21)},
            Reason.OUTSIDE_HOURS,
            id="the hours are asked before the ringing",
        ),
    ],
)
def test_whether_a_rule_fits_a_call(change, reason):
    asked = rule(**change)
    fits = reason is Reason.ALLOWED
    assert choose(CALL, OURS, [asked]) == Chosen(asked if fits else None, reason, (Tried("missed", reason),))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"outcome": Outcome.ANSWERED}, Reason.ANSWERED, id="answered"),
        pytest.param({"outcome": Outcome.ANSWERED_ELSEWHERE}, Reason.ANSWERED, id="answered upstream"),
        pytest.param({"direction": Direction.OUTBOUND}, Reason.NO_RULE, id="our own call"),
        pytest.param(
            {"direction": Direction.OUTBOUND, "outcome": Outcome.ANSWERED}, Reason.NO_RULE, id="our own, answered"
        ),
    ],
)
def test_calls_no_rule_is_asked_about(change, reason):
    assert choose(replace(CALL, **change), OURS, [RULE]) == Chosen(None, reason)


def test_the_first_rule_that_fits_speaks_and_what_was_tried_before_is_kept():
    rules = [rule("busy", when=frozenset({Outcome.BUSY})), rule("second"), rule("third")]
    assert choose(CALL, OURS, rules) == Chosen(
        rules[1], Reason.ALLOWED, (Tried("busy", Reason.NO_RULE), Tried("second", Reason.ALLOWED))
    )


NOT_ITS_OUTCOME = rule("busy", when=frozenset({Outcome.BUSY}))
CLOSED_ONLY = rule("evening", hours=Hours.CLOSED, calendar=OFFICE)
LONG_ONLY = rule("long", min_ring=timedelta(minutes=1))


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        pytest.param([], Reason.NO_RULE, id="there are no rules"),
        pytest.param([NOT_ITS_OUTCOME], Reason.NO_RULE, id="none is about such calls"),
        pytest.param([NOT_ITS_OUTCOME, CLOSED_ONLY], Reason.OUTSIDE_HOURS, id="one is, at another time"),
        pytest.param([CLOSED_ONLY, LONG_ONLY], Reason.TOO_SHORT, id="one is, for longer ringing"),
    ],
)
def test_the_reason_that_came_closest_is_told(rules, reason):
    chosen = choose(CALL, OURS, rules)
    assert (chosen.rule, chosen.reason, len(chosen.tried)) == (None, reason, len(rules))


def test_the_hours_are_those_when_the_call_ended():
    long_call = replace(CALL, started_at=NOON - timedelta(hours=4))
    assert choose(long_call, OURS, [rule(hours=Hours.OPEN, calendar=OFFICE)]).reason is Reason.ALLOWED


GATES = Facts(PAT, automatic=True, call=CallFacts(Presentation.SHOWN, "", vetoed=False))
KNOWN = Known(NOON, GATES)
SOON = NOON + timedelta(seconds=20)
TOMORROW = NOON + timedelta(hours=24)
SEND = (CallVerdict.SEND, Reason.ALLOWED, SOON, None)


def suppress(reason, until=None):
    return CallVerdict.SUPPRESS, reason, None, until


def gates(**change):
    return {"gates": replace(GATES, **change)}


@pytest.mark.parametrize(
    ("change", "decision"),
    [
        pytest.param({}, SEND, id="nothing known against it"),
        pytest.param({"cooling_until": TOMORROW}, suppress(Reason.COOL_DOWN, TOMORROW), id="texted a while ago"),
        pytest.param({"cooling_until": NOON}, SEND, id="the cool-down is just over"),
        pytest.param({"pending": True}, suppress(Reason.ALREADY_PENDING), id="a text waits already"),
        pytest.param(gates(paused=True), suppress(Reason.PAUSED), id="paused"),
        pytest.param(gates(opted_out=True), suppress(Reason.OPTED_OUT), id="said STOP"),
        pytest.param(gates(automatic_to_pair=3), suppress(Reason.LOOP), id="three in this hour"),
        pytest.param(gates(next_free_at=SOON), SEND, id="the rate is asked when it leaves"),
        pytest.param({"now": NOON + timedelta(minutes=15)}, SEND, id="just young enough"),
        pytest.param({"now": NOON + timedelta(minutes=15, seconds=1)}, suppress(Reason.TOO_OLD), id="too long ago"),
        pytest.param(
            gates(opted_out=True) | {"now": TOMORROW, "pending": True, "cooling_until": TOMORROW},
            suppress(Reason.OPTED_OUT),
            id="a gate outranks age, cool-down and waiting texts",
        ),
        pytest.param(
            {"now": NOON + timedelta(hours=1), "pending": True, "cooling_until": TOMORROW},
            suppress(Reason.TOO_OLD),
            id="age outranks the cool-down",
        ),
        pytest.param(
            {"pending": True, "cooling_until": TOMORROW},
            suppress(Reason.COOL_DOWN, TOMORROW),
            id="the cool-down outranks a waiting text",
        ),
    ],
)
def test_what_becomes_of_a_wish(change, decision):
    chosen = choose(CALL, OURS, [RULE])
    verdict, reason, at, until = decision
    assert decide(CALL, chosen, replace(KNOWN, **change)) == CallDecision(
        verdict, reason, RULE, at, until, chosen.tried
    )


def test_without_a_rule_there_is_no_text():
    chosen = choose(CALL, OURS, [])
    assert decide(CALL, chosen, KNOWN) == CallDecision(CallVerdict.NONE, Reason.NO_RULE)


def test_a_gate_that_puts_off_defers_the_call(monkeypatch):
    from ringback.core import policy, triggers

    monkeypatch.setattr(triggers, "AT_SUBMIT", policy.BORN_IN_FLIGHT)
    decided = decide(CALL, choose(CALL, OURS, [RULE]), replace(KNOWN, **gates(next_free_at=TOMORROW)))
    assert (decided.verdict, decided.reason) == (CallVerdict.DEFER, Reason.RATE_NUMBER)
    assert decided.at == decided.until == TOMORROW


def test_a_call_without_an_end_counts_from_its_start():
    assert decide(replace(CALL, ended_at=None), choose(CALL, OURS, [RULE]), KNOWN).at == CALL.started_at + RULE.delay


EN, ES, PT_BR = (parse(word, TextKind.CALL_TEXT) for word in ("Sorry", "Perdón", "Desculpe"))
TEXTS = {"en": EN, "es": ES, "pt-BR": PT_BR}


@pytest.mark.parametrize(
    ("wanted", "picked"),
    [
        pytest.param(["es"], ("es", ES), id="there is one"),
        pytest.param(["es-MX"], ("es", ES), id="the region is dropped"),
        pytest.param(["es_MX"], ("es", ES), id="written as Asterisk does"),
        pytest.param(["pt-BR"], ("pt-BR", PT_BR), id="the region is kept where it stands"),
        pytest.param(["pt_BR"], ("pt-BR", PT_BR), id="and there too as Asterisk writes it"),
        pytest.param(["pt"], ("en", EN), id="a region is not invented"),
        pytest.param(["fr", "es"], ("es", ES), id="the next best"),
        pytest.param(["fr"], ("en", EN), id="none: the first written"),
        pytest.param([], ("en", EN), id="nothing is wanted: the first written"),
    ],
)
def test_in_which_language_a_text_is_written(wanted, picked):
    assert in_language(TEXTS, wanted) == picked
