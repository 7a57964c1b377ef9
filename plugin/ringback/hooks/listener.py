"""The port: HTTP by aiohttp, with bounds on everything a stranger can make us wait for or keep."""

import asyncio
from collections.abc import Callable

import structlog
from aiohttp import HttpVersion11, StreamReader, web

from ringback.config import Address
from ringback.hooks.addresses import Place
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
from ringback.http_lines import Fixed, Line, Lines, listen
from ringback.logs import REQUEST, SOURCE, new_request_id

log = structlog.get_logger("hooks")

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Server": "Ringback",
}

FULL = "".join(
    (
        f"HTTP/1.1 {LATER.status} Service Unavailable\r\n",
        *(f"{name}: {value}\r\n" for name, value in (*HEADERS.items(), *LATER.headers)),
        "Content-Length: 0\r\nConnection: close\r\n\r\n",
    )
).encode()
"""For a connection too many, which gets no parser of its own."""


async def serve(address: Address, reception: Reception, tell: Callable[[int], None]) -> None:
    """Take hooks until cancelled. `tell` gets the port, which the system chooses where the configured one is 0."""
    reception.stopping = False
    door = _Door(reception)
    fixed = Fixed(FULL, lambda: _respond(BROKEN, last=True), _failed)
    await listen(Lines(door.answer, reception.limits, fixed), address, tell, door.close)


def _failed(exc: BaseException | None, status: int) -> web.StreamResponse:
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
        assert isinstance(line, Line)
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
