"""A backup is of one moment however busy the database is; what is put back sends nothing until somebody lets it."""

import asyncio
import errno
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from ringback.errors import StoreFault
from ringback.flow.holds import holds
from ringback.flow.put_back import keep_back, was_put_back
from ringback.flow.restoring import hold_everything
from ringback.store.addresses import sqlite_path
from ringback.store.backup_sqlite import put_in_place
from ringback.store.backups import DATA, MANIFEST, NoBackup, read_manifest
from ringback.store.database import Database, peek
from ringback.store.doctor import Doctor
from ringback.store.halves import HALF, room_beside
from ringback.store.keeping import backup, drop_old, name_for, restore
from ringback.store.schema import schema_version
from tests.conftest import NOON
from tests.fakes.hand_clock import HandClock
from tests.store.rows import OUR_NUMBER, a_text, a_thread, put, run


@pytest.fixture
def fallow(request, url, tmp_path):
    """The address of an empty place for a database of the same kind."""
    if sqlite_path(url):
        (tmp_path / "other").mkdir()
        return f"sqlite:///{tmp_path / 'other' / 'ringback.db'}"
    return request.getfixturevalue("postgres").create(f"fallow{os.getpid()}_{os.urandom(4).hex()}")


def ailments(url):
    """What the doctor finds, but for what the few rows of these tests lack."""
    return [one for _, found in Doctor(url, NOON).look() for one in found]


def stop_and_tell(n, tx):
    """One change that touches a ledger, its fold and the chained record."""
    thread = tx.pairs.thread("+12025550101", f"+1512555{n:04}", NOON)
    tx.pairs.opt_out(thread.id, "keyword", "STOP", NOON)
    tx.audit.note("test", "stop", thread.public_id, str(n), NOON)


def counted(url):
    return peek(url, lambda tx: tx.settings.get("commits"))


async def test_a_backup_under_load_is_of_one_moment(store, url, fallow, tmp_path, clock):
    done = asyncio.Event()

    async def load():
        for n in range(2_000):
            await asyncio.gather(*(store.commit(partial(stop_and_tell, (n * 4 + k) % 10_000)) for k in range(4)))
            if done.is_set():
                return

    async with asyncio.TaskGroup() as group:
        group.create_task(load())
        for n in range(3):
            made = await asyncio.to_thread(backup, url, tmp_path / f"{n}.backup", clock)
        done.set()
    assert made.counts["audit"] == made.counts["opt_out_event"] > 0
    for _ in range(2):  # the second one finds the first one's name taken
        manifest, _ = await asyncio.to_thread(restore, tmp_path / "2.backup", fallow, tmp_path, ["main"], clock)
    assert manifest == made
    assert await asyncio.to_thread(ailments, fallow) == []


async def test_the_writer_goes_on_while_a_snapshot_is_read(store, url, tmp_path, clock):
    copying = asyncio.create_task(asyncio.to_thread(backup, url, tmp_path / "b.backup", clock))
    for n in range(50):
        await store.commit(partial(stop_and_tell, n))
    await copying
    assert store.trouble == ""


async def test_what_is_put_back_holds_every_carrier_and_tells_what_is_unclear(store, url, tmp_path, clock):
    put(
        url,
        {
            "number": [OUR_NUMBER],
            "thread": [a_thread(1), a_thread(2, peer="+15125550124")],
            "message": [
                a_text(1, 1, state="queued", rule=None),
                a_text(2, 1, thread_id=2, state="delivered", rule=None),
            ],
            "part": [{"id": 1, "message_id": 1, "body": "", "state": "queued"}],
        },
    )
    file = tmp_path / "b.backup"
    made = await asyncio.to_thread(backup, url, file, clock)
    await store.close()
    manifest, aside = await asyncio.to_thread(restore, file, url, tmp_path, ["main", "second"], clock)
    assert Path(aside).exists()
    assert manifest.epoch == made.epoch == 1
    held = peek(url, holds)
    assert [(one.carrier, one.by) for one in held] == [("main", "restore"), ("second", "restore")]
    assert made.at in held[0].why
    again = Database(url, clock, tmp_path)
    assert await again.open() == 3
    assert await again.commit(partial(keep_back, "main", NOON)) == 1
    assert await again.commit(partial(hold_everything, ["main"], NOON)) == ""
    await again.close()


