"""Who works here: the list of everybody, and the form that adds somebody."""

from collections.abc import Mapping
from functools import partial

from aiohttp import web

from ringback.core.permissions import Action, Role
from ringback.flow.contacts import read_contact
from ringback.flow.people import NewUser, add_user, read_login, read_name
from ringback.flow.refusing import Refused
from ringback.panel import words
from ringback.panel.door import WRONG_FORM, Wrong, read_form, read_roles, wrong_for
from ringback.panel.people_parts import Registry, choices, departments_of, read_asked

PAGE = 50


class UserPages:
    """The list under /users."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._door = registry.door
        self._shell = registry.door.shell

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/users", self.index), web.post("/users", self.add)]

    async def index(self, request: web.Request) -> web.Response:
        """Everybody, a page at a time, and the form for one more."""
        self._shell.allow(request, Action.MANAGE_USERS)
        return await self._list(request, {"roles": frozenset({Role.AGENT})})

    async def add(self, request: web.Request) -> web.Response:
        """Add somebody; what is wrong comes back with what was typed, but for the password."""
        who = self._shell.allow(request, Action.MANAGE_USERS)
        names = ("login", "name", "extension", "mail", "password")
        typed = dict(zip(names, await read_form(request, *names), strict=True))
        password = typed.pop("password")
        roles: frozenset[Role] = frozenset()
        try:
            roles = await read_roles(request)
            new = await self._read_new(typed, roles, password)
            await self._door.change(partial(add_user, new, who.label, self._door.clock.now()))
        except Wrong as wrong:
            return await self._list(request, {**typed, "roles": roles}, wrong)
        raise web.HTTPSeeOther("/users?done=user-added")

    async def _read_new(self, typed: Mapping[str, str], roles: frozenset[Role], password: str) -> NewUser:
        try:
            login, name = read_login(typed["login"]), read_name(typed["name"])
            contact = read_contact(typed, self._registry.country)
        except Refused as problem:
            raise wrong_for(problem) from problem
        hashed = await self._door.hash_of_new(password, login) if password else ""
        return NewUser(login, name, roles, hashed, contact=contact)

    async def _list(
        self, request: web.Request, typed: Mapping[str, object], wrong: Wrong | None = None
    ) -> web.Response:
        registry, asked = self._registry, read_asked(request)
        book = await registry.permits.book()
        page = await registry.directory.page(asked.sought(book), asked.after, PAGE)
        values = {
            "people": [(one, departments_of(book, one.id)) for one in page.people],
            "next": page.after,
            "asked": asked,
            "departments": choices(book),
            "sources": await registry.directory.sources(),
            "typed": typed,
            "wrong": wrong,
            "done": words.DONE.get(request.query.get("done", "")),
        }
        return self._shell.page(request, "users", status=WRONG_FORM if wrong else 200, **values)
