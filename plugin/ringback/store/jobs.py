"""What waits for the one writer: jobs in order, handed over by the loop and taken by the writer's thread."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from ringback.errors import StoreBusy, told

log = structlog.get_logger("store")

MOST_WAITING = 20_000
RIDE_S = 0.25
MOST_AT_ONCE = 256
"""Steps in one transaction: enough to share a flush, few enough that a burst's first need not wait for its last."""

Step = Callable[[Any], Any]
Outcome = tuple[bool, Any]
"""(True, value) or (False, the exception the step raised)."""


@dataclass(slots=True)
class Job:
    """`future` is None for steps that ride along; they must be on disk by `due` all the same."""

    steps: list[Step]
    future: "asyncio.Future[list[Outcome]] | None"
    due: float = 0.0


class Jobs:
    """`closed` is why nothing is taken any more, empty as long as it is."""

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self._wake = threading.Condition()
        self.waiting = 0
        """How many steps wait for their turn."""
        self.closed = ""

    def put(self, steps: list[Step]) -> "asyncio.Future[list[Outcome]]":
        """Hand steps over, in order; the future resolves after their flush. Raises StoreBusy when too many wait."""
        future: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        self._put(Job(steps, future))
        return future

    def put_along(self, steps: list[Step]) -> None:
        """Hand over steps nobody waits for: they share the next flush, or get their own after RIDE_S.

        Order is kept. One that fails is logged and gone. Raises StoreBusy when too many wait.
        """
        self._put(Job(steps, None, time.monotonic() + RIDE_S))

    def _put(self, job: Job) -> None:
        if self.waiting + len(job.steps) > MOST_WAITING:
            raise StoreBusy(f"{self.waiting} changes wait already")
        with self._wake:
            if self.closed:
                raise StoreBusy(self.closed)
            self._jobs.append(job)
            self.waiting += len(job.steps)
            self._wake.notify()

    def close(self, why: str) -> None:
        """Take no more; what waits is still carried out."""
        with self._wake:
            self.closed = self.closed or why
            self._wake.notify()

    def drop(self, why: str) -> list[Job]:
        """Take no more, and give back what waits: nobody will carry it out."""
        with self._wake:
            self.closed = why
            left = list(self._jobs)
            self._jobs.clear()
            self.waiting = 0
        return left

    def take(self, idle: float | None) -> list[Job]:
        """Wait for work, `idle` seconds at most; take jobs up to the bound. Empty when there is none."""
        taken: list[Job] = []
        size = 0
        with self._wake:
            waits_until = None if idle is None else time.monotonic() + idle
            while not self.closed and (pause := self._pause(waits_until)) != 0:
                self._wake.wait(pause)
            while self._jobs and (not taken or size + len(self._jobs[0].steps) <= MOST_AT_ONCE):
                job = self._jobs.popleft()
                taken.append(job)
                size += len(job.steps)
            self.waiting -= size
        return taken

    def _pause(self, waits_until: float | None) -> float | None:
        """How long the writer may sleep: for ever without work, not at all when somebody waits."""
        if any(job.future is not None for job in self._jobs):
            return 0
        due = self._jobs[0].due if self._jobs else waits_until
        return None if due is None else max(0.0, due - time.monotonic())


def resolve(jobs: list[Job], outcomes: list[Outcome]) -> None:
    """Tell on the loop what came of the steps of these jobs."""
    start = 0
    for job in jobs:
        end = start + len(job.steps)
        if job.future is None:
            for done, problem in outcomes[start:end]:
                if not done:
                    log.warning("a change that nobody waited for failed", problem=told(problem))
        elif not job.future.done():
            job.future.set_result(outcomes[start:end])
        start = end
