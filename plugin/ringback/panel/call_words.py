"""What the pages say of a call: its outcome, what was decided about a text and why, and what would change it."""

from collections.abc import Mapping
from dataclasses import dataclass

from ringback.core.calls import Outcome, Presentation, Rang
from ringback.core.messages import State
from ringback.core.reasons import Reason
from ringback.panel.words import N_


@dataclass(frozen=True, slots=True)
class Mark:
    """A word, the icon beside it, and its colour: a class of the style sheet that only repeats what the word says."""

    word: str
    icon: str
    tone: str = ""


OUTCOME: Mapping[Outcome, Mark] = {
    Outcome.DEFLECTED: Mark(N_("Went on by text"), "text", "ok"),
    Outcome.ANSWERED: Mark(N_("Answered"), "answered", "ok"),
    Outcome.ANSWERED_ELSEWHERE: Mark(N_("Answered elsewhere"), "answered", "ok"),
    Outcome.VOICEMAIL_LEFT: Mark(N_("Left a voicemail"), "note", "warn"),
    Outcome.ABANDONED_QUEUE: Mark(N_("Gave up in the queue"), "missed", "bad"),
    Outcome.QUEUE_GAVE_UP: Mark(N_("The queue gave up"), "missed", "bad"),
    Outcome.ABANDONED_IVR: Mark(N_("Ended in a menu"), "missed", "bad"),
    Outcome.BUSY: Mark(N_("Busy"), "missed", "bad"),
    Outcome.DECLINED: Mark(N_("Declined"), "missed", "bad"),
    Outcome.UNREACHABLE: Mark(N_("No phone reachable"), "missed", "bad"),
    Outcome.MISSED: Mark(N_("Missed"), "missed", "bad"),
    Outcome.FAILED: Mark(N_("Reached nobody"), "x"),
}
UNSEEN = Mark(N_("Ended unseen"), "doubt", "doubt")
LIVE = Mark(N_("Goes on"), "live", "accent")
WE_SPOKE = Mark(N_("We called, answered"), "up", "ok")
WE_CALLED = Mark(N_("We called, no answer"), "up")

OUTCOME_MEANS: Mapping[Outcome, str] = {
    Outcome.DEFLECTED: N_("The caller chose to go on by text."),
    Outcome.ANSWERED: N_("Somebody spoke with the caller."),
    Outcome.ANSWERED_ELSEWHERE: N_("The trunk took the call back: somebody upstream answered it."),
    Outcome.VOICEMAIL_LEFT: N_("The caller left a message."),
    Outcome.ABANDONED_QUEUE: N_("The caller hung up while waiting in a queue."),
    Outcome.QUEUE_GAVE_UP: N_("The queue ran out of time, or was full or empty."),
    Outcome.ABANDONED_IVR: N_("A menu or an announcement had the caller, and no phone was asked."),
    Outcome.BUSY: N_("Every phone that was asked was busy."),
    Outcome.DECLINED: N_("Every phone that was asked declined or was busy."),
    Outcome.UNREACHABLE: N_("No phone that was asked could be reached."),
    Outcome.MISSED: N_("Phones were asked, and nobody picked up."),
    Outcome.FAILED: N_("The call never reached anybody."),
}
UNSEEN_MEANS = N_("Asterisk was out of sight when it ended, so nobody knows how.")
LIVE_MEANS = N_("It has not ended yet.")
WE_CALLED_MEANS = N_("Somebody here called this person; no text follows such a call.")

RANG: Mapping[Rang, Mark] = {
    Rang.ANSWER: Mark(N_("It answered."), "check", "yes"),
    Rang.BUSY: Mark(N_("It was busy."), "dash", "skipped"),
    Rang.NO_ANSWER: Mark(N_("Nobody picked up."), "x", "skipped"),
    Rang.CANCELLED: Mark(N_("It stopped when another phone answered or the caller hung up."), "x", "skipped"),
    Rang.DECLINED: Mark(N_("It declined."), "x", "skipped"),
    Rang.UNREACHABLE: Mark(N_("It could not be reached."), "dash", "skipped"),
    Rang.FORWARDED: Mark(N_("It forwarded the call."), "swap", "skipped"),
    Rang.UNKNOWN: Mark(N_("It was still ringing when the call ended."), "dash", "skipped"),
}
"""How a phone ended; the colour is a class of the chain."""

RANG_ELSE = Mark(N_("How it ended was not seen."), "dash", "skipped")

PRESENTATION: Mapping[Presentation, str] = {
    Presentation.SHOWN: N_("The caller shows the number."),
    Presentation.WITHHELD: N_("The caller hides the number, so it is not used."),
    Presentation.UNKNOWN: N_("Asterisk did not say whether the caller hides the number."),
}
PRESENTATION_ELSE = PRESENTATION[Presentation.UNKNOWN]

