"""From a missed call on the AMI socket to its text at the carrier: paced, in a burst, on slow disks and slow carriers.

Every run starts its own stand-in for Asterisk and its own subject, warms it up, and checks that each call had exactly
one text. Rounds go over all subjects in turn.
"""

import array
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import stream
from bench.daemon import Carrier, Daemon, loopback, over_http
from bench.figures import Figures, Goal, What, quantile
from bench.machine import BIN
from bench.process import Child, Stalled, wait_for
from bench.stage import WARM_CALLS, open_pbx, open_sink, stamps_at, texts_at, warm_up

SCRIPTS = {"session": "peer panoramisk+requests", "aiohttp": "peer panoramisk+aiohttp"}


@dataclass(frozen=True, slots=True)
class Load:
    """What is played: so many calls, at so many a second, or all at once with rate 0."""

    calls: int
    rate: int = 0

    @property
    def words(self) -> tuple[object, ...]:
        return ("paced", 0, self.calls, self.rate) if self.rate else ("burst", 0, self.calls)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one run showed. Times are ns by CLOCK_MONOTONIC, by number of the call."""

    sent: dict[int, int]
    submitted: dict[int, int]
    durable: dict[int, int]
    cpu_s: float

    def waits_ms(self, done: Mapping[int, int]) -> list[float]:
        return [(done[call] - sent) / 1e6 for call, sent in self.sent.items()]

    def spent_s(self) -> float:
        return (max(self.submitted[call] for call in self.sent) - min(self.sent.values())) / 1e9


CLOCK_MOVED_NS = 1_000_000

Run = Callable[[Load, Path], Seen]


def ours(carrier: Carrier, slow_disk_us: int = 0) -> Run:
    """The daemon with a carrier of its own process."""
    environ = {"LD_PRELOAD": str(BIN / "slowsync.so"), "SLOWSYNC_US": str(slow_disk_us)} if slow_disk_us else {}

    def run(load: Load, folder: Path) -> Seen:
        with open_pbx(folder) as pbx, Daemon(folder / "state", int(pbx.line()), carrier, environ) as daemon:
            pbx.ask("wait")
            warm_up(pbx, daemon.handed)
            before = daemon.child.cpu()
            pbx.ask(*load.words)
            wait_for(daemon.handed, load.calls + WARM_CALLS, "texts handed over")
            cpu = daemon.child.cpu() - before
            _all_delivered(daemon, load.calls + WARM_CALLS, "delivered")
            daemon.child.stop()
            sent, shift = _sent(folder)
            return Seen(sent, _counted(daemon.submitted(), shift), _counted(daemon.calls_durable(), shift), cpu)

    return run


def ours_over_http(window: int, delay_ms: int = 0) -> Run:
    """The daemon posting to httpsink, as the scripts do."""

    def run(load: Load, folder: Path) -> Seen:
        with open_sink(folder, delay_ms) as sink, open_pbx(folder) as pbx:
            url = f"http://127.0.0.1:{sink.line()}"
            with Daemon(folder / "state", int(pbx.line()), over_http(f"{url}/send", window)) as daemon:
                pbx.ask("wait")
                warm_up(pbx, lambda: texts_at(url))
                before = daemon.child.cpu()
                pbx.ask(*load.words)
                wait_for(lambda: texts_at(url), load.calls + WARM_CALLS, "texts at the carrier")
                cpu = daemon.child.cpu() - before
                _all_delivered(daemon, load.calls + WARM_CALLS, "accepted")
                daemon.child.stop()
            sent, shift = _sent(folder)
            return Seen(sent, stamps_at(url, folder), _counted(daemon.calls_durable(), shift), cpu)

    return run


def script(how: str, delay_ms: int = 0) -> Run:
    """A plain panoramisk callback. It stores nothing and decides nothing."""

    def run(load: Load, folder: Path) -> Seen:
        with open_sink(folder, delay_ms) as sink, open_pbx(folder) as pbx:
            url = f"http://127.0.0.1:{sink.line()}"
            words = (sys.executable, "-m", "bench.script", pbx.line(), f"{url}/send", how)
            with Child(words, folder / "script.log") as peer:
                pbx.ask("wait")
                warm_up(pbx, lambda: texts_at(url))
                before = peer.cpu()
                pbx.ask(*load.words)
                wait_for(lambda: texts_at(url), load.calls + WARM_CALLS, "texts at the carrier")
                sent, _shift = _sent(folder)
                return Seen(sent, stamps_at(url, folder), {}, peer.cpu() - before)

    return run


def measure(figures: Figures, scenario: str, load: Load, runs: Mapping[str, Run], rounds: int) -> None:
    """Play the load to every subject in turn, and note what each did."""
    for _ in range(rounds):
        for subject, run in runs.items():
            with tempfile.TemporaryDirectory(prefix="ringback-bench-") as folder:
                try:
                    seen = run(load, Path(folder))
                except Stalled as problem:
                    figures.notes.append(f"{scenario}, {subject}: left out, {problem}")
                    continue
                _note(figures, scenario, subject, load, seen)


def _note(figures: Figures, scenario: str, subject: str, load: Load, seen: Seen) -> None:
    missing = seen.sent.keys() ^ seen.submitted.keys()
    if missing:
        figures.notes.append(f"{scenario}, {subject}: {len(missing)} calls without their text, or texts without a call")
        return
    waits = seen.waits_ms(seen.submitted)
    goals = GOALS.get((scenario, subject), {})
    for name, share in (("event to submit, p50", 0.5), ("event to submit, p99", 0.99)):
        figures.add(What(scenario, name, "ms"), subject, quantile(waits, share), goals.get(name))
    if seen.durable:
        durable = quantile(seen.waits_ms(seen.durable), 0.99)
        name = "event to durable, p99"
        figures.add(What(scenario, name, "ms"), subject, durable, goals.get(name))
    if not load.rate:
        name = "events with their texts"
        rate = stream.EVENTS * load.calls / seen.spent_s()
        figures.add(What(scenario, name, "/s", more=True), subject, rate, goals.get(name))
    figures.add(What(scenario, "processor a call", "us"), subject, seen.cpu_s / load.calls * 1e6)


GOALS: dict[tuple[str, str], dict[str, Goal]] = {
    ("event_paced", "Ringback, loopback"): {
        "event to submit, p50": Goal("G8", 0.4),
        "event to submit, p99": Goal("G8", 1.5),
    },
    ("event_burst", "Ringback, window 400"): {"event to submit, p99": Goal("G9", 25.0)},
    ("event_slowcarrier", "Ringback, HTTP"): {"event to durable, p99": Goal("G8", 2.0)},
}


def paced(figures: Figures, rounds: int, calls: int) -> None:
    runs = {
        "Ringback, loopback": ours(loopback(100)),
        "Ringback, HTTP": ours_over_http(100),
        **{name: script(how) for how, name in SCRIPTS.items()},
    }
    measure(figures, "event_paced", Load(calls, rate=50), runs, rounds)


def burst(figures: Figures, rounds: int) -> None:
    runs = {
        "Ringback, window 100": ours(loopback(100)),
        "Ringback, window 400": ours(loopback(400)),
        "Ringback, HTTP": ours_over_http(100),
        **{name: script(how) for how, name in SCRIPTS.items()},
    }
    measure(figures, "event_burst", Load(834), runs, rounds)


def slow_carrier(figures: Figures, rounds: int, calls: int) -> None:
    """The carrier answers after 100 ms, as a real one does."""
    runs = {
        "Ringback, HTTP": ours_over_http(100, 100),
        **{name: script(how, 100) for how, name in SCRIPTS.items()},
    }
    measure(figures, "event_slowcarrier", Load(calls, rate=50), runs, rounds)


def slow_disk(figures: Figures, rounds: int, calls: int) -> None:
    """A flush takes 1 and 5 ms more than on this machine."""
    runs = {f"Ringback, flush +{us // 1000} ms": ours(loopback(100), us) for us in (1000, 5000)}
    measure(figures, "event_slowdisk", Load(calls, rate=50), runs, rounds)


def _all_delivered(daemon: Daemon, texts: int, state: str) -> None:
    """Each call has its row, each text its last state."""
    wait_for(lambda: daemon.rows(f"state = '{state}'"), texts, f"texts {state}")
    extra = daemon.rows("1") - texts
    if extra:
        raise Stalled(f"{extra} texts more than calls")


def _sent(folder: Path) -> tuple[dict[int, int], int]:
    """When each call ended, and what to add to the wall clock for the monotonic one."""
    stamps = array.array("Q", (folder / "sent").read_bytes())
    sent = {call: now for call, now in zip(stamps[::3], stamps[1::3], strict=True) if call < stream.WARM_UP}
    shifts = [now - wall for now, wall in zip(stamps[1::3], stamps[2::3], strict=True)]
    if abs(statistics.median(shifts[-9:]) - statistics.median(shifts[:9])) > CLOCK_MOVED_NS:
        raise Stalled("the wall clock was set while it was needed")
    return sent, round(statistics.median(shifts))


def _counted(by_wall: dict[int, int], shift: int) -> dict[int, int]:
    return {call: wall + shift for call, wall in by_wall.items() if call < stream.WARM_UP}
