"""A carrier in Twilio's shape, as a process of its own: it survives the daemon, and its ledger says what it got.

python -m tests.crash.carrier FOLDER HOOKS SEED
It prints its port, and ends with its standard input. A text is in `carrier.jsonl` before anybody is answered, and what
our hooks answered is in `told.jsonl`. What it does to a text is drawn by seed from the odds, or told for one number.

It calls our hooks as Twilio does and again until they are taken, as carriers that mean it do. Under `/_/` a test says
what shall happen.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import random
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import aiohttp
from yarl import URL

from tests.crash.ledgers import Book

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "an auth token of 32 hex digits ."
PUBLIC = "https://sms.example.com"
INBOUND = f"{PUBLIC}/hooks/main/inbound"
POSTS_AT_ONCE = 24
EARLY_S = 1.0
ANSWER_OFF_S = 20.0
"""How long a text that is never answered keeps its line."""

WAYS = ["takes", "cut", "half", "reset", "busy", "error", "lost", "drip", "hold", "silent", "rejects", "away"]
"""What may happen to a text. Took and said so; took it and: `cut` the line, sent `half` the answer, `lost` it behind a
500, answered in a `drip`, or on `hold`, or never (`silent`). Did not take it: `reset` the line, was `busy` (429), had
an `error` (503 is not certain, so it is an answer in doubt), `rejects` it; `away` is a 404 of somebody else."""
DOUBTFUL = {"cut", "half", "reset", "error", "lost", "silent"}
"""Those after which nobody can know."""


@dataclass
class Text:
    """A text it took."""

    sid: str
    sender: str
    to: str
    body: str
    callback: str
    at: float
    status: str = "queued"


@dataclass
class Carrier:
    """The state of the carrier and its knobs."""

    folder: Path
    hooks: str
    seed: str
    odds: dict[str, float] = field(default_factory=dict)
    told_ways: dict[str, list[str]] = field(default_factory=dict)
    knobs: dict[str, float] = field(default_factory=dict)
    texts: dict[str, Text] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    pending: int = 0

    def __post_init__(self) -> None:
        self.book = Book(self.folder / "carrier.jsonl")
        self.told = Book(self.folder / "told.jsonl")
        self.places = asyncio.Semaphore(POSTS_AT_ONCE)
        self.tasks: set[asyncio.Task[None]] = set()
        self.life = hashlib.sha256(f"{self.seed}{os.getpid()}".encode()).hexdigest()[:12]

    def way_of(self, to: str) -> str:
        """What happens to this try: told for the number, or drawn by seed, number and try."""
        if told := self.told_ways.get(to):
            return told.pop(0) if len(told) > 1 else told[0]
        self.tries[to] = self.tries.get(to, 0) + 1
        drawn = random.Random(f"{self.seed} {to} {self.tries[to]}").random()
        for way, odds in self.odds.items():
            if drawn < odds and way in WAYS:
                return way
            drawn -= odds
        return "takes"

    def sid(self) -> str:
        self.count = getattr(self, "count", 0) + 1
        return f"SM{self.life}{self.count:020x}"

    def go(self, work) -> None:
        self.pending += 1
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)

        def over(done: "asyncio.Task[None]") -> None:
            self.tasks.discard(done)
            self.pending -= 1

        task.add_done_callback(over)

    # -- what it tells us

    def receipts_of(self, text: Text, answered: bool) -> list[str]:
        """The statuses this text gets, in the order they go out; a part of them goes before the answer."""
        if not self.knobs.get("receipts", 1):
            return []
        drawn = random.Random(f"{self.seed} receipts {text.sid}").random()
        plans = (
            (self.odds.get("never", 0), []),
            (self.odds.get("twice", 0), ["sent", "delivered", "delivered", "sent"]),
            (self.odds.get("backwards", 0), ["delivered", "sent"]),
            (self.odds.get("undelivered", 0), ["undelivered"]),
        )
        for odds, plan in plans:
            if drawn < odds:
                return plan
            drawn -= odds
        return ["delivered"] if answered else ["sent", "delivered"]

    async def tell(self, text: Text, statuses: list[str]) -> None:
        for status in statuses:
            text.status = status
            form = {"MessageSid": text.sid, "SmsSid": text.sid, "MessageStatus": status, "To": text.to}
            form |= {"From": text.sender, "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01"}
            code = await self.insist(text.callback, list(form.items()))
            self.told.write("receipt", sid=text.sid, status=status, code=code)

    async def bring(self, sid: str, sender: str, to: str, body: str, times: int) -> None:
        form = {"MessageSid": sid, "SmsSid": sid, "SmsStatus": "received", "From": sender, "To": to, "Body": body}
        form |= {"NumMedia": "0", "NumSegments": "1", "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01"}
        for _ in range(times):
            code = await self.insist(INBOUND, list(form.items()))
            self.told.write("hook", sid=sid, sender=sender, to=to, body=body, code=code)

    async def insist(self, url: str, form: list[tuple[str, str]]) -> int:
        """Call until it is taken or refused for good: again after no line, a cut line or a 5xx."""
        parts = urlsplit(url)
        to = URL(self.hooks + url.removeprefix(f"{parts.scheme}://{parts.netloc}"), encoded=True)
        headers = {"X-Twilio-Signature": sign(url, form), "Content-Type": "application/x-www-form-urlencoded"}
        body, wait = urlencode(form).encode(), 0.05
        while True:
            async with self.places:
                with suppress(aiohttp.ClientError, TimeoutError, OSError):
                    async with self.session.post(to, data=body, headers=headers) as answer:
                        await answer.read()
                        if answer.status < 500:
                            return answer.status
            await asyncio.sleep(wait)
            wait = min(wait * 2, 0.4)

    # -- what it is asked

    def take(self, form: dict[str, str], way: str) -> Text:
        """Take a text: in the ledger first."""
        callback = form.get("StatusCallback", "")
        attempt = dict(parse_qsl(urlsplit(callback).query)).get("attempt", "")
        now = asyncio.get_running_loop().time()
        text = Text(self.sid(), form["From"], form["To"], form["Body"], callback, now)
        self.book.write(
            "text", attempt=attempt, provider_id=text.sid, to=text.to, text=text.body, way=way, **{"from": text.sender}
        )
        self.texts[text.sid] = text
        return text

    def refuse(self, form: dict[str, str], way: str) -> None:
        attempt = dict(parse_qsl(urlsplit(form.get("StatusCallback", "")).query)).get("attempt", "")
        self.book.write("refused", attempt=attempt, to=form["To"], way=way)

    def listed(self) -> list[dict[str, object]]:
        now = formatdate(usegmt=True)
        return [
            {
                "sid": text.sid,
                "direction": "outbound-api",
                "from": text.sender,
                "to": text.to,
                "body": text.body,
                "status": text.status,
                "error_code": None,
                "num_media": "0",
                "date_created": now,
                "date_sent": now,
                "date_updated": now,
            }
            for text in list(self.texts.values())[-500:]
        ]


class Line(asyncio.Protocol):
    """One connection from the daemon: HTTP as far as it is needed, without any framework."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self.buffer = b""

    def connection_made(self, transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
            size = int(headers.get("content-length", 0))
            if len(self.buffer) < end + 4 + size:
                return
            body = self.buffer[end + 4 : end + 4 + size]
            self.buffer = self.buffer[end + 4 + size :]
            method, target, _ = head[0].split(" ")
            self.asked(method, target, body)

    def asked(self, method: str, target: str, body: bytes) -> None:
        if target.startswith("/_/"):
            self.control(target[3:], json.loads(body or b"null"))
        elif method == "GET":
            self.answer(200, {"messages": self.carrier.listed(), "next_page_uri": None})
        else:
            form = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
            self.text(form, self.carrier.way_of(form["To"]))

    def text(self, form: dict[str, str], way: str) -> None:
        match way:
            case "reset":
                self.carrier.refuse(form, way)
                self.transport.abort()
            case "busy":
                self.carrier.refuse(form, way)
                self.answer(429, {"code": 20429}, ("Retry-After: 1",))
            case "error":
                self.carrier.refuse(form, way)
                self.answer(503, {"code": 20503})
            case "rejects":
                self.carrier.refuse(form, way)
                self.answer(400, {"code": 21211, "message": "no"})
            case "away":
                self.carrier.refuse(form, way)
                self.answer(404, None)
            case _:
                self.takes(form, way)

    def takes(self, form: dict[str, str], way: str) -> None:
        carrier = self.carrier
        text = carrier.take(form, way)
        early = random.Random(f"{carrier.seed} early {text.sid}").random() < carrier.odds.get("early", 0)
        statuses = carrier.receipts_of(text, way == "takes")
        if early and statuses:
            carrier.go(self.early(text, statuses, way))
            return
        if way == "hold":
            carrier.go(self.later(text, statuses))
            return
        self.say(text, way)
        if statuses and text.callback:
            carrier.go(carrier.tell(text, statuses))

    async def early(self, text: Text, statuses: list[str], way: str) -> None:
        """Tell what became of a text before its sender has heard that we took it."""
        first = asyncio.ensure_future(self.carrier.tell(text, statuses[:1]))
        # whoever is just stopping takes no receipt, and has its answer all the same
        await asyncio.wait({first}, timeout=EARLY_S)
        self.say(text, way)
        await first
        await self.carrier.tell(text, statuses[1:])

    async def later(self, text: Text, statuses: list[str]) -> None:
        """Answer after a while, and tell what became of the text only then: until then nobody knows."""
        await asyncio.sleep(self.carrier.knobs.get("hold", 0.5))
        self.say(text, "takes")
        await self.carrier.tell(text, statuses)

    def say(self, text: Text, way: str) -> None:
        whole = self.form(201, {"sid": text.sid, "status": "queued", "to": text.to})
        match way:
            case "cut":
                self.transport.abort()
            case "half":
                self.transport.write(whole[:-20])
                self.transport.close()
            case "lost":
                self.answer(500, {"code": 20500})
            case "drip":
                self.carrier.go(self.drip(whole))
            case "silent":
                asyncio.get_running_loop().call_later(ANSWER_OFF_S, self.transport.abort)
            case _:
                self.write(whole)

    async def drip(self, whole: bytes) -> None:
        for start in range(0, len(whole), 16):
            self.write(whole[start : start + 16])
            await asyncio.sleep(0.02)

    def write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)

    def answer(self, status: int, fields: object, more: tuple[str, ...] = ()) -> None:
        self.write(self.form(status, fields, more))

    def form(self, status: int, fields: object, more: tuple[str, ...] = ()) -> bytes:
        body = json.dumps(fields).encode() if fields is not None else b"<html>nothing here</html>"
        kind = "application/json" if fields is not None else "text/html"
        head = (f"HTTP/1.1 {status} -", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more, "", "")
        return "\r\n".join(head).encode() + body

    # -- what a test says

    def control(self, what: str, words) -> None:
        carrier = self.carrier
        match what:
            case "inbound":
                for one in words:
                    sid = carrier.sid()
                    carrier.go(carrier.bring(sid, one["from"], one["to"], one["body"], one.get("times", 1)))
            case "ways":
                carrier.told_ways.update(words)
            case "odds":
                carrier.odds.clear()
                carrier.odds.update(words)
            case "knobs":
                carrier.knobs.update(words)
            case "tell":
                for text in list(carrier.texts.values()):
                    if text.to in words:
                        carrier.go(carrier.tell(text, words[text.to]))
        self.answer(200, {"pending": carrier.pending, "texts": len(carrier.texts)})


def sign(url: str, form: list[tuple[str, str]]) -> str:
    """X-Twilio-Signature, as www.twilio.com/docs/usage/webhooks/webhooks-security describes it."""
    signed = url + "".join(name + value for name, value in sorted(form))
    return base64.b64encode(hmac.new(TOKEN.encode(), signed.encode(), hashlib.sha1).digest()).decode()


async def main(folder: Path, hooks: str, seed: str) -> None:
    loop = asyncio.get_running_loop()
    carrier = Carrier(folder, hooks, seed)
    server = await loop.create_server(lambda: Line(carrier), "127.0.0.1", 0)
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=POSTS_AT_ONCE), timeout=timeout) as session:
        carrier.session = session
        print(server.sockets[0].getsockname()[1], flush=True)
        over = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(over), sys.stdin)
        await over.read()
        for task in list(carrier.tasks):
            task.cancel()
        server.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
