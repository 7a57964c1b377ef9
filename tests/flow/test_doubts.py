"""Texts in doubt, settled by themselves: by receipt, by their carrier's list, by their policy; and the alarm."""

import asyncio
import random
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from ringback.core.doubts import EVIDENCE_WINDOW, Seen
from ringback.core.messages import Basis, MessageClass, OnDoubt, ReceiptStatus, Wanted
from ringback.core.permissions import Role, at_the_shell
from ringback.core.provider_ids import Ids
from ringback.errors import StoreBusy, Unreachable
from ringback.flow.alarms import sound_alarms
from ringback.flow.attempts import record, recover
from ringback.flow.delays import sweep
from ringback.flow.desk import Resolution, Settled
from ringback.flow.doubts import Doubts, due_of, facts_of, settle
from ringback.flow.holds import Holding, change_by_words, hold, holds, release
from ringback.flow.outbound import Slot, submit
from ringback.flow.pauses import Pause, Scope, Turn, turn
from ringback.flow.permits import Denied
from ringback.flow.receipts import apply_receipt
from ringback.flow.replies import Reply, answer
from ringback.ports import CarrierRef, Receipt
from ringback.ports.handsets import Behaviour
from ringback.store.sql import Sql
from tests.conftest import NOON
from tests.flow.office import ANNA, audited, begin, column, desk_of, rows, states
from tests.flow.world import DID, HOUSE, PAT, SAM, World

ONCE, CHECK, DELIVER = OnDoubt
ANSWER = timedelta(seconds=11)
WINDOW = timedelta(seconds=121)
ROOT = at_the_shell("root")
_NAMES = ("public_id", "part_id", "message_id", "carrier", "epoch", "opened_at", "closed_at", "outcome", "cause")
_INTO = f"INSERT INTO attempt ({', '.join(_NAMES)})"
ATTEMPT = Sql(
    f"{_INTO} VALUES ({', '.join(f':{name}' for name in _NAMES)})",
    f"{_INTO} VALUES ({', '.join(f'%({name})s' for name in _NAMES)})",
)


def with_policy(policy):
    return replace(HOUSE, on_doubt={MessageClass.CONVERSATIONAL: policy})


@asynccontextmanager
async def living(store, clock, folder, policy=ONCE):
    async with World(store, clock, folder, with_policy(policy)).running() as world:
        world.holding = Holding(world.store, {"main": world.lane}, clock)
        world.doubts = Doubts(
            world.house, world.store, world.lanes, {"main": world.carrier}, world.holding, store.changes, clock
        )
        task = asyncio.create_task(world.doubts.run())
        await world.settled()
        yield world
        task.cancel()
        await asyncio.wait((task,))


@pytest.fixture
async def world(request, store, clock, tmp_path):
    async with living(store, clock, tmp_path, getattr(request, "param", ONCE)) as world:
        yield world


def policy(of: OnDoubt):
    return pytest.mark.parametrize("world", [of], indirect=True, ids=[of.value])


async def doubtful(world, peer=PAT, key="k", behaviour=Behaviour.SILENT) -> str:
    """A reply whose carrier never answered: its public id."""
    world.carrier.behave(peer, behaviour)
    replied = await desk_of(world).reply(ANNA, await begin(world, peer=peer), f"We open at 9. {key}", key)
    await world.passes(ANSWER)
    assert (await states(world, replied.message))[-1] == "unconfirmed"
    return replied.message


class Listing:
    """Lets a carrier be asked; `answer` is what it lists, or what is wrong with it."""

    def __init__(self, world, answer=(), complete=True):
        self.world = world
        self.answer = answer
        self.asked = []
        world.carrier.complete = complete
        world.carrier.sent_since = self

    async def __call__(self, moment):
        self.asked.append(moment)
        if isinstance(self.answer, Exception):
            raise self.answer
        return list(self.answer)


async def attempts(world) -> list[tuple]:
    return await rows(world, "SELECT outcome, public_id FROM attempt ORDER BY id")


async def details(world) -> list[str]:
    return await column(world, "SELECT detail FROM message_event ORDER BY id")


async def open_tasks(world) -> list[str]:
    return await column(world, "SELECT kind FROM task WHERE done_at IS NULL ORDER BY id")


