"""The places of the panel, as the navigation shows them."""

from dataclasses import dataclass

from ringback.core.permissions import Action
from ringback.panel.words import N_


@dataclass(frozen=True, slots=True)
class Place:
    """`key` is what goes there after `g`; `width` is a class that keeps it off narrow screens."""

    path: str
    word: str
    icon: str
    key: str
    needs: Action
    width: str = ""
    unless: Action | None = None
    """Whoever has this sees another place instead."""


PLACES = (
    Place("/threads", N_("Inbox"), "inbox", "i", Action.READ_THREADS),
    Place("/sessions", N_("My work"), "text", "m", Action.TAKE_SESSIONS),
    Place("/board", N_("Board"), "live", "b", Action.READ_BOARD, "wide-only"),
    Place("/calls", N_("Calls"), "calls", "c", Action.READ_CALLS),
    Place("/tasks", N_("Tasks"), "tasks", "t", Action.READ_THREADS),
)
SET_UP = (
    Place("/permissions", N_("Permissions"), "perm", "p", Action.READ_PERMISSIONS, "wide-only"),
    Place("/permissions/mine", N_("What I may do"), "perm", "p", Action.READ_OWN, "wide-only", Action.READ_PERMISSIONS),
    Place("/health", N_("Health"), "health", "h", Action.READ_HEALTH),
    Place("/settings", N_("Settings"), "gear", "s", Action.READ_SETTINGS, "wide-only"),
    Place("/numbers", N_("Numbers"), "hash", "n", Action.READ_NUMBERS, "wide-only"),
    Place("/queues", N_("Queues"), "swap", "q", Action.READ_QUEUES, "wide-only"),
    Place("/users", N_("Users"), "people", "u", Action.MANAGE_USERS, "wide-only"),
    Place("/lists", N_("Lists"), "filter", "l", Action.READ_LISTS, "wide-only"),
    Place("/audit", N_("Record"), "note", "r", Action.READ_AUDIT, "wide-only"),
    Place("/api", N_("API"), "key", "a", Action.MANAGE_KEYS, "wide-only"),
)
