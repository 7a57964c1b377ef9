"""The permission matrix in a real browser: by keyboard alone, by mouse, on a phone, without script; how it looks."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from ringback.core.grants import Effect, Way
from ringback.panel.tokens import COOKIE
from tests.browser.driver import Window, chromium, window
from tests.browser.test_pages_browser import AXE, CONTRAST, RUN_AXE, TAGS, TOO_WIDE
from tests.fakes.hand_clock import HandClock
from tests.panel.permission_house import MAIN, MIAMI, SALES, House, large, permission_house

WIDTHS = (1440, 1024, 768, 375, 320)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as found:
        yield found


class Opened:
    """Windows of a house, each with somebody logged in; what went wrong in any of them is told at the end."""

    def __init__(self, house: House, browser: Browser) -> None:
        self.house = house
        self.browser = browser
        self.windows: list[Window] = []
        self.stack = AsyncExitStack()

    def faults(self) -> list[str]:
        return [fault for one in self.windows for fault in one.unforgiven()]

    async def __call__(self, login: str = "boss", path: str = "/permissions", **more: object) -> Page:
        found = await self.stack.enter_async_context(window(self.browser, self.house.base, **more))
        found.forgive("favicon", "status of 404")
        token = await self.house.token(login)
        # as https, since only there a cookie may be secure; the browser sends it to loopback all the same
        kept = {"name": COOKIE, "value": token, "url": found.base.replace("http:", "https:"), "secure": True}
        await found.context.add_cookies([kept])
        self.windows.append(found)
        return await found.open(path)


@pytest.fixture
async def opened(house: House, browser: Browser) -> AsyncIterator[Opened]:
    found = Opened(house, browser)
    async with found.stack:
        yield found
    assert found.faults() == []


def cell(page: Page, name: str, scope: str, way: str = "send"):
    """A cell by its row's name and its column."""
    script = """([name, scope, way]) => {
      const scopes = [...document.querySelectorAll("thead [data-scope]")];
      const ways = [...document.querySelectorAll("thead [data-way]")];
      const each = ways.length / scopes.length;
      const is_it = (one, n) => scopes[Math.floor(n / each)].dataset.scope === scope && one.dataset.way === way;
      const n = ways.findIndex(is_it);
      const tr = [...document.querySelectorAll("tbody tr")].find((one) => one.dataset.name.endsWith(name));
      return tr.querySelectorAll("td")[n];
    }"""
    return page.evaluate_handle(script, [name, scope, way])


async def look(page: Page, name: str, scope: str, way: str = "send") -> str:
    element = await cell(page, name, scope, way)
    return await element.evaluate(
        "(one) => [one.dataset.set, one.dataset.eff, one.classList.contains('changed')].join(' ')"
    )


async def settled(page: Page, count: str) -> None:
    """The server has answered: its own count of changes is shown, and no cell waits."""
    await expect(page.locator("[data-pending] b")).to_have_text(count)


async def test_a_grant_by_keyboard_alone(opened: Opened, house: House):
    page = await opened()
    press = page.keyboard.press
    await page.locator("[data-find]").focus()
    for _ in range(40):
        await press("Tab")
        if await page.evaluate("document.activeElement.matches('td')"):
            break
    await press("Control+Home")
    await press("ArrowDown")
    await press("ArrowDown")
    await expect(page.locator("[data-where]")).to_have_text("101 Ana Kovačević · Send · All numbers")
    await expect(page.locator("[data-origin]")).to_have_text("Nobody has granted it.")
    await press("a")
    await settled(page, "1 change not applied")
    assert await look(page, "Ana Kovačević", "*") == "allow allow true"
    assert await look(page, "Ana Kovačević", MIAMI) == "inherit allow false", "what follows from it is shown at once"
    await press("End")
    await press("Shift+ArrowLeft")
    await press("Shift+ArrowDown")
    assert await page.locator("td.sel").count() == 4
    await press("d")
    await settled(page, "5 changes not applied")
    await press("Control+z")
    await settled(page, "1 change not applied")
    await press("Escape")
    assert await page.locator("td.sel").count() == 0
    await press("Home")
    await press("ArrowLeft")
    assert await page.evaluate("document.activeElement.textContent") == "Ana Kovačević"
    await press("ArrowRight")
    await page.locator("[data-preview]").focus()
    await press("Enter")
    await expect(page.locator("dialog[open]")).to_be_visible()
    await page.keyboard.type("by keys")
    await press("Enter")
    await expect(page.locator(".banner.ok")).to_contain_text("Applied.")
    assert await house.said("ana", Way.SEND, "*") is Effect.ALLOW


