"""A carrier whose signature is easy to make, a store that is told what to do, and the real listener between them."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from ringback.config import Address
from ringback.hooks import Limits, Reception, serve
from ringback.hooks.limits import USUAL
from ringback.ports import Answer, Hook, Incoming, Unreadable
from tests.fakes.hand_clock import HandClock

PUBLIC = "https://sms.example.com"
INBOUND = "/hooks/main/inbound"
BIG = "/hooks/big/inbound"
FORM = "application/x-www-form-urlencoded"
TEXT = b"id=SM1&from=%2B12025550147&to=%2B12025550101&text=Yes+please"


def sign(target: str, body: bytes, public: str = PUBLIC, key: bytes = b"key") -> str:
    """Sign the address the carrier calls: the public host, and the whole target behind it."""
    origin = "/".join(public.split("/")[:3])
    return hmac.new(key, (origin + target).encode() + b"\n" + body, hashlib.sha256).hexdigest()


class Pigeon:
    """Signs the address and the raw body. A form without a text makes no sense to it, and `boom` breaks it."""

    answer = Answer("<thanks/>", "text/xml")

    def trusts(self, hook: Hook) -> bool:
        given = hook.headers.get("x-pigeon", "")
        if given == "boom":
            raise ValueError("a text that must not be logged")
        made = hmac.new(b"key", hook.url.encode() + b"\n" + hook.body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(made.encode(), given.encode())

    def read(self, hook: Hook) -> list[Incoming]:
        fields = dict(hook.form or ())
        if "boom" in fields:
            raise ZeroDivisionError(fields["boom"])
        if "text" not in fields:
            raise Unreadable("it has no text")
        if not fields["text"]:
            return []
        return [Incoming(fields["id"], fields["from"], fields["to"], fields["text"], hook.received_at)]


class Bigger(Pigeon):
    """One whose hooks may be large."""

    largest_hook = 3 * 1024 * 1024


@dataclass
class Store:
    """Takes what comes, fails with `fault`, or waits for `gate`."""

    taken: list[tuple[str, str]] = field(default_factory=list)
    aside: list[tuple[str, bytes, str]] = field(default_factory=list)
    fault: Exception | None = None
    gate: asyncio.Event | None = None
    waiting: asyncio.Queue[None] = field(default_factory=asyncio.Queue)

    async def take(self, carrier, events, raw):
        await self._obey()
        self.taken += [(carrier, event.text) for event in events]

    async def quarantine(self, carrier, raw, why):
        await self._obey()
        self.aside.append((carrier, raw, why))

    async def _obey(self):
        self.waiting.put_nowait(None)
        if self.gate is not None:
            await self.gate.wait()
        if self.fault is not None:
            raise self.fault


@dataclass
class Said:
    """An answer off the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


async def read_answer(reader: asyncio.StreamReader) -> Said:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Said(int(head[0].split()[1]), headers, body)


@dataclass
class Door:
    """The listener while it listens."""

    port: int
    store: Store
    reception: Reception
    clock: HandClock
    stop: Callable[[], None]

    @asynccontextmanager
    async def line(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def ask(self, request: bytes) -> Said:
        """Send these bytes and read one answer."""
        async with self.line() as (reader, writer):
            writer.write(request)
            return await asyncio.wait_for(read_answer(reader), 10)


def hook(
    body: bytes = TEXT,
    target: str = INBOUND,
    method: str = "POST",
    headers: tuple[tuple[str, str], ...] = (),
    public: str = PUBLIC,
    signature: str | None = None,
    length: str | None = None,
    line_end: str = "HTTP/1.1",
) -> bytes:
    """One request as bytes, signed unless told otherwise."""
    lines = [
        f"{method} {target} {line_end}",
        "Host: sms.example.com",
        f"X-Pigeon: {sign(target, body, public) if signature is None else signature}",
        f"Content-Length: {len(body) if length is None else length}",
    ]
    if "content-type" not in {name.lower() for name, _ in headers}:
        lines.append(f"Content-Type: {FORM}")
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


Listening = Callable[..., AbstractAsyncContextManager[Door]]


@pytest.fixture
def listening() -> Listening:
    @asynccontextmanager
    async def listen(
        public: str = PUBLIC, limits: Limits = USUAL, carriers: dict[str, object] | None = None
    ) -> AsyncIterator[Door]:
        store, clock = Store(), HandClock()
        reception = Reception(carriers or {"main": Pigeon(), "big": Bigger()}, store, public, clock, limits)
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(serve(Address("127.0.0.1", 0), reception, port.set_result))
        try:
            yield Door(await port, store, reception, clock, serving.cancel)
        finally:
            serving.cancel()
            await asyncio.wait((serving,))

    return listen


@pytest.fixture
async def door(listening: Listening) -> AsyncIterator[Door]:
    async with listening() as door:
        yield door
