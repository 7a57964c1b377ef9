"""Giving sessions to agents and taking them back, on a real database: step by step, and with the part that runs."""

import asyncio
from collections.abc import Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from itertools import count

import pytest

from ringback.core.grants import ALL_NUMBERS, Cell, Effect, Level, Subject, Way
from ringback.core.permissions import Role
from ringback.core.presence import AgentNow, Presence
from ringback.core.schedules import Calendar
from ringback.core.sessions import Session, SessionState, StartType, WaitingOn, Why
from ringback.core.text_queues import Note, Plan, Strategy, TextQueue
from ringback.core.voice_queues import DeviceState
from ringback.flow import sessions
from ringback.flow.giving import AT_ONCE, LOOKED_AT, REST, calls_for, give, take_from_gone
from ringback.flow.presence import Permitted, Roll
from ringback.flow.serving import Serving, serve
from ringback.flow.sessions import Begun
from ringback.ports.changes import GRANTS, Touch
from ringback.ports.people import Contact
from ringback.ports.storage import Tx
from ringback.store.database import Database
from ringback.store.tx import Runner
from tests.conftest import NOON
from tests.fakes.exchange import FakeExchange
from tests.fakes.grants import let_everyone
from tests.fakes.hand_clock import HandClock
from tests.flow.world import DID, HOUSE, OTHER_DID

ANNA, BERT, CARA = 1, 2, 3
MINUTE = timedelta(minutes=1)
BEGUN = Begun(StartType.AUTO, Why.NUMBERS_QUEUE)


@dataclass
class Office:
    """Three agents with room for three, a queue that gives by idleness, and people who write."""

    store: Database
    clock: HandClock
    present: dict[int, AgentNow] = field(default_factory=dict)
    house: object = HOUSE
    _people: Iterable[int] = field(default_factory=lambda: count(1))

    def here(self, *accounts: int, presence: Presence = Presence.READY, **more) -> None:
        for account in accounts:
            self.present[account] = AgentNow(account, presence, self.clock.now(), **more)

    async def does(self, step):
        return await self.store.commit(step)

    async def queue(self, name: str = "help", members=(ANNA, BERT, CARA), **plan) -> TextQueue:
        plan = Plan(**{"strategy": Strategy.LONGEST_IDLE, **plan})

        def made(tx: Tx) -> TextQueue:
            queue = tx.queues.make(name, plan, self.clock.now())
            tx.queues.put_members(queue, members, self.clock.now())
            return tx.queues.all().get(queue.id)

        return await self.does(made)

    async def writes(self, queue: TextQueue, did: str = DID, peer: str = "") -> Session:
        """Somebody new writes, and waits."""
        peer = peer or f"+1512555{next(self._people):04}"

        def opened(tx: Tx) -> Session:
            thread = tx.pairs.thread(did, peer, self.clock.now())
            return sessions.open_queued(thread, queue, BEGUN, self.clock.now(), tx)

        return await self.does(opened)

    async def gives(self, most: int = AT_ONCE):
        self.clock.move(timedelta(milliseconds=1))
        return await self.does(partial(give, self.house, dict(self.present), self.clock.now(), most=most))

    async def takes(self, most: int = AT_ONCE):
        self.clock.move(timedelta(milliseconds=1))
        return await self.does(partial(take_from_gone, dict(self.present), self.clock.now(), most=most))

    async def now(self, session: Session) -> Session:
        return await self.does(lambda tx: tx.sessions.get(session.public_id))

    async def offered(self, session: Session) -> int | None:
        return (await self.now(session)).offered_to

    async def declines(self, session: Session) -> None:
        self.clock.move(timedelta(milliseconds=1))
        held = await self.now(session)
        await self.does(lambda tx: sessions.let_go(held, Why.DECLINED, self.clock.now(), tx))

    async def accepts(self, session: Session) -> None:
        self.clock.move(timedelta(milliseconds=1))
        held = await self.now(session)
        await self.does(lambda tx: sessions.assign(held, held.offered_to, Why.ACCEPTED, "", self.clock.now(), tx))

    async def whys(self, session: Session) -> list[str]:
        def read(connection):
            found = connection.exec_driver_sql(
                f"SELECT why FROM session_event WHERE session_id = {session.id} ORDER BY id"
            )
            return [row[0] for row in found]

        return await self.store.read(read)


