"""The inbox kept live: what comes and changes reaches the page, and nothing else does."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ringback.core.messages import State
from ringback.ports.changes import Touch
from tests.fakes.hand_clock import HandClock
from tests.fakes.threads import (
    ANA,
    HEAD,
    NOON,
    came,
    noted,
    rang,
    row,
    went,
)
from tests.panel.events import listening
from tests.panel.inbox import MESSAGE, PATH, Scene, inbox, stream_of, words
from tests.panel.reading import Page


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with inbox(HandClock()) as scene:
        yield scene


# Live


async def test_a_page_that_was_just_opened_is_sent_nothing_but_its_order(scene: Scene):
    scene.threads.rows = [row(1, waits_since=NOON), row(2, waits_since=NOON)]
    scene.threads.entries = [rang(), came(), went(minutes=1)]
    for path in (PATH, "/threads"):
        async with listening(scene.visitor, stream_of(await scene.page(path))) as reader:
            assert (await reader.next("message", "order")).data == {
                "box": "threads",
                "ids": [f"row-thr_{number:026}" for number in (1, 2)],
            }
            assert (await reader.next("counts")).data == {"/threads": "2"}


async def test_a_text_that_comes_stands_behind_the_last_one(scene: Scene):
    scene.threads.entries = [came()]
    async with listening(scene.visitor, stream_of(await scene.page())) as reader:
        await reader.next("order")
        scene.threads.entries.append(came("<b>new</b>", minutes=2, number=2))
        scene.bells.ring(Touch("thread", 1))
        data = (await reader.next("message")).data
        assert (data["id"], data["box"], data["after"]) == (f"inb_{2:026}", "entries", f"inb_{1:026}")
        (bubble,) = Page(data["html"]).by_class("bubble")
        assert bubble.words == "<b>new</b>"


async def test_a_state_that_changes_takes_the_place_of_the_old_one(scene: Scene):
    scene.threads.entries = [went(state=State.SENT)]
    async with listening(scene.visitor, stream_of(await scene.page())) as reader:
        await reader.next("order")
        scene.threads.entries = [went(state=State.DELIVERED)]
        scene.bells.ring()
        data = (await reader.next("message")).data
        assert data["id"] == MESSAGE
        assert "Delivered" in Page(data["html"]).by_class("meta")[0].words


async def test_a_call_of_this_person_wakes_their_thread(scene: Scene):
    scene.threads.entries = [came()]
    async with listening(scene.visitor, stream_of(await scene.page())) as reader:
        await reader.next("order")
        scene.threads.entries.append(rang(1))
        scene.bells.ring(Touch("peer", ANA))
        assert (await reader.next("message")).data["id"] == f"call_{1:026}"


async def test_a_stop_changes_what_stands_beside_the_thread(scene: Scene):
    scene.threads.entries = [came()]
    async with listening(scene.visitor, stream_of(await scene.page())) as reader:
        await reader.next("order")
        scene.threads.first = replace(HEAD, opted_out=noted("opt_out", "text", "STOP"))
        scene.bells.ring()
        ids = [(await reader.next("message")).data["id"] for _ in range(2)]
        assert ids == ["thread-head", "about"]


async def test_a_thread_that_was_answered_leaves_the_list_of_who_waits(scene: Scene):
    scene.threads.rows = [row(1, waits_since=NOON), row(2, waits_since=NOON)]
    async with listening(scene.visitor, stream_of(await scene.page("/threads"))) as reader:
        await reader.next("order")
        scene.threads.rows = [row(1, waits_since=NOON), row(2)]
        scene.bells.ring()
        assert (await reader.next("order")).data["ids"] == [f"row-thr_{1:026}"]


async def test_other_pages_are_told_only_how_many_wait(scene: Scene):
    scene.threads.rows = [row(number, waits_since=NOON) for number in range(1, 121)]
    async with listening(scene.visitor, "/threads/events") as reader:
        assert (await reader.next("counts", "message", "order")).data == {"/threads": "99+"}
        scene.threads.rows = []
        scene.bells.ring()
        assert (await reader.next("counts", "message", "order")).data == {"/threads": ""}


async def test_midnight_renames_the_days():
    async with inbox(HandClock(datetime(2026, 11, 21, 4, 50, tzinfo=UTC))) as scene:
        scene.threads.entries = [came()]
        async with listening(scene.visitor, stream_of(await scene.page())) as reader:
            await reader.next("order")
            scene.visitor.clock.move(timedelta(minutes=15))
            scene.bells.ring()
            data = (await reader.next("message")).data
            assert words(Page(data["html"]).by_class("day")[0]) == "Yesterday"
