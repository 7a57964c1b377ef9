"""The permission matrix: what it shows, the changes somebody has in mind, and who may see and change it."""

from datetime import timedelta

import pytest

from ringback.core.grants import Effect, Way
from tests.panel.permission_house import (
    MAIN,
    MIAMI,
    SALES,
    House,
    Looker,
    Told,
    apply,
    cell,
    cells_of,
    hidden,
    preview,
    row_id,
    words,
)

ALLOW, DENY = Effect.ALLOW, Effect.DENY


async def test_the_matrix_shows_what_holds_and_where_from(house: House, boss: Looker):
    await house.grant("Service desk", Way.SEND, f"group:{house.groups['Washington']}")
    await house.grant("olena", Way.SEND, MAIN, DENY)
    page = await boss.page("/permissions?group=&n=0100")
    assert cells_of(page, "Ana Kovačević") == [
        ("inherit", "allow", "Allowed, from Service desk"),
        ("inherit", "deny", "Not allowed, nobody granted it"),
        ("inherit", "allow", "Allowed, from Service desk"),
        ("inherit", "deny", "Not allowed, nobody granted it"),
    ]
    olena = cells_of(page, "Олена Шевченко")
    assert olena[2] == ("deny", "deny", "Not allowed, denied here")
    assert cells_of(page, "Jörg Müller-Lüdenscheidt")[0][2] == "Allowed, they are an administrator"
    assert cells_of(page, "An auditor")[0][2] == "Not allowed, their role does not include it"


async def test_what_is_allowed_and_outranked_is_not_drawn_as_allowed(house: House, boss: Looker):
    await house.grant("ana", Way.SEND, "*", DENY)
    await house.grant("ana", Way.SEND, MAIN, ALLOW)
    page = await boss.page("/permissions?way=send&n=0100")
    assert cells_of(page, "Ana Kovačević")[-1] == ("allow", "deny", "Not allowed, though it is allowed here")


async def test_rows_stand_under_their_department_and_fold(house: House, boss: Looker):
    page = await boss.page("/permissions")
    names = [one.attributes["data-name"] for one in page.by_tag("tr") if "data-name" in one.attributes]
    assert names == [
        "Everyone",
        "Service desk",
        "101 Ana Kovačević",
        "Night desk",
        "104 Олена Шевченко",
        "102 Jörg Müller-Lüdenscheidt",
        "110 Li Wei",
        "112 Aoife Ní Dhomhnaill",
        "An auditor",
    ]
    folded = await boss.page(f"/permissions?fold={row_id(house, 'Service desk')}")
    names = [one.attributes["data-name"] for one in folded.by_tag("tr") if "data-name" in one.attributes]
    assert "101 Ana Kovačević" not in names
    assert "Night desk" not in names


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        pytest.param("q=wei", ["Everyone", "110 Li Wei"], id="a part of a name"),
        pytest.param("q=104", ["Everyone", "Service desk", "Night desk", "104 Олена Шевченко"], id="an extension"),
        pytest.param("q=night", ["Everyone", "Service desk", "Night desk", "104 Олена Шевченко"], id="a department"),
        pytest.param("only=set", ["Everyone", "Service desk"], id="only where something is set"),
        pytest.param("q=nobody", [], id="nobody"),
        pytest.param(
            "row=4&rows=1", ["Everyone", "Service desk", "Night desk", "104 Олена Шевченко"], id="a later page"
        ),
        pytest.param("row=999999", ["Everyone", "An auditor"], id="beyond the end"),
        pytest.param("row=-1&rows=x&cols=²&way=no&class=no&dept=no&only=no&fold=..", None, id="nonsense"),
    ],
)
async def test_the_address_says_what_is_shown(house: House, boss: Looker, query: str, rows: list[str] | None):
    await house.grant("Service desk", Way.SEND, MAIN)
    page = await boss.page(f"/permissions?{query}")
    names = [one.attributes["data-name"] for one in page.by_tag("tr") if "data-name" in one.attributes]
    assert len(names) == 9 if rows is None else names == rows


