"""Where a line to a carrier is cut, and what had been said until then: what we make of it, and what was true.

Eight places, four answers, by seed. The oracle knows only what the server did: a text is definitely not sent if nobody
took the connection, or if a whole head with a status that says no came. SOAK=1 sends more.
"""

import asyncio
import json
import os
import random
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pytest

from ringback.carriers.twilio import Twilio, build
from ringback.errors import Rejected, SendFailed, Throttled, Unconfirmed, Unreachable
from ringback.ports import CarrierContext, CarrierRef
from tests.carriers.twilio_parts import ANA, SID, text
from tests.fakes.hand_clock import HandClock
from tests.fakes.twilio import ACCOUNT, TOKEN

EACH = 250 if os.environ.get("SOAK", "0") not in ("", "0") else 13
SEED = 20261122
WINDOW = 30
LENGTH = re.compile(rb"(?i)content-length: (\d+)")


class Place(StrEnum):
    REFUSED = "nobody listens"
    BEFORE = "before the request was read"
    DURING = "while the request was read"
    AFTER = "after the request"
    STATUS = "after the status"
    HEAD = "after the headers"
    BODY = "within the body of the answer"
    SLOW = "a byte a second, until we lose patience"


@dataclass(frozen=True)
class Outcome:
    """What the carrier decided, if it read the whole request, and how it says so."""

    status: bytes
    body: dict[str, object]
    took: bool

    def answer(self) -> tuple[bytes, bytes, bytes]:
        body = json.dumps(self.body).encode()
        head = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        return b"HTTP/1.1 %s\r\n" % self.status, head, body


OUTCOMES = {
    "it took the text": Outcome(b"201 Created", {"sid": SID}, took=True),
    "it refuses the text": Outcome(b"400 Bad Request", {"code": 21614}, took=False),
    "it has no time": Outcome(b"429 Too Many Requests", {"code": 20429}, took=False),
    "it broke, and took the text": Outcome(b"500 Internal Server Error", {"code": 20500}, took=True),
}


@dataclass(frozen=True)
class Done:
    """What the server did with one connection: whether it read all, and what it wrote before the cut."""

    read: bool
    wrote: bytes


@dataclass
class Cutter:
    """Cuts each connection at its place. `done` is its ledger."""

    place: Place
    outcome: Outcome
    dice: random.Random
    done: list[Done] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.place is Place.BEFORE:
            return self._reset(writer)
        if self.place is Place.DURING:
            await reader.readexactly(self.dice.randrange(1, 400))
            return self._reset(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(LENGTH.search(head)[1]))
        if self.place is Place.AFTER:
            return self._reset(writer, read=True)
        wrote = self._until()
        self.done.append(Done(True, wrote))
        writer.write(wrote)
        if self.place is Place.SLOW:
            await self._drip(writer, b"".join(self.outcome.answer())[len(wrote) :])
        return None

    def _reset(self, writer: asyncio.StreamWriter, read: bool = False) -> None:
        self.done.append(Done(read, b""))
        writer.transport.abort()

    def _until(self) -> bytes:
        """What of the answer goes out."""
        status, head, body = self.outcome.answer()
        match self.place:
            case Place.STATUS:
                return status
            case Place.HEAD:
                return status + head
            case Place.BODY:
                return status + head + body[: self.dice.randrange(1, len(body))]
        whole = status + head + body
        return whole[: self.dice.randrange(len(whole))]

    async def _drip(self, writer: asyncio.StreamWriter, rest: bytes) -> None:
        """Slow, and yet not silent. Nothing that matters can be in it: our patience is a tenth of this."""
        for byte in rest:
            try:
                async with asyncio.timeout(1):
                    await self.over.wait()
                    return
            except TimeoutError:
                writer.write(bytes((byte,)))


def oracle(done: Done, outcome: Outcome) -> type[SendFailed] | type[CarrierRef]:
    """What a careful reader of the wire may believe, from what was on it."""
    head, found, body = done.wrote.partition(b"\r\n\r\n")
    if not found:
        return Unconfirmed
    whole = body == outcome.answer()[2]
    match int(head.split()[1]):
        case 201:
            return CarrierRef if whole else Unconfirmed
        case 400:
            return Rejected if whole else Unreachable
        case 429:
            return Throttled
    return Unconfirmed


@asynccontextmanager
async def carrier_at(port: int, folder: Path) -> AsyncIterator[Twilio]:
    options = {"account": ACCOUNT, "key": TOKEN, "api": f"http://127.0.0.1:{port}", "window": WINDOW}
    carrier = build("main", {**options, "answer_within": "100ms"}, CarrierContext(HandClock(), folder))
    try:
        yield carrier
    finally:
        await carrier.close()


async def sent(carrier: Twilio) -> type[SendFailed] | type[CarrierRef]:
    try:
        return type(await carrier.send(text(ANA)))
    except SendFailed as failure:
        assert str(failure).strip()
        return type(failure)


async def many(carrier: Twilio, number: int) -> "list[type[SendFailed] | type[CarrierRef]]":
    """Send so many, a window at a time."""
    made = []
    while left := number - len(made):
        made += await asyncio.gather(*(sent(carrier) for _ in range(min(left, WINDOW))))
    return made


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
@pytest.mark.parametrize("place", [place for place in Place if place is not Place.REFUSED])
async def test_a_cut_line_is_read_as_what_was_on_it(tmp_path: Path, place: Place, outcome: Outcome, record_property):
    cutter = Cutter(place, outcome, random.Random(f"{SEED} {place} {outcome.status!r}"))
    server = await asyncio.start_server(cutter.serve, "127.0.0.1", 0)
    async with carrier_at(server.sockets[0].getsockname()[1], tmp_path) as carrier:
        made = await many(carrier, EACH)
    cutter.over.set()
    server.close()
    await server.wait_closed()
    record_property("texts", len(made))
    assert len(made) == len(cutter.done) == EACH, "a text was sent twice, or never"
    assert sorted(map(str, made)) == sorted(str(oracle(done, outcome)) for done in cutter.done)
    if outcome.took and any(done.read for done in cutter.done):
        assert set(made) <= {CarrierRef, Unconfirmed}, "what was taken was called not sent"


async def test_nobody_listens_and_so_nothing_was_sent(tmp_path: Path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # nobody else gets the port, and nobody listens there
        async with carrier_at(closed.getsockname()[1], tmp_path) as carrier:
            made = await many(carrier, EACH * len(OUTCOMES))
    assert set(made) == {Unreachable}
