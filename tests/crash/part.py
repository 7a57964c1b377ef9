"""What the parts of the long drills are told, and what they tell."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.checker import Finding

PROJECT = "SOAK_PROJECT"
"""Names the project's own folder, since the parts run in a copy of it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a part is told."""

    seed: int
    quick: bool
    kills: int = 0
    texts: int = 0
    """How many kills, over how many texts; 0 is what the part does of itself."""

    def many(self, long: int, quick: int) -> int:
        return quick if self.quick else long


@dataclass(slots=True)
class Outcome:
    """What came of a part. `short` says what was not done in its time."""

    numbers: dict[str, int | float] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    short: str = ""


Run = Callable[[Asked, Path], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Part:
    """One of the drills. After so many `minutes` it is told to stop; of the `heavy` ones only one runs at a time."""

    name: str
    row: str
    minutes: int
    run: Run
    heavy: bool = False


def said(findings: Iterable[Finding]) -> list[str]:
    return [f"{finding.invariant}: {finding.what} {list(finding.rows)[:2]}"[:600] for finding in findings]
