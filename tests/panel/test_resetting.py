"""Links that set a password once: made by an administrator, shown or mailed, used once, and telling nobody anything."""

import re
import shutil
from datetime import timedelta

import pytest
import structlog
from sqlalchemy import text as sql

from ringback.core.permissions import Role
from ringback.panel.resetting import FREE_TRIES
from ringback.panel.tokens import COOKIE
from ringback.ports.people import Contact
from ringback.ports.post import Letter, PostFault
from tests.fakes.hand_clock import HandClock
from tests.panel.browser import PASSWORD, Browser, Doorway, doorway, hidden, words_of
from tests.panel.reading import Page

OTHER = "another horse battery"
NO_LINK = "This link does not work, or no longer."


class Box:
    """Where letters go in this test. Satisfies `ports.post.Post`."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.full = False

    async def send(self, letter: Letter) -> None:
        if self.full:
            raise PostFault("the mail server did not take it")
        self.letters.append(letter)


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
async def house(tmp_path, empty_sqlite, clock: HandClock, box: Box):
    shutil.copy(empty_sqlite, tmp_path / "ringback.db")
    async with doorway(tmp_path / "ringback.db", clock, post=box) as found:
        await found.add("ana")
        yield found


@pytest.fixture
async def ben(house: Doorway):
    made = await house.add("ben", Role.AGENT)
    contact = Contact(mail="ben@example.com")
    await house.database.commit(lambda tx: tx.accounts.describe(made.id, "Ben", contact, house.clock.now()))
    return made


def said(page: Page) -> str:
    return " ".join(" ".join(element.words for element in page.by_tag("body")).split())


async def link_for(house: Doorway, ben, ana: Browser | None = None, **fields: str) -> str:
    answer = await (ana or await house.logged_in()).fill(
        f"/users/{ben.public_id}", f"/users/{ben.public_id}/reset", **fields
    )
    assert answer.status == 200
    (shown,) = Page(await answer.text()).by_tag("pre")
    assert shown.words.startswith(f"{house.base}/reset?token=")
    return shown.words.removeprefix(house.base)


async def test_a_link_sets_the_password_and_logs_in_nobody(house: Doorway, ben):
    theirs = await house.logged_in("ben")
    link = await link_for(house, ben)
    browser = await house.browser()
    page = await browser.page(link)
    assert "For ben. The link works once." in said(page)
    answer = await browser.send("/reset", {**hidden(page, "/reset"), "password": OTHER})
    assert (answer.status, answer.headers["Location"]) == (303, "/login?done=reset")
    assert COOKIE not in browser.cookies
    assert "Your password is set. Log in with it." in said(await browser.page("/login?done=reset"))
    assert (await theirs.get("/more")).status == 303
    assert (await (await house.browser()).log_in("ben", OTHER)).status == 303
    assert (await (await house.browser()).log_in("ben")).status == 403
    assert NO_LINK in said(await browser.page(link, 404))


async def test_wrong_used_and_old_links_look_the_same(house: Doorway, ben):
    browser = await house.browser()
    used = await link_for(house, ben)
    await browser.send("/reset", {**hidden(await browser.page(used), "/reset"), "password": OTHER})
    voided, old = await link_for(house, ben), await link_for(house, ben)
    pages = [await (await browser.get(link)).text() for link in (used, voided, "/reset", "/reset?token=x")]
    house.clock.move(timedelta(hours=24))
    pages.append(await (await (await house.browser()).get(old)).text())
    plain = {re.sub(r'value="[0-9a-f]{64}"', "", page) for page in pages}
    assert len(plain) == 1
    assert NO_LINK in plain.pop()


async def test_a_password_that_is_easy_is_not_taken_and_the_link_stays(house: Doorway, ben):
    link, browser = await link_for(house, ben), await house.browser()
    answer = await browser.send("/reset", {**hidden(await browser.page(link), "/reset"), "password": "password123"})
    assert answer.status == 422
    assert (await browser.get(link)).status == 200


async def test_a_form_from_elsewhere_sets_nothing(house: Doorway, ben):
    link, browser = await link_for(house, ben), await house.browser()
    fields = {**hidden(await browser.page(link), "/reset"), "password": OTHER}
    headers = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert (await browser.send("/reset", fields, headers=headers)).status == 403
    assert (await browser.send("/reset", {**fields, "csrf": "x"})).status == 403
    assert (await (await house.browser()).log_in("ben")).status == 303


async def test_guesses_at_links_are_slowed_down(house: Doorway, ben):
    link, browser = await link_for(house, ben), await house.browser()
    states = [(await browser.get(f"/reset?token=guess{n}")).status for n in range(FREE_TRIES + 5)]
    assert states == [404] * FREE_TRIES + [429] * 5
    answer = await browser.get(link)
    assert (answer.status, "Retry-After" in answer.headers) == (429, True)
    house.clock.move(timedelta(minutes=15))
    assert (await browser.get(link)).status == 200


async def test_a_link_is_mailed_and_then_shown_to_nobody(house: Doorway, ben, box: Box):
    ana = await house.logged_in()
    answer = await ana.fill(f"/users/{ben.public_id}", f"/users/{ben.public_id}/reset", way="mail")
    page = Page(await answer.text())
    assert "Sent to ben@example.com." in said(page)
    assert page.by_tag("pre") == []
    (letter,) = box.letters
    assert (letter.to, letter.subject) == ("ben@example.com", "Your password for Ringback at Northlight")
    (link,) = re.findall(r"https?://\S+", letter.text)
    assert (await (await house.browser()).get(link.removeprefix(house.base))).status == 200


async def test_a_letter_that_is_not_taken_is_said(house: Doorway, ben, box: Box):
    box.full = True
    ana = await house.logged_in()
    answer = await ana.fill(f"/users/{ben.public_id}", f"/users/{ben.public_id}/reset", way="mail")
    assert answer.status == 422
    assert "The mail was not sent" in said(Page(await answer.text()))


async def test_nobody_who_has_no_password_here_gets_a_link(house: Doorway, ben):
    now = house.clock.now()
    await house.database.commit(lambda tx: tx.accounts.bring_in(ben.id, "ldap", "ldap:uid=ben", now))
    ana = await house.logged_in()
    page = await ana.page(f"/users/{ben.public_id}")
    assert "They log in by your directory, and have no password here." in said(page)
    answer = await ana.send(f"/users/{ben.public_id}/reset", hidden(page, "/logout"))
    assert answer.status == 422
    rows = await house.database.read(lambda db: db.execute(sql("SELECT * FROM reset")).fetchall())
    assert rows == []


async def test_the_token_stands_in_no_log_and_in_no_row(house: Doorway, ben, tmp_path):
    with structlog.testing.capture_logs() as logged:
        link, browser = await link_for(house, ben), await house.browser()
        await browser.send("/reset", {**hidden(await browser.page(link), "/reset"), "password": OTHER})
        await browser.get(link)
    token = link.partition("=")[2]
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("ringback.db*")).decode("latin-1")
    for canary in (token, OTHER, PASSWORD):
        assert canary not in str(logged)
        assert canary not in kept
    events = [line["event"] for line in logged]
    assert events.count("a link for a password was made") == 1
    assert events.count("password set by a link") == 1
    assert events.count("a link for a password was refused") == 1
    assert words_of(await browser.page("/login"), "error") == []
