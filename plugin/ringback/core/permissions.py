"""Who asks, and what they may do: one table of roles, asked by every page, command and text.

Finer grants, by number, department and class of text, come in front of this table; `may` is where they will be asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    AGENT = "agent"


class Asker(StrEnum):
    """What kind of principal it is."""

    USER = "user"
    """A person who logged in to the panel."""
    SHELL = "shell"
    """Whoever may run commands on this machine."""
    NOBODY = "nobody"
    """A request that nobody is logged in for; no role, so it may nothing."""


class Action(StrEnum):
    """What can be asked for. The words stand in the log and the audit."""

    READ_THREADS = "read_threads"
    REPLY = "reply"
    SETTLE = "settle"
    """Say what became of a text nobody knows about, close a task, record an opt-out."""
    READ_CALLS = "read_calls"
    READ_HEALTH = "read_health"
    PAUSE = "pause"
    READ_SETTINGS = "read_settings"
    MANAGE_USERS = "manage_users"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever asks, however they came: `id` is a public id (`usr_...`) or the name of an account of this machine."""

    kind: Asker
    id: str
    name: str
    roles: frozenset[Role]
    department: str = ""
    account: int | None = None
    """The row of a user, so that a text can point at who wrote it."""

    @property
    def label(self) -> str:
        """How the audit and the log name them."""
        return f"{self.kind} {self.id}"


def at_the_shell(name: str) -> Principal:
    """Whoever runs a command on this machine; the system has decided that they may."""
    return Principal(Asker.SHELL, name, name, frozenset())


GRANTS: Mapping[Role, frozenset[Action]] = {
    Role.ADMINISTRATOR: frozenset(Action),
    Role.AGENT: frozenset(
        {Action.READ_THREADS, Action.REPLY, Action.SETTLE, Action.READ_CALLS, Action.READ_HEALTH, Action.PAUSE}
    ),
}


def may(principal: Principal, action: Action) -> bool:
    """Whether any of their roles grants it."""
    return any(action in GRANTS[role] for role in principal.roles)
