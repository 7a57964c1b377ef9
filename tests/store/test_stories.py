"""What is read back of texts both ways and of what people did, after a small Ringback lived through it."""

import shutil
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import event

from ringback.carriers.loopback import Behaviour
from ringback.core.calls import Presentation
from ringback.core.permissions import Role
from ringback.core.tasks import TaskKind
from ringback.flow.desk import Resolution
from ringback.flow.opt_outs import stop
from ringback.ports import MediaLink, Piece
from ringback.ports.stories import PersonStory, Stories, Unanswered
from ringback.store.database import Database
from ringback.store.stories import find
from ringback.store.story_people import MOST
from tests.conftest import NOON
from tests.flow.office import ANNA, begin, column, desk_of
from tests.flow.world import DID, HOUSE, OTHER_DID, PAT, SAM, World, a_call, life_of, ruled
from tests.store.test_plans import FILL, ROWS, walked

DELAYED = ruled(delay=timedelta(seconds=20), cool_down=timedelta())
SELF_MADE = replace(HOUSE, carriers_that_answer=frozenset({"main"}))


@pytest.fixture
async def world(store, clock, tmp_path):
    async with World(store, clock, tmp_path, DELAYED).running() as world:
        yield world


@pytest.fixture
async def anna(world):
    """Anna with an account of her own."""
    account = await world.store.commit(
        lambda tx: tx.accounts.add("anna", "Anna Lee", frozenset({Role.AGENT}), "x", "", NOON)
    )
    return replace(ANNA, id=account.public_id, account=account.id)


def known(who) -> PersonStory:
    return PersonStory(who.label, "anna", "Anna Lee")


async def last(world, what=PAT):
    """The newest text from a handset."""
    return (await world.story(what)).incoming[-1]


async def task_of(world, kind: TaskKind) -> str:
    (public_id,) = await column(world, f"SELECT public_id FROM task WHERE kind = '{kind}'")
    return public_id


async def test_a_text_says_when_it_came_and_where_it_stands(world):
    at = NOON - timedelta(minutes=3)
    await world.says("A photo", carrier_at=at, provider_id="SM1", media=(MediaLink("http://x/1", "image/png"),))
    text = await last(world)
    assert (text.did, text.peer, text.carrier, text.body) == (DID, PAT, "main", "A photo")
    assert (text.carrier_at, text.at, text.received_at) == (at, at, NOON)
    assert [(row.provider_id, row.state, row.carrier, row.body) for row in text.journal] == [
        ("SM1", "done", "main", "")
    ]
    assert (text.state, text.pieces, text.came, text.missing, text.media) == ("whole", 1, (), (), ("image/png",))
    assert (text.command, text.ledger, text.answer, text.unanswered, text.tasks) == ("", None, None, None, ())
    assert await world.story(text.public_id) == Stories(incoming=(text,))


async def test_a_clock_that_cannot_be_right_does_not_place_a_text(world):
    await world.says("hi", carrier_at=datetime(1, 1, 1, tzinfo=UTC))
    text = await last(world)
    assert (text.carrier_at.year, text.at) == (1, NOON)


@pytest.mark.parametrize(
    ("house", "said", "command", "ledger", "answered", "unanswered"),
    [
        pytest.param(HOUSE, ["STOP"], "stop", "opt_out", "delivered", None, id="STOP is answered"),
        pytest.param(HOUSE, ["STOP", "STOP"], "stop", "opt_out", None, Unanswered.SAID_BEFORE, id="but only once"),
        pytest.param(HOUSE, ["STOP", "START"], "start", "opt_in", "delivered", None, id="START"),
        pytest.param(HOUSE, ["STOP", "START", "STOP"], "stop", "opt_out", "delivered", None, id="STOP after START"),
        pytest.param(HOUSE, ["HELP"], "help", None, "delivered", None, id="HELP"),
        pytest.param(HOUSE, ["HELP"] * 4, "help", None, "refused", None, id="a loop"),
        pytest.param(SELF_MADE, ["STOP"], "stop", "opt_out", None, Unanswered.CARRIER_ANSWERS, id="the carrier's STOP"),
        pytest.param(SELF_MADE, ["HELP"], "help", None, None, Unanswered.CARRIER_ANSWERS, id="the carrier's HELP"),
        pytest.param(SELF_MADE, ["STOP"] * 2, "stop", "opt_out", None, Unanswered.SAID_BEFORE, id="both reasons"),
        pytest.param(HOUSE, ["START"], "", None, None, None, id="START of somebody who never stopped"),
    ],
)
async def test_a_command_says_what_it_did(store, clock, tmp_path, house, said, command, ledger, answered, unanswered):
    async with World(store, clock, tmp_path, house).running() as world:
        for text in said:
            await world.says(text)
            await world.passes(timedelta(seconds=7))
        text = await last(world)
        assert (text.command, text.unanswered) == (command, unanswered)
        assert (text.ledger and text.ledger.kind) == ledger
        assert (text.answer and text.answer.state) == answered
        if text.answer:
            assert (text.answer.answers, text.answer.command) == (text.public_id, command)
            assert text.answer not in (await world.story(PAT)).texts, "it is told with the text it answers"
            (alone,) = (await world.story(text.answer.public_id)).texts
            assert alone == text.answer


