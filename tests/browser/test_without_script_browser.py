"""The same work in a browser that runs no script: only what is live is missing."""

import pytest
from playwright.async_api import expect

from ringback.ports.handsets import Behaviour
from tests.browser.conftest import Open
from tests.browser.house import House
from tests.browser.office import OLGA
from tests.browser.phone import Phone
from tests.browser.places import PLACES
from tests.browser.seeds import ANA, BEN, PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_log_in_read_answer_and_log_out(opened: Open, house: House, phone: Phone):
    phone.says("Is anybody there?")
    await house.threaded(phone.number)
    desk = await opened("", script=False)
    await desk.log_in(BEN, PASSWORD)
    page = desk.page
    await page.locator(".item", has_text=phone.number[-4:]).click()
    await expect(page.locator("#entries .bubble")).to_have_text(["Is anybody there?"])
    await page.get_by_label("Your text").fill("Yes, what is it?")
    await page.get_by_role("button", name="Check").click()
    await expect(page.locator("#verdict")).to_contain_text("May go now.")
    await expect(page.get_by_label("Your text")).to_have_value("Yes, what is it?")
    assert house.texts(phone.number) == []
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#entries .bubble")).to_have_text(["Is anybody there?", "Yes, what is it?"])
    await house.becomes(lambda: house.texts(phone.number) == [("Yes, what is it?", "delivered")])
    await page.reload()
    await expect(page.locator(".msg.out")).to_contain_text("Delivered")
    await page.locator(".nav").get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
    await desk.open("/threads")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Log in")


async def test_settle_a_text_and_take_it_back(opened: Open, house: House, phone: Phone):
    phone.behaves(Behaviour.SILENT)
    phone.says("Did you write?")
    desk = await opened(ANA, await house.threaded(phone.number), script=False)
    page = desk.page
    await page.get_by_label("Your text").fill("We did.")
    await page.get_by_role("button", name="Send").click()
    await house.becomes(lambda: house.texts(phone.number) == [("We did.", "unconfirmed")])
    await page.reload()
    text = page.locator(".msg.out")
    await text.get_by_role("button", name="Mark as sent", exact=True).click()
    await expect(text).to_contain_text("You marked it as sent.")
    await text.get_by_role("button", name="Undo").click()
    await expect(text).to_contain_text("It may have been sent.")
    await page.get_by_text("Record an opt-out").click()
    await page.get_by_label("How they said it").fill("on the phone")
    await page.get_by_role("button", name="No more texts to them").click()
    await expect(page.locator("#about")).to_contain_text("Texts: no")
    await expect(page.locator("#about")).to_contain_text("on the phone")


async def test_pause_one_rule_and_lift_it(opened: Open, house: House):
    page = (await opened(ANA, "/health", script=False)).page
    await page.get_by_label("Only texts of rule").select_option("voicemail")
    await page.locator("form", has=page.get_by_label("Only texts of rule")).get_by_role("button", name="Pause").click()
    await expect(page.get_by_text("Rule voicemail").first).to_be_visible()
    await page.get_by_role("button", name="Resume").first.click()
    await expect(page.get_by_role("button", name="Resume")).to_have_count(0)


async def test_the_person_beside_a_thread_opens_by_a_link(opened: Open, house: House, phone: Phone):
    phone.says("Hello")
    desk = await opened(ANA, await house.threaded(phone.number), script=False, size=(360, 740))
    about = desk.page.locator("#about")
    await expect(about).to_be_hidden()
    await desk.page.get_by_role("link", name="About this person").click()
    await expect(about).to_be_visible()
    await about.get_by_role("link", name="Close").click()
    await expect(about).to_be_hidden()


async def test_the_theme_is_chosen_by_a_form(opened: Open):
    desk = await opened(ANA, "/calls?group=with_text", script=False)
    await desk.page.locator(".nav").get_by_role("button", name="Theme: as the system").click()
    await expect(desk.page.locator("html")).to_have_attribute("data-theme", "light")
    await expect(desk.page.get_by_role("heading", level=1)).to_have_text("Calls")


async def test_every_page_says_what_it_is(opened: Open, house: House):
    desk = await opened(ANA, script=False, size=(360, 740))
    desk.forgive("status of 404")
    for find in PLACES.values():
        page = await desk.open(find(house))
        await expect(page.locator("h1:visible")).to_have_count(1)


async def test_a_right_is_taken_on_a_card_and_given_back(opened: Open, house: House):
    desk = await opened(OLGA, "/permissions", script=False)
    page = desk.page
    await expect(page.locator(".noscript")).to_contain_text("Open a name")
    await page.locator("tbody th a", has_text="Jörg").click()
    choice = page.locator(".grant", has_text="Sales").locator(".seg").last
    await choice.locator("label", has_text="Deny").click()
    await page.get_by_role("button", name="Preview changes").click()
    await expect(page.locator(".diff tbody tr")).to_contain_text("Not allowed, denied here")
    await page.get_by_role("button", name="Apply 1 change").click()
    await expect(page.locator(".banner.ok")).to_contain_text("Applied.")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(".banner.ok")).to_be_visible()
    await page.locator("tbody th a", has_text="Jörg").click()
    await expect(choice.get_by_label("Inherit")).to_be_checked()
