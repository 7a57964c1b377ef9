"""Where a text goes: live call, claimed session, dismissed session, the queue of the number. Each with its reason."""

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest

from ringback.core.presence import AtDesk
from ringback.core.schedules import Calendar, Span
from ringback.core.sessions import Due, Session, SessionState, StartType, WaitingOn, Why
from ringback.core.text_queues import Note, Plan
from ringback.flow.routing import Known, place
from tests.conftest import NOON
from tests.flow.agents import NOTES, open_for
from tests.flow.world import DID, HOUSE, OTHER_DID, PAT, SAM, World

S = SessionState
HOUR = timedelta(hours=1)
OPEN_SESSION = Session(1, "ses_1", 1, DID, PAT, S.QUEUED, 1, StartType.AUTO, NOON - HOUR, NOON - HOUR)


@pytest.mark.parametrize(
    ("change", "known", "expected"),
    [
        pytest.param({}, Known(), (S.QUEUED, None, Why.NUMBERS_QUEUE), id="it waits already"),
        pytest.param(
            {"state": S.OFFERED, "offered_to": 2}, Known(), (S.OFFERED, None, Why.NUMBERS_QUEUE), id="offered"
        ),
        pytest.param({"state": S.NEW}, Known(7), (S.NEW, None, Why.LIVE_CALL), id="they wait in a call"),
        pytest.param(
            {"state": S.ASSIGNED, "agent": 2}, Known(), (S.ASSIGNED, 2, Why.CLAIMED_BEFORE), id="an agent has it"
        ),
        pytest.param(
            {"state": S.WRAP_UP, "agent": 2}, Known(), (S.ASSIGNED, 2, Why.CLAIMED_BEFORE), id="was all but over"
        ),
        pytest.param(
            {"state": S.ASSIGNED, "agent": 2}, Known(7), (S.ASSIGNED, 2, Why.CLAIMED_BEFORE), id="nobody answered"
        ),
        pytest.param(
            {"state": S.ASSIGNED, "agent": 2}, Known(7, 3), (S.ASSIGNED, 3, Why.LIVE_CALL), id="speaks with another"
        ),
        pytest.param({}, Known(7, 3), (S.ASSIGNED, 3, Why.LIVE_CALL), id="speaks with somebody"),
        pytest.param(
            {"state": S.DISMISSED, "agent": 2}, Known(had_it=2), (S.ASSIGNED, 2, Why.RETURNED), id="back to them"
        ),
        pytest.param(
            {"state": S.DISMISSED, "agent": 2}, Known(), (S.QUEUED, None, Why.RETURNED), id="back to the queue"
        ),
        pytest.param({"state": S.DISMISSED}, Known(7, 3, 2), (S.ASSIGNED, 3, Why.LIVE_CALL), id="the call comes first"),
    ],
)
def test_place(change, known, expected):
    new, why = place(replace(OPEN_SESSION, queued_at=NOON - HOUR, **change), known, NOON)
    assert (new.state, new.agent, why) == expected
    assert new.waiting_on is WaitingOn.AGENT
    assert new.call == known.call


@asynccontextmanager
async def an_office(store, clock, folder, house=HOUSE, plan=None):
    async with World(store, clock, folder, house).running() as world:
        yield await open_for(world, plan)


