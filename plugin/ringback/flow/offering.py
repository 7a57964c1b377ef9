"""What callers were offered, call by call: decided from memory, kept with the call, asked once.

What was offered stands in the database, so a restart asks nobody twice; memory holds who was ahead of whom, and in
which queues offers go on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ringback.core.deflection import asks_for_mobile, long_enough, may_offer
from ringback.core.offers import Offer, OfferAnswer, OfferKind, Situation
from ringback.core.reasons import Reason
from ringback.core.schedules import Calendar, is_open
from ringback.core.text_queues import Offering, TextQueue
from ringback.flow.waits import Waits
from ringback.ports.storage import Tx

MOST_CALLS = 5_000
"""Calls of which it is remembered who was ahead."""

Line = tuple[int, str, str]
"""A text queue, a PBX and a voice queue of it."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A call in a voice queue that asks what it may be offered. `queue` is the text queue beside it, None for none;
    `agents` can take a text now, and `textable` says whether texts reach the caller."""

    kind: OfferKind
    pbx: str
    uniqueid: str
    voice: str
    did: str
    peer: str
    queue: TextQueue | None
    agents: int
    textable: Reason = Reason.ALLOWED

    @property
    def line(self) -> Line:
        return self.queue.id if self.queue is not None else 0, self.pbx, self.voice

    @property
    def place(self) -> tuple[str, str, str]:
        return self.pbx, self.uniqueid, self.voice


@dataclass(frozen=True, slots=True)
class Seen:
    """How things stand for a call as it asks: `began` where offers in its queue go on, `ahead` who goes before it,
    `stood` whether it has a place to lose. `said_no` is set for a no that could not be written."""

    situation: Situation
    began: bool
    ahead: tuple[str, ...]
    stood: bool = False
    said_no: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """What was decided. `ask`: the caller is asked for the number of a mobile first. `goes_on`: whether offers in this
    queue go on; None where the wait was not what decided."""

    offer: Offer
    ask: bool = False
    goes_on: bool | None = None

    @property
    def reason(self) -> Reason:
        return self.offer.reason


@dataclass(slots=True)
class Offerings:
    """`calendars` are those of the file. `see` and `remember` belong on the loop; `decide` and `answer` are steps."""

    waits: Waits
    calendars: Mapping[str, Calendar]
    _ahead: dict[tuple[str, str, str], tuple[str, ...]] = field(default_factory=dict)
    _began: set[Line] = field(default_factory=set)
    _no: dict[tuple[str, str], None] = field(default_factory=dict)

    def see(self, asking: Asking, now: datetime) -> Seen:
        """How things stand for this call, from memory."""
        expected = self.waits.expected(asking.pbx, asking.voice, asking.uniqueid)
        calendar = self.calendars.get(asking.queue.plan.offering.calendar) if asking.queue else None
        situation = Situation(
            asking.voice,
            expected.waiting,
            asking.agents,
            expected.wait,
            expected.position,
            open=calendar is None or is_open(calendar, now),
            textable=asking.textable,
        )
        ahead = self.waits.ahead(asking.pbx, asking.voice, asking.uniqueid)
        stood = self.waits.stands(asking.pbx, asking.voice, asking.uniqueid)
        said_no = (asking.pbx, asking.uniqueid) in self._no
        return Seen(situation, asking.line in self._began, ahead, stood, said_no)

    def remember(self, asking: Asking, seen: Seen, made: Made) -> None:
        """The decision is on disk: remember who was ahead, and whether offers go on."""
        if made.goes_on is True:
            self._began.add(asking.line)
        elif made.goes_on is False:
            self._began.discard(asking.line)
        # who pressed a key while they waited goes back into the queue, whether they are offered something or not
        self.keep_place(asking, seen)

    def keep_place(self, asking: Asking, seen: Seen) -> None:
        """Remember who was ahead."""
        while len(self._ahead) >= MOST_CALLS:
            del self._ahead[next(iter(self._ahead))]
        self._ahead[asking.place] = seen.ahead

    def say_no(self, pbx: str, uniqueid: str) -> None:
        """This call said no, and that could not be written: it is not asked again while we run."""
        while len(self._no) >= MOST_CALLS:
            del self._no[next(iter(self._no))]
        self._no[pbx, uniqueid] = None

    def position(self, pbx: str, uniqueid: str, voice: str) -> int | None:
        """Where to put this call so that it loses no place: behind those who were ahead when it was offered something
        and still wait. None where nobody knows."""
        ahead = self._ahead.get((pbx, uniqueid, voice))
        if ahead is None or not self.waits.knows(pbx, voice):
            return None
        still = set(self.waits.ahead(pbx, voice, uniqueid))
        return sum(one in still for one in ahead) + 1

    def forget(self, pbx: str, uniqueid: str, voice: str) -> None:
        """The call is over."""
        self._ahead.pop((pbx, uniqueid, voice), None)


def decide(asking: Asking, seen: Seen, now: datetime, tx: Tx) -> Made:
    """Decide what this call is offered, and keep it. A no holds for the span `every`; a call that was offered
    something, or said something to it, is not asked again."""
    offers = tx.offers.of_call(asking.pbx, asking.uniqueid)
    offer = Offer(
        asking.pbx, asking.uniqueid, asking.kind, asking.did, asking.peer, seen.situation, Reason.ALLOWED, now
    )
    if seen.said_no or asked_before(asking.kind, offers):
        return Made(replace(offer, reason=Reason.ASKED_BEFORE))
    if asking.queue is None and asking.kind is not OfferKind.TEXT_BACK:
        return _kept(Made(replace(offer, reason=Reason.NO_TEXT_QUEUE)), tx)
    offering = asking.queue.plan.offering if asking.queue is not None else Offering()
    before = next((one for one in offers if one.kind is asking.kind), None)
    if before is not None and abs(now - before.at) < offering.every:
        return Made(before)
    reason = may_offer(asking.kind, offering, seen.situation, seen.began)
    goes_on = long_enough(offering, seen.situation, seen.began) is Reason.ALLOWED
    ask = reason is Reason.ALLOWED and asks_for_mobile(offering, seen.situation)
    return _kept(Made(replace(offer, reason=reason), ask, goes_on), tx)


def _kept(made: Made, tx: Tx) -> Made:
    tx.offers.put(made.offer)
    return made


def asked_before(kind: OfferKind, offers: Iterable[Offer]) -> bool:
    """Whether this call is not asked again: it was offered the same, or answered whatever it was offered."""
    return any(
        offer.reason is Reason.ALLOWED and (offer.kind is kind or offer.answer is not OfferAnswer.NONE)
        for offer in offers
    )


def made_before(pbx: str, uniqueid: str, kind: OfferKind, tx: Tx) -> Offer | None:
    """The offer of this kind that a call was made."""
    offer = tx.offers.of(pbx, uniqueid, kind)
    return offer if offer is not None and offer.reason is Reason.ALLOWED else None


def answer(offer: Offer, said: OfferAnswer, text: str, session: str, now: datetime, tx: Tx) -> Offer:
    """Keep what they chose; `offer.prompt` is what they heard. `text` and `session` are public ids."""
    tx.offers.answer(offer, said, text, session, now)
    return replace(offer, answer=said, answered_at=now, text=text, session=session)
