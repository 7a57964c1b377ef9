"""What a caller was offered by the dialplan, or why nothing, and what they chose: in sentences."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from ringback.core.offers import Offer, OfferAnswer, OfferKind
from ringback.core.reasons import SENTENCES, Reason
from ringback.panel.say import Say
from ringback.panel.words import N_

_K = OfferKind
OFFERED: Mapping[OfferKind, str] = {
    _K.DEFLECTION: N_("They were offered to go on by text."),
    _K.WAIT_TEXT: N_("They were offered to be texted while they wait."),
    _K.TEXT_BACK: N_("They were offered to be texted back."),
}
NOT_OFFERED: Mapping[OfferKind, str] = {
    _K.DEFLECTION: N_("They were not offered to go on by text."),
    _K.WAIT_TEXT: N_("They were not offered to be texted while they wait."),
    _K.TEXT_BACK: N_("They were not offered to be texted back."),
}
CHOSE: Mapping[OfferAnswer, str] = {
    OfferAnswer.NONE: N_("They chose nothing."),
    OfferAnswer.YES: N_("They said yes."),
    OfferAnswer.NO: N_("They said no."),
    OfferAnswer.NOT_SENT: N_("They said yes, and the text could not be sent, so they stayed in the call."),
}


def offer_says(offer: Offer, span: Callable[[timedelta], str]) -> Iterator[Say]:
    """One offer, what was known at that moment, and what came of it."""
    made = offer.reason is Reason.ALLOWED
    yield Say((OFFERED if made else NOT_OFFERED)[offer.kind])
    if not made:
        yield Say(SENTENCES[offer.reason])
    yield from _known(offer, span)
    if made:
        yield Say(CHOSE[offer.answer])
    if offer.waited is not None:
        yield Say(N_("In truth they waited for %(span)s."), {"span": span(offer.waited)})


def _known(offer: Offer, span: Callable[[timedelta], str]) -> Iterator[Say]:
    seen = offer.situation
    if not seen.queue:
        return
    yield Say(N_("Queue %(queue)s."), {"queue": seen.queue})
    if seen.expected is None:
        yield Say(N_("Nobody could say how long they would wait."))
    else:
        yield Say(N_("They would wait for about %(span)s."), {"span": span(seen.expected)})
    yield Say(N_("Callers who waited: %(n)s."), {"n": seen.waiting})
    yield Say(N_("Agents who could take a text: %(n)s."), {"n": seen.agents})
    if seen.position is not None:
        yield Say(N_("Their place in the queue: %(n)s."), {"n": seen.position})
