"""Reads server-sent events as a browser does."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from tests.panel.visiting import Visitor


@dataclass
class Event:
    """One event; `kind` is `message` where the server names none."""

    kind: str
    data: object
    id: str


class Reader:
    """Hands out events one by one; what only asks to come back, and beats, are left out."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def next(self, *kinds: str) -> Event:
        """The next event of one of these kinds, or of any."""
        async with asyncio.timeout(5):
            while True:
                event = await self._event()
                if (event.kind in kinds) if kinds else event.kind not in ("beat", "counts"):
                    return event

    async def _event(self) -> Event:
        found = {"event": "message", "data": "", "id": ""}
        while True:
            line = (await self.answer.content.readline()).decode()
            assert line, "the stream ended"
            if line == "\n":
                if found["data"]:
                    return Event(found["event"], json.loads(found["data"]), found["id"])
                continue
            name, _, value = line.rstrip("\n").partition(": ")
            found[name] = value


@asynccontextmanager
async def listening(visitor: Visitor, path: str, headers: Mapping[str, str] = {}) -> AsyncIterator[Reader]:
    async with visitor.session.get(path, headers={"Accept": "text/event-stream", **headers}) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.headers["Content-Type"] == "text/event-stream"
        yield Reader(answer)
