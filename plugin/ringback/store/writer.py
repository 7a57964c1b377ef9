"""The one writer: a thread that runs every waiting step in one transaction and flushes once for all of them.

Each step has its own savepoint, so a failing one rolls back alone and raises to its caller. While one flush runs, the
next steps pile up and share the next flush: group commit without a timer.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from ringback.errors import StoreBusy, StoreFault, told
from ringback.ports.changes import Touch
from ringback.ports.storage import Needed
from ringback.store.marks import Mark
from ringback.store.nouns import Nouns
from ringback.store.reserve import Reserve
from ringback.store.tally import Tally

log = structlog.get_logger("store")

MOST_WAITING = 20_000
RIDE_S = 0.25
MOST_AT_ONCE = 256
"""Steps in one transaction: enough to share a flush, few enough that a burst's first need not wait for its last."""

LOOK_FOR_ROOM_S = 2.0
"""How often a full disk is asked whether there is room again."""

FULL = StoreBusy("the disk is full: only what became of texts on their way is written; make room")

Outcome = tuple[bool, Any]
"""(True, value) or (False, the exception the step raised)."""


class Connection(Protocol):
    """One writing connection of a database.

    `later` knows the driver's errors that are worth another try, `full` those of a disk that lacks room, `damaged`
    those of a database that must not be used. `new` is True until the first look at `counted` after it connected.
    """

    nouns: Nouns
    new: bool

    def later(self, problem: Exception) -> bool: ...
    def full(self, problem: Exception) -> bool: ...
    def damaged(self, problem: Exception) -> bool: ...
    def counted(self) -> int: ...
    def begin(self) -> None: ...
    def look(self) -> None: ...
    def save(self) -> None: ...
    def keep(self) -> None: ...
    def undo(self) -> None: ...
    def commit(self, count: int) -> None: ...
    def rollback(self) -> None: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class _Job:
    """`future` is None for steps that ride along; they must be on disk by `due` all the same."""

    steps: "list[Callable[[Any], Any]]"
    future: "asyncio.Future[list[Outcome]] | None"
    due: float = 0.0


def _to_nobody(_touched: object) -> None:
    """Nobody looks."""


@dataclass(slots=True)
class Keeping:
    """What the writer keeps beside the database, and whom it tells that the database must not be used any more."""

    mark: Mark | None = None
    reserve: Reserve | None = None
    broken: Callable[[StoreFault], None] = _to_nobody


