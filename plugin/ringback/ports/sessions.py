"""Sessions as the store keeps them while they are worked on, and as pages read them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ringback.core.grants import Reach
from ringback.core.offers import Offer
from ringback.core.sessions import Due, Origin, Session, SessionState, StartType, TransferState, WaitingOn, Why
from ringback.ports.pairs import Thread


@dataclass(frozen=True, slots=True)
class Opening:
    """A session to be: exactly one is open for a thread at any time."""

    thread: Thread
    queue: int
    start: StartType
    why: Why
    by: str = ""
    origin: Origin = Origin.NONE
    call: int | None = None
    language: str = ""
    ivr_path: str = ""
    caller_name: str = ""
    waiting_on: WaitingOn | None = None
    due: Due = Due.NONE
    due_at: datetime | None = None
    detail: str = ""
    """What the first line of its story says beside the reason."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a session's story: what moved it, who, and what was said. Whoever is named is a row or a label."""

    at: datetime
    why: Why
    state: SessionState
    by: str = ""
    agent: int | None = None
    queue: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Transfer:
    """An agent asks another agent or a queue to take their session. It stays with them until that is accepted."""

    id: int
    session: int
    by_agent: int
    to_agent: int | None
    to_queue: int | None
    note: str
    state: TransferState
    asked_at: datetime
    due_at: datetime


class Sessions(Protocol):
    """The writes, inside a step. Every change adds its line to the session's story and turns `changed_at`."""

    def open(self, opening: Opening, state: SessionState, now: datetime) -> Session:
        """Open one. Raises LookupError where one is open for this thread: `of_thread` first."""

    def get(self, public_id: str) -> Session | None: ...
    def by_row(self, row: int) -> Session | None: ...
    def of_thread(self, thread: int) -> Session | None:
        """The open session of a thread."""

    def read_ahead(self) -> None:
        """Learn which calls have a session, for the calls of a batch: `of_call` asks nothing about others then."""

    def of_call(self, call: int) -> Session | None:
        """The open session that belongs to a call."""

    def promised(self, messages: Collection[int]) -> list[Session]:
        """Open sessions whose first text is one of these."""

    def last_of(self, thread: int) -> Session | None:
        """The newest session of a thread, open or over."""

    def last_agent(self, peer: str) -> int | None:
        """Who spoke with this person last in a session, whatever the number."""

    def save(self, session: Session, step: Step) -> Session:
        """Write a session as it is now, with the line that says why. Raises LookupError if it changed since it was
        read in this transaction, and ValueError for a move that its state does not allow."""

    def note(self, session: Session, step: Step) -> None:
        """Add a line without changing the session."""

    def due(self, now: datetime, most: int) -> list[Session]:
        """Open sessions whose deadline has come, the oldest first."""

    def next_due(self) -> datetime | None: ...
    def clock_went_back(self, by: timedelta, now: datetime) -> int:
        """The wall clock was set back: deadlines that were set before would come so much later. Returns how many."""

    def queued(self, queue: int | None = None, most: int = 500, besides: Collection[str] = ()) -> list[Session]:
        """Those who wait in a queue (or in all), the longest waiting first. `besides`: not of these numbers of ours,
        where one queue is asked about."""

    def untold(self, queue: int, most: int) -> list[Session]:
        """Those who wait in a queue, are to be answered, and were not told that they must wait."""

    def with_agent(self, account: int) -> list[Session]:
        """Sessions an agent has, and the one that is offered to them."""

    def loads(self) -> Mapping[int, int]:
        """How many sessions each agent has, by account; an offer counts."""

    def of_queue(self, queue: int) -> list[Session]:
        """Every open session that would fall back to this queue."""

    def declined(self, session: int, since: datetime) -> frozenset[int]:
        """Accounts that it was offered to since, and who did not take it."""

    def ask_transfer(
        self,
        session: Session,
        to_agent: int | None,
        to_queue: int | None,
        note: str,
        due_at: datetime,
        now: datetime,
    ) -> Transfer:
        """Keep a request; one that was open before for this session is closed as failed."""

    def transfer_of(self, session: int) -> Transfer | None:
        """The open request of a session."""

    def transfers_to(self, account: int) -> list[Transfer]: ...
    def transfers_into(self, queue: int) -> list[Transfer]:
        """The open requests that are made to a queue."""

    def close_transfer(self, transfer: Transfer, state: TransferState, why: Why, now: datetime) -> None: ...
    def due_transfers(self, now: datetime, most: int) -> list[Transfer]: ...


