"""Logging in: who gets in, who waits, what a browser keeps, and what tells nobody anything."""

import asyncio
import re
import shutil
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from sqlalchemy import text as sql

from ringback.core.permissions import Role
from ringback.panel.entering import FREE_TRIES, KNOWN_COOKIE
from ringback.panel.logged_in import IDLE, LONGEST
from ringback.panel.passwords import MOST_WAITING
from ringback.panel.tokens import COOKIE, DOOR_COOKIE, csrf_of, hash_of
from ringback.panel.vouching import vouch
from tests.fakes.hand_clock import HandClock
from tests.panel.browser import PASSWORD, Browser, Doorway, doorway, words_of

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
async def house(tmp_path, empty_sqlite, clock: HandClock):
    shutil.copy(empty_sqlite, tmp_path / "ringback.db")
    async with doorway(tmp_path / "ringback.db", clock) as found:
        yield found


@pytest.fixture
async def ana(house: Doorway):
    return await house.add("ana")


async def said(answer) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", await answer.text()).split())


async def inside(browser: Browser) -> bool:
    """Whether this browser gets a page that needs a login."""
    answer = await browser.get("/more")
    assert answer.status in (200, 303)
    return answer.status == 200


async def test_without_any_account_the_page_says_how_to_make_one(house: Doorway):
    page = await (await house.browser()).page("/login")
    assert [heading.words for heading in page.by_tag("h1")] == ["Nobody can log in yet"]
    assert words_of(page, "paste") == ["ringback user add ana"]
    assert page.by_tag("form") == []


async def test_the_right_password_opens_the_page_that_was_asked_for(house: Doorway, ana):
    browser = await house.browser()
    turned = await browser.get("/users?x=1")
    assert (turned.status, turned.headers["Location"]) == (303, "/login?next=/users?x%3D1")
    answer = await browser.fill(turned.headers["Location"], "/login", login="ana", password=PASSWORD)
    assert (answer.status, answer.headers["Location"]) == (303, "/users?x=1")
    assert await inside(browser)


@pytest.mark.parametrize(
    ("login", "password"),
    [
        pytest.param(" Ana ", PASSWORD, id="another case, and a space"),
        pytest.param("ana", "ｃorrect horse battery", id="a wide letter of another keyboard"),
    ],
)
async def test_the_same_letters_are_the_same_however_they_are_typed(house: Doorway, ana, login: str, password: str):
    assert (await (await house.browser()).log_in(login, password)).status == 303


@pytest.mark.parametrize(
    ("login", "password"),
    [
        pytest.param("ana", "wrong horse battery", id="a wrong password"),
        pytest.param("ana", "", id="none"),
        pytest.param("ana", PASSWORD + "x" * 300, id="far too long a one"),
        pytest.param("bob", PASSWORD, id="nobody's login"),
        pytest.param("no login at all\x00", PASSWORD, id="what is no login"),
        pytest.param("", PASSWORD, id="no login"),
        pytest.param("zoe", PASSWORD, id="a disabled account"),
    ],
)
async def test_whatever_is_wrong_says_the_same_and_costs_the_same(house: Doorway, ana, login: str, password: str):
    zoe = await house.add("zoe", Role.AGENT)
    await house.database.commit(lambda tx: tx.accounts.disable(zoe.id, house.clock.now()))
    browser = await house.browser()
    before = house.door.hasher.verified
    answer = await browser.log_in(login, password)
    assert answer.status == 403
    assert "Login or password is wrong." in await said(answer)
    assert house.door.hasher.verified == before + 1
    assert COOKIE not in browser.cookies
    assert not await inside(browser)


async def test_only_a_hash_of_the_token_is_stored(house: Doorway, ana):
    browser = await house.logged_in()
    rows = await house.database.read(lambda db: db.execute(sql("SELECT * FROM login")).mappings().all())
    assert [row["token_hash"] for row in rows] == [hash_of(browser.cookies[COOKIE])]
    assert browser.cookies[COOKIE] not in str(rows)
    assert (rows[0]["address"], "Firefox" in rows[0]["browser"]) == ("127.0.0.1", True)


async def test_the_cookie_is_for_this_host_and_never_for_scripts(house: Doorway, ana):
    browser = await house.browser()
    answer = await browser.log_in()
    cookies = {line.partition("=")[0]: line for line in answer.headers.getall("Set-Cookie")}
    for name in (COOKIE, KNOWN_COOKIE):
        assert name.startswith("__Host-")
        for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert word in cookies[name]
        assert "Domain" not in cookies[name]
    assert len(browser.cookies[COOKIE]) >= 43
    assert DOOR_COOKIE not in browser.cookies


