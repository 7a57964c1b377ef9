"""What happened, read back: calls, texts both ways and opt-outs, each with every step it took and who had a hand in it.

`ringback explain` prints these, and the page of a call shows some.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ringback.core.consents import ConsentEvent
from ringback.core.offers import Offer
from ringback.ports.holds import Held
from ringback.ports.lists import Entry
from ringback.ports.sessions import SessionStory


@dataclass(frozen=True, slots=True)
class PersonStory:
    """Who did something: `label` as it is stored, and for somebody with an account the login and the name."""

    label: str
    login: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class DeedStory:
    """A line of the audit: what somebody did to a thread, a text or a task."""

    at: datetime
    who: PersonStory
    action: str
    detail: str


@dataclass(frozen=True, slots=True)
class JournalStory:
    """What a carrier brought, as it was journalled. `body` is its beginning, for what nobody could read."""

    received_at: datetime
    carrier: str
    provider_id: str | None
    state: str
    why: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class TaskStory:
    """What was left for a person. `journal` is what lies in quarantine, for a task about that."""

    public_id: str
    kind: str
    at: datetime
    due_at: datetime | None
    detail: str
    done_at: datetime | None
    done_by: PersonStory | None
    deeds: tuple[DeedStory, ...]
    journal: tuple[JournalStory, ...] = ()


@dataclass(frozen=True, slots=True)
class LegStory:
    phone: str
    at: datetime
    ended_at: datetime | None
    rang: str


@dataclass(frozen=True, slots=True)
class EventStory:
    """One line of a call's story."""

    at: datetime
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class StepStory:
    """One state a text was in, why, and what was said."""

    at: datetime
    state: str
    reason: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class AttemptStory:
    public_id: str
    carrier: str
    opened_at: datetime
    closed_at: datetime | None
    outcome: str | None
    cause: str | None
    provider_id: str | None


@dataclass(frozen=True, slots=True)
class TextStory:
    public_id: str
    did: str
    peer: str
    body: str
    segments: int
    state: str
    reason: str | None
    cause: str
    carrier: str
    created_at: datetime
    expires_at: datetime
    not_before: datetime
    steps: tuple[StepStory, ...]
    attempts: tuple[AttemptStory, ...]
    thread: str = ""
    command: str = ""
    """What it answers by itself: STOP, START or HELP."""
    answers: str | None = None
    """The public id of the text that it answers by itself."""
    author: PersonStory | None = None
    deeds: tuple[DeedStory, ...] = ()
    tasks: tuple[TaskStory, ...] = ()
    program: str = ""
    """The name of the key that asked for it."""
    held: Held | None = None
    """What holds its carrier back now."""


@dataclass(frozen=True, slots=True)
class PendingStory:
    """A text that waits, or waited, out its rule's delay."""

    due_at: datetime
    state: str
    cause: str | None
    body: str


@dataclass(frozen=True, slots=True)
class CallStory:
    public_id: str
    pbx: str
    uniqueid: str
    linkedid: str
    direction: str
    caller: str
    did: str
    peer: str | None
    presentation: str
    vetoed: bool
    transfer_unanswered: bool
    queue: str | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    rang: timedelta | None
    waited: timedelta | None
    outcome: str | None
    decision: str | None
    reason: str | None
    rule: str | None
    rule_version: str | None
    due_at: datetime | None
    until_at: datetime | None
    tried: tuple[tuple[str, str], ...]
    legs: tuple[LegStory, ...]
    events: tuple[EventStory, ...]
    pending: PendingStory | None
    texts: tuple[TextStory, ...]
    thread: str | None = None
    """The public id of the thread of this pair, if there is one."""
    tasks: tuple[TaskStory, ...] = ()
    answered_by: str = ""
    offers: tuple[Offer, ...] = ()
    """What the dialplan offered them, or why nothing."""


@dataclass(frozen=True, slots=True)
class LedgerStory:
    """An opt-out or an opt-in. `evidence` is as it is stored: the id of the text that said it, or what was noted.

    `called_off` are public ids: of texts that waited, and of calls whose text waited out its delay.
    """

    at: datetime
    kind: str
    method: str
    evidence: str
    by: PersonStory | None
    called_off: tuple[str, ...]


class Unanswered(StrEnum):
    """Why a STOP, START or HELP got no answer of ours."""

    SAID_BEFORE = "said_before"
    CARRIER_ANSWERS = "carrier_answers"


@dataclass(frozen=True, slots=True)
class IncomingStory:
    """A text from a handset, and what it did. `at` is its place in the thread.

    `came` and `missing` are numbers of pieces, for one that came in pieces; `repeats` is the public id of the text
    that it looks the same as; `media` are content types. The journal is kept for 30 days.
    """

    public_id: str
    thread: str
    did: str
    peer: str
    carrier: str
    at: datetime
    carrier_at: datetime
    received_at: datetime
    body: str
    state: str
    pieces: int
    came: tuple[int, ...]
    missing: tuple[int, ...]
    media: tuple[str, ...]
    repeats: str | None
    command: str
    read_at: datetime | None
    journal: tuple[JournalStory, ...]
    ledger: LedgerStory | None
    answer: TextStory | None
    unanswered: Unanswered | None
    tasks: tuple[TaskStory, ...]


@dataclass(frozen=True, slots=True)
class ThreadStory:
    """One of our numbers and one person: how they stand now, and what was recorded of the two."""

    public_id: str
    did: str
    peer: str
    begun_at: datetime
    unread: int
    waits_since: datetime | None
    opted_out_at: datetime | None
    ledger: tuple[LedgerStory, ...]
    deeds: tuple[DeedStory, ...]
    consents: tuple[ConsentEvent, ...] = ()
    """What they said yes or no to, line by line."""
    told_at: datetime | None = None
    """When they were last told what they get, and how to stop it."""


@dataclass(frozen=True, slots=True)
class Stories:
    """What was found: calls with their texts, texts from handsets with their answers, and texts that are neither.

    `tasks` are those that are about nothing else shown here; `lists` are those that the people shown here are on;
    `sessions` are those of the threads and calls shown here, the oldest first.
    """

    calls: tuple[CallStory, ...] = ()
    texts: tuple[TextStory, ...] = ()
    incoming: tuple[IncomingStory, ...] = ()
    threads: tuple[ThreadStory, ...] = ()
    tasks: tuple[TaskStory, ...] = ()
    lists: tuple[Entry, ...] = ()
    sessions: tuple[SessionStory, ...] = ()

    def __bool__(self) -> bool:
        return any((self.calls, self.texts, self.incoming, self.threads, self.tasks, self.lists, self.sessions))
