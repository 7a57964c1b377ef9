"""The search: texts by their words and threads by a number, from a box that works without script."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from ringback.core.grants import Reach
from ringback.core.numbers import Number
from ringback.core.permissions import Action
from ringback.core.search import LONGEST_QUERY, Query, read_query
from ringback.core.writing import clean
from ringback.panel import thread_words
from ringback.panel.shell import Shell
from ringback.panel.thread_parts import read_numbers
from ringback.ports.search import Found, FoundPage, FoundPlace, ReadSearch, Within
from ringback.ports.threads import Head, ReadThreads, ThreadRow, View

HERE = "/threads/search"
NOTHING = FoundPage(())


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for, and where: `did` is a number of ours, `head` a thread."""

    typed: str = ""
    did: str = ""
    head: Head | None = None
    after: FoundPlace | None = None

    def link(self, **change: str) -> str:
        """The address of this search with something else."""
        asked = {"q": self.typed, "did": self.did, "thread": self.head.public_id if self.head else ""} | change
        return f"{HERE}?{urlencode({name: value for name, value in asked.items() if value})}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What there is to show. `threads` are those with the number that was typed, `read` is what it was read as."""

    query: Query
    read: str = ""
    threads: Sequence[ThreadRow] = ()
    page: FoundPage = NOTHING


def link_to(found: Found) -> str:
    """The thread of a text, opened where the text stands."""
    at, kind, row = found.point
    return f"/threads/{found.thread}?view={View.ALL}&before={at}-{kind}-{row + 1}#{found.public_id}"


class SearchPages:
    """The page of what was found. `numbers` are ours, `read` reads a number as somebody typed it."""

    def __init__(
        self,
        shell: Shell,
        search: ReadSearch,
        threads: ReadThreads,
        read: Callable[[str], Number],
        numbers: Sequence[str],
    ) -> None:
        self._shell = shell
        self._search = search
        self._threads = threads
        self._read = read
        self._numbers = numbers

    def routes(self) -> list[web.RouteDef]:
        return [web.get(HERE, self.show)]

    async def show(self, request: web.Request) -> web.Response:
        """What was found for `?q=`, in all threads, in those of one of our numbers, or in one thread."""
        self._shell.allow(request, Action.READ_THREADS)
        asked = await self._asked(request)
        answer = await self._answer(asked, self._shell.reach(request))
        numbers = self._known(request)
        return self._shell.page(
            request, "search", asked=asked, answer=answer, numbers=numbers, link_to=link_to, W=thread_words
        )

    def _known(self, request: web.Request) -> Sequence[str]:
        """Our numbers that whoever asks may know of."""
        reach = self._shell.reach(request)
        return [number for number in self._numbers if number in reach]

    async def _asked(self, request: web.Request) -> Asked:
        thread = request.query.get("thread", "")
        head = await self._threads.head(self._shell.reach(request), thread) if thread else None
        if thread and head is None:
            raise web.HTTPNotFound
        after = read_numbers(request.query.get("after", ""), 2)
        did = next((number for number in self._known(request) if number == request.query.get("did")), "")
        typed = clean(request.query.get("q", ""))[:LONGEST_QUERY]
        return Asked(typed, did, head, FoundPlace(*after) if after else None)

    async def _answer(self, asked: Asked, reach: Reach) -> Answer:
        query = read_query(asked.typed)
        within = Within(asked.head.public_id if asked.head else "", asked.did)
        page = await self._search.find(reach, query, within, asked.after)
        number = self._read(asked.typed).e164 or ""
        if not number or asked.head or asked.after:
            return Answer(query, page=page)
        threads = (await self._threads.of_peer(reach, number)).rows
        return Answer(query, number, [row for row in threads if asked.did in ("", row.did)], page)
