"""The long drills in one command: `python -m tests.crash.soak`, or `make soak`.

They run in a copy of the project, so that who goes on to work on it changes nothing in a run.
Every part is a process of its own, two at a time, and ends by itself: it is told to stop when its minutes are over.
Each appends one line of JSON to `--out` when it is done, so that a run that is cut keeps what it did; `--table FILE`
shows such a file as a table. `--what` runs some parts only, `--quick` a taste of each. Ends with 1 when one broke.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.crash.part import PROJECT, Asked, Outcome, Part
from tests.crash.soak_parts import PARTS

ROOT = Path(__file__).parents[2]
NOT_COPIED = {"build", "dist", "__pycache__", "node_modules"}
AT_ONCE = 2
GRACE_S = 60.0
"""After it was told to stop, a part has so long to end what it started."""


def line_of(part: Part, asked: Asked, outcome: Outcome, took: float) -> dict[str, object]:
    """What is kept of a part."""
    verdict = "broken" if outcome.broken else "cut short" if outcome.short else "holds"
    words = {"part": part.name, "row": part.row, "seed": asked.seed, "took_s": round(took, 1), "verdict": verdict}
    return {**words, **asdict(outcome)}


async def do(part: Part, asked: Asked) -> dict[str, object]:
    """Run a part in this process. What it left is kept when it broke."""
    folder, begun = Path(tempfile.mkdtemp(prefix="ringback-soak-")), time.monotonic()
    # a PostgreSQL that may not run as root has to get in
    folder.chmod(0o755)
    try:
        outcome = await part.run(asked, folder)
    except asyncio.CancelledError:
        outcome = Outcome(broken=[f"told to stop; what it left is in {folder}"])
    except Exception as problem:  # whatever it is, it is this part's verdict and not the end of the others
        outcome = Outcome(broken=[f"{type(problem).__name__}: {str(problem)[:2000]}"])
    if outcome.broken:
        outcome.broken.append(f"left in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return line_of(part, asked, outcome, time.monotonic() - begun)


def keep(line: dict[str, object], out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("a") as file:
        file.write(json.dumps(line) + "\n")


def tell(line: dict[str, object]) -> None:
    numbers, broken = line["numbers"], line["broken"]
    assert isinstance(numbers, dict) and isinstance(broken, list)
    shown = "  ".join(f"{name} {number}" for name, number in numbers.items())
    print(f"{line['part']:24} {line['row']:12} {line['took_s']:7} s  {line['verdict']}  {shown}", flush=True)
    for words in broken[:10]:
        print(f"        {words}", flush=True)


def copied(folder: Path) -> Path:
    """A copy of the project without what was made in it."""
    made = folder / "project"
    shutil.copytree(
        ROOT, made, ignore=lambda _, names: [name for name in names if name in NOT_COPIED or name[0] == "."]
    )
    return made


async def apart(part: Part, words: argparse.Namespace, project: Path) -> bool:
    """Run a part as a process of its own; returns whether it holds."""
    command = [sys.executable, "-m", "tests.crash.soak", "--here", part.name, "--seed", str(words.seed)]
    command += ["--kills", str(words.kills), "--texts", str(words.texts)]
    command += ["--out", str(words.out), *(["--quick"] if words.quick else [])]
    path = os.pathsep.join((str(project / "plugin"), str(project)))
    environ = {**os.environ, "PYTHONPATH": path, PROJECT: str(ROOT)}
    child = await asyncio.create_subprocess_exec(*command, cwd=project, env=environ)
    try:
        async with asyncio.timeout(part.minutes * 60):
            return await child.wait() == 0
    except TimeoutError:
        print(f"{part.name}: not done in {part.minutes} minutes", flush=True)
        return False
    finally:
        await ended(child)


async def ended(child: asyncio.subprocess.Process) -> None:
    if child.returncode is not None:
        return
    child.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(GRACE_S):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()


async def all_of(parts: Sequence[Part], words: argparse.Namespace, project: Path) -> bool:
    """Run them, the heavy ones one after the other and the rest beside them; returns whether all hold."""
    places, heavy = asyncio.Semaphore(AT_ONCE), asyncio.Lock()

    async def one(part: Part) -> bool:
        if part.heavy:
            async with heavy, places:
                return await apart(part, words, project)
        async with places:
            return await apart(part, words, project)

    return all(await asyncio.gather(*(one(part) for part in parts)))


async def with_signals(work: "asyncio.Task[object]") -> None:
    """Told to stop, end what was started."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, work.cancel)


async def here(part: Part, asked: Asked, out: Path) -> int:
    work = asyncio.ensure_future(do(part, asked))
    await with_signals(work)
    line = await work
    keep(line, out)
    tell(line)
    return 1 if line["broken"] else 0


async def go(parts: Sequence[Part], words: argparse.Namespace) -> int:
    begun, folder = time.monotonic(), Path(tempfile.mkdtemp(prefix="ringback-soaked-"))
    folder.chmod(0o755)
    work = asyncio.ensure_future(all_of(parts, words, copied(folder)))
    await with_signals(work)
    try:
        return 0 if await work else 1
    except asyncio.CancelledError:
        return 2
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        print(f"{(time.monotonic() - begun) / 60:.1f} minutes; the lines are in {words.out}", flush=True)


def table(file: Path) -> str:
    """A file of lines as a table in Markdown; of a part that ran again, the last line counts."""
    lines = {line["part"]: line for line in map(json.loads, file.read_text().splitlines())}
    rows = ["| Part | Row | Seed | Minutes | Verdict | |", "|---|---|---|---|---|---|"]
    for line in lines.values():
        numbers = ", ".join(f"{name} {number:,}" for name, number in line["numbers"].items())
        minutes = f"{line['took_s'] / 60:.1f}"
        rows.append(f"| {line['part']} | {line['row']} | {line['seed']} | {minutes} | {line['verdict']} | {numbers} |")
    return "\n".join(rows)


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.soak")
    parser.add_argument("--quick", action="store_true", help="a taste of each part")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=0, help="other than 200 of each kind")
    parser.add_argument("--texts", type=int, default=0, help="over other than 100,000 texts")
    parser.add_argument("--what", nargs="+", default=[], metavar="PART", help="parts, or the beginnings of their names")
    parser.add_argument("--list", action="store_true", help="the parts and the most minutes of each")
    parser.add_argument("--table", type=Path, metavar="FILE", help="show a file of lines as a table")
    parser.add_argument("--out", type=Path, default=Path("build/soak.jsonl"))
    parser.add_argument("--here", choices=PARTS, help=argparse.SUPPRESS)
    asked = parser.parse_args(words)
    asked.out = asked.out.absolute()
    chosen = [part for part in PARTS.values() if not asked.what or part.name.startswith(tuple(asked.what))]
    if not chosen:
        parser.error(f"no such part; there are: {', '.join(PARTS)}")
    if asked.table is not None:
        print(table(asked.table))
        return 0
    if asked.list:
        print("\n".join(f"{part.name:24} {part.row:12} at most {part.minutes:3} min" for part in chosen))
        return 0
    os.environ["SOAK"] = "1"
    if asked.here:
        return asyncio.run(here(PARTS[asked.here], Asked(asked.seed, asked.quick, asked.kills, asked.texts), asked.out))
    return asyncio.run(go(chosen, asked))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
