"""Whom we never text: what holds from which moment on, for whom, and what is written down of it."""

import asyncio
from datetime import datetime, timedelta
from functools import partial

import pytest

from ringback.core.list_rows import Row
from ringback.core.messages import State
from ringback.core.permissions import Role, at_the_shell
from ringback.core.policy import Refuse
from ringback.core.reasons import Reason
from ringback.errors import StoreBusy
from ringback.flow import list_imports
from ringback.flow.list_imports import import_all
from ringback.flow.list_keeping import ListKeeper
from ringback.flow.lists import ListRefused, Turn, add, change_by_words, remove, staged, turn_staging
from ringback.flow.opt_outs import start, stop
from ringback.flow.outbound import read_ahead, submit
from ringback.flow.permits import Denied
from ringback.flow.replies import Reply, answer
from ringback.flow.retention import erase
from ringback.flow.stopping import How, NoTexts, Whole, no_texts
from ringback.ports.lists import COMING, MERGING, Entry, ListName
from ringback.store.lists import ReadLists
from tests.conftest import NOON
from tests.fakes.grants import let_everyone
from tests.flow.office import ANNA, NOBODY
from tests.flow.test_stop_races import confirmation
from tests.flow.world import DID, HOUSE, OTHER_DID, PAT, SAM

SHELL = at_the_shell("root")
LATER = NOON + timedelta(minutes=1)
BEFORE = NOON - timedelta(days=400)


def facts(tx, did=DID, peer=PAT, now=LATER):
    """What one look says, which must be what a look at many says."""
    one = tx.pairs.facts(did, peer, "", "", now)
    read_ahead([(did, peer), (did, "+15125550199")], now, tx)
    many = tx.pairs.plain_facts(did, peer, now, urgency=0)
    same = ("opted_out_at", "never", "only", "staging", "paused")
    assert [getattr(one, name) for name in same] == [getattr(many, name) for name in same]
    return one


async def reply(store, now=LATER, number="1"):
    def step(tx):
        thread = tx.pairs.thread(DID, PAT, now)
        replied, _ = answer(HOUSE, None, Reply(ANNA, thread, "We open at 9.", f"key {number}"), now, tx)
        return replied.verdict

    return await store.commit(step)


@pytest.fixture
async def house(store):
    """Anna works here, and may text from every number."""
    await store.commit(lambda tx: tx.accounts.add("anna", "Anna", frozenset({Role.AGENT}), "", "", NOON))
    await store.commit(partial(let_everyone, NOON))
    return store


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(partial(add, ANNA, ListName.NEVER, PAT, "my brother", NOON), Reason.NEVER_TEXT, id="never"),
        pytest.param(partial(add, ANNA, ListName.STOPPED, PAT, "said so", NOON), Reason.OPTED_OUT, id="stopped"),
        pytest.param(partial(turn_staging, ANNA, Turn.ON, NOON), Reason.STAGING, id="staging"),
    ],
)
async def test_a_person_who_writes_is_refused_too(house, change, reason):
    assert await reply(house) is None
    await house.commit(change)
    assert await reply(house, number="2") == Refuse(reason)


async def test_staging_lets_those_through_that_are_on_its_list(house):
    await house.commit(partial(turn_staging, ANNA, Turn.ON, NOON))
    assert await reply(house) == Refuse(Reason.STAGING)
    await house.commit(partial(add, ANNA, ListName.ONLY, PAT, "our own phone", NOON))
    assert await reply(house, number="2") is None
    await house.commit(partial(turn_staging, ANNA, Turn.OFF, NOON))
    await house.commit(partial(remove, ANNA, ListName.ONLY, PAT, "", NOON))
    assert await reply(house, number="3") is None


@pytest.mark.parametrize("command", ["stop", "start"])
async def test_the_answer_to_a_stop_goes_and_that_to_a_start_does_not(house, command):
    def step(tx):
        add(ANNA, ListName.NEVER, PAT, "robocaller", NOON, tx)
        turn_staging(ANNA, Turn.ON, NOON, tx)
        return submit(HOUSE, None, confirmation(command, NOON), None, NOON, tx).verdict

    assert await house.commit(step) == (None if command == "stop" else Refuse(Reason.NEVER_TEXT))


