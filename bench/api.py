"""From a request over HTTP to the carrier, to durable status and receipt: all at once, and at a steady pace.

Every run starts its own subject between its own sinks, warms it up, and checks that each text was sent once, that each
receipt arrived, and that the rows say so. Rounds go over all subjects in an order of their own.
"""

import array
import contextlib
import json
import random
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.figures import Figures, Goal, Ratio, What, quantile
from bench.gateways import Running, Start, all_there, kannel, ringback, slowed
from bench.kannel import programs
from bench.machine import BIN
from bench.postgres import databases
from bench.process import Stalled, wait_for
from bench.stage import asked, dumped

FIRST = 2_000_000
"""Below it there are no such phone numbers."""
WARM = 300
CONNECTIONS = 64
PACES = (200, 1_000)
DELAYS_US = (0, 1_000, 5_000)
SEED = 4
SQLITE, POSTGRES = "Ringback, SQLite", "Ringback, PostgreSQL"
MEMORY, SPOOL = "peer Kannel, memory", "peer Kannel, spool"


@dataclass(frozen=True, slots=True)
class Load:
    """So many texts over so many connections, at so many a second or as fast as they are taken."""

    name: str
    texts: int
    connections: int = CONNECTIONS
    rate: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What one load showed: by number, ns of the monotonic clock."""

    begun: Mapping[int, int]
    taken: Mapping[int, int]
    sent: Mapping[int, int]
    told: Mapping[int, int]
    cpu_s: float
    spent_s: float

    def waits_ms(self, begun: Mapping[int, int], done: Mapping[int, int]) -> list[float]:
        # a text may be at the carrier before its asker has the answer
        return [max(done[number] - moment, 0) / 1e6 for number, moment in begun.items()]

    def rate(self, done: Mapping[int, int]) -> float:
        return len(done) / ((max(done.values()) - min(self.begun.values())) / 1e9)


def flood(running: Running, folder: Path, load: Load, first: int) -> tuple[dict[int, int], dict[int, int], float]:
    """Ask for the texts; returns when each was asked for and answered, and how long all of it took."""
    (folder / "request").write_bytes(running.request)
    options = {
        "port": running.port,
        "request": folder / "request",
        "out": folder / "stamps",
        "count": load.texts,
        "first": first,
        "connections": load.connections,
        "rate": load.rate,
    }
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    ended = subprocess.run([BIN / "httpflood", *words], check=True, stdout=subprocess.PIPE, text=True, timeout=300)
    said = json.loads(ended.stdout)
    if said["bad"]:
        raise Stalled(f"{said['bad']} of {load.texts} requests were refused")
    stamps = array.array("Q")
    stamps.frombytes((folder / "stamps").read_bytes())
    rows = list(zip(stamps[::4], stamps[1::4], stamps[2::4], strict=True))
    return {row[0]: row[1] for row in rows}, {row[0]: row[2] for row in rows}, said["seconds"]


def play(running: Running, folder: Path, load: Load, receipts: bool, before: int) -> Seen:
    """One load on a running gateway that took `before` texts so far; returns when the last one is done with."""
    cpu, first = running.costs.cpu(), FIRST + before
    begun, taken, spent = flood(running, folder, load, first)
    wait_for(lambda: asked(running.sink, "count"), before + load.texts, "texts at the carrier")
    if receipts:
        wait_for(running.told, before + load.texts, "receipts")
    used = running.costs.cpu() - cpu
    sent = _once(dumped(running.sink, folder), begun, "sent")
    told = _once(running.told_stamps(folder), begun, "told") if receipts else {}
    return Seen(begun, taken, sent, told, used, spent)


def _once(stamps: list[tuple[int, int]], wanted: Mapping[int, int], what: str) -> dict[int, int]:
    """The moments of these texts. Raises Stalled unless each is there once."""
    found = [(number, moment) for number, moment in stamps if number in wanted]
    moments = dict(found)
    if len(found) != len(wanted) or len(moments) != len(wanted):
        raise Stalled(f"{len(wanted)} texts, {len(found)} {what}, {len(moments)} of them different")
    return moments


def subjects(receipts: bool, addresses: Iterator[str] | None) -> dict[str, Start]:
    """Who takes part. What is not installed here is left out."""
    ours = {SQLITE: ringback(receipts=receipts)}
    if addresses is not None:
        ours[POSTGRES] = ringback(partial(next, addresses), receipts)
    if programs() is None:
        return ours
    return {**ours, MEMORY: kannel("none", receipts), SPOOL: kannel("spool", receipts)}


def measure(figures: Figures, rounds: int, texts: int) -> None:
    """All subjects with receipts and without, interleaved."""
    figures.notes.append("Jasmin was not run: it needs RabbitMQ and Redis beside it")
    if programs() is None:
        figures.notes.append("Kannel was not run: its package is not installed")
    dice = random.Random(SEED)
    with databases() as addresses:
        for _ in range(rounds):
            runs = [
                (who, start, receipts)
                for receipts in (True, False)
                for who, start in subjects(receipts, addresses).items()
            ]
            dice.shuffle(runs)
            for who, start, receipts in runs:
                with tempfile.TemporaryDirectory(prefix="ringback-bench-") as name, start(Path(name)) as running:
                    _measure(figures, who, running, receipts, Loads(texts), Path(name))
    _set_goals(figures)


@dataclass(frozen=True, slots=True)
class Loads:
    """What is played to each subject."""

    texts: int

    @property
    def warm(self) -> Load:
        return Load("warm", WARM)

    @property
    def closed(self) -> Load:
        return Load("at once", self.texts)

    def paced(self, most: float) -> list[Load]:
        """Three seconds of each rate, one where it is more than the subject can take: what waits would only grow."""
        return [Load(f"{rate}/s", rate * (3 if rate < most else 1), rate=rate) for rate in PACES]


def _measure(figures: Figures, who: str, running: Running, receipts: bool, loads: Loads, folder: Path) -> None:
    kind = "with receipts" if receipts else "without receipts"
    play(running, folder, loads.warm, receipts, 0)
    seen = play(running, folder, loads.closed, receipts, WARM)
    _tell_closed(figures, who, kind, seen)
    taken = WARM + loads.texts
    for load in loads.paced(seen.rate(seen.sent)) if receipts else ():
        _tell_paced(figures, who, load, play(running, folder, load, receipts, taken))
        taken += load.texts
    figures.add(What("api", f"{kind}, memory", "MB"), who, running.costs.peak())
    all_there(running, taken, "delivered" if receipts else "accepted")


def _tell_closed(figures: Figures, who: str, kind: str, seen: Seen) -> None:
    texts = len(seen.begun)
    figures.add(What("api", f"{kind}, taken", "/s", more=True), who, texts / seen.spent_s)
    figures.add(What("api", f"{kind}, submitted", "/s", more=True), who, seen.rate(seen.sent))
    if seen.told:
        figures.add(What("api", f"{kind}, all the way", "/s", more=True), who, seen.rate(seen.told))
    figures.add(What("api", f"{kind}, processor", "us each"), who, seen.cpu_s / texts * 1e6)
    _tell_waits(figures, who, f"{kind}, at once", seen)


def _tell_paced(figures: Figures, who: str, load: Load, seen: Seen) -> None:
    _tell_waits(figures, who, load.name, seen)
    figures.add(What("api", f"{load.name}, processor", "us each"), who, seen.cpu_s / load.texts * 1e6)


def _tell_waits(figures: Figures, who: str, name: str, seen: Seen) -> None:
    for what, done in (("taken", seen.taken), ("submitted", seen.sent)):
        waits = seen.waits_ms(seen.begun, done)
        for share in (50, 99):
            figures.add(What("api", f"{name}, {what} p{share}", "ms"), who, quantile(waits, share / 100))


def _set_goals(figures: Figures) -> None:
    """G1, G2 and G5, against the peers of this run."""
    plain = What("api", "without receipts, submitted", "/s", more=True)
    whole = What("api", "with receipts, all the way", "/s", more=True)
    loaded = What("api", "with receipts, at once, submitted p99", "ms")
    figures.ask(plain, SQLITE, Ratio("G1", MEMORY, 1.0), Ratio("G1", SPOOL, 2.0))
    figures.ask(whole, SQLITE, Ratio("G1", MEMORY, 2.5))
    figures.ask(plain, POSTGRES, Ratio("G2", MEMORY, 0.9), Ratio("G2", SPOOL, 2.0))
    for who, middle, most in ((SQLITE, 0.3, 1.0), (POSTGRES, 0.4, 1.5)):
        if who in figures.values.get(loaded, {}):
            figures.ask(loaded, who, Ratio("G5", MEMORY, 1 / 0.3))
            figures.goals[What("api", "1000/s, submitted p50", "ms"), who] = Goal("G5", middle)
            figures.goals[What("api", "1000/s, submitted p99", "ms"), who] = Goal("G5", most)
            figures.goals[What("api", "with receipts, memory", "MB"), who] = Goal("G15", 150)


def slow_disk(figures: Figures, rounds: int, texts: int) -> None:
    """The same over 256 connections, with every flush taking 0, 1 or 5 ms longer; each a share of our own figure."""
    what = What("api_slowdisk", "submitted, 256 at once", "/s", more=True)
    with contextlib.ExitStack() as held:
        servers = {delay: held.enter_context(databases(slowed(delay))) for delay in DELAYS_US}
        runs = [(SQLITE, delay, ringback(slow_us=delay)) for delay in DELAYS_US]
        for delay, addresses in servers.items():
            if addresses is not None:
                runs.append((POSTGRES, delay, ringback(partial(next, addresses))))
        for _ in range(rounds):
            for who, delay, start in random.Random(SEED).sample(runs, len(runs)):
                _slow(figures, what, f"{who} +{delay // 1000} ms", start, texts)
    for who in (SQLITE, POSTGRES):
        for delay, share in ((1, 0.7), (5, 0.45)):
            if f"{who} +0 ms" in figures.values[what]:
                figures.ask(what, f"{who} +{delay} ms", Ratio("G3", f"{who} +0 ms", share))


def _slow(figures: Figures, what: What, who: str, start: Start, texts: int) -> None:
    with tempfile.TemporaryDirectory(prefix="ringback-bench-") as name, start(Path(name)) as running:
        folder = Path(name)
        play(running, folder, Load("warm", WARM), True, 0)
        seen = play(running, folder, Load("256 at once", texts, 256), True, WARM)
        figures.add(what, who, seen.rate(seen.sent))
        for share in (50, 99):
            waits = seen.waits_ms(seen.begun, seen.sent)
            figures.add(What("api_slowdisk", f"submitted p{share}", "ms"), who, quantile(waits, share / 100))
        all_there(running, WARM + texts, "delivered")
