"""A run to many people: nobody gets two texts and nobody none, whatever stops in the middle."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from ringback.core.grants import EVERYTHING
from ringback.core.messages import Basis, MessageClass, State, Urgency
from ringback.core.permissions import Asker, Principal, Scope, at_the_shell
from ringback.core.reasons import Reason
from ringback.errors import StoreBusy, Throttled, Unreachable
from ringback.flow import feeding
from ringback.flow.attempts import record
from ringback.flow.bulks import Asked, Runs, Turn, outlook
from ringback.flow.claiming import claim
from ringback.flow.feeding import Feeder
from ringback.flow.governor import Room
from ringback.flow.opt_outs import stop
from ringback.flow.pauses import Pause, pause, resume
from ringback.flow.pauses import Scope as Paused
from ringback.ports import CarrierRef
from ringback.ports.bulks import Item, Plan, RunState
from ringback.store.read_bulks import StoredBulks
from tests.conftest import NOON
from tests.flow.world import DID, HOUSE, World

SHOP = Principal(Asker.PROGRAM, "key_shop", "shop", frozenset(), scopes=frozenset({Scope.BULK}))
OTHER = replace(SHOP, id="key_other")
SHELL = at_the_shell("root")
PLAN = Plan(
    asked_by=SHOP.label,
    did=DID,
    body="Hello {{ name }}, it is {{ business }}.",
    class_=MessageClass.TRANSACTIONAL,
    basis=Basis.CONSENT,
    language="en",
    not_before=NOON,
    expires_at=NOON + timedelta(days=1),
    name="orders",
    campaign="ready",
    reference="all",
)
FREE = replace(HOUSE, limits=replace(HOUSE.limits, per_number_per_minute=60_000))


def people(count: int, first: int = 0) -> list[Item]:
    return [Item(n, f"+1512555{n + first:04d}", json.dumps({"name": f"P{n}"})) for n in range(1, count + 1)]


class Bulk:
    """A world with a feeder; `feeding` runs it."""

    def __init__(self, store, clock, tmp_path, house=FREE) -> None:
        self.world = World(store, clock, tmp_path, house=house)
        self.clock = clock
        self.store = self.world.ground
        self.runs = Runs(store, clock)
        self.house = house

    def feeder(self) -> Feeder:
        return Feeder(
            self.house,
            self.world.store,
            self.world.lanes,
            self.clock,
            self.store.changes,
            {"main": 10},
            self.runs.coming,
        )

    async def begin(self, count: int, **change) -> str:
        """A run that is open; its public id."""
        coming = await self.runs.begin(SHOP, replace(PLAN, **change))
        await coming.add(people(count))
        assert (await coming.open(count, 0, None, "")).open
        return coming.public_id

    @asynccontextmanager
    async def feeding(self):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.feeder().run())
            await self.settled()
            yield
            task.cancel()

    async def settled(self) -> None:
        """Wait until the feeder and the lanes have nothing left to do."""
        before = None
        while before != (before := await self.rows("SELECT count(*), max(id) FROM message_event")):
            for _ in range(20):
                for _ in range(20):
                    await asyncio.sleep(0)
                await self.store.commit(lambda tx: None)

    async def rows(self, statement: str) -> list[tuple]:
        return await self.store.read(lambda c: [tuple(row) for row in c.exec_driver_sql(statement).fetchall()])

    async def told(self, run: str):
        return await StoredBulks(self.store).show(EVERYTHING, run)

    async def handed(self) -> list[str]:
        """Who got a text, in the order of the carrier."""
        return [
            row[0]
            for row in await self.rows(
                "SELECT t.peer FROM attempt a JOIN message m ON m.id = a.message_id "
                "JOIN thread t ON t.id = m.thread_id ORDER BY a.id"
            )
        ]


@pytest.fixture
def bulk(store, clock, tmp_path) -> Bulk:
    return Bulk(store, clock, tmp_path)


async def test_everybody_gets_one_text_of_their_own(bulk):
    async with bulk.world.running():
        run = await bulk.begin(70)
        async with bulk.feeding():
            pass
    assert sorted(await bulk.handed()) == [item.peer for item in people(70)]
    told = await bulk.told(run)
    assert (told.run.state, told.run.made, told.run.segments) == (RunState.DONE, 70, 70)
    assert sum(told.states.values()) == 70
    texts = await bulk.rows("SELECT DISTINCT urgency, campaign, reference, cause, class_, basis, bulk_id FROM message")
    assert texts == [(Urgency.BULK, "ready", "all", SHOP.label, "transactional", "consent", told.run.id)]
    assert bulk.world.handset("+15125550007") == ["Hello P7, it is Northlight."]
    assert await bulk.rows("SELECT count(*) FROM bulk_item") == [(0,)]


async def test_only_so_many_texts_wait_at_a_time(bulk):
    run = await bulk.begin(500)
    async with bulk.feeding():  # no lane takes any
        told = await bulk.told(run)
    assert (told.run.made, told.states) == (feeding.MOST_QUEUED, {State.QUEUED: feeding.MOST_QUEUED})
    assert (told.run.left, outlook(told, 60, NOON).left) == (300, 500)


async def test_two_runs_share_the_places_of_their_carrier(bulk):
    first, second = await bulk.begin(300), await bulk.begin(300)
    async with bulk.feeding():
        assert [(await bulk.told(run)).run.made for run in (first, second)] == [100, 100]


async def test_what_never_came_whole_sends_nothing_and_goes_away(bulk):
    coming = await bulk.runs.begin(SHOP, PLAN)
    await coming.add(people(50))
    async with bulk.feeding():
        assert await bulk.rows("SELECT count(*) FROM bulk_item") == [(50,)]  # it is still coming
        await coming.give_up()
        await bulk.settled()
        assert await bulk.rows("SELECT count(*) FROM bulk_item") == [(0,)]
        assert await bulk.rows("SELECT count(*) FROM bulk") == [(0,)]
    assert not (await coming.open(50, 0, None, "")).open
    assert await bulk.rows("SELECT count(*) FROM message") == [(0,)]


async def test_what_was_given_up_cannot_be_let_go(bulk):
    coming = await bulk.runs.begin(SHOP, PLAN)
    await coming.add(people(5))
    await coming.give_up()
    assert not (await coming.open(5, 0, None, "")).open
    assert await bulk.rows("SELECT state FROM bulk") == [("broken",)]


async def test_a_start_clears_away_what_a_stop_broke_off(bulk):
    coming = await bulk.runs.begin(SHOP, PLAN)
    await coming.add(people(50))
    bulk.runs.coming.clear()  # another process
    async with bulk.feeding():
        assert await bulk.rows("SELECT count(*) FROM bulk") == [(0,)]
    assert await bulk.told(coming.public_id) is None
    assert await bulk.runs.call_off(SHOP, coming.public_id) is None


class Cut:
    """A store that dies in one commit: before it, or after it and before the answer."""

    def __init__(self, store, at: int, after: bool) -> None:
        self.store = store
        self.changes = store.changes
        self.left, self.after = at, after

    async def commit(self, step):
        (result,) = await self.commit_all([step])
        if isinstance(result, Exception):
            raise result
        return result

    async def commit_all(self, steps):
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Stopped
        results = await self.store.commit_all(steps)
        if self.left == 0:
            raise Stopped
        return results

    def ride_along(self, steps):
        self.store.ride_along(steps)


class Stopped(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("after", [pytest.param(False, id="before"), pytest.param(True, id="after the flush")])
@pytest.mark.parametrize("at", range(1, 6))
async def test_a_crash_between_chunks_makes_nothing_twice(store, clock, tmp_path, at, after):
    bulk = Bulk(store, clock, tmp_path)
    run = await bulk.begin(120)
    bulk.world.store = Cut(store, at, after)
    with pytest.raises(Stopped):
        await bulk.feeder().run()
    bulk.world.store = store
    async with bulk.feeding():
        told = await bulk.told(run)
    assert (told.run.state, told.run.made, sum(told.states.values())) == (RunState.DONE, 120, 120)
    assert await bulk.rows("SELECT count(DISTINCT thread_id), count(*) FROM message") == [(120, 120)]


async def test_a_run_called_off_in_the_middle_sends_no_more(bulk):
    run = await bulk.begin(3_000)
    async with bulk.feeding():
        off = await bulk.runs.call_off(SHOP, run)
        assert (off.texts, off.run.dropped) == (200, 2_800)
        await bulk.settled()
        told = await bulk.told(run)
    assert (told.run.state, told.states) == (RunState.CANCELLED, {State.CANCELLED: 200})
    assert await bulk.rows("SELECT count(*) FROM bulk_item") == [(0,)]
    async with bulk.world.running(), bulk.feeding():
        assert await bulk.handed() == []
    again = await bulk.runs.call_off(SHOP, run)
    assert (again.texts, again.run.dropped) == (0, 2_800)


async def test_calling_off_while_lanes_send_leaves_each_text_sent_or_cancelled(bulk):
    run = await bulk.begin(400)
    async with bulk.world.running(), bulk.feeding():
        off = await bulk.runs.call_off(SHOP, run)
        await bulk.settled()
    told = await bulk.told(run)
    assert told.states.get(State.CANCELLED, 0) == off.texts
    assert len(await bulk.handed()) == told.run.made - off.texts
    assert told.run.made + told.run.dropped == 400


@pytest.mark.parametrize("who", [pytest.param(OTHER, id="another program"), pytest.param(SHOP, id="no such run")])
async def test_only_a_run_of_ones_own_can_be_called_off(bulk, who):
    run = await bulk.begin(3)
    named = run if who is OTHER else "blk_0000000000000000000000000a"
    assert await bulk.runs.call_off(who, named) is None
    assert await bulk.runs.turn(who, named, Turn.PAUSE) is None
    assert (await bulk.told(run)).run.state is RunState.OPEN
    assert (await bulk.runs.call_off(SHELL, run)).run.dropped == 3


async def test_a_stop_in_the_middle_is_honoured(bulk):
    run = await bulk.begin(300)
    made, unmade = "+15125550005", "+15125550250"
    async with bulk.feeding():
        for peer in (made, unmade):  # one has their text already, it waits; the other has none yet
            thread = await bulk.store.commit(lambda tx, peer=peer: tx.pairs.thread(DID, peer, NOON))
            await bulk.store.commit(lambda tx, thread=thread: stop(thread, "test", "STOP", NOON, tx))
    async with bulk.world.running(), bulk.feeding():
        pass
    sent = await bulk.handed()
    assert (len(sent), made in sent, unmade in sent) == (298, False, False)
    states = dict(
        await bulk.rows(
            "SELECT t.peer, m.reason FROM message m JOIN thread t ON t.id = m.thread_id WHERE m.state = 'refused'"
        )
    )
    assert states.get(unmade) == Reason.OPTED_OUT
    assert (await bulk.told(run)).run.state is RunState.DONE


async def test_a_run_waits_for_its_time(bulk):
    run = await bulk.begin(5, not_before=NOON + timedelta(hours=1))
    async with bulk.feeding():
        assert (await bulk.told(run)).run.made == 0
        bulk.clock.move(timedelta(hours=1))
        await bulk.settled()
        assert (await bulk.told(run)).run.state is RunState.DONE


async def test_what_has_no_text_when_time_is_up_gets_none(bulk):
    run = await bulk.begin(500)
    async with bulk.feeding():
        bulk.clock.move(timedelta(days=1))
        await bulk.settled()
        told = await bulk.told(run)
    assert (told.run.state, told.run.made, told.run.dropped) == (RunState.EXPIRED, 200, 300)
    assert await bulk.rows("SELECT count(*) FROM bulk_item") == [(0,)]


async def test_a_paused_run_makes_none_until_it_goes_on(bulk):
    run = await bulk.begin(60)
    assert (await bulk.runs.turn(SHOP, run, Turn.PAUSE)).state is RunState.PAUSED
    async with bulk.feeding():
        assert (await bulk.told(run)).run.made == 0
        assert (await bulk.runs.turn(SHOP, run, Turn.RESUME)).state is RunState.OPEN
        await bulk.settled()
        assert (await bulk.told(run)).run.made == 60


@pytest.mark.parametrize(
    "what", [pytest.param(Pause(Paused.ALL), id="everything"), pytest.param(Pause(Paused.NUMBER, DID), id="its number")]
)
async def test_a_run_waits_while_its_number_is_paused(bulk, what):
    run = await bulk.begin(60)
    await bulk.store.commit(lambda tx: pause(what, "root", NOON, tx))
    async with bulk.feeding():
        told = await bulk.told(run)
        assert (told.run.made, told.stopped) == (0, Reason.PAUSED)
        await bulk.store.commit(lambda tx: resume(what, tx))
        bulk.clock.move(feeding.LOOK_AGAIN)
        await bulk.settled()
        assert (await bulk.told(run)).run.made == 60


async def test_a_run_of_a_number_without_a_carrier_waits(store, clock, tmp_path):
    bulk = Bulk(store, clock, tmp_path, replace(FREE, carrier_of={}))
    run = await bulk.begin(60)
    async with bulk.feeding():
        assert (await bulk.told(run)).run.made == 0


@pytest.mark.parametrize(
    ("body", "words", "reason"),
    [
        pytest.param(
            "{% unless name %}Hello{% endunless %}", {"name": "P"}, Reason.TEMPLATE_FAULT, id="nothing is left of it"
        ),
        pytest.param("Hello", ["no", "object"], Reason.GATE_ERROR, id="its row makes no sense"),
    ],
)
async def test_one_text_that_cannot_be_made_fails_alone(bulk, body, words, reason):
    coming = await bulk.runs.begin(SHOP, replace(PLAN, body=body))
    good = [Item(item.seq, item.peer, "") for item in people(60)]
    await coming.add([*good[:30], Item(31, good[30].peer, json.dumps(words)), *good[31:]])
    await coming.open(60, 0, None, "")
    async with bulk.feeding():
        told = await bulk.told(coming.public_id)
    assert (told.run.state, told.states) == (RunState.DONE, {State.QUEUED: 59, State.REFUSED: 1})
    refused = await bulk.rows(
        "SELECT t.peer, m.reason FROM message m JOIN thread t ON t.id = m.thread_id WHERE m.state = 'refused'"
    )
    assert refused == [(good[30].peer, reason)]


async def test_the_key_of_a_request_is_kept_with_the_run(bulk):
    asked = Asked(SHOP.label, "k-1", "hash")
    first, second = await bulk.runs.begin(SHOP, PLAN), await bulk.runs.begin(SHOP, PLAN)
    for coming in (first, second):
        await coming.add(people(2))
    assert (await first.open(2, 0, asked, "answer")).open
    late = await second.open(2, 0, asked, "another")
    assert (late.open, late.before) == (False, ("hash", "answer"))
    assert await bulk.runs.asked(asked) == ("hash", "answer")


async def test_a_run_whose_database_is_busy_is_cleared_away_later(bulk):
    coming = await bulk.runs.begin(SHOP, PLAN)
    coming._store = Busy()
    await coming.give_up()
    async with bulk.feeding():
        assert await bulk.rows("SELECT count(*) FROM bulk") == [(0,)]


class Busy:
    async def commit(self, step):
        raise StoreBusy("locked")


@pytest.mark.parametrize(
    ("seconds", "made", "waiting", "minutes"),
    [
        pytest.param(0, 0, 0, 10, id="at the start, what our number may send"),
        pytest.param(600, 300, 0, 10, id="half is made, slower than allowed"),
        pytest.param(300, 300, 0, 5, id="half is made, as fast as allowed"),
        pytest.param(60, 100, 100, 10, id="what waits has not gone"),
    ],
)
async def test_the_end_is_reckoned(bulk, seconds, made, waiting, minutes):
    run = await bulk.begin(600)
    told = await bulk.told(run)
    states = {State.QUEUED: waiting, State.DELIVERED: made - waiting}
    told = replace(told, run=replace(told.run, made=made, segments=made), states=states)
    now = NOON + timedelta(seconds=seconds)
    ahead = outlook(told, 60, now)
    assert (ahead.ends_at - now, ahead.in_time) == (timedelta(minutes=minutes), True)
    assert not outlook(replace(told, run=replace(told.run, plan=replace(PLAN, expires_at=now))), 60, now).in_time


async def test_nobody_knows_when_a_paused_run_ends(bulk):
    run = await bulk.begin(10)
    await bulk.runs.turn(SHOP, run, Turn.PAUSE)
    assert outlook(await bulk.told(run), 60, NOON).ends_at is None


@pytest.mark.parametrize("which", [1, 4, 6], ids=["the first", "one in the middle", "the last"])
@pytest.mark.parametrize("paused", [False, True], ids=["while it goes", "while it is paused"])
async def test_a_person_who_is_erased_leaves_a_run_that_ends_all_the_same(bulk, which, paused):
    run = await bulk.begin(6)
    if paused:
        await bulk.runs.turn(SHOP, run, Turn.PAUSE)
    gone = people(6)[which - 1].peer
    await bulk.store.commit(lambda tx: tx.retention.leave_runs(gone))
    told = await bulk.told(run)
    assert (told.run.left, told.run.dropped, outlook(told, 60, NOON).left) == (5, 1, 5)
    await bulk.runs.turn(SHOP, run, Turn.RESUME)
    async with asyncio.timeout(10), bulk.feeding():
        pass
    told = await bulk.told(run)
    assert (told.run.state, sum(told.states.values()), told.run.left) == (RunState.DONE, 5, 0)


async def test_calling_a_run_off_counts_everybody_also_after_an_erasure(bulk):
    run = await bulk.begin(6)
    await bulk.store.commit(lambda tx: tx.retention.leave_runs(people(6)[2].peer))
    await bulk.runs.call_off(SHOP, run)
    assert (await bulk.told(run)).run.dropped == 6


async def test_an_end_beyond_all_calendars_is_told_as_unknown(bulk):
    run = await bulk.begin(6)
    told = await bulk.told(run)
    told = replace(told, run=replace(told.run, total=1_000_000, made=1, segments=10), states={State.DELIVERED: 1})
    ahead = outlook(told, 60, NOON + timedelta(days=365))
    assert (ahead.ends_at, ahead.in_time) == (None, False)


@pytest.mark.parametrize("made", [4, 40], ids=["all of it was made", "much of it was not"])
@pytest.mark.parametrize("answer", [Throttled("not now", wait=5), Unreachable("refused")], ids=["not now", "away"])
async def test_a_text_that_comes_back_after_its_run_was_called_off_does_not_go_again(bulk, made, answer):
    """It was on its way, so it could not be called off; the carrier provably did not take it, so now it can."""
    run = await bulk.begin(made)
    async with bulk.feeding():
        claimed = await bulk.store.commit(partial(claim, FREE, "main", Room(3, 3), NOON))
        assert len(claimed.orders) == 3
        await bulk.runs.call_off(SHOP, run)
        await bulk.settled()
        for order in claimed.orders:
            await bulk.store.commit(partial(record, bulk.world.carrier, order, answer, NOON))
        await bulk.settled()
        told = await bulk.told(run)
    assert told.states == {State.CANCELLED: made}
    assert told.run.state is RunState.CANCELLED
    async with bulk.world.running():
        bulk.clock.move(timedelta(hours=1))
        await bulk.settled()
    assert len(await bulk.handed()) == 3, "the first attempts, and no others"


async def test_a_run_that_was_called_off_ends_when_its_last_text_is_with_the_carrier(bulk):
    run = await bulk.begin(4)
    async with bulk.feeding():
        (order,) = (await bulk.store.commit(partial(claim, FREE, "main", Room(1, 1), NOON))).orders
        await bulk.runs.call_off(SHOP, run)
        await bulk.settled()
        assert (await bulk.told(run)).run.state is RunState.CANCELLING
        await bulk.store.commit(partial(record, bulk.world.carrier, order, CarrierRef("sid"), NOON))
        await bulk.settled()
        told = await bulk.told(run)
    assert (told.run.state, told.states) == (RunState.CANCELLED, {State.CANCELLED: 3, State.ACCEPTED: 1})


@pytest.mark.parametrize(
    "what", [pytest.param(Pause(Paused.ALL), id="everything"), pytest.param(Pause(Paused.NUMBER, DID), id="its number")]
)
async def test_the_kill_switch_reaches_texts_that_are_made_already(bulk, what):
    run = await bulk.begin(60)
    async with bulk.feeding():  # no lane takes any yet
        assert (await bulk.told(run)).states == {State.QUEUED: 60}
    await bulk.store.commit(lambda tx: pause(what, "root", NOON, tx))
    async with bulk.world.running():
        await bulk.settled()
    assert await bulk.handed() == []
    assert (await bulk.told(run)).states == {State.REFUSED: 60}
    assert await bulk.rows("SELECT DISTINCT reason FROM message") == [("paused",)]
