"""What the pages say for each code, and how they write numbers and texts from outside.

`N_` marks a string for the translators where it stands; the templates translate it with `_` when it is shown.
"""

from collections.abc import Mapping

from ringback.core.messages import ReceiptStatus
from ringback.core.permissions import Role


def N_(message: str) -> str:  # noqa: N802 - the name that tools for translators look for
    return message


STANDING: Mapping[str, tuple[str, str]] = {
    "works": (N_("Works"), "ok"),
    "starting": (N_("Starts"), "warn"),
    "away": (N_("Away, tried again"), "warn"),
    "needs_you": (N_("Needs you"), "bad"),
    "stopped": (N_("Stopped"), "warn"),
    "idle": (N_("Not needed"), "idle"),
}
"""By `health.Standing`, which is not imported since it is made of these words: the badge, and its class."""

PART_ICON: Mapping[str, str] = {
    "asterisk": "server",
    "carrier": "tower",
    "database": "db",
    "web": "link",
    "hooks": "link",
    "line": "tower",
    "inbound": "text",
    "logins": "key",
    "waiting": "inbox",
    "control": "server",
    "delays": "clock",
    "search": "find",
}
"""By the first word of a part's name."""

ROLE: Mapping[Role, tuple[str, str]] = {
    Role.ADMINISTRATOR: (N_("Administrator"), N_("Everything, also settings, queues and users")),
    Role.SUPERVISOR: (
        N_("Supervisor"),
        N_("What agents do, and the board, runs to many, lists, exports; sees queues, and who may what"),
    ),
    Role.AGENT: (N_("Agent"), N_("Reads and answers texts, takes sessions, sees calls, closes tasks, can pause")),
    Role.AUDITOR: (N_("Auditor"), N_("Reads the record of who did what, and who may what; no texts")),
    Role.INTEGRATOR: (N_("Integrator"), N_("Gives programs their keys")),
}
"""What a role is called, and what it may do."""

DONE: Mapping[str, str] = {
    "user-added": N_("Added. They can log in now."),
    "role-changed": N_("The role is changed. They log in again."),
    "password-changed": N_("The password is changed. Every other browser is logged out."),
    "described": N_("What is said of them is changed."),
    "joined": N_("They are in the department."),
    "left": N_("They are not in the department any more."),
    "disable": N_("Disabled. They are logged out and cannot log in."),
    "enable": N_("They may log in again."),
    "logout": N_("Logged out everywhere."),
    "own-totp-off": N_("Your second factor is taken off."),
    "totp-off": N_("The second factor is taken off. They log in with the password alone until they set one up."),
    "language-changed": N_("The language is changed."),
    "keys-changed": N_("The keys are changed in this browser."),
}
"""What a page says after a change; the code stands in its address."""

THEMES: Mapping[str, str] = {
    "": N_("Theme: as the system"),
    "light": N_("Theme: light"),
    "dark": N_("Theme: dark"),
}
THEME_WORDS: Mapping[str, str] = {"": N_("As the system"), "light": N_("Light"), "dark": N_("Dark")}
THEME_AFTER: Mapping[str, str] = {"": "light", "light": "dark", "dark": "auto"}
"""What the button leads to; `auto` clears the choice."""

ERROR: Mapping[int, tuple[str, str]] = {
    400: (N_("This cannot be read"), N_("What your browser sent makes no sense here.")),
    401: (
        N_("You are logged out"),
        N_("Log in again in another window; then come back here, and send again what you wrote."),
    ),
    403: (N_("You may not do this"), N_("Your role does not include it. An administrator can change that.")),
    404: (
        N_("There is no such page"),
        N_("The address may be mistyped, or the page is not part of this installation."),
    ),
    405: (N_("This address cannot do that"), N_("It can be read, and nothing else.")),
    413: (N_("That is too much at once"), N_("Send less of it.")),
    421: (
        N_("This is not the name of this panel"),
        N_("Open it by the address its owner gave you, or set public_url in ringback.toml to this one."),
    ),
    503: (
        N_("This did not work now"),
        N_("The database is busy or cannot be reached. Nothing was changed. Try again in half a minute."),
    ),
}
FORGED = (
    N_("This did not come from our own page"),
    N_("Nothing was changed. Open the page anew and try again. If it happens again, set public_url in ringback.toml."),
)
OTHER_ERROR = (N_("This did not work"), N_("The log says why."))
FROM_ELSEWHERE = "Elsewhere"
"""The reason phrase of a request that a page of another site may have made."""


def error(status: int, phrase: str) -> tuple[str, str]:
    """What an error page says: what happened, and why or what to do."""
    return FORGED if phrase == FROM_ELSEWHERE else ERROR.get(status, OTHER_ERROR)


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
# what turns the direction of all that follows, so that a text could read other than it is; marks of one letter may stay
_TURNS = {0x202A: "LRE", 0x202B: "RLE", 0x202C: "PDF", 0x202D: "LRO", 0x202E: "RLO"}
_TURNS |= {0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI"}
_SHOWN: dict[int, int | str] = _PICTURES | {code: f"[{name}]" for code, name in _TURNS.items()}


def legible(text: str) -> str:
    """Make what a browser would swallow, or would turn the text round with, visible; leave all else as it came."""
    return text.translate(_SHOWN)


def spaced(number: str) -> str:
    """Write +12025550147 as +1 202 555 0147; other plans stay as they are, since groups differ by country."""
    if number.startswith("+1") and len(number) == 12 and number[1:].isdecimal():
        return f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:]}"
    return number
