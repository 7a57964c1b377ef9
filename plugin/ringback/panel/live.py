"""Live pages: each reader is sent the parts of their page that changed, as HTML, for as long as they look.

A page says what it shows now (a `Sight`) and what to listen for. The stream remembers a mark of every part it sent and
looks again when something is said to have changed; what it sends is always read anew, with the rights that its reader
has at that moment. The marks of all parts on the page are the id of each event, so a reader who comes back after a cut
says by it exactly what they have.
"""

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from typing import Protocol

import structlog
from aiohttp import web

from ringback.errors import StoreFault
from ringback.panel.crowding import to_spare, too_many_of
from ringback.panel.open_streams import RIGHTS_CHANGED
from ringback.panel.shell import AGAIN, VISIT, Shell
from ringback.panel.words import N_
from ringback.ports.changes import GRANTS, Changes, Touch

log = structlog.get_logger("pages")

MOST_STREAMS = 100
MOST_OF_ONE = 5
"""Streams one person may have; a browser opens six connections to a site, and one must be left for its pages."""
HEARTBEAT = timedelta(seconds=15)
CALM = timedelta(milliseconds=250)
"""The least time between two looks of one stream, so that a burst of changes is one."""
STUCK_S = 30.0
"""A reader that takes nothing for so long is gone."""
RETRY_MS = 1000
MARK_LENGTH = 6

MOVED = N_("This page is not live any more: you have too many live pages open. Reload to see what is new.")
MISSED = N_("Too much happened while this page was cut off. Reload to see all of it.")


@dataclass(frozen=True, slots=True)
class Part:
    """An element of a page that may change. `seen` is all that its HTML is made of, with a `repr` that shows all of it.

    A part that is not on the page yet is put behind the element `after` inside of `box`; first if `after` is empty, and
    at the end if it is None.
    """

    id: str
    seen: object
    html: Callable[[], str]
    box: str = ""
    after: str | None = None

    @property
    def mark(self) -> str:
        """Six letters that change when the part does; the same in every process."""
        digest = blake2b(f"{self.id} {self.seen!r}".encode("utf-8", "surrogatepass"), digest_size=4).digest()
        return urlsafe_b64encode(digest)[:MARK_LENGTH].decode()


@dataclass(frozen=True, slots=True)
class Sight:
    """What a page shows now, and what tells that it changed.

    `orders` has the ids in each box that is a list: what is not among them is taken out. `counts` are what waits at the
    places of the navigation. `cut` says that there is more before the first part than was read.
    """

    parts: Sequence[Part]
    touches: frozenset[Touch]
    orders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    counts: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False

    @property
    def marks(self) -> str:
        """What the page hands to its stream, to say what is on it."""
        return "".join(part.mark for part in self.parts)

    def beside(self, other: "Sight") -> "Sight":
        """Both of them as one."""
        parts, touches = [*self.parts, *other.parts], self.touches | other.touches
        return Sight(parts, touches, {**self.orders, **other.orders}, {**self.counts, **other.counts}, self.cut)


class Company(Protocol):
    """What every live page of somebody has beside what it shows; and that it is open says that they are there."""

    def here(self, request: web.Request) -> AbstractContextManager[None]: ...
    async def look(self, request: web.Request) -> Sight: ...


class NoCompany:
    """For pages without agents."""

    def here(self, request: web.Request) -> AbstractContextManager[None]:
        return nullcontext()

    async def look(self, request: web.Request) -> Sight:
        return Sight((), frozenset())


Look = Callable[[], Awaitable[Sight]]


@dataclass(slots=True, eq=False)
class _Reader:
    """Somebody who looks, and what they have on their page: the mark of each part by its id. `quiet`: only company."""

    who: str
    task: "asyncio.Task[object]"
    answer: web.StreamResponse
    known: frozenset[str]
    shown: dict[str, str] = field(default_factory=dict)
    orders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    counts: Mapping[str, str] = field(default_factory=dict)
    moved: bool = False
    quiet: bool = False

    def news(self, sight: Sight) -> Iterator[bytes]:
        """What they have not got yet, as events; each carries the marks of all that is then on the page."""
        changed = []
        for part in sight.parts:
            mark = part.mark
            if self.shown.get(part.id) == mark or mark in self.known:
                self.shown[part.id] = mark
            else:
                changed.append((part, mark))
        self.known = frozenset()
        for part, mark in changed:
            self.shown[part.id] = mark
            place = {"box": part.box} if part.after is None else {"box": part.box, "after": part.after}
            yield _event({"id": part.id, "html": part.html(), **place}, mark="".join(self.shown.values()))
        for box, ids in sight.orders.items():
            if self.orders.get(box) != ids:
                self.orders[box] = ids
                yield _event({"box": box, "ids": ids}, "order")
        if sight.counts != self.counts:
            self.counts = sight.counts
            yield _event(sight.counts, "counts")
        for gone in self.shown.keys() - {part.id for part in sight.parts}:
            del self.shown[gone]

    def move(self) -> None:
        """End it, since there are too many."""
        self.moved = True
        self.task.cancel()

    def lacks(self, sight: Sight) -> bool:
        """Whether something between what they have and what is read now is missing; asked when they come."""
        return sight.cut and bool(self.known) and bool(sight.parts) and sight.parts[0].mark not in self.known


