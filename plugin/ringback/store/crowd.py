"""What a batch knows of its pairs: read once for them all, and kept true while the texts of the batch are stored.

It knows what every text meets; what those of machines meet besides is in `guards`.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ringback.core.messages import State, Urgency
from ringback.core.reasons import Reason
from ringback.ports.pairs import STAGING, PairFacts, Thread
from ringback.store.consents import SAID, Said, said_of
from ringback.store.ghosts import Ghosts
from ringback.store.guards import Guarded
from ringback.store.lists import MARKS, Marks, marks_of
from ringback.store.moments import maybe_moment_of, micros
from ringback.store.sql import for_each, sql
from ringback.store.tx import Question, Row, Runner

# The same questions as one pair is asked; `first` is the most urgent text that goes before, below all of them for one
# that is on its way.
CROWD = for_each(
    f"""SELECT each.did, each.peer, n.id, t.id, t.public_id,
    CASE WHEN f.thread_id IS NOT NULL THEN f.opted_out_at ELSE
      (SELECT g.opted_out_at FROM thread e JOIN pair_facts g ON g.thread_id = e.id
       WHERE e.number_id = n.id AND e.peer = each.ghost) END, {MARKS.format("each.peer", "each.ghost")},
    {SAID.format("each.peer")},
    (SELECT min(CASE WHEN m.state = 'submitting' THEN -1 ELSE m.urgency END) FROM message m WHERE m.thread_id = t.id
       AND m.state IN ('queued', 'held', 'submitting')
       AND (m.state = 'submitting' OR coalesce(m.reason, '') NOT IN ('scheduled', 'put_back') OR m.not_before <= :now))
    FROM {{each}} LEFT JOIN number n ON n.e164 = each.did
    LEFT JOIN thread t ON t.number_id = n.id AND t.peer = each.peer LEFT JOIN pair_facts f ON f.thread_id = t.id""",
    did="text",
    peer="text",
    ghost="text",
)
SWITCHES = sql(
    f"""SELECT key FROM setting WHERE key >= 'pause:' AND key < 'pause;'
    UNION ALL SELECT key FROM setting WHERE key = '{STAGING}'"""
)
ON_ITS_WAY = -1
UNGUARDED = Guarded()


@dataclass(slots=True)
class Known:
    """One pair. `thread` is None until its thread is made; `marks` tell the lists they are on, `said` what they said
    yes to; `kept`: this batch has told it that it changed."""

    number: int | None
    thread: Thread | None
    opted_out_at: datetime | None
    marks: Marks
    said: Said
    first: int | None
    kept: bool = False


class Crowd:
    """A memory of the writer's transaction."""

    tables = frozenset({"thread", "pair_facts", "message", "setting", "number", "listed", "not_textable"})

    def __init__(self, run: Runner, ghosts: Ghosts) -> None:
        self._run = run
        self._ghosts = ghosts
        self._known: dict[tuple[str, str], Known] = {}
        self._threads: dict[int, Known] = {}
        self._switches: frozenset[str] = frozenset()
        run.remember(self)

    def forget(self) -> None:
        if self._known:
            self._known, self._threads = {}, {}

    def read(self, pairs: Iterable[tuple[str, str]], now: datetime, *more: Question) -> Sequence[list[Row]]:
        """Read ahead what is known of these pairs; asks `more` in the same go, and returns what it found."""
        asked = [(did, peer, self._ghosts.of(peer)) for did, peer in set(pairs)]
        crowd: Question = (CROWD, {"each": json.dumps(asked), "now": micros(now)})
        found, switches, *others = self._run.ask(crowd, (SWITCHES, {}), *more)
        self._switches = frozenset(row[0] for row in switches)
        for did, peer, number, thread_id, public_id, opted_out, marked, *said, first in found:
            thread = Thread(thread_id, public_id, number, did, peer) if thread_id is not None else None
            marks, stopped_at = marks_of(marked), maybe_moment_of(opted_out)
            known = self._known[did, peer] = Known(number, thread, stopped_at, marks, said_of(*said), first)
            if thread is not None:
                self._threads[thread.id] = known
        return others

    def of(self, did: str, peer: str) -> Known | None:
        return self._known.get((did, peer))

    def begins(self, known: Known, thread: Thread) -> None:
        """A pair has its first thread."""
        known.thread = thread
        self._threads[thread.id] = known

    def facts(
        self, did: str, peer: str, urgency: Urgency, sent: int, rule: str = "", guarded: Guarded = UNGUARDED
    ) -> PairFacts | None:
        """What the gates want to know; None where nothing was read ahead. A text no rule asked for is not guarded."""
        known = self._known.get((did, peer))
        if known is None:
            return None
        return PairFacts(
            opted_out_at=known.opted_out_at or known.marks.stopped_at,
            cooling_until=guarded.cooling_until,
            pending=guarded.pending,
            automatic_to_pair=guarded.automatic_to_pair,
            in_flight=known.first is not None and known.first <= urgency,
            paused=bool(self._switches) and self._paused(did, rule),
            automatic_this_minute=guarded.automatic_this_minute,
            sent_this_minute=sent,
            never=known.marks.never,
            only=known.marks.only,
            staging=STAGING in self._switches,
            consents=known.said.consents,
            told_at=known.said.told_at,
            not_textable=known.said.not_textable,
        )

    def _paused(self, did: str, rule: str) -> bool:
        return not self._switches.isdisjoint(("pause:all", f"pause:number:{did}", f"pause:rule:{rule}"))

    def waits(self, thread: int, state: State, reason: Reason | None, urgency: int, later: bool) -> None:
        """A text is stored; `later`: what it waits for is still to come."""
        known = self._threads.get(thread)
        if known is None or state not in WAY_OUT or (reason is Reason.SCHEDULED and later):
            return
        first = ON_ITS_WAY if state is State.SUBMITTING else urgency
        known.first = first if known.first is None else min(known.first, first)


WAY_OUT = frozenset({State.QUEUED, State.HELD, State.SUBMITTING})
