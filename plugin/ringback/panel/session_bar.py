"""What stands over a thread: its open session with who has it and what can be done, and the call that goes on."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from aiohttp import web

from ringback.core.calls import Direction
from ringback.core.permissions import Action, may
from ringback.core.presence import Present
from ringback.core.sessions import WITH_AGENT, SessionState
from ringback.core.text_queues import Queues
from ringback.panel import session_words
from ringback.panel.call_words import Mark
from ringback.panel.live import Part
from ringback.panel.say import Say
from ringback.panel.shell import VISIT, Shell
from ringback.ports.changes import VOICE, Touch
from ringback.ports.queues import Agent, ReadQueues
from ringback.ports.sessions import ReadSessions, SessionRow, SessionStory
from ringback.ports.threads import CallLine, Head

CLAIMED = frozenset({SessionState.QUEUED, SessionState.DISMISSED})
"""Who wants a session in one of these may claim it."""


@dataclass(frozen=True, slots=True)
class OnCall:
    """Their call that goes on. `who` has them by name, or `queue` is where they wait; both may be unknown."""

    call: str
    since: datetime
    talks: bool
    who: str = ""
    mine: bool = False
    queue: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody, or a queue, that a session can be handed on to."""

    to: str
    name: str
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """All of it, for one reader; `me` is the row of their account."""

    me: int | None = None
    stories: tuple[SessionStory, ...] = ()
    call: OnCall | None = None
    agents: tuple[Choice, ...] = ()
    queues: tuple[Choice, ...] = ()

    @property
    def story(self) -> SessionStory | None:
        """The session that is open."""
        return next((story for story in self.stories if story.row.session.open), None)

    @property
    def row(self) -> SessionRow | None:
        return None if self.story is None else self.story.row

    @property
    def mine(self) -> bool:
        """Whether the reader has it."""
        return self.row is not None and self.me is not None and has(self.row) == self.me

    @property
    def hands_on(self) -> bool:
        """Whether the reader can ask somebody to take it."""
        row = self.row
        return row is not None and self.mine and row.session.state is SessionState.ASSIGNED and row.transfer is None

    @property
    def offered(self) -> bool:
        """Whether it is offered to the reader."""
        return self.row is not None and self.me is not None and self.row.session.offered_to == self.me

    @property
    def free(self) -> bool:
        """Whether the reader may claim it."""
        return self.row is not None and self.row.session.state in CLAIMED

    @property
    def elsewhere(self) -> str:
        """Who else has it, by name."""
        return self.row.agent if self.row is not None and has(self.row) is not None and not self.mine else ""

    @property
    def since(self) -> datetime | None:
        """Since when it is as it is."""
        return None if self.row is None else session_words.since(self.row)


def has(row: SessionRow) -> int | None:
    """Who has a session now."""
    return row.session.agent if row.session.state in WITH_AGENT else None


class AboveThread(Protocol):
    """What a thread's page asks for, and what may change in it."""

    async def of(self, request: web.Request, head: Head) -> Bar: ...
    def parts(self, request: web.Request, head: Head, bar: Bar) -> list[Part]: ...
    def touches(self, bar: Bar) -> frozenset[Touch]: ...


class NoBars:
    """For pages without sessions."""

    async def of(self, request: web.Request, head: Head) -> Bar:
        return Bar()

    def parts(self, request: web.Request, head: Head, bar: Bar) -> list[Part]:
        return []

    def touches(self, bar: Bar) -> frozenset[Touch]:
        return frozenset()


Waits = Callable[[str, str], str]
"""In which queue a call waits now, by its PBX and id; empty for in none, as far as we hear."""


@dataclass(frozen=True, slots=True)
class Staff:
    """Agents and queues as they are now. `present` is asked anew each time."""

    queues: ReadQueues
    present: Callable[[], Present]
    waits: Waits

    async def all(self) -> tuple[Mapping[int, Agent], Queues]:
        agents, queues = await asyncio.gather(self.queues.agents(), self.queues.queues())
        return agents, queues


