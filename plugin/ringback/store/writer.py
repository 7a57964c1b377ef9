"""The one writer: a thread that runs every waiting step in one transaction and flushes once for all of them.

Each step has its own savepoint, so a failing one rolls back alone and raises to its caller. While one flush runs, the
next steps pile up and share the next flush: group commit without a timer.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from ringback.errors import StoreBusy
from ringback.ports.changes import Touch
from ringback.store.nouns import Nouns

log = structlog.get_logger("store")

MOST_WAITING = 20_000
RIDE_S = 0.25
MOST_AT_ONCE = 256
"""Steps in one transaction: enough to share a flush, few enough that a burst's first need not wait for its last."""

Outcome = tuple[bool, Any]
"""(True, value) or (False, the exception the step raised)."""


class Connection(Protocol):
    """One writing connection of a database. `later` knows the driver's errors that are worth another try."""

    nouns: Nouns

    def later(self, problem: Exception) -> bool: ...
    def begin(self) -> None: ...
    def look(self) -> None: ...
    def save(self) -> None: ...
    def keep(self) -> None: ...
    def undo(self) -> None: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class _Job:
    """`future` is None for steps that ride along; they must be on disk by `due` all the same."""

    steps: "list[Callable[[Any], Any]]"
    future: "asyncio.Future[list[Outcome]] | None"
    due: float = 0.0


def _to_nobody(_touched: frozenset[Touch]) -> None:
    """Nobody looks."""


class Writer:
    """A thread with one connection, opened inside it. `stop` finishes what waits.

    `tell` is called on the loop with what a transaction touched, once it is on disk and its steps have their answers.
    """

    def __init__(
        self, connect: Callable[[], Connection], tell: Callable[[frozenset[Touch]], None] = _to_nobody
    ) -> None:
        self._connect = connect
        self._tell_changes = tell
        self._jobs: deque[_Job] = deque()
        self._waiting = 0
        self._wake = threading.Condition()
        self._stopping = False
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._work, name="store writer", daemon=True)

    async def start(self) -> None:
        """Open the connection; raises what opening raised."""
        self._thread.start()
        await self._ready

    async def stop(self) -> None:
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join)

    def put(self, steps: "list[Callable[[Any], Any]]") -> "asyncio.Future[list[Outcome]]":
        """Hand steps over, in order; the future resolves after their flush. Raises StoreBusy when too many wait."""
        if self._waiting + len(steps) > MOST_WAITING or self._stopping:
            raise StoreBusy("the store is stopping" if self._stopping else f"{self._waiting} changes wait already")
        future: asyncio.Future[list[Outcome]] = self._loop.create_future()
        with self._wake:
            self._jobs.append(_Job(steps, future))
            self._waiting += len(steps)
            self._wake.notify()
        return future

    def put_along(self, steps: "list[Callable[[Any], Any]]") -> None:
        """Hand over steps nobody waits for: they share the next flush, or get their own after RIDE_S.

        Order is kept. One that fails is logged and gone. Raises StoreBusy when too many wait.
        """
        if self._waiting + len(steps) > MOST_WAITING or self._stopping:
            raise StoreBusy(f"{self._waiting} changes wait already")
        with self._wake:
            self._jobs.append(_Job(steps, None, time.monotonic() + RIDE_S))
            self._waiting += len(steps)
            self._wake.notify()

    def _work(self) -> None:
        try:
            connection = self._connect()
        except Exception as problem:
            self._tell(self._ready, problem)
            return
        self._tell(self._ready, None)
        try:
            while jobs := self._take():
                outcomes = _apply(connection, [step for job in jobs for step in job.steps])
                self._loop.call_soon_threadsafe(_resolve, jobs, outcomes)
                if touched := connection.nouns.take_touched():
                    self._loop.call_soon_threadsafe(self._tell_changes, touched)
        finally:
            connection.close()

    def _take(self) -> list[_Job]:
        """Wait for work; take jobs up to the bound, at least one. Empty when told to stop and nothing is left."""
        taken: list[_Job] = []
        size = 0
        with self._wake:
            while not self._stopping and (pause := self._pause()) != 0:
                self._wake.wait(pause)
            while self._jobs and (not taken or size + len(self._jobs[0].steps) <= MOST_AT_ONCE):
                job = self._jobs.popleft()
                taken.append(job)
                size += len(job.steps)
            self._waiting -= size
        return taken

    def _pause(self) -> float | None:
        """How long the writer may sleep: for ever without work, not at all when somebody waits."""
        if not self._jobs:
            return None
        if any(job.future is not None for job in self._jobs):
            return 0
        return max(0.0, self._jobs[0].due - time.monotonic())

    def _tell(self, future: "asyncio.Future[None]", problem: Exception | None) -> None:
        def tell() -> None:
            if problem is None:
                future.set_result(None)
            else:
                future.set_exception(problem)

        self._loop.call_soon_threadsafe(tell)


def _apply(connection: Connection, steps: "list[Callable[[Any], Any]]") -> list[Outcome]:
    """Run steps in one transaction. When the transaction itself fails, every step has failed with StoreBusy."""
    try:
        connection.begin()
        if len(steps) == 1:
            return [_alone(connection, steps[0])]
        outcomes = [_run(connection, step) for step in steps]
        connection.commit()
    except Exception as problem:
        connection.rollback()
        failure = StoreBusy(f"the database cannot write now: {problem}") if connection.later(problem) else problem
        return [(False, failure)] * len(steps)
    return outcomes


def _alone(connection: Connection, step: Callable[[Any], Any]) -> Outcome:
    """One step needs no savepoint: what it did goes with the transaction."""
    try:
        value = step(connection.nouns)
    except Exception as problem:
        if connection.later(problem):
            raise
        connection.rollback()
        return False, problem
    connection.commit()
    return True, value


def _run(connection: Connection, step: Callable[[Any], Any]) -> Outcome:
    connection.save()
    try:
        value = step(connection.nouns)
    except Exception as problem:
        if connection.later(problem):
            raise  # the disk is full or the connection gone: no savepoint can mend that
        connection.undo()
        return False, problem
    connection.keep()
    return True, value


def _resolve(jobs: list[_Job], outcomes: list[Outcome]) -> None:
    start = 0
    for job in jobs:
        end = start + len(job.steps)
        if job.future is None:
            for done, problem in outcomes[start:end]:
                if not done:
                    log.warning("a change that nobody waited for failed", problem=repr(problem))
        elif not job.future.done():
            job.future.set_result(outcomes[start:end])
        start = end
