"""The demo notices what did not happen, and tells side-by-side stories one after the other."""

import io
from dataclasses import replace

import pytest

from lab.demo.record import Expected, compare
from lab.demo.teller import Teller, wrapped

TEXTED = Expected("missed", "send", "allowed", "missed", text="Sorry.*")
HELD = Expected("missed", "suppress", "paused", "missed")
BODY = "Sorry we missed you"


def text(*states: str) -> dict:
    return {"body": BODY, "steps": [{"state": state} for state in states]}


def call(expected: Expected, *texts: dict) -> dict:
    return {
        "outcome": expected.outcome,
        "decision": expected.decision,
        "reason": expected.reason,
        "rule": expected.rule,
        "texts": list(texts),
    }


ARRIVED = text("queued", "submitting", "accepted", "sent", "delivered")


@pytest.mark.parametrize(
    ("recorded", "expected", "handset", "missing"),
    [
        pytest.param(call(TEXTED, ARRIVED), TEXTED, [BODY], [], id="all is as it should be"),
        pytest.param(call(HELD), HELD, [], [], id="no text where none should be"),
        pytest.param(
            call(replace(TEXTED, outcome="busy"), ARRIVED), TEXTED, [BODY], ["the outcome"], id="another outcome"
        ),
        pytest.param(call(replace(HELD, reason="storm")), HELD, [], ["the decision"], id="held for another reason"),
        pytest.param(call(replace(HELD, rule="busy")), HELD, [], ["the decision"], id="held by another rule"),
        pytest.param(call(TEXTED, ARRIVED), TEXTED, [], ["the text"], id="it never came to the handset"),
        pytest.param(call(TEXTED, ARRIVED), TEXTED, [BODY, BODY], ["the text"], id="it came twice"),
        pytest.param(call(TEXTED, ARRIVED), TEXTED, ["Sorry, what?"], ["the text"], id="other words came"),
        pytest.param(
            call(TEXTED, ARRIVED), replace(TEXTED, text="Hi"), [BODY], ["the text"], id="not the rule's words"
        ),
        pytest.param(
            call(TEXTED, text("submitting", "accepted", "sent")), TEXTED, [BODY], ["the receipt"], id="no final receipt"
        ),
        pytest.param(call(HELD), HELD, [BODY], ["no text"], id="a text nobody decided on"),
        pytest.param(call(HELD, ARRIVED), HELD, [], ["no text"], id="a text that should not be"),
    ],
)
def test_a_step_that_was_not_seen_is_named(recorded, expected, handset, missing):
    assert [step.name for step in compare(recorded, expected, handset) if step.wrong] == missing


def test_stories_are_told_in_order_however_they_happen():
    out = io.StringIO()
    teller = Teller(out, ["one", "two", "three"])
    teller.begin()
    teller.tell(2, "  c1")
    teller.tell(0, "  a1")
    assert out.getvalue() == "1. one\n  a1\n"
    teller.end(2)
    teller.tell(1, "  b1")
    teller.tell(0, "  a2")
    teller.end(0)
    assert out.getvalue() == "1. one\n  a1\n  a2\n\n2. two\n  b1\n"
    teller.end(1)
    teller.say("done")
    assert out.getvalue().endswith("\n2. two\n  b1\n\n3. three\n  c1\n\ndone\n")


@pytest.mark.parametrize(
    ("line", "lead"),
    [
        pytest.param("   0.5 s  " + "word " * 30, "          word", id="under the words, not under the time"),
        pytest.param("          | " + "word " * 30, "          | word", id="a text keeps its bar"),
        pytest.param("word " * 30, "word", id="at the margin"),
    ],
)
def test_a_long_line_is_broken_under_its_beginning(line, lead):
    first, second, *_ = wrapped(line)
    assert max(len(first), len(second)) <= 80
    assert second.startswith(lead)
