"""Every page: axe-core finds nothing, nothing is wider than the screen, and the keyboard reaches all of it."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib.resources import files

import pytest
from playwright.async_api import Page, expect

from ringback.panel.operations import OPERATIONS
from tests.browser.conftest import Open
from tests.browser.driver import NARROW, PATIENCE_MS, WIDE, Window
from tests.browser.house import House
from tests.browser.phone import Phone
from tests.browser.places import NO_PAGE, OPEN, PLACES, Find, without_place
from tests.browser.seeds import ANA

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVERYWHERE = {**PLACES, **OPEN}
WIDTHS = (1440, 1024, 768, 360, 320)
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CONTRAST = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
"""Other colours change nothing else."""
RUN_AXE = """async (rules) => {
  const found = await axe.run(document, { runOnly: rules, resultTypes: ["violations"] });
  const told = (fault, node) => `${fault.id}: ${node.target} ${node.failureSummary}`;
  return found.violations.flatMap((fault) => fault.nodes.map((node) => told(fault, node)));
}"""
TOO_WIDE = """() => {
  const wide = document.documentElement.clientWidth;
  if (document.scrollingElement.scrollWidth <= wide) return [];
  const out = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > wide + 1);
  const told = out.slice(0, 8).map((one) => one.outerHTML.slice(0, 120));
  return [`${document.scrollingElement.scrollWidth} of ${wide} px`, ...told];
}"""


async def test_every_page_of_the_table_of_operations_is_among_these(house: House):
    paths = [find(house) for find in EVERYWHERE.values()]
    assert without_place(paths) == []
    gone = [path for path in paths if not path.startswith("/departments/")]
    assert without_place(gone) == ["/departments/{id}", "/departments/{id}/remove"], "so that this can fail"
    assert [path for path in NO_PAGE if path not in {row.path for row in OPERATIONS}] == []


async def look_at(opened: Open, house: House, name: str, find: Find, **more: object) -> Window:
    who = "" if name in OPEN else ANA
    seen = await opened(who, **more)
    seen.forgive("status of 404")
    await seen.open(find(house))
    await expect(seen.page.locator("[data-live-help]:not([hidden])")).to_have_count(0)
    return seen


async def open_all(page: Page) -> None:
    """Unfold what can be unfolded, since it is there for those who look."""
    await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


@pytest.mark.parametrize(("name", "find"), EVERYWHERE.items(), ids=EVERYWHERE)
async def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    opened: Open, house: House, name: str, find: Find
):
    seen = await look_at(opened, house, name, find, inject=AXE)
    found: dict[str, list[str]] = {}
    await open_all(seen.page)
    for size in (WIDE, NARROW):
        await seen.size(*size)
        for colours, rules in (("light", TAGS), ("dark", CONTRAST)):
            await seen.in_colours(colours)
            found[f"{size[0]} {colours}"] = await seen.page.evaluate(RUN_AXE, rules)
    for width in WIDTHS:
        await seen.size(width)
        found[f"{width} wide"] = await seen.page.evaluate(TOO_WIDE)
    assert {where: faults for where, faults in found.items() if faults} == {}


async def test_longer_words_fit_too(opened: Open, house: House):
    """In Spanish most words are longer than in English."""
    seen = await opened(ANA, locale="es-ES", size=(320, 640))
    seen.forgive("status of 404")
    found: dict[str, list[str]] = {}
    for name, find in PLACES.items():
        page = await seen.open(find(house))
        await open_all(page)
        assert await page.locator("html").get_attribute("lang") == "es"
        found[name] = await page.evaluate(TOO_WIDE)
    assert {name: wide for name, wide in found.items() if wide} == {}


REACHABLE = """() => {
  const all = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const shown = [...document.querySelectorAll(all)].filter((one) => one.checkVisibility({ visibilityProperty: true }));
  const radios = new Set();
  const wanted = shown.filter((one) => {
    if (one.disabled || one.closest("dialog:not([open])")) return false;
    // a grid is one stop for Tab; inside of it one walks by arrows
    if (one.closest("[role=grid]") && one.tabIndex < 0) return false;
    // of radios that belong together one is reached by Tab, the others by arrows
    if (one.type !== "radio") return true;
    const first = !radios.has(one.name);
    radios.add(one.name);
    return first;
  });
  wanted.forEach((one) => { one.wanted = true; });
  const missed = () => wanted.filter((one) => !one.reached && one.type !== "radio");
  globalThis.missed = () => missed().map((one) => one.outerHTML.slice(0, 150));
  return wanted.length;
}"""
FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  one.reached = true;
  const drawn = (style) => (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2);
  const around = one.closest(".box");
  const shadow = around && getComputedStyle(around).boxShadow !== "none";
  const sight = drawn(getComputedStyle(one)) || shadow;
  const at = one.getBoundingClientRect();
  const inside = at.right > 0 && at.left < innerWidth && at.bottom > 0 && at.top < innerHeight;
  return [one.outerHTML.slice(0, 150), Boolean(sight), inside];
}"""
BY_KEYS = (
    "inbox",
    "sessions",
    "thread-unconfirmed",
    "calls",
    "call",
    "tasks",
    "health",
    "settings",
    "users",
    "user",
    "profile",
    "handset",
    "permissions",
    "permissions-preview",
    "permissions-why-not",
    "permissions-card",
    "permissions-mine",
    "department",
    "number-owned",
    "lists",
)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", BY_KEYS)
async def test_tab_reaches_everything_and_shows_where_it_is(
    opened: Open, house: House, name: str, size: tuple[int, int]
):
    seen = await look_at(opened, house, name, EVERYWHERE[name], size=size)
    wanted = await seen.page.evaluate(REACHABLE)
    visible: set[str] = set()
    focused: set[str] = set()
    for _ in range(wanted + 10):
        await seen.page.keyboard.press("Tab")
        here = await seen.page.evaluate(FOCUSED)
        if here is None:
            break
        what, drawn, inside = here
        focused.add(what)
        if drawn and inside:
            visible.add(what)
    assert wanted > 3
    assert await seen.page.evaluate("missed()") == []
    assert focused - visible == set()


