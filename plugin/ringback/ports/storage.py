"""Storage by noun: what a step may change, and the values it gets back.

A step is a plain function of a `Tx`; the store runs it inside one transaction. The nouns here are what flow needs, no
more; the store's classes satisfy them without knowing them.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from ringback.core.calls import Call, Presentation
from ringback.core.messages import Allowed, Basis, MessageClass, Outgoing, PartState, State, Wanted, may_move
from ringback.core.numbers import Number
from ringback.core.policy import CallFacts, Defer, Verdict
from ringback.core.reasons import Reason
from ringback.core.tasks import TaskKind
from ringback.core.triggers import CallDecision
from ringback.ports import Incoming, Receipt
from ringback.ports.people import Accounts, Audit

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoredCall:
    """An open call as the store knows it."""

    id: int
    direction: str
    did: str
    peer: str | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class PairFacts:
    """What is known of a pair; counts are of texts queued before. `in_flight`: a text of it is on its way already."""

    opted_out_at: datetime | None
    cooling_until: datetime | None
    pending: bool
    automatic_to_pair: int
    in_flight: bool
    paused: bool
    automatic_this_minute: int
    sent_this_minute: int

    @property
    def opted_out(self) -> bool:
        return self.opted_out_at is not None


@dataclass(frozen=True, slots=True)
class Thread:
    """All that ever passed between one of our numbers and one person."""

    id: int
    public_id: str
    number_id: int
    did: str
    peer: str


@dataclass(frozen=True, slots=True)
class Route:
    """Which carrier takes a text, and in how many segments."""

    carrier: str
    segments: int


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
    """A queued or held text whose moment has come. `permitted` is False when the account that wrote it is closed."""

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
    permitted: bool = True


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
    """An open attempt, ready for the wire; `tries` counts it in."""

    attempt: int
    part: int
    message: int
    thread: Thread
    carrier: str
    text: Outgoing
    opened_at: datetime
    tries: int = 1


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


class Calls(Protocol):
    def begin(self, call: Call, did: str, peer: str | None) -> int | None: ...
    def answered(self, pbx: str, uniqueid: str, at: datetime) -> None: ...
    def ending(self, call: Call, did: str, peer: str | None) -> int | None: ...
    def finish(self, call_id: int, call: Call, did: str, peer: str | None, decision: CallDecision) -> None: ...
    def redecided(self, call_id: int, decision: CallDecision) -> None: ...
    def open_before(self, pbx: str, at: datetime, live: Collection[str]) -> list[StoredCall]: ...
    def close_unseen(self, call_id: int, at: datetime, outcome: str | None, reason: str) -> None: ...
    def lose_sight(self, pbx: str, at: datetime) -> None: ...
    def see_again(self, pbx: str, at: datetime, calls: int) -> None: ...


class Pairs(Protocol):
    def facts(self, did: str, peer: str, group: str, rule: str, now: datetime) -> PairFacts: ...
    def thread(self, did: str, peer: str, now: datetime) -> Thread: ...
    def start_cool_down(self, thread: Thread, group: str, until: datetime) -> None: ...
    def count_automatic(self, now: datetime) -> None: ...
    def count_sent(self, did: str, segments: int, now: datetime) -> None: ...
    def opt_out(self, thread_id: int, method: str, evidence: str, now: datetime) -> None: ...
    def opt_in(self, thread_id: int, method: str, evidence: str, now: datetime) -> None: ...
    def find(self, public_id: str) -> Thread | None: ...
    def forget_old(self, now: datetime) -> None: ...


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
    def put(
        self, wanted: Wanted, thread: Thread, route: Route, verdict: Verdict | None, now: datetime
    ) -> StoredMessage | None: ...
    def put_in_flight(self, wanted: Wanted, thread: Thread, route: Route, now: datetime) -> Order | None: ...
    def open_attempt(self, text: WaitingText, carrier: str, now: datetime) -> Order: ...
    def due(self, carrier: str, now: datetime, limit: int) -> list[WaitingText]: ...
    def unsent_to(self, peer: str) -> list[tuple[int, State, int]]: ...
    def unsent_in(self, thread_id: int) -> list[tuple[int, State, int | None]]: ...
    def still_waiting(self, carrier: str, now: datetime) -> tuple[datetime | None, bool]: ...
    def move(
        self, message_id: int, old: State, new: State, reason: Reason | None, detail: str, now: datetime
    ) -> bool: ...
    def hold(self, message_id: int, old: State, verdict: Defer, detail: str, now: datetime) -> None: ...
    def take_back(self, order: Order, verdict: Defer, detail: str, now: datetime) -> None: ...
    def left_open(self, carrier: str) -> list[tuple[int, int, int, datetime]]: ...
    def carriers_at_work(self) -> set[str]: ...
    def waiting_for(self, carrier: str) -> list[tuple[int, State, str]]: ...
    def reroute(self, message_id: int, state: State, carrier: str, detail: str, now: datetime) -> None: ...
    def quiet_since(self, at: datetime, limit: int) -> list[tuple[int, State]]: ...
    def note(self, message_id: int, state: State, reason: Reason | None, detail: str, now: datetime) -> None: ...
    def may_write(self, account_id: int | None) -> bool: ...


class Outcomes(Protocol):
    def close(self, attempt_id: int, outcome: str, cause: str, provider_id: str | None, now: datetime) -> bool: ...
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
    def doubt(self, public_id: str) -> Doubt | None: ...
    def say(self, attempt_id: int, outcome: str, cause: str) -> None: ...
    def find(self, carrier: str, receipt: Receipt) -> Attempt | None: ...
    def resolve(self, attempt_id: int, provider_id: str, cause: str, now: datetime) -> None: ...
    def keep(self, attempt_id: int, carrier: str, receipt: Receipt, now: datetime) -> bool: ...
    def park(self, carrier: str, receipt: Receipt, now: datetime) -> None: ...
    def take_parked(self, carrier: str, provider_id: str) -> list[Receipt]: ...
    def forget_parked(self, before: datetime) -> None: ...


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

    def waiting(self, most: int) -> int:
        """How many threads wait for an answer, counted up to `most`."""

    def offered(self, thread_id: int, since: datetime) -> tuple[str, datetime] | None:
        """Return the call-back windows last offered to this person, as stored, and when."""

    def forget_raw(self, before: datetime) -> None: ...


class Idempotency(Protocol):
    """What was asked with a key of the asker's own."""

    def asked(self, principal: str, key: str) -> tuple[str, str] | None:
        """Return what was asked with this key, and the answer; None when it is new."""

    def keep(self, principal: str, key: str, asked: str, answer: str, now: datetime) -> None: ...

    def forget_old(self, before: datetime) -> None: ...


