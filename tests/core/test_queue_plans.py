"""Plans of queues as JSON: what is written is read, and what a newer version wrote is read as far as it is known."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.consents import ANY_SCOPE, CONVERSATION, ConsentEvent, ConsentKind, Consents, Method, fold
from ringback.core.messages import MessageClass
from ringback.core.queue_plans import read_plan, write_plan
from ringback.core.text_queues import AfterHangUp, ForLandlines, Note, Offering, Plan, Strategy
from tests.conftest import NOON

SPANS = st.integers(0, 10**7).map(lambda seconds: timedelta(seconds=seconds))
OFFERINGS = st.builds(
    Offering,
    if_wait=st.none() | SPANS,
    if_waiting=st.integers(0, 99),
    agents=st.integers(0, 99),
    unknown=st.booleans(),
    calendar=st.text(),
    every=SPANS,
    margin=st.floats(0, 1),
    landline=st.sampled_from(ForLandlines),
)
PLANS = st.builds(
    Plan,
    strategy=st.sampled_from(Strategy),
    at_once=st.booleans(),
    calendar=st.text(),
    after_hang_up=st.sampled_from(AfterHangUp),
    offering=OFFERINGS,
    notes=st.dictionaries(st.sampled_from(Note), st.dictionaries(st.sampled_from(["en", "es"]), st.text())),
    **dict.fromkeys(
        (
            "offer_for",
            "queued_expiry",
            "agent_idle",
            "customer_idle",
            "warn_before",
            "dismissed_for",
            "wrap_up",
            "transfer_for",
            "agent_gone",
        ),
        SPANS,
    ),
)


@given(PLANS)
def test_what_is_written_is_read(plan):
    assert read_plan(write_plan(plan)) == plan


def test_nothing_is_the_usual_plan():
    assert read_plan("{}") == Plan()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("moods", ["calm"], id="a key of a newer version"),
        pytest.param("strategy", "by_mood", id="a strategy of a newer version"),
        pytest.param("offer_for", "soon", id="a span in words"),
        pytest.param("offering", 7, id="an offering that is none"),
        pytest.param("notes", None, id="no notes"),
        pytest.param("notes", {"farewell": {"en": "bye"}}, id="a note of a newer version"),
    ],
)
def test_what_is_not_understood_is_as_usual(key, value):
    written = json.loads(write_plan(Plan(wrap_up=timedelta(seconds=9)))) | {key: value}
    assert read_plan(json.dumps(written)) == Plan(wrap_up=timedelta(seconds=9))


PROMO, TALK = MessageClass.PROMOTIONAL, MessageClass.CONVERSATIONAL


def said(kind: str, class_: MessageClass = TALK, scope: str = CONVERSATION) -> ConsentEvent:
    return ConsentEvent(ConsentKind(kind), class_, scope, Method.KEY_PRESS, NOON)


@pytest.mark.parametrize(
    ("events", "holds", "holds_not"),
    [
        pytest.param([said("given")], [(TALK, CONVERSATION)], [(PROMO, CONVERSATION), (TALK, "news")], id="a yes"),
        pytest.param([said("given"), said("withdrawn")], [], [(TALK, CONVERSATION)], id="a yes taken back"),
        pytest.param([said("withdrawn"), said("given")], [(TALK, CONVERSATION)], [], id="a yes after a no"),
        pytest.param(
            [said("given", PROMO, "news"), said("given", PROMO, "sales"), said("withdrawn", PROMO, "news")],
            [(PROMO, "sales")],
            [(PROMO, "news")],
            id="a no to one topic",
        ),
        pytest.param(
            [said("given", PROMO, ANY_SCOPE), said("withdrawn", PROMO, "news")],
            [],
            [(PROMO, "news"), (PROMO, "sales")],
            id="a no to one topic after a yes to all",
        ),
        pytest.param(
            [said("given"), said("given", PROMO, "news"), said("withdrawn", PROMO, ANY_SCOPE)],
            [(TALK, CONVERSATION)],
            [(PROMO, "news")],
            id="a no to all of a class",
        ),
    ],
)
def test_the_ledger_is_folded(events, holds, holds_not):
    holding = Consents()
    for event in events:
        holding = fold(holding, event)
    assert all(holding.holds(class_, scope, NOON) for class_, scope in holds)
    assert not any(holding.holds(class_, scope, NOON) for class_, scope in holds_not)
