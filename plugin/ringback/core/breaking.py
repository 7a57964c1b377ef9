"""When to stop asking a carrier that does not answer, and how to find out that it does again.

A breaker is a value: what was heard goes in with the seconds of a clock that only runs forward, the next value comes
out.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

IN_A_ROW = 5
SHARE = 0.5
WINDOW_S = 30.0
AT_LEAST = 10
"""Fewer answers than this in the window say nothing about a share."""
PROBE_S = 5.0
_SLICE_S = 5.0


class Heard(StrEnum):
    """What an attempt says of the carrier. NOTHING: a "not now", or a fault of our own."""

    WORKS = "works"
    FAILS = "fails"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class _Slice:
    """Five seconds of the window, by number."""

    number: int
    works: int = 0
    fails: int = 0


@dataclass(frozen=True, slots=True)
class Breaker:
    """`open_since` is None while it is closed. Open, it lets one probe through every PROBE_S seconds."""

    open_since: float | None = None
    next_probe: float = 0.0
    in_a_row: int = 0
    slices: tuple[_Slice, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.open_since is not None

    def may_probe(self, at: float) -> bool:
        return self.is_open and at >= self.next_probe

    def probing(self, at: float) -> "Breaker":
        """A probe leaves now; whatever comes of it, the next may leave only then."""
        return replace(self, next_probe=at + PROBE_S)

    def heard(self, what: Heard, at: float) -> "Breaker":
        """Take an answer in. A carrier that works closes the breaker at once, and the past is forgotten."""
        match what:
            case Heard.WORKS if self.is_open:
                return Breaker()
            case Heard.WORKS:
                return Breaker(slices=_add(self.slices, at, works=1))
            case Heard.FAILS if self.is_open:
                return self
            case Heard.FAILS:
                return replace(self, in_a_row=self.in_a_row + 1, slices=_add(self.slices, at, fails=1))._judged(at)
            case _:
                return self

    def _judged(self, at: float) -> "Breaker":
        fails = sum(part.fails for part in self.slices)
        total = fails + sum(part.works for part in self.slices)
        if self.in_a_row < IN_A_ROW and not (total >= AT_LEAST and fails > SHARE * total):
            return self
        return Breaker(open_since=at, next_probe=at + PROBE_S)


def _add(slices: tuple[_Slice, ...], at: float, works: int = 0, fails: int = 0) -> tuple[_Slice, ...]:
    number = int(at // _SLICE_S)
    if slices and slices[-1].number == number:
        # what is too old went when this slice began
        last = slices[-1]
        return (*slices[:-1], _Slice(number, last.works + works, last.fails + fails))
    kept = (part for part in slices if part.number > number - WINDOW_S / _SLICE_S)
    return (*kept, _Slice(number, works, fails))
