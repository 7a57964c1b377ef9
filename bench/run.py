"""Run the bench: python -m bench.run [--quick] [--rounds N] [SCENARIO ...]. One line a figure, JSON into results/."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from bench import (
    api,
    bulk,
    burst,
    charts,
    dialplan,
    events,
    ewt,
    hooks,
    lifetime,
    machine,
    pages,
    records,
    restart,
    rights,
    serving,
    statements,
)
from bench.figures import Figures, Goal, What
from bench.million import Size
from bench.process import ROOT

RESULTS = ROOT / "bench" / "results"
MOVED = 0.15
"""A machine whose speed changed by more than this between two scenarios is too busy for absolute numbers."""


def tracker(figures: Figures, rounds: int) -> None:
    """Decoder, tracker and rules without sockets, in a process of their own."""
    command = (sys.executable, "-m", "bench.parsing", str(rounds))
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}/plugin:{ROOT}"}
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environ, text=True).stdout
    goals = {
        ("corpus", "Ringback, 20 rules"): Goal("G9", 150_000),
        ("irrelevant events", "Ringback, tracker"): Goal("G9", 400_000),
    }
    for name, subjects in json.loads(said).items():
        for subject, values in subjects.items():
            for value in values:
                figures.add(What("tracker", name, "/s", more=True), subject, value, goals.get((name, subject)))


def scenarios(quick: bool, rounds: int) -> dict[str, Callable[[Figures], None]]:
    """All scenarios, in the order they run."""
    calls = 150 if quick else 500
    return {
        "tracker": lambda figures: tracker(figures, rounds),
        "start": lambda figures: lifetime.start(figures, rounds),
        "restart": lambda figures: restart.measure(figures, 1 if quick else rounds),
        "event_paced": lambda figures: events.paced(figures, rounds, calls),
        "event_burst": lambda figures: events.burst(figures, rounds),
        "event_slowcarrier": lambda figures: events.slow_carrier(figures, 1 if quick else rounds, 100),
        "event_slowdisk": lambda figures: events.slow_disk(figures, 1 if quick else rounds, calls),
        "pages": lambda figures: pages.measure(figures, 1, Size(200_000, 20_000) if quick else Size()),
        "api": lambda figures: api.measure(figures, rounds, 2_000 if quick else 10_000),
        "api_slowdisk": lambda figures: api.slow_disk(figures, 1 if quick else rounds, 2_000 if quick else 10_000),
        "bulk": lambda figures: bulk.measure(figures, 1, 100_000, 5_000 if quick else 100_000),
        "hooks": lambda figures: hooks.measure(figures, rounds, 2_000 if quick else 4_000),
        "dialplan": lambda figures: dialplan.measure(figures, rounds, 2_000 if quick else 8_000),
        "rights": lambda figures: rights.measure(figures, 1 if quick else rounds),
        "serving": lambda figures: serving.measure(figures, 2_000 if quick else 20_000, 20 if quick else 60),
        "ewt": lambda figures: ewt.measure(figures, 2_000 if quick else 10_000, 0 if quick else 80),
        "burst": lambda figures: burst.measure(figures, 1 if quick else rounds),
        "growth": lifetime.growth,
        "replay": lambda figures: records.measure(figures, 100_000 if quick else 300_000, 1 if quick else rounds),
    }


def grown(figures: Figures) -> None:
    """The hot statements as the database grows to ten million texts; some twenty minutes, and twelve GB of disk."""
    statements.measure(figures)


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    asked.add_argument("scenario", nargs="*", help="only these; all without any")
    asked.add_argument("--quick", action="store_true", help="fewer rounds: under five minutes")
    asked.add_argument("--rounds", type=int, help="how often each figure is taken")
    words = asked.parse_args()
    machine.use_interpreter_with_peers()
    machine.build_tools()
    # whatever was started is stopped too when the bench is
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    quick = words.quick or os.environ.get("QUICK") == "1"
    usual = scenarios(quick, words.rounds or (2 if quick else 5))
    known = {**usual, "statements": grown}
    if unknown := set(words.scenario) - known.keys():
        asked.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    if os.environ.get("GROWTH", "0") not in ("", "0"):
        words.scenario = ["statements"]
    run({name: known[name] for name in words.scenario or usual})


def run(chosen: dict[str, Callable[[Figures], None]]) -> None:
    """Run them, say each figure as soon as it is known, keep all."""
    begun, started = time.monotonic(), datetime.now(UTC)
    environment = machine.describe()
    print(", ".join(f"{key} {value}" for key, value in environment.items()))
    print("ratios: how many times better than the peer named; the peers store nothing and decide nothing\n")
    figures = Figures()
    speeds = [machine.spin_ms()]
    for name, play in chosen.items():
        play(figures)
        speeds.append(machine.spin_ms())
        for line in figures.lines(name):
            print(line, flush=True)
    if max(speeds) > min(speeds) * (1 + MOVED):
        figures.notes.append(f"the machine's speed moved: a spin took {min(speeds):.0f} to {max(speeds):.0f} ms")
    for note in figures.notes:
        print(f"note: {note}")
    path = RESULTS / f"{started:%Y%m%d-%H%M%S}.json"
    figures.write(path, {**environment, "begun": started.isoformat(), "took_s": round(time.monotonic() - begun)})
    drawn = charts.write([path], path.with_suffix(""))
    print(f"\n{time.monotonic() - begun:.0f} s; all values in {path.relative_to(ROOT)}")
    if drawn:
        print(f"charts in {drawn[0].parent.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
