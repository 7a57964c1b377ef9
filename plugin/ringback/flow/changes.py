"""Tells whoever shows a thread or a list that it changed. Only a hint: what they show, they read from the database."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ringback.ports.changes import Touch


@dataclass(slots=True, eq=False)
class Watcher:
    """Satisfies `ports.changes.Watch`."""

    interest: frozenset[Touch] = frozenset()
    bell: asyncio.Event = field(default_factory=asyncio.Event)

    def of(self, touches: Collection[Touch]) -> None:
        self.interest = frozenset(touches)

    async def wait(self) -> None:
        await self.bell.wait()
        self.bell.clear()


class Hub:
    """All watchers of one daemon; `tell` is called on its loop, after the flush."""

    def __init__(self) -> None:
        self._watchers: set[Watcher] = set()
        self._acts: list[tuple[Touch, Callable[[], None]]] = []

    @contextmanager
    def watch(self) -> Iterator[Watcher]:
        watcher = Watcher()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    def at_once(self, touch: Touch, act: Callable[[], None]) -> None:
        """Have this called whenever that was changed, before anybody is told who may go by what was known before."""
        self._acts.append((touch, act))

    def tell(self, touched: frozenset[Touch]) -> None:
        """Ring for everybody who listens for one of these."""
        for touch, act in self._acts:
            if touch in touched:
                act()
        for watcher in self._watchers:
            if not touched.isdisjoint(watcher.interest):
                watcher.bell.set()
