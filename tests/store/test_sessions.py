"""Sessions as rows, on both databases: one open a thread, moves with their lines, who has what, what is due."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import product

import pytest

from ringback.core.grants import EVERYTHING, NOTHING, Reach
from ringback.core.sessions import (
    MOVES,
    OVER,
    Due,
    Origin,
    SessionState,
    StartType,
    TransferState,
    WaitingOn,
    Why,
)
from ringback.ports.changes import SESSIONS, Touch
from ringback.ports.sessions import Opening, Step, TransferRow
from ringback.store.late import read_sessions
from ringback.store.stories import find
from tests.conftest import NOON
from tests.store.serving import ANN, BOB, DID, MINUTE, OTHER, Crew, call_of

QUEUED, OFFERED, ASSIGNED, ENDED = (
    SessionState.QUEUED,
    SessionState.OFFERED,
    SessionState.ASSIGNED,
    SessionState.ENDED,
)


@pytest.fixture
async def crew(store) -> Crew:
    return await Crew(store).settle()


async def test_a_session_is_read_as_it_was_opened(crew):
    call = await crew.call()
    opened = await crew.open(
        state=SessionState.NEW,
        origin=Origin.DEFLECTION,
        call=call,
        language="es",
        ivr_path="sales/2",
        caller_name="Ann Ó",
        by="call 1.1",
    )
    assert (opened.did, opened.peer, opened.queue, opened.call) == (DID, ANN, crew.sales.id, call)
    assert opened.queued_at is None and opened.in_call
    looks = [
        lambda tx: tx.sessions.get(opened.public_id),
        lambda tx: tx.sessions.by_row(opened.id),
        lambda tx: tx.sessions.of_thread(opened.thread),
        lambda tx: tx.sessions.of_call(call),
        lambda tx: tx.sessions.last_of(opened.thread),
    ]
    for look in looks:
        assert await crew.do(look) == opened
    assert await crew.do(lambda tx: tx.sessions.get("ses_none")) is None


async def test_a_thread_has_one_open_session(crew):
    first = await crew.open()
    with pytest.raises(LookupError, match="is open"):
        await crew.open()
    over = await crew.move(first, ENDED, Why.ENDED, NOON + MINUTE)
    assert over.ended_at == NOON + MINUTE
    second = await crew.open()
    assert (await crew.do(lambda tx: tx.sessions.of_thread(first.thread))) == second
    assert (await crew.do(lambda tx: tx.sessions.last_of(first.thread))).id == second.id
    assert (await crew.open(BOB)).thread != first.thread


async def test_only_moves_of_the_table_are_written(crew):
    for place, (old, new) in enumerate(product(SessionState, SessionState)):
        session = await crew.open(f"+1512555{place:04}", old if old not in OVER else QUEUED)
        session = await crew.move(session, old, Why.ENDED) if old in OVER else session
        moving = crew.move(session, new, Why.CLAIMED)
        if new in MOVES[old] or (new is old and old not in OVER):
            moved = await moving
            assert moved.state is new and moved.changed_at > session.changed_at
            assert await crew.do(lambda tx, row=session.id: tx.sessions.by_row(row)) == moved
        else:
            with pytest.raises(ValueError, match=f"from {old} to {new}"):
                await moving


async def test_a_session_that_changed_meanwhile_is_not_overwritten(crew):
    session = await crew.open()
    await crew.assigned(session, crew.eve)
    with pytest.raises(LookupError, match="changed since"):
        await crew.assigned(session, crew.max)

    def twice(tx):
        found = tx.sessions.of_thread(session.thread)
        first = tx.sessions.save(replace(found, waiting_on=WaitingOn.AGENT), Step(NOON, Why.REPLIED, ASSIGNED))
        assert first.changed_at > found.changed_at
        with pytest.raises(LookupError, match="changed since"):
            tx.sessions.save(found, Step(NOON, Why.REPLIED, ASSIGNED))
        return tx.sessions.save(replace(first, agent=crew.max), Step(NOON, Why.REASSIGNED, ASSIGNED))

    assert await crew.do(twice) == await crew.do(lambda tx: tx.sessions.of_thread(session.thread))


async def test_what_is_over_waits_for_nothing(crew):
    session = await crew.offered(await crew.open(), crew.eve)
    session = await crew.move(session, OFFERED, Why.OFFERED, due=Due.OFFER_OVER, due_at=NOON + MINUTE)
    over = await crew.move(session, SessionState.OPTED_OUT, Why.OPTED_OUT, NOON)
    assert (over.due, over.due_at, over.offered_to, over.ended_at) == (Due.NONE, None, None, NOON)
    assert await crew.do(lambda tx: tx.sessions.next_due()) is None
    assert await crew.do(lambda tx: tx.sessions.loads()) == {}


async def test_deadlines_come_the_oldest_first_and_only_when_they_are_due(crew):
    late = await crew.move(await crew.open(), QUEUED, Why.CALL_ENDED, due=Due.QUEUED_EXPIRY, due_at=NOON + 2 * MINUTE)
    soon = await crew.move(await crew.open(BOB), QUEUED, Why.CALL_ENDED, due=Due.WARN, due_at=NOON + MINUTE)
    assert await crew.do(lambda tx: tx.sessions.next_due()) == NOON + MINUTE
    for at, found in ((0, []), (1, [soon]), (2, [soon, late])):
        assert await crew.do(lambda tx, at=at: tx.sessions.due(NOON + at * MINUTE, 10)) == found
    assert await crew.do(lambda tx: tx.sessions.due(NOON + 2 * MINUTE, 1)) == [soon]


async def test_who_waits_longest_comes_first(crew):
    first, second = await crew.open(), await crew.open(BOB)
    first = await crew.move(first, QUEUED, Why.GIVEN_BACK, queued_at=NOON + MINUTE)
    assert await crew.do(lambda tx: tx.sessions.queued(crew.sales.id)) == [second, first]
    assert await crew.do(lambda tx: tx.sessions.queued()) == [second, first]
    assert await crew.do(lambda tx: tx.sessions.queued(crew.sales.id, 1)) == [second]
    assert await crew.do(lambda tx: tx.sessions.queued(crew.main.id)) == []
    assert await crew.do(lambda tx: tx.sessions.of_queue(crew.sales.id)) == [first, second]


async def test_an_agent_has_what_was_given_and_what_is_offered(crew):
    mine = await crew.assigned(await crew.open(), crew.eve)
    asked = await crew.offered(await crew.open(BOB), crew.eve)
    assert await crew.do(lambda tx: tx.sessions.with_agent(crew.eve)) == [mine, asked]
    assert await crew.do(lambda tx: tx.sessions.with_agent(crew.max)) == []
    assert await crew.do(lambda tx: tx.sessions.loads()) == {crew.eve: 2}
    await crew.move(mine, SessionState.DISMISSED, Why.DISMISSED)
    assert await crew.do(lambda tx: tx.sessions.with_agent(crew.eve)) == [asked]
    assert await crew.do(lambda tx: tx.sessions.loads()) == {crew.eve: 1}
    assert await crew.do(lambda tx: tx.sessions.last_agent(ANN)) == crew.eve
    assert await crew.do(lambda tx: tx.sessions.last_agent(BOB)) is None


async def test_who_did_not_take_it_is_known(crew):
    session = await crew.offered(await crew.open(), crew.eve)
    assert await crew.do(lambda tx: tx.sessions.declined(session.id, NOON)) == frozenset()
    session = await crew.move(session, QUEUED, Why.DECLINED, offered_to=None, about=crew.eve)
    assert await crew.do(lambda tx: tx.sessions.declined(session.id, NOON)) == {crew.eve}
    assert await crew.do(lambda tx: tx.sessions.declined(session.id, NOON + MINUTE)) == frozenset()
    session = await crew.offered(session, crew.max, NOON + MINUTE)
    await crew.move(
        session, ASSIGNED, Why.ACCEPTED, NOON + MINUTE, crew.max, offered_to=None, assigned_at=NOON + MINUTE
    )
    assert await crew.do(lambda tx: tx.sessions.declined(session.id, NOON)) == {crew.eve}


async def test_a_transfer_is_open_until_it_is_closed(crew):
    session = await crew.assigned(await crew.open(), crew.eve)

    def ask(to_agent, to_queue, tx):
        return tx.sessions.ask_transfer(session, to_agent, to_queue, "she speaks Polish", NOON + MINUTE, NOON)

    first = await crew.do(partial(ask, crew.max, None))
    assert (first.session, first.by_agent, first.to_agent, first.state) == (
        session.id,
        crew.eve,
        crew.max,
        TransferState.REQUESTED,
    )
    assert await crew.do(lambda tx: tx.sessions.transfer_of(session.id)) == first
    assert await crew.do(lambda tx: tx.sessions.transfers_to(crew.max)) == [first]
    assert await crew.do(lambda tx: tx.sessions.next_due()) == NOON + MINUTE
    second = await crew.do(partial(ask, None, crew.main.id))
    assert await crew.do(lambda tx: tx.sessions.transfers_to(crew.max)) == []
    assert await crew.do(lambda tx: tx.sessions.transfers_into(crew.main.id)) == [second]
    assert await crew.do(lambda tx: tx.sessions.due_transfers(NOON, 9)) == []
    assert await crew.do(lambda tx: tx.sessions.due_transfers(NOON + MINUTE, 9)) == [second]
    await crew.do(
        lambda tx: tx.sessions.close_transfer(second, TransferState.TIMED_OUT, Why.TRANSFER_TIMED_OUT, NOON + MINUTE)
    )
    assert await crew.do(lambda tx: tx.sessions.transfer_of(session.id)) is None


async def test_a_transfer_ends_with_its_session(crew):
    session = await crew.assigned(await crew.open(), crew.eve)
    await crew.do(lambda tx: tx.sessions.ask_transfer(session, crew.max, None, "", NOON + MINUTE, NOON))
    await crew.move(session, ENDED, Why.ENDED)
    assert await crew.do(lambda tx: tx.sessions.transfers_to(crew.max)) == []
    assert await crew.do(lambda tx: tx.sessions.next_due()) is None


async def test_a_batch_knows_which_calls_have_a_session(crew):
    with_one, without = await crew.call("1.1"), await crew.call("1.2", BOB)
    session = await crew.open(state=SessionState.NEW, call=with_one)
    opening = Opening(await crew.thread(BOB), crew.sales.id, StartType.CALL_EVENT, Why.CALL_ACCEPTED, call=without)

    def batch(tx):
        tx.sessions.read_ahead()
        assert tx.sessions.of_call(with_one) == session
        assert tx.sessions.of_call(without) is None
        made = tx.sessions.open(opening, SessionState.NEW, NOON)
        assert tx.sessions.of_call(without) == made
        tx.sessions.save(replace(made, state=ENDED), Step(NOON, Why.CALL_ENDED, ENDED))
        assert tx.sessions.of_call(without) is None
        moved = tx.sessions.save(replace(session, call=without), Step(NOON, Why.CALL_ACCEPTED, session.state))
        assert (tx.sessions.of_call(with_one), tx.sessions.of_call(without)) == (None, moved)
        return moved

    moved = await crew.do(batch)
    assert await crew.do(lambda tx: tx.sessions.of_call(without)) == moved


async def test_what_was_undone_is_not_remembered(crew):
    call = await crew.call()
    opening = Opening(await crew.thread(), crew.sales.id, StartType.CALL_EVENT, Why.CALL_ACCEPTED, call=call)

    def fails(tx):
        tx.sessions.read_ahead()
        tx.sessions.open(opening, SessionState.NEW, NOON)
        raise RuntimeError("undone")

    failed, found = await crew.store.commit_all([fails, lambda tx: tx.sessions.of_call(call)])
    assert isinstance(failed, RuntimeError) and found is None


async def test_the_first_text_finds_its_session(crew):
    session = await crew.open()
    assert await crew.do(lambda tx: tx.sessions.promised([])) == []
    assert await crew.do(lambda tx: tx.sessions.promised([1, 2])) == []
    assert session.first_text is None


async def test_those_whom_it_concerns_are_told(crew):
    session = await crew.open()
    with crew.store.changes.watch() as watch:
        for touch in (
            SESSIONS,
            Touch("agent", crew.eve),
            Touch("session", session.id),
            Touch("thread", session.thread),
        ):
            watch.of({touch})
            await crew.do(partial(_touch_again, session.id, crew.eve))
            await watch.wait()


def _touch_again(row, account, tx):
    session = tx.sessions.by_row(row)
    tx.sessions.save(replace(session, state=ASSIGNED, agent=account), Step(NOON, Why.CLAIMED, ASSIGNED, agent=account))


async def test_a_call_that_goes_on_is_found_by_its_person(crew):
    assert await crew.do(lambda tx: tx.calls.live_with(ANN)) is None
    row = await crew.call("1.1")
    live = await crew.do(lambda tx: tx.calls.live_with(ANN))
    assert (live.id, live.uniqueid, live.did, live.answered_by, live.answered_at) == (row, "1.1", DID, "", None)
    await crew.do(lambda tx: tx.calls.answered("main", "1.1", NOON + MINUTE, "122"))
    await crew.do(lambda tx: tx.calls.answered("main", "1.1", NOON + 2 * MINUTE, "123"))
    await crew.do(lambda tx: tx.calls.answered("main", "1.1", NOON + 3 * MINUTE, ""))
    live = await crew.do(lambda tx: tx.calls.live_with(ANN))
    assert (live.answered_by, live.answered_at) == ("123", NOON + MINUTE)
    later = replace(call_of("1.2"), started_at=NOON + MINUTE)
    newest = await crew.do(lambda tx: tx.calls.begin(later, DID, ANN))
    assert (await crew.do(lambda tx: tx.calls.live_with(ANN))).id == newest
    assert await crew.do(lambda tx: tx.calls.live_with(BOB)) is None
    assert await crew.do(lambda tx: tx.calls.row_of("main", "1.1")) == row
    assert await crew.do(lambda tx: tx.calls.row_of("main", "9.9")) is None


# -- what pages read


@pytest.fixture
def read(crew):
    return read_sessions(crew.store)


async def test_what_waits_beyond_the_list_is_counted_within_reach(crew, read):
    for place in range(5):
        await crew.open(f"+1512555{place:04}")
    work = await read.work(EVERYTHING, crew.eve, 2)
    assert (len(work.queued), work.more) == (2, 3)
    assert (await read.work(EVERYTHING, crew.eve, 5)).more == 0
    assert (await read.work(Reach(False, frozenset({DID})), crew.eve, 2)).more == 3
    assert (await read.work(NOTHING, crew.eve, 2)).more == 0


async def test_who_waits_is_not_counted_for_ever(crew, read, monkeypatch):
    monkeypatch.setattr("ringback.store.read_sessions.MOST_MORE", 2)
    for place in range(5):
        await crew.open(f"+1512555{place:04}")
    assert (await read.work(EVERYTHING, crew.eve, 1)).more == 2


async def test_a_page_reads_the_newest_steps_and_explain_all_of_them(crew, read, monkeypatch):
    monkeypatch.setattr("ringback.store.read_sessions.MOST_STEPS", 4)
    long, short = await crew.open(), await crew.open(BOB)
    for place in range(9):
        await crew.do(partial(_noted, long, NOON + place * MINUTE))
    story = await read.story(EVERYTHING, long.public_id)
    assert [step.at for step in story.steps] == [NOON + place * MINUTE for place in (5, 6, 7, 8)]
    assert story.skipped == 6
    other = await read.story(EVERYTHING, short.public_id)
    assert (len(other.steps), other.skipped) == (1, 0)
    (told,) = (await crew.store.read(lambda connection: find(connection, long.public_id, 5))).sessions
    assert (len(told.steps), told.skipped) == (10, 0)


def _noted(session, at, tx):
    tx.sessions.note(session, Step(at, Why.AGENT_IDLE, session.state, "test"))


async def test_an_agent_sees_their_work(crew, read):
    mine = await crew.assigned(await crew.open(), crew.eve)
    waits = await crew.open(BOB)
    handed = await crew.assigned(await crew.open("+15125550125"), crew.max)
    await crew.do(lambda tx: tx.sessions.ask_transfer(handed, crew.eve, None, "please", NOON + MINUTE, NOON))
    aside = await crew.assigned(await crew.open("+15125550126"), crew.eve)
    aside = await crew.move(aside, SessionState.DISMISSED, Why.DISMISSED)
    work = await read.work(EVERYTHING, crew.eve)
    assert [row.session for row in work.mine] == [mine]
    assert [(row.session, row.queue) for row in work.queued] == [(waits, "Sales")]
    assert [row.session for row in work.dismissed] == [aside]
    assert [(row.session, row.transfer) for row in work.handed] == [
        (handed, TransferRow(1, handed.public_id, "Max", "Eve", True, "please", NOON, NOON + MINUTE))
    ]
    theirs = await read.work(EVERYTHING, crew.max)
    assert theirs.handed == () and theirs.mine[0].transfer.to == "Eve" and not theirs.mine[0].transfer.to_me
    assert (await read.work(NOTHING, crew.eve)).queued == ()
    assert (await read.work(Reach(False, frozenset({OTHER})), crew.eve)).mine == ()
    assert len((await read.work(Reach(False, frozenset({DID})), crew.eve)).mine) == 1


async def test_a_queue_is_its_members_own_and_one_without_is_everybodys(crew, read):
    stranger = 99
    session = await crew.open()
    assert (await read.work(EVERYTHING, stranger)).queued == ()
    await crew.move(session, QUEUED, Why.GIVEN_BACK, queue=crew.main.id)
    assert len((await read.work(EVERYTHING, stranger)).queued) == 1


async def test_an_agent_of_a_queue_sees_what_it_is_asked_to_take(crew, read):
    session = await crew.assigned(await crew.open(), crew.max)
    await crew.do(lambda tx: tx.sessions.ask_transfer(session, None, crew.sales.id, "", NOON + MINUTE, NOON))
    (row,) = (await read.work(EVERYTHING, crew.eve)).handed
    assert (row.session, row.transfer.to, row.transfer.to_me) == (session, "Sales", True)
    assert (await read.work(Reach(False, frozenset({OTHER})), crew.eve)).handed == ()


async def test_who_is_not_in_a_queue_is_not_asked_with_it(crew, read):
    stranger, session = 99, await crew.assigned(await crew.open(), crew.max)

    async def asked(account: int | None) -> bool:
        story = await read.story(EVERYTHING, session.public_id, account)
        return story.row.transfer.to_me

    await crew.do(lambda tx: tx.sessions.ask_transfer(session, None, crew.sales.id, "", NOON + MINUTE, NOON))
    assert await asked(crew.eve)
    assert not await asked(stranger)
    assert not await asked(None)
    await crew.do(
        lambda tx: tx.sessions.close_transfer(
            tx.sessions.transfer_of(session.id), TransferState.FAILED, Why.TRANSFER_TAKEN_BACK, NOON
        )
    )
    await crew.do(lambda tx: tx.sessions.ask_transfer(session, None, crew.main.id, "", NOON + MINUTE, NOON))
    assert await asked(stranger)
    assert not await asked(None)


async def test_a_story_names_everybody_and_every_step(crew, read):
    call = await crew.call()
    session = await crew.open(state=SessionState.NEW, call=call)
    who = (await crew.do(lambda tx: tx.queues.agent(crew.eve))).public_id

    def steps(tx):
        found = tx.sessions.by_row(session.id)
        found = tx.sessions.save(
            replace(found, state=ASSIGNED, agent=crew.eve),
            Step(NOON + MINUTE, Why.AGENT_ANSWERED, ASSIGNED, "feed main", crew.eve),
        )
        tx.sessions.note(found, Step(NOON + 2 * MINUTE, Why.WAIT_TOLD, ASSIGNED, f"user {who}", queue=crew.main.id))

    await crew.do(steps)
    story = await read.story(EVERYTHING, session.public_id)
    assert [(step.why, step.by, step.agent, step.queue) for step in story.steps] == [
        (Why.NUMBERS_QUEUE, "", "", "Sales"),
        (Why.AGENT_ANSWERED, "feed main", "Eve", ""),
        (Why.WAIT_TOLD, "Eve", "", "main"),
    ]
    assert story.call.startswith("call_") and story.offer is None
    assert (story.row.agent, story.row.queue, story.row.thread) == ("Eve", "Sales", (await crew.thread()).public_id)
    assert await read.story(NOTHING, session.public_id) is None
    assert await read.story(EVERYTHING, "ses_nothing") is None


async def test_a_thread_tells_its_sessions_the_newest_first(crew, read):
    first = await crew.move(await crew.open(), ENDED, Why.ENDED)
    second = await crew.open()
    await crew.open(BOB)
    stories = await read.of_thread(EVERYTHING, (await crew.thread()).public_id)
    assert [story.row.session.id for story in stories] == [second.id, first.id]
    assert [len(story.steps) for story in stories] == [1, 2]
    assert list(await read.of_thread(NOTHING, (await crew.thread()).public_id)) == []


async def test_the_board_counts(crew, read):
    await crew.open()
    theirs = await crew.assigned(await crew.open(BOB), crew.eve, NOON + MINUTE)
    theirs = await crew.move(theirs, ASSIGNED, Why.REPLIED, NOON + 2 * MINUTE, replied_at=NOON + 2 * MINUTE)
    await crew.move(theirs, ENDED, Why.ENDED, NOON + 5 * MINUTE)
    await crew.move(await crew.open("+15125550125"), SessionState.EXPIRED, Why.QUEUED_EXPIRY, NOON + MINUTE)
    board = await read.board(EVERYTHING, NOON - timedelta(hours=1))
    sales = next(queue for queue in board.queues if queue.name == "Sales")
    assert (sales.by_state, sales.by_start) == ({QUEUED: 1}, {StartType.AUTO: 1})
    assert (sales.oldest, sales.expired_today) == (NOON, 1)
    eve = next(agent for agent in board.agents if agent.name == "Eve")
    assert (eve.open, eve.answered, eve.first_answer, eve.lasted) == (0, 1, 2 * MINUTE, 4 * MINUTE)
    assert len(board.sessions) == 1
    assert (board.texts_in, board.texts_out) == (0, 0)
    assert [agent.answered for agent in (await read.board(EVERYTHING, NOON + 9 * MINUTE)).agents] == [0, 0]
    beyond = await read.board(NOTHING, NOON)
    assert beyond.sessions == () and all(not queue.by_state for queue in beyond.queues)
