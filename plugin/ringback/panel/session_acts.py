"""What an agent does with sessions: every act is a form that works without script, and leads back to where it stood.

Whose press came too late is told what holds now; nothing else changed by it.
"""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from urllib.parse import urlencode

from aiohttp import web

from ringback.core.ids import Kind, kind_of
from ringback.core.permissions import Action, Principal
from ringback.core.presence import AtDesk
from ringback.flow.permits import NotThere, Unwritten
from ringback.flow.session_desk import Gone, SessionDesk
from ringback.panel import session_words
from ringback.panel.company import HERE
from ringback.panel.doing import done
from ringback.panel.shell import Shell
from ringback.panel.threads import Refusal, Refusals, ThreadPages
from ringback.ports.sessions import ReadSessions

UNWRITTEN = 422
Act = Callable[[Principal, str], Awaitable[object]]
Again = Callable[[str], Awaitable[web.Response]]


class Leads(StrEnum):
    """Where somebody wants to be after a press: in the thread of what is theirs now, or where they were."""

    THREAD = "thread"
    BACK = "back"


class SessionActs:
    """The forms. `session` in an address is a public id; `threads` shows the thread of one again."""

    def __init__(self, shell: Shell, threads: ThreadPages, sessions: ReadSessions, desk: SessionDesk) -> None:
        self._shell = shell
        self._threads = threads
        self._sessions = sessions
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(f"{HERE}/at-desk", self.at_desk),
            web.post(f"{HERE}/{{session}}/claim", self.claim),
            web.post(f"{HERE}/{{session}}/accept", self.accept),
            web.post(f"{HERE}/{{session}}/decline", self.decline),
            web.post(f"{HERE}/{{session}}/transfer", self.transfer),
            web.post(f"{HERE}/{{session}}/accept-transfer", self.accept_transfer),
            web.post(f"{HERE}/{{session}}/decline-transfer", self.decline_transfer),
            web.post(f"{HERE}/{{session}}/take-back", self.take_back),
            web.post(f"{HERE}/{{session}}/give-back", self.give_back),
            web.post(f"{HERE}/{{session}}/dismiss", self.dismiss),
            web.post(f"{HERE}/{{session}}/end", self.end),
        ]

    async def at_desk(self, request: web.Request) -> web.Response:
        """They are ready for what comes, or away."""
        who, said = self._shell.allow(request, Action.TAKE_SESSIONS), await _field(request, "desk")
        desk = next((desk for desk in AtDesk if desk == said), None)
        if desk is None:
            raise web.HTTPBadRequest
        await done(self._desk.be(who, desk))
        raise web.HTTPSeeOther(HERE)

    async def claim(self, request: web.Request) -> web.Response:
        """Take one that waits."""
        return await self._act(request, self._desk.claim, Leads.THREAD)

    async def accept(self, request: web.Request) -> web.Response:
        """Take one that is offered."""
        return await self._act(request, self._desk.accept, Leads.THREAD)

    async def decline(self, request: web.Request) -> web.Response:
        return await self._act(request, self._desk.decline)

    async def transfer(self, request: web.Request) -> web.Response:
        """Ask somebody, or a queue, to take it; `to` is the public id of either."""
        to, note = await _field(request, "to"), await _field(request, "note")

        async def hand_on(who: Principal, session: str) -> None:
            asked = {"to_queue": to} if kind_of(to) is Kind.QUEUE else {"to_agent": to}
            try:
                await self._desk.transfer(who, session, note=note, **asked)
            except NotThere:
                # the session is there; whom it should go to is gone
                raise Unwritten(str(to)) from None

        async def again(thread: str) -> web.Response:
            refused = Refusals(hand_on=Refusal(session_words.UNWRITTEN, {"to": to, "note": note}))
            return await self._threads.page_of(request, thread, refused, UNWRITTEN)

        return await self._act(request, hand_on, again=again)

    async def accept_transfer(self, request: web.Request) -> web.Response:
        return await self._act(request, self._desk.accept_transfer, Leads.THREAD)

    async def decline_transfer(self, request: web.Request) -> web.Response:
        return await self._act(request, self._desk.decline_transfer)

    async def take_back(self, request: web.Request) -> web.Response:
        """They keep what they asked somebody to take."""
        return await self._act(request, self._desk.take_back)

    async def give_back(self, request: web.Request) -> web.Response:
        """Back to its queue."""
        return await self._act(request, self._desk.give_back)

    async def dismiss(self, request: web.Request) -> web.Response:
        return await self._act(request, self._desk.dismiss)

    async def end(self, request: web.Request) -> web.Response:
        return await self._act(request, self._desk.end)

    async def _act(
        self, request: web.Request, act: Act, leads: Leads = Leads.BACK, again: Again | None = None
    ) -> web.Response:
        """Do it, and go on where that makes sense; `again` shows a form that was not taken."""
        who, session = self._shell.allow(request, Action.TAKE_SESSIONS), request.match_info["session"]
        story = await self._sessions.story(self._shell.reach(request), session)
        if story is None:
            raise web.HTTPNotFound
        in_thread = await _field(request, "from") == Leads.THREAD
        back = f"/threads/{story.row.thread}" if in_thread else HERE
        try:
            await done(act(who, session))
        except Gone:
            raise web.HTTPSeeOther(f"{back}?{urlencode({'missed': session})}") from None
        except Unwritten:
            if again is None:
                raise
            return await again(story.row.thread)
        raise web.HTTPSeeOther(f"/threads/{story.row.thread}" if leads is Leads.THREAD else back)


async def _field(request: web.Request, name: str) -> str:
    return str((await request.post()).get(name, ""))
