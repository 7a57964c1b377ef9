"""Counts what became of hooks, and tells the log of refused ones once a minute and carrier."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
class _Told:
    """What the log does not know yet."""

    at: float = -inf
    untold: int = 0


class Tally:
    """Counts by carrier. Of names that are no carrier here there is one count, under no name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[str, Counts] = {}
        self._told: dict[tuple[str, str], _Told] = {}

    def all(self) -> Mapping[str, Counts]:
        return dict(self._counts)

    def taken(self, carrier: str) -> None:
        counts = self._of(carrier)
        self._counts[carrier] = replace(counts, taken=counts.taken + 1)

    def unreadable(self, carrier: str, why: str) -> None:
        counts = self._of(carrier)
        self._counts[carrier] = replace(counts, unreadable=counts.unreadable + 1)
        log.warning("a hook makes no sense, kept for a person", carrier=carrier, why=why)

    def put_off(self, carrier: str, why: str) -> None:
        counts = self._of(carrier)
        self._counts[carrier] = replace(counts, put_off=counts.put_off + 1)
        self._tell("hooks put off", carrier, why)

    def refused(self, carrier: str, doubt: str) -> None:
        counts = self._of(carrier)
        self._counts[carrier] = replace(counts, refused=counts.refused + 1, refused_at=self._clock.now(), doubt=doubt)
        self._tell("hooks refused", carrier, doubt)

    def astray(self, path: str) -> None:
        """Somebody called where no hook is; a proxy that changes the path looks like this."""
        self._tell("calls where no hook is", "", f"the last one to {path}")

    def _of(self, carrier: str) -> Counts:
        return self._counts.get(carrier, Counts())

    def _tell(self, event: str, carrier: str, why: str) -> None:
        told = self._told.setdefault((event, carrier), _Told())
        told.untold += 1
        if self._clock.monotonic() - told.at >= TELL_EACH_S:
            log.warning(event, carrier=carrier, count=told.untold, why=why)
            told.at, told.untold = self._clock.monotonic(), 0