def move_in(now, tx: Tx) -> None:
    for login in ("anna", "bert", "cara"):
        tx.accounts.add(login, login, frozenset({Role.AGENT}), "x", "en", now)
    for account in (ANNA, BERT, CARA):
        tx.queues.set_up(account, 3, 1, follows_phone=True, now=now)
    let_everyone(now, tx)


@pytest.fixture
async def office(store: Database, clock: HandClock) -> Office:
    await store.commit(partial(move_in, NOON))
    return Office(store, clock)


# -- giving


async def test_each_session_goes_to_who_is_idle_longest(office):
    queue = await office.queue()
    office.here(ANNA, BERT)
    waiting = [await office.writes(queue) for _ in range(4)]
    done = await office.gives()
    assert (done.done, done.more) == (4, False)
    assert [await office.offered(one) for one in waiting] == [ANNA, BERT, ANNA, BERT]
    first = await office.now(waiting[0])
    assert (first.state, first.due_at) == (SessionState.OFFERED, office.clock.now() + queue.plan.offer_for)
    assert (await office.gives()).done == 0


async def test_an_offer_that_is_declined_goes_to_the_next_and_comes_back_only_after_a_rest(office):
    queue = await office.queue(members=(ANNA, BERT))
    office.here(ANNA, BERT)
    waiting = await office.writes(queue)
    for agent in (ANNA, BERT):
        assert (await office.gives()).done == 1
        assert await office.offered(waiting) == agent
        await office.declines(waiting)
    done = await office.gives()
    assert (done.done, done.again) == (0, (await office.now(waiting)).changed_at + REST)
    office.clock.move(REST)
    assert (await office.gives()).done == 1
    assert await office.offered(waiting) == ANNA
    assert (await office.now(waiting)).queued_at == waiting.queued_at


async def test_who_declined_gets_nothing_while_somebody_else_has_room_again(office):
    queue = await office.queue(members=(ANNA, BERT))
    office.here(ANNA)
    waiting = await office.writes(queue)
    await office.gives()
    await office.declines(waiting)
    office.clock.move(REST - MINUTE / 2)
    office.here(BERT)
    await office.gives()
    assert await office.offered(waiting) == BERT


async def test_a_queue_may_give_without_asking(office):
    queue = await office.queue(at_once=True)
    office.here(BERT)
    waiting = await office.writes(queue)
    await office.gives()
    held = await office.now(waiting)
    assert (held.state, held.agent) == (SessionState.ASSIGNED, BERT)
    assert (await office.whys(waiting))[-1] == Why.GIVEN


async def test_whoever_spoke_with_them_last_comes_first(office):
    queue = await office.queue(strategy=Strategy.MOST_RECENT)
    office.here(ANNA, BERT, CARA)
    earlier = await office.writes(queue, peer="+15125550999")
    await office.does(lambda tx: sessions.assign(earlier, CARA, Why.CLAIMED, "", office.clock.now(), tx))
    held = await office.now(earlier)
    await office.does(lambda tx: sessions.finish(held, SessionState.ENDED, Why.ENDED, "", office.clock.now(), tx))
    again, new = await office.writes(queue, peer="+15125550999"), await office.writes(queue)
    await office.gives()
    assert [await office.offered(one) for one in (again, new)] == [CARA, ANNA]


@pytest.mark.parametrize("strategy", [Strategy.MANUAL, Strategy.BROADCAST])
async def test_some_queues_keep_theirs(office, strategy):
    queue = await office.queue(strategy=strategy)
    office.here(ANNA)
    waiting = await office.writes(queue)
    assert (await office.gives()).done == 0
    there = await office.does(calls_for)
    assert [one.id for one in there] == ([waiting.id] if strategy is Strategy.BROADCAST else [])


async def test_a_closed_queue_keeps_theirs_until_it_opens(office):
    queue = await office.queue(calendar="never")
    office.house = replace(HOUSE, calendars={"never": Calendar("never", HOUSE.zone, ())})
    office.here(ANNA)
    waiting = await office.writes(queue)
    assert (await office.gives()).done == 0
    office.house = HOUSE
    assert (await office.gives()).done == 1
    assert await office.offered(waiting) == ANNA


