"""A second factor: set up by whoever must, asked for at each login, taken off, never guessed."""

import re
import shutil
from datetime import timedelta

import pytest
import structlog
from pyotp import TOTP
from sqlalchemy import text as sql

from ringback.core.permissions import Role
from ringback.flow.factors import Demand
from ringback.panel.entering import FREE_TRIES
from ringback.panel.guard import FACTOR
from ringback.panel.login import HALF_COOKIE, HALF_LASTS_S
from ringback.panel.tokens import COOKIE
from ringback.sealing import FILE
from tests.fakes.hand_clock import HandClock
from tests.panel.browser import PASSWORD, Browser, Doorway, doorway, hidden, words_of
from tests.panel.reading import Page

HALF_MINUTE = timedelta(seconds=30)


@pytest.fixture(params=[Demand.NOBODY])
async def house(request, tmp_path, empty_sqlite, clock: HandClock):
    shutil.copy(empty_sqlite, tmp_path / "ringback.db")
    async with doorway(tmp_path / "ringback.db", clock, demand=request.param) as found:
        await found.add("ana")
        yield found


needed = pytest.mark.parametrize("house", [Demand.ADMINISTRATORS], indirect=True, ids=["for administrators"])


def said(page: Page) -> str:
    return " ".join(" ".join(element.words for element in page.by_tag("body")).split())


async def begin(browser: Browser, **fields: str) -> tuple[TOTP, Page]:
    """Ask for a secret; gives the machine that an app would be."""
    answer = await browser.fill(FACTOR, f"{FACTOR}/begin", **fields)
    page = Page(await answer.text())
    assert answer.status == 200, said(page)
    (letters,) = words_of(page, "paste")
    return TOTP(letters.replace(" ", "")), page


async def set_up(house: Doorway, browser: Browser, **fields: str) -> tuple[TOTP, list[str]]:
    machine, page = await begin(browser, **fields)
    answer = await browser.send(FACTOR, {**hidden(page, FACTOR), "code": machine.at(house.clock.now())})
    done = Page(await answer.text())
    assert answer.status == 200, said(done)
    return machine, [element.words for element in done.by_tag("code")]


async def with_factor(house: Doorway) -> tuple[TOTP, list[str]]:
    machine, codes = await set_up(house, await house.logged_in(), password=PASSWORD)
    house.clock.move(HALF_MINUTE)
    return machine, codes


async def half(house: Doorway) -> Browser:
    """Somebody whose password was right."""
    browser = await house.browser()
    answer = await browser.log_in()
    assert (answer.status, answer.headers["Location"]) == (303, "/login/code")
    assert COOKIE not in browser.cookies
    return browser


async def type_code(browser: Browser, code: str):
    return await browser.fill("/login/code", "/login/code", code=code)


async def record(house: Doorway) -> list[str]:
    rows = await house.database.read(lambda db: db.execute(sql("SELECT action FROM audit ORDER BY id")).fetchall())
    return [row[0] for row in rows]


async def methods(house: Doorway) -> list[str]:
    rows = await house.database.read(lambda db: db.execute(sql("SELECT method FROM login ORDER BY id")).fetchall())
    return [row[0] for row in rows]


async def test_once_set_up_the_password_alone_lets_nobody_in(house: Doorway):
    machine, codes = await with_factor(house)
    assert len(set(codes)) == 10
    browser = await half(house)
    assert (await browser.get("/more")).status == 303
    answer = await type_code(browser, machine.at(house.clock.now()))
    assert (answer.status, answer.headers["Location"]) == (303, "/more")
    assert (await browser.get("/more")).status == 200
    assert HALF_COOKIE not in browser.cookies
    assert await methods(house) == ["password", "password+totp", "password+totp"]


async def test_setting_it_up_logs_every_other_browser_out_and_gives_this_one_a_new_token(house: Doorway):
    browser, other = await house.logged_in(), await house.logged_in()
    before = browser.cookies[COOKIE]
    machine, page = await begin(browser, password=PASSWORD)
    answer = await browser.send(FACTOR, {**hidden(page, FACTOR), "code": machine.at(house.clock.now())})
    assert browser.cookies[COOKIE] != before
    assert (await other.get("/more")).status == 303
    # the forms of the page that came with it are good
    assert (await browser.send("/theme", hidden(Page(await answer.text()), "/theme"))).status == 303


async def test_the_picture_is_drawn_in_place_and_holds_what_the_letters_say(house: Doorway):
    machine, page = await begin(await house.logged_in(), password=PASSWORD)
    (picture,) = [one for one in page.elements if one.tag == "svg" and "qr" in one.attributes.get("class", "")]
    assert "style" not in picture.attributes
    assert not [one for one in picture.inside if "style" in one.attributes or one.tag == "style"]
    from ringback.panel.second_factor import picture as drawn

    assert 'class="qr"' in drawn(machine.secret, "ana", "Northlight")


