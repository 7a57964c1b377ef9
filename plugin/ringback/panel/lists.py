"""The pages of whom we never text: three lists with whoever is on them, and the switch of staging."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from ringback.core.numbers import Number
from ringback.core.permissions import Action, Principal
from ringback.flow.list_keeping import ListKeeper
from ringback.flow.lists import ListRefused, Turn
from ringback.panel import list_words as words
from ringback.panel.doing import done
from ringback.panel.door import WRONG_FORM, Wrong, read_form
from ringback.panel.shell import Shell
from ringback.ports.lists import ListName, ListPage, Place

HERE = "/lists"
CONFLICT = 409


@dataclass(frozen=True, slots=True)
class Looked:
    """What is shown of a list: a page of it, or with `q` whoever that number is, on whatever list."""

    q: str
    page: ListPage
    fault: str = ""
    after: str = ""

    @property
    def older(self) -> str:
        return "" if self.page.older is None else f"{self.page.older.at}-{self.page.older.key}"


class ListPages:
    """The routes under /lists that change one number at a time, and the switch. `typed` reads a number that somebody
    typed."""

    def __init__(self, shell: Shell, keeper: ListKeeper, typed: Callable[[str], Number]) -> None:
        self._shell = shell
        self._keeper = keeper
        self._typed = typed

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(HERE, self.index),
            web.get(f"{HERE}/{{list}}", self.show),
            web.post(f"{HERE}/{{list}}/add", self.add),
            web.post(f"{HERE}/{{list}}/remove", self.remove),
            web.post("/staging", self.stage),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """To the first list."""
        self._shell.allow(request, Action.READ_LISTS)
        raise web.HTTPSeeOther(f"{HERE}/{ListName.NEVER}")

    async def show(self, request: web.Request) -> web.Response:
        """A list, the newest first, or where a number stands."""
        self._shell.allow(request, Action.READ_LISTS)
        return await self._page(request, list_of(request))

    async def add(self, request: web.Request) -> web.Response:
        """Put somebody on it."""
        who, list_ = self._shell.allow(request, Action.MANAGE_LISTS), list_of(request)
        typed, why = await read_form(request, "number", "why")
        number = self._typed(typed).e164
        if number is None:
            return await self._page(request, list_, WRONG_FORM, Wrong("number", words.NO_NUMBER), (typed, why))
        if any(entry.list is list_ for entry in await self._keeper.read.of(number)):
            return await self._page(request, list_, CONFLICT, Wrong("number", words.ALREADY), (typed, why))
        await self._change(who, change="add", list=list_, number=number, why=why)
        raise web.HTTPSeeOther(f"{HERE}/{list_}?done=added")

    async def remove(self, request: web.Request) -> web.Response:
        """Take somebody off it."""
        who, list_ = self._shell.allow(request, Action.MANAGE_LISTS), list_of(request)
        number, why = await read_form(request, "number", "why")
        if list_ is ListName.STOPPED and not why.strip():
            return await self._page(request, list_, WRONG_FORM, Wrong("why", words.NO_WHY))
        number = self._typed(number).e164 or number
        try:
            await self._change(who, change="remove", list=list_, number=number, why=why)
        except ListRefused:  # somebody else was faster
            return await self._page(request, list_, CONFLICT, Wrong("gone", words.NOT_THERE))
        raise web.HTTPSeeOther(f"{HERE}/{list_}?done=removed")

    async def stage(self, request: web.Request) -> web.Response:
        """Turn the switch, with `way` on or off; back to where it was pressed."""
        who = self._shell.allow(request, Action.MANAGE_LISTS)
        (way,) = await read_form(request, "way")
        if way not in list(Turn):
            raise web.HTTPBadRequest
        await self._change(who, change="staging", way=way)
        raise web.HTTPSeeOther(f"{HERE}/{ListName.ONLY}?done={way}")

    async def _change(self, who: Principal, **words_: str) -> None:
        await done(self._keeper.change(words_, who))

    async def _look(self, request: web.Request, list_: ListName) -> Looked:
        q, after = request.query.get("q", "").strip()[:60], request.query.get("after", "")
        read = self._keeper.read
        if not q:
            return Looked("", await read.page(list_, read_place(after)), after=after)
        number = self._typed(q).e164
        if number is None:
            return Looked(q, ListPage(()), words.NO_NUMBER)
        return Looked(q, ListPage(await read.of(number)))

    async def _page(
        self,
        request: web.Request,
        list_: ListName,
        status: int = 200,
        wrong: Wrong | None = None,
        typed: tuple[str, str] = ("", ""),
    ) -> web.Response:
        looked = await self._look(request, list_)
        return self._shell.page(
            request,
            "lists",
            status=status,
            which=list_,
            looked=looked,
            staged=self._keeper.staged,
            wrong=wrong,
            typed=typed,
            done=words.DONE.get(request.query.get("done", "")),
            W=words,
        )


def list_of(request: web.Request) -> ListName:
    """The list in the address; else a 404 page."""
    found = next((name for name in ListName if name == request.match_info["list"]), None)
    if found is None:
        raise web.HTTPNotFound
    return found


def read_place(text: str) -> Place | None:
    """Where a page goes on, as `Looked.older` writes it; from the start where that makes no sense."""
    at, _, key = text.partition("-")
    return Place(int(at), key) if at.isdecimal() and len(at) < 18 and key and len(key) < 60 else None
