"""Agents at work: who is quicker, what is handed on, a caller who texts beside their call; by mouse, by keys, without
script, and on a phone."""

import asyncio
import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Open
from tests.browser.driver import NARROW, Window
from tests.browser.house import House
from tests.browser.office import SALES
from tests.browser.phone import Phone
from tests.browser.seeds import ANA, BEN, NAMES

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONES = {ANA: "110", BEN: "102"}
WITHIN_S = 1.0


def name_of(login: str) -> str:
    return NAMES[login][0]


def row(page: Page, box: str, phone: Phone) -> Locator:
    """A session in one of the lists of My work."""
    return page.locator(f"#{box} .workrow", has_text=phone.number[-4:])


async def waits(phone: Phone, words: str = "Is anybody there?") -> str:
    """Have somebody wait in a queue; returns the address of their thread."""
    phone.says(words)
    path = await phone.house.threaded(phone.number)
    await phone.house.becomes(lambda: state_of(phone) == "queued")
    return path


def state_of(phone: Phone) -> str:
    rows = phone.house.daemon.rows(f"SELECT state FROM session WHERE peer = '{phone.number}' ORDER BY id DESC LIMIT 1")
    return str(rows[0][0]) if rows else ""


async def claim(desk: Window, phone: Phone) -> None:
    await row(desk.page, "queued", phone).get_by_role("button", name="Claim").click()
    await expect(desk.page.locator("#session-bar")).to_contain_text("You have it.")


async def hand_to(desk: Window, login: str, note: str = "") -> None:
    """Ask a colleague to take what is on this page."""
    await desk.page.get_by_text("Hand on").click()
    choice = desk.page.locator("#hand-to option", has_text=name_of(login))
    await desk.page.get_by_label("To", exact=True).select_option(await choice.get_attribute("value"))
    await desk.page.get_by_label("Note for them").fill(note)
    await desk.page.get_by_role("button", name="Ask them").click()


async def test_who_claims_has_it_and_it_leaves_the_other_page(opened: Open, phone: Phone):
    one, other = await opened(BEN, "/sessions"), await opened(ANA, "/sessions")
    path = await waits(phone)
    for desk in (one, other):
        await expect(row(desk.page, "queued", phone)).to_contain_text("Is anybody there?")
    await claim(one, phone)
    assert one.page.url.endswith(path)
    await expect(row(other.page, "queued", phone)).to_have_count(0)
    thread = await opened(ANA, path)
    await expect(thread.page.locator("#session-bar")).to_contain_text(f"{name_of(BEN)} has it.")
    await expect(thread.page.locator("#elsewhere")).to_contain_text(f"{name_of(BEN)} has this session.")
    await expect(thread.page.locator(".note.step").last).to_contain_text(f"{name_of(BEN)} claimed it.")


async def test_what_is_written_stays_when_the_session_is_claimed(opened: Open, phone: Phone):
    desk = await opened(BEN, await waits(phone))
    box = desk.page.get_by_label("Your text")
    await box.fill("One moment, I look")
    await desk.page.get_by_role("button", name="Claim").click()
    await expect(desk.page.locator("#session-bar")).to_contain_text("You have it.")
    await expect(box).to_have_value("One moment, I look")
    await desk.page.reload()
    await expect(box).to_have_value("")


async def test_who_presses_second_is_told_who_was_quicker(opened: Open, phone: Phone):
    await waits(phone)
    late = await opened(ANA, "/sessions", script=False)
    await expect(row(late.page, "queued", phone)).to_be_visible()
    await claim(await opened(BEN, "/sessions"), phone)
    await row(late.page, "queued", phone).get_by_role("button", name="Claim").click()
    await expect(late.page.locator(".banner")).to_contain_text(f"{name_of(BEN)} was quicker, and has it now.")
    await expect(row(late.page, "queued", phone)).to_have_count(0)


async def test_two_who_press_at_once_are_one_who_has_it_and_one_who_is_told(opened: Open, phone: Phone):
    path = await waits(phone)
    desks = [await opened(who, path, script=False) for who in (ANA, BEN)]
    await asyncio.gather(*(desk.page.get_by_role("button", name="Claim").click() for desk in desks))
    told = []
    for desk in desks:
        await expect(desk.page.locator("#session-bar")).to_contain_text(re.compile("has it.|You have it."))
        told.append(await desk.page.locator("#session-bar [role=status]").inner_text())
    assert sorted("You have it." in words for words in told) == [False, True]
    assert [await desk.page.locator(".banner", has_text="was quicker").count() for desk in desks].count(1) == 1


