"""One statement for many rows does what the statement does for each, and PostgreSQL is told it in one message."""

import re
from itertools import pairwise

import pytest

from ringback.store import nouns
from ringback.store.batches import insert_all, numbered, places, rounds, together
from ringback.store.postgres import PostgresConnection
from ringback.store.sql import REGISTRY, Sql, rows
from ringback.store.tx import Runner
from tests.store.test_plans import SHORT

assert nouns  # brings in every module that registers statements

ROWS = "FROM (SELECT {} FROM json_to_recordset(CAST(%(each)s AS json)) AS given({})) AS each"
SET = Sql("", "UPDATE setting SET value = %(value)s WHERE key = %(key)s AND value = %(old)s")
PUT = Sql("", "INSERT INTO setting (key, value, changed_at, changed_by) VALUES (%(key)s, %(value)s, 0, 'test')")
SEEN = Sql("", "SELECT value FROM setting WHERE key = %(key)s")


@pytest.mark.parametrize(
    ("one", "kinds", "many"),
    [
        pytest.param(
            "UPDATE part SET state = %(state)s WHERE id = %(id)s AND state <> %(state)s",
            {"state": "text", "id": "bigint"},
            f"UPDATE part SET state = new_state {ROWS} WHERE id = new_id AND state <> new_state".format(
                "state AS new_state, id AS new_id", "state text, id bigint"
            ),
            id="a change",
        ),
        pytest.param(
            "INSERT INTO meter (key, n) VALUES (%(key)s, %(n)s) ON CONFLICT (key) DO UPDATE SET n = excluded.n",
            {"key": "text", "n": "integer"},
            "INSERT INTO meter (key, n) SELECT new_key, new_n "
            + ROWS.format("key AS new_key, n AS new_n", "key text, n integer")
            + " ON CONFLICT (key) DO UPDATE SET n = excluded.n",
            id="a row that is new or not",
        ),
        pytest.param(
            "INSERT INTO found (words) VALUES (CAST(%(words)s AS tsvector))",
            {"words": "tsvector"},
            f"INSERT INTO found (words) SELECT CAST(new_words AS tsvector) {ROWS}".format(
                "words AS new_words", "words tsvector"
            ),
            id="a row with a value that is worked on",
        ),
        pytest.param("DELETE FROM part WHERE id = %(id)s", {"id": "bigint"}, None, id="not what falls away"),
        pytest.param(
            "UPDATE part SET state = (SELECT 'x' WHERE %(id)s = 1)", {"id": "bigint"}, None, id="not what asks first"
        ),
        pytest.param(
            "UPDATE part SET state = %(state)s WHERE id = %(id)s RETURNING id",
            {"state": "text", "id": "bigint"},
            None,
            id="not what answers",
        ),
        pytest.param("UPDATE part SET state = 'x' WHERE id = 1", {}, None, id="not what is given nothing"),
    ],
)
def test_a_statement_for_one_row_becomes_one_for_many(one, kinds, many):
    assert together(one, kinds) == many


def test_places_are_numbered_as_they_come():
    text = "SELECT %(b)s, %(a)s, %(b)s, '100%%'"
    assert (places(text), numbered(text)) == (("b", "a"), "SELECT $1, $2, $1, '100%'")


def test_rows_are_inserted_by_their_own_types():
    rows = "json_populate_recordset(NULL::part, CAST(%(each)s AS json))"
    assert insert_all("part", ("id", "state")) == f"INSERT INTO part (id, state) SELECT id, state FROM {rows}"


def test_a_change_of_a_table_that_has_no_turn_is_not_dropped():
    run = Runner(driver=None)
    run.later(rows("task", "id"), (1,))
    with pytest.raises(KeyError):
        run.flush()


def test_a_row_is_changed_once_by_a_statement_and_in_its_order():
    a1, a2, a3, b1 = ({"id": 1, "n": 1}, {"id": 1, "n": 2}, {"id": 1, "n": 3}, {"id": 2, "n": 1})
    assert rounds([a1, a2, b1, a3]) == [[a1, b1], [a2], [a3]]
    assert rounds([{"key": "x"}, {"key": "y"}]) == [[{"key": "x"}, {"key": "y"}]]


