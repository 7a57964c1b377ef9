"""The control socket: how a command on this machine talks to the running daemon.

One JSON object a line each way, over a Unix socket in the state folder that only its owner and root may use.
"""

import asyncio
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import cast

import structlog

from ringback.errors import RingbackError
from ringback.logs import REQUEST, SOURCE, new_request_id

log = structlog.get_logger("control")

SOCKET = "control.sock"
LONGEST_LINE = 64 * 1024
ANSWER_WITHIN_S = 20.0

Words = Mapping[str, str]
Command = Callable[[Words], Awaitable[Words]]
"""Takes the words of a request, and gives those of the answer; raises RingbackError with what to say instead."""


class ControlRefused(RingbackError):
    """The daemon said no; the text says why."""


def may_talk(peer: socket.socket) -> bool:
    """Only root and whoever the daemon runs as may command it."""
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _pid, uid, _gid = struct.unpack("3i", credentials)
    return uid in (0, os.geteuid())


async def serve(state: Path, commands: Mapping[str, Command]) -> None:
    """Answer commands until cancelled. The caller holds the state folder, so an old socket file is a dead one."""
    path = state / SOCKET
    path.unlink(missing_ok=True)

    answering: set[asyncio.Task[None]] = set()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        me = cast("asyncio.Task[None]", asyncio.current_task())
        answering.add(me)
        try:
            await _answer(reader, writer, path, commands)
        finally:
            answering.discard(me)

    old = os.umask(0o117)
    try:
        server = await asyncio.start_unix_server(hear, path, limit=LONGEST_LINE)
    finally:
        os.umask(old)
    try:
        async with server:
            await server.serve_forever()
    finally:
        path.unlink(missing_ok=True)
        await _end(answering)


async def _end(answering: "set[asyncio.Task[None]]") -> None:
    for task in answering:
        task.cancel()
    await asyncio.gather(*answering, return_exceptions=True)


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: Path, commands: Mapping[str, Command]
) -> None:
    try:
        with suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            async with asyncio.timeout(ANSWER_WITHIN_S):
                reply = await _reply(reader, writer.get_extra_info("socket"), path, commands)
                writer.write(json.dumps(reply).encode() + b"\n")
                await writer.drain()
    finally:
        writer.close()


async def _reply(
    reader: asyncio.StreamReader, peer: socket.socket, path: Path, commands: Mapping[str, Command]
) -> dict[str, str]:
    if not may_talk(peer):
        return {"error": f"only root and the owner of {path} may do this"}
    try:
        line = await reader.readline()
    except ValueError:
        return {"error": f"the line is longer than {LONGEST_LINE} bytes"}
    return await obey(line, commands)


async def obey(line: bytes, commands: Mapping[str, Command]) -> dict[str, str]:
    """Carry out one request line and word the answer."""
    try:
        words = {key: value for key, value in json.loads(line).items() if isinstance(value, str)}
        command = commands[words.pop("do")]
    except (ValueError, KeyError, AttributeError, RecursionError):
        return {"error": "this is no command of this Ringback; is the daemon older than the command?"}
    REQUEST.set(new_request_id())  # a connection is a task of its own, so nobody else sees these
    SOURCE.set("control")
    try:
        return {**await command(words)}
    except RingbackError as problem:
        return {"error": str(problem)}


async def ask(state: Path, do: str, **words: str) -> Words | None:
    """Ask the daemon of a state folder; None when none runs there. Raises ControlRefused with what it said."""
    path = state / SOCKET
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            line = await _exchange(path, json.dumps({"do": do, **words}).encode() + b"\n")
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        return None
    except PermissionError as problem:
        raise ControlRefused(f"only root and the owner of {path} may do this") from problem
    except TimeoutError as problem:
        raise ControlRefused("the daemon does not answer; look at its log") from problem
    except OSError as problem:
        raise ControlRefused(f"{path}: {problem.strerror or problem}") from problem
    return read_reply(line)


async def _exchange(path: Path, request: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path, limit=LONGEST_LINE)
    try:
        writer.write(request)
        return await reader.readline()
    except (ConnectionResetError, BrokenPipeError, ValueError):
        return b""
    finally:
        writer.close()


def read_reply(line: bytes) -> Words:
    """The words of an answer. Raises ControlRefused for an error, and for what is no answer."""
    try:
        reply: Words = {**json.loads(line)}
    except (ValueError, TypeError) as problem:
        raise ControlRefused("the daemon closed the line without an answer; look at its log") from problem
    if error := reply.get("error"):
        raise ControlRefused(error)
    return reply
