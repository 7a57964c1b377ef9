"""How soon a carrier's hook is acknowledged, at 1, 16 and 64 lines at once, and paced with every fifth one a repeat.

Every run starts its own subject, warms it up, and checks that every text is on disk once. Rounds go over both subjects.
"""

import asyncio
import hmac
import itertools
import sqlite3
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from bench.figures import Figures, Goal, What, quantile
from bench.hooked import ACCOUNT, DID, KEY, PUBLIC, RECEIPTS, TARGET, WAITING
from bench.process import Child, Stalled

SUBJECTS = {"ringback": "Ringback", "plain": "peer plain aiohttp"}
LINES = (1, 16, 64)
WARM = 200
PEOPLE = 1_000
PACE = 200
"""Hooks a second of the paced run."""


@dataclass(slots=True)
class Sent:
    """What one run showed: how long each answer took, and how long all of them."""

    waits_ms: list[float] = field(default_factory=list)
    spent_s: float = 0.0


def hook(number: int) -> bytes:
    """The text with this number as Twilio would post it."""
    form = {
        "MessageSid": f"SM{number:032x}",
        "AccountSid": ACCOUNT,
        "From": f"+1512555{number % PEOPLE:04}",
        "To": DID,
        "Body": f"Yes please, tomorrow at nine would be good. Number {number}",
        "NumMedia": "0",
        "NumSegments": "1",
        "ApiVersion": "2010-04-01",
    }
    return signed(TARGET, form)


def receipt(number: int) -> bytes:
    """The receipt of one of the texts that are in our database, see years.py."""
    sid = f"SM{number:032}"
    form = {
        "MessageSid": sid,
        "SmsSid": sid,
        "AccountSid": ACCOUNT,
        "From": DID,
        "To": f"+1512{number:07}",
        "MessageStatus": "delivered",
        "SmsStatus": "delivered",
        "ApiVersion": "2010-04-01",
    }
    return signed(RECEIPTS, form)


def signed(target: str, form: dict[str, str]) -> bytes:
    words = PUBLIC + target + "".join(f"{name}{form[name]}" for name in sorted(form))
    signature = b64encode(hmac.digest(KEY.encode(), words.encode(), "sha1")).decode()
    body = urlencode(form).encode()
    head = (
        f"POST {target} HTTP/1.1\r\nHost: sms.example.com\r\nX-Twilio-Signature: {signature}\r\n"
        f"Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, raw: bytes) -> float:
    """Send a hook, and return the milliseconds until its whole answer was here."""
    begun = time.perf_counter_ns()
    writer.write(raw)
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split()[0]))
    if not head.startswith(b"HTTP/1.1 200 "):
        raise Stalled(f"a hook was answered with {head[:20]!r}")
    return (time.perf_counter_ns() - begun) / 1e6


async def at_once(port: int, lines: int, hooks: Iterable[bytes]) -> Sent:
    """Each line sends its next hook when the last one is answered."""
    sent, left = Sent(), iter(hooks)

    async def line() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for raw in left:
            sent.waits_ms.append(await ask(reader, writer, raw))
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(line() for _ in range(lines)))
    sent.spent_s = time.perf_counter() - begun
    return sent


async def paced(port: int, hooks: list[bytes]) -> Sent:
    """A hook each 5 ms, whether the last one is answered or not; its wait begins at its moment."""
    sent = Sent()
    lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(32)]
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for line in lines:
        free.put_nowait(line)
    begun = time.perf_counter()

    async def one(due: float, raw: bytes) -> None:
        await asyncio.sleep(due - time.perf_counter())
        line = await free.get()
        await ask(*line, raw)
        sent.waits_ms.append((time.perf_counter() - due) * 1e3)
        free.put_nowait(line)

    await asyncio.gather(*(one(begun + place / PACE, raw) for place, raw in enumerate(hooks)))
    sent.spent_s = time.perf_counter() - begun
    for _, writer in lines:
        writer.close()
    return sent


def measure(figures: Figures, rounds: int, hooks: int) -> None:
    """All loads on both subjects, in turn."""
    numbers = itertools.count(1)
    for _ in range(rounds):
        for words, subject in SUBJECTS.items():
            with tempfile.TemporaryDirectory(prefix="ringback-bench-") as name:
                _measure(figures, words, subject, Path(name), hooks, numbers)


def _measure(figures: Figures, words: str, subject: str, folder: Path, hooks: int, numbers: Iterator[int]) -> None:
    taken = 0
    with Child((sys.executable, "-m", "bench.hooked", words, folder), folder / "log") as child:
        port = int(child.line())
        asyncio.run(at_once(port, 16, _new(numbers, WARM)))
        taken += WARM
        for lines in LINES:
            count = hooks if lines > 1 else hooks // 4
            load, cpu = _new(numbers, count), child.cpu()
            sent = asyncio.run(at_once(port, lines, load))
            taken += count
            _tell(figures, f"{lines} at once", subject, sent)
            figures.add(What("hooks", f"{lines} at once, rate", "/s", more=True), subject, count / sent.spent_s)
            figures.add(
                What("hooks", f"{lines} at once, processor", "us each"), subject, (child.cpu() - cpu) / count * 1e6
            )
        fresh = _new(numbers, hooks // 2)
        taken += len(fresh)
        repeated = [raw for place, raw in enumerate(fresh) for _ in range(2 if place % 4 == 3 else 1)]
        _tell(figures, f"{PACE}/s, 1 of 5 again", subject, asyncio.run(paced(port, repeated)))
        _receipts(figures, subject, port, child, hooks)
    if words == "ringback":
        figures.goals[What("hooks", f"{PACE}/s, 1 of 5 again, p99", "ms"), subject] = Goal("R29", 250)
        _all_stored(folder / "state" / "ringback.db", taken, min(hooks, WAITING) + PACE)


def _new(numbers: Iterator[int], count: int) -> list[bytes]:
    return [hook(number) for number in itertools.islice(numbers, count)]


def _tell(figures: Figures, load: str, subject: str, sent: Sent) -> None:
    for share in (50, 99):
        figures.add(What("hooks", f"{load}, p{share}", "ms"), subject, quantile(sent.waits_ms, share / 100))


def _receipts(figures: Figures, subject: str, port: int, child: Child, hooks: int) -> None:
    """Each of another text, sixty-four at once and paced."""
    count, cpu = min(hooks, WAITING) - PACE, child.cpu()
    sent = asyncio.run(at_once(port, 64, [receipt(number) for number in range(1, count + 1)]))
    _tell(figures, "receipts, 64 at once", subject, sent)
    figures.add(What("hooks", "receipts, 64 at once, rate", "/s", more=True), subject, count / sent.spent_s)
    each = (child.cpu() - cpu) / count * 1e6
    figures.add(What("hooks", "receipts, 64 at once, processor", "us each"), subject, each)
    rest = [receipt(number) for number in range(count + 1, count + 1 + 2 * PACE)]
    _tell(figures, f"receipts, {PACE}/s", subject, asyncio.run(paced(port, rest)))


def _all_stored(path: Path, texts: int, receipts: int) -> None:
    for table, wanted in (("incoming", texts), ("receipt", receipts)):
        with closing(sqlite3.connect(path)) as database:
            (rows,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()
        if rows != wanted:
            raise Stalled(f"{rows} of {wanted} rows of {table} are on disk")
