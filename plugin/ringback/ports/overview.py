"""The day in a few figures, and what a fresh installation has seen so far."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringback.core.grants import Reach

MOST = 1000
"""Figures count up to here; more is shown as more."""


@dataclass(frozen=True, slots=True)
class Day:
    """Calls since a moment that ended without a person, those of them whose text went, and what waits now."""

    unanswered: int
    texted: int
    waiting: int
    tasks: int


@dataclass(frozen=True, slots=True)
class Past:
    """What has happened at least once."""

    called: bool
    texted: bool


class Overview(Protocol):
    """Reads figures for the dashboard. Each looks at no more than `MOST` rows of an index."""

    async def day(self, reach: Reach, since: datetime) -> Day: ...

    async def past(self) -> Past: ...