async def test_space_turns_and_w_asks_why(opened: Opened, house: House):
    page = await opened()
    await (await cell(page, "Ana Kovačević", MAIN)).click()
    for wanted in ("allow", "deny", "inherit"):
        await page.keyboard.press("Space")
        assert (await look(page, "Ana Kovačević", MAIN)).startswith(wanted)
    await page.keyboard.press("w")
    await expect(page.locator("#answer")).to_contain_text("No.")
    assert "number=%2B12025550100" in page.url


async def test_keys_that_are_switched_off_do_nothing(opened: Opened):
    page = await opened()
    await page.evaluate("document.documentElement.dataset.keys = 'off'")
    await (await cell(page, "Ana Kovačević", MAIN)).click()
    await page.keyboard.press("a")
    assert await look(page, "Ana Kovačević", MAIN) == "inherit deny false"


async def test_a_click_chooses_and_a_second_turns(opened: Opened, house: House):
    page = await opened()
    one = await cell(page, "Ana Kovačević", SALES)
    await one.click()
    assert await look(page, "Ana Kovačević", SALES) == "inherit deny false"
    await one.click()
    await settled(page, "1 change not applied")
    assert await look(page, "Ana Kovačević", SALES) == "allow allow true"
    await page.locator("[data-cellbar] .seg label", has_text="Deny").click()
    await expect(page.locator("td.at")).to_have_attribute("data-set", "deny")
    await (await cell(page, "Олена Шевченко", SALES, "receive")).click(modifiers=["Shift"])
    assert await page.locator("td.sel").count() == 6
    await page.locator("[data-pending] button", has_text="Discard").click()
    await expect(page.locator(".banner.ok")).to_contain_text("Your changes are dropped.")
    assert await look(page, "Ana Kovačević", SALES) == "inherit deny false"


async def test_changes_survive_a_page_turn(opened: Opened):
    page = await opened(path="/permissions?rows=5")
    await (await cell(page, "Ana Kovačević", MAIN)).click()
    await page.keyboard.press("a")
    await settled(page, "1 change not applied")
    await page.get_by_role("link", name="Next rows").click()
    await settled(page, "1 change not applied")
    await page.get_by_role("link", name="Previous rows").click()
    assert await look(page, "Ana Kovačević", MAIN) == "allow allow true"


async def test_ticked_rows_are_changed_together(opened: Opened):
    page = await opened()
    await (await cell(page, "Li Wei", MIAMI)).click()
    await page.get_by_label("Tick 101 Ana Kovačević").check()
    await page.get_by_label("Tick 104 Олена Шевченко").check()
    await page.locator("[data-bulk-set=allow]").click()
    await settled(page, "2 changes not applied")
    assert await look(page, "Олена Шевченко", MIAMI) == "allow allow true"
    assert await look(page, "Li Wei", MIAMI) == "inherit deny false"
    assert "to=usr_" in await page.locator("[data-copy]").get_attribute("href")


async def test_what_the_server_refuses_is_said_and_not_kept(opened: Opened, house: House):
    page = await opened()
    await house.database.commit(lambda tx: tx.departments.remove(house.departments["Night desk"], house.clock.now()))
    house.office.permits.forget()
    opened.windows[-1].forgive("status of 400")
    async with page.expect_navigation():
        await (await cell(page, "Night desk", MAIN)).click()
        await page.keyboard.press("a")
    assert await page.locator("tr", has_text="Night desk").count() == 0


