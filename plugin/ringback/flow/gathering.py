"""What comes one by one and is stored together: all that comes while one flush runs goes with the next."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
AT_ONCE = 256

Start = Callable[[Coroutine[object, object, None]], "asyncio.Task[None]"]


class Gathering(Generic[T, R]):
    """`write` stores some, and returns for each what came of it or why it failed. `start` makes a task for those."""

    def __init__(
        self,
        write: "Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]]",
        start: Start = asyncio.ensure_future,
    ) -> None:
        self._write = write
        self._start = start
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._writing = False
        self._task: asyncio.Task[None] | None = None

    async def put(self, one: T) -> R:
        """Store one with those that come meanwhile. It is stored even if its caller goes away."""
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, answer))
        if not self._writing:
            await self._write_some()  # at once: what comes after it, like a receipt, must not overtake it
        return await answer

    async def _write_some(self) -> None:
        self._writing = True
        batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
        try:
            for (_, answer), outcome in zip(batch, await self._outcomes([one for one, _ in batch]), strict=True):
                _tell(answer, outcome)
        finally:
            self._writing = bool(self._waiting)
            if self._writing:
                self._go_on()

    def _go_on(self) -> None:
        """See to what came meanwhile, also when whoever wrote until now was cancelled."""
        rest = self._write_some()
        try:
            self._task = self._start(rest)
        except RuntimeError:  # the group ends, and with it all who wait
            rest.close()

    async def _outcomes(self, batch: Sequence[T]) -> "Sequence[R | Exception]":
        try:
            return await self._write(batch)
        except Exception as problem:
            return [problem] * len(batch)


def _tell(answer: "asyncio.Future[R]", outcome: "R | Exception") -> None:
    if answer.done():
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
