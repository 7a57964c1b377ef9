"""The whole daemon for a browser to look at: its configuration, a PBX that says what a test wants, and its database."""

import asyncio
import os
import shutil
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from structlog.testing import capture_logs

from ringback import control
from ringback.config import Settings, load
from tests.fakes.ami import CHANNEL, FakePbx
from tests.stories.daemon import ROOT, Daemon, Finished, running

T = TypeVar("T")

MAIN, SERVICE = "+12025550101", "+12025550102"
SECRET = "secret"
ZONES = (
    *("Pacific/Honolulu", "America/Anchorage", "America/Los_Angeles", "America/Denver", "America/Chicago"),
    *("America/New_York", "America/Halifax", "America/Sao_Paulo", "Atlantic/South_Georgia", "Atlantic/Azores"),
    *("Europe/London", "Europe/Berlin", "Europe/Athens", "Europe/Istanbul", "Asia/Dubai", "Asia/Karachi"),
    *("Asia/Dhaka", "Asia/Bangkok", "Asia/Singapore", "Asia/Tokyo", "Australia/Brisbane", "Pacific/Noumea"),
    *("Pacific/Auckland", "Pacific/Apia"),
)
TEXT = (
    "{{ business }}: sorry we missed your call. Reply here"
    "{% if windows %}, or we call you back {{ windows }}{% endif %}. STOP to end."
)
TEXTO = (
    "{{ business }}: perdimos su llamada. Responda aqui"
    "{% if windows %}, o le llamamos {{ windows }}{% endif %}. STOP para no recibir mas."
)
CONFIG = """\
[business]
name = {business}
zone = "{zone}"
default_country = "US"
languages = ["en", "es"]
contact = "+1 202 555 0100"
[carriers.main]
type = "loopback"
answer_within = "1s"
late_after = "2s"
throttle_wait = "15m"
texts_per_handset = 1000
[numbers."+12025550101"]
carrier = "main"
[numbers."+12025550102"]
carrier = "main"
language = "es"
[limits]
texts_per_minute = 1000
automatic_per_hour = 10
per_number_per_minute = 10000
[calendar.main]
open = {{ daily = ["08:00-19:00"] }}
callback = {{ daily = ["10:00-11:00", "17:30-18:30"] }}
[[asterisk]]
name = "main"
port = {port}
user = "ringback"
inbound_contexts = ["from-trunk"]
trust_caller_id = true
[[rule]]
name = "voicemail"
when = ["voicemail_left"]
delay = "10m"
text = {{ en = "{{{{ business }}}}: thank you for your message. We call you back. STOP to end." }}
[[rule]]
name = "missed"
when = ["missed", "busy", "declined", "unreachable", "abandoned_queue", "abandoned_ivr"]
delay = "0s"
text = {{ en = {text}, es = {texto} }}
"""


def afternoon(now: datetime) -> str:
    """A time zone where it is about half past four now, so that the day that was is a day of work."""

    def off(zone: str) -> int:
        there = now.astimezone(ZoneInfo(zone))
        return abs(there.hour * 60 + there.minute - 16 * 60 - 30)

    return min(ZONES, key=off)


def configuration(zone: str, port: int, business: str = "Northlight Heating", more: str = "") -> str:
    words = {"business": quoted(business), "text": quoted(TEXT), "texto": quoted(TEXTO)}
    return CONFIG.format(zone=zone, port=port, **words) + more


def quoted(text: str) -> str:
    """Any text as a string of TOML."""
    code = {'"': '\\"', "\\": "\\\\"}
    return '"' + "".join(code.get(one, one if one.isprintable() else f"\\U{ord(one):08x}") for one in text) + '"'