async def test_a_text_waits_in_the_queue_of_its_number(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await office.world.says("Is it ready?")
        await office.world.says("Hello?", to=OTHER_DID)
        sales, main = await office.session(), await office.session(OTHER_DID)
        assert (sales.state, sales.queue, sales.start) == (S.QUEUED, (await office.queue()).id, StartType.AUTO)
        assert (main.state, main.queue) == (S.QUEUED, (await office.queue("main")).id)
        assert (sales.due, sales.due_at) == (Due.QUEUED_EXPIRY, clock.now() + timedelta(hours=24))
        assert sales.waiting_on is WaitingOn.AGENT


async def test_each_text_stands_in_the_story_with_what_decided(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await office.world.says("Is it ready?")
        await office.world.says("Hello?")
        texts = [row["public_id"] for row in await office.ask("SELECT public_id FROM incoming ORDER BY id")]
        story = await office.story()
        assert [(row["why"], row["detail"]) for row in story] == [("numbers_queue", text) for text in texts]


async def test_a_text_goes_to_the_agent_who_has_the_session(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await office.world.says("Is it ready?")
        await office.desk.claim(office.anna, (await office.session()).public_id)
        await office.replies(office.anna)
        assert (await office.session()).waiting_on is WaitingOn.CUSTOMER
        await office.world.says("Thank you. When?")
        session = await office.session()
        assert (session.state, session.agent, session.waiting_on) == (S.ASSIGNED, office.anna.account, WaitingOn.AGENT)
        assert (await office.whys())[-1] is Why.CLAIMED_BEFORE


async def test_who_speaks_with_them_has_their_text_whoever_had_it_before(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await office.world.says("Is it ready?")
        await office.desk.claim(office.bert, (await office.session()).public_id)
        call = await office.picks_up(await office.rings("1"), "121")
        assert (await office.session()).agent == office.bert.account
        await office.world.says("I told you on the phone: this is the address.")
        session = await office.session()
        assert (session.agent, (await office.whys())[-1], session.in_call) == (office.anna.account, Why.LIVE_CALL, True)
        await office.hangs_up(call)
        assert (await office.session()).agent == office.anna.account
        assert not (await office.session()).in_call


async def test_a_first_text_in_a_call_opens_the_session_with_who_speaks(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await office.picks_up(await office.rings("1"), "122")
        await office.world.says("This is the address.")
        session = await office.session()
        assert (session.state, session.agent, session.in_call) == (S.ASSIGNED, office.bert.account, True)
        assert await office.whys() == [Why.LIVE_CALL, Why.LIVE_CALL]


async def test_a_text_of_a_caller_who_waits_is_for_who_answers(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        call = await office.rings("1")
        await office.world.says("I wait in your queue.")
        assert (await office.session()).state is S.NEW
        await office.picks_up(call, "121")
        session = await office.session()
        assert (session.state, session.agent) == (S.ASSIGNED, office.anna.account)
        assert await office.whys() == [Why.LIVE_CALL, Why.AGENT_ANSWERED]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"caller": SAM}, id="somebody else's call"),
        pytest.param({"did": OTHER_DID}, id="a call to another number of ours"),
    ],
)
async def test_another_call_decides_nothing(store, clock, tmp_path, change):
    async with an_office(store, clock, tmp_path) as office:
        await office.picks_up(await office.rings("1", **change), "121")
        await office.world.says("Is it ready?")
        assert (await office.session()).state is S.QUEUED
        assert await office.whys() == [Why.NUMBERS_QUEUE]


async def test_a_call_that_is_over_decides_nothing(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await office.hangs_up(await office.picks_up(await office.rings("1"), "121"))
        await office.world.says("Is it ready?")
        assert await office.whys() == [Why.NUMBERS_QUEUE]


async def test_a_phone_of_nobody_leaves_the_session_with_the_call(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await office.picks_up(await office.rings("1"), "199")
        await office.world.says("Is it ready?")
        assert (await office.session()).state is S.NEW


@pytest.mark.parametrize(
    ("left", "state"),
    [
        pytest.param("stays", S.ASSIGNED, id="to the same agent"),
        pytest.param("is away", S.QUEUED, id="to the queue if they are away"),
        pytest.param("works here no more", S.QUEUED, id="to the queue if they are gone"),
    ],
)
async def test_whoever_writes_after_it_was_dismissed_is_answered_and_comes_back(store, clock, tmp_path, left, state):
    async with an_office(store, clock, tmp_path, plan=Plan(notes=NOTES)) as office:
        await office.world.says("Is it ready?")
        session = await office.desk.claim(office.anna, (await office.session()).public_id)
        await office.desk.dismiss(office.anna, session.public_id)
        if left == "is away":
            await office.desk.be(office.anna, AtDesk.AWAY)
        elif left == "works here no more":
            await office.do(lambda tx: tx.accounts.disable(office.anna.account, clock.now()))
        await office.world.says("One more thing")
        session = await office.session()
        assert (session.state, (await office.whys())[-1]) == (state, Why.RETURNED)
        assert session.agent == (office.anna.account if state is S.ASSIGNED else None)
        assert office.world.handset()[-1] == "dismissed of sales"


async def test_stop_ends_the_session_and_start_opens_none(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await office.world.says("Is it ready?")
        first = await office.session()
        await office.world.says("STOP")
        assert (await office.session()).state is S.OPTED_OUT
        await office.world.says("START")
        assert (await office.session()).id == first.id
        await office.world.says("Is it ready now?")
        again = await office.session()
        assert (again.state, again.id > first.id) == (S.QUEUED, True)


@pytest.mark.parametrize("text", ["leave me alone", "START"], ids=["perhaps an opt-out", "no opt-out to lift"])
async def test_what_is_no_sure_command_is_for_an_agent(store, clock, tmp_path, text):
    async with an_office(store, clock, tmp_path) as office:
        await office.world.says(text)
        assert (await office.session()).state is S.QUEUED


async def test_help_is_answered_and_opens_nothing(store, clock, tmp_path):
    async with an_office(store, clock, tmp_path) as office:
        await office.world.says("HELP")
        assert await office.ask("SELECT * FROM session") == []


NIGHT = Calendar("day", ZoneInfo("UTC"), tuple(Span(day, time(8), time(12)) for day in range(7)))


async def test_who_writes_out_of_hours_is_told_once_and_an_hour_later_again(store, clock, tmp_path):
    plan = Plan(notes={Note.OUT_OF_HOURS: {"en": "We are closed."}}, calendar="day")
    async with an_office(store, clock, tmp_path, replace(HOUSE, calendars={"day": NIGHT}), plan) as office:
        await office.world.says("Is it ready?")
        await office.world.says("Hello?")
        assert office.world.handset() == ["We are closed."]
        assert (await office.whys()).count(Why.OUT_OF_HOURS) == 1
        await office.passes(timedelta(minutes=61))
        assert office.world.handset() == ["We are closed."]
        await office.world.says("Anybody?")
        assert office.world.handset() == ["We are closed."] * 2


async def test_pieces_that_never_came_whole_find_an_agent_too(store, clock, tmp_path):
    from ringback.flow.inbound import PARTS_WITHIN, show_what_came
    from ringback.ports import Piece

    async with an_office(store, clock, tmp_path) as office:
        await office.world.says("The first half", piece=Piece("a", 1, 2))
        assert await office.ask("SELECT * FROM session") == []
        clock.move(PARTS_WITHIN + timedelta(seconds=1))
        await office.do(lambda tx: show_what_came(HOUSE, clock.now(), tx))
        assert (await office.session()).state is S.QUEUED
