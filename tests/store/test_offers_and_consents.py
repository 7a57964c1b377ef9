"""Offers and the ledger of consents as rows, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ringback.core.consents import CONVERSATION, ConsentEvent, ConsentKind, Consents, Method
from ringback.core.grants import EVERYTHING
from ringback.core.messages import MessageClass
from ringback.core.offers import Offer, OfferAnswer, OfferKind, Situation
from ringback.core.reasons import Reason
from ringback.store.late import read_sessions
from tests.conftest import NOON
from tests.store.serving import ANN, BOB, DID, MINUTE, OTHER, Crew

TALK, PROMO = MessageClass.CONVERSATIONAL, MessageClass.PROMOTIONAL
SEEN = Situation("sales", waiting=4, agents=1, expected=timedelta(seconds=90), position=3)
MADE = Offer("main", "1.1", OfferKind.DEFLECTION, DID, ANN, SEEN, Reason.ALLOWED, NOON, "deflect.en.1")
YES = ConsentEvent(
    ConsentKind.GIVEN, TALK, CONVERSATION, Method.KEY_PRESS, NOON, "deflect.en.1", None, "1", "call 1.1", NOON + MINUTE
)


@pytest.fixture
async def crew(store) -> Crew:
    return await Crew(store).settle()


async def of(crew, kind=OfferKind.DEFLECTION):
    return await crew.do(lambda tx: tx.offers.of("main", "1.1", kind))


async def test_an_offer_is_read_as_it_was_put(crew):
    assert await of(crew) is None
    unknown = replace(MADE, kind=OfferKind.WAIT_TEXT, at=NOON + MINUTE, situation=Situation("sales"), prompt="")
    for offer in (MADE, unknown):
        await crew.do(lambda tx, offer=offer: tx.offers.put(offer))
    assert await of(crew) == MADE
    assert await crew.do(lambda tx: tx.offers.of_call("main", "1.1")) == [MADE, unknown]
    assert await crew.do(lambda tx: tx.offers.of_call("other", "1.1")) == []


async def test_an_offer_that_was_not_made_may_be_made_later_and_not_the_other_way(crew):
    no = replace(MADE, reason=Reason.WAIT_SHORT)
    still_no = replace(no, reason=Reason.NO_TEXT_AGENTS, at=NOON + MINUTE)
    for put, found in ((no, no), (still_no, still_no), (MADE, MADE), (still_no, MADE)):
        await crew.do(lambda tx, put=put: tx.offers.put(put))
        assert await of(crew) == found


async def test_an_answer_and_the_wait_are_kept(crew):
    await crew.do(lambda tx: tx.offers.put(MADE))
    heard = replace(MADE, prompt="deflect.es.2")

    def answers(tx):
        tx.offers.answer(heard, OfferAnswer.YES, "msg_1", "ses_1", NOON + MINUTE)
        tx.offers.waited("main", "1.1", 2 * MINUTE)

    await crew.do(answers)
    kept = await of(crew)
    assert (kept.answer, kept.answered_at, kept.text, kept.session) == (
        OfferAnswer.YES,
        NOON + MINUTE,
        "msg_1",
        "ses_1",
    )
    assert (kept.prompt, kept.waited) == ("deflect.es.2", 2 * MINUTE)


async def test_what_a_call_was_offered_is_on_its_page_and_in_its_sessions_story(crew):
    call = await crew.call("1.1")
    session = await crew.open(call=call)

    def offers(tx):
        tx.offers.put(MADE)
        tx.offers.answer(MADE, OfferAnswer.YES, "", session.public_id, NOON)
        return tx.calls.live_with(ANN).public_id

    public_id = await crew.do(offers)
    read = read_sessions(crew.store)
    (offer,) = await read.offers_of_call(public_id)
    assert offer == await of(crew)
    assert await read.offers_of_call("call_none") == []
    assert (await read.story(EVERYTHING, session.public_id)).offer == offer


async def test_a_yes_is_kept_line_by_line_and_folded(crew):
    thread = (await crew.thread()).id
    no = replace(YES, kind=ConsentKind.WITHDRAWN, method=Method.KEYWORD, until=None, at=NOON + MINUTE)
    assert await crew.do(lambda tx: tx.consents.holds(thread)) == Consents()
    for event, holds in ((YES, True), (no, False), (YES, True)):
        await crew.do(lambda tx, event=event: tx.consents.add(thread, event))
        held = await crew.do(lambda tx: tx.consents.holds(thread))
        assert held.holds(TALK, CONVERSATION, NOON) is holds
        assert not held.holds(PROMO, CONVERSATION, NOON) and not held.holds(TALK, CONVERSATION, NOON + MINUTE)
    assert await crew.do(lambda tx: tx.consents.of_thread(thread)) == [YES, no, YES]
    assert await crew.do(lambda tx: tx.consents.holds((tx.pairs.thread(OTHER, ANN, NOON)).id)) == Consents()


@pytest.mark.parametrize("ahead", ["read ahead", "looked up"])
async def test_the_gates_are_told(crew, ahead):
    thread = (await crew.thread()).id

    def say(tx):
        tx.consents.add(thread, YES)
        tx.consents.tell(thread, NOON)
        tx.consents.learn_not_textable(ANN, Reason.LANDLINE, NOON, NOON + MINUTE)

    def facts(peer, now, tx):
        if ahead == "read ahead":
            tx.pairs.read_guards_ahead([(DID, peer)], now)
        return tx.pairs.facts(DID, peer, "", "", now)

    await crew.do(say)
    known = await crew.do(lambda tx: facts(ANN, NOON, tx))
    assert known.consents.holds(TALK, CONVERSATION, NOON)
    assert (known.told_at, known.not_textable) == (NOON, Reason.LANDLINE)
    assert (await crew.do(lambda tx: facts(ANN, NOON + MINUTE, tx))).not_textable is None
    other = await crew.do(lambda tx: facts(BOB, NOON, tx))
    assert (other.consents, other.told_at, other.not_textable) == (Consents(), None, None)


async def test_to_tell_somebody_is_remembered(crew):
    thread = (await crew.thread()).id
    assert await crew.do(lambda tx: tx.consents.told_at(thread)) is None
    for at in (NOON, NOON + MINUTE):
        await crew.do(lambda tx, at=at: tx.consents.tell(thread, at))
        assert await crew.do(lambda tx: tx.consents.told_at(thread)) == at


async def test_a_yes_does_not_lift_a_stop(crew):
    thread = (await crew.thread()).id

    def say(tx):
        tx.pairs.opt_out(thread, "keyword", "", NOON)
        tx.consents.add(thread, YES)
        tx.consents.tell(thread, NOON)
        return tx.pairs.facts(DID, ANN, "", "", NOON)

    assert (await crew.do(say)).opted_out_at == NOON


async def test_what_cannot_be_texted_is_believed_for_a_while(crew):
    def learn(tx):
        tx.consents.learn_not_textable(ANN, Reason.LANDLINE, NOON, NOON + MINUTE)
        tx.consents.learn_not_textable(ANN, Reason.NEVER_TEXT, NOON, NOON + 2 * MINUTE)

    await crew.do(learn)
    for at, believed in ((0, Reason.NEVER_TEXT), (1, Reason.NEVER_TEXT), (2, None)):
        assert await crew.do(lambda tx, at=at: tx.consents.not_textable(ANN, NOON + at * MINUTE)) is believed
    await crew.do(lambda tx: tx.consents.unlearn(ANN))
    assert await crew.do(lambda tx: tx.consents.not_textable(ANN, NOON)) is None
