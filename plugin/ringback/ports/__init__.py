"""What Ringback needs from the world, as small protocols. Adapters do not inherit from them."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

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
    """What the carrier says later of a text. `attempt` is ours, where the carrier hands it back.

    `carrier_at` is the carrier's own time; None where it gives none, and then each status of a text counts once.
    """

    provider_id: str
    status: ReceiptStatus
    carrier_at: datetime | None
    attempt: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Listed(Receipt):
    """A row of a carrier's list that also says what was sent. Numbers are as the carrier writes them."""

    sender: str = ""
    to: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """Which part of a long text this is; `ref` is the sender's, the same for all parts. `number` counts from 1."""

    ref: str
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class MediaLink:
    """A photo or file that the carrier keeps for us at `url`; nothing is fetched while the carrier waits."""

    url: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """A text from a handset, as the carrier gave it. An empty `provider_id` means that the carrier gives none.

    `command` is what the carrier itself made of the text (`stop`, `start`, `help`), where it says so.
    """

    provider_id: str
    sender: str
    to: str
    text: str
    carrier_at: datetime
    piece: Piece | None = None
    media: tuple[MediaLink, ...] = ()
    command: str = ""


CarrierEvent = Receipt | Incoming


@dataclass(frozen=True, slots=True)
class Hook:
    """A carrier's HTTP call to us, before anybody believed it.

    `url` is what the carrier called: our configured public address, the path and query as they came. `headers` have
    lower-case names. `form` are the fields of a form body in the order they came, None for another or a broken body.
    """

    url: str
    headers: Mapping[str, str]
    form: tuple[tuple[str, str], ...] | None
    body: bytes
    received_at: datetime


class Unreadable(Exception):
    """A hook that is signed and yet makes no sense; it is kept for a person. The text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a carrier wants to hear when its hook is stored."""

    body: str
    content_type: str


class Hooked(Protocol):
    """A carrier that calls us. `trusts` is asked first, and nothing is read of a hook that it does not trust.

    One whose bodies may be over 1 MiB also has `largest_hook`, in bytes, up to 8 MiB.
    """

    answer: Answer

    def trusts(self, hook: Hook) -> bool:
        """Say whether the carrier itself sent this: constant time, over the raw bytes and the public address."""

    def read(self, hook: Hook) -> list[CarrierEvent]:
        """Return what the hook brings. Pure. Raise Unreadable for what makes no sense."""


class Listing(Protocol):
    """A carrier that can be asked what it took and what came in, to close gaps and settle doubts."""

    complete: bool
    """Whether the list of what it took has every text at once, and names it by our attempt or by its own id: what is
    not in it was not taken."""

    async def sent_since(self, moment: datetime) -> list[Receipt]:
        """Texts it took from us since then, with their present status. Raises SendFailed when it cannot be asked.

        Where its rows tell what was sent they are `Listed`: a database that was put back knows them by nothing else.
        """

    async def received_since(self, moment: datetime) -> list[Incoming]:
        """Texts it received for us since then. Raises SendFailed when it cannot be asked."""


class Carrier(Protocol):
    """A configured way to send. `send` returns when the text is taken, or raises a `SendFailed`."""

    name: str
    window: int
    """Texts that may be on their way at once."""
    receipts: bool
    """Whether receipts come at all."""
    max_segments: int
    numeric_ids: bool
    """Whether its ids are numbers that it may write in more than one way: decimal, hexadecimal, with zeros in front."""
    answers_commands: bool
    """Whether the carrier itself confirms STOP, START and HELP, so that we must not do it twice."""

    async def send(self, text: Outgoing) -> CarrierRef: ...


@runtime_checkable
class Closing(Protocol):
    """A carrier that holds connections open; closed once its lane has stopped."""

    async def close(self) -> None: ...


class Listening(Protocol):
    """A carrier that brings receipts and texts by itself. Events are done with once the next ones are asked for."""

    def batches(self) -> AsyncIterator[list[CarrierEvent]]:
        """Yield all events that wait, in order, never an empty list."""


OptionValue = str | int | float | bool


@dataclass(frozen=True, slots=True)
class CarrierContext:
    """What a carrier is given besides its own options: the clock, the state folder, which exists, and its hooks.

    `hooks` is the public address below which this carrier's hooks are (`https://sms.example.com/hooks/main`), empty
    where no public address is configured.
    """

    clock: Clock
    state: Path
    hooks: str = ""


BuildCarrier = Callable[[str, Mapping[str, OptionValue], CarrierContext], Carrier]
"""What each carrier module exports as `build`: name, options without `type`, context. Raises ConfigFault."""


class CallEventSource(Protocol):
    """One PBX. It reconnects by itself and says so by FeedLost and FeedBack."""

    name: str

    def batches(self) -> AsyncIterator[list[CallEvent]]:
        """Yield all events that wait, in order, never an empty list; ends only with the source."""
