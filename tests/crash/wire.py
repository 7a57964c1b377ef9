"""A stretch of wire between the daemon and its carrier that breaks: at a byte drawn by seed, in either direction."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.crash.ledgers import Book

USUAL_BYTES = 900
"""About what one text takes in both directions, so a cut falls anywhere in it: head, body, answer."""


class Wire:
    """Passes bytes on. Of a hundred connections, `cut` are broken, each at one byte of its life."""

    def __init__(self, to: int, seed: int, cut: float, faults: Book) -> None:
        self.to, self.cut, self.faults = to, cut, faults
        self.random = random.Random(f"wire {seed}")
        self.port = 0
        self.cuts = 0

    async def pass_on(self, near: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        try:
            far, ask = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            answer.transport.abort()
            return
        left = [self.random.randrange(1, USUAL_BYTES * 6)] if self.random.random() < self.cut else [-1]
        ways = [asyncio.ensure_future(self._one_way(*way, left)) for way in ((near, ask), (far, answer))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        ask.transport.abort()
        answer.transport.abort()

    async def _one_way(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, left: list[int]) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if 0 <= left[0] < len(data):
                    sink.write(data[: left[0]])
                    await sink.drain()
                    # what was written has to leave before the line goes
                    await asyncio.sleep(0)
                    self.cuts += 1
                    self.faults.write("cut", window=1)
                    return
                if left[0] >= 0:
                    left[0] -= len(data)
                sink.write(data)
                await sink.drain()


@asynccontextmanager
async def wire(to: int, seed: int, cut: float, faults: Book) -> AsyncIterator[Wire]:
    """Lay a wire to a port of this machine; `port` is its near end."""
    made = Wire(to, seed, cut, faults)
    server = await asyncio.start_server(made.pass_on, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
