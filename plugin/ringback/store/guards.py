"""What a batch knows of its pairs that only texts of machines are asked: cool-downs, texts that wait, how many went.

Read once for all beside `Crowd`, and kept true while the texts of the batch are stored.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringback.core.messages import State
from ringback.store.moments import maybe_moment_of, micros
from ringback.store.sql import for_each
from ringback.store.tx import Runner

HOUR = timedelta(hours=1)
# Only the latest 200 are looked at; where all of them are of this hour it is a flood, and refusals must not push sent
# texts out.
OF_THIS_HOUR = """(SELECT CASE WHEN count(*) = 200 AND min(latest.created_at) > :hour_ago THEN 200 ELSE
       count(CASE WHEN latest.automatic AND latest.created_at > :hour_ago AND latest.state <> 'refused' THEN 1 END) END
       FROM (SELECT m.automatic, m.created_at, m.state FROM message m WHERE m.thread_id = t.id
       ORDER BY m.created_at DESC, m.id DESC LIMIT 200) AS latest)"""
# A range of one, in its order, names the index to PostgreSQL: by the other one it would walk through all that wait.
WAITS_FOR = "peer BETWEEN {0} AND {0} AND state = 'pending'"
WAITING = f"(SELECT 1 FROM pending_text WHERE {WAITS_FOR} ORDER BY peer LIMIT 1)"
GUARDS = for_each(
    f"""SELECT each.did, each.peer, {WAITING.format("each.peer")}, {OF_THIS_HOUR} FROM {{each}}
    LEFT JOIN number n ON n.e164 = each.did LEFT JOIN thread t ON t.number_id = n.id AND t.peer = each.peer""",
    did="text",
    peer="text",
)
COOLING = for_each(
    "SELECT c.peer, c.group_, c.number_id, c.until_at FROM {each} CROSS JOIN cool_down c WHERE c.peer = each.peer",
    peer="text",
)


@dataclass(frozen=True, slots=True)
class Guarded:
    """What the guards against machines want to know of a pair, and how many texts of machines went in this minute."""

    cooling_until: datetime | None = None
    pending: bool = False
    automatic_to_pair: int = 0
    automatic_this_minute: int = 0


class Guards:
    """A memory of the writer's transaction."""

    tables = frozenset({"cool_down", "pending_text", "message", "thread"})

    def __init__(self, run: Runner) -> None:
        self._run = run
        self._sent: dict[tuple[str, str], int] = {}
        self._pending: set[str] = set()
        self._cooling: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        run.remember(self)

    def forget(self) -> None:
        if self._sent:
            self._sent.clear()
            self._pending.clear()
            self._cooling.clear()

    def read(self, pairs: Iterable[tuple[str, str]], now: datetime) -> None:
        """Read ahead what is known of these pairs."""
        asked = sorted(set(pairs))
        found = self._run.all(GUARDS, each=json.dumps(asked), hour_ago=micros(now - HOUR))
        for did, peer, due, sent in found:
            self._sent[did, peer] = sent
            if due is not None:
                self._pending.add(peer)
        peers = json.dumps([[peer] for peer in {peer for _did, peer in asked}])
        for peer, group, number, until in self._run.all(COOLING, each=peers):
            self._cooling[peer, group][number] = until

    def of(self, did: str, peer: str, group: str, this_minute: int) -> Guarded | None:
        """None where nothing was read ahead."""
        sent = self._sent.get((did, peer))
        if sent is None:
            return None
        cooling = self._cooling.get((peer, group))
        until = max(cooling.values()) if cooling else None
        return Guarded(maybe_moment_of(until), peer in self._pending, sent, this_minute)

    def knows(self, did: str, peer: str) -> bool:
        return (did, peer) in self._sent

    def cools(self, peer: str, group: str, number: int, until: int) -> None:
        """A cool-down begins."""
        if self._sent:
            self._cooling[peer, group][number] = until

    def waits(self, peer: str) -> None:
        """A text waits out its delay."""
        self._pending.add(peer)

    def went(self, did: str, peer: str, state: State, automatic: bool) -> None:
        """A text is stored."""
        if automatic and state is not State.REFUSED and (did, peer) in self._sent:
            self._sent[did, peer] += 1
