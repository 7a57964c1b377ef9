"""Sessions, offers and consents as they grow old, are erased, are written out for their person, and looked through."""

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from ringback.core.consents import CONVERSATION, ConsentEvent, ConsentKind, Consents, Method
from ringback.core.messages import MessageClass
from ringback.core.offers import Offer, OfferAnswer, OfferKind, Situation
from ringback.core.permissions import at_the_shell
from ringback.core.reasons import Reason
from ringback.core.sessions import Origin, SessionState, Why
from ringback.flow.dispute import as_data
from ringback.flow.mending import mend_by_words
from ringback.flow.retention import AT_ONCE, Retention, Times, erase
from ringback.ports.sessions import Step
from ringback.store.doctor import Doctor
from ringback.store.read_person import known
from ringback.store.tables import metadata
from tests.conftest import NOON
from tests.store.rows import changing
from tests.store.serving import ANN, BOB, DID, MINUTE, Crew

DAY = timedelta(days=1)
TIMES = Times(730 * DAY, 395 * DAY, 30 * DAY, 30 * DAY, 7 * DAY, 7 * DAY, 1826 * DAY, 1826 * DAY)
WHO = at_the_shell("root")
TALK = MessageClass.CONVERSATIONAL
CANARY, OTHERS = "canary of theirs", "canary of others"
YES = ConsentEvent(
    ConsentKind.GIVEN, TALK, CONVERSATION, Method.KEY_PRESS, NOON, "deflect.en.1", None, CANARY, "call 1.1"
)


async def never() -> bool:
    return False


@pytest.fixture
async def crew(store) -> Crew:
    return await Crew(store).settle()


def sweep(crew, clock, days):
    return Retention(crew.store, clock, TIMES, never).sweep(NOON + days * DAY)


async def rows(crew, statement):
    return await crew.store.read(lambda connection: [tuple(row) for row in connection.execute(text(statement))])


async def serve(crew, peer=ANN, uniqueid="1.1"):
    """A caller who went on by text: offered, said yes, was served, handed on, and their session stands open."""
    words = CANARY if peer == ANN else OTHERS
    call = await crew.call(uniqueid, peer)
    thread = await crew.thread(peer)
    session = await crew.open(
        peer, SessionState.NEW, origin=Origin.DEFLECTION, call=call, caller_name=words, ivr_path="sales/2"
    )

    def step(tx):
        offer = Offer("main", uniqueid, OfferKind.DEFLECTION, DID, peer, Situation("sales", 4, 1), Reason.ALLOWED, NOON)
        tx.offers.put(offer)
        tx.offers.answer(offer, OfferAnswer.YES, "", session.public_id, NOON)
        tx.consents.add(thread.id, replace(YES, evidence=words))
        tx.consents.tell(thread.id, NOON)
        tx.consents.learn_not_textable(peer, Reason.LANDLINE, NOON, NOON + DAY)
        tx.sessions.note(session, Step(NOON, Why.WAIT_TOLD, session.state, detail=words))
        held = tx.sessions.save(
            replace(session, state=SessionState.ASSIGNED, agent=crew.eve),
            Step(NOON, Why.AGENT_ANSWERED, SessionState.ASSIGNED, agent=crew.eve),
        )
        tx.sessions.ask_transfer(held, crew.max, None, words, NOON + MINUTE, NOON)
        return held

    return await crew.do(step)


async def test_sessions_go_with_calls_and_one_that_goes_on_stays(crew, clock):
    old = await serve(crew)
    await crew.move(old, SessionState.ENDED, Why.ENDED)
    stays = await serve(crew, BOB, "1.2")
    await sweep(crew, clock, 394)
    assert len(await rows(crew, "SELECT 1 FROM session")) == 2
    await sweep(crew, clock, 396)
    assert await rows(crew, "SELECT id, call_id FROM session") == [(stays.id, None)]
    assert {row[0] for row in await rows(crew, "SELECT session_id FROM session_event")} == {stays.id}
    assert await rows(crew, "SELECT session_id FROM transfer") == [(stays.id,)]
    assert await rows(crew, "SELECT 1 FROM call_offer") == []
    assert await rows(crew, "SELECT 1 FROM not_textable") == []


