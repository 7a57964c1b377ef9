"""The daemon as a test starts it: the same App, with its store, its carriers or its clock wrapped from outside.

python -m tests.crash.child --config FILE
Without more it is `ringback run`. `CRASH_ARMED` names a file with `PLACE MOMENT`; when the daemon comes to that place
it kills itself there. `CRASH_CLOCK` names a file with the seconds by which the wall clock is wrong. Nothing in
production knows of any of this: names that the App imported are replaced in this process before it is made.
"""

import asyncio
import functools
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from ringback import app as daemon
from ringback import parts
from ringback.clock import SystemClock
from ringback.config import load
from ringback.logs import LogFormat, LogLevel, start_logging
from ringback.service import leave_when_told
from tests.crash.points import CARRIERS, STEPS, Armed


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class WrongClock(SystemClock):
    """A wall clock that somebody sets while it runs."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=float(self._file.read_text()))


def name_of(step: Callable[..., object]) -> str:
    """The function a step is made of, under what is wrapped round it."""
    while True:
        inside = [cell.cell_contents for cell in getattr(step, "__closure__", None) or ()]
        wrapped = [one for one in inside if isinstance(one, functools.partial)]
        if isinstance(step, functools.partial):
            step = step.func
        elif wrapped:
            step = wrapped[0]
        elif callable(inner := getattr(step, "step", None)):
            step = inner
        else:
            return getattr(step, "__name__", "")


class DyingStore(daemon.Database):
    """The writer, which dies before, within or after the commit of a named step."""

    armed: Armed

    async def commit(self, step):
        self._before([step])
        try:
            return await super().commit(self._within(step))
        finally:
            self._after([step])

    async def commit_all(self, steps):
        self._before(steps)
        results = await super().commit_all([self._within(step) for step in steps])
        self._after(steps)
        return results

    def _before(self, steps) -> None:
        if any(self.armed.at(STEPS, name_of(step), "before", step) for step in steps):
            die()

    def _after(self, steps) -> None:
        if any(self.armed.at(STEPS, name_of(step), "after", step) for step in steps):
            die()

    def _within(self, step):
        if not self.armed.at(STEPS, name_of(step), "within", step):
            return step

        def dying(tx):
            step(tx)
            die()

        return dying


class DyingCarrier:
    """A carrier which dies before it sends, once the text has arrived, or after the answer."""

    def __init__(self, carrier, armed: Armed) -> None:
        self._carrier, self._armed = carrier, armed

    def __getattr__(self, name: str):
        return getattr(self._carrier, name)

    async def send(self, text):
        if self._armed.at(CARRIERS, "send", "before", text):
            die()
        if self._armed.at(CARRIERS, "send", "within", text):
            return await self._die_on_arrival(text)
        try:
            return await self._carrier.send(text)
        finally:
            if self._armed.at(CARRIERS, "send", "after", text):
                die()

    async def _die_on_arrival(self, text):
        sending = asyncio.ensure_future(self._carrier.send(text))
        while text.attempt not in self._armed.arrived():
            await asyncio.sleep(0.001)
        die()
        return await sending


def main() -> None:
    settings = load(Path(sys.argv[sys.argv.index("--config") + 1]))
    start_logging(LogFormat.JSON, LogLevel.INFO)
    if armed := os.environ.get("CRASH_ARMED"):
        arm(Armed(Path(armed), settings.paths.state))
    wrong = os.environ.get("CRASH_CLOCK")
    made = daemon.App(settings, WrongClock(Path(wrong)) if wrong else SystemClock())
    asyncio.run(run(made))


def arm(armed: Armed) -> None:
    """Put the wrappers where the App finds its store and its carriers."""
    DyingStore.armed = armed
    daemon.Database = DyingStore
    made = parts.make_carriers

    def make(*words):
        return {name: DyingCarrier(carrier, armed) for name, carrier in made(*words).items()}

    parts.make_carriers = make


async def run(made: daemon.App) -> None:
    leave_when_told(made.stop)
    await made.serve()


if __name__ == "__main__":
    main()
