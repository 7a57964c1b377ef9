"""Calls as the store keeps them while they are followed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringback.core.calls import Call
from ringback.core.triggers import CallDecision
from ringback.ports.offers import LiveCall
from ringback.ports.texts import CallFactsRow


@dataclass(frozen=True, slots=True)
class StoredCall:
    """An open call as the store knows it."""

    id: int
    direction: str
    did: str
    peer: str | None
    answered_at: datetime | None


class RecordsAway(Exception):
    """What a PBX writes down of its calls cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """Calls that ended while nobody listened, as the PBX wrote them down, in order of hang-up.

    `faults` counts lines that make no sense; `whole` is False where the time reaches further back than was read.
    """

    calls: tuple[Call, ...]
    faults: int = 0
    whole: bool = True


class CallRecords(Protocol):
    """What a PBX writes down of its calls. `name` is shown to people."""

    @property
    def name(self) -> str: ...

    def ended_between(self, since: datetime, until: datetime) -> Recorded:
        """Blocks while it reads. Raises RecordsAway."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which nobody listened to a PBX; nobody has looked into its records for it yet."""

    id: int
    since: datetime
    until: datetime


class Calls(Protocol):
    def read_ahead(self, calls: Iterable[Call]) -> None:
        """Read what is known of calls whose beginnings and ends come next, for a batch."""

    def begin(self, call: Call, did: str, peer: str | None) -> int | None: ...
    def answered(self, pbx: str, uniqueid: str, at: datetime, by: str) -> None:
        """Somebody speaks with them: `by` is the name of the phone, as far as it is known."""

    def live_with(self, peer: str) -> LiveCall | None:
        """The call with this person that goes on, the newest of them."""

    def row_of(self, pbx: str, uniqueid: str) -> int | None:
        """The row of a call that is known."""

    def is_over(self, call_id: int) -> bool:
        """Whether a call has ended."""

    def ending(self, call: Call, did: str, peer: str | None) -> int | None: ...
    def finish(self, call_id: int, call: Call, did: str, peer: str | None, decision: CallDecision) -> None: ...
    def redecided(self, call_id: int, decision: CallDecision) -> None: ...
    def open_before(self, pbx: str, at: datetime, live: Collection[str]) -> list[StoredCall]: ...
    def close_unseen(self, call_id: int, at: datetime, outcome: str | None, reason: str) -> None: ...
    def lose_sight(self, pbx: str, at: datetime) -> None: ...
    def see_again(self, pbx: str, at: datetime, calls: int) -> None: ...

    def gaps(self, pbx: str, since: datetime) -> list[Gap]:
        """Gaps of a PBX that ended since then and were not looked into, oldest first."""

    def look_into(self, gap: int, records: str, recovered: int) -> None:
        """Note how many calls of a gap its records brought back."""

    def doubtful(self, pbx: str, uniqueid: str) -> tuple[int, CallFactsRow] | None:
        """Return a call that is open or ended unseen, and what is known of its caller; None for any other."""

    def reopen(self, call_id: int) -> None:
        """Take back that a call ended unseen: somebody knows better now."""
