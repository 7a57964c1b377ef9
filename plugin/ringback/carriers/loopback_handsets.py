"""The handsets of the loopback carrier, in memory: what lies on each, and who watches."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import replace
from itertools import count
from operator import attrgetter

from ringback.core.messages import ReceiptStatus
from ringback.ports.handsets import HandsetText

_FINAL = (ReceiptStatus.DELIVERED, ReceiptStatus.UNDELIVERED)


class Shelves:
    """One shelf of texts a handset; the handset longest without a text goes first."""

    def __init__(self, handsets: int, texts_each: int) -> None:
        self._most = handsets
        self._texts_each = texts_each
        self._texts: dict[str, deque[HandsetText]] = {}
        self._versions = count(1)
        self._bell: asyncio.Event | None = None

    def next_version(self) -> int:
        return next(self._versions)

    def put(self, text: HandsetText) -> None:
        """Lay a text on its handset."""
        # taken out and put back, so that the dictionary stays in the order of the last text
        shelf = self._texts.pop(text.handset, None)
        if shelf is None:
            shelf = deque(maxlen=self._texts_each)
        self._texts[text.handset] = shelf
        shelf.append(text)
        if len(self._texts) > self._most:
            del self._texts[next(iter(self._texts))]
        self._ring()

    def note(self, number: str, provider_id: str, status: ReceiptStatus) -> None:
        """Show what the line reported of a text; newest first, since that is nearly always the one."""
        shelf = self._texts.get(number, deque())
        for place in range(len(shelf) - 1, -1, -1):
            if shelf[place].provider_id == provider_id:
                if shelf[place].receipt in _FINAL:
                    return
                shelf[place] = replace(shelf[place], receipt=status, version=next(self._versions))
                self._ring()
                return

    def numbers(self) -> tuple[str, ...]:
        """Say which handsets have texts, the last used first."""
        return tuple(reversed(self._texts))

    def texts(self, number: str) -> tuple[HandsetText, ...]:
        """Return the texts on one handset, oldest first."""
        return tuple(self._texts.get(number, ()))

    async def watch(self, number: str, since: int) -> AsyncGenerator[HandsetText, None]:
        """Yield each text that is new or changed after version `since`, in that order, and go on for ever."""
        while True:
            changed = sorted((text for text in self.texts(number) if text.version > since), key=_version)
            for text in changed:
                since = text.version
                yield text
            if not changed:
                await self._any_change()

    def _ring(self) -> None:
        bell, self._bell = self._bell, None
        if bell is not None:
            bell.set()

    async def _any_change(self) -> None:
        # one bell for all handsets: it is only made while somebody watches, so a text costs nothing more otherwise
        if self._bell is None:
            self._bell = asyncio.Event()
        await self._bell.wait()


_version = attrgetter("version")
