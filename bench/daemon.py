"""The real daemon as a child: `ringback run` on SQLite, twenty rules of which the last fits, limits out of the way."""

import json
import shutil
import socket
import sqlite3
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench import stream
from bench.process import ROOT, Child, Stalled

READY_WITHIN = 30.0
RULES = 20


@dataclass(frozen=True, slots=True)
class Carrier:
    """The `[carriers.main]` of a run, as TOML lines."""

    name: str
    lines: tuple[str, ...]


def loopback(window: int) -> Carrier:
    return Carrier(f"loopback, window {window}", ('type = "loopback"', f"window = {window}"))


def over_http(url: str, window: int) -> Carrier:
    return Carrier(f"HTTP, window {window}", ('type = "bench_http"', f"window = {window}", f'url = "{url}"'))


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


class Daemon:
    """One `ringback run` in its own folder. Its log has the moment each call was durable."""

    def __init__(
        self,
        folder: Path,
        ami_port: int,
        carrier: Carrier,
        environ: Mapping[str, str] | None = None,
        keep: bool = False,
        more: str = "",
    ) -> None:
        self.folder = folder
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "daemon.log"
        self.log.unlink(missing_ok=True)
        self.port = free_port()
        config = folder / "ringback.toml"
        config.write_text(_config(folder, self.port, ami_port, carrier) + more)
        command = (sys.executable, "-m", "ringback.cli", "run", "--config", config, "--log", "json")
        begun = time.monotonic()
        self.child = Child(command, self.log, {**_entry_point(folder), **_SECRET, **(environ or {})})
        try:
            self._wait_until_ready()
        except BaseException:
            self.child.stop()
            raise
        self.ready_after = time.monotonic() - begun

    def __enter__(self) -> "Daemon":
        return self

    def __exit__(self, *_: object) -> None:
        self.child.stop()

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + READY_WITHIN
        while time.monotonic() < end and self.child.alive:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=1):
                    return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.01)
        raise Stalled(f"the daemon is not ready; its log ends with {self.log.read_text()[-1000:]}")

    def calls_durable(self) -> dict[int, int]:
        """Call number -> wall clock in ns of the line the daemon logs once the call is on disk."""
        return {_number(said["call"]): _wall_ns(said["timestamp"]) for said in self._said("call ended")}

    def submitted(self) -> dict[int, int]:
        """Call number -> wall clock in ns at the first line of the loopback's `send`."""
        lines = (json.loads(line) for line in (self.folder / "handset.jsonl").read_text().splitlines())
        return {stream.call_of(line["to"]): _wall_ns(line["at"]) for line in lines if line["kind"] == "text"}

    def handed(self) -> int:
        """Texts the loopback took so far."""
        path = self.folder / "handset.jsonl"
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def rows(self, condition: str, table: str = "message") -> int:
        """Count rows, from beside the daemon."""
        with closing(sqlite3.connect(f"file:{self.folder}/ringback.db?mode=ro", uri=True)) as database:
            (count,) = database.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()
            return int(count)

    def _said(self, event: str) -> Iterator[dict[str, str]]:
        for line in self.log.read_text().splitlines():
            if line.startswith("{") and (said := json.loads(line))["event"] == event:
                yield said


def _number(uniqueid: str) -> int:
    return int(uniqueid.rpartition(".")[2])


def _wall_ns(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000


_SECRET = {"RINGBACK_ASTERISK__MAIN__SECRET": "secret"}


def _entry_point(folder: Path) -> dict[str, str]:
    """Make the bench's carrier known to this one daemon."""
    info = folder / "path" / "ringback_bench-0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ringback-bench\nVersion: 0\n")
    (info / "entry_points.txt").write_text("[ringback.carriers]\nbench_http = bench.carrier:build\n")
    return {"PYTHONPATH": f"{ROOT}/plugin:{ROOT}:{info.parent}"}


def _config(folder: Path, port: int, ami_port: int, carrier: Carrier) -> str:
    others = [f"+120255502{last:02}" for last in range(RULES - 1)]
    numbers = "".join(f'[numbers."{did}"]\ncarrier = "main"\n' for did in (*stream.DIDS, *others))
    text = 'text = {en = "Sorry we missed your call, {{ business }}. Reply here and we will help. STOP to end"}'
    when = 'when = ["missed", "abandoned_queue"]'
    rules = "".join(
        f'[[rule]]\nname = "line-{place}"\ndid = ["{did}"]\n{when}\ndelay = "0s"\n{text}\n'
        for place, did in enumerate(others)
    )
    return f"""
[business]
name = "Northlight"
zone = "America/New_York"
default_country = "US"
[web]
listen = "127.0.0.1:{port}"
[paths]
state = "{folder}"
[limits]
texts_per_minute = 100000
per_number_per_minute = 60000
[[asterisk]]
name = "main"
port = {ami_port}
user = "ringback"
inbound_contexts = ["from-trunk"]
[carriers.main]
{chr(10).join(carrier.lines)}
{numbers}
{rules}
[[rule]]
name = "missed"
{when}
delay = "0s"
{text}
"""
