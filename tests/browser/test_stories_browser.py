"""What people do at the panel all day, in a real browser, against the whole daemon."""

import re
from collections.abc import Callable

import pytest
from playwright.async_api import Locator, Page, expect

from ringback.ports.handsets import Behaviour
from tests.browser.conftest import Open
from tests.browser.driver import Window
from tests.browser.house import House
from tests.browser.phone import Phone
from tests.browser.seeds import ANA, BEN, NAMES, PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="session")


def bubbles(page: Page) -> Locator:
    return page.locator("#entries .bubble")


async def mark(page: Page) -> None:
    """Leave a mark that a reload would take away."""
    await page.evaluate("globalThis.stayed = true")


async def stayed(page: Page) -> None:
    assert await page.evaluate("globalThis.stayed === true"), "the page was loaded anew"


async def said_first(phone: Phone, words: str = "Hello?") -> str:
    """Say something, so that there is a thread; returns its address."""
    phone.says(words)
    return await phone.house.threaded(phone.number)


async def write(window: Window, words: str) -> None:
    """Answer by keyboard."""
    box = window.page.get_by_label("Your text")
    await box.fill(words)
    await box.press("Control+Enter")


async def test_a_wrong_password_and_a_wrong_login_are_told_alike_and_the_right_ones_open(opened: Open):
    door = await opened("")
    door.forgive("status of 403")
    told = []
    for login, password in ((ANA, "wrong horse battery"), ("nobody", PASSWORD)):
        await door.log_in(login, password)
        told.append(await door.page.get_by_role("alert").inner_text())
        await expect(door.page.get_by_label("Login", exact=True)).to_have_value(login)
        await expect(door.page.get_by_label("Password", exact=True)).to_be_empty()
    assert told == ["Login or password is wrong."] * 2
    await door.log_in(ANA, PASSWORD)
    await expect(door.page.get_by_role("heading", level=1, name="Inbox")).to_be_visible()


async def test_after_the_login_one_is_where_one_wanted_to_go(opened: Open):
    door = await opened("", "/calls?group=with_text")
    await expect(door.page).to_have_url(re.compile("/login"))
    await door.page.get_by_label("Login", exact=True).fill(ANA)
    await door.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await door.page.keyboard.press("Enter")
    await expect(door.page).to_have_url(f"{door.base}/calls?group=with_text")


async def test_somebody_who_was_added_on_the_machine_may_log_in(opened: Open, house: House):
    words = ("user", "add", "dana", "--name", "Dana Ruiz", "--role", "agent", "--password-stdin")
    done = await house.command(*words, given="four loud kettles\n")
    assert done.code == 0, done.err
    door = await opened("")
    await door.log_in("dana", "four loud kettles")
    await expect(door.page.locator(".me-link")).to_contain_text("Dana Ruiz")


async def test_a_missed_call_appears_in_the_list_with_its_text(opened: Open, house: House, phone: Phone):
    desk = await opened(ANA, "/threads?view=all")
    await mark(desk.page)
    house.exchange.misses(phone.number)
    row = desk.page.locator(".item", has_text=phone.number[-4:]).filter(has_text="sorry we missed your call")
    await expect(row).to_be_visible()
    assert await desk.page.locator(".item").first.inner_text() == await row.inner_text()
    await stayed(desk.page)


async def test_a_reply_arrives_without_a_reload_and_the_title_counts(opened: Open, phone: Phone):
    path = await said_first(phone)
    thread, inbox = await opened(ANA, path), await opened(ANA, "/threads")
    await mark(thread.page)
    await mark(inbox.page)
    row = inbox.page.locator(".item", has_text=phone.number[-4:])
    await expect(row).to_contain_text("Hello?")
    phone.says("Can you come today?")
    await expect(bubbles(thread.page)).to_have_text(["Hello?", "Can you come today?"])
    await expect(row).to_contain_text("Can you come today?")
    await expect(row).to_contain_text("Waits since")
    waiting = await inbox.page.locator(".nav a[href='/threads'] .count").inner_text()
    await expect(inbox.page).to_have_title(re.compile(rf"^\({re.match('[0-9]+', waiting)[0]}\) Inbox"))
    await stayed(thread.page)
    await stayed(inbox.page)


