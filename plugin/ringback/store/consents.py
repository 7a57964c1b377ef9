"""The ledger of what people said yes to, its fold beside the pair, and numbers that texts were found not to reach."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from ringback.core.consents import ConsentEvent, ConsentKind, Consents, Method, fold
from ringback.core.messages import MessageClass
from ringback.core.reasons import Reason
from ringback.ports.changes import ANY_THREAD, Touch
from ringback.store.ghosts import Ghosts
from ringback.store.moments import maybe_micros, maybe_moment_of, micros, moment_of
from ringback.store.sql import insert, sql
from ringback.store.tx import Row, Runner

EVENT = "kind, class_, scope, method, at, prompt, call_id, evidence, by_, until_at"
"""What `event_of` reads."""
OPT_EVENT = insert("opt_out_event", "thread_id at kind method evidence")
ADD = insert("consent_event", "thread_id at kind class_ scope method prompt call_id evidence by_ until_at")
OF_THREAD = sql(f"SELECT {EVENT} FROM consent_event WHERE thread_id = :thread ORDER BY id")
HOLDS = sql(
    """SELECT t.peer, f.consents, f.thread_id IS NULL
    FROM thread t LEFT JOIN pair_facts f ON f.thread_id = t.id WHERE t.id = :thread"""
)
TOLD_AT = sql("SELECT told_at FROM pair_facts WHERE thread_id = :thread")
# Somebody erased may have said STOP: that holds while there is no row of the pair's own, so a new one takes it over,
# and the ledger with it.
_OLDER = """FROM thread t JOIN thread e ON e.number_id = t.number_id AND e.peer = :ghost"""
STOPPED = sql(
    f"""SELECT o.at, o.kind, o.method {_OLDER} JOIN opt_out_event o ON o.thread_id = e.id WHERE t.id = :thread
    ORDER BY o.id DESC LIMIT 1"""
)
_KEEP = """INSERT INTO pair_facts (thread_id, opted_out_at, {0}) SELECT t.id,
    (SELECT g.opted_out_at FROM thread e JOIN pair_facts g ON g.thread_id = e.id
       WHERE e.number_id = t.number_id AND e.peer = :ghost), :{0} FROM thread t WHERE t.id = :thread
    ON CONFLICT (thread_id) DO UPDATE SET {0} = excluded.{0}"""
FOLD = sql(_KEEP.format("consents"))
# of a parameter alone PostgreSQL does not know that it is a number
TELL = sql(_KEEP.format("told_at").replace(":told_at", "CAST(:told_at AS BIGINT)"))
SAID = "f.consents, f.told_at, (SELECT x.reason FROM not_textable x WHERE x.peer = {0} AND x.until_at > :now)"
"""What `said_of` reads: a pair's facts are called `f` there, and `{0}` is the number of the person."""
NOT_TEXTABLE = sql("SELECT reason FROM not_textable WHERE peer = :peer AND until_at > :now")
LEARN = insert(
    "not_textable",
    "peer reason since_at until_at",
    """ON CONFLICT (peer) DO UPDATE SET reason = excluded.reason, until_at = excluded.until_at,
    times = not_textable.times + 1""",
)
FAILED_BEFORE = sql("SELECT 1 FROM not_textable WHERE peer = :peer AND since_at <= :moment")
UNLEARN = sql("DELETE FROM not_textable WHERE peer = :peer")
PEER_OF = sql("SELECT t.peer FROM message m JOIN thread t ON t.id = m.thread_id WHERE m.id = :message")
WROTE_FIRST = sql(
    """SELECT m.id FROM message m WHERE m.thread_id = :thread AND m.state NOT IN ('refused', 'cancelled')
    ORDER BY m.created_at DESC, m.id DESC LIMIT 1"""
)


OPT_OUT = "opt_out"


class Said(NamedTuple):
    """What the ledger and what we learned say of one person."""

    consents: Consents = Consents()
    told_at: datetime | None = None
    not_textable: Reason | None = None


NOTHING_SAID = Said()


