"""A whole daemon with its world round it: a carrier in a process of its own, a PBX that speaks AMI, clients, ledgers.

The daemon is a child that may be killed, frozen and started again at the same ports on the same state.
"""

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from bench import stream
from tests.crash import carrier as far
from tests.crash.ledgers import SPARE, Book, Count, Ledgers, ask, lines, open_ledgers
from tests.crash.programs import Programs, make_key
from tests.fakes.ami import FakePbx

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
WINDOW = 16
NUMBERS = stream.DIDS
UNSETTLED = "SELECT count(*) AS n FROM message WHERE state IN ('queued', 'held', 'submitting')"


class Stuck(Exception):
    """Something did not happen in time; the text has the end of the daemon's log."""


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


SETTINGS = """\
[business]
name = "Northlight"
zone = "America/New_York"
default_country = "US"
[web]
listen = "127.0.0.1:{web}"
[hooks]
listen = "127.0.0.1:{hooks}"
public_url = "{public}"
[paths]
state = "{state}"
[database]
url = "{url}"
[api]
requests_per_minute = 6000000
[limits]
texts_per_minute = 100000
automatic_per_hour = 60
per_number_per_minute = 60000
[[asterisk]]
name = "main"
port = {ami}
user = "ringback"
inbound_contexts = ["from-trunk"]
{carriers}
{numbers}
[[rule]]
name = "missed"
when = ["missed", "abandoned_queue"]
delay = "0s"
text = {{ en = "Sorry we missed you, {{{{ business }}}}. STOP to end" }}
"""
TWILIO = """\
[carriers.{name}]
type = "twilio"
account = "{account}"
api = "{api}"
window = {window}
answer_within = "3s"
keyword_replies = "ringback"
"""
LOOPBACK = """\
[carriers.loop]
type = "loopback"
window = {window}
answer_within = "1s"
throttle_wait = "1s"
receipt_after = "{receipt_after}"
behaviour = "{behaviour}"
"""
LINES_OF = {"http": "main", "loopback": "loop"}
"""The carrier that texts go out by, of each kind. Texts come in by the hooks of `main` in both."""


