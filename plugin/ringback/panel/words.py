"""What the pages say for each code, and how they write numbers and texts from outside.

`N_` marks a string for the translators where it stands; the templates translate it with `_` when it is shown.
"""

from collections.abc import Mapping

from ringback.core.messages import ReceiptStatus
from ringback.panel.health import Standing


def N_(message: str) -> str:  # noqa: N802 - the name that tools for translators look for
    return message


STANDING: Mapping[Standing, tuple[str, str]] = {
    Standing.WORKS: (N_("Works"), "ok"),
    Standing.STARTING: (N_("Starts"), "warn"),
    Standing.AWAY: (N_("Away, tried again"), "warn"),
    Standing.NEEDS_YOU: (N_("Needs you"), "bad"),
    Standing.STOPPED: (N_("Stopped"), "warn"),
    Standing.IDLE: (N_("Not needed"), "idle"),
}
"""The word of the badge, and its class in the style sheet."""

PART_ICON: Mapping[str, str] = {
    "asterisk": "server",
    "carrier": "tower",
    "database": "db",
    "store": "db",
    "clock": "clock",
    "web": "link",
    "sending": "send",
}
"""By the first word of a part's name."""

ERROR: Mapping[int, tuple[str, str]] = {
    404: (
        N_("There is no such page"),
        N_("The address may be mistyped, or the page is not part of this installation."),
    ),
    405: (N_("This address cannot do that"), N_("It can be read, and nothing else.")),
    503: (N_("Too many pages are open"), N_("Close one of the live pages, or try again in half a minute.")),
}
OTHER_ERROR = (N_("This did not work"), N_("The log says why."))

RECEIPT: Mapping[ReceiptStatus | None, str] = {
    None: N_("no receipt yet"),
    ReceiptStatus.ACCEPTED: N_("receipt: accepted"),
    ReceiptStatus.SENT: N_("receipt: sent"),
    ReceiptStatus.DELIVERED: N_("receipt: delivered"),
    ReceiptStatus.UNDELIVERED: N_("receipt: not delivered"),
}

# a browser drops or replaces control characters in silence, and half a surrogate pair cannot be written as UTF-8
_PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"}
_PICTURES |= {0x7F: 0x2421} | dict.fromkeys(range(0xD800, 0xE000), 0xFFFD)


def legible(text: str) -> str:
    """Make what a browser would swallow visible, and leave all else as it came."""
    return text.translate(_PICTURES)


def spaced(number: str) -> str:
    """Write +12025550147 as +1 202 555 0147; other plans stay as they are, since groups differ by country."""
    if number.startswith("+1") and len(number) == 12 and number[1:].isdecimal():
        return f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:]}"
    return number
