"""Texts on their way out: what is kept of them, their attempts and what became of those."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ringback.core.allowances import Use
from ringback.core.calls import Presentation
from ringback.core.messages import (
    Allowed,
    Basis,
    MessageClass,
    OnDoubt,
    Outgoing,
    PartState,
    State,
    Urgency,
    Wanted,
    may_move,
)
from ringback.core.numbers import Number
from ringback.core.policy import CallFacts, Defer, Verdict
from ringback.core.provider_ids import Ids
from ringback.core.reasons import Reason
from ringback.ports import Receipt
from ringback.ports.pairs import Thread


@dataclass(frozen=True, slots=True)
class Route:
    """Which carrier takes a text, in how many segments, and what to do if nobody knows whether it did."""

    carrier: str
    segments: int
    on_doubt: OnDoubt = OnDoubt.ONCE


@dataclass(frozen=True, slots=True)
class StoredMessage:
    id: int
    public_id: str
    part: int
    segments: int


@dataclass(frozen=True, slots=True)
class CallFactsRow:
    """What a stored call tells the gates, or nothing where no call asked for the text."""

    presentation: str | None
    verstat: str | None
    vetoed: bool | None

    def facts(self) -> CallFacts | None:
        if self.presentation is None:
            return None
        return CallFacts(Presentation(self.presentation), self.verstat or "", bool(self.vetoed))


@dataclass(frozen=True, slots=True)
class WaitingText:
    """A queued or held text whose moment has come. `account` is the row of whoever wrote it, if that was a person or a
    program that acts for one.

    `reason` is what it was held for, if it was.
    """

    message: StoredMessage
    state: State
    thread: Thread
    text: str
    automatic: bool
    rule: str
    expires_at: datetime
    tries: int
    call: CallFactsRow
    command: str = ""
    account: int | None = None
    class_: MessageClass = MessageClass.TRANSACTIONAL
    urgency: Urgency = Urgency.CALL
    campaign: str = ""
    reason: Reason | None = None
    basis: Basis = Basis.NONE


@dataclass(frozen=True, slots=True)
class StuckText:
    """A text that is due and cannot go, since its carrier does not answer."""

    id: int
    state: State
    segments: int


@dataclass(frozen=True, slots=True)
class Waits:
    """What waits for a carrier: the next moment at which a text may go, whether one is due and did not go, and when the
    first of any carrier's expires."""

    upcoming: datetime | None
    blocked: bool
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class DueText:
    """A rule's text whose delay is over; it was judged once when the call ended and is judged again now."""

    id: int
    call_id: int
    rule: str
    group: str
    did: str
    peer: str
    language: str
    text: str
    cool_down: timedelta
    expires_at: datetime
    pbx: str
    due_at: datetime
    call: CallFactsRow
    windows: str = ""

    def wanted(self, peer: Number) -> Wanted:
        """The text as `submit` takes it; `peer` is read anew, since the gates ask for more than its digits."""
        return Wanted(
            did=self.did,
            peer=peer,
            text=self.text,
            language=self.language,
            class_=MessageClass.TRANSACTIONAL,
            basis=Basis.CALLER_INITIATED,
            cause=f"rule {self.rule}",
            automatic=True,
            expires_at=self.expires_at,
            call_id=self.call_id,
            rule=self.rule,
            group=self.group,
            cool_down=self.cool_down,
            pbx=self.pbx,
            windows=self.windows,
        )


@dataclass(frozen=True, slots=True)
class Order:
    """An open attempt, ready for the wire; `tries` counts it in. `again`: the text may have been sent before.

    `uses` are the allowances that it was counted against.
    """

    attempt: int
    part: int
    message: int
    thread: Thread
    carrier: str
    text: Outgoing
    opened_at: datetime
    tries: int = 1
    again: bool = False
    segments: int = 1
    urgency: Urgency = Urgency.CALL
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """`said`: its outcome is a person's word."""

    id: int
    part: int
    message: int
    state: PartState
    said: bool = False


@dataclass(frozen=True, slots=True)
class Doubt:
    """A text that somebody asks about, with its last attempt; of one that was never tried, `attempt` is 0.

    `said`: the outcome is a person's word. `doubted` is why nobody knew, `task` the public id of what was left for a
    person then.
    """

    message: int
    public_id: str
    did: str
    class_: MessageClass
    state: State
    part: int
    attempt: int
    attempt_id: str
    carrier: str
    opened_at: datetime
    outcome: str
    said: bool
    provider_id: str
    doubted: str
    task: str


@dataclass(frozen=True, slots=True)
class TextStanding:
    """How one text stands. `call` and `pbx` are the uniqueid of the call it was sent in and where, if it was."""

    id: int
    thread: int
    state: State
    reason: str
    created_at: datetime
    pbx: str
    call: str


