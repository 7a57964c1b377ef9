"""What a supervisor does: take a session over, give it to somebody, put it back into its queue, say who is away."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from aiohttp import web

from ringback.core.ids import Kind, kind_of
from ringback.core.permissions import Action, Principal
from ringback.flow.permits import Unwritten
from ringback.flow.session_desk import Gone, SessionDesk
from ringback.panel import queue_words, session_words
from ringback.panel.board import HERE, BoardParts
from ringback.panel.board_view import show
from ringback.panel.doing import done
from ringback.panel.shell import Shell
from ringback.ports.sessions import SessionStory

Act = Callable[[Principal, str], Awaitable[object]]
STEPS_SHOWN = 30


class BoardActs:
    """The page of one session for a supervisor, and the forms. `session` and `id` are public ids."""

    def __init__(self, shell: Shell, parts: BoardParts, desk: SessionDesk) -> None:
        self._shell = shell
        self._parts = parts
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{HERE}/sessions/{{session}}", self.show),
            web.post(f"{HERE}/sessions/{{session}}/take-over", self.take_over),
            web.post(f"{HERE}/sessions/{{session}}/give", self.give),
            web.post(f"{HERE}/sessions/{{session}}/queue", self.put_back),
            web.post(f"{HERE}/agents/{{id}}/away", self.away),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """One session: how it came here, and who could have it."""
        self._shell.allow(request, Action.ASSIGN_SESSIONS)
        story = await self._story(request)
        queues, agents = await self._parts.queues.queues(), await self._parts.queues.agents()
        loads = await self._parts.sessions.board(self._shell.reach(request), story.row.session.opened_at, 1)
        people = show(loads, queues, agents, self._parts.sources).agents
        members = {agents[row].public_id for row in queues.get(story.row.session.queue).members if row in agents}
        has = agents.get(story.row.session.agent or 0)
        holder = has.public_id if has is not None else ""
        ordered = sorted(people, key=lambda one: one.public_id not in members)
        values = {
            "story": story,
            "row": story.row,
            "steps": story.steps[-STEPS_SHOWN:],
            "agents": [one for one in ordered if one.public_id != holder],
            "members": members,
            "S": session_words,
            "Q": queue_words,
        }
        return self._shell.page(request, "board_one", status=200, **values)

    async def take_over(self, request: web.Request) -> web.Response:
        """They have it, whoever had it."""
        return await self._act(request, "taken", self._desk.take_over)

    async def give(self, request: web.Request) -> web.Response:
        """Whoever is named in `to` has it."""
        to = str((await request.post()).get("to", ""))
        if kind_of(to) is not Kind.USER:
            await self._story(request)
            raise web.HTTPSeeOther(f"{HERE}?done=unwritten")
        return await self._act(request, "given", lambda who, session: self._desk.reassign(who, session, to))

    async def put_back(self, request: web.Request) -> web.Response:
        """It waits in its queue again."""
        return await self._act(request, "queued", self._desk.put_back)

    async def away(self, request: web.Request) -> web.Response:
        """An agent is away; what they have waits in its queue."""
        who = self._shell.allow(request, Action.ASSIGN_SESSIONS)
        await done(self._desk.send_away(who, request.match_info["id"]))
        raise web.HTTPSeeOther(f"{HERE}?done=away")

    async def _act(self, request: web.Request, said: str, act: Act) -> web.Response:
        who, session = self._shell.allow(request, Action.ASSIGN_SESSIONS), request.match_info["session"]
        await self._story(request)
        try:
            await done(act(who, session))
        except Gone:
            raise web.HTTPSeeOther(f"{HERE}?{urlencode({'missed': session})}") from None
        except Unwritten:
            said = "unwritten"
        raise web.HTTPSeeOther(f"{HERE}?done={said}")

    async def _story(self, request: web.Request) -> SessionStory:
        """The session in the address, if its number is within reach; else a 404 page."""
        story = await self._parts.sessions.story(self._shell.reach(request), request.match_info["session"])
        if story is None:
            raise web.HTTPNotFound
        return story
