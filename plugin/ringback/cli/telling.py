"""How `ringback explain` tells of calls, texts and tasks: lines of plain words, as things happened."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo

from ringback.core.messages import State
from ringback.core.offers import Offer
from ringback.core.reasons import OF_A_RULE, SENTENCES, Reason
from ringback.panel.hold_words import GOES_WHEN, held_back
from ringback.panel.offer_words import offer_says
from ringback.ports.stories import CallStory, DeedStory, JournalStory, PersonStory, StepStory, TaskStory, TextStory

DEEDS = {
    "said_sent": "said that it was sent",
    "said_not_sent": "said that it was not sent",
    "took_back": "took that word back",
    "checked": "asked the carrier",
    "call_off": "called it off",
    "sent_again": "sent it once more, so it may arrive twice",
    "no_answer_needed": "said that no answer is needed",
    "closed_task": "closed the task",
    "reopened_task": "opened the task again",
    "opt_out": "noted that this person wants no texts",
    "opt_in": "noted that this person wants texts again",
}
"""What the audit calls it, in words."""

WAITING_STATES = frozenset({State.HELD, State.QUEUED})


def tell_call(call: CallStory, zone: tzinfo) -> Iterator[str]:
    """The story of a call, line by line, as it happened."""
    yield f"Call {call.linkedid} on {call.pbx} ({call.public_id})"
    yield f"  {at(call.started_at, zone)}  {call.direction}: {call.caller or 'no number'} called {call.did}"
    yield f"  {'':19}  caller's number is {call.presentation}{', vetoed by the dialplan' if call.vetoed else ''}"
    for leg in call.legs:
        rang = span(leg.ended_at - leg.at) if leg.ended_at else "until the end"
        yield f"  {at(leg.at, zone)}  {leg.phone} rang {rang}: {leg.rang.replace('_', ' ')}"
    for event in call.events:
        yield f"  {at(event.at, zone)}  {event.kind.replace('_', ' ')} {event.detail}".rstrip()
    for offer in call.offers:
        yield from tell_offer(offer, zone)
    if call.answered_by and call.answered_at:
        yield f"  {at(call.answered_at, zone)}  answered; {call.answered_by} has them, or had them last"
    if call.ended_at is None:
        yield "  the call is still going on"
        return
    waited = f", waited {span(call.waited)}" if call.waited is not None else ""
    rang_for = f", rang {span(call.rang)}" if call.rang else ""
    left = ", sent on to somebody who did not answer" if call.transfer_unanswered else ""
    yield f"  {at(call.ended_at, zone)}  ended: {call.outcome or 'unseen'}{rang_for}{waited}{left}"
    yield from _decision(call, zone)
    for text in call.texts:
        yield from tell_text(text, zone)
    for task in call.tasks:
        yield from tell_task(task, zone)


def tell_offer(offer: Offer, zone: tzinfo) -> Iterator[str]:
    """What a call was offered, or why not."""
    prompt = f" Prompt {offer.prompt}." if offer.prompt else ""
    yield f"  {at(offer.at, zone)}  {' '.join(map(str, offer_says(offer, span)))}{prompt}"
    if offer.answered_at is not None:
        ids = ", ".join(filter(None, (offer.text, offer.session)))
        yield f"  {at(offer.answered_at, zone)}  is when they chose{f' ({ids})' if ids else ''}"


def _decision(call: CallStory, zone: tzinfo) -> Iterator[str]:
    for rule, reason in call.tried:
        yield f"    rule {rule}: {OF_A_RULE.get(Reason(reason), reason)}"
    version = f" (version {call.rule_version})" if call.rule_version else ""
    rule_name = f" by rule {call.rule}{version}" if call.rule else ""
    yield f"  Decision: {call.decision}, {call.reason}{rule_name}"
    yield f"    {sentence(call.reason)}"
    if call.until_at is not None:
        yield f"    until {at(call.until_at, zone)}"
    if call.pending is not None and not call.texts:
        cause = f": {sentence(call.pending.cause)}" if call.pending.cause else ""
        yield f"    the text was due {at(call.pending.due_at, zone)}, {call.pending.state}{cause}"


def tell_text(text: TextStory, zone: tzinfo) -> Iterator[str]:
    """The story of a text: its words, every state, every attempt, and what people said of it."""
    asked = name(text.author) if text.author else text.cause
    asked += f" ({text.program})" if text.program else ""
    yield f"  Text {text.public_id} from {text.did} to {text.peer}, asked for by {asked}, segments {text.segments}"
    yield f"    | {text.body}" if text.body else "    (its words were removed)"
    if text.answers:
        yield f"    answers {text.answers}"
    happened = [(step.at, _step(step, zone)) for step in text.steps]
    happened += [(deed.at, tell_deed(deed, zone)) for deed in text.deeds]
    for _, line in sorted(happened, key=lambda each: each[0]):
        yield line
    yield from _waiting(text, zone)
    for tried in text.attempts:
        cause = f" ({tried.cause})" if tried.cause else ""
        known_as = f", the carrier calls it {tried.provider_id}" if tried.provider_id else ""
        yield f"    attempt {tried.public_id} on {tried.carrier}: {tried.outcome or 'open'}{cause}{known_as}"
    for task in text.tasks:
        yield from tell_task(task, zone)


def _waiting(text: TextStory, zone: tzinfo) -> Iterator[str]:
    """What a text waits for now, and when it gives up."""
    if text.state not in WAITING_STATES:
        return
    # of one that a person must let go neither its moment nor its carrier says when that is
    by_itself = text.reason != Reason.PUT_BACK
    if text.state == State.HELD and by_itself:
        yield f"    waits until {at(text.not_before, zone)}"
    if text.held and by_itself:
        yield f"    {held_back(text.held, at(text.held.since, zone))}"
        yield f"    {GOES_WHEN}"
    yield f"    expires {at(text.expires_at, zone)}"


def _step(step: StepStory, zone: tzinfo) -> str:
    why = f": {sentence(step.reason)}" if step.reason else ""
    detail = f" ({step.detail})" if step.detail else ""
    return f"  {at(step.at, zone)}  {step.state}{why}{detail}"


def tell_deed(deed: DeedStory, zone: tzinfo) -> str:
    """What somebody did, from the audit."""
    detail = f": {deed.detail}" if deed.detail else ""
    return f"  {at(deed.at, zone)}  {name(deed.who)} {DEEDS.get(deed.action, deed.action.replace('_', ' '))}{detail}"


def tell_task(task: TaskStory, zone: tzinfo) -> Iterator[str]:
    """What was left for a person, who did it, and what lies in quarantine if it is about that."""
    due = f", due {at(task.due_at, zone)}" if task.due_at else ""
    yield f"  {at(task.at, zone)}  task {task.public_id}: {task.kind.replace('_', ' ')}{due}"
    if task.detail:
        yield f"    | {task.detail}"
    for deed in task.deeds:
        yield tell_deed(deed, zone)
    if task.done_at is None:
        yield "    the task is open"
    elif not task.deeds or task.deeds[-1].at < task.done_at:
        yield f"  {at(task.done_at, zone)}  the task was settled{f' by {name(task.done_by)}' if task.done_by else ''}"
    for row in task.journal:
        yield tell_journal(row, zone)
        yield f"    | {row.body}"


def tell_journal(row: JournalStory, zone: tzinfo) -> str:
    """How a carrier brought something."""
    known_as = f", the carrier calls it {row.provider_id}" if row.provider_id else ", without an id of the carrier's"
    why = f": {row.why}" if row.why else ""
    return f"  {at(row.received_at, zone)}  came in over {row.carrier}{known_as}; in the journal it is {row.state}{why}"


def name(person: PersonStory) -> str:
    """Somebody's name and login, or what the audit knows of somebody without an account."""
    if not person.login:
        return person.label
    return f"{person.name} ({person.login})" if person.name else person.login


def sentence(code: str | None) -> str:
    """The sentence of a reason code; a code of a newer Ringback stands for itself."""
    try:
        return SENTENCES[Reason(code or "")]
    except ValueError:
        return code or ""


def at(moment: datetime, zone: tzinfo) -> str:
    """A moment in the zone of the business."""
    with suppress(OverflowError):  # a carrier's clock may stand at the beginning of time
        moment = moment.astimezone(zone)
    return moment.replace(tzinfo=None).isoformat(" ", "seconds")


def span(length: timedelta) -> str:
    return f"{length.total_seconds():.1f} s"
