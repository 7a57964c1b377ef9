"""The parts of the long drills: what each does, how often, and which row of the fault table it is."""

import asyncio
import os
import random
import sys
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from tests.crash.cells import PLACES, QUIET, Cell, crash
from tests.crash.checker import check
from tests.crash.checkpoints import checkpoints
from tests.crash.flaps import flaps
from tests.crash.house import ROOT, house
from tests.crash.part import Asked, Outcome, Part, said
from tests.crash.points import MOMENTS
from tests.crash.runs import run
from tests.crash.standby import standby
from tests.crash.upgrades import upgrades
from tests.postgres import cluster

KINDS, DATABASES = ("http", "loopback"), ("sqlite", "postgres")


# -- kills

BESIDES = {
    "sqlite": {"freeze": 12, "stop": 12, "lock": 8},
    "postgres": {"freeze": 6, "stop": 6, "lock": 6, "database": 50},
}
"""What is done besides two hundred kills."""
KILLS_MINUTES = 17
CUT = 0.005


def acts_for(database: str, kills: int, seed: int) -> list[str]:
    share = kills / 200
    besides = [act for act, times in BESIDES[database].items() for _ in range(round(times * share))]
    acts = ["kill"] * kills + besides
    random.Random(f"acts {seed}").shuffle(acts)
    return acts


async def kills(kind: str, database: str, asked: Asked, folder: Path) -> Outcome:
    """Kills and other faults while everybody wants something (R1, R9)."""
    wanted, texts = asked.kills or asked.many(200, 6), asked.texts or asked.many(100_000, 1_200)
    # a few more, since one may fall where nothing is on its way
    acts = acts_for(database, wanted + wanted // 20, asked.seed)
    cut = CUT if kind == "http" else 0.0
    with cluster() as server:
        url = server.create("kills") if database == "postgres" else ""
        within = KILLS_MINUTES * 60.0
        made = await run(folder / "run", kind, url, asked.seed, texts, acts, server, cut=cut, within=within)
    done = made.numbers["kills with texts on their way"]
    short = "" if done >= wanted and made.numbers["messages"] > texts * 0.9 else f"{done} kills of {wanted}"
    return Outcome(dict(made.numbers), said(made.findings), short)


async def points(kind: str, database: str, asked: Asked, folder: Path) -> Outcome:
    """Every named point, before, within and after (R2)."""
    outcome = Outcome()
    cells = [(place, moment) for place in PLACES for moment in MOMENTS][: asked.many(1000, 3)]
    with cluster() as server:
        url = server.create("points") if database == "postgres" else ""
        async with house(folder / "run", kind, url, asked.seed) as made:
            made.behaviour, made.receipt_after = QUIET, "500ms"
            made.write_settings()
            await made.tell("knobs", {"receipts": 0})
            await Cell(made, "", "", 0).starts()
            for number, (place, moment) in enumerate(cells):
                wanted, found = await crash(Cell(made, place, moment, number))
                if found != wanted:
                    outcome.broken.append(f"{moment}: {place}: {found} and not {wanted}")
            outcome.numbers = {"cells": len(cells), "as the table says": len(cells) - len(outcome.broken)}
            outcome.broken += said(check(made.ledgers()))
    return outcome


# -- told to stop, and clocks that are set


async def stops(asked: Asked, folder: Path) -> Outcome:
    """O1: told to stop with a full window, again and again. Nobody is silent, so nothing may be in doubt for it."""
    acts, texts = ["stop"] * asked.many(100, 4), asked.many(10_000, 600)
    made = await run(folder / "run", "http", "", asked.seed, texts, acts)
    outcome = Outcome(dict(made.numbers), said(made.findings))
    outcome.numbers["stops"] = len(acts)
    if doubts := made.numbers["of them by a fault"]:
        outcome.broken.append(f"{doubts} texts in doubt after stops, and the carrier answered them all")
    return outcome


BY_STAMPS = {"I6", "I7", "I8"}
"""What is checked by stamps says nothing where the clock is set."""


async def jumps(asked: Asked, folder: Path) -> Outcome:
    """O6: the clock is set two hundred times, by up to a day in either direction: nothing lost, nothing twice."""
    acts, texts = ["clock"] * asked.many(200, 6), asked.many(20_000, 600)
    made = await run(folder / "run", "http", "", asked.seed, texts, acts)
    outcome = Outcome(dict(made.numbers))
    outcome.numbers["jumps"] = len(acts)
    outcome.broken = said([finding for finding in made.findings if finding.invariant not in BY_STAMPS])
    outcome.broken += [f"expired before its time by any clock: {row}" for row in made.early]
    return outcome


# -- tests that have a long form


async def tests(files: str, only: str, asked: Asked, folder: Path) -> Outcome:
    """Tests in their long form; what they note of themselves is what is told."""
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", *files.split()]
    command += [
        "-o",
        "junit_family=xunit1",
        "--junitxml",
        str(report),
        "--basetemp",
        str(folder / "tmp"),
        *(["-k", only] if only else []),
    ]
    child = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env={**os.environ, "SOAK": "0" if asked.quick else "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        told, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.terminate()
            await child.wait()
    suite = ElementTree.parse(report).getroot().find("testsuite")
    assert suite is not None
    numbers: dict[str, int | float] = {"tests": int(suite.get("tests", 0))}
    for noted in suite.iter("property"):
        # hypothesis notes something of its own there
        if (value := str(noted.get("value"))).isdecimal():
            numbers[str(noted.get("name"))] = numbers.get(str(noted.get("name")), 0) + int(value)
    shown = told.decode(errors="replace").splitlines()
    wrong = [line for line in shown if line.startswith(("E ", "FAILED", "ERROR"))][-20:]
    broken = [] if child.returncode == 0 else [f"pytest ended with {child.returncode}", *wrong]
    return Outcome(numbers, broken)


def of_tests(name: str, row: str, minutes: int, files: str, only: str = "", heavy: bool = False) -> Part:
    return Part(name, row, minutes, partial(tests, files, only), heavy)


def _parts() -> list[Part]:
    cells = [(kind, database) for kind in KINDS for database in DATABASES]
    crash_cells = "tests/crash/test_crash_defects.py"
    return [
        *(Part(f"kills {k} {d}", "R1 R9", KILLS_MINUTES + 8, partial(kills, k, d), heavy=True) for k, d in cells),
        Part("flaps", "R26", 25, flaps),
        Part("checkpoints", "R6", 13, checkpoints),
        Part("standby", "R10", 20, standby),
        Part("stops", "O1", 20, stops),
        Part("jumps", "O6", 20, jumps),
        Part("upgrades", "R15", 20, upgrades),
        *(Part(f"points {k} {d}", "R2", 15, partial(points, k, d)) for k, d in cells),
        of_tests("power cuts", "R3", 15, "tests/crash/test_power.py"),
        of_tests("flush order", "R4", 10, "tests/crash/test_flush_order.py"),
        of_tests("locked", "R7", 5, "tests/crash/test_locked_crash.py"),
        of_tests("flaps by hand clock", "R26", 10, "tests/flow/test_breaker.py"),
        of_tests("planted defects", "harness", 15, crash_cells),
        of_tests("cut lines", "R20", 10, "tests/carriers/test_cuts.py"),
        of_tests("codec", "F1", 20, "tests/asterisk/test_codec.py"),
        of_tests("flood", "R29 S7", 25, "tests/hooks/test_flood.py"),
    ]


PARTS: dict[str, Part] = {part.name: part for part in _parts()}
