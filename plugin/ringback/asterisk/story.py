"""What was seen of one call so far; `call` tells it as a `Call`, finished or not."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ringback.asterisk.legs import Legs
from ringback.asterisk.plain import plain
from ringback.core.calls import Call, Direction, Outcome, Presentation, Seen, Sighting, outcome_of

MOST_SIGHTINGS = 200
MOST_PARTS = 256
"""Channels remembered for one call; a caller who waits for hours rings the same phones again and again."""

NOT_A_NUMBER = frozenset(
    {"", "<unknown>", "anonymous", "restricted", "unavailable", "unknown", "private", "withheld"},
)
# What the caller was told by an exchange that asked no phone, in the words of DIALSTATUS.
TURNED_AWAY = {"17": "BUSY", "34": "CONGESTION"}
ELSEWHERE = "26"  # Q.850, from the carrier: somebody else has answered this call


def presentation_of(caller: str, told: Presentation) -> Presentation:
    """What was told, unless the caller's number is a word that says there is none."""
    return Presentation.WITHHELD if caller.strip().lower() in NOT_A_NUMBER else told


@dataclass(slots=True)
class Story:
    """One caller's channel. Times are those of the events; everything told twice counts once."""

    pbx: str
    uniqueid: str
    linkedid: str
    direction: Direction
    caller: str
    did: str
    started_at: datetime
    told: Presentation = Presentation.UNKNOWN
    verstat: str = ""
    vetoed: bool = False
    language: str = ""
    queue: str | None = None
    queued: bool = False
    waiting_since: datetime | None = None
    waited: timedelta | None = None
    answered_at: datetime | None = None
    deflected: bool = False
    elsewhere: bool = False
    voicemail: bool = False
    hung_up: bool = False
    gave_up: bool = False
    line_up: bool = False
    transfer_open: bool = False
    dial_status: str | None = None
    legs: Legs = field(default_factory=Legs)
    seen: list[Sighting] = field(default_factory=list)
    parts: deque[str] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.caller, self.did = plain(self.caller), plain(self.did)

    def saw(self, at: datetime, kind: str, detail: str = "") -> None:
        """Add a line to the story, unless it only repeats the last one."""
        detail = plain(detail)
        if self.seen and self.seen[-1].kind == kind and self.seen[-1].detail == detail:
            return
        if len(self.seen) < MOST_SIGHTINGS:
            self.seen.append(Sighting(at, kind, detail))

    def join(self, queue: str, position: str, at: datetime) -> None:
        """Waiting in a queue, perhaps the next one; whether an earlier one gave up no longer matters."""
        if self.waiting_since is not None and self.queue == queue:
            return
        self.leave(at)
        self.queue, self.queued, self.gave_up = queue, True, False
        self.waiting_since = at
        self.saw(at, "queue_joined", f"{queue} position {position}" if position else queue)

    def leave(self, at: datetime, hold: timedelta | None = None) -> None:
        """No longer waiting. `hold` is what Asterisk counted, for a caller whose join was not seen."""
        if self.waiting_since is not None:
            hold = max(at - self.waiting_since, timedelta())
        elif self.waited is not None:
            return
        if hold is not None:
            self.waited = (self.waited or timedelta()) + hold
        self.waiting_since = None

    def abandon(self, queue: str, hold: timedelta | None, at: datetime) -> None:
        """Asterisk says abandoned for a time-out too; only a caller who asked for the hang-up before has given up."""
        self.leave(at, hold)
        self.queue, self.queued = self.queue or queue or None, True
        if not self.hung_up:
            self.gave_up = True
        self.saw(at, "queue_abandoned" if self.hung_up else "queue_gave_up", queue)

    def name_caller(self, number: str) -> None:
        """The number as the trunk gave it; what a dialplan makes of it later is not the trunk's."""
        if self.caller.strip().lower() in ("", "<unknown>") and number:
            self.caller = plain(number)

    def answer(self, at: datetime) -> bool:
        """In a bridge with somebody; True the first time."""
        self.transfer_open = False
        if self.answered_at is not None:
            return False
        self.answered_at = at
        self.saw(at, "answered")
        return True

    def transfer(self, to: str, at: datetime) -> None:
        """Sent on; until the next bridge nobody has the caller."""
        self.transfer_open = True
        self.saw(at, "transfer", to)

    def park(self, at: datetime) -> None:
        """Put aside; a caller who hangs up at once is gone before Asterisk tells of the transfer that parked them."""
        self.transfer_open = True
        self.saw(at, "parked")

    def turn_away(self, cause: str) -> None:
        """The exchange itself says busy or congested; what became of a phone that was asked tells more."""
        self.dial_status = self.dial_status or TURNED_AWAY.get(cause)

    def hang_up(self, cause: str, line_up: bool, at: datetime) -> None:
        """The last event of a caller's channel."""
        self.elsewhere = cause == ELSEWHERE
        self.line_up = line_up
        if self.waiting_since is not None:
            self.leave(at)
        self.seen.append(Sighting(at, "hangup", f"cause {cause}" if cause else ""))

    def facts(self) -> Seen:
        """What decides the outcome."""
        return Seen(
            bridged=self.answered_at is not None,
            deflected=self.deflected,
            elsewhere=self.elsewhere,
            voicemail=self.voicemail,
            queued=self.queued,
            caller_hung_up=self.hung_up,
            gave_up=self.gave_up,
            line_up=self.line_up,
            legs=tuple(leg.rang for leg in self.legs.shown()),
            dial_status=self.dial_status,
        )

    def call(self, ended_at: datetime | None = None) -> Call:
        """The call as known now; with `ended_at` it is finished and has its outcome."""
        legs = self.legs.shown()
        outcome: Outcome | None = outcome_of(self.facts()) if ended_at else None
        return Call(
            pbx=self.pbx,
            uniqueid=self.uniqueid,
            linkedid=self.linkedid,
            direction=self.direction,
            caller=self.caller,
            did=self.did,
            started_at=self.started_at,
            answered_at=self.answered_at,
            ended_at=ended_at,
            outcome=outcome,
            presentation=self._presentation(),
            verstat=self.verstat,
            vetoed=self.vetoed,
            language=self.language,
            queue=self.queue,
            extensions=tuple(dict.fromkeys(leg.to for leg in legs)),
            rang=self._rang(ended_at),
            waited=self.waited,
            transfer_unanswered=self.transfer_open and self.answered_at is not None,
            legs=legs,
            seen=tuple(self.seen),
        )

    def _presentation(self) -> Presentation:
        return presentation_of(self.caller, self.told) if self.direction is Direction.INBOUND else self.told

    def _rang(self, ended_at: datetime | None) -> timedelta:
        """From the first phone asked to the answer, or to the moment the last one stopped."""
        first = self.legs.first_asked()
        if first is None:
            return timedelta()
        ends = [leg.ended_at or ended_at for leg in self.legs.shown()]
        last = self.answered_at or max((end for end in ends if end), default=first)
        return max(last - first, timedelta())