async def test_it_is_handed_on_with_a_note_and_taken(opened: Open, phone: Phone):
    path = await waits(phone)
    mine, theirs = await opened(BEN, "/sessions"), await opened(ANA, "/sessions")
    await claim(mine, phone)
    await hand_to(mine, ANA, "Asks for the boss")
    await expect(mine.page.locator("#session-bar")).to_contain_text(f"{name_of(ANA)} is asked to take it over.")
    asked = row(theirs.page, "handed", phone)
    await expect(asked).to_contain_text("Asks for the boss")
    await expect(theirs.page.locator("#for-you")).to_contain_text(re.compile("You are asked to take .+ over"))
    await asked.get_by_role("button", name="Take it over").click()
    await expect(theirs.page.locator("#session-bar")).to_contain_text("You have it.")
    assert theirs.page.url.endswith(path)
    await expect(mine.page.locator("#session-bar")).to_contain_text(f"{name_of(ANA)} has it.")
    await expect(mine.page.locator("#elsewhere")).to_contain_text(f"{name_of(ANA)} has this session.")


async def test_what_is_not_taken_stays(opened: Open, phone: Phone):
    await waits(phone)
    mine, theirs = await opened(BEN, "/sessions"), await opened(ANA, "/sessions")
    await claim(mine, phone)
    await hand_to(mine, ANA)
    await row(theirs.page, "handed", phone).get_by_role("link").click()
    await expect(theirs.page.locator("#session-bar")).to_contain_text(f"{name_of(BEN)} asks you to take it over.")
    await theirs.page.get_by_role("button", name="I cannot").click()
    await expect(theirs.page.locator("#session-bar")).to_contain_text(f"{name_of(BEN)} has it.")
    await expect(mine.page.locator("#session-bar")).to_contain_text("You have it.")
    await expect(mine.page.locator(".note.step").last).to_contain_text(f"{name_of(ANA)} could not take it.")


async def test_what_a_queue_is_asked_to_take_is_for_all_who_serve_it_but_who_asks(opened: Open, phone: Phone):
    path = await waits(phone)
    mine, theirs = await opened(BEN, "/sessions"), await opened(ANA, "/sessions")
    await claim(mine, phone)
    await mine.page.get_by_text("Hand on").click()
    await mine.page.get_by_label("To", exact=True).select_option("main")
    await mine.page.get_by_role("button", name="Ask them").click()
    await expect(mine.page.get_by_role("button", name="Keep it")).to_be_visible()
    await expect(mine.page.get_by_role("button", name="Take it over")).to_have_count(0)
    page = await mine.open("/sessions")
    await expect(row(page, "mine", phone)).to_contain_text("Asked: main")
    await expect(row(page, "handed", phone)).to_have_count(0)
    asked = row(theirs.page, "handed", phone)
    await expect(asked).to_contain_text("asks whoever serves main to take it over.")
    await asked.get_by_role("button", name="Take it over").click()
    await expect(theirs.page.locator("#session-bar")).to_contain_text("You have it.")
    assert theirs.page.url.endswith(path)


async def test_an_offer_comes_with_its_time_and_is_taken_or_left(opened: Open, house: House, phone: Phone):
    for words in (
        ("queue", "add", "Sales texts", "strategy=longest_idle", "offer_for=30s"),
        ("queue", "member", "Sales texts", BEN),
        ("queue", "number", "Sales texts", SALES),
        ("agent", "set", BEN, "--capacity", "50"),
    ):
        done = await house.command(*words)
        assert done.code == 0, done.err
    desk = await opened(BEN, "/sessions")
    await expect(desk.page.locator("#me")).to_contain_text("Ready")
    phone.says("Do you still sell the small one?", to=SALES)
    offer = row(desk.page, "offered", phone)
    await expect(offer).to_contain_text("Do you still sell the small one?")
    await expect(offer).to_contain_text(re.compile(r"[0-9]+\s(s|min) left"))
    await expect(desk.page.locator("#for-you")).to_have_text("A session is offered to you.")
    await expect(desk.page).to_have_title(re.compile(r"^\([0-9]+\) My work"))
    await offer.get_by_role("button", name="Not now").click()
    await expect(offer).to_have_count(0)
    await claim(desk, phone)


async def test_a_text_beside_a_call_is_there_when_the_phone_is_answered(opened: Open, house: House, phone: Phone):
    """Whoever answers has what the caller wrote before them within a second, without a reload."""
    desk = await opened(BEN, "/sessions")
    await expect(desk.page.locator("[data-live-dot].ok")).to_be_visible()
    ringing = house.exchange.calls(phone.number, PHONES[BEN])
    await house.becomes(lambda: bool(house.daemon.rows(f"SELECT 1 FROM call WHERE peer = '{phone.number}'")))
    phone.says("My contract is 4471-B")
    await house.becomes(lambda: state_of(phone) == "new")
    loop = asyncio.get_running_loop()
    answered_at = loop.time()
    ringing.is_answered()
    mine = row(desk.page, "mine", phone).filter(has_text="My contract is 4471-B")
    async with asyncio.timeout(10):
        while not await mine.count():  # the browser's own waiting looks once a second at last
            await asyncio.sleep(0.02)
    took = loop.time() - answered_at
    await expect(mine).to_contain_text("In a call now")
    await mine.get_by_role("link").click()
    await expect(desk.page.locator("#live-call")).to_contain_text("On the phone with you")
    ringing.hang_up()
    await expect(desk.page.locator("#live-call")).to_be_hidden()
    await expect(desk.page.locator("#session-bar")).to_contain_text("You have it.")
    print(f"\non the page {took * 1000:.0f} ms after the answer")
    assert took < WITHIN_S


