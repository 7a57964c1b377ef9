"""The pages of users, departments and numbers, as an administrator uses them; and what others see of them."""

import io
import shutil

import pytest
from aiohttp import FormData
from openpyxl import load_workbook

from ringback.core.permissions import Role
from ringback.errors import PbxAway
from ringback.flow.departments import add_department, join_department
from ringback.flow.refusing import SENTENCES, Because
from ringback.panel import departments, numbers
from ringback.panel.numbers import Line
from ringback.panel.words import DONE
from ringback.ports.directory import Asked, Found
from tests.fakes.hand_clock import HandClock
from tests.panel.browser import Browser, Doorway, doorway, hidden, words_of
from tests.panel.reading import Page

MAIN, FORMER = "+12025550101", "+12025550109"
LINES = {MAIN: Line("bayline", "en", 6, receipts=True, replies=True, answers_stop=False)}
PEOPLE = Asked(
    (
        Found("PJSIP/101", "101", "Ana K", "ana@example.com", ("support",)),
        Found("PJSIP/102", "102", "Kim", "", ("support", "sales")),
    ),
    ("PJSIP/trunk",),
    (),
)


async def a_pbx() -> Asked:
    return PEOPLE


async def a_bare_pbx() -> Asked:
    return Asked((), (), ("DeviceStateList",))


async def away() -> Asked:
    raise PbxAway("main is away")


@pytest.fixture
async def house(tmp_path, empty_sqlite, clock: HandClock):
    shutil.copy(empty_sqlite, tmp_path / "ringback.db")
    pbxs = {"main": a_pbx, "bare": a_bare_pbx, "north": away}
    async with doorway(tmp_path / "ringback.db", clock, lines=LINES, pbxs=pbxs) as found:
        await found.add("ana")
        await found.database.commit(lambda tx: tx.numbers.know([MAIN, FORMER], clock.now()))
        yield found


@pytest.fixture
async def ben(house: Doorway):
    return await house.add("ben", Role.AGENT)


@pytest.fixture
async def sales(house: Doorway):
    return await made(house, "Sales")


async def made(house: Doorway, name: str, parent: str = "") -> str:
    now = house.clock.now()
    return (await house.database.commit(lambda tx: add_department(name, parent, "test", now, tx))).public_id


async def put(house: Doorway, user: str, department: str) -> None:
    now = house.clock.now()
    await house.database.commit(lambda tx: join_department(user, department, "", "test", now, tx))


async def followed(browser: Browser, answer) -> Page:
    assert answer.status == 303, await answer.text()
    return await browser.page(answer.headers["Location"])


async def said(answer, status: int = 422) -> str:
    text = " ".join(Page(await answer.text()).by_tag("main")[0].words.split())
    assert answer.status == status, text
    return text


def facts(page: Page) -> list[str]:
    return [one.words for one in page.by_tag("main")[0].inside if one.tag == "dd"]


def rows(page: Page) -> list[list[str]]:
    cells = [[one for one in row.inside if one.tag in ("th", "td")] for row in page.by_tag("tr")]
    return [[" ".join(one.words.split()) for one in row] for row in cells if row][1:]


async def test_what_is_said_of_a_user_is_changed(house: Doorway, ben):
    ana, path = await house.logged_in(), f"/users/{ben.public_id}"
    form = {
        "name": "Ben N.",
        "extension": "102",
        "endpoint": "102",
        "mail": "",
        "mobile": "202 555 0147",
        "language": "es",
    }
    page = await followed(ana, await ana.fill(path, f"{path}/details", **form))
    assert words_of(page, "banner") == [DONE["described"]]
    shown = {
        one.attributes["id"]: one.attributes.get("value") for one in page.by_tag("input") if "id" in one.attributes
    }
    assert {name: shown[name] for name in ("name", "extension", "endpoint", "mobile")} == {
        "name": "Ben N.",
        "extension": "102",
        "endpoint": "PJSIP/102",
        "mobile": "+12025550147",
    }