async def test_numbers_come_in_pages_with_their_groups(house: House, boss: Looker):
    page = await boss.page("/permissions?cols=1&col=2")
    heads = [one.attributes["data-scope"] for one in page.by_tag("th") if "data-scope" in one.attributes]
    assert heads == ["*", MIAMI]
    page = await boss.page("/permissions?cols=1&n=sales")
    heads = [one.attributes["data-scope"] for one in page.by_tag("th") if "data-scope" in one.attributes]
    assert heads == [f"group:{house.groups['Washington']}", SALES]


async def test_changes_are_kept_in_mind_shown_and_applied(house: House, boss: Looker):
    answer = await boss.post("/permissions/draft", [cell(house, "Service desk", "allow"), cell(house, "olena", "deny")])
    fresh = Told(await answer.text())
    assert cells_of(fresh, "Service desk")[4] == ("allow", "allow", "Allowed, set here. Not applied yet")
    assert "2 changes not applied" in fresh.by_class("pending")[0].words
    assert "1 person may do more." in fresh.by_class("pending")[0].words
    assert await house.said("Service desk", Way.SEND, MAIN) is None, "nothing holds before it is applied"
    later = await (await house.looker("boss")).page("/permissions?only=changed")
    assert "2 changes not applied" in later.by_class("pending")[0].words
    shown = words(await preview(boss))
    assert "2 changes, 1 person" in shown
    assert "Not allowed, nobody granted it" in shown
    done = await apply(boss, note="storm week")
    assert done.status == 303
    assert await house.said("Service desk", Way.SEND, MAIN) is ALLOW
    assert await house.said("olena", Way.SEND, MAIN) is DENY
    page = await boss.page(done.headers["Location"])
    assert "Applied." in words(page)
    history = words(await boss.page("/permissions/history"))
    assert "storm week" in history
    assert "Jörg Müller-Lüdenscheidt" in history


async def test_what_is_applied_is_undone_for_ten_minutes(house: House, boss: Looker):
    await boss.post("/permissions/draft", [cell(house, "ana", "allow")])
    batch = (await apply(boss)).headers["Location"].partition("batch=")[2]
    house.clock.move(timedelta(minutes=10))
    undone = await boss.post("/permissions/undo", batch=batch)
    assert undone.headers["Location"] == "/permissions?done=undone"
    assert await house.said("ana", Way.SEND, MAIN) is None
    house.clock.move(timedelta(minutes=11))
    late = await boss.post("/permissions/undo", batch=batch)
    assert late.status == 422
    assert "older than ten minutes" in await late.text()


async def test_what_is_dropped_was_never_applied(house: House, boss: Looker):
    await boss.post("/permissions/draft", [cell(house, "ana", "allow")])
    assert (await boss.post("/permissions/drop")).status == 303
    assert not (await boss.page("/permissions")).by_class("pending")[0].words.strip()
    assert (await boss.post("/permissions/apply", digest="x")).headers["Location"].endswith("moved=1")
    assert await house.said("ana", Way.SEND, MAIN) is None


async def test_two_administrators_and_the_same_cell(house: House, boss: Looker):
    second = await house.looker("second")
    await boss.post("/permissions/draft", [cell(house, "ana", "allow"), cell(house, "olena", "allow")])
    page = await preview(boss)
    await second.post("/permissions/draft", [cell(house, "ana", "deny")])
    assert (await apply(second, note="never on Main")).status == 303
    answer = await boss.post("/permissions/apply", digest=hidden(page, "digest"))
    assert answer.headers["Location"] == "/permissions/preview?moved=1"
    assert await house.said("olena", Way.SEND, MAIN) is None, "nothing is applied"
    again = await boss.page(answer.headers["Location"])
    assert "Aoife Ní Dhomhnaill changed this meanwhile" in words(again)
    assert "Somebody else changed 1 of these cells since you did." in words(again)
    without = await boss.post("/permissions/apply", digest=hidden(again, "digest"))
    assert without.headers["Location"] == "/permissions/preview?moved=1", "it asks until it is answered"
    assert (await boss.post("/permissions/apply", digest=hidden(again, "digest"), over="yes")).status == 303
    assert await house.said("ana", Way.SEND, MAIN) is ALLOW
    assert await house.said("olena", Way.SEND, MAIN) is ALLOW


