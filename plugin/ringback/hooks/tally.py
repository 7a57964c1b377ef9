"""Counts what became of hooks, and tells the log of refused ones once a minute and carrier."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf

import structlog

from ringback.ports import Clock

log = structlog.get_logger("hooks")

TELL_EACH_S = 60.0


@dataclass(frozen=True, slots=True)
class Counts:
    """The hooks of one carrier since the start. `doubt` is why the last refused one may have been refused."""

    taken: int = 0
    refused: int = 0
    unreadable: int = 0
    put_off: int = 0
    refused_at: datetime | None = None
    doubt: str = ""


@dataclass(slots=True)
class _Seen:
    """The same while it is counted."""

    taken: int = 0
    refused: int = 0
    unreadable: int = 0
    put_off: int = 0
    refused_at: datetime | None = None
    doubt: str = ""

    def counts(self) -> Counts:
        return Counts(self.taken, self.refused, self.unreadable, self.put_off, self.refused_at, self.doubt)


@dataclass(slots=True)
class _Told:
    """What the log does not know yet."""

    at: float = -inf
    untold: int = 0


class Tally:
    """Counts by carrier. Of names that are no carrier here there is one count, under no name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: defaultdict[str, _Seen] = defaultdict(_Seen)
        self._told: dict[tuple[str, str], _Told] = {}

    def all(self) -> Mapping[str, Counts]:
        return {carrier: seen.counts() for carrier, seen in self._seen.items()}

    def taken(self, carrier: str) -> None:
        self._seen[carrier].taken += 1

    def unreadable(self, carrier: str, why: str) -> None:
        self._seen[carrier].unreadable += 1
        log.warning("a hook makes no sense, kept for a person", carrier=carrier, why=why)

    def put_off(self, carrier: str, why: str) -> None:
        self._seen[carrier].put_off += 1
        self._tell("hooks put off", carrier, why)

    def refused(self, carrier: str, doubt: str) -> None:
        seen = self._seen[carrier]
        seen.refused += 1
        seen.refused_at, seen.doubt = self._clock.now(), doubt
        self._tell("hooks refused", carrier, doubt)

    def astray(self, path: str) -> None:
        """Somebody called where no hook is; a proxy that changes the path looks like this."""
        self._tell("calls where no hook is", "", f"the last one to {path}")

    def _tell(self, event: str, carrier: str, why: str) -> None:
        told = self._told.setdefault((event, carrier), _Told())
        told.untold += 1
        if self._clock.monotonic() - told.at >= TELL_EACH_S:
            log.warning(event, carrier=carrier, count=told.untold, why=why)
            told.at, told.untold = self._clock.monotonic(), 0