async def test_an_answer_by_keyboard_is_seen_to_arrive(opened: Open, phone: Phone):
    phone.behaves(Behaviour.LATE)
    desk = await opened(ANA, await said_first(phone))
    await write(desk, "We come at two.")
    text = desk.page.locator(".msg.out").last
    await expect(text).to_contain_text("We come at two.")
    await expect(text).to_contain_text("Accepted")
    await mark(desk.page)
    await expect(text).to_contain_text("Delivered")
    await stayed(desk.page)
    page = await opened("", phone.path)
    await expect(page.page.locator(".bubble").last).to_have_text("We come at two.")


async def test_the_gates_answer_before_anything_is_sent(opened: Open, phone: Phone):
    desk = await opened(ANA, await said_first(phone))
    verdict, meter = desk.page.locator("#verdict"), desk.page.locator("[data-meter]")
    await expect(verdict).to_contain_text("May go now.")
    box = desk.page.get_by_label("Your text")
    await box.fill("a" * 161)
    await expect(meter).to_have_text("GSM 7-bit · 2 segments · 145 left")
    await box.fill("It’s ready")
    await expect(meter).to_have_text("Unicode · 1 segment · 60 left")
    await box.fill("It’s ready. " * 8)
    await desk.page.get_by_role("button", name="Use plain punctuation").click()
    await expect(box).to_have_value("It's ready. " * 8)
    await expect(meter).to_have_text(re.compile("GSM 7-bit · 1 segment"))
    await box.fill("x" * 2_000)
    await expect(verdict).to_contain_text("May not go.")
    await verdict.locator("summary").click()
    await expect(verdict.locator("li.no")).to_contain_text("Length.")
    assert phone.house.texts(phone.number) == []


async def test_a_stop_while_one_writes_is_seen_and_holds(opened: Open, phone: Phone):
    desk = await opened(ANA, await said_first(phone))
    desk.forgive("status of 409")
    await desk.page.get_by_label("Your text").fill("One more thing")
    phone.says("STOP")
    await expect(desk.page.locator("#verdict")).to_contain_text("May not go.")
    await expect(desk.page.locator(".pane-head .badge", has_text="Opted out")).to_be_visible()
    await expect(desk.page.get_by_label("Your text")).to_have_value("One more thing")
    await desk.page.get_by_role("button", name="Send").click()
    await expect(desk.page.get_by_role("alert")).to_contain_text("Not sent. This person said STOP")
    await expect(desk.page.get_by_label("Your text")).to_have_value("One more thing")
    assert [state for _, state in phone.house.texts(phone.number)] == ["delivered", "refused"]


async def test_two_people_see_each_others_work(opened: Open, phone: Phone):
    path = await said_first(phone)
    ana, ben = await opened(ANA, path), await opened(BEN, path)
    for one in (ana, ben):
        await expect(one.page.get_by_role("button", name="No answer needed")).to_be_visible()
    await mark(ben.page)
    await write(ana, "I take this one.")
    theirs = ben.page.locator(".msg.out").last
    await expect(theirs).to_contain_text("I take this one.")
    await expect(theirs.locator(".from")).to_have_text(NAMES[ANA][0])
    await expect(ana.page.locator(".msg.out .from").last).to_have_text("You")
    await expect(ben.page.get_by_role("button", name="No answer needed")).to_have_count(0)
    phone.says("Thanks!")
    await expect(bubbles(ana.page).last).to_have_text("Thanks!")
    await mark(ana.page)
    await ben.page.get_by_role("button", name="No answer needed").click()
    await expect(ana.page.get_by_role("button", name="No answer needed")).to_have_count(0)
    await stayed(ana.page)


async def test_what_nobody_knows_is_settled_and_taken_back(opened: Open, phone: Phone):
    phone.behaves(Behaviour.SILENT)
    desk = await opened(ANA, await said_first(phone))
    await write(desk, "Is it warm again?")
    text = desk.page.locator(".msg.out").last
    await expect(text).to_contain_text("It may have been sent.")
    await text.get_by_role("button", name="Mark as sent", exact=True).click()
    await expect(text).to_contain_text("You marked it as sent.")
    await text.get_by_role("button", name="Undo").click()
    await expect(text).to_contain_text("It may have been sent.")
    await text.get_by_role("button", name="Check again").click()
    await expect(text.get_by_role("status")).to_have_text("This carrier cannot be asked about single texts.")
    await text.get_by_role("button", name="Mark as not sent", exact=True).click()
    await expect(text).to_contain_text("You marked it as not sent.")
    tasks = await opened(ANA, "/tasks?view=done")
    await expect(tasks.page.locator(".task", has_text="Is it warm again?").first).to_contain_text("Ana")


