"""Runs for whoever looks, on a connection of their own: to count a million texts must not hold up the writer."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from ringback.core.grants import Reach
from ringback.errors import RingbackError, StoreFault
from ringback.ports.bulks import Run, Tallied
from ringback.ports.storage import Tx
from ringback.store.database import Database, peek

T = TypeVar("T")


def tallied(reach: Reach, public_id: str, tx: Tx) -> Tallied | None:
    """A run of a number within reach; nothing is counted for the others."""
    run = tx.bulks.find(public_id)
    return tx.bulks.tallied(public_id) if run is not None and run.plan.did in reach else None


class StoredBulks:
    """Satisfies `ports.bulks.ReadBulks`."""

    def __init__(self, database: Database) -> None:
        self._url = database.url

    async def show(self, reach: Reach, public_id: str) -> Tallied | None:
        return await self._look(partial(tallied, reach, public_id))

    async def latest(self, reach: Reach, limit: int) -> list[Run]:
        return await self._look(lambda tx: tx.bulks.latest(reach, limit))

    async def _look(self, step: Callable[[Tx], T]) -> T:
        try:
            return await asyncio.to_thread(peek, self._url, step)
        except RingbackError:
            raise
        except Exception as problem:  # each driver has its own
            raise StoreFault(f"the database cannot be read: {problem}") from problem
