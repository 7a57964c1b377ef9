"""How soon the dialplan is answered: a closed loop of 1, 8 and 64 calls, over the real listeners and a real store.

A call asks four questions over one line, as the thread of a channel does; FastAGI makes a line for each.
"""

import asyncio
import itertools
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path

from bench.dialplanned import QUEUE, TOKEN, peer_of
from bench.figures import Figures, Goal, What, quantile
from bench.process import Child, Stalled

AT_ONCE = (1, 8, 64)
EACH = 4
"""Questions of one call."""
KNOWN = 1_000
"""Calls that are on, so that their callers are known."""
HTTP, AGI = "Ringback, CURL", "Ringback, FastAGI"
WHO = "did=%2B12025550101&pres=allowed_not_screened"
Ask = Callable[[int, list[tuple[str, int]]], Awaitable[list[float]]]


def target(verb: str, call: int) -> str:
    """One question about a call, as the library writes it."""
    more = f"&kind=deflection&queue={QUEUE}" if verb == "offer" else ""
    return f"{verb}?call=1.{call}&from=%2B{peer_of(call)[1:]}&{WHO}{more}"


async def by_http(port: int, questions: list[tuple[str, int]]) -> list[float]:
    """Ask over one line; the first answer waits for the line too."""
    waits, begun = [], time.perf_counter_ns()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for verb, call in questions:
        writer.write(
            f"GET /{target(verb, call)} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Ringback-Token: {TOKEN}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split()[0]))
        waits.append((time.perf_counter_ns() - begun) / 1e6)
        if not body.startswith(b"rb|") or not body.endswith(b"|."):
            raise Stalled(f"{verb} was answered with {head[:30]!r} {body!r}")
        begun = time.perf_counter_ns()
    writer.close()
    return waits


async def by_agi(port: int, questions: list[tuple[str, int]]) -> list[float]:
    """Ask each over a line of its own, which is closed by whoever answers."""
    waits = []
    for verb, call in questions:
        begun = time.perf_counter_ns()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        verb_, _, query = target(verb, call).partition("?")
        writer.write(
            f"agi_network: yes\nagi_network_script: {verb_}?token={TOKEN}&{query}\nagi_threadid: 1\n\n".encode()
        )
        said = await reader.readline()
        if not said.startswith(b'SET VARIABLE RINGBACK_ANSWER "rb|'):
            raise Stalled(f"{verb} was answered with {said!r}")
        writer.write(b"200 result=1\n")
        await reader.read()
        waits.append((time.perf_counter_ns() - begun) / 1e6)
        writer.close()
    return waits


async def closed_loop(ask: Ask, port: int, at_once: int, calls: Iterable[list[tuple[str, int]]]) -> list[float]:
    """So many calls at once, each followed by the next when it has its answers."""
    waits: list[float] = []
    left = iter(calls)

    async def one() -> None:
        for questions in left:
            waits.extend(await ask(port, questions))

    await asyncio.gather(*(one() for _ in range(at_once)))
    return waits


def measure(figures: Figures, rounds: int, questions: int) -> None:
    """All loads over both ways, in turn."""
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="ringback-bench-") as name:
            folder = Path(name)
            with Child((sys.executable, "-m", "bench.dialplanned", folder), folder / "log") as child:
                ports = dict(child.line().split() for _ in range(2))
                _loads(figures, int(ports["http"]), int(ports["agi"]), questions)


def _loads(figures: Figures, http: int, agi: int, questions: int) -> None:
    fresh = itertools.count(KNOWN)
    known = itertools.cycle(range(KNOWN))
    asyncio.run(closed_loop(by_http, http, 16, _calls("textable", known, KNOWN, each=1)))
    for at_once in AT_ONCE:
        count = questions if at_once > 1 else questions // 4
        for way, subject, ask in ((http, HTTP, by_http), (agi, AGI, by_agi)):
            waits = asyncio.run(closed_loop(ask, way, at_once, _calls("textable", known, count)))
            _tell(figures, f"known caller, {at_once} at once", subject, waits)
        waits = asyncio.run(closed_loop(by_http, http, at_once, _calls("textable", fresh, count // 2, each=1)))
        _tell(figures, f"caller read first, {at_once} at once", HTTP, waits)
        waits = asyncio.run(closed_loop(by_http, http, at_once, _calls("offer", fresh, count // 4, each=1)))
        _tell(figures, f"offer, on disk, {at_once} at once", HTTP, waits)


def _calls(verb: str, calls: Iterator[int], questions: int, each: int = EACH) -> list[list[tuple[str, int]]]:
    return [[(verb, call)] * each for call in itertools.islice(calls, questions // each)]


def _tell(figures: Figures, load: str, subject: str, waits: list[float]) -> None:
    for share in (50, 99):
        figures.add(What("dialplan", f"{load}, p{share}", "ms"), subject, quantile(waits, share / 100))
    # longer than this the dialplan does not wait
    figures.add(What("dialplan", f"{load}, longest", "ms"), subject, max(waits), Goal("no call held", 1_000))
