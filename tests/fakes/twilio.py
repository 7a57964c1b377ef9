"""Twilio on loopback: takes what Twilio would take, refuses what it would refuse, and calls back with its signature.

Written from Twilio's pages, not from our carrier: it shares no line with it. What Twilio answers, and in which cases,
is at www.twilio.com/docs/messaging/api/message-resource and www.twilio.com/docs/api/errors.
"""

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import re
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import format_datetime
from enum import StrEnum
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
from aiohttp import web

from ringback.ports import Clock

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "an auth token of 32 hex digits ."
API_KEY = "SK" + "fedcba9876543210" * 2
API_SECRET = "the secret of the api key"
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
LONGEST_BODY = 1600
ON_ITS_WAY = "queued"


class Manner(StrEnum):
    """How Twilio treats a number."""

    TAKES = "takes"
    REFUSES = "refuses"
    """Answers with `status` and `code`."""
    HANGS = "hangs"
    """Takes the text and never answers."""
    CLOSES = "closes"
    """Takes the text and cuts the line."""
    CUTS_ANSWER = "cuts answer"
    """Takes the text and cuts the line in the middle of the answer."""
    ANSWERS = "answers"
    """Takes the text and answers with `status` and `body`, whatever these are."""
    DAWDLES = "dawdles"
    """Takes the text and answers after `delay` seconds."""


@dataclass(frozen=True)
class Way:
    """A manner with what belongs to it."""

    manner: Manner = Manner.TAKES
    status: int = 201
    code: int | None = None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0


@dataclass(frozen=True)
class Message:
    """A text as Twilio keeps it."""

    sid: str
    direction: str
    sender: str
    to: str
    body: str
    status: str
    at: datetime
    callback: str = ""
    validity: int = 36_000
    media: tuple[tuple[str, str], ...] = ()
    error: int | None = None
    changed_at: datetime | None = None


