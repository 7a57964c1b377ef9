"""A loop that stands still is seen, and its log line says where."""

import asyncio
import threading

import pytest
from structlog.testing import capture_logs

from ringback.pulse import Pulse, where


@pytest.fixture
def lates():
    return []


async def test_a_loop_that_stands_still_is_told_with_its_place(lates):
    seen = threading.Event()

    def took(late):
        lates.append(late)
        if late > 0.2:
            seen.set()

    pulse = Pulse(took)
    with capture_logs() as lines:
        running = asyncio.ensure_future(pulse.run())
        await asyncio.sleep(0)
        stand_still(pulse)
        await asyncio.to_thread(seen.wait, 10)
        running.cancel()
    assert pulse.stalls == 1
    assert pulse.longest_s >= 0.2
    (line,) = lines
    assert line["event"] == "the event loop stands still"
    assert "stand_still" in line["at"]


def stand_still(pulse):
    """Until the watcher has seen it."""
    enough = threading.Event()
    while not pulse.stalls:
        enough.wait(0.01)


async def test_a_loop_that_turns_is_no_stall(lates):
    enough = asyncio.Event()
    loop = asyncio.get_running_loop()

    def took(late):
        lates.append(late)
        if len(lates) == 3:
            loop.call_soon_threadsafe(enough.set)

    pulse = Pulse(took)
    running = asyncio.ensure_future(pulse.run())
    await enough.wait()
    running.cancel()
    assert pulse.stalls == 0


def test_a_thread_that_is_gone_is_nowhere():
    assert where(0) == ""
