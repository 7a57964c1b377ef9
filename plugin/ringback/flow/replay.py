"""What would have happened: the same rules and gates over recorded calls, by the recording's clock."""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ringback.core.calls import Call, Outcome
from ringback.core.numbers import Number
from ringback.core.policy import AT_SUBMIT, Facts, Refuse, judge
from ringback.core.reasons import Reason
from ringback.core.triggers import CallDecision, CallVerdict, Known, Rule, decide
from ringback.flow.calls import Ended, call_facts, prepare
from ringback.flow.house import House

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@dataclass(slots=True)
class Replayed:
    """One inbound call and what would have been decided; `text` only where one would have gone."""

    call: Call
    did: str
    peer: Number
    decision: CallDecision
    text: str | None = None


@dataclass(slots=True)
class _Memory:
    """What the database would know, kept for as long as a guard asks for it."""

    cooling: dict[tuple[str, str], datetime] = field(default_factory=dict)
    sent: deque[datetime] = field(default_factory=deque)
    to_pair: dict[tuple[str, str], list[datetime]] = field(default_factory=dict)
    waiting: dict[str, Replayed] = field(default_factory=dict)

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


class Replay:
    """Feed it finished inbound calls in order of hang-up; it yields them decided, in the same order.

    A call whose rule has a delay is held back until the recording's clock passed it, since a call answered meanwhile
    takes its text back.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._memory = _Memory()
        self._due: list[tuple[datetime, int, Replayed]] = []
        self._held: deque[Replayed] = deque()
        self._open: set[int] = set()
        self._count = 0

    def run(self, calls: Iterable[Call]) -> Iterator[Replayed]:
        for call in calls:
            now = call.ended_at or call.started_at
            self._fire(now)
            self._take(call, now)
            yield from self._settled()
        self._fire(None)
        yield from self._settled()

    def _take(self, call: Call, now: datetime) -> None:
        ended = prepare(self._house, call)
        rule = ended.chosen.rule
        if call.outcome is Outcome.ANSWERED:
            self._returned(ended.peer.e164 or "")
        if rule is None:
            row = Replayed(
                call,
                ended.did,
                ended.peer,
                CallDecision(CallVerdict.NONE, ended.chosen.reason, tried=ended.chosen.tried),
            )
        elif ended.fault is not None:
            row = Replayed(call, ended.did, ended.peer, CallDecision(CallVerdict.SUPPRESS, ended.fault, rule))
        else:
            known = self._memory.facts(self._house, ended, rule, now)
            row = Replayed(call, ended.did, ended.peer, decide(call, ended.chosen, known), ended.text)
        self._held.append(row)
        if row.decision.verdict is not CallVerdict.SEND:
            row.text = None
            return
        due = row.decision.at or now
        self._count += 1
        self._open.add(id(row))
        self._memory.waiting[row.peer.e164 or ""] = row
        heapq.heappush(self._due, (due, self._count, row))
        if due <= now:
            self._fire(now)

    def _returned(self, peer: str) -> None:
        """Somebody spoke with this person: what waits for them is not needed."""
        row = self._memory.waiting.pop(peer, None)
        if row is not None:
            row.decision = CallDecision(CallVerdict.SUPPRESS, Reason.RETURNED, row.decision.rule)
            row.text = None
            self._open.discard(id(row))

    def _fire(self, now: datetime | None) -> None:
        """Let every text go whose moment came by `now`; all of them when the recording is over."""
        while self._due and (now is None or self._due[0][0] <= now):
            due, _count, row = heapq.heappop(self._due)
            if id(row) not in self._open:
                continue
            self._open.discard(id(row))
            self._memory.waiting.pop(row.peer.e164 or "", None)
            held = judge(self._memory.gates(self._house, row.call, row.did, row.peer, due), AT_SUBMIT)
            if isinstance(held, Refuse):
                row.decision = CallDecision(CallVerdict.SUPPRESS, held.reason, row.decision.rule)
                row.text = None
            else:
                self._memory.remember(row, due)

    def _settled(self) -> Iterator[Replayed]:
        while self._held and id(self._held[0]) not in self._open:
            yield self._held.popleft()
