"""One transaction, noun by noun, and the one writer that runs it. `flow` works with these and no more; the store's
classes satisfy them without knowing them."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from ringback.ports.callings import Calls
from ringback.ports.inbox import Inbound
from ringback.ports.pairs import Pairs
from ringback.ports.people import Accounts, Audit
from ringback.ports.records import Idempotency, Settings, Tasks
from ringback.ports.texts import Outbox, Outcomes, PendingTexts

T = TypeVar("T")


class Tx(Protocol):
    """One transaction, noun by noun."""

    @property
    def calls(self) -> Calls: ...
    @property
    def pairs(self) -> Pairs: ...
    @property
    def pending(self) -> PendingTexts: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def outcomes(self) -> Outcomes: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def tasks(self) -> Tasks: ...
    @property
    def inbound(self) -> Inbound: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def idempotency(self) -> Idempotency: ...


Step = Callable[[Tx], T]


class Store(Protocol):
    """The one writer. An await resolves after the flush, so what it returns is on disk."""

    async def commit(self, step: Step[T]) -> T:
        """Run one step. Raises what the step raised, or StoreBusy when nothing can be written now."""
        ...

    def ride_along(self, steps: Sequence[Step[object]]) -> None:
        """Hand over steps that nobody waits for. They keep their place in the order and are on disk soon after.

        What such a step does must be made up by a later one: a crash may take it.
        """
        ...

    async def commit_all(self, steps: Sequence[Step[T]]) -> "list[T | Exception]":
        """Run steps in order with one wait for them all; a step that failed leaves its exception in its place."""
        ...
