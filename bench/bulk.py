"""A run to many people in one request: how soon it is on disk, how soon everybody's text is with the carrier.

The template has a name and an order of each recipient. The list is streamed in, as JSON lines.
"""

import http.client
import itertools
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.api import FIRST, POSTGRES, SQLITE
from bench.figures import Figures, Goal, What
from bench.gateways import Running, Start, all_there, ringback
from bench.postgres import databases
from bench.process import STALL, Stalled, wait_for
from bench.stage import asked, dumped

HEAD = {
    "from": "+12025550100",
    "text": "Hello {{ name }}, your order {{ order }} is ready. We are open until six today.",
    "name": "bench",
}
NAMES = ("Ann", "Ben", "Carla", "Dmitri", "Ewa", "Farid", "Grace", "Hiro")
LARGEST = 1_000_000
PIECE = 500


def lines(people: int, first: int) -> Iterator[bytes]:
    """The body, some recipients at a time."""
    yield json.dumps(HEAD).encode() + b"\n"
    for begin in range(first, first + people, PIECE):
        numbers = range(begin, min(begin + PIECE, first + people))
        yield b"".join(
            b'{"to": "+1512%07d", "name": "%s", "order": "%d"}\n' % (number, NAMES[number % 8].encode(), number)
            for number in numbers
        )


def measure(figures: Figures, rounds: int, people: int, sent: int) -> None:
    """So many people taken in on both databases, a million for the memory; `sent` are followed to the end."""
    with databases() as addresses:
        starts = {SQLITE: ringback()}
        if addresses is not None:
            starts[POSTGRES] = ringback(partial(next, addresses))
        for _ in range(rounds):
            for who, start in starts.items():
                _take(figures, who, start, people, f"{people:,}")
                _follow(figures, who, start, sent)
    _take(figures, SQLITE, ringback(), LARGEST, "a million")


def _take(figures: Figures, who: str, start: Start, people: int, name: str) -> None:
    """Until it is durable. What is sent meanwhile is not waited for: the run is called off."""
    with tempfile.TemporaryDirectory(prefix="ringback-bench-") as folder, start(Path(folder)) as running:
        rest = running.costs.peak()
        made, spent = _ask(running, lines(people, FIRST))
        if (made["accepted"], made["rejected"]) != (people, 0):
            raise Stalled(f"{made['accepted']} of {people} recipients were taken")
        goals = {100_000: (Goal("G4", 0.8), Goal("G4", 40)), LARGEST: (None, Goal("G4", 60))}
        durable, memory = goals.get(people, (None, None))
        figures.add(What("bulk", f"{name}, on disk", "s"), who, spent, durable)
        figures.add(What("bulk", f"{name}, memory", "MB more"), who, running.costs.peak() - rest, memory)
        _call_off(running, str(made["id"]))


def _follow(figures: Figures, who: str, start: Start, people: int) -> None:
    """Until the last text is with the carrier and confirmed. Meanwhile somebody sends single texts, once in 50 ms."""
    with tempfile.TemporaryDirectory(prefix="ringback-bench-") as folder, start(Path(folder)) as running:
        begun, cpu = time.monotonic_ns(), running.costs.cpu()
        single = Single(running, FIRST + people)
        _ask(running, lines(people, FIRST))
        single.start()
        wait_for(lambda: asked(running.sink, "count") - single.asked, people, "texts at the carrier", every=0.2)
        single.stop()
        texts = people + single.asked
        wait_for(running.told, texts, "receipts", every=0.2)
        used = running.costs.cpu() - cpu
        came = dict(dumped(running.sink, Path(folder)))
        if len(came) != texts or asked(running.sink, "count") != texts:
            raise Stalled(f"{len(came)} different texts of {texts}")
        spent = (max(moment for number, moment in came.items() if number < FIRST + people) - begun) / 1e9
        goal = Goal("G4", 2.0) if people == 100_000 else None
        figures.add(What("bulk", f"{people:,}, last one submitted", "s"), who, spent, goal)
        figures.add(What("bulk", "submitted", "/s", more=True), who, people / spent)
        figures.add(What("bulk", "processor", "us each"), who, used / texts * 1e6)
        figures.add(What("bulk", "single text meanwhile, p50", "ms"), who, single.wait_ms(came, 0.5))
        figures.add(What("bulk", "single text meanwhile, p99", "ms"), who, single.wait_ms(came, 0.99))
        all_there(running, texts, "delivered")


def _ask(running: Running, body: Iterator[bytes]) -> tuple[dict[str, object], float]:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=300)
    headers = {**running.headers, "Content-Type": "application/x-ndjson"}
    begun = time.monotonic()
    connection.request("POST", "/v1/messages/bulk", body, headers)
    answer = connection.getresponse()
    said = json.loads(answer.read())
    spent = time.monotonic() - begun
    connection.close()
    if answer.status != 201:
        raise Stalled(f"a run was answered with {answer.status}: {said}")
    return said, spent


def _call_off(running: Running, run: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    connection.request("POST", f"/v1/bulks/{run}/cancel", headers=dict(running.headers))
    connection.getresponse().read()
    connection.close()


class Single:
    """Somebody who sends single texts while a run goes on."""

    def __init__(self, running: Running, first: int) -> None:
        self.asked = 0
        self._first = first
        self._running = running
        self._begun: dict[int, int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join(STALL)

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._running.port, timeout=60)
        for number in itertools.count(self._first):
            if self._over.wait(0.05):
                break
            text = {"from": HEAD["from"], "to": f"+1512{number:07}", "text": "Your table is ready."}
            self._begun[number] = time.monotonic_ns()
            connection.request("POST", "/v1/messages", json.dumps(text), dict(self._running.headers))
            answer = connection.getresponse()
            answer.read()
            if answer.status != 201:
                raise Stalled(f"a single text was answered with {answer.status}")
            self.asked += 1
        connection.close()

    def wait_ms(self, came: dict[int, int], share: float) -> float:
        waits = sorted((came[number] - begun) / 1e6 for number, begun in self._begun.items())
        return waits[int((len(waits) - 1) * share)] if waits else float("nan")
