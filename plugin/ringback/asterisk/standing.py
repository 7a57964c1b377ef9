"""How the line to a PBX stands, and when to try again: values, no connection."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """Where the line is. Only LIVE hears calls and takes actions."""

    AWAY = "away"
    CONNECTING = "connecting"
    REFUSED = "refused"  # Asterisk is there and says no: a person must act
    STARTING = "starting"  # connected; not logged in, not fully booted or not yet resynchronised
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Standing:
    """`since` is when the line was last gained (LIVE) or lost (all else)."""

    state: State
    since: datetime
    why: str = ""
    next_try: datetime | None = None

    def text(self, now: datetime) -> str:
        """Say it in one line for health pages and errors."""
        if self.state is State.LIVE:
            return "live"
        said = f"{self.state}: {self.why}" if self.why else str(self.state)
        if self.state is State.AWAY:
            said = f"away since {self.since.isoformat(timespec='seconds')}" + (f" ({self.why})" if self.why else "")
        return self._and_then(said, now)

    def reason(self, now: datetime) -> str:
        """The same where its state and since when are said beside it."""
        return "" if self.state is State.LIVE else self._and_then(self.why or str(self.state), now)

    def _and_then(self, said: str, now: datetime) -> str:
        if self.next_try is None:
            return said
        return f"{said}, next try in {max(0, round((self.next_try - now).total_seconds()))} s"


class Trouble(StrEnum):
    """Why a connection failed, as far as it changes when to try again."""

    NOBODY = "nobody"  # nothing listens, or a line that was good broke
    STRANGE = "strange"  # something listens, but it does not become a working AMI
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Retry:
    """Doubling waits in seconds, the longest `most`, each shortened by up to a quarter at random."""

    first: float
    most: float

    def wait(self, tries: int) -> float:
        """Seconds before the next try after `tries` failures of this kind in a row."""
        return min(self.most, self.first * float(1 << min(tries, 20))) * random.uniform(0.75, 1.0)


RETRIES: Mapping[Trouble, Retry] = MappingProxyType(
    {
        # To knock at a closed port costs nothing, and calls are missed unseen meanwhile: back within 2 s of the PBX.
        Trouble.NOBODY: Retry(first=0.2, most=1.5),
        Trouble.STRANGE: Retry(first=0.5, most=30.0),
        # Slow enough for the usual ban after five failed logins in ten minutes not to strike.
        Trouble.REFUSED: Retry(first=90.0, most=300.0),
    }
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things may take, in seconds."""

    connect: float = 4.0
    answer: float = 5.0
    boot: float = 20.0  # without FullyBooted for so long: log in anew, which asks Asterisk for it again
    ping: float = 15.0  # silence of two such intervals is the end of a connection
    steady: float = 10.0  # a line that broke sooner than this counts as one more failure
    retries: Mapping[Trouble, Retry] = field(default_factory=lambda: RETRIES)
