"""`keep_running`: a part that falls is started again, later each time, and everybody can see how it is."""

import asyncio
from datetime import timedelta

import pytest

from ringback.panel.health import PartState, Standing
from ringback.running import STEADY, keep_running, no_parts


@pytest.fixture
def parts(clock):
    return no_parts(clock)


class Part:
    """Falls as often as it is told, then runs until it is let go."""

    def __init__(self, falls=0, problem=None):
        self.falls = falls
        self.problem = problem or OSError("no line")
        self.starts = 0
        self.up = asyncio.Event()
        self.done = asyncio.Event()

    async def __call__(self):
        self.starts += 1
        if self.falls:
            self.falls -= 1
            raise self.problem
        self.up.set()
        await self.done.wait()


def state(parts):
    (only,) = parts.all()
    return only.standing, only.detail


async def test_a_part_that_ends_by_itself_is_not_started_again(parts):
    part = Part()
    part.done.set()
    await keep_running("web", part, parts)
    assert (part.starts, state(parts)) == (1, (Standing.STOPPED, ""))


async def test_a_part_that_falls_waits_longer_each_time_and_shows_why(parts, clock, monkeypatch):
    monkeypatch.setattr("random.random", lambda: 0.5)
    part, waits = Part(falls=8), []
    async with asyncio.TaskGroup() as group:
        running = group.create_task(keep_running("web", part, parts))
        for _ in range(8):
            await clock.until_somebody_sleeps()
            assert state(parts) == (Standing.AWAY, "OSError: no line")
            begun = part.starts
            seconds = 0
            while part.starts == begun:
                clock.move(timedelta(seconds=1))
                seconds += 1
                for _ in range(10):
                    await asyncio.sleep(0)
            waits.append(seconds)
        await part.up.wait()
        assert state(parts) == (Standing.WORKS, "")
        running.cancel()
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]


@pytest.mark.parametrize("luck", [0.0, 0.5, 1.0])
async def test_waits_are_spread_so_that_parts_do_not_start_together(parts, clock, monkeypatch, luck):
    monkeypatch.setattr("random.random", lambda: luck)
    part = Part(falls=1)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(keep_running("web", part, parts))
        await clock.until_somebody_sleeps()
        clock.move(timedelta(seconds=0.8 + 0.4 * luck))
        await part.up.wait()
        running.cancel()


async def test_a_fall_after_a_steady_run_waits_a_second(parts, clock, monkeypatch):
    monkeypatch.setattr("random.random", lambda: 0.5)
    falls = iter([True, True, True, False])
    up = asyncio.Event()

    async def part():
        if next(falls):
            clock.move(STEADY + timedelta(seconds=1))
            raise OSError("cut")
        up.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(keep_running("line", part, parts))
        for _ in range(3):
            await clock.until_somebody_sleeps()
            clock.move(timedelta(seconds=1))
            for _ in range(10):
                await asyncio.sleep(0)
        await up.wait()


async def test_a_cancel_passes_through_and_is_no_fall(parts):
    part = Part()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(keep_running("web", part, parts))
        await part.up.wait()
        running.cancel()
    assert running.cancelled()
    assert (part.starts, state(parts)) == (1, (Standing.WORKS, ""))


async def test_the_innermost_reason_of_a_group_is_shown(parts, clock):
    group_of = ExceptionGroup("outer", [ExceptionGroup("inner", [PermissionError(13, "Permission denied")])])
    async with asyncio.TaskGroup() as group:
        running = group.create_task(keep_running("web", Part(falls=1, problem=group_of), parts))
        await clock.until_somebody_sleeps()
        assert state(parts)[1] == "PermissionError: [Errno 13] Permission denied"
        running.cancel()


def test_since_is_when_a_standing_began(parts, clock):
    begun = clock.now()
    parts.show("web", Standing.AWAY, "no line")
    clock.move(timedelta(minutes=1))
    parts.show("web", Standing.AWAY, "still none")
    assert parts.since("web") == begun
    parts.show("web", Standing.WORKS)
    assert parts.since("web") == clock.now()


def test_a_part_that_runs_may_say_itself_how_it_is(parts, clock):
    itself = PartState("line", Standing.NEEDS_YOU, clock.now(), "wrong password", "ringback check")
    parts.watch("line", lambda: itself)
    parts.show("line", Standing.WORKS)
    assert parts.all() == (itself,)
    parts.show("line", Standing.AWAY, "fell")
    assert state(parts) == (Standing.AWAY, "fell")


async def test_a_part_that_fails_in_the_moment_it_is_cancelled_ends(parts):
    """Of a group of tasks whose failure and whose cancel come together, only the failure is heard."""
    falls, begun = asyncio.Event(), 0

    async def fall():
        await falls.wait()
        raise OSError("the database went back")

    async def part():
        nonlocal begun
        begun += 1
        async with asyncio.TaskGroup() as group:
            group.create_task(fall())
            await asyncio.sleep(3600)

    running = asyncio.ensure_future(keep_running("web", part, parts))
    await asyncio.sleep(0.01)
    falls.set()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(5):
            await running
    assert begun == 1
    assert running.cancelled()
