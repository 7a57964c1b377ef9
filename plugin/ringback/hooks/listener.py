"""The port: HTTP by aiohttp, with bounds on everything a stranger can make us wait for or keep."""

import asyncio
from collections.abc import Callable

import structlog
from aiohttp import HttpVersion11, StreamReader, web

from ringback.config import Address
from ringback.hooks.addresses import Place
from ringback.hooks.limits import Limits
from ringback.hooks.reception import (
    BROKEN,
    FAULT,
    LATER,
    NOTHING,
    ONLY_POST,
    PACKED,
    TOO_LARGE,
    Reception,
    Reply,
    named,
)
from ringback.logs import REQUEST, SOURCE, new_request_id

log = structlog.get_logger("hooks")

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Server": "Ringback",
}
MOST_HEADERS = 64
LONGEST_LINE = 8 * 1024

FULL = "".join(
    (
        f"HTTP/1.1 {LATER.status} Service Unavailable\r\n",
        *(f"{name}: {value}\r\n" for name, value in (*HEADERS.items(), *LATER.headers)),
        "Content-Length: 0\r\nConnection: close\r\n\r\n",
    )
).encode()
"""For a connection too many, which gets no parser of its own."""


async def serve(listen: Address, reception: Reception, tell: Callable[[int], None]) -> None:
    """Take hooks until cancelled. `tell` gets the port, which the system chooses where the configured one is 0."""
    reception.stopping = False
    door = _Door(reception)
    runner = web.ServerRunner(_Server(door, reception.limits), shutdown_timeout=reception.limits.stop_s)
    await runner.setup()
    try:
        await web.TCPSite(runner, listen.host, listen.port).start()
        tell(runner.addresses[0][1])
        await asyncio.Event().wait()
    finally:
        door.close()
        await runner.cleanup()


class _Server(web.Server):
    """Makes a line for each connection."""

    def __init__(self, door: "_Door", limits: Limits) -> None:
        super().__init__(door.answer)
        self._limits = limits

    def __call__(self) -> web.RequestHandler:
        return _Line(self, self._limits)


class _Line(web.RequestHandler):
    """A connection. aiohttp bounds lines and headers; here are the time they may take, and how many there may be."""

    __slots__ = ("_busy", "_head_by", "_limits", "_server", "_watch")

    def __init__(self, server: web.Server, limits: Limits) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=limits.keep_alive_s,
            lingering_time=limits.linger_s,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
            max_headers=MOST_HEADERS,
            auto_decompress=False,
        )
        self._server = server
        self._limits = limits
        self._busy = False
        self._head_by: float | None = None
        self._watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if len(self._server.connections) > self._limits.connections and self.transport is not None:
            self.transport.write(FULL)
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
        self._head_by = loop.time() + self._limits.head_s
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
        """What is not HTTP gets a fixed answer: aiohttp's own quotes what came."""
        if status < 500:
            return _respond(BROKEN, last=True)
        log.error("answering a hook failed", problem=named(exc) if exc is not None else status)
        return _respond(FAULT, last=True)


class _Refused(Exception):
    """The body is not wanted."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class _Door:
    """Looks at a request before its body is read, reads the body within bounds, and hands the hook in."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._limits = reception.limits
        self._held = 0
        self._reading: set[asyncio.Timeout] = set()

    def close(self) -> None:
        """Put off what is not here whole; what is believed already gets its answer."""
        self._reception.stopping = True
        for patience in self._reading:
            patience.reschedule(asyncio.get_running_loop().time())

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        line = request.protocol
        assert isinstance(line, _Line)
        line.begin()
        name = new_request_id()
        before, elsewhere = REQUEST.set(name), SOURCE.set(request.remote or "")
        try:
            answer = await self._answer(request)
        finally:
            line.end()
            REQUEST.reset(before)
            SOURCE.reset(elsewhere)
        answer.headers["X-Request-Id"] = name
        return answer

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        target = request.raw_path
        body = bytearray()
        try:
            place = self._find(target)
            _look(request, self._reception.largest(place))
            await self._read(request, place, body)
            reply = await self._reception.receive(place, target, _headers(request), bytes(body))
        except _Refused as refused:
            return _respond(refused.reply, last=not request.content.is_eof())
        finally:
            self._held -= len(body)
        return _respond(reply)

    def _find(self, target: str) -> Place:
        place = self._reception.public.find(target)
        if place is None:
            self._reception.tally.astray(target.partition("?")[0][:80])
            raise _Refused(NOTHING)
        return place

    async def _read(self, request: web.BaseRequest, place: Place, body: bytearray) -> None:
        await _go_on(request)
        try:
            if request.content.is_eof():
                # it came with its headers, as most do
                await self._fill(body, request.content, place)
            else:
                await self._await_body(body, request.content, place)
        except TimeoutError:
            why = "stopping" if self._reception.stopping else f"no whole body after {self._limits.body_s:.3g} s"
            raise _Refused(self._reception.later(place, why)) from None
        except (web.RequestPayloadError, ConnectionError):
            raise _Refused(BROKEN) from None

    async def _await_body(self, body: bytearray, content: StreamReader, place: Place) -> None:
        patience = asyncio.timeout(self._limits.body_s)
        self._reading.add(patience)
        try:
            async with patience:
                await self._fill(body, content, place)
        finally:
            self._reading.discard(patience)

    async def _fill(self, body: bytearray, content: StreamReader, place: Place) -> None:
        most = self._reception.largest(place)
        while piece := await content.readany():
            body += piece
            self._held += len(piece)
            if len(body) > most:
                raise _Refused(TOO_LARGE)
            if self._held > self._limits.held:
                raise _Refused(self._reception.later(place, "too much is on its way to us"))


def _look(request: web.BaseRequest, most: int) -> None:
    """Refuse what no carrier sends, before its body is read."""
    if request.method != "POST":
        raise _Refused(ONLY_POST)
    # unpacking is where a small body becomes a large one
    if "Content-Encoding" in request.headers:
        raise _Refused(PACKED)
    if (request.content_length or 0) > most:
        raise _Refused(TOO_LARGE)


async def _go_on(request: web.BaseRequest) -> None:
    """Ask for the body, where the caller waits to be asked."""
    if request.headers.get("Expect", "").lower() != "100-continue" or request.version < HttpVersion11:
        return
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0


def _headers(request: web.BaseRequest) -> dict[str, str]:
    """Headers by lower-case name. One that comes twice is one list: a second signature makes both of them wrong."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _respond(reply: Reply, *, last: bool = False) -> web.Response:
    """Make the answer; after the last one the connection is closed."""
    response = web.Response(
        status=reply.status,
        text=reply.body,
        content_type=reply.content_type,
        headers=dict((*HEADERS.items(), *reply.headers)),
    )
    if last:
        response.force_close()
    return response
