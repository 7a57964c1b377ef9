"""What the inbox says for each code: calls, states of a text, gates, the ledger. Templates translate it with `_`."""

from collections.abc import Mapping
from dataclasses import dataclass

from ringback.core.calls import Direction, Outcome
from ringback.core.messages import State
from ringback.core.reasons import SENTENCES, Reason
from ringback.flow.desk import Settled
from ringback.panel import hold_words
from ringback.panel.call_words import TEXT, Mark
from ringback.panel.words import N_
from ringback.ports.threads import CallLine, LastLine, LedgerLine, View

held_back, GOES_WHEN = hold_words.held_back, hold_words.GOES_WHEN


@dataclass(frozen=True, slots=True)
class CallWords:
    """`kind` is a class of the style sheet."""

    title: str
    icon: str
    kind: str


_MISSED = ("missed", "missed")
_ANSWERED = ("answered", "answered")
_OTHER = ("calls", "")
CALLS: Mapping[str, CallWords] = {
    Outcome.MISSED: CallWords(N_("Missed call"), *_MISSED),
    Outcome.VOICEMAIL_LEFT: CallWords(N_("Missed call, voicemail left"), *_MISSED),
    Outcome.ABANDONED_QUEUE: CallWords(N_("Missed call, gave up in the queue"), *_MISSED),
    Outcome.QUEUE_GAVE_UP: CallWords(N_("Missed call, nobody in the queue answered"), *_MISSED),
    Outcome.ABANDONED_IVR: CallWords(N_("Missed call, hung up in the menu"), *_MISSED),
    Outcome.BUSY: CallWords(N_("Missed call, everybody was busy"), *_MISSED),
    Outcome.DECLINED: CallWords(N_("Missed call, declined"), *_MISSED),
    Outcome.UNREACHABLE: CallWords(N_("Missed call, no phone could be reached"), *_MISSED),
    Outcome.ANSWERED: CallWords(N_("Call in, answered"), *_ANSWERED),
    Outcome.ANSWERED_ELSEWHERE: CallWords(N_("Call in, answered elsewhere"), *_ANSWERED),
    Outcome.DEFLECTED: CallWords(N_("Call in, went on by text"), *_OTHER),
    Outcome.FAILED: CallWords(N_("Call in, reached nobody"), *_OTHER),
    "": CallWords(N_("Call in, ended out of sight"), *_OTHER),
    "ringing": CallWords(N_("Calls now"), *_OTHER),
    "talking": CallWords(N_("On the phone"), *_ANSWERED),
    "dialling": CallWords(N_("Is being called"), *_OTHER),
    "out": CallWords(N_("Call out, not answered"), *_OTHER),
    "out answered": CallWords(N_("Call out, answered"), *_ANSWERED),
}
"""By outcome, or by what goes on while the call lives, or for a call of ours."""


def call_words(call: CallLine | LastLine) -> CallWords:
    """What a call is called."""
    out = call.direction == Direction.OUTBOUND
    if call.ended_at is None:
        return CALLS["talking" if call.answered_at else "dialling" if out else "ringing"]
    if out:
        return CALLS["out answered" if call.answered_at else "out"]
    return CALLS[call.outcome or ""]


@dataclass(frozen=True, slots=True)
class StateWords:
    """`bubble` is the class of a text in this state, `means` the sentence behind the word."""

    mark: Mark
    bubble: str
    means: str


_S = State
_MEANS: Mapping[State, tuple[str, str]] = {
    _S.HELD: ("held", N_("It goes when its time has come.")),
    _S.QUEUED: ("held", N_("It goes as soon as the carrier has room.")),
    _S.SUBMITTING: ("", N_("It was handed to the carrier, which has not answered yet.")),
    _S.ACCEPTED: ("", N_("The carrier took it. More is not known yet.")),
    _S.SENT: ("", N_("The network took it. Whether it arrived is not known yet.")),
    _S.DELIVERED: ("", N_("It is on their phone.")),
    _S.UNDELIVERED: ("refused", N_("The network could not deliver it.")),
    _S.UNCONFIRMED: ("unsure", N_("It may have been sent. Nobody knows yet.")),
    _S.UNRESOLVED: ("unsure", N_("It may have been sent, and nobody ever learned more.")),
    _S.NO_RECEIPT: ("", N_("The carrier took it and never said whether it arrived.")),
    _S.FAILED: ("refused", N_("The carrier does not send it.")),
    _S.EXPIRED: ("refused", N_("It could not leave in time.")),
    _S.CANCELLED: ("refused", N_("It was called off before it left.")),
    _S.REFUSED: ("refused", N_("It was never handed to a carrier.")),
}
STATES: Mapping[State, StateWords] = {state: StateWords(TEXT[state], *_MEANS[state]) for state in State}

OUTCOMES: Mapping[str, str] = {
    "": N_("no answer yet"),
    "accepted": N_("taken"),
    "not_sent": N_("not sent"),
    "rejected": N_("refused"),
    "unconfirmed": N_("no answer came"),
}
"""What became of one attempt."""

