"""Which words of a carrier say that no text reaches a number."""

import pytest

from ringback.carriers.http import Reply
from ringback.carriers.twilio import refusal
from ringback.carriers.twilio_words import LOSSES, REFUSALS, loss
from ringback.core.reasons import Reason
from ringback.core.textless import CODES, PASSING, textless


@pytest.mark.parametrize("code", sorted(CODES["Twilio"].keys() & LOSSES.keys()))
def test_twilios_receipts_are_understood(code):
    assert textless(loss("undelivered", str(code))) is CODES["Twilio"][code]


@pytest.mark.parametrize("code", sorted(CODES["Twilio"].keys() & REFUSALS.keys()))
def test_twilios_refusals_are_understood(code):
    failure = refusal(Reply(400, {}, f'{{"code": {code}}}'.encode()))
    assert textless(str(failure)) is CODES["Twilio"][code]


def test_what_may_pass_is_what_is_learned():
    assert all(passing < CODES[carrier].keys() for carrier, passing in PASSING.items())


def test_every_code_has_its_words():
    assert CODES["Twilio"].keys() <= LOSSES.keys() | REFUSALS.keys()


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(loss("undelivered", "30003"), id="switched off"),
        pytest.param(loss("undelivered", "30007"), id="filtered"),
        pytest.param(loss("undelivered", "30034"), id="our own registration"),
        pytest.param(loss("undelivered", ""), id="no code"),
        pytest.param("", id="no words"),
        pytest.param("this is a landline (Acme 30006)", id="the code of another carrier"),
        pytest.param("Twilio 30006 it says", id="not where a code stands"),
    ],
)
def test_what_says_nothing_of_the_number(words):
    assert textless(words) is None


def test_the_reasons_are_those_of_the_gate():
    assert {reason for codes in CODES.values() for reason in codes.values()} == {Reason.LANDLINE, Reason.NOT_TEXTABLE}