@pytest.mark.parametrize(
    ("form", "field", "why"),
    [
        pytest.param({"extension": "1 2"}, "extension", Because.BAD_EXTENSION, id="no extension"),
        pytest.param({"mail": "ben@"}, "mail", Because.BAD_MAIL, id="no mail address"),
        pytest.param({"mobile": "911"}, "mobile", Because.BAD_MOBILE, id="a number nobody texts"),
        pytest.param({"endpoint": "PJSIP/a b"}, "endpoint", Because.BAD_ENDPOINT, id="no endpoint"),
        pytest.param({"name": "x" * 81}, "name", Because.BAD_NAME, id="a name far too long"),
        pytest.param({"language": "xx"}, "language", Because.BAD_LANGUAGE, id="a language nobody speaks here"),
    ],
)
async def test_what_is_wrong_stands_at_its_field_with_what_was_typed(house: Doorway, ben, form, field, why):
    ana, path = await house.logged_in(), f"/users/{ben.public_id}"
    answer = await ana.fill(path, f"{path}/details", **form)
    page = Page(await answer.text())
    assert answer.status == 422
    (error,) = [one for one in page.elements if one.attributes.get("id") == f"{field}-wrong"]
    assert " ".join(error.words.split()) == SENTENCES[why]
    if field != "language":
        (wrong,) = [one for one in page.elements if one.attributes.get("aria-describedby") == f"{field}-wrong"]
        assert wrong.attributes["value"] == form[field]


async def test_the_list_is_narrowed_and_keeps_what_was_asked(house: Doorway, ben, sales):
    await put(house, ben.public_id, sales)
    ana = await house.logged_in()
    assert [row[:4] for row in rows(await ana.page(f"/users?department={sales}"))] == [["Ben", "ben", "", "Sales"]]
    assert [row[0] for row in rows(await ana.page("/users?role=administrator"))] == ["Ana"]
    assert [row[0] for row in rows(await ana.page("/users?q=BEN&state=on"))] == ["Ben"]
    page = await ana.page("/users?q=nobody")
    assert "Nobody like that" in page.by_class("empty")[0].words
    assert [one.attributes["value"] for one in page.by_tag("input") if one.attributes.get("id") == "q"] == ["nobody"]


async def test_a_list_of_many_is_turned_page_by_page(house: Doorway):
    now = house.clock.now()

    def many(tx):
        for n in range(60):
            tx.accounts.add(f"u{n:03}", "", frozenset({Role.AGENT}), "", "", now)

    await house.database.commit(many)
    ana = await house.logged_in()
    page = await ana.page("/users?role=agent")
    assert len(rows(page)) == 50
    (link,) = [one for one in page.by_tag("a") if one.attributes.get("rel") == "next"]
    rest = await ana.page(link.attributes["href"])
    assert [row[0] for row in rows(rest)] == [f"u{n:03}" for n in range(50, 60)]


async def test_somebody_is_put_into_departments_and_taken_out(house: Doorway, ben, sales):
    night, ana, path = await made(house, "Night"), await house.logged_in(), f"/users/{ben.public_id}"
    await followed(ana, await ana.fill(path, f"{path}/join", department=sales))
    page = await followed(ana, await ana.fill(path, f"{path}/join", department=night, main="main"))
    assert [one.words for one in page.by_tag("a") if "/departments/" in one.attributes["href"]] == ["Night", "Sales"]
    page = await followed(ana, await ana.fill(path, f"{path}/leave", department=night))
    assert words_of(page, "banner") == [DONE["left"]]
    assert SENTENCES[Because.NO_MEMBER] in await said(await ana.fill(path, f"{path}/leave", department=night))


async def test_the_tree_of_departments_is_built(house: Doorway, sales):
    ana = await house.logged_in()
    page = await followed(ana, await ana.fill("/departments", "/departments", name="East", parent=sales))
    assert words_of(page, "banner") == [departments.DONE["added"]]
    items = [one for one in page.by_tag("li") if "in-0" in one.classes or "in-1" in one.classes]
    assert [(" ".join(one.words.split()), one.attributes["class"]) for one in items] == [
        ("Sales0 people", "in-0"),
        ("East0 people", "in-1"),
    ]
    answer = await ana.fill("/departments", "/departments", name="east", parent="")
    assert "There is a department of this name at Sales/East." in await said(answer)


async def test_a_department_is_renamed_moved_and_refuses_a_circle(house: Doorway, sales):
    east, ana = await made(house, "East", sales), await house.logged_in()
    path = f"/departments/{sales}"
    await followed(ana, await ana.fill(path, f"{path}/name", name="Selling"))
    answer = await ana.fill(path, f"{path}/move", parent=east)
    assert "It would be part of itself: Selling/East/Selling." in await said(answer)
    page = await followed(ana, await ana.fill(f"/departments/{east}", f"/departments/{east}/move", parent=""))
    assert words_of(page, "banner") == [departments.DONE["moved"]]


