"""What can be done in the inbox: write, ask the gates first, say what became of a text, record an opt-out.

Every act is a form that works without script. What was typed is never lost: a no comes back with the text in its box.
"""

from collections.abc import Awaitable
from typing import TypeVar
from urllib.parse import urlencode

from aiohttp import web

from ringback.core.ids import Kind, kind_of
from ringback.core.permissions import Action, Principal
from ringback.core.policy import Refuse
from ringback.core.reasons import Reason
from ringback.errors import StoreBusy
from ringback.flow.desk import Denied, Desk, NotThere, Resolution, Settled, Unwritten
from ringback.flow.stopping import Whole
from ringback.panel import thread_words
from ringback.panel.shell import Shell
from ringback.panel.threads import HERE, Draft, ThreadPages, new_key

T = TypeVar("T")
DENIED, CONFLICT, UNWRITTEN, BUSY = 403, 409, 422, 503


class ThreadActs:
    """The forms of the inbox; `pages` shows the thread again when the answer is no."""

    def __init__(self, shell: Shell, pages: ThreadPages, desk: Desk) -> None:
        self._shell = shell
        self._pages = pages
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(f"{HERE}/{{thread}}/texts", self.send),
            web.post(f"{HERE}/{{thread}}/advice", self.advice),
            web.post(f"{HERE}/{{thread}}/read", self.read),
            web.post(f"{HERE}/{{thread}}/answered", self.answered),
            web.post(f"{HERE}/{{thread}}/opt-out", self.opt_out),
            web.post(f"{HERE}/{{thread}}/opt-in", self.opt_in),
            web.post("/texts/{text}/resolve", self.resolve),
            web.post("/texts/{text}/undo", self.undo),
            web.post("/texts/{text}/check", self.check),
        ]

    async def send(self, request: web.Request) -> web.Response:
        """Send a reply, or with `do=check` only ask; `key` makes one text of a form that is sent twice."""
        who = self._shell.allow(request, Action.REPLY)
        text, key = await _field(request, "text"), await _field(request, "key")
        if await _field(request, "do") == "check":
            return await self._pages.page(request, Draft(key or new_key(), text, checked=True))
        try:
            replied = await self._desk.reply(who, _thread(request), text, key)
        except NotThere:
            raise web.HTTPNotFound from None
        except Unwritten:
            return await self._pages.page(request, Draft(new_key(), text, fault=thread_words.EMPTY), UNWRITTEN)
        except StoreBusy:
            return await self._pages.page(request, Draft(key, text, fault=thread_words.BUSY), BUSY)
        except Denied as denied:
            status = DENIED if denied.reason is Reason.PERMISSION_DENIED else CONFLICT
            return await self._pages.page(request, Draft(new_key(), text, Refuse(denied.reason)), status)
        if isinstance(replied.verdict, Refuse):
            return await self._pages.page(request, Draft(new_key(), text, replied.verdict), CONFLICT)
        raise _to_thread(request, "end")

    async def advice(self, request: web.Request) -> web.Response:
        """The gates' answer to what is being typed, for the page to show; texts do not belong in addresses."""
        who = self._shell.allow(request, Action.READ_THREADS)
        given = await self._pages.advise(who, _thread(request), await _field(request, "text"))
        html = self._shell.html(request, "verdict", advice=given, draft=Draft(""), W=thread_words)
        return web.json_response({"html": html})

    async def read(self, request: web.Request) -> web.Response:
        """The page saw something new come while somebody looked."""
        who = self._shell.allow(request, Action.READ_THREADS)
        try:
            await _there(self._desk.mark_read(who, _thread(request)))
        except StoreBusy:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "5"}) from None
        return web.Response(status=204)

    async def answered(self, request: web.Request) -> web.Response:
        """Nobody needs to write back."""
        return await self._note(request, self._desk.mark_answered(_settler(self._shell, request), _thread(request)))

    async def opt_out(self, request: web.Request) -> web.Response:
        """They said in another way that they want no texts; `note` says how."""
        who, note = _settler(self._shell, request), await _field(request, "note")
        whole = Whole.BUSINESS if await _field(request, "whole") == Whole.BUSINESS else Whole.NUMBER
        return await self._note(request, self._desk.opt_out(who, _thread(request), note, whole), "about")

    async def opt_in(self, request: web.Request) -> web.Response:
        """They said in another way that they want texts again; `note` says how, and must not be empty."""
        who, note = _settler(self._shell, request), await _field(request, "note")
        return await self._note(request, self._desk.opt_in(who, _thread(request), note), "about")

    async def _note(self, request: web.Request, noting: Awaitable[None], place: str = "") -> web.Response:
        try:
            await _there(noting)
        except Unwritten:
            return await self._pages.page(request, Draft(new_key(), fault=thread_words.NO_NOTE), UNWRITTEN)
        except StoreBusy:
            return await self._pages.page(request, Draft(new_key(), fault=thread_words.NOT_NOTED), BUSY)
        raise _to_thread(request, place)

    async def resolve(self, request: web.Request) -> web.Response:
        """Take somebody's word for what became of a text: `how` is `sent` or `not_sent`."""
        who, said = _settler(self._shell, request), await _field(request, "how")
        how = next((how for how in Resolution if how == said), None)
        if how is None:
            raise web.HTTPBadRequest
        return await self._settle(request, self._desk.resolve(who, request.match_info["text"], how))

    async def undo(self, request: web.Request) -> web.Response:
        """Take that word back."""
        who = _settler(self._shell, request)
        return await self._settle(request, self._desk.undo(who, request.match_info["text"]))

    async def check(self, request: web.Request) -> web.Response:
        """Ask the carrier once more."""
        who = _settler(self._shell, request)
        return await self._settle(request, self._desk.check_again(who, request.match_info["text"]))

    async def _settle(self, request: web.Request, settling: Awaitable[Settled]) -> web.Response:
        """Back to where the button was: the thread the form names, or the inbox."""
        try:
            settled = str(await _there(settling))
        except StoreBusy:
            settled = "busy"
        text, thread = request.match_info["text"], await _field(request, "thread")
        if kind_of(thread) is not Kind.THREAD:
            raise web.HTTPSeeOther(HERE)
        query = {} if settled == Settled.DONE else {"about": text, "settled": settled}
        raise _see(f"{HERE}/{thread}", {"view": await _field(request, "view"), **query}, text)


def _thread(request: web.Request) -> str:
    return request.match_info["thread"]


def _settler(shell: Shell, request: web.Request) -> Principal:
    return shell.allow(request, Action.SETTLE)


async def _field(request: web.Request, name: str) -> str:
    return str((await request.post()).get(name, ""))


async def _there(doing: Awaitable[T]) -> T:
    """Wait for an act; what is not there, or may not be done, is an error page."""
    try:
        return await doing
    except NotThere:
        raise web.HTTPNotFound from None
    except Denied as denied:
        raise web.HTTPForbidden if denied.reason is Reason.PERMISSION_DENIED else web.HTTPConflict from None


def _to_thread(request: web.Request, place: str = "") -> web.HTTPSeeOther:
    return _see(f"{HERE}/{_thread(request)}", {"view": request.query.get("view", "")}, place)


def _see(path: str, query: dict[str, str], place: str = "") -> web.HTTPSeeOther:
    words = urlencode({name: value for name, value in query.items() if value})
    return web.HTTPSeeOther(f"{path}{'?' if words else ''}{words}{'#' if place else ''}{place}")
