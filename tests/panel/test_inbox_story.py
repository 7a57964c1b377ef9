"""The inbox with everything behind it real: a text comes in, somebody answers, they say STOP. On both databases."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from ringback.core.numbers import NumberFormat, read_number
from ringback.panel.live import Streams
from ringback.panel.thread_acts import ThreadActs
from ringback.panel.threads import ThreadPages
from ringback.store.database import Database
from ringback.store.read_threads import StoredThreads
from tests.conftest import NOON
from tests.fakes.hand_clock import HandClock
from tests.flow.office import desk_of
from tests.flow.world import World, a_call, life_of
from tests.panel.events import Reader, listening
from tests.panel.reading import Page
from tests.panel.visiting import ANA, Visitor, client_as


@dataclass
class Inbox:
    world: World
    visitor: Visitor

    async def thread(self) -> str:
        """The address of the one thread."""
        (item,) = (await self.visitor.page("/threads?view=all")).by_class("item")
        return str(item.attributes["href"]).partition("?")[0]

    async def live(self, path: str) -> str:
        (box,) = [one for one in (await self.visitor.page(path)).elements if "data-live" in one.attributes]
        return str(box.attributes["data-live"])

    async def reply(self, path: str, text: str, key: str = "k") -> int:
        answer = await self.visitor.post(f"{path}/texts", {"text": text, "key": key})
        await self.world.settled()
        return answer.status


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOON)


@pytest.fixture
async def inbox(store: Database, clock: HandClock, tmp_path: Path) -> AsyncIterator[Inbox]:
    who = await store.commit(lambda tx: tx.accounts.add("ana", "Ana", ANA.roles, "", "", clock.now()))
    assert who is not None
    async with World(store, clock, tmp_path).running() as world:
        desk = desk_of(world)
        made: list[ThreadPages] = []

        def pages(shell):
            streams = Streams(shell, store.changes, calm=timedelta())
            made.append(ThreadPages(shell, StoredThreads(store), desk, streams, _read, clock))
            return made[0]

        async with client_as(who, pages, lambda shell: ThreadActs(shell, made[0], desk), clock=clock) as visitor:
            yield Inbox(world, visitor)


def _read(text: str):
    return read_number(text, NumberFormat.E164, "US")


async def until(reader: Reader, *words: str) -> Page:
    """The first fragment that says all of this."""
    while True:
        html = (await reader.next("message")).data["html"]
        if all(word in html for word in words):
            return Page(html)


async def test_a_caller_is_missed_texts_back_is_answered_and_says_stop(inbox: Inbox):
    await inbox.world.happens(*life_of(a_call("1")))
    path = await inbox.thread()
    page = await inbox.visitor.page(path)
    (event,) = page.by_class("event")
    assert event.words.startswith("Missed call")
    assert [bubble.words for bubble in page.by_class("bubble")] == ["Sorry we missed you, Northlight."]

    async with listening(inbox.visitor, await inbox.live(path)) as reader:
        await inbox.world.says("Can you come at 9?")
        assert (await until(reader, "Can you come at 9?")).by_class("msg")
        assert await inbox.reply(path, "Yes, at 9.") == 303
        sent = await until(reader, "Yes, at 9.", "Delivered")
        assert "You" in sent.by_class("from")[0].words
        await inbox.world.says("STOP")
        await until(reader, "This reads as STOP.")
        await until(reader, "Texts: no")
    assert inbox.world.handset()[:2] == ["Sorry we missed you, Northlight.", "Yes, at 9."]

    assert await inbox.reply(path, "One more thing", key="k2") == 409
    assert "One more thing" not in inbox.world.handset()
    assert "Refused" in (await inbox.visitor.page(path)).by_class("story")[-1].words


async def test_a_form_that_is_sent_twice_is_one_text(inbox: Inbox):
    await inbox.world.says("Hello?")
    path = await inbox.thread()
    assert [await inbox.reply(path, "Once", key="same") for _ in range(2)] == [303, 303]
    assert inbox.world.handset() == ["Once"]


async def test_opening_a_thread_reads_it_and_answering_ends_the_wait(inbox: Inbox):
    await inbox.world.says("Hello?")
    (item,) = (await inbox.visitor.page("/threads")).by_class("item")
    assert "unread" in item.classes
    path = await inbox.thread()
    await inbox.visitor.page(path)
    (item,) = (await inbox.visitor.page("/threads")).by_class("item")
    assert "unread" not in item.classes
    await inbox.visitor.post(f"{path}/answered")
    assert (await inbox.visitor.page("/threads")).by_class("item") == []


async def test_a_reader_who_was_cut_off_gets_what_came_meanwhile(inbox: Inbox):
    await inbox.world.says("first")
    path = await inbox.thread()
    live = await inbox.live(path)
    async with listening(inbox.visitor, live) as reader:
        await inbox.world.says("second")
        while (event := await reader.next("message")).data["box"] != "entries":
            pass
    await inbox.world.says("third")
    async with listening(inbox.visitor, live, {"Last-Event-ID": event.id}) as reader:
        bubbles = (await until(reader, "third")).by_class("bubble")
        assert [bubble.words for bubble in bubbles] == ["third"]


async def test_somebody_who_was_opted_out_by_mistake_gets_texts_again(inbox: Inbox):
    await inbox.world.says("Hello?")
    path = await inbox.thread()
    await inbox.visitor.post(f"{path}/opt-out", {"note": "said so on the phone"})
    assert await inbox.reply(path, "Sorry", key="k1") == 409
    assert (await inbox.visitor.post(f"{path}/opt-in", {"note": " "})).status == 422
    await inbox.visitor.post(f"{path}/opt-in", {"note": "it was another caller"})
    assert await inbox.reply(path, "Sorry", key="k2") == 303
    notes = [" ".join(note.words.split()) for note in (await inbox.visitor.page(path)).by_class("note")]
    assert notes[0].startswith("Noted here that they want no more texts from this number. said so on the phone")
    assert notes[1].startswith("Noted here that they want texts again. it was another caller")


async def test_the_thread_is_found_by_the_number_that_called(inbox: Inbox):
    await inbox.world.says("Hello?")
    answer = await inbox.visitor.get("/threads", params={"number": "(512) 555-0123"})
    assert (answer.status, answer.headers["Location"].partition("?")[0]) == (303, await inbox.thread())
