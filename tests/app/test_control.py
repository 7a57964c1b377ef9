"""The control socket: who may talk, what is answered to nonsense, and what a command says when nobody answers."""

import asyncio
import json
import os
import socket
import stat
import struct
from contextlib import asynccontextmanager

import pytest

from ringback import control
from ringback.control import LONGEST_LINE, SOCKET, ControlRefused, ask, may_talk, read_reply, serve
from ringback.errors import RingbackError

NO_COMMAND = "this is no command of this Ringback; is the daemon older than the command?"


async def echo(words):
    return {"heard": words["say"]}


async def refuse(_words):
    raise RingbackError("not today")


async def hang(_words):
    await asyncio.Event().wait()


COMMANDS = {"echo": echo, "refuse": refuse, "hang": hang}


async def asking_until_served(state):
    while (said := await ask(state, "echo", say="x")) is None:
        await asyncio.sleep(0)
    return said


@asynccontextmanager
async def served(state):
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(serve(state, COMMANDS))
        await asking_until_served(state)
        yield
        serving.cancel()


async def exchange(state, data):
    """Send bytes as they are; return the answer's words, None for none."""
    reader, writer = await asyncio.open_unix_connection(state / SOCKET)
    writer.write(data)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return json.loads(answer) if answer else None


async def test_a_command_is_answered(tmp_path):
    async with served(tmp_path):
        assert await ask(tmp_path, "echo", say="grüß\nGott") == {"heard": "grüß\nGott"}


async def test_a_no_comes_back_with_its_words(tmp_path):
    async with served(tmp_path):
        with pytest.raises(ControlRefused, match="not today"):
            await ask(tmp_path, "refuse")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\n", id="an empty line"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe\x00\n", id="bytes"),
        pytest.param(b"pause everything\n", id="words"),
        pytest.param(b"[]\n", id="a list"),
        pytest.param(b"null\n", id="null"),
        pytest.param(b"{}\n", id="no command"),
        pytest.param(b'{"do": "shutdown"}\n', id="a command that is none"),
        pytest.param(b'{"do": ["echo"]}\n', id="a command that is a list"),
        pytest.param(b'{"do": 7}\n', id="a command that is a number"),
        pytest.param(b"[" * 50_000 + b"\n", id="deep"),
    ],
)
async def test_nonsense_is_answered_and_does_no_harm(tmp_path, data):
    async with served(tmp_path):
        assert await exchange(tmp_path, data) == {"error": NO_COMMAND}
        assert await ask(tmp_path, "echo", say="on") == {"heard": "on"}


async def test_a_line_without_end_is_refused(tmp_path):
    async with served(tmp_path):
        said = await exchange(tmp_path, b'{"do": "echo", "say": "' + b"x" * (2 * LONGEST_LINE))
        assert said == {"error": f"the line is longer than {LONGEST_LINE} bytes"}
        assert await ask(tmp_path, "echo", say="on") == {"heard": "on"}


async def test_words_that_are_no_text_are_left_out(tmp_path):
    async with served(tmp_path):
        said = await exchange(tmp_path, b'{"do": "echo", "say": "x", "off": true, "by": {"a": 1}}\n')
        assert said == {"heard": "x"}


async def test_somebody_who_leaves_at_once_stops_nothing(tmp_path):
    async with served(tmp_path):
        for _ in range(10):
            _, writer = await asyncio.open_unix_connection(tmp_path / SOCKET)
            writer.transport.abort()
        assert await ask(tmp_path, "echo", say="on") == {"heard": "on"}


async def test_only_owner_and_group_can_open_the_socket(tmp_path):
    async with served(tmp_path):
        assert stat.S_IMODE((tmp_path / SOCKET).stat().st_mode) == 0o660


async def test_the_socket_goes_with_the_daemon_and_one_left_behind_is_replaced(tmp_path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / SOCKET))
    assert await ask(tmp_path, "echo", say="x") is None
    async with served(tmp_path):
        assert await ask(tmp_path, "echo", say="x") == {"heard": "x"}
    assert not (tmp_path / SOCKET).exists()


async def test_without_a_daemon_there_is_no_answer(tmp_path):
    assert await ask(tmp_path, "echo", say="x") is None
    assert await ask(tmp_path / "nowhere", "echo", say="x") is None
    (tmp_path / "file").touch()
    assert await ask(tmp_path / "file", "echo", say="x") is None


async def test_a_daemon_that_does_not_answer_is_told(tmp_path, monkeypatch):
    async with served(tmp_path):
        monkeypatch.setattr(control, "ANSWER_WITHIN_S", 0.01)
        with pytest.raises(ControlRefused, match="the daemon does not answer; look at its log"):
            await ask(tmp_path, "hang")


async def test_a_path_too_long_for_a_socket_is_told(tmp_path):
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    with pytest.raises(ControlRefused, match="too long"):
        await ask(deep, "echo", say="x")


class Peer:
    """A socket whose other end runs as `uid`."""

    def __init__(self, uid):
        self.uid = uid

    def getsockopt(self, *_):
        return struct.pack("3i", 1, self.uid, 0)


@pytest.mark.parametrize(
    ("uid", "may"),
    [
        pytest.param(0, True, id="root"),
        pytest.param(os.geteuid(), True, id="whoever the daemon runs as"),
        pytest.param(65_533, False, id="somebody else"),
    ],
)
def test_who_may_talk(uid, may):
    assert may_talk(Peer(uid)) is may


async def test_somebody_else_is_told_who_may(tmp_path, monkeypatch):
    async with served(tmp_path):
        monkeypatch.setattr(control, "may_talk", lambda _peer: False)
        with pytest.raises(ControlRefused, match=f"only root and the owner of {tmp_path / SOCKET} may do this"):
            await ask(tmp_path, "echo", say="x")


async def test_somebody_who_may_not_open_the_socket_is_told_so(tmp_path, monkeypatch):
    async def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(asyncio, "open_unix_connection", forbidden)
    with pytest.raises(ControlRefused, match="only root and the owner"):
        await ask(tmp_path, "echo", say="x")


@pytest.mark.parametrize("line", [b"", b"x", b"[1]", b"7", b"null"])
def test_what_is_no_answer_is_told(line):
    with pytest.raises(ControlRefused, match="closed the line without an answer"):
        read_reply(line)
