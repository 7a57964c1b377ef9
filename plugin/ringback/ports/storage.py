"""One transaction, noun by noun, and the one writer that runs it. `flow` works with these and no more; the store's
classes satisfy them without knowing them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from ringback.ports.bulks import Bulks
from ringback.ports.callings import Calls
from ringback.ports.consents import Ledger
from ringback.ports.doubts import Doubts
from ringback.ports.figures import Figures
from ringback.ports.grants import Departments, Grants, Numbers
from ringback.ports.inbox import Inbound
from ringback.ports.keys import Keys
from ringback.ports.lists import Lists
from ringback.ports.offers import Offers
from ringback.ports.pairs import Pairs
from ringback.ports.people import Accounts, Audit
from ringback.ports.proofs import Proofs
from ringback.ports.queues import TextQueues
from ringback.ports.records import Idempotency, Repairs, Settings, Tasks
from ringback.ports.restored import Restored
from ringback.ports.retention import Retention
from ringback.ports.search import Search
from ringback.ports.sessions import Sessions
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
    def doubts(self) -> Doubts: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def tasks(self) -> Tasks: ...
    @property
    def inbound(self) -> Inbound: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def proofs(self) -> Proofs: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def retention(self) -> Retention: ...
    @property
    def figures(self) -> Figures: ...
    @property
    def bulks(self) -> Bulks: ...
    @property
    def idempotency(self) -> Idempotency: ...
    @property
    def restored(self) -> Restored: ...
    @property
    def repairs(self) -> Repairs: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def grants(self) -> Grants: ...
    @property
    def departments(self) -> Departments: ...
    @property
    def numbers(self) -> Numbers: ...
    @property
    def lists(self) -> Lists: ...
    @property
    def search(self) -> Search: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def queues(self) -> TextQueues: ...
    @property
    def offers(self) -> Offers: ...
    @property
    def consents(self) -> Ledger: ...


Step = Callable[[Tx], T]


@dataclass(frozen=True, slots=True)
class Needed(Generic[T]):
    """A step that writes down what has happened already, like an outcome: taken even when the disk is full."""

    step: Step[T]

    def __call__(self, tx: Tx) -> T:
        return self.step(tx)


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
