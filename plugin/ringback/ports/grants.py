"""Who may text whom, as it is kept: grants, departments and their members, and what is said of our numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringback.core.book import Book
from ringback.core.grants import Cell, Department, Effect, Group, Level


@dataclass(frozen=True, slots=True)
class Change:
    """One cell that was changed: None where nothing was said. `batch` is the id of all that were changed at once."""

    id: int
    batch: str
    at: datetime
    by: str
    cell: Cell
    before: Effect | None
    after: Effect | None
    note: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A change somebody has in mind: what the cell shall say, and what it said when they touched it."""

    cell: Cell
    effect: Effect | None
    seen: Effect | None


@dataclass(frozen=True, slots=True)
class NumberCard:
    """One of our numbers. `owner` and `fallback` are public ids of a user or a department, empty for nobody.

    `outbound`: new texts go out from it where nobody names another.
    """

    id: int
    e164: str
    label: str
    group: int | None
    owner: str
    fallback: str
    outbound: bool


@dataclass(frozen=True, slots=True)
class Allowance:
    """Segments a month; 0 is no limit. `level` is user, department or everyone, or `number` for one of ours."""

    level: str
    subject: int
    soft: int
    hard: int
    set_by: str
    set_at: datetime


class Grants(Protocol):
    """The grants of an installation, inside a step. Every change gives the book another version."""

    def book(self) -> Book:
        """All of them with what resolves them; read again only when something changed."""

    def put(self, cell: Cell, effect: Effect | None, note: str, batch: str, by: str, now: datetime) -> Effect | None:
        """Say something of a cell, or with None nothing any more; returns what it said before. Kept in the history
        when it differs."""

    def put_all(
        self, cells: Sequence[tuple[Cell, Effect | None]], note: str, batch: str, by: str, now: datetime
    ) -> None:
        """The same for many cells at once, no cell twice; those that say it already are left alone."""

    def changes_of(self, batch: str) -> list[Change]:
        """What was changed at once, in its order."""

    def last_changes(self, batch: str) -> frozenset[int]:
        """The last change of each cell of those whom a batch is about, by its id."""
        ...

    def latest(self, cell: Cell) -> Change | None:
        """The last change of a cell."""

    def history(self, level: Level | None, subject: int, before: int, most: int) -> list[Change]:
        """The newest changes first, those with a smaller id than `before` (0 for all); of one subject, or of all."""

    def drafts(self, account: int) -> list[Draft]: ...

    def draft(self, account: int, draft: Draft, now: datetime) -> None:
        """Have a change in mind; the first `seen` of a cell stays."""

    def draft_all(self, account: int, drafts: Sequence[Draft], now: datetime) -> None:
        """The same for many."""

    def drop_drafts(self, account: int, cells: Iterable[Cell] | None = None) -> None:
        """Have these not in mind any more, or none at all."""

    def allowances(self) -> list[Allowance]: ...

    def allow_segments(self, level: str, subject: int, soft: int, hard: int, by: str, now: datetime) -> None:
        """Set an allowance; without both limits there is none."""


class Departments(Protocol):
    """The tree, and who is in it."""

    def add(self, name: str, parent: int | None, now: datetime) -> Department | None:
        """Make one; None when the name is taken."""

    def rename(self, department: int, name: str, now: datetime) -> bool:
        """False when the name is taken."""

    def move(self, department: int, parent: int | None, now: datetime) -> None: ...

    def remove(self, department: int, now: datetime) -> None:
        """Take it away with its grants and memberships; the departments in it move up to its parent."""

    def join(self, account: int, department: int, now: datetime, main: str = "") -> None:
        """Make somebody a member; with `main` not empty this is the one they stand under."""

    def join_all(self, joining: Sequence[tuple[int, int, str]], now: datetime) -> None:
        """Make many members: account, department, and not empty where it is the main one of somebody in none yet."""

    def leave(self, account: int, department: int, now: datetime) -> bool: ...


class Numbers(Protocol):
    """What is said of our numbers."""

    def know(self, numbers: Iterable[str], now: datetime) -> None:
        """See to it that each has a row."""

    def all(self) -> list[NumberCard]:
        """Every number that ever was ours, in the order of its digits."""

    def describe(self, number: int, label: str, group: int | None, now: datetime) -> None: ...

    def own(self, number: int, owner: str, fallback: str, now: datetime) -> None: ...

    def send_from(self, number: int) -> None:
        """New texts go out from this one, and from no other."""

    def add_group(self, name: str, now: datetime) -> Group | None:
        """Make a group; None when the name is taken."""

    def rename_group(self, group: int, name: str, now: datetime) -> bool: ...

    def remove_group(self, group: int, now: datetime) -> None:
        """Take it away with its grants; its numbers are in none then."""


class ReadGrants(Protocol):
    """The same, beside the writer."""

    async def version(self) -> str:
        """Which book holds now."""

    async def book(self) -> Book: ...

    async def numbers(self) -> list[NumberCard]: ...

    async def drafts(self, account: int) -> list[Draft]: ...

    async def changes_of(self, batch: str) -> list[Change]: ...

    async def history(self, level: Level | None, subject: int, before: int, most: int) -> list[Change]: ...

    async def allowances(self) -> list[Allowance]: ...
