"""Which text does this call ask for? Rules are tried in order; the first that fits speaks.

A call is decided in two steps, because facts from the database depend on the rule: `choose` finds the rule from the
call alone, `decide` weighs it against what is known of the caller. Replay and the live daemon ask the same questions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ringback.core.calls import Call, Direction, Outcome
from ringback.core.numbers import Number
from ringback.core.policy import AT_SUBMIT, Defer, Facts, Refuse, judge
from ringback.core.reasons import Reason
from ringback.core.schedules import Calendar, is_open
from ringback.core.templates import Template


class Hours(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Rule:
    """One `[[rule]]` of the configuration, checked. Empty `did`, `queue`, `extension` mean any. `version` is a hash.

    `text` maps a language to its template, in the order written; the first is the fall-back.
    """

    name: str
    when: frozenset[Outcome]
    text: Mapping[str, Template]
    version: str
    did: frozenset[str] = frozenset()
    queue: frozenset[str] = frozenset()
    extension: frozenset[str] = frozenset()
    hours: Hours = Hours.ANY
    calendar: Calendar | None = None
    min_ring: timedelta = timedelta()
    delay: timedelta = timedelta(seconds=20)
    cool_down: timedelta = timedelta(hours=24)
    age_limit: timedelta = timedelta(minutes=15)
    group: str = "missed"


class CallVerdict(StrEnum):
    """SEND: no gate held it. DEFER: a gate put it off. SUPPRESS: wanted, but refused. NONE: no rule wanted one."""

    SEND = "send"
    DEFER = "defer"
    SUPPRESS = "suppress"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Tried:
    """One rule that was asked, and why it did not fit; ALLOWED for the one that did."""

    rule: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rule that speaks for this call, or None with the reason that came closest."""

    rule: Rule | None
    reason: Reason
    tried: tuple[Tried, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the caller when a rule wants a text. `gates` feeds the policy."""

    now: datetime
    gates: Facts
    cooling_until: datetime | None = None
    pending: bool = False


@dataclass(frozen=True, slots=True)
class CallDecision:
    """What happens after this call, and why. `at` is when the text is due; `until` when what holds it ends."""

    verdict: CallVerdict
    reason: Reason
    rule: Rule | None = None
    at: datetime | None = None
    until: datetime | None = None
    tried: tuple[Tried, ...] = ()


def applies(rule: Rule, call: Call, did: Number) -> bool:
    """Is this rule about calls like this one at all: its number, queue, extension and outcome?"""
    return (
        call.outcome in rule.when
        and (not rule.did or did.e164 in rule.did)
        and (not rule.queue or call.queue in rule.queue)
        and (not rule.extension or not rule.extension.isdisjoint(call.extensions))
    )


def in_hours(rule: Rule, moment: datetime) -> bool:
    if rule.hours is Hours.ANY or rule.calendar is None:
        return True
    return is_open(rule.calendar, moment) == (rule.hours is Hours.OPEN)


def misfit(rule: Rule, call: Call, did: Number) -> Reason | None:
    """Why this rule does not speak for this call, or None if it does.

    The shortest ring is asked of calls that rang or waited at all: a busy line cannot ring.
    """
    if not applies(rule, call, did):
        return Reason.NO_RULE
    if not in_hours(rule, call.ended_at or call.started_at):
        return Reason.OUTSIDE_HOURS
    if timedelta() < max(call.rang, call.waited or timedelta()) < rule.min_ring:
        return Reason.TOO_SHORT
    return None


# The reason that tells most when no rule fits.
_CLOSEST = (Reason.TOO_SHORT, Reason.OUTSIDE_HOURS, Reason.NO_RULE)


def choose(call: Call, did: Number, rules: Sequence[Rule]) -> Chosen:
    """Find the first rule that fits this finished inbound call."""
    if call.direction is Direction.OUTBOUND:
        return Chosen(None, Reason.NO_RULE)
    if call.outcome in (Outcome.ANSWERED, Outcome.ANSWERED_ELSEWHERE):
        return Chosen(None, Reason.ANSWERED)
    tried: list[Tried] = []
    for rule in rules:
        reason = misfit(rule, call, did)
        tried.append(Tried(rule.name, reason or Reason.ALLOWED))
        if reason is None:
            return Chosen(rule, Reason.ALLOWED, tuple(tried))
    closest = next((reason for reason in _CLOSEST if any(t.reason is reason for t in tried)), Reason.NO_RULE)
    return Chosen(None, closest, tuple(tried))


def decide(call: Call, chosen: Chosen, known: Known) -> CallDecision:
    """Weigh the chosen rule against what is known of the caller."""
    rule = chosen.rule
    if rule is None:
        return CallDecision(CallVerdict.NONE, chosen.reason, tried=chosen.tried)
    ended = call.ended_at or call.started_at
    due = ended + rule.delay
    match judge(known.gates, AT_SUBMIT):
        case Refuse(reason):
            return CallDecision(CallVerdict.SUPPRESS, reason, rule, tried=chosen.tried)
        case Defer(reason, until):
            return CallDecision(CallVerdict.DEFER, reason, rule, until, until, chosen.tried)
    if known.now - ended > rule.age_limit:
        return CallDecision(CallVerdict.SUPPRESS, Reason.TOO_OLD, rule, tried=chosen.tried)
    if known.cooling_until is not None and known.cooling_until > known.now:
        return CallDecision(CallVerdict.SUPPRESS, Reason.COOL_DOWN, rule, until=known.cooling_until, tried=chosen.tried)
    if known.pending:
        return CallDecision(CallVerdict.SUPPRESS, Reason.ALREADY_PENDING, rule, tried=chosen.tried)
    return CallDecision(CallVerdict.SEND, Reason.ALLOWED, rule, due, tried=chosen.tried)


def in_language(texts: Mapping[str, Template], wanted: Sequence[str]) -> tuple[str, Template]:
    """Pick the text: the first wanted language there is (`es-MX` falls back to `es`), else the first written. Asterisk
    writes `es_MX`."""
    for language in (one.replace("_", "-") for one in wanted):
        for form in (language, language.partition("-")[0]):
            if form in texts:
                return form, texts[form]
    first = next(iter(texts))
    return first, texts[first]