COMMANDS: Mapping[str, str] = {
    "stop": N_("This reads as STOP. No more texts go to them from this number."),
    "start": N_("This reads as START. Texts may go to them again."),
    "help": N_("This reads as HELP. It was answered by itself."),
}
ANSWERS: Mapping[str, str] = {
    "stop": N_("Answer to STOP, automatic"),
    "start": N_("Answer to START, automatic"),
    "help": N_("Answer to HELP, automatic"),
}

LEDGER: Mapping[tuple[str, str], str] = {
    ("opt_out", "text"): N_("They wrote %(words)s. No more texts go to them from this number."),
    ("opt_out", "carrier"): N_("The carrier blocks texts to them: %(words)s. No more go from this number."),
    ("opt_out", "person"): N_("Noted here that they want no more texts from this number. %(words)s"),
    ("opt_out", "call"): N_("They said on the phone that they want no more texts from this number. %(words)s"),
    ("opt_out", "voicemail"): N_("They said on the voicemail that they want no more texts from this number. %(words)s"),
    ("opt_out", "key"): N_("They pressed a key to get no more texts from this number. %(words)s"),
    ("opt_out", "everywhere"): N_("They want no more texts from any number of yours. %(words)s"),
    ("opt_out", "import"): N_("They told a former system that they want no more texts. %(words)s"),
    ("opt_in", "text"): N_("They wrote %(words)s. Texts may go to them again."),
    ("opt_in", "person"): N_("Noted here that they want texts again. %(words)s"),
}
"""By what was said and how."""
BY_HAND = frozenset({"person", "call", "voicemail", "key", "everywhere", "import"})
"""What somebody here wrote down."""
OTHER_LEDGER: Mapping[str, str] = {
    "opt_out": N_("No more texts go to them from this number. %(words)s"),
    "opt_in": N_("Texts may go to them again. %(words)s"),
}

MEDIA: Mapping[str, str] = {"image": N_("Photo"), "video": N_("Video"), "audio": N_("Sound")}
OTHER_MEDIA = N_("File")

GATES: Mapping[str, tuple[str, str]] = {
    "permission": (N_("Permission"), N_("You may write here.")),
    "pause": (N_("Pause"), N_("A pause does not hold what people write.")),
    "reachable": (N_("Number"), N_("It can get texts, and a carrier sends for ours.")),
    "caller": (N_("Caller"), N_("No call asks for this text.")),
    "never_text": (N_("Never text"), N_("They are not on this list.")),
    "staging": (N_("Staging"), N_("It does not keep texts from them.")),
    "opt_out": (N_("Opt-out"), N_("None on record.")),
    "consent": (N_("Consent"), N_("An answer needs no other yes than their text.")),
    "length": (N_("Length"), N_("Short enough to send.")),
    "loop": (N_("Loop"), N_("Counts automatic texts only.")),
    "storm": (N_("Storm"), N_("Counts automatic texts only.")),
    "allowance": (N_("Allowance"), N_("The month has room for it.")),
    "schedule": (N_("Time"), N_("It may go at once.")),
    "rate": (N_("Rate"), N_("Our number may send now.")),
}
"""Each gate's name, and what it says when it lets a reply through."""

ENCODINGS: Mapping[str, str] = {"gsm7": N_("GSM 7-bit"), "ucs2": N_("Unicode")}

VIEWS: Mapping[View, tuple[str, str, str]] = {
    View.WAITING: (
        N_("Waiting"),
        N_("Nobody is waiting"),
        N_("When somebody texts one of your numbers and nobody has answered yet, they stand here."),
    ),
    View.ALL: (
        N_("All"),
        N_("No thread yet"),
        N_("The first missed call that gets a text, and the first text that comes in, open one."),
    ),
    View.DOUBT: (
        N_("Held"),
        N_("Nothing is held or in doubt"),
        N_("Texts that wait for their time, and texts that nobody knows the end of, bring their threads here."),
    ),
}
"""The tab, and what an empty list says."""

SETTLED: Mapping[str, str] = {
    Settled.TOO_LATE: N_("Its state changed before you pressed, so nothing was marked."),
    Settled.FOUND: N_("The carrier knows it. Its state is now what the carrier says."),
    Settled.NOT_FOUND: N_("The carrier does not list it. It was probably not sent."),
    Settled.CANNOT_ASK: N_("This carrier cannot be asked about single texts."),
    Settled.CARRIER_AWAY: N_("The carrier did not answer. Try again in a while."),
    "busy": N_("The database is busy, so nothing was marked. Try again in a moment."),
}
"""What is said after a button under a text was pressed; DONE shows by itself."""

EMPTY = N_("There is nothing to send. Write a text first.")
BUSY = N_("The database is busy, so nothing was sent yet. Send it again: it goes only once.")
NOT_NOTED = N_("The database is busy, so nothing was noted. Try again in a moment.")
NO_NOTE = N_("Write how they asked for texts again. It is kept as the evidence.")


def noted(said: LedgerLine) -> str:
    """What was said; who wrote it down stands before it in the ledger, and is no business of this page."""
    return said.words.partition(": ")[2] if said.method in BY_HAND else said.words


def means(state: State, reason: Reason | None) -> str:
    """Why a text is in its state: the reason if there is one, else what the state means."""
    return STATES[state].means if reason is None else SENTENCES[reason]
