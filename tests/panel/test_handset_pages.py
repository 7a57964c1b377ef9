"""The pages of virtual handsets, with and without script."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import ClientSession

from ringback.carriers.loopback import Behaviour, Loopback
from ringback.core.messages import ReceiptStatus
from ringback.panel import handsets
from ringback.panel.words import RECEIPT, legible
from tests.fakes.hand_clock import HandClock
from tests.panel.conftest import Browse, Text
from tests.panel.hostile import HOSTILE
from tests.panel.reading import Page

ANA = "+12025550147"
PATH = f"/handset/{ANA}"
TAGS_OF_A_TEXT = {"div", "p", "span", "bdi", "time"}


async def page_of(front: ClientSession, path: str = PATH) -> Page:
    answer = await front.get(path)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return Page(await answer.text())


async def all_receipts(line: Loopback, wanted: int) -> None:
    """Let the carrier bring its receipts, so that the handset shows them."""
    batches = line.batches()
    got = 0
    async with asyncio.timeout(5):
        while got < wanted:
            got += len(await anext(batches))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await anext(batches)
    await batches.aclose()


class Stream:
    """Reads server-sent events as a browser does."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def next(self) -> dict[str, str]:
        found: dict[str, str] = {}
        async with asyncio.timeout(5):
            while True:
                line = (await self.answer.content.readline()).decode()
                assert line, "the stream ended"
                if line == "\n" and found:
                    return found
                field, _, value = line.rstrip("\n").partition(": ")
                found[field] = value

    async def text(self) -> tuple[str, Page]:
        """The id of the element, and the fragment that takes its place."""
        data = json.loads((await self.next())["data"])
        assert set(data) == {"id", "html"}
        return data["id"], Page(data["html"])