async def test_who_takes_from_themselves_is_told(house: House, boss: Looker):
    await boss.post("/permissions/draft", [cell(house, "boss", "deny")])
    assert "You take something from yourself." in words(await preview(boss))


async def test_who_has_a_page_open_is_named(house: House, boss: Looker, monkeypatch: pytest.MonkeyPatch):
    await house.grant("ana", Way.RECEIVE, MAIN)
    monkeypatch.setattr(type(house.guard), "watching", lambda _: frozenset({house.people["ana"].id}))
    object.__setattr__(house.office, "watching", house.guard.watching)
    await boss.post("/permissions/draft", [cell(house, "ana", "inherit", way="receive", seen="allow")])
    assert "1 person has a page open and may do less afterwards. 101 Ana Kovačević" in words(await preview(boss))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "usr_nobody send +12025550100 - inherit allow",
        "everyone shout * - inherit allow",
        "everyone send * - no allow",
    ],
)
async def test_a_cell_that_is_none_is_refused(boss: Looker, text: str):
    assert (await boss.post("/permissions/draft", [("cell", text)])).status == 400


async def test_a_cell_about_no_number_of_ours_is_refused_in_words(boss: Looker):
    answer = await boss.post("/permissions/draft", [("cell", "everyone send +12025559999 - inherit allow")])
    assert (answer.status, "none of our numbers" in await answer.text()) == (422, True)


async def test_a_fresh_installation_begins_with_one_click(house: House, boss: Looker):
    page = await boss.page("/permissions")
    assert "Nobody but administrators may text yet." in words(page)
    assert (await boss.post("/permissions/everyone")).headers["Location"] == "/permissions/preview"
    assert "2 changes, 3 people" in words(await preview(boss)), "administrators may already, the auditor never"
    await apply(boss)
    assert await house.said("", Way.SEND, "*") is ALLOW
    assert await house.said("", Way.RECEIVE, "*") is ALLOW
    assert "Nobody but administrators" not in words(await boss.page("/permissions"))


ACTS = (
    ("/permissions/draft", [("cell", "everyone send * - inherit allow")]),
    ("/permissions/drop", []),
    ("/permissions/everyone", []),
    ("/permissions/apply", [("digest", "x")]),
    ("/permissions/undo", [("batch", "chg_x")]),
    ("/permissions/bulk", [("which", "people")]),
    ("/permissions/copy", [("from", "everyone")]),
    ("/permissions/why", [("who", "x")]),
    ("/permissions/import", []),
    ("/permissions/of/everyone", []),
    ("/permissions/of/everyone/allowance", [("soft", "1")]),
    (f"/permissions/number/{MAIN}/allowance", [("soft", "1")]),
)


@pytest.mark.parametrize("login", ["sup", "aud"])
async def test_supervisors_and_auditors_see_it_and_change_nothing(house: House, login: str):
    theirs = await house.looker(login)
    page = await theirs.page("/permissions")
    assert page.by_tag("table")[0].attributes["aria-readonly"] == "true"
    assert not [one for one in page.by_tag("input") if one.attributes.get("type") == "checkbox"]
    card = await theirs.page(f"/permissions/of/{row_id(house, 'ana')}")
    assert not [one for one in card.by_tag("input") if one.attributes.get("type") == "radio"]
    for path in ("/permissions/history", f"/permissions/why?who=ana&number={SALES}", "/permissions/files"):
        await theirs.page(path)
    for path, form in ACTS:
        assert (await theirs.post(path, form)).status == 403, path
    for path in ("/permissions/preview", "/permissions/bulk", "/permissions/copy"):
        assert (await theirs.get(path)).status == 403, path


async def test_agents_see_their_own_and_no_more(house: House):
    theirs = await house.looker("ana")
    for path in ("", "/history", "/why", "/files", "/export", "/of/everyone", f"/number/{MAIN}", "/preview"):
        assert (await theirs.get(f"/permissions{path}")).status == 403, path
    for path, form in ACTS:
        assert (await theirs.post(path, form)).status == 403, path
    page = await theirs.page("/permissions/mine")
    assert [one.attributes["href"] for one in page.by_tag("a") if "/permissions" in one.attributes.get("href", "")] == [
        "/permissions/mine"
    ]
