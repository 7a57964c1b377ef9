"""Structured logs: one line an event, JSON for machines or plain words on a terminal; never a text's body."""

import json
import logging
import sys
from enum import StrEnum
from typing import TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger


class LogFormat(StrEnum):
    JSON = "json"
    PLAIN = "plain"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


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

    def format(self, record: logging.LogRecord) -> str:
        said = super().format(record)
        if self._form is LogFormat.PLAIN:
            return f"{record.levelname} {record.name}: {_escape(said)}"
        return json.dumps({"event": said, "level": record.levelname.lower(), "logger": record.name})


def start_logging(form: LogFormat, level: LogLevel = LogLevel.INFO, stream: TextIO | None = None) -> None:
    """Send every log line to `stream`, else standard error: ours, and those of libraries from warning on."""
    out = stream or sys.stderr
    rank = logging.getLevelNamesMapping()[level.upper()]
    plain = form is LogFormat.PLAIN
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
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
