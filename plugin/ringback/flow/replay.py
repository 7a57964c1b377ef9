"""What would have happened: the same rules and gates over recorded calls, by the recording's clock.

Recordings tell of a call when it is over, but a call takes back texts from the moment it is answered. So the replay
reads on a while before it decides, as far as calls usually last.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ringback.core.calls import Call
from ringback.core.numbers import Number
from ringback.core.policy import AT_SUBMIT, Facts, Refuse, judge
from ringback.core.reasons import Reason
from ringback.core.segments import measure
from ringback.core.triggers import CallDecision, CallVerdict, Known, Rule, decide
from ringback.flow.calls import Ended, call_facts, prepare, without_text
from ringback.flow.delays import ON_THE_LINE
from ringback.flow.house import House

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
AHEAD = timedelta(hours=1)
"""How far the replay reads on; a longer call takes nothing back that was due before its end."""
MOST_AHEAD = 20_000
"""Calls kept while reading on."""
ROOM = 20_000
"""Pairs remembered before those are looked for that can be forgotten."""


@dataclass(slots=True)
class Replayed:
    """One inbound call and what would have been decided; `text` only where one would have gone."""

    call: Call
    did: str
    peer: Number
    decision: CallDecision
    text: str | None = None
    open: bool = False
    """Whether its text still waits for its moment."""


@dataclass(slots=True)
class _Memory:
    """What the database would know, kept for as long as a guard asks for it."""

    cooling: dict[tuple[str, str], datetime] = field(default_factory=dict)
    sent: deque[datetime] = field(default_factory=deque)
    to_pair: dict[tuple[str, str], list[datetime]] = field(default_factory=dict)
    waiting: dict[str, Replayed] = field(default_factory=dict)
    room: int = ROOM

    def facts(self, house: House, ended: Ended, rule: Rule, now: datetime) -> Known:
        peer = ended.peer.e164 or ended.peer.raw
        return Known(
            now,
            self.gates(house, ended.call, ended.did, ended.peer, now),
            self.cooling.get((peer, rule.group)),
            peer in self.waiting,
        )

    def gates(self, house: House, call: Call, did: str, peer: Number, now: datetime) -> Facts:
        while self.sent and self.sent[0] <= now - MINUTE:
            self.sent.popleft()
        pair = self.to_pair.get((did, peer.e164 or ""), [])
        return Facts(
            peer=peer,
            automatic=True,
            call=call_facts(call),
            own_number=peer.e164 in house.numbers,
            carrier_known=house.carrier(did) is not None,
            caller_initiated=peer.country not in house.countries_off,
            automatic_this_minute=len(self.sent),
            texts_per_minute=house.limits.texts_per_minute,
            automatic_to_pair=sum(moment > now - HOUR for moment in pair),
            automatic_per_hour=house.limits.automatic_per_hour,
        )

    def remember(self, row: Replayed, at: datetime) -> None:
        """A text went: it counts from now on."""
        rule, peer = row.decision.rule, row.peer.e164 or row.peer.raw
        assert rule is not None
        if rule.cool_down:
            self.cooling[peer, rule.group] = at + rule.cool_down
        self.sent.append(at)
        pair = self.to_pair.setdefault((row.did, peer), [])
        pair[:] = [*(moment for moment in pair if moment > at - HOUR), at]
        if len(self.cooling) + len(self.to_pair) > self.room:
            self._forget(at - HOUR)

    def _forget(self, before: datetime) -> None:
        """Drop what no guard asks for any more, so that memory does not grow with the recording."""
        self.cooling = {key: until for key, until in self.cooling.items() if until > before}
        self.to_pair = {key: moments for key, moments in self.to_pair.items() if moments[-1] > before}
        self.room = max(ROOM, 2 * (len(self.cooling) + len(self.to_pair)))


class Replay:
    """Feed it finished inbound calls in order of hang-up; it yields them decided, in the same order.

    A call whose rule has a delay is held back until the recording's clock passed it, since a call answered meanwhile
    takes its text back.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._memory = _Memory()
        self._ahead: deque[Ended] = deque()
        self._lines: dict[str, list[Call]] = {}
        self._due: list[tuple[datetime, int, Replayed]] = []
        self._held: deque[Replayed] = deque()
        self._count = 0

    def run(self, calls: Iterable[Call]) -> Iterator[Replayed]:
        for call in calls:
            self._look_ahead(call)
            seen_to = _end(call) - AHEAD
            while _end(self._ahead[0].call) < seen_to or len(self._ahead) > MOST_AHEAD:
                self._next()
            yield from self._settled()
        while self._ahead:
            self._next()
        self._fire(None)
        yield from self._settled()

    def _look_ahead(self, call: Call) -> None:
        ended = prepare(self._house, call)
        self._ahead.append(ended)
        if ended.peer.e164:
            self._lines.setdefault(ended.peer.e164, []).append(call)

    def _next(self) -> None:
        """The clock goes on to the next hang-up: texts that are due until then go, then that call is decided."""
        ended = self._ahead.popleft()
        now = _end(ended.call)
        self._fire(now)
        if peer := ended.peer.e164:
            calls = self._lines[peer]
            calls.remove(ended.call)
            if not calls:
                del self._lines[peer]
            if ended.call.answered_at is not None:
                self._returned(peer, ended.call.answered_at)
        self._take(ended, now)

    def _take(self, ended: Ended, now: datetime) -> None:
        row = Replayed(ended.call, ended.did, ended.peer, self._decide(ended, now))
        self._held.append(row)
        if row.decision.verdict is not CallVerdict.SEND:
            return
        row.text, row.open = ended.text, True
        self._memory.waiting[row.peer.e164 or ""] = row
        self._wait(row, row.decision.at or now)
        self._fire(now)

    def _decide(self, ended: Ended, now: datetime) -> CallDecision:
        rule = ended.chosen.rule
        if rule is None or ended.fault is not None:
            return without_text(ended)
        return decide(ended.call, ended.chosen, self._memory.facts(self._house, ended, rule, now))

    def _wait(self, row: Replayed, until: datetime) -> None:
        self._count += 1
        heapq.heappush(self._due, (until, self._count, row))

    def _returned(self, peer: str, at: datetime) -> None:
        """Somebody spoke with this person from `at` on: what waited for them is not needed."""
        row = self._memory.waiting.get(peer)
        if row is not None and _end(row.call) <= at:
            self._take_back(row, Reason.RETURNED)

    def _take_back(self, row: Replayed, reason: Reason) -> None:
        row.decision = CallDecision(CallVerdict.SUPPRESS, reason, row.decision.rule, tried=row.decision.tried)
        row.text, row.open = None, False
        del self._memory.waiting[row.peer.e164 or ""]

    def _fire(self, now: datetime | None) -> None:
        """Let every text go whose moment came by `now`; all of them when the recording is over."""
        while self._due and (now is None or self._due[0][0] <= now):
            due, _count, row = heapq.heappop(self._due)
            if row.open:
                self._go(row, due)

    def _go(self, row: Replayed, due: datetime) -> None:
        """Ask again, as the daemon does when a delay is over."""
        live = [call for call in self._lines.get(row.peer.e164 or "", ()) if call.started_at <= due]
        if any(call.answered_at is not None and call.answered_at >= _end(row.call) for call in live):
            self._take_back(row, Reason.RETURNED)
            return
        if live:
            steps = (max(map(_end, live)) - due) // ON_THE_LINE + 1
            self._wait(row, due + steps * ON_THE_LINE)
            return
        held = judge(self._memory.gates(self._house, row.call, row.did, row.peer, due), AT_SUBMIT)
        if measure(row.text or "").segments > self._house.limits.max_segments:
            self._take_back(row, Reason.TOO_LONG)
        elif isinstance(held, Refuse):
            self._take_back(row, held.reason)
        else:
            row.open = False
            del self._memory.waiting[row.peer.e164 or ""]
            self._memory.remember(row, due)

    def _settled(self) -> Iterator[Replayed]:
        while self._held and not self._held[0].open:
            yield self._held.popleft()


def _end(call: Call) -> datetime:
    return call.ended_at or call.started_at
