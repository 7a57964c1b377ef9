"""What people at the desk do: reply once, be told before, opt people out and in, tick off tasks; and who may not."""

import asyncio
import shutil
import sqlite3
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from ringback.core.permissions import Role
from ringback.core.policy import BORN_IN_FLIGHT, Defer, Refuse
from ringback.core.reasons import Reason
from ringback.core.tasks import TaskKind
from ringback.errors import StoreBusy
from ringback.flow import desk as desk_module
from ringback.flow.desk import Denied, NotThere, Replied, Unwritten
from ringback.flow.holds import hold
from ringback.flow.house import Limits
from ringback.flow.pauses import Pause, Scope, pause
from ringback.flow.replies import read_answer, write_answer
from ringback.ports.handsets import Behaviour
from ringback.ports.holds import Held
from ringback.store.database import Database
from tests.conftest import NOON
from tests.flow.office import (
    ANNA,
    BERT,
    NOBODY,
    Gated,
    audited,
    begin,
    column,
    desk_of,
    everything,
    rows,
    states,
)
from tests.flow.world import DID, HOUSE, OTHER_DID, PAT, SAM, World, a_call, life_of, ruled

TEXT = "We open at 9."


@pytest.fixture
async def world(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        yield world


@pytest.fixture
def desk(world):
    return desk_of(world)


async def replies(world, thread, text=TEXT, key="k", who=ANNA) -> Replied:
    replied = await desk_of(world).reply(who, thread, text, key)
    await world.settled()
    return replied


# A reply goes out


async def test_a_reply_arrives_and_says_whose_it_is(world, desk):
    replied = await replies(world, await begin(world), " We open at 9.\r\nCome in. ")
    assert replied == Replied(replied.message, None)
    assert world.handset() == ["We open at 9.\nCome in."]
    assert world.carrier.handset(PAT)[0].sender == DID
    assert await states(world, replied.message) == ["submitting", "accepted", "sent", "delivered"]
    kept = await rows(world, "SELECT class_, basis, cause, automatic, language, expires_at - created_at FROM message")
    assert [tuple(map(str, row)) for row in kept] == [
        ("conversational", "conversation", "user usr_anna", str(kept[0][3]), "", str(4 * 3600 * 10**6))
    ]
    assert not kept[0][3]


async def test_a_reply_points_at_the_account_that_wrote_it(world):
    anna = await hire(world)
    await replies(world, await begin(world), who=anna)
    assert await column(world, "SELECT account_id FROM message") == [anna.account]


async def hire(world):
    """Anna with an account of her own."""
    account = await world.store.commit(
        lambda tx: tx.accounts.add("anna", "Anna", frozenset({Role.AGENT}), "x", "en", NOON)
    )
    return replace(ANNA, id=account.public_id, account=account.id)


async def test_a_reply_ends_the_wait_of_whoever_wrote(world, desk):
    await world.says("Are you open?")
    thread = await begin(world)
    assert await column(world, "SELECT waits_since_at IS NULL FROM thread") in ([0], [False])
    await replies(world, thread)
    assert await column(world, "SELECT waits_since_at IS NULL FROM thread") in ([1], [True])


async def test_a_refused_reply_leaves_them_waiting(world, desk):
    await world.says("Are you open?")
    thread = await begin(world)
    await desk.opt_out(ANNA, thread, "")
    await replies(world, thread)
    assert await column(world, "SELECT waits_since_at IS NULL FROM thread") in ([0], [False])


async def test_reading_and_needing_no_answer_end_what_waits(world, desk):
    await world.says("Thanks!")
    thread = await begin(world)
    await desk.mark_read(BERT, thread)
    assert await rows(world, "SELECT unread FROM thread") == [(0,)]
    await desk.mark_answered(BERT, thread)
    assert await column(world, "SELECT waits_since_at IS NULL FROM thread") in ([1], [True])
    assert await audited(world) == [("user usr_bert", "no_answer_needed", thread)]


# What the gates say


async def said_stop(world, thread):
    await desk_of(world).opt_out(ANNA, thread, "")


REFUSED = [
    pytest.param(DID, PAT, said_stop, Reason.OPTED_OUT, id="said STOP"),
    pytest.param(DID, "+442079460123", None, Reason.LANDLINE, id="a landline"),
    pytest.param(DID, OTHER_DID, None, Reason.OWN_NUMBER, id="one of our own"),
    pytest.param(DID, "55501", None, Reason.SHORT_CODE, id="a short code"),
    pytest.param(DID, "BANK", None, Reason.NOT_TEXTABLE, id="a word for a number"),
    pytest.param("+12025550199", PAT, None, Reason.NUMBER_UNKNOWN, id="no carrier for our number"),
]


@pytest.mark.parametrize(("did", "peer", "before", "reason"), REFUSED)
async def test_a_refused_reply_stays_in_the_thread_with_its_reason(world, did, peer, before, reason):
    thread = await begin(world, did, peer)
    if before:
        await before(world, thread)
    replied = await replies(world, thread)
    assert replied.verdict == Refuse(reason)
    kept = await rows(world, "SELECT public_id, state, reason, body FROM message")
    assert kept == [(replied.message, "refused", reason, TEXT)]
    assert world.handset(peer) == []
    assert world.lane.in_flight == 0


@pytest.mark.parametrize(("did", "peer", "before", "reason"), REFUSED)
async def test_what_is_advised_is_what_happens(world, desk, did, peer, before, reason):
    thread = await begin(world, did, peer)
    if before:
        await before(world, thread)
    advice = await desk.advise(ANNA, thread, TEXT)
    assert advice.verdict == Refuse(reason)
    assert [gate.verdict for gate in advice.gates if gate.verdict] == [Refuse(reason)]
    assert [gate.gate for gate in advice.gates] == [gate.__name__ for gate in BORN_IN_FLIGHT]
    assert [gate.asked for gate in advice.gates] == sorted((gate.asked for gate in advice.gates), reverse=True)


async def test_what_is_advised_names_what_holds_the_carrier_back(world, desk):
    thread = await begin(world)
    assert (await desk.advise(ANNA, thread, TEXT)).held is None
    await world.store.commit(partial(hold, "other", "Not ours.", "ana", NOON))
    assert (await desk.advise(ANNA, thread, TEXT)).held is None
    await world.store.commit(partial(hold, "main", "Their line is bad.", "ana", NOON))
    advice = await desk.advise(ANNA, thread, TEXT)
    assert (advice.verdict, advice.held) == (None, Held("main", "Their line is bad.", NOON, "ana"))


async def test_guards_on_what_is_automatic_do_not_hold_a_person(store, clock, tmp_path):
    house = replace(ruled(cool_down=timedelta()), limits=Limits(texts_per_minute=2, automatic_per_hour=2))
    async with World(store, clock, tmp_path, house).running() as world:
        await world.happens(*life_of(a_call("1")), *life_of(a_call("2")))
        await store.commit(partial(pause, Pause(Scope.ALL), "ana", NOON))
        assert (await replies(world, await begin(world))).verdict is None
        assert world.handset()[-1] == TEXT


async def test_a_reply_waits_for_its_turn_and_the_same_key_says_so_again(store, clock, tmp_path):
    house = replace(HOUSE, limits=Limits(per_number_per_minute=1))
    async with World(store, clock, tmp_path, house).running() as world:
        await replies(world, await begin(world))
        thread = await begin(world, peer=SAM)
        assert isinstance((await desk_of(world).advise(ANNA, thread, TEXT)).verdict, Defer)
        first = await replies(world, thread, key="k2")
        assert first.verdict == Defer(Reason.RATE_NUMBER, NOON + timedelta(minutes=1))
        assert await replies(world, thread, key="k2") == replace(first, again=True)
        assert world.handset(SAM) == []
        await world.passes(timedelta(minutes=1))
        assert world.handset(SAM) == [TEXT]


async def test_a_reply_waits_behind_the_text_before_it(world):
    world.carrier.behave(PAT, Behaviour.SILENT)
    thread = await begin(world)
    await replies(world, thread, "first", "a")
    world.carrier.behave(PAT, Behaviour.DELIVERS)
    second = await replies(world, thread, "second", "b")
    assert await states(world, second.message) == ["queued"]
    await world.passes(timedelta(seconds=11))
    assert (await states(world, second.message))[-1] == "delivered"


@pytest.mark.parametrize(
    ("text", "encoding", "segments", "room"),
    [
        pytest.param("", "gsm7", 0, 160, id="nothing yet"),
        pytest.param(" \r\n ", "gsm7", 0, 160, id="blanks"),
        pytest.param("a" * 161, "gsm7", 2, 145, id="two parts"),
        pytest.param("cafe\u0301", "gsm7", 1, 156, id="counted as it is sent"),
        pytest.param("да", "ucs2", 1, 68, id="another alphabet"),
    ],
)
async def test_the_length_is_counted_as_it_will_be_sent(world, desk, text, encoding, segments, room):
    advice = await desk.advise(ANNA, await begin(world), text)
    assert (advice.verdict, advice.encoding, advice.segments, advice.room) == (None, encoding, segments, room)


async def test_advice_changes_nothing(world, desk):
    await world.says("Are you open?")
    thread = await begin(world)
    before = await everything(world)
    for text in ("", TEXT, "a" * 5000):
        await desk.advise(ANNA, thread, text)
    assert await everything(world) == before


async def test_whoever_may_only_look_is_told_so_by_the_first_gate(world, desk, monkeypatch):
    monkeypatch.setattr("ringback.flow.permits.may", lambda _who, action: action == "read_threads")
    monkeypatch.setattr("ringback.flow.advice.may", lambda _who, _action: False)
    advice = await desk.advise(ANNA, await begin(world), TEXT)
    assert advice.verdict == Refuse(Reason.PERMISSION_DENIED)
    assert [gate.gate for gate in advice.gates if gate.asked] == ["permission"]


# Too long, empty, or not for them


@pytest.mark.parametrize(
    ("limits", "carriers", "most"),
    [
        pytest.param(Limits(max_segments=2), {}, 2, id="our own limit"),
        pytest.param(Limits(), {"main": 3}, 3, id="the carrier's limit"),
        pytest.param(Limits(max_segments=2), {"main": 3}, 2, id="the lower of the two"),
        pytest.param(Limits(max_segments=4), {"other": 3}, 4, id="another carrier's limit"),
    ],
)
async def test_a_reply_that_is_too_long_is_not_kept_and_its_key_is_free(store, clock, tmp_path, limits, carriers, most):
    house = replace(HOUSE, limits=limits, segments_of=carriers)
    async with World(store, clock, tmp_path, house).running() as world:
        thread, fits = await begin(world), "a" * (153 * most)
        assert (await desk_of(world).advise(ANNA, thread, fits + "a")).verdict == Refuse(Reason.TOO_LONG)
        before = await everything(world)
        assert await replies(world, thread, fits + "a") == Replied("", Refuse(Reason.TOO_LONG))
        assert await everything(world) == before
        assert (await replies(world, thread, fits)).verdict is None
        assert world.handset() == [fits]


@pytest.mark.parametrize(
    ("text", "key", "what"),
    [
        pytest.param("", "k", "nothing to send", id="empty"),
        pytest.param(" \r\n\t ", "k", "nothing to send", id="blanks"),
        pytest.param("\x00\x07", "k", "nothing to send", id="control characters only"),
        pytest.param(TEXT, "", "load the page again", id="no key"),
        pytest.param(TEXT, "k\x00", "load the page again", id="a key nobody made"),
        pytest.param(TEXT, "\ud800", "load the page again", id="half a character for a key"),
        pytest.param(TEXT, "k" * 201, "load the page again", id="a key without end"),
    ],
)
async def test_what_cannot_be_a_reply_is_said_and_not_kept(world, desk, text, key, what):
    thread = await begin(world)
    before = await everything(world)
    with pytest.raises(Unwritten, match=what):
        await desk.reply(ANNA, thread, text, key)
    assert await everything(world) == before


ACTS = {
    "advise": lambda desk, who, thread: desk.advise(who, thread, TEXT),
    "reply": lambda desk, who, thread: desk.reply(who, thread, TEXT, "k"),
    "read": lambda desk, who, thread: desk.mark_read(who, thread),
    "no answer needed": lambda desk, who, thread: desk.mark_answered(who, thread),
    "opt out": lambda desk, who, thread: desk.opt_out(who, thread, "by phone"),
    "opt in": lambda desk, who, thread: desk.opt_in(who, thread, "by phone"),
    "close a task": lambda desk, who, thread: desk.close_task(who, thread),
    "open a task": lambda desk, who, thread: desk.reopen_task(who, thread),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
async def test_who_may_not_is_told_and_nothing_changes(world, desk, act):
    thread = await begin(world)
    before = await everything(world)
    with pytest.raises(Denied) as denied:
        await act(desk, NOBODY, thread)
    assert denied.value.reason is Reason.PERMISSION_DENIED
    assert await everything(world) == before


@pytest.mark.parametrize(
    "unknown", ["thr_00000000000000000000000000", "msg_00000000000000000000000000", "", "'--", "a\x00\ud800"]
)
@pytest.mark.parametrize("act", [act for name, act in ACTS.items() if "task" not in name])
async def test_a_thread_that_is_not_there_is_said_so(world, desk, act, unknown):
    before = await everything(world)
    with pytest.raises(NotThere):
        await act(desk, ANNA, unknown)
    assert await everything(world) == before


async def test_an_account_that_was_closed_a_moment_ago_sends_nothing(world, desk):
    anna = await hire(world)
    thread = await begin(world)
    await world.store.commit(lambda tx: tx.accounts.disable(anna.account, NOON))
    before = await column(world, "SELECT count(*) FROM message")
    for act in (desk.advise(anna, thread, TEXT), desk.reply(anna, thread, TEXT, "k")):
        with pytest.raises(Denied) as denied:
            await act
        assert denied.value.reason is Reason.PERMISSION_DENIED
        assert str(denied.value).endswith("The account is disabled.")
    assert await column(world, "SELECT count(*) FROM message") == before
    assert world.handset() == []


async def test_what_waits_of_an_account_that_is_closed_never_leaves(world):
    anna = await hire(world)
    world.carrier.behave(PAT, Behaviour.AWAY)
    replied = await replies(world, await begin(world), who=anna)
    others = await replies(world, await begin(world, peer=SAM), who=BERT)
    await world.store.commit(lambda tx: tx.accounts.disable(anna.account, NOON))
    world.carrier.behave(PAT, Behaviour.DELIVERS)
    await world.passes(timedelta(seconds=10))
    assert await rows(world, f"SELECT state, reason FROM message WHERE public_id = '{replied.message}'") == [
        ("refused", "permission_denied")
    ]
    assert (await states(world, others.message))[-1] == "delivered"
    assert world.handset() == []


# Once for each key


async def test_the_same_key_is_the_same_text_however_often_and_whenever(world):
    thread = await begin(world)
    first = await replies(world, thread)
    assert [await replies(world, thread) for _ in range(3)] == [replace(first, again=True)] * 3
    at_once = await asyncio.gather(*(desk_of(world).reply(ANNA, thread, "Yes.", "k2") for _ in range(8)))
    await world.settled()
    assert sorted(replied.again for replied in at_once) == [False] + [True] * 7
    assert len({replied.message for replied in at_once}) == 1
    assert world.handset() == [TEXT, "Yes."]
    assert world.lane.in_flight == 0


async def test_a_key_outlives_the_daemon(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        thread = await begin(world)
        first = await replies(world, thread)
    async with World(store, clock, tmp_path).running() as world:
        assert await replies(world, thread) == replace(first, again=True)
        assert world.handset() == []


@pytest.mark.parametrize(
    ("text", "peer"), [pytest.param("Yes.", PAT, id="another text"), pytest.param(TEXT, SAM, id="another thread")]
)
async def test_a_key_that_comes_with_something_else_is_a_mistake(world, desk, text, peer):
    await replies(world, await begin(world))
    before = await everything(world)
    with pytest.raises(Denied) as denied:
        await desk.reply(ANNA, (await begin(world, peer=peer)), text, "k")
    assert denied.value.reason is Reason.IDEMPOTENCY_MISMATCH
    after = await everything(world)
    assert after["message"] == before["message"]
    assert after["idempotency"] == before["idempotency"]


async def test_keys_of_two_people_have_nothing_to_do_with_each_other(world):
    thread = await begin(world)
    assert not (await replies(world, thread)).again
    assert not (await replies(world, thread, who=BERT)).again
    assert world.handset() == [TEXT, TEXT]


async def test_two_keys_are_two_texts(world):
    thread = await begin(world)
    await replies(world, thread, key="a")
    await replies(world, thread, key="b")
    assert world.handset() == [TEXT, TEXT]


async def test_a_refusal_is_remembered_with_its_key(world, desk):
    thread = await begin(world)
    await desk.opt_out(ANNA, thread, "")
    first = await replies(world, thread)
    await desk.opt_in(ANNA, thread, "wrote a mail")
    assert await replies(world, thread) == replace(first, again=True)
    assert (await replies(world, thread, key="k2")).verdict is None


@pytest.mark.parametrize(
    "verdict",
    [None, Refuse(Reason.OPTED_OUT), Defer(Reason.RATE_NUMBER, NOON + timedelta(microseconds=1))],
    ids=["sent", "refused", "put off"],
)
def test_an_answer_is_read_as_it_was_written(verdict):
    assert read_answer(write_answer(Replied("msg_1", verdict))) == Replied("msg_1", verdict, again=True)


# The database is busy, the line is cut


async def test_a_locked_database_is_said_soon_and_the_same_key_sends_once(tmp_path, empty_sqlite, clock, monkeypatch):
    monkeypatch.setattr("ringback.store.sqlite.BUSY_WAIT_S", 0.05)
    path = tmp_path / "db"
    shutil.copy(empty_sqlite, path)
    database = Database(f"sqlite:///{path}", clock)
    await database.open()
    async with World(database, clock, tmp_path).running() as world:
        thread = await begin(world)
        foreign = sqlite3.connect(path, isolation_level=None)
        foreign.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreBusy):
            await desk_of(world).reply(ANNA, thread, TEXT, "k")
        foreign.execute("ROLLBACK")
        foreign.close()
        assert not (await replies(world, thread)).again
        assert world.handset() == [TEXT]
        assert world.lane.in_flight == 0
    await database.close()


@pytest.fixture
async def slow(store, clock, tmp_path, monkeypatch):
    """A world whose database can be made to hang, and people without patience."""
    monkeypatch.setattr(desk_module, "PATIENCE_S", 0.1)
    async with World(Gated(store), clock, tmp_path).running() as world:
        yield world


async def test_a_reply_that_nobody_waits_for_any_more_is_not_sent_later(slow):
    thread = await begin(slow)
    slow.store.open.clear()
    with pytest.raises(StoreBusy, match="nothing is done twice"):
        await desk_of(slow).reply(ANNA, thread, TEXT, "k")
    slow.store.open.set()
    await slow.settled()
    assert slow.handset() == []
    assert slow.lane.in_flight == 0
    assert not (await replies(slow, thread)).again
    assert slow.handset() == [TEXT]


async def test_any_other_change_that_comes_too_late_does_nothing(slow):
    thread = await begin(slow)
    slow.store.open.clear()
    with pytest.raises(StoreBusy):
        await desk_of(slow).opt_out(ANNA, thread, "")
    slow.store.open.set()
    await slow.settled()
    assert await rows(slow, "SELECT id FROM opt_out_event") == []


async def test_a_reply_whose_page_is_gone_is_sent_once_all_the_same(store, clock, tmp_path):
    async with World(Gated(store), clock, tmp_path).running() as world:
        thread = await begin(world)
        world.store.open.clear()
        asking = asyncio.ensure_future(desk_of(world).reply(ANNA, thread, TEXT, "k"))
        await world.store.asked.wait()
        asking.cancel()
        world.store.open.set()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await world.settled()
        assert world.handset() == [TEXT]
        assert (await replies(world, thread)).again


async def test_a_reply_that_a_stop_of_ours_cut_off_opens_no_attempt_later(slow, monkeypatch):
    monkeypatch.setattr(desk_module, "PATIENCE_S", 60)
    monkeypatch.setattr(desk_module, "LAST_S", 0.05)
    thread = await begin(slow)
    slow.store.asked.clear()
    slow.store.open.clear()
    asking = asyncio.ensure_future(desk_of(slow).reply(ANNA, thread, TEXT, "k"))
    await slow.store.asked.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    slow.store.open.set()
    await slow.settled()
    assert slow.handset() == []
    assert slow.lane.in_flight == 0


# STOP and START by a person


async def test_an_opt_out_calls_off_what_waits_in_this_thread_and_nothing_else(store, clock, tmp_path):
    async with World(store, clock, tmp_path, ruled(delay=timedelta(minutes=5))).running() as world:
        await world.happens(*life_of(a_call("1")), *life_of(a_call("2", caller=SAM)))
        world.carrier.behave(PAT, Behaviour.AWAY)
        thread, elsewhere = await begin(world), await begin(world, did=OTHER_DID)
        held = await replies(world, thread, key="a")
        queued = await replies(world, thread, key="b")
        other = await replies(world, elsewhere, key="c")
        await desk_of(world).opt_out(ANNA, thread, "told me\ton the phone\x00")
        for gone in (held, queued):
            assert await rows(world, f"SELECT state, reason FROM message WHERE public_id = '{gone.message}'") == [
                ("cancelled", "opted_out")
            ]
        assert await world.decision("1") == ("suppress", "opted_out")
        assert await world.decision("2") == ("send", "allowed")
        assert await rows(world, "SELECT kind, method, evidence FROM opt_out_event") == [
            ("opt_out", "person", "user usr_anna: told me on the phone")
        ]
        assert await rows(world, "SELECT who, action, about, detail FROM audit") == [
            ("user usr_anna", "opt_out", thread, "3 texts called off")
        ]
        world.carrier.behave(PAT, Behaviour.DELIVERS)
        await world.passes(timedelta(minutes=6))
        assert world.handset() == [TEXT]
        assert (await states(world, other.message))[-1] == "delivered", "our other number was not meant"
        assert len(world.handset(SAM)) == 1


async def test_an_opt_out_without_a_note_names_who_wrote_it_down(world, desk):
    await desk.opt_out(ANNA, await begin(world), " \n")
    assert await column(world, "SELECT evidence FROM opt_out_event") == ["user usr_anna"]


async def test_an_attempt_that_is_open_is_not_called_off(world, desk):
    world.carrier.behave(PAT, Behaviour.SILENT)
    thread = await begin(world)
    replied = await replies(world, thread)
    await desk.opt_out(ANNA, thread, "")
    assert await states(world, replied.message) == ["submitting", "submitting"], "it is noted that they crossed"
    await world.passes(timedelta(seconds=11))
    assert (await states(world, replied.message))[-1] == "unconfirmed"


async def test_a_block_at_the_carrier_calls_off_what_waits_behind_it(world):
    world.carrier.behave(PAT, Behaviour.SILENT)
    thread = await begin(world)
    await replies(world, thread, key="a")
    world.carrier.behave(PAT, Behaviour.BLOCKS)
    second = await replies(world, thread, key="b")
    third = await replies(world, thread, key="c")
    await world.passes(timedelta(seconds=11))
    assert (await states(world, second.message))[-1] == "failed"
    assert (await states(world, third.message))[-1] == "cancelled"
    assert await rows(world, "SELECT kind, method FROM opt_out_event") == [("opt_out", "carrier")]


async def test_wanting_texts_again_takes_a_word_of_evidence(world, desk):
    thread = await begin(world)
    await desk.opt_out(ANNA, thread, "")
    for note in ("", " \r\n"):
        with pytest.raises(Unwritten, match="evidence"):
            await desk.opt_in(ANNA, thread, note)
    assert (await desk.advise(ANNA, thread, TEXT)).verdict == Refuse(Reason.OPTED_OUT)
    await desk.opt_in(BERT, thread, "asked for it at the counter")
    assert (await desk.advise(ANNA, thread, TEXT)).verdict is None
    assert (await rows(world, "SELECT kind, method, evidence FROM opt_out_event ORDER BY id"))[-1] == (
        "opt_in",
        "person",
        "user usr_bert: asked for it at the counter",
    )
    assert [action for _who, action, _about in await audited(world)] == ["opt_out", "opt_in"]


# Tasks


async def test_a_task_is_closed_once_and_can_be_opened_again(world, desk):
    await world.store.commit(lambda tx: tx.tasks.add(TaskKind.STORM, NOON, "missed"))
    (task,) = await column(world, "SELECT public_id FROM task")
    assert await desk.close_task(ANNA, task)
    assert not await desk.close_task(BERT, task)
    assert await rows(world, "SELECT done_by, done_at IS NULL FROM task") in (
        [("user usr_anna", 0)],
        [("user usr_anna", False)],
    )
    assert await desk.reopen_task(BERT, task)
    assert not await desk.reopen_task(BERT, task)
    assert [action for _who, action, _about in await audited(world)] == ["closed_task", "reopened_task"]


@pytest.mark.parametrize("act", ["close_task", "reopen_task"])
async def test_a_task_that_is_not_there(desk, act):
    for unknown in ("task_00000000000000000000000000", "thr_00000000000000000000000000"):
        with pytest.raises(NotThere):
            await getattr(desk, act)(ANNA, unknown)
