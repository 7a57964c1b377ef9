"""One Chromium and one daemon for all that is looked at in a browser; each test has windows and callers of its own."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, StorageState

from tests.browser.driver import Window, chromium, window
from tests.browser.house import House, afternoon, open_house
from tests.browser.office import MORE_NUMBERS
from tests.browser.phone import Phone
from tests.browser.seeds import ANA, PASSWORD, a_day

Open = Callable[..., Awaitable[Window]]
States = Callable[[str], Awaitable[StorageState]]

_REPORT = pytest.StashKey[pytest.TestReport]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these tests share a loop, since they share a browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.stash[_REPORT] = report
    return report


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, empty_sqlite: Path) -> Iterator[House]:
    """A daemon that has a day behind it."""
    zone = afternoon(datetime.now(UTC))
    with open_house(tmp_path_factory.mktemp("house"), empty_sqlite, zone, a_day, more=MORE_NUMBERS) as opened:
        yield opened


@pytest.fixture(scope="session")
def states(browser: Browser, house: House) -> States:
    """The cookies of those who are logged in; each logs in once."""
    found: dict[str, StorageState] = {"": {"cookies": [], "origins": []}}

    async def state_of(login: str) -> StorageState:
        if login not in found:
            async with window(browser, house.base) as door:
                await door.log_in(login, PASSWORD)
                await door.page.get_by_role("button", name="Log out").first.wait_for(state="attached")
                found[login] = await door.context.storage_state()
        return found[login]

    return state_of


@pytest_asyncio.fixture(loop_scope="session")
async def opened(
    request: pytest.FixtureRequest, browser: Browser, house: House, states: States, tmp_path: Path
) -> AsyncIterator[Open]:
    """Opens windows for somebody who is logged in already, or with "" for nobody; looks at their faults in the end."""
    windows: list[Window] = []
    async with AsyncExitStack() as stack:

        async def open_one(who: str = ANA, path: str = "", **more: object) -> Window:
            base = str(more.pop("base", house.base))
            one = await stack.enter_async_context(window(browser, base, await states(who), **more))
            windows.append(one)
            if path:
                await one.open(path)
            return one

        yield open_one
        report = request.node.stash.get(_REPORT, None)
        if report is not None and report.failed:
            for number, one in enumerate(windows):
                print("picture:", await one.keep_picture(tmp_path, f"{request.node.name}-{number}"))
            print(house.daemon.log.end())
    assert [one.unforgiven() for one in windows] == [[] for _ in windows]


_numbers = itertools.count(1)


@pytest.fixture
def phone(house: House) -> Phone:
    """A handset whose number nobody else has."""
    number = next(_numbers)
    return Phone(house, f"+1{(210, 305, 404, 503)[number // 100]}55501{number % 100:02}")
