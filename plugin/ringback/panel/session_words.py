"""What pages say of sessions and agents: states, whose turn it is, what comes next, and every step of a story."""

from collections.abc import Mapping
from datetime import datetime

from ringback.core.offers import OfferKind
from ringback.core.presence import Presence
from ringback.core.sessions import WITH_AGENT, Due, Origin, SessionState, StartType, WaitingOn, Why
from ringback.panel.call_words import Mark
from ringback.panel.say import NN_, Say
from ringback.panel.words import N_
from ringback.ports.sessions import SessionRow, StepRow

_S = SessionState
STATES: Mapping[SessionState, Mark] = {
    _S.NEW: Mark(N_("In a call"), "calls", "accent"),
    _S.MENU: Mark(N_("In a menu"), "filter"),
    _S.QUEUED: Mark(N_("Waits for an agent"), "clock", "warn"),
    _S.OFFERED: Mark(N_("Offered"), "live", "accent"),
    _S.ASSIGNED: Mark(N_("With an agent"), "check", "ok"),
    _S.WRAP_UP: Mark(N_("Being finished"), "note"),
    _S.DISMISSED: Mark(N_("Dismissed"), "dash"),
    _S.ENDED: Mark(N_("Ended"), "check"),
    _S.EXPIRED: Mark(N_("Ran out"), "clock", "bad"),
    _S.OPTED_OUT: Mark(N_("Opted out"), "stop", "bad"),
}

HOLDS: Mapping[SessionState, str] = {
    _S.NEW: N_("It belongs to a call that goes on, and goes to whoever answers that."),
    _S.MENU: N_("A menu asks them what it is about."),
    _S.QUEUED: N_("It waits in %(queue)s."),
    _S.OFFERED: N_("It is offered to %(agent)s."),
    _S.ASSIGNED: N_("%(agent)s has it."),
    _S.WRAP_UP: N_("%(agent)s is finishing it."),
    _S.DISMISSED: N_("It was dismissed. When they write again, it comes back."),
    _S.ENDED: N_("It has ended."),
    _S.EXPIRED: N_("It ran out."),
    _S.OPTED_OUT: N_("It ended, since they want no more texts."),
}
"""What holds now, for somebody who does not have it."""
HOLDS_YOU: Mapping[SessionState, str] = {
    _S.OFFERED: N_("It is offered to you."),
    _S.ASSIGNED: N_("You have it."),
    _S.WRAP_UP: N_("You are finishing it."),
}
"""The same for whom it is about."""
MISSED: Mapping[SessionState, str] = {
    _S.OFFERED: N_("The offer is over: it is shown to %(agent)s now."),
    _S.ASSIGNED: N_("%(agent)s was quicker, and has it now."),
    _S.WRAP_UP: N_("%(agent)s was quicker, and is finishing it."),
    _S.QUEUED: N_("That came too late: it waits in %(queue)s now."),
    _S.DISMISSED: N_("That came too late: it was dismissed."),
    _S.ENDED: N_("That came too late: it has ended."),
    _S.EXPIRED: N_("That came too late: it ran out."),
    _S.OPTED_OUT: N_("That came too late: they want no more texts, so it ended."),
}
"""What is said to somebody whose press changed nothing, by what holds now; HOLDS for the rest."""
GONE = N_("That did not happen: it is not there for you any more.")
UNWRITTEN = N_("Nobody was asked. Choose a colleague who may answer texts of this number, or a queue.")

TURNS: Mapping[WaitingOn, Mark] = {
    WaitingOn.AGENT: Mark(N_("Our turn"), "text", "accent"),
    WaitingOn.CUSTOMER: Mark(N_("Their turn"), "clock"),
}
YOUR_TURN = Mark(N_("Your turn"), "text", "accent")

NEXT: Mapping[Due, str] = {
    Due.CALL_LOST: N_("Let go at %(time)s if nothing is heard of the call."),
    Due.QUEUED_EXPIRY: N_("Runs out at %(time)s if nobody takes it."),
    Due.OFFER_OVER: N_("The offer holds until %(time)s."),
    Due.AGENT_IDLE: N_("Goes back to the queue at %(time)s if nobody answers."),
    Due.WARN: N_("At %(time)s they are told that it is closed soon."),
    Due.CUSTOMER_IDLE: N_("Is dismissed at %(time)s if they do not write."),
    Due.WRAP_UP_OVER: N_("Ends at %(time)s."),
    Due.DISMISSED_OVER: N_("Ends at %(time)s if they do not write again."),
}
"""What happens by itself, and when."""

