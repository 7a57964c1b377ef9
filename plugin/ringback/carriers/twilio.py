"""The carrier Twilio: texts by its message resource, receipts and replies by its hooks, gaps filled from its list.

The API: www.twilio.com/docs/messaging/api/message-resource. The hooks: www.twilio.com/docs/messaging/guides/
webhook-request and .../track-outbound-message-status. docs/carriers.md says how to set up the number at Twilio.

Tried live: never. Tried on a server on loopback that checks what Twilio checks (tests/fakes/twilio.py).
"""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlencode

import structlog
from aiohttp import encode_basic_auth
from pydantic import SecretStr

from ringback.carriers import twilio_hooks
from ringback.carriers.http import Http, Reply
from ringback.carriers.options import Options
from ringback.carriers.twilio_list import SID, Row, read_row
from ringback.carriers.twilio_words import REFUSALS, STATUSES, Refusal, loss
from ringback.core.messages import Outgoing
from ringback.core.spans import write_duration
from ringback.errors import Rejected, SendFailed, Throttled, Unconfirmed, Unreachable
from ringback.ports import (
    Answer,
    CarrierContext,
    CarrierEvent,
    CarrierRef,
    Hook,
    Incoming,
    Listed,
    MediaLink,
    OptionValue,
    Receipt,
    Unreadable,
)

log = structlog.get_logger("twilio")

API = "https://api.twilio.com"
SHORTEST_VALIDITY, LONGEST_VALIDITY = 1, 36_000
"""Seconds a text may wait at Twilio (www.twilio.com/docs/api/errors/90007)."""
GAVE_UP = frozenset({408, 499})
"""Said by somebody between us and Twilio who did not wait for its answer."""
WAIT_S = 1.0
"""After "too many requests" without a time."""
PAGE, MOST_PAGES, MOST_PAGE = 500, 40, 8 * 1024 * 1024
"""Texts on a page of the list, pages asked for at once, bytes of a page."""
SHORTEST_ANSWER, LONGEST_ANSWER = timedelta(milliseconds=100), timedelta(seconds=110)
"""The longest is below what the lane itself waits, so that the reason is ours."""


class KeywordReplies(StrEnum):
    """Who confirms STOP, START and HELP."""

    CARRIER = "carrier"
    RINGBACK = "ringback"


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of `[carriers.NAME]` with `type = "twilio"`."""

    account: str
    key: SecretStr
    """The account's auth token. It signs the hooks, and sends unless there is an API key."""
    api_key_sid: str = ""
    api_key_secret: SecretStr | None = None
    shared_key: SecretStr | None = None
    """The secret that signs the hooks instead, where a webhook setting at Twilio says so."""
    api: str = API
    window: int = 8
    answer_within: timedelta = timedelta(seconds=30)
    keyword_replies: KeywordReplies = KeywordReplies.CARRIER


class Twilio:
    """A `Carrier`, `Hooked` and `Listing`."""

    numeric_ids = False
    complete = False
    """What still waits at Twilio is missing in its list, and no row has our own id."""
    max_segments = 10
    """1,600 characters are the limit; ten segments never have more."""
    answer = Answer('<?xml version="1.0" encoding="UTF-8"?><Response></Response>', "text/xml")

    def __init__(self, name: str, settings: Settings, context: CarrierContext) -> None:
        self.name = name
        self.window = settings.window
        self.receipts = bool(context.hooks)
        self.answers_commands = settings.keyword_replies is KeywordReplies.CARRIER
        self._settings = settings
        self._context = context
        self._messages = f"/2010-04-01/Accounts/{settings.account}/Messages.json"
        # one more than the window, so that the list can be asked for while all texts are on their way
        self._http = Http(settings.api, _authorization(settings), settings.window + 1, settings.answer_within)

    async def send(self, text: Outgoing) -> CarrierRef:
        """Ask Twilio to send. Only "created", with an id, means that it will."""
        reply = await self._http.post(self._messages, self._form(text))
        if reply.status != 201:
            raise refusal(reply)
        sid = str(reply.fields().get("sid", ""))
        if not SID.fullmatch(sid):
            raise Unconfirmed("Twilio took the text, and its answer has no id")
        return CarrierRef(sid)

    def _form(self, text: Outgoing) -> list[tuple[str, str]]:
        left = int((text.expires_at - self._context.clock.now()).total_seconds())
        form = [
            ("To", text.to),
            ("From", text.sender),
            ("Body", text.text),
            ("ValidityPeriod", str(min(max(left, SHORTEST_VALIDITY), LONGEST_VALIDITY))),
        ]
        if self._context.hooks:
            # our own id comes back with each receipt: it finds the text even if the answer to this request is lost
            form.append(("StatusCallback", f"{self._context.hooks}/receipt?attempt={text.attempt}"))
        return form

    def trusts(self, hook: Hook) -> bool:
        """Say whether Twilio signed this."""
        shared = self._settings.shared_key
        return twilio_hooks.trusts(
            hook, self._settings.key.get_secret_value(), shared.get_secret_value() if shared else ""
        )

    def read(self, hook: Hook) -> list[CarrierEvent]:
        """Return the text or the receipt that the hook brings."""
        return twilio_hooks.read(hook)

    async def sent_since(self, moment: datetime) -> list[Receipt]:
        """Texts it sent for us since then. One that still waits there has no date yet, and may be missing."""
        rows = [row async for row in self._listed(moment) if row.direction.startswith("outbound")]
        return [
            Listed(row.sid, STATUSES[row.status], None, "", loss(row.status, row.error), row.sender, row.to, row.text)
            for row in rows
            if row.status in STATUSES
        ]

    async def received_since(self, moment: datetime) -> list[Incoming]:
        """Texts it received for us since then. Of pictures the list knows only where their own list is."""
        incoming: list[Incoming] = []
        async for row in self._listed(moment):
            if row.direction == "inbound":
                try:
                    sender, to = twilio_hooks.address_of(row.sender), twilio_hooks.address_of(row.to)
                except Unreadable:
                    continue
                media = (MediaLink(self._settings.api + row.media, "application/json"),) if row.media else ()
                incoming.append(Incoming(row.sid, sender, to, row.text, row.at, media=media))
        return incoming

    async def _listed(self, moment: datetime) -> AsyncIterator[Row]:
        """Every row of the list since then, newest first, as far as we go."""
        since = moment.astimezone(UTC).replace(microsecond=0)
        asked = {"DateSent>": since.strftime("%Y-%m-%dT%H:%M:%SZ"), "PageSize": PAGE}
        target = f"{self._messages}?{urlencode(asked)}"
        for _ in range(MOST_PAGES):
            rows, target = await self._page(target)
            for row in rows:
                # Twilio's own words promise only whole days
                if row.at >= since:
                    yield row
            if not target:
                return
        log.warning("twilio has more texts than are asked for at once", carrier=self.name, seen=PAGE * MOST_PAGES)

    async def _page(self, target: str) -> tuple[list[Row], str]:
        """Return the rows of a page and where the next one is, empty after the last."""
        reply = await self._http.get(target, MOST_PAGE)
        fields = reply.fields()
        rows = fields.get("messages")
        if reply.status != 200 or not isinstance(rows, list):
            raise _no_list(reply)
        following = str(fields.get("next_page_uri") or "")
        if following and not following.startswith(f"{self._messages}?"):
            raise Unreachable("Twilio's list goes on at an address that is not its own")
        return [made for row in rows if (made := read_row(row)) is not None], following

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.close()


