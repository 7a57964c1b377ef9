"""Text queues: how sessions find an agent, what callers who wait are offered, and what people are told meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Strategy(StrEnum):
    """BROADCAST shows a session to everybody at once and rings for them; MANUAL only lists it. Both are claimed."""

    LONGEST_IDLE = "longest_idle"
    ROUND_ROBIN = "round_robin"
    MOST_RECENT = "most_recent"
    """Whoever spoke with this person last, then the longest idle."""
    BROADCAST = "broadcast"
    MANUAL = "manual"


class AfterHangUp(StrEnum):
    """What becomes of a wait-time session whose caller hangs up before anybody answers."""

    QUEUE = "queue"
    CLOSE = "close"


class ForLandlines(StrEnum):
    """What a caller is offered whose number cannot get texts, or is withheld."""

    SKIP = "skip"
    ASK = "ask"
    """Ask for the number of a mobile, and read it back."""


class Note(StrEnum):
    """Texts that a queue sends by itself. The first two go only to who asked for them by key."""

    OPENING = "opening"
    """To a caller who goes on by text."""
    WAIT_TEXT = "wait_text"
    """To a caller who goes on waiting."""
    TEXT_BACK = "text_back"
    WAIT = "wait"
    """Nobody is free just now."""
    TRANSFERRED = "transferred"
    WARNING = "warning"
    """It is closed soon if they do not write."""
    DISMISSED = "dismissed"
    """To somebody who wrote after it was dismissed."""
    CLOSED = "closed"
    OUT_OF_HOURS = "out_of_hours"


@dataclass(frozen=True, slots=True)
class Offering:
    """When a caller in this queue's voice queues is offered texts. None or 0: not by this.

    Offered if the expected wait is at least `if_wait`, or at least `if_waiting` callers wait; always where neither is
    set. `agents`: so many text agents must be able to take one. `unknown`: also where nobody can say how long it
    takes. `every`: how long an answer to one caller holds; `margin`: how far below the threshold the wait must fall
    before offers stop, as a part of it, once they began. `calendar` is a calendar of the file, empty for any hour.
    """

    if_wait: timedelta | None = None
    if_waiting: int = 0
    agents: int = 1
    unknown: bool = False
    calendar: str = ""
    every: timedelta = timedelta(seconds=30)
    margin: float = 0.2
    landline: ForLandlines = ForLandlines.SKIP


Texts = Mapping[str, str]
"""A template by language, as it was written; the first language is the fall-back."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a queue works. A span of zero switches its timer off."""

    strategy: Strategy = Strategy.MANUAL
    offer_for: timedelta = timedelta(seconds=30)
    at_once: bool = False
    """Give sessions to agents without asking them."""
    queued_expiry: timedelta = timedelta(hours=24)
    agent_idle: timedelta = timedelta(0)
    customer_idle: timedelta = timedelta(hours=4)
    warn_before: timedelta = timedelta(0)
    dismissed_for: timedelta = timedelta(hours=1)
    wrap_up: timedelta = timedelta(0)
    transfer_for: timedelta = timedelta(minutes=2)
    agent_gone: timedelta = timedelta(seconds=60)
    """How long an agent may be gone before their sessions go back to the queue."""
    calendar: str = ""
    after_hang_up: AfterHangUp = AfterHangUp.QUEUE
    offering: Offering = Offering()
    notes: Mapping[Note, Texts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VoiceName:
    """A queue of Asterisk's: the PBX and its name there."""

    pbx: str
    queue: str


@dataclass(frozen=True, slots=True)
class TextQueue:
    """`main` is the queue of everything that no other queue is for; it cannot be removed. `version` turns with it."""

    id: int
    public_id: str
    name: str
    plan: Plan
    main: bool = False
    voice: tuple[VoiceName, ...] = ()
    numbers: tuple[str, ...] = ()
    members: tuple[int, ...] = ()
    """Rows of accounts, in the order they were added."""


@dataclass(frozen=True, slots=True)
class Queues:
    """All text queues as one transaction saw them."""

    all: tuple[TextQueue, ...] = ()
    version: str = ""

    @property
    def main(self) -> TextQueue:
        return next(queue for queue in self.all if queue.main)

    def get(self, row: int) -> TextQueue:
        """The queue of a row; the main one for a row that is not there any more."""
        return next((queue for queue in self.all if queue.id == row), self.main)

    def named(self, name: str) -> TextQueue | None:
        return next((queue for queue in self.all if queue.name == name), None)

    def of_voice(self, pbx: str, queue: str) -> TextQueue | None:
        """The text queue beside a voice queue; None where there is none."""
        wanted = VoiceName(pbx, queue)
        return next((text for text in self.all if wanted in text.voice), None)

    def of_number(self, did: str) -> TextQueue:
        """Where texts to one of our numbers go when nobody has them."""
        return next((queue for queue in self.all if did in queue.numbers), self.main)
