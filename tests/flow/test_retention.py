"""What is too old goes, some rows at a time; a person who asks is taken out of everything, and their STOP holds on."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from functools import partial

import pytest

from ringback.core.messages import Basis, MessageClass, ReceiptStatus, State, Wanted
from ringback.core.permissions import at_the_shell
from ringback.findings import clock_findings
from ringback.flow import retention
from ringback.flow.retention import AT_ONCE, Retention, Times, age, erase
from ringback.ports import Receipt
from ringback.ports.lists import Entry, ListName
from ringback.ports.retention import Kept
from ringback.ports.texts import Route
from ringback.store.addresses import sqlite_path
from ringback.store.doctor import Doctor
from ringback.store.verifying import verify
from tests.conftest import NOON
from tests.flow.world import DID, HOUSE, PAT, SAM, World, a_call, life_of

DAY = timedelta(days=1)
TIMES = Times(730 * DAY, 395 * DAY, 30 * DAY, 30 * DAY, 7 * DAY, 7 * DAY, 1826 * DAY)
WHO = at_the_shell("root")
CANARY = "canary-{}-of-their-words"
GHOSTLY = "erased:"


async def never():
    return False


@pytest.fixture
async def world(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        yield world


def ages(store, clock):
    return Retention(store, clock, TIMES, never)


async def bodies(world, who=PAT):
    story = await world.story(who)
    return [text.body for text in story.texts], [text.body for text in story.incoming]


async def test_words_go_when_their_time_is_over_and_the_rows_stay(world, store, clock):
    await world.happens(*_ended("1.1"))
    await world.says("I will be late")
    assert await ages(store, clock).sweep(clock.now() + 729 * DAY) > 0  # what has a shorter time is gone by then
    (text,), (came,) = await _texts(world)
    assert text.body
    assert came.body == "I will be late"
    await ages(store, clock).sweep(clock.now() + 731 * DAY)
    (text,), (came,) = await _texts(world)
    assert (text.body, came.body) == ("", "")
    assert text.steps


async def test_calls_lose_their_number_and_stay_as_calls(world, store, clock):
    await world.happens(*_ended("1.1"))
    await ages(store, clock).sweep(clock.now() + 394 * DAY)
    assert (await world.story("1.1")).calls[0].peer == PAT
    await ages(store, clock).sweep(clock.now() + 396 * DAY)
    rows = await store.read(_rows("SELECT caller, peer, outcome, decision FROM call"))
    assert rows == [("", None, "missed", "send")]


async def test_a_batch_is_small_and_goes_on_where_the_last_one_ended(store, clock):
    await store.commit(partial(_put_calls, 2 * AT_ONCE + 3))
    later = clock.now() + 400 * DAY
    done = [await store.commit(partial(age, Kept.CALLS, later)) for _ in range(4)]
    assert done == [AT_ONCE, AT_ONCE, 3, 0]


async def test_what_is_younger_is_never_touched(store, clock):
    await store.commit(partial(_put_calls, 5))
    assert await store.commit(partial(age, Kept.CALLS, clock.now() - DAY)) == 0
    assert await store.read(_rows("SELECT count(*) FROM call WHERE peer IS NULL")) == [(0,)]


async def test_an_erased_person_is_gone_and_everybody_else_stays(world, store, clock, url):
    for number, words in ((PAT, CANARY.format("pat")), (SAM, CANARY.format("sam"))):
        await world.happens(*_ended(f"call of {number[-2:]}", caller=number))
        await world.says(words, sender=number)
    erased = await store.commit(partial(erase, PAT, WHO, clock.now()))
    assert (erased.texts, erased.calls, erased.stopped) == (2, 1, False)
    assert not await world.story(PAT)
    assert [text.body for text in (await world.story(SAM)).incoming] == [CANARY.format("sam")]
    (note,) = await store.read(_rows("SELECT who, action, about, detail FROM audit"))
    assert note[1] == "erase"
    assert note[2].startswith(GHOSTLY)
    assert PAT not in "".join(map(str, note))


async def test_a_stop_outlives_the_person_and_start_ends_it(world, store, clock):
    await world.says("STOP")
    erased = await store.commit(partial(erase, PAT, WHO, clock.now()))
    assert erased.stopped
    await world.happens(*_ended("2.1"))
    assert await world.decision("2.1") == ("suppress", "opted_out")
    await world.says("START")
    clock.move(2 * DAY)
    await world.happens(*_ended("2.2", ended=clock.now()))
    assert (await world.decision("2.2"))[0] == "send"


async def test_whoever_comes_back_and_goes_again_is_known_by_the_same_ghost(world, store, clock):
    await world.says("STOP")
    await store.commit(partial(erase, PAT, WHO, clock.now()))
    await world.says("START")
    again = await store.commit(partial(erase, PAT, WHO, clock.now()))
    assert not again.stopped
    await world.happens(*_ended("3.1"))
    assert (await world.decision("3.1"))[0] == "send"


@pytest.mark.parametrize("before", [(), ("STOP", "START")], ids=["never said it before", "took it back before"])
async def test_a_stop_of_whoever_came_back_outlives_the_second_erasure(world, store, url, clock, before):
    for words in ("hello", *before):
        await world.says(words)
    await store.commit(partial(erase, PAT, WHO, clock.now()))
    await world.says("STOP")
    assert (await store.commit(partial(erase, PAT, WHO, clock.now()))).stopped
    await world.happens(*_ended("4.1"))
    assert await world.decision("4.1") == ("suppress", "opted_out")
    assert [ailment for _, several in Doctor(url, clock.now()).look() for ailment in several] == []


async def test_what_came_and_was_not_read_yet_is_neither_too_old_nor_erased(store, clock):
    """It may be a STOP: it was acknowledged, so it is read first."""

    def comes(tx):
        return tx.inbound.journal("main", "SM1", "", f"From={PAT}&Body=STOP".encode(), clock.now()).raw

    raw = await store.commit(comes)
    await store.commit(partial(erase, PAT, WHO, clock.now()))
    await ages(store, clock).sweep(clock.now() + 400 * DAY)
    assert await store.read(_rows("SELECT id, state FROM inbound_raw")) == [(raw, "stored")]


async def test_a_text_that_may_still_go_keeps_its_words(store, clock):
    await store.commit(partial(_queue, clock.now()))
    await ages(store, clock).sweep(clock.now() + 800 * DAY)
    assert await store.read(_rows("SELECT body FROM message")) == [("soon",)]


async def looked_by(store, clock, keeper):
    """Let the part look once, and stand for the rest."""
    task = asyncio.ensure_future(keeper.run())
    for _ in range(100):
        await asyncio.sleep(0)
        await store.commit(lambda tx: None)
    task.cancel()
    return await store.read(_rows("SELECT count(*) FROM call WHERE peer IS NULL"))


async def test_a_clock_that_is_wrong_by_years_deletes_nothing(store, clock):
    await store.commit(partial(_put_calls, 5))
    assert await looked_by(store, clock, ages(store, clock)) == [(0,)]
    clock.move(3650 * DAY)
    keeper = ages(store, clock)  # as after a start
    assert await looked_by(store, clock, keeper) == [(0,)]
    (found,) = clock_findings(keeper.doubted)
    assert (found.fix, found.tone) == ("ringback trust-clock", "bad")
    assert str(found.means).startswith("It shows 2036-11-17, and the newest that is known is of 2026-11-20.")
    clock.move(-3650 * DAY)
    assert await looked_by(store, clock, keeper) == [(0,)]
    assert clock_findings(keeper.doubted) == ()


@pytest.mark.parametrize("how", ["by a word", "by time"])
async def test_a_clock_that_is_right_after_years_is_believed(store, clock, how):
    await store.commit(partial(_put_calls, 5))
    keeper = ages(store, clock)
    await looked_by(store, clock, keeper)
    clock.move(3650 * DAY)
    assert await looked_by(store, clock, keeper) == [(0,)]
    if how == "by a word":
        assert (await keeper.trust_clock(WHO)).startswith("it is 2036-11-17 17:00 UTC")
        assert await store.read(_rows("SELECT who, action FROM audit")) == [("shell root", "trust_clock")]
    else:
        clock.move(7 * DAY)
    assert await looked_by(store, clock, keeper) == [(5,)]


async def test_a_database_from_before_is_judged_by_its_newest_row(store, clock):
    await store.commit(partial(_put_calls, 5))
    clock.move(3650 * DAY)
    assert await looked_by(store, clock, ages(store, clock)) == [(0,)]


async def test_keys_that_are_too_old_go_some_at_a_time(store, clock):
    def asked(tx):
        for number in range(2 * AT_ONCE + 3):
            tx.idempotency.keep("shop", f"key {number}", "what", "answer", clock.now())

    await store.commit(asked)
    later = clock.now() + 8 * DAY
    done = [await store.commit(partial(retention.forget, TIMES, later)) for _ in range(4)]
    assert done == [AT_ONCE, AT_ONCE, 3, 0]


async def test_receipts_without_a_text_that_are_too_old_go_some_at_a_time(store, clock):
    def came(tx):
        for number in range(2 * AT_ONCE + 3):
            tx.outcomes.park("main", Receipt(f"SM{number}", ReceiptStatus.SENT, NOON), clock.now())

    await store.commit(came)
    later = clock.now() + 8 * DAY
    done = [await store.commit(partial(retention.forget, TIMES, later)) for _ in range(4)]
    assert done == [AT_ONCE, AT_ONCE, 3, 0]


async def test_nobody_waits_while_an_erasure_goes_through_what_was_never_read(store, clock):
    """It is looked through some rows at a time, and each time others may write."""
    await store.commit(partial(_quarantine, 2 * AT_ONCE + 3))
    left = []

    class Watched:
        async def commit(self, step):
            done = await store.commit(step)
            left.append((await store.read(_rows("SELECT count(*) FROM inbound_raw")))[0][0])
            return done

    await retention.take_out(Watched(), PAT, WHO, clock.now())
    assert left == [303, 203, 201, 201, 201]
    assert await store.read(_rows("SELECT DISTINCT why FROM inbound_raw")) == [(f"no text: {SAM}",)]


async def test_what_waits_for_an_erased_person_never_goes(world, store, clock):
    await store.commit(partial(_queue, clock.now()))
    await store.commit(partial(erase, PAT, WHO, clock.now()))
    assert await store.read(_rows("SELECT state, body FROM message")) == [(State.CANCELLED, "")]


async def test_nobody_of_that_number_is_no_fault(store, clock):
    erased = await store.commit(partial(erase, PAT, WHO, clock.now()))
    assert (erased.texts, erased.calls, erased.stopped) == (0, 0, False)


PEOPLE, GONE = 60, 12


async def test_no_byte_of_erased_people_is_left(world, store, clock, url):
    path = sqlite_path(url)
    if path is None:
        return await _no_row_is_left(world, store, clock)
    people = [f"+1512555{1000 + n}" for n in range(PEOPLE)]
    for number in people:
        await world.happens(*_ended(f"call {number[-4:]}", caller=number))
        await world.says(CANARY.format(number[-4:]), sender=number)
        await store.commit(partial(_put_more, number))
    for number in people[::5]:
        await store.commit(partial(erase, number, WHO, clock.now()))
    assert await store.scrub()
    left = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    gone, stay = people[::5], [one for number, one in enumerate(people) if number % 5]
    assert len(gone) == GONE
    assert [number for number in gone if number[1:].encode() in left] == []
    assert [number for number in gone if CANARY.format(number[-4:]).encode() in left] == []
    assert all(CANARY.format(number[-4:]).encode() in left for number in stay)
    checked = verify(url, path.parent, clock.now())
    assert (checked.rows, checked.fault) == (PEOPLE + GONE, None)
    return None


async def _no_row_is_left(world, store, clock):
    """PostgreSQL's files are its own: here the rows are looked at."""
    await world.happens(*_ended("1.1"))
    await world.says(CANARY.format("pat"))
    await store.commit(partial(_put_more, PAT))
    await store.commit(partial(erase, PAT, WHO, clock.now()))
    assert await store.scrub()
    names = await store.read(_rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"))
    for (name,) in names:
        rows = await store.read(_rows(f'SELECT * FROM "{name}"'))
        assert PAT[1:] not in str(rows), name
        assert "canary" not in str(
            [bytes(cell) if isinstance(cell, memoryview) else cell for row in rows for cell in row]
        )


async def test_who_is_on_a_list_stays_on_it_under_a_hash_and_their_words_go(store, clock):
    await store.commit(lambda tx: tx.lists.put(Entry(ListName.NEVER, PAT, "my brother", "call_1", "user usr_1", NOON)))
    await store.commit(partial(erase, PAT, WHO, clock.now()))
    (row,) = await store.read(_rows("SELECT key, reason, source, by_ FROM listed"))
    assert (row[0].startswith(GHOSTLY), row[1:]) == (True, ("", "", "user usr_1"))
    (entry,) = await store.commit(lambda tx: tx.lists.of(PAT))
    assert (entry.list, entry.number) == (ListName.NEVER, "")


async def test_cleaning_up_is_tried_until_it_can_be_done(store, clock):
    tries = []

    async def cleans():
        tries.append(1)
        return len(tries) > 1

    keeper = Retention(store, clock, TIMES, cleans)
    await keeper.erase(PAT, WHO)
    assert await store.commit(retention.begin_wipe)
    await keeper._scrub(clock.now())
    assert not await store.commit(retention.begin_wipe)
    await keeper._scrub(clock.now())
    assert len(tries) == 2


async def test_only_the_writers_connection_cleans_its_log(store, clock, url, monkeypatch):
    """With the SQLite of Debian 12 a second one that did could damage the file."""
    await store.commit(partial(_queue, clock.now()))
    if sqlite_path(url):
        monkeypatch.setattr("sqlite3.connect", None)
    assert await store.scrub()
    await store.commit(partial(_put_calls, 1))


async def test_somebodys_reading_keeps_the_cleaning_off_and_nobody_waits_for_it(store, clock, url):
    if (path := sqlite_path(url)) is None:
        assert await store.scrub()
        return
    await store.commit(partial(_queue, clock.now()))
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM message").fetchone()
        await store.commit(partial(_put_calls, 1))
        assert not await store.scrub()
    assert await store.scrub()
    assert path.with_name(f"{path.name}-wal").stat().st_size == 0


def _ended(uniqueid, caller=PAT, ended=NOON):
    return life_of(a_call(uniqueid, caller, ended))


async def _texts(world):
    story = await world.story(PAT)
    sent = [text for call in (await world.story("1.1")).calls for text in call.texts]
    return sent, story.incoming


def _rows(query):
    def look(connection):
        return [tuple(row) for row in connection.exec_driver_sql(query)]

    return look


def _put_calls(count, tx):
    for number in range(count):
        call = a_call(f"9.{number}")
        tx.calls.begin(call, DID, PAT)


def _queue(now, tx):
    wanted = Wanted(
        DID, HOUSE.read("", PAT), "soon", "en", MessageClass.SYSTEM, Basis.CONVERSATION, "test", True, now + DAY
    )
    tx.outbox.put(wanted, tx.pairs.thread(DID, PAT, now), Route("nobody", 1), None, now)


def _put_more(number, tx):
    """Their number where nobody would look: a task, a hook nobody could read, a receipt that waits."""
    raw = tx.inbound.journal("main", f"raw of {number}", "", f"From={number}&Body=x".encode(), NOON)
    tx.inbound.quarantine(raw.raw, f"no text: {number}")
    for name in ListName:
        tx.lists.put(Entry(name, number, CANARY.format(number[-4:]), "call_1", WHO.label, NOON))
    thread = tx.pairs.thread(DID, number, NOON)
    tx.pairs.opt_in(thread.id, "person", CANARY.format(number[-4:]), NOON)
    tx.audit.note(WHO.label, "opt_in", thread.public_id, "", NOON)


def _quarantine(count, tx):
    """What could not be read, of Pat and of Sam in turn."""
    for n in range(count):
        number = (PAT, SAM)[n % 2]
        raw = tx.inbound.journal("main", f"raw {n}", "", f"From={number}&Body=x".encode(), NOON)
        tx.inbound.quarantine(raw.raw, f"no text: {number}")
