"""One of those who work here: who they are, how to reach them, what they may do, and where they are logged in."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from aiohttp import web

from ringback.core.department_tree import path_of
from ringback.core.permissions import Action
from ringback.flow.contacts import read_contact
from ringback.flow.departments import join_department, leave_department
from ringback.flow.people import (
    Details,
    describe_user,
    disable_user,
    enable_user,
    log_out,
    read_name,
    set_password,
    set_roles,
)
from ringback.flow.refusing import Because, Refused
from ringback.panel import words
from ringback.panel.browsers import in_words
from ringback.panel.door import WRONG_FORM, Wrong, read_form, read_roles, wrong_for
from ringback.panel.logged_in import holds
from ringback.panel.people_parts import Registry, choices
from ringback.ports.people import Account
from ringback.ports.storage import Tx

Change = Callable[[str, str, datetime, Tx], object]
"""A step that needs only whom it is about and who asks."""
DETAILS = ("name", "extension", "endpoint", "mail", "mobile", "language")


class UserPage:
    """The routes under /users/{id}."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._door = registry.door
        self._shell = registry.door.shell

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/users/{id}", self.show),
            web.post("/users/{id}/details", self.describe),
            web.post("/users/{id}/role", self.change_role),
            web.post("/users/{id}/password", self.change_password),
            web.post("/users/{id}/join", self.join),
            web.post("/users/{id}/leave", self.leave),
            web.post("/users/{id}/disable", partial(self._change, disable_user)),
            web.post("/users/{id}/enable", partial(self._change, enable_user)),
            web.post("/users/{id}/logout", partial(self._change, log_out)),
        ]

    async def show(self, request: web.Request) -> web.Response:
        self._shell.allow(request, Action.MANAGE_USERS)
        return await self._one(request, await self._registry.account(request))

    async def describe(self, request: web.Request) -> web.Response:
        """Name, how to reach them, and where they are at the PBX."""
        who, account = self._shell.allow(request, Action.MANAGE_USERS), await self._registry.account(request)
        typed = dict(zip(DETAILS, await read_form(request, *DETAILS), strict=True))
        try:
            details = self._read_details(typed)
            await self._door.change(
                partial(describe_user, account.public_id, details, who.label, self._door.clock.now())
            )
        except Wrong as wrong:
            return await self._one(request, account, wrong, typed)
        raise _done(account, "described")

    def _read_details(self, typed: dict[str, str]) -> Details:
        language = typed["language"]
        try:
            if language and language not in self._shell.pages().languages.codes():
                raise Refused(Because.BAD_LANGUAGE)
            return Details(read_name(typed["name"]), read_contact(typed, self._registry.country), language)
        except Refused as problem:
            raise wrong_for(problem) from problem

    async def change_role(self, request: web.Request) -> web.Response:
        """Give other roles; whoever has them logs in again, since they may do other things now."""
        who, account = self._shell.allow(request, Action.MANAGE_USERS), await self._registry.account(request)
        try:
            roles = await read_roles(request)
            step = partial(set_roles, account.public_id, roles, who.label, self._door.clock.now())
            await self._door.change(step)
        except Wrong as wrong:
            return await self._one(request, account, wrong)
        raise _done(account, "role-changed")

    async def change_password(self, request: web.Request) -> web.Response:
        """Set a password for somebody who forgot theirs."""
        who, account = self._shell.allow(request, Action.MANAGE_USERS), await self._registry.account(request)
        (password,) = await read_form(request, "password")
        try:
            hashed = await self._door.hash_of_new(password, account.login)
            step = partial(set_password, account.public_id, hashed, who.label, self._door.clock.now())
            await self._door.change(step)
        except Wrong as wrong:
            return await self._one(request, account, wrong)
        raise _done(account, "password-changed")

    async def join(self, request: web.Request) -> web.Response:
        """Into a department; `main` makes it the one they stand under."""
        who, account = self._shell.allow(request, Action.MANAGE_PERMISSIONS), await self._registry.account(request)
        department, main = await read_form(request, "department", "main")
        now = self._door.clock.now()
        try:
            await self._door.change(partial(join_department, account.public_id, department, main, who.label, now))
        except Wrong as wrong:
            return await self._one(request, account, wrong)
        raise _done(account, "joined")

    async def leave(self, request: web.Request) -> web.Response:
        """Out of a department."""
        who, account = self._shell.allow(request, Action.MANAGE_PERMISSIONS), await self._registry.account(request)
        (department,) = await read_form(request, "department")
        now = self._door.clock.now()
        try:
            await self._door.change(partial(leave_department, account.public_id, department, who.label, now))
        except Wrong as wrong:
            return await self._one(request, account, wrong)
        raise _done(account, "left")

    async def _change(self, change: Change, request: web.Request) -> web.Response:
        """Disable, enable, log out."""
        who, account = self._shell.allow(request, Action.MANAGE_USERS), await self._registry.account(request)
        try:
            await self._door.change(partial(change, account.public_id, who.label, self._door.clock.now()))
        except Wrong as wrong:
            return await self._one(request, account, wrong)
        raise _done(account, request.path.rpartition("/")[2])

    async def _one(
        self,
        request: web.Request,
        account: Account,
        wrong: Wrong | None = None,
        typed: dict[str, str] | None = None,
    ) -> web.Response:
        now, book = self._door.clock.now(), await self._registry.permits.book()
        logins = [login for login in await self._door.people.of_account(account.id) if holds(login, now)]
        mine = [book.departments[one] for one in book.members.get(account.id, ()) if one in book.departments]
        there = {one.public_id for one in mine}
        numbers = [card for card in await self._registry.grants.numbers() if card.owner == account.public_id]
        values = {
            "one": account,
            "typed": typed or {name: getattr(account, name) for name in DETAILS},
            "mine": [(one.public_id, path_of(book.departments, one.id)) for one in mine],
            "others": {id_: path for id_, path in choices(book).items() if id_ not in there},
            "numbers": numbers,
            "logins": [(login, in_words(login.browser)) for login in logins],
            "factors": self._door.proving is not None,
            "mails": self._door.proving is not None and self._door.proving.post is not None,
            "wrong": wrong,
            "done": words.DONE.get(request.query.get("done", "")),
        }
        return self._shell.page(request, "user", status=WRONG_FORM if wrong else 200, **values)


def _done(account: Account, what: str) -> web.HTTPSeeOther:
    return web.HTTPSeeOther(f"/users/{account.public_id}?done={what}")
