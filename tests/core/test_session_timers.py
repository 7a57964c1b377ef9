"""Deadlines of sessions: which, and when."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.session_timers import CALL_LOST_AFTER, CALL_UNKNOWN_AFTER, NEVER, Deadline, deadline, warned_deadline
from ringback.core.sessions import OPEN, OVER, Due, Session, SessionState, StartType, WaitingOn
from ringback.core.text_queues import Note, Plan
from tests.conftest import NOON

S = SessionState
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
OFF = timedelta(0)
PLAN = Plan(
    offer_for=MINUTE,
    queued_expiry=24 * HOUR,
    agent_idle=5 * MINUTE,
    customer_idle=4 * HOUR,
    warn_before=10 * MINUTE,
    dismissed_for=HOUR,
    wrap_up=2 * MINUTE,
    notes={Note.WARNING: {"en": "Still there?"}},
)
WAITS = Session(1, "ses_1", 1, "+12025550101", "+15125550123", S.QUEUED, 1, StartType.AUTO, NOON, NOON)


@pytest.mark.parametrize(
    ("change", "plan", "expected"),
    [
        pytest.param({"state": S.NEW, "call": 7}, {}, (Due.CALL_LOST, CALL_LOST_AFTER), id="a call that goes on"),
        pytest.param({"state": S.MENU, "call": 7}, {}, (Due.CALL_LOST, CALL_LOST_AFTER), id="in a menu"),
        pytest.param({"state": S.NEW}, {}, (Due.CALL_LOST, CALL_UNKNOWN_AFTER), id="a call we never heard"),
        pytest.param({}, {}, (Due.QUEUED_EXPIRY, 24 * HOUR), id="waits in a queue"),
        pytest.param(
            {"queued_at": NOON - HOUR}, {}, (Due.QUEUED_EXPIRY, 23 * HOUR), id="the wait counts from its start"
        ),
        pytest.param({"start": StartType.MANUAL}, {}, NEVER, id="what we began does not run out"),
        pytest.param({"start": StartType.CALL_EVENT}, {}, (Due.QUEUED_EXPIRY, 24 * HOUR), id="what a call began does"),
        pytest.param({}, {"queued_expiry": OFF}, NEVER, id="no expiry"),
        pytest.param({"state": S.OFFERED}, {}, (Due.OFFER_OVER, MINUTE), id="offered"),
        pytest.param({"state": S.OFFERED}, {"offer_for": OFF}, NEVER, id="an offer without end"),
        pytest.param({"state": S.ASSIGNED, "call": 7}, {}, (Due.CALL_LOST, CALL_LOST_AFTER), id="they speak"),
        pytest.param(
            {"state": S.ASSIGNED, "call": 7, "released_at": NOON},
            {"warn_before": OFF},
            (Due.CUSTOMER_IDLE, 4 * HOUR),
            id="they spoke",
        ),
        pytest.param(
            {"state": S.ASSIGNED, "waiting_on": WaitingOn.AGENT}, {}, (Due.AGENT_IDLE, 5 * MINUTE), id="we are to write"
        ),
        pytest.param(
            {"state": S.ASSIGNED, "waiting_on": WaitingOn.AGENT}, {"agent_idle": OFF}, NEVER, id="take your time"
        ),
        pytest.param(
            {"state": S.ASSIGNED, "waiting_on": WaitingOn.CUSTOMER}, {}, (Due.WARN, 230 * MINUTE), id="warned first"
        ),
        pytest.param(
            {"state": S.ASSIGNED, "waiting_on": WaitingOn.CUSTOMER},
            {"notes": {}},
            (Due.CUSTOMER_IDLE, 4 * HOUR),
            id="no words for a warning",
        ),
        pytest.param(
            {"state": S.ASSIGNED, "waiting_on": WaitingOn.CUSTOMER},
            {"warn_before": 9 * HOUR},
            (Due.WARN, OFF),
            id="a warning that is longer than the time",
        ),
        pytest.param({"state": S.ASSIGNED}, {"customer_idle": OFF}, NEVER, id="they may take their time"),
        pytest.param({"state": S.WRAP_UP}, {}, (Due.WRAP_UP_OVER, 2 * MINUTE), id="wraps up"),
        pytest.param({"state": S.DISMISSED}, {}, (Due.DISMISSED_OVER, HOUR), id="set aside"),
        *(pytest.param({"state": state}, {}, NEVER, id=f"over: {state}") for state in sorted(OVER)),
    ],
)
def test_deadline(change, plan, expected):
    due, after = expected
    assert deadline(replace(WAITS, **change), replace(PLAN, **plan), NOON) == Deadline(
        due, None if after is None else NOON + after
    )


def test_what_is_left_after_a_warning_is_never_more_than_there_was():
    assert warned_deadline(PLAN, NOON) == (Due.CUSTOMER_IDLE, NOON + 10 * MINUTE)
    assert warned_deadline(replace(PLAN, customer_idle=MINUTE), NOON) == (Due.CUSTOMER_IDLE, NOON + MINUTE)


spans = st.timedeltas(OFF, timedelta(days=400))


@given(
    state=st.sampled_from(sorted(OPEN)),
    start=st.sampled_from(StartType),
    waiting_on=st.sampled_from([None, *WaitingOn]),
    in_call=st.booleans(),
    plan=st.builds(
        Plan,
        offer_for=spans,
        queued_expiry=spans,
        agent_idle=spans,
        customer_idle=spans,
        warn_before=spans,
        dismissed_for=spans,
        wrap_up=spans,
        notes=st.sampled_from([{}, {Note.WARNING: {"en": "Still there?"}}]),
    ),
)
def test_a_deadline_has_a_moment_that_is_to_come(state, start, waiting_on, in_call, plan):
    session = replace(WAITS, state=state, start=start, waiting_on=waiting_on, call=7 if in_call else None)
    due, at = deadline(session, plan, NOON)
    assert (due is Due.NONE) is (at is None)
    assert at is None or at >= NOON
