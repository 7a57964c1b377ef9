"""Requests that are broken on purpose: each gets a clear no and a page of ours, and none a trace in the log."""

import asyncio

import pytest

from ringback.core.permissions import Role
from ringback.panel.tokens import COOKIE, DOOR_COOKIE
from tests.panel.test_guard import Ticks
from tests.panel.visiting import TOKEN, client_as

OURS = b"Sec-Fetch-Site: same-origin\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
PARTS = b"Content-Type: multipart/form-data; boundary=x\r\n"
FIELD = b"--x\r\nContent-Disposition: form-data; name=csrf\r\n"
LOGGED_IN = f"Cookie: {COOKIE}={TOKEN}\r\n".encode()
ODD_COOKIES = f"Cookie: {COOKIE}=\udcff; {DOOR_COOKIE}=\udcff\r\n".encode(errors="surrogateescape")


async def send(origin: str, headers: bytes, body: bytes) -> bytes:
    """What the front answers to a form, byte by byte."""
    host, _, port = origin.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    length = b"Content-Length: %d\r\n" % len(body)
    writer.write(
        b"POST /ticks HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + headers + length + b"\r\n" + body
    )
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        pytest.param(LOGGED_IN + FORM + b"Origin: http://[\r\n", b"", 403, id="an origin that is no address"),
        pytest.param(LOGGED_IN + FORM + b"Origin: http://127.0.0.1@evil\r\n", b"", 403, id="an origin with a name"),
        pytest.param(LOGGED_IN + FORM + OURS, b"csrf=\xff", 400, id="bytes that are no text"),
        pytest.param(LOGGED_IN + FORM + OURS, b"csrf=%ff", 403, id="escaped bytes that are no text"),
        pytest.param(LOGGED_IN + OURS + FORM[:-2] + b"; charset=bogus\r\n", b"csrf=x", 400, id="letters nobody knows"),
        pytest.param(LOGGED_IN + OURS + PARTS[:-13] + b"\r\n", b"--x", 400, id="parts without a border"),
        pytest.param(LOGGED_IN + OURS + PARTS, b"nothing", 400, id="parts that never begin"),
        pytest.param(
            LOGGED_IN + OURS + PARTS,
            FIELD + b"Content-Transfer-Encoding: zz\r\n\r\nab\r\n--x--\r\n",
            400,
            id="a part that is packed in a way nobody knows",
        ),
        pytest.param(
            LOGGED_IN + OURS + PARTS,
            FIELD + b"Content-Type: text/plain; charset=zz\r\n\r\nab\r\n--x--\r\n",
            400,
            id="a part in letters nobody knows",
        ),
        pytest.param(LOGGED_IN + FORM + OURS + b"Content-Encoding: gzip\r\n", b"no", 400, id="packed, and not"),
        pytest.param(LOGGED_IN + FORM + OURS, b"a=b&" * 300_000, 413, id="too large"),
        pytest.param(LOGGED_IN + FORM + OURS + b"X-Ringback-CSRF: \xff\r\n", b"", 403, id="a token that is no text"),
        pytest.param(ODD_COOKIES + FORM + OURS, b"csrf=x", 401, id="cookies that are no text"),
    ],
)
async def test_a_broken_request_gets_a_page_that_says_no(headers, body, status):
    async with client_as(Role.AGENT, Ticks) as visitor:
        answer = await send(visitor.origin, headers, body)
    head, _, page = answer.partition(b"\r\n\r\n")
    assert head.split()[1] == str(status).encode(), head
    assert b"Content-Security-Policy" in head
    assert b"<html" in page
