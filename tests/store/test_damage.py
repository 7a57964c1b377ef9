"""A damaged file is refused or harmless; a full disk, a lock and a row written by hand stop only what they must."""

import asyncio
import os
import random
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import timedelta
from functools import partial

import pytest

from ringback.errors import StoreBusy, StoreFault
from ringback.ports.storage import Needed
from ringback.store.checking import check_file, library, look_through
from ringback.store.database import Database
from ringback.store.moments import micros
from ringback.store.reserve import Reserve
from ringback.store.schema import prepare
from tests.conftest import NOON
from tests.flow.world import World, a_call, life_of
from tests.store.rows import OUR_NUMBER, a_text, a_thread, put

NOW = micros(NOON)
PAGE = 4096


def put_big(n, tx):
    tx.settings.put(f"big{n}", "x" * 200_000, NOON, "test")


def put_small(n, tx):
    tx.settings.put(f"small{n}", "x", NOON, "test")


@pytest.fixture
def file(tmp_path, empty_sqlite):
    path = tmp_path / "ringback.db"
    shutil.copy(empty_sqlite, path)
    return path


def gone(file):
    file.with_name("ringback.db-wal").write_bytes(b"x" * 5000)
    file.unlink()


def lost(file):
    (file.parent / "commits").write_text("5")
    file.unlink()


def torn(file):
    os.truncate(file, file.stat().st_size - 3 * PAGE)


def folder(file):
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        pytest.param(lambda file: file.write_text("SELECT 'hello'" * 99), "is no SQLite database", id="something else"),
        pytest.param(lambda file: file.write_bytes(b""), "is empty: delete it to begin anew", id="empty"),
        pytest.param(gone, "-wal is there and .* is not", id="a log without its database"),
        pytest.param(lost, "is gone, though there was one", id="deleted"),
        pytest.param(torn, "is damaged .*keep the file, and see `ringback restore`", id="torn"),
        pytest.param(folder, "is no file", id="a folder"),
    ],
)
def test_a_file_that_must_not_be_used_is_one_clear_line(file, harm, said):
    harm(file)
    before = file.read_bytes() if file.is_file() else None
    with pytest.raises(StoreFault, match=said) as fault:
        prepare(f"sqlite:///{file}", file.parent)
    assert "\n" not in str(fault.value)
    assert (file.read_bytes() if file.is_file() else None) == before


def test_a_file_of_somebody_else_is_said_to_be_so(file, monkeypatch):
    # tests may run as root, who may write everything
    monkeypatch.setattr("ringback.store.checking.os.access", lambda path, _mode: path != file)
    with pytest.raises(StoreFault, match="belongs to somebody else or is read-only"):
        check_file(file, file.parent)


def test_a_newer_database_and_a_good_one(file):
    check_file(file, file.parent)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreFault, match="newer than this Ringback"):
        prepare(f"sqlite:///{file}", file.parent)


def test_the_log_says_which_sqlite_it_is(monkeypatch):
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 40, 1))
    assert library().endswith("safe with one writing connection only")
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 51, 3))
    assert library() == f"SQLite {sqlite3.sqlite_version}"


SENT = "SELECT n.e164, t.peer FROM message m JOIN thread t ON t.id = m.thread_id JOIN number n ON n.id = t.number_id"


