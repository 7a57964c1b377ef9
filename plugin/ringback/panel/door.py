"""What the pages of logins and people share: whom to ask, how to change, and what is wrong with a form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import web

from ringback.core.permissions import Role
from ringback.flow.refusing import SENTENCES, Because, Refused
from ringback.panel.guard import Guard
from ringback.panel.passwords import Hasher, TooBusy, weakness
from ringback.panel.proving import Proving
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
    Because.NO_ROLE: "role",
    Because.UNKNOWN: "login",
    Because.ELSEWHERE: "password",
    Because.DISABLED: "login",
    Because.STRANGE: "login",
    Because.BAD_EXTENSION: "extension",
    Because.EXTENSION_TAKEN: "extension",
    Because.BAD_ENDPOINT: "endpoint",
    Because.BAD_MAIL: "mail",
    Because.BAD_MOBILE: "mobile",
    Because.BAD_LANGUAGE: "language",
    Because.LAST_OF_NUMBER: "owned",
    Because.NO_DEPARTMENT: "department",
    Because.BAD_DEPARTMENT: "name",
    Because.DEPARTMENT_TAKEN: "name",
    Because.CIRCLE: "parent",
    Because.TOO_DEEP: "parent",
    Because.NO_MEMBER: "department",
    Because.NO_NUMBER: "number",
    Because.BAD_LABEL: "label",
    Because.NO_GROUP: "group",
    Because.BAD_GROUP: "name",
    Because.GROUP_TAKEN: "name",
    Because.NO_OWNER: "owner",
    Because.NOBODY_THERE: "owner",
    Because.SAME_FALLBACK: "fallback",
    Because.FORMER: "number",
    Because.NO_QUEUE: "queue",
    Because.BAD_QUEUE: "name",
    Because.QUEUE_TAKEN: "name",
    Because.MAIN_STAYS: "queue",
    Because.MAIN_HAS_REST: "number",
    Because.NO_TAKER: "member",
    Because.NO_AGENT: "agent",
    Because.NO_MEMBER_THERE: "member",
    Because.BAD_VOICE: "voice",
    Because.NO_PBX: "voice",
    Because.UNHEARD: "queue",
    Because.BAD_CAPACITY: "capacity",
    Because.BAD_WEIGHT: "voice_weight",
    Because.NOTHING_TO_MAP: "queue",
    Because.MAPPED_MEANWHILE: "queue",
}
"""The field that a refusal is about."""


class Wrong(Exception):
    """A form that is not taken: the field, and a text to translate with the values of its places."""

    def __init__(self, field: str, why: str, values: Mapping[str, str] | None = None) -> None:
        super().__init__(why)
        self.field = field
        self.why = why
        self.values = values or {}


def wrong_for(refused: Refused) -> Wrong:
    """What a form says of a change that was refused."""
    return Wrong(ABOUT.get(refused.why, "login"), SENTENCES[refused.why], refused.values)


@dataclass(frozen=True, slots=True)
class Door:
    """The parts behind every page that lets people in, keeps them out, or changes them."""

    shell: Shell
    guard: Guard
    people: People
    store: Store
    clock: Clock
    hasher: Hasher = field(default_factory=Hasher)
    proving: Proving | None = None

    async def change(self, step: Step[T]) -> T:
        """Carry out a change; what was known of logins before it is forgotten. Raises Wrong for what is refused."""
        try:
            value = await self.store.commit(step)
        except Refused as problem:
            raise wrong_for(problem) from problem
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


async def read_roles(request: web.Request) -> frozenset[Role]:
    """The roles that are ticked. Raises Wrong for none, or for one that there is not."""
    try:
        roles = frozenset(Role(str(word)) for word in (await request.post()).getall("role", []))
    except ValueError:
        roles = frozenset()
    if not roles:
        raise Wrong("role", N_("Choose one of the roles, or several."))
    return roles