async def test_the_first_key_skips_to_the_page(opened: Open):
    seen = await opened(ANA, "/calls")
    await seen.page.keyboard.press("Tab")
    skip = seen.page.get_by_role("link", name="Skip to the page")
    assert await skip.evaluate("one => one === document.activeElement && one.getBoundingClientRect().top >= 0")
    await seen.page.keyboard.press("Enter")
    assert await seen.page.evaluate("document.activeElement.id") == "main"


async def test_keys_go_places_walk_the_list_and_can_be_switched_off(opened: Open, house: House):
    seen = await opened(ANA, "/threads?view=all")
    page = seen.page
    for keys, path in (("gc", "/calls"), ("gt", "/tasks"), ("gh", "/health"), ("gi", "/threads")):
        await page.keyboard.type(keys)
        await page.wait_for_url(f"**{path}")
    await page.keyboard.press("j")
    first = page.locator(".item").first
    assert await first.evaluate("one => one === document.activeElement")
    await page.keyboard.press("j")
    await page.keyboard.press("k")
    assert await first.evaluate("one => one === document.activeElement")
    await page.keyboard.press("?")
    assert await page.locator("#keys").evaluate("one => one.open")
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await page.keyboard.type("gc")
    assert await page.get_by_label("Search texts and numbers").input_value() == "gc"
    assert page.url.endswith("/threads")
    await seen.open("/profile")
    await page.get_by_role("button", name="Switch the keys off").click()
    await page.keyboard.type("gc")
    await page.get_by_role("button", name="Switch the keys on").wait_for()
    assert "/profile" in page.url


async def test_the_theme_is_kept_and_nothing_flashes(opened: Open):
    seen = await opened(ANA, "/calls")
    await seen.in_colours("light")

    async def shown() -> str:
        return await seen.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")

    light = await shown()
    await seen.page.get_by_role("button", name="Theme: as the system").click()
    await seen.page.get_by_role("button", name="Theme: light").click()
    dark = await shown()
    assert dark != light
    await seen.open("/tasks")
    assert await seen.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert await shown() == dark


async def becomes(look: Callable[[], Awaitable[float]], holds: Callable[[float], bool]) -> None:
    """Wait until what is measured is as it should be; the page's policy keeps the browser from waiting for us."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while not holds(await look()):
            await asyncio.sleep(0.02)


async def test_a_reply_grows_a_page_that_somebody_reads_further_up_without_moving_it(opened: Open, phone: Phone):
    for n in range(25):
        phone.says(f"line {n}")
    path = await phone.house.threaded(phone.number)
    seen = await opened(ANA, path)
    await seen.page.locator("#entries .bubble", has_text="line 24").wait_for()
    line = seen.page.locator(".timeline")

    async def scrolled() -> float:
        return await line.evaluate("one => one.scrollTop")

    await line.hover()
    await seen.page.mouse.wheel(0, -500)
    await becomes(scrolled, lambda top: top < -400)
    above = await line.evaluate("one => one.scrollHeight + one.scrollTop")
    phone.says("one more")
    await seen.page.get_by_role("button", name="1 new").wait_for()
    assert await scrolled() < -400
    assert abs(await line.evaluate("one => one.scrollHeight + one.scrollTop") - above) < 120
    await seen.page.get_by_role("button", name="1 new").click()
    await becomes(scrolled, lambda top: abs(top) < 5)
