"""What a lane looks after now and then: attempts that nobody knows any more, and a wall clock that was set back."""

from collections.abc import Collection
from datetime import timedelta
from functools import partial

import structlog

from ringback.flow.attempts import STRANDED, find_stranded
from ringback.flow.claiming import clock_went_back
from ringback.flow.insist import insist_one
from ringback.ports import Clock
from ringback.ports.storage import Store

log = structlog.get_logger("sending")

STEP_BACK = timedelta(seconds=2)
"""A wall clock that falls behind by more than this was set back."""


class Rounds:
    """One carrier's. Both say whether there is something new for the lane to look at."""

    def __init__(self, carrier: str, store: Store, clock: Clock) -> None:
        self._carrier = carrier
        self._store = store
        self._clock = clock
        self._searched_at = clock.now()
        self._ahead = clock.now() - timedelta(seconds=clock.monotonic())

    async def search(self, in_hand: Collection[int]) -> bool:
        """Now and then, look for attempts that were opened and never came to the lane."""
        now = self._clock.now()
        if now - self._searched_at < STRANDED:
            return False
        self._searched_at = now
        found = await insist_one(self._store, self._clock, partial(find_stranded, self._carrier, in_hand, now))
        if found:
            log.warning("texts in doubt that no lane knows", carrier=self._carrier, texts=found)
        return bool(found)

    async def mind_the_clock(self) -> bool:
        """Notice a wall clock that was set back, so that nothing waits for a moment it was not meant to wait for."""
        now = self._clock.now()
        ahead = now - timedelta(seconds=self._clock.monotonic())
        by, self._ahead = self._ahead - ahead, ahead
        if by <= STEP_BACK:
            return False
        log.warning("the clock was set back", carrier=self._carrier, by_s=by.total_seconds())
        self._searched_at = now
        await insist_one(self._store, self._clock, partial(clock_went_back, self._carrier, by, now))
        return True