def hasty(page: Page) -> Callable[[], object]:
    return page.get_by_role("button", name="Send").dblclick


async def test_a_double_click_sends_one_text(opened: Open, phone: Phone):
    desk = await opened(ANA, await said_first(phone))
    await desk.page.get_by_label("Your text").fill("Only once")
    await hasty(desk.page)()
    await expect(desk.page.locator(".msg.out").last).to_contain_text("Only once")
    await phone.house.becomes(lambda: phone.house.texts(phone.number) == [("Only once", "delivered")])


async def test_an_answer_that_was_lost_on_the_way_is_not_sent_twice(opened: Open, phone: Phone):
    """The text left, the connection died before the browser heard of it, and the agent sends the form again."""
    desk = await opened(ANA, await said_first(phone))
    desk.forgive("ERR_FAILED")

    async def lose(route: object) -> None:
        await route.fetch(max_redirects=0)
        await route.abort()

    await desk.page.route("**/texts**", lose)
    await write(desk, "Only once")
    await phone.house.becomes(lambda: len(phone.house.texts(phone.number)) == 1)
    await desk.page.unroute("**/texts**")
    await desk.page.reload()
    await expect(desk.page.locator(".msg.out").last).to_contain_text("Only once")
    await phone.house.becomes(lambda: phone.house.texts(phone.number) == [("Only once", "delivered")])


async def test_going_back_and_sending_the_same_form_again_is_one_text(opened: Open, phone: Phone):
    desk = await opened(ANA, await said_first(phone))
    key = await desk.page.locator("input[name=key]").input_value()
    await write(desk, "Only once")
    await expect(desk.page.locator(".msg.out").last).to_contain_text("Only once")
    await desk.page.evaluate("key => document.querySelector('input[name=key]').value = key", key)
    await write(desk, "Only once")
    await desk.page.wait_for_load_state()
    await phone.house.becomes(lambda: phone.house.texts(phone.number) == [("Only once", "delivered")])


async def test_the_switch_stops_what_is_automatic_and_nothing_else(opened: Open, house: House, phone: Phone):
    health = await opened(ANA, "/health")
    await health.page.get_by_role("button", name="Pause everything automatic").click()
    try:
        await expect(health.page.get_by_role("button", name="Resume", exact=False).first).to_be_visible()
        phone.says("Anybody there?")
        path = await house.threaded(phone.number)
        house.exchange.misses(phone.number)
        desk = await opened(BEN, path)
        await expect(desk.page.locator(".event.missed")).to_contain_text("No text-back.")
        await expect(desk.page.locator("#verdict")).to_contain_text("May go now.")
        await write(desk, "A person answers all the same.")
        await expect(desk.page.locator(".msg.out").last).to_contain_text("Delivered")
    finally:
        await health.page.get_by_role("button", name="Resume", exact=False).first.click()
    await expect(health.page.get_by_role("button", name="Pause everything automatic")).to_be_visible()


async def test_a_task_is_done_in_one_window_and_leaves_the_other(opened: Open, phone: Phone):
    await said_first(phone, "Stop, this is a private number")
    one, other = await opened(ANA, "/tasks"), await opened(BEN, "/tasks")
    task = "Stop, this is a private number"
    await expect(other.page.locator(".task", has_text=task)).to_be_visible()
    await mark(other.page)
    await one.page.locator(".task", has_text=task).get_by_role("button", name="Record an opt-out").click()
    await expect(one.page.get_by_role("status").filter(has_text="Done:")).to_be_visible()
    await expect(other.page.locator(".task", has_text=task)).to_have_count(0)
    await stayed(other.page)


async def test_an_agent_sees_no_place_that_is_not_theirs(opened: Open):
    desk = await opened(BEN, "/threads")
    desk.forgive("status of 403")
    await expect(desk.page.locator(".nav a[href='/calls']")).to_be_visible()
    await expect(desk.page.locator(".nav a[href='/users'], .nav a[href='/settings']")).to_have_count(0)
    for path in ("/users", "/settings"):
        page = await desk.open(path)
        await expect(page.get_by_role("heading", level=1)).to_have_text("You may not do this")
