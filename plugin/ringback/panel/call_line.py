"""A call in a line: how it ended, and what became of the text. The list and the page of a call say it alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from ringback.core.calls import Direction, Outcome
from ringback.core.messages import State
from ringback.core.reasons import SENTENCES, Reason
from ringback.core.triggers import CallVerdict
from ringback.panel import call_words as words
from ringback.panel.apart import moment
from ringback.panel.call_words import Mark
from ringback.panel.say import Say
from ringback.panel.words import N_
from ringback.ports.callbook import CallLine

if TYPE_CHECKING:
    from ringback.panel.tongues import Formats

Code = TypeVar("Code", bound=StrEnum)
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of the text: in a word, and why in a sentence or two. No word where nobody would ask for a text."""

    mark: Mark | None
    says: tuple[Say, ...]


def outcome_of(call: CallLine) -> Mark:
    """How a call ended, in a word."""
    if call.ended_at is None:
        return words.LIVE
    if call.direction == Direction.OUTBOUND:
        return words.WE_SPOKE if call.outcome == Outcome.ANSWERED else words.WE_CALLED
    return named(words.OUTCOME, Outcome, call.outcome) or words.UNSEEN


def decided(call: CallLine, formats: "Formats") -> Decided:
    """What became of the text after a call; where there is one, its own state says it best."""
    if call.ended_at is None or call.direction == Direction.OUTBOUND:
        why = words.LIVE_MEANS if call.ended_at is None else words.WE_CALLED_MEANS
        return Decided(None, (Say(why),))
    if call.decision in (CallVerdict.SEND, CallVerdict.DEFER):
        return _with_text(call, formats)
    return _without_text(call, formats)


def _with_text(call: CallLine, formats: "Formats") -> Decided:
    rule = {"rule": call.rule or ""}
    state = code_of(State, call.text)
    if state is not None:
        held = (sentence(call.text_reason),) if state is State.HELD and call.text_reason else ()
        return Decided(words.TEXT[state], (Say(words.TEXT_OF_RULE[state], rule), *held))
    if call.waits_until is not None:
        due = rule | {"at": said(call.waits_until, formats)}
        return Decided(words.TEXT_WAITS, (Say(N_("A text goes at %(at)s: rule %(rule)s."), due),))
    return Decided(words.TEXT_ASKED, (Say(N_("A text was asked for: rule %(rule)s."), rule),))


def _without_text(call: CallLine, formats: "Formats") -> Decided:
    if call.reason == Reason.COOL_DOWN and call.until_at is not None:
        until = {"at": said(call.until_at, formats)}
        had_one = Say(N_("They got one a short while ago; the next may go after %(at)s."), until)
        return Decided(words.NO_TEXT, (had_one,))
    if call.reason == Reason.ANSWERED:
        return Decided(None, (sentence(call.reason),))
    mark = words.NO_TEXT_YET if call.reason in words.FOR_A_PERSON else words.NO_TEXT
    return Decided(mark, (sentence(call.reason),))


def sentence(code: str | None) -> Say:
    """The sentence of a reason; a code of a newer Ringback stands for itself."""
    known = named(SENTENCES, Reason, code)
    return Say(known) if known is not None else Say("%(code)s", {"code": code or ""})


def said(at: datetime, formats: "Formats") -> str:
    """A moment inside a sentence: the time if it is today, else with its day."""
    today = at.astimezone(formats.zone).date() == formats.now().astimezone(formats.zone).date()
    return moment(formats.clock(at) if today else formats.moment(at))


def code_of(kind: type[Code], text: str | None) -> Code | None:
    """Read a stored code; None for one that only a newer Ringback knows."""
    try:
        return kind(text or "")
    except ValueError:
        return None


def named(table: Mapping[Code, Found], kind: type[Code], text: str | None) -> Found | None:
    """What a table says of a stored code."""
    code = code_of(kind, text)
    return None if code is None else table.get(code)