def listed(status="sent", attempt="", provider_id="sid-1"):
    return Receipt(provider_id, ReceiptStatus(status), NOON, attempt=attempt)


async def test_nobody_is_asked_while_a_receipt_may_still_come(world):
    listing = Listing(world)
    await doubtful(world)
    await world.passes(timedelta(seconds=119))
    assert listing.asked == []
    await world.passes(timedelta(seconds=1))
    assert listing.asked == [NOON - timedelta(hours=2)]


async def test_what_the_carrier_lists_counts_as_a_receipt(world):
    listing = Listing(world)
    message = await doubtful(world)
    ((_, ours),) = await attempts(world)
    listing.answer = [listed("delivered", ours)]
    await world.passes(WINDOW)
    assert await states(world, message) == ["submitting", "unconfirmed", "delivered"]
    assert await open_tasks(world) == []


@policy(CHECK)
async def test_a_clock_of_ours_that_runs_ahead_finds_the_text_all_the_same(world):
    """Its row is an hour old by then; a list that begins later does not show that it was not sent."""

    class ByTime(Listing):
        async def __call__(self, moment):
            return [row for row in await super().__call__(moment) if row.carrier_at >= moment]

    listing = ByTime(world)
    message = await doubtful(world)
    ((_, ours),) = await attempts(world)
    listing.answer = [replace(listed("delivered", ours), carrier_at=NOON - timedelta(hours=1))]
    await world.passes(WINDOW)
    assert (await states(world, message))[-1] == "delivered"
    assert len(await attempts(world)) == 1


async def test_one_question_is_enough_for_all_of_a_carriers_texts(world):
    listing = Listing(world)
    texts = [await doubtful(world, SAM, f"k{number}") for number in range(4)]
    listing.answer = [listed("sent", ours, f"sid-{ours}") for _, ours in await attempts(world)]
    await world.passes(WINDOW)
    assert {(await states(world, text))[-1] for text in texts} == {"sent"}
    assert len(listing.asked) == 1, "the later ones were due a little later, and the list had them already"


async def test_once_leaves_a_text_that_is_not_listed_to_a_person_and_asks_no_more(world):
    listing = Listing(world)
    message = await doubtful(world)
    await world.passes(WINDOW)
    await world.passes(timedelta(hours=3))
    assert len(listing.asked) == 1
    assert await states(world, message) == ["submitting", "unconfirmed", "unconfirmed"]
    assert (await details(world))[-1] == "main lists no such text since 2026-11-20 15:00:00 UTC"
    assert await open_tasks(world) == ["unconfirmed"]
    assert len(world.handset()) == 1


@pytest.mark.parametrize(
    "problem", [Unreachable("no route"), TimeoutError(), ZeroDivisionError("a bug")], ids=["away", "silent", "a bug"]
)
async def test_a_carrier_that_is_away_is_asked_after_2_10_and_30_minutes_and_then_each_hour(world, problem):
    listing = Listing(world, problem)
    message = await doubtful(world)
    await world.passes(WINDOW)
    times = []
    for minute in range(1, 165):
        await world.passes(timedelta(minutes=1))
        if len(listing.asked) - 1 > len(times):
            times.append(minute)
    assert times == [2, 12, 42, 102, 162]
    ((_, ours),) = await attempts(world)
    listing.answer = [listed("sent", ours)]
    await world.passes(timedelta(hours=1))
    assert (await states(world, message))[-1] == "sent"


@policy(CHECK)
@pytest.mark.parametrize(
    ("complete", "strangers", "again"),
    [
        pytest.param(True, [], True, id="a complete list without it"),
        pytest.param(True, [listed("sent", "att_of_another")], True, id="with another text of ours"),
        pytest.param(False, [], False, id="a list that may lack it"),
        pytest.param(True, [listed("sent")], False, id="a list with a text that may be this one"),
    ],
)
async def test_check_then_resend_needs_evidence_that_it_was_not_taken(world, complete, strangers, again):
    Listing(world, strangers, complete)
    message = await doubtful(world)
    world.carrier.behave(PAT, Behaviour.DELIVERS)
    await world.passes(WINDOW)
    assert len(world.handset()) == (2 if again else 1)
    assert (await states(world, message))[-1] == ("delivered" if again else "unconfirmed")
    assert await open_tasks(world) == ([] if again else ["unconfirmed"])
    assert [action for _, action, _ in await audited(world)] == (["sent_again"] if again else [])


