"""The second way to ask, for an Asterisk without func_curl: FastAGI.

Asterisk waits for an AGI without a time-out, so the line is closed after 300 ms whatever happens. A process that is
frozen closes nothing: only CURL() saves a call from that.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from itertools import takewhile

import structlog

from ringback.config.addresses import Address
from ringback.dialplan.answering import Answering
from ringback.dialplan.words import fields_of

log = structlog.get_logger("dialplan")

LONGEST_LINE = 8 * 1024
MOST_LINES = 256
ARGUMENT = "agi_arg_"


async def serve_agi(address: Address, answering: Answering, tell: Callable[[int], None]) -> None:
    """Answer the dialplan until cancelled. `tell` gets the port, which the system may have chosen."""
    talking: set[asyncio.Task[None]] = set()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        try:
            if len(talking) <= answering.limits.connections:
                await _talk(answering, reader, writer)
        finally:
            talking.discard(task)
            # nothing that is still unsent may hold the channel
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    server = await asyncio.start_server(take, address.host, address.port, limit=LONGEST_LINE)
    try:
        tell(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()
    finally:
        server.close()
        for task in talking:
            task.cancel()


async def _talk(answering: Answering, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read what is asked, set the variable, and be gone."""
    asked = ""
    try:
        async with asyncio.timeout(answering.limits.agi_s):
            told = await _environment(reader)
            asked, _, query = _script(told).partition("?")
            pairs = [*query.split("&"), *_arguments(told)]
            if not answering.knows(_token(pairs)):
                return
            answer = await answering.answer(asked, partial(fields_of, pairs))
            if answer.status == 200:
                # the line holds neither quotes nor back-slashes nor line ends
                writer.write(b'SET VARIABLE RINGBACK_ANSWER "%s"\n' % answer.line)
                await writer.drain()
                asked = ""
                await reader.readline()
    except TimeoutError:
        answering.late(asked, answering.limits.agi_s)
    except (ConnectionError, asyncio.IncompleteReadError, ValueError):
        return


Told = Sequence[tuple[str, str]]


async def _environment(reader: asyncio.StreamReader) -> Told:
    """What Asterisk says first: `name: value` a line, up to an empty one."""
    told: list[tuple[str, str]] = []
    for _ in range(MOST_LINES):
        line = (await reader.readuntil(b"\n")).decode("utf-8", "replace").rstrip("\r\n")
        if not line:
            return told
        name, _, value = line.partition(": ")
        told.append((name, value))
    raise ValueError("this is no AGI")


def _script(told: Told) -> str:
    """The verb and its parameters: Asterisk says it before anything that a caller chose."""
    return next((value for name, value in told if name == "agi_network_script"), "")


def _arguments(told: Told) -> list[str]:
    """Only those at the very end: a caller's name may hold line ends, and stands before them."""
    last = takewhile(lambda one: one[0].startswith(ARGUMENT), reversed(told))
    return [value for _name, value in last]


def _token(arguments: list[str]) -> str:
    return next((one.removeprefix("token=") for one in arguments if one.startswith("token=")), "")