async def test_only_who_may_text_from_the_number_gets_it(office):
    queue = await office.queue(members=(ANNA, BERT))
    office.here(ANNA, BERT)
    cell = Cell(Subject(Level.USER, ANNA), Way.SEND, OTHER_DID)
    await office.does(lambda tx: tx.grants.put(cell, Effect.DENY, "", "chg_1", "test", office.clock.now()))
    waiting = await office.writes(queue, OTHER_DID)
    await office.gives()
    assert await office.offered(waiting) == BERT
    everybody = Cell(Subject(Level.EVERYONE, 0), Way.RECEIVE, OTHER_DID)
    await office.does(lambda tx: tx.grants.put(everybody, Effect.DENY, "", "chg_2", "test", office.clock.now()))
    nobody = await office.writes(queue, OTHER_DID)
    assert (await office.gives()).done == 0
    assert (await office.now(nobody)).state is SessionState.QUEUED


@pytest.mark.parametrize(
    "held_back",
    [
        pytest.param({"presence": Presence.PAUSED}, id="paused"),
        pytest.param({"presence": Presence.AWAY}, id="away"),
        pytest.param({"presence": Presence.READY, "awaited": True}, id="not back yet"),
    ],
)
async def test_nobody_is_given_anything_who_takes_nothing_now(office, held_back):
    queue = await office.queue()
    office.here(ANNA, **held_back)
    await office.writes(queue)
    assert (await office.gives()).done == 0


async def test_nobody_carries_more_than_they_can_and_a_call_counts(office):
    await office.does(lambda tx: tx.queues.set_up(BERT, 3, 2, follows_phone=True, now=office.clock.now()))
    queue = await office.queue(members=(ANNA, BERT))
    office.here(ANNA)
    office.here(BERT, presence=Presence.ON_CALL, on_call=True)
    for _ in range(6):
        await office.writes(queue)
    assert (await office.gives()).done == 4
    assert await office.does(lambda tx: dict(tx.sessions.loads())) == {ANNA: 3, BERT: 1}


async def test_two_queues_share_an_agent_by_who_waits_longer(office):
    one, other = await office.queue("one", members=(ANNA,)), await office.queue("other", members=(ANNA,))
    office.here(ANNA)
    waiting = []
    for queue in (other, one, other, one):
        waiting.append(await office.writes(queue))
        office.clock.move(timedelta(seconds=1))
    await office.gives()
    assert [await office.offered(each) for each in waiting] == [ANNA, ANNA, ANNA, None]


async def test_a_round_is_bounded_and_says_that_there_is_more(office):
    queue = await office.queue(members=(ANNA, BERT))
    office.here(ANNA, BERT)
    for _ in range(5):
        await office.writes(queue)
    rounds = [await office.gives(most=2) for _ in range(3)]
    assert [(one.done, one.more) for one in rounds] == [(2, True), (2, True), (1, False)]


async def test_those_whom_nobody_may_have_do_not_stand_in_the_way(office, monkeypatch):
    monkeypatch.setattr("ringback.flow.giving.LOOKED_AT", 2)
    queue = await office.queue(members=(ANNA,))
    office.here(ANNA)
    cell = Cell(Subject(Level.USER, ANNA), Way.SEND, OTHER_DID)
    await office.does(lambda tx: tx.grants.put(cell, Effect.DENY, "", "chg_1", "test", office.clock.now()))
    for _ in range(4):
        await office.writes(queue, OTHER_DID)
    last = await office.writes(queue)
    assert (await office.gives()).done == 1
    assert await office.offered(last) == ANNA


async def test_of_many_that_were_declined_only_some_are_asked_about_at_once(office, monkeypatch):
    monkeypatch.setattr("ringback.flow.giving.ASKED_MOST", 1)
    queue = await office.queue(members=(ANNA,))
    office.here(ANNA)
    declined = [await office.writes(queue) for _ in range(2)]
    await office.gives()
    for each in declined:
        await office.declines(each)
    last = await office.writes(queue)
    done = await office.gives()
    assert (done.done, done.again is not None) == (1, True)
    assert await office.offered(last) == ANNA


async def test_rights_that_cannot_be_looked_up_give_nothing_to_anybody(office, monkeypatch):
    def broken(*_: object) -> bool:
        raise LookupError("a fault of ours")

    monkeypatch.setattr("ringback.flow.presence.may_serve", broken)
    queue = await office.queue()
    office.here(ANNA)
    waiting = await office.writes(queue)
    assert (await office.gives()).done == 0
    assert (await office.now(waiting)).state is SessionState.QUEUED


