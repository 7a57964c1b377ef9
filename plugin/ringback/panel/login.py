"""Logging in and out."""

import math
from datetime import datetime
from functools import partial
from typing import NoReturn

import structlog
from aiohttp import web

from ringback.flow.people import Refused, read_login
from ringback.panel.door import BUSY, Door, read_form
from ringback.panel.entering import Entering
from ringback.panel.guard import COOKIE, drop_cookie, local_path
from ringback.panel.passwords import TooBusy
from ringback.panel.shell import VISIT
from ringback.panel.words import N_
from ringback.ports.storage import Tx

log = structlog.get_logger("login")

WRONG = N_("Login or password is wrong.")


class LoginPages:
    """`/login` and `/logout`."""

    def __init__(self, door: Door, entering: Entering) -> None:
        self._door = door
        self._shell = door.shell
        self._entering = entering

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/login", self.show),
            web.post("/login", self.enter),
            web.post("/logout", self.leave),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """The form; whoever is logged in goes on."""
        back = request.query.get("next", "/")
        if request[VISIT].known:
            raise web.HTTPSeeOther(local_path(back))
        return await self._page(request, "", "", back)

    async def enter(self, request: web.Request) -> web.Response:
        """Let somebody in who knows the password. Whether the account is unknown, disabled or right costs the same."""
        typed, password, back = await read_form(request, "login", "password", "next")
        login = _readable(typed)
        account = await self._door.people.find(login) if login else None
        attempt = self._entering.begin(request, login, account)
        if attempt.wait:
            answer = await self._page(request, self._entering.too_early(request, attempt.wait), typed, back, 429)
            answer.headers["Retry-After"] = str(math.ceil(attempt.wait))
            return answer
        stored = account.password if account is not None and account.disabled_at is None else ""
        try:
            verified = await self._door.hasher.verify(stored, password)
        except TooBusy:
            return await self._page(request, self._shell.say(request, BUSY), typed, back, 503)
        if account is None or not verified.good:
            # not what was typed: people type passwords into the wrong field
            log.warning("login refused", user=account.public_id if account else "", address=request.remote)
            return await self._page(request, self._shell.say(request, WRONG), typed, back, 403)
        attempt.was_right()
        goes_on = web.HTTPSeeOther(local_path(back))
        await self._entering.let_in(request, account, goes_on, verified.renewed)
        raise goes_on

    async def leave(self, request: web.Request) -> NoReturn:
        """Log this browser out."""
        visit = request[VISIT]
        await self._door.change(partial(_end, visit.login, visit.principal.label, visit.principal.id, self._now()))
        answer = web.HTTPSeeOther("/login")
        drop_cookie(answer, COOKIE)
        raise answer

    def _now(self) -> datetime:
        return self._door.clock.now()

    async def _page(self, request: web.Request, wrong: str, login: str, back: str, status: int = 200) -> web.Response:
        nobody_yet = not await self._door.people.everybody()
        values = {"wrong": wrong, "login": login[:100], "back": local_path(back), "nobody_yet": nobody_yet}
        return self._shell.page(request, "login", status=status, **values)


def _readable(typed: str) -> str:
    try:
        return read_login(typed)
    except Refused:
        return ""


def _end(login_id: int, who: str, public_id: str, now: datetime, tx: Tx) -> None:
    tx.accounts.end(login_id, now)
    tx.audit.note(who, "logout", public_id, "", now)
