"""The one writer: a thread that runs every waiting step in one transaction and flushes once for all of them.

Each step has its own savepoint, so a failing one rolls back alone and raises to its caller. While one flush runs, the
next steps pile up and share the next flush: group commit without a timer.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from ringback.errors import StoreBusy, StoreFault, told
from ringback.ports.changes import Touch
from ringback.ports.storage import Needed
from ringback.store.jobs import Job, Jobs, Outcome, Step, resolve
from ringback.store.marks import Mark
from ringback.store.nouns import Nouns
from ringback.store.reserve import Reserve
from ringback.store.tally import Tally

log = structlog.get_logger("store")

LOOK_FOR_ROOM_S = 2.0
"""How often a full disk is asked whether there is room again."""

GONE = "the thread that writes has ended; start Ringback again"
FULL = StoreBusy("the disk is full: only what became of texts on their way is written; make room")


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
        self._jobs = Jobs()
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._work, name="store writer", daemon=True)

    @property
    def waiting(self) -> int:
        """How many steps wait for their turn."""
        return self._jobs.waiting

    @property
    def alive(self) -> bool:
        return self._thread.is_alive() and self._jobs.closed != GONE

    async def start(self) -> None:
        """Open the connection; raises what opening raised."""
        self._thread.start()
        await self._ready

    async def stop(self) -> None:
        self._jobs.close("the store is stopping")
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join)

    def put(self, steps: list[Step]) -> "asyncio.Future[list[Outcome]]":
        """Hand steps over; see `Jobs.put`."""
        return self._jobs.put(steps)

    def put_along(self, steps: list[Step]) -> None:
        """Hand over steps that nobody waits for; see `Jobs.put_along`."""
        self._jobs.put_along(steps)

    def _work(self) -> None:
        try:
            connection = self._connect()
        except Exception as problem:
            self._tell(self._ready, problem)
            return
        self._tell(self._ready, None)
        jobs: list[Job] = []
        try:
            while (jobs := self._jobs.take(self._idle())) or not self._jobs.closed:
                self._look_for_room()
                if jobs:
                    self._do(connection, jobs)
        except BaseException as problem:  # a fault of this very thread: whoever waits must hear it, and the daemon end
            log.critical("the thread that writes has ended", problem=told(problem), exc_info=True)
            self._loop.call_soon_threadsafe(self._end, jobs + self._jobs.drop(GONE))
        finally:
            connection.close()

    def _do(self, connection: Connection, jobs: list[Job]) -> None:
        begun = time.monotonic()
        outcomes = self._carry_out(connection, [step for job in jobs for step in job.steps])
        self.tally.flushed(connection.nouns.take_counted(), len(outcomes), time.monotonic() - begun)
        # first, so that whoever waits for a change of rights goes on when it holds everywhere in this process
        if touched := connection.nouns.take_touched():
            self._loop.call_soon_threadsafe(self._tell_changes, touched)
        self._loop.call_soon_threadsafe(resolve, jobs, outcomes)

    def _end(self, left: list[Job]) -> None:
        """Nothing is written any more. What was under way may be on disk or not, as after a kill."""
        fault = StoreFault(GONE)
        resolve(left, [(False, fault) for job in left for _ in job.steps])
        self._keeping.broken(fault)

    def _carry_out(self, connection: Connection, steps: Sequence[Step]) -> list[Outcome]:
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

    def _apply(self, connection: Connection, steps: Sequence[Step]) -> list[Outcome]:
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

    def _idle(self) -> float | None:
        """How long to sleep without work: until a full disk is looked at again, or for ever."""
        reserve = self._keeping.reserve
        if reserve is None or not reserve.gone:
            return None
        return max(0.0, self._looked_at + LOOK_FOR_ROOM_S - time.monotonic())

    def _tell(self, future: "asyncio.Future[None]", problem: Exception | None) -> None:
        def tell() -> None:
            if problem is None:
                future.set_result(None)
            else:
                future.set_exception(problem)

        self._loop.call_soon_threadsafe(tell)


def _run_each(connection: Connection, steps: Sequence[Step]) -> list[Outcome]:
    if len(steps) == 1:
        return [_alone(connection, steps[0])]
    return [_run(connection, step) for step in steps]


def _alone(connection: Connection, step: Step) -> Outcome:
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


def _run(connection: Connection, step: Step) -> Outcome:
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
