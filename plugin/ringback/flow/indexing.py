"""Makes texts findable by their words: some moments behind those who write them, so that no text waits for it."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from ringback.flow.insist import insist_one
from ringback.ports import Clock
from ringback.ports.changes import ANY_THREAD, Changes
from ringback.ports.storage import Store, Tx

AT_ONCE = 100
"""Texts of each side in one transaction: a few milliseconds, for which a text may have to wait."""
BREATH_S = 0.02
CALM = timedelta(seconds=2)
"""Texts that come within this time share a transaction."""


@dataclass(frozen=True, slots=True)
class Indexing:
    """`run` is a part. The search looks through what is not in the index yet by itself, so nobody waits for this."""

    store: Store
    changes: Changes
    clock: Clock

    async def run(self) -> None:
        """Take in what is new whenever something changed, for ever."""
        with self.changes.watch() as watch:
            watch.of((ANY_THREAD,))
            while True:
                await self.catch_up()
                await watch.wait()
                await self.clock.sleep_until(self.clock.now() + CALM)

    async def catch_up(self) -> int:
        """Take in all that is there; returns how many texts that were."""
        done = 0
        while taken := await insist_one(self.store, self.clock, partial(take_in, AT_ONCE)):
            done += taken
            await asyncio.sleep(BREATH_S)
        return done


def take_in(limit: int, tx: Tx) -> int:
    return tx.search.take_in(limit)
