"""Logins by a directory and by a provider, as a browser sees them, with real ones behind."""

import shutil
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import structlog
from aiohttp import ClientSession
from pyotp import TOTP
from sqlalchemy import text as sql

from ringback.clock import SystemClock
from ringback.config.logins import Ldap, Oidc
from ringback.core.permissions import Role
from ringback.directories.ldap import LdapDirectory
from ringback.directories.oidc import OidcDirectory
from ringback.flow.factors import Demand
from ringback.panel.guard import FACTOR
from ringback.panel.provider import ERRAND_COOKIE
from ringback.panel.tokens import COOKIE
from ringback.ports.directories import DirectoryAway
from tests.fakes.false_provider import FalseProvider, false_provider
from tests.fakes.hand_clock import HandClock
from tests.fakes.provider import ANA, BEN, provider
from tests.fakes.slapd import ADMIN, BASE, PASSWORD, SECRET, slapd
from tests.panel.browser import Browser, Doorway, doorway, hidden
from tests.panel.reading import Page

ROLES = {"administrator": ["ringback-admins"], "agent": ["sales", "staff"]}
OWN = "a password of our own"


@pytest.fixture(scope="module")
def server():
    with slapd() as found:
        yield found


@pytest.fixture
def asked(server, request):
    more = getattr(request, "param", {})
    told = {"url": server.url, "bind_dn": ADMIN, "bind_password": SECRET, "base": f"ou=people,{BASE}", "roles": ROLES}
    return LdapDirectory(Ldap.model_validate({**told, **more}))


@pytest.fixture
async def house(tmp_path, empty_sqlite, clock: HandClock, asked):
    """A panel that asks the directory, and has an administrator of its own called root."""
    shutil.copy(empty_sqlite, tmp_path / "ringback.db")
    async with doorway(tmp_path / "ringback.db", clock, asked=asked) as found:
        await found.add("root", password=OWN)
        yield found


@pytest.fixture
async def lying(clock: HandClock):
    async with false_provider() as found:
        found.now = int(clock.now().timestamp())
        yield found


@pytest.fixture
async def sso(tmp_path, empty_sqlite, clock: HandClock, lying: FalseProvider):
    """A panel that sends people to a provider, with the same administrator."""
    shutil.copy(empty_sqlite, tmp_path / "ringback.db")
    told = {"issuer": lying.issuer, "client_id": "ringback", "roles": ROLES, "end_session": True}
    sending = OidcDirectory(Oidc.model_validate(told), clock)
    async with doorway(tmp_path / "ringback.db", clock, sending=sending, demand=Demand.ADMINISTRATORS) as found:
        await found.add("root", password=OWN)
        yield found


def said(page: Page) -> str:
    return " ".join(" ".join(element.words for element in page.by_tag("body")).split())


async def accounts(house: Doorway) -> dict[str, tuple[str, str]]:
    return {
        one.login: (" ".join(sorted(one.roles)), one.source)
        for one in await house.database.commit(lambda tx: tx.accounts.all())
    }


async def methods(house: Doorway) -> list[str]:
    rows = await house.database.read(lambda db: db.execute(sql("SELECT method FROM login ORDER BY id")).fetchall())
    return [row[0] for row in rows]


async def to_provider(browser: Browser, lying: FalseProvider, back: str = "/more") -> dict[str, str]:
    """Follow the button; gives what the browser comes back with."""
    answer = await browser.get(f"/login/oidc?next={back}")
    assert answer.status == 303
    asked_ = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    return {"state": asked_["state"], "code": lying.authorize(asked_)}


async def come_back(browser: Browser, answer: dict[str, str]):
    return await browser.get("/login/oidc/back", params=answer)


async def test_a_person_of_the_directory_gets_an_account_and_the_roles_of_their_groups(house: Doorway):
    assert (await (await house.browser()).log_in("ben", PASSWORD)).status == 303
    assert (await (await house.browser()).log_in(" ANA ", PASSWORD)).status == 303
    assert await accounts(house) == {
        "root": ("administrator", ""),
        "ben": ("agent", "ldap"),
        "ana": ("administrator agent", "ldap"),
    }
    assert await methods(house) == ["ldap", "ldap"]


@pytest.mark.parametrize("asked", [{"default_role": ""}, {"create": False}], indirect=True)
async def test_who_is_not_to_come_in_is_told_whom_to_ask(house: Doorway, asked):
    login = "zoe*)(uid=*" if asked.admission.create else "ben"
    answer = await (await house.browser()).log_in(login, PASSWORD)
    assert answer.status == 403
    assert set(await accounts(house)) == {"root"}


