"""Changing permissions by forms: cards, allowances, why, bulk edits and copies."""

import pytest

from ringback.core.grants import Cell, Effect, Way
from tests.panel.permission_house import (
    MAIN,
    MIAMI,
    SALES,
    House,
    Looker,
    Told,
    apply,
    row_id,
    words,
)

ALLOW, DENY = Effect.ALLOW, Effect.DENY


async def test_a_card_changes_what_was_chosen_otherwise(house: House, boss: Looker):
    await house.grant("Service desk", Way.RECEIVE, SALES)
    path = f"/permissions/of/{row_id(house, 'ana')}"
    page = await boss.page(f"{path}?all=1")
    assert "The department Service desk allows it for this number." in words(page)
    fields = [
        (one.attributes["name"], one.attributes["value"])
        for one in page.by_tag("input")
        if one.attributes.get("type") == "hidden"
    ]
    chosen = {
        one.attributes["name"]: one.attributes["value"] for one in page.by_tag("input") if "checked" in one.attributes
    }
    chosen[f"set send {MIAMI} -"] = "allow"
    answer = await boss.post(path, [*[pair for pair in fields if pair[0] != "csrf"], *chosen.items()])
    assert answer.headers["Location"] == "/permissions/preview"
    drafts = await house.office.read.drafts(house.people["boss"].id)
    assert [(one.cell, one.effect) for one in drafts] == [(Cell(house.subject("ana"), Way.SEND, MIAMI), ALLOW)]
    assert "Not applied yet." in words(await boss.page(path))


async def test_a_card_shows_first_what_matters(house: House, boss: Looker):
    await house.grant("ana", Way.SEND, MIAMI)
    path = f"/permissions/of/{row_id(house, 'ana')}"
    assert "Main line" not in words(await boss.page(path))
    assert "Miami desk" in words(await boss.page(path))
    assert "Main line" in words(await boss.page(f"{path}?all=1"))
    assert "Main line" in words(await boss.page(f"{path}?n=main"))
    for nobody in ("usr_nobody", "dep_nobody", "x"):
        assert (await boss.get(f"/permissions/of/{nobody}")).status == 404


@pytest.mark.parametrize(
    "path",
    ["/permissions/of/{ana}", "/permissions/of/{desk}", "/permissions/of/everyone", f"/permissions/number/{MAIN}"],
)
async def test_an_allowance_is_set_and_taken_away(house: House, boss: Looker, path: str):
    await boss.page("/permissions")
    path = path.format(ana=row_id(house, "ana"), desk=row_id(house, "Service desk"))
    done = await boss.post(f"{path}/allowance", soft="300", hard="400")
    assert done.headers["Location"] == f"{path}?done=allowance"
    (kept,) = await house.office.read.allowances()
    assert (kept.soft, kept.hard) == (300, 400)
    page = await boss.page(done.headers["Location"])
    assert "0 used this month" in words(page)
    await boss.post(f"{path}/allowance", soft="", hard="")
    assert await house.office.read.allowances() == []


@pytest.mark.parametrize(
    ("soft", "hard", "field"),
    [
        ("x", "", "soft"),
        ("-1", "", "soft"),
        ("", "1e9", "hard"),
        ("9" * 40, "", "soft"),
        ("500", "400", "hard"),
        ("²", "", "soft"),
    ],
)
async def test_an_allowance_that_makes_no_sense_names_its_field(
    house: House, boss: Looker, soft: str, hard: str, field: str
):
    answer = await boss.post("/permissions/of/everyone/allowance", soft=soft, hard=hard)
    page = Told(await answer.text())
    assert answer.status == 422
    (wrong,) = [one for one in page.by_tag("input") if one.attributes.get("aria-invalid")]
    assert wrong.attributes["id"] == field
    assert await house.office.read.allowances() == []


async def test_a_number_shows_who_has_what_set(house: House, boss: Looker):
    await house.grant("Service desk", Way.SEND, f"group:{house.groups['Washington']}")
    await house.grant("ana", Way.SEND, MAIN, DENY)
    page = words(await boss.page(f"/permissions/number/{MAIN}"))
    assert "101 Ana Kovačević Send texts" in page
    assert "All of Washington" in page
    assert (await boss.get("/permissions/number/+19995550000")).status == 404


