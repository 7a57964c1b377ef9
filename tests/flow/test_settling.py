"""Texts nobody knows about: what people say of them, what carriers say, and who is believed."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from ringback.core.messages import ReceiptStatus
from ringback.errors import Unreachable
from ringback.flow import listing
from ringback.flow.delays import sweep
from ringback.flow.desk import Denied, NotThere, Resolution, Settled
from ringback.flow.receipts import apply_receipt
from ringback.ports import Receipt
from ringback.ports.handsets import Behaviour
from tests.conftest import NOON
from tests.flow.office import ANNA, BERT, NOBODY, audited, begin, column, desk_of, rows, states
from tests.flow.world import PAT, SAM, World

SENT, NOT_SENT = Resolution.SENT, Resolution.NOT_SENT


@pytest.fixture
async def world(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        yield world


@pytest.fixture
def desk(world):
    return desk_of(world)


async def doubtful(world, peer=PAT, key="k") -> str:
    """A reply whose carrier never answered: its public id."""
    world.carrier.behave(peer, Behaviour.SILENT)
    replied = await desk_of(world).reply(ANNA, await begin(world, peer=peer), "We open at 9.", key)
    await world.passes(timedelta(seconds=11))
    assert (await states(world, replied.message))[-1] == "unconfirmed"
    return replied.message


async def attempt(world) -> tuple:
    ((outcome, cause, public_id),) = await rows(world, "SELECT outcome, cause, public_id FROM attempt")
    return outcome, cause, public_id


async def open_tasks(world) -> list[str]:
    return await column(world, "SELECT kind FROM task WHERE done_at IS NULL")


async def receive(world, status, provider_id="sid-1") -> None:
    """A receipt that names our attempt."""
    (public_id,) = await column(world, "SELECT public_id FROM attempt")
    receipt = Receipt(provider_id, ReceiptStatus(status), world.clock.now(), attempt=public_id)
    await world.store.commit(partial(apply_receipt, "main", receipt, world.clock.now()))


@pytest.mark.parametrize(
    ("how", "state", "outcome", "action"),
    [
        pytest.param(SENT, "accepted", "accepted", "said_sent", id="it was sent"),
        pytest.param(NOT_SENT, "failed", "not_sent", "said_not_sent", id="it was not sent"),
    ],
)
@pytest.mark.parametrize("long_ago", [False, True], ids=["unconfirmed", "unresolved"])
async def test_a_persons_word_settles_a_text_in_doubt(world, desk, how, state, outcome, action, long_ago):
    message = await doubtful(world)
    if long_ago:
        await world.passes(timedelta(hours=73))
        await world.store.commit(partial(sweep, world.house, world.clock.now()))
        assert (await states(world, message))[-1] == "unresolved"
    assert await open_tasks(world) == ["unconfirmed"]
    assert await desk.resolve(ANNA, message, how) is Settled.DONE
    assert (await states(world, message))[-1] == state
    assert (await attempt(world))[:2] == (outcome, "said by user usr_anna")
    assert await rows(world, "SELECT done_by FROM task") == [("user usr_anna",)]
    assert await open_tasks(world) == []
    assert await audited(world) == [("user usr_anna", action, message)]
    assert await column(world, "SELECT detail FROM message_event ORDER BY id DESC LIMIT 1") == ["said by user usr_anna"]


@pytest.mark.parametrize("how", Resolution)
async def test_nothing_is_ever_sent_again_by_a_word(world, desk, how):
    message = await doubtful(world)
    await desk.resolve(ANNA, message, how)
    await world.passes(timedelta(hours=5))
    await desk.undo(ANNA, message)
    await world.passes(timedelta(hours=5))
    assert len(world.handset()) == 1
    assert len(await rows(world, "SELECT id FROM attempt")) == 1


async def test_the_same_word_twice_is_one_word(world, desk):
    message = await doubtful(world)
    words = await asyncio.gather(*(desk.resolve(ANNA, message, SENT) for _ in range(5)))
    assert words == [Settled.DONE] * 5
    assert await states(world, message) == ["submitting", "unconfirmed", "accepted"]
    assert len(await audited(world)) == 1


async def test_the_second_of_two_words_comes_too_late(world, desk):
    message = await doubtful(world)
    assert await desk.resolve(ANNA, message, SENT) is Settled.DONE
    assert await desk.resolve(BERT, message, NOT_SENT) is Settled.TOO_LATE
    assert (await states(world, message))[-1] == "accepted"


@pytest.mark.parametrize(
    ("behaviour", "state"),
    [
        pytest.param(Behaviour.DELIVERS, "delivered", id="delivered"),
        pytest.param(Behaviour.NO_RECEIPTS, "accepted", id="taken by the carrier"),
        pytest.param(Behaviour.REFUSES, "failed", id="turned away by the carrier"),
        pytest.param(Behaviour.AWAY, "held", id="waits"),
        pytest.param(Behaviour.SILENT, "submitting", id="on its way"),
    ],
)
@pytest.mark.parametrize("act", ["sent", "not sent", "undo", "check"])
async def test_a_text_that_is_not_in_doubt_is_left_alone(world, desk, behaviour, state, act):
    world.carrier.behave(PAT, behaviour)
    message = (await desk.reply(ANNA, await begin(world), "We open at 9.", "k")).message
    await world.settled()
    before = await states(world, message)
    assert before[-1] == state
    match act:
        case "undo":
            settled = await desk.undo(ANNA, message)
        case "check":
            settled = await desk.check_again(ANNA, message)
        case _:
            settled = await desk.resolve(ANNA, message, SENT if act == "sent" else NOT_SENT)
    assert settled is Settled.TOO_LATE
    assert await states(world, message) == before
    assert await audited(world) == []


async def test_a_text_that_was_never_tried_is_left_alone(world, desk):
    thread = await begin(world)
    await desk.opt_out(ANNA, thread, "by phone")
    message = (await desk.reply(ANNA, thread, "We open at 9.", "k")).message
    assert await desk.resolve(ANNA, message, SENT) is Settled.TOO_LATE
    assert await desk.undo(ANNA, message) is Settled.TOO_LATE
    assert await states(world, message) == ["refused"]


@pytest.mark.parametrize("how", Resolution)
async def test_a_word_can_be_taken_back_and_all_is_as_before(world, desk, how):
    message = await doubtful(world)
    outcome, cause, _ = await attempt(world)
    await desk.resolve(ANNA, message, how)
    assert await desk.undo(BERT, message) is Settled.DONE
    assert (await states(world, message))[-1] == "unconfirmed"
    assert (await attempt(world))[:2] == (outcome, cause)
    assert await open_tasks(world) == ["unconfirmed"]
    assert (await audited(world))[-1] == ("user usr_bert", "took_back", message)
    assert await desk.undo(BERT, message) is Settled.DONE, "twice is once"
    assert len(await audited(world)) == 2
    assert await desk.resolve(BERT, message, SENT) is Settled.DONE
    assert await desk.undo(BERT, message) is Settled.DONE
    assert (await attempt(world))[:2] == (outcome, cause), "the cause is the first one, however often"


@pytest.mark.parametrize("how", Resolution)
@pytest.mark.parametrize("status", list(ReceiptStatus))
async def test_a_receipt_knows_better_than_a_person(world, desk, how, status):
    message = await doubtful(world)
    await desk.resolve(ANNA, message, how)
    await receive(world, status)
    assert (await states(world, message))[-1] == str(status)
    assert (await attempt(world))[:2] == ("accepted", "receipt")
    assert await desk.undo(ANNA, message) is Settled.TOO_LATE
    assert (await states(world, message))[-1] == str(status)
    assert await open_tasks(world) == left(str(status))


def left(state: str) -> list[str]:
    """What a person wrote and did not arrive is left for a person."""
    return ["not_delivered"] if state == "undelivered" else []


async def test_a_receipt_after_a_word_was_taken_back_settles_the_text(world, desk):
    message = await doubtful(world)
    await desk.resolve(ANNA, message, NOT_SENT)
    await desk.undo(ANNA, message)
    await receive(world, "delivered")
    assert (await states(world, message))[-1] == "delivered"
    assert await open_tasks(world) == []


async def test_a_carriers_own_no_is_not_corrected_by_a_receipt(world, desk):
    world.carrier.behave(PAT, Behaviour.REFUSES)
    message = (await desk.reply(ANNA, await begin(world), "We open at 9.", "k")).message
    await world.settled()
    await receive(world, "delivered")
    assert (await states(world, message))[-1] == "failed"


async def test_a_word_of_sent_without_a_receipt_ends_as_every_accepted_text(world, desk):
    message = await doubtful(world)
    await desk.resolve(ANNA, message, SENT)
    await world.passes(timedelta(hours=73))
    await world.store.commit(partial(sweep, world.house, world.clock.now()))
    assert (await states(world, message))[-1] == "no_receipt"
    assert await desk.undo(ANNA, message) is Settled.TOO_LATE


class Lister:
    """A carrier that can be asked; `answer` is what it lists, or the fault it raises."""

    def __init__(self, answer) -> None:
        self.answer = answer
        self.asked = []

    async def sent_since(self, moment):
        self.asked.append(moment)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def received_since(self, _moment):
        return []


def listed(provider_id, status="sent", attempt=""):
    return Receipt(provider_id, ReceiptStatus(status), NOON, attempt=attempt)


async def ask(world, message, answer) -> tuple[Settled, Lister]:
    lister = Lister(answer)
    return await desk_of(world, main=lister).check_again(ANNA, message), lister


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        pytest.param(["accepted"], "accepted", id="it took it"),
        pytest.param(["sent"], "sent", id="it passed it on"),
        pytest.param(["delivered"], "delivered", id="it arrived"),
        pytest.param(["undelivered"], "undelivered", id="it did not arrive"),
        pytest.param(["sent", "delivered"], "delivered", id="both are listed"),
    ],
)
async def test_a_carrier_that_knows_the_text_settles_it(world, statuses, state):
    message = await doubtful(world)
    *_, ours = await attempt(world)
    settled, lister = await ask(world, message, [listed("sid-1", status, ours) for status in statuses])
    assert settled is Settled.FOUND
    assert lister.asked == [NOON - timedelta(hours=2)]
    assert (await states(world, message))[-1] == state
    assert await open_tasks(world) == left(state)
    assert await audited(world) == [("user usr_anna", "checked", message)]


async def test_what_is_found_is_found_again_and_counts_once(world):
    message = await doubtful(world)
    *_, ours = await attempt(world)
    assert (await ask(world, message, [listed("sid-1", "sent", ours)]))[0] is Settled.FOUND
    before = await states(world, message)
    await receive(world, "sent")
    assert await states(world, message) == before


@pytest.mark.parametrize(
    ("others", "settled", "told"),
    [
        pytest.param([], Settled.NOT_FOUND, "lists no such text since 2026-11-20 15:00:00 UTC", id="an empty list"),
        pytest.param(
            [listed("sid-9", attempt="att_somebody_elses")],
            Settled.NOT_FOUND,
            "lists no such text since",
            id="another text of ours, by its attempt",
        ),
        pytest.param(
            [listed("known")], Settled.NOT_FOUND, "lists no such text since", id="another text of ours, by its id"
        ),
        pytest.param(
            [listed("known"), listed("stranger")],
            Settled.CANNOT_ASK,
            "does not name our texts",
            id="one that may be this one",
        ),
    ],
)
async def test_a_text_that_is_not_listed_stays_in_doubt_and_says_when_it_was_asked(world, others, settled, told):
    message = await doubtful(world)
    world.carrier.behave(SAM, Behaviour.NO_RECEIPTS)
    await desk_of(world).reply(BERT, await begin(world, peer=SAM), "Yes.", "k")
    await world.settled()
    (sams,) = await column(world, "SELECT provider_id FROM attempt WHERE provider_id IS NOT NULL")
    others = [replace(other, provider_id=sams) if other.provider_id == "known" else other for other in others]
    assert (await ask(world, message, others))[0] is settled
    assert await states(world, message) == ["submitting", "unconfirmed", "unconfirmed"]
    detail = (await column(world, "SELECT detail FROM message_event ORDER BY id DESC LIMIT 1"))[0]
    assert told in detail
    assert await open_tasks(world) == ["unconfirmed"]
    assert await audited(world) == [("user usr_anna", "checked", message)]
    assert await desk_of(world).resolve(ANNA, message, NOT_SENT) is Settled.DONE, "and a person can still say"


@pytest.mark.parametrize(
    "problem",
    [
        pytest.param(Unreachable("no route"), id="it cannot be reached"),
        pytest.param(TimeoutError(), id="it does not answer"),
        pytest.param(ZeroDivisionError("a bug"), id="its file has a bug"),
    ],
)
async def test_a_carrier_that_cannot_be_asked_now_changes_nothing(world, problem):
    message = await doubtful(world)
    assert (await ask(world, message, problem))[0] is Settled.CARRIER_AWAY
    assert await states(world, message) == ["submitting", "unconfirmed"]


async def test_a_carrier_that_hangs_is_left_after_its_time(world, monkeypatch):
    monkeypatch.setattr(listing, "ASK_S", 0.05)
    message = await doubtful(world)

    class Hanging(Lister):
        async def sent_since(self, _moment):
            await asyncio.Event().wait()

    assert await desk_of(world, main=Hanging([])).check_again(ANNA, message) is Settled.CARRIER_AWAY


async def test_a_carrier_without_a_list_cannot_be_asked(world, desk):
    message = await doubtful(world)
    assert await desk.check_again(ANNA, message) is Settled.CANNOT_ASK
    assert await desk_of(world, main=None).check_again(ANNA, message) is Settled.CANNOT_ASK


async def test_a_receipt_that_comes_while_the_carrier_is_asked_is_counted_once(world):
    message = await doubtful(world)
    *_, ours = await attempt(world)

    class Slow(Lister):
        async def sent_since(self, _moment):
            await receive(world, "delivered")
            return [listed("sid-1", "sent", ours)]

    assert await desk_of(world, main=Slow([])).check_again(ANNA, message) is Settled.FOUND
    assert await states(world, message) == ["submitting", "unconfirmed", "delivered"]


ACTS = {
    "resolve": lambda desk, who, message: desk.resolve(who, message, SENT),
    "undo": lambda desk, who, message: desk.undo(who, message),
    "check": lambda desk, who, message: desk.check_again(who, message),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
async def test_who_may_not_settle_is_told_and_nothing_changes(world, desk, act):
    message = await doubtful(world)
    with pytest.raises(Denied, match="may not"):
        await act(desk, NOBODY, message)
    assert await states(world, message) == ["submitting", "unconfirmed"]


@pytest.mark.parametrize("unknown", ["msg_00000000000000000000000000", "", "' OR 1=1 --", "a\x00b\ud800"])
@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
async def test_a_text_that_is_not_there_is_said_so(desk, act, unknown):
    with pytest.raises(NotThere):
        await act(desk, ANNA, unknown)
