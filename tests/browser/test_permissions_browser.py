"""Who may text whom, decided in one window and felt in another, against the whole daemon.

Each test changes numbers or people that no other test looks at, or takes back what it changed.
"""

import csv
import io
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Open
from tests.browser.driver import NARROW, Window
from tests.browser.house import MAIN, House
from tests.browser.office import IVO, LIAT, MIA, NIGHT, OLGA, RENTALS, SALES
from tests.browser.phone import Phone
from tests.browser.seeds import BEN

pytestmark = pytest.mark.asyncio(loop_scope="session")

WITHIN_MS = 2_000
"""How soon an open page must follow."""
AT_CELL = "document.activeElement.matches('tbody td.tri')"


async def tab_to(page: Page, holds: str, most: int = 80) -> None:
    """Press Tab until something holds of what has the focus."""
    for _ in range(most):
        await page.keyboard.press("Tab")
        if await page.evaluate(holds):
            return
    raise AssertionError(f"never reached: {holds}")


def told(words: str) -> str:
    """That a link or a button with these words has the focus."""
    return f"document.activeElement.matches('a, button') && document.activeElement.textContent.includes({words!r})"


def pending(page: Page) -> Locator:
    return page.locator("[data-pending] b")


def rows(house: House, login: str) -> list[tuple[object, ...]]:
    """What is set for somebody: way, scope, effect."""
    return house.daemon.rows(
        f"""SELECT g.way, g.scope, g.effect FROM grant_ g JOIN account a ON a.id = g.subject_id AND g.level = 'user'
        WHERE a.login = '{login}' ORDER BY g.way, g.scope"""
    )


async def to_cell(page: Page, where: str) -> None:
    """Walk along a row until the bar over the grid names this cell."""
    for _ in range(20):
        if where in await page.locator("[data-where]").inner_text():
            return
        await page.keyboard.press("ArrowRight")
    raise AssertionError(f"never reached: {where}")


async def composer(window: Window) -> Locator:
    """An agent's open page, where something may be written."""
    box = window.page.get_by_label("Your text")
    await expect(box).to_be_visible()
    await expect(window.page.locator(".thread [data-live-help]")).to_be_hidden()
    await expect(window.page.locator("#verdict")).to_contain_text("May go now.")
    return box


async def test_by_keys_alone_a_right_is_taken_asked_about_and_given_back(opened: Open, house: House, phone: Phone):
    phone.says("Is anybody there?")
    agent = await opened(MIA, await house.threaded(phone.number))
    agent.forgive("status of 403", "status of 409")
    await composer(agent)
    chief = await opened(OLGA, "/threads")
    page, press = chief.page, chief.page.keyboard.press
    await page.keyboard.type("gp")
    await page.wait_for_url("**/permissions")
    await press("/")
    await page.keyboard.type("101")
    await press("Enter")
    await page.wait_for_url("**q=101**")
    await tab_to(page, AT_CELL)
    await press("Control+End")
    await press("Home")
    await to_cell(page, "101 Mia Nguyễn · Send · Front desk")
    await press("d")
    await expect(pending(page)).to_have_text("1 change not applied")
    assert rows(house, MIA) == [], "nothing holds before it is applied"
    await tab_to(page, told("Preview and apply"))
    await press("Enter")
    await expect(page.locator("dialog[open]")).to_contain_text("Mia Nguyễn")
    await expect(page.locator("dialog[open]")).to_contain_text("1 person has a page open and may do less afterwards.")
    await tab_to(page, "document.activeElement.name === 'note'")
    await page.keyboard.type("Trainee until Friday")
    await press("Enter")
    await expect(page.locator(".banner.ok")).to_contain_text("Applied.")
    assert rows(house, MIA) == [("send", MAIN, "deny")]
    await expect(agent.page.locator(".composer")).to_contain_text("You may not send from", timeout=WITHIN_MS)

    await tab_to(page, AT_CELL)
    await to_cell(page, "101 Mia Nguyễn · Send · Front desk")
    await press("w")
    await expect(page.locator("#answer")).to_contain_text("No.")
    await expect(page.locator("#answer")).to_contain_text("Mia Nguyễn")
    await expect(page.locator("main")).to_contain_text("“Trainee until Friday”")

    await page.keyboard.type("gp")
    await page.wait_for_url("**/permissions")
    await tab_to(page, told("History"))
    await press("Enter")
    await page.wait_for_url("**/history")
    await tab_to(page, told("Undo"))
    await press("Enter")
    await expect(page.locator(".banner.ok")).to_be_visible()
    assert rows(house, MIA) == []
    await agent.page.reload()
    await composer(agent)


async def test_what_one_may_not_see_any_more_leaves_the_open_page(opened: Open, house: House, phone: Phone):
    phone.says("A secret", to=RENTALS)
    agent = await opened(LIAT, await house.threaded(phone.number, RENTALS))
    agent.forgive("status of 404")
    await expect(agent.page.locator("#entries .bubble")).to_have_text("A secret")
    path = agent.page.url.removeprefix(agent.base)
    assert (await house.command("grant", LIAT, "receive", RENTALS, "deny")).code == 0
    try:
        await expect(agent.page.locator(".thread [data-live-help]")).to_be_visible(timeout=WITHIN_MS)
        phone.says("Another secret", to=RENTALS)
        await agent.page.locator(".thread [data-live-help]").click()
        await expect(agent.page.locator("body")).not_to_contain_text("secret")
        await agent.open(path)
        await expect(agent.page.locator("body")).not_to_contain_text("secret")
    finally:
        assert (await house.command("grant", LIAT, "receive", RENTALS, "inherit")).code == 0
    await agent.open(path)
    await expect(agent.page.locator("#entries .bubble")).to_have_text(["A secret", "Another secret"])


