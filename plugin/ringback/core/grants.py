"""Who may text from which number, and read what it gets: what a grant says, of whom, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from ringback.core.messages import MessageClass
from ringback.core.permissions import Role

ALL_NUMBERS = "*"
ANY_CLASS = ""


class Way(StrEnum):
    """What a grant is about."""

    SEND = "send"
    RECEIVE = "receive"
    """See what came in and went out, and be told of it."""
    BULK = "bulk"
    """Send to many at once; takes `send` as well."""
    MMS = "mms"
    """Send pictures; takes `send` as well."""
    EXPORT = "export"
    """Take texts away as a file; takes `receive` as well."""


UNDER: Mapping[Way, Way] = {Way.BULK: Way.SEND, Way.MMS: Way.SEND, Way.EXPORT: Way.RECEIVE}
"""What a way takes beside itself."""
SENDING = frozenset({Way.SEND, Way.BULK, Way.MMS})
"""Ways whose grants may name a class of text; the others are for every class."""
CLASSES = (MessageClass.CONVERSATIONAL, MessageClass.TRANSACTIONAL, MessageClass.PROMOTIONAL)
"""The classes that a grant may name."""


class Effect(StrEnum):
    ALLOW = "allow"
    DENY = "deny"


class Level(StrEnum):
    """Who a grant is for, and where an answer comes from; only the first three have grants."""

    USER = "user"
    DEPARTMENT = "department"
    EVERYONE = "everyone"
    ROLE = "role"
    NOTHING = "nothing"
    """Nobody said anything."""
    CLOSED = "closed"
    """The account is disabled, or gone."""
    MACHINE = "machine"
    """Whoever runs commands on this machine, and programs that act for nobody."""
    KEY = "key"
    """The key is held to other numbers."""
    SCOPE = "scope"
    """The key lacks the scope."""


class Subject(NamedTuple):
    """Whom a grant is for; `id` is the row of the account or department, 0 for everyone."""

    level: Level
    id: int


EVERYONE = Subject(Level.EVERYONE, 0)


class Cell(NamedTuple):
    """What one grant is about. `scope` is a number of ours, `group:ID` or `*`; `class_` may be empty for all."""

    subject: Subject
    way: Way
    scope: str
    class_: str = ANY_CLASS


@dataclass(frozen=True, slots=True)
class Grant:
    """One line of what an administrator decided.

    `scope` is a number of ours in E.164, `group:ID` or `*`. `class_` is the class of texts it is about, empty for all.
    `owner`: it is not written anywhere, but follows from owning the number.
    """

    subject: Subject
    way: Way
    scope: str
    class_: str
    effect: Effect
    note: str = ""
    set_by: str = ""
    set_at: datetime | None = None
    owner: bool = False

    @property
    def cell(self) -> Cell:
        """Where it stands."""
        return Cell(self.subject, self.way, self.scope, self.class_)


@dataclass(frozen=True, slots=True)
class Department:
    """`parent` is the row of the department it is part of."""

    id: int
    public_id: str
    name: str
    parent: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Numbers that belong together, as a place or a campaign."""

    id: int
    public_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an answer comes from: the level, the department or number group by its row, and the grant that decided.

    `under`: the way was allowed itself; what it takes beside itself was not, or the other way round.
    """

    level: Level
    grant: Grant | None = None
    role: Role | None = None
    under: Way | None = None


@dataclass(frozen=True, slots=True)
class Right:
    """The answer: whether, and why."""

    effect: Effect
    origin: Origin

    @property
    def allowed(self) -> bool:
        return self.effect is Effect.ALLOW


@dataclass(frozen=True, slots=True)
class Reach:
    """Of which numbers somebody may see things: all there ever were, or these."""

    everything: bool
    numbers: frozenset[str] = frozenset()

    def __contains__(self, number: str) -> bool:
        return self.everything or number in self.numbers


EVERYTHING = Reach(everything=True)
NOTHING = Reach(everything=False)