async def test_facts_tell_each_list_apart_and_a_pause_from_staging(store):
    def step(tx):
        seen = [facts(tx)]
        for name in (ListName.NEVER, ListName.ONLY, ListName.STOPPED):
            add(ANNA, name, PAT, "", NOON, tx)
            seen.append(facts(tx))
        tx.settings.put("pause:all", "", NOON, "x")
        seen.append(facts(tx))
        turn_staging(ANNA, Turn.ON, NOON, tx)
        seen.append(facts(tx))
        seen.append(facts(tx, peer=SAM))
        return [(one.never, one.only, one.opted_out_at, one.paused, one.staging) for one in seen]

    assert await store.commit(step) == [
        (False, False, None, False, False),
        (True, False, None, False, False),
        (True, True, None, False, False),
        (True, True, NOON, False, False),
        (True, True, NOON, True, False),
        (True, True, NOON, True, True),
        (False, False, None, True, True),
    ]


# The whole business


SAID_ON_THE_PHONE = NoTexts(Whole.BUSINESS, How.CALL, "stop texting me", "call_1")


async def everywhere(store, now=NOON):
    return await store.commit(lambda tx: no_texts(ANNA, tx.pairs.thread(DID, PAT, now), SAID_ON_THE_PHONE, now, tx))


async def test_an_opt_out_from_every_number_holds_for_numbers_they_never_heard_of(house):
    await house.commit(lambda tx: tx.pairs.thread(OTHER_DID, PAT, NOON))
    await everywhere(house)

    def look(tx):
        ledger = [tx.pairs.said_last(thread.id) for thread in tx.pairs.threads_of(PAT)]
        return ledger, [facts(tx, did).opted_out_at for did in (DID, OTHER_DID, "+12025550109")], tx.lists.of(PAT)

    ledger, opted_out, (entry,) = await house.commit(look)
    assert ledger == ["everywhere", "everywhere"]
    assert opted_out == [NOON] * 3
    assert (entry.list, entry.reason, entry.source, entry.by) == (
        ListName.STOPPED,
        "call: stop texting me",
        "call_1",
        ANNA.label,
    )


async def test_it_calls_off_what_waits_on_every_number(house):
    def wait(tx):
        for did in (DID, OTHER_DID):
            thread = tx.pairs.thread(did, PAT, NOON)
            answer(HOUSE, None, Reply(ANNA, thread, "We open at 9.", did), NOON, tx)

    await house.commit(wait)
    assert await everywhere(house) == 2
    states = await house.read(lambda at: at.exec_driver_sql("SELECT state, reason FROM message").fetchall())
    assert [tuple(row) for row in states] == [(State.CANCELLED, Reason.OPTED_OUT)] * 2


async def test_a_start_restores_that_pair_and_no_other(house):
    await house.commit(lambda tx: tx.pairs.thread(OTHER_DID, PAT, NOON))
    await everywhere(house)
    await house.commit(lambda tx: start(tx.pairs.thread(DID, PAT, LATER), "text", "inb_1", LATER, tx))
    seen = await house.commit(lambda tx: [facts(tx, did).opted_out for did in (DID, OTHER_DID)])
    assert seen == [False, True]
    await everywhere(house, now=LATER + timedelta(minutes=1))
    assert await house.commit(lambda tx: facts(tx).opted_out), "said again, it holds again"


async def test_taking_it_back_leaves_a_stop_of_their_own(house):
    def said_both(tx):
        stop(tx.pairs.thread(DID, PAT, NOON), "text", "inb_1", NOON, tx)
        tx.pairs.thread(OTHER_DID, PAT, NOON)

    await house.commit(said_both)
    await everywhere(house)
    await house.commit(lambda tx: stop(tx.pairs.thread(DID, PAT, LATER), "text", "inb_2", LATER, tx))
    await house.commit(partial(remove, ANNA, ListName.STOPPED, PAT, "she wrote a letter", LATER))
    seen = await house.commit(lambda tx: [facts(tx, did).opted_out for did in (DID, OTHER_DID)])
    assert seen == [True, False]


async def test_taking_it_back_takes_a_note(store):
    await everywhere(store)
    with pytest.raises(ListRefused, match="how this person asked"):
        await store.commit(partial(remove, ANNA, ListName.STOPPED, PAT, " \n ", LATER))
    assert await store.commit(lambda tx: facts(tx).opted_out)


