"""The doctor finds what is wrong, names it and goes on; nothing healthy is called ill; folds are mended."""

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import insert, text

from ringback.core.permissions import at_the_shell
from ringback.flow.mending import mend_by_words
from ringback.flow.retention import erase
from ringback.ports.retention import Kept
from ringback.store.doctor import Doctor
from ringback.store.moments import micros
from ringback.store.tables import metadata
from tests.conftest import NOON
from tests.flow.world import World, a_call, life_of
from tests.store.rows import OUR_NUMBER, a_text, a_thread, changing, put, run

NOW = micros(NOON)


def found(url):
    return [(one.check, one.where, one.what) for _, ailments in Doctor(url, NOON).look() for one in ailments]


def a_part(n, state="delivered"):
    return {"id": n, "message_id": n, "body": "", "state": state}


def an_attempt(n, **change):
    return {
        "id": n,
        "public_id": f"att_{n:026}",
        "part_id": n,
        "message_id": n,
        "carrier": "main",
        "epoch": 1,
        "opened_at": NOW,
        "closed_at": NOW,
        "outcome": "accepted",
        "provider_id": f"p{n}",
        "provider_key": f"p{n}",
    } | change


HEALTHY = {
    "number": [OUR_NUMBER],
    "thread": [a_thread(1)],
    "pair_facts": [{"thread_id": 1, "opted_out_at": None}],
    "message": [a_text(1, NOW, rule=None)],
    "part": [a_part(1)],
    "attempt": [an_attempt(1)],
}
MSG, ATT, THR = f"msg_{1:026}", f"att_{1:026}", f"thr_{1:026}"


