"""Runs: one text to many people, kept as a text with places and a list of who gets it, until each is a text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from ringback.core.grants import Reach
from ringback.core.messages import Basis, MessageClass, OnDoubt, State
from ringback.core.reasons import Reason


class RunState(StrEnum):
    """What a run does. The last three are its ends; a broken one has none, since nobody was told of it."""

    READING = "reading"
    """Its recipients are still coming in."""
    BROKEN = "broken"
    """They never all came; it goes away."""
    OPEN = "open"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    EXPIRING = "expiring"
    DONE = "done"
    """Every recipient has a text; each has its own state."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"


ENDED = frozenset({RunState.DONE, RunState.CANCELLED, RunState.EXPIRED})


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run sends, from where, for whom and when. `body` has places for each recipient's words. `account` is the
    user who asked for it, or for whom a program did."""

    asked_by: str
    did: str
    body: str
    class_: MessageClass
    basis: Basis
    language: str
    not_before: datetime
    expires_at: datetime
    name: str = ""
    campaign: str = ""
    reference: str = ""
    on_doubt: OnDoubt = OnDoubt.ONCE
    account: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A stored run. `made` of `total` recipients have their text, of `segments` parts together; `dropped` never will.
    `rejected` were turned away as they came."""

    id: int
    public_id: str
    plan: Plan
    state: RunState
    created_at: datetime
    changed_at: datetime
    total: int
    made: int
    dropped: int
    rejected: int
    segments: int

    @property
    def left(self) -> int:
        """How many recipients have no text yet and still get one. Who was erased meanwhile is among the dropped."""
        return 0 if self.state in ENDED else max(0, self.total - self.made - self.dropped)


class Item(NamedTuple):
    """One recipient: their number, and their words as a JSON object, empty for none. `seq` counts from 1."""

    seq: int
    peer: str
    words: str


class Waits(NamedTuple):
    """Some texts of a run that wait, why, and until when at the earliest; None where somebody has to let them go."""

    reason: Reason | None
    texts: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Tallied:
    """A run, how many of its texts are in which state, and what holds those that are held.

    `stopped` is why it makes no texts although it is open, or only the few that may wait for a carrier.
    """

    run: Run
    states: dict[State, int]
    held: tuple[Waits, ...]
    stopped: Reason | None = None


class Bulks(Protocol):
    def begin(self, plan: Plan, now: datetime) -> tuple[int, str]:
        """Make a run that takes items; returns its row and its public id."""

    def add(self, run: int, items: Sequence[Item]) -> None: ...

    def open(self, run: int, total: int, rejected: int, now: datetime) -> bool:
        """Let a run go that has all its items; False when it is given up already."""

    def find(self, public_id: str) -> Run | None: ...

    def get(self, run: int) -> Run | None: ...

    def unfinished(self) -> list[Run]:
        """Runs that have not ended, in the order of when they may begin."""

    def turn(self, run: int, old: RunState, new: RunState, now: datetime) -> bool: ...

    def drop(self, run: int, old: RunState, new: RunState, dropped: int, now: datetime) -> bool:
        """Turn a run, and note how many of its recipients will have no text."""

    def ahead(self, run: Run, limit: int) -> tuple[list[Item], int]:
        """Its next recipients, and how many of its texts have not left us."""

    def made(self, run: Run, last: int, segments: int, now: datetime) -> None:
        """The items up to `last` are texts now, in this very transaction."""

    def drop_items(self, run: int, limit: int) -> bool:
        """Forget some items; True while there are more."""

    def forget(self, run: int) -> None: ...

    def waiting(self, run: int) -> int:
        """How many of its texts have not left us."""

    def unsent(self, run: int, limit: int) -> list[tuple[int, State]]:
        """Texts of a run that can still be called off."""

    def held(self, run: int) -> list[Waits]:
        """Why its texts wait, how many for each reason, and until when at the earliest."""

    def tallied(self, public_id: str) -> Tallied | None:
        """Everything that is shown of a run; None where nobody was told of one."""

    def latest(self, reach: Reach, limit: int) -> list[Run]:
        """Runs that people were told of, the newest first."""


class ReadBulks(Protocol):
    """Runs for whoever looks. Raises StoreFault when the database cannot be read."""

    async def show(self, reach: Reach, public_id: str) -> Tallied | None: ...
    async def latest(self, reach: Reach, limit: int) -> list[Run]: ...
