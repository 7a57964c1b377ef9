"""What the dialplan asks, and what it is answered, as values."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from ringback.core.calls import Presentation
from ringback.core.offers import OfferKind
from ringback.core.reasons import Reason
from ringback.core.text_queues import Note


class Reach(StrEnum):
    """From which numbers of ours somebody wants no texts: the one they called, or all."""

    NUMBER = "number"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Question:
    """What one question says; a verb looks at what concerns it. `uniqueid` names the call, `caller` is its number as
    the dialplan has it, and `to` a mobile that the caller keyed in."""

    uniqueid: str
    pbx: str = ""
    caller: str = ""
    did: str = ""
    presentation: Presentation = Presentation.UNKNOWN
    to: str = ""
    queue: str = ""
    kind: OfferKind = OfferKind.DEFLECTION
    language: str = ""
    ivr_path: str = ""
    prompt: str = ""
    key: str = ""
    caller_name: str = ""
    text: str = ""
    body: str = ""
    note: Note | None = None
    reach: Reach = Reach.NUMBER


@dataclass(frozen=True, slots=True)
class Wait:
    """How long somebody would wait in a voice queue who joined now; None where nobody can say."""

    wait: timedelta | None
    waiting: int


class Step(StrEnum):
    """What the dialplan does next: offer it, ask for the number of a mobile first, or nothing."""

    OFFER = "offer"
    ASK = "ask"
    NOTHING = "no"


@dataclass(frozen=True, slots=True)
class Offered:
    """`mark` names the offer in the log; `position` is the place to keep, where one is known."""

    step: Step
    reason: Reason
    expected: timedelta | None = None
    mark: str = ""
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """`text` is the public id of the text on its way. `position` is where to join the voice queue again so that the
    place is kept; None where nobody knows. Not `sure`: it could not be written in time, and a text may still come."""

    reason: Reason
    text: str = ""
    position: int | None = None
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Sent:
    reason: Reason
    text: str = ""


@dataclass(frozen=True, slots=True)
class TextNow:
    """How a text stands: `pending`, `accepted`, `no` with its reason, or `unconfirmed`."""

    state: str
    reason: str = ""
