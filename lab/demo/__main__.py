"""`python -m lab.demo [--once]`: tells the stories, then stays up until Ctrl-C. Exit 0 only if every step was seen."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from enum import StrEnum

from lab.asterisk import Asterisk, LabFault
from lab.demo.daemon import PORT, Daemon, DemoFault
from lab.demo.scene import perform
from lab.demo.stories import RULES, STORIES
from lab.demo.teller import Ink, Teller

LAST_RESORT = 2.5  # seconds for an orderly end
INTERRUPTED = 130


class Afterwards(StrEnum):
    """What to do when all is told."""

    STAY = "stay"
    LEAVE = "leave"


class Stage:
    """Everything that runs, and how it ends."""

    def __init__(self, asterisk: Asterisk, teller: Teller, afterwards: Afterwards) -> None:
        self.asterisk, self.teller, self.afterwards = asterisk, teller, afterwards
        self.daemon: Daemon | None = None
        self.stop = asyncio.Event()

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.leave)
        playing = asyncio.ensure_future(self._play())
        stopped = asyncio.ensure_future(self.stop.wait())
        await asyncio.wait({playing, stopped}, return_when=asyncio.FIRST_COMPLETED)
        self.leave()
        if not playing.done():
            playing.cancel()
        stopped.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            return await playing
        return INTERRUPTED

    def leave(self) -> None:
        """End in order; what takes too long is killed."""
        if not self.stop.is_set():
            self.stop.set()
            signal.signal(signal.SIGALRM, self._last_resort)
            signal.setitimer(signal.ITIMER_REAL, LAST_RESORT)

    async def _play(self) -> int: ...


def main() -> int: ...