TEXT: Mapping[State, Mark] = {
    State.HELD: Mark(N_("Waits"), "clock", "warn"),
    State.QUEUED: Mark(N_("About to go"), "clock", "warn"),
    State.SUBMITTING: Mark(N_("On its way"), "send", "accent"),
    State.ACCEPTED: Mark(N_("Accepted"), "check", "ok"),
    State.SENT: Mark(N_("Sent"), "check", "ok"),
    State.DELIVERED: Mark(N_("Delivered"), "check", "ok"),
    State.UNDELIVERED: Mark(N_("Not delivered"), "stop", "bad"),
    State.UNCONFIRMED: Mark(N_("Unconfirmed"), "doubt", "doubt"),
    State.UNRESOLVED: Mark(N_("Never confirmed"), "doubt", "doubt"),
    State.NO_RECEIPT: Mark(N_("No receipt"), "dash"),
    State.FAILED: Mark(N_("Not sent"), "stop", "bad"),
    State.EXPIRED: Mark(N_("Too late"), "stop", "bad"),
    State.CANCELLED: Mark(N_("Called off"), "x"),
    State.REFUSED: Mark(N_("Refused"), "stop", "bad"),
}
"""The state of a text."""

LEFT = frozenset({State.ACCEPTED, State.SENT, State.DELIVERED, State.UNDELIVERED, State.NO_RECEIPT})
"""A carrier took the text."""

TEXT_OF_RULE: Mapping[State, str] = {
    State.HELD: N_("A text waits: rule %(rule)s."),
    State.QUEUED: N_("A text is about to go: rule %(rule)s."),
    State.SUBMITTING: N_("A text is on its way: rule %(rule)s."),
    State.ACCEPTED: N_("A text went: rule %(rule)s."),
    State.SENT: N_("A text went: rule %(rule)s."),
    State.DELIVERED: N_("A text went and arrived: rule %(rule)s."),
    State.UNDELIVERED: N_("A text went, but did not arrive: rule %(rule)s."),
    State.UNCONFIRMED: N_("A text may have gone: rule %(rule)s."),
    State.UNRESOLVED: N_("A text may have gone: rule %(rule)s. Nobody ever confirmed it."),
    State.NO_RECEIPT: N_("A text went: rule %(rule)s. Whether it arrived was never told."),
    State.FAILED: N_("The carrier did not take the text: rule %(rule)s."),
    State.EXPIRED: N_("The text could not leave in time: rule %(rule)s."),
    State.CANCELLED: N_("The text was called off: rule %(rule)s."),
    State.REFUSED: N_("The text was refused: rule %(rule)s."),
}

NO_TEXT = Mark(N_("No text"), "dash")
NO_TEXT_YET = Mark(N_("No text"), "warn", "warn")
"""No text, and somebody has to decide."""
TEXT_WAITS = Mark(N_("Waits"), "clock", "warn")
TEXT_ASKED = Mark(N_("Asked for"), "clock", "warn")

CHAIN_OF_TONE: Mapping[str, str] = {"ok": "yes", "bad": "no", "warn": "wait", "doubt": "wait", "accent": "wait"}
"""How a mark looks in a chain of steps; anything else is `skipped`."""

FOR_A_PERSON = frozenset({Reason.TOO_OLD, Reason.UNSEEN, Reason.STORM})

OF_A_RULE: Mapping[Reason, tuple[str, str]] = {
    Reason.ALLOWED: (N_("Rule %(rule)s fits, and speaks for this call."), "yes"),
    Reason.NO_RULE: (N_("Rule %(rule)s is about other calls."), "skipped"),
    Reason.OUTSIDE_HOURS: (N_("Rule %(rule)s is not meant for this time of day."), "skipped"),
    Reason.TOO_SHORT: (N_("Rule %(rule)s asks for a longer ring."), "skipped"),
}
"""What is said of each rule that was tried, and how it is marked."""

