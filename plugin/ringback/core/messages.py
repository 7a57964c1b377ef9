"""The states of a text, the moves between them, and the fold of its parts.

States are a table of allowed moves: what is not in it does not happen, so a late "accepted" after "delivered" changes
nothing. docs/states.md draws the same table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from ringback.core.numbers import Number


class State(StrEnum):
    HELD = "held"
    QUEUED = "queued"
    SUBMITTING = "submitting"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    UNCONFIRMED = "unconfirmed"
    UNRESOLVED = "unresolved"
    NO_RECEIPT = "no_receipt"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REFUSED = "refused"


_S = State
MOVES: dict[State, frozenset[State]] = {
    _S.HELD: frozenset({_S.QUEUED, _S.SUBMITTING, _S.EXPIRED, _S.CANCELLED, _S.REFUSED}),
    _S.QUEUED: frozenset({_S.HELD, _S.SUBMITTING, _S.EXPIRED, _S.CANCELLED, _S.REFUSED}),
    # a definite "not sent" goes back to wait; only evidence or an answer leads out otherwise
    _S.SUBMITTING: frozenset(
        {_S.HELD, _S.QUEUED, _S.ACCEPTED, _S.SENT, _S.DELIVERED, _S.UNDELIVERED, _S.UNCONFIRMED, _S.FAILED, _S.EXPIRED}
    ),
    _S.ACCEPTED: frozenset({_S.SENT, _S.DELIVERED, _S.UNDELIVERED, _S.NO_RECEIPT}),
    _S.SENT: frozenset({_S.DELIVERED, _S.UNDELIVERED, _S.NO_RECEIPT}),
    _S.UNCONFIRMED: frozenset({_S.ACCEPTED, _S.SENT, _S.DELIVERED, _S.UNDELIVERED, _S.UNRESOLVED, _S.FAILED}),
    _S.UNRESOLVED: frozenset({_S.ACCEPTED, _S.SENT, _S.DELIVERED, _S.UNDELIVERED, _S.FAILED}),
    _S.NO_RECEIPT: frozenset({_S.DELIVERED, _S.UNDELIVERED}),
    _S.UNDELIVERED: frozenset({_S.DELIVERED}),
    _S.DELIVERED: frozenset(),
    _S.FAILED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.REFUSED: frozenset(),
}

CORRECTIONS: dict[State, frozenset[State]] = {
    _S.ACCEPTED: frozenset({_S.UNCONFIRMED}),
    _S.FAILED: frozenset({_S.UNCONFIRMED, _S.ACCEPTED, _S.SENT, _S.DELIVERED, _S.UNDELIVERED}),
}
"""Moves of a text whose state is only a person's word: they take it back, or a receipt knows better."""

RESENDS: dict[State, frozenset[State]] = {_S.UNCONFIRMED: frozenset({_S.SUBMITTING})}
"""The one move that sends a text once more, by its policy; it may arrive twice. Only `flow.doubts` makes it."""

SAID_BY = "said by "
"""How the cause of an attempt begins whose outcome is a person's word."""

OPEN = frozenset({_S.HELD, _S.QUEUED, _S.SUBMITTING})
"""Not yet with a carrier: pause, STOP and cancel still reach these."""


Allowed = Callable[[State, State], bool]


def may_move(old: State, new: State) -> bool:
    return new in MOVES[old]


def may_correct(old: State, new: State) -> bool:
    """Whether a text may move so whose present state is a person's word."""
    return may_move(old, new) or new in CORRECTIONS.get(old, frozenset())


class PartState(StrEnum):
    QUEUED = "queued"
    SUBMITTING = "submitting"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    UNCONFIRMED = "unconfirmed"
    FAILED = "failed"


# The worst part names the message; of parts that arrived, the one that is least far along does.
_FOLD = (
    PartState.UNCONFIRMED,
    PartState.FAILED,
    PartState.SUBMITTING,
    PartState.UNDELIVERED,
    PartState.QUEUED,
    PartState.ACCEPTED,
    PartState.SENT,
    PartState.DELIVERED,
)


def fold(parts: list[PartState]) -> State:
    """The state of a message, from its parts; recomputable at any time, which is the repair tool."""
    return State(next(state for state in _FOLD if state in parts))


class ReceiptStatus(StrEnum):
    """What a carrier may say later about a text it took."""

    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


class MessageClass(StrEnum):
    PROMOTIONAL = "promotional"
    TRANSACTIONAL = "transactional"
    CONVERSATIONAL = "conversational"
    SYSTEM = "system"


class Urgency(IntEnum):
    """Who goes first where a carrier has more to do than room; the smaller one."""

    COMMAND = 0
    """The answer to STOP, START or HELP."""
    AGENT = 1
    """A person answers a person."""
    CALL = 2
    """A call asked for it."""
    TRANSACTIONAL = 3
    """A program asked for it."""
    BULK = 4
    """One of a run to many people."""


class OnDoubt(StrEnum):
    """What to do when nobody knows whether a text was sent."""

    ONCE = "once"
    """Show it to a person; never send it again."""
    CHECK = "check-then-resend"
    """Send it again only if a complete list of the carrier's shows that it is not there."""
    DELIVER = "deliver"
    """Send it once more: twice is better than never."""


class Basis(StrEnum):
    """Why we may text this person at all."""

    CALLER_INITIATED = "caller_initiated"
    CONVERSATION = "conversation"
    CONSENT = "consent"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A text somebody or something asks for. The one thing `flow.outbound.submit` takes.

    `cause` names the asker in the words of the log (`rule sales-missed`, `user usr_...`). `automatic` texts obey the
    guards; `group` and `cool_down` start the cool-down if the text is queued. `account` is the row of who wrote it,
    `answers` of the incoming text it answers by itself, `command` what that text was (`stop`, `start`, `help`).
    `windows` are the call-back windows it offers, as stored. `permitted` is False where whoever asks may not send it.
    It does not go before `not_before`, if that is set. `reference` is the asker's own word for it, `bulk` the row of
    the run it belongs to. `on_doubt` is the asker's policy; None leaves it to that of the class.
    """

    did: str
    peer: Number
    text: str
    language: str
    class_: MessageClass
    basis: Basis
    cause: str
    automatic: bool
    expires_at: datetime
    call_id: int | None = None
    rule: str | None = None
    step: int = 0
    group: str | None = None
    cool_down: timedelta = timedelta()
    pbx: str = ""
    account: int | None = None
    answers: int | None = None
    command: str = ""
    windows: str = ""
    permitted: bool | None = True
    urgency: Urgency = Urgency.CALL
    not_before: datetime | None = None
    campaign: str = ""
    reference: str = ""
    on_doubt: OnDoubt | None = None
    bulk: int | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a carrier gets: one attempt to send one part. Numbers are E.164; `attempt` is the id to carry along."""

    attempt: str
    message: str
    sender: str
    to: str
    text: str
    expires_at: datetime
