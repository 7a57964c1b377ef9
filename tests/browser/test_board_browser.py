"""A supervisor at the board, two agents at their work, and an administrator of queues, against the whole daemon."""

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Open
from tests.browser.driver import NARROW
from tests.browser.house import House
from tests.browser.office import JOERG, MIA
from tests.browser.phone import Phone
from tests.browser.seeds import ANA, BEN, NAMES

pytestmark = pytest.mark.asyncio(loop_scope="session")

MIAS, JOERGS = "Mia Nguyễn", "Jörg Müller-Lüdenscheidt"


def shown(phone: Phone) -> str:
    """The end of a number, as pages write it."""
    return f"{phone.number[-7:-4]} {phone.number[-4:]}"


def row(page: Page, phone: Phone) -> Locator:
    return page.locator("#board-sessions > tr", has_text=shown(phone))


def work(page: Page, phone: Phone) -> Locator:
    """The session of a phone on an agent's page, among what is theirs."""
    return page.locator("#mine .workrow", has_text=phone.number[-4:])


async def mark(page: Page) -> None:
    """Leave a mark that a reload would take away."""
    await page.evaluate("globalThis.stayed = true")


async def stayed(page: Page) -> None:
    assert await page.evaluate("globalThis.stayed === true"), "the page was loaded anew"


async def claims(agent: Page, path: str) -> None:
    """An agent takes the session of a thread."""
    await agent.goto(path)
    await agent.get_by_role("button", name="Claim").click()
    await expect(agent.get_by_role("button", name="Back to the queue")).to_be_visible()


async def test_a_supervisor_sees_who_takes_it_gives_it_to_another_and_takes_it_over(opened: Open, phone: Phone):
    boss = await opened(JOERG, "/board")
    ben, mia = await opened(BEN, "/sessions"), await opened(MIA, "/sessions")
    await mark(boss.page)
    phone.says("My heating is cold")
    path = await phone.house.threaded(phone.number)
    await expect(row(boss.page, phone)).to_contain_text("Waits for an agent")
    thread = await opened(BEN)
    await claims(thread.page, ben.base + path)
    await expect(row(boss.page, phone)).to_contain_text("With an agent")
    await expect(row(boss.page, phone)).to_contain_text(NAMES[BEN][0])
    await expect(work(ben.page, phone)).to_be_visible()
    await stayed(boss.page)

    await row(boss.page, phone).get_by_role("link", name="Give to").click()
    await boss.page.get_by_role("radio", name=MIAS).check()
    await boss.page.get_by_role("button", name="Give it to them").click()
    await expect(boss.page.locator(".banner")).to_contain_text("The session is with them now.")
    await expect(row(boss.page, phone)).to_contain_text(MIAS)
    await expect(work(mia.page, phone)).to_be_visible()
    await expect(work(ben.page, phone)).to_have_count(0)

    await row(boss.page, phone).get_by_role("button", name="Take over").click()
    await expect(row(boss.page, phone)).to_contain_text(JOERGS)
    await expect(row(boss.page, phone).get_by_role("button", name="Take over")).to_have_count(0)
    await expect(work(mia.page, phone)).to_have_count(0)


async def test_an_agent_who_is_sent_away_has_nothing_any_more_and_the_board_says_so(opened: Open, phone: Phone):
    boss, mia = await opened(JOERG, "/board"), await opened(MIA)
    phone.says("Is somebody there?")
    await claims(mia.page, mia.base + await phone.house.threaded(phone.number))
    agent = boss.page.locator("#board-agents > li", has_text=MIAS)
    await expect(agent).to_contain_text("Ready")
    await expect(row(boss.page, phone)).to_contain_text(MIAS)
    await agent.get_by_role("button", name="Set away").click()
    await expect(agent).to_contain_text("Away")
    await expect(agent.get_by_role("button")).to_have_count(0)
    await expect(row(boss.page, phone)).to_contain_text("Waits for an agent")
    page = await mia.open("/sessions")
    await page.get_by_role("button", name="I am ready").click()
    await expect(agent).to_contain_text("Ready")


async def test_a_board_is_worked_by_keyboard(opened: Open, phone: Phone):
    phone.says("By keys alone")
    await phone.house.threaded(phone.number)
    boss = await opened(JOERG, "/board")
    page = boss.page
    await expect(row(page, phone)).to_be_visible()
    await page.keyboard.press("j")
    assert await page.evaluate("document.activeElement.closest('#board-sessions') !== null")
    take = row(page, phone).get_by_role("button", name="Take over")
    await take.focus()
    await page.keyboard.press("Enter")
    await expect(row(page, phone)).to_contain_text(JOERGS)
    await row(page, phone).get_by_role("link", name="Give to").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Put it back into its queue").focus()
    await page.keyboard.press("Enter")
    await expect(row(page, phone)).to_contain_text("Waits for an agent")
    await page.keyboard.press("g")
    await page.keyboard.press("q")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Text queues")


async def test_a_board_on_a_phone_does_not_move_sideways_and_acts(opened: Open, phone: Phone):
    phone.says("From a small screen")
    await phone.house.threaded(phone.number)
    boss = await opened(JOERG, "/board", size=NARROW, touch=True)
    assert await boss.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await row(boss.page, phone).get_by_role("button", name="Take over").tap()
    await expect(row(boss.page, phone)).to_contain_text(JOERGS)


async def test_ages_grow_beside_the_times_of_a_board(opened: Open, phone: Phone):
    phone.says("How long already?")
    await phone.house.threaded(phone.number)
    boss = await opened(JOERG, "/board")
    time = row(boss.page, phone).locator("time")
    first = await time.get_attribute("data-age")
    assert first.endswith("sec")
    await expect(time).not_to_have_attribute("data-age", first)


async def test_a_queue_is_made_set_up_and_removed_and_a_fault_loses_nothing(opened: Open, house: House):
    desk = await opened(ANA, "/queues/new")
    desk.forgive("status of 422")
    page = desk.page
    await page.get_by_label("Name").fill("Night owls")
    await page.get_by_label("A session goes to").select_option("broadcast")
    await page.get_by_role("button", name="Add it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Night owls")
    await page.get_by_label("Add agents").fill("ben, mia")
    await page.get_by_label("An agent is asked for").fill("soon")
    await page.get_by_text("Nobody is free", exact=True).click()
    await page.get_by_label("Nobody is free, en").fill("We are asleep, {{ business }} wakes at eight.")
    await page.get_by_role("button", name="Save the queue").click()
    await expect(page.get_by_role("alert")).to_contain_text("Nothing is changed yet.")
    wrong = page.get_by_label("An agent is asked for")
    await expect(wrong).to_have_attribute("aria-invalid", "true")
    await expect(wrong).to_have_value("soon")
    await expect(page.get_by_label("Add agents")).to_have_value("ben, mia")
    await wrong.fill("20s")
    await page.get_by_role("button", name="Save the queue").click()
    await expect(page.get_by_role("status").first).to_contain_text("The queue is changed.")
    await expect(page.get_by_role("checkbox", name=MIAS)).to_be_checked()
    assert "We are asleep" in await page.get_by_label("Nobody is free, en").input_value()
    await page.get_by_role("link", name="Remove").click()
    await page.get_by_role("button", name="Remove the queue").click()
    await expect(page.get_by_role("status").first).to_contain_text("The queue is removed.")
