"""The harness itself is proven: each of twelve planted defects is caught by the invariant that stands beside it.

In the short set each is planted, so that none stops applying unseen, and four are caught; the long set catches all.
"""

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.crash.checker import broken, check
from tests.crash.defects import DEFECTS, SYNC, Defect, plant
from tests.crash.house import ROOT, house
from tests.crash.power_flush import judged
from tests.crash.report import render
from tests.crash.scenes import SCENES
from tests.fakes.hand_clock import HandClock
from tests.fakes.twilio import fake_twilio
from tests.flow.world import DID
from tests.hooks.test_flood import statuses, texted
from tests.postgres import free_port

LONG = os.environ.get("SOAK", "0") not in ("", "0")
SHORT = (
    "ack before commit",
    "receipt mapping stored after the answer",
    "lease without fencing",
    "list endpoint without a scope check",
)
CAUGHT = tuple(DEFECTS) if LONG else SHORT
SOUND = tuple(SCENES) if LONG else ("stop_while_a_text_waits", "calls_round_a_message_without_end")


async def caught(folder: Path, defect: Defect) -> tuple[set[str], str]:
    """Plant it, play its scene, and let the checker look."""
    async with house(folder / "run", package=plant(defect, folder / "copy")) as made:
        made.environ.update(defect.environ)
        await defect.scene(made)
        ledgers = made.ledgers()
        findings = check(ledgers)
        return broken(findings), render(ledgers, findings)


@pytest.mark.parametrize("name", CAUGHT)
async def test_crash_harness_catches(tmp_path: Path, name: str) -> None:
    found, report = await caught(tmp_path, DEFECTS[name])
    assert DEFECTS[name].caught_by in found, report


async def test_crash_harness_catches_a_store_that_does_not_flush(tmp_path: Path, empty_sqlite: Path) -> None:
    """sync = NORMAL loses only by a power cut, so it is found in the order of writes and flushes."""
    package = plant(Defect((SYNC,), SCENES["busy_first"], ""), tmp_path / "copy")
    shutil.copy(empty_sqlite, tmp_path / "ringback.db")
    environ, port, many = {**os.environ, "PYTHONPATH": f"{package}:{ROOT}"}, free_port(), 40
    async with fake_twilio(HandClock(), DID) as line:
        command = [sys.executable, "-m", "tests.crash.power_talk", tmp_path, str(many), line.address, str(port), "FULL"]
        running = asyncio.create_task(
            asyncio.to_thread(judged, [str(word) for word in command], env=environ, cwd=ROOT, timeout=100)
        )
        while not line.sent and not running.done():  # its listener listens before its first text
            await asyncio.sleep(0.01)
        assert set(await statuses(port, [texted(number) for number in range(many)])) == {200}
        seen = await running
    assert len(seen.violations) >= many


@pytest.mark.parametrize("scene", SOUND)
async def test_crash_harness_finds_nothing_in_a_sound_program(tmp_path: Path, scene: str) -> None:
    async with house(tmp_path) as made:
        await SCENES[scene](made)
        findings = check(made.ledgers())
        assert findings == [], render(made.ledgers(), findings)


@pytest.mark.parametrize("name", [*DEFECTS, "sync = NORMAL"])
def test_crash_defect_still_applies(name: str) -> None:
    cuts = (SYNC,) if name == "sync = NORMAL" else DEFECTS[name].cuts
    for cut in cuts:
        text = (Path(__file__).parents[2] / "plugin/ringback" / cut.file).read_text("utf-8")
        assert text.count(cut.old) == 1, f"{cut.file} has changed: plant {name!r} anew"


def test_crash_harness_has_twelve_defects() -> None:
    assert len(DEFECTS) + 1 == 12
