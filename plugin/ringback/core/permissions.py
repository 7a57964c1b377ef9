"""Who asks, and what they may do: one table of roles, asked by every page, command and text.

Finer grants, by number, department and class of text, come in front of this table; `may` is where they will be asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    AGENT = "agent"


class Scope(StrEnum):
    """What a key of the API may do."""

    SEND = "send"
    BULK = "bulk"
    READ = "read"


class Asker(StrEnum):
    """What kind of principal it is."""

    USER = "user"
    """A person who logged in to the panel."""
    SHELL = "shell"
    """Whoever may run commands on this machine."""
    PROGRAM = "program"
    """A program with a key of the API."""
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
    SEND = "send"
    """Have a text sent to any number."""
    SEND_BULK = "send_bulk"
    """Have a text sent to many numbers at once."""
    READ_MESSAGES = "read_messages"
    """Ask what became of a text."""
    MANAGE_CARRIERS = "manage_carriers"
    """Hold a carrier back, or let it go on."""
    MANAGE_KEYS = "manage_keys"
    """Let programs in, and keep them out."""


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
    scopes: frozenset[Scope] = frozenset()

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
OF_SCOPE: Mapping[Scope, frozenset[Action]] = {
    Scope.SEND: frozenset({Action.SEND, Action.READ_MESSAGES}),
    Scope.BULK: frozenset({Action.SEND_BULK, Action.READ_MESSAGES}),
    Scope.READ: frozenset({Action.READ_MESSAGES}),
}


def may(principal: Principal, action: Action) -> bool:
    """Whether any of their roles, or of a program's scopes, grants it."""
    return any(action in GRANTS[role] for role in principal.roles) or any(
        action in OF_SCOPE[scope] for scope in principal.scopes
    )
