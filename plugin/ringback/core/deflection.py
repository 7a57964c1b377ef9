"""Whether a caller is offered texts now: a question about the queue's thresholds and how things stand, with one answer.

The rows of docs/expected-wait.md are those of the test.
"""

from ringback.core.offers import OfferKind, Situation
from ringback.core.reasons import Reason
from ringback.core.text_queues import ForLandlines, Offering

NO_HANDSET = frozenset(
    {
        Reason.LANDLINE,
        Reason.NOT_TEXTABLE,
        Reason.WITHHELD,
        Reason.PRESENTATION_UNKNOWN,
        Reason.INVALID_NUMBER,
        Reason.SHORT_CODE,
        Reason.PREMIUM,
    }
)
"""Reasons that speak of the number a caller calls from. Another number of theirs may do."""


def may_offer(kind: OfferKind, offering: Offering, situation: Situation, began: bool) -> Reason:
    """Say whether to offer, or why not. `began`: offers in this queue go on, so it takes less to go on with them.

    Whoever asks to be texted later waits for nobody, so neither thresholds nor agents are asked about.
    """
    if situation.textable is not Reason.ALLOWED and not asks_for_mobile(offering, situation):
        return situation.textable
    if not situation.open:
        return Reason.OUTSIDE_HOURS
    if kind is OfferKind.TEXT_BACK:
        return Reason.ALLOWED
    if situation.agents < offering.agents:
        return Reason.NO_TEXT_AGENTS
    return long_enough(offering, situation, began)


def asks_for_mobile(offering: Offering, situation: Situation) -> bool:
    """Whether the caller is asked for the number of a mobile first."""
    return offering.landline is ForLandlines.ASK and situation.textable in NO_HANDSET


def long_enough(offering: Offering, situation: Situation, began: bool) -> Reason:
    """Ask the thresholds alone; either is enough. Once offers began, both are lower by the margin."""
    part = 1 - offering.margin if began else 1.0
    if offering.if_wait is None and not offering.if_waiting:
        return Reason.ALLOWED
    if offering.if_waiting and situation.waiting >= offering.if_waiting * part:
        return Reason.ALLOWED
    if offering.if_wait is None:
        return Reason.WAIT_SHORT
    if situation.expected is None:
        return Reason.ALLOWED if offering.unknown else Reason.WAIT_UNKNOWN
    return Reason.ALLOWED if situation.expected >= offering.if_wait * part else Reason.WAIT_SHORT