async def test_a_day_of_real_life_is_healthy(store, url, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        await world.happens(*life_of(a_call("1.1")))
        await world.says("Yes please")
        await world.says("STOP")
        await world.says("START")
        await world.happens(*life_of(a_call("2.1", "+15125550124")))
    assert await store.read(lambda c: c.execute(text("SELECT count(*) FROM message")).scalar()) > 1
    assert found(url) == []


ILL = [
    pytest.param(
        "UPDATE message SET state = 'teleported'", "states", MSG, "nobody knows: 'teleported'", id="a made-up state"
    ),
    pytest.param(
        "UPDATE part SET state = 'teleported'", "states", MSG, "has a part in a state", id="a made-up state of a part"
    ),
    pytest.param("DELETE FROM attempt; DELETE FROM part", "parts", MSG, "has no part", id="no part"),
    pytest.param(
        "UPDATE message SET state = 'sent'",
        "folds",
        MSG,
        "is sent, and its parts make it delivered",
        id="a fold that is wrong",
    ),
    pytest.param(
        "UPDATE message SET state = 'queued', expires_at = 9e15",
        "parts",
        MSG,
        "waits to be sent, and its part is delivered",
        id="a text that would be sent twice",
    ),
    pytest.param(
        "UPDATE message SET state = 'submitting'",
        "attempts",
        MSG,
        "no attempt is open",
        id="on its way without an attempt",
    ),
    pytest.param(
        "UPDATE attempt SET outcome = NULL, opened_at = 5",
        "attempts",
        ATT,
        "open for more than five minutes",
        id="an attempt that never ends",
    ),
    pytest.param(
        "UPDATE attempt SET outcome = 'not_sent'",
        "attempts",
        MSG,
        "is delivered, and no attempt was taken",
        id="delivered though nothing was sent",
    ),
    pytest.param(
        "UPDATE message SET state = 'held', expires_at = 5; UPDATE part SET state = 'queued'",
        "deadlines",
        MSG,
        "is held though its time is over",
        id="waits past its time",
    ),
    pytest.param(
        "UPDATE message SET state = 'unconfirmed', state_at = 5; UPDATE part SET state = 'unconfirmed'",
        "deadlines",
        MSG,
        "more than 72 hours",
        id="in doubt for ever",
    ),
    pytest.param("UPDATE thread SET unread = 7", "threads", THR, "counts 7 unread", id="a counter that is wrong"),
    pytest.param(
        "UPDATE pair_facts SET opted_out_at = 5", "opt-outs", THR, "nobody said STOP", id="a block without its word"
    ),
    pytest.param(
        "INSERT INTO opt_out_event (thread_id, at, kind, method) VALUES (1, 5, 'opt_out', 'keyword')",
        "opt-outs",
        THR,
        "said opt_out last",
        id="a STOP without its block",
    ),
    pytest.param(
        "INSERT INTO inbound_raw (carrier, fingerprint, received_at, body, state)"
        " VALUES ('main', 'x', 5, 'x', 'stored')",
        "inbound",
        "main",
        "nobody read",
        id="an unread journal",
    ),
    pytest.param(
        "INSERT INTO receipt_parked (carrier, provider_id, status, carrier_at, received_at)"
        " VALUES ('main', 'x', 'sent', 5, 5)",
        "inbound",
        "main",
        "receipts for texts nobody knows, a week old or more: 1",
        id="old parked receipts",
    ),
]


@pytest.mark.parametrize(("harm", "check", "where", "what"), ILL)
def test_what_is_wrong_is_named(url, harm, check, where, what):
    put(url, HEALTHY)
    assert found(url) == []
    for statement in harm.split("; "):
        run(url, statement.replace("9e15", str(NOW + 10**12)))
    said = found(url)
    assert [one for one in said if one[:2] == (check, where) and what in one[2]], said


@pytest.mark.parametrize(
    ("harm", "check", "what"),
    [
        pytest.param(
            "UPDATE message SET body = x'ff00'", "values", "its body is blob, not text", id="bytes for a text"
        ),
        pytest.param(
            "UPDATE thread SET number_id = 99", "references", "names a row of number", id="a reference to nobody"
        ),
        pytest.param("UPDATE message SET state = CAST(x'ff' AS TEXT)", "states", "cannot be looked at", id="no UTF-8"),
        pytest.param("DROP TABLE receipt", "file", "this table is missing", id="a table that is gone"),
    ],
)
def test_what_only_sqlite_lets_in_is_named_and_the_other_checks_go_on(tmp_path, empty_sqlite, harm, check, what):
    path = tmp_path / "ringback.db"
    path.write_bytes(empty_sqlite.read_bytes())
    url = f"sqlite:///{path}"
    put(url, HEALTHY)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(harm)
        database.execute("UPDATE thread SET unread = 7")
    said = found(url)
    assert [one for one in said if one[0] == check and what in one[2]], said
    assert [one for one in said if one[0] == "threads"]


async def test_folds_are_mended_and_the_record_says_by_whom(store, url):
    put(url, HEALTHY)
    run(url, "UPDATE message SET state = 'sent'")
    run(url, "UPDATE thread SET unread = 7")
    run(url, "INSERT INTO opt_out_event (thread_id, at, kind, method) VALUES (1, 5, 'opt_out', 'keyword')")
    ailments = [one for _, several in Doctor(url, NOON).look() for one in several]
    cures = json.dumps([(one.cure, one.id, one.where) for one in ailments])
    said = await store.commit(partial(mend_by_words, {"cures": cures, "by": "ana"}, NOON))
    assert said.splitlines() == [f"{MSG} mended: delivered", f"{THR} mended: counted anew", f"{THR} mended: opt_out"]
    assert found(url) == []
    rows = await store.read(lambda c: c.execute(text("SELECT who, action, about, detail FROM audit")).all())
    assert [tuple(row) for row in rows] == [
        ("ana", "mend", MSG, "message: delivered"),
        ("ana", "mend", THR, "unread: counted anew"),
        ("ana", "mend", THR, "opt_out: opt_out"),
    ]


def tell(n, tx):
    tx.audit.note("ana", "act", f"thing {n}", "", NOON)


TAMPERED = [
    pytest.param("UPDATE audit SET detail = 'x' WHERE id = 2", "row 2", id="a row changed"),
    pytest.param("DELETE FROM audit WHERE id = 2", "row 3", id="a row taken out"),
    pytest.param("DELETE FROM audit WHERE id = 1", "row 2", id="the first row taken out"),
    pytest.param("UPDATE audit SET chain = '' WHERE id = 3", "row 3", id="a seal taken off"),
    pytest.param("UPDATE audit SET id = 9 WHERE id = 2", "row 3", id="rows in another order"),
    pytest.param(
        "INSERT INTO audit (id, at, who, action, about) VALUES (9, 1, 'eve', 'x', 'y')", "row 9", id="a row put in"
    ),
]


@pytest.mark.parametrize(("harm", "where"), TAMPERED)
async def test_a_record_changed_by_hand_shows_at_its_row(store, url, harm, where):
    for n in range(4):
        await store.commit(partial(tell, n))
    assert found(url) == []
    run(url, harm)
    assert [(one[0], one[1]) for one in found(url)] == [("audit", where)]


async def test_rows_of_before_the_chain_are_left_alone_and_a_failed_step_leaves_no_link(store, url):
    run(url, "INSERT INTO audit (at, who, action, about) VALUES (1, 'old', 'x', 'y')")

    def fail(tx):
        tell(0, tx)
        raise ValueError("no")

    await store.commit_all([partial(tell, 1), fail, partial(tell, 2)])
    assert found(url) == []


async def test_moves_of_texts_are_sealed_and_a_changed_one_shows(store, url):
    put(url, HEALTHY)
    with changing(url) as connection:
        for n in range(5):
            event = {"message_id": 1, "at": n, "state": "sent", "reason": None, "detail": "é"}
            connection.execute(insert(metadata.tables["message_event"]).values(**event))
    assert [await store.commit(lambda tx: tx.audit.seal(3, NOON)) for _ in range(3)] == [3, 2, 0]
    assert found(url) == []
    run(url, "UPDATE message_event SET at = 99 WHERE id = 4")
    assert [one[:2] for one in found(url)] == [("digests", "message_event 4-5 (2)")]
    run(url, "DELETE FROM message_event WHERE id = 4")
    assert [one[:2] for one in found(url)] == [("digests", "message_event 4-5 (2)")]


async def test_neither_an_erasure_nor_the_age_of_the_record_looks_like_a_change_by_hand(store, url):
    put(url, HEALTHY)
    with changing(url) as connection:
        event = {"message_id": 1, "at": 1, "state": "sent", "reason": None, "detail": "words of theirs"}
        connection.execute(insert(metadata.tables["message_event"]).values(**event))
    for n in range(4):
        await store.commit(partial(tell, n))
    await store.commit(lambda tx: tx.audit.seal(3, NOON))
    await store.commit(lambda tx: tx.retention.age(Kept.AUDIT, NOON + timedelta(seconds=1), 2))
    await store.commit(partial(erase, "+15125550123", at_the_shell("root"), NOON))
    assert found(url) == []
    run(url, "DELETE FROM audit WHERE id = 4")
    assert [(one[0], one[1]) for one in found(url)] == [("audit", "row 5")]
