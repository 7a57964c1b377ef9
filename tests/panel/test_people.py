"""The pages of people: users for administrators, and everybody's own profile."""

import shutil

import pytest
from sqlalchemy import text as sql

from ringback.core.permissions import Role
from ringback.flow.refusing import SENTENCES, Because
from ringback.panel.door import ABOUT
from ringback.panel.tokens import COOKIE
from ringback.panel.words import DONE, ROLE, THEME_AFTER, THEME_WORDS, THEMES, legible
from tests.fakes.hand_clock import HandClock
from tests.panel.browser import PASSWORD, Browser, Doorway, doorway, words_of
from tests.panel.hostile import HOSTILE
from tests.panel.reading import Page

OTHER = "another horse battery"


@pytest.fixture
async def house(tmp_path, empty_sqlite, clock: HandClock):
    shutil.copy(empty_sqlite, tmp_path / "ringback.db")
    async with doorway(tmp_path / "ringback.db", clock) as found:
        await found.add("ana")
        yield found


@pytest.fixture
async def ben(house: Doorway):
    return await house.add("ben", Role.AGENT)


async def named(house: Doorway, login: str):
    return await house.database.commit(lambda tx: tx.accounts.find(login))


async def record(house: Doorway) -> list[tuple[str, str]]:
    rows = await house.database.read(lambda db: db.execute(sql("SELECT action, detail FROM audit")).fetchall())
    return [tuple(row) for row in rows]


async def followed(browser: Browser, answer) -> Page:
    assert answer.status == 303, await answer.text()
    return await browser.page(answer.headers["Location"])


async def wrong_at(answer, field: str) -> str:
    page = Page(await answer.text())
    assert answer.status == 422
    (input_,) = [one for one in page.elements if one.attributes.get("id") == field]
    assert input_.attributes["aria-invalid"] == "true"
    (error,) = [one for one in page.elements if one.attributes.get("id") == f"{field}-wrong"]
    assert input_.attributes["aria-describedby"] == error.attributes["id"]
    return error.words


async def test_an_administrator_adds_somebody_who_then_logs_in(house: Doorway):
    ana = await house.logged_in()
    answer = await ana.fill("/users", "/users", login="Ben", name="Ben O’Neil", role="agent", password=OTHER)
    page = await followed(ana, answer)
    assert words_of(page, "banner") == [DONE["user-added"]]
    assert [[cell.words for cell in row.inside if cell.tag in ("th", "td")] for row in page.by_tag("tr")[1:]] == [
        ["Ana", "ana", "", "", "Administrator", "2026-11-20 10:00"],
        ["Ben O’Neil", "ben", "", "", "Agent", "2026-11-20 10:00"],
    ]
    ben = await house.browser()
    assert (await ben.log_in("ben", OTHER)).status == 303
    assert ("user_add", "ben, agent") in await record(house)


@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        pytest.param({"login": "a b"}, "login", SENTENCES[Because.BAD_LOGIN], id="no login"),
        pytest.param({"login": ""}, "login", SENTENCES[Because.BAD_LOGIN], id="an empty one"),
        pytest.param({"login": "Ana"}, "login", SENTENCES[Because.TAKEN], id="one that is taken"),
        pytest.param({"name": "x" * 81}, "name", SENTENCES[Because.BAD_NAME], id="a name far too long"),
        pytest.param({"name": "a\nb"}, "name", SENTENCES[Because.BAD_NAME], id="a name of two lines"),
        pytest.param({"password": "short"}, "password", "Too short", id="a short password"),
        pytest.param({"password": "northlight2026"}, "password", "the business", id="the business as password"),
    ],
)
async def test_what_is_wrong_stands_at_its_field(house: Doorway, typed, field: str, says: str):
    ana = await house.logged_in()
    form = {"login": "ben", "name": "Ben", "role": "agent", "password": OTHER, **typed}
    answer = await ana.fill("/users", "/users", **form)
    assert says in await wrong_at(answer, field)
    assert OTHER not in await answer.text()
    assert await named(house, "ben") is None


async def test_a_role_that_is_none_is_refused(house: Doorway):
    ana = await house.logged_in()
    answer = await ana.fill("/users", "/users", login="ben", name="", role="boss", password=OTHER)
    assert answer.status == 422
    assert "Choose one of the roles, or several." in await answer.text()


