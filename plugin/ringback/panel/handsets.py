"""The pages of handsets that exist only here: the list, one handset with its replies, and its live stream.

Whoever sits at this machine and is nobody sees all of it. Who is logged in sees the texts of numbers they may see.
"""

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from aiohttp import web

from ringback.core.grants import EVERYTHING, NOTHING, Reach
from ringback.core.permissions import Action
from ringback.errors import SendFailed
from ringback.panel import handset_words as words
from ringback.panel.handset_rows import Around, Listed, Row, around, rows_of, seen_of, used_within
from ringback.panel.live import BEAT
from ringback.panel.shell import AGAIN, VISIT, Shell
from ringback.ports.handsets import Behaviour, Handsets, HandsetText, Passage

Choice = TypeVar("Choice", Behaviour, Passage)

HEARTBEAT = timedelta(seconds=15)
NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
OURS = re.compile(r"\+?[0-9]{3,15}")
"""A number of ours as somebody types it into a phone; what it means is for the daemon to find out."""

MARK = re.compile(r"(\w+)\.([0-9]{1,18})")
LONGEST = 6_000
"""Characters of a reply: 40 parts."""

MOST_LISTED = 100
ALL_OF_THEM = 1_000_000
MOST_STREAMS = 100
WRONG = 422
BUSY = 503


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the reply box; with a problem it was not sent."""

    text: str = ""
    to: str = ""
    passage: Passage = Passage.WHOLE
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """An element beside the texts; it is sent again when what it shows is another."""

    template: str
    seen: Callable[[Around], object]


PARTS: Mapping[str, Part] = {
    # which number is chosen there is left to who chose it
    "to-whom": Part("handset_to", lambda beside: frozenset(beside.ours)),
    "steps": Part("handset_steps", lambda beside: (beside.texted, beside.replied)),
    "offered": Part("handset_offered", lambda beside: beside.offered),
}


class HandsetPages:
    """The routes under /handset. The guard lets whoever sits at this machine in without a login."""

    def __init__(self, shell: Shell, handsets: Handsets, heartbeat: timedelta = HEARTBEAT) -> None:
        self._shell = shell
        self._handsets = handsets
        self._heartbeat = heartbeat.total_seconds()
        self._streams: set[asyncio.Task[object]] = set()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/handset", self.index),
            web.get("/handset/{number}", self.show),
            web.get("/handset/{number}/events", self.events, allow_head=False),
            web.post("/handset/{number}/texts", self.say),
            web.post("/handset/{number}/behaviour", self.behave),
        ]

    def listed(self, reach: Reach) -> list[Listed]:
        """The handsets that were used last."""
        numbers = used_within(self._handsets, reach, MOST_LISTED)
        shelves = ((number, seen_of(self._handsets, number, reach)) for number in numbers)
        return [Listed(number, len(texts), texts[-1]) for number, texts in shelves if texts]

    def _reach(self, request: web.Request) -> Reach:
        visit = request[VISIT]
        if not visit.known:
            return EVERYTHING
        return self._shell.reach(request) if visit.rights.may(Action.READ_THREADS) else NOTHING

    def _texts(self, request: web.Request, number: str) -> tuple[HandsetText, ...]:
        return seen_of(self._handsets, number, self._reach(request))

    async def index(self, request: web.Request) -> web.Response:
        """The list; with `?number=` it goes to that handset, so that the form works without script."""
        asked = request.query.get("number")
        if asked is not None:
            # a plus sign that was typed into an address arrives as a space
            raise web.HTTPSeeOther(f"/handset/+{re.sub('[^0-9]', '', asked)[:20]}")
        reach = self._reach(request)
        total = len(used_within(self._handsets, reach, ALL_OF_THEM))
        return self._shell.page(request, "handsets", handsets=self.listed(reach), total=total)

    async def show(self, request: web.Request) -> web.Response:
        """One handset, whether or not a text ever came to it."""
        return self._page(request, Draft())

    async def say(self, request: web.Request) -> web.Response:
        """Write a text on this handset. What cannot be sent comes back in its box, with the reason."""
        number = _number(request)
        form = await request.post()
        text = _field(form, "say") or _field(form, "text").replace("\r\n", "\n")
        to = re.sub(r"[\s().-]", "", _field(form, "to"))
        draft = Draft(text, to, _choice(form, "passage", Passage.WHOLE))
        status, problem = self._send(number, draft)
        if not problem:
            raise web.HTTPSeeOther(f"/handset/{number}#words")
        told = self._shell.say(request, problem, most=LONGEST, count=len(text))
        return self._page(request, replace(draft, problem=told), status)

    async def behave(self, request: web.Request) -> web.Response:
        """Set how the line to this handset behaves from now on."""
        number = _number(request)
        self._handsets.behave(number, _choice(await request.post(), "behaviour", self._handsets.behaviour(number)))
        raise web.HTTPSeeOther(f"/handset/{number}#line")

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Fragments of the page as texts come, go and change, for as long as the browser listens."""
        number = _number(request)
        since = self._since(request)
        if len(self._streams) >= MOST_STREAMS:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "30"})
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        here = asyncio.current_task()
        assert here is not None
        self._streams.add(here)
        try:
            # a connection that is gone is how each stream ends; or it is not theirs any more
            with suppress(ConnectionError, web.HTTPException):
                await answer.prepare(request)
                await self._follow(request, answer, number, since)
        finally:
            self._streams.discard(here)
        return answer

    async def close(self, _: web.Application) -> None:
        """End the streams, which would hold a stopping daemon back."""
        for stream in self._streams:
            stream.cancel()

    def _send(self, number: str, draft: Draft) -> tuple[int, str]:
        """Hand a text to the line; else the status and the sentence that says why not."""
        if not draft.text.strip():
            return WRONG, words.EMPTY
        if len(draft.text) > LONGEST:
            return WRONG, words.TOO_LONG
        if OURS.fullmatch(draft.to) is None:
            return WRONG, words.NO_NUMBER
        try:
            self._handsets.say(number, draft.to, draft.text, draft.passage)
        except SendFailed:
            return BUSY, words.AWAY
        return 200, ""

    def _page(self, request: web.Request, draft: Draft, status: int = 200) -> web.Response:
        number = _number(request)
        texts = self._texts(request, number)
        beside = around(texts)
        to = draft.to or beside.to
        if request.query.get("to") == "other" or to not in beside.ours:
            beside = replace(beside, ours=())
        return self._shell.page(
            request,
            "handset",
            status=status,
            number=number,
            rows=rows_of(texts, self._shell.site.zone),
            around=replace(beside, to=to),
            draft=draft,
            behaviour=self._handsets.behaviour(number),
            since=self._mark(max((text.version for text in texts), default=0)),
            words=words,
        )

    async def _follow(self, request: web.Request, answer: web.StreamResponse, number: str, since: int) -> None:
        before = around([text for text in self._texts(request, number) if text.version <= since])
        while True:
            try:
                async with asyncio.timeout(self._heartbeat), aclosing(self._handsets.watch(number, since)) as changes:
                    async for text in changes:
                        await request[AGAIN]()
                        texts = self._texts(request, number)
                        if text.ours in self._reach(request):
                            for fragment in self._fragments(request, text, texts, before):
                                await answer.write(fragment)
                        since, before = text.version, around(texts)
            except TimeoutError:
                # a write is the only way to learn that the reader is gone
                await answer.write(BEAT)

    def _fragments(
        self, request: web.Request, text: HandsetText, texts: Sequence[HandsetText], before: Around
    ) -> Iterator[bytes]:
        """What a new or changed text changes on the page; the text itself comes last."""
        now = around(texts)
        for id_, part in PARTS.items():
            if part.seen(now) != part.seen(before):
                values = {"number": text.handset, "around": now}
                yield self._fragment(request, part.template, id_, text.version, values)
        rows = rows_of(texts, self._shell.site.zone)
        row = next((row for row in rows if row.text.provider_id == text.provider_id), Row(text, None, None))
        yield self._fragment(request, "text", text.provider_id, text.version, {"row": row})

    def _fragment(
        self, request: web.Request, template: str, id_: str, version: int, values: Mapping[str, object]
    ) -> bytes:
        html = self._shell.html(request, template, words=words, **values)
        return f"id: {self._mark(version)}\ndata: {json.dumps({'id': id_, 'html': html})}\n\n".encode()

    def _mark(self, version: int) -> str:
        return f"{self._handsets.life}.{version}"

    def _since(self, request: web.Request) -> int:
        """Where the reader stands: a mark of another life, or none at all, means from the start."""
        mark = request.headers.get("Last-Event-ID") or request.query.get("since", "")
        found = MARK.fullmatch(mark)
        return int(found[2]) if found and found[1] == self._handsets.life else 0


def _number(request: web.Request) -> str:
    number = request.match_info["number"]
    if NUMBER.fullmatch(number) is None:
        raise web.HTTPNotFound
    return number


def _field(form: Mapping[str, object], name: str) -> str:
    """A field of text; a file that was sent in its place is none."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _choice(form: Mapping[str, object], name: str, usual: Choice) -> Choice:
    """One of the words that the page offers."""
    try:
        return type(usual)(_field(form, name) or usual)
    except ValueError:
        raise web.HTTPBadRequest from None
