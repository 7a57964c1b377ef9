"""What carriers' error codes say of a number: texts do not arrive there, today or ever.

Only codes that speak of the number itself; a handset that is switched off, a filter or our own registration say nothing
of it. A code stands at the end of what a carrier's file writes down, behind the carrier's name.
"""

import re
from collections.abc import Mapping
from datetime import timedelta

from ringback.core.reasons import Reason

BELIEVED = timedelta(days=90)
"""Numbers are given to others, and lines become mobiles; a text from there ends it at once."""
AT_FIRST = timedelta(days=1)
"""How long one error is believed that may be a network's bad hour."""
AGAIN = timedelta(hours=1)
"""Errors closer together are one: two texts that failed in the same bad hour."""
PASSING: Mapping[str, frozenset[int]] = {"Twilio": frozenset({21214, 30005, 30006})}
"""Codes that a number in use may get as well; the carrier's network decides them text by text."""

CODES: Mapping[str, Mapping[int, Reason]] = {
    # www.twilio.com/docs/api/errors, read November 2026
    "Twilio": {
        21211: Reason.NOT_TEXTABLE,  # invalid "To" number
        21214: Reason.NOT_TEXTABLE,  # "To" number cannot be reached
        21217: Reason.NOT_TEXTABLE,  # no telephone number
        21265: Reason.NOT_TEXTABLE,  # "To" number is a short code
        21614: Reason.NOT_TEXTABLE,  # not a valid mobile number
        21635: Reason.LANDLINE,  # "To" number is a landline
        30005: Reason.NOT_TEXTABLE,  # unknown destination handset
        30006: Reason.LANDLINE,  # landline or unreachable carrier
    },
}

_CODE = re.compile(r"\b([0-9]{3,6})\)$")


def textless(words: str) -> Reason | None:
    """Why no text reaches the number, by what its carrier said of one; None where the words say nothing of it."""
    carrier, code = _code(words)
    return CODES.get(carrier, {}).get(code)


def believed(words: str, before: bool) -> timedelta:
    """How long that is believed. `before`: the number had such an error a while ago."""
    carrier, code = _code(words)
    return AT_FIRST if code in PASSING.get(carrier, ()) and not before else BELIEVED


def _code(words: str) -> tuple[str, int]:
    found = _CODE.search(words)
    return next((carrier for carrier in CODES if carrier in words), ""), int(found.group(1)) if found else 0
