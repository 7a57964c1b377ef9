"""`ringback user`: people are added, kept out and let in again, with a daemon and without one."""

import asyncio
import io
import sys

import pytest

from ringback import control
from ringback.core.permissions import Role
from ringback.store.database import peek
from ringback.store.holding import hold
from tests.fakes.ami import FakePbx

PASSWORD = "correct horse battery"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch):
    """What a program writes to standard input."""

    def put(line: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(line))

    put(f"{PASSWORD}\n")
    return put


def people(place):
    return peek(place.url, lambda tx: tx.accounts.all())


def record(place) -> list[tuple[str, str]]:
    import sqlite3

    with sqlite3.connect(place.state / "ringback.db") as database:
        return database.execute("SELECT who, action FROM audit ORDER BY id").fetchall()


def test_the_first_user_is_an_administrator(place, ringback, typed):
    ran = ringback("user", "add", "Ana", "--name", "Ana Kovačević", "--password-stdin")
    assert (ran.code, ran.out) == (0, "added ana, administrator\n")
    (ana,) = people(place)
    assert (ana.login, ana.name, ana.roles) == ("ana", "Ana Kovačević", {Role.ADMINISTRATOR})
    assert ana.password.startswith("$argon2id$")
    assert PASSWORD not in (place.state / "ringback.db").read_bytes().decode("latin-1")


def test_the_next_is_an_agent_unless_it_is_said(place, ringback, typed):
    ringback("user", "add", "ana", "--password-stdin")
    typed(f"{PASSWORD}\n")
    assert ringback("user", "add", "ben", "--language", "es", "--password-stdin").out == "added ben, agent\n"
    typed(f"{PASSWORD}\n")
    ran = ringback("user", "add", "eve", "--role", "administrator", "--password-stdin")
    assert ran.out == "added eve, administrator\n"
    assert [(one.login, one.language) for one in people(place)] == [("ana", ""), ("ben", "es"), ("eve", "")]


def test_the_list_says_who_may_log_in(place, ringback, typed):
    assert ringback("user", "list").out == ""
    ringback("user", "add", "ana", "--name", "Ana \u202e", "--password-stdin")
    typed(f"{PASSWORD}\n")
    ringback("user", "add", "ben", "--password-stdin")
    ringback("user", "disable", "ben")
    ana, ben = ringback("user", "list").lines
    assert ana.split() == ["ana", "administrator", "may", "log", "in", "Ana", "\\u202e"]
    assert ben.split()[:4] == ["ben", "agent", "disabled", "since"]


@pytest.mark.parametrize(
    ("arguments", "password", "code", "says"),
    [
        pytest.param(["add", "ana"], PASSWORD, 1, "Somebody has this login already.", id="a login that is taken"),
        pytest.param(["add", "a b"], PASSWORD, 1, "A login is made of letters", id="what is no login"),
        pytest.param(["add", "ben"], "short", 1, "Too short: use ten characters", id="a short password"),
        pytest.param(["add", "ben"], "Password2026!", 1, "Too easy to guess", id="an easy one"),
        pytest.param(["add", "ben"], "northlight 12", 1, "the name of the login or of the business", id="our own name"),
        pytest.param(["add", "ben", "--language", "xx"], PASSWORD, 2, "does not speak 'xx'", id="no such language"),
        pytest.param(["add", "ben", "--role", "boss"], PASSWORD, 2, "", id="no such role"),
        pytest.param(["add", "ben", "--name", "x" * 81], PASSWORD, 1, "A name has eighty", id="a name far too long"),
        pytest.param(["password", "ben"], PASSWORD, 1, "There is no such user.", id="a password for nobody"),
        pytest.param(["password", "ana"], "1234567890", 1, "Too easy to guess", id="an easy new one"),
    ],
)
def test_what_cannot_be_is_refused(place, ringback, typed, arguments, password, code, says):
    ringback("user", "add", "ana", "--password-stdin")
    before = people(place)
    typed(f"{password}\n")
    ran = ringback("user", *arguments, "--password-stdin")
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err
    assert people(place) == before


def test_the_first_cannot_be_an_agent(place, ringback, typed):
    ran = ringback("user", "add", "ana", "--role", "agent", "--password-stdin")
    assert (ran.code, "The first user must be an administrator" in ran.err) == (1, True)


@pytest.mark.parametrize("what", ["disable", "enable", "logout"])
def test_nobody_is_nobody(place, ringback, what):
    ran = ringback("user", what, "ana")
    assert (ran.code, ran.err) == (1, "There is no such user.\n")


def test_without_a_terminal_the_password_comes_by_standard_input(place, ringback, typed):
    ran = ringback("user", "add", "ana")
    assert ran.code == 2
    assert "--password-stdin" in ran.err


def test_the_last_administrator_stays(place, ringback, typed):
    ringback("user", "add", "ana", "--password-stdin")
    ran = ringback("user", "disable", "ana")
    assert (ran.code, ran.err) == (1, "This is the last administrator. Make somebody else one first.\n")


def test_a_day_in_the_life_of_an_account_is_in_the_record(place, ringback, typed):
    ringback("user", "add", "ana", "--password-stdin")
    for what, says in (
        ("add", "added ben, agent"),
        ("password", "ben has a new password, and is logged out everywhere"),
        ("disable", "ben cannot log in any more, and is logged out everywhere"),
        ("enable", "ben may log in again"),
        ("logout", "ben is logged out of 0 browsers"),
    ):
        typed(f"{PASSWORD}\n")
        stdin = ["--password-stdin"] if what in ("add", "password") else []
        assert ringback("user", what, "ben", *stdin).out == f"{says}\n"
    who, actions = zip(*record(place), strict=True)
    assert actions == ("user_add", "user_add", "user_password", "user_disable", "user_enable", "user_logout")
    assert all(name.startswith("shell ") for name in who)


def test_a_held_state_folder_without_a_daemon_that_answers_is_left_alone(place, ringback, typed):
    with hold(place.state):
        ran = ringback("user", "add", "ana", "--password-stdin")
    assert ran.code == 3


async def test_a_daemon_does_it_and_the_browsers_of_that_account_are_out(place, ringback, typed):
    async with FakePbx() as pbx, place.daemon(pbx):
        ran = await asyncio.to_thread(ringback, "user", "add", "ana", "--password-stdin")
        assert ran.out == "added ana, administrator\n"
        ran = await asyncio.to_thread(ringback, "user", "logout", "ana")
        assert ran.out == "ana is logged out of 0 browsers\n"
        ran = await asyncio.to_thread(ringback, "user", "disable", "ana")
        assert (ran.code, ran.err) == (1, "This is the last administrator. Make somebody else one first.\n")
    assert [one.login for one in people(place)] == ["ana"]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param({"change": "add"}, id="nobody named"),
        pytest.param({"change": "add", "login": "ana", "by": "x", "role": "boss"}, id="words missing"),
        pytest.param({"change": "explode", "login": "ana", "by": "x"}, id="no such change"),
        pytest.param({"change": "password", "login": "ana", "by": "x"}, id="no password"),
    ],
)
async def test_a_request_that_no_command_of_ours_makes_is_refused(place, ringback, typed, words):
    async with FakePbx() as pbx, place.daemon(pbx):
        await asyncio.to_thread(ringback, "user", "add", "ana", "--password-stdin")
        with pytest.raises(control.ControlRefused, match="no change that this Ringback knows"):
            await control.ask(place.state, "user", **words)
