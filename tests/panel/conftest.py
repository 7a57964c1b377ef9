"""A web front on a free port of loopback, with a real loopback carrier behind it, seen by somebody at this machine."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from ringback.carriers.loopback import Loopback, Settings
from ringback.core.messages import Outgoing
from ringback.panel.app import WebParts, build_web
from ringback.panel.guard import Guard
from ringback.panel.handsets import HandsetPages
from ringback.panel.health import Health
from ringback.panel.shell import open_shell
from ringback.ports import CarrierRef
from ringback.ports.handsets import Handsets
from tests.fakes.grants import open_permits
from tests.fakes.hand_clock import HandClock
from tests.panel.permission_house import House, Looker, permission_house, small
from tests.panel.visiting import SITE, Crowd

Text = Callable[..., Awaitable[CarrierRef]]


class Weather:
    """The health that the front shows; a test sets it."""

    def __init__(self) -> None:
        self.now = Health(True, ())

    def __call__(self) -> Health:
        return self.now


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def line(clock: HandClock, tmp_path: Path) -> Loopback:
    return Loopback("main", Settings(), clock, tmp_path / "handset.jsonl")


@pytest.fixture
def text(line: Loopback, clock: HandClock) -> Text:
    numbers = count(1)

    async def send(words: str = "Sorry we missed you", to: str = "+12025550147", sender: str = "+12025550101"):
        n = next(numbers)
        return await line.send(Outgoing(f"att_{n}", f"msg_{n}", sender, to, words, clock.now()))

    return send


@pytest.fixture
def weather() -> Weather:
    return Weather()


class Browse:
    """Opens web fronts, each with a browser for it. Not aiohttp's own test server: that one cancels handlers."""

    def __init__(self, weather: Weather, clock: HandClock) -> None:
        self._weather = weather
        self._clock = clock
        self._browsers: list[ClientSession] = []
        self._fronts: list[web.AppRunner] = []

    async def __call__(self, handsets: Handsets | None, heartbeat: timedelta = timedelta(minutes=1)) -> ClientSession:
        shell = open_shell(SITE, self._clock.now)
        crowd = Crowd()
        pages = [] if handsets is None else [HandsetPages(shell, handsets, heartbeat)]
        parts = WebParts(
            shell, Guard(crowd, crowd, self._clock, shell, open_permits(self._clock)), self._weather, pages
        )
        runner = web.AppRunner(build_web(parts))
        self._fronts.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        browser = ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}")
        self._browsers.append(browser)
        return browser

    async def leave(self) -> None:
        for browser in self._browsers:
            await browser.close()

    async def stop(self) -> None:
        """Stop the fronts while the browsers stay."""
        for runner in self._fronts:
            await runner.cleanup()


@pytest.fixture
async def browse(weather: Weather, clock: HandClock) -> AsyncIterator[Browse]:
    opener = Browse(weather, clock)
    yield opener
    await opener.leave()
    await opener.stop()


@pytest.fixture
async def front(browse: Browse, line: Loopback) -> ClientSession:
    return await browse(line)


@pytest.fixture
async def house(tmp_path: Path, empty_sqlite: Path, clock: HandClock) -> AsyncIterator[House]:
    shutil.copy(empty_sqlite, tmp_path / "ringback.db")
    async with permission_house(tmp_path / "ringback.db", clock) as found:
        await small(found)
        yield found


@pytest.fixture
async def boss(house: House) -> Looker:
    return await house.looker("boss")
