"""`ringback backup`, `ringback restore` and `ringback doctor` as a person gives them."""

import asyncio
import json
import sqlite3
from contextlib import closing

import pytest

from ringback.store.doctor import Ailment
from ringback.store.holding import hold
from tests.fakes.ami import FakePbx
from tests.flow.world import a_call, life_of


async def a_missed_call(world):
    await world.happens(*life_of(a_call("1.1")))


def ask(place, words):
    with closing(sqlite3.connect(place.state / "ringback.db")) as database:
        return database.execute(words).fetchall()


def change(place, words):
    with closing(sqlite3.connect(place.state / "ringback.db")) as database, database:
        database.execute(words)


def test_a_backup_is_put_back_and_says_what_to_do_next(place, ringback):
    place.live(a_missed_call)
    file = place.folder / "b.backup"
    made = ringback("backup", str(file))
    assert ask(place, "SELECT value FROM setting WHERE key = 'backup'") == [(str(file),)], "status does not know of it"
    assert made.code == 0
    assert made.out.startswith(f"{file}: 1 text, 0 that came in, 1 call, schema ")
    change(place, "DELETE FROM message_event")
    refused = ringback("restore", str(file))
    assert refused.code == 1
    assert "there is a database already; --force" in refused.err
    ran = ringback("restore", str(file), "--force")
    assert ran.code == 0
    assert ran.lines[0].startswith("restored: 1 text,")
    assert "before-restore" in ran.lines[1]
    assert ran.lines[-1] == "  ringback carrier release main"
    assert ask(place, "SELECT count(*) FROM message_event") != [(0,)]
    assert ask(place, "SELECT key, changed_by FROM setting WHERE key LIKE 'hold:%'") == [
        ("hold:carrier:main", "restore")
    ]
    assert ringback("doctor").code == 0


async def test_what_may_have_been_sent_waits_on_when_its_carrier_goes_on(place, ringback):
    """The daemon compares by itself, and `carrier` and `status` tell what it found."""

    def put_back():
        place.live(a_missed_call)
        change(place, "UPDATE message SET state = 'queued', expires_at = 100000000000000000")
        change(place, "UPDATE part SET state = 'queued'")
        ringback("backup", str(place.folder / "b.backup"))
        ringback("restore", str(place.folder / "b.backup"), "--force")

    await asyncio.to_thread(put_back)
    async with FakePbx() as pbx, place.daemon(pbx):
        while "on when the carrier goes on: 1." not in (await asyncio.to_thread(ringback, "carrier", "list")).out:
            await asyncio.sleep(0)
        assert "main cannot tell what it took" in (await asyncio.to_thread(ringback, "status")).out
        ran = await asyncio.to_thread(ringback, "carrier", "release", "main")
        assert "they may have been sent already: 1." in ran.out
        assert ask(place, "SELECT state, reason FROM message") == [("held", "put_back")]
        ran = await asyncio.to_thread(ringback, "carrier", "release", "main", "--all")
        assert ran.out == "carrier main was not held back; with it 1 text that may have been sent already\n"
        while ask(place, "SELECT count(*) FROM attempt") == [(1,)]:
            await asyncio.sleep(0)


def test_restore_leaves_the_database_of_a_running_daemon_alone(place, ringback):
    place.live(a_missed_call)
    ringback("backup", str(place.folder / "b.backup"))
    before = (place.state / "ringback.db").read_bytes()
    with hold(place.state):
        ran = ringback("restore", str(place.folder / "b.backup"), "--force")
    assert ran.code == 3
    assert (place.state / "ringback.db").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["backup", "b.backup"], 1, "there is no database to back up yet", id="nothing there"),
        pytest.param(["backup", "nowhere/b.backup"], 1, "there is no folder nowhere", id="no folder"),
        pytest.param(["backup", "b.backup", "--keep", "3"], 2, "--keep wants a folder", id="keep and a file"),
        pytest.param(["restore", "b.backup"], 1, "b.backup cannot be read", id="no backup"),
    ],
)
def test_what_cannot_be_done_is_one_line(place, ringback, words, code, said):
    ran = ringback(*words)
    assert ran.code == code
    assert said in ran.err


def test_a_folder_keeps_the_newest(place, ringback):
    place.migrate()
    folder = place.folder / "backups"
    folder.mkdir()
    for day in (1, 2, 3):
        (folder / f"ringback-2026010{day}T000000Z.backup").write_text("old")
    ran = ringback("backup", str(folder), "--keep", "2")
    assert ran.code == 0
    assert [path.read_text() == "old" for path in sorted(folder.iterdir()) if "0103" in path.name] == [True]
    assert len(list(folder.iterdir())) == 2


def test_the_doctor_names_what_is_wrong_and_mends_folds(place, ringback):
    place.live(a_missed_call)
    assert ringback("doctor").lines[-1] == "all well"
    change(place, "UPDATE thread SET unread = 7")
    ran = ringback("doctor")
    assert ran.code == 1
    assert [line for line in ran.lines if line.startswith("BAD  threads: thr_") and line.endswith("(--fix mends it)")]
    assert json.loads(ringback("doctor", "--json").out)[0]["cure"] == "unread"
    mended = ringback("doctor", "--fix")
    assert mended.code == 0
    assert "mended: counted anew" in mended.out
    assert ringback("doctor").code == 0
    assert ask(place, "SELECT action FROM audit ORDER BY id DESC LIMIT 1") == [("mend",)]


def test_what_nobody_can_mend_stays_and_is_printed_in_letters(place, ringback):
    place.live(a_missed_call)
    change(place, "UPDATE message SET state = 'tele' || char(27) || 'ported'")
    ran = ringback("doctor", "--fix")
    assert ran.code == 1
    assert "\x1b" not in ran.out


def test_the_doctor_wants_a_database_of_its_own_time(place, ringback):
    assert ringback("doctor").code == 1
    place.migrate()
    change(place, "UPDATE alembic_version SET version_num = '0001'")
    assert "run `ringback migrate`" in ringback("doctor").err


async def test_a_restored_node_starts_with_its_carriers_held(place, ringback):
    """The daemon itself sees that its database went back, also when somebody copied a file by hand."""
    place.migrate()
    async with FakePbx() as pbx:
        async with place.daemon(pbx):
            pass
        change(place, "UPDATE setting SET value = '0' WHERE key = 'commits'")
        place.change(f"port = {pbx.port}", "port = 5038")
        async with place.daemon(pbx):
            pass
    assert ask(place, "SELECT changed_by FROM setting WHERE key = 'hold:carrier:main'") == [("restore",)]


def test_what_was_gone_when_the_doctor_came_to_mend_it_is_no_success(place, ringback, monkeypatch):
    place.migrate()
    found = Ailment("threads", "thr_1", "counts 7 unread texts", "unread", 999)
    monkeypatch.setattr("ringback.cli.doctor.Doctor.look", lambda _: iter([("threads", [found])]))
    ran = ringback("doctor", "--fix")
    assert "thr_1 could not be mended" in ran.out
    assert ran.code == 1
