"""Connections of HTTP by aiohttp, with bounds on what whoever connects can make us wait for or keep.

The listeners of carriers' hooks and of the dialplan share them; what is answered is their own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from ringback.config.addresses import Address

MOST_HEADERS = 64
LONGEST_LINE = 8 * 1024


class Bounds(Protocol):
    """How long a line may take, and how many there may be."""

    @property
    def head_s(self) -> float:
        """From the first byte of a request, or the opened connection, to the end of its headers."""

    @property
    def keep_alive_s(self) -> float: ...
    @property
    def connections(self) -> int: ...
    @property
    def linger_s(self) -> float: ...
    @property
    def stop_s(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """What is answered whatever was asked: to a connection too many, which gets no parser of its own, to what is not
    HTTP, since aiohttp's own answer quotes what came, and after a fault of ours."""

    full: bytes
    broken: Callable[[], web.StreamResponse]
    fault: Callable[[BaseException | None, int], web.StreamResponse]


Answerer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


async def listen(lines: "Lines", address: Address, tell: Callable[[int], None], closing: Callable[[], None]) -> None:
    """Answer until cancelled. `tell` gets the port, which the system chooses where the configured one is 0; `closing`
    is called before lines are closed."""
    runner = web.ServerRunner(lines, shutdown_timeout=lines.bounds.stop_s)
    await runner.setup()
    try:
        await web.TCPSite(runner, address.host, address.port).start()
        tell(runner.addresses[0][1])
        await asyncio.Event().wait()
    finally:
        closing()
        await runner.cleanup()


class Lines(web.Server):
    """Makes a line for each connection."""

    def __init__(self, answer: Answerer, bounds: Bounds, fixed: Fixed) -> None:
        super().__init__(answer)
        self.bounds = bounds
        self.fixed = fixed

    def __call__(self) -> web.RequestHandler:
        return Line(self)


class Line(web.RequestHandler):
    """A connection. aiohttp bounds lines and headers; here are the time they may take, and how many there may be."""

    __slots__ = ("_busy", "_head_by", "_lines", "_watch")

    def __init__(self, lines: Lines) -> None:
        super().__init__(
            lines,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=lines.bounds.keep_alive_s,
            lingering_time=lines.bounds.linger_s,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
            max_headers=MOST_HEADERS,
            auto_decompress=False,
        )
        self._lines = lines
        self._busy = False
        self._head_by: float | None = None
        self._watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if len(self._lines.connections) > self._lines.bounds.connections and self.transport is not None:
            self.transport.write(self._lines.fixed.full)
            self.force_close()
        else:
            self._await_head()

    def data_received(self, data: bytes) -> None:
        if data and not self._busy:
            self._await_head()
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def begin(self) -> None:
        """The headers of a request are here."""
        self._busy = True
        self._head_by = None

    def end(self) -> None:
        self._busy = False

    def _await_head(self) -> None:
        if self._head_by is not None:
            return
        loop = asyncio.get_running_loop()
        self._head_by = loop.time() + self._lines.bounds.head_s
        if self._watch is None:
            self._watch = loop.call_at(self._head_by, self._look)

    def _look(self) -> None:
        """Whether the headers are late. One timer sees many requests come and go."""
        self._watch = None
        loop = asyncio.get_running_loop()
        if self._head_by is None:
            return
        if self._head_by <= loop.time():
            self.force_close()
        else:
            self._watch = loop.call_at(self._head_by, self._look)

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """What is not HTTP, or what failed in our hands."""
        if status < 500:
            return self._lines.fixed.broken()
        return self._lines.fixed.fault(exc, status)
