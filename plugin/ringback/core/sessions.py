"""A session: one bounded episode of service in a thread, opened by a call or a text, worked on by a queue and an agent.

States are a table of allowed moves. An open session always has a queue to fall back to, so it is never without somebody
who minds it; docs/sessions.md draws the table.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SessionState(StrEnum):
    """NEW: a call that goes on brought it, and its agent will. MENU is for nested menus, which come later."""

    NEW = "new"
    MENU = "menu"
    QUEUED = "queued"
    OFFERED = "offered"
    ASSIGNED = "assigned"
    WRAP_UP = "wrap_up"
    DISMISSED = "dismissed"
    ENDED = "ended"
    EXPIRED = "expired"
    OPTED_OUT = "opted_out"


_S = SessionState
_OVER = frozenset({_S.ENDED, _S.EXPIRED, _S.OPTED_OUT})
MOVES: dict[SessionState, frozenset[SessionState]] = {
    _S.NEW: frozenset({_S.MENU, _S.QUEUED, _S.ASSIGNED}) | _OVER,
    _S.MENU: frozenset({_S.QUEUED, _S.ASSIGNED}) | _OVER,
    _S.QUEUED: frozenset({_S.OFFERED, _S.ASSIGNED, _S.DISMISSED}) | _OVER,
    _S.OFFERED: frozenset({_S.QUEUED, _S.ASSIGNED, _S.DISMISSED}) | _OVER,
    # to itself: another agent has it now
    _S.ASSIGNED: frozenset({_S.ASSIGNED, _S.QUEUED, _S.WRAP_UP, _S.DISMISSED}) | _OVER,
    _S.WRAP_UP: frozenset({_S.ASSIGNED, _S.QUEUED, _S.DISMISSED}) | _OVER,
    _S.DISMISSED: frozenset({_S.ASSIGNED, _S.QUEUED}) | _OVER,
    _S.ENDED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.OPTED_OUT: frozenset(),
}
OVER = _OVER
OPEN = frozenset(SessionState) - OVER
WITH_AGENT = frozenset({_S.ASSIGNED, _S.WRAP_UP})
"""An agent has it, and it counts against what they can carry."""


class WaitingOn(StrEnum):
    """Whose turn it is to write."""

    CUSTOMER = "customer"
    AGENT = "agent"


class StartType(StrEnum):
    """How a session began: a person at the panel, a text that came in, a text of ours, a program, a call."""

    MANUAL = "manual"
    AUTO = "auto"
    OUTBOUND = "outbound"
    API = "api"
    CALL_EVENT = "call_event"


class Origin(StrEnum):
    """What of a call brought the session; NONE where no call did."""

    NONE = ""
    DEFLECTION = "deflection"
    WAIT_TEXT = "wait_text"
    TEXT_BACK = "text_back"
    IN_CALL = "in_call"


class Due(StrEnum):
    """What happens at a session's deadline. Deadlines are stored, so a restart forgets none."""

    NONE = ""
    CALL_LOST = "call_lost"
    QUEUED_EXPIRY = "queued_expiry"
    OFFER_OVER = "offer_over"
    AGENT_IDLE = "agent_idle"
    WARN = "warn"
    CUSTOMER_IDLE = "customer_idle"
    WRAP_UP_OVER = "wrap_up_over"
    DISMISSED_OVER = "dismissed_over"


