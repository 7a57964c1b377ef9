"""What every live page of an agent has: it says that they are there, and tells them what waits for them alone."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from aiohttp import web

from ringback.core.grants import Reach
from ringback.core.permissions import Action, Principal, may
from ringback.core.rights import Rights
from ringback.core.sessions import WaitingOn
from ringback.core.text_queues import Queues, Strategy
from ringback.panel.live import Part, Sight
from ringback.panel.shell import VISIT, Shell
from ringback.ports.changes import QUEUES, SESSIONS, Touch
from ringback.ports.queues import ReadQueues
from ringback.ports.sessions import ReadSessions, Work

HERE = "/sessions"
MOST = 99

Here = Callable[[int], AbstractContextManager[None]]
"""Somebody is there, by the row of their account, as long as this is held."""


@dataclass(frozen=True, slots=True)
class ForYou:
    """How much waits for one agent: offers, requests to take one over, and people who wait for their answer."""

    offered: int = 0
    handed: int = 0
    turns: int = 0

    @property
    def all(self) -> int:
        return min(self.offered + self.handed + self.turns, MOST)


def for_you(work: Work, queues: Queues) -> ForYou:
    """Count what an agent has to do. What a queue shows to all at once is offered to each."""
    turns = sum(row.session.waiting_on is WaitingOn.AGENT for row in work.mine)
    everybodys = to_all(queues)
    offered = len(work.offered) + sum(row.session.queue in everybodys for row in work.queued)
    return ForYou(offered, len(work.handed), turns)


def to_all(queues: Queues) -> frozenset[int]:
    """The queues that show what waits in them to everybody at once, by row."""
    return frozenset(queue.id for queue in queues.all if queue.plan.strategy is Strategy.BROADCAST)


class AgentsCompany:
    """Satisfies `panel.live.Company`. What was counted holds until a session or a queue is another."""

    def __init__(self, shell: Shell, sessions: ReadSessions, queues: ReadQueues, here: Here) -> None:
        self._shell = shell
        self._sessions = sessions
        self._queues = queues
        self._here = here
        self._fresh: dict[tuple[int, Reach], ForYou] = {}
        self._last: dict[int, ForYou] = {}
        self._moves = 0

    def forget(self) -> None:
        """A session moved, or a queue works another way."""
        self._moves += 1
        self._fresh.clear()

    def here(self, request: web.Request) -> AbstractContextManager[None]:
        account = account_of(request[VISIT].principal)
        return nullcontext() if account is None else self._here(account)

    async def look(self, request: web.Request) -> Sight:
        account = account_of(request[VISIT].principal)
        if account is None:
            return Sight((), frozenset())
        waits = await self._count(account, self._shell.reach(request))

        def html() -> str:
            return self._shell.html(request, "for_you", waits=waits)

        touches = frozenset({SESSIONS, QUEUES, Touch("agent", account)})
        counts = {HERE: str(waits.all) if waits.all else ""}
        return Sight([Part("for-you", (waits.offered, waits.handed), html)], touches, counts=counts)

    async def _count(self, account: int, reach: Reach) -> ForYou:
        kept, moves = self._fresh.get((account, reach)), self._moves
        if kept is not None:
            return kept
        work, queues = await asyncio.gather(self._sessions.work(reach, account), self._queues.queues())
        counted = self._last[account] = for_you(work, queues)
        if moves == self._moves:
            self._fresh[account, reach] = counted
        return counted

    def counts(self, rights: Rights) -> Mapping[str, int]:
        """What is known without asking, for the navigation of a page that is being made."""
        account = account_of(rights.who)
        waits = self._last.get(account) if account is not None else None
        return {} if waits is None else {HERE: waits.all}


def account_of(who: Principal) -> int | None:
    """The account of somebody who takes sessions."""
    return who.account if may(who, Action.TAKE_SESSIONS) else None
