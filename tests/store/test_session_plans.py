"""How SQLite finds sessions on the hot path: by the small indexes of what is open, however many there are or were."""

import re
import shutil
import sqlite3

import pytest

from ringback.store import sessions
from ringback.store.sql import Sql

OVER, OPEN = 3000, 500
FEW = f"WITH RECURSIVE few(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM few WHERE n < {OVER}) "
FILL = (
    "INSERT INTO number (id, e164) VALUES (1, '+12025550101')",
    """INSERT INTO account (id, public_id, login, name, role, password, created_at, changed_at)
    VALUES (1, 'usr_1', 'ana', 'Ana', 'agent', '', 0, 0)""",
    FEW
    + "INSERT INTO thread (id, public_id, number_id, peer, created_at, changed_at) SELECT n, n, 1, n, n, n FROM few",
    FEW
    + """INSERT INTO session (id, public_id, thread_id, did, peer, state, queue_id, start, agent_id, opened_at,
    changed_at, assigned_at, ended_at) SELECT n, n, n, '+12025550101', n, 'ended', 1, 'auto', 1, n, n, n, n FROM few""",
    f"""UPDATE session SET ended_at = NULL, agent_id = NULL, state = 'queued', queued_at = 0
    WHERE id > {OVER - OPEN}""",
)


@pytest.fixture(scope="module", params=["", "ANALYZE"], ids=["never looked at", "known"])
def filled(request, tmp_path_factory, empty_sqlite):
    path = tmp_path_factory.mktemp("sessions") / "db"
    shutil.copy(empty_sqlite, path)
    database = sqlite3.connect(path)
    for statement in (*FILL, request.param):
        database.execute(statement)
    database.commit()
    yield database
    database.close()


@pytest.mark.parametrize(
    ("statement", "indexes"),
    [
        pytest.param(sessions.LOADS, {"ix_session_agent", "ix_session_offered_to"}, id="what everybody has"),
        pytest.param(sessions.WITH_AGENT, {"ix_session_agent"}, id="what somebody has"),
        pytest.param(sessions.OFFERED_TO, {"ix_session_offered_to"}, id="what somebody is asked to take"),
        pytest.param(sessions.WITH_CALLS, {"ix_session_with_call"}, id="which calls have a session"),
        pytest.param(sessions.DUE, {"ix_session_due"}, id="what is due"),
        pytest.param(sessions.QUEUED, {"ix_session_queued"}, id="who waits in a queue"),
        pytest.param(sessions.UNTOLD, {"ix_session_queued"}, id="who waits and was not told"),
    ],
)
def test_sessions_are_found_by_the_index_of_those(filled, statement: Sql, indexes):
    names = dict.fromkeys(re.findall(r":([a-z]+)", statement.sqlite))
    plan = [row[3] for row in filled.execute(f"EXPLAIN QUERY PLAN {statement.sqlite}", names)]
    used = {found[1] for line in plan if (found := re.search(r"INDEX (ix_session\w+)", line))}
    assert used == indexes