def test_a_backup_is_for_its_owner_only_and_leaves_nothing_else(url, tmp_path, clock):
    folder = tmp_path / "backups"
    folder.mkdir()
    target = folder / name_for(clock)
    backup(url, target, clock)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == ["ringback-20261120T170000Z.backup"]
    assert read_manifest(target).schema == schema_version(url)


KILLED = """
import os, signal, sys
from pathlib import Path
from ringback.clock import SystemClock
from ringback.store import {kind} as how
from ringback.store.keeping import backup
how.pack = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
backup(sys.argv[1], Path(sys.argv[2]), SystemClock())
"""


def test_what_a_killed_backup_left_goes_with_the_next_one_and_nothing_else_does(url, tmp_path, clock):
    kind = "backup_sqlite" if sqlite_path(url) else "backup_postgres"
    folder = tmp_path / "backups"
    (folder / f".not-ours{HALF}").mkdir(parents=True)
    (folder / ".mine").write_text("mine")
    os.chown(folder / f".not-ours{HALF}", 1, -1) if os.geteuid() == 0 else (folder / f".not-ours{HALF}").rmdir()
    killed = [sys.executable, "-c", KILLED.format(kind=kind), url, str(folder / "one.backup")]
    assert subprocess.run(killed, check=False).returncode == -signal.SIGKILL
    (left,) = folder.glob(f".one.backup.*{HALF}")
    assert (left / DATA).stat().st_size > 0
    with room_beside(folder / "at-work") as at_work:
        backup(url, folder / "two.backup", clock)
        assert at_work.exists()
    names = {path.name for path in folder.iterdir()} - {f".not-ours{HALF}"}
    assert names == {".mine", "two.backup"}
    assert (folder / f".not-ours{HALF}").exists() == (os.geteuid() == 0)


def test_a_backup_that_could_not_be_written_leaves_nothing(url, tmp_path, clock, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "somewhere")

    monkeypatch.setattr("ringback.store.backups._digest", full)
    with pytest.raises(StoreFault, match="somewhere cannot be written: No space"):
        backup(url, tmp_path / "one.backup", clock)
    assert not list(tmp_path.glob("*.backup")) + list(tmp_path.glob(f".*{HALF}"))


@pytest.mark.parametrize(
    ("was", "will_be"),
    [(0o640, 0o640), (0o600, 0o600), (0o644, 0o640)],
    ids=["for a group", "for its owner", "for everybody"],
)
def test_the_old_database_and_the_new_one_are_for_those_who_could_use_the_old(
    empty_sqlite, tmp_path, clock, was, will_be
):
    url, file = f"sqlite:///{tmp_path / 'ringback.db'}", tmp_path / "b.backup"
    backup(f"sqlite:///{empty_sqlite}", file, clock)
    (tmp_path / "ringback.db").write_bytes(empty_sqlite.read_bytes())
    (tmp_path / "ringback.db").chmod(was)
    _, aside = restore(file, url, tmp_path, ["main"], clock)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (Path(aside), tmp_path / "ringback.db")]
    assert modes == [will_be, will_be]


def test_the_newest_of_many_are_kept(empty_sqlite, tmp_path):
    for day in range(4):
        clock = HandClock(NOON + timedelta(days=day))
        backup(f"sqlite:///{empty_sqlite}", tmp_path / name_for(clock), clock)
    assert [path.name[9:17] for path in drop_old(tmp_path, 2)] == ["20261121", "20261120"]
    assert len(list(tmp_path.glob("*.backup"))) == 2


def flip(file: Path, at: int):
    raw = bytearray(file.read_bytes())
    raw[at] ^= 0x40
    file.write_bytes(raw)


