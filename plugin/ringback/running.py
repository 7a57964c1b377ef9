"""Long-lived parts: each runs alone, is started again when it fails, and shows how it is."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from errno import EADDRINUSE

import structlog

from ringback.panel.health import PartState, Standing
from ringback.panel.say import Say
from ringback.ports import Clock

log = structlog.get_logger("parts")

FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(seconds=30)
STEADY = timedelta(minutes=1)
"""A part that ran this long starts its waits from the shortest again."""


@dataclass(slots=True)
class Parts:
    """How every part is; `look` of a part may refine what is shown while it works."""

    clock: Clock
    _states: dict[str, PartState]
    _looks: dict[str, Callable[[], PartState]]

    def all(self) -> tuple[PartState, ...]:
        """Every part as it is now, in the order they were started."""
        return tuple(
            self._looks[name]() if state.standing is Standing.WORKS and name in self._looks else state
            for name, state in self._states.items()
        )

    def show(self, name: str, standing: Standing, detail: Say | str = "", fix: str = "") -> None:
        old = self._states.get(name)
        since = old.since if old is not None and old.standing is standing else self.clock.now()
        self._states[name] = PartState(name, standing, since, detail, fix)

    def since(self, name: str) -> datetime:
        return self._states[name].since

    def watch(self, name: str, look: Callable[[], PartState]) -> None:
        """Let a part say itself how it is while it runs."""
        self._looks[name] = look


def no_parts(clock: Clock) -> Parts:
    return Parts(clock, {}, {})


async def keep_running(name: str, part: Callable[[], Awaitable[None]], parts: Parts) -> None:
    """Run a part until it ends by itself or is cancelled; start it again, later each time, when it fails.

    The one place where any exception is caught.
    """
    wait = FIRST_WAIT
    while True:
        started = parts.clock.monotonic()
        parts.show(name, Standing.WORKS)
        try:
            await part()
        except Exception as problem:
            if told_to_stop():
                # it failed in the moment it was cancelled, and a group of tasks raises its failure in the place of that
                raise asyncio.CancelledError from problem
            if parts.clock.monotonic() - started > STEADY.total_seconds():
                wait = FIRST_WAIT
            pause = wait * (0.8 + 0.4 * random.random())
            _log(name, problem, pause)
            parts.show(name, Standing.AWAY, _why(problem))
            await parts.clock.sleep_until(parts.clock.now() + pause)
            wait = min(wait * 2, LONGEST_WAIT)
        else:
            parts.show(name, Standing.STOPPED)
            return


def told_to_stop() -> bool:
    """Whether somebody cancelled the task that asks."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _log(name: str, problem: Exception, pause: timedelta) -> None:
    """With its trace, unless somebody else has the port: then there is nothing of ours to look into."""
    taken = isinstance(problem, OSError) and problem.errno == EADDRINUSE
    tell = log.warning if taken else log.exception
    more = {"problem": _why(problem)} if taken else {}
    tell("part failed", part=name, again_in=f"{pause.total_seconds():.1f} s", **more)


def _why(problem: BaseException) -> str:
    """The innermost reason, in one line."""
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    return f"{type(problem).__name__}: {problem}"