def test_a_flipped_byte_in_a_hundred_pages_is_found_or_harmless(file):
    """Harmless: every text that would be sent still goes to the number it was written for."""
    count = 400
    put(
        f"sqlite:///{file}",
        {
            "number": [OUR_NUMBER],
            "thread": [a_thread(n, peer=f"+1512555{n:04}") for n in range(1, count)],
            "message": [a_text(n, NOW, thread_id=n, state="queued", rule=None) for n in range(1, count)],
            "part": [{"id": n, "message_id": n, "body": "", "state": "queued"} for n in range(1, count)],
        },
    )
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        right = set(database.execute(SENT))
    whole = file.read_bytes()
    chance = random.Random(4)
    found = 0
    for page in chance.sample(range(len(whole) // PAGE), 100):
        raw = bytearray(whole)
        raw[page * PAGE + chance.randrange(PAGE)] ^= 1 << chance.randrange(8)
        file.write_bytes(raw)
        try:
            prepare(f"sqlite:///{file}", file.parent)
        except StoreFault:
            found += 1
            assert file.read_bytes() == raw
            continue
        with closing(sqlite3.connect(file)) as database:
            assert set(database.execute(SENT)) <= right
    assert found > 10


async def test_damage_that_shows_while_running_stops_the_daemon(file, clock):
    url = f"sqlite:///{file}"
    broken = []
    database = Database(url, clock, file.parent, broken.append)
    await database.open()

    def hit(_tx):
        fault = sqlite3.DatabaseError("database disk image is malformed")
        fault.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise fault

    with pytest.raises(sqlite3.DatabaseError):
        await database.commit(hit)
    assert "is damaged" in str(broken[0])
    await database.close()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 4 MiB."""
    if os.geteuid() != 0:
        pytest.fail("this test needs to mount a tmpfs: run it as root")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


async def test_on_a_full_disk_outcomes_are_written_and_new_work_waits(small_disk, clock, monkeypatch):
    monkeypatch.setattr("ringback.store.database.Reserve", partial(Reserve, size=2 * 1024 * 1024))
    monkeypatch.setattr("ringback.store.writer.LOOK_FOR_ROOM_S", 0.05)
    url = f"sqlite:///{small_disk / 'ringback.db'}"
    prepare(url)
    database = Database(url, clock, small_disk)
    await database.open()
    assert (small_disk / "reserve").stat().st_size == 2 * 1024 * 1024
    free = os.statvfs(small_disk)
    (small_disk / "ballast").write_bytes(b"x" * (free.f_bavail * free.f_frsize - 100_000))
    with pytest.raises(StoreBusy, match="full"):
        for n in range(100):
            await database.commit(partial(put_big, n))
    assert not (small_disk / "reserve").exists()
    for n in range(20):
        with pytest.raises(StoreBusy, match="make room"):
            await database.commit(partial(put_small, n))
        assert await database.commit(Needed(partial(put_small, f"outcome{n}"))) is None
    (small_disk / "ballast").unlink()
    async with asyncio.timeout(10):
        while True:
            try:
                await database.commit(partial(put_small, "new work"))
                break
            except StoreBusy:
                await database.commit(Needed(partial(put_small, "again")))
    assert (small_disk / "reserve").exists()
    await database.close()


async def test_what_comes_while_the_database_is_locked_has_its_answer_in_five_seconds(file, clock):
    database = Database(f"sqlite:///{file}", clock)
    await database.open()
    loop = asyncio.get_running_loop()
    with closing(sqlite3.connect(file, isolation_level=None)) as foreign:
        foreign.execute("BEGIN EXCLUSIVE")
        first = asyncio.ensure_future(database.commit(partial(put_small, 1)))
        while database.waiting:
            await asyncio.sleep(0)
        # the writer waits for the lock now, so this one waits for its turn and then for the lock
        began = loop.time()
        both = await asyncio.gather(first, database.commit(partial(put_small, 2)), return_exceptions=True)
        assert all(isinstance(one, StoreBusy) for one in both)
        assert loop.time() - began < 5
        foreign.execute("ROLLBACK")
    began = loop.time()
    await database.commit(partial(put_small, 3))
    assert loop.time() - began < 2
    await database.close()


EDITED = [
    pytest.param("UPDATE message SET expires_at = 'never' WHERE id = 1", id="a time that is a word"),
    pytest.param("UPDATE message SET body = x'ff00' WHERE id = 1", id="a body of bytes"),
    pytest.param("UPDATE message SET body = CAST(x'6162ff' AS TEXT) WHERE id = 1", id="a body that is no UTF-8"),
    pytest.param("UPDATE thread SET peer = CAST(x'2bff' AS TEXT) WHERE id = 1", id="a number that is no UTF-8"),
    pytest.param("UPDATE message SET state = 'teleported' WHERE id = 1", id="a made-up state"),
    pytest.param("UPDATE message SET segments = 'many' WHERE id = 1", id="a count that is a word"),
    pytest.param("UPDATE message SET tries = 'some' WHERE id = 1", id="tries that are a word"),
    pytest.param("UPDATE message SET urgency = 99 WHERE id = 1", id="an urgency nobody knows"),
    pytest.param("UPDATE message SET not_before = 'soon' WHERE id = 1", id="a moment that is a word"),
    pytest.param("DELETE FROM part WHERE id = 1", id="no part"),
    pytest.param("UPDATE thread SET peer = 5 WHERE id = 1", id="a number that is none"),
]


@pytest.mark.parametrize("edit", EDITED)
async def test_a_row_edited_by_hand_stops_nobody_else(file, clock, tmp_path, edit):
    url = f"sqlite:///{file}"
    put(
        url,
        {
            "number": [OUR_NUMBER],
            "thread": [a_thread(1), a_thread(2, peer="+15125550124")],
            "message": [
                a_text(n, NOW, thread_id=n, state="queued", rule=None, expires_at=NOW + 10**10) for n in (1, 2)
            ],
            "part": [{"id": n, "message_id": n, "body": "", "state": "queued"} for n in (1, 2)],
        },
    )
    with closing(sqlite3.connect(file)) as foreign, foreign:
        foreign.execute(edit)
    database = Database(url, clock)
    await database.open()
    async with World(database, clock, tmp_path).running() as world:
        await world.happens(*life_of(a_call("9.1", "+15125550130")))
        await world.passes(timedelta(seconds=5))
        assert world.handset("+15125550124") == ["Sorry we missed you."]
        assert world.handset("+15125550130") == ["Sorry we missed you, Northlight."]
    await database.close()


async def test_a_large_file_is_looked_through_while_we_run(file, monkeypatch):
    monkeypatch.setattr("ringback.store.checking.LARGE", 0)
    await look_through(file)
    torn(file)
    check_file(file, file.parent)
    with pytest.raises(StoreFault, match=r"is damaged .*keep the file"):
        await look_through(file)


async def test_a_long_look_ends_when_we_stop(file, monkeypatch):
    """A look that goes on for ever: SQLite is asked for an endless count in the place of its check."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    monkeypatch.setattr("ringback.store.checking.LARGE", 0)
    monkeypatch.setattr(
        "ringback.store.checking.faults_of", lambda connection, _: connection.execute(endless).fetchall()
    )
    looking = asyncio.ensure_future(look_through(file))
    await asyncio.sleep(0.1)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    async with asyncio.timeout(10):
        await asyncio.get_running_loop().shutdown_default_executor()
