"""The inbox: the list of threads, a thread with its person, and both of them live."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import web

from ringback.core.grants import Way
from ringback.core.messages import MessageClass
from ringback.core.numbers import Number
from ringback.core.permissions import Action, Principal
from ringback.core.policy import Verdict
from ringback.core.right_words import told as in_words
from ringback.core.writing import clean
from ringback.errors import StoreBusy
from ringback.flow.desk import Advice, Desk, NotThere
from ringback.panel import consent_words, list_words, session_words, thread_words
from ringback.panel.live import Part, Sight, Streams
from ringback.panel.session_bar import AboveThread, Bar, NoBars, said
from ringback.panel.session_lines import lines
from ringback.panel.shell import VISIT, Shell
from ringback.panel.thread_parts import LIST, MayNot, Pane, ThreadParts, read_place, read_point
from ringback.panel.timeline import Item
from ringback.ports import Clock
from ringback.ports.changes import ANY_THREAD, Touch
from ringback.ports.threads import Head, Point, ReadThreads, Timeline, View

HERE = "/threads"
MOST_COUNTED = 100
MOST_ASKED = 5
"""Whom to ask are named up to so many."""
START = Point(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the box. `answer` and `fault` say why it was not sent; `checked` that its writer asked first."""

    key: str
    text: str = ""
    answer: Verdict | None = None
    fault: str = ""
    checked: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A small form of the page that was not taken: why, and what was typed into it, by the names of its fields."""

    why: str
    typed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Refusals:
    """Which of them; `hand_on` is that of the session over the line, `consent` that of what somebody said yes to."""

    consent: Refusal | None = None
    hand_on: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A thread as read for its page. `first` is where the page begins, `before` where it ends if it is an older one."""

    head: Head
    timeline: Timeline
    first: Point
    bar: Bar
    before: Point | None = None


NONE_REFUSED = Refusals()


def new_key() -> str:
    """A key for one form, so that sending it twice sends one text."""
    return secrets.token_urlsafe(16)


Names = Callable[[], Awaitable[Sequence[str]]]


async def nobody() -> Sequence[str]:
    """No name is known."""
    return ()