@policy(CHECK)
async def test_check_then_resend_never_sends_where_there_is_no_list(world):
    await doubtful(world)
    world.carrier.behave(PAT, Behaviour.DELIVERS)
    await world.passes(timedelta(hours=2))
    assert len(world.handset()) == 1


@policy(DELIVER)
async def test_deliver_sends_once_more_and_says_so(world):
    message = await doubtful(world)
    world.carrier.behave(PAT, Behaviour.DELIVERS)
    await world.passes(WINDOW)
    assert await states(world, message) == [
        "submitting", "unconfirmed", "unconfirmed", "submitting", "accepted", "sent", "delivered",
    ]  # fmt: skip
    assert "sent once more by the policy deliver; it may arrive twice" in await details(world)
    assert await audited(world) == [("policy deliver", "sent_again", message)]
    assert [outcome for outcome, _ in await attempts(world)] == ["unconfirmed", "accepted"]
    assert await column(world, "SELECT resends FROM message") == [1]
    assert await open_tasks(world) == []


@policy(DELIVER)
async def test_never_a_second_time(world):
    listing = Listing(world)
    message = await doubtful(world)
    await world.passes(WINDOW)
    await world.passes(ANSWER)
    await world.passes(timedelta(hours=3))
    assert len(world.handset()) == 2
    assert (await states(world, message))[-1] == "unconfirmed"
    assert await open_tasks(world) == ["unconfirmed"]
    assert len(listing.asked) == 2, "after the second attempt the carrier is asked once more"


@policy(DELIVER)
async def test_a_receipt_of_the_first_attempt_settles_the_text_while_the_second_is_on_its_way(world):
    message = await doubtful(world)
    await world.passes(WINDOW)
    (_, first), _ = await attempts(world)
    step = partial(apply_receipt, "main", listed("delivered", first), world.clock.now())
    await world.store.commit(step)
    await world.passes(ANSWER)
    assert (await states(world, message))[-1] == "delivered"
    assert await column(world, "SELECT state FROM part") == ["delivered"], "and the parts fold to the same"
    assert await open_tasks(world) == []


@policy(DELIVER)
@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        pytest.param(Behaviour.REFUSES, "rejected", id="turned away"),
        pytest.param(Behaviour.BLOCKS, "rejected", id="blocked"),
        pytest.param(Behaviour.AWAY, "not_sent", id="unreachable"),
    ],
)
async def test_a_second_attempt_that_fails_leaves_the_first_in_doubt(world, behaviour, outcome):
    message = await doubtful(world)
    world.carrier.behave(PAT, behaviour)
    await world.passes(WINDOW)
    assert [each for each, _ in await attempts(world)] == ["unconfirmed", outcome]
    assert (await states(world, message))[-1] == "unconfirmed"
    assert await open_tasks(world) == ["unconfirmed"]


@policy(DELIVER)
async def test_a_second_attempt_that_provably_did_not_leave_is_made_again_later(world):
    message = await doubtful(world)
    world.carrier.behave(PAT, Behaviour.AWAY)
    await world.passes(WINDOW)
    world.carrier.behave(PAT, Behaviour.DELIVERS)
    await world.passes(WINDOW)
    assert (await states(world, message))[-1] == "delivered"
    assert len(world.handset()) == 2


@policy(DELIVER)
@pytest.mark.parametrize("what", ["expired", "said stop", "held", "settled by a person"])
async def test_what_keeps_a_text_from_going_once_more(world, what):
    message = await doubtful(world)
    world.carrier.behave(PAT, Behaviour.DELIVERS)
    match what:
        case "expired":
            await world.store.commit(lambda tx: None)
            world.clock.move(timedelta(hours=5))
        case "said stop":
            await world.says("STOP")
        case "held":
            await world.holding.change({"change": "hold", "name": "main", "why": "A test."}, ROOT)
        case _:
            await desk_of(world).resolve(ANNA, message, Resolution.SENT)
    await world.passes(WINDOW)
    assert [text for text in world.handset() if text.startswith("We open")] == ["We open at 9. k"]
    assert (await states(world, message))[-1] == ("accepted" if what == "settled by a person" else "unconfirmed")


