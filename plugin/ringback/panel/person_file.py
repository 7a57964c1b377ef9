"""Everything known of a person, from the thread with them: written out as one file, or erased.

That is about all of our numbers, so it takes the right to all of them.
"""

import asyncio
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from ringback.core.grants import Way
from ringback.core.permissions import Action, Principal
from ringback.errors import StoreFault
from ringback.flow.dispute import Made, make_file, note
from ringback.flow.retention import Retention
from ringback.panel.door import read_form
from ringback.panel.shell import NotPermitted, Shell
from ringback.panel.words import N_
from ringback.ports import Clock
from ringback.ports.person import ReadPerson
from ringback.ports.record import Verifier
from ringback.ports.storage import Store
from ringback.ports.threads import Head, ReadThreads

PERSON = "/threads/{thread}/person"
NOT_SURE = N_("Type the last four digits of their number, so that nobody is erased by mistake.")
NOT_ALL = N_("You may not see what comes in at every number of yours, so you cannot do this for a whole person.")
NO_FILE = N_("You may not take the texts of every number of yours away as a file.")
LAST_DIGITS = 4
WRONG = 422


@dataclass(frozen=True, slots=True)
class Cabinet:
    """What stands behind these pages."""

    people: ReadPerson
    threads: ReadThreads
    retention: Retention
    verifier: Verifier
    store: Store
    clock: Clock


class PersonPages:
    """The routes under a thread that are about all that is known of its person, with every number of ours."""

    def __init__(self, shell: Shell, cabinet: Cabinet) -> None:
        self._shell = shell
        self._cabinet = cabinet

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(PERSON, self.show),
            web.post(f"{PERSON}/file", self.write_out),
            web.post(f"{PERSON}/erase", self.erase),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """What can be done, and what it means."""
        _who, head = await self._asked(request)
        return self._page(request, head)

    async def write_out(self, request: web.Request) -> web.Response:
        """The file. That it was made stands in the record before it leaves."""
        who, head = await self._asked(request)
        if self._lacks_for_file(request):
            raise NotPermitted(Action.EXPORT)
        cabinet, now = self._cabinet, self._cabinet.clock.now()
        try:
            known = await cabinet.people.known(head.peer)
            made = Made(who.label, now, self._shell.site.business, await cabinet.verifier.check(now))
            file = await asyncio.to_thread(make_file, known, made)
            await cabinet.store.commit(partial(note, who, head.peer, len(file), now))
        except StoreFault:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "5"}) from None
        name = f"person-{head.peer.lstrip('+')}.zip"
        headers = {"Content-Type": "application/zip", "Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=file, headers=headers)

    async def erase(self, request: web.Request) -> web.Response:
        """Take them out of everything; what was typed shows that this one is meant."""
        who, head = await self._asked(request)
        if self._lacks(request):
            raise NotPermitted(Action.ERASE)
        (typed,) = await read_form(request, "digits")
        if typed.strip() != head.peer[-LAST_DIGITS:]:
            return self._page(request, head, NOT_SURE, WRONG)
        try:
            await self._cabinet.retention.erase(head.peer, who)
        except StoreFault:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "5"}) from None
        raise web.HTTPSeeOther("/audit?action=erase")

    async def _asked(self, request: web.Request) -> tuple[Principal, Head]:
        """Who asks, and about whom. Somebody who was erased, or whom they may not see, is not there."""
        who = self._shell.allow(request, Action.ERASE)
        head = await self._cabinet.threads.head(self._shell.reach(request), request.match_info["thread"])
        if head is None or not head.peer.startswith("+"):
            raise web.HTTPNotFound
        return who, head

    def _lacks(self, request: web.Request) -> str:
        """Why it is not theirs to decide about a whole person; empty if it is."""
        return "" if self._shell.reach(request).everything else NOT_ALL

    def _lacks_for_file(self, request: web.Request) -> str:
        return self._lacks(request) or ("" if self._shell.reach(request, Way.EXPORT).everything else NO_FILE)

    def _page(self, request: web.Request, head: Head, wrong: str = "", status: int = 200) -> web.Response:
        lacks = {"lacks": self._lacks(request), "lacks_for_file": self._lacks_for_file(request)}
        return self._shell.page(request, "person", status=status, head=head, wrong=wrong, digits=LAST_DIGITS, **lacks)
