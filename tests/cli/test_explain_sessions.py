"""`ringback explain` of sessions with agents, of offers to callers, and of what somebody said yes to."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from ringback.core.consents import ANY_SCOPE, CONVERSATION, ConsentEvent, ConsentKind, Method
from ringback.core.messages import MessageClass
from ringback.core.offers import Offer, OfferAnswer, OfferKind, Situation
from ringback.core.reasons import Reason
from ringback.core.sessions import Due, Origin, SessionState, StartType, Why
from ringback.ports.sessions import Opening, Step
from tests.conftest import NOON
from tests.flow.world import DID, PAT, a_call, life_of

SECOND = timedelta(seconds=1)
SEEN = Situation("sales", 4, 1, timedelta(seconds=95), 5)
MADE = Offer("main", "1.1", OfferKind.DEFLECTION, DID, PAT, SEEN, Reason.ALLOWED, NOON, "deflect.en.1")
LATER = replace(
    MADE, kind=OfferKind.TEXT_BACK, reason=Reason.ASKED_BEFORE, situation=Situation(""), at=NOON + SECOND, prompt=""
)
WAIT = replace(MADE, kind=OfferKind.WAIT_TEXT, reason=Reason.WAIT_UNKNOWN, situation=Situation("sales"), prompt="")
YES = ConsentEvent(
    ConsentKind.GIVEN,
    MessageClass.CONVERSATIONAL,
    CONVERSATION,
    Method.KEY_PRESS,
    NOON,
    "deflect.en.1",
    until=NOON + timedelta(days=1),
)
NO = ConsentEvent(ConsentKind.WITHDRAWN, MessageClass.PROMOTIONAL, ANY_SCOPE, Method.AGENT, NOON + SECOND)


async def deflected(world):
    """A caller is offered texts, says yes by key, and an agent's queue has them."""
    await world.happens(*life_of(a_call("1.1")))
    await world.ground.commit(_deflect)


def _deflect(tx):
    thread = tx.pairs.thread(DID, PAT, NOON)
    call = tx.calls.row_of("main", "1.1")
    opening = Opening(
        thread,
        tx.queues.all().main.id,
        StartType.CALL_EVENT,
        Why.CALL_ACCEPTED,
        "call 1.1",
        Origin.DEFLECTION,
        call,
        caller_name="Pat",
        ivr_path="sales/2",
    )
    session = tx.sessions.open(opening, SessionState.NEW, NOON)
    waits = replace(session, state=SessionState.QUEUED, due=Due.QUEUED_EXPIRY, due_at=NOON + timedelta(hours=1))
    tx.sessions.save(waits, Step(NOON + SECOND, Why.TEXT_SENT, SessionState.QUEUED))
    for offer in (MADE, LATER, WAIT):
        tx.offers.put(offer)
    tx.offers.answer(MADE, OfferAnswer.YES, "", session.public_id, NOON)
    tx.offers.waited("main", "1.1", timedelta(seconds=80))
    for event in (YES, NO):
        tx.consents.add(thread.id, event)
    tx.consents.tell(thread.id, NOON)


@pytest.fixture
def told(place, ringback):
    place.live(deflected)

    def ask(what):
        return re.sub(r"\b(call|ses|thr|msg|att)_[0-9a-z]{26}", r"\1_ID", ringback("explain", what).out)

    return ask


SESSION = """\
Session ses_ID of +12025550101 and +15125550123, in thr_ID
  2026-11-20 12:00:00  By key they chose to go on by text. (call_ID)
    called Pat, came by sales/2
  2026-11-20 12:00:00  They were offered to go on by text. Queue sales. They would wait for about 95.0 s. \
Callers who waited: 4. Agents who could take a text: 1. Their place in the queue: 5. They said yes. \
In truth they waited for 80.0 s. Prompt deflect.en.1.
  2026-11-20 12:00:00  is when they chose (ses_ID)
  2026-11-20 12:00:00  The caller chose texts by key. (new, by call 1.1)
  2026-11-20 12:00:01  The carrier took the first text. (queued)
    It waits in main.
    Runs out at 2026-11-20 13:00:00 if nobody takes it.
"""


def test_a_session_is_told_by_its_id(told, ringback):
    (session,) = json.loads(ringback("explain", PAT, "--json").out)["sessions"]
    assert told(session["row"]["session"]["public_id"]) == SESSION


@pytest.mark.parametrize("what", [PAT, "1.1"], ids=["a person", "a call"])
def test_it_is_told_with_its_person_and_its_call(told, what):
    assert SESSION.strip() in told(what)


def test_a_call_tells_what_it_was_offered_and_why_not_more(told):
    lines = told("1.1").splitlines()
    assert (
        "  2026-11-20 12:00:00  They were not offered to be texted while they wait. Nobody can say how long the wait "
        "will be, and the queue does not offer texts then. Queue sales. Nobody could say how long they would wait. "
        "Callers who waited: 0. Agents who could take a text: 0. In truth they waited for 80.0 s."
    ) in lines
    assert (
        "  2026-11-20 12:00:01  They were not offered to be texted back. The caller was asked in this call already. "
        "In truth they waited for 80.0 s."
    ) in lines


def test_a_person_tells_what_they_said_yes_to(told):
    lines = told(PAT).splitlines()
    assert "  2026-11-20 12:00:00  told what they get, and how to stop it" in lines
    assert (
        "  2026-11-20 12:00:00  said yes to conversational texts about conversation by a key in a call, "
        "having heard deflect.en.1, until 2026-11-21 12:00:00"
    ) in lines
    assert "  2026-11-20 12:00:01  said no to promotional texts about anything to one of us" in lines