@pytest.mark.parametrize(
    ("wrote_after", "left"),
    [
        pytest.param(None, 0, id="nothing passed since"),
        pytest.param(timedelta(days=100), 1, id="a text passed since"),
    ],
)
async def test_a_yes_goes_so_long_after_the_last_text(crew, clock, wrote_after, left):
    thread = await crew.thread()
    await crew.do(lambda tx: tx.consents.add(thread.id, YES))
    if wrote_after is not None:
        with changing(crew.store.url) as connection:
            at = int((NOON + wrote_after).timestamp() * 1e6)
            came = {"id": 1, "public_id": "inb_1", "thread_id": thread.id, "carrier": "main", "at": at}
            came |= {"received_at": at, "carrier_at": at, "body": "", "state": "whole", "read_at": at}
            connection.execute(metadata.tables["incoming"].insert().values(**came))
    await sweep(crew, clock, 1825)
    assert len(await rows(crew, "SELECT 1 FROM consent_event")) == 1
    for _round in range(2):
        await sweep(crew, clock, 1827)
    assert len(await rows(crew, "SELECT 1 FROM consent_event")) == left
    held = await crew.do(lambda tx: tx.consents.holds(thread.id))
    assert held.holds(TALK, CONVERSATION, NOON) is bool(left)


async def test_the_ledger_is_gone_through_round_and_round(crew):
    for n in range(5):
        thread = await crew.thread(f"+1512555{n:04}")
        at = NOON if n % 2 else NOON + 10 * DAY
        await crew.do(lambda tx, thread=thread, at=at: tx.consents.add(thread.id, replace(YES, at=at)))
    gone = [await crew.do(lambda tx: tx.retention.age_consents(NOON + DAY, 2)) for _ in range(5)]
    assert gone == [1, 1, 0, 0, 0]
    assert len(await rows(crew, "SELECT 1 FROM consent_event")) == 3
    assert await crew.do(lambda tx: tx.retention.age_consents(NOON + 11 * DAY, AT_ONCE)) == 3


async def test_nothing_of_an_erased_persons_sessions_is_left(crew, clock):
    await serve(crew)
    await serve(crew, BOB, "1.2")
    await crew.do(partial(erase, ANN, WHO, NOON + MINUTE))
    found = {table: repr(await rows(crew, f"SELECT * FROM {table}")) for table in metadata.tables}
    assert {table for table, told in found.items() if ANN in told or CANARY in told} == set()
    theirs = {"session", "session_event", "transfer", "consent_event"}
    assert {table for table, told in found.items() if OTHERS in told} == theirs
    kept = await rows(crew, "SELECT peer, state, caller_name, ivr_path FROM session ORDER BY id")
    assert kept[0][0].startswith("erased:")
    assert (kept[0][1:], kept[1]) == (("ended", "", ""), (BOB, "assigned", OTHERS, "sales/2"))
    assert await rows(crew, "SELECT peer FROM call_offer ORDER BY id") == [("",), (BOB,)]
    assert await rows(crew, "SELECT evidence FROM consent_event ORDER BY id") == [("",), (OTHERS,)]
    assert len(await crew.do(lambda tx: tx.sessions.transfers_to(crew.max))) == 1
    assert [one for _, ailments in Doctor(crew.store.url, NOON).look() for one in ailments] == []


async def test_a_yes_of_somebody_erased_is_asked_again_and_their_stop_holds(crew):
    thread = await crew.thread()
    await crew.do(lambda tx: tx.consents.add(thread.id, YES))
    await crew.do(lambda tx: tx.pairs.opt_out(thread.id, "text", "", NOON))
    await crew.do(partial(erase, ANN, WHO, NOON + MINUTE))

    def again(tx):
        found = tx.pairs.thread(DID, ANN, NOON + DAY)
        before = tx.consents.holds(found.id)
        tx.consents.add(found.id, replace(YES, at=NOON + DAY))
        return before, found, tx.pairs.facts(DID, ANN, "", "", NOON + DAY)

    before, found, facts = await crew.do(again)
    assert found.id != thread.id and before == Consents()
    assert facts.opted_out_at == NOON
    assert facts.consents.holds(TALK, CONVERSATION, NOON + DAY)
    assert await crew.do(lambda tx: tx.pairs.said_last(found.id)) == "text"
    assert [one for _, ailments in Doctor(crew.store.url, NOON).look() for one in ailments] == []


