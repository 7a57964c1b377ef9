"""May this text go: now, later, never? Guards and gates, asked in order, each a plain question about the facts.

The first refusal wins, and every refusal is asked before any deferral. `at_submit` is asked when a text is queued,
`at_open` again in the transaction that opens an attempt; a text that is born in flight is asked both at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ringback.core.calls import Presentation
from ringback.core.numbers import Line, Number, NumberKind
from ringback.core.reasons import Reason


@dataclass(frozen=True, slots=True)
class Defer:
    reason: Reason
    until: datetime


@dataclass(frozen=True, slots=True)
class Refuse:
    reason: Reason


Verdict = Defer | Refuse


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What the call that asks for the text tells about its caller."""

    presentation: Presentation
    verstat: str
    vetoed: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the gates may know. `call` is None when no call asked for the text.

    `permitted`: whoever asks for the text may send it, None where that could not be found out; `over`: it would pass a
    hard limit of the month, or None likewise. `program`: a program asked for it, alone or in a run.
    `command`: it answers a STOP, or a HELP of whoever said STOP. `too_long`: it has more parts than we or the carrier
    send. `automatic_this_minute` and `automatic_to_pair` count what was queued before this text;
    `next_free_at` is when a text may go that some `rate` holds, None when none does. `not_before` is the time
    that whoever asked for it named, while that is to come. `staged_out`: staging is on, and they are not on its list.
    `unconsented`: it stands on a yes of theirs, and there is none. `unreached`: why texts to them were found not to
    arrive.
    """

    peer: Number
    automatic: bool
    call: CallFacts | None = None
    permitted: bool | None = True
    command: bool = False
    too_long: bool = False
    own_number: bool = False
    carrier_known: bool = True
    caller_initiated: bool = True
    never_text: bool = False
    staged_out: bool = False
    opted_out: bool = False
    unconsented: bool = False
    unreached: Reason | None = None
    over: bool | None = False
    paused: bool = False
    program: bool = False
    automatic_this_minute: int = 0
    texts_per_minute: int = 60
    automatic_to_pair: int = 0
    automatic_per_hour: int = 3
    next_free_at: datetime | None = None
    rate: Reason = Reason.RATE_NUMBER
    not_before: datetime | None = None


Gate = Callable[[Facts], Verdict | None]


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What one gate says, by its name; `asked` is False for one that comes after the gate that decided."""

    gate: str
    verdict: Verdict | None
    asked: bool


UNREACHABLE_KINDS: dict[NumberKind, Reason] = {
    NumberKind.WITHHELD: Reason.WITHHELD,
    NumberKind.INVALID: Reason.INVALID_NUMBER,
    NumberKind.INTERNAL: Reason.INTERNAL,
    NumberKind.SHORT: Reason.SHORT_CODE,
    NumberKind.ALPHA: Reason.NOT_TEXTABLE,
}
UNREACHABLE_LINES: dict[Line, Reason] = {
    Line.PREMIUM: Reason.PREMIUM,
    Line.LANDLINE: Reason.LANDLINE,
    Line.UNKNOWN: Reason.NOT_TEXTABLE,
}
SPOOFED = frozenset({"TN-Validation-Failed", "TN-Validation-Failed-A", "TN-Validation-Failed-B", "failed"})
"""Verstat tokens of ATIS-1000074 that say the number is not the caller's."""


def permission(facts: Facts) -> Verdict | None:
    """Nobody sends what they may not, and nothing leaves for an account that was closed since."""
    if facts.permitted is None:
        return Refuse(Reason.GATE_ERROR)
    return None if facts.permitted else Refuse(Reason.PERMISSION_DENIED)


def pause(facts: Facts) -> Verdict | None:
    """The kill switch: everything that no person writes, our number, or the rule."""
    return Refuse(Reason.PAUSED) if facts.paused and (facts.automatic or facts.program) else None


def reachable(facts: Facts) -> Verdict | None:
    """Emergency, premium, short, internal, our own, invalid numbers and known landlines are never texted; by itself
    nothing goes either where carriers said that no text arrives. A person may try, and is warned."""
    peer = facts.peer
    if not facts.carrier_known:
        return Refuse(Reason.NUMBER_UNKNOWN)
    if facts.own_number:
        return Refuse(Reason.OWN_NUMBER)
    if peer.line is Line.EMERGENCY:
        return Refuse(Reason.EMERGENCY)
    reason = UNREACHABLE_KINDS.get(peer.kind) or UNREACHABLE_LINES.get(peer.line)
    if reason is None and facts.automatic and not facts.command:
        reason = facts.unreached
    return Refuse(reason) if reason else None


