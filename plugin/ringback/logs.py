"""Structured logs: one line an event, JSON for machines or plain words on a terminal; never a text's body."""

import logging
import sys
from enum import StrEnum
from typing import TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger


class LogFormat(StrEnum):
    JSON = "json"
    PLAIN = "plain"


def _no_line_breaks(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Callers choose their names, so a value must not be able to begin a line of its own."""
    return {key: _escape(value) if isinstance(value, str) else value for key, value in event.items()}


def _escape(value: str) -> str:
    return value if value.isprintable() else value.encode("unicode_escape").decode()


def start_logging(form: LogFormat, level: str = "info", stream: TextIO = sys.stderr) -> None:
    """Send every log line to `stream`, ours and those of libraries from warning on."""
    rank = logging.getLevelNamesMapping()[level.upper()]
    renderer = (
        structlog.processors.JSONRenderer()
        if form is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _no_line_breaks if form is LogFormat.PLAIN else _pass,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(rank),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=max(rank, logging.WARNING), stream=stream, format="%(levelname)s %(name)s: %(message)s")


def _pass(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return event
