"""The record of who did what: nothing changes it, and whoever gets past that is found, at the very row."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy.exc import DBAPIError

from ringback.errors import StoreFault
from ringback.keyfile import open_keys
from ringback.logs import REQUEST, SOURCE
from ringback.ports.record import Wanted
from ringback.ports.retention import Kept
from ringback.store.anchors import FILE, Anchors, read_anchors
from ringback.store.chain import Words, link, seal
from ringback.store.database import Database
from ringback.store.late import read_record
from ringback.store.tables.record import STAYS
from ringback.store.verifying import verify
from tests.conftest import NOON
from tests.store.rows import changing, run, unguard

DAY = timedelta(days=1)


@pytest.fixture
def state(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


@pytest.fixture
async def kept(url, clock, state):
    """A database whose record is sealed with the key of its state folder."""
    database = Database(url, clock, state)
    await database.open()
    yield database
    await database.close()


def act(n, tx):
    tx.audit.note("user usr_ana", "act", f"thing {n}", "", NOON + timedelta(minutes=n), before=f"{n}", after=f"{n + 1}")


async def fill(kept, count=6):
    for n in range(1, count + 1):
        await kept.commit(partial(act, n))


def checked(url, state):
    return verify(url, state, NOON)


async def anchor(kept, state, now=NOON):
    return Anchors(state).keep(await kept.commit(lambda tx: tx.audit.head()), now)


async def test_a_record_that_nobody_touched_is_whole(kept, url, state):
    await fill(kept)
    await anchor(kept, state)
    found = checked(url, state)
    assert (found.rows, found.fault, found.notes) == (6, None, ())
    assert found.head.row == 6
    assert found.head.seal.startswith(f"2:{open_keys(state, 'audit').current.id}:")


GUARDED = [
    pytest.param("UPDATE audit SET detail = 'x' WHERE id = 2", id="a row changed"),
    pytest.param("DELETE FROM audit WHERE id = 2", id="a row deleted"),
    pytest.param("DELETE FROM audit", id="all deleted"),
]
BY_DATABASE = {
    "sqlite": "INSERT OR REPLACE INTO audit (id, at, who, action, about) VALUES (2, 1, 'eve', 'x', 'y')",
    "postgresql": "TRUNCATE audit",
}


@pytest.mark.parametrize("harm", GUARDED)
async def test_the_database_refuses_to_change_the_record(kept, url, state, harm):
    await fill(kept)
    with pytest.raises(DBAPIError, match=STAYS), changing(url) as connection:
        connection.exec_driver_sql(harm)
    assert (checked(url, state).rows, checked(url, state).fault) == (6, None)


async def test_the_database_refuses_what_only_it_can_do(kept, url, state):
    await fill(kept)
    with pytest.raises(DBAPIError, match=STAYS), changing(url) as connection:
        connection.exec_driver_sql(BY_DATABASE[connection.dialect.name])
    assert (checked(url, state).rows, checked(url, state).fault) == (6, None)


def rows_of(url):
    columns = "id, at, who, action, about, detail, source, request, before, after, chain"
    with changing(url) as connection:
        return [tuple(row) for row in connection.exec_driver_sql(f"SELECT {columns} FROM audit ORDER BY id")]


def put_chain(url, row, chain, about=None):
    what = f"chain = '{chain}'" + (f", about = '{about}'" if about else "")
    run(url, f"UPDATE audit SET {what} WHERE id = {row}")


def edit(url, _state):
    run(url, "UPDATE audit SET about = 'another thing' WHERE id = 3")


def edit_what_was_before(url, _state):
    run(url, "UPDATE audit SET before = 'never' WHERE id = 3")


def delete(url, _state):
    run(url, "DELETE FROM audit WHERE id = 3")


def delete_the_first(url, _state):
    run(url, "DELETE FROM audit WHERE id = 1")


def insert_at_the_end(url, _state):
    run(url, "INSERT INTO audit (id, at, who, action, about, chain) VALUES (7, 1, 'eve', 'x', 'y', '2:00000000:ab')")


def insert_between(url, _state):
    for row in (6, 5, 4):
        run(url, f"UPDATE audit SET id = {row + 1} WHERE id = {row}")
    chain = rows_of(url)[2][-1]
    run(url, f"INSERT INTO audit (id, at, who, action, about, chain) VALUES (4, 1, 'eve', 'x', 'y', '{chain}')")


def reorder(url, _state):
    for old, new in ((3, 99), (4, 3), (99, 4)):
        run(url, f"UPDATE audit SET id = {new} WHERE id = {old}")


def truncate(url, _state):
    run(url, "DELETE FROM audit WHERE id > 4")


def chain_anew_in_the_old_form(url, _state):
    """Everything sealed as it was sealed before there was a key."""
    before = ""
    run(url, "UPDATE audit SET about = 'another thing' WHERE id = 3")
    for id_, *words, _ in rows_of(url):
        before = link(before, Words(*words))
        put_chain(url, id_, before)


def chain_the_rest_in_the_old_form(url, _state):
    run(url, "UPDATE audit SET about = 'another thing' WHERE id = 3")
    rows = rows_of(url)
    before = rows[1][-1]
    for id_, *words, _ in rows[2:]:
        before = link(before, Words(*words))
        put_chain(url, id_, before)


def chain_anew_with_another_key(url, state):
    other = state / "eve"
    other.mkdir()
    key, ours = open_keys(other, "audit").current, open_keys(state, "audit").current
    run(url, "UPDATE audit SET about = 'another thing' WHERE id = 3")
    rows = rows_of(url)
    before = rows[1][-1]
    for id_, *words, _ in rows[2:]:
        before = seal(key, before, id_, Words(*words)).replace(key.id, ours.id)
        put_chain(url, id_, before)


ATTACKS = [
    pytest.param(edit, 3, "was changed", id="edit"),
    pytest.param(edit_what_was_before, 3, "was changed", id="edit what was before"),
    pytest.param(delete, 3, "was taken out", id="delete"),
    pytest.param(delete_the_first, 1, "was taken out", id="delete the first"),
    pytest.param(insert_at_the_end, 7, "not ours", id="insert at the end"),
    pytest.param(insert_between, 4, "put in", id="insert between"),
    pytest.param(reorder, 3, "another row stands in its place", id="reorder"),
    pytest.param(truncate, 5, "to row 6 were cut off", id="truncate"),
    pytest.param(chain_anew_in_the_old_form, 1, "was sealed without the key", id="chain anew without the key"),
    pytest.param(chain_the_rest_in_the_old_form, 3, "was sealed without the key", id="chain on without the key"),
    pytest.param(chain_anew_with_another_key, 3, "was changed", id="chain anew with another key"),
]


@pytest.mark.parametrize(("attack", "row", "what"), ATTACKS)
async def test_audit_that_was_tampered_with_is_found(kept, url, state, attack, row, what):
    await anchor(kept, state)
    await fill(kept)
    await anchor(kept, state)
    unguard(url)
    attack(url, state)
    found = checked(url, state)
    assert (found.fault.row, what in found.fault.what) == (row, True), found.fault
    assert any("triggers" in note for note in found.notes)


async def test_audit_whose_tail_was_cut_off_and_grew_again_is_found(kept, url, state):
    await fill(kept)
    await anchor(kept, state)
    run(url, "DELETE FROM audit WHERE id > 4")
    await fill(kept)
    found = checked(url, state)
    assert (found.fault.row, "anchored" in found.fault.what) == (6, True)


async def test_rows_of_before_the_key_keep_their_seals_and_are_found_when_changed(store, url, clock, state):
    await fill(store, 3)
    await store.close()
    keyed = Database(url, clock, state)
    await keyed.open()
    await anchor(keyed, state)
    await fill(keyed, 2)
    found = checked(url, state)
    assert (found.rows, found.fault) == (5, None)
    await keyed.close()
    run(url, "UPDATE audit SET detail = 'x' WHERE id = 2")
    assert checked(url, state).fault.row == 2


def test_a_row_of_before_is_sealed_as_it_always_was():
    words = Words(5, "ana", "act", "thing", "é")
    plain = hashlib.sha256(json.dumps(["ab", 5, "ana", "act", "thing", "é"], separators=(",", ":")).encode())
    assert link("ab", words) == plain.hexdigest()
    assert link("ab", replace(words, source="here")) != plain.hexdigest()


async def test_what_was_dropped_for_its_age_is_no_fault_and_its_seal_holds_the_rest(kept, url, state):
    await fill(kept)
    await anchor(kept, state)
    assert await kept.commit(lambda tx: tx.retention.age(Kept.AUDIT, NOON + timedelta(minutes=3), 2, NOON + DAY)) == 2
    found = checked(url, state)
    assert (found.rows, found.fault, found.notes) == (5, None, ())
    assert rows_of(url)[-1][3:5] == ("forget_record", "rows 1-2")
    run(url, "DELETE FROM audit WHERE id = 3")
    assert (checked(url, state).fault.row, checked(url, state).fault.what) == (3, "was taken out")


async def test_the_door_for_old_rows_is_shut_behind_them(kept, url):
    await fill(kept)
    await kept.commit(lambda tx: tx.retention.age(Kept.AUDIT, NOON + timedelta(minutes=3), 2, NOON + DAY))
    with pytest.raises(DBAPIError, match=STAYS), changing(url) as connection:
        connection.exec_driver_sql("DELETE FROM audit WHERE id = 3")


async def test_what_a_restore_took_is_told_and_is_no_fault(kept, url, state):
    await fill(kept)
    await anchor(kept, state)
    run(url, "DELETE FROM audit WHERE id > 4")
    back = partial(lambda tx: tx.audit.note("restore", "put_back", "database", "why", NOON + DAY))
    await kept.commit(back)
    found = checked(url, state)
    assert found.fault is None
    assert any("went with a restore" in note for note in found.notes)


async def test_without_the_key_nothing_is_written_behind_rows_that_have_one(url, clock, state):
    keyed = Database(url, clock, key=open_keys(state, "audit").current)
    await keyed.open()
    await fill(keyed, 2)
    await keyed.close()
    bare = Database(url, clock)
    await bare.open()
    with pytest.raises(StoreFault, match="key"):
        await fill(bare, 1)
    await bare.close()


async def test_without_the_key_what_cannot_be_proven_is_said(kept, url, tmp_path):
    await fill(kept, 2)
    found = verify(url, tmp_path, NOON)
    assert found.fault is None
    assert found.notes == ("2 rows are sealed with a key that is not here, so they are not proven",)


async def test_an_anchor_that_says_nothing_new_is_not_written(kept, state):
    await fill(kept, 2)
    assert [await anchor(kept, state), await anchor(kept, state)] == [True, False]
    await fill(kept, 1)
    assert await anchor(kept, state)
    assert [one.row for one in read_anchors(state / FILE)] == [2, 3]


@pytest.mark.parametrize("way", ["commit", "commit_all", "ride_along"])
async def test_a_row_says_from_where_and_in_which_request(kept, url, way):
    asked, came = REQUEST.set("req_1"), SOURCE.set("192.0.2.7")
    try:
        if way == "commit":
            await kept.commit(partial(act, 1))
        elif way == "commit_all":
            await kept.commit_all([partial(act, 1)])
        else:
            kept.ride_along([partial(act, 1)])
    finally:
        REQUEST.reset(asked)
        SOURCE.reset(came)
    await kept.commit(partial(act, 2))
    assert [row[6:8] for row in rows_of(url)] == [("192.0.2.7", "req_1"), ("", "")]


async def test_rows_are_found_by_who_what_about_and_when(kept):
    def note(tx):
        for n, (who, action) in enumerate([("a", "x"), ("b", "x"), ("a", "y"), ("a", "x")]):
            tx.audit.note(who, action, f"thing {n % 2}", "", NOON + n * DAY)

    await kept.commit(note)
    record = read_record(kept)

    async def rows(before=None, limit=10, **wanted):
        return [entry.id for entry in await record.entries(Wanted(**wanted), before, limit)]

    assert await rows() == [4, 3, 2, 1]
    assert await rows(limit=2) == [4, 3]
    assert await rows(before=3, limit=1) == [2]
    assert await rows(who="a", action="x") == [4, 1]
    assert await rows(about="thing 1") == [4, 2]
    assert await rows(since=NOON + DAY, until=NOON + 3 * DAY) == [3, 2]
    assert await rows(since=NOON + 9 * DAY) == []
    assert [entry.id async for entry in record.every(Wanted(who="a"))] == [1, 3, 4]


TRIGGERS = {
    "sqlite": ("audit_unchanged", "audit_stays", "audit_unreplaced"),
    "postgresql": ("audit_stays", "audit_whole"),
}


@pytest.mark.parametrize("which", [0, 1, -1])
async def test_that_one_of_the_triggers_is_gone_is_said(kept, url, state, which):
    await fill(kept)
    with changing(url) as connection:
        dialect = connection.dialect.name
        name = TRIGGERS[dialect][which]
        connection.exec_driver_sql(f"DROP TRIGGER {name}" + (" ON audit" if dialect == "postgresql" else ""))
    assert checked(url, state).notes == ("the triggers that keep rows as they are were dropped",)


async def test_another_trigger_stands_in_for_none_of_them(kept, url, state):
    await fill(kept)
    unguard(url)
    with changing(url) as connection:
        if connection.dialect.name == "sqlite":
            for n in range(3):
                connection.exec_driver_sql(f"CREATE TRIGGER other_{n} AFTER INSERT ON audit BEGIN SELECT 1; END")
        else:
            connection.exec_driver_sql(
                "CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
            )
            for n in range(2):
                connection.exec_driver_sql(
                    f"CREATE TRIGGER other_{n} AFTER INSERT ON audit FOR EACH ROW EXECUTE FUNCTION other()"
                )
    assert checked(url, state).notes == ("the triggers that keep rows as they are were dropped",)