async def test_by_thumb_on_a_card_a_right_is_taken_and_given_back(opened: Open, house: House):
    desk = await opened(OLGA, "/more", size=NARROW, touch=True)
    page = desk.page
    await page.get_by_role("link", name="Permissions").tap()
    await expect(page.locator("[data-matrix]")).to_be_hidden()
    await page.locator(".people-narrow a", has_text="Mia Nguyễn").tap()
    one = page.locator(".grant", has_text="Sales")
    await expect(one.locator(".eff").first).to_contain_text("Allowed.")
    await one.locator(".seg").first.locator("label", has_text="Deny").tap()
    await page.get_by_role("button", name="Preview changes").tap()
    await page.get_by_label("Why (kept in the history)").fill("By thumb")
    await page.get_by_role("button", name="Apply 1 change").tap()
    await expect(page.locator(".banner.ok")).to_contain_text("Applied.")
    assert rows(house, MIA) == [("send", SALES, "deny")]
    await page.get_by_role("button", name="Undo").tap()
    await expect(page.locator(".banner.ok")).to_be_visible()
    assert rows(house, MIA) == []


async def test_who_changes_what_another_has_changed_meanwhile_is_asked(opened: Open, house: House):
    card = f"/permissions/of/{house.public_id('account', LIAT)}?all=1"
    one, other = await opened(OLGA, card), await opened(IVO, card)
    other.forgive("status of 409")
    before = rows(house, LIAT)

    async def choose(window: Window, word: str) -> None:
        number = window.page.locator(".grant", has_text="555 0143").locator(".seg").first
        await number.locator("label", has_text=word).click()
        await window.page.get_by_role("button", name="Preview changes").click()
        await expect(window.page.locator("#preview-head")).to_contain_text("1 change")

    await choose(one, "Deny")
    await choose(other, "Allow")
    await one.page.get_by_role("button", name="Apply 1 change").click()
    await expect(one.page.locator(".banner.ok")).to_contain_text("Applied.")
    await other.page.get_by_role("button", name="Apply 1 change").click()
    await expect(other.page.locator("main")).to_contain_text("Олена Шевченко-Бондаренко changed this meanwhile")
    assert ("send", NIGHT, "deny") in rows(house, LIAT)
    await other.page.get_by_label("Go over what they set").check()
    await other.page.get_by_role("button", name="Apply 1 change").click()
    await expect(other.page.locator(".banner.ok")).to_contain_text("Applied.")
    assert ("send", NIGHT, "allow") in rows(house, LIAT)
    assert (await house.command("grant", LIAT, "send", NIGHT, "inherit")).code == 0
    assert rows(house, LIAT) == before


async def test_an_agent_reads_what_they_may_and_asks_for_more(opened: Open):
    agent = await opened(BEN, "/threads")
    await agent.page.locator(".nav").get_by_role("link", name="What I may do").click()
    await expect(agent.page.get_by_role("heading", level=1)).to_have_text("What I may do")
    await expect(agent.page.locator("main")).to_contain_text("Ana Kovačević")
    mine = agent.page.locator("tbody tr", has_text="Miami desk")
    await expect(mine.locator("td").first).to_contain_text("You may not")
    await mine.locator("summary", has_text="Ask for more").click()
    await mine.get_by_role("button", name="Send texts").click()
    await expect(agent.page.get_by_role("status")).to_contain_text("Asked.")
    await agent.page.get_by_label("What you need, and what for").fill("All of Miami in storm week")
    await agent.page.get_by_role("button", name="Ask", exact=True).click()
    chief = await opened(OLGA, "/tasks")
    for asked in ("Miami desk", "All of Miami in storm week"):
        task = chief.page.locator(".task", has_text="Ben Okafor").filter(has_text=asked)
        await expect(task).to_be_visible()
        await task.locator("footer").get_by_role("button", name="Done", exact=True).click()
        await expect(task).to_have_count(0)
    agent.forgive("status of 403")
    await agent.open("/permissions")
    await expect(agent.page.get_by_role("heading", level=1)).to_have_text("You may not do this")


async def test_a_file_goes_out_and_comes_in_changed_in_one_line(opened: Open, house: House, tmp_path: Path):
    desk = await opened(IVO, "/permissions/files")
    page = desk.page
    async with page.expect_download() as download:
        await page.get_by_role("link", name="CSV", exact=True).click()
    file = tmp_path / "grants.csv"
    await (await download.value).save_as(file)
    lines = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    (changed,) = (line for line in lines if (line["who"], line["numbers"].lstrip("'")) == ("wolfgang", NIGHT))
    assert (changed["right"], changed["says"]) == ("receive", "deny")
    changed["says"] = "allow"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(changed))
        writer.writeheader()
        writer.writerows(lines)
    before = rows(house, "wolfgang")
    await page.get_by_label("CSV or XLSX").set_input_files(file)
    await page.get_by_role("button", name="Look at it").click()
    await expect(page.locator("#preview-head")).to_contain_text("1 change")
    await expect(page.locator(".diff tbody tr")).to_have_count(1)
    line = page.locator(".diff tbody tr")
    for words in ("103 Wolfgang", "0143", "Receive and read texts", "Not allowed, denied here", "Allowed, set here"):
        await expect(line).to_contain_text(words)
    assert rows(house, "wolfgang") == before
    await page.get_by_role("button", name="Discard all").click()
    await expect(page.locator("[data-pending]")).to_be_hidden()
    assert rows(house, "wolfgang") == before
