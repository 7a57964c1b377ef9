"""The port that CURL() asks: HTTP by aiohttp, on this machine only."""

from collections.abc import Callable
from functools import partial

import structlog
from aiohttp import web

from ringback.config.addresses import Address
from ringback.dialplan.answering import Answer, Answering
from ringback.dialplan.answers import line_of
from ringback.dialplan.words import query_fields
from ringback.http_lines import Fixed, Line, Lines, listen

log = structlog.get_logger("dialplan")

TOKEN = "X-Ringback-Token"  # noqa: S105  # the name of a header
HERE = "/here"
"""What needs no secret: that it is us. `ringback dialplan check` has Asterisk ask it."""
HEADERS = {"Server": "Ringback", "Cache-Control": "no-store"}
FULL = b"HTTP/1.1 503 Service Unavailable\r\nServer: Ringback\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def serve(address: Address, answering: Answering, tell: Callable[[int], None]) -> None:
    """Answer the dialplan until cancelled. `tell` gets the port, which the system may have chosen."""
    fixed = Fixed(FULL, lambda: _last(Answer(400)), _failed)
    await listen(Lines(partial(_answer, answering), answering.limits, fixed), address, tell, lambda: None)


async def _answer(answering: Answering, request: web.BaseRequest) -> web.StreamResponse:
    line = request.protocol
    assert isinstance(line, Line)
    line.begin()
    try:
        return await _asked(answering, request)
    finally:
        line.end()


async def _asked(answering: Answering, request: web.BaseRequest) -> web.StreamResponse:
    if request.raw_path == HERE:
        return _respond(Answer(200, line_of(("here",))))
    if not answering.knows(request.headers.get(TOKEN, "")):
        return _respond(Answer(403))
    if request.method != "GET":
        return _last(Answer(405))
    # a body belongs to no question, and is not waited for
    if request.can_read_body:
        return _last(Answer(413))
    path, _, query = request.raw_path.partition("?")
    return _respond(await answering.answer(path.removeprefix("/"), partial(query_fields, query)))


def _respond(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, body=answer.line, content_type="text/plain", headers=HEADERS)


def _last(answer: Answer) -> web.Response:
    response = _respond(answer)
    response.force_close()
    return response


def _failed(exc: BaseException | None, status: int) -> web.StreamResponse:
    log.error("answering the dialplan failed", problem=type(exc).__name__ if exc is not None else status)
    return _last(Answer(500))
