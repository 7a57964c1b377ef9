"""Getting in, in a real browser: the second factor by keyboard alone, a link for a password, and how the pages look."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from pyotp import TOTP

from ringback.config.logins import Oidc
from ringback.core.permissions import Role
from ringback.directories.oidc import OidcDirectory
from ringback.flow.factors import Demand
from tests.browser.driver import NARROW, WIDE, Window, chromium, window
from tests.browser.test_pages_browser import AXE, RUN_AXE, TAGS, TOO_WIDE
from tests.fakes.hand_clock import HandClock
from tests.panel.browser import PASSWORD, Doorway, doorway

OTHER = "another horse battery"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as found:
        yield found


@pytest.fixture
async def house(tmp_path: Path, empty_sqlite: Path, clock: HandClock) -> AsyncIterator[Doorway]:
    shutil.copy(empty_sqlite, tmp_path / "ringback.db")
    sending = OidcDirectory(Oidc.model_validate({"issuer": "http://127.0.0.1:9", "client_id": "x"}), clock)
    path = tmp_path / "ringback.db"
    async with doorway(path, clock, demand=Demand.ADMINISTRATORS, sending=sending) as found:
        await found.add("ana")
        await found.add("ben", Role.AGENT)
        yield found


@pytest.fixture
async def opened(house: Doorway, browser: Browser, tmp_path: Path):
    stack, windows = AsyncExitStack(), []

    async def open_one(path: str, **more: object) -> Page:
        found: Window = await stack.enter_async_context(window(browser, house.base, **more))
        found.forgive("status of 40[34]", "status of 422", "favicon")
        windows.append(found)
        return await found.open(path)

    async with stack:
        yield open_one
    assert [fault for one in windows for fault in one.unforgiven()] == []


async def look(page: Page, name: str, tmp_path: Path) -> None:
    """Axe finds nothing, nothing is too wide, in both colours and sizes."""
    folder = Path(os.environ.get("LOOKS", tmp_path))
    faults = []
    for width, height in (WIDE, NARROW):
        await page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            faults += [
                f"{name} {width} {scheme}: {one}"
                for one in await page.evaluate(RUN_AXE, {"type": "tag", "values": TAGS})
            ]
            faults += [f"{name} {width}: {one}" for one in await page.evaluate(TOO_WIDE)]
            await page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
    assert faults == []


async def type_login(page: Page, login: str = "ana", password: str = PASSWORD) -> None:
    """With the keyboard, from where the page puts it."""
    await page.keyboard.type(login)
    await page.keyboard.press("Tab")
    await page.keyboard.type(password)
    await page.keyboard.press("Enter")


async def tab_to(page: Page, name: str) -> None:
    """Walk until the focus is on what has this name."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        said = "(document.activeElement.innerText || document.activeElement.labels?.[0]?.innerText || '').trim()"
        if await page.evaluate(said) == name:
            return
    raise AssertionError(f"the keyboard does not reach {name!r}")


async def set_up(page: Page, house: Doorway) -> TOTP:
    await expect(page.get_by_role("button", name="Begin")).to_be_visible()
    await tab_to(page, "Begin")
    await page.keyboard.press("Enter")
    await expect(page.locator("svg.qr")).to_be_visible()
    letters = await page.locator("pre.paste").inner_text()
    machine = TOTP(letters.replace(" ", "").strip())
    await tab_to(page, "Code")
    await page.keyboard.type(machine.at(house.clock.now()))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Codes on paper")).to_be_visible()
    return machine


async def test_a_second_factor_is_set_up_and_used_by_keyboard_alone(house: Doorway, opened, tmp_path: Path):
    page = await opened("/login?next=/users", inject=AXE)
    await look(page, "login", tmp_path)
    await type_login(page)
    await expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    await look(page, "factor-owed", tmp_path)
    await tab_to(page, "Begin")
    await page.keyboard.press("Enter")
    await expect(page.locator("svg.qr")).to_be_visible()
    box = await page.locator("svg.qr").bounding_box()
    assert box["width"] == box["height"] >= 150
    await look(page, "factor-scan", tmp_path)
    letters = await page.locator("pre.paste").inner_text()
    machine = TOTP(letters.replace(" ", "").strip())
    await tab_to(page, "Code")
    await page.keyboard.type("000000")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("This code is wrong, or was used before.")).to_be_visible()
    await look(page, "factor-wrong", tmp_path)
    await page.get_by_label("Code", exact=True).focus()
    await page.keyboard.type(machine.at(house.clock.now()))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Codes on paper")).to_be_visible()
    codes = await page.locator("ol.codes code").all_inner_texts()
    assert len(codes) == 10
    await look(page, "factor-codes", tmp_path)
    await tab_to(page, "I have written them down")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/threads")
    await page.goto(f"{house.base}/profile/second-factor")
    await look(page, "factor-on", tmp_path)
    await page.goto(f"{house.base}/profile")
    await look(page, "profile", tmp_path)
    house.clock.move(timedelta(seconds=30))
    other = await opened("/login?next=/users", inject=AXE)
    await type_login(other)
    await expect(other.get_by_role("heading", name="Your code")).to_be_visible()
    await look(other, "login-code", tmp_path)
    await other.keyboard.type("000000")
    await other.keyboard.press("Enter")
    await expect(other.get_by_role("alert")).to_contain_text("The code is wrong")
    await look(other, "login-code-wrong", tmp_path)
    await other.keyboard.type(machine.at(house.clock.now()))
    await other.keyboard.press("Enter")
    await other.wait_for_url("**/users")


async def test_an_administrator_makes_a_link_and_somebody_uses_it(house: Doorway, opened, tmp_path: Path):
    page = await opened("/login?next=/users", inject=AXE)
    await type_login(page)
    await set_up(page, house)
    ben = await house.database.commit(lambda tx: tx.accounts.find("ben"))
    await page.goto(f"{house.base}/users/{ben.public_id}")
    await look(page, "user", tmp_path)
    await tab_to(page, "Make a link")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="A link for a password")).to_be_visible()
    link = (await page.locator("pre").inner_text()).strip()
    await look(page, "reset-made", tmp_path)
    other = await opened(link.removeprefix(house.base), inject=AXE)
    await look(other, "reset", tmp_path)
    await other.get_by_label("New password").focus()
    await other.keyboard.type("password12")
    await other.keyboard.press("Enter")
    await expect(other.locator(".error")).to_be_visible()
    await other.get_by_label("New password").fill(OTHER)
    await other.keyboard.press("Enter")
    await expect(other.get_by_text("Your password is set. Log in with it.")).to_be_visible()
    await look(other, "login-after-reset", tmp_path)
    await type_login(other, "ben", OTHER)
    await other.wait_for_url(lambda url: "/login" not in url)
    await other.goto(link)
    await expect(other.get_by_role("alert")).to_contain_text("This link does not work")
    await look(other, "reset-none", tmp_path)
