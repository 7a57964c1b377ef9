"""The one outcome of a call, row by row, and its precedence."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.calls import PRECEDENCE, UNANSWERED, Outcome, Rang, Seen, outcome_of

ALL_SEEN = Seen(
    bridged=True,
    deflected=True,
    elsewhere=True,
    voicemail=True,
    queued=True,
    caller_hung_up=True,
    gave_up=True,
    line_up=True,
    legs=(Rang.BUSY,),
    dial_status="BUSY",
)


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [
        pytest.param(Seen(), Outcome.FAILED, id="nothing happened: a number nobody has"),
        pytest.param(ALL_SEEN, Outcome.DEFLECTED, id="deflected outranks everything"),
        pytest.param(replace(ALL_SEEN, deflected=False), Outcome.ANSWERED, id="a person outranks a voicemail"),
        pytest.param(Seen(elsewhere=True, legs=(Rang.CANCELLED,)), Outcome.ANSWERED_ELSEWHERE, id="cause 26 upstream"),
        pytest.param(Seen(voicemail=True, legs=(Rang.NO_ANSWER,)), Outcome.VOICEMAIL_LEFT, id="left a message"),
        pytest.param(
            Seen(voicemail=True, queued=True, gave_up=True), Outcome.VOICEMAIL_LEFT, id="message after a queue"
        ),
        pytest.param(Seen(queued=True, caller_hung_up=True), Outcome.ABANDONED_QUEUE, id="hung up in the queue"),
        pytest.param(Seen(queued=True), Outcome.QUEUE_GAVE_UP, id="the queue ended it"),
        pytest.param(
            Seen(queued=True, gave_up=True, caller_hung_up=True),
            Outcome.QUEUE_GAVE_UP,
            id="the queue ended it and the caller hung up in what came behind",
        ),
        pytest.param(Seen(gave_up=True, line_up=True), Outcome.QUEUE_GAVE_UP, id="the queue refused, nobody joined"),
        pytest.param(
            Seen(queued=True, caller_hung_up=True, legs=(Rang.BUSY,)),
            Outcome.ABANDONED_QUEUE,
            id="a queue outranks its busy agents",
        ),
        pytest.param(Seen(caller_hung_up=True), Outcome.ABANDONED_IVR, id="hung up before anybody was asked"),
        pytest.param(Seen(line_up=True), Outcome.ABANDONED_IVR, id="a menu or an announcement ended the call"),
        pytest.param(Seen(legs=(Rang.BUSY, Rang.BUSY)), Outcome.BUSY, id="all were busy"),
        pytest.param(Seen(legs=(Rang.BUSY, Rang.CANCELLED)), Outcome.MISSED, id="one was busy, one rang"),
        pytest.param(Seen(legs=(Rang.FORWARDED, Rang.BUSY)), Outcome.BUSY, id="forwarded to a busy phone"),
        pytest.param(Seen(dial_status="BUSY"), Outcome.BUSY, id="busy without a phone"),
        pytest.param(Seen(legs=(Rang.DECLINED,)), Outcome.DECLINED, id="declined"),
        pytest.param(Seen(legs=(Rang.DECLINED, Rang.BUSY)), Outcome.DECLINED, id="declined or busy, all of them"),
        pytest.param(Seen(legs=(Rang.DECLINED, Rang.NO_ANSWER)), Outcome.MISSED, id="one declined, one rang"),
        pytest.param(Seen(legs=(Rang.UNREACHABLE,)), Outcome.UNREACHABLE, id="no phone there"),
        pytest.param(Seen(dial_status="CHANUNAVAIL"), Outcome.UNREACHABLE, id="no phone is registered"),
        pytest.param(Seen(dial_status="CONGESTION"), Outcome.UNREACHABLE, id="no way to the phone"),
        pytest.param(
            Seen(legs=(Rang.FORWARDED,), dial_status="CHANUNAVAIL"), Outcome.UNREACHABLE, id="forwarded to nowhere"
        ),
        pytest.param(Seen(legs=(Rang.NO_ANSWER,)), Outcome.MISSED, id="rang and nobody came"),
        pytest.param(Seen(legs=(Rang.FORWARDED,)), Outcome.MISSED, id="forwarded, the end was not seen"),
        pytest.param(Seen(legs=(Rang.ANSWER,)), Outcome.MISSED, id="lifted, never connected: follow-me not accepted"),
        pytest.param(Seen(legs=(Rang.UNKNOWN,)), Outcome.MISSED, id="still rang when the caller left"),
        pytest.param(
            Seen(legs=(Rang.CANCELLED,), dial_status="BUSY"), Outcome.MISSED, id="a phone outranks DIALSTATUS"
        ),
        pytest.param(Seen(dial_status="NOANSWER"), Outcome.MISSED, id="only DIALSTATUS was seen"),
    ],
)
def test_outcome_of(seen: Seen, outcome: Outcome) -> None:
    assert outcome_of(seen) is outcome


def test_every_outcome_has_one_row_and_failed_is_the_rest() -> None:
    rows = [outcome for outcome, _ in PRECEDENCE]
    assert sorted([*rows, Outcome.FAILED]) == sorted(Outcome)


def test_unanswered_are_those_a_rule_may_text_for() -> None:
    assert set(Outcome) - UNANSWERED == {
        Outcome.ANSWERED,
        Outcome.ANSWERED_ELSEWHERE,
        Outcome.DEFLECTED,
        Outcome.FAILED,
    }


@given(st.builds(Seen, legs=st.lists(st.sampled_from(Rang), max_size=4).map(tuple), dial_status=st.none() | st.text()))
def test_a_bridge_is_an_answer_unless_deflected(seen: Seen) -> None:
    answered = outcome_of(replace(seen, bridged=True, deflected=False))
    assert answered is Outcome.ANSWERED
    assert outcome_of(replace(seen, bridged=False)) is not Outcome.ANSWERED