async def _nothing() -> Sight:
    return Sight((), frozenset())


def _event(data: object, kind: str = "", mark: str = "") -> bytes:
    lines = [f"event: {kind}"] if kind else []
    lines += [f"id: {mark}"] if mark else []
    return "\n".join([*lines, f"data: {json.dumps(data)}\n\n"]).encode()


BEAT = _event(1, "beat")


class Streams:
    """All live pages of the panel. What all of them cost together is bounded: they look one at a time, and each look is
    followed by a rest as long as itself."""

    def __init__(
        self,
        shell: Shell,
        changes: Changes,
        heartbeat: timedelta = HEARTBEAT,
        calm: timedelta = CALM,
        company: Company | None = None,
    ) -> None:
        self._shell = shell
        self._changes = changes
        self._heartbeat = heartbeat.total_seconds()
        self._calm = calm.total_seconds()
        self._company: Company = company or NoCompany()
        self._turn = asyncio.Lock()
        self._readers: dict[asyncio.Task[object], _Reader] = {}

    async def serve_beside(self, request: web.Request) -> web.StreamResponse:
        """Send what every live page has, for one that has nothing else. It is the first to end."""
        return await self._serve(request, _nothing, quiet=True)

    async def serve(self, request: web.Request, look: Look) -> web.StreamResponse:
        """Send what changes until the reader goes. Their oldest stream ends when they open too many."""
        return await self._serve(request, look, quiet=False)

    async def _serve(self, request: web.Request, look: Look, quiet: bool) -> web.StreamResponse:
        who, task = request[VISIT].principal.id, asyncio.current_task()
        assert task is not None
        if not self._has_room(who):
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "30"})
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        reader = self._readers[task] = _Reader(who, task, answer, _known(request), quiet=quiet)
        try:
            # a connection that is gone is how each stream ends
            with suppress(ConnectionError), self._company.here(request):
                await answer.prepare(request)
                await self._follow(request, reader, look)
        except StoreFault as problem:
            # an error page would be written into the stream; the browser comes again by itself
            log.warning("a live page could not be read", path=request.path, problem=str(problem))
        except web.HTTPException:
            # what they look at is not there for them any more
            await self._end(request, reader, RIGHTS_CHANGED)
        except asyncio.CancelledError:
            if not reader.moved:
                raise
            task.uncancel()
            await self._end(request, reader, MOVED)
        finally:
            del self._readers[task]
        return answer

    async def close(self, _: web.Application) -> None:
        """End the streams, which would hold a stopping daemon back."""
        for task in self._readers:
            task.cancel()

    def _has_room(self, who: str) -> bool:
        """Make room for one more of somebody; False if everybody has one, and there are as many as there can be."""
        for reader in too_many_of(who, self._readers.values(), MOST_OF_ONE):
            reader.move()
        if sum(not reader.moved for reader in self._readers.values()) < MOST_STREAMS:
            return True
        if spare := to_spare(self._readers.values()):
            spare.move()
        return spare is not None

    async def _follow(self, request: web.Request, reader: _Reader, look: Look) -> None:
        listens: frozenset[Touch] = frozenset()
        await _write(request, reader, f"retry: {RETRY_MS}\n\n".encode())
        with self._changes.watch() as watch:
            while True:
                async with self._turn:
                    sight = await self._look(request, look)
                touches = sight.touches | {GRANTS}
                if not touches <= listens:
                    # what changed before we listened for it would be missed, so look once more
                    listens = touches
                    watch.of(listens)
                    continue
                if reader.lacks(sight):
                    await self._end(request, reader, MISSED)
                    return
                for event in reader.news(sight):
                    await _write(request, reader, event)
                await asyncio.sleep(self._calm)
                while not await self._rings(watch.wait()):
                    await _write(request, reader, BEAT)

    async def _look(self, request: web.Request, look: Look) -> Sight:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await request[AGAIN]()
        sight = (await look()).beside(await self._company.look(request))
        await asyncio.sleep(loop.time() - began)
        return sight

    async def _rings(self, bell: Awaitable[None]) -> bool:
        """Whether something changed before it was time to show that we are still here."""
        try:
            async with asyncio.timeout(self._heartbeat):
                await bell
        except TimeoutError:
            return False
        return True

    async def _end(self, request: web.Request, reader: _Reader, why: str) -> None:
        with suppress(ConnectionError):
            await _write(request, reader, _event({"why": self._shell.say(request, why)}, "ended"))


async def _write(request: web.Request, reader: _Reader, event: bytes) -> None:
    try:
        async with asyncio.timeout(STUCK_S):
            await reader.answer.write(event)
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the reader takes nothing any more") from None


def _known(request: web.Request) -> frozenset[str]:
    """The marks of what is on the reader's page."""
    marks = request.headers.get("Last-Event-ID") or request.query.get("since", "")
    return frozenset(marks[at : at + MARK_LENGTH] for at in range(0, len(marks), MARK_LENGTH))
