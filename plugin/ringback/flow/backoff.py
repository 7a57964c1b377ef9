"""How often somebody may try a secret: a wait that doubles with each wrong one, kept in memory."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

HOUR_S = 3600.0
MOST_KEPT = 10_000


@dataclass(slots=True)
class _Tries:
    count: int = 0
    until: float = 0.0
    last: float = 0.0


@dataclass(slots=True)
class Backoff:
    """After `free` tries each next one waits twice as long, `longest_s` at most; an hour without tries forgets them.

    A try counts before its password is compared, so that many at once are not one.
    """

    free: int
    longest_s: float
    monotonic: Callable[[], float]
    most: int = MOST_KEPT
    _kept: OrderedDict[Hashable, _Tries] = field(default_factory=OrderedDict)

    def wait(self, key: Hashable) -> float:
        """The seconds until this one may try again; 0 for now."""
        tries = self._kept.get(key)
        return max(0.0, tries.until - self.monotonic()) if tries else 0.0

    def count(self, key: Hashable) -> None:
        """Write a try down."""
        now = self.monotonic()
        tries = self._kept.pop(key, _Tries())
        if now - tries.last > HOUR_S:
            tries = _Tries()
        tries.count, tries.last = tries.count + 1, now
        # the exponent has a bound, so that a patient attacker does not make a number of a thousand digits
        if tries.count >= self.free:
            tries.until = now + min(self.longest_s, 2.0 ** min(tries.count - self.free, 20))
        self._kept[key] = tries
        if len(self._kept) > self.most:
            self._kept.popitem(last=False)

    def take_back(self, key: Hashable) -> None:
        """The try was right after all: as if it had not been."""
        if tries := self._kept.get(key):
            tries.count, tries.until = tries.count - 1, 0.0

    def forget(self, key: Hashable) -> None:
        """The right password came from here, so the wrong ones before were slips."""
        self._kept.pop(key, None)