class Exchange:
    """A PBX in a thread of its own: it goes on while the tests' loop stands still."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._pbx = FakePbx()
        self._calls = 0

    @property
    def port(self) -> int:
        return self._pbx.port

    def start(self) -> None:
        self._thread.start()
        self._do(self._pbx.start())

    def stop(self) -> None:
        self._do(self._pbx.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def misses(self, caller: str, did: str = MAIN) -> None:
        """Somebody calls, lets it ring, and gives up."""
        self.rings(caller, did)()

    def rings(self, caller: str, did: str = MAIN) -> Callable[[], None]:
        """Somebody calls, and a phone rings; what is returned makes them give up."""
        return self.calls(caller, did=did).give_up

    def calls(self, caller: str, phone: str = "101", did: str = MAIN) -> "Ringing":
        """Somebody calls, and this phone rings."""
        self._calls += 1
        call, leg = f"browser-{self._calls}", f"browser-{self._calls}-leg"
        theirs = {"Uniqueid": call, "CallerIDNum": caller, "Exten": did, "ChannelState": "4"}
        other = CHANNEL | {"Channel": f"PJSIP/{phone}-00000002", "Uniqueid": leg, "Linkedid": call}
        ringing = {f"Dest{name}": value for name, value in other.items()}
        self._say("Newchannel", **theirs)
        self._say("DialBegin", **theirs, **ringing, DialString=phone)
        return Ringing(self._say, theirs, ringing)

    def _say(self, name: str, **fields: str) -> None:
        self._loop.call_soon_threadsafe(lambda: self._pbx.say(name, **fields))

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


@dataclass(frozen=True)
class Ringing:
    """A call that goes on."""

    say: Callable[..., None]
    theirs: dict[str, str]
    ringing: dict[str, str]

    def give_up(self) -> None:
        self.say("DialEnd", **self.theirs, **self.ringing, DialStatus="CANCEL")
        self.hang_up()

    def is_answered(self) -> None:
        """The phone that rings is picked up."""
        self.say("DialEnd", **self.theirs, **self.ringing, DialStatus="ANSWER")
        self.say("BridgeEnter", **self.theirs, BridgeType="basic", BridgeUniqueid="bridge", BridgeNumChannels="2")

    def hang_up(self) -> None:
        self.say("Hangup", **self.theirs, Cause="16")


Fill = Callable[[Path, Settings], Awaitable[None]]
"""Fills a database, which lies there empty, before the daemon opens it."""


class House:
    """A daemon with pages, and a PBX beside it."""

    def __init__(self, daemon: Daemon, exchange: Exchange, settings: Settings, port: int) -> None:
        self.daemon = daemon
        self.exchange = exchange
        self.settings = settings
        self.port = port

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def command(self, *words: str, given: str = "") -> Finished:
        """Run a command beside the daemon, with something to read."""
        pipe = asyncio.subprocess.PIPE
        line = (sys.executable, "-m", "ringback.cli", *words, "--config", str(self.daemon.file))
        ours = {"RINGBACK_ASTERISK__MAIN__SECRET": SECRET, "PYTHONPATH": str(ROOT / "plugin")}
        process = await asyncio.create_subprocess_exec(
            *line, env={**os.environ, **ours}, stdin=pipe, stdout=pipe, stderr=pipe
        )
        out, err = await process.communicate(given.encode())
        return Finished(process.returncode or 0, out.decode(), err.decode())

    def thread(self, peer: str, did: str = MAIN) -> str:
        """The address of somebody's thread."""
        return f"/threads/{self._thread(peer, did)[0][0]}"

    async def threaded(self, peer: str, did: str = MAIN) -> str:
        """The same once it is there."""
        await self.becomes(lambda: self._thread(peer, did) != [])
        return self.thread(peer, did)

    async def becomes(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds that is read from the database."""
        await self.daemon.become(holds, True)

    def texts(self, peer: str) -> list[tuple[object, ...]]:
        """Our texts to somebody, oldest first, each with its state."""
        return self.daemon.rows(
            f"""SELECT m.body, m.state FROM message m JOIN thread t ON t.id = m.thread_id
            WHERE t.peer = '{peer}' ORDER BY m.id"""
        )

    def _thread(self, peer: str, did: str) -> list[tuple[object, ...]]:
        return self.daemon.rows(
            f"""SELECT t.public_id FROM thread t JOIN number n ON n.id = t.number_id
            WHERE t.peer = '{peer}' AND n.e164 = '{did}'"""
        )

    def call(self, caller: str) -> str:
        """The address of the page of somebody's last call."""
        rows = self.daemon.rows(f"SELECT public_id FROM call WHERE peer = '{caller}' ORDER BY id DESC LIMIT 1")
        return f"/calls/{rows[0][0]}"

    def user(self, login: str) -> str:
        return f"/users/{self.public_id('account', login)}"

    def public_id(self, what: str, name: str) -> str:
        """Of a user by the login, of a department, a group of numbers or a text queue by its name."""
        column = "login" if what == "account" else "name"
        (row,) = self.daemon.rows(f"SELECT public_id FROM {what} WHERE {column} = '{name}'")
        return str(row[0])

    def session(self) -> str:
        """A session that somebody has."""
        (row,) = self.daemon.rows("SELECT public_id FROM session WHERE state = 'assigned' ORDER BY id LIMIT 1")
        return str(row[0])

    def key(self, name: str) -> str:
        (row,) = self.daemon.rows(f"SELECT public_id FROM api_key WHERE name = '{name}'")
        return f"/api/keys/{row[0]}"

    def run(self, name: str) -> str:
        (row,) = self.daemon.rows(f"SELECT public_id FROM bulk WHERE name = '{name}'")
        return f"/api/runs/{row[0]}"


@contextmanager
def open_house(folder: Path, empty: Path, zone: str, fill: Fill, **config: str) -> Iterator[House]:
    """Fill a database and start a daemon on it; `empty` is one to begin with."""
    exchange = Exchange()
    exchange.start()
    try:
        daemon = Daemon(folder, configuration(zone, exchange.port, **config), {"main": SECRET})
        daemon.state.mkdir()
        database = daemon.state / "ringback.db"
        shutil.copy(empty, database)
        settings = load(daemon.file, {"RINGBACK_ASTERISK__MAIN__SECRET": SECRET})
        with capture_logs():
            _run(fill(database, settings))
        with running(daemon):
            _run(daemon.until(ready=True))
            yield House(daemon, exchange, settings, _run(_port(daemon)))
    finally:
        exchange.stop()


async def _port(daemon: Daemon) -> int:
    status: Mapping[str, str] | None = await control.ask(daemon.state, "status")
    assert status is not None
    return int(status["port"])


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run this in a thread of its own, since this one may have a loop that goes on later."""
    found: list[T] = []
    problem: list[BaseException] = []

    def there() -> None:
        try:
            found.append(asyncio.run(work))
        except BaseException as fault:
            problem.append(fault)

    thread = threading.Thread(target=there)
    thread.start()
    thread.join()
    if problem:
        raise problem[0]
    return found[0]
