"""Empties and removes what is too old, some rows at a time, and what is about a person who asked for it.

Rows stay where something counts or refers to them; what they held of a person goes. Ids grow with time, so each kind is
walked by its primary key from a mark on, and no statement looks at a row twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ringback.core.tasks import TaskKind
from ringback.ports.retention import Kept
from ringback.store.audit import Audit
from ringback.store.ghosts import Ghosts
from ringback.store.moments import micros
from ringback.store.search import FORGET_CAME, FORGET_SENT, FORGET_THREAD
from ringback.store.sql import Sql, sql
from ringback.store.tx import Runner

MARK = sql("SELECT value FROM setting WHERE key = :key")
PUT_MARK = sql(
    """INSERT INTO setting (key, value, changed_at, changed_by) VALUES (:key, :value, :at, 'retention')
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at"""
)


@dataclass(frozen=True, slots=True)
class Walk:
    """How one kind is walked: the next rows with their time, and what is done to those from one id to another."""

    next: Sql
    do: tuple[Sql, ...]


def _next(table: str, column: str) -> Sql:
    return sql(f"SELECT id, {column} FROM {table} WHERE id > :mark ORDER BY id LIMIT :limit")


# A text that may still be sent is not too old, however far off its moment is: the walk waits for it.
_SETTLED = """SELECT id, CASE WHEN state IN ('held', 'queued', 'submitting', 'unconfirmed') THEN 9223372036854775807
    ELSE created_at END FROM message WHERE id > :mark ORDER BY id LIMIT :limit"""
_CALLS = "call_id > :mark AND call_id <= :last"
_SESSIONS = "session_id > :mark AND session_id <= :last"
WALKS: Mapping[Kept, Walk] = {
    Kept.SENT: Walk(
        sql(_SETTLED),
        (
            sql("UPDATE message SET body = '', reference = '' WHERE id > :mark AND id <= :last"),
            sql("UPDATE part SET body = '' WHERE message_id > :mark AND message_id <= :last AND body <> ''"),
            FORGET_SENT,
        ),
    ),
    Kept.CAME: Walk(
        _next("incoming", "received_at"),
        (
            sql("UPDATE incoming SET body = '', media = 0 WHERE id > :mark AND id <= :last"),
            sql("DELETE FROM incoming_piece WHERE incoming_id > :mark AND incoming_id <= :last"),
            sql("DELETE FROM media WHERE incoming_id > :mark AND incoming_id <= :last"),
            FORGET_CAME,
        ),
    ),
    Kept.CALLS: Walk(
        _next("call", "started_at"),
        (
            sql(
                """UPDATE call SET caller = '', peer = NULL, linkedid = '',
                did = CASE WHEN direction = 'outbound' THEN '' ELSE did END WHERE id > :mark AND id <= :last"""
            ),
            sql(f"DELETE FROM call_event WHERE {_CALLS}"),
            sql(f"DELETE FROM call_leg WHERE {_CALLS}"),
            sql(f"UPDATE session SET call_id = NULL WHERE {_CALLS}"),
            sql(f"DELETE FROM pending_text WHERE {_CALLS} AND state <> 'pending'"),
        ),
    ),
    Kept.PROVIDER_IDS: Walk(
        _next("attempt", "opened_at"),
        (sql("UPDATE attempt SET provider_id = NULL, provider_key = NULL WHERE id > :mark AND id <= :last"),),
    ),
    Kept.RECEIPTS: Walk(
        _next("receipt", "received_at"),
        # unique all the same
        (sql("UPDATE receipt SET provider_id = 'old ' || id, error = '' WHERE id > :mark AND id <= :last"),),
    ),
    Kept.SESSIONS: Walk(
        # one that goes on is not too old
        sql(
            """SELECT id, coalesce(ended_at, 9223372036854775807) FROM session WHERE id > :mark
            ORDER BY id LIMIT :limit"""
        ),
        (
            sql(f"DELETE FROM transfer WHERE {_SESSIONS}"),
            sql(f"DELETE FROM session_event WHERE {_SESSIONS}"),
            sql("DELETE FROM session WHERE id > :mark AND id <= :last"),
        ),
    ),
    Kept.OFFERS: Walk(_next("call_offer", "at"), (sql("DELETE FROM call_offer WHERE id > :mark AND id <= :last"),)),
    Kept.AUDIT: Walk(_next("audit", "at"), ()),
}

_KINDS = " UNION ALL ".join(f"SELECT '{kind}:' AS kind" for kind in TaskKind)


def _silence(column: str, rows: str) -> str:
    """Tasks about these rows lose their words; they are found by their key, which ends with the row."""
    return f"""UPDATE task SET detail = '' WHERE {column} IN {rows} AND key IN
    (SELECT always.kind || r.id FROM ({_KINDS}) AS always CROSS JOIN {rows} AS r)"""


THREADS = sql(
    """SELECT t.id, t.public_id, n.e164 FROM thread t JOIN number n ON n.id = t.number_id WHERE t.peer = :peer"""
)
OF_THREAD = "(SELECT id FROM message WHERE thread_id = :thread)"
CAME_IN_THREAD = "(SELECT id FROM incoming WHERE thread_id = :thread)"
WITH_THREAD = "(SELECT id FROM session WHERE thread_id = :thread)"
TRIED_IN_THREAD = f"(SELECT id FROM attempt WHERE message_id IN {OF_THREAD})"
COUNT_TEXTS = sql(
    """SELECT (SELECT count(*) FROM message WHERE thread_id = :thread)
    + (SELECT count(*) FROM incoming WHERE thread_id = :thread)"""
)
EMPTY_THREAD = (
    *FORGET_THREAD,
    sql(f"UPDATE part SET body = '' WHERE message_id IN {OF_THREAD}"),
    sql(f"""UPDATE receipt SET provider_id = 'erased ' || id, error = '' WHERE attempt_id IN {TRIED_IN_THREAD}"""),
    sql(
        f"""UPDATE attempt SET provider_id = NULL, provider_key = NULL, cause = NULL WHERE message_id IN {OF_THREAD}"""
    ),
    sql(f"UPDATE message_event SET detail = '' WHERE message_id IN {OF_THREAD}"),
    sql("UPDATE message SET body = '', reference = '', windows = '' WHERE thread_id = :thread"),
    sql(f"DELETE FROM incoming_piece WHERE incoming_id IN {CAME_IN_THREAD}"),
    sql(f"DELETE FROM media WHERE incoming_id IN {CAME_IN_THREAD}"),
    sql(f"DELETE FROM inbound_raw WHERE incoming_id IN {CAME_IN_THREAD}"),
    sql(_silence("message_id", OF_THREAD)),
    sql(_silence("incoming_id", CAME_IN_THREAD)),
    sql(
        """UPDATE incoming SET body = '', media = 0, piece_ref = '', read_at = coalesce(read_at, received_at)
        WHERE thread_id = :thread"""
    ),
    sql("UPDATE opt_out_event SET evidence = '' WHERE thread_id = :thread"),
    sql("UPDATE consent_event SET evidence = '' WHERE thread_id = :thread"),
    sql("UPDATE pair_facts SET consents = '', told_at = NULL WHERE thread_id = :thread"),
    sql(f"UPDATE session_event SET detail = '' WHERE session_id IN {WITH_THREAD}"),
    sql(f"UPDATE transfer SET note = '' WHERE session_id IN {WITH_THREAD}"),
)
NAME_SESSIONS = sql("UPDATE session SET peer = :ghost, caller_name = '', ivr_path = '' WHERE thread_id = :thread")
# A person who came back and is erased again has a ghost already: the younger thread takes a name of its own.
RENAME = sql(
    """UPDATE thread SET peer = CASE WHEN EXISTS (SELECT 1 FROM thread o WHERE o.number_id = thread.number_id
    AND o.peer = :ghost) THEN :ghost || '.' || id ELSE :ghost END, unread = 0, waits_since_at = NULL
    WHERE id = :thread"""
)
_OLDER = """SELECT o.id FROM thread o JOIN thread t ON t.number_id = o.number_id
    WHERE t.id = :thread AND o.peer = :ghost AND o.id <> t.id"""
# What they said last goes to the older one, which alone is looked at: ledger and block together, as the doctor folds.
KEEP_STOP = (
    sql(
        f"""INSERT INTO pair_facts (thread_id, opted_out_at) SELECT older.id, f.opted_out_at FROM pair_facts f
        JOIN ({_OLDER}) AS older ON f.thread_id = :thread WHERE f.thread_id = :thread
        ON CONFLICT (thread_id) DO UPDATE SET opted_out_at = excluded.opted_out_at"""
    ),
    sql(f"DELETE FROM pair_facts WHERE thread_id = :thread AND EXISTS ({_OLDER})"),
    sql(f"UPDATE opt_out_event SET thread_id = ({_OLDER}) WHERE thread_id = :thread AND EXISTS ({_OLDER})"),
)

COUNT_CALLS = sql("SELECT count(*) FROM call WHERE peer = :peer")
OF_PERSON = "(SELECT id FROM call WHERE peer = :peer)"
EMPTY_CALLS = (
    sql(f"DELETE FROM call_event WHERE call_id IN {OF_PERSON}"),
    sql(f"DELETE FROM call_leg WHERE call_id IN {OF_PERSON} AND phone LIKE '%' || :digits || '%'"),
    sql(_silence("call_id", OF_PERSON)),
    sql(f"DELETE FROM pending_text WHERE call_id IN {OF_PERSON}"),
    sql("DELETE FROM cool_down WHERE peer = :peer"),
    sql("DELETE FROM not_textable WHERE peer = :peer"),
    sql("UPDATE call_offer SET peer = '' WHERE peer = :peer"),
    sql(
        """UPDATE call_offer SET peer = '' WHERE id IN (SELECT o.id FROM call c
        JOIN call_offer o ON o.pbx = c.pbx AND o.uniqueid = c.uniqueid WHERE c.peer = :peer)"""
    ),
    sql(
        """UPDATE call SET caller = '', did = CASE WHEN direction = 'outbound' THEN '' ELSE did END, peer = NULL
        WHERE peer = :peer"""
    ),
)
FROM_BULKS = sql("DELETE FROM bulk_item WHERE peer = :peer")
FEW_OF_BULKS = sql(
    """UPDATE bulk SET cancelled = cancelled + (SELECT count(*) FROM bulk_item i WHERE i.bulk_id = bulk.id
    AND i.peer = :peer) WHERE state IN ('open', 'paused')"""
)
# What is still to be read is left: it was acknowledged, and may be a STOP. Filed rows count too, so that a page is
# small however few are not.
UNFILED = sql(
    """SELECT id, CASE WHEN incoming_id IS NULL AND state <> 'stored' THEN body END, why FROM inbound_raw
    WHERE id > :after ORDER BY id LIMIT :limit"""
)
# A yes counts from the last that passed between the two.
YESES = sql(
    """SELECT e.id, e.thread_id, (SELECT max(x.at) FROM consent_event x WHERE x.thread_id = e.thread_id),
    (SELECT max(m.created_at) FROM message m WHERE m.thread_id = e.thread_id),
    (SELECT max(i.at) FROM incoming i WHERE i.thread_id = e.thread_id)
    FROM consent_event e WHERE e.id > :mark ORDER BY e.id LIMIT :limit"""
)
FORGET_YESES = (
    sql("DELETE FROM consent_event WHERE thread_id = :thread"),
    sql("UPDATE pair_facts SET consents = '', told_at = NULL WHERE thread_id = :thread"),
)
FORGET_BARRED = sql("DELETE FROM not_textable WHERE until_at < :now")
DROP_RAW = sql("DELETE FROM inbound_raw WHERE id = :id")
CONSENTS = "retention:consents"
LEAST_DIGITS = 7
"""Of a number written without its country at least so many digits stand in what was never read."""


class Retention:
    """Satisfies `ports.retention.Retention`."""

    def __init__(self, run: Runner, ghosts: Ghosts, audit: Audit) -> None:
        self._run = run
        self._ghosts = ghosts
        self._audit = audit

    def age(self, what: Kept, before: datetime, limit: int, now: datetime | None = None) -> int:
        """Empty the next rows that are older; returns how many there were, fewer than `limit` at the end."""
        walk, key, end = WALKS[what], f"retention:{what}", micros(before)
        row = self._run.one(MARK, key=key)
        mark = int(row[0]) if row else 0
        old: list[int] = []
        for id_, at in self._run.all(walk.next, mark=mark, limit=limit):
            if at >= end:
                break
            old.append(id_)
        if old:
            for statement in walk.do:
                self._run.change(statement, mark=mark, last=old[-1])
            if what is Kept.AUDIT:
                self._audit.forget(old[-1], now or before)
            self._run.change(PUT_MARK, key=key, value=str(old[-1]), at=end)
            for _ in old:
                self._run.count("erased", what)
        return len(old)

    def age_consents(self, before: datetime, limit: int) -> int:
        """Look at the next lines of the ledger, round and round; drop those of pairs that were silent since."""
        end, row = micros(before), self._run.one(MARK, key=CONSENTS)
        looked = self._run.all(YESES, mark=int(row[0]) if row else 0, limit=limit)
        silent = {thread for _id, thread, *moments in looked if all(at is None or at < end for at in moments)}
        for thread in silent:
            for statement in FORGET_YESES:
                self._run.change(statement, thread=thread)
            self._run.count("erased", "consents")
        last = looked[-1][0] if len(looked) == limit else 0
        self._run.change(PUT_MARK, key=CONSENTS, value=str(last), at=end)
        return len(silent)

    def forget_barred(self, now: datetime) -> None:
        self._run.change(FORGET_BARRED, now=micros(now))

    def threads_of(self, peer: str) -> list[tuple[int, str, str]]:
        return [(row[0], row[1], row[2]) for row in self._run.all(THREADS, peer=peer)]

    def ghost(self, peer: str) -> str:
        return self._ghosts.of(peer)

    def empty_threads(self, threads: Sequence[int], ghost: str) -> int:
        texts = 0
        for thread in threads:
            row = self._run.one(COUNT_TEXTS, thread=thread)
            texts += row[0] if row else 0
            for statement in EMPTY_THREAD:
                self._run.change(statement, thread=thread)
            for statement in KEEP_STOP:
                self._run.change(statement, thread=thread, ghost=ghost)
            self._run.change(RENAME, thread=thread, ghost=ghost)
            self._run.change(NAME_SESSIONS, thread=thread, ghost=ghost)
        self._run.count("erased", "person")
        return texts

    def empty_calls(self, peer: str) -> int:
        row = self._run.one(COUNT_CALLS, peer=peer)
        for statement in EMPTY_CALLS:
            self._run.change(statement, peer=peer, digits=peer.lstrip("+"))
        return row[0] if row else 0

    def leave_runs(self, peer: str) -> int:
        self._run.change(FEW_OF_BULKS, peer=peer)
        return self._run.change(FROM_BULKS, peer=peer)

    def drop_unfiled(self, peer: str, after: int, limit: int) -> int:
        """What was never filed under a thread may name them in any form."""
        digits = peer.lstrip("+")
        part = digits[-max(LEAST_DIGITS, len(digits) - 3) :].encode()
        for id_, body, why in self._run.all(UNFILED, after=after, limit=limit):
            after = id_
            if body is not None and (part in bytes(body) or part in why.encode()):
                self._run.change(DROP_RAW, id=id_)
        return after
