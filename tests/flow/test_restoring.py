"""After a database was put back: what waits is compared with what the carrier took, and only what is clear goes on."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from ringback.core.messages import Basis, MessageClass, OnDoubt, ReceiptStatus, State, Wanted
from ringback.core.permissions import at_the_shell
from ringback.core.policy import Defer
from ringback.core.reasons import Reason
from ringback.errors import Unreachable
from ringback.flow.holds import Holding, change_by_words, holds
from ringback.flow.orphans import take_over
from ringback.flow.put_back import put_back
from ringback.flow.receipts import apply_receipt
from ringback.flow.restoring import Restoring, hold_everything
from ringback.ports import Listed, Receipt
from ringback.ports.bulks import Plan
from ringback.ports.handsets import Behaviour
from ringback.ports.texts import Route
from tests.flow.office import audited, column, rows, states
from tests.flow.world import DID, HOUSE, PAT, SAM, World, a_call, life_of

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
ROOT = at_the_shell("root")


class Lists:
    """Lets the loopback be asked; `answer` is what it lists, or why it cannot be asked."""

    def __init__(self, carrier, complete):
        self.answer, self.asked = [], []
        carrier.complete, carrier.sent_since = complete, self

    async def __call__(self, moment):
        self.asked.append(moment)
        if isinstance(self.answer, Exception):
            raise self.answer
        return list(self.answer)


class Scene:
    """A world whose carrier is held while texts are asked for, then its database is put back."""

    def __init__(self, world):
        self.world = world
        self.clock = world.clock
        self.holding = Holding(world.store, {"main": world.lane}, world.clock)
        self.restoring = Restoring(world.house, world.store, {"main": world.carrier}, self.holding, world.clock)

    async def wants(self, text, peer=PAT, policy=OnDoubt.ONCE, verdict=None) -> str:
        """A text that waits: its public id."""

        def put(tx):
            now = self.clock.now()
            wanted = Wanted(
                DID,
                HOUSE.read("", peer),
                text,
                "en",
                MessageClass.CONVERSATIONAL,
                Basis.CONVERSATION,
                "test",
                False,
                now + DAY,
            )
            return tx.outbox.put(wanted, tx.pairs.thread(DID, peer, now), Route("main", 1, policy), verdict, now)

        return (await self.world.store.commit(put)).public_id

    async def is_put_back(self) -> None:
        self.clock.move(HOUR)
        await self.world.store.commit(partial(put_back, "backup of noon", self.clock.now()))
        await self.starts()

    async def starts(self) -> None:
        await self.world.store.commit(partial(hold_everything, ["main"], self.clock.now()))
        await self.holding.load()

    async def looks(self) -> str:
        """Compare; returns why the carrier is held then."""
        await self.restoring.look()
        found = await self.world.store.commit(holds)
        return found[0].why if found else ""

    async def released(self, **more) -> str:
        said = await self.holding.change({"change": "release", "name": "main", **more}, ROOT)
        await self.world.settled()
        return said

    async def state(self, message) -> tuple:
        (row,) = await rows(self.world, f"SELECT state, reason FROM message WHERE public_id = '{message}'")
        return row


@asynccontextmanager
async def played(store, clock, tmp_path):
    world = World(store, clock, tmp_path)
    scene = Scene(world)
    await scene.holding.change({"change": "hold", "name": "main", "why": "while it is set up"}, ROOT)
    async with world.running():
        yield scene


@pytest.fixture
async def scene(store, clock, tmp_path):
    async with played(store, clock, tmp_path) as scene:
        yield scene


def listed(text, peer=PAT, number=1, status=ReceiptStatus.DELIVERED):
    return Listed(f"SM{number}", status, None, sender=DID, to=peer, text=text)


async def test_what_the_carrier_took_is_never_sent_again(scene):
    lists = Lists(scene.world.carrier, complete=True)
    sent, waits = await scene.wants("We open at 9."), await scene.wants("It is ready.", SAM)
    await scene.is_put_back()
    lists.answer = [listed("We open  at 9.\n"), listed("A text of after the backup.", SAM, 2)]
    why = await scene.looks()
    assert await states(scene.world, sent) == ["queued", "submitting", "accepted", "delivered"]
    assert scene.world.handset() == []
    assert "Of those that waited were sent, and say so: 1." in why
    assert "what it does not list was not sent" in why
    assert await scene.released() == "carrier main goes on"
    assert (scene.world.handset(PAT), scene.world.handset(SAM)) == ([], ["It is ready."])
    assert (await states(scene.world, waits))[:2] == ["queued", "submitting"]
    assert lists.asked[0] < scene.clock.now() - 2 * HOUR, "clocks may differ"


@pytest.mark.parametrize("lists", ["not whole", "none"])
async def test_what_nobody_can_tell_waits_until_a_person_says_so(scene, lists):
    if lists == "not whole":
        Lists(scene.world.carrier, complete=False)
    unclear, dear = await scene.wants("We open at 9."), await scene.wants("Your code is 1234.", SAM, OnDoubt.DELIVER)
    await scene.is_put_back()
    assert "May have been sent, and wait on when the carrier goes on: 1." in await scene.looks()
    assert await scene.released() == (
        "carrier main goes on; waiting on, since they may have been sent already: 1. --all lets them go as well"
    )
    assert await scene.state(unclear) == ("held", "put_back")
    assert (scene.world.handset(PAT), scene.world.handset(SAM)) == ([], ["Your code is 1234."])
    said = await scene.released(all="yes")
    assert said == "carrier main was not held back; with it 1 text that may have been sent already"
    await scene.looks()
    await scene.world.passes(MINUTE)
    assert scene.world.handset(PAT) == ["We open at 9."]
    assert (await states(scene.world, dear))[:2] == ["queued", "submitting"]
    assert ("shell root", "release_unclear", "main") in await audited(scene.world)


async def test_released_before_anybody_compared_it_waits_all_the_same(scene):
    unclear = await scene.wants("We open at 9.")
    await scene.is_put_back()
    assert "they may have been sent already: 1." in await scene.released()
    assert await scene.state(unclear) == ("held", "put_back")
    assert scene.world.handset() == []


async def test_what_waits_for_that_does_not_keep_newer_texts_to_the_person(scene):
    await scene.wants("We open at 9.")
    await scene.is_put_back()
    await scene.released()
    await scene.wants("Are you there?")
    scene.world.lane.nudge()
    await scene.world.settled()
    assert scene.world.handset() == ["Are you there?"]


async def test_what_is_listed_later_is_known_later(scene):
    lists = Lists(scene.world.carrier, complete=False)
    late, never = await scene.wants("We open at 9."), await scene.wants("It is ready.", SAM)
    await scene.is_put_back()
    task = asyncio.ensure_future(scene.restoring.run())
    await scene.world.settled()
    await scene.released()
    lists.answer = [listed("We open at 9.")]
    await scene.world.passes(timedelta(minutes=5))
    task.cancel()
    assert (await scene.state(late))[0] == "delivered"
    assert await scene.state(never) == ("held", "put_back")
    assert scene.world.handset(PAT) + scene.world.handset(SAM) == []


async def test_a_carrier_that_does_not_answer_is_asked_again_and_nothing_is_decided(scene):
    lists = Lists(scene.world.carrier, complete=True)
    waits = await scene.wants("We open at 9.")
    await scene.is_put_back()
    lists.answer = Unreachable("no line")
    task = asyncio.ensure_future(scene.restoring.run())
    await scene.world.settled()
    assert "cannot be asked now" in (await scene.world.store.commit(holds))[0].why
    assert await scene.state(waits) == ("queued", None)
    lists.answer = [listed("We open at 9.")]
    await scene.world.passes(timedelta(minutes=2))
    task.cancel()
    assert (await scene.state(waits))[0] == "delivered"


async def test_of_the_same_words_twice_as_many_are_known_as_the_carrier_took(scene):
    lists = Lists(scene.world.carrier, complete=True)
    first, second = await scene.wants("Hello."), await scene.wants("Hello.")
    await scene.is_put_back()
    lists.answer = [listed("Hello.")]
    await scene.looks()
    await scene.looks()
    assert [(await scene.state(one))[0] for one in (first, second)] == ["delivered", "queued"]
    await scene.released()
    assert scene.world.handset() == ["Hello."]


async def test_a_row_without_words_may_be_any_of_them(scene):
    lists = Lists(scene.world.carrier, complete=True)
    waits = await scene.wants("We open at 9.")
    await scene.is_put_back()
    lists.answer = [Receipt("SM1", ReceiptStatus.SENT, None)]
    assert "its list need not be whole" in await scene.looks()
    assert await scene.state(waits) == ("held", "put_back")


async def test_what_the_database_knows_has_its_receipts(scene):
    lists = Lists(scene.world.carrier, complete=True)
    scene.world.carrier.behave(PAT, Behaviour.NO_RECEIPTS)
    known = await scene.wants("We open at 9.")
    await scene.released()
    provider_id, state = (await rows(scene.world, "SELECT a.provider_id, m.state FROM attempt a, message m"))[0]
    assert state == "accepted"
    await scene.is_put_back()
    lists.answer = [Receipt(provider_id, ReceiptStatus.DELIVERED, None)]
    await scene.looks()
    assert (await scene.state(known))[0] == "delivered"


async def test_what_waits_for_a_time_to_come_and_what_is_new_goes_its_way(scene):
    later = Defer(Reason.SCHEDULED, scene.clock.now() + 3 * HOUR)
    timed = await scene.wants("It is time.", SAM, verdict=later)
    await scene.is_put_back()
    await scene.looks()
    new = await scene.wants("Good morning.")
    assert await scene.released() == "carrier main goes on"
    assert scene.world.handset() == ["Good morning."]
    assert await scene.state(timed) == ("held", "scheduled")
    assert (await states(scene.world, new))[1] == "submitting"
    await scene.world.passes(2 * HOUR)
    assert scene.world.handset(SAM) == ["It is time."]


async def test_a_text_made_anew_for_a_call_of_before_may_have_been_sent_too(scene):
    await scene.is_put_back()
    await scene.world.happens(*life_of(a_call("1.1", ended=scene.clock.now())))
    assert "on when the carrier goes on: 1." in await scene.looks()
    await scene.released()
    assert scene.world.handset() == []
    scene.clock.move(DAY)
    await scene.world.happens(*life_of(a_call("1.2", ended=scene.clock.now())))
    assert len(scene.world.handset()) == 1


async def test_a_run_makes_no_more_texts_until_somebody_resumes_it(scene):
    now = scene.clock.now()
    plan = Plan("test", DID, "Hello.", MessageClass.TRANSACTIONAL, Basis.CONSENT, "en", now, now + DAY)

    def begin(tx):
        run, _ = tx.bulks.begin(plan, now)
        tx.bulks.open(run, 1, 0, now)

    await scene.world.store.commit(begin)
    await scene.is_put_back()
    assert await column(scene.world, "SELECT state FROM bulk") == ["paused"]


async def test_a_start_after_that_holds_nothing_again(scene):
    await scene.is_put_back()
    await scene.released()
    await scene.starts()
    assert await scene.world.store.commit(holds) == ()


async def test_what_a_carrier_was_held_for_before_stands_there_until_it_is_let_go(scene):
    await scene.wants("We open at 9.")
    await scene.is_put_back()
    assert "It was held back before: while it is set up" in (await scene.world.store.commit(holds))[0].why
    why = await scene.looks()
    assert "main cannot tell what it took." in why
    assert "It was held back before: while it is set up" in why


async def test_what_a_person_lets_go_while_the_carrier_is_asked_is_not_kept_back_after_all(scene):
    lists = Lists(scene.world.carrier, complete=False)
    await scene.wants("We open at 9.")
    await scene.is_put_back()
    asked, decided = asyncio.Event(), asyncio.Event()

    async def slowly(moment):
        asked.set()
        await decided.wait()
        return await lists(moment)

    scene.world.carrier.sent_since = slowly
    scene.world.carrier.behave(PAT, Behaviour.AWAY)
    task = asyncio.ensure_future(scene.restoring.look())
    await asked.wait()
    await scene.released(all="yes")
    decided.set()
    await task
    scene.world.carrier.behave(PAT, Behaviour.DELIVERS)
    await scene.world.passes(HOUR)
    assert scene.world.handset(PAT) == ["We open at 9."]


async def test_what_goes_on_already_is_not_kept_back_again(scene):
    """A text that was to go later waited for its time, and then for something else."""
    later = Defer(Reason.SCHEDULED, scene.clock.now() + 3 * HOUR)
    timed, unclear = await scene.wants("It is time.", SAM, verdict=later), await scene.wants("We open at 9.")
    await scene.is_put_back()
    await scene.looks()
    await scene.released()
    row = (await rows(scene.world, f"SELECT id FROM message WHERE public_id = '{timed}'"))[0][0]
    until = scene.clock.now() + 4 * HOUR
    put_off = partial(hold_one, row, Defer(Reason.RATE_NUMBER, until), scene.clock.now())
    await scene.world.store.commit(put_off)
    await scene.looks()
    assert await scene.state(timed) == ("held", "rate_number")
    assert await scene.state(unclear) == ("held", "put_back")


def hold_one(row, verdict, now, tx):
    tx.outbox.hold(row, State.HELD, verdict, "", now)


async def test_a_receipt_that_came_before_its_text_was_known_is_not_lost(scene):
    lists = Lists(scene.world.carrier, complete=False)
    sent = await scene.wants("We open at 9.")
    await scene.is_put_back()
    early = Receipt("SM1", ReceiptStatus.DELIVERED, None)
    await scene.world.store.commit(partial(apply_receipt, "main", early, scene.clock.now()))
    lists.answer = [listed("We open at 9.", status=ReceiptStatus.SENT)]
    await scene.looks()
    assert (await scene.state(sent))[0] == "delivered"


async def test_a_list_begins_before_the_database_was_put_back_also_if_that_knew_the_future(scene):
    lists = Lists(scene.world.carrier, complete=True)
    await scene.wants("We open at 9.")
    await scene.world.store.commit(lambda tx: tx.audit.note("root", "x", "y", "z", scene.clock.now() + 3 * DAY))
    await scene.is_put_back()
    await scene.looks()
    assert lists.asked == [scene.clock.now() - 2 * HOUR]


async def test_what_goes_by_another_carrier_since_its_own_is_gone_may_have_been_sent_too(scene):
    """The configuration was changed after the restore, and nothing holds the other carrier back."""
    unclear = await scene.wants("We open at 9.")
    await scene.is_put_back()
    house = replace(scene.world.house, carrier_of={DID: "other"})
    await scene.world.store.commit(partial(take_over, house, {"other"}, scene.clock.now()))
    assert await column(scene.world, "SELECT carrier FROM message") == ["other"]
    assert await scene.state(unclear) == ("held", "put_back")


async def test_what_was_let_go_and_cannot_leave_yet_waits_for_nobody(scene):
    await scene.wants("We open at 9.")
    await scene.is_put_back()
    await scene.looks()
    words = {"change": "release", "name": "main", "all": "yes"}
    said = await scene.world.store.commit(partial(change_by_words, words, ROOT, scene.clock.now()))
    assert said.endswith("with it 1 text that may have been sent already")
    assert await scene.released() == "carrier main was not held back"


async def test_a_long_list_has_its_time(scene, monkeypatch):
    """After a restore it may be of a day, and have many pages; nobody sits and waits for it."""
    given, timeout = [], asyncio.timeout
    Lists(scene.world.carrier, complete=True)
    await scene.is_put_back()
    monkeypatch.setattr(asyncio, "timeout", lambda delay: given.append(delay) or timeout(delay))
    await scene.restoring.look()
    assert max(given) >= 60
