"""What the service manager is told: ready, still alive, stopping; and that a stop ends, whatever hangs."""

import asyncio
import faulthandler
import os
import signal
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from types import FrameType

SAY_EVERY_S = 5
LEAVE_WITHIN_S = 30
"""A stop drains for 20 s at most; what is still here after this hangs."""


class Service:
    """Speaks sd_notify to whoever started us; without `NOTIFY_SOCKET` nobody listens, and nothing is said."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        wanted = environ.get("WATCHDOG_USEC", "")
        meant = environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        usual = timedelta(microseconds=int(wanted)) if wanted.isdecimal() and meant else timedelta()
        self.ping_every = usual / 3
        """How often we should show that we live; zero when nobody asked for it."""

    @property
    def listens(self) -> bool:
        """Whether somebody wants to know."""
        return bool(self._address)

    async def keep_told(self, line: Callable[[], str], lives: Callable[[], bool]) -> None:
        """We are ready to take calls. From now on show that we live, and in one line how we are."""
        self.tell("READY=1")
        async with asyncio.TaskGroup() as group:
            group.create_task(self.ping(lives))
            group.create_task(self._say(line))

    async def _say(self, line: Callable[[], str]) -> None:
        said = ""
        while True:
            if (now := line()) != said:
                said = now
                self.tell(f"STATUS={said}")
            await asyncio.sleep(SAY_EVERY_S)

    def tell(self, *lines: str) -> None:
        """Say something; a manager that cannot be reached must not stop a daemon that works."""
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.setblocking(False)
            line.sendto("\n".join(lines).encode(), self._address)

    async def ping(self, lives: Callable[[], bool]) -> None:
        """Show for ever that we live. A loop that stands still sends nothing, nor do we while `lives` says no."""
        while self.ping_every:
            if lives():
                self.tell("WATCHDOG=1")
            await asyncio.sleep(self.ping_every.total_seconds())  # not by the wall clock, which may be set


def leave_when_told(stop: asyncio.Event) -> None:
    """At SIGTERM and Ctrl-C stop in good order; at the second one at once; after 30 s with a trace of what hangs.

    The clock that ends us needs neither the loop nor the interpreter: both may be what hangs.
    """
    loop = asyncio.get_running_loop()

    def begin(_number: int, _frame: FrameType | None) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        faulthandler.dump_traceback_later(LEAVE_WITHIN_S, exit=True)
        loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, begin)
