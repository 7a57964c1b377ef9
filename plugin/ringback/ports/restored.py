"""What a database must tell after it was put back to an earlier moment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Known:
    """The highest rows a database had when it was put back: what came later is not in doubt by it."""

    messages: int = 0
    calls: int = 0
    runs: int = 0


@dataclass(frozen=True, slots=True)
class Unclear:
    """A text that waits, though it may have been sent after the moment to which the database was put back."""

    message: int
    public_id: str
    did: str
    peer: str
    body: str
    created_at: datetime


class Restored(Protocol):
    def known(self) -> Known: ...

    def unclear(self, carrier: str, known: Known, after: int, limit: int) -> list[Unclear]:
        """Texts of a carrier in order of their rows, those behind row `after`."""
