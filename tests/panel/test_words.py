"""Every word of the panel can be translated, and in Spanish every one is."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

import pytest
from aiohttp import ClientSession, DummyCookieJar
from babel import Locale
from babel.messages.catalog import Catalog

from ringback import control
from ringback.core.calls import Presentation
from ringback.core.reasons import SENTENCES, Reason
from ringback.panel import words
from ringback.panel.languages import choose, languages_in
from ringback.panel.passwords import Hasher
from ringback.panel.tongues import Formats
from ringback.resources import shipped
from tests.cli.conftest import Place
from tests.fakes.ami import FakePbx
from tests.flow.world import OTHER_DID, World, a_call, life_of
from tests.panel.browser import PASSWORD, Browser
from tests.panel.pseudo import PseudoLanguages, pseudo, untranslated
from tools import words as catalogues

TEMPLATES = sorted(shipped("web/templates").glob("*.j2"))
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize("language", catalogues.languages())
def test_a_language_is_complete(language: str):
    now, old = catalogues.texts(), catalogues.load(language)
    new = catalogues.updated(old, now)
    assert catalogues.said(old) == catalogues.said(new), "run python -m tools.words"
    assert catalogues.lacking(new) == []
    assert catalogues.broken(old) == []


def test_there_is_a_language_besides_english():
    assert "es" in languages_in(shipped("web/locale"))


def test_a_text_that_changed_is_not_translated_by_a_guess():
    old = Catalog("es")
    old.add("Missed a call", "Perdió una llamada")
    old.add("Kept", "Quedó")
    now = Catalog()
    now.add("Missed two calls")
    now.add("Kept")
    new = catalogues.updated(old, now)
    assert catalogues.said(new) == {"Missed two calls": "", "Kept": "Quedó"}
    assert catalogues.lacking(new) == ["Missed two calls"]


@pytest.mark.parametrize(
    ("text", "translation", "fits"),
    [
        pytest.param("Waits until %(at)s", "Espera hasta las %(at)s", True, id="the same places"),
        pytest.param("From %(a)s to %(b)s", "A %(b)s de %(a)s", True, id="in another order"),
        pytest.param("Waits until %(at)s", "Espera", False, id="a place lost"),
        pytest.param("Waits", "Espera hasta %(at)s", False, id="a place made up"),
        pytest.param("Waits until %(at)s", "Espera hasta %(a)s", False, id="a place misspelt"),
        pytest.param("Half", "50 % listo", False, id="a bare percent sign"),
        pytest.param(("1 text", "%(n)s texts"), ("Un texto", "%(n)s textos"), True, id="one and many"),
        pytest.param(("1 text", "%(n)s texts"), ("Un texto", "%(m)s textos"), False, id="many misspelt"),
        pytest.param("Waits until %(at)s", "", True, id="not translated, which is another fault"),
    ],
)
def test_a_translation_has_the_places_of_its_text(text, translation, fits: bool):
    catalogue = Catalog("es")
    catalogue.add(text, translation)
    assert (catalogues.broken(catalogue) == []) is fits


def test_pythons_pages_and_tables_are_all_read():
    texts = set(catalogues.said(catalogues.texts()))
    assert "Skip to the page" in texts  # a template
    assert words.DONE["user-added"] in texts  # a marked text
    assert ("1 text is unconfirmed", "%(n)s texts are unconfirmed") in texts  # a text and its plural
    assert SENTENCES[Reason.WITHHELD] in texts  # the core, which marks nothing


@pytest.mark.parametrize(
    ("own", "accepted", "business", "chosen"),
    [
        pytest.param("", "", "en", "en", id="nothing said"),
        pytest.param("es", "en", "en", "es", id="the account's own first"),
        pytest.param("", "es", "en", "es", id="what the browser asks for"),
        pytest.param("", "de, es;q=0.8, en;q=0.5", "en", "es", id="the dearest of those there are"),
        pytest.param("", "en;q=0.5, es;q=0.8", "en", "es", id="by weight, not by order"),
        pytest.param("", "es-MX", "en", "es", id="the language of a region"),
        pytest.param("", "ES", "en", "es", id="in capitals"),
        pytest.param("", "es;q=0, en", "en", "en", id="one that is not wanted"),
        pytest.param("", "de", "es", "es", id="else the business's"),
        pytest.param("xx", "yy;q=z, *, ;;;", "de", "en", id="what is nonsense"),
        pytest.param("", "es," * 10_000, "en", "es", id="a header without end"),
    ],
)
def test_a_reader_gets_their_language(own: str, accepted: str, business: str, chosen: str):
    assert choose(("en", "es"), own, accepted, business) == chosen


def formats(language: str = "en") -> Formats:
    return Formats(Locale(language), ZoneInfo("America/New_York"), lambda: NOW, lambda text: text)


@pytest.mark.parametrize(
    ("language", "kind", "value", "shown"),
    [
        pytest.param("en", "day", NOW, "Today", id="today"),
        pytest.param("en", "day", NOW - timedelta(hours=23), "Yesterday", id="yesterday, there"),
        pytest.param("en", "day", NOW - timedelta(days=2), "Thu, Nov 19", id="a day of this year"),
        pytest.param("es", "day", NOW - timedelta(days=2), "jue, 19 de noviembre", id="in Spanish"),
        pytest.param("en", "day", NOW - timedelta(days=400), "Fri, Oct 17, 2025", id="a day of another year"),
        pytest.param("en", "clock", NOW, "22:00", id="the time there"),
        pytest.param("en", "moment", NOW, "2026-11-21 22:00", id="day and time there"),
        pytest.param("en", "ago", NOW - timedelta(seconds=20), "just now", id="just now"),
        pytest.param("en", "ago", NOW - timedelta(minutes=3), "3 minutes ago", id="minutes ago"),
        pytest.param("es", "ago", NOW - timedelta(hours=2), "hace 2 horas", id="hours ago, in Spanish"),
        pytest.param("en", "since", NOW - timedelta(minutes=64), "1\xa0h 4\xa0min", id="since then"),
        pytest.param("en", "duration", timedelta(seconds=38), "38\xa0s", id="seconds"),
        pytest.param("en", "duration", 104, "1\xa0min 44\xa0s", id="minutes and seconds"),
        pytest.param("en", "duration", timedelta(days=2, minutes=5), "2\xa0d", id="what is nothing is left out"),
        pytest.param("en", "duration", timedelta(seconds=-5), "0\xa0s", id="never less than nothing"),
        pytest.param("en", "num", 12345, "12,345", id="a count"),
        pytest.param("es", "num", 12345, "12.345", id="a count in Spanish"),
        pytest.param("es", "weekday", 0, "lunes", id="a weekday"),
    ],
)
def test_dates_spans_and_counts_are_written_as_the_language_does(language: str, kind: str, value, shown: str):
    assert getattr(formats(language), kind)(value) == shown


SAID = re.compile(r"(?:aria-label|placeholder|title|alt|data-label|data-on|data-off)=\"([^\"{]*[A-Za-z]{2}[^\"]*)\"")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_what_an_attribute_says_can_be_translated(template):
    assert SAID.findall(template.read_text("utf-8").replace("+1 202", "")) == []


@pytest.mark.parametrize(
    ("html", "found"),
    [
        pytest.param("<p>[Şh.ows~]</p>", [], id="translated"),
        pytest.param("<p>Plain</p>", ["Plain"], id="never given to translators"),
        pytest.param("<p>[Sent to <bdi>Ana</bdi> by <b>[you]</b>~]</p>", [], id="one inside another"),
        pytest.param("<p><bdi>Ana</bdi> <time>20 Nov</time> <code>missed</code></p>", [], id="words from outside"),
        pytest.param('<input placeholder="Number">', ["Number"], id="an attribute"),
        pytest.param("<title>[Ĉàlls] · Ringback</title>", [], id="our own name"),
    ],
)
def test_plain_words_are_found(html: str, found: list[str]):
    assert untranslated(html) == found


def test_a_made_up_text_is_longer_and_keeps_its_places():
    assert pseudo("From %(name)s") == "[Frõm %(name)s~~~~~]"
    assert len(pseudo("x" * 100)) == 137


CALLS = (
    a_call("1795303500.1", linkedid="1795303500.0"),
    a_call("1795303600.2", did=OTHER_DID),
    a_call("1795303700.3", "anonymous", presentation=Presentation.WITHHELD),
)


async def history(world: World) -> None:
    """Some calls, with the texts they brought."""
    for call in CALLS:
        await world.happens(*life_of(call))


async def crawl(browser: Browser) -> AsyncIterator[tuple[str, str]]:
    """Every page that a link of ours leads to, once. What stands below /v1 is for those who write programs: English."""
    seen, left = {"/"}, ["/"]
    while left:
        path = left.pop()
        answer = await browser.get(path)
        if answer.status == 200 and answer.content_type != "text/html":
            continue  # a file to take away
        html = await answer.text()
        found = [answer.headers["Location"]] if answer.status == 303 else re.findall(r'<a [^>]*href="([^"]*)"', html)
        for link in found:
            place = urljoin(f"http://x{path}", unescape(link)).removeprefix("http://x").partition("#")[0]
            if place.startswith("/") and not place.startswith("/v1/") and place not in seen:
                seen.add(place)
                left.append(place)
        if answer.status != 303:
            yield path, html


async def test_every_page_of_a_running_ringback_can_be_translated(tmp_path, empty_sqlite, monkeypatch):
    """A language that nobody speaks is put in the place of all others; then every link is followed."""
    monkeypatch.setattr("ringback.panel.tongues.Languages", PseudoLanguages)
    monkeypatch.chdir(tmp_path)
    place = Place(tmp_path, empty_sqlite)
    await asyncio.to_thread(place.live, history)
    plain: dict[str, list[str]] = {}
    async with FakePbx() as pbx, place.daemon(pbx) as app:
        hashed = await Hasher().hash(PASSWORD)
        words_ = {"change": "add", "login": "ana", "name": "", "role": "administrator", "language": "", "by": "shell x"}
        await control.ask(place.state, "user", **words_, password=hashed)
        base = f"http://127.0.0.1:{app.port}"
        async with ClientSession(base, cookie_jar=DummyCookieJar()) as session:
            browser = Browser(session, base)
            plain["/login"] = untranslated(await (await browser.get("/login")).text())
            await browser.log_in()
            async for path, html in crawl(browser):
                plain[path] = untranslated(html, "ana", "desk.anna", "desk.bert")
    routes = {path.split("/")[1].partition("?")[0] for path in plain}
    assert {"threads", "calls", "tasks", "health", "settings", "users", "profile", "handset", "login"} <= routes
    assert {path: found for path, found in plain.items() if found} == {}, plain
