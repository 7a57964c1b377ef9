"""`ringback replay` over call detail records: rows a second. The records are made here, the same ones each time."""

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.figures import Figures, Goal, What
from bench.process import ROOT

SEED = 20261121
BEGUN = datetime(2026, 8, 1, 6, 0, tzinfo=UTC)
CALLERS = 60_000
"""Distinct numbers; some call often, as in a shop's month."""

# Of a hundred calls, by what becomes of them.
MIX = {"answered": 52, "missed": 12, "busy": 4, "group": 10, "queue": 8, "voicemail": 4, "outbound": 8, "internal": 2}

Row = tuple[str, ...]


def measure(figures: Figures, rows: int, rounds: int) -> None:
    """Replay the file by the shipped example's rule, as JSON, into a file."""
    with tempfile.TemporaryDirectory(prefix="ringback-bench-") as name:
        path = Path(name) / "Master.csv"
        count = write(path, rows)
        for _ in range(rounds):
            spent = _replay(path)
            figures.add(What("replay", f"{count:,} rows", "s"), "Ringback", spent, Goal("N1", 30 * count / 300_000))
            figures.add(What("replay", "rows", "/s", more=True), "Ringback", count / spent)


def _replay(path: Path) -> float:
    command = (sys.executable, "-m", "ringback.cli", "replay", "--json", str(path))
    begun = time.perf_counter()
    with path.with_suffix(".out").open("w") as out:
        subprocess.run(command, check=True, stdout=out, env={"PYTHONPATH": f"{ROOT}/plugin"})
    return time.perf_counter() - begun


def write(path: Path, rows: int) -> int:
    """Write about so many rows of cdr_csv with uniqueid and linkedid; returns how many."""
    written = 0
    with path.open("w") as file:
        for call in _calls(random.Random(SEED)):
            file.writelines(",".join(f'"{cell}"' for cell in row) + "\n" for row in call)
            written += len(call)
            if written >= rows:
                return written
    return written


def _calls(chance: random.Random) -> Iterator[list[Row]]:
    moment, number = BEGUN, 0
    kinds, weights = list(MIX), list(MIX.values())
    while True:
        moment += timedelta(seconds=chance.expovariate(1 / 20))
        number += 1
        caller = f"+1512{2_000_000 + int(CALLERS * chance.random() ** 2):07}"
        yield _rows(
            chance.choices(kinds, weights)[0], caller, f"+1202555{chance.randrange(100, 200):04}", moment, number
        )


def _rows(kind: str, caller: str, did: str, at: datetime, number: int) -> list[Row]:
    """The rows that Asterisk writes for one call of that kind."""
    rings, talks = 5 + number % 20, 20 + number % 300
    seen = _Seen(caller, did, at, f"pbx-{int(at.timestamp())}.{number}", number)
    match kind:
        case "answered":
            return [seen.row("Dial", "101", 0, rings, talks)]
        case "missed":
            return [seen.row("Dial", "101", 0, rings)]
        case "busy":
            return [seen.row("Dial", "101", 0, 1, disposition="BUSY")]
        case "group":
            return [
                seen.row("Dial", "101", 0, rings, disposition="NO ANSWER"),
                seen.row("Dial", "102", 0, rings, disposition="NO ANSWER"),
                seen.row("Dial", "103", 0, rings, talks),
            ]
        case "queue":
            return [seen.row("Queue", f"10{agent}", agent * rings, rings) for agent in range(1, 4)]
        case "voicemail":
            return [seen.row("Dial", "101", 0, rings), seen.row("VoiceMail", "", rings, 0, talks)]
        case "outbound":
            return [seen.row("Dial", "carrier", 0, rings, talks, context="from-internal")]
        case _:
            return [seen.row("Dial", "102", 0, rings, talks, context="from-internal", dst="102")]


class _Seen:
    """One call's part of each of its rows."""

    def __init__(self, caller: str, did: str, at: datetime, uniqueid: str, number: int) -> None:
        self.caller, self.did, self.at, self.uniqueid = caller, did, at, uniqueid
        self.channel = f"PJSIP/carrier-{number:08x}"
        self.number = number

    def row(
        self,
        app: str,
        phone: str,
        after: int,
        rings: int,
        talks: int = 0,
        disposition: str = "",
        context: str = "from-trunk",
        dst: str = "",
    ) -> Row:
        begun = self.at + timedelta(seconds=after)
        answered = begun + timedelta(seconds=rings)
        ended = answered + timedelta(seconds=talks)
        dest = f"PJSIP/{phone}-{self.number:08x}" if phone else ""
        channel = self.channel if context == "from-trunk" else f"PJSIP/104-{self.number:08x}"
        said = disposition or ("ANSWERED" if talks else "NO ANSWER")
        return (
            "", self.caller, dst or self.did, context, f"Pat <{self.caller}>", channel, dest, app, f"PJSIP/{phone},20",
            f"{begun:%Y-%m-%d %H:%M:%S}", f"{answered:%Y-%m-%d %H:%M:%S}" if talks else "",
            f"{ended:%Y-%m-%d %H:%M:%S}", str(rings + talks), str(talks), said, "DOCUMENTATION",
            self.uniqueid, "", "", self.uniqueid, str(self.number),
        )  # fmt: skip
