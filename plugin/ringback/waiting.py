"""How much waits for a person: open tasks and threads without an answer, counted anew as they change."""

from collections.abc import Mapping
from datetime import timedelta

from ringback.core.permissions import Action, Principal, may
from ringback.core.tasks import TaskKind
from ringback.flow.insist import insist_one
from ringback.ports import Clock
from ringback.ports.changes import ANY_THREAD, TASKS, Changes
from ringback.ports.storage import Store, Tx

CALM = timedelta(seconds=1)
"""The least time between two counts."""

MOST = 99
"""Nobody reads a larger number beside a word."""


def count(tx: Tx) -> tuple[dict[TaskKind, int], int]:
    """Open tasks by kind, and threads in which somebody waits for an answer."""
    return tx.tasks.open(), tx.inbound.waiting(MOST)


class Waiting:
    """`tasks` by kind, for the health page; `counts` for the navigation of the panel."""

    def __init__(self, changes: Changes, store: Store, clock: Clock) -> None:
        self.tasks: Mapping[TaskKind, int] = {}
        self._threads = 0
        self._changes = changes
        self._store = store
        self._clock = clock

    def counts(self, principal: Principal) -> Mapping[str, int]:
        """What waits at a place of the navigation."""
        if not may(principal, Action.READ_THREADS):
            return {}
        return {"/threads": self._threads, "/tasks": min(sum(self.tasks.values()), MOST)}

    async def run(self) -> None:
        """Count whenever something changed, for ever."""
        with self._changes.watch() as watch:
            watch.of((ANY_THREAD, TASKS))
            while True:
                self.tasks, self._threads = await insist_one(self._store, self._clock, count)
                await watch.wait()
                await self._clock.sleep_until(self._clock.now() + CALM)
