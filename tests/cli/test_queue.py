"""`ringback queue`, `agent` and `session`; with a daemon and without one."""

import asyncio

import pytest

from tests.fakes.ami import FakePbx
from tests.fakes.queues import listed_member, params

MAIN = "+12025550101"


@pytest.fixture
def desk(place, ringback):
    """ana administers, ben is an agent at 101; Sales is a queue that ben serves."""
    for words in (
        ("user", "add", "ana", "--no-password"),
        ("user", "add", "ben", "--no-password", "--extension", "101", "--role", "agent"),
        ("queue", "add", "Sales", "strategy=broadcast"),
        ("queue", "member", "sales", "101"),
    ):
        ran = ringback(*words)
        assert ran.code == 0, ran.err
    return place


def test_a_queue_is_made_shown_and_changed(desk, ringback):
    assert ringback("queue", "list").lines == ["Sales  (broadcast, 1 member)", "main  (manual, 0 members)"]
    assert ringback("queue", "voice", "sales", "sales").out == "Sales stands beside main/sales\n"
    assert ringback("queue", "number", "sales", MAIN).out == f"texts to {MAIN} go to Sales\n"
    assert ringback("queue", "set", "sales", "offer_for=45s", "text.wait.en=Wait a moment").out == "Sales is changed\n"
    assert ringback("queue", "set", "sales", "offer_for=45s").out == "Sales is so already\n"
    shown = ringback("queue", "show", "sales").lines
    for line in ("members: ben", "beside: main/sales", f"numbers: {MAIN}", "offer_for=45s", "strategy=broadcast"):
        assert line in shown, line
    assert "text.wait.en=Wait a moment" in shown
    assert ringback("queue", "rename", "sales", "Selling").out == "Sales is called Selling now\n"
    assert ringback("queue", "voice", "selling", "main/sales", "--out").out == (
        "Selling stands beside no queue of Asterisk\n"
    )
    assert ringback("queue", "number", "selling", MAIN, "--out").out == f"texts to {MAIN} go to main\n"
    assert ringback("queue", "member", "selling", "ben", "--out").out == "ben does not serve Selling\n"


def test_what_is_shown_can_be_set(desk, ringback):
    words = [
        line for line in ringback("queue", "show", "sales").lines if line.partition("=")[0].islower() and "=" in line
    ]
    assert ringback("queue", "set", "main", *words).out == "main is changed\n"
    shown = ringback("queue", "show", "main").lines
    assert [line for line in words if line not in shown] == []


def test_a_queue_is_removed_once_it_was_said_what_goes(desk, ringback):
    ringback("queue", "voice", "sales", "main/sales")
    assert ringback("queue", "remove", "sales").lines == [
        "0 open sessions would go to the main queue; who has one keeps it",
        "no text queue would stand beside main/sales",
        "Nothing is removed yet: add --yes.",
    ]
    assert ringback("queue", "remove", "sales", "--yes").out == "removed Sales; 0 open sessions now in the main queue\n"
    assert ringback("queue", "list").lines == ["main  (manual, 0 members)"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(("queue", "show", "nothing"), 1, "no such text queue", id="no such queue"),
        pytest.param(("queue", "add", "Main"), 1, "a text queue of this name already", id="a name twice"),
        pytest.param(("queue", "add", "x", "speed=1"), 1, "speed is nothing that a queue has", id="no such word"),
        pytest.param(("queue", "set", "sales", "offer_for"), 1, "write WORD=VALUE", id="half a word"),
        pytest.param(("queue", "set", "sales", "offer_for=x"), 1, "offer_for: x is no span of time", id="no span"),
        pytest.param(("queue", "remove", "main", "--yes"), 1, "cannot be removed", id="the main queue"),
        pytest.param(("queue", "member", "sales", "nobody"), 1, "no such user", id="nobody to serve it"),
        pytest.param(("queue", "voice", "sales", "west/x"), 1, "no PBX west. Write one of main", id="no such PBX"),
        pytest.param(("queue", "number", "sales", "+12025550177"), 1, "no such number", id="not our number"),
        pytest.param(("queue", "map"), 1, "start it first", id="a mapping without a daemon"),
        pytest.param(("agent", "set", "ben", "--capacity", "0"), 1, "1 to 50 sessions", id="nothing to carry"),
        pytest.param(("agent", "set", "ben", "--phone", "maybe"), 2, "follow or ignore", id="neither way"),
        pytest.param(("agent", "away", "ana"), 1, "ana is no agent", id="who is no agent"),
        pytest.param(("session", "list", "--queue", "nothing"), 1, "no such text queue", id="sessions of no queue"),
    ],
)
def test_what_cannot_be_says_what_to_do(desk, ringback, words, code, says):
    ran = ringback(*words)
    assert (ran.code, says in ran.err) == (code, True), ran.err


def test_what_an_agent_carries_is_set_and_listed(desk, ringback):
    ran = ringback("agent", "set", "ben", "--capacity", "5", "--call-counts", "2", "--phone", "ignore")
    assert ran.out == "ben: 5 sessions, a call counts as 2, whatever the phone says\n"
    assert ringback("agent", "set", "101", "--capacity", "4").out.startswith("ben: 4 sessions, a call counts as 2")
    assert ringback("agent", "away", "ben").out == "ben is away\n"
    (line,) = ringback("agent", "list").lines
    assert line == "ben  away  has 0 of 4 sessions, a call counts as 2, whatever the phone says  (Sales)"
    assert ringback("agent", "ready", "ben").out == "ben is ready\n"


def test_a_queue_made_by_hand_gives_to_whoever_had_nothing_for_longest(desk, ringback):
    assert ringback("queue", "add", "Plain").code == 0
    assert "Plain  (longest_idle, 0 members)" in ringback("queue", "list").lines


def test_where_nobody_is_an_agent_it_says_how_somebody_becomes_one(place, ringback):
    assert ringback("user", "add", "ana", "--no-password").code == 0
    assert ringback("agent", "list").lines == [
        "Nobody is an agent yet: make somebody a member of a queue with `ringback queue member`."
    ]


def test_nothing_is_open_at_first(desk, ringback):
    assert ringback("session", "list").out == "No session is open.\n"


async def test_a_daemon_makes_queues_of_those_that_asterisk_has(desk, ringback):
    known = FakePbx(
        queues=[params("sales"), listed_member("sales", "101"), params("night"), listed_member("night", "199")]
    )
    async with known as pbx, desk.daemon(pbx):

        async def run(*words: str):
            return await asyncio.to_thread(ringback, *words)

        while "PBX main is not heard" in (ran := await run("queue", "map")).out:
            await asyncio.sleep(0.02)
        told = ran.lines[-6:]  # before them, what the daemon in this process logs of the PBX
        assert told == [
            "main/night would make text queue night",
            "  PJSIP/199 (Phone 199) is no user here",
            "main/sales would stand beside text queue Sales",
            "  ben serves it",
            "Bring in whom nobody knows: `ringback user import`, or add users with their extension.",
            "Nothing is made yet: add --apply.",
        ]
        made = await run("queue", "map", "--apply", "--pbx", "main")
        assert made.lines == ["night stands beside main/night", "Sales stands beside main/sales"]
        assert (await run("queue", "map", "--pbx", "west")).err.startswith("There is no PBX west.")
        assert (await run("queue", "set", "night", "strategy=manual")).out == "night is changed\n"
        assert (await run("queue", "list")).lines[-1] == "night  (manual, 0 members, main/night)"
