"""Texts that nobody knows about, as whoever settles them by itself needs to see them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringback.core.messages import OnDoubt
from ringback.ports.texts import WaitingText


@dataclass(frozen=True, slots=True)
class InDoubt:
    """A text in doubt for which its carrier was not asked since. `tried_by` is the carrier of its last attempt."""

    message: int
    public_id: str
    doubted_at: datetime
    tried_at: datetime
    tried_by: str
    expires_at: datetime
    policy: OnDoubt
    resends: int


class Doubts(Protocol):
    def due(self, carrier: str, before: datetime, limit: int) -> list[InDoubt]:
        """Texts of a carrier in doubt since before then, which it was not asked for yet, the oldest first."""

    def oldest(self, carrier: str) -> datetime | None:
        """Since when the oldest text is in doubt which a carrier was not asked for yet."""

    def asked(self, message: int, now: datetime) -> None:
        """Nothing more is done about this text by itself."""

    def still(self, message: int, resends: int) -> WaitingText | None:
        """The text as the gates want to know it, if it is in doubt now and was sent once more so often, not oftener."""

    def count_resend(self, message: int) -> None:
        """It is sent once more; its carrier may be asked again after that."""

    def take_resend_back(self, message: int) -> None:
        """Provably nothing left the second time, so it does not count."""

    def between(self, carrier: str, since: datetime, now: datetime) -> int:
        """How many attempts came into doubt since then because the carrier did not answer, and still are.

        What is later than now is from before the clock was set back, and does not count.
        """

    def sends(self, carrier: str, since: datetime, now: datetime, most: int) -> int:
        """How many attempts were opened since then; of very many, only the last are looked at."""

    def unresolved(self, before: datetime, limit: int) -> list[int]:
        """Texts in doubt since before then."""

    def without_receipt(self, carrier: str, before: datetime, limit: int) -> list[tuple[int, str]]:
        """Texts of a carrier that wait for a receipt since before then, as (message, state)."""

    def take_words_back(self, message: int) -> bool:
        """What a person said of its attempts counts no more; False when nobody said anything."""

    def crossing(self, thread: int) -> list[int]:
        """Texts of a thread whose attempt is open now; the answer to a STOP is left out."""

    def written_by_a_person(self, message: int) -> bool:
        """Whether somebody wrote this text to somebody, and so waits for them to read it."""
