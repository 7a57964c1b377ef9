"""`ringback carrier`: one is held back and goes on, with a daemon and without one."""

import asyncio
import json
import sqlite3

import pytest

from ringback import control
from tests.fakes.ami import FakePbx


def record(place) -> list[tuple[str, str]]:
    with sqlite3.connect(place.state / "ringback.db") as database:
        return database.execute("SELECT action, about FROM audit ORDER BY id").fetchall()


def test_before_the_first_start_every_carrier_goes_on(place, ringback):
    assert ringback("carrier", "list").out.split() == ["main", "goes", "on"]


def test_one_is_held_back_and_goes_on(place, ringback):
    ran = ringback("carrier", "hold", "main", "--why", "Their line is bad.")
    assert (ran.code, ran.out) == (0, "carrier main is held back\n")
    (line,) = ringback("carrier", "list").lines
    assert line.startswith("main") and " held back since " in line and line.endswith(": Their line is bad.")
    ran = ringback("carrier", "hold", "main", "--why", "Another reason.")
    assert ran.out == "carrier main is held back already; release it first\n"
    assert ringback("carrier", "release", "main").out == "carrier main goes on\n"
    assert ringback("carrier", "release", "main").out == "carrier main was not held back\n"
    ran = ringback("carrier", "release", "mian", "--all")
    assert ran.out == "carrier mian was not held back, and nothing waits on; `ringback carrier list` shows the names\n"
    assert ringback("carrier", "list").out.split() == ["main", "goes", "on"]
    assert record(place) == [("hold_carrier", "main"), ("release_carrier", "main")]


def test_one_that_is_gone_can_still_be_released(place, ringback):
    ringback("carrier", "hold", "main", "--why", "Their line is bad.")
    place.write(
        place.file.read_text()
        .replace("[carriers.main]", "[carriers.other]")
        .replace('carrier = "main"', 'carrier = "other"')
    )
    gone, other = ringback("carrier", "list").lines
    assert "(not configured any more)" in gone
    assert other.split() == ["other", "goes", "on"]
    assert ringback("carrier", "release", "main").out == "carrier main goes on\n"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        pytest.param(
            ["hold", "nope", "--why", "x"], 1, "there is no carrier 'nope'; known are main", id="none of ours"
        ),
        pytest.param(["hold", "main"], 2, "--why", id="a hold without a reason"),
    ],
)
def test_what_cannot_be_is_refused(place, ringback, arguments, code, says):
    ran = ringback("carrier", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err


async def test_a_daemon_does_it_and_health_shows_it(place, ringback):
    async with FakePbx() as pbx, place.daemon(pbx):
        ran = await asyncio.to_thread(ringback, "carrier", "hold", "main", "--why", "Their line is bad.")
        assert ran.out == "carrier main is held back\n"
        found = json.loads((await control.ask(place.state, "status"))["health"])["findings"]
        (shown,) = [each for each in found if "carrier main" in each["what"]]
        assert "Their line is bad." in shown["means"]
        assert shown["fix"] == "ringback carrier release main"
        with pytest.raises(control.ControlRefused, match="there is no carrier 'nope'"):
            await control.ask(place.state, "carrier", change="hold", name="nope", why="x")
        with pytest.raises(control.ControlRefused, match="no change that this Ringback knows"):
            await control.ask(place.state, "carrier", change="explode", name="main")
    assert (await asyncio.to_thread(ringback, "carrier", "list")).out.count("held back") == 1
    place.change(f"port = {pbx.port}", "port = 5038")
    async with FakePbx() as pbx, place.daemon(pbx):
        found = json.loads((await control.ask(place.state, "status"))["health"])["findings"]
        assert [each["fix"] for each in found if "carrier main" in each["what"]] == ["ringback carrier release main"]
        ran = await asyncio.to_thread(ringback, "carrier", "release", "main")
        assert ran.out == "carrier main goes on\n"
        found = json.loads((await control.ask(place.state, "status"))["health"])["findings"]
        assert not [each for each in found if "carrier main" in each["what"]]
