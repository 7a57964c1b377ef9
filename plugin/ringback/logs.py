"""Structured logs: one line an event, JSON for machines or plain words on a terminal; never a text's body."""

import json
import logging
import os
import re
import sys
import traceback
from datetime import UTC, datetime
from enum import StrEnum
from typing import TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from ringback.core.numbers import mask
from ringback.errors import told


def new_request_id() -> str:
    """Under this id whoever asked finds what the log says of it."""
    return f"req_{os.urandom(8).hex()}"


class LogFormat(StrEnum):
    JSON = "json"
    PLAIN = "plain"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


NUMBER = re.compile(r"\+[0-9]{8,15}(?![0-9])")
OURS = frozenset({"did", "what"})
"""Keys whose values are our own numbers, which are no secret."""


def hide_numbers(text: str) -> str:
    """Show of each number what tells two apart, and not whose it is."""
    return NUMBER.sub(lambda found: mask(found[0]), text) if "+" in text else text


def _without_people(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Numbers are masked wherever they stand, also in what carriers and databases say."""
    return {
        key: hide_numbers(value) if isinstance(value, str) and key not in OURS else value
        for key, value in event.items()
    }


def _without_words(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The trace of a failure, but not what it says: that may quote the text it fell over."""
    problem = event.pop("exc_info", None)
    if problem is True:
        problem = sys.exc_info()[1]
    elif isinstance(problem, tuple):
        problem = problem[1]
    if isinstance(problem, BaseException):
        event["exception"] = trace(problem)
    return event


def trace(problem: BaseException) -> str:
    """A traceback with kinds and places, and words only where they are ours or the system's."""
    lines = [
        "Traceback (most recent call last):\n",
        *traceback.format_list(traceback.extract_tb(problem.__traceback__)),
    ]
    lines.append(f"{type(problem).__name__}: {told(problem)}")
    if isinstance(problem, BaseExceptionGroup):
        lines += [f"\n{trace(one)}" for one in problem.exceptions]
    if (cause := problem.__cause__ or problem.__context__) is not None:
        lines.append(f"\nbecause of {trace(cause)}")
    return "".join(lines)


def _no_line_breaks(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Callers choose their names, so a value must not be able to begin a line of its own."""
    # under its own name the renderer would put it on lines of its own
    if "exception" in event:
        event["traceback"] = event.pop("exception")
    return {key: _escape(value) if isinstance(value, str) else value for key, value in event.items()}


def _escape(value: str) -> str:
    return value if value.isprintable() else value.encode("unicode_escape").decode()


class _Lines(logging.Formatter):
    """What libraries log, in the form of our own lines."""

    def __init__(self, form: LogFormat) -> None:
        super().__init__()
        self._form = form

    def formatException(self, ei: object) -> str:  # noqa: N802  # the name is logging's
        problem = ei[1] if isinstance(ei, tuple) else None
        return trace(problem) if problem is not None else ""

    def format(self, record: logging.LogRecord) -> str:
        said = hide_numbers(super().format(record))
        at = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
        level = record.levelname.lower()
        if self._form is LogFormat.PLAIN:
            return f"{at} [{level:9}] {_escape(said)} logger={record.name}"
        return json.dumps({"event": said, "level": level, "timestamp": at, "logger": record.name})


def start_logging(form: LogFormat, level: LogLevel = LogLevel.INFO, stream: TextIO | None = None) -> None:
    """Send every log line to `stream`, else standard error: ours, and those of libraries from warning on."""
    out = stream or sys.stderr
    rank = logging.getLevelNamesMapping()[level.upper()]
    plain = form is LogFormat.PLAIN
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_words,
            _without_people,
            _no_line_breaks if plain else _pass,
            structlog.dev.ConsoleRenderer(colors=out.isatty()) if plain else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(rank),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(_Lines(form))
    logging.basicConfig(level=max(rank, logging.WARNING), handlers=[handler])


def _pass(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return event
