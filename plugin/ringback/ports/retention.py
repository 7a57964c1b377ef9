"""What is emptied or removed: for its age, some rows at a time, or for a person, everywhere."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Kept(StrEnum):
    """What has a time of its own. Each is walked in the order it came, by a mark that says how far it is done."""

    SENT = "sent"
    CAME = "came"
    CALLS = "calls"
    PROVIDER_IDS = "provider_ids"
    RECEIPTS = "receipts"
    SESSIONS = "sessions"
    OFFERS = "offers"
    AUDIT = "audit"


class Retention(Protocol):
    def age(self, what: Kept, before: datetime, limit: int, now: datetime | None = None) -> int:
        """Empty the next rows that are older; returns how many there were, fewer than `limit` at the end.

        That rows of the record went is written down in it, as at `now`.
        """
        ...

    def age_consents(self, before: datetime, limit: int) -> int:
        """Look at the next lines of the ledger of consents, from the beginning again at its end. Lines of pairs between
        whom nothing passed since go, with what held by them; returns of how many pairs."""
        ...

    def forget_barred(self, now: datetime) -> None:
        """Drop what was believed of numbers that cannot be texted, where that time is over."""
        ...

    def threads_of(self, peer: str) -> list[tuple[int, str, str]]:
        """Every thread with a person, as (row, public id, our number)."""
        ...

    def ghost(self, peer: str) -> str:
        """What stands for a person who was erased: a keyed hash of their number, always the same."""
        ...

    def empty_threads(self, threads: Sequence[int], ghost: str) -> int:
        """Empty what was written either way and what carriers said of it; returns how many texts that were."""
        ...

    def empty_calls(self, peer: str) -> int:
        """Take a person out of calls, and drop what waits after them; returns how many calls that were."""
        ...

    def leave_runs(self, peer: str) -> int:
        """Take a person out of runs; returns how many places that were."""
        ...

    def drop_unfiled(self, peer: str, after: int, limit: int) -> int:
        """Of what carriers brought, look at rows behind `after`: drop what could never be read and names a person.

        Returns the last row it looked at, `after` at the end.
        """
        ...
