"""Watches the event loop from a thread of its own: how late it comes to its work, and what it does meanwhile."""

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import structlog

log = structlog.get_logger("pulse")

LOOK_EVERY_S = 0.05
STALL_S = 0.2
TELL_EVERY_S = 60.0
FRAMES = 12
BOUNDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)


class Pulse:
    """`run` is a part; figures are for whoever shows them. A stall is told with its stack, once a minute at most."""

    def __init__(self, took: Callable[[float], None]) -> None:
        self.stalls = 0
        self.longest_s = 0.0
        self._took = took
        self._told_at = -TELL_EVERY_S
        self._end = threading.Event()

    async def run(self) -> None:
        """Watch the loop this runs on until cancelled."""
        loop, main = asyncio.get_running_loop(), threading.get_ident()
        self._end.clear()
        watcher = threading.Thread(target=self._watch, args=(loop, main), name="pulse", daemon=True)
        watcher.start()
        try:
            await asyncio.Event().wait()
        finally:
            self._end.set()

    def _watch(self, loop: asyncio.AbstractEventLoop, main: int) -> None:
        while not self._end.wait(LOOK_EVERY_S):
            beat, asked = threading.Event(), time.monotonic()
            try:
                loop.call_soon_threadsafe(beat.set)
            except RuntimeError:
                return  # the loop is closed
            if not beat.wait(STALL_S):
                self._stalled(main)
                while not beat.wait(STALL_S) and not self._end.is_set():
                    pass
            late = time.monotonic() - asked
            self.longest_s = max(self.longest_s, late)
            self._took(late)

    def _stalled(self, main: int) -> None:
        self.stalls += 1
        if time.monotonic() - self._told_at < TELL_EVERY_S:
            return
        self._told_at = time.monotonic()
        log.warning("the event loop stands still", longer_than_s=STALL_S, stalls=self.stalls, at=where(main))


def where(thread: int) -> str:
    """What a thread does now: the innermost frames as file:line function, without a word of what it works on."""
    frame = sys._current_frames().get(thread)
    frames = traceback.extract_stack(frame)[-FRAMES:] if frame else []
    return " < ".join(f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in reversed(frames))
