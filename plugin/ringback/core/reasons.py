"""Why a text was sent, held back, or never wanted: one code, one sentence, everywhere the same.

Log, panel, API, `ringback explain` and `ringback replay` show these codes. docs/reasons.md has a row for each, and a
test holds the three together.
"""

from enum import StrEnum


class Reason(StrEnum):
    """The code, in the order of decisions: trigger, refuse, defer or note, edge."""

    # no rule wanted a text, or the rule's own conditions took it back
    NO_RULE = "no_rule"
    ANSWERED = "answered"
    OUTSIDE_HOURS = "outside_hours"
    TOO_SHORT = "too_short"
    COOL_DOWN = "cool_down"
    ALREADY_PENDING = "already_pending"
    RETURNED = "returned"
    TOO_OLD = "too_old"
    UNSEEN = "unseen"
    ON_TEXT = "on_text"

    # a gate or guard refused
    PERMISSION_DENIED = "permission_denied"
    WITHHELD = "withheld"
    PRESENTATION_UNKNOWN = "presentation_unknown"
    SPOOFED = "spoofed"
    VETOED = "vetoed"
    INVALID_NUMBER = "invalid_number"
    INTERNAL = "internal"
    OWN_NUMBER = "own_number"
    EMERGENCY = "emergency"
    PREMIUM = "premium"
    SHORT_CODE = "short_code"
    LANDLINE = "landline"
    NOT_TEXTABLE = "not_textable"
    CALLER_INITIATED_OFF = "caller_initiated_off"
    NEVER_TEXT = "never_text"
    STAGING = "staging"
    OPTED_OUT = "opted_out"
    CONSENT_MISSING = "consent_missing"
    QUOTA_EXCEEDED = "quota_exceeded"
    PAUSED = "paused"
    STORM = "storm"
    LOOP = "loop"
    GATE_ERROR = "gate_error"
    NUMBER_UNKNOWN = "number_unknown"
    TEMPLATE_FAULT = "template_fault"
    TOO_LONG = "too_long"
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch"

    # a caller is offered no text
    WAIT_SHORT = "wait_short"
    WAIT_UNKNOWN = "wait_unknown"
    NO_TEXT_AGENTS = "no_text_agents"
    NO_TEXT_QUEUE = "no_text_queue"
    ASKED_BEFORE = "asked_before"
    CALL_UNKNOWN = "call_unknown"
    NOT_THE_CALLER = "not_the_caller"

    # a gate or the carrier put it off, or a note kept beside a yes
    RATE_NUMBER = "rate_number"
    RATE_CAMPAIGN = "rate_campaign"
    RATE_CARRIER = "rate_carrier"
    RATE_DESTINATION = "rate_destination"
    CARRIER_HOLD = "carrier_hold"
    HELD_BACK = "held_back"
    PUT_BACK = "put_back"
    SCHEDULED = "scheduled"
    ALLOWED = "allowed"


SENTENCES: dict[Reason, str] = {
    Reason.NO_RULE: "No rule asks for a text after a call like this.",
    Reason.ANSWERED: "Somebody answered the call.",
    Reason.OUTSIDE_HOURS: "The rules that fit this call are not meant for this time of day.",
    Reason.TOO_SHORT: "It rang for less than the rule asks for.",
    Reason.COOL_DOWN: "This caller already got a text a short while ago.",
    Reason.ALREADY_PENDING: "A text to this caller is already waiting to go.",
    Reason.RETURNED: "Somebody spoke with this caller before the text was due.",
    Reason.TOO_OLD: "The call was too long ago; a person should decide.",
    Reason.UNSEEN: "The call ended while Asterisk was out of sight, so nobody knows how.",
    Reason.ON_TEXT: "The caller goes on by text already, so no other text is sent.",
    Reason.PERMISSION_DENIED: "Whoever asked for this text may not send it.",
    Reason.WITHHELD: "The caller withheld the number.",
    Reason.PRESENTATION_UNKNOWN: (
        "Asterisk did not say whether the caller withholds the number; "
        "add Gosub(ringback-call,s,1) at the top of the inbound context."
    ),
    Reason.SPOOFED: "The network says the caller's number is not genuine.",
    Reason.VETOED: "The dialplan said no for this call (RINGBACK=no).",
    Reason.INVALID_NUMBER: "The caller's number cannot exist.",
    Reason.INTERNAL: "The caller is an extension of this PBX.",
    Reason.OWN_NUMBER: "The caller is one of our own numbers.",
    Reason.EMERGENCY: "Emergency numbers are never texted.",
    Reason.PREMIUM: "Premium-rate numbers are never texted.",
    Reason.SHORT_CODE: "Short numbers are not texted automatically.",
    Reason.LANDLINE: "The numbering plan says this is a landline.",
    Reason.NOT_TEXTABLE: "This number cannot get texts.",
    Reason.CALLER_INITIATED_OFF: "Texting callers back is switched off for this country.",
    Reason.NEVER_TEXT: "This number is on the list of those that are never texted.",
    Reason.STAGING: "Staging is on, and this number is not on its list.",
    Reason.OPTED_OUT: "This person said STOP to this number.",
    Reason.CONSENT_MISSING: "This person did not say yes to a text like this.",
    Reason.QUOTA_EXCEEDED: "The month's allowance is used up.",
    Reason.PAUSED: "Automatic texts are paused.",
    Reason.STORM: "Too many texts in one minute; this one was not sent.",
    Reason.LOOP: "This pair already had its automatic texts for the hour.",
    Reason.GATE_ERROR: "A check failed, so the text is held back to be safe.",
    Reason.NUMBER_UNKNOWN: "No carrier is set for the number that was called.",
    Reason.TEMPLATE_FAULT: "The rule's text could not be filled in.",
    Reason.TOO_LONG: "The text is longer than the limit.",
    Reason.IDEMPOTENCY_MISMATCH: "This form was sent before with another text.",
    Reason.WAIT_SHORT: "The wait is shorter than the queue asks for before it offers texts.",
    Reason.WAIT_UNKNOWN: "Nobody can say how long the wait will be, and the queue does not offer texts then.",
    Reason.NO_TEXT_AGENTS: "Too few agents can take a text now.",
    Reason.NO_TEXT_QUEUE: "No text queue belongs to this voice queue.",
    Reason.ASKED_BEFORE: "The caller was asked in this call already.",
    Reason.CALL_UNKNOWN: "The PBX has no such call now, so nothing is sent in its name.",
    Reason.NOT_THE_CALLER: "The dialplan named another number than the one the call came from.",
    Reason.RATE_NUMBER: "This number sends as fast as it may; the text waits its turn.",
    Reason.RATE_CAMPAIGN: "This campaign sends as much as it may; the text waits its turn.",
    Reason.RATE_CARRIER: "The carrier asked us to slow down; the text waits.",
    Reason.RATE_DESTINATION: "As much as may be sent there in a day was sent; the text waits for the next.",
    Reason.CARRIER_HOLD: "The carrier could not be reached; the text waits for the next try.",
    Reason.HELD_BACK: "Its carrier is held back; the text goes when somebody lets the carrier go on.",
    Reason.PUT_BACK: "The database was put back, so this text may have been sent already; a person decides.",
    Reason.SCHEDULED: "The text waits for its time.",
    Reason.ALLOWED: "Nothing held it back.",
}

OF_A_RULE: dict[Reason, str] = {
    Reason.ALLOWED: "fits",
    Reason.NO_RULE: "is about other calls",
    Reason.OUTSIDE_HOURS: "is not meant for this time of day",
    Reason.TOO_SHORT: "asks for a longer ring",
}
"""What a reason says of one rule that was tried."""
