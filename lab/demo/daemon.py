"""`ringback run` as a child process: configured for the demo, listened to, asked, ended."""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import socket
import sys
import urllib.request
from asyncio.subprocess import DEVNULL, PIPE
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from lab.asterisk import Asterisk
from lab.demo.people import Person
from ringback import control
from ringback.errors import RingbackError
from ringback.panel.passwords import Hasher

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "ringback.cli")
STARTS_WITHIN = 20.0  # seconds; it takes about one
ENDS_WITHIN = 2.0
LOOK_AGAIN = 0.05  # the state of another process has no event
PORT = 8080  # as in a configuration that says nothing about it

CONFIG = Template("""\
# Written by the demo for one run.
[business]
name = "Northlight Dental"
zone = "America/New_York"
default_country = "US"

[web]
listen = "127.0.0.1:$port"

[dialplan]
listen = "127.0.0.1:0"

[paths]
state = "state"

[[asterisk]]
name = "main"
port = $ami_port
user = "$user"
inbound_contexts = ["from-trunk"]

[carriers.main]
type = "loopback"

$numbers
[calendar.team]
open = { mon-sun = ["09:00-17:00"] }
callback = { mon-sun = ["10:00-12:00", "14:00-16:00"] }

$rules""")


class DemoFault(Exception):
    """The demo cannot go on; the text says why."""


