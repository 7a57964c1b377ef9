"""What carriers that speak HTTP share: one session with bounds, and which failures prove that nothing was sent.

Nothing is repeated here: whoever asked decides that.
"""

import json
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

import aiohttp
import structlog

from ringback.errors import Rejected, SendFailed, Unconfirmed, Unreachable

if TYPE_CHECKING:
    from aiohttp.connector import Connection

log = structlog.get_logger("http")

MOST_ANSWER = 64 * 1024
"""Bytes read of an answer to a text; the rest is not looked at."""
CONNECT_S = 10.0
IDLE_S = 4.0
"""A connection that rests longer is not used again. The other side must not be the one to close it: a request that
crosses with that has left, and nobody knows what became of it."""
LONGEST_WAIT_S = 15 * 60
"""No carrier may ask for more: a text waits for a rule of ours, not for a typing error of theirs."""

HEADERS = {
    "User-Agent": "Ringback",
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # what is packed could unpack to more than we have room for
}


_WRITTEN = [quote_plus(bytes((one,))) for one in range(256)]
"""How a form writes each byte."""


def write_form(form: Sequence[tuple[str, str]]) -> bytes:
    """Write fields as a form body. Raises UnicodeEncodeError for half a character."""
    return "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in form]).encode("ascii")


def _quoted(text: str) -> str:
    return "".join([_WRITTEN[byte] for byte in text.encode()])


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer whose status is known. `body` may be cut short, by the line or by our bound.

    `date` is when the carrier answered, by its own clock.
    """

    status: int
    retry_after: str
    body: bytes = field(repr=False)
    date: str = ""

    def fields(self) -> Mapping[str, object]:
        """Return the members of a JSON object; nothing for any other body."""
        try:
            read = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return read if isinstance(read, dict) else {}

    def wait(self, otherwise: float) -> float:
        """Seconds to wait before the next try: what the carrier asks for, within bounds."""
        asked = self._asked()
        return otherwise if asked is None else min(max(asked, 1.0), LONGEST_WAIT_S)

    def _asked(self) -> float | None:
        """Seconds, or a date: reckoned from the answer's own, since the carrier's clock need not be ours."""
        if self.retry_after.isascii() and self.retry_after.isdecimal():
            return float(self.retry_after[:9])
        until, answered = _moment(self.retry_after), _moment(self.date)
        return None if until is None or answered is None else (until - answered).total_seconds()


def _moment(written: str) -> datetime | None:
    """Read a date of HTTP, in any of its three forms (RFC 9110, 5.6.7); None for anything else."""
    try:
        read = parsedate_to_datetime(written)
    except (ValueError, OverflowError):
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


class Http:
    """The way to one carrier's API. Opens with the first request; `close` it when no more are coming."""

    def __init__(self, base: str, authorization: str, at_once: int, answer_within: timedelta) -> None:
        self._base = base
        self._authorization = authorization
        self._at_once = at_once
        self._answer_within = answer_within.total_seconds()
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, form: Sequence[tuple[str, str]]) -> Reply:
        """Send a form once. Raise Unreachable if provably nothing was sent, Unconfirmed if that is not known."""
        try:
            body = write_form(form)
        except UnicodeEncodeError as problem:
            raise Rejected("the text holds half a character, which cannot be sent") from problem
        left = _Left()
        try:
            return await self._ask("POST", path, MOST_ANSWER, left, body)
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise self._failure(problem, left) from problem

    async def get(self, target: str, most: int) -> Reply:
        """Ask for a page of at most that many bytes. Raise Unreachable if no answer comes."""
        try:
            return await self._ask("GET", target, most, _Left(), None)
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise Unreachable(f"{self._base} cannot be asked: {_words(problem)}") from problem

    async def close(self) -> None:
        """Let the connections go; requests under way end as if the line were cut."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask(self, method: str, target: str, most: int, left: "_Left", body: bytes | None) -> Reply:
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
        _LEFT.set(left)
        asking = self._opened().request(
            method,
            self._base + target,
            data=body,
            headers=kind,
            allow_redirects=False,  # our password goes to nobody else
        )
        async with asking as response:
            got = await _read(response, most)
        log.debug("carrier answered", host=self._base, method=method, status=response.status, bytes=len(got))
        headers = response.headers
        return Reply(response.status, headers.get("Retry-After", ""), got, headers.get("Date", ""))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers={**HEADERS, "Authorization": self._authorization},
                connector=aiohttp.TCPConnector(limit=self._at_once, keepalive_timeout=IDLE_S),
                timeout=aiohttp.ClientTimeout(total=self._answer_within, sock_connect=CONNECT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                request_class=_Noting,
            )
        return self._session

    def _failure(self, problem: Exception, left: "_Left") -> SendFailed:
        if left.yes:
            return Unconfirmed(f"{self._base} was asked and gave no whole answer: {_words(problem)}")
        return Unreachable(f"{self._base} cannot be reached: {_words(problem)}")


@dataclass(slots=True)
class _Left:
    """Whether the first byte of a request may have left this machine."""

    yes: bool = False


_LEFT: ContextVar[_Left] = ContextVar("left")
"""Of the request that is being made."""


class _Noting(aiohttp.ClientRequest):
    """Notes that it leaves. aiohttp's own tracing says so too, and half a dozen other things that nobody asks for."""

    async def send(self, conn: "Connection") -> aiohttp.ClientResponse:
        # there is a connection now, and nothing was written to it yet
        _LEFT.get().yes = True
        return await super().send(conn)


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    got = bytearray()
    try:
        while chunk := await response.content.readany():
            got += chunk
            if len(got) > most:
                response.close()
                break
    except (aiohttp.ClientError, TimeoutError, OSError):
        # the status is known, and that may be all that is needed
        response.close()
    return bytes(got[:most])


def _words(problem: Exception) -> str:
    """Name a fault of the line. A connector's own words name host and cause; those of others may hold an address."""
    if isinstance(problem, TimeoutError):
        return "it took too long"
    if isinstance(problem, aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError):
        return str(problem)
    return type(problem).__name__