async def test_a_local_login_is_not_taken_over_by_its_namesake(house: Doorway):
    await house.add("ben", Role.SUPERVISOR, OWN)
    assert (await (await house.browser()).log_in("ben", PASSWORD)).status == 403
    assert (await (await house.browser()).log_in("ben", OWN)).status == 303
    assert (await accounts(house))["ben"] == ("supervisor", "")


async def test_who_is_disabled_here_stays_out(house: Doorway):
    await (await house.browser()).log_in("ben", PASSWORD)
    ben = await house.database.commit(lambda tx: tx.accounts.find("ben"))
    await house.database.commit(lambda tx: tx.accounts.disable(ben.id, house.clock.now()))
    answer = await (await house.browser()).log_in("ben", PASSWORD)
    assert answer.status == 403
    assert "Login or password is wrong." in said(Page(await answer.text()))


async def test_roles_follow_the_groups_but_the_last_administrator_stays(house: Doorway):
    await (await house.browser()).log_in("ben", PASSWORD)
    ben = await house.database.commit(lambda tx: tx.accounts.find("ben"))
    now = house.clock.now()
    await house.database.commit(lambda tx: tx.accounts.change_roles(ben.id, frozenset({Role.ADMINISTRATOR}), now))
    root = await house.database.commit(lambda tx: tx.accounts.find("root"))
    await house.database.commit(lambda tx: tx.accounts.disable(root.id, now))
    await (await house.browser()).log_in("ben", PASSWORD)
    assert (await accounts(house))["ben"] == ("administrator", "ldap")
    await house.database.commit(lambda tx: tx.accounts.enable(root.id, now))
    assert (await (await house.browser()).log_in("ben", PASSWORD)).status == 303
    assert (await accounts(house))["ben"] == ("agent", "ldap")


@pytest.mark.parametrize("asked", [{"url": "ldap://127.0.0.1:9"}], indirect=True, ids=["nobody there"])
async def test_a_directory_that_is_away_locks_out_nobody_of_our_own(house: Doorway):
    with structlog.testing.capture_logs() as logged:
        answer = await (await house.browser()).log_in("ben", "canary-password-9")
    assert answer.status == 503
    assert "canary" not in str(logged)
    assert (await (await house.browser()).log_in("root", OWN)).status == 303


async def test_a_second_factor_works_with_a_password_of_the_directory(house: Doorway):
    browser = await house.browser()
    await browser.log_in("ana", PASSWORD)
    answer = await browser.fill(FACTOR, f"{FACTOR}/begin", password=PASSWORD)
    page = Page(await answer.text())
    machine = TOTP(next(one.words for one in page.by_tag("pre")).replace(" ", ""))
    await browser.send(FACTOR, {**hidden(page, FACTOR), "code": machine.at(house.clock.now())})
    assert (await (await house.browser()).log_in("ana", PASSWORD)).headers["Location"] == "/login/code"


async def test_nobody_forges_a_known_browser_of_somebody_without_a_password(house: Doorway):
    await (await house.browser()).log_in("ben", PASSWORD)
    import hmac

    waits = 0
    for n in range(12):
        browser = await house.browser()
        name = f"forged{n}"
        mac = hmac.digest(b"", b"known browser " + name.encode(), "sha256").hex()
        browser.cookies["__Host-ringback-known"] = f"{name}.{mac}"
        waits += (await browser.log_in("ben", "wrong")).status == 429
    assert waits >= 6


async def test_a_person_of_the_provider_comes_back_logged_in(sso: Doorway, lying: FalseProvider):
    browser = await sso.browser()
    page = await browser.page("/login?next=/users")
    assert "Log in with Single sign-on" in said(page)
    answer = await come_back(browser, await to_provider(browser, lying))
    assert (answer.status, answer.headers["Location"]) == (303, "/more")
    assert (await browser.get("/more")).status == 200
    assert ERRAND_COOKIE not in browser.cookies
    assert (await accounts(sso))["ana"] == ("agent", "oidc")
    assert await methods(sso) == ["oidc"]


async def test_the_provider_asks_for_the_second_factor_so_we_do_not(sso: Doorway, lying: FalseProvider):
    lying.claims = {"groups": ["ringback-admins"]}
    browser = await sso.browser()
    await come_back(browser, await to_provider(browser, lying))
    assert (await browser.get("/more")).status == 200


