"""What people do with sessions: one of two is quicker, nobody does what they may not, and the story says who."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from ringback.core.grants import ALL_NUMBERS, Cell, Effect, Level, Subject, Way
from ringback.core.permissions import Asker, Principal, Role, at_the_shell
from ringback.core.presence import AtDesk
from ringback.core.sessions import SessionState, StartType, WaitingOn, Why
from ringback.core.text_queues import Plan
from ringback.flow import session_acts as acts
from ringback.flow import sessions
from ringback.flow.people import disable_user
from ringback.flow.permits import Denied, NotThere, Unwritten
from ringback.flow.session_desk import Gone
from ringback.flow.session_leaving import empty_queue, without_rights
from tests.flow.agents import NOTES, Office, open_for
from tests.flow.world import SAM, World

S = SessionState
MINUTE = timedelta(minutes=1)
PLAN = Plan(offer_for=MINUTE, transfer_for=2 * MINUTE, notes=NOTES)
NO_SESSION = "ses_0123456789abcdefghjkmnpqrs"


@asynccontextmanager
async def an_office(store, clock, folder, plan=PLAN):
    async with World(store, clock, folder).running() as world:
        office = await open_for(world, plan)
        await world.says("Is it ready?")
        yield office


async def offer(office: Office, who: Principal) -> str:
    session = await office.session()
    await office.do(lambda tx: sessions.offer(tx.sessions.by_row(session.id), who.account, office.now, tx))
    return session.public_id


async def claimed(office: Office, who: Principal) -> str:
    return (await office.desk.claim(who, (await office.session()).public_id)).public_id


# -- one of two is quicker


async def test_of_two_who_claim_at_once_one_has_it_and_the_other_is_told_who(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        name = (await office.session()).public_id
        results = await asyncio.gather(
            office.desk.claim(office.anna, name), office.desk.claim(office.bert, name), return_exceptions=True
        )
        (lost,) = [result for result in results if isinstance(result, Exception)]
        (won,) = [result for result in results if not isinstance(result, Exception)]
        assert isinstance(lost, Gone)
        assert lost.holds.agent == won.agent == (await office.session()).agent
        assert lost.agent == {office.anna.account: "Desk.anna", office.bert.account: "Desk.bert"}[won.agent]
        assert (await office.whys()).count(Why.CLAIMED) == 1


async def test_claiming_twice_is_claiming_once(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        name = await claimed(office, office.anna)
        assert (await office.desk.claim(office.anna, name)).agent == office.anna.account
        assert (await office.whys()).count(Why.CLAIMED) == 1


async def test_an_offer_that_ends_in_the_moment_it_is_accepted_is_one_or_the_other(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        name = await offer(office, office.anna)
        clock.move(MINUTE)
        accepting = asyncio.ensure_future(office.desk.accept(office.anna, name))
        await asyncio.sleep(0)
        fired, accepted = await asyncio.gather(office.fire(), accepting, return_exceptions=True)
        session = await office.session()
        if isinstance(accepted, Exception):
            assert (session.state, fired.done) == (S.QUEUED, 1)
        else:
            assert (session.state, session.agent, fired.done) == (S.ASSIGNED, office.anna.account, 0)


async def test_who_accepts_too_late_is_told_how_it_is(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        name = await offer(office, office.anna)
        await office.passes(MINUTE)
        with pytest.raises(Gone, match="it is queued now"):
            await office.desk.accept(office.anna, name)


async def test_a_dismissal_that_crosses_a_text_loses_nothing(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        name = await claimed(office, office.anna)
        results = await asyncio.gather(
            office.desk.dismiss(office.anna, name), office.world.says("Wait!"), return_exceptions=True
        )
        assert [result for result in results if isinstance(result, Exception)] == []
        session, whys = await office.session(), await office.whys()
        if whys[-1] is Why.DISMISSED:  # the text was first: it is in the story, and the agent saw it
            assert (session.state, whys[-2], session.waiting_on) == (S.DISMISSED, Why.CLAIMED_BEFORE, WaitingOn.AGENT)
        else:
            assert (session.state, session.agent, whys[-1]) == (S.ASSIGNED, office.anna.account, Why.RETURNED)


async def test_what_is_offered_to_one_is_not_taken_by_another(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        name = await offer(office, office.anna)
        for act in (office.desk.accept, office.desk.decline, office.desk.claim):
            with pytest.raises(Gone, match=r"Desk\.anna has it now"):
                await act(office.bert, name)
        await office.desk.accept(office.anna, name)
        assert (await office.session()).agent == office.anna.account


async def test_who_declines_is_remembered_and_it_waits_on(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        since = (await office.session()).queued_at
        name = await offer(office, office.anna)
        session = await office.desk.decline(office.anna, name)
        assert (session.state, session.queued_at) == (S.QUEUED, since)
        assert await office.do(lambda tx: tx.sessions.declined(session.id, since)) == {office.anna.account}


@pytest.mark.parametrize("act", ["decline", "dismiss", "end", "give_back", "take_back", "accept_transfer"])
async def test_what_is_not_theirs_they_leave_alone(store, clock, tmp_path, act):
    async with an_office(store, clock, tmp_path) as office:
        name = await claimed(office, office.anna)
        with pytest.raises(Gone):
            await getattr(office.desk, act)(office.bert, name)
        with pytest.raises(Gone):
            await office.desk.transfer(office.bert, name, to_agent=office.anna.id)
        assert (await office.session()).agent == office.anna.account


@pytest.mark.parametrize("act", ["claim", "accept", "decline", "dismiss", "end", "give_back", "take_over"])
async def test_what_is_over_stays_so(store, clock, tmp_path, act):
    async with an_office(store, clock, tmp_path) as office:
        await claimed(office, office.boss)
        name = (await office.desk.end(office.boss, (await office.session()).public_id)).public_id
        before = await office.whys()
        with pytest.raises(Gone, match="it is ended now"):
            await getattr(office.desk, act)(office.boss, name)
        assert await office.whys() == before


# -- answers


async def test_who_answers_has_the_session(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await office.replies(office.bert)
        session = await office.session()
        assert (session.state, session.agent, session.waiting_on) == (
            S.ASSIGNED,
            office.bert.account,
            WaitingOn.CUSTOMER,
        )
        assert session.replied_at == clock.now()


async def test_an_answer_takes_what_is_offered_to_another(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        name = await offer(office, office.anna)
        await office.replies(office.bert)
        session = await office.session()
        assert (session.agent, session.offered_to) == (office.bert.account, None)
        with pytest.raises(Gone, match=r"Desk\.bert has it now"):
            await office.desk.accept(office.anna, name)


async def test_an_answer_to_what_another_has_goes_and_the_story_says_who(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await claimed(office, office.anna)
        await office.replies(office.bert)
        session, story = await office.session(), await office.story()
        assert (session.agent, session.waiting_on) == (office.anna.account, WaitingOn.CUSTOMER)
        assert (story[-1]["why"], story[-1]["agent_id"], story[-1]["by_"]) == (
            Why.ANSWERED_BESIDE,
            office.bert.account,
            office.bert.label,
        )


async def test_the_first_answer_stays_the_first(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await office.replies(office.anna)
        first = clock.now()
        await office.passes(MINUTE)
        await office.replies(office.anna, "And one more thing")
        assert (await office.session()).replied_at == first


async def test_who_wraps_up_and_writes_once_more_goes_on(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await office.plan(wrap_up=MINUTE)
        await office.desk.end(office.anna, await claimed(office, office.anna))
        assert (await office.session()).state is S.WRAP_UP
        await office.replies(office.anna, "Sorry, one more thing")
        assert (await office.session()).state is S.ASSIGNED


async def test_an_answer_of_somebody_who_is_no_agent_leaves_it_in_the_queue(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await office.replies(office.boss)
        session = await office.session()
        assert (session.state, session.waiting_on) == (S.QUEUED, WaitingOn.CUSTOMER)
        assert (await office.story())[-1]["by_"] == office.boss.label


async def test_an_agent_who_writes_first_gets_the_answer(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await office.replies(office.anna, "Your car is ready", peer=SAM)
        session = await office.session(peer=SAM)
        assert (session.start, session.state, session.agent) == (StartType.MANUAL, S.ASSIGNED, office.anna.account)
        await office.world.says("Thank you!", sender=SAM)
        assert ((await office.session(peer=SAM)).agent, (await office.whys(peer=SAM))[-1]) == (
            office.anna.account,
            Why.CLAIMED_BEFORE,
        )


# -- handing on


async def test_it_stays_with_who_asks_until_the_other_takes_it(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        name = await claimed(office, office.anna)
        await office.desk.transfer(office.anna, name, to_agent=office.bert.id, note=" you know them ")
        assert (await office.session()).agent == office.anna.account
        (asked,) = await office.do(lambda tx: tx.sessions.transfers_to(office.bert.account))
        assert (asked.note, asked.due_at) == ("you know them", clock.now() + 2 * MINUTE)
        await office.desk.accept_transfer(office.bert, name)
        await office.world.settled()
        assert (await office.session()).agent == office.bert.account
        assert (await office.ask("SELECT state FROM transfer")) == [{"state": "completed"}]
        assert office.world.handset()[-1] == "transferred of sales"
        assert (await office.whys())[-2:] == [Why.TRANSFER_ASKED, Why.TRANSFER_ACCEPTED]


async def test_whoever_serves_the_queue_may_take_what_it_is_asked_to_take(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        now = clock.now()

        def step(tx):
            bills = tx.queues.make("bills", Plan(), now)
            tx.queues.put_members(bills, [office.bert.account], now)
            return bills

        bills = await office.do(step)
        name = await claimed(office, office.anna)
        await office.desk.transfer(office.anna, name, to_queue=bills.public_id)
        with pytest.raises(Gone):
            await office.desk.accept_transfer(office.boss, name)
        with pytest.raises(Gone):
            await office.desk.decline_transfer(office.bert, name)
        moved = await office.desk.accept_transfer(office.bert, name)
        assert (moved.agent, moved.queue) == (office.bert.account, bills.id)


async def test_what_a_queue_without_members_is_asked_anybody_may_take(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        bills = await office.do(lambda tx: tx.queues.make("bills", Plan(), clock.now()))
        name = await claimed(office, office.anna)
        await office.desk.transfer(office.anna, name, to_queue=bills.public_id)
        moved = await office.desk.accept_transfer(office.bert, name)
        assert (moved.agent, moved.queue) == (office.bert.account, bills.id)


@pytest.mark.parametrize(
    ("act", "who", "why"),
    [
        ("decline_transfer", "bert", Why.TRANSFER_DECLINED),
        ("take_back", "anna", Why.TRANSFER_TAKEN_BACK),
        ("give_back", "anna", Why.GIVEN_BACK),
        ("dismiss", "anna", Why.DISMISSED),
        ("end", "anna", Why.ENDED),
        ("take_over", "boss", Why.TAKEN_OVER),
    ],
)
async def test_a_request_ends_with_what_becomes_of_the_session(store, clock, tmp_path, act, who, why):
    async with an_office(store, clock, tmp_path) as office:
        name = await claimed(office, office.anna)
        await office.desk.transfer(office.anna, name, to_agent=office.bert.id)
        await getattr(office.desk, act)(getattr(office, who), name)
        assert (await office.ask("SELECT state, why FROM transfer")) == [{"state": "failed", "why": str(why)}]
        with pytest.raises(Gone):
            await office.desk.accept_transfer(office.bert, name)


@pytest.mark.parametrize(
    "to", [pytest.param("anna", id="oneself"), pytest.param("boss", id="no agent"), pytest.param("", id="nobody")]
)
async def test_it_is_handed_to_agents_who_may_have_it_and_to_no_others(store, clock, tmp_path, to):
    async with an_office(store, clock, tmp_path) as office:
        name = await claimed(office, office.anna)
        with pytest.raises(Unwritten):
            await office.desk.transfer(office.anna, name, to_agent=getattr(office, to).id if to else "")
        assert await office.ask("SELECT * FROM transfer") == []


# -- who may what


async def test_who_takes_no_sessions_may_do_nothing_to_them(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        name = (await office.session()).public_id
        reader = Principal(Asker.USER, "usr_x", "X", frozenset({Role.AUDITOR}), account=1)
        for act in ("claim", "accept", "decline", "dismiss", "end", "give_back", "take_back", "accept_transfer"):
            with pytest.raises(Denied):
                await getattr(office.desk, act)(reader, name)
        with pytest.raises(Denied):
            await office.desk.be(reader, AtDesk.READY)


async def test_what_is_for_supervisors_is_not_for_agents(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        name = await claimed(office, office.bert)
        with pytest.raises(Denied):
            await office.desk.take_over(office.anna, name)
        with pytest.raises(Denied):
            await office.desk.reassign(office.anna, name, office.anna.id)
        with pytest.raises(Denied):
            await office.desk.send_away(office.anna, office.bert.id)
        assert (await office.session()).agent == office.bert.account


async def deny(office: Office, who: Principal, way: Way) -> None:
    cell = Cell(Subject(Level.USER, who.account), way, ALL_NUMBERS)
    await office.do(lambda tx: tx.grants.put(cell, Effect.DENY, "for this test", "chg_t", "test", office.now))


async def test_who_may_not_text_from_the_number_cannot_have_its_sessions(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        name = (await office.session()).public_id
        await deny(office, office.anna, Way.SEND)
        with pytest.raises(Denied):
            await office.desk.claim(office.anna, name)
        with pytest.raises(Unwritten):
            await office.desk.reassign(office.boss, name, office.anna.id)


async def test_what_they_may_not_see_is_not_there(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        name = (await office.session()).public_id
        await deny(office, office.anna, Way.RECEIVE)
        for missing in (name, NO_SESSION):
            with pytest.raises(NotThere, match=f"there is no session {missing}"):
                await office.desk.claim(office.anna, missing)
        with pytest.raises(NotThere):
            await office.desk.claim(office.bert, "msg_0123456789abcdefghjkmnpqrs")


async def test_a_supervisor_takes_over_and_gives_on_and_both_are_in_the_record(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        name = await claimed(office, office.anna)
        taken = await office.desk.take_over(office.boss, name)
        assert (taken.agent, taken.state) == (office.boss.account, S.ASSIGNED)
        given = await office.desk.reassign(office.boss, name, office.bert.id)
        assert given.agent == office.bert.account
        assert (await office.whys())[-2:] == [Why.TAKEN_OVER, Why.REASSIGNED]
        assert await office.ask(f"SELECT who, action, about FROM audit WHERE about = '{name}' ORDER BY id") == [
            {"who": office.boss.label, "action": "session_take_over", "about": name},
            {"who": office.boss.label, "action": "session_reassign", "about": name},
        ]


async def test_who_is_sent_away_leaves_what_they_have_to_the_queue(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await claimed(office, office.anna)
        await office.desk.send_away(office.boss, office.anna.id)
        assert ((await office.session()).state, (await office.whys())[-1]) == (S.QUEUED, Why.AGENT_SENT_AWAY)
        assert (await office.do(lambda tx: tx.queues.agent(office.anna.account))).desk is AtDesk.AWAY
        assert office.roll.touched == 1
        assert await office.ask("SELECT about FROM audit WHERE action = 'agent_send_away'") == [
            {"about": office.anna.id}
        ]
        with pytest.raises(NotThere):
            await office.desk.send_away(office.boss, office.boss.id)


async def test_agents_say_that_they_are_away_and_back(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        for desk in (AtDesk.AWAY, AtDesk.READY):
            await office.desk.be(office.anna, desk)
            assert (await office.do(lambda tx: tx.queues.agent(office.anna.account))).desk is desk
        assert office.roll.touched == 2


async def test_the_shell_has_no_sessions(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        name = (await office.session()).public_id
        with pytest.raises(Denied):
            await office.do(lambda tx: acts.claim(at_the_shell("pat"), name, clock.now(), tx))


# -- agents and queues that go


async def test_who_is_disabled_leaves_everything_in_that_very_transaction(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        name = await claimed(office, office.bert)
        await office.desk.transfer(office.bert, name, to_agent=office.anna.id)
        await office.replies(office.anna, "Hello", peer=SAM)
        await office.do(lambda tx: disable_user(office.anna.id, "test", clock.now(), tx))
        session = await office.session(peer=SAM)
        assert (session.state, (await office.whys(peer=SAM))[-1]) == (S.QUEUED, Why.AGENT_MAY_NOT)
        assert (await office.ask("SELECT state, why FROM transfer")) == [{"state": "failed", "why": "agent_may_not"}]
        assert (await office.session()).agent == office.bert.account


async def test_what_was_only_being_finished_is_over_with_its_agent(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await office.plan(wrap_up=MINUTE)
        await office.desk.end(office.anna, await claimed(office, office.anna))
        await office.desk.send_away(office.boss, office.anna.id)
        assert ((await office.session()).state, (await office.whys())[-1]) == (S.ENDED, Why.WRAP_UP_OVER)


async def test_a_right_that_is_revoked_takes_the_session_away(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await claimed(office, office.anna)
        await deny(office, office.anna, Way.SEND)
        assert await office.do(lambda tx: without_rights(clock.now(), tx)) == 1
        assert ((await office.session()).state, (await office.whys())[-1]) == (S.QUEUED, Why.AGENT_MAY_NOT)
        assert await office.do(lambda tx: without_rights(clock.now(), tx)) == 0


async def test_a_queue_that_is_removed_leaves_its_sessions_to_the_main_one(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await office.world.says("Hello", sender=SAM)
        name = (await office.desk.claim(office.anna, (await office.session(peer=SAM)).public_id)).public_id
        sales, main = await office.queue(), await office.queue("main")
        await office.desk.transfer(office.anna, name, to_queue=sales.public_id)
        since = (await office.session()).queued_at

        def step(tx):
            left = empty_queue(sales, clock.now(), tx, "test")
            tx.queues.remove(sales, clock.now())
            return left

        assert await office.do(step) == 2
        waits, theirs = await office.session(), await office.session(peer=SAM)
        assert (waits.state, waits.queue, waits.queued_at) == (S.QUEUED, main.id, since)
        assert (theirs.state, theirs.queue, theirs.agent) == (S.ASSIGNED, main.id, office.anna.account)
        assert (await office.ask("SELECT state, why FROM transfer")) == [{"state": "failed", "why": "queue_removed"}]
        await office.world.says("And now?")
        assert (await office.session()).queue == main.id


async def test_a_step_that_fails_leaves_nothing_behind(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        name = (await office.session()).public_id

        def step(tx):
            acts.claim(office.anna, name, clock.now(), tx)
            raise RuntimeError("for this test")

        with pytest.raises(RuntimeError):
            await office.do(step)
        assert await office.whys() == [Why.NUMBERS_QUEUE]
        assert (await office.desk.claim(office.bert, name)).agent == office.bert.account
