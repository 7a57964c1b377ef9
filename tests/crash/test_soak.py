"""The long drills' own parts: what is kept of them, and what counts as a kill in work."""

import json
from pathlib import Path

import pytest

from tests.crash.ledgers import Book, Count, Ledgers
from tests.crash.part import Asked, Outcome, Part
from tests.crash.report import open_at
from tests.crash.soak import do, keep, table
from tests.crash.soak_parts import PARTS, acts_for

ASKED = Asked(seed=7, quick=True)


async def one_that_breaks(_asked: Asked, _folder: Path) -> Outcome:
    raise ValueError("it broke")


async def one_in_time(_asked: Asked, _folder: Path) -> Outcome:
    return Outcome({"kills": 3})


async def one_cut_short(_asked: Asked, _folder: Path) -> Outcome:
    return Outcome({"kills": 2}, short="2 kills of 3")


@pytest.mark.parametrize(
    ("run", "verdict"), [(one_that_breaks, "broken"), (one_in_time, "holds"), (one_cut_short, "cut short")]
)
async def test_soak_keeps_a_line_of_every_part_whatever_became_of_it(tmp_path: Path, monkeypatch, run, verdict):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    out = tmp_path / "out" / "soak.jsonl"
    for seed in (7, 8):
        keep(await do(Part("some", "R1", 1, run), Asked(seed, quick=True)), out)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(line["part"], line["seed"], line["verdict"]) for line in lines] == [
        ("some", 7, verdict),
        ("some", 8, verdict),
    ]
    assert table(out).count("| some | R1 |") == 1, "of a part that ran twice, the last counts"
    assert "| some | R1 | 8 |" in table(out)
    assert bool(list(tmp_path.glob("ringback-soak-*"))) is (verdict == "broken"), "what broke is left to be looked at"


def test_soak_has_every_kind_of_kill_and_no_two_parts_of_one_name():
    assert {name for name in PARTS if name.startswith("kills")} == {
        f"kills {kind} {database}" for kind in ("http", "loopback") for database in ("sqlite", "postgres")
    }
    acts = acts_for("postgres", 200, 1)
    assert (acts.count("kill"), acts.count("database")) == (200, 50)


def test_soak_counts_what_was_open_at_a_kill():
    """One that the start after a kill closed was open; one that was closed before, or opened after, was not."""
    ledgers = Ledgers("", faults=[{"kind": "kill", "at": 100}, {"kind": "kill", "at": 300}, {"kind": "stop", "at": 50}])
    spans = [(40, 60), (90, 150), (95, None), (200, 250), (310, 320)]
    ledgers.__dict__["tables"] = {"attempt": [{"opened_at": a, "closed_at": b} for a, b in spans]}
    assert open_at(ledgers, "kill") == [2, 1]


def test_soak_counts_the_lines_of_a_ledger_that_grows(tmp_path: Path):
    path = tmp_path / "ledger.jsonl"
    count = Count(path)
    assert count() == 0
    book = Book(path)
    for number in range(1, 4):
        book.write("text")
        assert count() == number
    book.close()
    path.write_text("{}\n")
    assert count() == 1, "it was begun anew"