@policy(DELIVER)
async def test_a_pause_does_not_hold_what_a_person_wrote(world):
    message = await doubtful(world)
    world.carrier.behave(PAT, Behaviour.DELIVERS)
    await world.store.commit(partial(turn, Pause(Scope.ALL), Turn.PAUSE, ANNA, world.clock.now()))
    await world.passes(WINDOW)
    assert (await states(world, message))[-1] == "delivered"


@policy(CHECK)
@pytest.mark.parametrize(
    ("class_", "said", "kept"),
    [
        pytest.param(MessageClass.CONVERSATIONAL, None, CHECK, id="by its class"),
        pytest.param(MessageClass.CONVERSATIONAL, ONCE, ONCE, id="what the asker says wins"),
        pytest.param(MessageClass.CONVERSATIONAL, DELIVER, DELIVER, id="whichever it is"),
        pytest.param(MessageClass.SYSTEM, None, ONCE, id="a class that nobody set"),
    ],
)
async def test_the_policy_is_settled_when_the_text_is_asked_for(world, class_, said, kept):
    wanted = Wanted(
        did=DID,
        peer=world.house.read("", PAT),
        text="Hello.",
        language="en",
        class_=class_,
        basis=Basis.CONVERSATION,
        cause="a test",
        automatic=False,
        expires_at=NOON + timedelta(hours=1),
        on_doubt=said,
    )
    await world.store.commit(partial(submit, world.house, None, wanted, None, NOON))
    assert await column(world, "SELECT doubt FROM message") == [kept.value]


@policy(DELIVER)
async def test_and_a_carrier_may_name_a_longer_window(world):
    world.carrier.evidence_window = timedelta(minutes=10)
    await doubtful(world)
    await world.passes(timedelta(minutes=9))
    assert len(world.handset()) == 1
    await world.passes(timedelta(minutes=2))
    assert len(world.handset()) == 2


# the alarm


async def put_in_doubt(world, count, cause="no answer", taken=0):
    """Attempts of which nobody knows, and others that were taken, as rows."""
    await doubtful(world)
    (message,) = await rows(world, "SELECT message_id, part_id FROM attempt")
    now = round(world.clock.now().timestamp() * 1_000_000)

    def step(tx):
        for number in range(count - 1 + taken):
            text = f"more {number}"
            unclear = number < count - 1
            tx.outcomes._run.change(
                ATTEMPT, public_id=text, part_id=message[1], message_id=message[0], carrier="main", epoch=1,
                opened_at=now, closed_at=now, outcome="unconfirmed" if unclear else "accepted",
                cause=cause if unclear else "",
            )  # fmt: skip
        tx.tasks.settle("storm", 0, world.clock.now())  # whoever puts a text in doubt touches the tasks

    await world.store.commit(step)
    await world.settled()


@pytest.mark.parametrize(
    ("count", "cause", "taken", "sounds"),
    [
        pytest.param(1, "no answer", 0, False, id="a single one"),
        pytest.param(16, "no answer", 0, False, id="a line cut once"),
        pytest.param(17, "no answer", 100, True, id="more than a window, and a large share"),
        pytest.param(17, "no answer", 17_000, False, id="more than a window of very many"),
        pytest.param(33, "no answer", 40_000, True, id="more than two windows in five minutes"),
        pytest.param(40, "crash", 0, False, id="what our own crash left says nothing of the carrier"),
    ],
)
async def test_a_carrier_with_too_much_in_doubt_is_held_back_until_a_person_lets_it_go_on(
    world, count, cause, taken, sounds
):
    await put_in_doubt(world, count, cause, taken)
    held = await world.store.commit(holds)
    assert bool(held) is sounds
    assert bool(world.lane.held) is sounds
    if not sounds:
        return
    assert (held[0].by, held[0].carrier) == ("alarm", "main")
    assert "in doubt" in held[0].why
    world.carrier.behave(SAM, Behaviour.DELIVERS)
    await desk_of(world).reply(ANNA, await begin(world, peer=SAM), "Yes.", "after")
    await world.settled()
    assert world.handset(SAM) == []
    await world.holding.change({"change": "release", "name": "main"}, ROOT)
    await world.settled()
    assert world.handset(SAM) == ["Yes."]
    await world.passes(timedelta(minutes=1))
    assert not world.lane.held, "what they knew when they let it go on is no new alarm"


