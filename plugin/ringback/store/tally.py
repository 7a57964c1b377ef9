"""Figures of what was committed: counted by the writer's thread after each flush, read by whoever asks for them."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence

from ringback.ports.changes import Counted

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
STEPS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)


class Spread:
    """How values spread over bounds. Only one thread adds; another may read at any time."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.total = 0.0
        self._each = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        self._each[bisect_left(self.bounds, value)] += 1
        self.total += value

    def up_to(self) -> list[tuple[str, float]]:
        """How many values were at most each bound; the last one is all of them."""
        names = [*(f"{bound:g}" for bound in self.bounds), "+Inf"]
        sums, seen = [], 0
        for name, count in zip(names, tuple(self._each), strict=True):
            seen += count
            sums.append((name, float(seen)))
        return sums


class Tally:
    """Since the start of this process. What was rolled back is not in it."""

    def __init__(self) -> None:
        self._counts: Counter[Counted] = Counter()
        self.steps = Spread(STEPS)
        self.seconds = Spread(SECONDS)

    def flushed(self, counted: Iterable[Counted], steps: int, seconds: float) -> None:
        """One transaction ended: what it did, how many steps it had, how long it took with its flush."""
        for one in counted:
            self._counts[one] += 1
        self.steps.add(steps)
        self.seconds.add(seconds)

    def counts(self) -> dict[Counted, int]:
        # one look that no other thread can come between
        return dict(self._counts)
