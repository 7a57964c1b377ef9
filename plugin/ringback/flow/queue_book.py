"""The text queues in memory, for what is asked while a caller waits."""

import asyncio

from ringback.core.text_queues import Queues
from ringback.flow.insist import insist_one
from ringback.ports import Clock
from ringback.ports.changes import QUEUES, Changes
from ringback.ports.storage import Store


class QueueBook:
    """`now` is how they are; `run` keeps it so, once it is `ready`."""

    def __init__(self, store: Store, changes: Changes, clock: Clock) -> None:
        self.now = Queues()
        self.ready = asyncio.Event()
        self._store = store
        self._changes = changes
        self._clock = clock

    async def run(self) -> None:
        """Read them whenever they change, for ever."""
        with self._changes.watch() as watch:
            watch.of((QUEUES,))
            while True:
                self.now = await insist_one(self._store, self._clock, lambda tx: tx.queues.all())
                self.ready.set()
                await watch.wait()
