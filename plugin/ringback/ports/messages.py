"""Texts as the API shows them: one with all that happened to it, or a list of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringback.core.grants import Reach
from ringback.core.messages import State
from ringback.core.reasons import Reason


@dataclass(frozen=True, slots=True)
class MessageLine:
    """A text. `cause` says who asked for it; `not_before` is the moment it waits for, or waited for.

    `held` is whether its carrier is held back now.
    """

    public_id: str
    state: str
    reason: str | None
    cause: str
    carrier: str
    did: str
    peer: str
    class_: str
    basis: str
    language: str
    campaign: str
    reference: str
    doubt: str
    body: str
    segments: int
    created_at: datetime
    state_at: datetime
    not_before: datetime
    expires_at: datetime
    held: bool = False

    def waits_for(self, now: datetime) -> str | None:
        """The reason of its state; of a text whose time has come and whose carrier is held back, that."""
        waits = self.held and self.state in (State.QUEUED, State.HELD)
        ahead = self.reason is not None and self.not_before > now
        return Reason.HELD_BACK if waits and not ahead else self.reason


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """One try on one carrier. `outcome` is None while it is open; `cause` is how that was learnt."""

    public_id: str
    carrier: str
    opened_at: datetime
    closed_at: datetime | None
    outcome: str | None
    cause: str | None


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """What the carrier said later. `carrier_at` is None where it gave no time."""

    attempt: str
    status: str
    carrier_at: datetime | None
    received_at: datetime
    error: str


@dataclass(frozen=True, slots=True)
class EventLine:
    """A state it was in, and why."""

    at: datetime
    state: str
    reason: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class MessageReport:
    line: MessageLine
    attempts: tuple[AttemptLine, ...]
    receipts: tuple[ReceiptLine, ...]
    events: tuple[EventLine, ...]


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which texts: with this reference, or to this person; with neither all of them. `cause`: only what they asked."""

    reference: str = ""
    peer: str = ""
    cause: str = ""


class Messages(Protocol):
    """Reads beside the writer."""

    async def report(self, reach: Reach, public_id: str) -> MessageReport | None: ...

    async def page(self, reach: Reach, wanted: MessageFilter, after: str, most: int) -> list[MessageLine] | None:
        """The newest that fit, those older than `after` if that is set; None if there is no such text.

        Without a reference or a person only `EVERYTHING` can be looked through.
        """
        ...
