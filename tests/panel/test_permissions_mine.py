"""What people see of their own rights, the history of all, and names that try to be more than names."""

from datetime import timedelta

import pytest

from ringback.core.grants import Way
from ringback.core.permissions import Role
from ringback.core.tasks import TaskKind
from ringback.panel.words import legible
from tests.panel.hostile import HOSTILE
from tests.panel.permission_house import (
    MAIN,
    SALES,
    House,
    Looker,
    apply,
    cell,
    row_id,
    words,
)


async def test_one_s_own_rights_stand_in_words_and_can_be_asked_for(house: House):
    await house.grant("Service desk", Way.RECEIVE, SALES)
    ana = await house.looker("ana")
    page = await ana.page("/permissions/mine")
    told = words(page)
    assert "102 Jörg Müller-Lüdenscheidt, 112 Aoife Ní Dhomhnaill" in told
    assert "Sales +1 202 555 0142" in told
    assert "Main line" not in told, "numbers they have nothing to do with are not named"
    assert "Miami" not in told
    for _ in range(2):
        answer = await ana.post("/permissions/ask", way="send", number=SALES)
        assert answer.headers["Location"] == "/permissions/mine?done=asked"
    assert (await ana.post("/permissions/ask", words="the fax, for the night")).status == 303
    tasks = await house.database.commit(lambda tx: tx.tasks.open())
    assert tasks[TaskKind.ASKED] == {"": 2}, "the same is asked once a day"
    assert (await ana.post("/permissions/ask", way="send", number=MAIN)).status == 404
    assert (await ana.post("/permissions/ask", way="shout", number=SALES)).status == 404
    assert (await ana.post("/permissions/ask", words=" ")).status == 422
    assert (await ana.post("/permissions/ask", words="x" * 301)).status == 422


async def test_who_may_nothing_is_told_what_to_do(house: House):
    ana = await house.looker("ana")
    assert "You may not text from any number yet" in words(await ana.page("/permissions/mine"))


async def test_the_history_is_filtered(house: House):
    await house.grant("ana", Way.SEND, MAIN)
    house.clock.move(timedelta(days=2))
    boss = await house.looker("boss")
    await boss.post("/permissions/draft", [cell(house, "olena", "allow")])
    await apply(boss, note="for the night")
    day = (house.clock.now() - timedelta(days=1)).date().isoformat()

    async def listed(query: str) -> list[str]:
        page = await boss.page(f"/permissions/history?{query}")
        return [one.words.strip() for one in page.by_tag("th") if one.attributes.get("scope") == "row"]

    assert await listed("") == ["104 Олена Шевченко", "101 Ana Kovačević"]
    assert await listed(f"who={row_id(house, 'ana')}") == ["101 Ana Kovačević"]
    assert await listed("by=jörg") == ["104 Олена Шевченко"]
    assert await listed(f"until={day}") == ["101 Ana Kovačević"]
    assert await listed("until=x&before=x&who=x") == ["104 Олена Шевченко", "101 Ana Kovačević"]
    assert await listed("by=nobody") == []


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/history?before=%C2%B2", id="a digit that is no number"),
        pytest.param("/history?before=99999999999999999999", id="a row beyond all rows"),
        pytest.param("/history?until=9999-12-31", id="the last of all days"),
        pytest.param("/preview?page=%C2%B2", id="a page that is no number"),
        pytest.param("/preview?page=99999999", id="a page beyond all pages"),
    ],
)
async def test_an_address_that_makes_no_sense_is_a_page_all_the_same(house: House, boss: Looker, path: str):
    await house.grant("ana", Way.SEND, MAIN)
    await boss.page(f"/permissions{path}")


@pytest.mark.parametrize("name", [name for name in HOSTILE if name.isascii() or name.isprintable()])
async def test_hostile_names_are_shown_as_text(house: House, boss: Looker, name: str):
    evil = await house.database.commit(
        lambda tx: tx.accounts.add("evil", name, frozenset({Role.AGENT}), "", "", house.clock.now())
    )
    await house.database.commit(lambda tx: tx.departments.add(name, None, house.clock.now()))
    await house.number("+13055550199", name[:60], f"group {name}")
    house.office.permits.forget()
    cell = f"{evil.public_id} send {MAIN} - inherit allow"
    await boss.post("/permissions/draft", [("cell", cell)])
    for path in (
        "",
        "/preview",
        f"/of/{evil.public_id}?all=1",
        "/copy",
        "/bulk",
        f"/why?who=evil&number={MAIN}",
        "/number/+13055550199",
    ):
        page = await boss.page(f"/permissions{path}")
        assert [one.attributes.get("type") for one in page.by_tag("script")] in (["module"], ["module", "module"])
        assert not [one for one in page.elements if any(key.startswith("on") for key in one.attributes)]
        assert not [one for one in page.elements if "style" in one.attributes]
        if path == "":
            assert legible(name) in [one.words for one in page.by_tag("bdi")]
