"""How many texts a lane may open now: whether somebody holds it back, its breaker, its pace, and the share of runs.

Kept in memory and on the clock that only runs forward: a restart finds out anew, and a wall clock that jumps changes
nothing here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ringback.core.breaking import Breaker, Heard
from ringback.core.messages import Urgency
from ringback.core.pacing import PLENTY, Pace
from ringback.errors import Rejected, SendFailed, Throttled, Unconfirmed, Unreachable
from ringback.flow.attempts import OurFault, TooLate
from ringback.ports import CarrierRef, Clock
from ringback.ports.texts import Order

RESERVE = 4
"""One slot in so many is never for runs, so that a person's answer finds one at once."""


@dataclass(frozen=True, slots=True)
class Room:
    """What may be opened now: texts, how many of them of runs, and segments; the last text may be longer than that."""

    texts: int
    bulk: int
    segments: int = PLENTY


NO_ROOM = Room(0, 0, 0)


def meaning(result: CarrierRef | SendFailed) -> Heard:
    """What an answer says of the carrier itself. Silence and half an answer are failures: texts in doubt cost most."""
    match result:
        case CarrierRef() | Rejected():
            return Heard.WORKS
        case Throttled() | OurFault() | TooLate():
            return Heard.NOTHING
        case Unreachable() | Unconfirmed():
            return Heard.FAILS
        case _:
            return Heard.NOTHING


class Governor:
    """One lane's. `held` is why somebody holds the carrier back, empty when nobody does."""

    def __init__(self, window: int, rate: float | None, clock: Clock) -> None:
        self.held = ""
        self.bulk_window = window - max(1, window // RESERVE) if window > 1 else window
        self.bulk_in_flight = 0
        self._clock = clock
        self._pace = Pace(limit=rate, at=clock.monotonic())
        self._breaker = Breaker()
        self._trying = False  # the text that goes ahead after a "not now" is on its way

    @property
    def broken(self) -> bool:
        return self._breaker.is_open

    @property
    def shut(self) -> bool:
        """Whether the lane stands still for longer than a moment."""
        return bool(self.held) or self.broken or self._clock.monotonic() < self._pace.paused_until

    def room(self, free: int) -> Room:
        """What may be opened with so many free slots."""
        at = self._clock.monotonic()
        if self.held or free == 0:
            return NO_ROOM
        if self.broken:
            return Room(1, 1) if self._breaker.may_probe(at) else NO_ROOM
        segments = self._pace.room(at)
        if segments == 0 or (self._pace.trying and self._trying):
            return NO_ROOM
        texts = min(free, segments)
        return Room(texts, max(0, min(texts, self.bulk_window - self.bulk_in_flight)), segments)

    def takes_one(self, behind: bool) -> bool:
        """Whether a text that was not queued may leave now: not as a probe, and not past others where a pace holds."""
        at = self._clock.monotonic()
        if self.held or self.broken or self._pace.trying:
            return False
        return self._pace.rate(at) is None or (not behind and self._pace.room(at) > 0)

    def charge(self, segments: int) -> None:
        """So many segments leave, or came back unused."""
        self._pace = self._pace.sent(segments, self._clock.monotonic())

    def opened(self, order: Order) -> None:
        """A text is on its way."""
        self.bulk_in_flight += order.urgency is Urgency.BULK
        self._trying = self._trying or self._pace.trying
        if self.broken:
            self._breaker = self._breaker.probing(self._clock.monotonic())

    def answered(self, order: Order, result: CarrierRef | SendFailed) -> None:
        """Its outcome is known."""
        at = self._clock.monotonic()
        self.bulk_in_flight -= order.urgency is Urgency.BULK
        self._trying = False
        match result:
            case Throttled(wait=wait):
                self._pace = self._pace.throttled(wait, at)
            case CarrierRef():
                self._pace = self._pace.accepted(at, order.segments)
        self._breaker = self._breaker.heard(meaning(result), at)

    def dropped(self, order: Order) -> None:
        """Nobody waits for its answer any more."""
        self.bulk_in_flight -= order.urgency is Urgency.BULK
        self._trying = False

    def begin_anew(self) -> None:
        """The window was emptied: nothing is on its way."""
        self.bulk_in_flight = 0
        self._trying = False

    def changes_at(self) -> datetime | None:
        """When there may be room again by itself, if there is none now."""
        if self.held or (self._pace.trying and self._trying and not self.broken):
            return None  # a person lets go, or the answer to the one that went ahead comes
        at = self._clock.monotonic()
        return self._wall(self._breaker.next_probe if self.broken else self._pace.opens(at), at)

    @property
    def broken_since(self) -> datetime | None:
        return self._wall(self._breaker.open_since)

    @property
    def next_probe(self) -> datetime | None:
        return self._wall(self._breaker.next_probe) if self.broken else None

    @property
    def paused_until(self) -> datetime | None:
        until = self._pace.paused_until
        return self._wall(until) if until > self._clock.monotonic() else None

    @property
    def pace(self) -> float | None:
        return self._pace.rate(self._clock.monotonic())

    def _wall(self, moment: float | None, at: float | None = None) -> datetime | None:
        if moment is None:
            return None
        since = self._clock.monotonic() if at is None else at
        return self._clock.now() + timedelta(seconds=moment - since)