class Writer:
    """A thread with one connection, opened inside it. `stop` finishes what waits.

    `tell` is called on the loop with what a transaction touched, once it is on disk and its steps have their answers.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        tell: Callable[[frozenset[Touch]], None] = _to_nobody,
        keeping: Keeping | None = None,
    ) -> None:
        self._connect = connect
        self._keeping = keeping or Keeping()
        self._count = self._keeping.mark.read() if self._keeping.mark else 0
        self.behind = 0
        """How many commits the database lacked that we remember, when it was opened."""
        self._opened = False
        self._looked_at = 0.0
        self._tell_changes = tell
        self.tally = Tally()
        self._jobs: deque[_Job] = deque()
        self._waiting = 0
        self._wake = threading.Condition()
        self._stopping = False
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._work, name="store writer", daemon=True)

    @property
    def waiting(self) -> int:
        """How many steps wait for their turn."""
        return self._waiting

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

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
            while (jobs := self._take()) or not self._stopping:
                self._look_for_room()
                if not jobs:
                    continue
                begun = time.monotonic()
                outcomes = self._carry_out(connection, [step for job in jobs for step in job.steps])
                self.tally.flushed(connection.nouns.take_counted(), len(outcomes), time.monotonic() - begun)
                self._loop.call_soon_threadsafe(_resolve, jobs, outcomes)
                if touched := connection.nouns.take_touched():
                    self._loop.call_soon_threadsafe(self._tell_changes, touched)
        finally:
            connection.close()

    def _carry_out(self, connection: Connection, steps: "Sequence[Callable[[Any], Any]]") -> list[Outcome]:
        """Run steps; on a full disk only those that are needed."""
        reserve = self._keeping.reserve
        if reserve is None or not reserve.gone:
            return self._apply(connection, steps)
        needed = [step for step in steps if isinstance(step, Needed)]
        done = iter(self._apply(connection, needed) if needed else ())
        return [next(done) if isinstance(step, Needed) else (False, FULL) for step in steps]

    def _look_for_room(self) -> None:
        reserve = self._keeping.reserve
        if reserve is not None and reserve.gone and time.monotonic() - self._looked_at >= LOOK_FOR_ROOM_S:
            self._looked_at = time.monotonic()
            reserve.fill()
            if not reserve.gone:
                log.info("there is room on the disk again")

    def _apply(self, connection: Connection, steps: "Sequence[Callable[[Any], Any]]") -> list[Outcome]:
        """Run steps in one transaction. When the transaction itself fails, every step has failed with StoreBusy."""
        try:
            self._begin(connection)
            outcomes = _run_each(connection, steps)
            if len(steps) > 1 or outcomes[0][0]:
                self._commit(connection)
        except Exception as problem:
            connection.rollback()
            connection.nouns.uncount()
            self._make_room(connection, problem)
            failure = StoreBusy(f"the database cannot write now: {problem}") if connection.later(problem) else problem
            outcomes = [(False, failure)] * len(steps)
        for done, value in outcomes:
            if not done and connection.damaged(value):
                fault = StoreFault(f"the database is damaged ({value}); keep it, and see `ringback restore`")
                self._loop.call_soon_threadsafe(self._keeping.broken, fault)
                break
        return outcomes

    def _begin(self, connection: Connection) -> None:
        """Begin a transaction; on a new connection, see first whether the database is as far as we remember."""
        connection.begin()
        if not connection.new:
            return
        found, known = connection.counted(), self._count
        if found < known:
            if self._opened:
                fault = StoreFault(f"the database went back: the last {known - found} commits are not in it")
                self._loop.call_soon_threadsafe(self._keeping.broken, fault)
                raise fault
            self.behind = known - found
        self._count = found
        self._opened = True
        connection.new = False

    def _commit(self, connection: Connection) -> None:
        connection.commit(self._count + 1)
        self._count += 1
        if self._keeping.mark is not None:
            self._keeping.mark.write(self._count)

    def _make_room(self, connection: Connection, problem: Exception) -> None:
        if self._keeping.reserve is not None and not self._keeping.reserve.gone and connection.full(problem):
            log.error("the disk is full", problem=str(problem))
            self._looked_at = time.monotonic()
            self._keeping.reserve.release()

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
            reserve = self._keeping.reserve
            if reserve is None or not reserve.gone:
                return None
            return max(0.0, self._looked_at + LOOK_FOR_ROOM_S - time.monotonic())
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


def _run_each(connection: Connection, steps: "Sequence[Callable[[Any], Any]]") -> list[Outcome]:
    if len(steps) == 1:
        return [_alone(connection, steps[0])]
    return [_run(connection, step) for step in steps]


def _alone(connection: Connection, step: Callable[[Any], Any]) -> Outcome:
    """One step needs no savepoint: what it did goes with the transaction."""
    try:
        value = step(connection.nouns)
        connection.nouns.flush()
        return True, value
    except Exception as problem:
        if connection.later(problem):
            raise
        connection.rollback()
        connection.nouns.uncount()
        return False, problem


def _run(connection: Connection, step: Callable[[Any], Any]) -> Outcome:
    connection.save()
    mark = connection.nouns.counted()
    try:
        value = step(connection.nouns)
        connection.nouns.flush()
    except Exception as problem:
        if connection.later(problem):
            raise  # the disk is full or the connection gone: no savepoint can mend that
        connection.undo()
        connection.nouns.uncount(mark)
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
                    log.warning("a change that nobody waited for failed", problem=told(problem))
        elif not job.future.done():
            job.future.set_result(outcomes[start:end])
        start = end
