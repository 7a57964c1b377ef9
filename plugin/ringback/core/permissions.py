"""Who asks, and what they may do at all: one table of roles, asked by every page, command and stream.

Where they may do it, number by number, is for the grants (core/grants.py): a role says what, a grant says where.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    """Decides who may what, and may everything where no grant denies it."""
    SUPERVISOR = "supervisor"
    """Works with texts, and sees what agents may."""
    AGENT = "agent"
    """Works with texts."""
    AUDITOR = "auditor"
    """Reads the record of who did what, and who may what; no texts."""
    INTEGRATOR = "integrator"
    """Lets programs in."""


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
    DIALPLAN = "dialplan"
    """The dialplan of a PBX, for a caller who pressed a key."""
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
    READ_PERMISSIONS = "read_permissions"
    """See who may text whom, and why."""
    MANAGE_PERMISSIONS = "manage_permissions"
    """Decide it: grants, departments, allowances."""
    READ_NUMBERS = "read_numbers"
    MANAGE_NUMBERS = "manage_numbers"
    """Give numbers names, groups and owners."""
    READ_LISTS = "read_lists"
    """See whom we never text."""
    MANAGE_LISTS = "manage_lists"
    READ_AUDIT = "read_audit"
    EXPORT = "export"
    """Take what pages show away as a file."""
    ERASE = "erase"
    """Write out, or erase, everything known of a person."""
    TAKE_SESSIONS = "take_sessions"
    """Be an agent: take sessions, hand them on, dismiss and end them."""
    READ_BOARD = "read_board"
    """See queues, agents and sessions as they are now."""
    ASSIGN_SESSIONS = "assign_sessions"
    """Take a session over, give it to another, say that an agent is away."""
    READ_QUEUES = "read_queues"
    MANAGE_QUEUES = "manage_queues"
    """Make and change text queues, their members and what callers are offered."""
    READ_OWN = "read_own"
    """One's own account, browsers and rights: whoever is logged in."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever asks, however they came: `id` is a public id (`usr_...`) or the name of an account of this machine."""

    kind: Asker
    id: str
    name: str
    roles: frozenset[Role]
    department: str = ""
    account: int | None = None
    """The row of a user, so that a text can point at who wrote it; of a program, the user it acts for."""
    scopes: frozenset[Scope] = frozenset()
    numbers: frozenset[str] = frozenset()
    """The numbers of ours that a program is held to, in E.164; empty for all."""

    @property
    def label(self) -> str:
        """How the audit and the log name them."""
        return f"{self.kind} {self.id}"


def at_the_shell(name: str) -> Principal:
    """Whoever runs a command on this machine; the system has decided that they may."""
    return Principal(Asker.SHELL, name, name, frozenset())


def in_the_dialplan(pbx: str) -> Principal:
    """A PBX whose dialplan showed our secret: what it tells of a caller is what that caller chose."""
    return Principal(Asker.DIALPLAN, pbx, pbx, frozenset())


_AGENT = frozenset(
    {
        Action.READ_THREADS,
        Action.REPLY,
        Action.SETTLE,
        Action.READ_CALLS,
        Action.READ_HEALTH,
        Action.PAUSE,
        Action.TAKE_SESSIONS,
        Action.READ_OWN,
    }
)
OF_ROLE: Mapping[Role, frozenset[Action]] = {
    Role.ADMINISTRATOR: frozenset(Action),
    Role.SUPERVISOR: _AGENT
    | {
        Action.SEND_BULK,
        Action.READ_MESSAGES,
        Action.READ_PERMISSIONS,
        Action.READ_NUMBERS,
        Action.READ_LISTS,
        Action.MANAGE_LISTS,
        Action.EXPORT,
        Action.READ_BOARD,
        Action.ASSIGN_SESSIONS,
        Action.READ_QUEUES,
    },
    Role.AGENT: _AGENT,
    Role.AUDITOR: frozenset(
        {
            Action.READ_AUDIT,
            Action.READ_PERMISSIONS,
            Action.READ_NUMBERS,
            Action.READ_LISTS,
            Action.READ_SETTINGS,
            Action.READ_HEALTH,
            Action.EXPORT,
            Action.READ_OWN,
        }
    ),
    Role.INTEGRATOR: frozenset(
        {Action.MANAGE_KEYS, Action.READ_HEALTH, Action.READ_SETTINGS, Action.READ_NUMBERS, Action.READ_OWN}
    ),
}
OF_SCOPE: Mapping[Scope, frozenset[Action]] = {
    Scope.SEND: frozenset({Action.SEND, Action.READ_MESSAGES}),
    Scope.BULK: frozenset({Action.SEND_BULK, Action.READ_MESSAGES}),
    Scope.READ: frozenset({Action.READ_MESSAGES}),
}


def may(principal: Principal, action: Action) -> bool:
    """Whether any of their roles, or of a program's scopes, grants it."""
    return any(action in OF_ROLE[role] for role in principal.roles) or any(
        action in OF_SCOPE[scope] for scope in principal.scopes
    )