async def test_a_persons_file_has_their_sessions_offers_and_consents(crew):
    held = await serve(crew)
    data = json.loads(json.dumps(as_data(await crew.store.read(lambda connection: known(connection, ANN)))))
    (session,) = data["sessions"]
    assert session["row"]["session"]["public_id"] == held.public_id
    assert [step["why"] for step in session["steps"]] == ["numbers_queue", "wait_told", "agent_answered"]
    assert session["offer"]["answer"] == "yes"
    assert data["calls"][0]["offers"][0]["situation"]["waiting"] == 4
    assert data["threads"][0]["consents"][0]["prompt"] == "deflect.en.1"
    assert data["not_textable"][0]["reason"] == "landline"
    nobody = await crew.store.read(lambda connection: known(connection, "+15125550999"))
    assert not nobody


ILL = {
    "a state nobody knows": ("UPDATE session SET state = 'lost'", "sessions", "is in a state nobody knows: 'lost'"),
    "an end that is none": ("UPDATE session SET ended_at = 1", "sessions", "is assigned, and its end says otherwise"),
    "a queue that is gone": (
        "UPDATE text_queue SET removed_at = 1 WHERE name = 'Sales'",
        "sessions",
        "is assigned and falls back to a queue that is not there",
    ),
    "nobody has it": (
        "UPDATE session SET agent_id = NULL",
        "sessions",
        "is assigned, and who it is with says otherwise",
    ),
    "who has it left": (
        "UPDATE account SET disabled_at = 1 WHERE login = 'eve'",
        "sessions",
        "is with eve, whose account is closed",
    ),
    "a deadline that passed": (
        "UPDATE session SET due = 'warn', due_at = 1",
        "sessions",
        "waits for warn though its time is over",
    ),
    "a request about what is over": (
        "UPDATE session SET state = 'ended', ended_at = 1, agent_id = NULL",
        "transfers",
        "is ended, and somebody is still asked to take it",
    ),
    "no main queue": (
        "UPDATE text_queue SET main = false",
        "queues",
        "is the queue of everything else, and there are 0 of it",
    ),
}


@pytest.mark.parametrize(("harm", "check", "what"), ILL.values(), ids=ILL)
async def test_what_is_wrong_with_sessions_is_found(crew, harm, check, what):
    await serve(crew)

    def found():
        return [
            (one.check, one.what)
            for _, ailments in Doctor(crew.store.url, NOON + 3600 * DAY).look()
            for one in ailments
        ]

    assert found() == []
    with changing(crew.store.url) as connection:
        connection.exec_driver_sql(harm)
    assert (check, what) in found()


@pytest.mark.parametrize(
    ("harm", "check"),
    [
        pytest.param("UPDATE pair_facts SET consents = ''", "ledger", id="what was said does not hold"),
        pytest.param("DELETE FROM consent_event", "consents", id="what holds was never said"),
    ],
)
async def test_what_holds_is_made_anew_from_the_ledger(crew, harm, check):
    thread = await crew.thread()
    await crew.do(lambda tx: tx.consents.add(thread.id, YES))
    with changing(crew.store.url) as connection:
        connection.exec_driver_sql(harm)
    (ill,) = [one for _, ailments in Doctor(crew.store.url, NOON).look() for one in ailments]
    assert (ill.check, ill.where, ill.cure, ill.id) == (check, thread.public_id, "consents", thread.id)
    words = {"cures": json.dumps([[ill.cure, ill.id, ill.where]])}
    await crew.do(partial(mend_by_words, words, NOON))
    assert [one for _, ailments in Doctor(crew.store.url, NOON).look() for one in ailments] == []
    held = await crew.do(lambda tx: tx.consents.holds(thread.id))
    assert held.holds(TALK, CONVERSATION, NOON) is (check == "ledger")
