"""What Ringback needs from the world, as small protocols. Adapters do not inherit from them."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ringback.core.calls import CallEvent
from ringback.core.messages import Outgoing, ReceiptStatus


class Clock(Protocol):
    """The only source of time. `now` is aware UTC; `monotonic` is seconds for leases and time-outs."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...
    async def sleep_until(self, moment: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class CarrierRef:
    """The carrier took the text and calls it this; empty if it gives no id. Taken is never delivered."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the carrier says later of a text. `attempt` is ours, where the carrier hands it back."""

    provider_id: str
    status: ReceiptStatus
    carrier_at: datetime
    attempt: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A text from a handset, as the carrier gave it."""

    provider_id: str
    sender: str
    to: str
    text: str
    carrier_at: datetime


CarrierEvent = Receipt | Incoming


class Carrier(Protocol):
    """A configured way to send. `send` returns when the text is taken, or raises a `SendFailed`."""

    name: str
    window: int
    """Texts that may be on their way at once."""
    receipts: bool
    """Whether receipts come at all."""
    max_segments: int

    async def send(self, text: Outgoing) -> CarrierRef: ...


class Listening(Protocol):
    """A carrier that brings receipts and texts by itself. Events are done with once the next ones are asked for."""

    def batches(self) -> AsyncIterator[list[CarrierEvent]]:
        """Yield all events that wait, in order, never an empty list."""


OptionValue = str | int | float | bool


@dataclass(frozen=True, slots=True)
class CarrierContext:
    """What a carrier is given besides its own options: the clock, and the state folder, which exists."""

    clock: Clock
    state: Path


BuildCarrier = Callable[[str, Mapping[str, OptionValue], CarrierContext], Carrier]
"""What each carrier module exports as `build`: name, options without `type`, context. Raises ConfigFault."""


@dataclass(frozen=True, slots=True)
class HandsetText:
    """A text on a handset that exists only here. `version` grows with each change on any handset of the carrier."""

    attempt: str
    message: str
    sender: str
    to: str
    text: str
    at: datetime
    provider_id: str
    version: int
    receipt: ReceiptStatus | None = None


class Handsets(Protocol):
    """The handsets of a loopback carrier, for the page that shows them."""

    life: str
    """Changes with each start: versions of another life mean nothing."""

    def numbers(self) -> tuple[str, ...]:
        """Say which handsets have texts, the last texted first."""

    def handset(self, number: str) -> tuple[HandsetText, ...]:
        """Return the texts on one handset, oldest first."""

    def watch(self, number: str, since: int = 0) -> AsyncGenerator[HandsetText, None]:
        """Yield each text that came or changed after version `since`, in that order, and go on for ever."""


class CallEventSource(Protocol):
    """One PBX. It reconnects by itself and says so by FeedLost and FeedBack."""

    name: str

    def batches(self) -> AsyncIterator[list[CallEvent]]:
        """Yield all events that wait, in order, never an empty list; ends only with the source."""
