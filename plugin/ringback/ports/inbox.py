"""Texts from handsets: journalled, joined, filed under their thread."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringback.ports import Incoming
from ringback.ports.pairs import Thread


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where an incoming text ended up. `first` is False for one the carrier brought before: nothing more to do, unless
    it is not the `same` text under that id."""

    first: bool
    raw: int = 0
    same: bool = True


@dataclass(frozen=True, slots=True)
class StoredIncoming:
    """A text from a handset in its thread. `whole` is False while pieces of it are missing."""

    id: int
    public_id: str
    thread: Thread
    body: str
    whole: bool


class Inbound(Protocol):
    def first_since(self, thread_id: int, since: datetime) -> str | None:
        """What this person wrote first since then; None for nothing yet. A text whose pieces are still to come counts
        once it is whole."""

    """What carriers bring from handsets: journalled, joined, filed under its thread."""

    def journal(self, carrier: str, provider_id: str, fingerprint: str, body: bytes, now: datetime) -> Arrival:
        """Keep what came as it came (I-D1); a second copy of the same id changes nothing."""

    def repeats(self, carrier: str, fingerprint: str, since: datetime, but: int) -> int | None:
        """Return the text that looks the same and came a moment ago, if the carrier gives no ids."""

    def file(
        self, incoming: Incoming, carrier: str, thread: Thread, at: datetime, repeats: int | None, now: datetime
    ) -> StoredIncoming:
        """Put a text, or a piece of one, into its thread (I-D2)."""

    def read_as(self, incoming_id: int, command: str) -> None:
        """Say which command a text was."""

    def done(self, raw: int, incoming_id: int) -> None: ...

    def quarantine(self, raw: int, why: str) -> None: ...

    def undone(self, limit: int) -> list[tuple[int, str, bytes]]:
        """What is journalled and was never read, oldest first, as (raw, carrier, body)."""

    def lacking(self, before: datetime, limit: int) -> list[StoredIncoming]:
        """Texts that wait for pieces since before then."""

    def show_partial(self, text: StoredIncoming, now: datetime) -> None:
        """Show what came of a text although pieces are missing."""

    def mark_read(self, thread_id: int, now: datetime) -> None:
        """Somebody looked at the thread."""

    def mark_answered(self, thread_id: int, since: datetime | None = None) -> None:
        """Nobody waits for an answer here any more; with `since`, nobody who began to wait then or later."""

    def waiting(self, most: int) -> dict[str, int]:
        """How many threads wait for an answer, by number of ours, each counted up to `most`."""

    def offered(self, thread_id: int, since: datetime) -> tuple[str, datetime] | None:
        """Return the call-back windows last offered to this person, as stored, and when."""

    def forget_raw(self, before: datetime, limit: int) -> int: ...
