"""Who works here: the pages where administrators add people, change what they may do, and keep them out."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from aiohttp import web

from ringback.core.permissions import Action, Role
from ringback.flow.people import (
    NewUser,
    Refused,
    add_user,
    disable_user,
    enable_user,
    log_out,
    read_login,
    read_name,
    set_password,
    set_role,
)
from ringback.panel import words
from ringback.panel.browsers import in_words
from ringback.panel.door import ABOUT, WRONG_FORM, Door, Wrong, read_form, read_role
from ringback.panel.guard import holds
from ringback.ports.people import Account
from ringback.ports.storage import Tx

Change = Callable[[str, str, datetime, Tx], object]
"""A step that needs only whom it is about and who asks."""


class UserPages:
    """The routes under /users."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._shell = door.shell

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/users", self.index),
            web.post("/users", self.add),
            web.get("/users/{id}", self.show),
            web.post("/users/{id}/role", self.change_role),
            web.post("/users/{id}/password", self.change_password),
            web.post("/users/{id}/disable", partial(self._change, disable_user)),
            web.post("/users/{id}/enable", partial(self._change, enable_user)),
            web.post("/users/{id}/logout", partial(self._change, log_out)),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """Everybody, and the form for one more."""
        self._shell.allow(request, Action.MANAGE_USERS)
        return await self._list(request, {"role": Role.AGENT})

    async def add(self, request: web.Request) -> web.Response:
        """Add somebody; what is wrong comes back with what was typed, but for the password."""
        who = self._shell.allow(request, Action.MANAGE_USERS)
        login, name, role, password = await read_form(request, "login", "name", "role", "password")
        try:
            new = await self._read_new(login, name, role, password)
            await self._door.change(partial(add_user, new, who.label, self._door.clock.now()))
        except Wrong as wrong:
            return await self._list(request, {"login": login, "name": name, "role": role}, wrong)
        raise web.HTTPSeeOther("/users?done=user-added")

    async def show(self, request: web.Request) -> web.Response:
        """One of them."""
        self._shell.allow(request, Action.MANAGE_USERS)
        return await self._one(request, await self._account(request))

    async def change_role(self, request: web.Request) -> web.Response:
        """Give another role; whoever has it logs in again, since they may do other things now."""
        who, account = self._shell.allow(request, Action.MANAGE_USERS), await self._account(request)
        (role,) = await read_form(request, "role")
        try:
            step = partial(set_role, account.public_id, read_role(role), who.label, self._door.clock.now())
            await self._door.change(step)
        except Wrong as wrong:
            return await self._one(request, account, wrong)
        raise _done(account, "role-changed")

    async def change_password(self, request: web.Request) -> web.Response:
        """Set a password for somebody who forgot theirs."""
        who, account = self._shell.allow(request, Action.MANAGE_USERS), await self._account(request)
        (password,) = await read_form(request, "password")
        try:
            hashed = await self._door.hash_of_new(password, account.login)
            step = partial(set_password, account.public_id, hashed, who.label, self._door.clock.now())
            await self._door.change(step)
        except Wrong as wrong:
            return await self._one(request, account, wrong)
        raise _done(account, "password-changed")

    async def _change(self, change: Change, request: web.Request) -> web.Response:
        """Disable, enable, log out."""
        who, account = self._shell.allow(request, Action.MANAGE_USERS), await self._account(request)
        try:
            await self._door.change(partial(change, account.public_id, who.label, self._door.clock.now()))
        except Wrong as wrong:
            return await self._one(request, account, wrong)
        raise _done(account, request.path.rpartition("/")[2])

    async def _read_new(self, login: str, name: str, role: str, password: str) -> NewUser:
        try:
            read, called = read_login(login), read_name(name)
        except Refused as problem:
            raise Wrong(ABOUT[problem.why], str(problem)) from problem
        chosen = read_role(role)
        return NewUser(read, called, chosen, await self._door.hash_of_new(password, read))

    async def _account(self, request: web.Request) -> Account:
        wanted = request.match_info["id"]
        found = next((one for one in await self._door.people.everybody() if one.public_id == wanted), None)
        if found is None:
            raise web.HTTPNotFound
        return found

    async def _list(self, request: web.Request, typed: dict[str, str], wrong: Wrong | None = None) -> web.Response:
        people = await self._door.people.everybody()
        values = {
            "people": people,
            "typed": typed,
            "wrong": wrong,
            "done": words.DONE.get(request.query.get("done", "")),
        }
        return self._shell.page(request, "users", status=WRONG_FORM if wrong else 200, **values)

    async def _one(self, request: web.Request, account: Account, wrong: Wrong | None = None) -> web.Response:
        now = self._door.clock.now()
        logins = [login for login in await self._door.people.of_account(account.id) if holds(login, now)]
        shown = [(login, in_words(login.browser)) for login in logins]
        values = {
            "one": account,
            "logins": shown,
            "wrong": wrong,
            "done": words.DONE.get(request.query.get("done", "")),
        }
        return self._shell.page(request, "user", status=WRONG_FORM if wrong else 200, **values)


def _done(account: Account, what: str) -> web.HTTPSeeOther:
    return web.HTTPSeeOther(f"/users/{account.public_id}?done={what}")
