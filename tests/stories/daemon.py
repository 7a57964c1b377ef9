"""The whole daemon as a child process: its configuration, its log as values, its database read from outside."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlalchemy import text

from lab.asterisk import Asterisk
from lab.pbx import Account
from ringback import control
from ringback.ports.stories import CallStory, Stories
from ringback.store.database import reader
from ringback.store.stories import find

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
Record = dict[str, str]


class DaemonFault(Exception):
    """The daemon did not do what a test waits for; the text has the end of its log."""


class Log:
    """The lines a daemon writes, one record each, kept as they come; anybody may wait for the next."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._bells: set[Callable[[], object]] = set()
        self._lock = threading.Lock()

    def take(self, line: str) -> None:
        """Add a line; one that is not JSON came from a library or is a part of a traceback."""
        try:
            record = json.loads(line)
        except ValueError:
            record = {"event": line.rstrip()}
        with self._lock:
            self.records.append(record)
            for ring in self._bells:
                ring()

    async def wait(self, fits: Callable[[Record], bool], what: str, after: int = 0) -> Record:
        """The first record from `after` on that fits, one that is there or one to come."""
        came, loop = asyncio.Event(), asyncio.get_running_loop()

        def ring() -> None:
            loop.call_soon_threadsafe(came.set)

        with self._lock:
            self._bells.add(ring)
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    came.clear()
                    while after < len(self.records):
                        if fits(self.records[after]):
                            return self.records[after]
                        after += 1
                    await came.wait()
        except TimeoutError:
            raise DaemonFault(f"not in the log: {what}\n{self.end()}") from None
        finally:
            with self._lock:
                self._bells.remove(ring)

    def end(self) -> str:
        return "\n".join(json.dumps(record, ensure_ascii=False) for record in self.records[-20:])


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended."""

    code: int
    out: str
    err: str


class Daemon:
    """`ringback run` on a state folder of its own. It may be killed and started again."""

    database = ""

    def __init__(self, folder: Path, settings: str, secrets: Mapping[str, str]) -> None:
        self.state = folder / "state"
        self.file = folder / "ringback.toml"
        self.file.write_text(f'{settings}\n[web]\nlisten = "127.0.0.1:0"\n[paths]\nstate = "{self.state}"\n', "utf-8")
        self.log = Log()
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RINGBACK_")},
            **{f"RINGBACK_ASTERISK__{pbx.upper()}__SECRET": secret for pbx, secret in secrets.items()},
            "PYTHONPATH": str(ROOT / "plugin"),
        }
        self._process: subprocess.Popen[str] | None = None
        self._reading: threading.Thread | None = None

    def set(self, name: str, value: str) -> None:
        """Put something into the environment of what starts from now on."""
        self._environ[name] = value

    # -- its life

    def start(self) -> None:
        """Start it; ready it is later."""
        command = [*self._command("run"), "--log", "json", "--level", "debug"]
        self._process = subprocess.Popen(command, env=self._environ, stderr=subprocess.PIPE, text=True)
        self._reading = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reading.start()

    def stop(self) -> int:
        """End it as an init system would; says how it ended."""
        return self._end(subprocess.Popen.terminate)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(subprocess.Popen.kill)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def until(self, ready: bool) -> dict[str, str]:
        """Wait until it says that it is, or is not, ready; returns its parts, each with how it is."""
        said: tuple[int, dict[str, str]] = (0, {})
        try:
            async with asyncio.timeout(PATIENCE):
                while said[0] != (200 if ready else 503):
                    if not self.running:
                        raise DaemonFault(f"the daemon ended\n{self.log.end()}")
                    await asyncio.sleep(0.02)
                    said = await self._readiness() or said
        except TimeoutError:
            raise DaemonFault(f"the daemon says {said}\n{self.log.end()}") from None
        return said[1]

    async def ports(self) -> tuple[int, int]:
        """Where its pages are, and where its hooks; it is ready."""
        status = await control.ask(self.state, "status")
        assert status is not None
        return int(status["port"]), int(status["hook_port"])

    async def _readiness(self) -> tuple[int, dict[str, str]] | None:
        status = await control.ask(self.state, "status")
        if status is None or status["port"] == "0":
            return None
        code, body = await asyncio.to_thread(_get, f"http://127.0.0.1:{status['port']}/readyz")
        # a stranger is told names and states; why, is told to who logs in and to the shell
        status = await control.ask(self.state, "status")
        parts = json.loads(status["health"])["parts"] if status else []
        if _standings(json.loads(body)["parts"]) != _standings(parts):
            return None
        return code, {part["name"]: f"{part['state']} {part['detail']}".strip() for part in parts}

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self.log.take(line)

    def _end(self, how: "Callable[[subprocess.Popen[str]], None]") -> int:
        assert self._process is not None and self._reading is not None
        how(self._process)  # does nothing to one that has ended
        code = self._process.wait(PATIENCE)
        self._reading.join()
        if self._process.stderr:
            self._process.stderr.close()
        return code

    # -- what is known of calls and texts

    async def ended(self, did: str, count: int = 1, after: int = 0) -> list[CallStory]:
        """Wait until so many calls of a number have ended, and return them in that order."""
        found: list[CallStory] = []
        while len(found) < count:
            record = await self.log.wait(lambda record: _is_end_of(record, did), f"end of a call to {did}", after)
            after = self.log.records.index(record, after) + 1
            found += [call for call in self.look(record["call"]).calls if call.pbx == record["pbx"]]
        return found

    def again(self, call: CallStory) -> CallStory:
        """The same call as the database has it now."""
        (story,) = self.look(call.public_id).calls
        return story

    def look(self, what: str) -> Stories:
        with self._engine.connect() as connection:
            return find(connection, what)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def look_anew(self) -> None:
        """Forget the database that was looked at; a restore puts another one in its place."""
        self.__dict__.pop("_engine").dispose()

    @cached_property
    def _engine(self):
        return reader(self.database or f"sqlite:///{self.state / 'ringback.db'}")

    async def become(self, look: Callable[[], object], wanted: object) -> None:
        """Wait until what is read from the database is what is wanted."""
        found = look()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while (found := look()) != wanted:
                    await asyncio.sleep(0.02)
        assert found == wanted, f"{found}\n{self.log.end()}"

    async def delivered(self, call: CallStory) -> CallStory:
        """Wait until the text of a call lies on its handset and its receipt is stored."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while [text.state for text in self.again(call).texts] != ["delivered"]:
                    await asyncio.sleep(0.02)
        return self.again(call)

    def handset(self) -> Counter[tuple[str, str]]:
        """How many texts came to whom from which number, as the carrier wrote it down."""
        journal = self.state / "handset.jsonl"
        lines = map(json.loads, journal.read_text().splitlines()) if journal.exists() else ()
        return Counter((line["sender"], line["to"]) for line in lines if line["kind"] == "text")

    # -- its other commands

    async def do(self, *words: str, told: str = "") -> Finished:
        """Run one more `ringback` command on the same configuration; `told` is its standard input."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self._command(*words), env=self._environ, stdin=pipe, stdout=pipe, stderr=pipe
        )
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate(told.encode())
        return Finished(process.returncode or 0, out.decode(), err.decode())

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "ringback.cli", *words, "--config", str(self.file)]


def _standings(parts: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(part["name"], part["state"]) for part in parts]


def _is_end_of(record: Record, did: str) -> bool:
    return record.get("event") == "call ended" and record.get("did") == did


def _get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as problem:
        with problem:
            return problem.code, problem.read()


@contextmanager
def running(daemon: Daemon) -> Iterator[Daemon]:
    """Start it, and end it whatever happens."""
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.stop()


BASE = """\
[business]
name = "Northlight"
zone = "America/New_York"
default_country = "US"
languages = ["en", "es"]
[carriers.main]
type = "loopback"
[limits]
texts_per_minute = 1000
automatic_per_hour = 10
"""
MISSED = """\
[[rule]]
name = "missed"
when = ["missed", "busy", "declined", "unreachable", "abandoned_ivr"]
delay = "0s"
text = { en = "Sorry we missed you, {{ business }}. STOP to end", es = "Perdimos su llamada, {{ business }}. STOP" }
"""
LINES = tuple(f"+1{area}55501{line:02}" for area in (202, 212) for line in (*range(1, 50), *range(60, 89)))


def configuration(pbxs: Mapping[str, Asterisk], rules: str = MISSED, more: str = "", who: Account | None = None) -> str:
    """A configuration for these PBXs with every line of the lab; `more` goes into each [[asterisk]]."""
    numbers = "\n".join(f'[numbers."{did}"]\ncarrier = "main"' for did in LINES)
    accounts = [
        f'[[asterisk]]\nname = "{name}"\nport = {pbx.ami_port}\nuser = "{(who or pbx.account).user}"\n'
        + (more or 'inbound_contexts = ["from-trunk"]')
        for name, pbx in pbxs.items()
    ]
    return "\n".join([BASE, numbers, *accounts, rules])


def daemon_for(folder: Path, rules: str = MISSED, more: str = "", database: str = "", **pbxs: Asterisk) -> Daemon:
    """A daemon that listens to these PBXs with the account we ship; without `database` it makes its SQLite file."""
    secrets = {name: pbx.account.secret for name, pbx in pbxs.items()}
    where = f'[database]\nurl = "{database}"\n' if database else ""
    daemon = Daemon(folder, where + configuration(pbxs, rules, more), secrets)
    daemon.database = database
    return daemon