class Bars:
    """Reads and fills them."""

    def __init__(self, shell: Shell, sessions: ReadSessions, staff: Staff) -> None:
        self._shell = shell
        self._sessions = sessions
        self._staff = staff

    async def of(self, request: web.Request, head: Head) -> Bar:
        """What stands over a thread for whoever asks."""
        who = request[VISIT].principal
        stories = tuple(await self._sessions.of_thread(self._shell.reach(request), head.public_id, who.account))
        bar, call = Bar(who.account, stories), live_call(head)
        if call is None and not bar.mine:
            return bar
        agents, queues = await self._staff.all()
        if call is not None:
            bar = replace(bar, call=self._on_call(call, agents, who.account))
        if bar.mine and may(who, Action.TAKE_SESSIONS):
            bar = replace(bar, agents=self._colleagues(agents, who.account), queues=_choices(queues))
        return bar

    def parts(self, request: web.Request, head: Head, bar: Bar) -> list[Part]:
        """Its parts of a live page. Whom it can be handed to is looked up when it is shown, and not kept up to date:
        a list must not move under somebody who chooses."""

        def html(template: str) -> Callable[[], str]:
            return lambda: self._shell.html(request, template, head=head, bar=bar, S=session_words)

        who = request[VISIT].principal
        parts = [
            Part("live-call", (bar.call, bar.row), html("live_call")),
            Part("session-bar", (bar.row, may(who, Action.TAKE_SESSIONS)), html("session_bar")),
        ]
        return (
            [*parts, Part("elsewhere", bar.elsewhere, html("session_elsewhere"))] if may(who, Action.REPLY) else parts
        )

    def touches(self, bar: Bar) -> frozenset[Touch]:
        """What changes it beside its thread: somebody who waits in a queue of the PBX is given to a phone."""
        return frozenset({VOICE}) if bar.call is not None and not bar.call.talks else frozenset()

    def _on_call(self, call: CallLine, agents: Mapping[int, Agent], me: int | None) -> OnCall:
        since = call.answered_at or call.at
        if not call.answered_by:
            queue = "" if call.answered_at else self._staff.waits(call.pbx, call.uniqueid)
            return OnCall(call.public_id, since, call.answered_at is not None, queue=queue)
        agent = next((one for one in agents.values() if one.phone == call.answered_by), None)
        who = agent.name or agent.login if agent else call.answered_by
        return OnCall(call.public_id, since, True, who, agent is not None and agent.account == me)

    def _colleagues(self, agents: Mapping[int, Agent], me: int | None) -> tuple[Choice, ...]:
        present = self._staff.present()
        found = [
            Choice(agent.public_id, agent.name or agent.login, _mark(present, agent.account))
            for agent in agents.values()
            if agent.account != me and not agent.disabled
        ]
        return tuple(sorted(found, key=lambda choice: choice.name.casefold()))


def said(request: web.Request, stories: Iterable[SessionStory], me: int | None) -> Say | None:
    """What is said once after a button that changed nothing: what holds now instead. `?missed=` names the session."""
    about = request.query.get("missed", "")
    if not about:
        return None
    row = next((story.row for story in stories if story.row.session.public_id == about), None)
    return Say(session_words.GONE) if row is None else session_words.missed(row, me)


def live_call(head: Head) -> CallLine | None:
    """The call of theirs that goes on, the newest of them."""
    return next((call for call in head.calls if call.ended_at is None and call.direction == Direction.INBOUND), None)


def _mark(present: Present, account: int) -> Mark | None:
    now = present.get(account)
    return None if now is None else session_words.PRESENCE[now.presence]


def _choices(queues: Queues) -> tuple[Choice, ...]:
    return tuple(Choice(queue.public_id, queue.name) for queue in queues.all)