def refusal(reply: Reply) -> SendFailed:
    """Turn an answer that is not "created" into what to do next.

    A status below 500 is a no: nothing was created. Of 429 Twilio says that it is never processed; of 500, that the
    text may have been sent (www.twilio.com/docs/api/errors/20429 and /20500). Of 502, 503 and 504 it says neither.
    """
    code = reply.fields().get("code")
    known = REFUSALS.get(code) if isinstance(code, int) else None
    if reply.status == 429:
        return Throttled(_sentence("too many requests", code), reply.wait(known.wait if known else WAIT_S))
    if not 400 <= reply.status < 500 or reply.status in GAVE_UP:
        return Unconfirmed(_sentence(f"status {reply.status}, after which the text may have been sent", code))
    if known is not None:
        return _known(known, reply, code)
    if not isinstance(code, int) or reply.status in (401, 403, 404):
        # not in Twilio's words, so perhaps not Twilio's at all; or about the account and not the text
        return Unreachable(_sentence(f"status {reply.status}: check account, key and api", code))
    return Rejected(_sentence("the text is refused", code))


def _known(known: Refusal, reply: Reply, code: object) -> SendFailed:
    words = _sentence(known.words, code)
    return Throttled(words, reply.wait(known.wait)) if known.error is Throttled else known.error(words)


def _no_list(reply: Reply) -> Unreachable:
    """A question leaves nothing in doubt: whatever came instead of a list, ask again later."""
    failure = refusal(reply) if 400 <= reply.status < 500 else None
    if isinstance(failure, Unreachable):
        return failure
    return Unreachable(f"Twilio: the list cannot be read (status {reply.status})")


def _sentence(words: str, code: object) -> str:
    return f"Twilio: {words} (error {code})" if isinstance(code, int) else f"Twilio: {words}"


def _authorization(settings: Settings) -> str:
    if settings.api_key_secret is not None:
        return encode_basic_auth(settings.api_key_sid, settings.api_key_secret.get_secret_value())
    return encode_basic_auth(settings.account, settings.key.get_secret_value())


def build(name: str, options: Mapping[str, OptionValue], context: CarrierContext) -> Twilio:
    """Make the carrier from its options. Nothing is opened yet."""
    return Twilio(name, read_settings(name, options), context)


ACCOUNT = re.compile(r"AC[0-9a-f]{32}")
API_KEY = re.compile(r"SK[0-9a-f]{32}")


def read_settings(name: str, table: Mapping[str, OptionValue]) -> Settings:
    """Check the options. Raise ConfigFault with a line for each fault."""
    options = Options(name, table)
    usual = Settings("", SecretStr(""))
    settings = Settings(
        account=options.text("account", ACCOUNT, "AC0123456789abcdef0123456789abcdef"),
        key=options.secret("key"),
        api_key_sid=options.text_if_any("api_key_sid", API_KEY, "SK0123456789abcdef0123456789abcdef"),
        api_key_secret=options.secret_if_any("api_key_secret"),
        shared_key=options.secret_if_any("shared_key"),
        api=options.address("api", API),
        window=options.whole("window", usual.window, 1, 100),
        answer_within=options.duration("answer_within", usual.answer_within, LONGEST_ANSWER),
        keyword_replies=options.choice("keyword_replies", usual.keyword_replies),
    )
    if settings.answer_within < SHORTEST_ANSWER:
        options.fault("answer_within", f"must be at least {write_duration(SHORTEST_ANSWER)}")
    if ("api_key_sid" in table) != ("api_key_secret" in table):
        options.fault("api_key_sid", "and api_key_secret belong together: set both or neither")
    options.finish()
    return settings
