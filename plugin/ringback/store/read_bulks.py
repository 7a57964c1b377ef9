"""Runs for whoever looks, on a connection of their own: to count a million texts must not hold up the writer."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from ringback.errors import RingbackError, StoreFault
from ringback.ports.bulks import Run, Tallied
from ringback.ports.storage import Tx
from ringback.store.database import Database, peek

T = TypeVar("T")


class StoredBulks:
    """Satisfies `ports.bulks.ReadBulks`."""

    def __init__(self, database: Database) -> None:
        self._url = database.url

    async def show(self, public_id: str) -> Tallied | None:
        return await self._look(lambda tx: tx.bulks.tallied(public_id))

    async def latest(self, limit: int) -> list[Run]:
        return await self._look(lambda tx: tx.bulks.latest(limit))

    async def _look(self, step: Callable[[Tx], T]) -> T:
        try:
            return await asyncio.to_thread(peek, self._url, step)
        except RingbackError:
            raise
        except Exception as problem:  # each driver has its own
            raise StoreFault(f"the database cannot be read: {problem}") from problem
