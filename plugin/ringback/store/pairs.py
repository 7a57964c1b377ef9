"""What is known of a pair (our number, their number): opt-outs, cool-downs, what waits, how much went already."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from ringback.core.ids import Kind
from ringback.core.messages import Urgency
from ringback.ports.changes import ANY_THREAD, Touch
from ringback.ports.pairs import STAGING, PairFacts, Thread
from ringback.store.book import turn
from ringback.store.consents import SAID, said_of
from ringback.store.crowd import Crowd, Known
from ringback.store.ghosts import Ghosts
from ringback.store.guards import HOUR, OF_THIS_HOUR, WAITING, Guards
from ringback.store.lists import MARKS, marks_of
from ringback.store.meters import MINUTE_US, Meters, meters_of
from ringback.store.moments import maybe_moment_of, micros
from ringback.store.sql import for_each, insert, sql
from ringback.store.tx import Row, Runner, new_id

AUTOMATIC = "automatic"
AT_ONCE = 500
"""So many people go into one question."""
# One statement of primary-key look-ups, so that the facts of a pair cost the same with a million messages.
FACTS = sql(
    f"""SELECT CASE WHEN f.thread_id IS NOT NULL THEN f.opted_out_at ELSE
      (SELECT g.opted_out_at FROM thread e JOIN pair_facts g ON g.thread_id = e.id
       WHERE e.number_id = n.id AND e.peer = :ghost) END, {MARKS.format(":peer", ":ghost")},
    {SAID.format(":peer")},
    (SELECT max(until_at) FROM cool_down WHERE peer = :peer AND group_ = :group),
    {WAITING.format(":peer")}, {OF_THIS_HOUR},
    (SELECT 1 FROM message m WHERE m.thread_id = t.id AND m.state IN ('queued', 'held', 'submitting')
       AND (m.state = 'submitting' OR (m.urgency <= :urgency
       AND (coalesce(m.reason, '') NOT IN ('scheduled', 'put_back') OR m.not_before <= :now))) LIMIT 1),
    (SELECT sum(CASE key WHEN '{STAGING}' THEN 8 ELSE 1 END) FROM setting
       WHERE key IN ('{STAGING}', 'pause:all', :pause_number, :pause_rule)),
    (SELECT n FROM meter WHERE key = 'automatic' AND slot = :minute),
    (SELECT n FROM meter WHERE key = 'automatic' AND slot = :minute - 1),
    (SELECT n FROM meter WHERE key = :rate AND slot = :minute)
    FROM (SELECT 1 AS one) AS always LEFT JOIN number n ON n.e164 = :did
    LEFT JOIN thread t ON t.number_id = n.id AND t.peer = :peer LEFT JOIN pair_facts f ON f.thread_id = t.id"""
)
THREAD = sql(
    """INSERT INTO thread (id, public_id, number_id, peer, created_at, changed_at)
    SELECT :id, :public_id, n.id, :peer, :at, :at FROM number n WHERE n.e164 = :did
    ON CONFLICT (number_id, peer) DO UPDATE SET changed_at = excluded.changed_at RETURNING id, public_id, number_id"""
)
KEEP_THREAD = insert(
    "thread",
    "id public_id number_id peer created_at changed_at",
    "ON CONFLICT (number_id, peer) DO UPDATE SET changed_at = excluded.changed_at",
)
NEW_NUMBER = insert("number", "e164", "ON CONFLICT (e164) DO NOTHING")
COOL = insert(
    "cool_down",
    "peer group_ number_id until_at",
    "ON CONFLICT (peer, group_, number_id) DO UPDATE SET until_at = excluded.until_at",
)
OPT_EVENT = insert("opt_out_event", "thread_id at kind method evidence")
OPT = insert(
    "pair_facts", "thread_id opted_out_at", "ON CONFLICT (thread_id) DO UPDATE SET opted_out_at = excluded.opted_out_at"
)
FIND = sql(
    """SELECT t.id, t.number_id, n.e164, t.peer FROM thread t JOIN number n ON n.id = t.number_id
    WHERE t.public_id = :public_id"""
)
OF_PEER = sql(
    """SELECT t.id, t.public_id, t.number_id, n.e164, t.peer FROM thread t JOIN number n ON n.id = t.number_id
    WHERE t.peer = :peer ORDER BY t.id"""
)
OF_PEERS = for_each(
    """SELECT t.id, t.public_id, t.number_id, n.e164, t.peer FROM {each} CROSS JOIN thread t
    JOIN number n ON n.id = t.number_id WHERE t.peer = each.peer""",
    peer="text",
)
SAID_LAST = sql("SELECT method FROM opt_out_event WHERE thread_id = :thread ORDER BY id DESC LIMIT 1")
FORGET_COOL_DOWNS = sql("DELETE FROM cool_down WHERE until_at < :now")


def _sliding(this: int, before: int, now_us: int) -> int:
    """How many in the last sixty seconds, reckoned from two whole minutes."""
    left = 1 - (now_us % MINUTE_US) / MINUTE_US
    return this + int(before * left)


class Pairs(Meters):
    """Satisfies `ports.pairs.Pairs`."""

    def __init__(self, run: Runner, ghosts: Ghosts, crowd: Crowd, guards: Guards) -> None:
        super().__init__(run)
        self._ghosts = ghosts
        self._crowd = crowd
        self._guards = guards

    def read_ahead(self, pairs: Iterable[tuple[str, str]], now: datetime) -> None:
        """Read what is known of many pairs, for the texts of a batch, and what their numbers sent in this minute."""
        known = list(pairs)
        slot = micros(now) // MINUTE_US
        (meters,) = self._crowd.read(known, now, meters_of({(f"rate:{did}", slot) for did, _peer in known}))
        self._learn_meters(meters)

    def read_guards_ahead(self, pairs: Iterable[tuple[str, str]], now: datetime) -> None:
        """The same for texts that machines ask for, which more is asked about."""
        known, slot = list(pairs), micros(now) // MINUTE_US
        self.read_ahead(known, now)
        self._guards.read(known, now)
        self._learn_meters(*self._run.ask(meters_of(((AUTOMATIC, slot), (AUTOMATIC, slot - 1)))))

    def plain_facts(self, did: str, peer: str, now: datetime, urgency: Urgency) -> PairFacts:
        """What the gates want to know of a text that no rule asked for; cheap for a pair that was read ahead."""
        if self._crowd.of(did, peer) is None:
            return self.facts(did, peer, "", "", now, urgency)
        sent = self._metered(f"rate:{did}", micros(now) // MINUTE_US)
        facts = self._crowd.facts(did, peer, urgency, sent)
        return facts or self.facts(did, peer, "", "", now, urgency)

    def facts(
        self, did: str, peer: str, group: str, rule: str, now: datetime, urgency: Urgency = Urgency.BULK
    ) -> PairFacts:
        """All that the gates want to know of a pair, in one look; `urgency` is that of the text they are asked for."""
        return self._known_facts(did, peer, group, rule, now, urgency) or self._facts(
            did, peer, group, rule, now, urgency
        )

    def _known_facts(
        self, did: str, peer: str, group: str, rule: str, now: datetime, urgency: Urgency
    ) -> PairFacts | None:
        if not self._guards.knows(did, peer) or self._crowd.of(did, peer) is None:
            return None
        now_us = micros(now)
        slot = now_us // MINUTE_US
        this, before = self._metered(AUTOMATIC, slot), self._metered(AUTOMATIC, slot - 1)
        sent = self._metered(f"rate:{did}", slot)
        guarded = self._guards.of(did, peer, group, _sliding(this, before, now_us))
        return self._crowd.facts(did, peer, urgency, sent, rule, guarded) if guarded else None

    def _facts(self, did: str, peer: str, group: str, rule: str, now: datetime, urgency: Urgency) -> PairFacts:
        now_us = micros(now)
        row = self._run.one(
            FACTS,
            did=did,
            peer=peer,
            ghost=self._ghosts.of(peer),
            group=group,
            hour_ago=micros(now - HOUR),
            urgency=urgency,
            now=now_us,
            pause_number=f"pause:number:{did}",
            pause_rule=f"pause:rule:{rule}",
            minute=now_us // MINUTE_US,
            rate=f"rate:{did}",
        )
        assert row is not None
        (
            opted_out,
            marked,
            consents,
            told,
            barred,
            cooling,
            pending,
            to_pair,
            in_flight,
            switches,
            this,
            before,
            rate,
        ) = row
        marks, said = marks_of(marked), said_of(consents, told, barred)
        return PairFacts(
            opted_out_at=maybe_moment_of(opted_out) or marks.stopped_at,
            cooling_until=maybe_moment_of(cooling),
            pending=pending is not None,
            automatic_to_pair=to_pair,
            in_flight=in_flight is not None,
            paused=(switches or 0) % 8 > 0,
            automatic_this_minute=_sliding(this or 0, before or 0, now_us),
            sent_this_minute=rate or 0,
            never=marks.never,
            only=marks.only,
            staging=(switches or 0) >= 8,
            consents=said.consents,
            told_at=said.told_at,
            not_textable=said.not_textable,
        )

    def thread(self, did: str, peer: str, now: datetime) -> Thread:
        """Find or begin the thread of a pair; holds the pair's row until the transaction ends."""
        known = self._crowd.of(did, peer)
        if known is not None and known.number is not None:
            return self._known_thread(known, known.number, did, peer, now)
        row = self._thread(did, peer, now)
        if row is None:
            self._run.change(NEW_NUMBER, e164=did)
            turn(self._run, "", now)
            row = self._thread(did, peer, now)
        assert row is not None
        self._run.touch(ANY_THREAD, Touch("thread", row[0]))
        return Thread(row[0], row[1], row[2], did, peer)

    def _known_thread(self, known: Known, number: int, did: str, peer: str, now: datetime) -> Thread:
        """The same for a pair that was read ahead: told once a batch that it changed."""
        thread = known.thread
        if thread is None:
            thread = Thread(self._run.next_id("thread"), new_id(Kind.THREAD, now), number, did, peer)
            self._crowd.begins(known, thread)
        if not known.kept:
            known.kept = True
            row = {"id": thread.id, "public_id": thread.public_id, "number_id": number, "peer": peer}
            self._run.change_later(KEEP_THREAD, **row, created_at=micros(now), changed_at=micros(now))
            self._run.touch(ANY_THREAD, Touch("thread", thread.id))
        return thread

    def _thread(self, did: str, peer: str, now: datetime) -> Row | None:
        id_ = self._run.next_id("thread")
        return self._run.one(THREAD, id=id_, public_id=new_id(Kind.THREAD, now), peer=peer, at=micros(now), did=did)

    def start_cool_down(self, thread: Thread, group: str, until: datetime) -> None:
        until_us = micros(until)
        self._guards.cools(thread.peer, group, thread.number_id, until_us)
        self._run.change_later(COOL, peer=thread.peer, group_=group, number_id=thread.number_id, until_at=until_us)

    def count_automatic(self, now: datetime) -> None:
        self._add(AUTOMATIC, micros(now) // MINUTE_US, 1)

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

    def threads_of(self, peer: str) -> list[Thread]:
        return [Thread(*row) for row in self._run.all(OF_PEER, peer=peer)]

    def threads_of_many(self, peers: Sequence[str]) -> Iterator[Thread]:
        for start in range(0, len(peers), AT_ONCE):
            few = json.dumps([[peer] for peer in peers[start : start + AT_ONCE]])
            yield from (Thread(*row) for row in self._run.all(OF_PEERS, each=few))

    def said_last(self, thread_id: int) -> str:
        row = self._run.one(SAID_LAST, thread=thread_id)
        return row[0] if row else ""

    def forget_old(self, now: datetime) -> None:
        self.forget_spans(now)
        self._run.change(FORGET_COOL_DOWNS, now=micros(now))
