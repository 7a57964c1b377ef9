"""Killed at every named point (R2): after the restart each text is exactly where the table says.

Here are the points on one database and carrier kind each; `python -m tests.crash.soak --what points` has all.
"""

from pathlib import Path

import pytest

from tests.crash.cells import PLACES, QUIET, Cell, crash
from tests.crash.checker import check
from tests.crash.house import house
from tests.crash.points import MOMENTS
from tests.crash.report import render

HERE = {
    "http": (
        "a text comes in that wants an answer",
        "a program asks for a text",
        "an attempt is opened",
        "the carrier took it",
    ),
    "loopback": ("a text goes over the wire", "a receipt comes", "a STOP comes while a text waits"),
}


@pytest.mark.parametrize("kind", ["http", "loopback"])
async def test_crash_at_a_named_point_leaves_what_the_table_says(tmp_path: Path, kind: str, database: str) -> None:
    places = HERE[kind] if not database else HERE[kind][:1]
    async with house(tmp_path, kind, database, 21) as made:
        made.behaviour, made.receipt_after = QUIET, "500ms"
        made.write_settings()
        await made.tell("knobs", {"receipts": 0})
        cells = [Cell(made, place, moment, 0) for place in places for moment in MOMENTS]
        await cells[0].starts()
        for number, cell in enumerate(cells):
            cell.number = number
            wanted, found = await crash(cell)
            assert found == wanted, f"{cell.moment}: {cell.place}\n{made.log()}"
        findings = check(made.ledgers())
        assert findings == [], render(made.ledgers(), findings)


def test_crash_points_are_named_for_every_durable_point() -> None:
    named = " ".join(place.durable for place in PLACES.values()).split()
    assert {f"D{number}" for number in range(1, 7)} | {"I-D1", "I-D2", "I-D3", "wire"} <= set(named)
    assert len(PLACES) * len(MOMENTS) >= 36
