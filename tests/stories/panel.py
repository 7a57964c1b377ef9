"""A person at the panel, without script: its pages, their forms as they stand there, and the stream behind a page."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from urllib.parse import urljoin

from aiohttp import ClientPayloadError, ClientResponse

from lab.demo.browser import Browser, Page
from tests.stories.daemon import PATIENCE, Daemon

ANNA, BEN = "anna", "ben"
PASSWORD = "correct horse battery"
DONE, DENIED, CONFLICT, BUSY = 200, 403, 409, 503


async def let_in(
    daemon: Daemon, login: str = ANNA, role: str = "administrator", ways: Sequence[str] = ("send", "receive")
) -> None:
    """Make somebody who may log in, and may do this with all numbers."""
    added = await daemon.do("user", "add", login, "--role", role, "--password-stdin", told=f"{PASSWORD}\n")
    assert added.code == 0, added
    for way in ways:
        granted = await daemon.do("grant", login, way, "all", "allow")
        assert granted.code == 0, granted


class Stream:
    """What a live page is sent, as it comes."""

    def __init__(self, answer: ClientResponse) -> None:
        self._answer = answer

    async def until(self, kind: str) -> object:
        """What the next event of this kind says. Raises EOFError when the stream ends before."""
        said, data = "", ""
        async with asyncio.timeout(PATIENCE):
            async for raw in self._answer.content:
                name, _, value = raw.decode().rstrip("\n").partition(": ")
                match name:
                    case "event":
                        said = value
                    case "data":
                        data = value
                    case "" if data and said == kind:
                        return json.loads(data)
                    case "":
                        said, data = "", ""
        raise EOFError(kind)

    async def over(self) -> None:
        """Wait until it ends; a daemon that stops cuts it, and browsers come back by themselves."""
        async with asyncio.timeout(PATIENCE):
            with suppress(ClientPayloadError):
                while await self._answer.content.readany():
                    pass


class Panel(Browser):
    """One person's browser on one daemon."""

    @classmethod
    @asynccontextmanager
    async def opened(cls, daemon: Daemon, login: str = ANNA) -> AsyncIterator["Panel"]:
        """The browser of somebody who is logged in."""
        port, _ = await daemon.ports()
        async with cls(f"http://127.0.0.1:{port}") as panel:
            page = await panel.log_in(login)
            assert (page.status, page.shows("Inbox")) == (DONE, True), page.words
            yield panel

    async def log_in(self, login: str = ANNA) -> Page:
        """Try to; where one is afterwards."""
        return await self.submit(await self.open("/login"), "/login", login=login, password=PASSWORD)

    async def ready(self) -> dict[str, list[dict[str, str]]]:
        """What /readyz says to somebody who is logged in."""
        said: dict[str, list[dict[str, str]]] = json.loads((await self.open("/readyz")).words)
        return said

    @asynccontextmanager
    async def follows(self, path: str) -> AsyncIterator[Stream]:
        """Look at a page live."""
        headers = {**self._headers(), "Accept": "text/event-stream"}
        async with self._session.get(urljoin(self._url, path), headers=headers) as answer:
            assert (answer.status, answer.content_type) == (DONE, "text/event-stream"), answer
            yield Stream(answer)