async def test_an_answer_counts_for_the_browser_that_asked_and_once(sso: Doorway, lying: FalseProvider):
    browser, other = await sso.browser(), await sso.browser()
    answer = await to_provider(browser, lying)
    # somebody makes another browser open the address they came back with
    assert (await come_back(other, answer)).headers["Location"] == "/login?done=provider"
    await to_provider(other, lying)
    assert (await come_back(other, answer)).headers["Location"] == "/login?done=provider"
    assert COOKIE not in other.cookies
    assert (await come_back(browser, {**answer, "state": "x"})).headers["Location"] == "/login?done=provider"
    assert COOKIE not in browser.cookies


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"error": "access_denied", "error_description": "<b>no</b>"}, id="the provider says no"),
        pytest.param({"code": ""}, id="no code"),
        pytest.param({"code": "made-up"}, id="a code that is none"),
        pytest.param({"iss": "https://elsewhere.example"}, id="another issuer"),
    ],
)
async def test_what_is_wrong_leads_back_to_the_login(sso: Doorway, lying: FalseProvider, answer: dict[str, str]):
    browser = await sso.browser()
    back = await come_back(browser, {**await to_provider(browser, lying), **answer})
    assert back.headers["Location"] == "/login?done=provider"
    page = said(await browser.page("/login?done=provider"))
    assert "The login there did not work." in page
    assert set(await accounts(sso)) == {"root"}


@pytest.mark.parametrize("back", ["https://elsewhere.example", "//elsewhere.example", "/login", "\\\\elsewhere"])
async def test_nobody_is_led_elsewhere(sso: Doorway, lying: FalseProvider, back: str):
    browser = await sso.browser()
    answer = await come_back(browser, await to_provider(browser, lying, back))
    assert answer.headers["Location"] == "/"


async def test_a_namesake_of_the_provider_is_turned_away_and_told(sso: Doorway, lying: FalseProvider):
    lying.claims = {"preferred_username": "root"}
    browser = await sso.browser()
    answer = await come_back(browser, await to_provider(browser, lying))
    assert answer.status == 403
    assert "Somebody else has your login here." in said(Page(await answer.text()))
    assert COOKIE not in browser.cookies


async def test_logging_out_shows_the_way_to_log_out_there_too(sso: Doorway, lying: FalseProvider):
    browser = await sso.browser()
    await come_back(browser, await to_provider(browser, lying))
    answer = await browser.fill("/more", "/logout")
    page = await browser.page(answer.headers["Location"])
    assert "Log out of Single sign-on too" in said(page)
    answer = await browser.get("/login/oidc/leave")
    assert answer.headers["Location"].startswith(f"{lying.issuer}/end?client_id=ringback&post_logout_redirect_uri=")


async def test_a_provider_that_is_away_is_said(tmp_path, empty_sqlite, clock: HandClock):
    shutil.copy(empty_sqlite, tmp_path / "ringback.db")
    sending = OidcDirectory(Oidc.model_validate({"issuer": "http://127.0.0.1:9", "client_id": "x"}), clock)
    async with doorway(tmp_path / "ringback.db", clock, sending=sending) as house:
        browser = await house.browser()
        answer = await browser.get("/login/oidc")
        assert answer.headers["Location"] == "/login?done=provider-away"
        with pytest.raises(DirectoryAway):
            await sending.send("x")


async def test_with_a_real_provider_from_the_button_to_the_page(tmp_path, empty_sqlite):
    clock = HandClock(SystemClock().now())
    shutil.copy(empty_sqlite, tmp_path / "ringback.db")
    with provider(Path(tmp_path / "log"), ANA, BEN) as issuer:
        told = {"issuer": issuer, "client_id": "x", "client_secret": "y", "roles": ROLES}
        sending = OidcDirectory(Oidc.model_validate(told), clock)
        async with doorway(tmp_path / "ringback.db", clock, sending=sending) as house, ClientSession() as there:
            await house.add("root", password=OWN)
            browser = await house.browser()
            answer = await browser.get("/login/oidc?next=/users")
            back = await there.post(answer.headers["Location"], data={"sub": "u-1"}, allow_redirects=False)
            answer = await browser.get(back.headers["Location"].removeprefix(house.base))
            assert (answer.status, answer.headers["Location"]) == (303, "/users")
            assert (await browser.get("/users")).status == 200
            assert (await accounts(house))["ana"] == ("administrator agent", "oidc")


@pytest.mark.parametrize("login", ["root", "off", "nobody-at-all"])
async def test_a_wrong_login_takes_as_long_whosever_it_is(house: Doorway, asked, login: str):
    off = await house.add("off", Role.AGENT, password=OWN)
    await house.database.commit(lambda tx: tx.accounts.disable(off.id, house.clock.now()))
    told, check = [], asked.check

    async def counted(name: str, password: str):
        told.append((name, password))
        return await check(name, password)

    asked.check = counted
    answer = await (await house.browser()).log_in(login, "a wrong password")
    assert (answer.status, len(told)) == (403, 1)
    # the directory never hears of a login of ours, nor of what is typed for it
    assert (login, "a wrong password") not in told or login == "nobody-at-all"
