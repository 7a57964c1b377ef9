"""What calls do to sessions: who answers has it, a caller who goes keeps their place, and a promised text decides."""

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from ringback.core.calls import CallEnded, FeedBack, FeedLost, Outcome
from ringback.core.messages import Basis, MessageClass, State, Wanted
from ringback.core.sessions import Due, Origin, SessionState, StartType, WaitingOn, Why
from ringback.core.text_queues import AfterHangUp, Plan
from ringback.flow.outbound import submit
from ringback.ports.handsets import Behaviour
from tests.flow.agents import Office, open_for
from tests.flow.world import DID, HOUSE, PAT, SAM, World, a_call, life_of

S = SessionState
MINUTE = timedelta(minutes=1)


@asynccontextmanager
async def an_office(store, clock, folder, plan=None):
    async with World(store, clock, folder).running() as world:
        yield await open_for(world, plan)


async def promise(office: Office, origin: Origin, peer: str = PAT, lasts: timedelta = timedelta(hours=1)):
    """A caller rings, presses a key, and is promised a text, which is queued."""
    call = await office.rings("1", peer)
    now = office.now
    wanted = Wanted(
        did=DID,
        peer=HOUSE.read("", peer),
        text="We go on here.",
        language="en",
        class_=MessageClass.CONVERSATIONAL,
        basis=Basis.CONVERSATION,
        cause="call",
        automatic=False,
        expires_at=now + lasts,
    )
    sent = await office.do(lambda tx: submit(HOUSE, None, wanted, None, now, tx))
    (row,) = await office.ask(f"SELECT id FROM message WHERE public_id = '{sent.message}'")
    await office.accepts(call, origin, text=row["id"])
    return call