class PendingTexts(Protocol):
    def put(self, wanted: Wanted, peer: str, due_at: datetime) -> None: ...
    def due(self, now: datetime, limit: int) -> list[DueText]: ...
    def next_due(self) -> datetime | None: ...
    def close(self, pending_id: int, state: str, cause: str | None) -> bool: ...
    def put_off(self, pending_id: int, due_at: datetime) -> None: ...
    def of_peer(self, peer: str) -> list[tuple[int, int]]: ...
    def of_pair(self, did: str, peer: str) -> list[tuple[int, int]]: ...
    def on_the_line(self, peer: str, since: datetime) -> bool: ...


class Outbox(Protocol):
    def standing(self, public_id: str) -> TextStanding | None: ...
    def put(
        self, wanted: Wanted, thread: Thread, route: Route, verdict: Verdict | None, now: datetime
    ) -> StoredMessage | None: ...
    def put_in_flight(self, wanted: Wanted, thread: Thread, route: Route, now: datetime) -> Order | None: ...
    def open_attempt(self, text: WaitingText, carrier: str, now: datetime) -> Order: ...
    def levels_due(self, carrier: str, now: datetime) -> list[Urgency]: ...
    def due(self, carrier: str, urgency: Urgency, now: datetime, limit: int) -> list[WaitingText]: ...
    def stuck(self, carrier: str, urgency: Urgency, now: datetime, limit: int) -> list[StuckText]: ...
    def put_off_by(self, carrier: str, limit: int) -> list[StuckText]: ...
    def expiring(self, before: datetime, limit: int) -> list[tuple[int, State]]: ...
    def count_waiting(self, carrier: str, most: int) -> int: ...
    def resume(self, carrier: str, now: datetime) -> int: ...
    def clock_went_back(self, carrier: str, by: timedelta, now: datetime) -> int: ...
    def unsent_to(self, peer: str) -> list[tuple[int, State, int]]: ...
    def unsent_in(self, thread_id: int) -> list[tuple[int, State, int | None]]: ...
    def still_waiting(self, carrier: str, now: datetime) -> Waits: ...
    def move(
        self, message_id: int, old: State, new: State, reason: Reason | None, detail: str, now: datetime
    ) -> bool: ...
    def hold(self, message_id: int, old: State, verdict: Defer, detail: str, now: datetime) -> None: ...
    def take_back(self, order: Order, verdict: Defer, detail: str, now: datetime) -> None: ...
    def give_up(self, order: Order, detail: str, now: datetime) -> None: ...
    def left_open(self, carrier: str) -> list[tuple[int, int, int, datetime]]: ...
    def carriers_at_work(self) -> set[str]: ...
    def waiting_for(self, carrier: str) -> list[tuple[int, State, str]]: ...
    def reroute(self, message_id: int, state: State, carrier: str, detail: str, now: datetime) -> None: ...
    def detour(self, message_id: int, carrier: str, detail: str, now: datetime) -> None: ...
    def show_next_try(self, message_id: int, until: datetime) -> None: ...
    def note(self, message_id: int, state: State, reason: Reason | None, detail: str, now: datetime) -> None: ...


class Outcomes(Protocol):
    def close(
        self,
        attempt_id: int,
        outcome: str,
        cause: str,
        provider_id: str | None,
        now: datetime,
        ids: Ids = Ids.TEXT,
    ) -> bool: ...
    def part_moves(
        self,
        part: int,
        message: int,
        state: PartState,
        reason: Reason | None,
        detail: str,
        now: datetime,
        allowed: Allowed = may_move,
    ) -> State | None: ...
    def read_ahead(self, carrier: str, attempts: Sequence[int], provider_ids: Sequence[str], ids: Ids) -> None: ...
    def read_receipts_ahead(self, carrier: str, receipts: Sequence[Receipt]) -> None: ...
    def doubt(self, public_id: str) -> Doubt | None: ...
    def say(self, attempt_id: int, outcome: str, cause: str) -> None: ...
    def find(self, carrier: str, receipt: Receipt, ids: Ids = Ids.TEXT) -> Attempt | None: ...
    def resolve(
        self, attempt_id: int, carrier: str, provider_id: str, cause: str, now: datetime, ids: Ids = Ids.TEXT
    ) -> None: ...
    def keep(self, attempt_id: int, carrier: str, receipt: Receipt, now: datetime) -> bool: ...
    def park(self, carrier: str, receipt: Receipt, now: datetime, ids: Ids = Ids.TEXT) -> None: ...
    def take_parked(self, carrier: str, provider_id: str, ids: Ids = Ids.TEXT) -> list[Receipt]: ...
    def forget_parked(self, before: datetime, limit: int) -> int:
        """Drop receipts whose text never became known, some at a time; returns how many."""
