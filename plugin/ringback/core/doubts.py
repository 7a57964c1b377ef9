"""What to do about a text that nobody knows about, and when so many are in doubt that their carrier must stop.

Facts in, a decision out. At most one text is sent once more by itself, never by another carrier, and never too late.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ringback.core.messages import OnDoubt
from ringback.core.retries import WRITE_MARGIN

EVIDENCE_WINDOW = timedelta(seconds=120)
"""How long a receipt may settle a text before anybody is asked; carriers may name another time."""

MOST_RESENDS = 1
ASK_AGAIN = (timedelta(minutes=2), timedelta(minutes=10), timedelta(minutes=30), timedelta(hours=1))
"""When a carrier that did not answer is asked again; the last one repeats."""

LATELY = timedelta(minutes=5)
HOUR = timedelta(hours=1)
MOST_IN_A_THOUSAND = 1
FEW = 4
"""So few in doubt are no alarm, whatever their share is."""


class Seen(StrEnum):
    """What is known from the carrier's list. UNNAMED: it has texts that cannot be told apart, or not all of them."""

    NOT_ASKED = "not_asked"
    AWAY = "away"
    NO_LIST = "no_list"
    UNNAMED = "unnamed"
    ABSENT = "absent"
    """The carrier says that its list is complete, and the text is not in it."""


class Step(StrEnum):
    """What comes next. LATER: the carrier is asked again. PERSON: only a person or a receipt can settle it."""

    WAIT = "wait"
    ASK = "ask"
    LATER = "later"
    RESEND = "resend"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Facts:
    """One text in doubt. `same_carrier`: the carrier of its attempt is still here, and still its own."""

    policy: OnDoubt
    doubted_at: datetime
    expires_at: datetime
    now: datetime
    seen: Seen
    resends: int = 0
    same_carrier: bool = True
    window: timedelta = EVIDENCE_WINDOW


def decide(facts: Facts) -> Step:
    """Say what to do now about a text in doubt."""
    if facts.now < facts.doubted_at + facts.window:
        return Step.WAIT
    if facts.seen is Seen.NOT_ASKED:
        return Step.ASK
    if may_resend(facts):
        return Step.RESEND
    return Step.LATER if facts.seen is Seen.AWAY else Step.PERSON


def may_resend(facts: Facts) -> bool:
    """Whether the policy wants it once more, and nothing forbids it."""
    wanted = facts.policy is OnDoubt.DELIVER or (facts.policy is OnDoubt.CHECK and facts.seen is Seen.ABSENT)
    in_time = facts.now < facts.expires_at - WRITE_MARGIN
    return wanted and in_time and facts.resends < MOST_RESENDS and facts.same_carrier


def ask_again_after(tries: int) -> timedelta:
    """How long to leave a carrier alone that did not answer so many times."""
    return ASK_AGAIN[min(tries, len(ASK_AGAIN)) - 1]


@dataclass(frozen=True, slots=True)
class Doubted:
    """How much of a carrier is in doubt because it did not answer, beside what it was given in the last hour."""

    window: int
    lately: int
    this_hour: int
    sends: int


def are_many(this_hour: int, window: int) -> bool:
    """Whether so many are in doubt that their share counts."""
    return this_hour > max(window, FEW)


def alarm(counts: Doubted) -> str:
    """Why a carrier must be held back, empty if it need not.

    A line that is cut once puts up to a window in doubt. That alone is no alarm, and neither are a few of a quiet hour.
    """
    if counts.lately > max(2 * counts.window, FEW):
        return f"{counts.lately} texts in doubt within {LATELY.seconds // 60} minutes"
    if are_many(counts.this_hour, counts.window) and counts.this_hour * 1000 > counts.sends * MOST_IN_A_THOUSAND:
        return f"{counts.this_hour} of {counts.sends} texts of the last hour are in doubt"
    return ""