# holds


async def test_the_first_reason_for_a_hold_stands(store):
    def step(tx):
        first = hold("main", "Too much in doubt.", "alarm", NOON, tx)
        second = hold("main", "Another reason.", "restore", NOON, tx)
        return first, second, holds(tx)

    first, second, (held,) = await store.commit(step)
    assert (first, second) == (True, False)
    assert (held.why, held.by, held.since) == ("Too much in doubt.", "alarm", NOON)
    assert held.lift == "ringback carrier release main"


async def test_holds_and_releases_are_in_the_record(world):
    who = ROOT

    def step(tx):
        said = [
            change_by_words({"change": "hold", "name": "main", "why": "Their line is bad."}, who, NOON, tx),
            change_by_words({"change": "hold", "name": "main", "why": "Again."}, who, NOON, tx),
            change_by_words({"change": "release", "name": "main"}, who, NOON, tx),
            change_by_words({"change": "release", "name": "main"}, who, NOON, tx),
        ]
        return said, release("gone", who, NOON, tx)

    said, gone = await world.store.commit(step)
    assert said == [
        "carrier main is held back",
        "carrier main is held back already; release it first",
        "carrier main goes on",
        "carrier main was not held back",
    ]
    assert gone is False
    assert await audited(world) == [
        ("shell root", "hold_carrier", "main"),
        ("shell root", "release_carrier", "main"),
    ]


async def test_who_may_not_hold_a_carrier_is_told(world):
    with pytest.raises(Denied):
        await world.holding.change({"change": "hold", "name": "main", "why": "x"}, ANNA)
    assert world.holding.held == ()


# texts that cross with a STOP, and texts that did not arrive


async def test_an_attempt_that_is_open_when_a_stop_comes_is_noted_as_crossed(world):
    world.carrier.behave(PAT, Behaviour.SILENT)
    message = (await desk_of(world).reply(ANNA, await begin(world), "We open at 9.", "k")).message
    await world.settled()
    await world.says("STOP")
    assert (await details(world))[1] == "crossed with STOP: it was on its way already"
    assert (await states(world, message))[:2] == ["submitting", "submitting"]


async def test_nothing_crosses_where_nothing_is_open(world):
    await desk_of(world).reply(ANNA, await begin(world), "We open at 9.", "k")
    await world.settled()
    await world.says("STOP")
    await world.says("STOP")
    assert not [detail for detail in await details(world) if "crossed" in detail]


async def test_a_text_the_carrier_blocks_did_not_cross_its_own_stop(world):
    world.carrier.behave(PAT, Behaviour.BLOCKS)
    await desk_of(world).reply(ANNA, await begin(world), "We open at 9.", "k")
    await world.settled()
    assert not [detail for detail in await details(world) if "crossed" in detail]


async def test_the_answer_to_a_stop_does_not_cross_with_the_next_one(world):
    world.carrier.behave(PAT, Behaviour.SILENT)
    await world.says("STOP")
    await world.says("STOP")
    assert await column(world, "SELECT count(*) FROM message WHERE state = 'submitting' AND command = 'stop'") == [1]
    assert not [detail for detail in await details(world) if "crossed" in detail]


@pytest.mark.parametrize(
    ("behaviour", "left"),
    [
        pytest.param(Behaviour.REFUSES, ["not_delivered"], id="the carrier turned it away"),
        pytest.param(Behaviour.UNDELIVERS, ["not_delivered"], id="it was not delivered"),
        pytest.param(Behaviour.DELIVERS, [], id="it arrived"),
        pytest.param(Behaviour.AWAY, ["not_delivered"], id="it expired"),
    ],
)
async def test_a_persons_text_that_does_not_arrive_is_left_for_a_person(world, behaviour, left):
    world.carrier.behave(PAT, behaviour)
    who = replace(ANNA, account=await account(world))
    await desk_of(world).reply(who, await begin(world), "We open at 9.", "k")
    await world.settled()
    for _ in range(60):
        await world.passes(timedelta(minutes=5))
    assert await open_tasks(world) == left


