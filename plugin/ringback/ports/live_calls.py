"""The calls of one PBX that are on, from memory, and what happens to them as it happens."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from ringback.core.calls import Call, CallEvent
from ringback.ports.storage import Step

T = TypeVar("T")


class LiveCalls(Protocol):
    """`heard` is False while nobody can say which calls are on."""

    name: str

    @property
    def heard(self) -> bool: ...

    def call(self, uniqueid: str) -> Call | None:
        """A call that is on, as far as it is known now."""

    def on_calls(self, take: Callable[[Sequence[CallEvent]], None]) -> None:
        """Have this called, on the loop, with what happens to calls, in order."""


class Beside(Protocol):
    """Reads beside the writer, with the statements that a step uses."""

    async def look(self, step: Step[T]) -> T:
        """Run a step that only reads. Raises StoreFault where the database cannot be read."""