class FakeTwilio:
    """The server, its ledger (`messages`) and its knobs."""

    def __init__(self, clock: Clock, owned: tuple[str, ...]) -> None:
        self.clock = clock
        self.owned = owned
        self.messages: list[Message] = []
        self.requests: list[tuple[str, str]] = []
        """Method and path of everything asked, served or not."""
        self.address = ""
        self.stopped_by: set[tuple[str, str]] = set()
        """(Our number, handset) of those who wrote STOP."""
        self.page_size = 50
        self.list_status = 200
        self.next_page: Callable[[str], str] = lambda uri: uri
        self._ways: dict[str, Way] = {}
        self._numbers = itertools.count(1)
        self._over = asyncio.Event()
        self._life = secrets.token_hex(8)

    def treat(self, number: str, way: Way) -> None:
        """Treat texts to a number so from now on."""
        self._ways[number] = way

    @property
    def sent(self) -> list[Message]:
        """What was created through the API."""
        return [message for message in self.messages if message.direction == "outbound-api"]

    # what our carrier asks

    async def create(self, request: web.Request) -> web.StreamResponse:
        """POST Messages.json."""
        self.requests.append((request.method, request.path_qs))
        form = parse_qs((await request.read()).decode(), keep_blank_values=True, strict_parsing=True)
        if problem := self._not_allowed(request) or self._not_valid(request, form):
            return _error(*problem)
        one = {name: values[0] for name, values in form.items()}
        way = self._ways.get(one["To"], Way())
        if way.manner is Manner.REFUSES:
            return _error(way.status, way.code, way.headers)
        message = self._keep(one)
        return await self._answer(request, message, way)

    async def _answer(self, request: web.Request, message: Message, way: Way) -> web.StreamResponse:
        whole = json.dumps(self._as_json(message)).encode()
        created = web.Response(status=201, body=whole, content_type="application/json")
        match way.manner:
            case Manner.HANGS:
                await self._over.wait()
            case Manner.DAWDLES:
                await asyncio.sleep(way.delay)
            case Manner.CLOSES:
                _cut(request)
            case Manner.CUTS_ANSWER:
                half = web.StreamResponse(status=201, headers={"Content-Type": "application/json"})
                half.content_length = len(whole)
                await half.prepare(request)
                await half.write(whole[: len(whole) // 2])
                _cut(request)
                return half
            case Manner.ANSWERS:
                return web.Response(status=way.status, body=way.body, headers=way.headers)
        return created

    async def list_messages(self, request: web.Request) -> web.StreamResponse:
        """GET Messages.json: newest first, a page at a time."""
        self.requests.append((request.method, request.path_qs))
        if problem := self._not_allowed(request):
            return _error(*problem)
        if self.list_status != 200:
            return _error(self.list_status, None)
        since = datetime.strptime(request.query["DateSent>"], "%Y-%m-%dT%H:%M:%S%z")
        found = sorted((m for m in self.messages if m.at >= since), key=lambda m: m.at, reverse=True)
        size = min(int(request.query.get("PageSize", 50)), self.page_size)
        start = int(request.query.get("Page", 0)) * size
        query = {**request.query, "Page": str(start // size + 1), "PageToken": "PA" + "0" * 32}
        following = f"{request.path}?{urlencode(query)}" if len(found) > start + size else None
        return web.json_response(
            {
                "messages": [self._as_json(message) for message in found[start : start + size]],
                "page": start // size,
                "page_size": size,
                "next_page_uri": following and self.next_page(following),
            }
        )

    def _not_allowed(self, request: web.Request) -> tuple[int, int] | None:
        known = {_basic(ACCOUNT, TOKEN), _basic(API_KEY, API_SECRET)}
        if request.headers.get("Authorization") not in known:
            return 401, 20003
        return None if request.match_info["account"] == ACCOUNT else (404, 20404)

    def _not_valid(self, request: web.Request, form: dict[str, list[str]]) -> tuple[int, int] | None:
        one = {name: values[0] for name, values in form.items()}
        if request.content_type != "application/x-www-form-urlencoded" or any(len(all_) > 1 for all_ in form.values()):
            return 400, 20001
        callback = urlsplit(one.get("StatusCallback", "https://valid.example/"))
        checks = (
            ("To" in one, 21604),
            ("From" in one, 21603),
            (bool(one.get("Body")), 21602),
            (E164.fullmatch(one.get("To", "")), 21211),
            (one.get("From") in self.owned, 21606),
            (len(one.get("Body", "")) <= LONGEST_BODY, 21617),
            (1 <= int(one.get("ValidityPeriod", 1)) <= 36_000, 21624),
            (callback.scheme in ("http", "https") and callback.hostname, 21609),
            ((one.get("From"), one.get("To")) not in self.stopped_by, 21610),
        )
        return next(((400, code) for fine, code in checks if not fine), None)

    def _keep(self, one: dict[str, str]) -> Message:
        message = Message(
            sid=self._sid(),
            direction="outbound-api",
            sender=one["From"],
            to=one["To"],
            body=one["Body"],
            status=ON_ITS_WAY,
            at=self.clock.now(),
            callback=one.get("StatusCallback", ""),
            validity=int(one.get("ValidityPeriod", 36_000)),
        )
        self.messages.append(message)
        return message

    def _sid(self) -> str:
        return f"SM{self._life}{next(self._numbers):016x}"

    def _as_json(self, message: Message) -> dict[str, object]:
        uri = f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{message.sid}"
        return {
            "sid": message.sid,
            "account_sid": ACCOUNT,
            "direction": message.direction,
            "from": message.sender,
            "to": message.to,
            "body": message.body,
            "status": message.status,
            "error_code": message.error,
            "error_message": None,
            "num_segments": "1",
            "num_media": str(len(message.media)),
            "date_created": format_datetime(message.at),
            "date_sent": format_datetime(message.at),
            "date_updated": format_datetime(message.changed_at or message.at),
            "price": None,
            "uri": f"{uri}.json",
            "subresource_uris": {"media": f"{uri}/Media.json"},
        }

    # what Twilio tells us

    def receive(self, sender: str, to: str, body: str, *media: tuple[str, str]) -> Message:
        """Let a handset text one of the numbers; nobody is told yet."""
        message = Message(self._sid(), "inbound", sender, to, body, "received", self.clock.now(), media=media)
        self.messages.append(message)
        return message

    def inbound_form(self, message: Message, **more: str) -> list[tuple[str, str]]:
        """The fields of the hook for a text from a handset."""
        form = {
            "ToCountry": "US",
            "ToState": "NY",
            "SmsMessageSid": message.sid,
            "NumMedia": str(len(message.media)),
            "ToCity": "",
            "FromZip": "10001",
            "SmsSid": message.sid,
            "SmsStatus": "received",
            "Body": message.body,
            "To": message.to,
            "NumSegments": "1",
            "MessageSid": message.sid,
            "AccountSid": ACCOUNT,
            "From": message.sender,
            "ApiVersion": "2010-04-01",
        }
        for place, (url, content_type) in enumerate(message.media):
            form |= {f"MediaUrl{place}": url, f"MediaContentType{place}": content_type}
        return list({**form, **more}.items())

    def status_form(self, message: Message, status: str, error: int | None = None) -> list[tuple[str, str]]:
        """The fields of the hook for what became of a text."""
        form = {
            "SmsSid": message.sid,
            "SmsStatus": status,
            "MessageStatus": status,
            "To": message.to,
            "MessageSid": message.sid,
            "AccountSid": ACCOUNT,
            "From": message.sender,
            "ApiVersion": "2010-04-01",
        }
        return list((form | ({"ErrorCode": str(error)} if error else {})).items())

    def becomes(self, message: Message, status: str, error: int | None = None) -> Message:
        """Change what the ledger says of a text."""
        changed = replace(message, status=status, error=error, changed_at=self.clock.now())
        self.messages[[one.sid for one in self.messages].index(message.sid)] = changed
        return changed

    async def call(
        self, public: str, form: list[tuple[str, str]], *, local: str = "", retries: int = 0, token: str = TOKEN
    ) -> int:
        """POST a signed hook to a public address, which is at `local` in truth; try again after a bad answer."""
        headers = {
            "X-Twilio-Signature": sign(public, form, token),
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "I-Twilio-Idempotency-Token": secrets.token_hex(8),
        }
        async with aiohttp.ClientSession() as session:
            for _ in range(retries + 1):
                async with session.post(local or public, data=urlencode(form).encode(), headers=headers) as response:
                    status = response.status
                if status < 400:
                    break
        return status


def sign(url: str, form: list[tuple[str, str]], token: str = TOKEN) -> str:
    """X-Twilio-Signature, as www.twilio.com/docs/usage/webhooks/webhooks-security describes it."""
    whole = url
    for name in sorted({name for name, _ in form}):
        for value in sorted({value for one, value in form if one == name}):
            whole += name + value
    return base64.b64encode(hmac.new(token.encode(), whole.encode(), hashlib.sha1).digest()).decode()


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _cut(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.abort()


def _error(status: int, code: int | None, headers: dict[str, str] | None = None) -> web.Response:
    if code is None:
        return web.Response(status=status, text="<html>no JSON here</html>", content_type="text/html", headers=headers)
    more = f"https://www.twilio.com/docs/errors/{code}"
    # Twilio's own sentence names the number, so ours must not be made from it
    body = {"code": code, "message": f"problem with +12025550148 ({code})", "more_info": more, "status": status}
    return web.json_response(body, status=status, headers=headers)


@asynccontextmanager
async def fake_twilio(clock: Clock, *owned: str) -> AsyncIterator[FakeTwilio]:
    """Run Twilio on a free port of loopback; `address` is its base."""
    twilio = FakeTwilio(clock, owned)
    app = web.Application(client_max_size=1024**2)
    app.router.add_post("/2010-04-01/Accounts/{account}/Messages.json", twilio.create)
    app.router.add_get("/2010-04-01/Accounts/{account}/Messages.json", twilio.list_messages)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        twilio.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield twilio
    finally:
        twilio._over.set()
        await runner.cleanup()
