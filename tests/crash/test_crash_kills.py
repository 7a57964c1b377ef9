"""The whole daemon, killed again and again while everybody wants something of it: nothing lost, nothing twice.

The short set. `python -m tests.crash.soak` is the long one.
"""

from pathlib import Path

import pytest

from tests.crash.runs import run
from tests.postgres import Cluster

TEXTS = 300


@pytest.mark.parametrize("kind", ["http", "loopback"])
async def test_five_crashes_lose_nothing_and_send_nothing_twice(tmp_path: Path, kind: str, database: str) -> None:
    made = await run(tmp_path, kind, database, 11, TEXTS, ["kill"] * 5)
    assert made.findings == (), made.report
    assert made.numbers["kills"] == 5
    assert made.numbers["acknowledged"] > TEXTS * 0.7


@pytest.mark.parametrize(
    ("acts", "cut"),
    [
        pytest.param(["freeze", "kill", "stop"], 0.0, id="frozen and told to stop"),
        pytest.param(["kill"], 0.3, id="lines that break at any byte"),
        pytest.param(["lock", "kill"], 0.0, id="somebody else holds the database"),
    ],
)
async def test_crash_beside_other_faults(tmp_path: Path, acts: list[str], cut: float) -> None:
    made = await run(tmp_path, "http", "", 12, TEXTS, acts, cut=cut)
    assert made.findings == (), made.report


async def test_crash_of_postgresql_itself(tmp_path: Path, mortal: Cluster) -> None:
    made = await run(tmp_path, "http", mortal.create("crash"), 13, TEXTS, ["database", "kill", "database"], mortal)
    assert made.findings == (), made.report


async def test_clock_that_is_set_crashes_nothing(tmp_path: Path) -> None:
    """Stamps mean nothing then, so what is checked is what arrived."""
    made = await run(tmp_path, "http", "", 14, TEXTS, ["clock", "kill", "clock", "clock"])
    by_stamps = {"I6", "I7", "I8"}
    assert [finding for finding in made.findings if finding.invariant not in by_stamps] == [], made.report
    assert made.numbers.get("state expired", 0) == 0, made.report