BEGAN: Mapping[Origin, str] = {
    Origin.DEFLECTION: N_("By key they chose to go on by text."),
    Origin.WAIT_TEXT: N_("By key they chose to be texted while they wait."),
    Origin.TEXT_BACK: N_("By key they asked to be texted back."),
    Origin.IN_CALL: N_("They wrote while they were in a call."),
}
"""How a call brought it."""
STARTED: Mapping[StartType, str] = {
    StartType.MANUAL: N_("Begun here."),
    StartType.AUTO: N_("They wrote."),
    StartType.OUTBOUND: N_("We wrote first."),
    StartType.API: N_("A program began it."),
    StartType.CALL_EVENT: N_("A call brought it."),
}
CHOSE: Mapping[OfferKind, str] = {
    OfferKind.DEFLECTION: N_("to go on by text"),
    OfferKind.WAIT_TEXT: N_("to be texted while they wait"),
    OfferKind.TEXT_BACK: N_("to be texted back"),
}

TEXTS = frozenset({Why.CLAIMED_BEFORE, Why.LIVE_CALL, Why.NUMBERS_QUEUE, Why.REPLIED})
"""Steps that are noted for each text; a line is written only where somebody else has it by that."""
OFFERS = frozenset({Why.OFFERED, Why.OFFER_OVER, Why.DECLINED})
"""Steps that can come many times in a row."""
STEPS: Mapping[Why, str] = {
    Why.CALL_ACCEPTED: N_("The caller chose texts by key."),
    Why.LIVE_CALL: N_("They wrote while in a call, so it goes to whoever has that."),
    Why.CLAIMED_BEFORE: N_("They wrote, and %(agent)s has it."),
    Why.NUMBERS_QUEUE: N_("They wrote, and nobody had it: it went to %(queue)s."),
    Why.RETURNED: N_("They wrote again, so it came back."),
    Why.CLAIMED: N_("%(agent)s claimed it."),
    Why.REPLIED: N_("%(agent)s answered, and has it."),
    Why.ANSWERED_BESIDE: N_("%(by)s answered beside it."),
    Why.OFFERED: N_("Offered to %(agent)s."),
    Why.GIVEN: N_("Given to %(agent)s."),
    Why.ACCEPTED: N_("%(agent)s took it."),
    Why.DECLINED: N_("%(agent)s could not take it."),
    Why.OFFER_OVER: N_("%(agent)s did not take it in time."),
    Why.AGENT_ANSWERED: N_("%(agent)s answered the call, and has it."),
    Why.CALL_ENDED: N_("The call ended."),
    Why.CALLER_HUNG_UP: N_("The caller hung up before anybody answered."),
    Why.TEXT_NOT_SENT: N_("The first text could not be sent."),
    Why.TEXT_UNCONFIRMED: N_("Nobody knows whether the first text was sent."),
    Why.TEXT_SENT: N_("The carrier took the first text."),
    Why.AGENT_UNREGISTERED: N_("The phone of %(agent)s is gone, so it went back to %(queue)s."),
    Why.AGENT_LOGGED_OUT: N_("%(agent)s is not here any more, so it went back to %(queue)s."),
    Why.AGENT_IDLE: N_("%(agent)s did not answer for long, so it went back to %(queue)s."),
    Why.AGENT_MAY_NOT: N_("%(agent)s may not text from this number any more, so it went back to %(queue)s."),
    Why.CUSTOMER_IDLE: N_("They did not write for long, so it was dismissed."),
    Why.WARNED: N_("They were told that it is closed soon."),
    Why.DISMISSED: N_("%(by)s dismissed it."),
    Why.ENDED: N_("%(by)s ended it."),
    Why.QUEUED_EXPIRY: N_("Nobody took it in time, so it ran out."),
    Why.DISMISSED_OVER: N_("They did not write again, so it ended."),
    Why.WRAP_UP_OVER: N_("The time to finish it was over, so it ended."),
    Why.CALL_LOST: N_("Nothing more was heard of the call."),
    Why.OPTED_OUT: N_("They want no more texts, so it ended."),
    Why.TAKEN_OVER: N_("%(by)s took it over."),
    Why.REASSIGNED: N_("%(by)s gave it to %(agent)s."),
    Why.GIVEN_BACK: N_("%(by)s put it back into %(queue)s."),
    Why.AGENT_SENT_AWAY: N_("%(by)s said that %(agent)s is away, so it went back to %(queue)s."),
    Why.TRANSFER_ASKED: N_("%(by)s asked %(to)s to take it."),
    Why.TRANSFER_ACCEPTED: N_("%(to)s took it from there."),
    Why.TRANSFER_DECLINED: N_("%(to)s could not take it."),
    Why.TRANSFER_TIMED_OUT: N_("The request to take it was not answered in time."),
    Why.TRANSFER_TAKEN_BACK: N_("%(by)s keeps it after all."),
    Why.QUEUE_REMOVED: N_("Its queue was removed, so it is in %(queue)s now."),
    Why.WAIT_TOLD: N_("They were told that nobody is free just now."),
    Why.OUT_OF_HOURS: N_("They were told that nobody is here at this hour."),
}
"""Each step of a story as a line between calls and texts."""
MANY_OFFERS = N_("Shown to agents %(n)s times in all.")
MORE_OFFERS = N_("Then shown to agents %(n)s times.")
LEFT_OUT = NN_(
    "%(n)s earlier step is left out; `ringback explain` has it.",
    "%(n)s earlier steps are left out; `ringback explain` has them.",
)
UNKNOWN = "\u2013"
"""Where a name is not known any more."""

