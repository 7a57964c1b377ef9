"""Twilio's words and numbers in ours: how a text fares, why it is refused, why it did not arrive.

Sources, read November 2026: the message resource (www.twilio.com/docs/messaging/api/message-resource) and the
dictionary of errors (www.twilio.com/docs/api/errors, one page a code).
"""

from typing import NamedTuple

from ringback.core.messages import ReceiptStatus
from ringback.errors import Blocked, Rejected, SendFailed, Throttled, Unreachable

_R = ReceiptStatus
STATUSES: dict[str, ReceiptStatus] = {
    "accepted": _R.ACCEPTED,  # a messaging service has it and looks for a sender
    "scheduled": _R.ACCEPTED,
    "queued": _R.ACCEPTED,  # waits for its turn on our number
    "sending": _R.ACCEPTED,  # on its way to the network
    "sent": _R.SENT,  # the network took it
    "partially_delivered": _R.SENT,
    "delivered": _R.DELIVERED,  # the network says that the handset has it
    "read": _R.DELIVERED,
    "undelivered": _R.UNDELIVERED,  # the network says that it did not arrive
    "failed": _R.UNDELIVERED,  # Twilio did not get it to the network
    "canceled": _R.UNDELIVERED,  # somebody cancelled it at Twilio
}
RECEIVED = frozenset({"receiving", "received"})
"""What Twilio says of a text from a handset."""

COMMANDS = {"STOP": "stop", "START": "start", "HELP": "help"}
"""`OptOutType`: what Twilio itself made of a text, where its Advanced Opt-Out is on."""


class Refusal(NamedTuple):
    """What a refusal means for the text. `wait` is in seconds, for those that only want time."""

    error: type[SendFailed]
    words: str
    wait: float = 0.0


REFUSALS: dict[int, Refusal] = {
    # the person said no
    21610: Refusal(Blocked, "the person wrote STOP to this number, and Twilio keeps to it"),
    # not now
    20429: Refusal(Throttled, "too many requests at once", 1),  # "never processed and always safe to retry"
    14107: Refusal(Throttled, "30 texts to this handset within 30 seconds, which Twilio takes for a loop", 30),
    21611: Refusal(Throttled, "ten hours of texts wait on this number already", 300),
    63038: Refusal(Throttled, "the account has sent its texts of today", 900),
    30001: Refusal(Throttled, "the queue of this number is full", 300),
    21730: Refusal(Unreachable, "Twilio is under maintenance"),
    # nothing is wrong with the text: the set-up is, and a person has to look at it
    20003: Refusal(Unreachable, "Twilio does not know our account with this key: check account and key"),
    20005: Refusal(Unreachable, "the account is not active"),
    20006: Refusal(Unreachable, "the key may not send texts"),
    20008: Refusal(Unreachable, "this is a key for tests, which sends nothing"),
    20404: Refusal(Unreachable, "Twilio does not know this account: check account and api"),
    10001: Refusal(Unreachable, "the account is not active"),
    21609: Refusal(Unreachable, "Twilio cannot use our public address for receipts"),
    # never
    21211: Refusal(Rejected, "this is no telephone number"),
    21214: Refusal(Rejected, "this number cannot be reached"),
    21217: Refusal(Rejected, "this is no telephone number"),
    21265: Refusal(Rejected, "a short code cannot be texted"),
    21401: Refusal(Rejected, "our number cannot send texts"),
    21408: Refusal(Rejected, "the account may not text this country: allow it in Twilio's geographic permissions"),
    21602: Refusal(Rejected, "the text is empty"),
    21603: Refusal(Rejected, "our number is missing"),
    21604: Refusal(Rejected, "the number to text is missing"),
    21606: Refusal(Rejected, "our number belongs to no one at Twilio, or cannot send to this country"),
    21608: Refusal(Rejected, "a trial account texts only numbers that it has verified"),
    21612: Refusal(Rejected, "Twilio has no way from our number to this one"),
    21614: Refusal(Rejected, "this is not a mobile number"),
    21617: Refusal(Rejected, "the text is longer than 1,600 characters"),
    21635: Refusal(Rejected, "this is a landline"),
    21659: Refusal(Rejected, "our number is not one of Twilio's"),
    21660: Refusal(Rejected, "our number belongs to another account"),
    30034: Refusal(Rejected, "our number is not registered for texts in the United States (10DLC)"),
}
"""What Twilio answers instead of taking a text, by its error code."""

LOSSES: dict[int, str] = {
    21610: "the person wrote STOP to this number",
    30001: "too many texts waited on this number",
    30002: "the account was suspended",
    30003: "the handset is switched off or out of reach",
    30004: "the handset or its network blocks this text",
    30005: "the number is not in use any more",
    30006: "this is a landline, or a network that cannot be reached",
    30007: "the network filtered this text out",
    30008: "the network does not say why",
    30010: "the text costs more than the limit set",
    30022: "too many texts for our registration in the United States (10DLC)",
    30023: "the network has had its texts of today from us (10DLC)",
    30024: "our number is not yet ready to send",
    30032: "our toll-free number is not verified",
    30034: "our number is not registered for texts in the United States (10DLC)",
    30036: "it was not sent before its time ran out",
    30410: "the next network did not answer in time",
    30450: "a text about this was sent moments ago",
    30454: "the network does not take texts of this kind",
    14107: "30 texts within 30 seconds, which Twilio takes for a loop",
}
"""Why a text did not arrive, by the error code of its receipt."""


def loss(status: str, code: str) -> str:
    """Say why a text did not arrive; empty for one that may still."""
    if STATUSES.get(status) is not ReceiptStatus.UNDELIVERED:
        return ""
    if status == "canceled":
        return "it was cancelled at Twilio"
    if not (code.isascii() and code.isdecimal()) or len(code) > 6:
        return "Twilio does not say why"
    return f"{LOSSES.get(int(code), 'it did not arrive')} (Twilio {code})"