async def test_each_login_has_a_token_of_its_own_and_ends_the_one_before(house: Doorway, ana):
    browser = await house.logged_in()
    first = browser.cookies[COOKIE]
    fields = {"csrf": "", "login": "ana", "password": PASSWORD}
    page = await browser.page("/more")
    fields["csrf"] = next(i.attributes["value"] for i in page.by_tag("input") if i.attributes.get("name") == "csrf")
    assert (await browser.send("/login", fields)).status == 303
    assert browser.cookies[COOKIE] != first
    assert await inside(browser)
    browser.cookies[COOKIE] = first
    assert not await inside(browser)


@pytest.mark.parametrize("planted", ["", "x", "a" * 43, "../../etc", "é"])
async def test_a_token_that_somebody_planted_is_not_taken_over(house: Doorway, ana, planted: str):
    browser = await house.browser()
    browser.cookies[COOKIE] = planted
    assert (await browser.log_in()).status == 303
    assert browser.cookies[COOKIE] != planted


@pytest.mark.parametrize(
    ("wait", "in_the_end"),
    [
        pytest.param(IDLE - SECOND, True, id="used within half an hour"),
        pytest.param(IDLE, False, id="not used for half an hour"),
    ],
)
async def test_a_login_that_nobody_uses_ends(house: Doorway, ana, wait: timedelta, in_the_end: bool):
    browser = await house.logged_in()
    house.clock.move(wait)
    assert await inside(browser) is in_the_end


async def test_a_login_that_is_used_lasts_twelve_hours(house: Doorway, ana):
    browser = await house.logged_in()
    used = timedelta()
    while used < LONGEST - 20 * MINUTE:
        house.clock.move(20 * MINUTE)
        used += 20 * MINUTE
        assert await inside(browser)
        # what rides along is on disk when the next step is
        await house.database.commit(lambda tx: None)
    house.clock.move(20 * MINUTE)
    assert not await inside(browser)


async def test_being_seen_is_written_once_a_minute(house: Doorway, ana):
    browser = await house.logged_in()
    began = house.clock.now()

    async def seen():
        return (await house.database.commit(lambda tx: tx.accounts.of_token(hash_of(browser.cookies[COOKIE])))).seen_at

    house.clock.move(59 * SECOND)
    await inside(browser)
    assert await seen() == began
    house.clock.move(SECOND)
    await inside(browser)
    assert await seen() == began + MINUTE
    house.clock.move(30 * SECOND)
    await inside(browser)
    assert await seen() == began + MINUTE


async def test_logging_out_ends_it_on_the_server(house: Doorway, ana):
    browser = await house.logged_in()
    token = browser.cookies[COOKIE]
    answer = await browser.fill("/more", "/logout")
    assert (answer.status, answer.headers["Location"]) == (303, "/login")
    assert COOKIE not in browser.cookies
    browser.cookies[COOKIE] = token
    assert not await inside(browser)


async def test_a_login_ended_elsewhere_holds_two_seconds_at_most(house: Doorway, ana):
    browser = await house.logged_in()
    assert await inside(browser)
    # as another process would, so that nothing tells the guard
    await house.database.commit(lambda tx: tx.accounts.end_all(ana.id, house.clock.now()))
    house.clock.move(2 * SECOND)
    assert not await inside(browser)


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        pytest.param("/threads/thr_1", "/threads/thr_1", id="a page of ours"),
        pytest.param("/calls%3Fq%3D1", "/calls?q=1", id="with a question"),
        pytest.param("//example.invalid/x", "/", id="another host"),
        pytest.param("https://example.invalid", "/", id="an address"),
        pytest.param("/%5Cexample.invalid", "/", id="a backslash that browsers read as a slash"),
        pytest.param("/%09/example.invalid", "/", id="a tab that browsers leave out"),
        pytest.param("/%0d%0aSet-Cookie:x=1", "/", id="a line break"),
        pytest.param("/login", "/", id="the login itself"),
        pytest.param("/logout", "/", id="the logout"),
        pytest.param("javascript:alert(1)", "/", id="a script"),
        pytest.param("", "/", id="nothing"),
    ],
)
async def test_the_login_leads_only_to_ourselves(house: Doorway, ana, asked: str, led: str):
    answer = await (await house.browser()).log_in(back=asked)
    assert (answer.status, answer.headers["Location"]) == (303, led)


