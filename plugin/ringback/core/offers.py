"""What callers are offered by the dialplan, what they chose, and why they were offered nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ringback.core.reasons import Reason


class OfferKind(StrEnum):
    """DEFLECTION: go on by text and hang up. WAIT_TEXT: be texted and keep waiting. TEXT_BACK: be texted later."""

    DEFLECTION = "deflection"
    WAIT_TEXT = "wait_text"
    TEXT_BACK = "text_back"


class OfferAnswer(StrEnum):
    """NONE: not asked yet, or hung up while asked. NO holds for the whole call, whatever is offered again."""

    NONE = ""
    YES = "yes"
    NO = "no"
    NOT_SENT = "not_sent"
    """They said yes, and the text could not be sent; they stayed in the call."""


class ExpectedWait(StrEnum):
    """An expected wait that is no span of time."""

    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Situation:
    """What an offer is decided by. `expected` is None where nobody can say; `position` is where the caller stands."""

    queue: str
    waiting: int = 0
    agents: int = 0
    """Text agents who can take one now."""
    expected: timedelta | None = None
    position: int | None = None
    open: bool = True
    textable: Reason = Reason.ALLOWED


@dataclass(frozen=True, slots=True)
class Offer:
    """One offer to one call as it is kept. `reason` is ALLOWED for one that was made."""

    pbx: str
    uniqueid: str
    kind: OfferKind
    did: str
    peer: str
    situation: Situation
    reason: Reason
    at: datetime
    prompt: str = ""
    answer: OfferAnswer = OfferAnswer.NONE
    answered_at: datetime | None = None
    text: str = ""
    """The public id of the text they were promised."""
    session: str = ""
    waited: timedelta | None = None
    """How long they waited in truth, once that is known."""
