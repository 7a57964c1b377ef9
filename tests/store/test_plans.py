"""How SQLite finds its rows: no statement of the hot path may walk through a table that grows with the years."""

import re
import shutil
import sqlite3

import pytest

from ringback.store import nouns
from ringback.store.sql import REGISTRY, Sql

assert nouns  # brings in every module that registers statements

ROWS = 2000
FILL = (
    "INSERT INTO number (id, e164) VALUES (1, '+12025550101')",
    "INSERT INTO thread (id, public_id, number_id, peer, created_at, changed_at) SELECT n, n, 1, n, n, n FROM few",
    """INSERT INTO call (id, public_id, pbx, uniqueid, linkedid, direction, caller, did, peer, presentation, started_at,
    ended_at) SELECT n, n, 'main', n, n, 'inbound', n, 'd', n, 'shown', n, n FROM few""",
    """INSERT INTO message (id, public_id, thread_id, carrier, class_, basis, language, cause, body, state, not_before,
    created_at, state_at, expires_at, call_id, rule)
    SELECT n, n, n, 'main', 'c', 'b', 'en', 'r', 'b', 'delivered', n, n, n, n, n, 'r' FROM few""",
    "INSERT INTO part (id, message_id, body, state) SELECT n, n, '', 'delivered' FROM few",
    """INSERT INTO attempt (id, public_id, part_id, message_id, carrier, opened_at, outcome, provider_id)
    SELECT n, n, n, n, 'main', n, 'accepted', n FROM few""",
    """INSERT INTO receipt (attempt_id, carrier, provider_id, status, carrier_at, received_at)
    SELECT n, 'main', n, 'sent', n, n FROM few""",
    "INSERT INTO message_event (message_id, at, state) SELECT n, n, 'delivered' FROM few",
    "INSERT INTO cool_down (peer, group_, number_id, until_at) SELECT n, 'missed', 1, n FROM few",
    "INSERT INTO task (public_id, key, kind, at, done_at) SELECT n, n, 'unseen', n, n FROM few",
    """INSERT INTO incoming (id, public_id, thread_id, carrier, at, received_at, carrier_at, body, state, read_at)
    SELECT n, n, n, 'main', n, n, n, 'b', 'whole', n FROM few""",
    """INSERT INTO inbound_raw (id, carrier, provider_id, fingerprint, received_at, body, state, incoming_id)
    SELECT n, 'main', n, n, n, 'b', 'done', n FROM few""",
    "INSERT INTO incoming_piece (incoming_id, seq, body) SELECT n, 1, 'b' FROM few",
    """INSERT INTO account (id, public_id, login, name, role, password, created_at, changed_at)
    SELECT n, n, n, n, 'agent', n, n, n FROM few""",
    """INSERT INTO login (token_hash, account_id, created_at, seen_at, expires_at) SELECT n, 1, n, n, n FROM few""",
    """INSERT INTO pending_text (call_id, rule, group_, did, peer, language, body, cool_down_us, due_at, expires_at,
    state) SELECT n, 'r', 'missed', 'd', n, 'en', 'b', 0, n, n, 'fired' FROM few""",
)
WALKED = re.compile(
    r"SCAN (?!CONSTANT ROW)(\w+)\b(?! USING (?:COVERING )?INDEX ix_(task_open|inbound_raw_undone|thread_waiting"
    r"|message_waiting|message_expiring"
    r"|session_queued)\b| VIRTUAL TABLE INDEX \d+:\S)"
)
# What may be walked: rows made by the statement itself, the minutes of the meter (three at most, then forgotten),
# and by their indexes the tasks that are still open, what carriers brought that nobody could read yet, and the first
# hundred threads that wait for an answer, and runs that have not ended.
# `json_each` are rows that the statement was given.
# `again` are the few texts whose pieces came a moment ago, until the search index has them.
# Accounts are as many as people work there; runs to many people are gone when they are over. Our numbers, departments
# with their members, queues and agents, and what was granted grow with the house and not with its texts; and those who
# wait for an agent are as many as wait.
SHORT = frozenset(
    {
        "always",
        "latest",
        "waiting",
        "ready",
        "few",
        "meter",
        "account",
        "api_key",
        "bulk",
        "again",
        "json_each",
        "number",
        "number_group",
        "department",
        "member",
        "grant_",
        "allowance",
        "text_queue",
        "queue_voice",
        "queue_number",
        "queue_member",
        "agent",
        "voice_queue",
        "sqlite_master",
    }
)
ALIAS = re.compile(r"(?:FROM|JOIN) (\w+) (?:AS )?(\w+)")


@pytest.fixture(scope="module")
def filled(tmp_path_factory, empty_sqlite):
    path = tmp_path_factory.mktemp("plans") / "db"
    shutil.copy(empty_sqlite, path)
    database = sqlite3.connect(path)
    count = f"WITH RECURSIVE few(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM few WHERE n < {ROWS})"
    for statement in FILL:
        head, select, tail = statement.partition(" SELECT ")
        database.execute(f"{head} {count}{select}{tail}" if select else statement)
    database.commit()
    yield database
    database.close()


def walked(database: sqlite3.Connection, statement: str) -> list[str]:
    """The tables that a statement goes through from one end to the other."""
    names = dict.fromkeys(re.findall(r"(?<![:\w]):([a-z_][a-z0-9_]*)", statement))
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}", names)]
    of_alias = {alias: table for table, alias in ALIAS.findall(statement)}
    found = [found[1] for line in plan if (found := WALKED.match(line))]
    return [name for name in found if name not in SHORT and of_alias.get(name) not in SHORT]


@pytest.mark.parametrize("statement", REGISTRY, ids=lambda statement: statement.sqlite[:60])
def test_no_statement_walks_through_a_table(filled, statement: Sql):
    assert walked(filled, statement.sqlite) == []


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        pytest.param("SELECT body FROM message WHERE body = :body", "message", id="by a column without an index"),
        pytest.param("DELETE FROM call WHERE ended_at < :at", "call", id="by a moment"),
        pytest.param("SELECT 1 FROM receipt r JOIN attempt a ON a.cause = r.error", "r", id="a join"),
    ],
)
def test_one_that_walks_is_found(filled, statement, table):
    assert table in walked(filled, statement)