async def test_who_is_logged_in_need_not_log_in(house: Doorway, ana):
    answer = await (await house.logged_in()).get("/login?next=/calls")
    assert (answer.status, answer.headers["Location"]) == (303, "/calls")


async def wrong(browser: Browser, times: int, login: str = "ana") -> list[int]:
    return [(await browser.log_in(login, "wrong horse battery")).status for _ in range(times)]


@pytest.mark.parametrize("login", ["ana", "nobody"])
async def test_after_wrong_tries_there_is_a_wait_that_doubles(house: Doorway, ana, login: str):
    browser = await house.browser()
    assert await wrong(browser, FREE_TRIES, login) == [403] * FREE_TRIES
    for seconds in (1, 2, 4, 8):
        answer = await browser.log_in(login)
        assert (answer.status, answer.headers["Retry-After"]) == (429, str(seconds))
        assert f"Too many wrong tries. Try again in {seconds}\xa0s.".split() == (await said_in_banner(answer)).split()
        house.clock.move(seconds * SECOND)
        assert await wrong(browser, 1, login) == [403]


async def said_in_banner(answer) -> str:
    return re.search(r'id="wrong"><strong>(.*?)</strong>', await answer.text())[1]


async def test_a_wait_costs_no_hash(house: Doorway, ana):
    browser = await house.browser()
    await wrong(browser, FREE_TRIES)
    before = house.door.hasher.verified
    await browser.log_in()
    assert house.door.hasher.verified == before


async def test_the_right_password_after_the_wait_opens(house: Doorway, ana):
    browser = await house.browser()
    await wrong(browser, FREE_TRIES)
    house.clock.move(SECOND)
    assert (await browser.log_in()).status == 303


async def test_many_at_once_are_not_one_try(house: Doorway, ana):
    browsers = [await house.browser() for _ in range(FREE_TRIES + 3)]
    statuses = sorted(await asyncio.gather(*(wrong(browser, 1) for browser in browsers)))
    assert statuses == [[403]] * FREE_TRIES + [[429]] * 3


async def test_a_browser_that_was_let_in_before_is_not_locked_out_by_strangers(house: Doorway, ana):
    own = await house.logged_in()
    await own.fill("/more", "/logout")
    stranger = await house.browser()
    await wrong(stranger, FREE_TRIES)
    assert await wrong(stranger, 1) == [429]
    assert (await own.log_in()).status == 303


async def test_a_known_browser_waits_for_its_own_mistakes(house: Doorway, ana):
    own = await house.logged_in()
    await own.fill("/more", "/logout")
    assert await wrong(own, FREE_TRIES + 1) == [403] * FREE_TRIES + [429]


async def test_a_cookie_of_a_known_browser_cannot_be_made_up(house: Doorway, ana):
    own = await house.logged_in()
    stranger = await house.browser()
    name, _, mac = own.cookies[KNOWN_COOKIE].partition(".")
    for forged in (f"other.{mac}", f"{name}.{'0' * 64}", name, "", "é.é", "_".join(["x.y"] * 50)):
        house.clock.move(2 * HOUR)
        await wrong(stranger, FREE_TRIES)
        stranger.cookies[KNOWN_COOKIE] = forged
        assert await wrong(stranger, 1) == [429]


async def test_a_new_password_makes_every_known_browser_a_stranger(house: Doorway, ana):
    own = await house.logged_in()
    await own.fill("/more", "/logout")
    hashed = await house.door.hasher.hash("another horse battery")
    await house.database.commit(lambda tx: tx.accounts.change_password(ana.id, hashed, house.clock.now()))
    stranger = await house.browser()
    await wrong(stranger, FREE_TRIES)
    assert (await own.log_in("ana", "another horse battery")).status == 429


async def test_two_people_may_share_a_browser(house: Doorway, ana):
    await house.add("bob", Role.AGENT)
    shared = await house.browser()
    for login in ("ana", "bob"):
        await shared.log_in(login)
        await shared.fill("/more", "/logout")
    stranger = await house.browser()
    for login in ("ana", "bob"):
        await wrong(stranger, FREE_TRIES, login)
        assert (await shared.log_in(login)).status == 303
        await shared.fill("/more", "/logout")


async def test_a_hash_made_with_older_parameters_is_renewed(house: Doorway, ana, monkeypatch: pytest.MonkeyPatch):
    old = ana.password
    monkeypatch.setattr(house.door.hasher._argon, "_parameters", newer(house.door.hasher._argon._parameters))
    browser = await house.logged_in()
    new = (await house.database.commit(lambda tx: tx.accounts.find("ana"))).password
    assert new != old
    assert "t=3" in new
    assert await inside(browser)
    # the browser is known by the new hash, too
    await browser.fill("/more", "/logout")
    await wrong(await house.browser(), FREE_TRIES)
    assert (await browser.log_in()).status == 303