def rewritten(file: Path, **change):
    """The same backup with its manifest changed."""
    with tarfile.open(file) as tar:
        tar.extractall(file.parent / "x", filter="data")
    manifest = file.parent / "x" / MANIFEST
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | change))
    with tarfile.open(file, "w") as tar:
        tar.add(manifest, MANIFEST)
        tar.add(file.parent / "x" / DATA, DATA)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        pytest.param(lambda file: flip(file, file.stat().st_size // 2), "is damaged", id="a flipped bit"),
        pytest.param(lambda file: os.truncate(file, file.stat().st_size // 2), "is damaged", id="cut short"),
        pytest.param(lambda file: file.write_bytes(b""), "no backup of Ringback's", id="empty"),
        pytest.param(lambda file: file.write_text("hello"), "no backup of Ringback's", id="something else"),
        pytest.param(lambda file: file.unlink(), "cannot be read", id="gone"),
        pytest.param(lambda file: rewritten(file, schema="9999"), "newer than this Ringback", id="of a newer schema"),
        pytest.param(lambda file: rewritten(file, form=2), "newer Ringback", id="of a newer form"),
        pytest.param(lambda file: rewritten(file, kind="oracle"), "backup of oracle", id="of another database"),
        pytest.param(lambda file: rewritten(file, counts={}), "rows are missing", id="rows fewer than counted"),
    ],
)
def test_a_backup_that_is_not_whole_changes_nothing(empty_sqlite, tmp_path, clock, harm, said):
    url = f"sqlite:///{tmp_path / 'ringback.db'}"
    backup(f"sqlite:///{empty_sqlite}", tmp_path / "b.backup", clock)
    (tmp_path / "ringback.db").write_bytes(empty_sqlite.read_bytes())
    harm(tmp_path / "b.backup")
    with pytest.raises(NoBackup, match=said):
        restore(tmp_path / "b.backup", url, tmp_path, ["main"], clock)
    assert (tmp_path / "ringback.db").read_bytes() == empty_sqlite.read_bytes()
    assert not list(tmp_path.glob("*restoring*"))


def test_the_missing_program_is_named(postgres, tmp_path, clock, monkeypatch):
    url = postgres.create(f"nodump{os.getpid()}", "template")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoreFault, match="pg_dump is missing: install"):
        backup(url, tmp_path / "b.backup", clock)


async def test_a_copy_put_back_by_hand_is_known(url, request, tmp_path, clock):
    """Also what a standby is that took over without the last commits."""
    database = Database(url, clock, tmp_path)
    await database.open()
    await database.commit(partial(stop_and_tell, 1))
    await database.close()
    run(url, "UPDATE setting SET value = '1' WHERE key = 'commits'")
    again = Database(url, clock, tmp_path)
    await again.open()
    put = await again.commit(was_put_back)
    assert put.why == "its last 1 commits are missing"
    assert "may have been sent already" in await again.commit(partial(hold_everything, ["main"], NOON))
    assert [one.carrier for one in await again.commit(holds)] == ["main"]
    await again.close()
    third = Database(url, clock, tmp_path)
    await third.open()
    assert await third.commit(partial(hold_everything, ["main"], NOON)) == ""
    await third.close()


async def test_a_standby_without_the_end_stops_the_daemon_in_its_middle(postgres, tmp_path, clock):
    import psycopg

    url = postgres.create(f"standby{os.getpid()}", "template")
    broken = []
    database = Database(url, clock, tmp_path, broken.append)
    await database.open()
    await database.commit(partial(stop_and_tell, 1))
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("UPDATE setting SET value = '1' WHERE key = 'commits'")
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    for _ in range(3):
        with pytest.raises(StoreFault):
            await database.commit(partial(stop_and_tell, 2))
    assert "the last 1 commits are not in it" in str(broken[0])
    with psycopg.connect(url) as other:
        assert other.execute("SELECT count(*) FROM opt_out_event").fetchone() == (1,)
    await database.close()


def test_a_restore_that_is_cut_short_leaves_all_of_the_old_database(empty_sqlite, tmp_path, monkeypatch):
    """The last commits may be in the log beside it."""
    database, copy = tmp_path / "ringback.db", tmp_path / "copy"
    with closing(sqlite3.connect(empty_sqlite)) as source, closing(sqlite3.connect(tmp_path / "old")) as old:
        source.backup(old)
        old.execute("PRAGMA journal_mode = WAL")
        old.execute("INSERT INTO setting VALUES ('newest', '', 1, 'test')")
        old.commit()
        for end in ("", "-wal"):  # as a kill leaves them
            shutil.copy(tmp_path / f"old{end}", f"{database}{end}")
    copy.touch()

    def cut(*_):
        raise OSError("cut short")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", cut)
        with pytest.raises(OSError, match="cut short"):
            put_in_place(copy, database, "now")
    with closing(sqlite3.connect(database)) as left:
        assert left.execute("SELECT count(*) FROM setting WHERE key = 'newest'").fetchone() == (1,)
