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


def open_sink(folder: Path, delay_ms: int) -> Child:
    """Its first line is its port."""
    return Child((BIN / "httpsink", "--delay-ms", str(delay_ms)), folder / "sink.log")


def texts_at(url: str) -> int:
    """How many texts came to a sink."""
    with urllib.request.urlopen(f"{url}/_count") as answer:
        return int(answer.read())


def stamps_at(url: str, folder: Path) -> dict[int, int]:
    """When each call's text came to a sink, by the monotonic clock in ns."""
    with urllib.request.urlopen(f"{url}/_dump?{folder}/came"):
        stamps = array.array("Q", (folder / "came").read_bytes())
    came = zip(stamps[::2], stamps[1::2], strict=True)
    return {call: now for caller, now in came if (call := caller - stream.FIRST_CALLER) < stream.WARM_UP}


def warm_up(pbx: Child, done: Callable[[], int]) -> None:
    """Some calls that are not counted."""
    pbx.ask("burst", stream.WARM_UP, WARM_CALLS)
    wait_for(done, WARM_CALLS, "texts of the warm-up")
    time.sleep(0.2)  # its receipts
