"""A real browser: Debian's Chromium, and windows in it that note everything a page must not do."""

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    StorageState,
    async_playwright,
    expect,
)

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--force-color-profile=srgb", "--hide-scrollbars"),
)
PATIENCE_MS = 15_000
WIDE, NARROW = (1440, 900), (360, 740)
expect.set_options(timeout=PATIENCE_MS)

# what the hostile texts call, and where the browser says what it kept from happening
WATCH = """
addEventListener("securitypolicyviolation", (event) => {
  reported(`${event.violatedDirective} kept out ${event.blockedURI} ${event.sample} in ${location.pathname}`);
});
globalThis.ran = (which) => reported(`the text ${which} ran as a script`);
"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start a browser; a missing one is an error, since nothing else looks at the pages."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "these tests need a Chromium: apt-get install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Window:
    """A browser window of one person. Its `faults` must be empty in the end; `forgive` says what may come."""

    context: BrowserContext
    page: Page
    base: str
    faults: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)

    def forgive(self, *patterns: str) -> None:
        """What the browser will complain of in this test, rightly."""
        self.forgiven += patterns

    def unforgiven(self) -> list[str]:
        return [fault for fault in self.faults if not any(re.search(pattern, fault) for pattern in self.forgiven)]

    async def open(self, path: str) -> Page:
        """Go to a page of ours."""
        await self.page.goto(self.base + path)
        return self.page

    async def log_in(self, login: str, password: str, path: str = "/login") -> None:
        await self.open(path)
        await self.page.get_by_label("Login", exact=True).fill(login)
        await self.page.get_by_label("Password", exact=True).fill(password)
        await self.page.get_by_role("button", name="Log in").click()

    async def size(self, width: int, height: int = 900) -> None:
        await self.page.set_viewport_size({"width": width, "height": height})

    async def in_colours(self, scheme: str) -> None:
        """As a system that is set to `light` or `dark`."""
        await self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")

    async def keep_picture(self, folder: Path, name: str) -> Path:
        path = folder / f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')[:100]}.png"
        await self.page.screenshot(path=path)
        return path


@asynccontextmanager
async def window(
    browser: Browser,
    base: str,
    state: StorageState | None = None,
    *,
    script: bool = True,
    size: tuple[int, int] = WIDE,
    inject: str = "",
    locale: str = "en-US",
    touch: bool = False,
) -> AsyncIterator[Window]:
    """Open a window with cookies of its own; `inject` is run in each page before its own scripts."""
    context = await browser.new_context(
        base_url=base,
        storage_state=state,
        java_script_enabled=script,
        viewport={"width": size[0], "height": size[1]},
        locale=locale,
        has_touch=touch,
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    found = Window(context, await context.new_page(), base)
    await _watch(found, script, inject)
    try:
        yield found
    finally:
        await context.close()


async def _watch(found: Window, script: bool, inject: str) -> None:
    """Note script errors, dialogs, what the policy kept out, and requests that leave this site."""
    context, note = found.context, found.faults.append

    def console(message: ConsoleMessage) -> None:
        if message.type == "error":
            note(f"console: {message.text} ({message.location.get('url', '')})")

    def asked(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc != urlsplit(found.base).netloc:
            note(f"asked elsewhere: {request.url}")

    async def dialog(shown: Dialog) -> None:
        note(f"dialog: {shown.message}")
        await shown.dismiss()

    context.on("console", console)
    context.on("weberror", lambda error: note(f"script error: {error.error}"))
    context.on("request", asked)
    context.on("dialog", dialog)
    if script:
        await context.expose_binding("reported", lambda _source, what: note(str(what)))
        await context.add_init_script(WATCH)
    if inject:
        await context.add_init_script(inject)
