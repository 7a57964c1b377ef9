"""A thread as its page lays it out: days, who wrote, what is folded away, and what can still be done."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from ringback.core.calls import UNANSWERED, Direction
from ringback.core.messages import SAID_BY, State
from ringback.core.permissions import Principal
from ringback.panel.session_lines import StepLine
from ringback.panel.thread_words import STATES, CallWords, StateWords, call_words
from ringback.ports.threads import CallLine, Entry, InLine, LedgerLine, OutLine

IN_DOUBT = frozenset({State.UNCONFIRMED, State.UNRESOLVED})
SAID = frozenset({State.ACCEPTED, State.FAILED})
"""The states a text has by somebody's word."""
Line = Entry | StepLine


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the page. `day` is set where a day begins, `today` with it, since it is said by its distance.

    `mine`: the reader wrote it. `said` is who said what became of a text (`you`, `somebody`), while that can be undone.
    """

    id: str
    template: str
    entry: Line
    day: datetime | None = None
    today: date | None = None
    mine: bool = False
    said: str = ""

    @property
    def call(self) -> CallWords:
        """What a call is called."""
        assert isinstance(self.entry, CallLine)
        return call_words(self.entry)

    @property
    def state(self) -> StateWords:
        """What the state of a text of ours is called."""
        assert isinstance(self.entry, OutLine)
        return STATES[self.entry.state]

    @property
    def in_doubt(self) -> bool:
        """Whether somebody can say what became of a text."""
        return isinstance(self.entry, OutLine) and self.entry.state in IN_DOUBT

    @property
    def explained(self) -> bool:
        """Whether a call is one that a text-back was decided for."""
        return isinstance(self.entry, CallLine) and _was_missed(self.entry) and self.entry.reason is not None


def items(entries: Iterable[Line], reader: Principal, zone: tzinfo, now: datetime) -> list[Item]:
    """Lay the entries out, oldest first. What the text of a STOP says itself is not said again below it."""
    laid: list[Item] = []
    day: date | None = None
    today = now.astimezone(zone).date()
    for entry in entries:
        if isinstance(entry, LedgerLine) and entry.method == "text":
            continue
        its_day = entry.at.astimezone(zone).date()
        begins = None if its_day == day else entry.at
        laid.append(_item(entry, reader, begins, None if begins is None else today))
        day = its_day
    return laid


def _item(entry: Line, reader: Principal, day: datetime | None, today: date | None) -> Item:
    match entry:
        case CallLine():
            return Item(entry.public_id, "entry_call", entry, day, today)
        case InLine():
            return Item(entry.public_id, "entry_in", entry, day, today)
        case LedgerLine():
            return Item(f"note-{entry.point.id}", "entry_note", entry, day, today)
        case StepLine():
            return Item(entry.id, "entry_step", entry, day, today)
        case OutLine():
            mine = entry.account is not None and entry.account == reader.account
            return Item(entry.public_id, "entry_out", entry, day, today, mine, _said(entry, reader))


def _said(text: OutLine, reader: Principal) -> str:
    """Whose word the state of a text is, if it is one."""
    cause = (text.attempts[-1].cause or "") if text.attempts else ""
    if text.state not in SAID or not cause.startswith(SAID_BY):
        return ""
    return "you" if cause == f"{SAID_BY}{reader.label}" else "somebody"


def _was_missed(call: CallLine) -> bool:
    return (
        call.direction == Direction.INBOUND and call.ended_at is not None and (call.outcome or "") in {"", *UNANSWERED}
    )