class Settings(Protocol):
    def put(self, key: str, value: str, now: datetime, by: str) -> None: ...
    def drop(self, key: str) -> bool: ...
    def get(self, key: str) -> tuple[str, datetime] | None: ...
    def pauses(self) -> list[tuple[str, datetime, str]]: ...
    def next_epoch(self, now: datetime) -> int: ...


class Tasks(Protocol):
    def open(self) -> dict[TaskKind, int]: ...
    def add(
        self,
        task: TaskKind,
        now: datetime,
        detail: str,
        call_id: int | None = None,
        message_id: int | None = None,
        thread_id: int | None = None,
        incoming_id: int | None = None,
        due_at: datetime | None = None,
        about: int | None = None,
    ) -> None:
        """Leave something for a person; `about` is the row of what has no field of its own."""

    def settle(self, task: TaskKind, about: int, now: datetime, by: str = "") -> None: ...
    def close(self, public_id: str, by: str, now: datetime) -> bool: ...
    def reopen(self, public_id: str) -> bool: ...


class Tx(Protocol):
    """One transaction, noun by noun."""

    @property
    def calls(self) -> Calls: ...
    @property
    def pairs(self) -> Pairs: ...
    @property
    def pending(self) -> PendingTexts: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def outcomes(self) -> Outcomes: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def tasks(self) -> Tasks: ...
    @property
    def inbound(self) -> Inbound: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def idempotency(self) -> Idempotency: ...


Step = Callable[[Tx], T]


class Store(Protocol):
    """The one writer. An await resolves after the flush, so what it returns is on disk."""

    async def commit(self, step: Step[T]) -> T:
        """Run one step. Raises what the step raised, or StoreBusy when nothing can be written now."""
        ...

    def ride_along(self, steps: Sequence[Step[object]]) -> None:
        """Hand over steps that nobody waits for. They keep their place in the order and are on disk soon after.

        What such a step does must be made up by a later one: a crash may take it.
        """
        ...

    async def commit_all(self, steps: Sequence[Step[T]]) -> "list[T | Exception]":
        """Run steps in order with one wait for them all; a step that failed leaves its exception in its place."""
        ...
