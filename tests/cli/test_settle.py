"""`ringback settle`: what became of a text, said at the shell, with a daemon and without one."""

import asyncio
import sqlite3

import pytest

from ringback import control
from tests.fakes.ami import FakePbx
from tests.flow.test_doubts import doubtful

NOBODYS = "msg_00000000000000000000000000"


@pytest.fixture
def message(place) -> str:
    """A text that nobody knows about."""
    found: list[str] = []

    async def story(world) -> None:
        found.append(await doubtful(world))

    place.live(story)
    return found[0]


def state(place) -> str:
    with sqlite3.connect(place.state / "ringback.db") as database:
        return database.execute("SELECT state FROM message").fetchone()[0]


def record(place) -> list[tuple[str, str]]:
    with sqlite3.connect(place.state / "ringback.db") as database:
        return database.execute("SELECT who, action FROM audit ORDER BY id").fetchall()


@pytest.mark.parametrize(("how", "becomes"), [("sent", "accepted"), ("not-sent", "failed")])
def test_a_word_at_the_shell_counts_and_can_be_taken_back(place, ringback, message, how, becomes):
    ran = ringback("settle", message, how)
    assert (ran.code, ran.out) == (0, f"{message}: done\n")
    assert state(place) == becomes
    assert ringback("settle", message, "undo").out == f"{message}: done\n"
    assert state(place) == "unconfirmed"
    assert [action for _, action in record(place)] == [f"said_{how.replace('-', '_')}", "took_back"]
    assert all(who.startswith("shell ") for who, _ in record(place))


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        pytest.param([NOBODYS, "sent"], 1, f"there is no text {NOBODYS}", id="no such text"),
        pytest.param(["thr_1", "sent"], 1, "'thr_1' is the id of nothing here", id="no id of a text"),
        pytest.param([NOBODYS, "lost"], 2, "", id="no such word"),
        pytest.param([NOBODYS], 2, "", id="no word at all"),
    ],
)
def test_what_cannot_be_is_refused(place, ringback, message, arguments, code, says):
    ran = ringback("settle", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err
    assert (state(place), record(place)) == ("unconfirmed", [])


def test_the_second_of_two_words_comes_too_late(place, ringback, message):
    ringback("settle", message, "sent")
    ran = ringback("settle", message, "not-sent")
    assert (ran.code, "its state has changed" in ran.err) == (1, True)
    assert state(place) == "accepted"


def test_without_a_daemon_nobody_asks_the_carrier(place, ringback, message):
    ran = ringback("settle", message, "ask")
    assert (ran.code, "only a running daemon asks carriers" in ran.err) == (1, True)


async def test_a_daemon_does_it(place, ringback, empty_sqlite):
    def before() -> str:
        found: list[str] = []

        async def story(world) -> None:
            found.append(await doubtful(world))

        place.live(story)
        return found[0]

    message = await asyncio.to_thread(before)
    async with FakePbx() as pbx, place.daemon(pbx):
        ran = await asyncio.to_thread(ringback, "settle", message, "ask")
        assert (ran.code, ran.err) == (1, f"{message}: this carrier cannot be asked about single texts\n")
        ran = await asyncio.to_thread(ringback, "settle", message, "sent")
        assert (ran.code, ran.lines[-1]) == (0, f"{message}: done")  # the daemon logs into the same output here
        with pytest.raises(control.ControlRefused, match="say sent, not-sent, undo or ask"):
            await control.ask(place.state, "settle", message=message, how="explode")
    assert state(place) == "accepted"
