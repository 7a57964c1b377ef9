"""The search page: what was found and where it leads, what it says when nothing was, and words that mean harm."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from ringback.core.grants import Reach
from ringback.core.permissions import Asker, Principal, Role
from ringback.core.search import Query, cut, read_query
from ringback.panel import search as page_module
from ringback.panel.search import NOTHING, SearchPages
from ringback.panel.shell import VISIT, Visit
from ringback.panel.words import legible
from ringback.ports.search import EVERYWHERE, Found, FoundPage, FoundPlace, Side, Within
from ringback.ports.threads import Point
from tests.fakes.hand_clock import HandClock
from tests.fakes.threads import ANA, DID, THREAD, FakeThreads, at, point, row
from tests.panel.hostile import HOSTILE
from tests.panel.inbox import items, read, words
from tests.panel.reading import Page
from tests.panel.visiting import Visitor, client_as

OTHER = "+12025550102"


def hit(body: str, typed: str = "boiler", minutes: float = 0, side: Side = Side.IN, state: str = "") -> Found:
    """A text that was found."""
    where = point(minutes, 1 if side is Side.IN else 3, 7)
    kind = "inb" if side is Side.IN else "msg"
    bits = cut(body, read_query(typed))
    return Found(side, where, f"{kind}_{7:026}", at(minutes), THREAD, DID, ANA, bits, state)


@dataclass
class FakeSearch:
    """Satisfies `ports.search.ReadSearch`: answers what a test put in, and notes what was asked."""

    page: FoundPage = NOTHING
    asked: list[tuple[Query, Within, FoundPlace | None]] = field(default_factory=list)

    async def find(
        self, reach: Reach, query: Query, within: Within = EVERYWHERE, after: FoundPlace | None = None
    ) -> FoundPage:
        self.asked.append((query, within, after))
        return self.page


@dataclass
class Scene:
    visitor: Visitor
    search: FakeSearch
    threads: FakeThreads

    async def find(self, typed: str, more: str = "") -> Page:
        return await self.visitor.page(f"/threads/search?q={quote(typed, errors='replace')}{more}")


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    search, threads = FakeSearch(), FakeThreads()

    def pages(shell):
        return SearchPages(shell, search, threads, read, (DID, OTHER))

    async with client_as(Role.AGENT, pages, clock=HandClock()) as visitor:
        yield Scene(visitor, search, threads)


def says(page: Page) -> str:
    (main,) = page.by_tag("main")
    return words(main)


async def test_what_was_found_is_shown_with_its_words_marked(scene: Scene):
    scene.search.page = FoundPage((hit("The BOILER shows E17", minutes=5), hit("Our boiler man", side=Side.OUT)))
    page = await scene.find("boiler")
    assert [words(mark) for mark in page.by_tag("mark")] == ["BOILER", "boiler"]
    theirs, ours = items(page)
    assert "The BOILER shows E17" in theirs
    assert "From us: Our boiler man" in ours
    (asked,) = scene.search.asked
    assert asked == (read_query("boiler"), EVERYWHERE, None)


async def test_a_press_opens_the_thread_where_the_text_stands(scene: Scene):
    found = hit("The boiler", minutes=5)
    scene.search.page = FoundPage((found,))
    (link,) = (await scene.find("boiler")).by_class("item")
    address = urlsplit(str(link.attributes["href"]))
    assert address.path == f"/threads/{THREAD}"
    assert address.fragment == found.public_id
    before = Point(*map(int, parse_qs(address.query)["before"][0].split("-")))
    assert before > found.point
    assert before[:2] == found.point[:2]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        pytest.param("", "What are you looking for?", id="nothing yet"),
        pytest.param("  ", "What are you looking for?", id="blanks"),
        pytest.param("a", "That is too little to look for", id="a letter"),
        pytest.param('"*"', "That is too little to look for", id="signs"),
        pytest.param("boiler", "Nothing was found", id="a word that nobody wrote"),
        pytest.param("202 555 0199", "Look for its calls", id="a number that is in no thread"),
    ],
)
async def test_an_empty_page_says_what_to_do(scene: Scene, typed, shown):
    page = await scene.find(typed)
    assert shown in says(page)
    assert page.by_tag("mark") == []
    assert len(page.by_tag("h1")) == 1


async def test_a_number_finds_its_threads(scene: Scene):
    scene.threads.rows = [row(147), row(148)]
    page = await scene.find("202 555 0147")
    assert [line[:17] for line in items(page)] == ["+1 202 555 0147 10"[:17]]
    assert "Nothing was found" not in says(page)


async def test_threads_of_another_number_of_ours_are_left_out(scene: Scene):
    scene.threads.rows = [row(147, did=DID), row(147, did=OTHER)]
    assert len(items(await scene.find("202 555 0147"))) == 2
    assert len(items(await scene.find("202 555 0147", f"&did={quote(OTHER)}"))) == 1


async def test_one_number_of_ours_can_be_chosen(scene: Scene):
    page = await scene.find("boiler", f"&did={quote(OTHER)}")
    assert scene.search.asked[-1][1] == Within(did=OTHER)
    (chosen,) = [option for option in page.by_tag("option") if "selected" in option.attributes]
    assert chosen.attributes["value"] == OTHER
    await scene.find("boiler", "&did=%2B19995550100")
    assert scene.search.asked[-1][1] == EVERYWHERE


async def test_one_thread_can_be_looked_through(scene: Scene):
    page = await scene.find("boiler", f"&thread={THREAD}")
    assert scene.search.asked[-1][1] == Within(thread=THREAD)
    assert "Only in the thread with" in says(page)
    assert "Look in all threads" in says(page)
    answer = await scene.visitor.get("/threads/search?q=boiler&thread=thr_nobody")
    assert answer.status == 404


async def test_older_pages_follow(scene: Scene):
    scene.search.page = FoundPage((hit("boiler"),), FoundPlace(12, 34))
    page = await scene.find("the boiler", f"&did={quote(OTHER)}")
    (older,) = [link for link in page.by_tag("a") if link.attributes.get("rel") == "next"]
    assert parse_qs(urlsplit(str(older.attributes["href"])).query) == {
        "q": ["the boiler"],
        "did": [OTHER],
        "after": ["12-34"],
    }
    page = await scene.find("boiler", "&after=12-34")
    assert scene.search.asked[-1][2] == FoundPlace(12, 34)
    assert "Newest" in says(page)
    await scene.find("boiler", "&after=rubbish")
    assert scene.search.asked[-1][2] is None


async def test_an_index_that_is_still_made_is_told_of(scene: Scene):
    assert "still being made" not in says(await scene.find("boiler"))
    scene.search.page = FoundPage((), whole=False)
    assert "still being made" in says(await scene.find("boiler"))


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_words_stand_on_the_page_as_they_are(scene: Scene, body):
    plain = await scene.find("boiler")
    scene.search.page = FoundPage((hit(f"boiler {body} boiler"[:150]),))
    page = await scene.find("boiler")
    (item,) = page.by_class("item")
    (said,) = item.by_class("say")
    shown = said.words
    assert "".join(legible(bit.text) for bit in scene.search.page.rows[0].bits) == shown
    assert [words(mark) for mark in item.by_tag("mark")][:1] == ["boiler"]
    scripts = len(page.by_tag("script"))
    assert scripts == len(plain.by_tag("script"))
    assert not [element for element in page.elements if any(name.startswith("on") for name in element.attributes)]


@pytest.mark.parametrize("typed", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_words_can_be_looked_for(scene: Scene, typed):
    page = await scene.find(typed)
    (box,) = [element for element in page.by_tag("input") if element.attributes.get("id") == "q"]
    assert len(str(box.attributes["value"])) <= 3 * 200
    assert len(page.by_tag("script")) == len((await scene.find("")).by_tag("script"))


async def test_who_may_not_read_threads_may_not_search(scene: Scene, monkeypatch):
    monkeypatch.setattr(page_module.Shell, "allow", _refuse)
    answer = await scene.visitor.get("/threads/search?q=boiler")
    assert answer.status == 403
    assert scene.search.asked == []


def _refuse(shell, request, action):
    from aiohttp import web

    request[VISIT] = Visit(Principal(Asker.NOBODY, "", "", frozenset()))
    raise web.HTTPForbidden


async def test_nobody_logged_in_is_sent_to_the_door(scene: Scene):
    answer = await scene.visitor.session.get("/threads/search?q=boiler", headers={"Cookie": ""}, allow_redirects=False)
    assert answer.status == 303
    assert "/login" in answer.headers["Location"]
