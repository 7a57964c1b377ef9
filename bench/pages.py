"""How soon a page of the panel is there, with a million texts in the database and with a thousand."""

import http.client
import tempfile
import time
from pathlib import Path

from bench.daemon import Daemon, loopback
from bench.figures import Figures, Goal, What, quantile
from bench.million import BUSY, TOKEN, Size, fill
from bench.process import Stalled
from bench.stage import open_pbx

PAGES = {
    "thread list": "/threads?view=all",
    "threads that wait": "/threads?view=waiting",
    "threads in doubt": "/threads?view=doubt",
    "busiest thread": f"/threads/{BUSY}",
    "calls": "/calls",
    "tasks": "/tasks",
    "health": "/health",
}
ASKED = 200
WARM = 5


def measure(figures: Figures, rounds: int, large: Size) -> None:
    """Every page over one connection, one after the other."""
    for size in (Size(1_000, 100), large):
        with tempfile.TemporaryDirectory(prefix="ringback-bench-") as name:
            state = Path(name) / "state"
            state.mkdir()
            fill(state / "ringback.db", size)
            with open_pbx(Path(name)) as pbx, Daemon(state, int(pbx.line()), loopback(16), keep=True) as daemon:
                for _ in range(rounds):
                    for page, path in PAGES.items():
                        _look(figures, f"{page}, {size.messages:,} texts", daemon.port, path)


def _look(figures: Figures, name: str, port: int, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    waits = [_ask(connection, path) for _ in range(WARM + ASKED)][WARM:]
    connection.close()
    figures.add(What("pages", f"{name}, p50", "ms"), "Ringback", quantile(waits, 0.50))
    figures.add(What("pages", f"{name}, p99", "ms"), "Ringback", quantile(waits, 0.99), Goal("G10", 20))


def _ask(connection: http.client.HTTPConnection, path: str) -> float:
    begun = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": f"__Host-ringback={TOKEN}"})
    answer = connection.getresponse()
    page = answer.read()
    if answer.status != 200 or b"</html>" not in page:
        raise Stalled(f"{path} was answered with {answer.status}")
    return (time.perf_counter() - begun) * 1000