class ThreadPages:
    """The pages under /threads. `read` reads a number as somebody typed it; `whom_to_ask` names who decides who may
    what."""

    def __init__(
        self,
        shell: Shell,
        threads: ReadThreads,
        desk: Desk,
        streams: Streams,
        read: Callable[[str], Number],
        clock: Clock,
        whom_to_ask: Names = nobody,
        bars: AboveThread | None = None,
    ) -> None:
        self._shell = shell
        self._whom_to_ask = whom_to_ask
        self._threads = threads
        self._desk = desk
        self._streams = streams
        self._read = read
        self._clock = clock
        self._bars: AboveThread = bars or NoBars()
        self._parts = ThreadParts(shell, read, clock)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(HERE, self.index),
            web.get(f"{HERE}/events", self.follow_list, allow_head=False),
            web.get(f"{HERE}/{{thread}}", self.show),
            web.get(f"{HERE}/{{thread}}/events", self.follow_thread, allow_head=False),
        ]

    async def close(self, app: web.Application) -> None:
        await self._streams.close(app)

    async def index(self, request: web.Request) -> web.Response:
        """The list; with `?number=` the threads with one person, and with the only one of them at once."""
        self._shell.allow(request, Action.READ_THREADS)
        sought = request.query.get("number", "").strip()
        pane = await self._seek(request, sought) if sought else await self._pane(request)
        marks = Sight(self._parts.rows(request, pane), frozenset()).marks
        return self._shell.page(request, "threads", pane=pane, marks=marks, W=thread_words)

    async def _seek(self, request: web.Request, sought: str) -> Pane:
        number = self._read(sought)
        page = await self._threads.of_peer(self._shell.reach(request), number.e164 or clean(sought))
        if len(page.rows) == 1:
            raise web.HTTPSeeOther(f"{HERE}/{page.rows[0].public_id}?view={View.ALL}")
        return Pane(View.ALL, page, sought=sought, number=number.e164 or "")

    async def show(self, request: web.Request) -> web.Response:
        """One thread. Whoever opens it has read it."""
        who = self._shell.allow(request, Action.READ_THREADS)
        if request.method == "GET" and not request.headers.get("Sec-Purpose", "").startswith("prefetch"):
            await self._mark_read(who, await self.head(request))
        return await self.page(request, Draft(new_key()))

    async def _mark_read(self, who: Principal, head: Head) -> None:
        """Looking changes this and nothing else. A busy database must not keep anybody from reading."""
        if head.unread:
            with suppress(StoreBusy, NotThere):
                await self._desk.mark_read(who, head.public_id)

    async def page(
        self, request: web.Request, draft: Draft, status: int = 200, refused: Refusals = NONE_REFUSED
    ) -> web.Response:
        """The thread of this request, with what stands in its box, and in a form that was not taken."""
        thread, who = request.match_info["thread"], request[VISIT].principal
        before = read_point(request.query.get("before", ""))
        opened, pane = await asyncio.gather(self._open(request, before), self._pane(request))
        laid, parts = self._lay(request, opened), self._parts
        may_not = await self._may_not(request, opened.head.did)
        about = self._about(request, opened, may_not)
        live = [*parts.entries(request, laid), *about, *parts.rows(request, pane, thread)]
        return self._shell.page(
            request,
            "thread",
            status=status,
            pane=pane,
            head=opened.head,
            items=laid,
            older=opened.timeline.older,
            first=opened.first,
            before=before,
            person=parts.person(request, opened.head),
            draft=draft,
            refused=refused,
            advice=await self.advise(who, thread, draft.text),
            may_not=may_not,
            marks=Sight(live, frozenset()).marks,
            settled=_settled(request),
            bar=opened.bar,
            missed=said(request, opened.bar.stories, opened.bar.me),
            view=request.query.get("view", ""),
            W=thread_words,
            L=list_words,
            C=consent_words,
            S=session_words,
        )

    async def page_of(self, request: web.Request, thread: str, refused: Refusals, status: int) -> web.Response:
        """The same for a request whose address names something else of the thread."""
        request.match_info["thread"] = thread
        return await self.page(request, Draft(new_key()), status, refused)

    def _lay(self, request: web.Request, opened: Opened) -> list[Item]:
        """Calls, texts, and what became of the sessions between them, in their order."""
        steps = lines(opened.bar.stories, opened.first, opened.before)
        entries = sorted([*opened.timeline.entries, *steps], key=lambda line: line.point)
        return self._parts.lay(request, entries)

    def _about(self, request: web.Request, opened: Opened, may_not: MayNot | None) -> list[Part]:
        """What stands over and beside the line."""
        above = self._bars.parts(request, opened.head, opened.bar)
        return [*self._parts.about(request, opened.head, may_not), *above]

    async def _may_not(self, request: web.Request, did: str) -> MayNot | None:
        rights = self._shell.rights(request)
        right = rights.right(Way.SEND, did, MessageClass.CONVERSATIONAL)
        if right.allowed:
            return None
        told = in_words(right, Way.SEND, did, rights.book)
        why = " ".join(self._shell.say(request, sentence, **told.values) for sentence in told.sentences)
        return MayNot(why, (await self._whom_to_ask())[:MOST_ASKED])

    async def advise(self, who: Principal, thread: str, text: str) -> Advice | None:
        """What the gates would say; None when they cannot be asked now."""
        try:
            return await self._desk.advise(who, thread, text)
        except NotThere:
            raise web.HTTPNotFound from None
        except StoreBusy:
            return None

    async def follow_list(self, request: web.Request) -> web.StreamResponse:
        """Rows of the list as they come and change; without `?view=` only how many wait."""
        self._shell.allow(request, Action.READ_THREADS)
        listed = "view" in request.query

        async def look() -> Sight:
            self._shell.allow(request, Action.READ_THREADS)
            if not listed:
                return Sight((), frozenset({ANY_THREAD}), counts=await self._waiting(request))
            pane, counts = await asyncio.gather(self._pane(request), self._waiting(request))
            rows = self._parts.rows(request, pane)
            return Sight(rows, frozenset({ANY_THREAD}), {LIST: tuple(part.id for part in rows)}, counts)

        return await self._streams.serve(request, look)

    async def follow_thread(self, request: web.Request) -> web.StreamResponse:
        """Entries of a thread and its person, and the rows of the list beside it, as they come and change."""
        self._shell.allow(request, Action.READ_THREADS)
        thread = request.match_info["thread"]
        first = read_point(request.query.get("from", "")) or START
        head = await self.head(request)
        touches = frozenset({ANY_THREAD, Touch("thread", head.id), Touch("peer", head.peer)})

        async def look() -> Sight:
            self._shell.allow(request, Action.READ_THREADS)
            opened, pane, counts = await asyncio.gather(
                self._open(request, None, first), self._pane(request), self._waiting(request)
            )
            rows = self._parts.rows(request, pane, thread)
            line = self._parts.entries(request, self._lay(request, opened))
            may_not = await self._may_not(request, opened.head.did)
            parts = [*line, *self._about(request, opened, may_not), *rows]
            orders = {LIST: tuple(part.id for part in rows)}
            listens = touches | self._bars.touches(opened.bar)
            return Sight(parts, listens, orders, counts, cut=opened.timeline.older is not None)

        return await self._streams.serve(request, look)

    async def head(self, request: web.Request) -> Head:
        """The thread of this request. One of a number that whoever asks may not see is not there."""
        head = await self._threads.head(self._shell.reach(request), request.match_info["thread"])
        if head is None:
            raise web.HTTPNotFound
        return head

    async def _open(self, request: web.Request, before: Point | None, first: Point | None = None) -> Opened:
        head = await self.head(request)
        asked = self._threads.timeline(head, before) if first is None else self._threads.since(head, first)
        timeline, bar = await asyncio.gather(asked, self._bars.of(request, head))
        return Opened(head, timeline, timeline.entries[0].point if timeline.entries else START, bar, before)

    async def _pane(self, request: web.Request) -> Pane:
        view = next((view for view in View if view == request.query.get("view")), View.WAITING)
        after = read_place(request.query.get("after", ""))
        return Pane(view, await self._threads.page(self._shell.reach(request), view, after), after)

    async def _waiting(self, request: web.Request) -> Mapping[str, str]:
        waiting = await self._threads.waiting(self._shell.reach(request), MOST_COUNTED)
        return {HERE: "" if not waiting else f"{MOST_COUNTED - 1}+" if waiting == MOST_COUNTED else str(waiting)}


def _settled(request: web.Request) -> Mapping[str, str]:
    """What is said once below a text after a button under it was pressed, by the text's id."""
    said = thread_words.SETTLED.get(request.query.get("settled", ""))
    return {request.query.get("about", ""): said} if said else {}
