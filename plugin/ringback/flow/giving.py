"""Gives sessions that wait to agents, and takes them from agents who are gone: steps of one transaction each."""

import heapq
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ringback.core.assignment import Candidate, choose, gives
from ringback.core.presence import GONE, Presence, Present
from ringback.core.sessions import Session, SessionState, Why
from ringback.core.text_queues import Queues, Strategy, TextQueue
from ringback.flow import sessions
from ringback.flow.house import House
from ringback.flow.presence import Permitted
from ringback.flow.session_texts import is_closed
from ringback.ports.storage import Tx

AT_ONCE = 8
"""Sessions that one transaction moves: some milliseconds, for which a text may have to wait."""
LOOKED_AT = 32
LOOKED_AT_MOST = 2_000
"""How far behind the head of a queue somebody is looked for whom anybody may take."""
RUNG_FOR = 100
"""Sessions of one queue that people are rung for; the others wait for these to be taken."""
ASKED_MOST = 50
"""Sessions of which one transaction asks who declined them."""
REST = timedelta(minutes=1)
"""Before a session is offered again to those who all declined it."""
WHY_GONE = {Presence.UNREGISTERED: Why.AGENT_UNREGISTERED, Presence.LOGGED_OUT: Why.AGENT_LOGGED_OUT}


@dataclass(frozen=True, slots=True)
class Moved:
    """How many sessions were moved, whether more may be, and when to look again if nothing else happens."""

    done: int = 0
    more: bool = False
    again: datetime | None = None


# -- agents who are gone


def take_from_gone(present: Present, now: datetime, tx: Tx, most: int = AT_ONCE) -> Moved:
    """Sessions of who is gone for longer than their queue waits go back to it; what is offered to them, at once."""
    done, again = 0, list[datetime]()
    for account in tx.sessions.loads():
        who = present.get(account)
        if who is None or who.presence not in GONE:
            continue
        for session in tx.sessions.with_agent(account):
            until = _kept_until(session, who.since, tx)
            if until is None or until > now:
                again += [until] if until is not None else []
            elif done == most:
                return Moved(done, more=True)
            else:
                sessions.let_go(session, WHY_GONE[who.presence], now, tx)
                done += 1
    return Moved(done, again=min(again, default=None))


def _kept_until(session: Session, since: datetime, tx: Tx) -> datetime | None:
    """Until when somebody who is gone keeps a session; None for as long as they like."""
    if session.state is SessionState.OFFERED:
        return since
    span = sessions.plan_of(session, tx).agent_gone
    return since + span if span else None


# -- sessions that wait


def give(
    house: House, present: Present, now: datetime, tx: Tx, most: int = AT_ONCE, permitted: Permitted | None = None
) -> Moved:
    """Give sessions to agents, those who wait longest first. Queues that are closed now keep theirs."""
    queues = tx.queues.all()
    giving = _Giving(present, now, tx, most, permitted or Permitted())
    open_ = [queue for queue in queues.all if gives(queue.plan.strategy) and not is_closed(house, queue, now)]
    for far in (LOOKED_AT, LOOKED_AT_MOST):
        crowded = giving.go_through(queues, open_, far)
        if not crowded or giving.done:
            break
    return Moved(giving.done, giving.done == most, min(giving.again, default=None))


class _Giving:
    """One transaction's giving: what everybody carries is counted along."""

    def __init__(self, present: Present, now: datetime, tx: Tx, most: int, permitted: Permitted) -> None:
        self.done = 0
        self.again: set[datetime] = set()
        self._present = present
        self._now = now
        self._tx = tx
        self._most = most
        self._permitted = permitted
        self._loads = tx.sessions.loads()
        self._room: dict[int, dict[int, Candidate]] = {}
        self._in_vain: set[tuple[int, str]] = set()
        self._asked = 0

    def go_through(self, queues: Queues, open_: list[TextQueue], far: int) -> bool:
        """Give what can be given; True where a queue is longer than was looked at."""
        crowded = False
        waiting: list[list[Session]] = []
        for queue in open_:
            if self._with_room(queue):
                in_vain = {did for row, did in self._in_vain if row == queue.id}
                waiting.append(self._tx.sessions.queued(queue.id, far, besides=in_vain))
                crowded = crowded or len(waiting[-1]) == far
        for session in heapq.merge(*waiting, key=lambda one: (one.queued_at or one.opened_at, one.id)):
            if self.done == self._most:
                break
            if (session.queue, session.did) not in self._in_vain:
                self._give(session, queues.get(session.queue))
        return crowded

    def _give(self, session: Session, queue: TextQueue) -> None:
        candidates = self._who_may(queue, session.did)
        if not candidates:
            # nobody gets more room or another right before this is over
            self._in_vain.add((session.queue, session.did))
            return
        declined = self._declined(session)
        if declined is None:
            return
        strategy = queue.plan.strategy
        last = self._tx.sessions.last_agent(session.peer) if strategy is Strategy.MOST_RECENT else None
        chosen = choose(strategy, candidates, declined, last)
        if chosen is None:
            return
        if chosen.account in declined and self._now < session.changed_at + REST:
            self.again.add(session.changed_at + REST)
        else:
            self._hand(session, queue, chosen)

    def _who_may(self, queue: TextQueue, did: str) -> list[Candidate]:
        book, may = self._tx.grants.book(), self._permitted.may
        return [one for one in self._with_room(queue).values() if may(book, one.account, did)]

    def _declined(self, session: Session) -> frozenset[int] | None:
        """Who did not want it since it waits; nobody was asked where it never changed. None: too many to ask now."""
        if session.changed_at == session.opened_at:
            return frozenset()
        self._asked += 1
        if self._asked > ASKED_MOST:
            self.again.add(self._now)
            return None
        return self._tx.sessions.declined(session.id, session.queued_at or session.opened_at)

    def _hand(self, session: Session, queue: TextQueue, to: Candidate) -> None:
        if queue.plan.at_once:
            sessions.assign(session, to.account, Why.GIVEN, "", self._now, self._tx)
        else:
            sessions.offer(session, to.account, self._now, self._tx)
        self.done += 1
        for members in self._room.values():
            one = members.pop(to.account, None)
            one = replace(one, load=one.load + 1, turn=self._now) if one is not None else None
            if one is not None and one.room:
                members[to.account] = one

    def _with_room(self, queue: TextQueue) -> dict[int, Candidate]:
        """The members who can take one more, by account; the order is no matter."""
        if queue.id not in self._room:
            found = (self._look_up(account, place) for place, account in enumerate(queue.members))
            self._room[queue.id] = {one.account: one for one in found if one is not None and one.room}
        return self._room[queue.id]

    def _look_up(self, account: int, place: int) -> Candidate | None:
        now, agent = self._present.get(account), self._tx.queues.agents().get(account)
        if now is None or agent is None or agent.disabled:
            return None
        return Candidate(now, self._loads.get(account, 0), agent.capacity, agent.voice_weight, agent.turn, place)


def calls_for(tx: Tx) -> list[Session]:
    """Sessions that wait in queues where everybody is rung for at once."""
    queues = [queue for queue in tx.queues.all().all if queue.plan.strategy is Strategy.BROADCAST]
    return [session for queue in queues for session in tx.sessions.queued(queue.id, RUNG_FOR)]