OF_A_RULE_ELSE = N_("Rule %(rule)s does not fit.")


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that is asked before a text may go: how it reads when nothing stood against it, and what may."""

    open: str
    held_by: frozenset[Reason]


QUESTIONS: tuple[Question, ...] = (
    Question(N_("Nothing is paused."), frozenset({Reason.PAUSED})),
    Question(
        N_("The caller's number can get texts, and we may use it."),
        frozenset(
            {
                Reason.NUMBER_UNKNOWN,
                Reason.OWN_NUMBER,
                Reason.EMERGENCY,
                Reason.PREMIUM,
                Reason.WITHHELD,
                Reason.INVALID_NUMBER,
                Reason.INTERNAL,
                Reason.SHORT_CODE,
                Reason.LANDLINE,
                Reason.NOT_TEXTABLE,
                Reason.VETOED,
                Reason.PRESENTATION_UNKNOWN,
                Reason.SPOOFED,
                Reason.CALLER_INITIATED_OFF,
            }
        ),
    ),
    Question(N_("They are not among those who are never texted."), frozenset({Reason.NEVER_TEXT})),
    Question(N_("Staging does not keep texts from them."), frozenset({Reason.STAGING})),
    Question(N_("They have not said STOP to this number."), frozenset({Reason.OPTED_OUT})),
    Question(N_("They had few automatic texts in this hour."), frozenset({Reason.LOOP})),
    Question(N_("Not too many texts in this minute."), frozenset({Reason.STORM})),
    Question(N_("The call was just now."), frozenset({Reason.TOO_OLD})),
    Question(N_("No text went to them a short while ago."), frozenset({Reason.COOL_DOWN})),
    Question(N_("No other text to them waits already."), frozenset({Reason.ALREADY_PENDING})),
)
"""In the order in which they are asked. A reason that stands nowhere here says nothing about the others."""

AFTER_ALL_QUESTIONS = frozenset(
    {
        Reason.ALLOWED,
        Reason.RETURNED,
        Reason.RATE_NUMBER,
        Reason.RATE_CARRIER,
        Reason.RATE_CAMPAIGN,
        Reason.RATE_DESTINATION,
        Reason.CARRIER_HOLD,
        Reason.HELD_BACK,
        Reason.PUT_BACK,
    }
)
"""Reasons that come only when all questions were answered well."""

WAY_ON: Mapping[Reason, str] = {
    Reason.NO_RULE: N_("A rule about calls like this one would ask for a text; ringback try shows which are asked."),
    Reason.OUTSIDE_HOURS: N_("A rule for this time of day would ask for a text."),
    Reason.TOO_SHORT: N_("A longer ring, or a smaller min_ring in the rule."),
    Reason.COOL_DOWN: N_("The text they got covers this call too. A shorter cool_down in the rule would change that."),
    Reason.ALREADY_PENDING: N_("The text that waits covers this call too."),
    Reason.RETURNED: N_("Nothing is needed: somebody spoke with them."),
    Reason.ON_TEXT: N_("Nothing is needed: they have a session with an agent, or wait for one."),
    Reason.CONSENT_MISSING: N_("Write to them yourself, or call them: nothing goes by itself without a yes."),
    Reason.TOO_OLD: N_("Look whether they still wait: call them, or write to them."),
    Reason.UNSEEN: N_("Look into Asterisk's call log whether they still wait."),
    Reason.WITHHELD: N_("Nothing. Hidden numbers are never used, even where the network tells them."),
    Reason.PRESENTATION_UNKNOWN: N_("Add that line to the dialplan, then run ringback check."),
    Reason.SPOOFED: N_("Nothing. Whoever owns this number did not call."),
    Reason.VETOED: N_("Look where the dialplan sets RINGBACK=no."),
    Reason.INVALID_NUMBER: N_("If such calls are real, look at number_format and default_country."),
    Reason.INTERNAL: N_("If it is no extension, set extension_digits to the length of yours."),
    Reason.OWN_NUMBER: N_("Nothing. It keeps two of your numbers from texting each other."),
    Reason.EMERGENCY: N_("Nothing."),
    Reason.PREMIUM: N_("Nothing."),
    Reason.SHORT_CODE: N_("Nothing."),
    Reason.LANDLINE: N_("Call them instead."),
    Reason.NOT_TEXTABLE: N_("Call them instead."),
    Reason.CALLER_INITIATED_OFF: N_("Set caller_initiated for this country, if its law allows it."),
    Reason.NEVER_TEXT: N_("Take the number off the list, if it stands there by mistake."),
    Reason.STAGING: N_("End staging, or add the number to its list."),
    Reason.OPTED_OUT: N_("Only they can change it, by texting START. Calls are fine."),
    Reason.PAUSED: N_("Resume texts on the health page. What was refused meanwhile stays refused."),
    Reason.STORM: N_("Look whether a trunk is down. If this is your usual traffic, raise limits.texts_per_minute."),
    Reason.LOOP: N_("Look whether a machine calls and answers."),
    Reason.GATE_ERROR: N_("This is a fault of Ringback. Report it with what the command below prints."),
    Reason.NUMBER_UNKNOWN: N_("Give this number its carrier in ringback.toml."),
    Reason.TEMPLATE_FAULT: N_("Shorten the rule's text; ringback try shows what it becomes."),
    Reason.TOO_LONG: N_("Shorten the rule's text, or raise limits.max_segments."),
    Reason.QUOTA_EXCEEDED: N_("A larger allowance, on the page Permissions; or nothing, until the next month."),
    Reason.RATE_NUMBER: N_("Nothing: it goes by itself as soon as the number may send again."),
    Reason.RATE_CAMPAIGN: N_("Nothing: it goes by itself as soon as the campaign may send again."),
    Reason.RATE_DESTINATION: N_("Nothing: it goes by itself on the next day."),
    Reason.RATE_CARRIER: N_("Nothing: it is tried again when the carrier said."),
    Reason.CARRIER_HOLD: N_("Nothing, if it does not last: the health page shows the carrier."),
    Reason.HELD_BACK: N_("An administrator lets the carrier go on, on the health page."),
    Reason.PUT_BACK: N_("Look at the carrier's own list; ringback carrier release NAME --all sends what waits so."),
}
"""What would change a no, or what to do; nothing where a text went or nobody wanted one."""