# Erased people


async def test_what_was_said_outlives_the_number(house):
    for name in ListName:
        await house.commit(partial(add, ANNA, name, PAT, "my brother Pat", NOON))
    await house.commit(partial(erase, PAT, SHELL, LATER))
    told = await house.read(lambda at: str(at.exec_driver_sql("SELECT * FROM listed").fetchall()))
    assert PAT not in told
    assert "brother" not in told
    seen = await house.commit(facts)
    assert (seen.never, seen.only, seen.opted_out) == (True, True, True)
    entries = await house.commit(lambda tx: tx.lists.of(PAT))
    assert [(entry.list, entry.number, entry.reason) for entry in entries] == [(name, "", "") for name in ListName]


async def test_one_who_came_back_is_erased_again(house):
    for now in (NOON, LATER):
        await house.commit(partial(_put, now))
        await house.commit(partial(erase, PAT, SHELL, now))
    rows = await house.read(lambda at: at.exec_driver_sql("SELECT count(*) FROM listed").scalar())
    assert rows == 1
    await house.commit(partial(remove, ANNA, ListName.NEVER, PAT, "", LATER))
    assert await house.commit(lambda tx: tx.lists.of(PAT)) == ()


def _put(now, tx):
    tx.lists.put(Entry(ListName.NEVER, PAT, "", "", "x", now))


# Files


def row(number=PAT, at: datetime | None = None, reason=""):
    return Row(2, number, at, reason, "")


def bring(name, *rows, now=NOON):
    return partial(import_all, SHELL, name, rows, "file old.csv", now)


async def test_an_import_keeps_dates_and_the_latest_word(store):
    await store.commit(bring(ListName.STOPPED, row(at=BEFORE, reason="STOP"), row(SAM)))
    (entry,) = await store.commit(lambda tx: tx.lists.of(PAT))
    assert (entry.at, entry.reason, entry.source) == (BEFORE, "STOP", "file old.csv")
    done = await store.commit(
        bring(ListName.STOPPED, row(at=BEFORE - timedelta(days=1)), row(SAM, at=BEFORE), now=LATER)
    )
    assert (done.put, done.known) == (0, 2)
    assert await store.commit(bring(ListName.STOPPED, row(at=BEFORE + timedelta(days=1)))) != done


async def test_an_imported_opt_out_does_not_undo_a_start_that_came_after_it(house):
    def began(tx):
        thread = tx.pairs.thread(DID, PAT, NOON)
        stop(thread, "text", "inb_1", NOON - timedelta(days=9), tx)
        start(thread, "text", "inb_2", NOON - timedelta(days=8), tx)
        tx.pairs.thread(OTHER_DID, PAT, NOON)

    await house.commit(began)
    await house.commit(bring(ListName.STOPPED, row(at=BEFORE)))
    seen = await house.commit(lambda tx: [facts(tx, did).opted_out for did in (DID, OTHER_DID)])
    assert seen == [False, True]
    await house.commit(bring(ListName.STOPPED, row(at=NOON - timedelta(days=7))))
    assert await house.commit(lambda tx: facts(tx).opted_out)


async def test_an_import_calls_off_what_waits(house):
    assert await reply(house, now=NOON) is None
    await house.commit(bring(ListName.STOPPED, row(at=BEFORE)))
    states = await house.read(lambda at: at.exec_driver_sql("SELECT state FROM message").scalar())
    assert states == State.CANCELLED
    assert await reply(house, number="2") == Refuse(Reason.OPTED_OUT)


async def test_an_import_is_all_or_nothing(store):
    with pytest.raises(Exception):  # noqa: B017 - each database has its own error
        await store.commit(bring(ListName.NEVER, row(), row(SAM, reason=object())))
    assert await store.commit(lambda tx: tx.lists.page(ListName.NEVER, None, 9).entries) == ()


