"""Structured logs: one line an event, JSON for machines or plain words on a terminal; never a text's body."""

import asyncio
import atexit
import json
import logging
import re
import sys
import threading
import traceback
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from typing import TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from ringback.core.numbers import mask
from ringback.entropy import entropy
from ringback.errors import told

REQUEST: ContextVar[str] = ContextVar("request", default="")
"""The id of the request that is being answered; it stands in every line that is written meanwhile."""
SOURCE: ContextVar[str] = ContextVar("source", default="")
"""From where that request came: an address, or the control socket."""


def new_request_id() -> str:
    """Under this id whoever asked finds what the log says of it."""
    return f"req_{entropy(8).hex()}"


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


def _with_request(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if request := REQUEST.get():
        event.setdefault("request", request)
    if source := SOURCE.get():
        event.setdefault("source", source)
    return event


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


class Sink:
    """Where lines go, ours and those of libraries, in the order they were said.

    Lines that are said while the event loop runs wait for the end of its turn and are written together: each write
    costs more than its line. From an error on, and where no loop runs, a line is written at once, with all before it.
    A process that is killed loses no line of an earlier turn.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lock = threading.RLock()
        self._waiting: list[str] = []
        self._asked: asyncio.AbstractEventLoop | None = None
        atexit.register(self.flush)

    def say(self, line: str) -> None:
        """Write it with the others of this turn."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.say_now(line)
            return
        with self._lock:
            self._waiting.append(line)
            if self._asked is loop:
                return
            self._asked = loop
        loop.call_soon(self.flush)

    def say_now(self, line: str) -> None:
        with self._lock:
            self._waiting.append(line)
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        with self._lock:
            lines, self._waiting, self._asked = self._waiting, [], None
            if lines:
                # a full disk, a closed pipe: what cannot be told must not stop whoever wanted to tell it
                with suppress(OSError, ValueError):
                    self._out.write("\n".join((*lines, "")))
                    self._out.flush()

    debug = info = warning = msg = say
    error = critical = exception = fatal = say_now
    # by these names structlog finds what a level is written by


class _Handler(logging.Handler):
    """Brings what libraries log to the same sink."""

    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        say = self._sink.say_now if record.levelno >= logging.ERROR else self._sink.say
        try:
            say(self.format(record))
        except Exception:  # a log that cannot be written stops nothing
            self.handleError(record)


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
    sink = Sink(out)
    rank = logging.getLevelNamesMapping()[level.upper()]
    plain = form is LogFormat.PLAIN
    structlog.configure(
        processors=[
            _with_request,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_words,
            _without_people,
            _no_line_breaks if plain else _pass,
            structlog.dev.ConsoleRenderer(colors=out.isatty()) if plain else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(rank),
        logger_factory=lambda *_: sink,
        cache_logger_on_first_use=True,
    )
    handler = _Handler(sink)
    handler.setFormatter(_Lines(form))
    logging.basicConfig(level=max(rank, logging.WARNING), handlers=[handler])


def _pass(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return event