# -- taking back


@pytest.mark.parametrize(
    ("presence", "why"),
    [
        pytest.param(Presence.LOGGED_OUT, Why.AGENT_LOGGED_OUT, id="no page of theirs is open"),
        pytest.param(Presence.UNREGISTERED, Why.AGENT_UNREGISTERED, id="their phone is gone"),
    ],
)
async def test_sessions_of_who_is_gone_go_back_after_a_while(office, presence, why):
    queue = await office.queue(agent_gone=MINUTE, members=(ANNA,))
    office.here(ANNA)
    waiting = await office.writes(queue)
    await office.gives()
    await office.accepts(waiting)
    office.here(ANNA, presence=presence)
    gone = office.clock.now()
    done = await office.takes()
    assert (done.done, done.again) == (0, gone + MINUTE)
    office.clock.move(MINUTE)
    assert (await office.takes()).done == 1
    back = await office.now(waiting)
    assert (back.state, back.agent, back.queue) == (SessionState.QUEUED, None, queue.id)
    assert (await office.whys(waiting))[-1] == why


async def test_what_is_offered_to_who_is_gone_goes_on_at_once(office):
    queue = await office.queue(members=(ANNA, BERT))
    office.here(ANNA)
    waiting = await office.writes(queue)
    await office.gives()
    office.here(ANNA, presence=Presence.UNREGISTERED)
    office.here(BERT)
    assert (await office.takes()).done == 1
    await office.gives()
    assert await office.offered(waiting) == BERT


@pytest.mark.parametrize(
    ("presence", "gone_for"),
    [
        pytest.param(Presence.PAUSED, MINUTE, id="paused is not gone"),
        pytest.param(Presence.AWAY, MINUTE, id="away is not gone"),
        pytest.param(Presence.LOGGED_OUT, timedelta(0), id="a queue that does not mind"),
    ],
)
async def test_who_is_not_gone_keeps_theirs(office, presence, gone_for):
    queue = await office.queue(agent_gone=gone_for, members=(ANNA,))
    office.here(ANNA)
    waiting = await office.writes(queue)
    await office.gives()
    await office.accepts(waiting)
    office.here(ANNA, presence=presence)
    office.clock.move(timedelta(hours=1))
    assert (await office.takes()).done == 0
    assert (await office.now(waiting)).agent == ANNA


async def test_taking_is_bounded_too(office):
    queue = await office.queue(agent_gone=MINUTE, at_once=True, members=(ANNA, BERT))
    office.here(ANNA, BERT)
    for _ in range(6):
        await office.writes(queue)
    await office.gives()
    office.here(ANNA, BERT, presence=Presence.LOGGED_OUT)
    office.clock.move(MINUTE)
    rounds = [await office.takes(most=4) for _ in range(2)]
    assert [(one.done, one.more) for one in rounds] == [(4, True), (2, False)]


# -- the part that runs


@dataclass
class Running:
    office: Office
    exchange: FakeExchange
    roll: Roll
    serving: Serving
    nudged: list[str]

    async def until(self, holds) -> None:
        async with asyncio.timeout(10):
            while not await holds():
                await asyncio.sleep(0.01)

    async def is_offered(self, session: Session, account: int | None) -> None:
        async def holds() -> bool:
            return await self.office.offered(session) == account

        await self.until(holds)

    async def belongs_to(self, session: Session, account: int) -> None:
        async def holds() -> bool:
            return (await self.office.now(session)).agent == account

        await self.until(holds)

    async def shows(self, account: int, presence: Presence) -> None:
        async def holds() -> bool:
            now = self.roll.of(account)
            return now is not None and now.presence is presence and not now.awaited

        await self.until(holds)

    async def is_in(self, session: Session, state: SessionState) -> None:
        async def holds() -> bool:
            return (await self.office.now(session)).state is state

        await self.until(holds)


@asynccontextmanager
async def running(office: Office):
    store, clock = office.store, office.clock
    exchange, nudged = FakeExchange(), list[str]()
    roll = Roll({"main": exchange}, store.changes, clock)
    serving = Serving(office.house, store, roll, store.changes, nudged.append, clock)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(roll.run()), group.create_task(serving.run())]
        try:
            yield Running(office, exchange, roll, serving, nudged)
        finally:
            for task in tasks:
                task.cancel()


