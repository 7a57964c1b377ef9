"""A page whose line is cut, and one whose reader was logged out: it says so, and nothing is lost or shown twice."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import Open
from tests.browser.house import House
from tests.browser.phone import Phone
from tests.browser.seeds import ANA

pytestmark = pytest.mark.asyncio(loop_scope="session")
SECOND_PASSWORD = "seven quiet teapots"


class Relay:
    """A line to the daemon that can be cut. It hands on bytes and knows nothing of them."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._handlers: set[asyncio.Task[None]] = set()
        self.port = 0

    async def mend(self) -> None:
        """Listen; at the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break every connection, and take no new one."""
        assert self._server is not None
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        await asyncio.gather(*self._handlers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        there, onward = await asyncio.open_connection("127.0.0.1", self._target)
        self._open |= {writer, onward}
        await asyncio.gather(_pump(reader, onward), _pump(there, writer))
        self._open -= {writer, onward}
        self._handlers.discard(task)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    except ConnectionError:
        pass
    finally:
        sink.close()


@pytest_asyncio.fixture(loop_scope="session")
async def relay(house: House) -> AsyncIterator[Relay]:
    line = Relay(house.port)
    await line.mend()
    yield line
    await line.cut()


async def test_a_page_that_was_cut_off_says_since_when_and_catches_up(opened: Open, relay: Relay, phone: Phone):
    phone.says("before")
    path = await phone.house.threaded(phone.number)
    desk = await opened(ANA, path, base=f"http://127.0.0.1:{relay.port}")
    desk.forgive("net::ERR_")
    live = desk.page.locator(".list [data-live-state]")
    await expect(live).to_have_text("Live")
    phone.says("while it was live")
    await expect(desk.page.locator("#entries .bubble").last).to_have_text("while it was live")
    await desk.page.get_by_label("Your text").fill("half a sentence")
    await relay.cut()
    await expect(live).to_have_text(re.compile(r"^Not live since \d?\d:\d\d( [AP]M)?\.$"))
    await expect(desk.page.locator(".list [data-live-help]")).to_be_visible()
    for n in range(3):
        phone.says(f"while it was cut {n}")
    await phone.house.becomes(lambda: _came(phone) == 5)
    await relay.mend()
    await expect(live).to_have_text("Live")
    said = ["before", "while it was live", *(f"while it was cut {n}" for n in range(3))]
    await expect(desk.page.locator("#entries .bubble")).to_have_text(said)
    await expect(desk.page.get_by_label("Your text")).to_have_value("half a sentence")
    phone.says("after")
    await expect(desk.page.locator("#entries .bubble")).to_have_text([*said, "after"])


def _came(phone: Phone) -> int:
    query = f"""SELECT count(*) FROM incoming i JOIN thread t ON t.id = i.thread_id WHERE t.peer = '{phone.number}'"""
    return phone.house.daemon.rows(query)[0][0]


async def test_somebody_who_is_logged_out_is_told_and_sees_nothing_new(opened: Open, house: House, phone: Phone):
    phone.says("before")
    path = await house.threaded(phone.number)
    admin = await opened(ANA, "/users")
    form = admin.page.locator("form", has_text="Add somebody")
    await form.get_by_label("Login", exact=True).fill("casey")
    await form.get_by_label("Name").fill("Casey Fontaine")
    await form.get_by_label("New password").fill(SECOND_PASSWORD)
    await form.get_by_role("button", name="Add").click()
    await expect(admin.page.get_by_role("status")).to_contain_text("Added.")

    guest = await opened("")
    guest.forgive("status of 401")
    await guest.log_in("casey", SECOND_PASSWORD, f"/login?next={path}")
    live = guest.page.locator(".list [data-live-state]")
    await expect(live).to_have_text("Live")
    await admin.open(house.user("casey"))
    await admin.page.get_by_role("button", name="Log out everywhere").click()
    await expect(live).to_have_text("You were logged out. Log in again to go on.")

    witness = await opened(ANA, path)
    phone.says("after")
    await expect(witness.page.locator("#entries .bubble").last).to_have_text("after")
    await guest.page.get_by_label("Your text").fill("From nobody")
    await guest.page.get_by_role("button", name="Send").click()
    await expect(guest.page.get_by_role("heading", level=1)).to_have_text("You are logged out")
    assert "after" not in await guest.page.content()
    assert house.texts(phone.number) == []
