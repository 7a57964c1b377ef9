"""Each event that matters to security is in the log and in the record: who, from where, in which request."""

from dataclasses import dataclass

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from ringback.core.permissions import Role
from ringback.logs import _with_request
from tests.fakes.hand_clock import HandClock
from tests.panel.browser import doorway

HERE = "127.0.0.1"


@dataclass(frozen=True)
class Event:
    """What a line of the log and a row of the record say. `who` and `about` name Ana by `{ana}`."""

    said: str
    who: str
    action: str
    about: str = ""
    detail: str = ""


async def logs_in(_house, browser):
    assert (await browser.log_in("ana")).status == 303


async def guesses(_house, browser):
    assert (await browser.log_in("ana", "a wrong password")).status == 403


async def guesses_a_name(_house, browser):
    assert (await browser.log_in("nobody-here", "a wrong password")).status == 403


async def logs_out(house, _browser):
    await (await house.logged_in()).fill("/more", "/logout")


async def opens_what_is_not_theirs(house, _browser):
    answer = await (await house.logged_in()).get("/users")
    assert answer.status == 403


async def is_tricked(house, _browser):
    browser = await house.logged_in()
    answer = await browser.send("/profile/language", {}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status == 403


EVENTS = [
    pytest.param(logs_in, Event("logged in", "user {ana}", "login", "{ana}", HERE), id="a login"),
    pytest.param(logs_out, Event("logged out", "user {ana}", "logout", "{ana}"), id="a logout"),
    pytest.param(
        guesses, Event("login refused", "nobody", "login_refused", "{ana}", "password of {ana}"), id="a wrong password"
    ),
    pytest.param(
        guesses_a_name, Event("login refused", "nobody", "login_refused", "", "password"), id="a name that is none"
    ),
    pytest.param(
        opens_what_is_not_theirs,
        Event("refused", "user {ana}", "denied", "", "manage_users: GET /users"),
        id="a page that is not theirs",
    ),
    pytest.param(
        is_tricked,
        Event("refused", "user {ana}", "forged", "", "POST /profile/language"),
        id="a form from elsewhere",
    ),
]


@pytest.mark.parametrize(("deed", "event"), EVENTS)
async def test_it_is_in_the_log_and_in_the_record(tmp_path, empty_sqlite, deed, event):
    path = tmp_path / "ringback.db"
    path.write_bytes(empty_sqlite.read_bytes())
    async with doorway(path, HandClock()) as house:
        await house.add("root")
        ana = (await house.add("ana", Role.AGENT)).public_id
        with capture_logs(processors=[_with_request]) as logged:
            await deed(house, await house.browser())
        await house.database.commit(lambda tx: None)
        columns = "who, action, about, detail, source, request"
        *_, row = await house.database.read(
            lambda connection: list(connection.execute(text(f"SELECT {columns} FROM audit ORDER BY id")))
        )
    line = next(line for line in logged if line["event"] == event.said)
    named = [part.format(ana=ana) for part in (event.who, event.action, event.about, event.detail)]
    assert list(row[:4]) == named
    assert (row.source, line["source"]) == (HERE, HERE)
    assert row.request.startswith("req_")
    assert line["request"] == row.request
