"""What stands around a subject: the PBX that plays calls, and the carrier's HTTP interface that stamps texts."""

import array
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from bench import stream
from bench.machine import BIN
from bench.process import Child, wait_for

WARM_CALLS = 60


def open_pbx(folder: Path) -> Child:
    """Its first line is its port; the stamps go to `sent` in the folder."""
    return Child((sys.executable, "-m", "bench.pbx", folder / "sent"), folder / "pbx.log")


def open_sink(folder: Path, delay_ms: int, receipts: int = 0, key: str = "") -> Child:
    """Its first line is its port. It brings receipts to the port named, signed with the key."""
    words = ("--delay-ms", str(delay_ms), "--receipts", str(receipts), "--key", key)
    return Child((BIN / "httpsink", *words), folder / "sink.log")


def texts_at(url: str) -> int:
    """How many texts came to a sink."""
    return asked(url, "count")


def asked(url: str, what: str) -> int:
    """A number that a sink knows: `count`, `told`, `refused`."""
    with urllib.request.urlopen(f"{url}/_{what}") as answer:
        return int(answer.read())


def dumped(url: str, folder: Path, what: str = "dump") -> list[tuple[int, int]]:
    """Caller and moment of each text, or with `dump_told` of each receipt, by the monotonic clock in ns."""
    path = folder / f"{what}.stamps"
    stamps = array.array("Q")
    with urllib.request.urlopen(f"{url}/_{what}?{path}"):
        stamps.frombytes(path.read_bytes())
    return list(zip(stamps[::2], stamps[1::2], strict=True))


def stamps_at(url: str, folder: Path) -> dict[int, int]:
    """When each call's text came to a sink, by the monotonic clock in ns."""
    came = dumped(url, folder)
    return {call: now for caller, now in came if (call := caller - stream.FIRST_CALLER) < stream.WARM_UP}


def warm_up(pbx: Child, done: Callable[[], int]) -> None:
    """Some calls that are not counted."""
    pbx.ask("burst", stream.WARM_UP, WARM_CALLS)
    wait_for(done, WARM_CALLS, "texts of the warm-up")
    time.sleep(0.2)  # its receipts
