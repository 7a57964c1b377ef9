"""`ringback migrate` and `ringback version`."""

import os
import sqlite3

import pytest

from ringback import __version__
from ringback.store.holding import hold
from ringback.store.schema import HEAD


def test_a_new_database_is_made_and_the_second_time_nothing_is_done(place, ringback):
    assert ringback("migrate").out == f"schema none -> {HEAD}\n"
    assert ringback("migrate").out == f"schema {HEAD}, nothing to do\n"


def test_it_leaves_the_database_of_a_running_daemon_alone(place, ringback):
    with hold(place.state):
        ran = ringback("migrate")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == f"process {os.getpid()} already runs on {place.state}; stop it first\n"
    assert not (place.state / "ringback.db").exists()


def test_a_database_of_a_newer_ringback_is_left_alone(place, ringback):
    ringback("migrate")
    database = sqlite3.connect(place.state / "ringback.db")
    with database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    for command in (["migrate"], ["explain", "1.1"], ["pause"], ["run"]):
        ran = ringback(*command)
        assert ran.code == 1
        assert "schema 9999" in ran.err


@pytest.mark.parametrize("command", [["migrate"], ["pause"], ["run"]])
def test_a_state_folder_that_cannot_be_made_is_one_line(place, ringback, command):
    place.state.write_text("a file where the folder should be")
    ran = ringback(*command)
    assert ran.code == 1
    assert ran.err == f"{place.state}: cannot be written: File exists\n"


def test_version(ringback):
    assert ringback("version").out == f"{__version__}\n"
