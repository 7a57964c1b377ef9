"""A database of some years, on either kind: so many texts that programs asked for, with all that became of them.

Ten to a person, in an order as they come. Every fiftieth never had a receipt, as with carriers that lose some.
"""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psycopg

from ringback.store.addresses import sqlite_path
from ringback.store.schema import migrate

EACH = 10
"""Texts to one person."""
SILENT = 50
"""Every so many-th text never had a receipt, with carriers as they are."""
EVENTS = 3
FIRST_PERSON = 2_000_000
DAY_US = 86_400_000_000
KEYS = 100_000
"""Idempotency keys, those of the last days."""

# {pad:WIDTH:EXPRESSION} is written as each database does; :first and :last are the numbers to make.
STATEMENTS = (
    ("INSERT INTO number (id, e164) {few} SELECT n, '+120255501' || {pad:2:n - 1} FROM few", 10),
    (
        """INSERT INTO thread (id, public_id, number_id, peer, created_at, changed_at) {few}
        SELECT n, 'thr_' || {pad:26:n}, n % 10 + 1, '+1512' || {pad:7:n + 2000000}, :begun, :begun + n FROM few""",
        "threads",
    ),
    (
        """INSERT INTO message (id, public_id, thread_id, carrier, class_, basis, language, cause, body, state,
        not_before, created_at, state_at, expires_at, tries, urgency, reference) {few}
        SELECT n, 'msg_' || {pad:26:n}, (n * 7919) % :threads + 1, 'main', 'transactional', 'none', 'en', 'key bench',
        'Hello, your order ' || n || ' is ready. We are open until six today.',
        CASE n % :silent WHEN 0 THEN 'accepted' ELSE 'delivered' END, {at}, {at}, {at}, {at} + 14400000000, 1, 3,
        CASE n % 10 WHEN 0 THEN 'order-' || n ELSE '' END FROM few""",
        "messages",
    ),
    (
        """INSERT INTO part (id, message_id, body, state) {few}
        SELECT n, n, '', CASE n % :silent WHEN 0 THEN 'accepted' ELSE 'delivered' END FROM few""",
        "messages",
    ),
    (
        """INSERT INTO attempt (id, public_id, part_id, message_id, carrier, opened_at, closed_at, outcome, provider_id,
        provider_key) {few} SELECT n, 'att_' || {pad:26:n}, n, n, 'main', {at}, {at}, 'accepted',
        'SM' || {pad:32:n}, 'SM' || {pad:32:n} FROM few""",
        "messages",
    ),
    (
        """INSERT INTO receipt (attempt_id, carrier, provider_id, status, carrier_at, received_at) {few}
        SELECT n, 'main', 'SM' || {pad:32:n}, 'delivered', 0, {at} FROM few WHERE n % :silent <> 0""",
        "messages",
    ),
    (
        """INSERT INTO message_event (message_id, at, state, detail) {few} SELECT (n + 2) / 3, :begun + n,
        CASE n % 3 WHEN 1 THEN 'submitting' WHEN 2 THEN 'accepted' ELSE 'delivered' END, 'main' FROM few""",
        "events",
    ),
    (
        """INSERT INTO idempotency (principal, key, asked, answer, at) {few}
        SELECT 'key bench', 'old-' || {pad:12:n}, 'a', 'b', {at} FROM few""",
        "keys",
    ),
)
FEW = {
    "sqlite": "WITH RECURSIVE few(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM few WHERE n < :last)",
    "postgres": "WITH few(n) AS (SELECT generate_series(1::bigint, :last))",
}
PAD = {"sqlite": r"printf('%0\1d', \2)", "postgres": r"lpad((\2)::text, \1, '0')"}
SEARCH = {
    "sqlite": "INSERT INTO search_out (rowid, words, whose) "
    "SELECT m.id, m.body, 't' || m.thread_id || ' n' || t.number_id FROM message m JOIN thread t ON t.id = m.thread_id",
    "postgres": "INSERT INTO search_out (id, words) SELECT id, to_tsvector('simple', body) FROM message",
}
MARK = (
    "INSERT INTO setting (key, value, changed_at, changed_by) VALUES ('search:out', '{last}', 0, 'search') "
    "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
NUMBERED_BY_ITSELF = ("thread", "message", "part", "attempt")


@dataclass(frozen=True, slots=True)
class Years:
    """How much there is."""

    messages: int
    silent: int = SILENT

    @property
    def threads(self) -> int:
        return self.messages // EACH

    def count(self, of: str | int) -> int:
        if isinstance(of, int):
            return of
        return {
            "threads": self.threads,
            "messages": self.messages,
            "events": self.messages * EVENTS,
            "keys": min(KEYS, self.messages),
        }[of]


def fill(url: str, years: Years) -> None:
    """Make the tables at this address and fill them; all indexes are made at the end, in one go each."""
    migrate(url)
    kind = "postgres" if sqlite_path(url) is None else "sqlite"
    now = time.time_ns() // 1000
    with _opened(url) as run, _without_indexes(run, kind):
        for statement, of in STATEMENTS:
            count = years.count(of)
            step = 900 * DAY_US // count
            text = statement.replace("{few}", FEW[kind]).replace("{at}", f"({now} - ({count} - n) * {step})")
            text = re.sub(r"\{pad:(\d+):([^}]*)\}", PAD[kind], text)
            values = {"last": count, "threads": years.threads, "begun": now - 900 * DAY_US, "silent": years.silent}
            for name, value in values.items():
                text = text.replace(f":{name}", str(value))
            run(text)
    with _opened(url) as run:
        run(SEARCH[kind])
        run(MARK.format(last=years.messages))
        if kind == "postgres":
            for table in NUMBERED_BY_ITSELF:
                run(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
            run("VACUUM ANALYZE")


@contextmanager
def _opened(url: str) -> Iterator[Callable[[str], list[tuple[object, ...]]]]:
    path = sqlite_path(url)
    if path is None:
        with psycopg.connect(url, autocommit=True) as connection:

            def ask(text: str) -> list[tuple[object, ...]]:
                cursor = connection.execute(text.encode())
                return cursor.fetchall() if cursor.description else []

            yield ask
        return
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA cache_size = -1000000")
        yield lambda text: database.execute(text).fetchall()


@contextmanager
def _without_indexes(run: Callable[[str], list[tuple[object, ...]]], kind: str) -> Iterator[None]:
    asked = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
        "postgres": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'ix%'",
    }
    indexes = run(asked[kind])
    for name, _made in indexes:
        run(f"DROP INDEX {name}")
    yield
    for _name, made in indexes:
        run(str(made))
