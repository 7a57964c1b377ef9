"""What the pages of users, departments and numbers share."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from ringback.core.book import Book
from ringback.core.department_tree import below, branches, by_id, path_of
from ringback.core.permissions import Role
from ringback.flow.permits import Permits
from ringback.panel.door import Door
from ringback.ports.directory import Directory, Sought
from ringback.ports.grants import ReadGrants
from ringback.ports.people import Account


@dataclass(frozen=True, slots=True)
class Registry:
    """What stands behind them. `country` is where mobiles are that name none."""

    door: Door
    directory: Directory
    permits: Permits
    grants: ReadGrants
    country: str

    async def account(self, request: web.Request) -> Account:
        """The user in the address; else a 404 page."""
        found = await self.directory.get(request.match_info["id"])
        if found is None:
            raise web.HTTPNotFound
        return found


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list was asked for, as it stands in its address."""

    q: str = ""
    department: str = ""
    role: str = ""
    source: str = ""
    state: str = ""
    after: str = ""

    @property
    def narrowed(self) -> bool:
        return bool(self.q or self.department or self.role or self.source or self.state)

    def link(self, path: str = "/users", **changes: str) -> str:
        """The same list with something changed."""
        names = ("q", "department", "role", "source", "state")
        chosen = {name: getattr(self, name) for name in names} | changes
        query = urlencode({name: value for name, value in chosen.items() if value})
        return f"{path}?{query}" if query else path

    def sought(self, book: Book) -> Sought:
        """What to look for. A department means those that are part of it as well; an unknown one means nobody."""
        inside: frozenset[int] = frozenset()
        if self.department:
            chosen = by_id(book.departments, self.department)
            inside = below(book.departments, chosen.id) if chosen else frozenset({0})
        role = next((role for role in Role if role == self.role), None)
        disabled = {"off": "yes", "on": "no"}.get(self.state, "")
        return Sought(self.q[:100], inside, role, self.source, disabled)


def read_asked(request: web.Request) -> Asked:
    query = request.query
    return Asked(**{name: query.get(name, "") for name in ("q", "department", "role", "source", "state", "after")})


def departments_of(book: Book, account: int) -> tuple[str, ...]:
    """The departments of somebody as paths, the main one first."""
    return tuple(path_of(book.departments, one) for one in book.members.get(account, ()) if one in book.departments)


def choices(book: Book) -> Mapping[str, str]:
    """Every department by its public id, as a path, in the order of the tree."""
    return {one.department.public_id: one.path for one in branches(book.departments)}
