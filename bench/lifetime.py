"""How soon the daemon is ready, what it weighs at rest and with calls open, and what 120,000 events leave behind."""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import stream
from bench.daemon import Daemon, loopback
from bench.events import SCRIPTS
from bench.figures import Figures, Goal, What
from bench.process import Child, wait_for
from bench.stage import open_pbx, open_sink, texts_at

OPEN_CALLS = 2_000
GROWTH_CALLS = 20_000
"""120,000 events."""

READY = What("start", "ready", "s")
IDLE = What("start", "memory at rest", "MB")
OPEN = What("start", "memory, 1,000 open calls", "MB more")
GREW = What("growth", "memory, 120k events", "MB more")
LOADED = What("growth", "memory behind them", "MB")
RATE = What("growth", "events with their texts", "/s", more=True)


def start(figures: Figures, rounds: int) -> None:
    """From the fork to /readyz saying 200, with the stand-in for Asterisk already there."""
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="ringback-bench-") as name:
            _start(figures, Path(name))


def _start(figures: Figures, folder: Path) -> None:
    state = folder / "state"
    with open_pbx(folder) as pbx:
        port = int(pbx.line())
        with Daemon(state, port, loopback(100)) as daemon:
            figures.add(READY, "Ringback, no database", daemon.ready_after, Goal("G15", 1.0))
            time.sleep(1.0)
            idle = daemon.child.rss()
            figures.add(IDLE, "Ringback", idle, Goal("G15", 110))
            pbx.ask("open", 0, OPEN_CALLS)
            wait_for(lambda: daemon.rows("ended_at IS NULL", "call"), OPEN_CALLS, "calls open")
            figures.add(OPEN, "Ringback", (daemon.child.rss() - idle) * 1000 / OPEN_CALLS)
        with Daemon(state, port, loopback(100), keep=True) as daemon:
            figures.add(READY, "Ringback, warm", daemon.ready_after, Goal("G15", 1.0))


def growth(figures: Figures) -> None:
    """All at once, as after a long gap: reading stops while the queue is full, and memory stays bounded."""
    with tempfile.TemporaryDirectory(prefix="ringback-bench-") as name:
        _grow_ours(figures, Path(name))
    with tempfile.TemporaryDirectory(prefix="ringback-bench-") as name:
        _grow_script(figures, Path(name))


def _grow_ours(figures: Figures, folder: Path) -> None:
    state = folder / "state"
    with open_pbx(folder) as pbx:
        port = int(pbx.line())
        with Daemon(state, port, loopback(400)) as daemon:
            _grow(figures, "Ringback", pbx, daemon.child, daemon.handed)
            wait_for(lambda: daemon.rows("state = 'delivered'"), GROWTH_CALLS, "texts delivered")
            figures.goals[GREW, "Ringback"] = Goal("G9", 15)
            figures.goals[LOADED, "Ringback"] = Goal("G15", 150)
        with Daemon(state, port, loopback(400), keep=True) as daemon:
            figures.add(READY, "Ringback, 20k calls in it", daemon.ready_after, Goal("G15", 1.0))


def _grow_script(figures: Figures, folder: Path) -> None:
    with open_sink(folder, 0) as carrier, open_pbx(folder) as pbx:
        url = f"http://127.0.0.1:{carrier.line()}"
        words = (sys.executable, "-m", "bench.script", pbx.line(), f"{url}/send", "aiohttp")
        with Child(words, folder / "script.log") as peer:
            pbx.ask("wait")
            _grow(figures, SCRIPTS["aiohttp"], pbx, peer, lambda: texts_at(url))


def _grow(figures: Figures, subject: str, pbx: Child, child: Child, texts: Callable[[], int]) -> None:
    time.sleep(1.0)
    rest, begun = child.rss(), time.monotonic()
    pbx.ask("burst", 0, GROWTH_CALLS)
    wait_for(texts, GROWTH_CALLS, "texts", every=0.1)
    figures.add(RATE, subject, stream.EVENTS * GROWTH_CALLS / (time.monotonic() - begun))
    loaded = child.rss()
    figures.add(GREW, subject, loaded - rest)
    figures.add(LOADED, subject, loaded)
