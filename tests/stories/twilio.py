"""Twilio round the whole daemon: it takes our texts, calls our hooks with its signature, and calls again as it does."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from aiohttp import ClientConnectionError, ClientSession
from yarl import URL

from lab.asterisk import Asterisk
from ringback.clock import SystemClock
from tests.fakes.twilio import ACCOUNT, TOKEN, FakeTwilio, Message, fake_twilio, sign
from tests.stories.daemon import LINES, MISSED, Daemon, configuration

PUBLIC = "https://sms.example.com"
TAKEN, REFUSED, LATER = 200, 403, 503


@dataclass
class Line:
    """Twilio and our daemon. `public` is our address as Twilio has it, `way` where that leads in truth."""

    twilio: FakeTwilio
    daemon: Daemon
    public: str
    session: ClientSession
    hook_port: int = 0
    way: Callable[[], str] = field(init=False)
    up: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.way = self.direct

    def direct(self) -> str:
        """The hooks' own port, without a proxy."""
        return f"http://127.0.0.1:{self.hook_port}"

    async def starts(self) -> None:
        """Start the daemon, and wait until it takes calls and hooks."""
        self.daemon.start()
        await self.daemon.until(ready=True)
        _, self.hook_port = await self.daemon.ports()
        self.up.set()

    def dies(self) -> None:
        self.up.clear()
        self.daemon.kill()

    async def stops(self) -> int:
        """End the daemon; Twilio goes on answering meanwhile."""
        self.up.clear()
        return await asyncio.to_thread(self.daemon.stop)

    async def posts(self, url: str, form: list[tuple[str, str]]) -> int:
        """Call an address of ours once, signed. Raises ClientConnectionError when nobody answers."""
        parts = urlsplit(url)
        local = self.way() + url.removeprefix(f"{parts.scheme}://{parts.netloc}")
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "X-Twilio-Signature": sign(url, form),
            "I-Twilio-Idempotency-Token": secrets.token_hex(8),
            "User-Agent": "TwilioProxy/1.1",
        }
        to = URL(local, encoded=True)
        async with self.session.post(to, data=urlencode(form).encode(), headers=headers, ssl=False) as answer:
            await answer.read()
            return answer.status

    async def insists(self, url: str, form: list[tuple[str, str]]) -> int:
        """Call until it is taken or refused: again after a cut line, no line, or a 5xx."""
        while True:
            await self.up.wait()
            try:
                status = await self.posts(url, form)
            except ClientConnectionError:
                continue
            if status < 500:
                return status

    async def brings(self, text: Message) -> int:
        """Bring a text from a handset, once."""
        return await self.posts(f"{self.public}/hooks/main/inbound", self.twilio.inbound_form(text))

    async def brings_if_it_can(self, text: Message) -> int:
        """Bring a text once; 0 when the line was cut or nobody answered."""
        try:
            return await self.brings(text)
        except ClientConnectionError:
            return 0

    async def brings_surely(self, text: Message) -> int:
        return await self.insists(f"{self.public}/hooks/main/inbound", self.twilio.inbound_form(text))

    async def writes(self, sender: str, to: str, words: str) -> Message:
        """Somebody writes to us, and the hook is taken."""
        text = self.twilio.receive(sender, to, words)
        assert await self.brings(text) == TAKEN
        return text

    async def tells(self, text: Message, *statuses: str) -> None:
        """Tell what became of a text of ours, where the text itself says to tell it."""
        for status in statuses:
            self.twilio.becomes(text, status)
            assert await self.insists(text.callback, self.twilio.status_form(text, status)) == TAKEN

    async def took(self, count: int) -> Message:
        """Wait until Twilio has so many texts of ours in all; returns the last one."""
        await self.daemon.become(lambda: len(self.twilio.sent) >= count, True)
        assert len(self.twilio.sent) == count
        return self.twilio.sent[-1]


@asynccontextmanager
async def line_to(
    asterisk: Asterisk,
    folder: Path,
    *,
    public: str = PUBLIC,
    told: str = "",
    options: str = "",
    database: str = "",
) -> AsyncIterator[Line]:
    """Start a daemon whose carrier is Twilio, and end it. `told` is what its owner says of `public`."""
    async with fake_twilio(SystemClock(), *LINES) as twilio, ClientSession() as session:
        carrier = f'type = "twilio"\naccount = "{ACCOUNT}"\napi = "{twilio.address}"\n{options}'
        hooks = f'[hooks]\nlisten = "127.0.0.1:0"\npublic_url = "{told or public}"\n'
        where = f'[database]\nurl = "{database}"\n' if database else ""
        settings = configuration({"main": asterisk}, MISSED).replace('type = "loopback"', carrier)
        secret = folder / "secrets" / "carriers.main.key"
        secret.parent.mkdir()
        secret.touch(0o600)
        secret.write_text(TOKEN)
        daemon = Daemon(folder, where + hooks + settings, {"main": asterisk.account.secret})
        daemon.database = database
        line = Line(twilio, daemon, public, session)
        try:
            await line.starts()
            yield line
        finally:
            await line.stops()
