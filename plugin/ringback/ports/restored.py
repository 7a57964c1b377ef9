"""What a database must tell after it was put back to an earlier moment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringback.core.messages import OnDoubt
from ringback.ports.texts import WaitingText


@dataclass(frozen=True, slots=True)
class Known:
    """How far a database was when it was put back: its highest text, and the newest moment it knew."""

    messages: int = 0
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unclear:
    """A text that waits, though it may have been sent after the moment to which the database was put back.

    `kept`: it waits because of that.
    """

    text: WaitingText
    policy: OnDoubt
    kept: bool


class Restored(Protocol):
    def known(self) -> Known: ...

    def unclear(self, carrier: str, known: Known, before: datetime, after: int, limit: int) -> list[Unclear]:
        """Texts of a carrier in order of their rows, those behind row `after`.

        Also those made since for what happened `before` the database was put back: it forgot that they were made once.
        """

    def kept(self, carrier: str) -> int:
        """How many texts wait because they may have been sent."""

    def let_go(self, carrier: str, now: datetime) -> int:
        """Let all of those go."""

    def let_one_go(self, message: int, now: datetime) -> None: ...
