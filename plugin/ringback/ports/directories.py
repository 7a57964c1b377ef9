"""People as another house knows them: a provider of OpenID Connect, or a directory that is asked for a password."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ringback.core.permissions import Role
from ringback.errors import RingbackError


class DirectoryAway(RingbackError):
    """It cannot be asked now; the text says why, for the log."""


class DirectoryRefused(RingbackError):
    """What it said proves nothing; the text says why, for the log."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as a directory knows them. `outside` is who they are there, for ever; their login may change."""

    outside: str
    login: str
    name: str = ""
    mail: str = ""
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Admission:
    """Who of a directory may come in, and as what. `roles` and `departments` name the groups that make one so."""

    kind: str
    label: str
    create: bool = True
    default_role: Role | None = Role.AGENT
    roles: Mapping[Role, frozenset[str]] = field(default_factory=dict)
    departments: Mapping[str, frozenset[str]] = field(default_factory=dict)


class Directory(Protocol):
    """Both kinds. `admission` is what the owner decided about those who come from it."""

    @property
    def admission(self) -> Admission: ...

    async def close(self) -> None: ...


class PasswordDirectory(Directory, Protocol):
    """One that is asked whether a password is right."""

    async def check(self, login: str, password: str) -> Person | None:
        """Who this is; None for a wrong password or nobody. Raises DirectoryAway."""
        ...


@dataclass(frozen=True, slots=True)
class Errand:
    """Somebody who was sent to a provider and is to come back with `state`; the rest proves that it is for them."""

    url: str
    state: str
    nonce: str
    verifier: str
    back_to: str


class SendingDirectory(Directory, Protocol):
    """One that people are sent to, and come back from with a code."""

    async def send(self, back_to: str) -> Errand:
        """Where to send a browser; it comes back to the address `back_to`. Raises DirectoryAway."""
        ...

    async def receive(self, errand: Errand, code: str, issuer: str) -> Person:
        """Who came back with this code. Raises DirectoryAway, DirectoryRefused."""
        ...

    @property
    def leaves(self) -> bool:
        """Whether those who log out here are shown the way to log out there."""
        ...

    async def leaving(self, back_to: str) -> str:
        """Where to log out there too; empty where that is not wanted or not possible."""
        ...