async def test_a_list_is_read_page_by_page_the_newest_first(store):
    numbers = [f"+1512555{n:04}" for n in range(25)]
    rows = [row(number, NOON - timedelta(days=place // 3)) for place, number in enumerate(numbers)]
    await store.commit(bring(ListName.NEVER, *rows))
    read, seen, place = ReadLists(store), [], None
    while True:
        page = await read.page(ListName.NEVER, place, 7)
        seen += page.entries
        if page.older is None:
            break
        place = page.older
    assert sorted(entry.number for entry in seen) == numbers
    assert [entry.at for entry in seen] == sorted((entry.at for entry in seen), reverse=True)


# Who may, and what is written down


async def test_whoever_may_not_is_refused_and_the_shell_may(store, clock):
    keeper = ListKeeper(store, ReadLists(store), clock)
    for who in (NOBODY, ANNA):
        with pytest.raises(Denied):
            await keeper.change({"change": "staging", "way": "on"}, who)
        with pytest.raises(Denied):
            await keeper.bring_in(who, ListName.NEVER, [row()], "x")
    assert keeper.staged is None
    assert "on" in await keeper.change({"change": "staging", "way": "on"}, SHELL)
    assert keeper.staged is not None
    assert (keeper.staged.by, await store.commit(staged)) == ("root", keeper.staged)
    again = ListKeeper(store, ReadLists(store), clock)
    await again.load()
    assert again.staged == keeper.staged


async def test_the_record_names_nobody_and_tells_everything(store):
    words = [
        {"change": "add", "list": "never", "number": PAT, "why": "my brother"},
        {"change": "add", "list": "never", "number": PAT, "why": "again"},
        {"change": "remove", "list": "never", "number": PAT, "why": "he asked"},
        {"change": "staging", "way": "on"},
        {"change": "staging", "way": "off"},
    ]
    said = [await store.commit(partial(change_by_words, one, SHELL, NOON)) for one in words]
    assert said == [
        f"{PAT} is on the list never",
        f"{PAT} is on the list never already",
        f"{PAT} is off the list never",
        "staging is on: only numbers on the list only are texted",
        "staging is off",
    ]
    ghost = await store.commit(lambda tx: tx.retention.ghost(PAT))
    noted = await store.read(
        lambda at: at.exec_driver_sql("SELECT who, action, about, detail FROM audit ORDER BY id").fetchall()
    )
    assert [tuple(line) for line in noted] == [
        ("shell root", "list_add", ghost, "never: my brother"),
        ("shell root", "list_remove", ghost, "never: he asked"),
        ("shell root", "staging", "on", "off before"),
        ("shell root", "staging", "off", "on before"),
    ]


@pytest.mark.parametrize(
    "words",
    [
        {"change": "add", "list": "friends", "number": PAT},
        {"change": "add", "list": "never"},
        {"change": "burn", "list": "never", "number": PAT},
        {"change": "remove", "list": "never", "number": PAT},
    ],
    ids=["no such list", "nobody", "no such change", "somebody who is not on it"],
)
async def test_what_makes_no_sense_changes_nothing(store, words):
    with pytest.raises(ListRefused):
        await store.commit(partial(change_by_words, words, SHELL, NOON))
    assert await store.read(lambda at: at.exec_driver_sql("SELECT count(*) FROM audit").scalar()) == 0


async def test_many_who_change_one_list_at_once_leave_one_entry(store):
    steps = [partial(add, ANNA, ListName.NEVER, PAT, f"by {n}", NOON + timedelta(seconds=n)) for n in range(8)]
    done = await asyncio.gather(*(store.commit(step) for step in steps))
    assert sorted(done) == [False] * 7 + [True]


def test_the_roles_that_may_change_lists():
    from ringback.core.permissions import OF_ROLE, Action

    assert [role for role in Role if Action.MANAGE_LISTS in OF_ROLE[role]] == [Role.ADMINISTRATOR, Role.SUPERVISOR]


# An import that comes in piece by piece


def coming_in(store, monkeypatch, breaks_at: int):
    """A keeper whose database is busy at one step of an import."""
    steps, commit = [], store.commit

    async def busy(step):
        steps.append(step)
        if len(steps) == breaks_at:
            raise StoreBusy("full")
        return await commit(step)

    monkeypatch.setattr(store, "commit", busy)
    monkeypatch.setattr(list_imports, "AT_ONCE", 1)


@pytest.mark.parametrize("step", [2, 3, 4], ids=["the first piece", "the second piece", "the commit of the whole"])
async def test_of_an_import_that_breaks_off_nobody_is_listed(store, clock, monkeypatch, step):
    await store.commit(lambda tx: tx.lists.put(Entry(ListName.NEVER, SAM, "old", "", "x", BEFORE)))
    keeper = ListKeeper(store, ReadLists(store), clock)
    with monkeypatch.context() as meanwhile:
        coming_in(store, meanwhile, step)
        with pytest.raises(StoreBusy):
            await keeper.bring_in(SHELL, ListName.NEVER, [row(), row(SAM, reason="new")], "file old.csv")
    assert not await store.commit(lambda tx: facts(tx).never)
    assert await store.commit(lambda tx: facts(tx, peer=SAM).never)
    shown = await store.commit(lambda tx: tx.lists.page(ListName.NEVER, None, 9).entries)
    assert [(one.number, one.reason) for one in shown] == [(SAM, "old")]
    assert await store.commit(lambda tx: tx.lists.known(ListName.NEVER, [PAT])) == {}
    await ListKeeper(store, ReadLists(store), clock).load()
    assert await kept(store) == [(SAM, "", "old")]
    assert await store.commit(lambda tx: tx.settings.beginning_with(COMING)) == []


async def test_an_import_that_is_whole_counts_and_is_merged_at_the_next_start(house, clock, monkeypatch):
    assert await reply(house, now=NOON) is None
    keeper = ListKeeper(house, ReadLists(house), clock)
    await house.commit(lambda tx: tx.lists.put(Entry(ListName.STOPPED, SAM, "old", "", "x", BEFORE)))
    with monkeypatch.context() as meanwhile:
        coming_in(house, meanwhile, 5)
        done = await keeper.bring_in(SHELL, ListName.STOPPED, [row(), row(SAM, reason="new")], "file old.csv")
    assert done.put == 2
    assert await house.commit(lambda tx: facts(tx).opted_out)
    assert len(await kept(house)) == 3
    (entry,) = await house.commit(lambda tx: tx.lists.of(SAM))
    assert entry.reason == "new"
    await ListKeeper(house, ReadLists(house), clock).load()
    assert await kept(house) == [(PAT, "", ""), (SAM, "", "new")]
    assert await house.commit(lambda tx: tx.settings.beginning_with(MERGING)) == []
    states = await house.read(lambda at: at.exec_driver_sql("SELECT state FROM message").scalar())
    assert states == State.CANCELLED


async def test_whoever_is_taken_off_a_list_before_the_rows_are_merged_stays_off(store, clock, monkeypatch):
    with monkeypatch.context() as meanwhile:
        coming_in(store, meanwhile, 5)
        await ListKeeper(store, ReadLists(store), clock).bring_in(SHELL, ListName.NEVER, [row(), row(SAM)], "x")
    await store.commit(lambda tx: remove(SHELL, ListName.NEVER, PAT, "", NOON, tx))
    await ListKeeper(store, ReadLists(store), clock).load()
    assert [key for key, *_ in await kept(store)] == [SAM]


async def test_whoever_is_erased_while_an_import_comes_keeps_what_they_said(store, clock, monkeypatch):
    await store.commit(lambda tx: tx.lists.put(Entry(ListName.STOPPED, PAT, "", "", "x", BEFORE)))
    with monkeypatch.context() as meanwhile:
        coming_in(store, meanwhile, 3)
        with pytest.raises(StoreBusy):
            await ListKeeper(store, ReadLists(store), clock).bring_in(SHELL, ListName.STOPPED, [row(), row(SAM)], "x")
    await store.commit(lambda tx: tx.lists.erase(PAT))
    await ListKeeper(store, ReadLists(store), clock).load()
    assert await store.commit(lambda tx: facts(tx).opted_out)


async def test_no_step_of_a_long_import_is_long(store, clock, monkeypatch):
    sizes = []
    monkeypatch.setattr(list_imports, "bring", lambda _brought, rows, _tx: sizes.append(len(rows)) or len(rows))
    rows = [row(f"+1512555{n:04}") for n in range(1_234)]
    done = await ListKeeper(store, ReadLists(store), clock).bring_in(SHELL, ListName.NEVER, rows, "x")
    assert (done.put, sum(sizes), max(sizes)) == (1_234, 1_234, list_imports.AT_ONCE)


async def kept(store):
    """What stands in the table: whose it is, of which import, and why."""
    statement = "SELECT key, batch, reason FROM listed ORDER BY key, batch"
    return await store.read(lambda at: [tuple(each) for each in at.exec_driver_sql(statement)])
