"""What a caller keeps when something is wrong with us: their place, their no, and that they are nobody else."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from ringback.core.calls import Presentation
from ringback.core.reasons import Reason
from ringback.core.text_queues import ForLandlines, Offering
from ringback.errors import StoreBusy
from ringback.flow import dialplan_going
from ringback.flow.queue_book import QueueBook
from tests.flow.office import Gated, rows
from tests.flow.switchboard import Pbx, ask, running
from tests.flow.world import OTHER_DID, SAM, World

KEYED = "5125550124"


@pytest.fixture
async def board(store, clock, tmp_path, monkeypatch):
    monkeypatch.setattr(dialplan_going, "LATEST_S", 20.0)
    monkeypatch.setattr("ringback.flow.dialplan.LATEST_S", 20.0)
    gate = Gated(store)
    async with running(World(store, clock, tmp_path), store=gate) as board:
        board.gate = gate
        await board.rings()
        yield board


@pytest.fixture
def busy(board, monkeypatch):
    """From its call on the database writes nothing in time."""

    def begin():
        monkeypatch.setattr(dialplan_going, "LATEST_S", 0.05)
        monkeypatch.setattr("ringback.flow.dialplan.LATEST_S", 0.05)
        board.gate.open.clear()

    yield begin
    board.gate.open.set()


async def test_who_waits_keeps_the_place_though_nothing_can_be_written(board, busy):
    board.exchange.callers = ["0.1", "0.2", "1.1", "0.3"]
    busy()
    offered = await board.dialplan.offer(ask())
    assert (offered.reason, offered.position) == (Reason.GATE_ERROR, 3)


async def test_who_was_offered_something_keeps_the_place_though_their_no_cannot_be_written(board, busy):
    board.exchange.callers = ["0.1", "0.2"]
    await board.dialplan.offer(ask())
    busy()
    assert await board.dialplan.decline(ask()) == 3


async def test_a_no_that_cannot_be_written_is_a_no_all_the_same(board, busy):
    await board.dialplan.offer(ask())
    busy()
    await board.dialplan.decline(ask())
    board.gate.open.set()
    await board.world.settled()
    assert (await board.dialplan.offer(ask(kind="wait_text"))).reason is Reason.ASKED_BEFORE


async def test_who_said_yes_keeps_the_place_though_nobody_knows_whether_a_text_comes(board, busy):
    board.exchange.callers = ["0.1", "0.2"]
    await board.dialplan.offer(ask())
    busy()
    answer = await board.dialplan.accept(ask())
    assert (answer.sure, answer.text, answer.position) == (False, "", 3)


async def test_who_has_no_place_gets_no_answer(board, busy):
    busy()
    with pytest.raises(StoreBusy):
        await board.dialplan.offer(ask())


async def test_a_call_that_two_pbxs_have_is_none_of_them_until_the_dialplan_says_which(board):
    """Their ids begin with the second of the call, so two Asterisks have the same: a withheld caller of the one must
    not be taken for the caller of the other."""
    board.callers._pbxs["branch"] = Pbx("branch", calls={"1.1": board.pbx.calls["1.1"]})
    hidden = ask(caller="", presentation=Presentation.UNKNOWN)
    assert board.callers.pbx_of(hidden) == ""
    assert (await board.dialplan.accept(hidden)).reason is Reason.CALL_UNKNOWN
    assert await board.dialplan.optout(hidden) is Reason.INVALID_NUMBER
    assert board.callers.pbx_of(replace(hidden, pbx="main")) == "main"


async def test_a_number_that_is_keyed_in_again_and_again_is_spared(board):
    """Nobody knows whose it is: calls from a landline must not fill a stranger's phone."""
    await board.plan(offering=Offering(landline=ForLandlines.ASK))
    hidden = {"caller": "anonymous", "presentation": Presentation.WITHHELD}
    said = []
    for number in range(5):
        await board.rings(f"8.{number}", **hidden)
        said.append((await board.dialplan.accept(ask(f"8.{number}", to=KEYED, **hidden))).reason)
    await board.world.settled()
    assert said == [Reason.ALLOWED] * 3 + [Reason.LOOP] * 2
    assert len(board.world.handset(SAM)) == 3


async def test_a_key_of_the_caller_sends_to_the_caller_however_often(board):
    for number in range(5):
        await board.rings(f"8.{number}")
        assert (await board.dialplan.accept(ask(f"8.{number}"))).reason is Reason.ALLOWED
    assert await rows(board.world, "SELECT DISTINCT automatic FROM message") in ([(0,)], [(False,)])


@pytest.mark.parametrize("did", ["", "s", "+12025550199"], ids=["nobody told it", "no number", "none of ours"])
async def test_a_no_to_texts_from_a_number_nobody_knows_is_a_no_to_all(board, did):
    """They hear that no more texts come."""
    assert await board.dialplan.optout(ask("9.9", did=did)) is Reason.ALLOWED
    assert await board.dialplan.textable(ask("9.8")) is Reason.OPTED_OUT
    assert await board.dialplan.textable(ask("9.8", did=OTHER_DID)) is Reason.OPTED_OUT


async def test_a_clock_that_is_set_back_keeps_no_old_answer(board):
    await board.plan(offering=Offering(agents=1))
    board.roll.count = 0
    assert await board.dialplan.textable(ask()) is Reason.ALLOWED
    assert (await board.dialplan.offer(ask())).reason is Reason.NO_TEXT_AGENTS
    board.world.clock.move(-timedelta(hours=1))
    board.roll.count = 1
    assert (await board.dialplan.offer(ask())).reason is Reason.ALLOWED
    await board.world.says("STOP")
    board.world.clock.move(-timedelta(hours=1))
    assert await board.dialplan.textable(ask()) is Reason.OPTED_OUT


async def test_a_book_of_queues_that_was_not_read_yet_is_not_ready(board):
    """A caller of the first second must not be told, and kept as told, that there is no queue."""
    board.gate.open.clear()
    book = QueueBook(board.gate, board.ground.changes, board.world.clock)
    task = asyncio.create_task(book.run())
    await asyncio.sleep(0)
    assert (book.ready.is_set(), book.now.all) == (False, ())
    board.gate.open.set()
    await asyncio.wait_for(book.ready.wait(), 10)
    assert book.now.named("Support")
    task.cancel()


async def test_what_is_remembered_of_calls_that_never_end_is_bounded(board, monkeypatch):
    monkeypatch.setattr("ringback.flow.offering.MOST_CALLS", 10)
    for number in range(30):
        board.offerings.say_no("main", f"9.{number}")
    assert len(board.offerings._no) == 10
