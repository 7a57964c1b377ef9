"""Logs: one line an event, whatever a value holds; JSON where machines read."""

import io
import json
import logging

import pytest
import structlog

from ringback.logs import LogFormat, LogLevel, start_logging

HOSTILE = "Ann\r\n2026-11-20 [info] text sent\x1b[2J\u2028\x9b31m\u202e"


@pytest.fixture
def logged():
    """Start logging into memory; everything is as before when the test ends."""
    root = logging.getLogger()
    handlers, rank = root.handlers[:], root.level

    def start(form, level=LogLevel.INFO):
        root.handlers.clear()
        out = io.StringIO()
        start_logging(form, level, out)
        return out

    yield start
    root.handlers[:] = handlers
    root.setLevel(rank)
    structlog.reset_defaults()


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
