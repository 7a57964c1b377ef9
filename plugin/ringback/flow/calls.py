"""From what happened on the phone to the one decision about a text, in the same transaction as the call itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog

from ringback.core.calls import (
    Call,
    Direction,
    FeedBack,
    FeedLost,
    Outcome,
)
from ringback.core.messages import Basis, MessageClass, State, Wanted
from ringback.core.numbers import Number
from ringback.core.policy import CallFacts, Defer, Refuse
from ringback.core.reasons import Reason
from ringback.core.schedules import next_windows, say_windows
from ringback.core.segments import normalise
from ringback.core.tasks import TaskKind
from ringback.core.templates import TemplateFault
from ringback.core.triggers import (
    CallDecision,
    CallVerdict,
    Chosen,
    Known,
    Rule,
    choose,
    decide,
    in_language,
)
from ringback.core.windows import write_windows
from ringback.flow.house import House
from ringback.flow.outbound import Slot, Submitted, Text, gate_facts, read_guards_ahead, submit
from ringback.flow.session_calls import call_answered, call_lost, release
from ringback.ports.storage import Tx

log = structlog.get_logger("calls")


@dataclass(frozen=True, slots=True)
class Ended:
    """A finished call with its numbers read, its rule chosen and the rule's text filled in: pure work.

    `windows` are the times to call back that the text offers, as they are stored.
    """

    call: Call
    did: str
    peer: Number
    chosen: Chosen
    text: str = ""
    language: str = ""
    windows: str = ""
    fault: Reason | None = None


@dataclass(frozen=True, slots=True)
class Concluded:
    """What a step decided about a call, and what became of the text if it was submitted at once."""

    ended: Ended | None = None
    decision: CallDecision | None = None
    submitted: Submitted | None = None


NOTHING = Concluded()
TASKS = {Reason.TOO_OLD: TaskKind.TOO_OLD, Reason.STORM: TaskKind.STORM}
"""Refusals that leave something for a person."""


def far_end(call: Call) -> str:
    """The number on the other side, as the trunk wrote it."""
    return call.did if call.direction is Direction.OUTBOUND else call.caller


def prepare(house: House, call: Call) -> Ended:
    """Read the numbers, find the rule, fill in its text."""
    peer = house.read(call.pbx, far_end(call))
    ours = house.read(call.pbx, call.did)
    did = ours.e164 or call.did
    chosen = choose(call, ours, house.rules)
    if chosen.rule is None:
        return Ended(call, did, peer, chosen)
    try:
        language, text, windows = write_text(house, chosen.rule, call, did, peer)
    except TemplateFault:
        return Ended(call, did, peer, chosen, fault=Reason.TEMPLATE_FAULT)
    return Ended(call, did, peer, chosen, text, language, windows)


def write_text(house: House, rule: Rule, call: Call, did: str, peer: Number) -> tuple[str, str, str]:
    """Fill in the rule's text in the caller's language; returns (language, text, windows offered as stored)."""
    wanted = [language for language in (call.language, house.language_of.get(did, ""), *house.languages) if language]
    language, template = in_language(rule.text, wanted)
    due = (call.ended_at or call.started_at) + rule.delay
    windows = next_windows(rule.calendar, due) if rule.calendar and "windows" in template.source else ()
    values = {"business": house.business, "caller": peer.e164 or "", "did": did, "queue": call.queue or ""}
    if windows:
        values["windows"] = say_windows(windows, due, language)
    text = normalise(template.render({name: value for name, value in values.items() if value}))
    return language, text, write_windows(windows)


def wish(house: House, ended: Ended, rule: Rule, call_id: int, due: datetime) -> Wanted:
    """The text a rule asks for, as `submit` takes it."""
    return Wanted(
        did=ended.did,
        peer=ended.peer,
        text=ended.text,
        language=ended.language,
        class_=MessageClass.TRANSACTIONAL,
        basis=Basis.CALLER_INITIATED,
        cause=f"rule {rule.name}",
        automatic=True,
        expires_at=due + house.validity(ended.did),
        call_id=call_id,
        rule=rule.name,
        group=rule.group,
        cool_down=rule.cool_down,
        pbx=ended.call.pbx,
        windows=ended.windows,
    )


def call_facts(call: Call) -> CallFacts:
    return CallFacts(call.presentation, call.verstat, call.vetoed)


def began(house: House, call: Call, tx: Tx) -> Concluded:
    """Keep a call from its first moment, so that a crash cannot hide it."""
    did, peer = both_ends(house, call)
    tx.calls.begin(call, did, peer)
    return NOTHING


def both_ends(house: House, call: Call) -> tuple[str, str | None]:
    return house.read(call.pbx, call.did).e164 or call.did, house.read(call.pbx, far_end(call)).e164


def answered(house: House, call: Call, tx: Tx) -> Concluded:
    """Somebody speaks with this person: texts that wait for them are not needed any more."""
    tx.calls.answered(call.pbx, call.uniqueid, call.answered_at or call.started_at, call.answered_by)
    call_answered(call, call.answered_at or call.started_at, tx)
    _did, peer = both_ends(house, call)
    if peer is not None:
        for pending, call_id in tx.pending.of_peer(peer):
            if tx.pending.close(pending, "cancelled", Reason.RETURNED):
                tx.calls.redecided(call_id, CallDecision(CallVerdict.SUPPRESS, Reason.RETURNED))
        now = call.answered_at or call.started_at
        for message, state, call_id in tx.outbox.unsent_to(peer):
            if tx.outbox.move(message, state, State.CANCELLED, Reason.RETURNED, "", now):
                tx.calls.redecided(call_id, CallDecision(CallVerdict.SUPPRESS, Reason.RETURNED))
    return NOTHING


def conclude(house: House, slot: Slot | None, call: Call, now: datetime, tx: Tx) -> Concluded:
    """Store how the call ended, decide about its text, and queue it: one transaction."""
    return finish(house, slot, prepare(house, call), now, tx)


def look_ahead(ended: Iterable[Ended], now: datetime, tx: Tx) -> None:
    """Read what is known of the callers of a batch whose calls a rule speaks for."""
    read_guards_ahead((pair_of(one) for one in ended if one.chosen.rule is not None), now, tx)


def pair_of(ended: Ended) -> tuple[str, str]:
    return ended.did, ended.peer.e164 or ended.peer.raw


def finish(house: House, slot: Slot | None, ended: Ended, now: datetime, tx: Tx) -> Concluded:
    """Conclude a call that is prepared."""
    call_id = tx.calls.ending(ended.call, ended.did, ended.peer.e164)
    if call_id is None:
        return NOTHING
    session = tx.sessions.of_call(call_id)
    if session is None:
        decision, submitted = weigh(house, slot, ended, call_id, now, tx)
    else:
        decision, submitted = on_text(ended), None
        release(session, ended.call.outcome is Outcome.ANSWERED, now, tx)
    tx.calls.finish(call_id, ended.call, ended.did, ended.peer.e164, decision)
    return Concluded(ended, decision, submitted)


def weigh(
    house: House, slot: Slot | None, ended: Ended, call_id: int, now: datetime, tx: Tx
) -> tuple[CallDecision, Submitted | None]:
    """Decide with what is known of the caller; put the text off, queue it, or leave it to a person."""
    rule = ended.chosen.rule
    if rule is None or ended.fault is not None:
        return without_text(ended), None
    wanted = wish(house, ended, rule, call_id, (ended.call.ended_at or now) + rule.delay)
    call = call_facts(ended.call)
    pair = tx.pairs.facts(*pair_of(ended), rule.group, rule.name, now)
    gates = gate_facts(house, ended.did, ended.peer, Text(automatic=True, call=call), pair, now)
    decision = decide(ended.call, ended.chosen, Known(now, gates, pair.cooling_until, pair.pending))
    if decision.verdict is CallVerdict.SEND and decision.at is not None and decision.at > now:
        tx.pending.put(wanted, ended.peer.e164 or "", decision.at)
    elif decision.verdict is CallVerdict.SEND:
        sent = submit(house, slot, wanted, call, now, tx, pair)
        return after_submit(decision, sent), sent
    elif task := TASKS.get(decision.reason):
        tx.tasks.add(task, now, rule.name, call_id=call_id if task is TaskKind.TOO_OLD else None)
    return decision, None


def on_text(ended: Ended) -> CallDecision:
    """They go on by text with somebody, so no rule speaks to them beside that."""
    rule = ended.chosen.rule
    if rule is None:
        return without_text(ended)
    return CallDecision(CallVerdict.SUPPRESS, Reason.ON_TEXT, rule, tried=ended.chosen.tried)


def without_text(ended: Ended) -> CallDecision:
    """No rule fits, or the rule's text cannot be written."""
    if ended.fault is not None:
        return CallDecision(CallVerdict.SUPPRESS, ended.fault, ended.chosen.rule, tried=ended.chosen.tried)
    return CallDecision(CallVerdict.NONE, ended.chosen.reason, tried=ended.chosen.tried)


