"""Lists from where a person is looked at: their thread, and the page of a call in which they said it."""

from contextlib import suppress
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

from aiohttp import web

from ringback.core.permissions import Action
from ringback.flow.list_keeping import ListKeeper
from ringback.flow.lists import ListRefused
from ringback.flow.stopping import How, NoTexts, Whole
from ringback.panel.doing import done
from ringback.panel.door import read_form
from ringback.panel.shell import Shell
from ringback.ports.callbook import Callbook
from ringback.ports.lists import ListName
from ringback.ports.threads import ReadThreads

Word = TypeVar("Word", bound=StrEnum)


class ListedActs:
    """The forms beside a thread and a call."""

    def __init__(self, shell: Shell, keeper: ListKeeper, threads: ReadThreads, calls: Callbook) -> None:
        self._shell = shell
        self._keeper = keeper
        self._threads = threads
        self._calls = calls

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/threads/{thread}/listed", self.change),
            web.post("/calls/{call}/opt-out", self.opt_out),
        ]

    async def change(self, request: web.Request) -> web.Response:
        """Put the person of a thread on a list, or take them off: `do` is add or remove."""
        who = self._shell.allow(request, Action.MANAGE_LISTS)
        head = await self._threads.head(self._shell.reach(request), request.match_info["thread"])
        if head is None:
            raise web.HTTPNotFound
        do, name, why = await read_form(request, "do", "list", "why")
        list_ = _word(ListName, name)
        if do not in ("add", "remove") or (do == "remove" and list_ is ListName.STOPPED and not why.strip()):
            raise web.HTTPBadRequest
        with suppress(ListRefused):  # somebody else was faster, and the page will show it
            await done(self._keeper.change({"change": do, "list": list_, "number": head.peer, "why": why}, who))
        view = urlencode({"view": request.query.get("view", "")})
        raise web.HTTPSeeOther(f"/threads/{head.public_id}?{view}#about")

    async def opt_out(self, request: web.Request) -> web.Response:
        """They said in this call that they want no texts: from the number they called, or from any."""
        who = self._shell.allow(request, Action.SETTLE)
        call = await self._calls.story(self._shell.reach(request), request.match_info["call"])
        if call is None or call.peer is None:
            raise web.HTTPNotFound
        whole, how, note = await read_form(request, "whole", "how", "note")
        wish = NoTexts(_word(Whole, whole), _word(How, how), note, call.public_id)
        await done(self._keeper.no_texts_after(who, call.did, call.peer, wish))
        raise web.HTTPSeeOther(f"/calls/{call.public_id}?done=noted")


def _word(kind: type[Word], text: str) -> Word:
    """One of the words that a form offers; anything else is no form of ours."""
    found = next((word for word in kind if word == text), None)
    if found is None:
        raise web.HTTPBadRequest
    return found
