"""Streams of live pages: what changed is sent once, a cut is healed, and nobody can hold more than their share."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web

from ringback.core.permissions import Role
from ringback.errors import StoreFault
from ringback.panel import live
from ringback.panel.live import Part, Sight, Streams
from ringback.panel.shell import Shell
from ringback.ports.changes import ANY_THREAD, TASKS, Touch
from tests.fakes.threads import Bells
from tests.panel.events import Reader, listening
from tests.panel.visiting import TOKEN, Visitor, client_as


@dataclass
class Board:
    """A page of notes that a test changes."""

    streams: Streams
    notes: dict[str, str] = field(default_factory=dict)
    touches: frozenset[Touch] = frozenset({ANY_THREAD})
    counts: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    listed: bool = False
    looks: int = 0
    before_listening: Callable[[], None] | None = None

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/board/events", self.follow)]

    async def close(self, app: web.Application) -> None:
        await self.streams.close(app)

    async def follow(self, request: web.Request) -> web.StreamResponse:
        return await self.streams.serve(request, self.look)

    async def look(self) -> Sight:
        self.looks += 1
        sight = self.sight()
        if self.before_listening is not None:
            act, self.before_listening = self.before_listening, None
            act()
        return sight

    def sight(self) -> Sight:
        parts: list[Part] = []
        for name, words in self.notes.items():
            after = parts[-1].id if parts else ""
            parts.append(Part(name, words, lambda words=words: f"<p>{words}</p>", "board", after))
        orders = {"board": tuple(self.notes)} if self.listed else {}
        return Sight(parts, self.touches, orders, dict(self.counts), self.cut)


@dataclass
class Scene:
    visitor: Visitor
    board: Board
    bells: Bells

    def put(self, **notes: str) -> None:
        self.board.notes.update(notes)
        self.bells.ring()

    @asynccontextmanager
    async def reader(self, since: str | None = None, last: str = "") -> AsyncIterator[Reader]:
        path = "/board/events" + ("" if since is None else f"?since={since}")
        async with listening(self.visitor, path, {"Last-Event-ID": last} if last else {}) as reader:
            yield reader


@asynccontextmanager
async def opened(heartbeat: timedelta = timedelta(minutes=1)) -> AsyncIterator[Scene]:
    bells = Bells()
    boards: list[Board] = []

    def make(shell: Shell) -> Board:
        boards.append(Board(Streams(shell, bells, heartbeat, calm=timedelta())))
        return boards[0]

    async with client_as(Role.AGENT, make) as visitor:
        yield Scene(visitor, boards[0], bells)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with opened() as scene:
        yield scene


async def test_what_the_page_lacks_is_sent_at_once(scene: Scene):
    scene.board.notes = {"a": "one", "b": "two"}
    async with scene.reader() as reader:
        first, second = await reader.next(), await reader.next()
    assert first.data == {"id": "a", "html": "<p>one</p>", "box": "board", "after": ""}
    assert second.data == {"id": "b", "html": "<p>two</p>", "box": "board", "after": "a"}


async def test_what_stands_on_the_page_is_not_sent(scene: Scene):
    scene.board.notes = {"a": "one", "b": "two"}
    async with scene.reader(scene.board.sight().marks) as reader:
        scene.put(b="three")
        assert (await reader.next()).data["html"] == "<p>three</p>"


async def test_a_change_is_sent_once(scene: Scene):
    scene.board.notes = {"a": "one"}
    async with scene.reader(scene.board.sight().marks) as reader:
        scene.put(b="two")
        assert (await reader.next()).data["id"] == "b"
        scene.bells.ring()
        scene.put(a="changed")
        assert (await reader.next()).data["id"] == "a"


async def test_a_reader_who_comes_back_gets_what_was_missed(scene: Scene):
    scene.board.notes = {"a": "one"}
    async with scene.reader() as reader:
        await reader.next()
        scene.put(b="two")
        last = (await reader.next()).id
    scene.put(a="changed", c="three")
    async with scene.reader(last=last) as reader:
        assert [(await reader.next()).data["html"] for _ in range(2)] == ["<p>changed</p>", "<p>three</p>"]


async def test_a_cut_between_two_events_loses_neither(scene: Scene):
    scene.board.notes = {"a": "one", "b": "two", "c": "three"}
    async with scene.reader() as reader:
        await reader.next()
        after_second = (await reader.next()).id
    async with scene.reader(last=after_second) as reader:
        assert (await reader.next()).data["id"] == "c"


async def test_the_id_of_an_event_outranks_the_address(scene: Scene):
    scene.board.notes = {"a": "one"}
    marks = scene.board.sight().marks
    scene.board.notes["a"] = "two"
    async with scene.reader(marks, last=scene.board.sight().marks) as reader:
        scene.put(b="new")
        assert (await reader.next()).data["id"] == "b"


@pytest.mark.parametrize("marks", ["x", "nonsense", "é" * 7, "a" * 5000, "%00%ff"], ids=ascii)
async def test_marks_that_are_none_only_mean_that_all_is_sent(scene: Scene, marks: str):
    scene.board.notes = {"a": "one"}
    async with scene.reader(marks) as reader:
        assert (await reader.next()).data["id"] == "a"


async def test_what_changes_while_we_begin_to_listen_is_not_missed(scene: Scene):
    scene.board.notes = {"a": "one"}
    scene.board.before_listening = lambda: scene.put(a="two")
    async with scene.reader() as reader:
        assert (await reader.next()).data["html"] == "<p>two</p>"


async def test_only_what_is_listened_for_wakes(scene: Scene):
    async with scene.reader() as reader:
        scene.put(a="one")
        await reader.next()
        looks = scene.board.looks
        scene.board.notes["b"] = "two"
        scene.bells.ring(TASKS)
        scene.bells.ring(ANY_THREAD)
        assert (await reader.next()).data["id"] == "b"
        assert scene.board.looks == looks + 1


async def test_two_readers_get_the_same(scene: Scene):
    async with scene.reader() as one, scene.reader() as other:
        scene.put(a="<b>")
        assert (await one.next()).data == (await other.next()).data


async def test_a_list_says_its_order_when_it_changes(scene: Scene):
    scene.board.listed = True
    scene.board.notes = {"a": "one", "b": "two"}
    async with scene.reader(scene.board.sight().marks) as reader:
        assert (await reader.next("order")).data == {"box": "board", "ids": ["a", "b"]}
        scene.board.notes = {"b": "two", "a": "one"}
        scene.bells.ring()
        assert (await reader.next("order")).data == {"box": "board", "ids": ["b", "a"]}
        del scene.board.notes["a"]
        scene.bells.ring()
        assert (await reader.next("order")).data == {"box": "board", "ids": ["b"]}


async def test_a_row_that_left_and_comes_back_is_sent_again(scene: Scene):
    scene.board.listed = True
    scene.board.notes = {"a": "one"}
    async with scene.reader(scene.board.sight().marks) as reader:
        scene.board.notes = {}
        scene.bells.ring()
        while (await reader.next("order")).data["ids"]:
            pass
        scene.put(a="one")
        assert (await reader.next("message")).data["id"] == "a"


async def test_counts_are_sent_when_they_change(scene: Scene):
    scene.board.counts = {"/threads": "3"}
    async with scene.reader() as reader:
        assert (await reader.next("counts")).data == {"/threads": "3"}
        scene.board.counts = {"/threads": ""}
        scene.bells.ring()
        assert (await reader.next("counts")).data == {"/threads": ""}


async def test_a_quiet_stream_shows_that_it_lives():
    async with opened(heartbeat=timedelta(milliseconds=5)) as scene, scene.reader() as reader:
        for _ in range(2):
            await reader.next("beat")
        scene.put(a="still listening")
        assert (await reader.next()).data["id"] == "a"


async def test_too_much_missed_says_so(scene: Scene):
    scene.board.notes = {"a": "one"}
    marks = scene.board.sight().marks
    scene.board.notes = {"y": "later", "z": "much later"}
    scene.board.cut = True
    async with scene.reader(marks) as reader:
        assert (await reader.next("ended")).data == {"why": live.MISSED}


async def test_a_page_that_is_only_long_is_followed(scene: Scene):
    scene.board.notes = {"a": "one"}
    scene.board.cut = True
    async with scene.reader(scene.board.sight().marks) as reader:
        scene.put(b="two")
        assert (await reader.next("message", "ended")).data["id"] == "b"


async def test_the_oldest_stream_of_one_person_makes_room(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "MOST_OF_ONE", 2)
    async with scene.reader() as first, scene.reader() as second:
        scene.put(a="one")
        await first.next()
        await second.next()
        async with scene.reader() as third:
            assert (await first.next("ended")).data == {"why": live.MOVED}
            assert await first.answer.content.read() == b""
            await third.next()
            scene.put(b="two")
            assert (await second.next()).data == (await third.next()).data


async def test_in_a_full_house_who_has_several_makes_room(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "MOST_STREAMS", 2)
    scene.board.notes = {"a": "one"}
    async with scene.reader() as first, scene.reader() as second:
        await first.next()
        await second.next()
        async with scene.reader() as third:
            assert (await first.next("ended")).data == {"why": live.MOVED}
            assert (await third.next()).data["id"] == "a"


async def test_a_full_house_turns_streams_away(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "MOST_STREAMS", 1)
    scene.board.notes = {"a": "one"}
    async with scene.reader() as reader:
        await reader.next()
        answer = await scene.visitor.get("/board/events")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "30")


async def test_a_reader_who_leaves_frees_the_place(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "MOST_STREAMS", 1)
    async with opened(heartbeat=timedelta(milliseconds=5)) as scene:
        scene.board.notes = {"a": "one"}
        async with scene.reader() as reader:
            await reader.next()
        status = 503
        async with asyncio.timeout(5):
            while status == 503:
                async with scene.visitor.session.get("/board/events") as answer:
                    status = answer.status
        assert status == 200


async def test_a_login_that_ends_ends_the_stream_with_its_reason(scene: Scene):
    scene.board.notes = {"a": "one"}
    async with scene.reader() as reader:
        await reader.next()
        visitor = scene.visitor
        visitor.crowd.leave(TOKEN, visitor.clock.now())
        visitor.guard.forget()
        await visitor.clock.until_somebody_sleeps()
        visitor.clock.move(timedelta(seconds=2))
        ended = await reader.next("ended")
        assert "logged out" in ended.data["why"]
    assert (await scene.visitor.get("/board/events")).status in (303, 401)


async def test_a_stopping_front_ends_its_streams(scene: Scene):
    scene.board.notes = {"a": "one"}
    async with scene.reader() as reader:
        await reader.next()
        await scene.board.close(web.Application())
        with pytest.raises(aiohttp.ClientPayloadError):
            await reader.answer.content.read()


async def test_a_database_that_goes_away_ends_a_stream_and_writes_no_page_into_it(scene: Scene):
    scene.board.notes = {"a": "one"}

    def fail() -> None:
        raise StoreFault("gone")

    async with scene.reader() as reader:
        await reader.next()
        scene.board.before_listening = fail
        scene.bells.ring()
        async with asyncio.timeout(5):
            assert await reader.answer.content.read() == b""
    assert not scene.board.streams._readers


async def test_a_reader_that_takes_nothing_is_dropped(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "STUCK_S", 0.05)
    async with scene.reader() as reader:
        scene.board.notes = {"a": "x" * 50_000_000}
        scene.bells.ring()
        async with asyncio.timeout(5):
            while scene.board.streams._readers:
                await asyncio.sleep(0)
        with pytest.raises((aiohttp.ClientPayloadError, ConnectionError)):
            await reader.answer.content.read()


def test_a_mark_changes_with_what_is_seen_and_with_nothing_else():
    def part(name: str, seen: object) -> Part:
        return Part(name, seen, str)

    assert part("a", ("x", 1)).mark == part("a", ("x", 1)).mark
    assert len({part("a", "x").mark, part("a", "y").mark, part("b", "x").mark}) == 3
    assert {len(part(str(n), "\ud800").mark) for n in range(50)} == {live.MARK_LENGTH}
