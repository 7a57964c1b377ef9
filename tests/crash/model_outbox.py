"""A plain model of the outbox: what each text is and may become, in Python and from the papers alone.

`Text` is moved by what happens in the world; `ground` is the real store, asked by the machine in test_model_crash.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ringback.core.messages import OnDoubt, State, Urgency

S = State
MARGIN = timedelta(seconds=2)
WINDOW = timedelta(seconds=120)
LATE = timedelta(hours=72)
WAITING = frozenset({S.QUEUED, S.HELD})
IN_DOUBT = frozenset({S.UNCONFIRMED, S.UNRESOLVED})
RANK = {S.ACCEPTED: 1, S.SENT: 2, S.UNDELIVERED: 3, S.DELIVERED: 4}
AFTER_NONE = frozenset({S.UNDELIVERED, S.DELIVERED})
CARRIER_HAS_IT = frozenset(
    {S.SUBMITTING, S.ACCEPTED, S.SENT, S.DELIVERED, S.UNDELIVERED, S.UNCONFIRMED, S.UNRESOLVED, S.NO_RECEIPT}
)
MEANS_SENT = frozenset({S.ACCEPTED, S.SENT, S.DELIVERED, S.UNDELIVERED, S.NO_RECEIPT})


@dataclass(eq=False)
class Try:
    """One attempt. `sid` is what the carrier calls it, once it took it; `outcome` is "" while it is open."""

    id: str
    text: "Text"
    order: object
    left: bool = False
    took: bool = False
    outcome: str = ""
    sid: str = ""
    known: bool = False
    heard: set[str] = field(default_factory=set)
    parked: set[str] = field(default_factory=set)

    @property
    def open(self) -> bool:
        return not self.outcome


@dataclass(eq=False)
class Text:
    id: str
    number: int
    peer: str
    urgency: int
    automatic: bool
    expires: datetime
    policy: OnDoubt
    state: State
    at: datetime
    tries: list[Try] = field(default_factory=list)
    said: bool = False
    asked: bool = False
    resends: int = 0
    why: str = ""

    @property
    def pausable(self) -> bool:
        """Whether no person wrote it."""
        return self.automatic or self.urgency in (Urgency.TRANSACTIONAL, Urgency.BULK)

    def becomes(self, state: State, now: datetime) -> None:
        self.state, self.at = state, now

    def hears(self, status: State, now: datetime) -> None:
        """A receipt that is new: it settles a doubt, outranks a person's word, and else only goes up."""
        if self.state in IN_DOUBT or self.state is S.SUBMITTING or (self.said and self.state is S.FAILED):
            self.becomes(status, now)
        elif self.state is S.NO_RECEIPT:
            if status in AFTER_NONE:
                self.becomes(status, now)
        elif RANK.get(self.state, 9) < RANK[status]:
            self.becomes(status, now)
        self.said = False


@dataclass(frozen=True)
class Row:
    """A text as the database has it."""

    id: str
    number: int
    state: State
    reason: str
    not_before: datetime
    last_event: str


@dataclass
class Books:
    """Everything the model knows."""

    now: datetime
    texts: dict[str, Text] = field(default_factory=dict)
    tries: list[Try] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)
    paused: bool = False
    doubts: int = 0
    """How often an attempt may honestly have come into doubt."""

    def waiting(self) -> list[Text]:
        return [text for text in self.texts.values() if text.state in WAITING]

    def open_tries(self) -> list[Try]:
        return [one for one in self.tries if one.open]

    def of_pair(self, peer: str) -> list[Text]:
        return [text for text in self.texts.values() if text.peer == peer]

    def is_busy(self, peer: str) -> bool:
        """Whether a text to this person is on its way."""
        return any(text.state is S.SUBMITTING for text in self.of_pair(peer))

    def faults(self, rows: dict[str, Row], attempts: list[tuple[str, str, str]]) -> Iterator[str]:
        """Where the database and the model differ, and what no state may be."""
        if set(rows) != set(self.texts):
            yield f"I1: texts {sorted(set(rows) ^ set(self.texts))} are on one side only"
            return
        for text in self.texts.values():
            row = rows[text.id]
            yield from self._of_text(text, row)
        known = {one.id: one for one in self.tries}
        if [one for one, _message, _outcome in attempts] != list(known):
            yield "I3: attempts on one side only"
            return
        for name, _message, outcome in attempts:
            one = known[name]
            if (outcome == "") != one.open:
                yield f"I2: attempt {name} is {outcome or 'open'} and should be {one.outcome or 'open'}"
        in_doubt = sum(row.state in IN_DOUBT for row in rows.values())
        if in_doubt > self.doubts:
            yield f"I6: {in_doubt} texts in doubt after {self.doubts} faults"

    def _of_text(self, text: Text, row: Row) -> Iterator[str]:
        if row.state != text.state:
            yield f"text {text.number} is {row.state} and should be {text.state}"
        if row.last_event != row.state:
            yield f"I9: text {text.number} is {row.state} and its story ends with {row.last_event}"
        took = any(one.took for one in text.tries)
        if row.state in MEANS_SENT and not took and not text.said:
            yield f"I4: text {text.number} is {row.state} and the carrier never had it"
        if took and row.state not in CARRIER_HAS_IT and not (text.said and row.state is S.FAILED):
            yield f"I5: the carrier has text {text.number}, and it is {row.state}"
        unsafe = [one.outcome for one in text.tries if one.outcome != "not_sent"]
        if len(unsafe) - 1 > text.resends:
            yield f"I3: text {text.number} was tried again after {unsafe}"
        if text.resends > (text.policy is not OnDoubt.ONCE):
            yield f"I3: text {text.number} was sent again against its policy {text.policy}"

    def opened(self, text: Text, row_before: Row | None, waiting: dict[str, Row]) -> Iterator[str]:
        """Whether a first or further attempt may be opened now; `waiting` are the texts that waited before it."""
        if text.peer in self.stopped:
            yield f"I7: text {text.number} was opened after STOP"
        if text.expires - MARGIN <= self.now:
            yield f"text {text.number} was opened at the end of its validity"
        if self.is_busy(text.peer):
            yield f"I11: text {text.number} was opened beside another to the same person"
        if row_before is not None and row_before.not_before > self.now:
            yield f"text {text.number} was opened before its time"
        for other in self.of_pair(text.peer):
            row = waiting.get(other.id)
            older = row is not None and other.number < text.number and other.urgency == text.urgency
            if older and not text.tries and not other.tries and row.reason != "scheduled" and other.id != text.id:
                yield f"I11: text {text.number} went before text {other.number}"
