"""The long drills: `python -m tests.crash.soak`. Kills by the hundred on both databases and carrier kinds, every point.

Prints a table and writes the numbers as JSON. Ends with 1 when an invariant broke. `--quick` is a taste of it.
"""

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.crash.cells import PLACES, QUIET, Cell, crash
from tests.crash.checker import check
from tests.crash.house import house
from tests.crash.points import MOMENTS
from tests.crash.report import render
from tests.crash.runs import run
from tests.postgres import Cluster, cluster

KINDS, DATABASES = ("http", "loopback"), ("sqlite", "postgres")
OTHERS = {
    "sqlite": ("freeze", "stop", "lock"),
    "postgres": ("freeze", "stop", "lock", "database", "database", "database"),
}
"""What happens besides the kills, drawn by seed: one for every five of them."""


@dataclass(slots=True)
class Line:
    """One line of the table."""

    what: str
    kind: str
    database: str
    seed: int
    took_s: float = 0.0
    numbers: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)


def acts_for(database: str, kills: int, seed: int) -> list[str]:
    drawn = random.Random(f"acts {seed}")
    others = [drawn.choice(OTHERS[database]) for _ in range(kills // 5)]
    acts = ["kill"] * kills + others
    drawn.shuffle(acts)
    return acts


async def kills(line: Line, folder: Path, server: Cluster, asked: argparse.Namespace) -> str:
    """Kills and other faults while everybody wants something."""
    url = server.create(f"k{line.kind}") if line.database == "postgres" else ""
    acts = acts_for(line.database, asked.kills, line.seed)
    cut = 0.02 if line.kind == "http" else 0.0
    made = await run(folder, line.kind, url, line.seed, asked.texts, acts, server, cut=cut)
    line.numbers = made.numbers
    line.broken = [f"{finding.invariant}: {finding.what}" for finding in made.findings]
    return made.report


async def points(line: Line, folder: Path, server: Cluster, _asked: argparse.Namespace) -> str:
    """Every named point, before, within and after (R2)."""
    url = server.create(f"p{line.kind}") if line.database == "postgres" else ""
    async with house(folder, line.kind, url, line.seed) as made:
        made.behaviour, made.receipt_after = QUIET, "500ms"
        made.write_settings()
        await made.tell("knobs", {"receipts": 0})
        cells = [(place, moment) for place in PLACES for moment in MOMENTS]
        await Cell(made, "", "", 0).starts()
        for number, (place, moment) in enumerate(cells):
            wanted, found = await crash(Cell(made, place, moment, number))
            if found != wanted:
                line.broken.append(f"{moment}: {place}: {found} and not {wanted}")
        ledgers = made.ledgers()
        findings = check(ledgers)
        line.numbers = {"cells": len(cells), "as the table says": len(cells) - len(line.broken)}
        line.broken += [f"{finding.invariant}: {finding.what}" for finding in findings]
        return render(ledgers, findings)


WHAT = {"kills": kills, "points": points}


async def go(asked: argparse.Namespace) -> list[Line]:
    lines: list[Line] = []
    for what in WHAT if asked.what is None else (asked.what,):
        for number, (kind, database) in enumerate((kind, database) for kind in KINDS for database in DATABASES):
            line = Line(what, kind, database, asked.seed + number)
            folder = Path(tempfile.mkdtemp(prefix="ringback-soak-"))
            begun = time.monotonic()
            with cluster() as server:
                report = await WHAT[what](line, folder / "run", server, asked)
            line.took_s = round(time.monotonic() - begun, 1)
            lines.append(line)
            told(line)
            if line.broken:
                print(report, f"\nleft in {folder}", sep="\n")
            else:
                shutil.rmtree(folder)
    return lines


def told(line: Line) -> None:
    numbers = "  ".join(f"{name} {number}" for name, number in line.numbers.items())
    state = "holds" if not line.broken else f"BROKEN {len(line.broken)}"
    print(f"{line.what:7} {line.kind:9} {line.database:9} {line.took_s:7.1f} s  {state}  {numbers}", flush=True)
    for words in line.broken[:10]:
        print(f"        {words}")


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.soak")
    parser.add_argument("--quick", action="store_true", help="ten kills over a thousand texts")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--what", choices=WHAT)
    parser.add_argument("--out", type=Path, default=Path("build/soak.json"))
    asked = parser.parse_args(words)
    if asked.quick:
        asked.kills, asked.texts = 10, 1_000
    lines = asyncio.run(go(asked))
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps([asdict(line) for line in lines], indent=1))
    return 1 if any(line.broken for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