async def test_members_come_and_go_by_login_or_extension(house: Doorway, ben, sales):
    ana, path = await house.logged_in(), f"/departments/{sales}"
    page = await followed(ana, await ana.fill(path, f"{path}/join", person="Ben"))
    assert [one.words for one in page.by_tag("a") if one.attributes["href"] == f"/users/{ben.public_id}"] == ["Ben"]
    assert SENTENCES[Because.UNKNOWN] in await said(await ana.fill(path, f"{path}/join", person="nobody"))
    await followed(ana, await ana.fill(path, f"{path}/leave", person="ben"))


async def test_removing_says_first_what_goes(house: Doorway, ben, sales):
    east = await made(house, "East", sales)
    await put(house, ben.public_id, east)
    ana = await house.logged_in()
    page = await ana.page(f"/departments/{east}/remove")
    assert words_of(page, "said-lines") == ["0 grants of its own are gone. 1 member moves up to Sales."]
    page = await followed(ana, await ana.fill(f"/departments/{east}/remove", f"/departments/{east}/remove"))
    assert words_of(page, "banner") == [departments.DONE["removed"]]
    assert (await ana.get(f"/departments/{east}")).status == 404


async def test_numbers_of_the_file_come_first_and_former_ones_say_so(house: Doorway):
    ana = await house.logged_in()
    shown = rows(await ana.page("/numbers"))
    assert [(row[0], row[1], row[3], row[4], row[5], row[7]) for row in shown] == [
        ("+1 202 555 0101", "Nobody in particular", "bayline", "Texts, replies, receipts", "1", ""),
        ("+1 202 555 0109", "Nobody in particular", "", "", "1", "Former"),
    ]
    page = await ana.page(f"/numbers/{FORMER}")
    assert "not in ringback.toml any more" in page.by_class("banner")[0].words


async def test_a_number_gets_label_group_owner_and_fallback(house: Doorway, ben, sales):
    await put(house, ben.public_id, sales)
    ana, path = await house.logged_in(), f"/numbers/{MAIN}"
    page = await followed(ana, await ana.fill("/numbers", "/numbers/groups", name="Miami"))
    (group,) = [one.attributes["href"] for one in page.by_tag("a") if "/groups/" in one.attributes["href"]]
    page = await followed(ana, await ana.fill(path, f"{path}/label", label="Main line", group=group.rpartition("/")[2]))
    assert words_of(page, "banner") == [numbers.DONE["described"]]
    page = await followed(ana, await ana.fill(path, f"{path}/owner", owner="sales", fallback="ana"))
    assert "If nobody is left, it falls to Ana." in page.by_tag("main")[0].words
    assert [one.words for one in page.by_tag("a") if one.attributes["href"].startswith("/users/")] == ["Ben"]
    await followed(ana, await ana.fill(path, f"{path}/outbound"))
    (main, _former) = rows(await ana.page("/numbers"))
    assert main == [
        "Main line+1 202 555 0101",
        "Sales",
        "Miami",
        "bayline",
        "Texts, replies, receipts",
        "2",
        "2",
        "New texts go out from it",
    ]
    page = await followed(ana, await ana.fill(group, f"{group}/remove"))
    assert words_of(page, "banner") == [numbers.DONE["group-removed"]]


async def test_what_cannot_own_a_number_is_told_at_its_field(house: Doorway, sales):
    ana, path = await house.logged_in(), f"/numbers/{MAIN}"
    answer = await ana.fill(path, f"{path}/owner", owner="Sales", fallback="")
    assert "Nobody who can log in belongs to Sales." in await said(answer)
    answer = await ana.fill(path, f"{path}/owner", owner="who", fallback="")
    assert SENTENCES[Because.NO_OWNER] in await said(answer)
    assert (await ana.get("/numbers/+12025550177")).status == 404
    former = f"/numbers/{FORMER}"
    token = hidden(await ana.page(former), f"{former}/label")
    assert SENTENCES[Because.FORMER] in await said(await ana.send(f"{former}/outbound", token))