@pytest.mark.parametrize(
    ("action", "done", "lets_in"),
    [
        pytest.param("disable", "disable", False, id="disabled"),
        pytest.param("logout", "logout", False, id="logged out"),
    ],
)
async def test_somebody_is_put_out_at_once(house: Doorway, ben, action: str, done: str, lets_in: bool):
    theirs, ana = await house.logged_in("ben"), await house.logged_in()
    page = await followed(ana, await ana.fill(f"/users/{ben.public_id}", f"/users/{ben.public_id}/{action}"))
    assert words_of(page, "banner") == [DONE[done]]
    assert ((await theirs.get("/profile")).status == 200) is lets_in


async def test_somebody_disabled_is_let_in_again(house: Doorway, ben):
    ana = await house.logged_in()
    path = f"/users/{ben.public_id}"
    await ana.fill(path, f"{path}/disable")
    assert (await (await house.browser()).log_in("ben")).status == 403
    page = await followed(ana, await ana.fill(path, f"{path}/enable"))
    assert words_of(page, "banner") == [DONE["enable"]]
    assert (await (await house.browser()).log_in("ben")).status == 303


async def test_a_new_role_holds_from_the_next_login(house: Doorway, ben):
    theirs, ana = await house.logged_in("ben"), await house.logged_in()
    path = f"/users/{ben.public_id}"
    assert (await theirs.get("/users")).status == 403
    await followed(ana, await ana.fill(path, f"{path}/role", role="administrator"))
    assert (await theirs.get("/users")).status == 303
    assert (await (await house.logged_in("ben")).get("/users")).status == 200
    assert ("user_role", "ben: agent to administrator") in await record(house)


async def test_the_same_role_again_changes_nothing(house: Doorway, ben):
    theirs, ana = await house.logged_in("ben"), await house.logged_in()
    path = f"/users/{ben.public_id}"
    await followed(ana, await ana.fill(path, f"{path}/role", role="agent"))
    assert (await theirs.get("/profile")).status == 200


async def test_a_password_is_set_for_somebody_who_forgot_theirs(house: Doorway, ben):
    theirs, ana = await house.logged_in("ben"), await house.logged_in()
    path = f"/users/{ben.public_id}"
    assert "Too short" in await wrong_at(await ana.fill(path, f"{path}/password", password="short"), "password")
    await followed(ana, await ana.fill(path, f"{path}/password", password=OTHER))
    assert (await theirs.get("/profile")).status == 303
    assert (await (await house.browser()).log_in("ben", OTHER)).status == 303


@pytest.mark.parametrize(("action", "form"), [("disable", {}), ("role", {"role": "agent"})])
async def test_the_last_administrator_stays(house: Doorway, ben, action: str, form: dict[str, str]):
    ana = await house.logged_in()
    path = f"/users/{(await named(house, 'ana')).public_id}"
    answer = await ana.fill(path, f"{path}/{action}", **form)
    assert answer.status == 422
    assert SENTENCES[Because.LAST] in await answer.text()
    assert (await ana.get("/users")).status == 200


async def test_nobody_is_not_found(house: Doorway):
    ana = await house.logged_in()
    assert (await ana.get("/users/usr_nobody")).status == 404
    fields = {"csrf": (await ana.page("/users")).by_tag("input")[0].attributes["value"]}
    assert (await ana.send("/users/usr_nobody/disable", fields)).status == 404


async def test_where_somebody_is_logged_in_is_shown(house: Doorway, ben):
    await house.logged_in("ben")
    ana = await house.logged_in()
    page = await ana.page(f"/users/{ben.public_id}")
    (item,) = [one.words for one in page.by_tag("li") if "Firefox on Linux" in one.words]
    assert "From 127.0.0.1, used just now" in item


async def test_an_agent_sees_no_users(house: Doorway, ben):
    theirs = await house.logged_in("ben")
    page = await theirs.page("/more")
    links = {link.attributes.get("href") for link in page.by_tag("a")}
    assert {"/users", "/settings"}.isdisjoint(links)
    ana = (await named(house, "ana")).public_id
    token = next(one.attributes["value"] for one in page.by_tag("input") if one.attributes.get("name") == "csrf")
    for path in ("/users", f"/users/{ana}/role", f"/users/{ana}/password", f"/users/{ana}/disable"):
        assert (await theirs.send(path, {"csrf": token, "login": "eve", "password": OTHER})).status == 403
    for path in ("/users", f"/users/{ana}"):
        assert (await theirs.get(path)).status == 403


