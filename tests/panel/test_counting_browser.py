"""The counter of the reply box, in a real browser: it says what the server says."""

import json
import random
import shutil
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from playwright.async_api import Page, async_playwright

from ringback.core.segments import BASIC, ESCAPED, measure, room, why_ucs2
from ringback.core.writing import clean
from ringback.resources import shipped
from tests.panel.hostile import HOSTILE

ALPHABETS = (
    BASIC,
    BASIC + ESCAPED,
    ESCAPED,
    "abc \n",
    "aé\u0065\u0301’“ ",
    "приветmir",
    "😀👩‍👩‍👧a",
    "\t\r\n\x00\x07\x1b\x7f\x85\xa0\u2028\u3000\ufeffa€",
    "\ud800a",
)
LENGTHS = (0, 1, 2, 66, 67, 68, 69, 70, 71, 133, 134, 135, 152, 153, 154, 159, 160, 161, 305, 306, 307, 459, 460, 700)


def corpus() -> list[str]:
    """Texts round every edge, in every alphabet; the same each time."""
    dice = random.Random(23038)
    texts = ["".join(dice.choice(letters) for _ in range(length)) for letters in ALPHABETS for length in LENGTHS]
    edges = ["a" * 159 + "€", "a" * 152 + "€" + "a" * 20, "й" * 66 + "😀" + "й" * 20, "é", "e\u0301", " \n hi \n "]
    return [*texts, *edges, *HOSTILE]


async def empty(_: web.Request) -> web.Response:
    return web.Response(text="<!doctype html><title>empty</title>", content_type="text/html")


@pytest.fixture
async def browser_page() -> AsyncIterator[Page]:
    """A page of a site that has our scripts."""
    app = web.Application()
    app.router.add_static("/static", shipped("web/static"))
    app.router.add_get("/", empty)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = await browser.new_page()
            await page.goto(f"http://127.0.0.1:{runner.addresses[0][1]}/")
            yield page
            await browser.close()
    finally:
        await runner.cleanup()


async def test_the_browser_counts_as_the_server_does(browser_page: Page):
    texts = corpus()
    counted = await browser_page.evaluate(
        """async (texts) => {
          const { measure } = await import("/static/segments.js");
          return JSON.parse(texts).map((text) => measure(text));
        }""",
        json.dumps(texts),
    )
    for text, found in zip(texts, counted, strict=True):
        sent = clean(text)
        size = measure(sent)
        expected = {
            "encoding": str(size.encoding),
            "segments": size.segments if sent else 0,
            "room": room(sent),
        }
        assert {key: found[key] for key in expected} == expected, ascii(text)
        assert bool(found["costly"]) == (why_ucs2(sent) is not None), ascii(text)


async def test_plain_punctuation_is_cheaper_and_says_the_same(browser_page: Page):
    typed = "Thank you — I’ve booked “Tomasz”\u00a0for 10:30…"
    plain = await browser_page.evaluate('async (typed) => (await import("/static/segments.js")).plain(typed)', typed)
    assert plain == 'Thank you - I\'ve booked "Tomasz" for 10:30...'
    assert (measure(typed).encoding, measure(plain).encoding) == ("ucs2", "gsm7")
