"""What is known of a pair (our number, their number): opt-outs, cool-downs, what waits, how much went already."""

from datetime import datetime, timedelta

from ringback.core.ids import Kind
from ringback.ports.changes import ANY_THREAD, Touch
from ringback.ports.pairs import PairFacts, Thread
from ringback.store.moments import maybe_moment_of, micros
from ringback.store.sql import insert, sql
from ringback.store.tx import Row, Runner, new_id

MINUTE_US = 60_000_000
HOUR = timedelta(hours=1)
AUTOMATIC = "automatic"

# One statement of primary-key look-ups, so that the facts of a pair cost the same with a million messages. Only the
# latest 200 are looked at; where all of them are of this hour it is a flood, and refusals must not push sent texts out.
FACTS = sql(
    """SELECT f.opted_out_at,
    (SELECT max(until_at) FROM cool_down WHERE peer = :peer AND group_ = :group),
    (SELECT min(due_at) FROM pending_text WHERE peer = :peer AND state = 'pending'),
    (SELECT CASE WHEN count(*) = 200 AND min(latest.created_at) > :hour_ago THEN 200 ELSE
       count(CASE WHEN latest.automatic AND latest.created_at > :hour_ago AND latest.state <> 'refused' THEN 1 END) END
       FROM (SELECT m.automatic, m.created_at, m.state FROM message m WHERE m.thread_id = t.id
       ORDER BY m.created_at DESC, m.id DESC LIMIT 200) AS latest),
    (SELECT 1 FROM message m WHERE m.thread_id = t.id AND m.state IN ('queued', 'held', 'submitting') LIMIT 1),
    (SELECT count(*) FROM setting WHERE key IN ('pause:all', :pause_number, :pause_rule)),
    (SELECT n FROM meter WHERE key = 'automatic' AND slot = :minute),
    (SELECT n FROM meter WHERE key = 'automatic' AND slot = :minute - 1),
    (SELECT n FROM meter WHERE key = :rate AND slot = :minute)
    FROM (SELECT 1 AS one) AS always LEFT JOIN number n ON n.e164 = :did
    LEFT JOIN thread t ON t.number_id = n.id AND t.peer = :peer LEFT JOIN pair_facts f ON f.thread_id = t.id"""
)
THREAD = sql(
    """INSERT INTO thread (public_id, number_id, peer, created_at, changed_at)
    SELECT :public_id, n.id, :peer, :at, :at FROM number n WHERE n.e164 = :did
    ON CONFLICT (number_id, peer) DO UPDATE SET changed_at = excluded.changed_at RETURNING id, public_id, number_id"""
)
NEW_NUMBER = insert("number", "e164", "ON CONFLICT (e164) DO NOTHING")
COOL = insert(
    "cool_down",
    "peer group_ number_id until_at",
    "ON CONFLICT (peer, group_, number_id) DO UPDATE SET until_at = excluded.until_at",
)
COUNT = insert("meter", "key slot n", "ON CONFLICT (key, slot) DO UPDATE SET n = meter.n + excluded.n")
OPT_EVENT = insert("opt_out_event", "thread_id at kind method evidence")
OPT = insert(
    "pair_facts", "thread_id opted_out_at", "ON CONFLICT (thread_id) DO UPDATE SET opted_out_at = excluded.opted_out_at"
)
FIND = sql(
    """SELECT t.id, t.number_id, n.e164, t.peer FROM thread t JOIN number n ON n.id = t.number_id
    WHERE t.public_id = :public_id"""
)
FORGET_METERS = sql("DELETE FROM meter WHERE slot < :slot")
FORGET_COOL_DOWNS = sql("DELETE FROM cool_down WHERE until_at < :now")


def _sliding(this: int, before: int, now_us: int) -> int:
    """How many in the last sixty seconds, reckoned from two whole minutes."""
    left = 1 - (now_us % MINUTE_US) / MINUTE_US
    return this + int(before * left)


class Pairs:
    def __init__(self, run: Runner) -> None:
        self._run = run

    def facts(self, did: str, peer: str, group: str, rule: str, now: datetime) -> PairFacts:
        """All that the gates want to know of a pair, in one look."""
        now_us = micros(now)
        row = self._run.one(
            FACTS,
            did=did,
            peer=peer,
            group=group,
            hour_ago=micros(now - HOUR),
            pause_number=f"pause:number:{did}",
            pause_rule=f"pause:rule:{rule}",
            minute=now_us // MINUTE_US,
            rate=f"rate:{did}",
        )
        assert row is not None
        opted_out, cooling, pending, to_pair, in_flight, pauses, this, before, rate = row
        return PairFacts(
            opted_out_at=maybe_moment_of(opted_out),
            cooling_until=maybe_moment_of(cooling),
            pending=pending is not None,
            automatic_to_pair=to_pair,
            in_flight=in_flight is not None,
            paused=pauses > 0,
            automatic_this_minute=_sliding(this or 0, before or 0, now_us),
            sent_this_minute=rate or 0,
        )

    def thread(self, did: str, peer: str, now: datetime) -> Thread:
        """Find or begin the thread of a pair; holds the pair's row until the transaction ends."""
        row = self._thread(did, peer, now)
        if row is None:
            self._run.change(NEW_NUMBER, e164=did)
            row = self._thread(did, peer, now)
        assert row is not None
        self._run.touch(ANY_THREAD, Touch("thread", row[0]))
        return Thread(row[0], row[1], row[2], did, peer)

    def _thread(self, did: str, peer: str, now: datetime) -> Row | None:
        return self._run.one(THREAD, public_id=new_id(Kind.THREAD, now), peer=peer, at=micros(now), did=did)

    def start_cool_down(self, thread: Thread, group: str, until: datetime) -> None:
        self._run.change(COOL, peer=thread.peer, group_=group, number_id=thread.number_id, until_at=micros(until))

    def count_automatic(self, now: datetime) -> None:
        self._run.change(COUNT, key=AUTOMATIC, slot=micros(now) // MINUTE_US, n=1)

    def count_sent(self, did: str, segments: int, now: datetime) -> None:
        self._run.change(COUNT, key=f"rate:{did}", slot=micros(now) // MINUTE_US, n=segments)

    def opt_out(self, thread_id: int, method: str, evidence: str, now: datetime) -> None:
        """Write the ledger and its fold in one go."""
        self._opt(thread_id, "opt_out", micros(now), method, evidence, now)

    def opt_in(self, thread_id: int, method: str, evidence: str, now: datetime) -> None:
        """The same for somebody who wants texts again."""
        self._opt(thread_id, "opt_in", None, method, evidence, now)

    def _opt(
        self, thread_id: int, kind: str, opted_out_at: int | None, method: str, evidence: str, now: datetime
    ) -> None:
        self._run.touch(ANY_THREAD, Touch("thread", thread_id))
        self._run.change(OPT_EVENT, thread_id=thread_id, at=micros(now), kind=kind, method=method, evidence=evidence)
        self._run.change(OPT, thread_id=thread_id, opted_out_at=opted_out_at)

    def find(self, public_id: str) -> Thread | None:
        row = self._run.one(FIND, public_id=public_id)
        return Thread(row[0], public_id, row[1], row[2], row[3]) if row else None

    def forget_old(self, now: datetime) -> None:
        self._run.change(FORGET_METERS, slot=micros(now) // MINUTE_US - 2)
        self._run.change(FORGET_COOL_DOWNS, now=micros(now))