@pytest.fixture
def server(postgres):
    connection = PostgresConnection(postgres.create("batches", "template"))
    yield connection
    connection.close()
    postgres.drop("batches")


def test_on_postgresql_each_change_says_how_many_rows_it_touched(server):
    server.begin()
    driver = server._driver
    rows = [{"key": f"k{n}", "value": "it's \\ 100% \u2713"} for n in range(3)]
    changes = [{"key": f"k{n}", "value": "b", "old": rows[0]["value"]} for n in range(5)]
    assert driver.write([(PUT, rows), (SET, changes), (SET, changes[:1])]) == [3, 3, 0]
    assert driver.ask([(SEEN, {"key": "k2"}), (SEEN, {"key": "k9"}), (SEEN, {"key": "k0"})]) == [[("b",)], [], [("b",)]]
    server.commit(1)


def test_on_postgresql_text_is_kept_whatever_encoding_the_environment_asks_for(postgres, monkeypatch):
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    connection = PostgresConnection(postgres.create("latin", "template"))
    connection.begin()
    assert connection._driver.executemany(PUT, [{"key": key, "value": "ma\u00f1ana"} for key in "ab"]) == 2
    assert connection._driver.execute(PUT, {"key": "c", "value": "ma\u00f1ana"}).rowcount == 1
    kept = [connection._driver.execute(SEEN, {"key": key}).fetchone() for key in "abc"]
    assert kept == [("ma\u00f1ana",)] * 3
    connection.close()
    postgres.drop("latin")


def test_on_postgresql_what_a_step_prepared_is_there_after_it_was_undone(server):
    server.begin()
    for value in ("a", "b"):
        server.save()
        assert server._driver.execute(PUT, {"key": "k", "value": value}).rowcount == 1
        server.undo()
    server.rollback()
    server.begin()
    assert server._driver.execute(SEEN, {"key": "k"}).fetchone() is None
    assert server._driver.execute(PUT, {"key": "k", "value": "c"}).rowcount == 1
    server.commit(2)
    server.begin()
    assert server._driver.execute(SEEN, {"key": "k"}).fetchone() == ("c",)
    assert server.counted() == 2


def test_on_postgresql_a_statement_that_failed_may_be_said_again(server):
    wrong = Sql("", "SELECT 1 / CAST(%(by)s AS integer)")
    for by, found in ((0, None), (1, (1,))):
        server.begin()
        if found is None:
            with pytest.raises(Exception, match="division by zero"):
                server._driver.execute(wrong, {"by": by})
        else:
            assert server._driver.execute(wrong, {"by": by}).fetchone() == found
        server.rollback()


# What is taken in the order of an index that holds nothing else, few at a time, needs no condition. Sessions that go on
# are as many as agents can carry, and wait.
IN_ITS_ORDER = (
    "ix_message_waiting|ix_message_expiring|ix_inbound_raw_undone|ix_thread_waiting|pk_search_again"
    r"|ix_session_queued|ix_session_with_call|ix_session_due|ix_session_agent\b|ix_session_offered_to|ix_session_open_thread"
)
WALKS = re.compile(rf"(?:Seq Scan|Index(?: Only)? Scan(?: Backward)? using (?!{IN_ITS_ORDER})\w+) on (\w+)")


def test_on_postgresql_no_statement_walks_through_a_table_that_nobody_knows_anything_of(server):
    connection = server._connection
    walked = {}
    for place, statement in enumerate(REGISTRY):
        connection.execute(f"PREPARE p{place} AS {numbered(statement.postgres)}".encode())
        given = ", ".join(["NULL"] * len(places(statement.postgres)))
        plan = connection.execute(f"EXPLAIN EXECUTE p{place}{f'({given})' if given else ''}".encode()).fetchall()
        lines = [str(line) for (line,) in plan] + [""]
        tables = {
            found[1] for line, below in pairwise(lines) if "Index Cond" not in below and (found := WALKS.search(line))
        }
        if tables - SHORT:
            walked[statement.postgres[:100]] = tables
    assert walked == {}
