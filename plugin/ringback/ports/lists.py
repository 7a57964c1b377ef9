"""Whom we never text, whom alone while staging is on, and who said STOP to the whole business."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

COMING, MERGING = "coming:", "merging:"
"""Settings that say of an import, by its name, that it is not whole yet, or that its rows are merged."""


class ListName(StrEnum):
    """The lists there are. One person may be on several."""

    NEVER = "never"
    """Never texted: family, suppliers, robocallers."""
    ONLY = "only"
    """While staging is on, only these are texted."""
    STOPPED = "stopped"
    """They want no texts from any of our numbers."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One person on one list. `number` is empty once the person was erased; what they said holds on.

    `source` is where it came from: a call's public id, the file of an import. `at` is since when it holds, which of an
    import may be years ago. `name` is what whoever listed them is called, where somebody reads it.
    """

    list: ListName
    number: str
    reason: str
    source: str
    by: str
    at: datetime
    name: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of a list ends: the next one goes on behind it."""

    at: int
    key: str


@dataclass(frozen=True, slots=True)
class ListPage:
    """Entries, the newest first; `older` is None at the end."""

    entries: tuple[Entry, ...]
    older: Place | None = None


class Lists(Protocol):
    """The lists, inside a step."""

    def put(self, entry: Entry) -> bool:
        """Put somebody on a list; False where a later entry of theirs stands there already."""
        ...

    def bring(self, batch: str, entries: Sequence[Entry]) -> None:
        """Keep entries of an import, each of another person; while the setting COMING names it they do not count."""
        ...

    def merge(self, batch: str, most: int) -> dict[str, datetime]:
        """Put entries of an import that is whole among the others, some at a time; the later word stays. Returns since
        when whom it was, nobody at the end; who was erased meanwhile stands there by a hash."""
        ...

    def leave_out(self, batch: str, most: int) -> int:
        """Forget entries of an import that never came whole, some at a time; returns how many."""
        ...

    def drop(self, list_: ListName, number: str) -> Entry | None:
        """Take somebody off a list; returns what stood there."""
        ...

    def of(self, number: str) -> tuple[Entry, ...]:
        """Every list that somebody is on, also of somebody who was erased and came back."""
        ...

    def page(self, list_: ListName, after: Place | None, most: int) -> ListPage:
        """The next entries of a list, the newest first."""
        ...

    def known(self, list_: ListName, numbers: Collection[str]) -> dict[str, datetime]:
        """Which of these numbers are on a list, and since when."""
        ...

    def erase(self, number: str) -> int:
        """A person is erased: a hash stands for their number, and words that people wrote of them go. Returns on how
        many lists they are."""
        ...


class ReadLists(Protocol):
    """The same for pages, beside the writer."""

    async def of(self, number: str) -> tuple[Entry, ...]: ...

    async def page(self, list_: ListName, after: Place | None = None, most: int = 50) -> ListPage: ...

    async def known(self, list_: ListName, numbers: Iterable[str]) -> dict[str, datetime]: ...
