"""The pages of virtual handsets, with and without script, for somebody who is not logged in."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import aiohttp
import pytest
from aiohttp import ClientSession, DummyCookieJar

from ringback.carriers.loopback import Loopback, Settings
from ringback.core.keywords import Command, hear
from ringback.core.messages import Outgoing, ReceiptStatus
from ringback.core.permissions import Role
from ringback.core.schedules import WORDS, Window, say_windows
from ringback.core.segments import measure
from ringback.core.windows import named_window
from ringback.panel import handset_words, handsets
from ringback.panel.handset_rows import offered
from ringback.panel.handsets import HandsetPages
from ringback.panel.tokens import DOOR_COOKIE
from ringback.panel.words import RECEIPT, legible
from ringback.ports import CarrierRef, Incoming
from ringback.ports.handsets import Behaviour, Passage
from tests.fakes.hand_clock import HandClock
from tests.panel.hostile import HOSTILE
from tests.panel.reading import Page
from tests.panel.visiting import SITE, Visitor, client_as

ANA = "+12025550147"
OURS = "+12025550101"
PATH = f"/handset/{ANA}"
TAGS_OF_A_TEXT = {"div", "p", "span", "bdi", "time"}

Text = Callable[..., Awaitable[CarrierRef]]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def line(clock: HandClock, tmp_path: Path) -> Loopback:
    return Loopback("main", Settings(), clock, tmp_path / "handset.jsonl")


@pytest.fixture
def text(line: Loopback, clock: HandClock) -> Text:
    numbers = count(1)

    async def send(words: str = "Sorry we missed you", to: str = ANA, sender: str = OURS) -> CarrierRef:
        n = next(numbers)
        return await line.send(Outgoing(f"att_{n}", f"msg_{n}", sender, to, words, clock.now()))

    return send


class Fronts:
    """Opens web fronts with handset pages, each with a browser that nobody is logged in at."""

    def __init__(self, line: Loopback, clock: HandClock) -> None:
        self._line, self._clock = line, clock
        self._running, self._browsers = AsyncExitStack(), AsyncExitStack()

    async def stop(self) -> None:
        """Stop the fronts while the browsers stay."""
        await self._running.aclose()

    async def leave(self) -> None:
        await self._browsers.aclose()
        await self.stop()

    async def visitor(self, heartbeat: timedelta = timedelta(minutes=1)) -> Visitor:
        made = client_as(
            Role.AGENT, lambda shell: HandsetPages(shell, self._line, heartbeat), site=SITE, clock=self._clock
        )
        return await self._running.enter_async_context(made)

    async def stranger(self, heartbeat: timedelta = timedelta(minutes=1)) -> ClientSession:
        visitor = await self.visitor(heartbeat)
        return await self._browsers.enter_async_context(ClientSession(visitor.origin, cookie_jar=DummyCookieJar()))


@pytest.fixture
async def fronts(line: Loopback, clock: HandClock) -> AsyncIterator[Fronts]:
    opener = Fronts(line, clock)
    yield opener
    await opener.leave()


@pytest.fixture
async def front(fronts: Fronts) -> ClientSession:
    return await fronts.stranger()


async def send_form(
    front: ClientSession, form: Mapping[str, object], path: str = f"{PATH}/texts", token: str = ""
) -> aiohttp.ClientResponse:
    """Open the page and send one of its forms, as a browser does."""
    answer = await front.get(PATH)
    page = Page(await answer.text())
    tokens = {box.attributes["value"] for box in page.by_tag("input") if box.attributes.get("name") == "csrf"}
    assert len(tokens) == 1
    door = answer.cookies[DOOR_COOKIE].value
    headers = {"Cookie": f"{DOOR_COOKIE}={door}", "Origin": str(front._base_url).rstrip("/")}
    data = {"csrf": token or tokens.pop(), **form}
    return await front.post(path, data=data, headers=headers, allow_redirects=False)


async def heard(line: Loopback) -> list[Incoming]:
    """What came from the handsets so far; it is done with."""
    got: list[Incoming] = []
    batches = line.batches()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            async for batch in batches:
                got += [event for event in batch if isinstance(event, Incoming)]
    return got


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

    async def fragments(self) -> AsyncIterator[tuple[str, Page]]:
        """The id of each element, and the fragment that takes its place."""
        while True:
            found = await self.next()
            if "event" not in found:
                data = json.loads(found["data"])
                yield data["id"], Page(data["html"])

    async def text(self) -> tuple[str, Page]:
        """The next text; what it changes beside it is left out."""
        async for name, fragment in self.fragments():
            if name.startswith("lb-"):
                return name, fragment
        raise AssertionError("the stream ended")


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
    assert [day.words for day in page.by_class("day")] == ["Yesterday", "Today"]
    assert [time.words for time in page.by_tag("time")] == ["10:00", "23:50", "00:00"]


async def test_receipts_are_shown(front: ClientSession, text: Text, line: Loopback):
    line.behave("+12025550147", Behaviour.UNDELIVERS)
    await text()
    assert "no receipt yet" in (await page_of(front)).by_class("meta")[0].words
    await all_receipts(line, 2)
    assert "receipt: not delivered" in (await page_of(front)).by_class("meta")[0].words


def test_every_receipt_has_words():
    assert set(RECEIPT) == {None, *ReceiptStatus}


async def test_a_reply_goes_to_the_line_and_stands_on_the_handset(
    front: ClientSession, line: Loopback, clock: HandClock
):
    answer = await send_form(front, {"to": OURS, "text": "Can you come today?"})
    assert (answer.status, answer.headers["Location"]) == (303, f"{PATH}#words")
    page = await page_of(front)
    (shown,) = page.by_class("out")
    assert [bubble.words for bubble in page.by_class("bubble")] == ["Can you come today?"]
    assert "on its way" in shown.words
    (came,) = await heard(line)
    assert (came.sender, came.to, came.text, came.carrier_at) == (ANA, OURS, "Can you come today?", clock.now())
    assert "Ringback has it" in (await page_of(front)).by_class("out")[0].words


@pytest.mark.parametrize(
    ("form", "words", "to"),
    [
        pytest.param({"text": "a draft", "say": "STOP"}, "STOP", OURS, id="a text to tap outranks the box"),
        pytest.param({"text": "one\r\ntwo"}, "one\ntwo", OURS, id="lines as browsers send them"),
        pytest.param({"text": " as it is  "}, " as it is  ", OURS, id="spaces stay"),
        pytest.param({"text": "hi", "to": "+1 (202) 555-0101"}, "hi", OURS, id="a number with what people put in"),
        pytest.param({"text": "hi", "to": "2025550101"}, "hi", "2025550101", id="a number as it is dialled at home"),
        pytest.param(
            {"text": "hi", "to": "+4930000"}, "hi", "+4930000", id="a number that is not ours is ours to refuse"
        ),
        pytest.param({"text": "x" * 6_000}, "x" * 6_000, OURS, id="forty parts"),
    ],
)
async def test_what_is_said(front: ClientSession, line: Loopback, form: dict[str, str], words: str, to: str):
    assert (await send_form(front, {"to": OURS, **form})).status == 303
    assert [(came.text, came.to) for came in await heard(line)] == [(words, to)]


@pytest.mark.parametrize("passage", list(Passage))
async def test_how_a_reply_comes_is_chosen_on_the_page(front: ClientSession, line: Loopback, passage: Passage):
    assert (await send_form(front, {"to": OURS, "text": "abcd", "passage": passage})).status == 303
    texts = [(came.text, bool(came.provider_id)) for came in await heard(line)]
    assert (
        texts
        == {
            Passage.WHOLE: [("abcd", True)],
            Passage.IN_PARTS: [("ab", True), ("cd", True)],
            Passage.MIXED_UP: [("cd", True), ("ab", True)],
            Passage.PART_MISSING: [("ab", True)],
            Passage.TWICE: [("abcd", True)] * 2,
            Passage.WITHOUT_ID: [("abcd", False)],
        }[passage]
    )


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        pytest.param({"to": OURS, "text": ""}, "Write something first.", id="nothing"),
        pytest.param({"to": OURS, "text": " \n\t"}, "Write something first.", id="only blanks"),
        pytest.param(
            {"to": OURS, "text": "x" * 6_001},
            "A handset sends 6000 characters at most; this has 6001.",
            id="too long",
        ),
        pytest.param({"text": "hi"}, "Write the number you text to as in +12025550101.", id="to nobody"),
        pytest.param({"to": "home", "text": "hi"}, "Write the number you text to as in +12025550101.", id="to a name"),
        pytest.param(
            {"to": "+1202555010112345", "text": "hi"},
            "Write the number you text to as in +12025550101.",
            id="to a number that is too long",
        ),
        pytest.param(
            {"to": "+١٢٠٢٥٥٥", "text": "hi"}, "Write the number you text to as in +12025550101.", id="other digits"
        ),
    ],
)
async def test_what_cannot_be_said_stays_in_its_box(
    front: ClientSession, line: Loopback, form: dict[str, str], problem: str
):
    answer = await send_form(front, {**form, "passage": "twice"})
    page = Page(await answer.text())
    assert answer.status == 422
    assert [told.words for told in page.by_class("error")] == [problem]
    (box,) = page.by_tag("textarea")
    assert (box.words.removeprefix("\n"), box.attributes["aria-describedby"]) == (form["text"], "problem")
    assert chosen(page, "passage") == ["twice"]
    assert await heard(line) == []


def chosen(page: Page, name: str) -> list[str | None]:
    """What stands in a choice."""
    (box,) = [element for element in page.by_tag("select") if element.attributes.get("name") == name]
    return [option.attributes["value"] for option in box.inside if "selected" in option.attributes]


async def test_a_line_that_is_full_says_so_and_keeps_the_text(
    front: ClientSession, line: Loopback, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ringback.carriers.loopback.MOST_DUE", 0)
    answer = await send_form(front, {"to": OURS, "text": "hello"})
    page = Page(await answer.text())
    assert answer.status == 503
    assert "nothing was sent" in page.by_class("error")[0].words
    assert page.by_tag("textarea")[0].words.strip() == "hello"
    assert line.handset(ANA) == ()


async def test_a_file_in_place_of_a_text_is_no_text(front: ClientSession, line: Loopback):
    with Path(__file__).open("rb") as file:
        assert (await send_form(front, {"to": OURS, "text": file})).status == 422
    assert await heard(line) == []


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        pytest.param("/handset/12025550147/texts", {"to": OURS, "text": "hi"}, 404, id="a reply from no number"),
        pytest.param("/handset/12025550147/behaviour", {"behaviour": "late"}, 404, id="a line to no number"),
        pytest.param(f"{PATH}/texts", {"to": OURS, "text": "hi", "passage": "by post"}, 400, id="no such passage"),
        pytest.param(f"{PATH}/behaviour", {"behaviour": "sulks"}, 400, id="no such behaviour"),
    ],
)
async def test_a_form_that_is_not_ours_to_offer(
    front: ClientSession, line: Loopback, path: str, form: dict[str, str], status: int
):
    assert (await send_form(front, form, path)).status == status
    assert await heard(line) == []
    assert line.behaviour(ANA) is Behaviour.DELIVERS


@pytest.mark.parametrize(
    "path", [pytest.param(f"{PATH}/texts", id="a reply"), pytest.param(f"{PATH}/behaviour", id="a behaviour")]
)
async def test_a_wrong_token_does_nothing(front: ClientSession, line: Loopback, path: str):
    form = {"to": OURS, "text": "hi", "behaviour": "refuses"}
    assert (await send_form(front, form, path, token="0" * 64)).status == 403
    # what a page of another site can send: no cookie of ours, its own origin
    for headers in ({}, {"Origin": "https://elsewhere.example"}):
        answer = await front.post(path, data=form, headers=headers, allow_redirects=False)
        assert answer.status == 403
    assert (await heard(line), line.behaviour(ANA)) == ([], Behaviour.DELIVERS)


async def test_somebody_who_is_logged_in_can_reply_too(fronts: Fronts, line: Loopback):
    visitor = await fronts.visitor()
    assert (await visitor.post(f"{PATH}/texts", {"to": OURS, "text": "hi"})).status == 303
    assert [came.text for came in await heard(line)] == ["hi"]


async def test_a_reply_goes_to_who_was_last_used(front: ClientSession, text: Text, line: Loopback):
    await text(sender="+12025550102")
    await text(sender=OURS)
    page = await page_of(front)
    assert chosen(page, "to") == [OURS]
    (select,) = [element for element in page.by_tag("select") if element.attributes.get("name") == "to"]
    assert [option.words for option in select.inside] == ["+1 202 555 0101", "+1 202 555 0102"]
    line.say(ANA, "+12025550102", "and you?")
    assert chosen(await page_of(front), "to") == ["+12025550102"]


@pytest.mark.parametrize(
    ("path", "texted", "value"),
    [
        pytest.param(PATH, False, "", id="nobody texted yet"),
        pytest.param(f"{PATH}?to=other", True, OURS, id="another number is wanted"),
    ],
)
async def test_a_number_of_ours_can_be_typed(front: ClientSession, text: Text, path: str, texted: bool, value: str):
    if texted:
        await text()
    page = await page_of(front, path)
    (box,) = [element for element in page.by_tag("input") if element.attributes.get("name") == "to"]
    assert box.attributes["value"] == value


async def test_a_number_that_was_typed_stays(front: ClientSession, text: Text):
    await text()
    page = Page(await (await send_form(front, {"to": "+12025550199", "text": ""})).text())
    (box,) = [element for element in page.by_tag("input") if element.attributes.get("name") == "to"]
    assert box.attributes["value"] == "+12025550199"


@pytest.mark.parametrize("behaviour", list(Behaviour))
async def test_the_line_behaves_as_it_is_told(front: ClientSession, line: Loopback, behaviour: Behaviour):
    answer = await send_form(front, {"behaviour": behaviour}, f"{PATH}/behaviour")
    assert (answer.status, answer.headers["Location"]) == (303, f"{PATH}#line")
    assert line.behaviour(ANA) is behaviour
    page = await page_of(front)
    assert chosen(page, "behaviour") == [behaviour]
    (hint,) = page.by_class("hint")
    assert hint.words == handset_words.BEHAVIOURS[behaviour][1]


def test_all_that_can_be_chosen_has_words():
    assert set(handset_words.BEHAVIOURS) == set(Behaviour)
    assert set(handset_words.PASSAGES) == set(Passage)


def test_the_texts_to_tap_order_what_they_say():
    heard_in = {saying.words: found.command for saying in handset_words.SAYINGS if (found := hear(saying.words))}
    assert heard_in == {
        "STOP": Command.STOP,
        "START": Command.START,
        "HELP": Command.HELP,
        "ALTO": Command.STOP,
        "please stop texting me": Command.STOP,
    }
    assert measure(handset_words.LONG).segments > 2


@pytest.mark.parametrize(
    ("words", "times"),
    [
        pytest.param(
            "We can call you today 14:00-16:00 or tomorrow 10:00-12:00.",
            ["today 14:00", "tomorrow 10:00"],
            id="two days",
        ),
        pytest.param("today 10:00-12:00 or 14:00-16:00", ["today 10:00", "14:00"], id="one day"),
        pytest.param("mañana 10:00-12:00 o sábado 14:00-16:00", ["mañana 10:00", "sábado 14:00"], id="in Spanish"),
        pytest.param("aujourd'hui 10:00-12:00", ["aujourd'hui 10:00"], id="with an apostrophe"),
        pytest.param("segunda-feira 10:00-12:00", ["segunda-feira 10:00"], id="with a hyphen"),
        pytest.param("10:00-12:00", ["10:00"], id="no day"),
        pytest.param("Open 9-5, call 12:30", [], id="other figures"),
        pytest.param(
            " ".join(f"{hour}:00-{hour}:30" for hour in range(10, 20)), ["10:00", "11:00", "12:00", "13:00"], id="many"
        ),
        pytest.param("10:00-12:00 or 10:00-12:00", ["10:00"], id="the same twice"),
    ],
)
def test_offered_times_can_be_tapped(words: str, times: list[str]):
    assert [saying.words for saying in offered(words)] == times


@pytest.mark.parametrize("language", WORDS)
def test_what_can_be_tapped_names_the_time_that_was_offered(language: str):
    zone, said_at = SITE.zone, datetime(2026, 11, 20, 17, tzinfo=UTC)
    starts = [datetime(2026, 11, day, hour, tzinfo=zone) for day, hour in ((20, 14), (21, 10), (21, 14), (23, 10))]
    windows = [Window(start, start + timedelta(hours=2)) for start in starts]
    taps = offered(say_windows(windows, said_at, language))
    named = [named_window(saying.words, windows, said_at) for saying in taps]
    # the third one says no day of its own, so nobody can be sure
    assert named == [windows[0], windows[1], None, windows[3]]


async def test_the_page_offers_the_times_of_the_last_text_that_had_any(front: ClientSession, text: Text):
    await text("We can call you today 14:00-16:00")
    await text("Thanks")
    page = await page_of(front)
    (box,) = [element for element in page.elements if element.attributes.get("id") == "offered"]
    buttons = [element for element in box.inside if element.tag == "button"]
    assert [(button.words, button.attributes["value"], button.attributes["form"]) for button in buttons] == [
        ("today 14:00", "today 14:00", "say")
    ]


async def test_the_steps_are_ticked_as_they_are_done(front: ClientSession, text: Text, line: Loopback):
    async def done() -> int:
        return len((await page_of(front)).by_class("done"))

    assert await done() == 0
    await text()
    assert await done() == 2
    line.say(ANA, OURS, "hi")
    assert await done() == 3


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


@pytest.mark.parametrize("words", HOSTILE)
async def test_a_hostile_reply_is_shown_as_text(front: ClientSession, line: Loopback, words: str):
    line.say(ANA, words, words)
    async with stream(front) as events:
        _, fragment = await events.text()
    for page in (await page_of(front), fragment, await page_of(front, "/handset")):
        (shown,) = page.by_class("bubble") or page.by_class("one-line")
        assert (shown.inside, shown.words) == ([], legible(words))
        assert not [element for element in page.elements if any(name.startswith("on") for name in element.attributes)]


@pytest.mark.parametrize("words", HOSTILE)
async def test_a_hostile_draft_stays_a_draft(front: ClientSession, words: str):
    # what a browser sends: nothing that UTF-8 cannot say
    sent = words.encode("utf-8", "replace").decode()
    answer = await send_form(front, {"to": "nobody", "text": sent, "passage": "whole"})
    page = Page(await answer.text())
    (box,) = page.by_tag("textarea")
    assert (answer.status, box.inside) == (422, [])
    assert box.words.removeprefix("\n") == legible(sent.replace("\r\n", "\n"))


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


async def test_a_fragment_is_what_the_page_shows(front: ClientSession, text: Text, line: Loopback):
    await text("We can call you today 14:00-16:00")
    line.say(ANA, OURS, "hello")
    await text(sender="+12025550102")
    whole = await (await front.get(PATH)).text()
    seen: list[str] = []
    async with stream(front) as events:
        while seen.count("lb-") < 3:
            data = json.loads((await events.next())["data"])
            seen.append(data["id"][:3])
            assert data["html"].strip() in whole
    assert set(seen) == {"lb-", "to-", "ste", "off"}


async def test_the_stream_brings_what_is_said_and_that_it_was_read(front: ClientSession, line: Loopback):
    async with stream(front) as events:
        await send_form(front, {"to": OURS, "text": "from another window"})
        name, fragment = await events.text()
        assert len(fragment.by_class("out")) == 1
        assert [bubble.words for bubble in fragment.by_class("bubble")] == ["from another window"]
        await heard(line)
        again, fragment = await events.text()
        assert again == name
        assert "Ringback has it" in fragment.by_class("meta")[0].words


async def test_the_stream_brings_what_a_text_changes_beside_it(front: ClientSession, text: Text, line: Loopback):
    seen: dict[str, Page] = {}
    async with stream(front) as events:
        await text("We can call you today 14:00-16:00")
        async for name, fragment in events.fragments():
            seen[name] = fragment
            if name.startswith("lb-"):
                break
    assert chosen(seen["to-whom"], "to") == [OURS]
    assert len(seen["steps"].by_class("done")) == 2
    assert [button.words for button in seen["offered"].by_tag("button")] == ["today 14:00"]


async def test_what_somebody_chose_stays_when_nothing_new_comes(front: ClientSession, text: Text):
    await text("one")
    async with stream(front) as events:
        await events.text()
        await text("two")
        names = []
        async for name, _ in events.fragments():
            names.append(name)
            if name.startswith("lb-"):
                break
    assert "to-whom" not in names


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


async def test_a_quiet_stream_shows_that_it_lives(fronts: Fronts, text: Text):
    front = await fronts.stranger(heartbeat=timedelta(milliseconds=5))
    async with stream(front) as events:
        async with asyncio.timeout(5):
            assert await events.next() == {"event": "beat", "data": "1"}
        await text("still listening")
        _, fragment = await events.text()
        assert fragment.by_class("bubble")[0].words == "still listening"


async def test_too_many_streams_are_turned_away(front: ClientSession, text: Text, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(handsets, "MOST_STREAMS", 1)
    await text()
    async with stream(front) as events:
        await events.next()
        answer = await front.get(f"{PATH}/events")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "30")


async def test_a_reader_who_leaves_frees_the_place(fronts: Fronts, text: Text, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(handsets, "MOST_STREAMS", 1)
    front = await fronts.stranger(heartbeat=timedelta(milliseconds=5))
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


async def test_a_stopping_front_ends_its_streams(fronts: Fronts, front: ClientSession, text: Text):
    await text()
    async with stream(front) as events:
        await events.next()
        async with asyncio.timeout(5):
            await fronts.stop()
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
    assert foot.words == "The 2 that were used last, of 3. Open any other by its number."


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