@pytest.mark.parametrize("words", [words for words in HOSTILE if words.isascii() or words.isprintable()])
async def test_a_hostile_name_is_shown_as_text(house: Doorway, words: str):
    # no form takes every one of these; the database may have one all the same
    eve = await house.database.commit(
        lambda tx: tx.accounts.add("eve", words, frozenset({Role.AGENT}), "", "", house.clock.now())
    )
    ana = await house.logged_in()
    for path in ("/users", f"/users/{eve.public_id}"):
        page = await ana.page(path)
        assert [one.attributes.get("type") for one in page.by_tag("script")] == ["module"]
        assert not [one for one in page.elements if any(name.startswith("on") for name in one.attributes)]
        shown = [one for one in page.by_tag("bdi") if one.words == legible(words)]
        assert shown
        assert all(one.inside == [] for one in shown)


async def test_the_own_password_is_changed_and_every_other_browser_goes(house: Doorway):
    here, there = await house.logged_in(), await house.logged_in()
    token = here.cookies[COOKIE]
    page = await followed(here, await here.fill("/profile", "/profile/password", old=PASSWORD, password=OTHER))
    assert words_of(page, "banner") == [DONE["password-changed"]]
    assert here.cookies[COOKIE] != token
    assert (await there.get("/profile")).status == 303
    assert (await (await house.browser()).log_in("ana", OTHER)).status == 303


@pytest.mark.parametrize(
    ("form", "field", "says"),
    [
        pytest.param({"old": "wrong", "password": OTHER}, "old", "not your password", id="a wrong old one"),
        pytest.param({"old": PASSWORD, "password": "short"}, "password", "Too short", id="a short new one"),
        pytest.param({"old": PASSWORD, "password": "anaanaana1"}, "password", "Too easy", id="one like the login"),
    ],
)
async def test_the_own_password_is_not_changed_lightly(house: Doorway, form, field: str, says: str):
    here = await house.logged_in()
    assert says in await wrong_at(await here.fill("/profile", "/profile/password", **form), field)
    assert (await (await house.browser()).log_in()).status == 303


async def test_guesses_at_an_open_screen_are_counted(house: Doorway):
    here = await house.logged_in()
    for _ in range(5):
        await here.fill("/profile", "/profile/password", old="wrong", password=OTHER)
    answer = await here.fill("/profile", "/profile/password", old=PASSWORD, password=OTHER)
    assert "Too many wrong tries." in await wrong_at(answer, "old")


async def test_the_language_is_the_account_s_then_the_browser_s(house: Doorway):
    browser = await house.browser(**{"Accept-Language": "de, es;q=0.8, en;q=0.5"})
    assert (await browser.page("/login")).by_tag("html")[0].attributes["lang"] == "es"
    await browser.log_in()
    assert (await browser.page("/profile")).by_tag("html")[0].attributes["lang"] == "es"
    page = await followed(browser, await browser.fill("/profile", "/profile/language", language="en"))
    assert page.by_tag("html")[0].attributes["lang"] == "en"
    assert (await browser.fill("/profile", "/profile/language", language="xx")).status == 422
    page = await followed(browser, await browser.fill("/profile", "/profile/language", language=""))
    assert page.by_tag("html")[0].attributes["lang"] == "es"


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [("dark", "dark"), ("light", "light"), ("auto", None), ('x"onload=alert(1)', None), ("", None)],
)
async def test_the_theme_is_a_form_that_leads_back(house: Doorway, chosen: str, kept: str | None):
    browser = await house.logged_in()
    answer = await browser.fill("/profile", "/theme", theme=chosen, back="/users")
    assert answer.headers["Location"] == "/users"
    page = await followed(browser, answer)
    assert page.by_tag("html")[0].attributes.get("data-theme") == kept


async def test_the_theme_leads_nowhere_else(house: Doorway):
    browser = await house.logged_in()
    assert (await browser.fill("/profile", "/theme", theme="dark", back="//x.invalid")).headers["Location"] == "/"


async def test_the_keys_are_switched_off_and_on(house: Doorway):
    browser = await house.logged_in()
    page = await followed(browser, await browser.fill("/profile", "/profile/keys", keys="off"))
    assert page.by_tag("html")[0].attributes["data-keys"] == "off"
    page = await followed(browser, await browser.fill("/profile", "/profile/keys", keys="on"))
    assert "data-keys" not in page.by_tag("html")[0].attributes


async def test_logging_out_everywhere_is_everywhere(house: Doorway):
    here, there = await house.logged_in(), await house.logged_in()
    answer = await here.fill("/profile", "/profile/logout-everywhere")
    assert (answer.status, answer.headers["Location"]) == (303, "/login")
    assert COOKIE not in here.cookies
    assert (await there.get("/profile")).status == 303


def test_every_role_theme_and_refusal_has_words():
    assert set(ROLE) == set(Role)
    assert set(THEMES) == set(THEME_WORDS) == set(THEME_AFTER)
    assert set(SENTENCES) == set(ABOUT) == set(Because)
