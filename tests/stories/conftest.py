"""One real Asterisk, one real daemon, and all stories of a module told on them side by side before its tests look."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from lab.ami import Ami
from lab.asterisk import Asterisk
from lab.phone import Phone
from ringback.ports.stories import CallStory
from tests.stories.daemon import Daemon, daemon_for, running
from tests.stories.scene import Scene, Story

AREAS = (512, 713, 214, 915)


def caller(index: int) -> str:
    """Each story has a caller of its own, so that no cool-down of one touches another."""
    return f"+1{AREAS[index // 100]}55501{index % 100:02}"


@dataclass(frozen=True)
class House:
    """An exchange and the daemon that listens to it."""

    asterisk: Asterisk
    daemon: Daemon


@pytest.fixture(scope="module")
def asterisk() -> Iterator[Asterisk]:
    with Asterisk.running() as started:
        yield started


@pytest.fixture(scope="module")
def house(
    asterisk: Asterisk, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """The module says its rules as RULES."""
    daemon = daemon_for(tmp_path_factory.mktemp("daemon"), request.module.RULES, main=asterisk)
    with running(daemon):
        asyncio.run(daemon.until(ready=True))
        yield House(asterisk, daemon)


Told = Mapping[str, list[CallStory] | BaseException]


@pytest.fixture(scope="module")
def told(house: House, request: pytest.FixtureRequest) -> Told:
    """Tell every story that a collected test wants, all at once; those of one line in turn."""
    wanted = {
        item.callspec.params.get("name")
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.module is request.module and hasattr(item, "callspec")
    }
    stories: dict[str, Story] = request.module.STORIES
    numbers = {name: caller(index) for index, name in enumerate(stories)}
    return asyncio.run(_tell(house, {name: stories[name] for name in stories if name in wanted}, numbers))


async def _tell(house: House, stories: Mapping[str, Story], numbers: Mapping[str, str]) -> Told:
    locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
    async with house.asterisk.opened() as outside:
        ami, carrier = await outside.ami(), await outside.carrier()

        async def tell(name: str, story: Story) -> list[CallStory]:
            async with locks[story.line]:
                return await _tell_one(house, ami, carrier, story, numbers[name])

        told = await asyncio.gather(*(tell(*each) for each in stories.items()), return_exceptions=True)
    return dict(zip(stories, told, strict=True))


async def _tell_one(house: House, ami: Ami, carrier: Phone, story: Story, number: str) -> list[CallStory]:
    """Act it out, wait for the end of every call and the arrival of every text, and read it all back."""
    daemon, before = house.daemon, len(house.daemon.log.records)
    async with house.asterisk.opened() as pbx:
        scene = Scene(pbx, ami, carrier, daemon, story.line, story.area, number)
        await story.act(scene)
        calls = await daemon.ended(scene.did, len(story.ends), before)
    calls = [daemon.again(call) for call in calls]
    return [await daemon.delivered(call) if call.decision == "send" else call for call in calls]
