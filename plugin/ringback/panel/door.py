"""What the pages of logins and people share: whom to ask, how to change, and what is wrong with a form."""

from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import web

from ringback.core.permissions import Role
from ringback.flow.people import SENTENCES, Because, Refused
from ringback.panel.guard import Guard
from ringback.panel.passwords import Hasher, TooBusy, weakness
from ringback.panel.shell import Shell
from ringback.panel.words import N_
from ringback.ports import Clock
from ringback.ports.people import People
from ringback.ports.storage import Step, Store

T = TypeVar("T")

WRONG_FORM = 422
BUSY = N_("Too many people log in at this moment. Try again in a few seconds.")

ABOUT = {
    Because.BAD_LOGIN: "login",
    Because.TAKEN: "login",
    Because.BAD_NAME: "name",
    Because.FIRST: "role",
    Because.LAST: "role",
    Because.UNKNOWN: "login",
    Because.STRANGE: "login",
}
"""The field that a refusal is about."""


class Wrong(Exception):
    """A form that is not taken: the field, and a text to translate."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field
        self.why = why


@dataclass(frozen=True, slots=True)
class Door:
    """The parts behind every page that lets people in, keeps them out, or changes them."""

    shell: Shell
    guard: Guard
    people: People
    store: Store
    clock: Clock
    hasher: Hasher = field(default_factory=Hasher)

    async def change(self, step: Step[T]) -> T:
        """Carry out a change; what was known of logins before it is forgotten. Raises Wrong for what is refused."""
        try:
            value = await self.store.commit(step)
        except Refused as problem:
            raise Wrong(ABOUT[problem.why], SENTENCES[problem.why]) from problem
        self.guard.forget()
        return value

    async def hash_of_new(self, password: str, login: str) -> str:
        """The hash of a new password. Raises Wrong for one that is easy to guess."""
        if why := weakness(password, login, self.shell.site.business):
            raise Wrong("password", why)
        try:
            return await self.hasher.hash(password)
        except TooBusy as problem:
            raise Wrong("password", BUSY) from problem


async def read_form(request: web.Request, *names: str) -> list[str]:
    """The fields of a form as text; one that is missing is empty."""
    form = await request.post()
    return [value if isinstance(value := form.get(name, ""), str) else "" for name in names]


def read_role(text: str) -> Role:
    """Raises Wrong for a role there is none of."""
    try:
        return Role(text)
    except ValueError as problem:
        raise Wrong("role", N_("Choose one of the roles.")) from problem
