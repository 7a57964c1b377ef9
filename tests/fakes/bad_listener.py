"""Ringbacks that are broken in one way each, for a dialplan that must not care."""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl

Streams = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
PAGE = b"<html><body>404: rb|offer|40|x</body></html>\n"
TOO_MUCH = b"rb|offer|40|" + b"x" * 1_000_000


async def _asked(reader: asyncio.StreamReader) -> None:
    await reader.readuntil(b"\r\n\r\n")


def _says(*pieces: bytes, ends: bool = True) -> Streams:
    """Say this whatever is asked; then hang up, or keep the line open and say no more."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _asked(reader)
        for piece in pieces:
            writer.write(piece)
        await writer.drain()
        if not ends:
            await reader.read()

    return serve


async def _hangs(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Take the question and never answer."""
    await reader.read()


async def _drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer right, a byte at a time, for ever."""
    await _asked(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\nrb|offer|40|")
    for _ in range(400):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.1)


async def _resets(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Cut the line at once, without a word."""
    line = writer.get_extra_info("socket")
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _redirects(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send whoever asks round in a circle."""
    await _asked(reader)
    host, port = writer.get_extra_info("sockname")
    writer.write(f"HTTP/1.1 302 Found\r\nLocation: http://{host}:{port}/x\r\nContent-Length: 0\r\n\r\n".encode())
    await writer.drain()


def page(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


WAYS: dict[str, Streams] = {
    "hook_hang": _hangs,
    "hook_half": _says(b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\nrb|offer|", ends=False),
    "hook_half_and_gone": _says(b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\nrb|offer|"),
    "hook_half_head": _says(b"HTTP/1.1 200 OK\r\nContent-Le", ends=False),
    "hook_garbage": _says(random.Random(7).randbytes(4096)),
    "hook_garbage_line": _says(page("200 OK", b'rb"|$[1/0]|${SHELL(id)}\x00\xff\n')),
    "hook_nearly": _says(page("200 OK", b"RB|offer|40|x")),
    "hook_whole_but_no_end": _says(page("200 OK", b"rb|offer|40|x")),
    "hook_too_much": _says(page("200 OK", TOO_MUCH)),
    "hook_empty": _says(page("200 OK", b"")),
    "hook_404": _says(page("404 Not Found", PAGE)),
    "hook_500": _says(page("500 Internal Server Error", b"500: rb|offer|40|x")),
    "hook_slow": _drips,
    "hook_reset": _resets,
    "hook_redirect": _redirects,
}
"""What listens in each way; `hook_down` and `hook_full` are those where nobody takes the line."""


@asynccontextmanager
async def bad(way: str) -> AsyncIterator[str]:
    """Where a dialplan asks a Ringback that is broken in this way."""
    if way in ("hook_down", "hook_full"):
        with _deaf(full=way == "hook_full") as port:
            yield f"http://127.0.0.1:{port}"
        return
    async with _listening(WAYS[way]) as url:
        yield url


GOOD = {"offer": "offer|40|x", "accept": "ok|msg_{:0>26}|1", "state": "accepted", "letgo": "ok"}


@asynccontextmanager
async def breaking(way: str, at: dict[str, str]) -> AsyncIterator[str]:
    """The same with one that answers right until a verb, which is named for each line; the line is in the name of the
    queue and in the last two digits of the text."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            verb, _, query = head.split()[1].decode().removeprefix("/").partition("?")
            told = dict(parse_qsl(query))
            line = (told.get("text") or told["queue"])[-2:]
            if verb == at[line]:
                again = asyncio.StreamReader()
                again.feed_data(head)
                return await WAYS[way](again, writer)
            answer = f"rb|{GOOD[verb].format(line)}|.".encode()
            writer.write(page("200 OK", answer))
        return None

    async with _listening(serve) as url:
        yield url


@asynccontextmanager
async def _listening(serve: Streams) -> AsyncIterator[str]:
    talking: set[asyncio.Task[None]] = set()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await serve(reader, writer)
        finally:
            talking.discard(task)
            writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        last = tuple(talking)
        for task in last:
            task.cancel()
        await asyncio.gather(*last, return_exceptions=True)


@contextlib.contextmanager
def _deaf(full: bool):
    """A port where nothing listens, or where the queue of lines to be taken is full so that none is made."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    lines = []
    try:
        if full:
            held.listen(0)
            for _ in range(4):
                line = socket.socket()
                line.setblocking(False)
                line.connect_ex(held.getsockname())
                lines.append(line)
        yield held.getsockname()[1]
    finally:
        for line in (*lines, held):
            line.close()
