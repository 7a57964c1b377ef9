"""Who waits for what: lanes and delays look again in time, whatever stands in front of a text."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from ringback.carriers.loopback import Settings
from ringback.core.messages import ReceiptStatus
from ringback.core.reasons import Reason
from ringback.errors import StoreBusy
from ringback.flow.arrivals import Arrivals
from ringback.flow.delays import sweep
from ringback.flow.house import Limits
from ringback.flow.orphans import take_over
from ringback.flow.pauses import Pause, Scope, pause
from ringback.flow.receipts import apply_receipt
from ringback.flow.sending import Lanes
from ringback.ports import Receipt
from ringback.ports.handsets import Behaviour
from tests.conftest import NOON
from tests.flow.test_calls import tasks
from tests.flow.world import HOUSE, PAT, SAM, World, a_call, life_of, ruled

MANY = [f"+1512555{n:04}" for n in range(100, 106)]


async def test_a_text_behind_another_does_not_keep_the_lane_asleep(store, clock, tmp_path):
    async with World(store, clock, tmp_path, ruled(cool_down=timedelta())).running() as world:
        world.carrier.behave(PAT, Behaviour.AWAY)
        await world.happens(*life_of(a_call("1")))
        await world.happens(*life_of(a_call("2")))
        assert await world.states("2") == ["queued"], "behind the first, which waits five seconds"
        world.carrier.behave(PAT, Behaviour.DELIVERS)
        await world.passes(timedelta(seconds=6))
        assert (await world.states("1"))[-1] == "delivered"
        assert (await world.states("2"))[-1] == "delivered"


async def test_texts_that_may_not_go_do_not_hold_up_those_behind_them(store, clock, tmp_path):
    options = Settings(window=2)
    async with World(store, clock, tmp_path, options=options).running() as world:
        for number in MANY:
            world.carrier.behave(number, Behaviour.AWAY)
            await world.happens(*life_of(a_call(number, caller=number)))
        await store.commit(partial(pause, Pause(Scope.ALL), "ana", NOON))
        await world.passes(timedelta(seconds=6))
        assert [(await world.states(number))[-1] for number in MANY] == ["refused"] * len(MANY)


async def test_a_storm_of_delayed_texts_leaves_a_task_too(store, clock, tmp_path):
    house = replace(ruled(delay=timedelta(seconds=20)), limits=Limits(texts_per_minute=2))
    async with World(store, clock, tmp_path, house).running() as world:
        for number in MANY:
            await world.happens(*life_of(a_call(number, caller=number)))
        await world.passes(timedelta(seconds=21))
        assert [(await world.decision(number))[1] for number in MANY[2:]] == [Reason.STORM] * 4
        assert await tasks(store) == ["storm"]


async def test_a_delayed_text_that_comes_up_too_late_is_for_a_person(store, clock, tmp_path):
    house = ruled(delay=timedelta(seconds=20), age_limit=timedelta(minutes=15))
    async with World(store, clock, tmp_path, house).running() as world:
        await world.happens(*life_of(a_call("1")))
    clock.move(timedelta(hours=1))
    async with World(store, clock, tmp_path, house).running() as world:
        assert await world.decision("1") == ("suppress", Reason.TOO_OLD)
        assert world.handset() == []
    assert await tasks(store) == ["too_old"]


async def test_a_due_text_that_cannot_be_stored_neither_spins_nor_stops_the_others(store, clock, tmp_path, monkeypatch):
    from ringback.flow import delays

    fire, tries = delays.fire, []

    def fail_for_pat(house, slot, text, now, tx):
        if text.peer == PAT:
            tries.append(now)
            raise ZeroDivisionError("a bug")
        return fire(house, slot, text, now, tx)

    monkeypatch.setattr(delays, "fire", fail_for_pat)
    async with World(store, clock, tmp_path, ruled(delay=timedelta(seconds=20))).running() as world:
        await world.happens(*life_of(a_call("1")), *life_of(a_call("2", caller=SAM)))
        await world.passes(timedelta(seconds=21))
        assert len(tries) == 1
        assert (await world.states("2"))[-1] == "delivered"
        await world.passes(timedelta(seconds=61))
        assert len(tries) == 2, "and it is tried again later"


async def test_a_text_that_was_in_doubt_and_is_settled_needs_nobody_any_more(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        world.carrier.behave(PAT, Behaviour.SILENT)
        await world.happens(*life_of(a_call("1")))
        await world.passes(timedelta(seconds=11))
        assert await tasks(store) == ["unconfirmed"]
        (call,) = (await world.story("1")).calls
        late = Receipt("lb-late", ReceiptStatus.DELIVERED, NOON, attempt=call.texts[0].attempts[0].public_id)
        await store.commit(partial(apply_receipt, "main", late, clock.now()))
        assert (await world.states("1"))[-1] == "delivered"
    await store.commit(partial(sweep, HOUSE, clock.now()))
    assert await store.commit(lambda tx: tx.tasks.open()) == {}


async def test_more_receipts_than_the_writer_takes_at_once_are_stored_all_the_same(store, clock):
    class Flood:
        async def batches(self):
            yield [Receipt(f"lb-{n}", ReceiptStatus.SENT, NOON) for n in range(20_001)]

    await Arrivals(HOUSE, store, Lanes({}), clock).listen("main", Flood())
    assert await store.commit(parked) == 20_001


def parked(tx):
    from ringback.store.sql import Sql

    statement = "SELECT count(*) FROM receipt_parked"
    return tx.outbox._run.one(Sql(statement, statement))[0]


@pytest.mark.parametrize("delay", [timedelta(), timedelta(seconds=20)], ids=["at once", "after a delay"])
async def test_a_stop_in_the_middle_of_a_commit_still_hands_the_text_over(store, clock, tmp_path, delay):
    world = World(Slow(store), clock, tmp_path, ruled(delay=delay))
    async with asyncio.TaskGroup() as group:
        lane = group.create_task(world.lane.run())
        receipts = group.create_task(world.arrivals.listen("main", world.carrier))
        parts = [group.create_task(part) for part in (world.delays.run(), world.follower.follow(world.script))]
        await world.settled()
        if delay:
            await world.happens(*life_of(a_call("1")))
        world.store.slow = True
        world.script.feed(*([] if delay else life_of(a_call("1"))))
        clock.move(delay)
        await world.store.begun.wait()
        for part in parts:
            part.cancel()
        await asyncio.sleep(0)
        world.store.go_on.set()
        await asyncio.wait(parts)
        world.lane.drain()
        await lane
        receipts.cancel()
    assert world.handset() != []
    assert (await world.states("1"))[1] == "accepted"


class Slow:
    """A store that, when told, commits at once but answers only when told to go on."""

    def __init__(self, store):
        self.store = store
        self.slow = False
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def commit(self, step):
        return await self.store.commit(step)

    async def commit_all(self, steps):
        values = await self.store.commit_all(steps)
        if self.slow and any(getattr(value, "submitted", None) for value in values):
            self.begun.set()
            await self.go_on.wait()
        return values

    def ride_along(self, steps):
        self.store.ride_along(steps)


async def test_texts_of_a_carrier_that_is_gone_go_by_the_one_their_number_has_now(store, clock, tmp_path):
    house = ruled(cool_down=timedelta())
    async with World(store, clock, tmp_path, house).running() as old:
        old.carrier.behave(PAT, Behaviour.AWAY)
        old.carrier.behave(SAM, Behaviour.SILENT)
        await old.happens(*life_of(a_call("1")), *life_of(a_call("2", caller=SAM)))
    await store.commit(partial(rename_carrier, "gone"))
    assert await store.commit(partial(take_over, house, {"main"}, clock.now())) == 2
    async with World(store, clock, tmp_path, house).running() as world:
        assert (await world.states("2"))[-1] == "unconfirmed"
        await world.passes(timedelta(seconds=6))
        assert (await world.states("1"))[-1] == "delivered"
        await world.happens(*life_of(a_call("3")), *life_of(a_call("4", caller=SAM)))
        assert [(await world.states(call))[-1] for call in "34"] == ["delivered"] * 2


async def test_a_text_whose_number_has_no_carrier_any_more_is_refused(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        world.carrier.behave(PAT, Behaviour.AWAY)
        await world.happens(*life_of(a_call("1")))
    await store.commit(partial(take_over, replace(ruled(), carrier_of={}), frozenset(), clock.now()))
    assert (await world.states("1"))[-1] == "refused"


def rename_carrier(name, tx):
    from ringback.store.sql import Sql

    for table in ("message", "attempt"):
        statement = f"UPDATE {table} SET carrier = '{name}'"
        tx.outbox._run.change(Sql(statement, statement))


async def test_a_commit_whose_answer_was_lost_strands_no_text_for_ever(store, clock, tmp_path):
    flaky = Flaky(store)
    async with World(flaky, clock, tmp_path, ruled(cool_down=timedelta())).running() as world:
        flaky.breaks = True
        world.script.feed(*life_of(a_call("1")))
        await flaky.begun.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        await world.passes(timedelta(seconds=1))
        assert await world.states("1") == ["submitting"], "stored, but the second try found the call ended already"
        await world.passes(timedelta(minutes=6))
        await world.passes(timedelta(minutes=6))
        assert await world.states("1") == ["submitting", "unconfirmed"]
        assert await tasks(store) == ["unconfirmed"]
        await world.happens(*life_of(a_call("2", ended=clock.now())))
        assert (await world.states("2"))[-1] == "delivered"


class Flaky(Slow):
    """A store whose connection breaks once behind a flush: what was done is on disk, and the answer is lost."""

    breaks = False

    async def commit_all(self, steps):
        values = await self.store.commit_all(steps)
        if self.breaks and any(getattr(value, "submitted", None) for value in values):
            self.breaks = False
            self.begun.set()
            return [StoreBusy("the connection is gone")] * len(values)
        return values
