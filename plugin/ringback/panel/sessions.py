"""My work: what an agent has, what is offered and handed to them, and what waits in their queues. All of it live."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from aiohttp import web

from ringback.core.permissions import Action
from ringback.core.presence import AgentNow
from ringback.panel import session_words
from ringback.panel.company import HERE, to_all
from ringback.panel.live import Part, Sight, Streams
from ringback.panel.say import Say
from ringback.panel.session_bar import Staff, said
from ringback.panel.shell import VISIT, Shell
from ringback.ports import Clock
from ringback.ports.changes import PRESENCE, QUEUES, SESSIONS, Touch
from ringback.ports.queues import Agent
from ringback.ports.sessions import MOST_MORE, ReadSessions, SessionRow, Work

OFFERED, HANDED, MINE, QUEUED, DISMISSED = "offered", "handed", "mine", "queued", "dismissed"
"""The lists of the page; each is a box that live parts go into."""
MORE = "queued-more"


@dataclass(frozen=True, slots=True)
class Me:
    """An agent as their own page shows them. `agent` is None for somebody who is in no queue."""

    agent: Agent | None
    now: AgentNow | None
    carried: int
    queues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Desk:
    """The page, as read."""

    me: Me
    work: Work
    to_all: frozenset[int] = frozenset()
    """Queues that show what waits to everybody at once."""

    @property
    def more(self) -> str:
        """How many wait beside those of the list; empty for nobody."""
        more = self.work.more
        return f"{MOST_MORE}+" if more >= MOST_MORE else str(more or "")

    def lists(self) -> dict[str, tuple[SessionRow, ...]]:
        """What stands in each box, in its order."""
        work = self.work
        return {
            OFFERED: work.offered,
            HANDED: work.handed,
            MINE: work.mine,
            QUEUED: work.queued,
            DISMISSED: work.dismissed,
        }


class SessionPages:
    """The pages under /sessions."""

    def __init__(self, shell: Shell, sessions: ReadSessions, staff: Staff, streams: Streams, clock: Clock) -> None:
        self._shell = shell
        self._sessions = sessions
        self._staff = staff
        self._streams = streams
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(HERE, self.show),
            web.get(f"{HERE}/events", self.follow, allow_head=False),
        ]

    async def close(self, app: web.Application) -> None:
        await self._streams.close(app)

    async def show(self, request: web.Request) -> web.Response:
        """The page; `?missed=` names the session of a button that changed nothing, and `?did=` what was done."""
        self._shell.allow(request, Action.TAKE_SESSIONS)
        desk = await self._read(request)
        return self._shell.page(
            request,
            "sessions",
            desk=desk,
            me=desk.me,
            marks=Sight(self._parts(request, desk), frozenset()).marks,
            missed=await self._missed(request),
            S=session_words,
        )

    async def follow(self, request: web.Request) -> web.StreamResponse:
        """The page as it changes; without `?since=` only what every live page of an agent has."""
        self._shell.allow(request, Action.TAKE_SESSIONS)
        if "since" not in request.query:
            return await self._streams.serve_beside(request)
        account = request[VISIT].principal.account or 0

        async def look() -> Sight:
            self._shell.allow(request, Action.TAKE_SESSIONS)
            desk = await self._read(request)
            parts = self._parts(request, desk)
            orders = {box: tuple(_id(box, one) for one in rows) for box, rows in desk.lists().items()}
            shown = (*desk.work.mine, *desk.work.offered, *desk.work.queued)
            threads = {Touch("thread", row.session.thread) for row in shown}
            return Sight(parts, frozenset({SESSIONS, PRESENCE, QUEUES, Touch("agent", account), *threads}), orders)

        return await self._streams.serve(request, look)

    async def _read(self, request: web.Request) -> Desk:
        account, reach = request[VISIT].principal.account or 0, self._shell.reach(request)
        work, (agents, queues) = await asyncio.gather(self._sessions.work(reach, account), self._staff.all())
        names = tuple(queue.name for queue in queues.all if account in queue.members)
        carried = len(work.mine) + len(work.offered)
        me = Me(agents.get(account), self._staff.present().get(account), carried, names)
        return Desk(me, work, to_all(queues))

    async def _missed(self, request: web.Request) -> Say | None:
        story = await self._sessions.story(self._shell.reach(request), request.query.get("missed", ""))
        return said(request, (story,) if story else (), request[VISIT].principal.account)

    def _parts(self, request: web.Request, desk: Desk) -> list[Part]:
        today = self._clock.now().astimezone(self._shell.site.zone).date()
        top = Part("me", desk.me, lambda: self._fill(request, "session_me", me=desk.me))
        more = Part(MORE, desk.more, lambda: self._fill(request, "session_more", desk=desk))
        return [
            top,
            more,
            *(
                part
                for box, rows in desk.lists().items()
                for part in self._rows(request, box, rows, today, desk.to_all)
            ),
        ]

    def _rows(
        self,
        request: web.Request,
        box: str,
        rows: Iterable[SessionRow],
        today: date,
        everybodys: frozenset[int],
    ) -> list[Part]:
        def html(row: SessionRow) -> Callable[[], str]:
            asked = row.transfer if box == HANDED else None
            return lambda: self._fill(request, "session_row", box=box, row=row, asked=asked, to_all=everybodys)

        parts: list[Part] = []
        for one in rows:
            after = parts[-1].id if parts else ""
            first = box == QUEUED and one.session.queue in everybodys
            parts.append(Part(_id(box, one), (one, today, first), html(one), box, after))
        return parts

    def _fill(self, request: web.Request, template: str, **values: object) -> str:
        return self._shell.html(request, template, S=session_words, **values)


def _id(box: str, row: SessionRow) -> str:
    """A session that goes from one list to another is another element there."""
    return f"{box}-{row.session.public_id}"