async def test_a_stop_tells_what_it_called_off(world, anna):
    world.carrier.behave(PAT, Behaviour.AWAY)
    waits = (await desk_of(world).reply(anna, await begin(world), "We open at 9.", "k")).message
    await world.happens(*life_of(a_call("1")))
    await world.passes(timedelta(seconds=2))
    await world.says("STOP")
    await world.passes(timedelta(seconds=2))
    await world.says("STOP")
    story = await world.story(PAT)
    (call,) = story.calls
    assert [text.ledger.called_off for text in story.incoming] == [(waits, call.public_id), ()]
    assert [entry.called_off for entry in story.threads[0].ledger] == [(waits, call.public_id), ()]


async def test_a_text_tells_of_the_task_it_left_and_who_did_it(world, anna):
    await world.says("take me off your list")
    (task,) = (await last(world)).tasks
    assert (task.kind, task.detail, task.done_at, task.done_by) == ("opt_out", "take me off your list", None, None)
    await desk_of(world).close_task(anna, task.public_id)
    story = await world.story(task.public_id)
    (done,) = story.incoming[0].tasks
    assert (done.done_at, done.done_by, [deed.action for deed in done.deeds]) == (NOON, known(anna), ["closed_task"])
    assert story.tasks == ()


async def test_pieces_say_what_is_missing_and_where_each_came_from(world):
    for number in (3, 1):
        await world.says(f"{number},", piece=Piece("r", number, 3), provider_id=f"SM{number}")
        await world.passes(timedelta(seconds=1))
    text = await last(world)
    assert (text.state, text.came, text.missing, text.body) == ("waiting", (1, 3), (2,), "1,3,")
    assert [row.provider_id for row in text.journal] == ["SM3", "SM1"]
    await world.passes(timedelta(minutes=11))
    text = await last(world)
    assert (text.state, text.missing, [task.kind for task in text.tasks]) == ("partial", (2,), ["partial"])
    await world.says("2,", piece=Piece("r", 2, 3))
    text = await last(world)
    assert (text.state, text.came, text.missing, text.body) == ("whole", (1, 2, 3), (), "1,2,3,")


async def test_a_repeat_names_what_it_repeats(world):
    for _ in range(2):
        await world.says("STOP", provider_id="")
    first, second = (await world.story(PAT)).incoming
    assert (first.repeats, second.repeats) == (None, first.public_id)
    assert (second.command, second.ledger, second.answer, second.unanswered) == ("", None, None, None)


async def test_a_thread_tells_who_wrote_and_what_was_refused(world, anna):
    thread = await begin(world)
    desk = desk_of(world)
    await desk.reply(anna, thread, "We open at 9.", "k1")
    await world.passes(timedelta(seconds=5))
    await desk.opt_out(anna, thread, "they phoned")
    await desk.reply(anna, thread, "Sorry!", "k2")
    await desk.opt_in(anna, thread, "and phoned again")
    await desk.mark_answered(anna, thread)
    story = await world.story(thread)
    assert [(text.author, text.state, text.reason, text.thread) for text in story.texts] == [
        (known(anna), "delivered", None, thread),
        (known(anna), "refused", "opted_out", thread),
    ]
    (told,) = story.threads
    assert [(entry.kind, entry.method, entry.evidence, entry.by) for entry in told.ledger] == [
        ("opt_out", "person", f"{anna.label}: they phoned", known(anna)),
        ("opt_in", "person", f"{anna.label}: and phoned again", known(anna)),
    ]
    assert [(deed.who, deed.action) for deed in told.deeds] == [
        (known(anna), action) for action in ("opt_out", "opt_in", "no_answer_needed")
    ]
    assert (told.did, told.peer, told.opted_out_at) == (DID, PAT, None)


async def test_an_account_that_nobody_has_keeps_its_label(world):
    thread = await begin(world)
    await desk_of(world).mark_answered(ANNA, thread)
    (deed,) = (await world.story(thread)).threads[0].deeds
    assert deed.who == PersonStory("user usr_anna")


async def test_a_carriers_block_is_in_the_ledger(world):
    where = await world.store.commit(lambda tx: tx.pairs.thread(DID, PAT, NOON))
    await world.store.commit(partial(stop, where, "carrier", "21610: unsubscribed", NOON))
    (told,) = (await world.story(PAT)).threads
    assert [(entry.method, entry.evidence, entry.by) for entry in told.ledger] == [
        ("carrier", "21610: unsubscribed", None)
    ]


async def test_a_persons_word_and_its_undo_stand_on_the_text(world, anna):
    desk = desk_of(world)
    world.carrier.behave(PAT, Behaviour.SILENT)
    message = (await desk.reply(anna, await begin(world), "We open at 9.", "k")).message
    await world.passes(timedelta(seconds=11))
    await desk.resolve(anna, message, Resolution.SENT)
    await desk.undo(anna, message)
    (text,) = (await world.story(message)).texts
    assert [(deed.who, deed.action) for deed in text.deeds] == [(known(anna), "said_sent"), (known(anna), "took_back")]
    assert [step.state for step in text.steps] == ["submitting", "unconfirmed", "accepted", "unconfirmed"]
    (task,) = text.tasks
    assert (task.kind, task.done_at) == ("unconfirmed", None)
    (attempt,) = text.attempts
    for name in (task.public_id, attempt.public_id):
        assert await world.story(name) == Stories(texts=(text,))