def said_of(consents: str | None, told_at: int | None, not_textable: str | None) -> Said:
    """What is known of nearly everybody is nothing."""
    if not consents and told_at is None and not_textable is None:
        return NOTHING_SAID
    reason = Reason(not_textable) if not_textable else None
    return Said(read_consents(consents or ""), maybe_moment_of(told_at), reason)


class Ledger:
    """Satisfies `ports.consents.Ledger`."""

    def __init__(self, run: Runner, ghosts: Ghosts) -> None:
        self._run = run
        self._ghosts = ghosts

    def add(self, thread: int, event: ConsentEvent) -> None:
        ghost, holding = self._begin(thread)
        self._run.change(
            ADD,
            thread_id=thread,
            at=micros(event.at),
            kind=event.kind,
            class_=event.class_,
            scope=event.scope,
            method=event.method,
            prompt=event.prompt,
            call_id=event.call,
            evidence=event.evidence,
            by_=event.by,
            until_at=maybe_micros(event.until),
        )
        folded = write_consents(fold(holding, event))
        self._run.change(FOLD, thread=thread, ghost=ghost, consents=folded)
        self._run.touch(ANY_THREAD, Touch("thread", thread))

    def holds(self, thread: int) -> Consents:
        row = self._run.one(HOLDS, thread=thread)
        return read_consents(row[1] or "") if row else Consents()

    def of_thread(self, thread: int) -> Sequence[ConsentEvent]:
        return [event_of(row) for row in self._run.all(OF_THREAD, thread=thread)]

    def told_at(self, thread: int) -> datetime | None:
        row = self._run.one(TOLD_AT, thread=thread)
        return maybe_moment_of(row[0]) if row else None

    def tell(self, thread: int, now: datetime) -> None:
        ghost, _holding = self._begin(thread)
        self._run.change(TELL, thread=thread, ghost=ghost, told_at=micros(now))

    def not_textable(self, peer: str, now: datetime) -> Reason | None:
        row = self._run.one(NOT_TEXTABLE, peer=peer, now=micros(now))
        return Reason(row[0]) if row else None

    def failed_before(self, peer: str, moment: datetime) -> bool:
        return self._run.one(FAILED_BEFORE, peer=peer, moment=micros(moment)) is not None

    def learn_not_textable(self, peer: str, reason: Reason, now: datetime, until: datetime) -> None:
        self._run.change(LEARN, peer=peer, reason=reason, since_at=micros(now), until_at=micros(until))

    def peer_of(self, message: int) -> str | None:
        row = self._run.one(PEER_OF, message=message)
        return row[0] if row else None

    def wrote_first(self, thread: int) -> bool:
        return self._run.one(WROTE_FIRST, thread=thread) is not None

    def unlearn(self, peer: str) -> None:
        self._run.change(UNLEARN, peer=peer)

    def _begin(self, thread: int) -> tuple[str, Consents]:
        """What holds, before a change of it: the pair has a row of its own from now on."""
        row = self._run.one(HOLDS, thread=thread)
        if row is None:
            raise LookupError(f"there is no thread {thread}")
        peer, consents, first = row
        ghost = self._ghosts.of(peer)
        if first and (said := self._run.one(STOPPED, thread=thread, ghost=ghost)) and said[1] == OPT_OUT:
            at, kind, method = said
            self._run.change(OPT_EVENT, thread_id=thread, at=at, kind=kind, method=method, evidence="")
        return ghost, read_consents(consents or "")


def write_consents(consents: Consents) -> str:
    """The fold as it stands beside the pair; empty for none."""
    given = [(class_, scope, maybe_micros(until)) for class_, scope, until in consents.given]
    return json.dumps(given, separators=(",", ":")) if given else ""


def read_consents(text: str) -> Consents:
    given = json.loads(text) if text else ()
    return Consents(tuple((MessageClass(class_), scope, maybe_moment_of(until)) for class_, scope, until in given))


def event_of(row: Row) -> ConsentEvent:
    """The line in a row of these columns."""
    kind, class_, scope, method, at, prompt, call, evidence, by, until = row
    return ConsentEvent(
        ConsentKind(kind),
        MessageClass(class_),
        scope,
        Method(method),
        moment_of(at),
        prompt,
        call,
        evidence,
        by,
        maybe_moment_of(until),
    )