class Why(StrEnum):
    """Why a session moved: kept with every step, shown on pages and by `ringback explain`."""

    CALL_ACCEPTED = "call_accepted"
    """The caller chose texts by key."""
    LIVE_CALL = "live_call"
    """A text came while its sender is in a call with this agent, or waits for one."""
    CLAIMED_BEFORE = "claimed_before"
    """A text came for a session that an agent has."""
    NUMBERS_QUEUE = "numbers_queue"
    """Nobody had it, so it went to the queue of the number that was texted."""
    RETURNED = "returned"
    """They wrote again after it was dismissed."""
    CLAIMED = "claimed"
    REPLIED = "replied"
    """An agent answered in the thread, and has it thereby."""
    OFFERED = "offered"
    GIVEN = "given"
    """The queue gives sessions to agents without asking them."""
    ACCEPTED = "accepted"
    ANSWERED_BESIDE = "answered_beside"
    """Somebody answered in the thread who does not have it; it stays where it is."""
    DECLINED = "declined"
    GIVEN_BACK = "given_back"
    """Their agent put it back into its queue."""
    OFFER_OVER = "offer_over"
    AGENT_ANSWERED = "agent_answered"
    """The agent took the call that it belongs to."""
    CALL_ENDED = "call_ended"
    CALLER_HUNG_UP = "caller_hung_up"
    TEXT_NOT_SENT = "text_not_sent"
    """The first text was refused, failed or ran out. A caller who is in the call yet stays in it."""
    TEXT_UNCONFIRMED = "text_unconfirmed"
    """Nobody knows whether the first text was sent."""
    TEXT_SENT = "text_sent"
    """The carrier took the first text: a caller who chose to go on by text may be let go."""
    AGENT_UNREGISTERED = "agent_unregistered"
    AGENT_LOGGED_OUT = "agent_logged_out"
    AGENT_SENT_AWAY = "agent_sent_away"
    """A supervisor said that they are away."""
    AGENT_IDLE = "agent_idle"
    AGENT_MAY_NOT = "agent_may_not"
    """The agent may not text from this number any more, or works here no more."""
    CUSTOMER_IDLE = "customer_idle"
    WARNED = "warned"
    DISMISSED = "dismissed"
    ENDED = "ended"
    QUEUED_EXPIRY = "queued_expiry"
    DISMISSED_OVER = "dismissed_over"
    WRAP_UP_OVER = "wrap_up_over"
    CALL_LOST = "call_lost"
    OPTED_OUT = "opted_out"
    TAKEN_OVER = "taken_over"
    REASSIGNED = "reassigned"
    TRANSFER_ASKED = "transfer_asked"
    TRANSFER_ACCEPTED = "transfer_accepted"
    TRANSFER_DECLINED = "transfer_declined"
    TRANSFER_TIMED_OUT = "transfer_timed_out"
    TRANSFER_TAKEN_BACK = "transfer_taken_back"
    QUEUE_REMOVED = "queue_removed"
    WAIT_TOLD = "wait_told"
    OUT_OF_HOURS = "out_of_hours"


class TransferState(StrEnum):
    """FAILED: declined, or whom it was for cannot take it. COMPLETED: the other side has it."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Session:
    """One session as it stands. `queue` and `agent` are rows; `call` is the row of the call it belongs to.

    `offered_to` is the account it is shown to while OFFERED. `released_at`: the call it belongs to ended then.
    `wait_told_at`: when they were last told that they must wait.
    """

    id: int
    public_id: str
    thread: int
    did: str
    peer: str
    state: SessionState
    queue: int
    start: StartType
    opened_at: datetime
    changed_at: datetime
    origin: Origin = Origin.NONE
    agent: int | None = None
    offered_to: int | None = None
    waiting_on: WaitingOn | None = None
    call: int | None = None
    released_at: datetime | None = None
    queued_at: datetime | None = None
    assigned_at: datetime | None = None
    replied_at: datetime | None = None
    """The first answer of an agent."""
    ended_at: datetime | None = None
    wait_told_at: datetime | None = None
    due: Due = Due.NONE
    due_at: datetime | None = None
    language: str = ""
    ivr_path: str = ""
    caller_name: str = ""
    first_text: int | None = None
    """The row of the text that the caller was promised."""

    @property
    def open(self) -> bool:
        return self.state in OPEN

    @property
    def in_call(self) -> bool:
        """Whether its caller is in the call it belongs to, as far as we heard."""
        return self.call is not None and self.released_at is None


def may_move(old: SessionState, new: SessionState) -> bool:
    return new in MOVES[old]
