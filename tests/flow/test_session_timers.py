"""What happens to sessions by itself, across restarts: deadlines, requests nobody answers, and a word to who waits."""

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from ringback.core.presence import Presence
from ringback.core.sessions import Due, SessionState, WaitingOn, Why
from ringback.core.text_queues import Note, Plan
from ringback.flow import sessions
from ringback.flow.session_timers import AT_ONCE, fire_due
from ringback.store.database import Database
from tests.flow.agents import NOTES, Office, open_for
from tests.flow.world import PAT, SAM, World

S = SessionState
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
PLAN = Plan(
    offer_for=MINUTE,
    queued_expiry=2 * HOUR,
    agent_idle=5 * MINUTE,
    customer_idle=HOUR,
    warn_before=10 * MINUTE,
    dismissed_for=30 * MINUTE,
    wrap_up=2 * MINUTE,
    transfer_for=3 * MINUTE,
    notes=NOTES,
)


@asynccontextmanager
async def an_office(store, clock, folder, plan=PLAN):
    async with World(store, clock, folder).running() as world:
        yield await open_for(world, plan)


async def wait_in_queue(office: Office) -> None:
    await office.world.says("Is it ready?")


async def be_offered(office: Office) -> None:
    await office.world.says("Is it ready?")
    session = await office.session()
    now = office.now
    await office.do(lambda tx: sessions.offer(tx.sessions.by_row(session.id), office.anna.account, now, tx))


async def be_claimed(office: Office) -> None:
    await office.world.says("Is it ready?")
    await office.desk.claim(office.anna, (await office.session()).public_id)


async def be_answered(office: Office) -> None:
    await be_claimed(office)
    await office.replies(office.anna)


async def be_dismissed(office: Office) -> None:
    await be_claimed(office)
    await office.desk.dismiss(office.anna, (await office.session()).public_id)


async def be_ended(office: Office) -> None:
    await be_claimed(office)
    await office.desk.end(office.anna, (await office.session()).public_id)


@pytest.mark.parametrize(
    ("begin", "due", "after", "state", "why"),
    [
        pytest.param(wait_in_queue, Due.QUEUED_EXPIRY, 2 * HOUR, S.EXPIRED, Why.QUEUED_EXPIRY, id="nobody took it"),
        pytest.param(be_offered, Due.OFFER_OVER, MINUTE, S.QUEUED, Why.OFFER_OVER, id="not accepted in time"),
        pytest.param(be_claimed, Due.AGENT_IDLE, 5 * MINUTE, S.QUEUED, Why.AGENT_IDLE, id="the agent does not write"),
        pytest.param(
            be_answered, Due.WARN, 50 * MINUTE, S.ASSIGNED, Why.WARNED, id="they do not write, and are warned"
        ),
        pytest.param(
            be_dismissed, Due.DISMISSED_OVER, 30 * MINUTE, S.ENDED, Why.DISMISSED_OVER, id="set aside for good"
        ),
        pytest.param(be_ended, Due.WRAP_UP_OVER, 2 * MINUTE, S.ENDED, Why.WRAP_UP_OVER, id="wrapped up"),
    ],
)
async def test_a_deadline_fires_when_it_has_come_and_not_before(store, clock, tmp_path, begin, due, after, state, why):
    async with an_office(store, clock, tmp_path) as office:
        await begin(office)
        before = await office.session()
        assert (before.due, before.due_at) == (due, clock.now() + after)
        assert (await office.passes(after - SECOND)).done == 0
        assert (await office.passes(SECOND)).done == 1
        assert ((await office.session()).state, (await office.whys())[-1]) == (state, why)


@pytest.mark.parametrize("begin", [wait_in_queue, be_offered, be_claimed, be_answered, be_dismissed, be_ended])
async def test_a_deadline_that_came_while_nobody_ran_fires_at_the_next_start(store, clock, tmp_path, begin):
    async with an_office(store, clock, tmp_path) as office:
        await begin(office)
        before = await office.session()
    await store.close()
    clock.move(before.due_at - clock.now() + timedelta(days=2))
    anew = Database(store.url, clock)
    await anew.open()
    async with World(anew, clock, tmp_path).running() as world:
        assert await anew.commit(lambda tx: tx.sessions.next_due()) == before.due_at
        fired = await anew.commit(lambda tx: fire_due(world.house, {}, clock.now(), tx))
        assert fired.done == 1
        after = await anew.commit(lambda tx: tx.sessions.by_row(before.id))
        assert after.state is not before.state or after.due is Due.CUSTOMER_IDLE
    await anew.close()


