"""What comes while one flush runs goes with the next, and nobody waits for somebody who went away."""

import asyncio
from contextlib import suppress

import pytest

from ringback.flow.gathering import AT_ONCE, Gathering


class Disk:
    """Writes when it is let; a word that begins with "bad" fails."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.free = asyncio.Event()

    async def write(self, words):
        self.batches.append(list(words))
        await self.free.wait()
        if "broken" in words:
            raise OSError("the disk fell out")
        return [ValueError(word) if word.startswith("bad") else word.upper() for word in words]


async def many(gathering, *words):
    tasks = [asyncio.ensure_future(gathering.put(word)) for word in words]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_what_comes_while_one_is_written_goes_together():
    disk = Disk()
    gathering = Gathering(disk.write)
    tasks = await many(gathering, "a")
    tasks += await many(gathering, "b", "bad", "c")
    disk.free.set()
    said = await asyncio.gather(*tasks, return_exceptions=True)
    assert disk.batches == [["a"], ["b", "bad", "c"]]
    assert [said[0], said[1], said[3]] == ["A", "B", "C"]
    assert isinstance(said[2], ValueError)


async def test_a_batch_has_a_bound():
    disk = Disk()
    gathering = Gathering(disk.write)
    tasks = await many(gathering, *[str(number) for number in range(AT_ONCE + 3)])
    disk.free.set()
    await asyncio.gather(*tasks)
    assert [len(batch) for batch in disk.batches] == [1, AT_ONCE, 2]


async def test_who_goes_away_is_stored_and_holds_nobody_up():
    disk = Disk()
    gathering = Gathering(disk.write)
    (first,) = await many(gathering, "a")
    (second,) = await many(gathering, "b")
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    disk.free.set()
    assert await second == "B"
    assert disk.batches == [["a"], ["b"]]


async def test_when_all_fails_each_hears_it_and_the_next_go_on():
    disk = Disk()
    gathering = Gathering(disk.write)
    tasks = await many(gathering, "a", "broken", "b")
    disk.free.set()
    said = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in said] == [str, OSError, OSError]
    assert await gathering.put("c") == "C"


async def test_its_end_with_the_group_it_runs_in_leaves_nobody_hanging():
    disk = Disk()
    with pytest.raises(ExceptionGroup):
        async with asyncio.TaskGroup() as group:
            gathering = Gathering(disk.write, group.create_task)
            group.create_task(gathering.put("a"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            raise RuntimeError("the lane fell")
    assert disk.batches == [["a"]]
