"""Event streams that are open: each ends within two seconds after its login ended or its page was taken away."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web
from aiohttp.typedefs import Handler

from ringback.core.operations import Operation
from ringback.core.permissions import Action, Principal, may
from ringback.panel.logged_in import IDLE, LoggedIn, holds, principal_of
from ringback.panel.shell import Shell
from ringback.panel.words import N_
from ringback.ports import Clock

LOOK_AGAIN = timedelta(seconds=1)

RIGHTS_CHANGED = N_("Your rights changed. Reload to see what you may see.")
LOGGED_OUT = N_("You were logged out. Log in again to go on.")
LEFT_ALONE = N_("Nobody used this page for %(minutes)s minutes, so you were logged out. Log in again to go on.")


def permitted(who: Principal, row: Operation) -> bool:
    """Whether what a row asks for is one of theirs."""
    return not isinstance(row.needs, Action) or may(who, row.needs)


@dataclass(slots=True)
class _Stream:
    """An event stream that is open. `why` is set when it must end; `row` says what it takes."""

    token: str
    answer: web.StreamResponse
    task: "asyncio.Task[object]"
    row: Operation | None = None
    why: str = ""

    def end(self, why: str) -> None:
        """Cut it off; its reason goes out as its last event."""
        if not self.why:
            self.why = why
            self.task.cancel()


class OpenStreams:
    """All of them, by the task that writes each."""

    def __init__(self, logged_in: LoggedIn, clock: Clock, shell: Shell) -> None:
        self._logged_in = logged_in
        self._clock = clock
        self._shell = shell
        self._streams: dict[asyncio.Task[object], _Stream] = {}
        self._opened = asyncio.Event()

    def tokens(self) -> Iterator[str]:
        """Whose they are."""
        return (stream.token for stream in self._streams.values())

    def begin(self, token: str, answer: web.StreamResponse, row: Operation | None) -> None:
        """Take note of one that begins in this task."""
        task = asyncio.current_task()
        assert task is not None
        self._streams[task] = _Stream(token, answer, task, row)
        self._opened.set()

    async def next_look(self) -> None:
        """Wait for the next look; at once where none is open, until one is."""
        await self._opened.wait()
        await self._clock.sleep_until(self._clock.now() + LOOK_AGAIN)

    async def end_those_over(self) -> None:
        """End those that are nobody's any more."""
        for stream in list(self._streams.values()):
            await self._end_if_over(stream)
        if not self._streams:
            self._opened.clear()

    async def end_this(self) -> None:
        """End the one of this task, if it has one, with its reason."""
        task = asyncio.current_task()
        if task in self._streams:
            await self._end_if_over(self._streams[task])
            await asyncio.sleep(0)  # it ends here

    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Run a handler; a stream that was cut off by us ends as streams do."""
        task = asyncio.current_task()
        assert task is not None
        try:
            return await handler(request)
        except asyncio.CancelledError:
            stream = self._streams.get(task)
            if stream is None or not stream.why:
                raise
            # it was we who cancelled; the stream ends as streams do, with the reason as its last event
            task.uncancel()
            data = json.dumps({"why": self._shell.say(request, stream.why, minutes=IDLE // timedelta(minutes=1))})
            with suppress(ConnectionError):
                await stream.answer.write(f"event: ended\ndata: {data}\n\n".encode())
            return stream.answer
        finally:
            self._streams.pop(task, None)

    async def _end_if_over(self, stream: _Stream) -> None:
        now, login = self._clock.now, await self._logged_in.latest(stream.token, LOOK_AGAIN / 2)
        if login is not None and holds(login, now()):
            if stream.row is not None and not permitted(principal_of(login.account), stream.row):
                stream.end(RIGHTS_CHANGED)
            return
        idle = login is not None and login.ended_at is None and now() - login.seen_at >= IDLE
        stream.end(LEFT_ALONE if idle else LOGGED_OUT)