async def test_who_may_only_look_changes_nothing(opened: Opened):
    page = await opened("sup")
    await (await cell(page, "Ana Kovačević", MAIN)).click()
    await page.keyboard.press("a")
    await page.keyboard.press("Space")
    assert await look(page, "Ana Kovačević", MAIN) == "inherit deny false"
    assert await page.locator("[data-cellbar] .seg").count() == 0


async def test_a_phone_has_a_card_for_each(opened: Opened, house: House):
    page = await opened(size=(360, 740))
    await expect(page.locator("[data-matrix]")).to_be_hidden()
    await page.locator(".people-narrow a", has_text="Ana Kovačević").click()
    await (
        page.locator(".grant", has_text="All numbers").locator(".seg").first.locator("label", has_text="Allow").click()
    )
    await page.get_by_role("button", name="Preview changes").click()
    await page.get_by_role("button", name="Apply 1 change").click()
    await expect(page.locator(".banner.ok")).to_contain_text("Applied.")
    assert await house.said("ana", Way.SEND, "*") is Effect.ALLOW
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(".banner.ok")).to_contain_text("Taken back.")
    assert await house.said("ana", Way.SEND, "*") is None


async def test_without_script_everything_can_be_done(opened: Opened, house: House):
    page = await opened(script=False)
    await page.locator("tbody a", has_text="Ana Kovačević").click()
    await page.locator(".grant", has_text="All numbers").locator("input[value=deny]").first.check(force=True)
    await page.get_by_role("button", name="Preview changes").click()
    await page.get_by_label("Why (kept in the history)").fill("no script")
    await page.get_by_role("button", name="Apply 1 change").click()
    assert await house.said("ana", Way.SEND, "*") is Effect.DENY


@pytest.fixture
async def grown(tmp_path: Path, empty_sqlite: Path, clock: HandClock) -> AsyncIterator[House]:
    shutil.copy(empty_sqlite, tmp_path / "grown.db")
    async with permission_house(tmp_path / "grown.db", clock) as found:
        await large(found, 24, 16)
        yield found


async def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(grown: House, browser: Browser):
    opened = Opened(grown, browser)
    page = await opened("u0", "/permissions?rows=12&cols=4", inject=AXE)
    await (await cell(page, "Back office", "*")).click()
    await page.keyboard.press("a")
    await settled(page, "1 change not applied")
    person, desk, number = grown.public_ids["u6"], grown.public_ids["Service desk"], grown.numbers[0]
    places = (
        "?rows=12&cols=4",
        "?rows=5&cols=2&way=all&q=li",
        "/preview",
        "/history",
        f"/of/{person}",
        f"/of/{desk}?way=all",
        f"/number/{number}",
        f"/why?who={person}&number=%2B{number[1:]}",
        "/bulk",
        "/copy",
        "/files",
        "/mine",
    )
    found: dict[str, list[str]] = {}
    for place in places:
        await page.goto(f"{grown.base}/permissions{place}")
        for size in ((1440, 900), (375, 740)):
            await page.set_viewport_size({"width": size[0], "height": size[1]})
            for scheme, rules in (("light", TAGS), ("dark", CONTRAST)):
                await page.emulate_media(color_scheme=scheme)
                found[f"{place} {size[0]} {scheme}"] = await page.evaluate(RUN_AXE, rules)
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 900})
            found[f"{place} {width} wide"] = await page.evaluate(TOO_WIDE)
    await page.goto(f"{grown.base}/permissions?rows=12&cols=4")
    await page.set_viewport_size({"width": 1440, "height": 900})
    await page.locator("[data-preview]").click()
    await expect(page.locator("dialog[open] table")).to_be_visible()
    found["the dialog"] = await page.evaluate(RUN_AXE, TAGS)
    await opened.stack.aclose()
    assert {where: what for where, what in found.items() if what} == {}
    assert opened.faults() == []
