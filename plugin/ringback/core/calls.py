"""What became of a call: one `Call`, exactly one outcome, and what was seen on the way.

Adapters (AMI, recordings, CDR) hide channel names, link ids and event order. What they saw of a finished call is a
`Seen`; `outcome_of` turns it into the one outcome by precedence.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Outcome(StrEnum):
    """What became of a call. A colleague in the ring group who answers is ANSWERED."""

    DEFLECTED = "deflected"
    ANSWERED = "answered"
    ANSWERED_ELSEWHERE = "answered_elsewhere"  # upstream: the carrier cancelled with cause 26
    VOICEMAIL_LEFT = "voicemail_left"
    ABANDONED_QUEUE = "abandoned_queue"
    QUEUE_GAVE_UP = "queue_gave_up"
    ABANDONED_IVR = "abandoned_ivr"
    BUSY = "busy"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"
    MISSED = "missed"
    FAILED = "failed"


UNANSWERED = frozenset(Outcome) - {
    Outcome.DEFLECTED,
    Outcome.ANSWERED,
    Outcome.ANSWERED_ELSEWHERE,
    Outcome.FAILED,
}


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Presentation(StrEnum):
    """May we use the caller's number? Only the dialplan can tell (num-pres)."""

    SHOWN = "shown"
    WITHHELD = "withheld"
    UNKNOWN = "unknown"


# CALLERID(num-pres), by how it begins: allowed_passed_screen, prohib_not_screened ...
NUMBER_PRESENTATION = (
    ("allowed", Presentation.SHOWN),
    ("prohib", Presentation.WITHHELD),
    ("unavailable", Presentation.WITHHELD),
)


def presentation(token: str) -> Presentation:
    """Read what CALLERID(num-pres) says."""
    return next((meaning for start, meaning in NUMBER_PRESENTATION if token.startswith(start)), Presentation.UNKNOWN)


class Rang(StrEnum):
    """How one leg of a call ended."""

    ANSWER = "answer"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"
    FORWARDED = "forwarded"
    UNKNOWN = "unknown"  # still ringing when the call ended


@dataclass(frozen=True, slots=True)
class Leg:
    """One phone that was asked: its name (`101`, never a channel), when, and how it ended."""

    to: str
    at: datetime
    ended_at: datetime | None
    rang: Rang


@dataclass(frozen=True, slots=True)
class Sighting:
    """One line of the story: `queue_joined`, `transfer`, `voicemail` ... with a short detail."""

    at: datetime
    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What decides the outcome, gathered from the caller's own channel."""

    bridged: bool = False
    deflected: bool = False
    elsewhere: bool = False
    voicemail: bool = False
    queued: bool = False
    caller_hung_up: bool = False
    gave_up: bool = False  # the last queue ended by its own time-out, or was full or empty
    line_up: bool = False  # Asterisk itself took the line: a menu, an announcement, a queue, voicemail
    legs: tuple[Rang, ...] = ()
    dial_status: str | None = None  # the last DIALSTATUS, which speaks where no leg rang at all


@dataclass(frozen=True, slots=True)
class Call:
    """One call from outside or to outside. `ended_at` and `outcome` are None while it lives.

    `caller` and `did` are as the trunk gave them; flow reads them into numbers. `peer` of an outbound call is `did`.
    """

    pbx: str
    uniqueid: str
    linkedid: str
    direction: Direction
    caller: str
    did: str
    started_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    presentation: Presentation = Presentation.UNKNOWN
    verstat: str = ""
    vetoed: bool = False
    language: str = ""
    queue: str | None = None
    extensions: tuple[str, ...] = ()
    rang: timedelta = timedelta()
    waited: timedelta | None = None
    transfer_unanswered: bool = False
    legs: tuple[Leg, ...] = ()
    seen: tuple[Sighting, ...] = ()
    caller_name: str = ""

    @property
    def answered_by(self) -> str:
        """The phone that has the caller: the last that answered. Empty while nobody has them."""
        if self.answered_at is None:
            return ""
        return next((leg.to for leg in reversed(self.legs) if leg.rang is Rang.ANSWER), "")


@dataclass(frozen=True, slots=True)
class CallStarted:
    call: Call


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """A person is on the line; sent at once, since it cancels texts that wait."""

    call: Call


@dataclass(frozen=True, slots=True)
class CallEnded:
    call: Call


@dataclass(frozen=True, slots=True)
class FeedLost:
    """The PBX cannot be heard from `at` on; what happens now is not seen."""

    pbx: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FeedBack:
    """The PBX is heard again. `live` are the uniqueids of the calls that still exist; all others ended unseen."""

    pbx: str
    at: datetime
    live: frozenset[str] = field(default_factory=frozenset)


CallEvent = CallStarted | CallAnswered | CallEnded | FeedLost | FeedBack


def _asked(seen: Seen) -> tuple[Rang, ...]:
    """How the phones ended, without those that only pointed to another one: the end of a forward decides."""
    return tuple(rang for rang in seen.legs if rang is not Rang.FORWARDED)


def _menu(seen: Seen) -> bool:
    """Nobody was asked, yet the caller was heard: gave up early, or was left by a menu or an announcement."""
    return not seen.legs and seen.dial_status is None and (seen.caller_hung_up or seen.line_up)


def _all_busy(seen: Seen) -> bool:
    if asked := _asked(seen):
        return all(rang is Rang.BUSY for rang in asked)
    return seen.dial_status == "BUSY"


def _declined(seen: Seen) -> bool:
    asked = _asked(seen)
    return bool(asked) and all(rang in (Rang.DECLINED, Rang.BUSY) for rang in asked)


def _unreachable(seen: Seen) -> bool:
    if asked := _asked(seen):
        return all(rang is Rang.UNREACHABLE for rang in asked)
    return seen.dial_status in ("CHANUNAVAIL", "CONGESTION")


# The first row that fits names the outcome: the precedence of docs/decisions.md, as data.
PRECEDENCE: tuple[tuple[Outcome, Callable[[Seen], bool]], ...] = (
    (Outcome.DEFLECTED, lambda seen: seen.deflected),
    (Outcome.ANSWERED, lambda seen: seen.bridged),
    (Outcome.ANSWERED_ELSEWHERE, lambda seen: seen.elsewhere),
    (Outcome.VOICEMAIL_LEFT, lambda seen: seen.voicemail),
    # A queue that refuses (full, nobody logged in) gives up without a join.
    (Outcome.QUEUE_GAVE_UP, lambda seen: seen.gave_up or (seen.queued and not seen.caller_hung_up)),
    (Outcome.ABANDONED_QUEUE, lambda seen: seen.queued),
    (Outcome.ABANDONED_IVR, _menu),
    (Outcome.BUSY, _all_busy),
    (Outcome.DECLINED, _declined),
    (Outcome.UNREACHABLE, _unreachable),
    (Outcome.MISSED, lambda seen: bool(seen.legs) or seen.dial_status is not None),
)


def outcome_of(seen: Seen) -> Outcome:
    """Name the one outcome of a finished call; what fits nowhere never reached anybody: FAILED."""
    return next((outcome for outcome, fits in PRECEDENCE if fits(seen)), Outcome.FAILED)
