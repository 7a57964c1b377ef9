"""Everybody who works here, a page at a time: for lists of thousands of people."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ringback.core.permissions import Role
from ringback.ports.people import Account


@dataclass(frozen=True, slots=True)
class Sought:
    """Whom a list is of; what is empty holds for all.

    `words` are looked for in name, login, extension and mail, whatever their capitals and accents. `departments` are
    rows. `disabled` is `yes` or `no`.
    """

    words: str = ""
    departments: frozenset[int] = frozenset()
    role: Role | None = None
    source: str = ""
    disabled: str = ""


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """People in the order of their logins; `after` is the login to go on behind, empty at the end."""

    people: tuple[Account, ...]
    after: str


class Directory(Protocol):
    """Satisfied by the store."""

    async def page(self, sought: Sought, after: str, most: int) -> PeoplePage: ...

    async def get(self, public_id: str) -> Account | None: ...

    async def those(self, accounts: frozenset[int]) -> tuple[Account, ...]:
        """Accounts by their rows, in the order of their names."""
        ...

    async def sources(self) -> tuple[str, ...]:
        """Where people were brought in from."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody at a PBX. `queues` are those they are a member of."""

    endpoint: str
    extension: str
    name: str
    mail: str
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a PBX told. `left_out` are devices that look like trunks; `refused` are actions it does not let us send.

    `unread` is what is said of somebody there and cannot be taken here, such as root@localhost for a mail address.
    """

    people: tuple[Found, ...]
    left_out: tuple[str, ...]
    refused: tuple[str, ...]
    unread: tuple[str, ...] = ()


AskPbx = Mapping[str, Callable[[], Awaitable[Asked]]]
"""How to ask each PBX, by its name, who is there. Raises PbxAway."""
