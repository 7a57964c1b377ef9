"""The record of who did what: its rows as they are read, what is asked of them, and whether they are whole."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """One row. `who` is a label such as `user usr_...`; `source` and `request` say from where, and under which id."""

    id: int
    at: datetime
    who: str
    action: str
    about: str
    detail: str
    source: str = ""
    request: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows; what is empty does not matter. `since` counts in, `until` does not."""

    who: str = ""
    action: str = ""
    about: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of the record and its seal; row 0 where there is none."""

    row: int
    seal: str


@dataclass(frozen=True, slots=True)
class Fault:
    """The first row that is wrong, and what is wrong with it."""

    row: int
    what: str

    def __str__(self) -> str:
        return f"row {self.row} {self.what}"


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of looking through the whole record. `notes` are what is not as usual and explained."""

    at: datetime
    rows: int
    head: Head
    fault: Fault | None = None
    notes: tuple[str, ...] = ()


class Anchors(Protocol):
    """Keeps heads of the record outside the database."""

    def keep(self, head: Head, now: datetime) -> bool:
        """Write down where the record is; returns whether that is news. Raises StoreFault."""
        ...


class Verifier(Protocol):
    """Looks through the whole record."""

    async def check(self, now: datetime) -> Checked:
        """Raises StoreFault where it cannot be looked at."""
        ...


class ReadRecord(Protocol):
    """Looks at the record beside the writer."""

    async def entries(self, wanted: Wanted, before: int | None, limit: int) -> list[Entry]:
        """The newest rows below row `before`, the newest first."""
        ...

    def every(self, wanted: Wanted) -> AsyncIterator[Entry]:
        """All rows, the oldest first, some at a time."""
        ...