async def test_one_that_arrives_after_all_needs_nobody(world):
    world.carrier.behave(PAT, Behaviour.UNDELIVERS)
    who = replace(ANNA, account=await account(world))
    await desk_of(world).reply(who, await begin(world), "We open at 9.", "k")
    await world.settled()
    ((_, ours),) = await attempts(world)
    receipt = replace(listed("delivered", ours), provider_id="")
    await world.store.commit(partial(apply_receipt, "main", receipt, world.clock.now()))
    assert await open_tasks(world) == []


async def account(world) -> int:
    made = await world.store.commit(lambda tx: tx.accounts.add("anna", "Anna", frozenset({Role.AGENT}), "x", "", NOON))
    return made.id


# the deadline


@pytest.mark.parametrize(
    ("receipts", "state"),
    [pytest.param(True, "no_receipt", id="receipts are due"), pytest.param(False, "accepted", id="none ever come")],
)
async def test_after_72_hours_a_receipt_is_missed_only_where_one_is_due(world, receipts, state):
    world.carrier.behave(PAT, Behaviour.NO_RECEIPTS)
    message = (await desk_of(world).reply(ANNA, await begin(world), "We open at 9.", "k")).message
    await world.settled()
    house = replace(world.house, carriers_with_receipts=frozenset({"main"} if receipts else ()))
    await world.store.commit(partial(sweep, house, NOON + timedelta(hours=73)))
    assert (await states(world, message))[-1] == state


async def test_what_is_in_doubt_is_unresolved_after_72_hours_on_every_carrier(world):
    message = await doubtful(world)
    house = replace(world.house, carriers_with_receipts=frozenset())
    await world.store.commit(partial(sweep, house, NOON + timedelta(hours=73)))
    assert (await states(world, message))[-1] == "unresolved"


# ids in every form


FORMS = (str, lambda n: f"{n:x}", lambda n: f"{n:X}", lambda n: f"{n:024}", lambda n: f"{n:020x}")


async def test_receipts_are_matched_in_every_form_in_any_order_and_more_than_once(world, store):
    """The answer in one form, the receipts in others, shuffled, twice, and some before the answer."""
    chance = random.Random(4)
    who = await begin(world)
    first = chance.getrandbits(60)
    ids = [first + number for number in range(200)]
    messages = []
    for number in ids:
        kept = chance.choice(FORMS)(number)
        early = chance.random() < 0.3
        receipts = [
            Receipt(chance.choice(FORMS)(number), status, NOON)
            for status in (ReceiptStatus.SENT, ReceiptStatus.DELIVERED) * 2
        ]
        chance.shuffle(receipts)
        messages.append((kept, receipts, early))
    orders = await store.commit(partial(_open, world.house, who, len(ids)))
    later = []
    for order, (kept, receipts, early) in zip(orders, messages, strict=True):
        before, after = (receipts, []) if early else ([], receipts)
        await store.commit(partial(_apply, before))
        await store.commit(partial(_answer, order, kept))
        later += after
    chance.shuffle(later)
    await store.commit(partial(_apply, later))
    assert set(await column(world, "SELECT state FROM message")) == {"delivered"}
    assert await column(world, "SELECT id FROM receipt_parked") == []
    moves = await rows(world, "SELECT message_id, state FROM message_event ORDER BY message_id, id")
    ranks = {"submitting": 0, "accepted": 1, "sent": 2, "delivered": 3}
    for message in {of for of, _ in moves}:
        ranked = [ranks[state] for of, state in moves if of == message]
        assert ranked == sorted(ranked), "no text ever moved back"


class Counting:
    name = "main"
    numeric_ids = True


def _open(house, thread, count, tx):
    orders = []
    for number in range(count):
        where = tx.pairs.thread("+12025550101", f"+1512556{number:04}", NOON)
        _, sent = answer(
            house, Slot("main"), Reply(ANNA, where, "Hello.", f"n{number}"), NOON + timedelta(minutes=number), tx
        )
        orders.append(sent.order)
    return orders


def _answer(order, provider_id, tx):
    return record(Counting(), order, CarrierRef(provider_id), NOON, tx)


def _apply(receipts, tx):
    for receipt in receipts:
        apply_receipt("main", receipt, NOON, tx, Ids.NUMBER)


# what nobody expects


class Forgetful:
    """A store that once does not know whether a step was stored: the connection broke after the flush."""

    def __init__(self, store):
        self.store = store
        self.armed = False

    def __getattr__(self, name):
        return getattr(self.store, name)

    async def commit_all(self, steps):
        outcomes = await self.store.commit_all(steps)
        if self.armed and outcomes[0] and getattr(steps[0], "func", None) is sound_alarms:
            self.armed = False
            return [StoreBusy("gone")] * len(steps)
        return outcomes


