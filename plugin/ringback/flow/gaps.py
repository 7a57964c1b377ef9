"""Fills the gaps of the live feed: what a PBX wrote down while nobody listened becomes decisions after all.

A call that is known already changes nothing, so a file may be read as often as one likes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from ringback.core.calls import Call, Presentation
from ringback.core.tasks import TaskKind
from ringback.errors import told
from ringback.flow.calls import NOTHING, Concluded, answered, conclude
from ringback.flow.following import Follower
from ringback.flow.house import House
from ringback.flow.insist import insist, insist_one
from ringback.flow.sending import first
from ringback.ports.callings import CallRecords, Gap, Recorded, RecordsAway
from ringback.ports.storage import Tx

log = structlog.get_logger("calls")

BEFORE = timedelta(minutes=2)
"""The line may have been dead for a while before anybody noticed."""

SETTLED = timedelta(seconds=2)
"""How long after the line is back the PBX may still be writing."""

AS_FAR_AS = timedelta(days=1)
AGAIN = timedelta(minutes=5)
AT_ONCE = 64


Aside = Callable[..., Awaitable[Recorded]]
"""How to run what blocks."""


class Gaps:
    """One part for all PBXs that write their calls down. `nudge` it when a line is back."""

    def __init__(
        self, follower: Follower, records: Mapping[str, CallRecords], aside: Aside = asyncio.to_thread
    ) -> None:
        self._follower = follower
        self._house = follower.house
        self._store = follower.store
        self._clock = follower.clock
        self._records = records
        self._aside = aside
        self._wake = asyncio.Event()

    def nudge(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Look at the start, after each gap, and again where a file could not be read."""
        while True:
            self._wake.clear()
            missed = [pbx for pbx in self._records if not await self._fill(pbx)]
            now = self._clock.now()
            async with asyncio.TaskGroup() as group:
                sleep = group.create_task(self._clock.sleep_until(now + (AGAIN if missed else AS_FAR_AS)))
                await first(group, sleep, self._wake)

    async def _fill(self, pbx: str) -> bool:
        """Look into every open gap of a PBX; False when one is left for later."""
        since = self._clock.now() - AS_FAR_AS
        for gap in await insist_one(self._store, self._clock, partial(gaps_of, pbx, since)):
            # the end of a gap may be to come where the clock was set back since; nobody waits for that
            await self._clock.sleep_until(min(gap.until, self._clock.now()) + SETTLED)
            records = self._records[pbx]
            try:
                recorded = await self._aside(records.ended_between, gap.since - BEFORE, gap.until + SETTLED)
            except RecordsAway as problem:
                log.warning("a gap cannot be filled now", pbx=pbx, problem=str(problem))
                return False
            await self._take(pbx, records.name, gap, recorded)
        return True

    async def _take(self, pbx: str, name: str, gap: Gap, recorded: Recorded) -> None:
        """Decide about each call, and note what the gap turned out to be."""
        taken = 0
        for start in range(0, len(recorded.calls), AT_ONCE):
            calls, now = recorded.calls[start : start + AT_ONCE], self._clock.now()
            steps = [partial(take_up, self._house, call, now) for call in calls]
            for result in await insist(self._store, self._clock, steps):
                if isinstance(result, Exception):
                    log.error("a recorded call could not be stored", pbx=pbx, problem=told(result))
                elif result is not NOTHING:
                    taken += 1
                    self._follower.after(result)
        await insist_one(self._store, self._clock, partial(looked_into, gap.id, name, taken))
        log.info(
            "gap filled",
            pbx=pbx,
            since=gap.since.isoformat(timespec="seconds"),
            until=gap.until.isoformat(timespec="seconds"),
            calls=taken,
            records=name,
            faults=recorded.faults,
            whole=recorded.whole,
        )


def gaps_of(pbx: str, since: datetime, tx: Tx) -> list[Gap]:
    return tx.calls.gaps(pbx, since)


def looked_into(gap: int, records: str, recovered: int, tx: Tx) -> None:
    tx.calls.look_into(gap, records, recovered)


def take_up(house: House, call: Call, now: datetime, tx: Tx) -> Concluded:
    """Decide about a call that ended out of sight; NOTHING for one whose end is known."""
    doubtful = tx.calls.doubtful(call.pbx, call.uniqueid)
    if doubtful is not None:
        call_id, told = doubtful
        known = told.facts()
        if known is not None and known.presentation is not Presentation.UNKNOWN:
            call = replace(call, presentation=known.presentation, verstat=known.verstat, vetoed=known.vetoed)
        tx.calls.reopen(call_id)
        tx.tasks.settle(TaskKind.UNSEEN, call_id, now, "records")
    if call.answered_at is not None:
        answered(house, call, tx)
    return conclude(house, None, call, now, tx)