@pytest.mark.parametrize("password", ["", "wrong horse battery"])
async def test_who_does_not_know_the_password_begins_nothing(house: Doorway, password: str):
    browser = await house.logged_in()
    answer = await browser.fill(FACTOR, f"{FACTOR}/begin", password=password)
    assert answer.status == 422
    assert words_of(Page(await answer.text()), "paste") == []


async def test_nobody_is_shown_a_secret_beside_the_one_that_counts(house: Doorway):
    browser = await house.logged_in()
    await set_up(house, browser, password=PASSWORD)
    page = await browser.page(FACTOR)
    csrf = hidden(page, f"{FACTOR}/off")
    answer = await browser.send(f"{FACTOR}/begin", {**csrf, "password": PASSWORD})
    assert (answer.status, words_of(Page(await answer.text()), "paste")) == (422, [])
    assert (await record(house)).count("totp_begin") == 1


async def test_a_wrong_first_code_sets_nothing_up(house: Doorway):
    browser = await house.logged_in()
    machine, page = await begin(browser, password=PASSWORD)
    answer = await browser.send(FACTOR, {**hidden(page, FACTOR), "code": "000000"})
    again = Page(await answer.text())
    assert answer.status == 422
    assert words_of(again, "paste")[0].replace(" ", "") == machine.secret
    assert (await (await house.browser()).log_in()).headers["Location"] == "/more"


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("000000", id="a wrong one"),
        pytest.param("", id="none"),
        pytest.param("12345", id="too short a one"),
        pytest.param("١٢٣٤٥٦", id="digits of another script"),
        pytest.param("abcd-efgh-jkmn-pqrs", id="no code on paper of theirs"),
        pytest.param("9" * 500, id="a long one"),
    ],
)
async def test_a_code_that_is_wrong_is_refused_and_logged_unquoted(house: Doorway, code: str):
    await with_factor(house)
    browser = await half(house)
    with structlog.testing.capture_logs() as logged:
        answer = await type_code(browser, code)
    assert answer.status == 403
    assert "The code is wrong, or was used before." in said(Page(await answer.text()))
    (line,) = [one for one in logged if one["event"] == "login refused"]
    assert line["user"].startswith("usr_")
    assert line["what"] == "code"
    assert not code or code not in str(line)


async def test_a_code_counts_once(house: Doorway):
    machine, _ = await with_factor(house)
    code = machine.at(house.clock.now())
    assert (await type_code(await half(house), code)).status == 303
    assert (await type_code(await half(house), code)).status == 403


async def test_a_code_on_paper_lets_in_once(house: Doorway):
    _, codes = await with_factor(house)
    assert (await type_code(await half(house), codes[0])).status == 303
    assert (await type_code(await half(house), codes[0])).status == 403
    assert (await methods(house))[-1] == "password+code"
    assert "totp_code" in await record(house)


async def test_guesses_are_slowed_down_even_by_whoever_knows_the_password(house: Doorway):
    machine, _ = await with_factor(house)
    tried = 0
    for _ in range(60 * 12):
        browser = await house.browser()
        if (await browser.log_in()).headers.get("Location") == "/login/code":
            answer = await type_code(browser, "000000")
            tried += answer.status == 403
            if answer.status == 429:
                assert int(answer.headers["Retry-After"]) > 0
                house.clock.move(timedelta(minutes=1))
                if tried > FREE_TRIES + 3:
                    break
    assert tried < 20
    # and the right one has to wait too
    assert (await type_code(await half(house), machine.at(house.clock.now()))).status in (303, 429)


async def test_the_code_must_follow_soon(house: Doorway):
    machine, _ = await with_factor(house)
    browser = await half(house)
    page = await browser.page("/login/code")
    house.clock.move(timedelta(seconds=HALF_LASTS_S))
    answer = await browser.send("/login/code", {**hidden(page, "/login/code"), "code": machine.at(house.clock.now())})
    assert (answer.status, answer.headers["Location"]) == (303, "/login")


async def test_the_second_step_needs_the_first(house: Doorway):
    await with_factor(house)
    browser = await house.browser()
    assert (await browser.get("/login/code")).headers["Location"] == "/login"
    browser.cookies[HALF_COOKIE] = "planted"
    assert (await browser.get("/login/code")).headers["Location"] == "/login"


async def test_a_new_password_meanwhile_ends_the_half(house: Doorway):
    machine, _ = await with_factor(house)
    browser = await half(house)
    await house.database.commit(lambda tx: tx.accounts.change_password(1, "other", house.clock.now()))
    assert (await type_code(browser, machine.at(house.clock.now()))).status == 403


