"""Work that goes on when whoever asked for it has stopped waiting: what is on disk is handed on all the same."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog

from ringback.errors import RingbackError, StoreBusy, told
from ringback.flow.insist import LAST_S

T = TypeVar("T")
LATEST_S = 0.75
"""After this long nobody is answered any more."""
BUSY = "the database does not write in time"

log = structlog.get_logger("dialplan")


@dataclass(frozen=True, slots=True)
class Begun(Generic[T]):
    """Work that changes nothing any more once `late` is set, which is when nobody waits for it."""

    task: "asyncio.Task[T]"
    late: threading.Event

    @property
    def failed(self) -> bool:
        """Whether it ended without an answer."""
        return self.task.done() and (self.task.cancelled() or self.task.exception() is not None)


class Going:
    """What goes on now; how it ends is noted if nobody waits for it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def begin(self, work: Callable[[threading.Event], Coroutine[Any, Any, T]]) -> Begun[T]:
        """Begin work that somebody waits for."""
        late = threading.Event()
        return Begun(self.follow(work(late)).task, late)

    def follow(self, work: Coroutine[Any, Any, T]) -> Begun[T]:
        """Begin work that is done however long it takes."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return Begun(task, threading.Event())

    async def settle(self) -> None:
        """Give what goes on a moment to end: an attempt that is opened is handed to its lane."""
        if self._tasks:
            await asyncio.wait(tuple(self._tasks), timeout=LAST_S)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        problem = None if task.cancelled() else task.exception()
        if problem is not None and not isinstance(problem, RingbackError):
            log.error("what the dialplan asked for failed", problem=told(problem))


async def in_time(begun: Begun[T]) -> T:
    """Wait for something that goes on without us. Raises StoreBusy after LATEST_S, and then it comes too late."""
    try:
        done, _ = await asyncio.wait((begun.task,), timeout=LATEST_S)
    finally:
        begun.late.set()
    if not done:
        raise StoreBusy(BUSY)
    return begun.task.result()
