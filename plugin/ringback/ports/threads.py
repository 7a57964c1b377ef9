"""Threads as people read them: the list of an inbox, and one line of calls and texts with one person."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from ringback.core.consents import NOTHING_SAID, Consents
from ringback.core.grants import Reach
from ringback.core.messages import State
from ringback.core.reasons import Reason
from ringback.ports.holds import Held
from ringback.ports.lists import Entry as Listed
from ringback.ports.lists import ListName
from ringback.ports.stories import AttemptStory, StepStory


class View(StrEnum):
    """Which threads a list shows. DOUBT has those with a text that waits, or that nobody knows the end of."""

    WAITING = "waiting"
    ALL = "all"
    DOUBT = "doubt"


class Place(NamedTuple):
    """Where a thread stands in the list: when it changed, in microseconds since 1970, and its row."""

    at: int
    id: int


class Point(NamedTuple):
    """Where an entry stands in its thread: its time in microseconds since 1970, its kind, and its row."""

    at: int
    kind: int
    id: int


class LineKind(StrEnum):
    IN = "in"
    OUT = "out"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class LastLine:
    """The newest thing in a thread. `state` is the state of a text of ours; the rest is of a call."""

    kind: LineKind
    at: datetime
    text: str = ""
    state: str = ""
    media: int = 0
    direction: str = ""
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A thread in the list.

    `waits_since` is when they wrote what nobody answered yet; `doubt` is the state of the text that needs a look most.
    """

    place: Place
    public_id: str
    did: str
    peer: str
    changed_at: datetime
    unread: int
    waits_since: datetime | None
    opted_out: bool
    doubt: State | None
    last: LastLine | None


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """A page of the list, the newest change first. `older` is where the next page begins."""

    rows: tuple[ThreadRow, ...]
    older: Place | None = None


@dataclass(frozen=True, slots=True)
class CallLine:
    """A call in a thread. `ended_at` is None while it lives; `decision` is what became of the text `rule` asked for.

    `pbx` and `uniqueid` name it there; `answered_by` is the phone that has them, or had.
    """

    point: Point
    public_id: str
    at: datetime
    direction: str
    answered_at: datetime | None
    ended_at: datetime | None
    rang: timedelta | None
    waited: timedelta | None
    queue: str | None
    outcome: str | None
    decision: str | None
    reason: Reason | None
    rule: str | None
    pbx: str = ""
    uniqueid: str = ""
    answered_by: str = ""


@dataclass(frozen=True, slots=True)
class InLine:
    """A text from them. `missing` are the numbers of the parts that did not come, of `pieces`.

    `repeats_at` is the time of the text that this one looks the same as; `media` are content types of what the
    carrier keeps.
    """

    point: Point
    public_id: str
    at: datetime
    body: str
    command: str
    pieces: int
    missing: tuple[int, ...]
    repeats_at: datetime | None
    media: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """What the carrier said of a text, by its own clock."""

    carrier_at: datetime
    status: str
    error: str


@dataclass(frozen=True, slots=True)
class OutLine:
    """A text from us, with every step it took. `author` is the name of who wrote it, or of the key of the
    program that asked for it; `account` the row of a person."""

    point: Point
    id: int
    public_id: str
    at: datetime
    body: str
    state: State
    reason: Reason | None
    not_before: datetime
    segments: int
    carrier: str
    cause: str
    automatic: bool
    command: str
    rule: str | None
    call: str | None
    account: int | None
    author: str
    steps: tuple[StepStory, ...]
    attempts: tuple[AttemptStory, ...]
    receipts: tuple[ReceiptLine, ...]
    held: Held | None = None
    """What holds the carrier back that it waits for."""


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """They said that they want no texts any more, or want them again. `words` are what was said, `by` a name."""

    point: Point
    at: datetime
    kind: str
    method: str
    words: str
    by: str = ""


Entry = CallLine | InLine | OutLine | LedgerLine


@dataclass(frozen=True, slots=True)
class Timeline:
    """Entries of a thread, oldest first. `older` says that there are some before the first."""

    entries: tuple[Entry, ...]
    older: Point | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """A thread and what is known of its person. `opted_out` is the newest entry of the ledger, if it still holds."""

    id: int
    public_id: str
    did: str
    peer: str
    unread: int
    wrote_at: datetime | None
    waits_since: datetime | None
    opted_out: LedgerLine | None
    language: str
    calls: tuple[CallLine, ...]
    lists: tuple[Listed, ...] = ()
    """The lists this person is on. Whoever said START here since is not on the one of those who want no texts."""
    consents: Consents = NOTHING_SAID
    """What they said yes to."""

    @property
    def no_texts(self) -> bool:
        """Whether they said that they want none, to this number of ours or to all."""
        return self.opted_out is not None or any(entry.list is ListName.STOPPED for entry in self.lists)


class ReadThreads(Protocol):
    """The reads of the inbox. Nothing here changes anything. What is beyond `reach` is not there."""

    async def page(self, reach: Reach, view: View, after: Place | None = None) -> ThreadPage:
        """Return the threads of a view that changed before `after`."""

    async def of_peer(self, reach: Reach, peer: str) -> ThreadPage:
        """Return the threads with one person, one for each number of ours that they have to do with."""

    async def waiting(self, reach: Reach, most: int) -> int:
        """Count the threads that wait for an answer, up to `most`."""

    async def head(self, reach: Reach, public_id: str) -> Head | None:
        """Return what opens a thread: whoever has it may read its line."""

    async def timeline(self, head: Head, before: Point | None = None) -> Timeline:
        """Return the newest entries before `before`."""

    async def since(self, head: Head, first: Point) -> Timeline:
        """Return the newest entries from `first` on; `older` is set when some of these did not fit."""
