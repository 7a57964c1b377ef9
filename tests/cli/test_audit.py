"""`ringback audit` and `ringback person`: the record looked through, listed and taken away; a person written out."""

import csv
import io
import json
import os
import sqlite3
import zipfile
from contextlib import closing
from hashlib import sha256

import pytest

from ringback.cli.shared import who
from tests.conftest import NOON
from tests.flow.world import PAT, a_call, life_of


def harm(place, *statements):
    with closing(sqlite3.connect(place.state / "ringback.db")) as database:
        for name in ("audit_unchanged", "audit_stays", "audit_unreplaced"):
            database.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            database.execute(statement)
        database.commit()


@pytest.fixture
def record(place, ringback):
    """Three rows by commands, without a daemon."""
    ringback("pause")
    ringback("pause", "--off")
    ringback("pause", "--rule", "missed")
    return place


@pytest.fixture
def past(place):
    """Pat called, got a text, and answered."""

    async def story(world):
        await world.happens(*life_of(a_call("1.1", PAT, NOON)))
        await world.says("thank you")

    place.live(story)
    place.person = PAT
    return place


def test_a_record_that_is_whole_is_said_to_be(record, ringback):
    said = ringback("audit", "verify")
    assert said.code == 0
    assert said.out.startswith("the record is whole: 3 rows, the last is row 3, 2:")
    told = json.loads(ringback("audit", "verify", "--json").out)
    assert (told["whole"], told["rows"], told["fault"], told["notes"]) == (True, 3, None, [])


def test_the_first_row_that_is_wrong_is_named(record, ringback):
    harm(record, "UPDATE audit SET who = 'eve' WHERE id = 2")
    said = ringback("audit", "verify")
    assert said.code == 1
    assert said.out.splitlines() == [
        "the record was changed by hand: row 2 was changed or put in, or another row stands in its place",
        "the triggers that keep rows as they are were dropped",
    ]
    told = json.loads(ringback("audit", "verify", "--json").out)
    assert (told["whole"], told["fault"]["row"]) == (False, 2)


def test_whoever_keeps_a_copy_of_the_key_elsewhere_can_verify_with_it(record, ringback, tmp_path):
    copy = tmp_path / "copy.key"
    (record.state / "audit.key").rename(copy)
    assert "not proven" in ringback("audit", "verify").out
    assert "not proven" not in ringback("audit", "verify", "--key", str(copy)).out
    assert ringback("audit", "verify", "--key", str(tmp_path / "none")).code == 1


def test_the_key_is_for_its_owner_alone(record):
    assert (record.state / "audit.key").stat().st_mode & 0o777 == 0o600


def test_rows_are_listed_newest_first_and_found(record, ringback):
    lines = ringback("audit", "list").out.splitlines()
    assert [line.split()[0] for line in lines] == ["3", "2", "1"]
    assert all(f"shell {who()}" in line and "from shell" in line for line in lines)
    assert len(ringback("audit", "list", "--action", "resume").out.splitlines()) == 1
    assert len(ringback("audit", "list", "--most", "2").out.splitlines()) == 2
    assert ringback("audit", "list", "--to", "2020-01-01").out == ""
    assert json.loads(ringback("audit", "list", "--json", "--most", "1").out)["about"] == "pause:rule:missed"
    assert "write it as" in ringback("audit", "list", "--from", "yesterday").err


def test_an_export_is_a_table_or_lines_and_is_a_row_itself(record, ringback):
    rows = list(csv.reader(io.StringIO(ringback("audit", "export").out.removeprefix("\ufeff"))))
    assert rows[0] == ["row", "at", "who", "action", "about", "detail", "source", "request", "before", "after"]
    assert [row[3] for row in rows[1:]] == ["pause", "resume", "pause", "export"]
    lines = ringback("audit", "export", "--format", "jsonl", "--action", "export").out.splitlines()
    assert [json.loads(line)["detail"] for line in lines] == ["", "action=export"]


def test_a_person_is_written_out_whole_and_with_proof(past, ringback, tmp_path):
    out = tmp_path / "file.zip"
    said = ringback("person", past.person, "--out", str(out))
    assert said.code == 0, said.err
    assert out.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(out) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    told, manifest = json.loads(parts["person.json"]), json.loads(parts["manifest.json"])
    assert told["number"] == past.person
    assert told["calls"][0]["texts"][0]["steps"]
    assert told["threads"]
    assert manifest["sha256"] == {name: sha256(parts[name]).hexdigest() for name in manifest["sha256"]}
    assert set(manifest["sha256"]) == set(parts) - {"manifest.json"}
    assert manifest["record"]["whole"] is True
    page = parts["person.html"].decode()
    assert past.person in page
    assert told["calls"][0]["texts"][0]["body"] in page
    (row,) = [
        json.loads(line) for line in ringback("audit", "list", "--json", "--action", "write_out").out.splitlines()
    ]
    assert row["about"].startswith("erased:")
    assert past.person not in json.dumps(row)


def test_what_is_there_already_is_left_alone_and_nobody_is_no_person(past, ringback, tmp_path):
    out = tmp_path / "file.zip"
    out.write_text("mine")
    assert ringback("person", past.person, "--out", str(out)).code == 1
    assert out.read_text() == "mine"
    said = ringback("person", "+12025559999", "--out", str(tmp_path / "other.zip"))
    assert (said.code, said.err.strip()) == (1, "nothing is known of +12025559999")
    assert not os.path.exists(tmp_path / "other.zip")
    assert ringback("person", "nonsense", "--out", str(out)).code == 2


def test_an_erased_person_leaves_only_the_rows_that_say_so(past, ringback, tmp_path):
    assert ringback("erase", past.person, "--yes").code == 0
    assert "whole" in ringback("audit", "verify").out
    out = tmp_path / "file.zip"
    assert ringback("person", past.person, "--out", str(out)).code == 0
    with zipfile.ZipFile(out) as file:
        told = json.loads(file.read("person.json"))
    assert [row["action"] for row in told["record"]] == ["erase"]
    assert not told["calls"] + told["texts"] + told["incoming"] + told["threads"]
