"""A PBX as it is now, from memory: its queues, its phones, its live calls. Nothing here waits for anything."""

from collections.abc import Callable, Sequence
from typing import Protocol

from ringback.core.presence import Phone
from ringback.core.voice_queues import Served, VoiceQueue, Waited

Learned = Waited | Served


class Exchange(Protocol):
    """What is known of one PBX by its events since it was last asked; `heard` is False while nobody can say."""

    @property
    def name(self) -> str: ...
    @property
    def heard(self) -> bool: ...

    def queue(self, name: str) -> VoiceQueue | None: ...
    def queues(self) -> Sequence[VoiceQueue]: ...
    def phone(self, name: str) -> Phone | None:
        """By its name alone (`122`); None for one that was never heard of."""

    def on_change(self, tell: Callable[[], None]) -> None:
        """Have this called, on the loop, after a queue or a phone changed."""

    def on_learned(self, take: Callable[[Learned], None]) -> None:
        """Have this called for every caller who stops waiting and every served call that ends."""
