"""Takes the pictures of docs/panel.md, by `make shots`: a whole daemon, a made-up day, every page, wide and narrow."""

import asyncio
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import expect

from ringback.store.schema import migrate
from tests.browser.driver import NARROW, WIDE, Window, chromium, window
from tests.browser.house import House, afternoon, open_house
from tests.browser.office import MORE_NUMBERS
from tests.browser.phone import Phone
from tests.browser.places import OPEN, PLACES, Find
from tests.browser.seeds import ANA, PASSWORD, a_day

FOLDER = Path(__file__).parents[2] / "docs" / "shots"
SHOWN = (
    *(
        "login",
        "handset",
        "inbox",
        "search",
        "thread",
        "thread-unconfirmed",
        "thread-stopped",
        "sessions",
        "calls",
        "call",
    ),
    *("tasks", "settings", "users", "api", "api-runs", "api-run", "profile"),
    *("board", "queues", "queue"),
    *("permissions", "permissions-card", "permissions-why-not", "numbers", "lists"),
)
LAST = ("health",)
"""What is pictured once most tasks are done, as on a usual day."""
NUMBER = "+12025550147"
SMALLER = ("pngquant", "--quality", "70-95", "--speed", "1", "--strip", "--force", "--ext", ".png")

# the configuration of the day lies in a folder that nobody else has
USUAL_PLACES = """(folder) => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) walk.currentNode.data = walk.currentNode.data
    .replaceAll(`${folder}/state`, "/var/lib/ringback").replaceAll(folder, "/etc/ringback");
}"""


async def take_all(house: House, folder: Path) -> None:
    """Picture every page into a folder."""
    everywhere = {**PLACES, **OPEN}
    async with chromium() as browser, window(browser, house.base) as door, window(browser, house.base) as desk:
        await desk.log_in(ANA, PASSWORD)
        await desk.page.wait_for_url("**/threads")
        await talk(house, desk)
        for name in SHOWN:
            await take(house, door if name in OPEN else desk, name, everywhere[name], folder)
        await finish_tasks(desk)
        for name in LAST:
            await take(house, desk, name, everywhere[name], folder)


async def talk(house: House, desk: Window) -> None:
    """A call that becomes a text, an answer, and an answer to that, so that the handset has something to show."""
    phone = Phone(house, NUMBER)
    house.exchange.misses(NUMBER)
    path = await house.threaded(NUMBER)
    phone.says("Our boiler shows E17 and makes a noise. Can you come today?")
    page = await desk.open(path)
    await page.get_by_label("Your text").fill("We can be there at 17:30. Is somebody at home?")
    await page.get_by_label("Your text").press("Control+Enter")
    await expect(page.locator(".msg.out").last).to_contain_text("Delivered")
    phone.says("Yes, ring twice please")
    await expect(page.locator("#entries .bubble").last).to_have_text("Yes, ring twice please")


async def finish_tasks(desk: Window) -> None:
    """Do what one press settles."""
    page = await desk.open("/tasks")
    done = page.locator(".task footer").get_by_role("button", name="Done", exact=True)
    while await done.count():
        await done.last.click()
        await page.wait_for_load_state()
    await asyncio.sleep(2)  # the counts of the next page are as old as a second


async def take(house: House, seen: Window, name: str, find: Find, folder: Path) -> None:
    """One page in both widths and both themes."""
    for size in (WIDE, NARROW):
        for theme in ("light", "dark"):
            await seen.size(*size)
            await seen.in_colours(theme)
            await seen.open(find(house))
            await expect(seen.page.locator("[data-live-help]:not([hidden])")).to_have_count(0)
            await seen.page.evaluate(USUAL_PLACES, str(house.daemon.file.parent))
            await seen.page.screenshot(path=folder / f"{name}-{size[0]}-{theme}.png")


def main() -> None:
    """Make the folder anew; it is only replaced once all pictures are taken."""
    if shutil.which(SMALLER[0]) is None:
        sys.exit(f"missing here: {SMALLER[0]}")
    with tempfile.TemporaryDirectory() as room:
        there, home, empty = Path(room, "shots"), Path(room, "house"), Path(room, "empty.db")
        there.mkdir()
        home.mkdir()
        migrate(f"sqlite:///{empty}")
        with open_house(home, empty, afternoon(datetime.now(UTC)), a_day, more=MORE_NUMBERS) as house:
            asyncio.run(take_all(house, there))
        pictures = sorted(there.glob("*.png"))
        subprocess.run([*SMALLER, *map(str, pictures)], check=True)
        shutil.rmtree(FOLDER, ignore_errors=True)
        shutil.copytree(there, FOLDER)
    size = sum(picture.stat().st_size for picture in FOLDER.glob("*.png"))
    print(f"{len(pictures)} pictures in {FOLDER.relative_to(Path.cwd())}, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