async def test_somebody_writes_and_the_one_with_a_page_open_is_asked(office):
    queue = await office.queue(members=(ANNA, BERT))
    async with running(office) as part:
        waiting = await office.writes(queue)
        with part.roll.here(BERT):
            await part.is_offered(waiting, BERT)
            with part.roll.here(ANNA):
                office.clock.move(queue.plan.offer_for)
                await part.is_offered(waiting, ANNA)
    assert await office.whys(waiting) == [Why.NUMBERS_QUEUE, Why.OFFERED, Why.OFFER_OVER, Why.OFFERED]


async def test_a_phone_that_dies_gives_the_session_to_the_next(office):
    await office.does(lambda tx: tx.accounts.describe(ANNA, "Anna", Contact(extension="122"), office.clock.now()))
    queue = await office.queue(members=(ANNA, BERT), at_once=True, agent_gone=MINUTE)
    async with running(office) as part:
        part.exchange.is_now("122", DeviceState.NOT_INUSE)
        with part.roll.here(ANNA):
            waiting = await office.writes(queue)
            await part.is_in(waiting, SessionState.ASSIGNED)
            part.exchange.is_now("122", DeviceState.UNAVAILABLE)
            await part.shows(ANNA, Presence.UNREGISTERED)
            with part.roll.here(BERT):
                await part.shows(BERT, Presence.READY)
                assert (await office.now(waiting)).agent == ANNA
                office.clock.move(MINUTE)
                await part.belongs_to(waiting, BERT)
    assert (await office.whys(waiting))[-2:] == [Why.AGENT_UNREGISTERED, Why.GIVEN]


async def test_a_right_that_is_revoked_takes_the_session_away(office):
    queue = await office.queue(members=(ANNA,), at_once=True)
    async with running(office) as part:
        with part.roll.here(ANNA):
            waiting = await office.writes(queue)
            await part.is_in(waiting, SessionState.ASSIGNED)
            cell = Cell(Subject(Level.USER, ANNA), Way.SEND, ALL_NUMBERS)
            await office.does(lambda tx: tx.grants.put(cell, Effect.DENY, "", "chg_1", "test", office.clock.now()))
            office.store.changes.tell(frozenset({GRANTS}))
            await part.is_in(waiting, SessionState.QUEUED)
    assert (await office.whys(waiting))[-1] == Why.AGENT_MAY_NOT


async def test_a_broadcast_rings_for_everybody_who_could_take_it_and_only_once(office):
    queue = await office.queue(members=(ANNA, BERT, CARA), strategy=Strategy.BROADCAST)
    rung: list[int] = []
    for account in (ANNA, BERT, CARA):
        office.store.changes.at_once(Touch("agent", account), partial(rung.append, account))
    async with running(office) as part:
        with part.roll.here(ANNA), part.roll.here(BERT):
            part.exchange.is_now("999", DeviceState.INUSE)

            async def both() -> bool:
                return part.roll.able(queue.id, DID) == 2

            await part.until(both)
            rung.clear()
            waiting = await office.writes(queue)

            async def ringing() -> bool:
                return len(rung) >= 2

            await part.until(ringing)
            await office.writes(await office.queue("other", strategy=Strategy.MANUAL))
            await part.serving.round()
            assert sorted(rung) == [ANNA, BERT]
            with part.roll.here(CARA):

                async def hers() -> bool:
                    return CARA in rung

                await part.until(hers)
    assert sorted(rung) == [ANNA, BERT, CARA]
    assert (await office.now(waiting)).state is SessionState.QUEUED


async def test_a_clock_that_is_set_back_makes_nobody_wait_longer(office):
    queue = await office.queue(members=(ANNA, BERT))
    async with running(office) as part:
        with part.roll.here(ANNA), part.roll.here(BERT):
            waiting = await office.writes(queue)
            await part.is_offered(waiting, ANNA)
            await part.serving.round()
            office.clock.set_back(timedelta(days=1))
            await part.serving.round()
            assert (await office.now(waiting)).due_at == office.clock.now() + queue.plan.offer_for
            office.clock.move(queue.plan.offer_for)
            await part.is_offered(waiting, BERT)