def after_submit(decision: CallDecision, sent: Submitted) -> CallDecision:
    """A call's decision once its text met the gates again."""
    match sent.verdict:
        case Refuse(reason):
            return CallDecision(CallVerdict.SUPPRESS, reason, decision.rule, tried=decision.tried)
        case Defer(reason, until):
            return CallDecision(CallVerdict.DEFER, reason, decision.rule, until, until, decision.tried)
        case None:
            return decision


def lost(event: FeedLost, tx: Tx) -> Concluded:
    tx.calls.lose_sight(event.pbx, event.at)
    return NOTHING


def back(event: FeedBack, tx: Tx) -> Concluded:
    """Close the gap: calls that are gone ended unseen, and what may have been missed is left for a person."""
    gone = tx.calls.open_before(event.pbx, event.at, event.live)
    for call in gone:
        outcome = Outcome.ANSWERED if call.answered_at else None
        tx.calls.close_unseen(call.id, event.at, outcome, Reason.ANSWERED if outcome else Reason.UNSEEN)
        call_lost(call.id, event.at, tx)
        if outcome is None and call.direction == Direction.INBOUND:
            tx.tasks.add(TaskKind.UNSEEN, event.at, event.pbx, call_id=call.id)
    tx.calls.see_again(event.pbx, event.at, len(gone))
    return NOTHING
