"""Logs: one line an event, whatever a value holds; JSON where machines read."""

import asyncio
import errno
import io
import json
import logging
import os
import subprocess
import sys
import threading

import pytest
import structlog

from ringback.logs import REQUEST, LogFormat, LogLevel, start_logging

HOSTILE = "Ann\r\n2026-11-20 [info] text sent\x1b[2J\u2028\x9b31m\u202e"


@pytest.fixture
def logged():
    """Start logging into memory; everything is as before when the test ends."""
    root = logging.getLogger()
    handlers, rank, before = root.handlers[:], root.level, structlog.get_config()

    def start(form, level=LogLevel.INFO):
        root.handlers.clear()
        out = io.StringIO()
        start_logging(form, level, out)
        return out

    yield start
    root.handlers[:] = handlers
    root.setLevel(rank)
    structlog.configure(**before)


@pytest.mark.parametrize("form", LogFormat)
def test_no_value_can_begin_a_line_or_steer_a_terminal(logged, form):
    out = logged(form)
    structlog.get_logger("calls").info("call ended", caller=HOSTILE, legs=[HOSTILE])
    (line,) = out.getvalue().splitlines()
    assert line.isprintable()


@pytest.mark.parametrize("form", LogFormat)
def test_an_error_with_its_traceback_is_one_line(logged, form):
    out = logged(form)
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        structlog.get_logger("parts").exception("part failed", part="web")
    (line,) = out.getvalue().splitlines()
    assert line.isprintable()
    assert "Traceback" in line
    assert "ValueError" in line


@pytest.mark.parametrize("form", LogFormat)
def test_what_libraries_say_is_one_line_too(logged, form):
    out = logged(form)
    logging.getLogger("aiohttp.server").error("bad request: %s", HOSTILE)
    logging.getLogger("aiohttp.access").info("not told")
    (line,) = out.getvalue().splitlines()
    assert line.isprintable()
    assert "aiohttp.server" in line


def test_json_has_the_event_its_level_its_time_and_its_values(logged):
    out = logged(LogFormat.JSON)
    structlog.get_logger("calls").warning("call ended", call="1.1", caller="José")
    logging.getLogger("aiohttp.server").error("bad request")
    ours, theirs = map(json.loads, out.getvalue().splitlines())
    stamp = ours.pop("timestamp")
    assert stamp.endswith("Z")
    assert ours == {"event": "call ended", "level": "warning", "call": "1.1", "caller": "José"}
    assert theirs.pop("timestamp").endswith("Z")
    assert theirs == {"event": "bad request", "level": "error", "logger": "aiohttp.server"}


@pytest.mark.parametrize(
    ("level", "told"),
    [
        pytest.param(LogLevel.DEBUG, ["debug", "info", "warning", "error"], id="debug"),
        pytest.param(LogLevel.INFO, ["info", "warning", "error"], id="info"),
        pytest.param(LogLevel.WARNING, ["warning", "error"], id="warning"),
        pytest.param(LogLevel.ERROR, ["error"], id="error"),
    ],
)
def test_only_what_matters_enough_is_told(logged, level, told):
    out = logged(LogFormat.JSON, level)
    log = structlog.get_logger("calls")
    for name in ("debug", "info", "warning", "error"):
        getattr(log, name)("said")
    assert [json.loads(line)["level"] for line in out.getvalue().splitlines()] == told


class Counting(io.StringIO):
    """Knows how often it was written to."""

    writes = 0

    def write(self, text):
        self.writes += 1
        return super().write(text)


@pytest.fixture
def counted(logged, monkeypatch):
    monkeypatch.setattr(io, "StringIO", Counting)
    return logged(LogFormat.JSON)


def events(out):
    return [json.loads(line)["event"] for line in out.getvalue().splitlines()]


async def test_the_lines_of_one_turn_are_written_together_in_their_order(counted):
    log = structlog.get_logger("calls")
    log.info("first")
    logging.getLogger("aiohttp.server").warning("second")
    log.warning("third")
    assert counted.getvalue() == ""
    await asyncio.sleep(0)
    assert events(counted) == ["first", "second", "third"]
    assert counted.writes == 1
    log.info("fourth")
    await asyncio.sleep(0)
    assert events(counted)[3:] == ["fourth"]


async def test_an_error_is_written_at_once_with_all_before_it(counted):
    log = structlog.get_logger("calls")
    log.info("before")
    log.error("broken")
    assert events(counted) == ["before", "broken"]
    await asyncio.sleep(0)
    assert counted.writes == 1


async def test_a_thread_beside_the_loop_writes_at_once_and_after_what_was_said(counted):
    log = structlog.get_logger("calls")
    log.info("the loop")
    beside = threading.Thread(target=log.info, args=("the thread",))
    beside.start()
    beside.join()
    assert events(counted) == ["the loop", "the thread"]


class Full(io.StringIO):
    """A disk that has no room for a while."""

    full = True

    def write(self, text):
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


async def test_a_log_that_cannot_be_written_stops_nobody(logged, monkeypatch):
    monkeypatch.setattr(io, "StringIO", Full)
    out = logged(LogFormat.JSON)
    log = structlog.get_logger("store")
    log.info("in the loop")
    log.error("the disk is full")
    await asyncio.to_thread(log.error, "said beside the loop")
    logging.getLogger("aiohttp.server").error("said by a library")
    out.full = False
    log.error("there is room again")
    assert events(out) == ["there is room again"]


def test_a_log_that_nobody_reads_any_more_stops_nobody(logged):
    out = logged(LogFormat.JSON)
    out.close()
    structlog.get_logger("store").error("nobody hears this")


LAST_WORDS = """
import asyncio, structlog
from ringback.logs import LogFormat, start_logging
start_logging(LogFormat.JSON)
async def main():
    structlog.get_logger("calls").info("last words")
    {end}
loop = asyncio.new_event_loop()
task = loop.create_task(main())
loop.run_forever()
"""


@pytest.mark.parametrize(
    "end",
    [
        pytest.param("asyncio.get_running_loop().stop()", id="a loop that is stopped"),
        pytest.param("raise SystemExit(3)", id="a fall out of the loop"),
    ],
)
def test_nothing_said_is_lost_when_the_process_ends_in_the_same_turn(end):
    ended = subprocess.run(
        [sys.executable, "-c", LAST_WORDS.format(end=end)],
        env={**os.environ, "PYTHONPATH": "plugin"},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert "last words" in ended.stderr


async def test_a_line_says_for_which_request_it_was_written(logged):
    out = logged(LogFormat.JSON)
    log = structlog.get_logger("api")
    before = REQUEST.set("req_1")
    log.error("within")
    REQUEST.reset(before)
    log.error("after")
    within, after = map(json.loads, out.getvalue().splitlines())
    assert within["request"] == "req_1"
    assert "request" not in after