async def test_a_caller_who_presses_a_key_has_a_session_with_what_the_call_tells(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        call = await office.rings("1")
        session = await office.accepts(call, Origin.DEFLECTION)
        assert (session.state, session.start, session.origin) == (S.NEW, StartType.CALL_EVENT, Origin.DEFLECTION)
        assert (session.language, session.ivr_path, session.caller_name) == ("es", "main/2", "Pat")
        assert session.in_call
        assert session.due is Due.CALL_LOST
        assert await office.whys() == [Why.CALL_ACCEPTED]


async def test_a_session_that_is_open_gets_the_call_and_keeps_its_agent(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await office.world.says("Is it ready?")
        before = await office.desk.claim(office.bert, (await office.session()).public_id)
        after = await office.accepts(await office.rings("1"), Origin.WAIT_TEXT, "main")
        assert (after.id, after.agent, after.queue, after.in_call) == (
            before.id,
            office.bert.account,
            before.queue,
            True,
        )


@pytest.mark.parametrize("how", ["waits", "set aside"])
async def test_a_session_without_an_agent_goes_to_the_queue_of_the_call(store, clock, tmp_path, how):
    async with an_office(store, clock, tmp_path) as office:
        await office.world.says("Is it ready?")
        if how == "set aside":
            session = await office.desk.claim(office.bert, (await office.session()).public_id)
            await office.desk.dismiss(office.bert, session.public_id)
        after = await office.accepts(await office.rings("1"), Origin.DEFLECTION, "main")
        assert (after.state, after.queue) == (S.QUEUED, (await office.queue("main")).id)


async def test_who_answers_has_the_session_and_keeps_it_after_the_call(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        call = await office.rings("1")
        await office.accepts(call, Origin.WAIT_TEXT)
        await office.world.says("My number is 7.")
        call = await office.picks_up(call, "122")
        session = await office.session()
        assert (session.state, session.agent, session.waiting_on) == (S.ASSIGNED, office.bert.account, WaitingOn.AGENT)
        await office.hangs_up(call)
        session = await office.session()
        assert (session.state, session.agent, session.released_at) == (S.ASSIGNED, office.bert.account, clock.now())
        assert await office.whys() == [Why.CALL_ACCEPTED, Why.LIVE_CALL, Why.AGENT_ANSWERED, Why.CALL_ENDED]
        assert await office.world.decision("1") == ("none", "answered")


async def test_a_call_that_is_handed_on_takes_its_session_along(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        call = await office.rings("1")
        await office.accepts(call, Origin.WAIT_TEXT)
        call = await office.picks_up(call, "122")
        await office.picks_up(call, "121")
        assert (await office.session()).agent == office.anna.account


@pytest.mark.parametrize("phone", ["199", "123"], ids=["a phone of nobody", "a phone of no agent"])
@pytest.mark.parametrize(
    ("wrote", "state"), [(False, S.ENDED), (True, S.QUEUED)], ids=["they wrote nothing", "they wrote"]
)
async def test_what_somebody_else_answered_is_over_unless_they_wrote(store, clock, tmp_path, phone, wrote, state):
    async with an_office(store, clock, tmp_path) as office:
        call = await office.rings("1")
        await office.accepts(call, Origin.WAIT_TEXT)
        if wrote:
            await office.world.says("My number is 7.")
        await office.hangs_up(await office.picks_up(call, phone))
        assert ((await office.session()).state, (await office.whys())[-1]) == (state, Why.CALL_ENDED)


@pytest.mark.parametrize(
    ("origin", "policy", "state"),
    [
        pytest.param(Origin.DEFLECTION, AfterHangUp.CLOSE, S.QUEUED, id="deflected"),
        pytest.param(Origin.WAIT_TEXT, AfterHangUp.QUEUE, S.QUEUED, id="waited, and goes to the queue"),
        pytest.param(Origin.WAIT_TEXT, AfterHangUp.CLOSE, S.ENDED, id="waited, and is closed"),
        pytest.param(Origin.TEXT_BACK, AfterHangUp.CLOSE, S.QUEUED, id="to be texted back"),
    ],
)
async def test_a_caller_who_hangs_up_goes_on_by_text_and_no_rule_texts_them(
    store, clock, tmp_path, origin, policy, state
):
    async with an_office(store, clock, tmp_path, Plan(after_hang_up=policy)) as office:
        call = await office.rings("1")
        await office.accepts(call, origin)
        await office.hangs_up(call)
        assert ((await office.session()).state, (await office.whys())[-1]) == (state, Why.CALLER_HUNG_UP)
        assert await office.world.decision("1") == ("suppress", "on_text")
        assert office.world.handset() == []


async def test_other_callers_are_texted_as_before(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        call = await office.rings("1")
        await office.accepts(call, Origin.DEFLECTION)
        over = replace(call, ended_at=clock.now(), outcome=Outcome.MISSED)
        await office.world.happens(CallEnded(over), *life_of(a_call("2", SAM, clock.now())))
        assert await office.world.decision("1") == ("suppress", "on_text")
        assert await office.world.decision("2") == ("send", "allowed")


async def test_a_key_that_is_heard_of_after_the_call_goes_to_the_queue(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        call = await office.rings("1")
        await office.hangs_up(call)
        session = await office.accepts(call, Origin.DEFLECTION)
        assert (session.state, session.in_call) == (S.QUEUED, False)
        assert await office.whys() == [Why.CALL_ACCEPTED, Why.CALLER_HUNG_UP]


@pytest.mark.parametrize("answered", [False, True], ids=["while they waited", "while they spoke"])
async def test_a_call_that_went_out_of_sight_leaves_its_session_to_somebody(store, clock, tmp_path, answered):
    async with an_office(store, clock, tmp_path) as office:
        call = await office.rings("1")
        await office.accepts(call, Origin.DEFLECTION)
        if answered:
            await office.picks_up(call, "121")
        await office.world.happens(FeedLost("main", clock.now()), FeedBack("main", clock.now(), frozenset()))
        session = await office.session()
        assert (session.state, session.in_call) == (S.ASSIGNED if answered else S.QUEUED, False)
        assert (await office.whys())[-1] is Why.CALL_LOST


async def test_the_end_of_a_call_that_nobody_heard_is_not_waited_for_without_end(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await office.accepts(await office.rings("1"), Origin.DEFLECTION)
        await office.passes(timedelta(hours=4))
        assert ((await office.session()).state, (await office.whys())[-1]) == (S.QUEUED, Why.CALL_LOST)


@pytest.mark.parametrize(
    ("behaviour", "state", "why"),
    [
        pytest.param(Behaviour.DELIVERS, S.NEW, Why.TEXT_SENT, id="the carrier takes it"),
        pytest.param(Behaviour.REFUSES, S.ENDED, Why.TEXT_NOT_SENT, id="the carrier refuses it"),
        pytest.param(Behaviour.SILENT, S.NEW, Why.TEXT_UNCONFIRMED, id="nobody knows"),
    ],
)
async def test_the_first_text_decides(store, clock, tmp_path, behaviour, state, why):
    async with an_office(store, clock, tmp_path) as office:
        office.world.carrier.behave(PAT, behaviour)
        await promise(office, Origin.DEFLECTION)
        office.world.lanes.nudge("main")
        await office.world.settled()
        await office.world.passes(5 * MINUTE)
        assert ((await office.session()).state, (await office.whys())[-1]) == (state, why)


async def test_a_first_text_that_is_not_worth_sending_any_more_is_not_sent(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        office.world.lane.hold("for this test")
        await promise(office, Origin.DEFLECTION, lasts=MINUTE)
        office.world.lanes.nudge("main")
        await office.world.passes(2 * MINUTE)
        story = await office.story()
        assert (story[-1]["why"], story[-1]["detail"]) == (Why.TEXT_NOT_SENT, State.EXPIRED)
        assert (await office.session()).state is S.ENDED


async def test_a_first_text_that_a_gate_refuses_later_is_not_sent(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        office.world.lane.hold("for this test")
        await promise(office, Origin.DEFLECTION)
        await office.do(lambda tx: tx.lists.put(never(PAT, clock.now())))
        office.world.lane.let_go()
        await office.world.settled()
        story = await office.story()
        assert (story[-1]["why"], story[-1]["detail"]) == (Why.TEXT_NOT_SENT, State.REFUSED)


def never(peer, now):
    from ringback.ports.lists import Entry, ListName

    return Entry(ListName.NEVER, peer, "", "", "test", now)


async def test_a_text_that_fails_after_they_hung_up_is_told_to_who_takes_the_session(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        office.world.carrier.behave(PAT, Behaviour.REFUSES)
        call = await promise(office, Origin.DEFLECTION)
        await office.hangs_up(call)
        office.world.lanes.nudge("main")
        await office.world.settled()
        assert ((await office.session()).state, (await office.whys())[-1]) == (S.QUEUED, Why.TEXT_NOT_SENT)


async def test_who_wrote_in_the_call_is_not_dropped_with_the_first_text(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        office.world.carrier.behave(PAT, Behaviour.REFUSES)
        await promise(office, Origin.WAIT_TEXT)
        await office.world.says("Is this the right number?")
        office.world.lanes.nudge("main")
        await office.world.settled()
        assert (await office.session()).state is S.NEW
        assert Why.TEXT_NOT_SENT in await office.whys()


async def test_what_is_in_doubt_after_a_stop_is_told(store, clock, tmp_path):
    from ringback.flow.attempts import recover

    async with an_office(store, clock, tmp_path) as office:
        office.world.lane.hold("for this test")
        await promise(office, Origin.DEFLECTION)
        now = clock.now()

        def die(tx):
            (text,) = tx.outbox.due("main", tx.outbox.levels_due("main", now)[0], now, 1)
            tx.outbox.open_attempt(text, "main", now)

        await office.do(die)
        await office.do(lambda tx: recover("main", now, tx))
        assert (await office.whys())[-1] is Why.TEXT_UNCONFIRMED