async def test_a_task_about_a_call_is_told_with_the_call(world):
    old = NOON - timedelta(days=1)
    await world.happens(*life_of(a_call("1", ended=old)))
    task = await task_of(world, TaskKind.TOO_OLD)
    (call,) = (await world.story(task)).calls
    assert ([each.public_id for each in call.tasks], call.uniqueid) == ([task], "1")


async def test_a_quarantined_hook_is_told_by_its_task(world):
    await world.says("hi")
    await world.arrivals.quarantine("main", b"\x00Body=\xff" + b"x" * 999, "no From")
    await world.arrivals.quarantine("main", b"{", "no form")
    await world.passes(timedelta(minutes=5))
    await world.arrivals.quarantine("main", b"later", "no form")
    first, *others = await column(world, "SELECT public_id FROM task WHERE kind = 'quarantined' ORDER BY id")
    assert len(others) == 2, "each is a task of its own"
    (task,) = (await world.story(first)).tasks
    assert [(row.why, row.state, row.provider_id) for row in task.journal] == [("no From", "quarantined", None)]
    assert task.journal[0].body == "\x00Body=\N{REPLACEMENT CHARACTER}" + "x" * 293


@pytest.mark.parametrize("sender", ["ACME", "22334", "unknown"])
async def test_a_sender_that_is_no_number_is_found_by_its_name(world, sender):
    await world.says("hi", sender=sender)
    (text,) = (await world.story(sender)).incoming
    assert text.peer == sender


async def test_a_person_is_told_on_all_our_numbers_a_thread_on_one(world):
    for number, to in enumerate((DID, OTHER_DID)):
        await world.says("hi", to=to)
        await world.happens(*life_of(a_call(str(number), did=to)))
    await world.says("hi", sender=SAM)
    story = await world.story(PAT)
    assert [text.did for text in story.incoming] == [DID, OTHER_DID]
    assert [call.did for call in story.calls] == [DID, OTHER_DID]
    for thread in story.threads:
        one = await world.story(thread.public_id)
        assert one.threads == (thread,)
        assert [text.did for text in one.incoming] == [thread.did] == [call.did for call in one.calls]


async def test_of_a_person_the_newest_of_each_kind_are_told(world):
    for number in range(MOST + 3):
        await world.says(f"{number}", to=(DID, OTHER_DID)[number % 2])
        await world.passes(timedelta(seconds=1))
    story = await world.story(PAT)
    assert [text.body for text in story.incoming] == [str(number) for number in range(3, MOST + 3)]


@pytest.mark.parametrize("kind", ["inb", "thr", "task", "att", "msg", "call", "usr"])
async def test_an_id_that_was_never_given_leads_to_nothing(world, kind):
    assert not await world.story(f"{kind}_{'0' * 26}")


async def test_no_read_of_a_story_walks_through_a_table(empty_sqlite, clock, tmp_path):
    path = tmp_path / "ringback.db"
    shutil.copy(empty_sqlite, path)
    with sqlite3.connect(path) as filling:
        count = f"WITH RECURSIVE few(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM few WHERE n < {ROWS})"
        for statement in FILL:
            head, select, tail = statement.partition(" SELECT ")
            filling.execute(f"{head} {count}{select}{tail}" if select else statement)
    filling.close()
    database = Database(f"sqlite:///{path}", clock)
    await database.open()
    asked: set[str] = set()
    async with World(database, clock, tmp_path, DELAYED).running() as world:
        thread = await begin(world)
        hidden = a_call("c3", "anonymous", presentation=Presentation.WITHHELD)
        await world.happens(*life_of(a_call("c1")), *life_of(hidden))
        await world.says("STOP")
        await world.says("STOP")
        await world.arrivals.quarantine("main", b"{", "no form")
        await desk_of(world).opt_out(ANNA, thread, "they phoned")
        await world.says("take me off your list", to=OTHER_DID)
        story = await world.story(PAT)
        names = [PAT, thread, "c1", "c3", "c2", "ACME", story.calls[0].public_id]
        names += [text.public_id for text in (*story.incoming, story.incoming[0].answer)]
        names += [await task_of(world, kind) for kind in (TaskKind.OPT_OUT, TaskKind.QUARANTINED)]

        def read(connection):
            event.listen(connection, "before_cursor_execute", lambda *said: asked.add(said[2].replace("?", ":value")))
            return [find(connection, name) for name in names]

        told = await world.ground.read(read)
    await database.close()
    assert all(bool(story) == (name not in ("c2", "ACME")) for name, story in zip(names, told, strict=True))
    assert len(asked) > 25
    plans = sqlite3.connect(path)
    assert {table for statement in asked for table in walked(plans, statement)} == set()
    plans.close()
