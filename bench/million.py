"""A database of some years: a million texts, the calls behind them, and people who wrote back."""

import hashlib
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ringback.store.schema import migrate

TOKEN = "the-cookie-of-the-bench"
DID = "+12025550101"
DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows. One thread, the busiest, has a hundredth of all texts."""

    messages: int = 1_000_000
    threads: int = 50_000

    @property
    def incoming(self) -> int:
        return self.messages * 4 // 10

    @property
    def calls(self) -> int:
        return self.messages * 3 // 10


BUSY = "thr_00000000000000000000000001"
"""The thread with the most in it."""

NUMBERED = "WITH RECURSIVE row(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row WHERE n < :rows) "
# Every hundredth text belongs to the first thread, the others go round.
OF_THREAD = "CASE WHEN n % 100 = 0 THEN 1 ELSE n % :threads + 1 END"
AT = ":now - (:rows - n) * :step"
PEER = "printf('+1512%07d', CASE WHEN n % 100 = 0 THEN 1 ELSE n % :threads + 1 END)"

STATEMENTS = (
    ("INSERT INTO number (id, e164) SELECT 1, '+12025550101' FROM row", 1),
    (
        """INSERT INTO thread (id, public_id, number_id, peer, created_at, changed_at, unread, wrote_at,
        waits_since_at) SELECT n, printf('thr_%026d', n), 1, printf('+1512%07d', n), :now - :step * :rows,
        :now - n * 1000, n % 7 = 0, :now, CASE WHEN n % 7 = 0 THEN :now - n * 1000 END FROM row""",
        "threads",
    ),
    (
        f"""INSERT INTO call (id, public_id, pbx, uniqueid, linkedid, direction, caller, did, peer, presentation,
        started_at, ended_at, rang_us, outcome, decision, reason, rule)
        SELECT n, printf('call_%026d', n), 'main', n, n, 'inbound', {PEER}, '+12025550101', {PEER}, 'shown',
        {AT}, {AT} + 20000000, 18000000,
        CASE n % 5 WHEN 0 THEN 'answered' ELSE 'missed' END, CASE n % 5 WHEN 0 THEN 'none' ELSE 'send' END,
        CASE n % 5 WHEN 0 THEN 'answered' ELSE 'allowed' END, 'missed' FROM row""",
        "calls",
    ),
    (
        f"""INSERT INTO message (id, public_id, thread_id, carrier, class_, basis, language, cause, automatic, body,
        state, not_before, created_at, state_at, expires_at, step)
        SELECT n, printf('msg_%026d', n), {OF_THREAD}, 'main',
        'conversational', 'conversation', 'en', 'rule missed', 1,
        'Sorry we missed your call. Reply here and we will help, or we call you back today. Number ' || n,
        CASE n % 10000 WHEN 9999 THEN 'unconfirmed' ELSE 'delivered' END, {AT}, {AT}, {AT}, {AT}, 0 FROM row""",
        "messages",
    ),
    ("INSERT INTO part (id, message_id, body, state) SELECT n, n, '', 'delivered' FROM row", "messages"),
    (
        """INSERT INTO attempt (id, public_id, part_id, message_id, carrier, opened_at, closed_at, outcome,
        provider_id) SELECT n, printf('att_%026d', n), n, n, 'main', :now, :now, 'accepted', 'lb-' || n FROM row""",
        "messages",
    ),
    (
        """INSERT INTO message_event (message_id, at, state) SELECT (n + 1) / 2, :now,
        CASE n % 2 WHEN 0 THEN 'delivered' ELSE 'accepted' END FROM row""",
        "events",
    ),
    (
        f"""INSERT INTO incoming (id, public_id, thread_id, carrier, at, received_at, carrier_at, body, state, read_at)
        SELECT n, printf('inb_%026d', n), {OF_THREAD}, 'main', {AT}, {AT}, {AT}, 'Yes please, tomorrow at nine. ' || n,
        'whole', {AT} FROM row""",
        "incoming",
    ),
    (
        """INSERT INTO task (id, public_id, key, kind, at, message_id, detail) SELECT n, printf('task_%026d', n), n,
        'unconfirmed', :now, n, 'no answer' FROM row""",
        100,
    ),
    (
        """INSERT INTO account (id, public_id, login, name, role, password, created_at, changed_at) SELECT 1,
        'usr_00000000000000000000000001', 'bench', 'Bench', 'administrator', '-', :now, :now FROM row""",
        1,
    ),
    (
        """INSERT INTO login (token_hash, account_id, created_at, seen_at, expires_at)
        SELECT :token, 1, :now, :now, :now + 43200000000 FROM row""",
        1,
    ),
)


def fill(path: Path, size: Size) -> None:
    """Make the database at this path."""
    migrate(f"sqlite:///{path}")
    now = time.time_ns() // 1000
    rows = {
        "threads": size.threads,
        "calls": size.calls,
        "messages": size.messages,
        "events": size.messages * 2,
        "incoming": size.incoming,
    }
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA synchronous = OFF")
        for statement, count in STATEMENTS:
            many = rows[count] if isinstance(count, str) else count
            values = {
                "rows": many,
                "now": now,
                "threads": size.threads,
                "step": 900 * DAY_US // many,
                "token": hashlib.sha256(TOKEN.encode()).hexdigest(),
            }
            head, select, tail = statement.partition("SELECT ")
            database.execute(f"{head}{NUMBERED}{select}{tail}", values)
            database.commit()