async def test_the_last_of_an_owner_stays_until_there_is_a_fallback(house: Doorway, ben, sales):
    await put(house, ben.public_id, sales)
    ana, path = await house.logged_in(), f"/users/{ben.public_id}"
    number = f"/numbers/{MAIN}"
    await ana.fill(number, f"{number}/owner", owner="Sales", fallback="")
    for action, form in (("disable", {}), ("leave", {"department": sales})):
        answer = await ana.fill(path, f"{path}/{action}", **form)
        assert f"Nobody would be left who sees what comes in at {MAIN}." in await said(answer)
    answer = await ana.fill(f"/departments/{sales}/remove", f"/departments/{sales}/remove")
    assert f"Nobody would be left who sees what comes in at {MAIN}." in await said(answer)
    await ana.fill(number, f"{number}/owner", owner="Sales", fallback="ana")
    await followed(ana, await ana.fill(path, f"{path}/disable"))
    assert rows(await ana.page("/numbers"))[0][1] == "Ana"


async def upload(browser: Browser, data: bytes, name: str = "people.csv"):
    form = FormData()
    for key, value in hidden(await browser.page("/users/import?"), "/users/import").items():
        if key != "pbx":
            form.add_field(key, value)
    form.add_field("file", data, filename=name, content_type="text/csv")
    headers = {"Origin": browser.origin, "Sec-Fetch-Site": "same-origin"}
    return await browser.ask("POST", "/users/import", data=form, headers=headers)


CSV = "Name;Login;E-Mail;Departments\nKim Núñez;kim;kim@example.com;Sales/East\nBen N.;ben;;Sales\n".encode()


async def test_a_file_is_shown_first_and_then_stored(house: Doorway, ben):
    ana = await house.logged_in()
    answer = await upload(ana, CSV)
    page = await followed(ana, answer)
    there = answer.headers["Location"]
    assert facts(page) == ["1", "1", "0", "Sales, Sales/East"]
    assert rows(page)[0] == ["ben", "Name Ben → Ben N.Departments Sales"]
    assert await house.database.commit(lambda tx: tx.accounts.find("kim")) is None
    page = Page(await (await ana.fill(there, there)).text())
    assert words_of(page, "banner") == ["Done. Everything below is stored."]
    kim = await house.database.commit(lambda tx: tx.accounts.find("kim"))
    assert (kim.name, kim.mail, kim.password) == ("Kim Núñez", "kim@example.com", "")
    assert [row[3] for row in rows(await ana.page("/users?q=kim"))] == ["Sales/East"]
    assert "This preview has run out" in await said(await ana.get(there))


async def test_faults_of_a_file_are_told_line_by_line_and_nothing_is_stored(house: Doorway):
    ana = await house.logged_in()
    data = b"login,mail,role\nkim,kim@,agent\nkim,,boss\n,,\n,x@example.com,\n=1,,\n"
    page = await followed(ana, await upload(ana, data))
    assert [(row[0], row[1]) for row in rows(page)] == [
        ("2", "Mail"),
        ("3", "Login"),
        ("3", "Role"),
        ("5", ""),
        ("6", "Login"),
    ]
    assert not [one for one in page.by_tag("button") if "Store" in one.words]
    assert len(await house.database.commit(lambda tx: tx.accounts.all())) == 1


async def test_what_became_wrong_since_the_preview_is_seen(house: Doorway):
    ana = await house.logged_in()
    answer = await upload(ana, b"login,extension\nkim,101\n")
    there = answer.headers["Location"]
    form = hidden(await ana.page(there), there)
    await ana.fill("/users", "/users", login="lee", extension="101", role="agent")
    text = await said(await ana.send(there, form))
    assert "lee has this extension already." in text
    assert await house.database.commit(lambda tx: tx.accounts.find("kim")) is None


@pytest.mark.parametrize("data", [b"", b"\0\1\2", b"PK\x03\x04"])
async def test_what_is_no_table_is_refused(house: Doorway, data: bytes):
    ana = await house.logged_in()
    answer = await upload(ana, data)
    text = (
        await said(answer)
        if answer.status == 422
        else " ".join((await followed(ana, answer)).by_tag("main")[0].words.split())
    )
    assert any(words in text for words in ("neither CSV nor XLSX", "XLSX cannot be read", "no line with people"))


async def test_another_administrator_does_not_see_my_preview(house: Doorway):
    await house.add("eve")
    ana, eve = await house.logged_in(), await house.logged_in("eve")
    there = (await upload(ana, CSV)).headers["Location"]
    assert (await eve.get(there)).status == 422


