"""How fast a carrier is asked: as fast as it is said to take, and slower once it says "not now".

The carrier's own limit is found as TCP finds a line's: half of it after a "not now", most of it soon after, the last
bit slowly, and beyond it faster and faster, since then the limit must have risen. A pace is a value; times are the
seconds of a clock that only runs forward, amounts are segments.
"""

from dataclasses import dataclass, replace

SLOWEST = 0.1
MOST_OF_IT = 0.95
RECOVERY_S = 1.0
CREEP = 0.001
"""The share of the limit that is added each second from MOST_OF_IT up."""
CREEP_S = (1.0 - MOST_OF_IT) / CREEP
PUSH = 1.05
"""The factor of each second beyond the limit once found."""
FORGET_S = 600.0
"""After this long without a "not now" the limit that was found is forgotten."""
BURST_S = 0.05
SPARE = 0.5
"""What may be saved up beyond one segment, so that looking a little late costs nothing."""
LONGEST_WAIT_S = 900.0
SHORTEST_WAIT_S = 0.5
PLENTY = 1_000_000
USED = 0.7
"""A pace counts as used from this share up."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`limit` is what the owner set, `found` what the carrier's answers said; None is no limit.

    `resumed` is when the lane went on after the last "not now"; until `paused_until` it waits, and then, while
    `trying`, one text goes ahead of the others.
    """

    limit: float | None = None
    found: float | None = None
    tokens: float = 1.0
    at: float = 0.0
    paused_until: float = 0.0
    trying: bool = False
    resumed: float = 0.0
    second: int = 0
    taken: int = 0
    taken_before: int = 0

    def rate(self, at: float) -> float | None:
        """Segments a second that may leave now; None when nothing bounds them."""
        if self.found is None or at - self.resumed > FORGET_S:
            return self.limit
        grown = max(_grown(self.found, at - self.resumed), SLOWEST)
        return grown if self.limit is None else min(grown, self.limit)

    def room(self, at: float) -> int:
        """How many segments may leave now."""
        if at < self.paused_until:
            return 0
        if self.trying:
            return 1
        rate = self.rate(at)
        if rate is None:
            return PLENTY
        tokens = self._filled(at, rate)
        return int(tokens) if tokens >= 1 else 0

    def opens(self, at: float) -> float:
        """When there is room again, if there is none now."""
        if at < self.paused_until:
            return self.paused_until
        rate = self.rate(at)
        return at if rate is None else at + max(0.0, 1 - self._filled(at, rate)) / rate

    def sent(self, segments: int, at: float) -> "Pace":
        """So many leave; a long text may leave on credit, and the next one waits for that."""
        rate = self.rate(at)
        return self if rate is None else replace(self, tokens=self._filled(at, rate) - segments, at=at)

    def accepted(self, at: float, segments: int = 1) -> "Pace":
        """The carrier took a text, so it is worth asking on."""
        second = int(at)
        if second == self.second:
            counted = replace(self, taken=self.taken + segments)
        else:
            before = 0 if second > self.second + 1 else self.taken
            counted = replace(self, second=second, taken=segments, taken_before=before)
        if at < self.paused_until and self.found is not None:
            return replace(counted, found=max(self.found, float(counted.taken)))  # of the storm's better half
        return replace(counted, trying=False, resumed=at, tokens=0.0, at=at) if self.trying else counted

    def throttled(self, wait: float, at: float) -> "Pace":
        """The carrier said "not now": wait as long as it asks, and go on at half of what it took."""
        until = at + min(max(wait, SHORTEST_WAIT_S), LONGEST_WAIT_S)
        waiting = replace(self, paused_until=max(until, self.paused_until), trying=True)
        if at < self.paused_until or self.trying:
            return waiting  # one of the same storm, or the carrier is not ready yet: the limit is not lower for that
        return replace(waiting, found=self._ceiling(at), resumed=until)

    def _ceiling(self, at: float) -> float:
        """The pace at which the carrier had enough. A pace that was not used says nothing, what it took then does."""
        taken = float(max(self.taken, self.taken_before)) if self.second >= int(at) - 1 else 0.0
        rate = self.rate(at)
        if rate is not None and taken + 1 >= USED * rate:
            return max(rate, SLOWEST)
        if self.found is None:
            return max(taken, 1.0)
        return max(taken, self.found / 2, SLOWEST)

    def _filled(self, at: float, rate: float) -> float:
        most = max(1.0 + SPARE, rate * BURST_S)
        return min(most, self.tokens + max(0.0, at - self.at) * rate)


def _grown(found: float, since: float) -> float:
    """How fast to go so many seconds after a "not now", if the carrier's limit is `found`."""
    if since < RECOVERY_S:
        return found * (0.5 + (MOST_OF_IT - 0.5) * max(0.0, since) / RECOVERY_S)
    if since < RECOVERY_S + CREEP_S:
        return found * (MOST_OF_IT + CREEP * (since - RECOVERY_S))
    return found * float(PUSH ** (since - RECOVERY_S - CREEP_S))
