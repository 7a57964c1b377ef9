"""How much waits for a person: open tasks and threads without an answer, counted anew as they change."""

from collections.abc import Mapping
from datetime import timedelta

from ringback.core.grants import EVERYTHING, Reach, Way
from ringback.core.permissions import Action
from ringback.core.rights import Rights
from ringback.core.tasks import OF_PERMISSIONS, TaskKind
from ringback.flow.insist import insist_one
from ringback.ports import Clock
from ringback.ports.changes import ANY_THREAD, TASKS, Changes
from ringback.ports.storage import Store, Tx

CALM = timedelta(seconds=1)
"""The least time between two counts."""

MOST = 99
"""Nobody reads a larger number beside a word."""


ByNumber = Mapping[str, int]
"""How much there is for each of our numbers; what is about none stands under the empty one."""


def count(tx: Tx) -> tuple[dict[TaskKind, dict[str, int]], dict[str, int]]:
    """Open tasks by kind, and threads in which somebody waits for an answer, each by number of ours."""
    return tx.tasks.open(), tx.inbound.waiting(MOST)


def within(reach: Reach, counted: ByNumber) -> int:
    """How much of it is for somebody with this reach."""
    return sum(n for number, n in counted.items() if not number or number in reach)


class Waiting:
    """Counts by number of ours, so that each person is shown those of theirs: nothing is read for that."""

    def __init__(self, changes: Changes, store: Store, clock: Clock) -> None:
        self._tasks: Mapping[TaskKind, ByNumber] = {}
        self._threads: ByNumber = {}
        self._changes = changes
        self._store = store
        self._clock = clock

    @property
    def tasks(self) -> Mapping[TaskKind, int]:
        """All that is open, by kind, for figures of the whole house."""
        return self.tasks_of(EVERYTHING)

    def tasks_of(self, reach: Reach) -> Mapping[TaskKind, int]:
        """Open tasks by kind, as far as they are about numbers within reach or about none."""
        return {kind: n for kind, counted in self._tasks.items() if (n := within(reach, counted))}

    def counts(self, rights: Rights) -> Mapping[str, int]:
        """What waits at a place of the navigation for somebody."""
        if not rights.may(Action.READ_THREADS):
            return {}
        reach = rights.reach(Way.RECEIVE)
        decides = rights.may(Action.MANAGE_PERMISSIONS)
        tasks = sum(n for kind, n in self.tasks_of(reach).items() if decides or kind not in OF_PERMISSIONS)
        return {"/threads": min(within(reach, self._threads), MOST), "/tasks": min(tasks, MOST)}

    async def run(self) -> None:
        """Count whenever something changed, for ever."""
        with self._changes.watch() as watch:
            watch.of((ANY_THREAD, TASKS))
            while True:
                self._tasks, self._threads = await insist_one(self._store, self._clock, count)
                await watch.wait()
                await self._clock.sleep_until(self._clock.now() + CALM)
