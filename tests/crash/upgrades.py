"""R15: from the version before to this one and back, with texts on their way each time.

The version before is the last of the project's history whose schema is older; its files are read from there.
"""

import asyncio
import itertools
import os
import re
import subprocess
import sys
import tarfile
import time
from contextlib import suppress
from pathlib import Path

from tests.crash.checker import Finding, check
from tests.crash.house import NUMBERS, ROOT, House, house
from tests.crash.part import PROJECT, Asked, Outcome, said

BEFORE, SCHEMA = "938140b", "0002"
"""The last commit of the version before, and its schema."""
GAP_S = 15.0
EVERY_S, AT_ONCE = 0.1, 10
PARTS = ("plugin", "web", "dialplan")
DOWN = """
import sys
from alembic import command
from ringback.store.schema import alembic_config
command.downgrade(alembic_config(sys.argv[1]), sys.argv[2])
"""


def unpack(folder: Path) -> Path:
    """The program as it was; returns what goes on the path."""
    folder.mkdir(parents=True)
    packed = folder / "before.tar"
    project = os.environ.get(PROJECT, ROOT)
    subprocess.run(["git", "-C", project, "archive", "-o", packed, BEFORE, *PARTS], check=True)
    with tarfile.open(packed) as tar:
        tar.extractall(folder, filter="data")
    return folder / "plugin"


async def work(made: House) -> None:
    """A hundred texts a second come in, each of which wants an answer; the carrier brings them until they are taken."""
    for number in itertools.count():
        texts = [f"+1512{3_000_000 + number * AT_ONCE + n:07}" for n in range(AT_ONCE)]
        await made.write_in((to, NUMBERS[int(to[-1])], "HELP") for to in texts)
        await asyncio.sleep(EVERY_S)


class Change:
    """The daemon goes over to another version."""

    def __init__(self, made: House, before: Path) -> None:
        self.made, self.before = made, before
        self.gaps: list[float] = []
        older = re.sub(r"\[api\]\n[^\[]*", "", (made.folder / "ringback.toml").read_text())
        (made.folder / "before.toml").write_text(older)
        self.this = (made.package, made.command)
        self.that = (before, ("ringback.cli", "run", "--config", str(made.folder / "before.toml")))

    async def down(self) -> None:
        """Back to the version before: stop, take the schema down, start."""
        await self._over(self.that, self._take_down)

    async def up(self) -> None:
        """To this version, which brings the schema up by itself."""
        await self._over(self.this, None)

    async def _over(self, to: tuple[Path, tuple[str, ...]], between: object) -> None:
        made, begun = self.made, time.monotonic()
        code, took = await made.stops()
        assert code == 0, f"told to stop, it ended with {code} after {took:.1f} s\n{made.log()}"
        if callable(between):
            await asyncio.to_thread(between)
        made.package, made.command = to
        made.starts_up()
        await made.until(made.takes_hooks, "the daemon takes hooks")
        self.gaps.append(time.monotonic() - begun)

    def _take_down(self) -> None:
        path = os.pathsep.join((str(ROOT / "plugin"), str(ROOT)))
        command = [sys.executable, "-c", DOWN, self.made.url, SCHEMA]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": path}, timeout=120)


def unsealed(finding: Finding) -> bool:
    return bool(finding.rows) and all(row.get("chain") == "" for row in finding.rows)


async def upgrades(asked: Asked, folder: Path) -> Outcome:
    """Ten times there and back."""
    before = await asyncio.to_thread(unpack, folder / "before")
    cycles = asked.many(10, 1)
    async with house(folder / "run", "http", "", asked.seed) as made:
        await made.tell("odds", {"hold": 0.3})
        await made.tell("knobs", {"hold": 0.05})
        await made.start()
        change = Change(made, before)
        working = asyncio.ensure_future(work(made))
        try:
            for _ in range(cycles):
                for way in (change.down, change.up):
                    arrived = made.arrived + 100
                    await made.until(lambda number=arrived: made.arrived >= number, "texts arrive")  # type: ignore[misc]
                    await way()
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working
        await made.settles(120)
        ledgers = made.ledgers()
    # on the way down the seals of the record go, and what has none begins the chain anew
    broken = said(finding for finding in check(ledgers) if not unsealed(finding))
    if late := [round(gap, 1) for gap in change.gaps if gap > GAP_S]:
        broken.append(f"away for longer than {GAP_S:.0f} s: {late}")
    numbers = {"changes of version": len(change.gaps), "messages": len(ledgers.rows("message"))}
    twice = sum(len(lines) > 1 for lines in ledgers.taken.values())
    return Outcome({**numbers, "twice": twice, "longest gap, s": round(max(change.gaps), 1)}, broken)