@asynccontextmanager
async def stream(front: ClientSession, since: str = "", last: str = "") -> AsyncIterator[Stream]:
    headers = {"Last-Event-ID": last} if last else {}
    async with front.get(f"{PATH}/events", params={"since": since}, headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/event-stream"
        yield Stream(answer)


async def test_a_handset_shows_its_texts_the_newest_last(front: ClientSession, text: Text):
    for words in ("first", "second"):
        await text(words)
    await text("for another phone", to="+12025550148")
    page = await page_of(front)
    assert [bubble.words for bubble in page.by_class("bubble")] == ["first", "second"]


async def test_the_sender_is_named_where_it_changes(front: ClientSession, text: Text):
    for sender in ("+12025550101", "+12025550101", "+12025550102"):
        await text(sender=sender)
    page = await page_of(front)
    assert [sender.words for sender in page.by_class("from")] == ["From +1 202 555 0101", "From +1 202 555 0102"]


async def test_days_are_the_days_of_the_business(front: ClientSession, text: Text, clock: HandClock):
    for step in (timedelta(), timedelta(hours=13, minutes=50), timedelta(minutes=10)):
        clock.move(step)
        await text()
    page = await page_of(front)
    assert [day.words for day in page.by_class("day")] == ["2026-11-20", "2026-11-21"]
    assert [time.words for time in page.by_tag("time")] == ["10:00", "23:50", "00:00"]


async def test_receipts_are_shown(front: ClientSession, text: Text, line: Loopback):
    line.behave("+12025550147", Behaviour.UNDELIVERS)
    await text()
    assert "no receipt yet" in (await page_of(front)).by_class("meta")[0].words
    await all_receipts(line, 2)
    assert "receipt: not delivered" in (await page_of(front)).by_class("meta")[0].words


def test_every_receipt_has_words():
    assert set(RECEIPT) == {None, *ReceiptStatus}


async def test_a_handset_without_texts_says_how_to_get_one(front: ClientSession):
    page = await page_of(front)
    assert [heading.words for heading in page.by_tag("h2") if "No text" in heading.words] == ["No text yet"]
    assert page.by_class("bubble") == []


@pytest.mark.parametrize(
    "number",
    [
        pytest.param("12025550147", id="no plus"),
        pytest.param("+02025550147", id="a country that is none"),
        pytest.param("+120255", id="too short"),
        pytest.param("+1202555014712345", id="too long"),
        pytest.param("+1202555014x", id="a letter"),
        pytest.param("+%D9%A1%D9%A2%D9%A0%D9%A2%D9%A5%D9%A5%D9%A5%D9%A0", id="digits of another script"),
        pytest.param("+12025550147%0A", id="a line break at the end"),
        pytest.param("%3Cscript%3E", id="a tag"),
        pytest.param("..%2F..%2Fetc%2Fpasswd", id="a path"),
        pytest.param("+12025550147%00", id="a zero byte"),
    ],
)
@pytest.mark.parametrize("tail", ["", "/events"])
async def test_what_is_no_number_is_not_found(front: ClientSession, number: str, tail: str):
    answer = await front.get(f"/handset/{number}{tail}")
    assert answer.status == 404
    assert "<script" not in await answer.text()


@pytest.mark.parametrize("words", HOSTILE)
async def test_a_hostile_text_is_shown_as_text(front: ClientSession, text: Text, words: str):
    await text(words)
    page = await page_of(front)
    (bubble,) = page.by_class("bubble")
    assert bubble.inside == []
    assert bubble.words == legible(words)
    scripts = [element.attributes for element in page.elements if element.tag == "script"]
    assert [set(script) for script in scripts] == [{"type", "src"}]
    assert not [element for element in page.elements if any(name.startswith("on") for name in element.attributes)]


@pytest.mark.parametrize("words", HOSTILE)
async def test_a_hostile_text_is_shown_as_text_in_the_list(front: ClientSession, text: Text, words: str):
    await text(words, sender=words)
    page = await page_of(front, "/handset")
    (shown,) = page.by_class("one-line")
    assert (shown.inside, shown.words) == ([], legible(words))
    assert page.by_tag("script") == []


@pytest.mark.parametrize("words", HOSTILE)
async def test_a_hostile_text_is_shown_as_text_in_the_stream(front: ClientSession, text: Text, words: str):
    ref = await text(words, sender=words)
    async with stream(front) as events:
        name, fragment = await events.text()
    assert name == ref.provider_id
    (bubble,) = fragment.by_class("bubble")
    assert (bubble.inside, bubble.words) == ([], legible(words))
    assert {element.tag for element in fragment.elements} <= TAGS_OF_A_TEXT


def test_thirty_hostile_texts_are_tried():
    assert len(set(HOSTILE)) >= 30


async def test_the_stream_brings_what_comes_and_what_changes(front: ClientSession, text: Text, line: Loopback):
    async with stream(front) as events:
        ref = await text("came while looking")
        name, fragment = await events.text()
        assert name == ref.provider_id == fragment.elements[0].attributes["id"]
        assert fragment.by_class("bubble")[0].words == "came while looking"
        await all_receipts(line, 2)
        name, fragment = await events.text()
        assert name == ref.provider_id
        assert "receipt: delivered" in fragment.by_class("meta")[0].words


async def test_a_fragment_is_what_the_page_shows(front: ClientSession, text: Text):
    await text()
    await text(sender="+12025550102")
    whole = await (await front.get(PATH)).text()
    async with stream(front) as events:
        for _ in range(2):
            html = json.loads((await events.next())["data"])["html"]
            assert html.strip() in whole


async def test_the_page_goes_on_where_it_was_rendered(front: ClientSession, text: Text):
    await text("on the page")
    (box,) = [element for element in (await page_of(front)).elements if "data-live" in element.attributes]
    address, _, since = box.attributes["data-live"].partition("?since=")
    assert address == "/handset/%2B12025550147/events"
    await text("after it")
    async with stream(front, since) as events:
        _, fragment = await events.text()
        assert fragment.by_class("bubble")[0].words == "after it"


async def test_a_cut_stream_goes_on_where_it_was_cut(front: ClientSession, text: Text):
    await text("one")
    async with stream(front) as events:
        last = (await events.next())["id"]
    await text("two")
    async with stream(front, since="ignored.0", last=last) as events:
        _, fragment = await events.text()
        assert fragment.by_class("bubble")[0].words == "two"


@pytest.mark.parametrize(
    "mark",
    [
        pytest.param("another-life.99", id="of another life"),
        pytest.param("", id="none"),
        pytest.param("99", id="without a life"),
        pytest.param("{life}.x", id="no number"),
        pytest.param("{life}." + "9" * 400, id="far too long"),
        pytest.param("{life}.-1", id="below zero"),
        pytest.param("{life}.٣", id="a digit of another script"),
    ],
)
async def test_a_mark_that_means_nothing_starts_from_the_start(
    front: ClientSession, text: Text, line: Loopback, mark: str
):
    await text("all of it")
    async with stream(front, mark.replace("{life}", line.life)) as events:
        _, fragment = await events.text()
        assert fragment.by_class("bubble")[0].words == "all of it"


async def test_a_quiet_stream_shows_that_it_lives(browse: Browse, line: Loopback, text: Text):
    front = await browse(line, heartbeat=timedelta(milliseconds=5))
    async with stream(front) as events:
        async with asyncio.timeout(5):
            assert await events.answer.content.readline() == b": still here\n"
            assert await events.answer.content.readline() == b"\n"
        await text("still listening")
        while "data" not in (found := await events.next()):
            pass
        assert "still listening" in found["data"]


async def test_too_many_streams_are_turned_away(front: ClientSession, text: Text, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(handsets, "MOST_STREAMS", 1)
    await text()
    async with stream(front) as events:
        await events.next()
        answer = await front.get(f"{PATH}/events")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "30")


async def test_a_reader_who_leaves_frees_the_place(
    browse: Browse, line: Loopback, text: Text, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(handsets, "MOST_STREAMS", 1)
    front = await browse(line, heartbeat=timedelta(milliseconds=5))
    await text()
    async with stream(front) as events:
        await events.next()
        events.answer.close()
    status = 503
    async with asyncio.timeout(5):
        while status == 503:
            async with front.get(f"{PATH}/events") as answer:
                status = answer.status
    assert status == 200


async def test_a_stopping_front_ends_its_streams(browse: Browse, front: ClientSession, text: Text):
    await text()
    async with stream(front) as events:
        await events.next()
        async with asyncio.timeout(5):
            await browse.stop()
            with pytest.raises(aiohttp.ClientPayloadError):
                await events.answer.content.read()


async def test_the_list_names_the_handsets_the_last_texted_first(front: ClientSession, text: Text):
    for number in ("+12025550148", ANA, ANA):
        await text(to=number)
    rows = (await page_of(front, "/handset")).by_tag("tr")[1:]
    assert [[cell.words for cell in row.inside if cell.tag in ("th", "td")] for row in rows] == [
        ["+1 202 555 0147", "Sorry we missed you", "+1 202 555 0101", "2", "2026-11-20 10:00"],
        ["+1 202 555 0148", "Sorry we missed you", "+1 202 555 0101", "1", "2026-11-20 10:00"],
    ]


async def test_a_long_list_says_that_it_is_not_all(front: ClientSession, text: Text, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(handsets, "MOST_LISTED", 2)
    for last in range(3):
        await text(to=f"+1202555014{last}")
    page = await page_of(front, "/handset")
    assert len(page.by_tag("tr")) == 3
    (foot,) = page.by_tag("footer")
    assert foot.words == "The 2 that were texted last, of 3. Open any other by its number."


async def test_an_empty_list_says_how_to_fill_it(front: ClientSession):
    page = await page_of(front, "/handset")
    assert [heading.words for heading in page.by_tag("h2")] == ["No text has come yet"]


@pytest.mark.parametrize("typed", ["+1 202 555 0147", "%2B1-202-555-0147", "12025550147", "(1) 202.555.0147"])
async def test_a_handset_can_be_asked_for_by_number(front: ClientSession, typed: str):
    answer = await front.get(f"/handset?number={typed}", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/handset/+12025550147")


@pytest.mark.parametrize("typed", ["//example.invalid", "%0d%0aSet-Cookie:x=1", "", "9" * 4000])
async def test_a_number_that_is_none_leads_nowhere_else(front: ClientSession, typed: str):
    answer = await front.get("/handset", params={"number": typed})
    assert answer.status == 404
    assert answer.url.path.startswith("/handset/+")