def newer(parameters):
    from dataclasses import replace

    return replace(parameters, time_cost=3)


async def test_too_many_at_once_are_asked_to_come_back(house: Doorway, ana, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(house.door.hasher, "_waiting", MOST_WAITING)
    answer = await (await house.browser()).log_in()
    assert answer.status == 503
    assert "Try again in a few seconds." in await said(answer)


async def test_a_browser_may_name_itself_in_bytes_that_are_no_text(house: Doorway, ana):
    host, _, port = house.base.removeprefix("http://").partition(":")
    form = urlencode({"login": "ana", "password": PASSWORD, "csrf": csrf_of("d")}).encode()
    # byte by byte, since clients leave such a header out
    lines = (
        b"POST /login HTTP/1.1",
        b"Host: 127.0.0.1",
        b"Connection: close",
        b"User-Agent: \xff",
        b"Sec-Fetch-Site: same-origin",
        b"Content-Type: application/x-www-form-urlencoded",
        b"Content-Length: %d" % len(form),
        f"Cookie: {DOOR_COOKIE}=d".encode(),
    )
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"\r\n".join(lines) + b"\r\n\r\n" + form)
    assert (await reader.readline()).split()[1] == b"303"
    writer.close()


async def test_logins_are_written_into_the_record(house: Doorway, ana):
    browser = await house.logged_in()
    await browser.fill("/more", "/logout")
    rows = await house.database.read(lambda db: db.execute(sql("SELECT who, action, about FROM audit")).fetchall())
    assert [tuple(row) for row in rows][-2:] == [
        (f"user {ana.public_id}", "login", ana.public_id),
        (f"user {ana.public_id}", "logout", ana.public_id),
    ]


async def test_what_was_typed_is_not_logged(house: Doorway, ana, capsys: pytest.CaptureFixture[str]):
    browser = await house.browser()
    await browser.log_in("a secret in the wrong field", "another secret")
    await browser.log_in("ana", "another secret")
    logged = "".join(capsys.readouterr())
    assert "secret" not in logged
    assert logged.count("login refused") == 2
    assert ana.public_id in logged


async def test_what_was_typed_comes_back_but_for_the_password(house: Doorway, ana):
    answer = await (await house.browser()).log_in('"><script>alert(1)</script>', "a secret nobody sees")
    html = await answer.text()
    assert "<script>alert" not in html
    assert "a secret nobody sees" not in html
    assert 'value="&#34;&gt;&lt;script&gt;' in html


def becomes_disabled(ana, now, tx):
    tx.accounts.disable(ana.id, now)


def gets_another_password(ana, now, tx):
    tx.accounts.change_password(ana.id, "another hash", now)


def gets_a_second_factor(ana, now, tx):
    tx.proofs.begin_totp(ana.id, "sealed", now)
    tx.proofs.confirm_totp(ana.id, 1, "", now)


@pytest.mark.parametrize("what", [becomes_disabled, gets_another_password, gets_a_second_factor])
async def test_what_was_proven_of_an_account_that_changed_meanwhile_lets_nobody_in(
    house: Doorway, ana, monkeypatch: pytest.MonkeyPatch, what
):
    now = house.clock.now()

    async def slow(*words):
        found = await vouch(*words)
        await house.database.commit(lambda tx: what(ana, now, tx))
        return replace(found, renewed="a newer hash of the old password")

    monkeypatch.setattr("ringback.panel.login.vouch", slow)
    browser = await house.browser()
    answer = await browser.log_in()
    assert (answer.status, answer.headers["Location"]) == (303, "/login")
    assert COOKIE not in browser.cookies
    latest = await house.database.commit(lambda tx: tx.accounts.get(ana.public_id))
    assert latest.password == ("another hash" if what is gets_another_password else ana.password)
    assert await house.database.commit(lambda tx: tx.accounts.of_account(ana.id)) == []


async def test_once_there_is_somebody_the_login_asks_for_nobody_else(house: Doorway, ana):
    asked = []
    browser = await house.browser()
    await browser.page("/login")
    everybody = house.door.people.everybody
    house.door.people.everybody = lambda: asked.append(1) or everybody()
    await browser.page("/login")
    await browser.log_in(password="wrong horse battery")
    assert asked == []