class Daemon:
    """One running Ringback, its folder, and what it logs."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "ringback.toml"
        self.state = folder / "state"
        self.handsets = self.state / "handset.jsonl"
        self.url = ""
        self.password = secrets.token_urlsafe(12)
        self._process: asyncio.subprocess.Process | None = None
        self._ended: dict[str, asyncio.Queue[str]] = defaultdict(asyncio.Queue)
        self._reading: asyncio.Future[None] | None = None
        self._last_lines: list[str] = []
        self._two_at_once = asyncio.Semaphore(2)

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, asterisk: Asterisk, rules: str, dids: Sequence[str]) -> AsyncIterator["Daemon"]:
        """Write its files, start it, wait until a missed call would become a text; end it afterwards."""
        daemon = cls(write_files(asterisk, rules, dids))
        try:
            await daemon._start()
            await daemon._ready()
            yield daemon
        finally:
            await daemon._end()

    async def call_ended(self, did: str) -> str:
        """The id of the next call to this number that Ringback has decided about."""
        return await self._ended[did].get()

    async def ask(self, *words: str, told: str = "") -> str:
        """What a `ringback` command prints; `told` is its standard input. Raises DemoFault when it fails."""
        async with self._two_at_once:  # each takes a core for a second
            asked = await asyncio.create_subprocess_exec(
                *COMMAND,
                *(*words, "--config", str(self.config)),
                env=environment(),
                stdin=PIPE if told else DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
                process_group=0,
            )
            try:
                said, complaint = await asked.communicate(told.encode() or None)
            finally:
                if asked.returncode is None:
                    asked.kill()
                    await asked.wait()
        if asked.returncode:
            raise DemoFault(f"`ringback {words[0]}` failed: {complaint.decode(errors='replace').strip()}")
        return said.decode()

    async def change(self, what: str, **words: str) -> None:
        """Have it change something as a command would, without a process that takes a second. Raises DemoFault."""
        try:
            said = await control.ask(self.state, what, by="shell demo", **words)
        except RingbackError as problem:
            raise DemoFault(f"{what} {words}: {problem}") from problem
        if said is None:
            raise DemoFault("`ringback run` does not listen to commands")

    async def add_person(self, person: Person) -> None:
        """Somebody who may log in to the panel, with a password made for this run."""
        await self.change("user", change="add", **person.words, password=await Hasher().hash(self.password))

    async def allow_everybody(self) -> None:
        """Until somebody says so, administrators alone may text."""
        allowed = {"subject": "everyone", "number": "all", "effect": "allow", "class": "", "note": ""}
        for way in ("receive", "send"):
            await self.change("grant", way=way, **allowed)

    async def dialplan_url(self) -> str:
        """Where the dialplan may ask. Raises DemoFault when nothing listens there in time."""
        try:
            async with asyncio.timeout(STARTS_WITHIN):
                while (said := await control.ask(self.state, "status")) is None or said["dialplan_port"] == "0":
                    await asyncio.sleep(LOOK_AGAIN)
        except TimeoutError:
            raise DemoFault("`ringback run` does not listen to the dialplan") from None
        return f"http://127.0.0.1:{said['dialplan_port']}"

    async def gone(self) -> None:
        """Wait until it has ended by itself, which it should not, and raise DemoFault."""
        if self._process and self._reading:
            code = await self._process.wait()
            await self._reading
            raise DemoFault("\n".join([f"`ringback run` ended by itself with exit code {code}:", *self._last_lines]))

    def kill(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()

    async def _start(self) -> None:
        # with its parent killed nobody would stop it: the kernel does
        leash = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        self._process = await asyncio.create_subprocess_exec(
            *leash,
            *COMMAND,
            *("run", "--log", "json", "--config", str(self.config)),
            env=environment(),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
            process_group=0,  # Ctrl-C is ours to hear; we pass it on in order
        )
        self._reading = asyncio.ensure_future(self._listen())

    async def _listen(self) -> None:
        """Read its log as long as it runs."""
        stream = self._process.stderr if self._process else None
        while stream and (line := (await stream.readline()).decode(errors="replace").strip()):
            self._last_lines = [*self._last_lines[-9:], line]
            match read_line(line):
                case {"event": "call ended", "did": str(did), "call": str(call)}:
                    self._ended[did].put_nowait(call)
                case {"event": "pages", "url": str(url)}:
                    self.url = url

    async def _ready(self) -> None:
        try:
            async with asyncio.timeout(STARTS_WITHIN):
                while not self.url or not await asyncio.to_thread(is_ready, f"{self.url}readyz"):
                    if self._process and self._process.returncode is not None:
                        await self.gone()
                    await asyncio.sleep(LOOK_AGAIN)
        except TimeoutError:
            raise DemoFault("\n".join(["`ringback run` does not get ready:", *self._last_lines])) from None

    async def _end(self) -> None:
        if self._process is None or self._reading is None:
            return
        if self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), ENDS_WITHIN)
            except TimeoutError:
                self._process.kill()
        await self._reading


def write_files(asterisk: Asterisk, rules: str, dids: Sequence[str]) -> Path:
    """Everything `ringback run` needs, in a folder that goes when Asterisk's does."""
    folder = asterisk.run / "ringback"
    (folder / "secrets").mkdir(parents=True)
    for name, value in (("asterisk.main.secret", asterisk.account.secret), ("dialplan.token", asterisk.token)):
        secret = folder / "secrets" / name
        secret.touch(0o600)
        secret.write_text(value)
    config = CONFIG.substitute(
        port=PORT if is_free(PORT) else 0,
        ami_port=asterisk.ami_port,
        user=asterisk.account.user,
        numbers="".join(f'[numbers."{did}"]\ncarrier = "main"\n\n' for did in dids),
        rules=rules,
    )
    (folder / "ringback.toml").write_text(config)
    return folder


def environment() -> dict[str, str]:
    """Ours, without what could change the daemon's settings, and with the way to its code."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGBACK_")}
    return {**kept, "PYTHONPATH": str(ROOT / "plugin")}


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def is_ready(url: str) -> bool:
    """Does the page answer that all is well? 503 means not yet."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def read_line(line: str) -> Mapping[str, Any]:
    """A log line; those of libraries are no JSON."""
    with contextlib.suppress(json.JSONDecodeError):
        said = json.loads(line)
        if isinstance(said, dict):
            return said
    return {}
