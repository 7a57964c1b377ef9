"""The power goes at any write: what was told is there, the database is whole, and nothing that left is forgotten.

No disk is cut here. A life of the store is recorded write by write and flush by flush (power_vfs.py), and each cut is
made afterwards from the record (power_cut.py). SOAK=1 cuts more often in a longer life.
"""

import itertools
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.crash.power_cut import Cut, Rest, cuts

ROOT = Path(__file__).parents[2]
LONG = os.environ.get("SOAK", "0") not in ("", "0")
CUTS, ACKNOWLEDGEMENTS = (200, 20_000) if LONG else (80, 3_000)
SEED = 20261122


def lived(folder: Path, empty: Path, many: int, synchronous: str) -> Path:
    """Run a life to its end and return its record."""
    shutil.copy(empty, folder / "ringback.db")
    environ = {**os.environ, "PYTHONPATH": f"{ROOT / 'plugin'}:{ROOT}"}
    command = [sys.executable, "-m", "tests.crash.power_life", str(folder), str(many), str(SEED), synchronous]
    subprocess.run(command, check=True, env=environ, cwd=ROOT, timeout=1500 if LONG else 200)
    return folder / "record"


def cut_often(tmp_path: Path, empty: Path, many: int, told: int, synchronous: str) -> list[Cut]:
    record = lived(tmp_path, empty, told, synchronous)
    names = itertools.count()

    def folder() -> Path:
        made = tmp_path / f"cut{next(names)}"
        made.mkdir()
        return made

    return list(cuts(empty.read_bytes(), record, many, SEED, folder))


@pytest.mark.timeout(1800 if LONG else 300)
def test_nothing_that_was_told_is_lost_when_the_power_goes(tmp_path: Path, empty_sqlite: Path, record_property):
    made = cut_often(tmp_path, empty_sqlite, CUTS, ACKNOWLEDGEMENTS, "FULL")
    record_property("cuts", len(made))
    record_property("acknowledgements", made[-1].told)
    assert [cut for cut in made if cut.faults] == []
    assert len(made) == CUTS
    assert made[-1].told > ACKNOWLEDGEMENTS // 2
    assert set(Counter(cut.rest for cut in made)) == set(Rest)


def test_a_store_that_does_not_flush_is_caught(tmp_path: Path, empty_sqlite: Path):
    """The same with `synchronous` NORMAL, which flushes at checkpoints only: the cuts must find what is lost."""
    made = cut_often(tmp_path, empty_sqlite, 80, 1_500, "NORMAL")
    caught = [cut for cut in made if cut.faults]
    assert {cut.rest for cut in caught} >= {Rest.NONE, Rest.SOME}
    assert len(caught) > 10
    assert any("message gone" in fault for cut in caught for fault in cut.faults)
