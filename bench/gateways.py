"""Whoever takes texts over HTTP and sends them on over HTTP: Ringback on either database, and Kannel.

Each is started with the sink it sends to, says what a request to it looks like, and what it costs.
"""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import psycopg

from bench.daemon import Carrier, Daemon, free_port
from bench.kannel import Kannel
from bench.machine import BIN
from bench.process import ROOT, Stalled
from bench.stage import asked, dumped, open_pbx, open_sink

KEY = "the key of the bench"
PUBLIC = "https://sms.example.com"
WINDOW = 100
BODY = "Hello, your order @@@@@@@ is ready. We are open until six today."
"""Seven @ become the number of the text, see httpflood.c."""
DIDS = tuple(f"+120255501{last:02}" for last in range(100))
# Twilio and its hooks on loopback, every limit far away.
MORE = """
[hooks]
listen = "127.0.0.1:{hooks}"
{public}
[api]
requests_per_minute = 60000000
largest_run = 1000000
{database}
"""


class Costs(Protocol):
    """What processes took so far: seconds of processor time, and megabytes at their most."""

    def cpu(self) -> float: ...

    def peak(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway between its sinks. `request` is one request as httpflood takes it, to `port`."""

    port: int
    request: bytes
    costs: Costs
    sink: str
    told: Callable[[], int]
    told_stamps: Callable[[Path], list[tuple[int, int]]]
    kept: Callable[[str], int] | None = None
    """How many rows hold a condition, where there are rows."""
    headers: Mapping[str, str] = field(default_factory=dict)


Start = Callable[[Path], "contextlib.AbstractContextManager[Running]"]


def slowed(us: int) -> dict[str, str]:
    """The environment in which every flush takes so much longer."""
    return {"LD_PRELOAD": str(BIN / "slowsync.so"), "SLOWSYNC_US": str(us)} if us else {}


def to_twilio(sink: int) -> Carrier:
    """Twilio's own carrier file, sending to a sink that speaks and signs like Twilio."""
    account = "AC" + "0" * 32
    lines = ('type = "twilio"', f'account = "{account}"', f'api = "http://127.0.0.1:{sink}"', f"window = {WINDOW}")
    return Carrier("Twilio on loopback", lines)


def ringback(url: Callable[[], str] = str, receipts: bool = True, slow_us: int = 0) -> Start:
    """The daemon with Twilio's carrier file. `url` makes its database; the usual SQLite file where it gives nothing."""
    return partial(_ringback, url, receipts, slow_us)


@contextlib.contextmanager
def _ringback(url: Callable[[], str], receipts: bool, slow_us: int, folder: Path) -> Iterator[Running]:
    database, hooks, state = url(), free_port(), folder / "state"
    more = MORE.format(
        hooks=hooks,
        public=f'public_url = "{PUBLIC}"' if receipts else "",
        database=f'[database]\nurl = "{database}"' if database else "",
    )
    more += "".join(f'[numbers."{did}"]\ncarrier = "main"\n' for did in DIDS[10:])
    environ = {"RINGBACK_CARRIERS__MAIN__KEY": KEY, **slowed(slow_us)}
    with open_sink(folder, 0, hooks if receipts else 0, KEY) as sink, open_pbx(folder) as pbx:
        sink_port = int(sink.line())
        at = f"http://127.0.0.1:{sink_port}"
        with Daemon(state, int(pbx.line()), to_twilio(sink_port), environ, more=more) as daemon:
            headers = {"Authorization": f"Bearer {new_key(state, environ)}", "Content-Type": "application/json"}
            body = f'{{"from": "+120255501@@", "to": "+1512@@@@@@@", "text": "{BODY}"}}'
            yield Running(
                daemon.port,
                _post("/v1/messages", {**headers, "Idempotency-Key": "bench-@@@@@@@"}, body),
                daemon.child,
                at,
                partial(asked, at, "told"),
                lambda folder: dumped(at, folder, "dump_told"),
                partial(_rows, database) if database else daemon.rows,
                headers,
            )


def new_key(state: Path, environ: Mapping[str, str] = MappingProxyType({})) -> str:
    """Ask the running daemon for a key."""
    words = (sys.executable, "-m", "ringback.cli", "key", "add", "bench", "--scope", "send", "--scope", "bulk")
    made = subprocess.run(
        (*words, "--scope", "read", "--config", state / "ringback.toml"),
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": f"{ROOT}/plugin", "RINGBACK_ASTERISK__MAIN__SECRET": "secret", **environ},
    )
    return made.stdout.strip()


def _rows(url: str, condition: str) -> int:
    with psycopg.connect(url) as connection:
        (count,) = connection.execute(f"SELECT count(*) FROM message WHERE {condition}".encode()).fetchone() or (0,)
        return int(count)


def _post(target: str, headers: Mapping[str, str], body: str) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def kannel(store: str, receipts: bool = True) -> Start:
    """Kannel, which with receipts also calls an application for each: a second sink."""
    return partial(_kannel, store, receipts)


@contextlib.contextmanager
def _kannel(store: str, receipts: bool, folder: Path) -> Iterator[Running]:
    back = free_port()
    inner = folder / "application"
    inner.mkdir()
    with open_sink(folder, 0, back if receipts else 0) as sink, open_sink(inner, 0) as application:
        sink_port, app_port = int(sink.line()), int(application.line())
        at, app = f"http://127.0.0.1:{sink_port}", f"http://127.0.0.1:{app_port}"
        wanted = f"&dlr-mask=1&dlr-url=http%3A%2F%2F127.0.0.1%3A{app_port}%2Fdlr%3Fto%3D%252B1512@@@@@@@"
        text = BODY.replace(" ", "+")
        target = "/cgi-bin/sendsms?username=bench&password=bench&from=%2B120255501@@&to=%2B1512@@@@@@@"
        asks = f"GET {target}&text={text}{wanted if receipts else ''} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        with Kannel(folder / "kannel", store, sink_port, back) as boxes:
            yield Running(
                boxes.port,
                asks.encode(),
                boxes,
                at,
                partial(asked, app, "count"),
                lambda folder: dumped(app, folder / "application"),
            )


def all_there(running: Running, texts: int, final: str) -> None:
    """Raise Stalled unless every row is there and final."""
    if running.kept is None:
        return
    rows, done = running.kept("1 = 1"), running.kept(f"state = '{final}'")
    if (rows, done) != (texts, texts):
        raise Stalled(f"{rows} rows of {texts} texts, {done} of them {final}")
