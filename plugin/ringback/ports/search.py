"""Finding texts by their words: how they get into the index, and how they are read from it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from ringback.core.grants import Reach
from ringback.core.search import Bit, Query
from ringback.ports.threads import Point


class Side(StrEnum):
    """Whose words: ours that went out, theirs that came in."""

    OUT = "out"
    IN = "in"


class Search(Protocol):
    """The index, as a transaction fills it."""

    def take_in(self, limit: int) -> int:
        """Put the next texts of each side into the index; returns how many were looked at, 0 when all are in it."""
        ...

    def behind(self) -> int:
        """About how many texts are not in the index yet."""
        ...

    def begin_wipe(self) -> None:
        """Begin to take the words of rows that are gone out of the files of the index."""
        ...

    def wipe(self) -> bool:
        """Go on with it for a moment; False when all of it is done."""
        ...


class FoundPlace(NamedTuple):
    """Where a page of what was found ends: at these rows of each side, which were shown."""

    out: int
    came: int


class Within(NamedTuple):
    """Where to look: in one thread, by its public id, or in those of one of our numbers. Empty for everywhere."""

    thread: str = ""
    did: str = ""


EVERYWHERE = Within()


@dataclass(frozen=True, slots=True)
class Found:
    """A text that was found. `bits` are a part of it, with what was looked for marked; `state` is one of ours."""

    side: Side
    point: Point
    public_id: str
    at: datetime
    thread: str
    did: str
    peer: str
    bits: tuple[Bit, ...]
    state: str = ""


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Texts that were found, the newest first. `older` is where the next page begins.

    `whole` is False while texts are left that nobody could look through yet.
    """

    rows: tuple[Found, ...]
    older: FoundPlace | None = None
    whole: bool = True


class ReadSearch(Protocol):
    """The reads of the search. Nothing here changes anything."""

    async def find(
        self, reach: Reach, query: Query, within: Within = EVERYWHERE, after: FoundPlace | None = None
    ) -> FoundPage:
        """Return texts within `reach` that fit, older than those of `after`. A query that says too little finds
        nothing."""
