"""An inbox in memory with the real pages before it, and somebody who is logged in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from ringback.core.numbers import Number, NumberFormat, read_number
from ringback.core.permissions import Role
from ringback.panel.consent_acts import ConsentActs
from ringback.panel.live import Streams
from ringback.panel.thread_acts import ThreadActs
from ringback.panel.threads import ThreadPages
from tests.fakes.hand_clock import HandClock
from tests.fakes.threads import (
    THREAD,
    Bells,
    FakeDesk,
    FakeThreads,
)
from tests.panel.reading import Element, Page
from tests.panel.visiting import Visitor, client_as

PATH = f"/threads/{THREAD}"


def read(text: str) -> Number:
    return read_number(text, NumberFormat.E164, "US")


@dataclass
class Scene:
    """A visitor and the inbox in memory that they look at."""

    visitor: Visitor
    threads: FakeThreads
    desk: FakeDesk
    bells: Bells

    async def page(self, path: str = PATH) -> Page:
        return await self.visitor.page(path)

    async def send(self, text: str = "hello", key: str = "k1", **more: str) -> tuple[int, Page | str]:
        answer = await self.visitor.post(f"{PATH}/texts", {"text": text, "key": key, **more})
        if answer.status == 303:
            return 303, answer.headers["Location"]
        return answer.status, Page(await answer.text())


@asynccontextmanager
async def inbox(clock: HandClock) -> AsyncIterator[Scene]:
    threads, desk, bells = FakeThreads(), FakeDesk(), Bells()

    def pages(shell):
        streams = Streams(shell, bells, calm=timedelta())
        made.append(ThreadPages(shell, threads, desk, streams, read, clock))
        return made[0]

    made: list[ThreadPages] = []
    acts = (lambda shell, acts=acts: acts(shell, made[0], desk) for acts in (ThreadActs, ConsentActs))
    async with client_as(Role.AGENT, pages, *acts, clock=clock) as visitor:
        yield Scene(visitor, threads, desk, bells)


def items(page: Page) -> list[str]:
    return [" ".join(item.words.split()) for item in page.by_class("item")]


def words(element: Element) -> str:
    return " ".join(element.words.split())


def by_id(page: Page, name: str) -> Element:
    (found,) = [element for element in page.elements if element.attributes.get("id") == name]
    return found


MESSAGE = f"msg_{1:026}"


def stream_of(page: Page) -> str:
    (live,) = [element for element in page.elements if "data-live" in element.attributes]
    return str(live.attributes["data-live"])
