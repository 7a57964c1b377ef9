"""What is done about a text that nobody knows about, and when too many are one too many."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.doubts import (
    ASK_AGAIN,
    EVIDENCE_WINDOW,
    MOST_RESENDS,
    Doubted,
    Facts,
    Seen,
    Step,
    alarm,
    ask_again_after,
    decide,
)
from ringback.core.messages import OnDoubt

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
ONCE, CHECK, DELIVER = OnDoubt
FACTS = Facts(
    policy=ONCE,
    doubted_at=NOON,
    expires_at=NOON + timedelta(hours=4),
    now=NOON + EVIDENCE_WINDOW,
    seen=Seen.ABSENT,
)


@pytest.mark.parametrize(
    ("change", "step"),
    [
        pytest.param({"now": NOON + timedelta(seconds=119)}, Step.WAIT, id="a receipt may still come"),
        pytest.param({"now": NOON + timedelta(seconds=119), "policy": DELIVER}, Step.WAIT, id="whatever the policy"),
        pytest.param({"seen": Seen.NOT_ASKED}, Step.ASK, id="then the carrier is asked"),
        pytest.param({"seen": Seen.NOT_ASKED, "policy": DELIVER}, Step.ASK, id="before anything is sent again"),
        pytest.param({}, Step.PERSON, id="once: a person decides, although the carrier does not list it"),
        pytest.param({"seen": Seen.NO_LIST}, Step.PERSON, id="once: the carrier cannot be asked"),
        pytest.param({"seen": Seen.AWAY}, Step.LATER, id="the carrier is away"),
        pytest.param({"policy": CHECK}, Step.RESEND, id="check: a complete list does not have it"),
        pytest.param({"policy": CHECK, "seen": Seen.UNNAMED}, Step.PERSON, id="check: the list does not tell"),
        pytest.param({"policy": CHECK, "seen": Seen.NO_LIST}, Step.PERSON, id="check: there is no list"),
        pytest.param({"policy": CHECK, "seen": Seen.AWAY}, Step.LATER, id="check: the carrier is away"),
        pytest.param({"policy": DELIVER}, Step.RESEND, id="deliver: not listed"),
        pytest.param({"policy": DELIVER, "seen": Seen.UNNAMED}, Step.RESEND, id="deliver: the list does not tell"),
        pytest.param({"policy": DELIVER, "seen": Seen.NO_LIST}, Step.RESEND, id="deliver: there is no list"),
        pytest.param({"policy": DELIVER, "seen": Seen.AWAY}, Step.RESEND, id="deliver: nobody answers the question"),
        pytest.param({"policy": DELIVER, "resends": 1}, Step.PERSON, id="only once more"),
        pytest.param({"policy": CHECK, "resends": 1}, Step.PERSON, id="only once more, by evidence too"),
        pytest.param({"policy": DELIVER, "same_carrier": False}, Step.PERSON, id="never by another carrier"),
        pytest.param({"policy": DELIVER, "expires_at": NOON + EVIDENCE_WINDOW}, Step.PERSON, id="never too late"),
        pytest.param(
            {"policy": DELIVER, "expires_at": NOON + EVIDENCE_WINDOW + timedelta(seconds=2)},
            Step.PERSON,
            id="nor with less than the time to write it",
        ),
        pytest.param(
            {"policy": DELIVER, "seen": Seen.AWAY, "resends": 1}, Step.LATER, id="and then the carrier is still asked"
        ),
        pytest.param({"policy": DELIVER, "window": timedelta(minutes=5)}, Step.WAIT, id="a window of its own"),
    ],
)
def test_decide(change, step):
    assert decide(replace(FACTS, **change)) is step


@given(
    st.builds(
        Facts,
        policy=st.sampled_from(OnDoubt),
        doubted_at=st.just(NOON),
        expires_at=st.integers(-10, 600).map(lambda s: NOON + timedelta(seconds=s)),
        now=st.integers(0, 600).map(lambda s: NOON + timedelta(seconds=s)),
        seen=st.sampled_from(Seen),
        resends=st.integers(0, 2),
        same_carrier=st.booleans(),
    )
)
def test_nothing_is_sent_again_but_within_the_rails(facts):
    if decide(facts) is Step.RESEND:
        assert facts.policy is not ONCE
        assert facts.resends < MOST_RESENDS
        assert facts.same_carrier
        assert facts.doubted_at + facts.window <= facts.now < facts.expires_at
        assert facts.policy is DELIVER or facts.seen is Seen.ABSENT
        assert facts.seen is not Seen.NOT_ASKED


def test_a_carrier_that_is_away_is_asked_less_and_less_often():
    assert [ask_again_after(tries).total_seconds() / 60 for tries in range(1, 7)] == [2, 10, 30, 60, 60, 60]
    assert ask_again_after(1000) == ASK_AGAIN[-1]


@pytest.mark.parametrize(
    ("counts", "sounds"),
    [
        pytest.param(Doubted(window=16, lately=0, this_hour=0, sends=0), False, id="nothing"),
        pytest.param(Doubted(window=16, lately=1, this_hour=1, sends=10), False, id="one in ten"),
        pytest.param(Doubted(window=1, lately=4, this_hour=4, sends=4), False, id="four of four are few"),
        pytest.param(Doubted(window=1, lately=5, this_hour=5, sends=5), True, id="five of five"),
        pytest.param(Doubted(window=16, lately=16, this_hour=16, sends=16), False, id="a line cut once"),
        pytest.param(Doubted(window=16, lately=17, this_hour=17, sends=17_000), False, id="one in a thousand"),
        pytest.param(Doubted(window=16, lately=0, this_hour=17, sends=16_999), True, id="more than one in a thousand"),
        pytest.param(Doubted(window=16, lately=32, this_hour=32, sends=100_000), False, id="two windows"),
        pytest.param(Doubted(window=16, lately=33, this_hour=33, sends=100_000), True, id="more than two windows"),
    ],
)
def test_alarm(counts, sounds):
    assert bool(alarm(counts)) is sounds


def test_the_alarm_says_why():
    assert alarm(Doubted(16, 40, 40, 100_000)) == "40 texts in doubt within 5 minutes"
    assert alarm(Doubted(16, 20, 20, 100)) == "20 of 100 texts of the last hour are in doubt"
