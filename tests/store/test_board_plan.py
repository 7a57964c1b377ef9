"""How a board finds its rows: nothing of it walks through what grows with the years, however it is narrowed."""

import re
import shutil
from dataclasses import asdict
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import create_engine, event

from ringback.core.grants import EVERYTHING, Reach
from ringback.core.sessions import SessionState, StartType
from ringback.ports.sessions import Narrowed
from ringback.store.moments import micros
from ringback.store.read_board import read_board
from tests.conftest import NOON

OVER, OPEN = 3000, 40
FEW = f"WITH RECURSIVE few(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM few WHERE n < {OVER}) "
FILL = (
    "INSERT INTO number (id, e164) VALUES (1, '+12025550101')",
    """INSERT INTO account (id, public_id, login, name, role, password, created_at, changed_at)
    VALUES (1, 'usr_1', 'ana', 'Ana', 'agent', '', 0, 0)""",
    "INSERT INTO queue_member (queue_id, account_id, seq, since_at) VALUES (1, 1, 0, 0)",
    "INSERT INTO thread (id, public_id, number_id, peer, created_at, changed_at) SELECT n, n, 1, n, n, n FROM few",
    """INSERT INTO message (id, public_id, thread_id, carrier, class_, basis, language, cause, body, state, not_before,
    created_at, state_at, expires_at)
    SELECT n, n, n, 'main', 'c', 'b', 'en', 'r', 'b', 'delivered', n, n, n, n FROM few""",
    """INSERT INTO incoming (id, public_id, thread_id, carrier, at, received_at, carrier_at, body, state, read_at)
    SELECT n, n, n, 'main', n, n, n, 'b', 'whole', n FROM few""",
    """INSERT INTO session (id, public_id, thread_id, did, peer, state, queue_id, start, agent_id, opened_at,
    changed_at, assigned_at, ended_at)
    SELECT n, n, n, '+12025550101', n, 'ended', 1, 'auto', 1, n, n, n, n FROM few""",
)
STILL_OPEN = f"""UPDATE session SET ended_at = NULL, state = CASE id % 2 WHEN 1 THEN 'queued' ELSE 'assigned' END,
    queued_at = {{now}}, changed_at = {{now}} WHERE id > {OVER - OPEN}"""
GROWS = re.compile(r"SCAN (s|t|m|i|x|session|thread|message|incoming)\b(?! USING (?:COVERING )?INDEX)")
ALL = Narrowed(1, 1, SessionState.QUEUED, StartType.AUTO)
WAYS = [
    Narrowed(
        **{name: value if chosen else None for (name, value), chosen in zip(asdict(ALL).items(), picked, strict=True)}
    )
    for picked in product((False, True), repeat=4)
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory, empty_sqlite):
    path = tmp_path_factory.mktemp("board") / "ringback.db"
    shutil.copy(empty_sqlite, path)
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        for statement in FILL:
            connection.exec_driver_sql(FEW + statement if statement.endswith("few") else statement)
        connection.exec_driver_sql(STILL_OPEN.format(now=micros(NOON)))
        connection.exec_driver_sql("ANALYZE")
    yield engine
    engine.dispose()


@pytest.mark.parametrize("only", WAYS, ids=lambda only: " ".join(str(value) for value in asdict(only).values()))
@pytest.mark.parametrize(
    "reach", [EVERYTHING, Reach(False, frozenset({"+12025550101"}))], ids=["all", "of some numbers"]
)
def test_no_part_of_a_board_walks_through_a_table(filled, reach, only):
    asked = []
    with filled.connect() as connection:
        event.listen(connection, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
        board = read_board(connection, reach, NOON - timedelta(hours=12), 200, only)
        for statement, values in list(asked):
            plan = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
            assert [row[3] for row in plan if GROWS.search(row[3])] == [], statement
    assert len(asked) > 5
    assert len(board.sessions) == OPEN // (2 if only.state else 1)


def test_one_that_walks_is_found(filled):
    with filled.connect() as connection:
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT * FROM session s WHERE s.language = 'en'"
        ).fetchall()
    assert [row[3] for row in plan if GROWS.search(row[3])] == ["SCAN s"]
