"""The pages of departments: the tree, each with its members, and what goes when one is removed."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from aiohttp import web

from ringback.core.book import Book
from ringback.core.department_tree import below, branches, by_id, path_of, upwards
from ringback.core.grants import Department
from ringback.core.permissions import Action, Principal
from ringback.flow.departments import (
    add_department,
    join_department,
    leave_department,
    move_department,
    removal_of,
    remove_department,
    rename_department,
)
from ringback.flow.refusing import Because, Refused
from ringback.panel.door import WRONG_FORM, Wrong, read_form
from ringback.panel.people_parts import Registry, choices
from ringback.panel.words import N_
from ringback.ports.storage import Tx

MEMBERS_SHOWN = 100
DONE = {
    "added": N_("The department is added."),
    "renamed": N_("The department has another name."),
    "moved": N_("The department is moved."),
    "removed": N_("The department is removed."),
    "joined": N_("They are in the department."),
    "left": N_("They are not in the department any more."),
    "main": N_("It is their main department."),
}


class DepartmentPages:
    """The routes under /departments."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._door = registry.door
        self._shell = registry.door.shell

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/departments", self.index),
            web.post("/departments", self.add),
            web.get("/departments/{id}", self.show),
            web.post("/departments/{id}/name", self.rename),
            web.post("/departments/{id}/move", self.move),
            web.post("/departments/{id}/join", self.join),
            web.post("/departments/{id}/leave", self.leave),
            web.get("/departments/{id}/remove", self.ask),
            web.post("/departments/{id}/remove", self.remove),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """The tree, and the form for one more."""
        self._shell.allow(request, Action.READ_PERMISSIONS)
        return await self._tree(request)

    async def add(self, request: web.Request) -> web.Response:
        who = self._may_change(request)
        name, parent = await read_form(request, "name", "parent")
        try:
            await self._door.change(partial(add_department, name, parent, who.label, self._door.clock.now()))
        except Wrong as wrong:
            return await self._tree(request, {"name": name, "parent": parent}, wrong)
        raise web.HTTPSeeOther("/departments?done=added")

    async def show(self, request: web.Request) -> web.Response:
        """One of them: where it stands, and who is in it."""
        self._shell.allow(request, Action.READ_PERMISSIONS)
        return await self._one(request)

    async def rename(self, request: web.Request) -> web.Response:
        (name,) = await read_form(request, "name")
        return await self._change(request, "renamed", lambda id_: partial(rename_department, id_, name))

    async def move(self, request: web.Request) -> web.Response:
        (parent,) = await read_form(request, "parent")
        return await self._change(request, "moved", lambda id_: partial(move_department, id_, parent))

    async def join(self, request: web.Request) -> web.Response:
        """Put somebody in, by login or extension; or make it the main one of whoever is in it."""
        person, main = await read_form(request, "person", "main")
        done = "main" if main else "joined"
        return await self._change(request, done, lambda id_: partial(_join, id_, person, main))

    async def leave(self, request: web.Request) -> web.Response:
        (person,) = await read_form(request, "person")
        return await self._change(request, "left", lambda id_: partial(_leave, id_, person))

    async def ask(self, request: web.Request) -> web.Response:
        """Whether to remove it, and what goes with it."""
        self._may_change(request)
        return await self._removing(request)

    async def remove(self, request: web.Request) -> web.Response:
        who, one = self._may_change(request), await self._department(request)
        step = partial(remove_department, one.public_id, who.label, self._door.clock.now())
        try:
            await self._door.change(step)
        except Wrong as wrong:
            return await self._removing(request, wrong)
        raise web.HTTPSeeOther("/departments?done=removed")

    async def _change(
        self, request: web.Request, done: str, make: Callable[[str], Callable[..., object]]
    ) -> web.Response:
        who, one = self._may_change(request), await self._department(request)
        try:
            await self._door.change(partial(make(one.public_id), who.label, self._door.clock.now()))
        except Wrong as wrong:
            return await self._one(request, wrong)
        raise web.HTTPSeeOther(f"/departments/{one.public_id}?done={done}")

    def _may_change(self, request: web.Request) -> Principal:
        return self._shell.allow(request, Action.MANAGE_PERMISSIONS)

    async def _department(self, request: web.Request) -> Department:
        found = by_id((await self._registry.permits.book()).departments, request.match_info["id"])
        if found is None:
            raise web.HTTPNotFound
        return found

    async def _tree(
        self, request: web.Request, typed: dict[str, str] | None = None, wrong: Wrong | None = None
    ) -> web.Response:
        book = await self._registry.permits.book()
        within = _heads(book)
        values = {
            "branches": [(one, within[one.department.id]) for one in branches(book.departments)],
            "choices": choices(book),
            "typed": typed or {"name": "", "parent": ""},
            "wrong": wrong,
            "done": DONE.get(request.query.get("done", "")),
        }
        return self._shell.page(request, "departments", status=WRONG_FORM if wrong else 200, **values)

    async def _one(self, request: web.Request, wrong: Wrong | None = None) -> web.Response:
        book, one = await self._registry.permits.book(), await self._department(request)
        members = frozenset(account for account, inside in book.members.items() if one.id in inside)
        shown = await self._registry.directory.those(members)
        inside = below(book.departments, one.id)
        values = {
            "one": one,
            "path": path_of(book.departments, one.id),
            "members": [(person, book.members[person.id][0] == one.id) for person in shown[:MEMBERS_SHOWN]],
            "many": len(members),
            "children": [branch for branch in branches(book.departments) if branch.department.parent == one.id],
            "parents": {id_: path for id_, path in choices(book).items() if _row(book, id_) not in inside},
            "parent": next((d.public_id for d in book.departments.values() if d.id == one.parent), ""),
            "numbers": [card for card in await self._registry.grants.numbers() if card.owner == one.public_id],
            "wrong": wrong,
            "done": DONE.get(request.query.get("done", "")),
        }
        return self._shell.page(request, "department", status=WRONG_FORM if wrong else 200, **values)

    async def _removing(self, request: web.Request, wrong: Wrong | None = None) -> web.Response:
        book, one = await self._registry.permits.book(), await self._department(request)
        numbers, allowances = await self._registry.grants.numbers(), await self._registry.grants.allowances()
        values = {
            "goes": removal_of(one, book, numbers, allowances),
            "path": path_of(book.departments, one.id),
            "wrong": wrong,
        }
        return self._shell.page(request, "department_remove", status=WRONG_FORM if wrong else 200, **values)


def _row(book: Book, public_id: str) -> int:
    found = by_id(book.departments, public_id)
    return 0 if found is None else found.id


def _heads(book: Book) -> dict[int, int]:
    """How many people are in each department, and in what is part of it."""
    above = {one: [up.id for up in upwards(book.departments, one)] for one in book.departments}
    within = dict.fromkeys(book.departments, 0)
    for mine in book.members.values():
        for one in {up for department in mine for up in above.get(department, ())}:
            within[one] += 1
    return within


def _join(department: str, person: str, main: str, by: str, now: datetime, tx: Tx) -> None:
    join_department(_person(person, tx), department, main, by, now, tx)


def _leave(department: str, person: str, by: str, now: datetime, tx: Tx) -> None:
    leave_department(_person(person, tx), department, by, now, tx)


def _person(words: str, tx: Tx) -> str:
    """The public id of whoever has this login, extension or id. Raises Refused."""
    found = tx.accounts.named(words.strip().casefold())
    if len(found) != 1:
        raise Refused(Because.UNKNOWN)
    return found[0].public_id