PRESENCE: Mapping[Presence, Mark] = {
    Presence.READY: Mark(N_("Ready"), "check", "ok"),
    Presence.ON_CALL: Mark(N_("On a call"), "calls", "accent"),
    Presence.PAUSED: Mark(N_("Paused"), "dash", "warn"),
    Presence.DND: Mark(N_("Do not disturb"), "stop", "warn"),
    Presence.UNREGISTERED: Mark(N_("Phone away"), "warn", "bad"),
    Presence.AWAY: Mark(N_("Away"), "dash", "warn"),
    Presence.LOGGED_OUT: Mark(N_("Not here"), "out"),
}
MEANS: Mapping[Presence, str] = {
    Presence.READY: N_("New sessions come to you."),
    Presence.ON_CALL: N_("While you speak you carry fewer. What you have stays with you."),
    Presence.PAUSED: N_("Your phone is paused in its queues, so nothing new comes. What you have stays with you."),
    Presence.DND: N_("Your phone is set to do not disturb, so nothing new comes. What you have stays with you."),
    Presence.UNREGISTERED: N_("The PBX does not see your phone. Nothing new comes, and what you have goes back soon."),
    Presence.AWAY: N_("You said so here, so nothing new comes. What you have stays with you."),
    Presence.LOGGED_OUT: N_("No page of yours is open."),
}
"""What a presence means for the agent who has it."""


def holds(row: SessionRow, me: int | None) -> Say:
    """What holds now, for whoever reads it."""
    session = row.session
    if me is not None and me in (session.agent, session.offered_to) and session.state in HOLDS_YOU:
        return Say(HOLDS_YOU[session.state])
    return Say(HOLDS[session.state], _names(row))


def missed(row: SessionRow, me: int | None) -> Say:
    """Why a press changed nothing: what holds now instead."""
    session = row.session
    if session.state not in MISSED or (me is not None and me in (session.agent, session.offered_to)):
        return holds(row, me)
    return Say(MISSED[session.state], _names(row))


def step(line: StepRow) -> Say:
    """One step of a story."""
    to = line.detail if line.why is Why.TRANSFER_ASKED else ""
    names = {"agent": line.agent, "queue": line.queue, "by": line.by or line.agent, "to": to or line.agent}
    return Say(STEPS[line.why], {name: value or UNKNOWN for name, value in names.items()})


def since(row: SessionRow) -> datetime:
    """Since when it is as it is: it waits, somebody has it, or it was set aside."""
    session = row.session
    if session.state in (SessionState.QUEUED, SessionState.OFFERED):
        return session.queued_at or session.opened_at
    if session.state in WITH_AGENT:
        return session.assigned_at or session.changed_at
    return session.opened_at if session.state is SessionState.NEW else session.changed_at


def turn(row: SessionRow, me: int | None) -> Mark | None:
    """Whose turn it is to write."""
    session = row.session
    if session.waiting_on is WaitingOn.AGENT and session.agent == me:
        return YOUR_TURN
    return None if session.waiting_on is None else TURNS[session.waiting_on]


def _names(row: SessionRow) -> dict[str, str]:
    return {"queue": row.queue or UNKNOWN, "agent": row.agent or row.offered_to or UNKNOWN}