async def test_a_request_from_before_the_clock_was_set_back_runs_out_as_it_would_have(office):
    queue = await office.queue(members=(ANNA,), at_once=True)
    office.here(ANNA)
    waiting = await office.writes(queue)
    await office.gives()
    held, now = await office.now(waiting), office.clock.now()
    await office.does(lambda tx: tx.sessions.ask_transfer(held, BERT, None, "", now + MINUTE, now))
    office.clock.set_back(timedelta(days=1))
    day = timedelta(days=1)
    assert await office.does(lambda tx: tx.sessions.clock_went_back(day, office.clock.now())) == 2
    asked = await office.does(lambda tx: tx.sessions.transfer_of(waiting.id))
    assert asked.due_at == office.clock.now() + MINUTE
    assert await office.does(lambda tx: tx.sessions.clock_went_back(day, office.clock.now())) == 0


# -- how much a round does; how long that takes, `bench` measures


async def crowd(office: Office, waiting: int, agents: int = 30, **plan) -> None:
    """Agents with a page open, and people who wait in four queues."""

    def settle(tx: Tx) -> list[TextQueue]:
        for n in range(4, agents + 1):
            tx.accounts.add(f"agent{n}", f"agent{n}", frozenset({Role.AGENT}), "x", "en", NOON)
            tx.queues.set_up(n, 3, 1, follows_phone=True, now=NOON)
        made = [tx.queues.make(f"queue {n}", Plan(strategy=Strategy.LONGEST_IDLE, **plan), NOON) for n in range(4)]
        for queue in made:
            tx.queues.put_members(queue, range(1, agents + 1), NOON)
        return [tx.queues.all().get(queue.id) for queue in made]

    queues = await office.does(settle)

    def wait(begin: int, tx: Tx) -> None:
        for n in range(begin, begin + 100):
            thread = tx.pairs.thread(DID if n % 2 else OTHER_DID, f"+1512556{n:04}", NOON)
            sessions.open_queued(thread, queues[n % 4], UNANSWERED, NOON, tx)

    for begin in range(0, waiting, 100):
        await office.does(partial(wait, begin))
    office.here(*range(1, agents + 1))


UNANSWERED = replace(BEGUN, waiting_on=WaitingOn.AGENT)
SAYS = {Note.WAIT: {"en": "Nobody is free just now."}}


async def nobody_may(office: Office) -> None:
    everybody = Cell(Subject(Level.EVERYONE, 0), Way.SEND, ALL_NUMBERS)
    await office.does(lambda tx: tx.grants.put(everybody, Effect.DENY, "", "chg_1", "test", office.clock.now()))


async def all_away(office: Office) -> None:
    office.present.clear()


async def too_long(office: Office) -> None:
    office.clock.move(Plan().queued_expiry)


async def nothing_more(office: Office) -> None:
    """They are given out."""


async def test_a_crowd_is_given_out_to_the_last_that_has_room_in_small_rounds(office):
    await crowd(office, 200)
    permitted, given = Permitted(), 0
    while (done := await office.does(lambda tx: serve(HOUSE, office.present, permitted, office.clock.now(), tx))).more:
        assert done.done <= AT_ONCE
        given += done.done
        office.clock.move(timedelta(milliseconds=20))
    assert given + done.done == 30 * 3
    assert set((await office.does(lambda tx: tx.sessions.loads())).values()) == {3}


@pytest.mark.parametrize(
    ("happens", "most"),
    [
        pytest.param(nothing_more, 100, id="given to agents"),
        pytest.param(all_away, 250, id="told that they must wait"),
        pytest.param(nobody_may, 100, id="nobody may have them"),
        pytest.param(too_long, 250, id="waited too long"),
    ],
)
async def test_a_round_asks_and_reads_only_so_much_however_many_wait(office, monkeypatch, happens, most):
    await crowd(office, 600, notes=SAYS)
    await happens(office)
    asked, rows = list[str](), list[int]()
    for name in ("one", "all", "ask", "change"):
        monkeypatch.setattr(Runner, name, counting(getattr(Runner, name), asked, rows))
    await office.does(lambda tx: serve(HOUSE, office.present, Permitted(), office.clock.now(), tx))
    assert 5 < len(asked) <= most
    assert max(rows) <= 4 * LOOKED_AT  # agents and their rights, who waits at the head of a queue


def counting(does, asked: list[str], rows: list[int]):
    def counted(run: Runner, *words, **values):
        answer = does(run, *words, **values)
        asked.append(str(words[0]))
        rows.append(len(answer) if isinstance(answer, list) else 1)
        return answer

    return counted
