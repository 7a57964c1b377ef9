"""Three hundred hostile texts in every place that shows what comes from outside: each stands there as text, none runs.

A window notes a script that ran, a dialog, what the policy kept out, and a request to elsewhere; see `driver.Window`.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from ringback.core.numbers import RAW_LIMIT
from ringback.core.segments import measure
from ringback.core.writing import clean
from ringback.flow.inbound import storable
from tests.browser.driver import Window, window
from tests.browser.enemies import BUSINESS, GROUPS, enemies, named, sent, shown
from tests.browser.enemies_office import DEPARTMENTS, KEYS, LABELS, MORE_NUMBERS, NOTES, REASONS, contact_of
from tests.browser.enemies_office import GROUPS as NUMBER_GROUPS
from tests.browser.hostile import HOSTILE
from tests.browser.house import MAIN, House, afternoon, open_house
from tests.browser.phone import Phone
from tests.browser.seeds import ANA, NAMES, PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="session")

FEW = HOSTILE[::5]
"""Where each text costs a page of its own."""


@pytest.fixture(scope="module")
def besieged(tmp_path_factory: pytest.TempPathFactory, empty_sqlite: Path) -> Iterator[House]:
    """A house where everybody and everything outside is hostile."""
    folder, zone = tmp_path_factory.mktemp("besieged"), afternoon(datetime.now(UTC))
    with open_house(folder, empty_sqlite, zone, enemies, business=BUSINESS, more=MORE_NUMBERS) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def desk(browser: Browser, besieged: House) -> AsyncIterator[Window]:
    async with window(browser, besieged.base) as opened:
        await opened.log_in(ANA, PASSWORD)
        await opened.page.wait_for_url("**/threads")
        yield opened
        assert opened.unforgiven() == []


async def texts(page: Page, where: str) -> list[str]:
    """What stands in the elements of a page, to the letter."""
    return await page.locator(where).evaluate_all("all => all.map((one) => one.textContent)")


async def in_all_pages(desk: Window, path: str, where: str, onward: str) -> list[str]:
    """The same, over all pages of a list."""
    page = await desk.open(path)
    found = await texts(page, where)
    while await page.locator(onward).count():
        await page.goto(await page.locator(onward).evaluate("one => one.href"))
        found += await texts(page, where)
    return found


async def test_there_are_three_hundred_of_them():
    assert len(set(HOSTILE)) >= 300
    assert all("ran(" in text for text in HOSTILE)


async def test_in_a_thread_from_both_sides_and_as_a_note(desk: Window, besieged: House):
    for peer, group in GROUPS.items():
        page = await desk.open(besieged.thread(peer))
        assert await texts(page, "#entries .msg:not(.out) .bubble") == [shown(storable(text)) for text in group]
        ours = [sent(text) for text in group if measure(clean(text)).segments <= 10]
        assert await texts(page, "#entries .msg.out .bubble") == ours
        noted = [shown(_noted(number, text)) for number, text in enumerate(group)]
        assert [note.strip() for note in await texts(page, "#entries .note q")] == [note.strip() for note in noted]


def _noted(number: int, text: str) -> str:
    """What is kept of how somebody said it: of an opt-out one line, which lists have too, and of its end all of it."""
    return (clean(text) if number % 2 else " ".join(clean(text).split()))[:500]


async def test_as_who_writes_in_the_list_and_over_the_thread(desk: Window):
    peers = await in_all_pages(desk, "/threads?view=all", ".item .who", ".list .turn-page .push")
    wanted = {shown(storable(text[:RAW_LIMIT].strip())) or "unknown" for text in HOSTILE}
    assert wanted - set(peers) == set()
    page = await desk.open("/threads?view=all")
    for at in range(0, 50, 2):
        row = page.locator(".item").nth(at)
        who = await row.locator(".who").text_content()
        await row.click()
        await page.wait_for_url("**/threads/thr_*")
        assert await page.locator("#thread-head h1").text_content() == who
        assert (await page.title()).endswith(" · Ringback")
        await page.go_back()


async def test_as_who_calls_where_they_waited_and_what_rang(desk: Window):
    callers = await in_all_pages(desk, "/calls", ".calls tbody th[scope=row]", "a[rel=next]")
    together = "\n".join(callers)
    assert [text for text in HOSTILE if shown(storable(text)).strip() not in together] == []
    page = await desk.open("/calls")
    addresses = await page.locator(".calls tbody a[href^='/calls/']").evaluate_all("all => all.map((one) => one.href)")
    for address in addresses[::3]:
        await page.goto(address)
        await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert "ran(" in await page.locator(".recorded").text_content()


async def test_as_what_a_carrier_brought(desk: Window):
    details = await in_all_pages(desk, "/tasks", ".task .quote", "a[rel=next]")
    wanted = {shown(storable(f"main: {storable(text[:300])}"[:300])) for text in HOSTILE}
    assert wanted - set(details) == set()


async def test_as_names_of_people(desk: Window, besieged: House):
    found = await in_all_pages(desk, "/users", "tbody th bdi", "a[rel=next]")
    seeded = [name for name, _ in NAMES.values()]
    assert sorted(found) == sorted([*seeded, *(shown(name or login) for login, name in named())])
    for login, name in named()[::12]:
        page = await desk.open(besieged.user(login))
        assert await page.locator("h1").text_content() == shown(name or login)


async def test_as_departments_groups_labels_keys_and_reasons(desk: Window):
    rows: tuple[tuple[str, str, list[str]], ...] = (
        ("/departments", ".tree a bdi", DEPARTMENTS),
        ("/numbers", ".tree a bdi", NUMBER_GROUPS),
        ("/numbers", "tbody th bdi", LABELS),
        ("/api", "tbody th bdi", KEYS),
        ("/lists/never", "td[data-label=Why] bdi", REASONS),
        ("/permissions/history", "td .small bdi", NOTES[: len(named())]),
    )
    for path, where, wanted in rows:
        assert len(wanted) > 30
        found = await in_all_pages(desk, path, where, "a[rel=next]")
        assert {shown(text) for text in wanted} - set(found) == set(), path


async def test_in_the_matrix_and_in_what_it_says_of_a_cell(desk: Window):
    names = await in_all_pages(desk, "/permissions?rows=100&cols=4", "tbody th bdi", "a[rel=next]")
    people = {shown(name or login) for login, name in named()}
    assert ({shown(name) for name in DEPARTMENTS} | people) - set(names) == set()
    page = await desk.open("/permissions?rows=1&cols=60")
    heads = await texts(page, "thead bdi")
    assert len(heads) > 50
    assert set(heads) - {shown(text) for text in (*LABELS, *NUMBER_GROUPS)} == set()
    await desk.open("/permissions?rows=50&cols=4")
    for row in (await page.locator("tbody tr").all())[::5]:
        await row.locator("td").nth(5).click()
        assert await page.locator("[data-where]").text_content() != ""
    for login, _ in named()[: len(NOTES)][::9]:
        await desk.open(f"/permissions/why?who={login}&way=send&number={MAIN[1:]}")
        await expect(page.locator("#answer")).to_contain_text("No.")
        await page.locator("ol.chain a").first.click()
        await expect(page.locator(".grants .grant").first).to_be_visible()


async def test_as_extensions_and_endpoints(desk: Window, besieged: House):
    for n, (login, _) in list(enumerate(named()))[::12]:
        page = await desk.open(besieged.user(login))
        extension, endpoint = contact_of(n)
        assert await page.get_by_label("Extension").input_value() == _typed_once(extension)
        assert await page.get_by_label("Endpoint").input_value() == _typed_once(endpoint)


def _typed_once(text: str) -> str:
    """What a box of one line has of a text."""
    return re.sub(r"[\r\n]", "", shown(text))


async def test_in_the_record(desk: Window):
    seen = "".join(await in_all_pages(desk, "/audit", "tbody", "a[rel=next]"))
    for name in (*DEPARTMENTS[::5], *NUMBER_GROUPS[::5]):
        assert shown(name) in seen


async def test_as_the_name_of_whoever_is_logged_in(browser: Browser, besieged: House):
    login, name = named()[0]
    async with window(browser, besieged.base) as guest:
        await guest.log_in(login, PASSWORD)
        await expect(guest.page.locator(".me-link .text")).to_have_text(shown(name))
        await guest.open("/profile")
        await expect(guest.page.locator(".page-head p bdi").first).to_have_text(shown(name))
        assert guest.unforgiven() == []


async def test_as_the_business_in_the_settings_and_at_the_door(desk: Window, browser: Browser, besieged: House):
    page = await desk.open("/settings")
    assert BUSINESS in await texts(page, ".set bdi")
    async with window(browser, besieged.base) as door:
        await door.open("/login")
        assert await door.page.locator("h1 + p bdi").text_content() == BUSINESS
        assert door.unforgiven() == []


async def test_as_what_was_typed_into_a_search(desk: Window):
    desk.forgive("status of 4")
    for text in FEW:
        asked = quote(f"{storable(text)}!", safe="")[:3_000]
        page = await desk.open(f"/threads?number={asked}")
        assert "ran" in await page.locator("#find").input_value() or len(asked) == 3_000
        page = await desk.open(f"/calls?number={asked}&day={asked}&group={asked}")
        assert await page.locator(".error").count() == 2 or len(asked) == 3_000


async def test_as_a_login_that_is_wrong(browser: Browser, besieged: House):
    async with window(browser, besieged.base) as door:
        door.forgive("status of 4")
        await door.open("/login")
        for text in FEW:
            one_line = _units(re.sub(r"[\r\n]", "", storable(text)), 100)
            await door.page.get_by_label("Login", exact=True).fill(one_line)
            await door.page.get_by_label("Password", exact=True).fill("a wrong password")
            await door.page.get_by_role("button", name="Log in").click()
            await expect(door.page.get_by_role("alert")).to_be_visible()
            assert await door.page.get_by_label("Login", exact=True).input_value() == shown(one_line)
        assert door.unforgiven() == []


async def test_live_as_it_comes_from_a_handset_and_on_the_handset(desk: Window, besieged: House, browser: Browser):
    async with window(browser, besieged.base) as other:
        for number in range(0, len(HOSTILE), 101):
            phone, group = Phone(besieged, f"+19195550{100 + number // 101}"), HOSTILE[number : number + 101]
            phone.says("first")
            page = await desk.open(await besieged.threaded(phone.number))
            await expect(page.locator(".list [data-live-help]")).to_be_hidden()
            await asyncio.to_thread(lambda phone=phone, group=group: [phone.says(text) for text in group])
            bubbles = page.locator("#entries .bubble")
            await expect(bubbles).to_have_count(len(group) + 1)
            # a browser sends line ends as two characters, and the handset keeps one
            wanted = ["first", *(shown(storable(_typed(text))) for text in group)]
            assert await texts(page, "#entries .bubble") == wanted
            seen = await other.open(phone.path)
            assert await texts(seen, "#texts .bubble") == [shown(text) for text in ["first", *map(_typed, group)]]
        assert other.unforgiven() == []


def _units(text: str, most: int) -> str:
    """As much of a text as a box takes: browsers count in UTF-16."""
    return text.encode("utf-16-le")[: 2 * most].decode("utf-16-le", "ignore")


def _typed(text: str) -> str:
    """What is left of a text that a form carried."""
    return text.replace("\r\n", "\n").encode("utf-8", "surrogatepass").decode("utf-8", "replace")


async def test_a_window_notes_what_must_not_happen(browser: Browser, besieged: House):
    """So that the tests above can fail."""
    async with window(browser, besieged.base) as door:
        page = await door.open("/login")
        await page.evaluate("() => { try { document.body.setAttribute('onclick', 'ran(1)'); } catch {} }")
        await page.evaluate("document.body.append(Object.assign(new Image(), { src: 'http://example.invalid/pixel' }))")
        await page.evaluate("ran(2)")
        await page.evaluate("alert(3)")
        noted = "\n".join(door.faults)
        for fault in ("require-trusted-types-for kept out", "img-src kept out", "the text 2 ran", "dialog: 3"):
            assert fault in noted