# -- what pages read


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session in a list. Names are of people and queues; `last` is the newest text, `unread` texts of theirs."""

    session: Session
    thread: str
    queue: str
    agent: str
    offered_to: str
    last: str
    last_at: datetime | None
    unread: int
    opted_out: bool
    transfer: "TransferRow | None" = None


@dataclass(frozen=True, slots=True)
class TransferRow:
    """An open request to take a session. `to` is a person, or with `to_queue` a queue, by name."""

    id: int
    session: str
    by: str
    to: str
    to_me: bool
    note: str
    asked_at: datetime
    due_at: datetime
    to_queue: bool = False

    @property
    def until(self) -> datetime | None:
        """When it falls by itself; None where a queue lets requests stand, which is kept as a day far away."""
        return self.due_at if self.due_at - self.asked_at < timedelta(days=365) else None


@dataclass(frozen=True, slots=True)
class StepRow:
    """One line of a session's story with names in it."""

    at: datetime
    why: Why
    state: SessionState
    by: str
    agent: str
    queue: str
    detail: str


@dataclass(frozen=True, slots=True)
class SessionStory:
    """A session, as far back as it was read. `call` is the public id of the call it belongs to."""

    row: SessionRow
    steps: tuple[StepRow, ...]
    call: str
    offer: Offer | None
    skipped: int = 0
    """So many steps came before these and were not read."""


MOST_MORE = 1000
"""Who waits beyond a list is counted up to so many."""


@dataclass(frozen=True, slots=True)
class Work:
    """What an agent has to do: theirs, what is offered or handed to them, and what waits in their queues. Of what is
    handed to them, `transfer` is the request."""

    mine: tuple[SessionRow, ...]
    offered: tuple[SessionRow, ...]
    handed: tuple[SessionRow, ...]
    queued: tuple[SessionRow, ...]
    dismissed: tuple[SessionRow, ...]
    more: int = 0
    """How many wait beside `queued`; MOST_MORE for so many or more."""


@dataclass(frozen=True, slots=True)
class QueueCount:
    """One text queue on the board. `by_state` and `by_start` count open sessions; `oldest` is who waits longest."""

    queue: int
    name: str
    by_state: Mapping[SessionState, int]
    by_start: Mapping[StartType, int]
    oldest: datetime | None
    expired_today: int


@dataclass(frozen=True, slots=True)
class AgentCount:
    """One agent on the board, since midnight. `answered`: sessions with an answer of theirs; `first_answer` and
    `lasted` are averages."""

    account: int
    name: str
    public_id: str
    open: int
    answered: int
    first_answer: timedelta | None
    lasted: timedelta | None


@dataclass(frozen=True, slots=True)
class Board:
    queues: tuple[QueueCount, ...]
    agents: tuple[AgentCount, ...]
    sessions: tuple[SessionRow, ...]
    texts_in: int
    texts_out: int


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which open sessions a board lists: of a queue or an agent (rows), in a state, begun in a way; None for all."""

    queue: int | None = None
    agent: int | None = None
    state: SessionState | None = None
    start: StartType | None = None


ALL_SESSIONS = Narrowed()


class ReadSessions(Protocol):
    """The reads beside the writer. What is beyond `reach` is not there."""

    async def work(self, reach: Reach, account: int, most: int = 100) -> Work: ...
    async def story(self, reach: Reach, public_id: str, account: int | None = None) -> SessionStory | None:
        """One session; `account` is who reads it, for whether a request is to them. The newest of its
        steps are read."""

    async def of_thread(self, reach: Reach, thread: str, account: int | None = None) -> Sequence[SessionStory]:
        """Sessions of a thread, the newest first."""

    async def board(
        self,
        reach: Reach,
        midnight: datetime,
        most: int = 200,
        only: Narrowed = ALL_SESSIONS,
        texts: tuple[int, int] | None = None,
    ) -> Board:
        """The figures of everything, and of the sessions those that are asked for, what changed last first. `texts` are
        those that came in and went out, from a board before; without them they are counted, which costs most."""

    async def offers_of_call(self, call: str) -> Sequence[Offer]:
        """What a call was offered; whoever may read the call may read it."""