async def test_what_waits_for_an_agent_is_counted_on_every_page(opened: Open, phone: Phone):
    desk, elsewhere = await opened(BEN, "/sessions"), await opened(BEN, "/calls")
    await waits(phone)
    await claim(desk, phone)
    badge = elsewhere.page.locator(".nav a[href='/sessions'] .count")
    await expect(badge).to_be_visible()
    before = int(re.match("[0-9]+", await badge.inner_text())[0])
    await desk.page.get_by_label("Your text").fill("We come at two.")
    await desk.page.get_by_label("Your text").press("Control+Enter")
    await expect(badge).to_have_text(re.compile(rf"^{before - 1}\b") if before > 1 else re.compile(""))
    await expect(desk.page.locator("#session-bar")).to_contain_text("Their turn")


async def test_who_answers_in_a_thread_that_nobody_has_has_it(opened: Open, phone: Phone):
    desk = await opened(BEN, await waits(phone))
    await desk.page.get_by_label("Your text").fill("Yes, what is it?")
    await desk.page.get_by_label("Your text").press("Control+Enter")
    await expect(desk.page.locator("#session-bar")).to_contain_text("You have it.")
    await expect(desk.page.locator(".note.step").last).to_contain_text(f"{name_of(BEN)} answered, and has it.")


async def test_by_keys_alone(opened: Open, phone: Phone):
    await waits(phone)
    desk = await opened(BEN, "/calls")
    page = desk.page
    await page.keyboard.type("gm")
    await page.wait_for_url("**/sessions")
    button = row(page, "queued", phone).get_by_role("button", name="Claim")
    await expect(button).to_be_visible()
    for _ in range(200):
        await page.keyboard.press("Tab")
        if await button.evaluate("one => one === document.activeElement"):
            break
    await page.keyboard.press("Enter")
    await expect(page.locator("#session-bar")).to_contain_text("You have it.")
    await page.get_by_text("Hand on").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("To", exact=True)).to_be_visible()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Dismiss").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#session-bar")).to_contain_text("Dismissed")


async def test_j_and_k_walk_what_waits(opened: Open, phone: Phone):
    await waits(phone)
    desk = await opened(BEN, "/sessions")
    await expect(row(desk.page, "queued", phone)).to_be_visible()
    await desk.page.keyboard.press("j")
    first = desk.page.locator(".workrow .who > a").first
    assert await first.evaluate("one => one === document.activeElement")


async def test_without_script_everything_but_what_is_live(opened: Open, phone: Phone):
    path = await waits(phone)
    desk = await opened(BEN, "/sessions", script=False)
    await claim(desk, phone)
    page = desk.page
    await hand_to(desk, ANA)
    await page.get_by_role("button", name="Keep it").click()
    await page.get_by_role("button", name="Back to the queue").click()
    await expect(page.locator("#session-bar")).to_contain_text("Waits for an agent")
    await page.get_by_role("button", name="Claim").click()
    await page.get_by_role("button", name="End", exact=True).click()
    await expect(page.locator("#session-bar")).to_be_hidden()
    assert page.url.endswith(path)
    await expect(page.locator(".note.step").last).to_contain_text(f"{name_of(BEN)} ended it.")


async def test_ready_and_away(opened: Open):
    desk, other = await opened(BEN, "/sessions"), await opened(BEN, "/sessions")
    await desk.page.get_by_role("button", name="I am away").click()
    try:
        for page in (desk.page, other.page):
            await expect(page.locator("#me")).to_contain_text("You said so here")
    finally:
        await desk.page.get_by_role("button", name="I am ready").click()
    await expect(other.page.locator("#me")).to_contain_text("New sessions come to you.")


async def test_on_a_phone(opened: Open, phone: Phone):
    await waits(phone)
    desk = await opened(BEN, "/sessions", size=NARROW, touch=True)
    await row(desk.page, "queued", phone).get_by_role("button", name="Claim").tap()
    await expect(desk.page.locator("#session-bar")).to_contain_text("You have it.")
    await desk.page.get_by_text("Hand on").tap()
    ask = desk.page.get_by_role("button", name="Ask them")
    box = await ask.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= NARROW[0]
    assert box["height"] >= 36