async def test_people_of_the_pbx_are_shown_first_and_then_stored(house: Doorway):
    ana = await house.logged_in()
    answer = await ana.fill("/users/import", "/users/import", pbx="main")
    page = await followed(ana, answer)
    there = answer.headers["Location"]
    assert facts(page) == ["2", "0", "0", "support, sales"]
    assert "PJSIP/trunk" in page.by_tag("main")[0].words
    await ana.fill(there, there)
    kim = await house.database.commit(lambda tx: tx.accounts.find("102"))
    assert (kim.name, kim.endpoint, kim.source) == ("Kim", "PJSIP/102", "asterisk:main")


async def test_a_pbx_that_names_nobody_is_not_said_to_be_here_already(house: Doorway):
    ana = await house.logged_in()
    answer = await ana.fill("/users/import", "/users/import", pbx="bare")
    told = (await followed(ana, answer)).by_tag("main")[0].words
    assert "Asterisk named nobody." in told
    assert "DeviceStateList" in told
    assert "write = reporting" in told
    assert "Everybody is here already" not in told


async def test_a_pbx_that_is_away_is_told(house: Doorway):
    ana = await house.logged_in()
    assert "does not answer now" in await said(await ana.fill("/users/import", "/users/import", pbx="north"))
    assert (await ana.fill("/users/import", "/users/import", pbx="south")).status == 404


async def test_people_go_out_as_a_file_that_comes_in_again(house: Doorway, ben, sales):
    await put(house, ben.public_id, sales)
    ana, path = await house.logged_in(), f"/users/{ben.public_id}"
    form = {"name": "Ben", "extension": "102", "endpoint": "", "mail": "", "mobile": "+12025550147", "language": ""}
    await ana.fill(path, f"{path}/details", **form)
    answer = await ana.get("/users/export?format=xlsx&q=ben")
    sheet = load_workbook(io.BytesIO(await answer.read())).active
    head, line = ([cell.value or "" for cell in row] for row in sheet.iter_rows())
    assert dict(zip(head, line, strict=True)) | {} == {
        "login": "ben",
        "name": "Ben",
        "extension": "102",
        "endpoint": "",
        "mail": "",
        "mobile": "+12025550147",
        "roles": "agent",
        "departments": "Sales",
        "language": "",
    }
    answer = await ana.get("/users/export?format=csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="people.csv"'
    page = await followed(ana, await upload(ana, await answer.read()))
    assert facts(page) == ["0", "0", "2"]
    assert (await ana.get("/users/export?format=exe")).status == 404
    asked = "SELECT about, detail FROM audit WHERE action = 'export' ORDER BY id"
    record = await house.database.read(lambda db: [tuple(row) for row in db.exec_driver_sql(asked)])
    assert record == [("people", "xlsx, 1 line"), ("people", "csv, 2 lines")]


@pytest.mark.parametrize(
    ("role", "sees"),
    [
        pytest.param(Role.AGENT, set(), id="an agent sees none of them"),
        pytest.param(Role.SUPERVISOR, {"/numbers", "/departments"}, id="a supervisor sees numbers and departments"),
        pytest.param(Role.AUDITOR, {"/numbers", "/departments"}, id="so does an auditor"),
        pytest.param(Role.INTEGRATOR, {"/numbers"}, id="an integrator sees numbers"),
    ],
)
async def test_who_sees_what(house: Doorway, ben, sales, role: Role, sees: set[str]):
    await house.add("eve", role)
    eve = await house.logged_in("eve")
    paths = ("/users", "/users/import", "/users/export", f"/users/{ben.public_id}", "/departments", "/numbers")
    assert {path for path in paths if (await eve.get(path)).status == 200} == sees
    token = {"csrf": next(iter(hidden(await eve.page("/profile"), "/theme").values()))}
    changes = (
        "/users",
        f"/users/{ben.public_id}/details",
        f"/users/{ben.public_id}/join",
        "/departments",
        f"/departments/{sales}/remove",
        f"/numbers/{MAIN}/owner",
        "/numbers/groups",
    )
    for path in changes:
        assert (await eve.send(path, token)).status == 403, path
    for path in sees:
        page = await eve.page(path)
        assert not [one for one in page.by_tag("form") if one.attributes.get("action") == path]


@pytest.mark.parametrize("path", ["/users/usr_none", "/departments/dep_none", "/numbers/groups/grp_none", "/numbers/x"])
async def test_what_is_not_there_is_not_found(house: Doorway, path: str):
    assert (await (await house.logged_in()).get(path)).status == 404
