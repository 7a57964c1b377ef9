"""What callers were offered, as the store keeps it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from ringback.core.offers import Offer, OfferAnswer, OfferKind


class LiveCall(NamedTuple):
    """A call with somebody that goes on. `answered_by` is the phone that has them, empty while nobody does."""

    id: int
    public_id: str
    pbx: str
    uniqueid: str
    did: str
    answered_by: str
    started_at: datetime
    answered_at: datetime | None


class Offers(Protocol):
    """The writes, inside a step. One of each kind a call."""

    def put(self, offer: Offer) -> None:
        """Keep an offer that was decided about, made or not; a later decision about the same call replaces one that
        was not made, and never one that was."""

    def of(self, pbx: str, uniqueid: str, kind: OfferKind) -> Offer | None: ...
    def of_call(self, pbx: str, uniqueid: str) -> Sequence[Offer]: ...
    def answer(self, offer: Offer, answer: OfferAnswer, text: str, session: str, now: datetime) -> None: ...
    def waited(self, pbx: str, uniqueid: str, waited: timedelta) -> None:
        """How long they waited in truth."""