async def test_codes_on_paper_are_made_anew(house: Doorway):
    machine, codes = await with_factor(house)
    browser = await half(house)
    await type_code(browser, machine.at(house.clock.now()))
    house.clock.move(HALF_MINUTE)
    answer = await browser.fill(FACTOR, f"{FACTOR}/codes", code=machine.at(house.clock.now()))
    fresh = [element.words for element in Page(await answer.text()).by_tag("code")]
    assert len(set(fresh) | set(codes)) == 20
    assert (await type_code(await half(house), codes[1])).status == 403
    assert (await type_code(await half(house), fresh[1])).status == 303


async def test_whoever_need_not_have_one_takes_it_off(house: Doorway):
    machine, codes = await with_factor(house)
    browser = await half(house)
    await type_code(browser, machine.at(house.clock.now()))
    assert (await browser.fill(FACTOR, f"{FACTOR}/off", code="000000")).status == 422
    assert (await browser.fill(FACTOR, f"{FACTOR}/off", code=codes[5])).status == 303
    assert (await browser.get("/more")).status == 200
    assert (await (await house.browser()).log_in()).headers["Location"] == "/more"
    assert "totp_off" in await record(house)


@needed
async def test_an_administrator_without_one_gets_nowhere_else(house: Doorway):
    await house.add("ben", Role.AGENT)
    browser = await house.browser()
    await browser.log_in()
    for path in ("/more", "/users", "/profile", "/"):
        answer = await browser.get(path)
        assert (answer.status, answer.headers["Location"]) == (303, FACTOR), path
    page = await browser.page(FACTOR)
    assert "Your role needs one before you can go on." in said(page)
    form = hidden(page, "/logout")
    assert (await browser.send("/users", {**form, "login": "eve"})).status == 403
    assert (await browser.get("/more", headers={"Accept": "text/event-stream"})).status == 403
    machine, _ = await set_up(house, browser)
    assert (await browser.get("/more")).status == 200
    assert (await (await house.logged_in("ben")).get("/more")).status == 200
    house.clock.move(HALF_MINUTE)
    assert (await type_code(await half(house), machine.at(house.clock.now()))).status == 303


@needed
async def test_whoever_must_have_one_cannot_take_it_off(house: Doorway):
    browser = await house.logged_in()
    _, codes = await set_up(house, browser)
    page = await browser.page(FACTOR)
    assert "You must have a second factor." in said(page)
    form = hidden(page, f"{FACTOR}/codes")
    answer = await browser.send(f"{FACTOR}/off", {**form, "code": codes[0]})
    assert answer.status == 422
    assert "You must have a second factor, so you cannot take it off." in said(Page(await answer.text()))


async def test_an_administrator_takes_it_off_somebody_who_lost_their_phone(house: Doorway):
    ben = await house.add("ben", Role.AGENT)
    theirs = await house.logged_in("ben")
    await set_up(house, theirs, password=PASSWORD)
    ana = await house.logged_in()
    answer = await ana.fill(f"/users/{ben.public_id}", f"/users/{ben.public_id}/totp-off")
    assert (answer.status, answer.headers["Location"]) == (303, f"/users/{ben.public_id}?done=totp-off")
    assert (await theirs.get("/more")).status == 303
    assert (await (await house.browser()).log_in("ben")).headers["Location"] == "/more"
    assert (await record(house))[-2:] == ["totp_off", "login"]


async def test_agents_take_nothing_off_others(house: Doorway):
    await house.add("ben", Role.AGENT)
    ben = await house.logged_in("ben")
    ana = await house.database.commit(lambda tx: tx.accounts.find("ana"))
    form = hidden(await ben.page("/profile"), "/logout")
    for what in ("totp-off", "reset"):
        assert (await ben.send(f"/users/{ana.public_id}/{what}", form)).status == 403


async def test_with_the_key_gone_paper_still_lets_in(house: Doorway, tmp_path):
    machine, codes = await with_factor(house)
    (tmp_path / FILE).unlink()
    house.door.proving.seal._keys = ()
    browser = await half(house)
    answer = await type_code(browser, machine.at(house.clock.now()))
    assert answer.status == 403
    assert "Codes of the app cannot be checked here now." in said(Page(await answer.text()))
    assert (await type_code(browser, codes[0])).status == 303


async def test_no_secret_stands_in_the_database_or_the_log(house: Doorway, tmp_path):
    with structlog.testing.capture_logs() as logged:
        machine, codes = await with_factor(house)
        await type_code(await half(house), machine.at(house.clock.now()))
    rows = await house.database.read(lambda db: str(db.execute(sql("SELECT * FROM account")).fetchall()))
    rows += await house.database.read(lambda db: str(db.execute(sql("SELECT * FROM audit")).fetchall()))
    key = (tmp_path / FILE).read_text().split()[1]
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("ringback.db*")).decode("latin-1")
    for canary in (machine.secret, key, PASSWORD, *codes):
        assert canary not in rows
        assert canary not in kept
        assert canary not in str(logged)
    assert re.search(r"v1\.[0-9a-f]{8}\.", rows)