async def test_a_lane_obeys_an_alarm_whose_commit_was_not_answered(store, clock, tmp_path):
    forgetful = Forgetful(store)
    async with living(store, clock, tmp_path) as world:
        world.doubts._store = forgetful
        forgetful.armed = True
        await put_in_doubt(world, 40)
        await world.passes(timedelta(seconds=1))  # it is tried again
        assert not forgetful.armed
        assert await world.store.commit(holds)
        assert world.lane.held


async def test_a_hold_that_the_lane_was_not_told_of_reaches_it_within_a_minute(world):
    """Whoever asked went away between the commit and the telling."""
    await world.store.commit(lambda tx: hold("main", "by hand", "root", world.clock.now(), tx))
    await world.passes(timedelta(minutes=1))
    assert world.lane.held == "by hand"
    await world.store.commit(lambda tx: release("main", ROOT, world.clock.now(), tx))
    await world.passes(timedelta(minutes=1))
    assert not world.lane.held


async def test_an_alarm_of_a_time_that_was_none_is_released_for_good(world):
    """The clock was a day ahead while texts came into doubt, and somebody put it right."""
    await world.passes(timedelta(days=1))
    await put_in_doubt(world, 40)
    assert world.lane.held
    world.clock.set_back(timedelta(days=1))
    await world.holding.change({"change": "release", "name": "main"}, ROOT)
    await world.passes(timedelta(minutes=1))
    assert not world.lane.held


async def test_a_release_of_a_time_that_was_none_does_not_silence_the_alarm(world):
    tomorrow = world.clock.now() + timedelta(days=1)
    await world.store.commit(lambda tx: hold("main", "a try", "root", tomorrow, tx))
    await world.store.commit(lambda tx: release("main", ROOT, tomorrow, tx))
    await put_in_doubt(world, 40)
    assert world.lane.held


@policy(DELIVER)
async def test_a_receipt_of_the_first_attempt_knows_better_than_a_word_about_the_second(world):
    message = await doubtful(world)
    await world.passes(WINDOW)
    await world.passes(ANSWER)
    (_, first), _ = await attempts(world)
    await desk_of(world).resolve(ANNA, message, Resolution.NOT_SENT)
    await world.store.commit(partial(apply_receipt, "main", listed("sent", first), world.clock.now()))
    assert (await states(world, message))[-1] == "sent"
    assert [outcome for outcome, _ in await attempts(world)] == ["accepted", "unconfirmed"]
    assert await desk_of(world).undo(ANNA, message) is Settled.TOO_LATE


@policy(DELIVER)
async def test_a_step_that_is_tried_again_after_a_crash_of_the_lane_does_not_send_a_third_time(world):
    """Its first try was stored and not answered, and the lane found the second attempt open and gave it up."""
    message = await doubtful(world)
    (due,) = await world.store.commit(partial(due_of, "main", world.clock.now()))
    world.clock.move(WINDOW)
    facts = facts_of(due, "main", Seen.NO_LIST, EVIDENCE_WINDOW, world.clock.now())
    step = partial(settle, world.house, due, facts, NOON, Slot("main"))
    assert (await world.store.commit(step)).order is not None
    await world.store.commit(partial(recover, "main", world.clock.now()))
    assert (await states(world, message))[-1] == "unconfirmed"
    assert (await world.store.commit(step)).order is None


@pytest.mark.parametrize("why", [None, "", " \n ", "\x00"], ids=["none", "empty", "blank", "what nobody sees"])
async def test_a_carrier_that_is_held_without_a_reason_is_held_all_the_same(world, why):
    words = {"change": "hold", "name": "main"} | ({"why": why} if why is not None else {})
    said = await world.holding.change(words, ROOT)
    assert said == "carrier main is held back"
    assert world.lane.held
    assert world.lane.reserve() is None


async def test_a_reason_stays_on_its_line(world):
    await world.holding.change({"change": "hold", "name": "main", "why": "a\r\nother  goes on\x1b[2J"}, ROOT)
    (line,) = world.holding.lines()
    assert line.isprintable()
