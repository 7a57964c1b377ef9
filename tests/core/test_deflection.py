"""When a caller is offered texts: below, at and above the thresholds, unknown, without agents, and once it began."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.deflection import NO_HANDSET, asks_for_mobile, may_offer
from ringback.core.offers import OfferKind, Situation
from ringback.core.reasons import Reason
from ringback.core.text_queues import ForLandlines, Offering

FIVE = timedelta(minutes=5)
BY_WAIT = Offering(if_wait=FIVE)
BY_CALLERS = Offering(if_waiting=5)
EITHER = Offering(if_wait=FIVE, if_waiting=5)
QUIET = Situation("sales", waiting=0, agents=2, expected=timedelta(0), position=1)


def at(**change):
    return replace(QUIET, **change)


def waits(seconds, **change):
    return at(expected=timedelta(seconds=seconds), **change)


UNKNOWN = at(expected=None)


@pytest.mark.parametrize(
    ("offering", "situation", "began", "reason"),
    [
        pytest.param(BY_WAIT, waits(299), False, Reason.WAIT_SHORT, id="wait below"),
        pytest.param(BY_WAIT, waits(300), False, Reason.ALLOWED, id="wait equal"),
        pytest.param(BY_WAIT, waits(301), False, Reason.ALLOWED, id="wait above"),
        pytest.param(BY_WAIT, waits(240), True, Reason.ALLOWED, id="began: down to the margin"),
        pytest.param(BY_WAIT, waits(239), True, Reason.WAIT_SHORT, id="began: below the margin"),
        pytest.param(replace(BY_WAIT, margin=0.0), waits(299), True, Reason.WAIT_SHORT, id="began, without a margin"),
        pytest.param(BY_WAIT, UNKNOWN, False, Reason.WAIT_UNKNOWN, id="unknown"),
        pytest.param(replace(BY_WAIT, unknown=True), UNKNOWN, False, Reason.ALLOWED, id="unknown, and that is enough"),
        pytest.param(
            BY_WAIT, waits(10, waiting=99), False, Reason.WAIT_SHORT, id="many wait, which nobody asked about"
        ),
        pytest.param(BY_CALLERS, at(waiting=4), False, Reason.WAIT_SHORT, id="callers below"),
        pytest.param(BY_CALLERS, at(waiting=5), False, Reason.ALLOWED, id="callers equal"),
        pytest.param(BY_CALLERS, at(waiting=6), False, Reason.ALLOWED, id="callers above"),
        pytest.param(BY_CALLERS, at(waiting=4), True, Reason.ALLOWED, id="began: callers down to the margin"),
        pytest.param(BY_CALLERS, at(waiting=3), True, Reason.WAIT_SHORT, id="began: callers below the margin"),
        pytest.param(BY_CALLERS, UNKNOWN, False, Reason.WAIT_SHORT, id="unknown, which nobody asked about"),
        pytest.param(EITHER, waits(10, waiting=5), False, Reason.ALLOWED, id="enough callers, a short wait"),
        pytest.param(EITHER, waits(300), False, Reason.ALLOWED, id="a long wait, few callers"),
        pytest.param(EITHER, waits(299, waiting=4), False, Reason.WAIT_SHORT, id="neither"),
        pytest.param(EITHER, at(expected=None, waiting=5), False, Reason.ALLOWED, id="unknown, enough callers"),
        pytest.param(EITHER, at(expected=None, waiting=4), False, Reason.WAIT_UNKNOWN, id="unknown, few callers"),
        pytest.param(Offering(), waits(0), False, Reason.ALLOWED, id="no threshold: always"),
        pytest.param(Offering(), UNKNOWN, False, Reason.ALLOWED, id="no threshold, unknown: always"),
        pytest.param(Offering(), at(agents=0), False, Reason.NO_TEXT_AGENTS, id="zero agents"),
        pytest.param(Offering(agents=3), at(agents=2), False, Reason.NO_TEXT_AGENTS, id="fewer agents than asked for"),
        pytest.param(Offering(agents=3), at(agents=3), False, Reason.ALLOWED, id="as many agents as asked for"),
        pytest.param(Offering(agents=0), at(agents=0), False, Reason.ALLOWED, id="zero agents, none asked for"),
        pytest.param(BY_WAIT, waits(900, agents=0), True, Reason.NO_TEXT_AGENTS, id="a long wait, zero agents"),
        pytest.param(Offering(), at(open=False), False, Reason.OUTSIDE_HOURS, id="closed"),
        pytest.param(Offering(), at(textable=Reason.OPTED_OUT), False, Reason.OPTED_OUT, id="they said STOP"),
        pytest.param(
            Offering(), at(textable=Reason.LANDLINE, agents=0), False, Reason.LANDLINE, id="a landline, before all else"
        ),
        pytest.param(
            Offering(landline=ForLandlines.ASK), at(textable=Reason.LANDLINE), False, Reason.ALLOWED, id="asked for one"
        ),
        pytest.param(
            Offering(landline=ForLandlines.ASK), at(textable=Reason.OPTED_OUT), False, Reason.OPTED_OUT, id="no number"
        ),
    ],
)
@pytest.mark.parametrize("kind", [OfferKind.DEFLECTION, OfferKind.WAIT_TEXT])
def test_may_offer(kind, offering, situation, began, reason):
    assert may_offer(kind, offering, situation, began) is reason


@pytest.mark.parametrize(
    ("situation", "reason"),
    [
        pytest.param(UNKNOWN, Reason.ALLOWED, id="whatever the wait"),
        pytest.param(at(agents=0), Reason.ALLOWED, id="whoever is there"),
        pytest.param(at(open=False), Reason.OUTSIDE_HOURS, id="closed"),
        pytest.param(at(textable=Reason.NOT_TEXTABLE), Reason.NOT_TEXTABLE, id="no text arrives there"),
    ],
)
def test_whoever_is_texted_later_waits_for_nobody(situation, reason):
    assert may_offer(OfferKind.TEXT_BACK, BY_WAIT, situation, began=False) is reason


@pytest.mark.parametrize("reason", sorted(NO_HANDSET))
def test_another_number_may_do(reason):
    assert asks_for_mobile(Offering(landline=ForLandlines.ASK), at(textable=reason))
    assert not asks_for_mobile(Offering(), at(textable=reason))


@given(st.integers(0, 1000), st.integers(0, 20), st.booleans(), st.floats(0, 1))
def test_more_is_never_a_reason_against(seconds, waiting, began, margin):
    """Whoever is offered is offered with a longer wait too, with more callers, and once it began."""
    offering = replace(EITHER, margin=margin)
    here = may_offer(OfferKind.DEFLECTION, offering, waits(seconds, waiting=waiting), began)
    if here is Reason.ALLOWED:
        for more in (waits(seconds + 60, waiting=waiting), waits(seconds, waiting=waiting + 1)):
            assert may_offer(OfferKind.DEFLECTION, offering, more, began) is Reason.ALLOWED
        assert may_offer(OfferKind.DEFLECTION, offering, waits(seconds, waiting=waiting), True) is Reason.ALLOWED
