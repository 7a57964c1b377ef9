"""Counts what was answered, and tells the log of what is wrong once a minute and kind."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf

import structlog

from ringback.ports import Clock

log = structlog.get_logger("dialplan")

TELL_EACH_S = 60.0


@dataclass(frozen=True, slots=True)
class Counts:
    """Answers since the start by verb and first word; `refused` had no token or a wrong one."""

    answers: Mapping[tuple[str, str], int]
    refused: int = 0
    refused_at: datetime | None = None


class Tally:
    """`took` gets the seconds of each answer."""

    def __init__(self, clock: Clock, took: Callable[[float], None]) -> None:
        self._clock = clock
        self._took = took
        self._answers: Counter[tuple[str, str]] = Counter()
        self._refused = 0
        self._refused_at: datetime | None = None
        self._told: dict[tuple[str, str], float] = {}
        self._untold: Counter[tuple[str, str]] = Counter()

    def counts(self) -> Counts:
        return Counts(dict(self._answers), self._refused, self._refused_at)

    def answered(self, verb: str, word: str, seconds: float) -> None:
        self._answers[verb, word] += 1
        self._took(seconds)

    def failed(self, verb: str, word: str, why: str) -> None:
        """No answer was given: `word` says of which kind that is."""
        self._answers[verb, word] += 1
        self._tell("the dialplan got no answer", verb, why)

    def refused(self) -> None:
        self._refused += 1
        self._refused_at = self._clock.now()
        self._tell("the dialplan was refused", "", "its token is not ours: is ringback_settings.conf the latest?")

    def _tell(self, event: str, verb: str, why: str) -> None:
        kind = (event, verb + why)
        self._untold[kind] += 1
        if self._clock.monotonic() - self._told.get(kind, -inf) >= TELL_EACH_S:
            self._told[kind] = self._clock.monotonic()
            log.warning(event, verb=verb, why=why, count=self._untold.pop(kind))
