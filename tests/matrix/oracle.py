"""Who may what, written apart from the product: by hand, from the issue and the docs, with no look at its tables.

Nothing here imports what decides in the product. What people may do with each number is written out as a result, not as
the grants that lead to it; what roles may do is written by the address of the page.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

A, B, C = "+12025550101", "+12025550102", "+12025550103"
NUMBERS = (A, B, C)


class Answer(StrEnum):
    """What somebody gets to see."""

    LET_IN = "let in"
    LOGIN = "to the login"
    FORBIDDEN = "forbidden"
    NOT_THERE = "not there"


@dataclass(frozen=True)
class Someone:
    """A principal of the matrix. `ways` is what they may do with each number in the end."""

    name: str
    roles: frozenset[str] = frozenset()
    ways: dict[str, str] | None = None
    """By number, letters of: s(end) r(eceive) b(ulk) (e)xport."""
    known: bool = True
    """Whether they are logged in, and may be."""

    def may(self, letter: str, number: str) -> bool:
        return letter in (self.ways or {}).get(number, "")


def _with(name: str, *roles: str, a: str = "", b: str = "", c: str = "") -> Someone:
    return Someone(name, frozenset(roles), {A: a, B: b, C: c})


PEOPLE = (
    Someone("nobody", known=False),
    Someone("disabled", frozenset({"administrator"}), known=False),
    _with("administrator", "administrator", a="srbe", b="srbe", c="re"),
    _with("denied administrator", "administrator", a="srb", b="r", c=""),
    _with("supervisor", "supervisor", a="srb", b="r"),
    _with("agent", "agent", a="sr", b="r"),
    _with("agent of a department", "agent", a="r", b="r"),
    _with("agent denied by herself", "agent", b="r"),
    _with("agent of a number group", "agent", b="sr"),
    _with("agent who owns", "agent", c="sr"),
    _with("agent of two departments", "agent", a="r", b="sr"),
    _with("agent without a right", "agent"),
    _with("auditor", "auditor", a="sr"),
    _with("integrator", "integrator", a="sr"),
    _with("auditor who works", "auditor", "agent", a="r"),
)

PROGRAMS = (
    Someone("no key", known=False),
    Someone("a wrong key", known=False),
    Someone("a revoked key", frozenset({"send", "bulk", "read"}), known=False),
    Someone("a key for the disabled", frozenset({"send", "bulk", "read"}), known=False),
    _with("a key that sends", "send", a="sr", b="sr", c="sr"),
    _with("a key that reads", "read", a="r", b="r", c="r"),
    _with("a key for everything", "send", "bulk", "read", a="srb", b="srb", c="srb"),
    _with("a key held to alpha", "send", "bulk", "read", a="srb"),
    _with("a key for the agent", "send", "bulk", "read", a="sr", b="r"),
    _with("a key for the supervisor", "send", "bulk", "read", a="srb", b="r"),
    _with("a key for the supervisor held to bravo", "send", "bulk", "read", b="r"),
    _with("a key for the agent without a right", "send", "bulk", "read"),
)
"""Programs; their roles are the scopes of their keys."""

SCOPES: tuple[tuple[str, frozenset[str]], ...] = (
    (r"POST /v1/messages/bulk", frozenset({"bulk"})),
    (r"POST /v1/messages.*", frozenset({"send"})),
    (r"POST /v1/bulks/.*", frozenset({"bulk"})),
    (r"GET /v1/.*", frozenset({"send", "bulk", "read"})),
)

EVERY = frozenset({"administrator", "supervisor", "agent", "auditor", "integrator"})
WORK = frozenset({"administrator", "supervisor", "agent"})
LEAD = frozenset({"administrator", "supervisor"})
LOOK = frozenset({"administrator", "supervisor", "auditor"})
RECORD = frozenset({"administrator", "auditor"})
TECH = frozenset({"administrator", "auditor", "integrator"})
ONLY = frozenset({"administrator"})
BOSS_KEYS = frozenset({"administrator", "integrator"})
OPEN = None

SIGHT = frozenset({"administrator", "supervisor", "auditor", "integrator"})

ROLES: tuple[tuple[str, frozenset[str] | None], ...] = (
    (r"GET /(static/.*|healthz|readyz|metrics)", OPEN),
    (r"(GET|POST) /(login.*|reset)", OPEN),
    (r"(GET|POST) /handset.*", OPEN),
    (r"GET /(more)?|POST /(logout|theme)", EVERY),
    (r"(GET|POST) /profile.*", EVERY),
    (r"GET /permissions/mine|POST /permissions/ask", EVERY),
    (r"(GET|POST) /threads/[^/]+/person.*", ONLY),
    (r"POST /threads/[^/]+/listed", LEAD),
    (r"(GET|POST) /threads.*|POST /(texts|tasks|calls)/.*|GET /(tasks|calls).*", WORK),
    (r"(GET|POST) /sessions.*", WORK),
    (r"GET /health", EVERY),
    (r"POST /pause", WORK),
    (r"(GET|POST) /health/carriers/.*", ONLY),
    (r"GET /settings", TECH),
    (r"(GET|POST) /api/runs.*", LEAD),
    (r"(GET|POST) /api.*", BOSS_KEYS),
    (r"(GET|POST) /users.*", ONLY),
    (r"GET /permissions/(preview|bulk|copy)", ONLY),
    (r"GET /permissions.*", LOOK),
    (r"POST /permissions.*", ONLY),
    (r"GET /departments/[^/]+/remove", ONLY),
    (r"GET /departments.*", LOOK),
    (r"POST /departments.*", ONLY),
    (r"GET /numbers.*", SIGHT),
    (r"POST /numbers.*", ONLY),
    (r"(GET|POST) /board.*", LEAD),
    (r"GET /queues/(new|map|[^/]+/remove)", ONLY),
    (r"GET /queues.*", LEAD),
    (r"POST /queues.*", ONLY),
    (r"(GET|POST) /audit.*", RECORD),
    (r"GET /lists/[^/]+/(import|faults)", LEAD),
    (r"GET /lists.*", LOOK),
    (r"POST /(lists.*|staging)", LEAD),
)
"""By method and address, the first that fits: who may at all; None for anybody."""


WHOLE: tuple[tuple[str, str], ...] = (
    (r"POST /threads/[^/]+/person/file", "e"),
    (r"POST /threads/[^/]+/person/erase", "r"),
)
"""What is about all of our numbers at once, and the letter that it takes with each of them."""


def takes_all(name: str) -> str:
    """The letter that this takes with every number; empty where one number is enough."""
    return next((letter for pattern, letter in WHOLE if re.fullmatch(pattern, name)), "")


def scopes_for(name: str) -> frozenset[str]:
    """Which scopes let a program do this at all. Raises LookupError for what nobody decided."""
    for pattern, scopes in SCOPES:
        if re.fullmatch(pattern, name):
            return scopes
    raise LookupError(f"nobody wrote down which programs may {name}")


def roles_for(name: str) -> frozenset[str] | None:
    """Who may do this at all. Raises LookupError for what nobody decided."""
    for pattern, roles in ROLES:
        if re.fullmatch(pattern, name):
            return roles
    raise LookupError(f"nobody wrote down who may {name}")