async def test_who_does_not_write_after_the_warning_is_set_aside_and_then_it_is_over(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await be_answered(office)
        await office.passes(50 * MINUTE)
        session = await office.session()
        assert office.world.handset()[-1] == "warning of sales"
        assert (session.due, session.due_at) == (Due.CUSTOMER_IDLE, clock.now() + 10 * MINUTE)
        await office.passes(10 * MINUTE)
        session = await office.session()
        assert (session.state, session.agent) == (S.DISMISSED, office.anna.account)
        assert office.world.handset()[-1] == "closed of sales"
        await office.passes(30 * MINUTE)
        assert (await office.session()).state is S.ENDED
        assert (await office.whys())[-3:] == [Why.WARNED, Why.CUSTOMER_IDLE, Why.DISMISSED_OVER]


async def test_who_writes_after_the_warning_has_all_the_time_again(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await be_answered(office)
        await office.passes(50 * MINUTE)
        await office.world.says("Yes, a moment")
        assert (await office.session()).due is Due.AGENT_IDLE
        await office.replies(office.anna, "Take your time")
        assert (await office.session()).due_at == clock.now() + 50 * MINUTE


async def test_more_texts_do_not_put_off_that_an_agent_is_slow(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await be_claimed(office)
        due_at = (await office.session()).due_at
        await office.passes(4 * MINUTE)
        await office.world.says("Hello?")
        assert (await office.session()).due_at == due_at
        await office.passes(MINUTE)
        session = await office.session()
        assert (session.state, session.agent, session.queued_at) == (S.QUEUED, None, clock.now())


async def test_an_offer_that_nobody_took_keeps_its_place_in_the_queue(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await be_offered(office)
        since = (await office.session()).queued_at
        await office.passes(MINUTE)
        session = await office.session()
        assert (session.state, session.queued_at) == (S.QUEUED, since)
        (line,) = [row for row in await office.story() if row["why"] == Why.OFFER_OVER]
        assert line["agent_id"] == office.anna.account


async def test_a_request_that_nobody_answers_ends_and_the_session_stays(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await be_answered(office)
        session = await office.session()
        await office.desk.transfer(office.anna, session.public_id, to_agent=office.bert.id, note="you know them")
        await office.passes(3 * MINUTE - SECOND)
        assert (await office.ask("SELECT state FROM transfer")) == [{"state": "requested"}]
        await office.passes(SECOND)
        assert (await office.ask("SELECT state, why FROM transfer")) == [
            {"state": "timed_out", "why": "transfer_timed_out"}
        ]
        session = await office.session()
        assert (session.state, session.agent) == (S.ASSIGNED, office.anna.account)
        assert (await office.whys())[-1] is Why.TRANSFER_TIMED_OUT


async def test_more_deadlines_than_one_transaction_sees_to_are_all_seen_to(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path, Plan(queued_expiry=HOUR)) as office:
        now = clock.now()

        def fill(tx):
            queue = tx.queues.all().named("sales")
            for number in range(AT_ONCE + 5):
                thread = tx.pairs.thread("+12025550101", f"+1512556{number:04}", now)
                begun = sessions.Begun(sessions.StartType.AUTO, Why.NUMBERS_QUEUE)
                sessions.open_queued(thread, queue, begun, now, tx)

        await office.do(fill)
        clock.move(HOUR)
        first = await office.fire()
        assert (first.done, first.more) == (AT_ONCE, True)
        rest = await office.fire()
        assert (rest.done, rest.more) == (5, False)


# -- a word to who waits


@pytest.mark.parametrize(
    ("presence", "told"),
    [
        pytest.param(Presence.READY, False, id="somebody is free"),
        pytest.param(Presence.ON_CALL, False, id="somebody who speaks has room for one"),
        pytest.param(Presence.AWAY, True, id="all are away"),
        pytest.param(Presence.LOGGED_OUT, True, id="nobody is here"),
    ],
)
async def test_who_waits_while_nobody_is_free_is_told_so_once(store, clock, tmp_path, presence, told):
    async with an_office(store, clock, tmp_path) as office:
        await wait_in_queue(office)
        await office.fire(office.here(presence))
        await office.fire(office.here(presence))
        assert office.world.handset() == ["wait of sales"] * told
        assert (await office.whys()).count(Why.WAIT_TOLD) == told


async def test_they_are_told_again_after_an_hour_only_when_they_write(store, clock, tmp_path):
    nobody = {}
    async with an_office(store, clock, tmp_path) as office:
        await wait_in_queue(office)
        await office.fire(nobody)
        await office.world.says("Hello?")
        await office.passes(61 * MINUTE, nobody)
        assert len(office.world.handset()) == 1
        await office.world.says("Is anybody there?")
        await office.fire(nobody)
        assert office.world.handset() == ["wait of sales"] * 2


async def test_agents_who_carry_all_they_can_are_not_free(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        for who in (office.anna, office.bert):
            await office.do(
                lambda tx, who=who: tx.queues.set_up(who.account, 1, 1, follows_phone=True, now=clock.now())
            )
        for who, peer in ((office.anna, SAM), (office.bert, "+15125550125")):
            await office.world.says("Hello", sender=peer)
            await office.desk.claim(who, (await office.session(peer=peer)).public_id)
        await wait_in_queue(office)
        await office.fire()
        assert office.world.handset(PAT) == ["wait of sales"]


async def test_nobody_is_told_to_wait_whom_somebody_answered(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await be_answered(office)
        await office.desk.give_back(office.anna, (await office.session()).public_id)
        assert (await office.session()).waiting_on is WaitingOn.CUSTOMER
        await office.fire({})
        assert Why.WAIT_TOLD not in await office.whys()


async def test_a_queue_that_says_nothing_tells_nobody(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path, Plan(notes={Note.CLOSED: {"en": "Bye"}})) as office:
        await wait_in_queue(office)
        await office.fire({})
        assert office.world.handset() == []
        assert (await office.session()).wait_told_at is None