def caller(facts: Facts) -> Verdict | None:
    """Texting a caller back takes a number that is shown, genuine, not vetoed, in a country where it is on."""
    if facts.call is None:
        return None
    if facts.call.vetoed:
        return Refuse(Reason.VETOED)
    if facts.call.presentation is Presentation.WITHHELD:
        return Refuse(Reason.WITHHELD)
    if facts.call.presentation is Presentation.UNKNOWN:
        return Refuse(Reason.PRESENTATION_UNKNOWN)
    if facts.call.verstat in SPOOFED:
        return Refuse(Reason.SPOOFED)
    if not facts.caller_initiated:
        return Refuse(Reason.CALLER_INITIATED_OFF)
    return None


def never_text(facts: Facts) -> Verdict | None:
    """Family, suppliers, robocallers: nothing goes to them, but the answer to their own STOP."""
    return Refuse(Reason.NEVER_TEXT) if facts.never_text and not facts.command else None


def staging(facts: Facts) -> Verdict | None:
    """While staging is on, only those on its list are texted."""
    return Refuse(Reason.STAGING) if facts.staged_out and not facts.command else None


def opt_out(facts: Facts) -> Verdict | None:
    """STOP holds for everything but the answer to STOP itself, and to a HELP after it."""
    return Refuse(Reason.OPTED_OUT) if facts.opted_out and not facts.command else None


def consent(facts: Facts) -> Verdict | None:
    """A text that stands on a yes of theirs goes only while the ledger holds one."""
    return Refuse(Reason.CONSENT_MISSING) if facts.unconsented else None


def length(facts: Facts) -> Verdict | None:
    return Refuse(Reason.TOO_LONG) if facts.too_long else None


def loop(facts: Facts) -> Verdict | None:
    """A few automatic texts an hour to one pair, whatever asks for them."""
    if facts.automatic and facts.automatic_to_pair >= facts.automatic_per_hour:
        return Refuse(Reason.LOOP)
    return None


def storm(facts: Facts) -> Verdict | None:
    """A dead trunk makes a hundred missed calls a minute; nobody wants a hundred texts."""
    if facts.automatic and facts.automatic_this_minute >= facts.texts_per_minute:
        return Refuse(Reason.STORM)
    return None


def allowance(facts: Facts) -> Verdict | None:
    """Nobody sends more in a month than was allowed; answers to commands never count, and are never held."""
    if facts.over is None:
        return Refuse(Reason.GATE_ERROR)
    return Refuse(Reason.QUOTA_EXCEEDED) if facts.over else None


def schedule(facts: Facts) -> Verdict | None:
    """Whoever asked for it named a later time."""
    return Defer(Reason.SCHEDULED, facts.not_before) if facts.not_before is not None else None


def rate(facts: Facts) -> Verdict | None:
    """Wait until our number, its campaign or the destination may get more."""
    return Defer(facts.rate, facts.next_free_at) if facts.next_free_at is not None else None


AT_SUBMIT: tuple[Gate, ...] = (
    permission,
    pause,
    reachable,
    caller,
    never_text,
    staging,
    opt_out,
    consent,
    length,
    loop,
    storm,
    allowance,
    schedule,
)
AT_OPEN: tuple[Gate, ...] = (
    permission,
    pause,
    reachable,
    caller,
    never_text,
    staging,
    opt_out,
    consent,
    length,
    allowance,
    rate,
)
BORN_IN_FLIGHT: tuple[Gate, ...] = (*AT_SUBMIT, rate)


def ask(gate: Gate, facts: Facts) -> Verdict | None:
    """Ask one gate. One that fails holds the text back."""
    try:
        return gate(facts)
    except Exception:  # fail closed: a broken check must never let a text out (S32)
        return Refuse(Reason.GATE_ERROR)


def judge(facts: Facts, gates: tuple[Gate, ...]) -> Verdict | None:
    """Return what holds the text back, or None if it may go."""
    for gate in gates:
        held = ask(gate, facts)
        if held is not None:
            return held
    return None


def answers(facts: Facts, gates: tuple[Gate, ...]) -> tuple[GateAnswer, ...]:
    """What each gate says, in order, up to the one that decides."""
    said: list[GateAnswer] = []
    for gate in gates:
        asked = not said or (said[-1].asked and said[-1].verdict is None)
        said.append(GateAnswer(gate.__name__, ask(gate, facts) if asked else None, asked))
    return tuple(said)
