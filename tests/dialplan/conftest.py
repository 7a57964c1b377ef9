"""Both listeners, and behind them somebody who answers what a test says and keeps what was asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from ringback.config import Address
from ringback.core.reasons import Reason
from ringback.dialplan import Answering, Limits, serve, serve_agi
from ringback.flow.dialplan_words import Accepted, Offered, Sent, Step, TextNow, Wait
from tests.conftest import NOON
from tests.fakes.hand_clock import HandClock

TOKEN = "t0ken-of_this-test-0123456789abcdefghijkl"
TEXT = "msg_" + "0" * 26
HERE = Address("127.0.0.1", 0)

SAID = {
    "textable": Reason.ALLOWED,
    "consent": Reason.CONSENT_MISSING,
    "agents": 2,
    "wait": Wait(timedelta(seconds=95.6), 4),
    "offer": Offered(Step.OFFER, Reason.ALLOWED, timedelta(seconds=95), "deflection:1.1", 3),
    "accept": Accepted(Reason.ALLOWED, TEXT, 3),
    "decline": 3,
    "state": TextNow("pending"),
    "letgo": "",
    "send": Sent(Reason.ALLOWED, TEXT),
    "reply": None,
    "optout": Reason.ALLOWED,
}


@dataclass
class Answers:
    """What answers the questions: `said` by verb, an exception is raised, an event is waited for."""

    said: dict = field(default_factory=lambda: dict(SAID))
    asked: list = field(default_factory=list)

    def __getattr__(self, verb):
        async def answer(question):
            self.asked.append((verb, question))
            said = self.said[verb]
            if isinstance(said, asyncio.Event):
                await said.wait()
            if isinstance(said, Exception):
                raise said
            return said

        return answer


@dataclass
class Reply:
    """An answer off the wire."""

    status: int
    body: bytes
    headers: dict
    raw: bytes = b""


@dataclass
class Door:
    """Both listeners while they listen."""

    answers: Answers
    answering: Answering
    clock: HandClock
    took: list
    port: int = 0
    agi_port: int = 0

    async def get(self, target: str, token: str | None = TOKEN, **more) -> Reply:
        return await self.send(request(target, token, **more))

    async def send(self, raw: bytes) -> Reply:
        """Send these bytes on a line of their own and read one answer."""
        async with line(self.port) as (reader, writer):
            writer.write(raw)
            return await asyncio.wait_for(read_reply(reader), 10)

    async def agi(self, script: str, *arguments: str, lines: tuple[str, ...] = ()) -> str | None:
        """Talk as Asterisk does: the environment, then what it is told to set. None where it is told nothing."""
        async with line(self.agi_port) as (reader, writer):
            writer.write(environment(script, *arguments, lines=lines))
            said = await asyncio.wait_for(reader.readline(), 10)
            if not said:
                return None
            writer.write(b"200 result=1\n")
            assert await asyncio.wait_for(reader.read(), 10) == b""  # it hangs up
            assert said.startswith(b'SET VARIABLE RINGBACK_ANSWER "')
            assert said.endswith(b'"\n')
            return said[30:-2].decode()


def request(target: str, token: str | None = TOKEN, method: str = "GET", headers: tuple[str, ...] = ()) -> bytes:
    """A question as CURL() puts it."""
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1:8082", "Accept: */*", *headers]
    if token is not None:
        lines.append(f"X-Ringback-Token: {token}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")


def environment(script: str, *arguments: str, lines: tuple[str, ...] = ()) -> bytes:
    """What Asterisk says first; `lines` stand where a caller's name stands."""
    told = [
        "agi_network: yes",
        f"agi_network_script: {script}",
        "agi_request: agi://127.0.0.1/x",
        "agi_channel: PJSIP/trunk-00000001",
        "agi_uniqueid: 1.1",
        "agi_callerid: 5125550123",
        *lines,
        "agi_context: from-trunk",
        "agi_accountcode: ",
        "agi_threadid: 139837",
        *(f"agi_arg_{number}: {argument}" for number, argument in enumerate(arguments, 1)),
    ]
    return "\n".join([*told, "", ""]).encode()


async def read_reply(reader: asyncio.StreamReader) -> Reply:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(one.lower().split(": ", 1) for one in lines[1:] if one)
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Reply(int(lines[0].split()[1]), body, headers, head)


@asynccontextmanager
async def line(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def doors(limits: Limits = Limits()) -> AsyncIterator[Door]:  # noqa: B008  # a frozen value
    clock, answers, took = HandClock(NOON), Answers(), []
    door = Door(answers, Answering(answers, TOKEN, clock, took.append, limits), clock, took)
    here = asyncio.get_running_loop()
    known = [here.create_future(), here.create_future()]
    parts = [
        asyncio.ensure_future(serve(HERE, door.answering, known[0].set_result)),
        asyncio.ensure_future(serve_agi(HERE, door.answering, known[1].set_result)),
    ]
    door.port, door.agi_port = await asyncio.gather(*known)
    try:
        yield door
    finally:
        for part in parts:
            part.cancel()
        await asyncio.gather(*parts, return_exceptions=True)


@pytest.fixture
def listening():
    return doors


@pytest.fixture
async def door():
    async with doors() as door:
        yield door
