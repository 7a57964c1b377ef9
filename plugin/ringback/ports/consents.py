"""The ledger of what people said yes to, and what is known of numbers that cannot get texts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ringback.core.consents import ConsentEvent, Consents
from ringback.core.reasons import Reason


class Ledger(Protocol):
    """The writes, inside a step. Nothing in it is ever changed."""

    def add(self, thread: int, event: ConsentEvent) -> None:
        """Write a line, and fold what holds now beside the pair."""

    def holds(self, thread: int) -> Consents: ...
    def of_thread(self, thread: int) -> Sequence[ConsentEvent]: ...
    def told_at(self, thread: int) -> datetime | None:
        """When this person was last told what they get, how often, and how to stop it."""

    def tell(self, thread: int, now: datetime) -> None: ...
    def not_textable(self, peer: str, now: datetime) -> Reason | None:
        """Why texts to this number were found not to arrive, while that is believed."""

    def failed_before(self, peer: str, moment: datetime) -> bool:
        """Whether texts to this number were found not to arrive before `moment`, believed or not any more."""

    def learn_not_textable(self, peer: str, reason: Reason, now: datetime, until: datetime) -> None: ...
    def peer_of(self, message: int) -> str | None:
        """Whom a text was for."""

    def wrote_first(self, thread: int) -> bool:
        """Whether a text of ours was ever sent, or waits to be, in a thread."""

    def unlearn(self, peer: str) -> None:
        """A text came from there."""
