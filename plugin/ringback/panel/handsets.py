"""The pages of handsets that exist only here: the list, one handset, and its live stream."""

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from itertools import islice
from typing import TYPE_CHECKING

from aiohttp import web

from ringback.panel.site import Site
from ringback.ports import Handsets, HandsetText

if TYPE_CHECKING:
    from ringback.panel.pages import Pages

NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
MARK = re.compile(r"(\w+)\.([0-9]{1,18})")
MOST_LISTED = 100
MOST_STREAMS = 100


@dataclass(frozen=True, slots=True)
class Row:
    """A text as the page shows it. Day and sender are said once, above the first text they hold for."""

    text: HandsetText
    day: date | None
    sender: str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A handset in the list."""

    number: str
    count: int
    last: HandsetText


def rows_of(texts: Sequence[HandsetText], zone: tzinfo) -> list[Row]:
    """Lay the texts out, oldest first."""
    rows: list[Row] = []
    day: date | None = None
    sender: str | None = None
    for text in texts:
        its_day = text.at.astimezone(zone).date()
        rows.append(Row(text, None if its_day == day else its_day, None if text.sender == sender else text.sender))
        day, sender = its_day, text.sender
    return rows


class HandsetPages:
    """The routes under /handset."""

    def __init__(self, handsets: Handsets, pages: "Callable[[], Pages]", site: Site, heartbeat: timedelta) -> None:
        self._handsets = handsets
        self._pages = pages
        self._site = site
        self._heartbeat = heartbeat.total_seconds()
        self._streams: set[asyncio.Task[object]] = set()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/handset", self.index),
            web.get("/handset/{number}", self.show),
            web.get("/handset/{number}/events", self.events, allow_head=False),
        ]

    def listed(self) -> list[Listed]:
        """The handsets that were texted last."""
        numbers = islice(self._handsets.numbers(), MOST_LISTED)
        shelves = ((number, self._handsets.handset(number)) for number in numbers)
        return [Listed(number, len(texts), texts[-1]) for number, texts in shelves if texts]

    async def index(self, request: web.Request) -> web.Response:
        """The list; with `?number=` it goes to that handset, so that the form works without script."""
        asked = request.query.get("number")
        if asked is not None:
            # a plus sign that was typed into an address arrives as a space
            raise web.HTTPSeeOther(f"/handset/+{re.sub('[^0-9]', '', asked)[:20]}")
        page = self._pages().render("handsets", handsets=self.listed(), total=len(self._handsets.numbers()))
        return web.Response(text=page, content_type="text/html")

    async def show(self, request: web.Request) -> web.Response:
        """One handset, whether or not a text ever came to it."""
        number = _number(request)
        texts = self._handsets.handset(number)
        page = self._pages().render(
            "handset",
            number=number,
            rows=rows_of(texts, self._site.zone),
            senders=sorted({text.sender for text in texts}),
            since=self._mark(max((text.version for text in texts), default=0)),
        )
        return web.Response(text=page, content_type="text/html")

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Fragments of the page as texts come and change, for as long as the browser listens."""
        number = _number(request)
        since = self._since(request)
        if len(self._streams) >= MOST_STREAMS:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "30"})
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        here = asyncio.current_task()
        assert here is not None
        self._streams.add(here)
        try:
            # a connection that is gone is how each stream ends
            with suppress(ConnectionError):
                await answer.prepare(request)
                await self._follow(answer, number, since)
        finally:
            self._streams.discard(here)
        return answer

    async def close(self, _: web.Application) -> None:
        """End the streams, which would hold a stopping daemon back."""
        for stream in self._streams:
            stream.cancel()

    async def _follow(self, answer: web.StreamResponse, number: str, since: int) -> None:
        while True:
            try:
                async with asyncio.timeout(self._heartbeat), aclosing(self._handsets.watch(number, since)) as changes:
                    async for text in changes:
                        since = text.version
                        await answer.write(self._fragment(number, text))
            except TimeoutError:
                # a write is the only way to learn that the reader is gone
                await answer.write(b": still here\n\n")

    def _fragment(self, number: str, text: HandsetText) -> bytes:
        rows = rows_of(self._handsets.handset(number), self._site.zone)
        row = next((row for row in rows if row.text.provider_id == text.provider_id), Row(text, None, None))
        html = self._pages().render("text", row=row)
        data = json.dumps({"id": text.provider_id, "html": html})
        return f"id: {self._mark(text.version)}\ndata: {data}\n\n".encode()

    def _mark(self, version: int) -> str:
        return f"{self._handsets.life}.{version}"

    def _since(self, request: web.Request) -> int:
        """Where the reader stands: a mark of another life, or none at all, means from the start."""
        mark = request.headers.get("Last-Event-ID") or request.query.get("since", "")
        found = MARK.fullmatch(mark)
        return int(found[2]) if found and found[1] == self._handsets.life else 0


def _number(request: web.Request) -> str:
    number = request.match_info["number"]
    if NUMBER.fullmatch(number) is None:
        raise web.HTTPNotFound
    return number
