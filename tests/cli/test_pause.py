"""`ringback pause`: the daemon obeys at once; without one the database is told; what is unknown is refused."""

import asyncio
import json
import sqlite3

import pytest

from ringback import control
from ringback.assembly import names_to_pause
from ringback.cli.shared import who
from ringback.config import load
from ringback.store.holding import hold
from tests.fakes.ami import FakePbx


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param([], "paused now: everything automatic", id="everything"),
        pytest.param(["--number", "+12025550101"], "paused now: number +12025550101", id="a number"),
        pytest.param(["--number", "(202) 555-0101"], "paused now: number +12025550101", id="a number as on paper"),
        pytest.param(["--rule", "missed"], "paused now: rule missed", id="a rule"),
    ],
)
def test_without_a_daemon_it_is_written_down_and_taken_back(place, ringback, arguments, says):
    assert ringback("pause", *arguments).out == f"{says}\n"
    assert ringback("pause", *arguments).out == f"{says}\n"
    assert ringback("pause", *arguments, "--off").out == "nothing is paused\n"
    assert ringback("pause", *arguments, "--off").out == "nothing is paused\n"


def test_the_audit_keeps_who_paused_and_who_resumed(place, ringback):
    ringback("pause")
    ringback("pause", "--off")
    with sqlite3.connect(place.state / "ringback.db") as database:
        kept = database.execute("SELECT who, action, about FROM audit ORDER BY id").fetchall()
    assert [row[1:] for row in kept] == [("pause", "pause:all"), ("resume", "pause:all")]
    assert {row[0] for row in kept} == {f"shell {who()}"}


def test_several_pauses_stand_side_by_side(place, ringback):
    ringback("pause")
    ringback("pause", "--rule", "missed")
    assert ringback("pause", "--number", "+12025550102").out == (
        "paused now: everything automatic, number +12025550102, rule missed\n"
    )
    assert ringback("pause", "--off").out == "paused now: number +12025550102, rule missed\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(
            ["--number", "+12025550199"],
            "there is no number '+12025550199' to pause; known are +12025550101, +12025550102",
            id="a number that is not ours",
        ),
        pytest.param(
            ["--rule", "mised"], "there is no rule 'mised' to pause; known are evening, missed", id="no such rule"
        ),
        pytest.param(["--rule", "missed", "--number", "+12025550101"], "not both", id="both at once"),
    ],
)
def test_what_is_not_known_cannot_be_paused(place, ringback, arguments, says):
    ran = ringback("pause", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err
    assert not place.state.exists()


def test_a_held_state_folder_without_a_daemon_that_answers_is_left_alone(place, ringback):
    with hold(place.state):
        ran = ringback("pause")
    assert ran.code == 3
    assert "already runs on" in ran.err


async def test_the_daemon_obeys_at_once_and_remembers(place, ringback):
    async with FakePbx() as pbx, place.daemon(pbx):
        said = await asyncio.to_thread(ringback, "pause", "--rule", "missed")
        assert said.lines[-1] == "paused now: rule missed"
        (finding,) = json.loads((await control.ask(place.state, "status"))["health"])["findings"]
        assert finding["what"].startswith("Paused: rule missed, since ")
        said = await asyncio.to_thread(ringback, "pause", "--rule", "nothing")
        assert (said.code, said.out) == (2, "")
    assert (await asyncio.to_thread(ringback, "pause")).out == "paused now: everything automatic, rule missed\n"


async def test_a_daemon_with_another_configuration_says_no(place, ringback):
    async with FakePbx() as pbx, place.daemon(pbx):
        place.change('name = "evening"', 'name = "night"')
        said = await asyncio.to_thread(ringback, "pause", "--rule", "night")
    assert said.code == 1
    assert said.err == "there is no rule 'night' to pause; known are evening, missed\n"


async def test_a_scope_nobody_knows_is_refused_by_the_daemon(place):
    async with FakePbx() as pbx, place.daemon(pbx):
        with pytest.raises(
            control.ControlRefused, match="nothing can be paused by 'planet'; known are all, number, rule"
        ):
            await control.ask(place.state, "pause", scope="planet", name="x")


def test_names_to_pause_are_those_of_the_configuration(place):
    assert {scope: sorted(names) for scope, names in names_to_pause(load(place.file)).items()} == {
        "number": ["+12025550101", "+12025550102"],
        "rule": ["evening", "missed"],
    }
