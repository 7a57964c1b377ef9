"""The live board of a supervisor: queues, agents and sessions as they are now, and who shall have a session."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from urllib.parse import urlencode

from aiohttp import web

from ringback.core.grants import Reach
from ringback.core.permissions import Action
from ringback.core.sessions import SessionState, StartType
from ringback.core.text_queues import Queues
from ringback.panel import queue_words, session_words
from ringback.panel.board_view import SHOWN_STATES, AgentShown, QueueShown, Shown, Sources, show
from ringback.panel.call_line import code_of
from ringback.panel.live import Part, Sight, Streams
from ringback.panel.shell import VISIT, Shell
from ringback.panel.words import N_
from ringback.ports import Clock
from ringback.ports.changes import PRESENCE, QUEUES, SESSIONS, VOICE
from ringback.ports.queues import Agent, ReadQueues
from ringback.ports.sessions import Board, Narrowed, ReadSessions, SessionRow

HERE = "/board"
QUEUE_BOX, AGENT_BOX, SESSION_BOX = "board-queues", "board-agents", "board-sessions"
MOST_SESSIONS, AGENTS_AT_ONCE = 200, 100
KEPT = timedelta(seconds=10)
"""So long figures of the database may be shown that nothing rang for, as those of texts."""
MOST_KEPT = 100
TOUCHES = frozenset({SESSIONS, PRESENCE, QUEUES, VOICE})
DONE = {
    "taken": N_("You have the session."),
    "given": N_("The session is with them now."),
    "queued": N_("The session waits in its queue."),
    "away": N_("They are away, and what they had waits in its queue."),
    "unwritten": N_("They may not answer texts of this number, or take no sessions. Nothing was changed."),
}


@dataclass(frozen=True, slots=True)
class BoardParts:
    """What is read for a board."""

    sessions: ReadSessions
    queues: ReadQueues
    sources: Sources
    clock: Clock


@dataclass(frozen=True, slots=True)
class Asked:
    """What a board was asked for, as it stands in its address."""

    queue: str = ""
    agent: str = ""
    state: str = ""
    start: str = ""
    page: int = 0

    @property
    def narrowed(self) -> bool:
        return bool(self.queue or self.agent or self.state or self.start)

    def link(self, path: str = HERE, **more: str) -> str:
        """The same board at another place of its own."""
        said = {"queue": self.queue, "agent": self.agent, "state": self.state, "start": self.start}
        said |= {"agents": str(self.page) if self.page else "", **more}
        query = urlencode({name: value for name, value in said.items() if value})
        return f"{path}?{query}" if query else path


class BoardPages:
    """The board itself, and its stream."""

    def __init__(self, shell: Shell, parts: BoardParts, streams: Streams) -> None:
        self._shell = shell
        self._parts = parts
        self._streams = streams
        self._kept: dict[tuple[Reach, Narrowed], tuple[datetime, Board]] = {}
        self._texts: dict[Reach, tuple[datetime, tuple[int, int]]] = {}
        self._turns = 0

    def routes(self) -> list[web.RouteDef]:
        return [web.get(HERE, self.show), web.get(f"{HERE}/events", self.follow, allow_head=False)]

    def forget(self) -> None:
        """Some session moved: what is kept of the database does not hold any more."""
        self._turns += 1
        self._kept.clear()

    async def show(self, request: web.Request) -> web.Response:
        """The board; `?queue=`, `?agent=`, `?state=` and `?start=` narrow its sessions, `?agents=` turns their page."""
        self._shell.allow(request, Action.READ_BOARD)
        asked = _asked(request)
        shown, queues = await self._read(request, asked)
        sight = self._sight(request, shown, asked)
        values = {
            "shown": shown,
            "asked": asked,
            "marks": sight.marks,
            "agents": _page(shown, asked),
            "agent_pages": -(-len(shown.agents) // AGENTS_AT_ONCE),
            "many_agents": len(shown.agents),
            "queue_choices": {one.public_id: one.name for one in queues.all},
            "agent_choices": {one.public_id: one.name for one in shown.agents},
            "states": {state: session_words.STATES[state].word for state in SHOWN_STATES},
            "starts": queue_words.STARTS,
            "most": MOST_SESSIONS,
            "done": DONE.get(request.query.get("done", "")),
            "missed": await self._missed(request),
            "S": session_words,
            "Q": queue_words,
        }
        return self._shell.page(request, "board", status=200, **values)

    async def follow(self, request: web.Request) -> web.StreamResponse:
        """The same, as it changes."""
        self._shell.allow(request, Action.READ_BOARD)
        asked = _asked(request)

        async def look() -> Sight:
            self._shell.allow(request, Action.READ_BOARD)
            shown, _ = await self._read(request, asked)
            return self._sight(request, shown, asked)

        return await self._streams.serve(request, look)

    async def _missed(self, request: web.Request) -> object:
        """What holds now of a session that somebody else was quicker with."""
        wanted = request.query.get("missed", "")
        story = await self._parts.sessions.story(self._shell.reach(request), wanted) if wanted else None
        return None if story is None else session_words.missed(story.row, request[VISIT].principal.account)

    async def _read(self, request: web.Request, asked: Asked) -> tuple[Shown, Queues]:
        queues, agents = await asyncio.gather(self._parts.queues.queues(), self._parts.queues.agents())
        board = await self._board(self._shell.reach(request), _narrowed(asked, queues, agents))
        return show(board, queues, agents, self._parts.sources), queues

    async def _board(self, reach: Reach, only: Narrowed) -> Board:
        """What the database says, which many boards share until a session moves."""
        now = self._parts.clock.now()
        kept = self._kept.get((reach, only))
        if kept is not None and now < kept[0] + KEPT:
            return kept[1]
        turns, here = self._turns, now.astimezone(self._shell.site.zone)
        midnight = datetime.combine(here.date(), time(), self._shell.site.zone)
        board = await self._parts.sessions.board(reach, midnight, MOST_SESSIONS, only, self._texts_of(reach, now))
        if self._texts_of(reach, now) is None:
            if len(self._texts) >= MOST_KEPT:
                self._texts.clear()
            self._texts[reach] = (now, (board.texts_in, board.texts_out))
        if turns == self._turns and len(self._kept) < MOST_KEPT:
            self._kept[reach, only] = (now, board)
        return board

    def _texts_of(self, reach: Reach, now: datetime) -> tuple[int, int] | None:
        """What was counted a moment ago: texts of today cost more than all else of a board."""
        at, counted = self._texts.get(reach, (None, (0, 0)))
        return counted if at is not None and now < at + KEPT else None

    def _sight(self, request: web.Request, shown: Shown, asked: Asked) -> Sight:
        html = partial(self._shell.html, request)
        parts = [Part("board-figures", shown.figures, lambda: html("board_figures", it=shown.figures))]
        boxes: dict[str, list[Part]] = {
            QUEUE_BOX: [self._part(request, "board_queue", QUEUE_BOX, one) for one in shown.queues],
            AGENT_BOX: [self._part(request, "board_agent", AGENT_BOX, one) for one in _page(shown, asked)],
            SESSION_BOX: [self._part(request, "board_session", SESSION_BOX, one) for one in shown.sessions],
        }
        orders = {box: tuple(part.id for part in held) for box, held in boxes.items()}
        return Sight([*parts, *(part for held in boxes.values() for part in held)], TOUCHES, orders)

    def _part(self, request: web.Request, template: str, box: str, one: QueueShown | AgentShown | SessionRow) -> Part:
        id_ = one.session.public_id if isinstance(one, SessionRow) else one.public_id
        values = {"it": one, "S": session_words, "Q": queue_words}
        return Part(id_, one, lambda: self._shell.html(request, template, **values), box)


def _asked(request: web.Request) -> Asked:
    query = request.query
    page = query.get("agents", "")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 5 else 0
    return Asked(query.get("queue", ""), query.get("agent", ""), query.get("state", ""), query.get("start", ""), number)


def _narrowed(asked: Asked, queues: Queues, agents: Mapping[int, Agent]) -> Narrowed:
    """What is not there means none: a row that nothing has."""
    queue = next((one.id for one in queues.all if one.public_id == asked.queue), 0) if asked.queue else None
    agent = next((row for row, one in agents.items() if one.public_id == asked.agent), 0) if asked.agent else None
    return Narrowed(queue, agent, code_of(SessionState, asked.state), code_of(StartType, asked.start))


def _page(shown: Shown, asked: Asked) -> Sequence[AgentShown]:
    start = min(asked.page, max(0, len(shown.agents) - 1) // AGENTS_AT_ONCE) * AGENTS_AT_ONCE
    return shown.agents[start : start + AGENTS_AT_ONCE]
