"""Many people who write at once, and Twilio that brings all of it, again and again if it must."""

import asyncio
import random
from collections.abc import Sequence

from tests.fakes.twilio import Message
from tests.stories.twilio import TAKEN, Line

LINES = 16
"""Hooks at once."""


class Flood:
    """What these people write to a number of ours, mixed: eight questions each, and STOP twice. `taken` grows."""

    def __init__(self, line: Line, people: Sequence[str], did: str) -> None:
        self._line = line
        words = ("Stop", "STOP", *(f"question {number}" for number in range(8)))
        made = [line.twilio.receive(peer, did, word) for peer in people for word in words]
        random.Random(300).shuffle(made)
        self.texts = made
        self.taken: list[Message] = []
        self._more = asyncio.Condition()

    async def comes(self) -> None:
        """Bring them all, each until it is taken."""
        waiting = iter(self.texts)

        async def bring() -> None:
            for text in waiting:
                assert await self._line.brings_surely(text) == TAKEN
                async with self._more:
                    self.taken.append(text)
                    self._more.notify_all()

        async with asyncio.TaskGroup() as lines:
            for _ in range(LINES):
                lines.create_task(bring())

    async def reaches(self, count: int) -> None:
        """Wait until so many were taken."""
        async with self._more:
            await self._more.wait_for(lambda: len(self.taken) >= count)