async def test_why_names_who_decided_and_offers_the_smallest_change(house: House, boss: Looker):
    await house.grant("Night desk", Way.SEND, SALES, DENY)
    await house.grant("Service desk", Way.SEND, "*", ALLOW)
    page = await boss.page(f"/permissions/why?who=104&way=send&number={SALES[1:]}")
    told = words(page)
    assert "No. 104 Олена Шевченко may not send from Sales +1 202 555 0142." in told
    assert "Night desk: deny" in told
    assert "Service desk: allow" in told
    assert "seed" in told
    offers = [one.words for one in page.by_tag("button") if one.attributes.get("name") == "remedy"]
    assert offers == ["Allow it for 104 Олена Шевченко only", "Take away what Night desk says (1 person)"]
    form = {"who": row_id(house, "olena"), "way": "send", "class": "", "number": SALES, "remedy": "1"}
    assert (await boss.post("/permissions/why", form)).headers["Location"] == "/permissions/preview"
    drafts = await house.office.read.drafts(house.people["boss"].id)
    assert [(one.cell, one.effect) for one in drafts] == [(Cell(house.subject("Night desk"), Way.SEND, SALES), None)]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        pytest.param("", "Who, and which number?", id="nothing asked"),
        pytest.param("who=nobody&number=sales", "Nobody is called that.", id="an unknown name"),
        pytest.param("who=101&number=999999", "None of our numbers is like that.", id="an unknown number"),
        pytest.param("who=a&number=sales", "Which of them?", id="more than one"),
        pytest.param("who=102&number=sales", "Yes. 102 Jörg", id="an administrator may"),
        pytest.param("who=aud&number=sales", "This role does not include it", id="a role that does not include it"),
        pytest.param("who=101&number=*&way=export", "Take texts away", id="all numbers, another right"),
    ],
)
async def test_why_answers_as_well_as_it_can(boss: Looker, query: str, says: str):
    assert says in words(await boss.page(f"/permissions/why?{query}"))


async def test_all_that_match_are_changed_at_once(house: House, boss: Looker):
    await boss.page("/permissions")
    desk = row_id(house, "Service desk")
    page = await boss.page(f"/permissions/bulk?dept={desk}")
    assert "People 2" in words(page)
    form = [
        ("which", "people"),
        ("number", MIAMI),
        ("right", "send"),
        ("right", "receive"),
        ("class", ""),
        ("effect", "allow"),
    ]
    assert (await boss.post(f"/permissions/bulk?dept={desk}", form)).headers["Location"] == "/permissions/preview"
    await apply(boss)
    for name in ("ana", "olena"):
        assert await house.said(name, Way.SEND, MIAMI) is ALLOW
        assert await house.said(name, Way.RECEIVE, MIAMI) is ALLOW
    assert await house.said("sup", Way.SEND, MIAMI) is None
    again = await boss.post(f"/permissions/bulk?dept={desk}", form)
    assert (again.status, "They say so already" in await again.text()) == (422, True)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        pytest.param(
            [("which", "people"), ("number", "x"), ("right", "send"), ("effect", "allow")],
            "Choose one of our numbers",
            id="no number",
        ),
        pytest.param(
            [("which", "people"), ("number", "*"), ("effect", "allow")], "Choose at least one right", id="no right"
        ),
        pytest.param(
            [("which", "people"), ("number", "*"), ("right", "send"), ("effect", "x")], "Choose one of", id="no effect"
        ),
        pytest.param(
            [("which", "departments"), ("number", "*"), ("right", "send"), ("effect", "deny")],
            "Nobody matches",
            id="nobody",
        ),
    ],
)
async def test_a_bulk_edit_says_what_is_missing(boss: Looker, form, says: str):
    answer = await boss.post("/permissions/bulk?q=wei", form)
    assert (answer.status, says in await answer.text()) == (422, True)


async def test_rights_are_copied(house: House, boss: Looker):
    await house.grant("ana", Way.SEND, MAIN)
    await house.grant("sup", Way.SEND, SALES)
    ana, sup = row_id(house, "ana"), row_id(house, "sup")
    page = await boss.page(f"/permissions/copy?to={sup}")
    assert [one.attributes["value"] for one in page.by_tag("input") if "checked" in one.attributes] == [sup]
    assert (await boss.post("/permissions/copy", [("from", ana), ("to", sup)])).status == 303
    await apply(boss)
    assert await house.said("sup", Way.SEND, MAIN) is ALLOW
    assert await house.said("sup", Way.SEND, SALES) is None
    for form, says in (([("to", sup)], "Choose whose rights"), ([("from", ana), ("to", ana)], "Choose at least one")):
        answer = await boss.post("/permissions/copy", form)
        assert (answer.status, says in await answer.text()) == (422, True)