class House:
    """`kind` is `http` or `loopback`, `url` the database. Everything a run leaves behind lies in `folder`."""

    def __init__(self, folder: Path, kind: str, url: str, seed: int, package: Path | None = None) -> None:
        self.folder, self.kind, self.seed = folder, kind, seed
        self.state = folder / "state"
        self.url = url or f"sqlite:///{self.state / 'ringback.db'}"
        self.package = package or ROOT / "plugin"
        self.random = random.Random(seed)
        self.web, self.hooks = free_port(), free_port()
        self.pbx = FakePbx()
        self.faults = Book(folder / "faults.jsonl")
        self.heard = Book(folder / "pbx.jsonl")
        self.asked = Book(folder / "asked.jsonl")
        self.child: subprocess.Popen[bytes] | None = None
        self._far: list[subprocess.Popen[bytes]] = []
        self.programs: Programs | None = None
        self.environ: dict[str, str] = {}
        self.calls = 0
        self.behaviour = "delivers"
        self.receipt_after = "0s"
        self.command = ("tests.crash.child", "--config", str(folder / "ringback.toml"))
        self.spare_port = 0
        """Where a second carrier listens, which the first falls back on."""
        self._arrived = Count(folder / ("carrier.jsonl" if kind == "http" else "state/handset.jsonl"))
        self._asks = Count(folder / "asked.jsonl")

    # -- its life

    async def open(self) -> None:
        """Start the carrier and the PBX, and write the configuration."""
        await self.pbx.start()
        self.far_port = await self._carrier(self.folder)
        self.write_settings()

    async def add_spare(self) -> None:
        """Start a second carrier, which the first falls back on. Its ledgers lie in a folder of their own."""
        folder = self.folder / SPARE
        folder.mkdir()
        self.spare_port = await self._carrier(folder)
        self.write_settings()

    async def _carrier(self, folder: Path) -> int:
        """Start a carrier; returns its port."""
        hooks = f"http://127.0.0.1:{self.hooks}"
        made = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.carrier", folder, hooks, str(self.seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._path(ROOT / "plugin"),
        )
        self._far.append(made)
        assert made.stdout is not None
        return int(await asyncio.to_thread(made.stdout.readline))

    def write_settings(self, api_port: int | None = None) -> None:
        """Write the configuration; the carrier may be behind something else."""
        api = f"http://127.0.0.1:{api_port or self.far_port}"
        carriers = TWILIO.format(name="main", account=far.ACCOUNT, api=api, window=WINDOW)
        if self.spare_port:
            spare = f"http://127.0.0.1:{self.spare_port}"
            carriers += 'fallback = "spare"\n'
            carriers += TWILIO.format(name="spare", account=far.ACCOUNT, api=spare, window=WINDOW)
        if self.kind == "loopback":
            # a receipt of a text whose answer was lost comes after that was noticed
            after = {"answer_lost": "2s"}.get(self.behaviour, self.receipt_after)
            carriers += LOOPBACK.format(window=WINDOW, behaviour=self.behaviour, receipt_after=after)
        numbers = "".join(f'[numbers."{number}"]\ncarrier = "{LINES_OF[self.kind]}"\n' for number in NUMBERS)
        text = SETTINGS.format(
            web=self.web,
            hooks=self.hooks,
            public=far.PUBLIC,
            state=self.state,
            url=self.url,
            ami=self.pbx.port,
            carriers=carriers,
            numbers=numbers,
        )
        (self.folder / "ringback.toml").write_text(text, "utf-8")

    async def close(self) -> None:
        if self.running:
            with suppress(subprocess.TimeoutExpired):
                await self.stops()
            if self.running:
                self._end(signal.SIGKILL)
        if self.programs is not None:
            await self.programs.__aexit__()
        for made in self._far:
            assert made.stdin is not None and made.stdout is not None
            made.stdin.close()
            made.wait(10)
            made.stdout.close()
        await self.pbx.stop()
        for book in (self.faults, self.heard, self.asked):
            book.close()

    def starts_up(self, **environ: str) -> None:
        """Start the daemon; it takes work a little later."""
        with (self.folder / "daemon.log").open("ab") as log:
            self.child = subprocess.Popen(
                [sys.executable, "-m", *self.command],
                env={**self._path(self.package), **self._secrets(), **self.environ, **environ},
                stdout=log,
                stderr=log,
            )

    async def start(self, **environ: str) -> None:
        """Start the daemon, and wait until it takes hooks and hears the PBX."""
        self.starts_up(**environ)
        await self.until(self.takes_hooks, "the daemon takes hooks")
        if self.programs is None:
            await self._let_programs_in()

    async def _let_programs_in(self) -> None:
        await self.until(lambda: (self.state / "control.sock").exists(), "the daemon can be told things")
        shop, other = await make_key(self.state, "shop"), await make_key(self.state, "other")
        self.programs = Programs(f"http://127.0.0.1:{self.web}", self.asked, (shop, other))
        await self.programs.__aenter__()

    def takes_hooks(self) -> bool:
        if not self.running:
            raise Stuck(f"the daemon ended\n{self.log()}")
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.hooks), timeout=1):
            return True
        return False

    @property
    def running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def kill(self) -> None:
        """kill -9, and note when."""
        self.fault("kill")
        self._end(signal.SIGKILL)

    async def stops(self) -> tuple[int, float]:
        """SIGTERM; returns how it ended and after how many seconds."""
        assert self.child is not None
        begun = time.monotonic()
        self.fault("stop")
        self.child.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(self.child.wait, 45)
        return code, time.monotonic() - begun

    async def freezes(self, seconds: float) -> None:
        assert self.child is not None
        self.fault("freeze")
        self.child.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self.child.send_signal(signal.SIGCONT)

    def fault(self, kind: str, **what: object) -> None:
        self.faults.write(kind, window=WINDOW * 2, **what)

    def _end(self, how: signal.Signals) -> None:
        assert self.child is not None
        self.child.send_signal(how)
        self.child.wait(30)
        # what a wait for its end may not miss: nothing of it writes any more
        self.fault("gone")

    def _path(self, package: Path) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGBACK_")}
        return {**kept, "PYTHONPATH": f"{package}:{ROOT}"}

    def _secrets(self) -> dict[str, str]:
        names = ("main", "spare") if self.spare_port else ("main",)
        keys = {f"RINGBACK_CARRIERS__{name.upper()}__KEY": far.TOKEN for name in names}
        return {"RINGBACK_ASTERISK__MAIN__SECRET": "secret", **keys}

    # -- what happens to it

    async def tell(self, what: str, words: object = None) -> dict[str, int]:
        """Say something to the carrier."""
        return await asyncio.to_thread(self._tell, what, words)

    def _tell(self, what: str, words: object, port: int = 0) -> dict[str, int]:
        address = f"http://127.0.0.1:{port or self.far_port}/_/{what}"
        request = urllib.request.Request(address, json.dumps(words).encode())
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())

    async def write_in(self, texts: Iterable[tuple[str, str, str]], times: int = 1) -> None:
        """Let handsets write: (from, to, words). The carrier brings them until they are taken."""
        await self.tell("inbound", [{"from": a, "to": b, "body": words, "times": times} for a, b, words in texts])

    def ring(self, how_many: int) -> None:
        """Callers who give up: the PBX says it to whoever is logged in."""
        for call in range(self.calls, self.calls + how_many):
            heard = any(client.logged_in for client in self.pbx._clients)
            record = {"caller": stream.caller_of(call), "did": NUMBERS[call % len(NUMBERS)], "heard": heard}
            self.heard.write("call", uniqueid=stream.uniqueid_of(call), **record)
            self.pbx.raw(stream.beginning(call) + stream.ending(call))
        self.calls += how_many

    # -- what is known of it

    @property
    def arrived(self) -> int:
        """How many texts the carrier of this house got so far."""
        return self._arrived()

    @property
    def asks(self) -> int:
        """How often programs asked or were answered so far."""
        return self._asks()

    def told(self, kind: str) -> int:
        return sum(line["kind"] == kind for line in lines(self.folder / "told.jsonl"))

    def ask(self, query: str) -> list[dict[str, object]]:
        return ask(self.url, query)

    def unsettled(self) -> int:
        """How many texts are on their way or wait."""
        return int(str(self.ask(UNSETTLED)[0]["n"]))

    def ledgers(self) -> Ledgers:
        return open_ledgers(self.folder, self.url)

    def log(self) -> str:
        path = self.folder / "daemon.log"
        if not path.exists():
            return ""
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4000))
            return file.read().decode(errors="replace")

    async def until(self, seen: Callable[[], bool], what: str, within: float = PATIENCE, every: float = 0.02) -> None:
        """Wait until it is so; what is watched is a file or a table, which have no bell."""
        end = time.monotonic() + within
        while not await asyncio.to_thread(seen):
            if time.monotonic() > end:
                raise Stuck(f"not in {within:.0f} s: {what}\n{self.log()}")
            await asyncio.sleep(every)

    async def settles(self, within: float = PATIENCE) -> None:
        """Wait until nothing is on its way any more: hooks taken, receipts told, texts out."""

        def quiet() -> bool:
            ports = [port for port in (self.far_port, self.spare_port) if port]
            busy = any(self._tell("idle", None, port)["pending"] for port in ports)
            return not busy and self.unsettled() == 0

        # a look at a long table is not free
        await self.until(quiet, "everything settles", within, 0.2)
        # a text that was answered just now may still call back
        await self.until(quiet, "everything settles", within, 0.2)


@asynccontextmanager
async def house(
    folder: Path, kind: str = "http", url: str = "", seed: int = 1, package: Path | None = None
) -> AsyncIterator[House]:
    """A house whose daemon is not started yet; everything that was started ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    made = House(folder, kind, url, seed, package)
    await made.open()
    try:
        yield made
    finally:
        await made.close()
