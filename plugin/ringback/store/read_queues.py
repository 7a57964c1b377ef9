"""Text queues and agents, beside the writer: looked at when the daemon starts, so SQLAlchemy must not be needed."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeVar

from ringback.core.text_queues import Queues, VoiceName
from ringback.ports.queues import Agent
from ringback.ports.queues import TextQueues as Port
from ringback.store.database import Database, peek
from ringback.store.reading import reading
from ringback.store.text_queues import TextQueues

T = TypeVar("T")


class StoredQueues:
    """Satisfies `ports.queues.ReadQueues`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def queues(self) -> Queues:
        return await self._look(lambda queues: queues.all())

    async def agents(self) -> Mapping[int, Agent]:
        return await self._look(lambda queues: queues.agents())

    async def models(self) -> Mapping[VoiceName, str]:
        return await self._look(lambda queues: queues.models())

    async def _look(self, ask: Callable[[Port], T]) -> T:
        if self._database.read_before:
            return await self._database.read(lambda connection: ask(TextQueues(reading(connection))))
        return await asyncio.to_thread(peek, self._database.url, lambda tx: ask(tx.queues))
