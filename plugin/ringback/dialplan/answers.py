"""One line for an answer: `rb|<word>|<value>...|.`, of harmless characters only, whatever the values hold.

The last field says that it is whole: CURL() hands over half an answer when the line breaks or its time is up.
"""

import re
from base64 import b64encode
from datetime import timedelta

from ringback.core.reasons import Reason
from ringback.flow.dialplan_words import Accepted, Offered, Sent, Step, TextNow, Wait

Said = tuple[str, ...]
LONGEST_LINE = 400
END = "|."
LONGEST_REPLY = 288
"""Bytes of a text: in base 64, and with what stands before it, they still fit in the line."""
_STRANGE = re.compile(r"[^A-Za-z0-9+._:=/ -]")


def line_of(said: Said) -> bytes:
    """The answer as it goes over the wire, without a line end: CURL() would keep it."""
    words = "|".join(("rb", *(_STRANGE.sub("", value) for value in said)))
    return f"{words[: LONGEST_LINE - len(END)]}{END}".encode()


def yes_or_no(reason: Reason) -> Said:
    return ("yes",) if reason is Reason.ALLOWED else ("no", reason)


def done(why: str) -> Said:
    """Empty, or what speaks against it."""
    return ("no", why) if why else ("ok",)


def count(number: int) -> Said:
    return ("ok", str(number))


def wait(expected: Wait) -> Said:
    if expected.wait is None:
        return ("unknown", "", str(expected.waiting))
    return ("ok", _seconds(expected.wait), str(expected.waiting))


def offer(offered: Offered) -> Said:
    match offered.step:
        case Step.NOTHING:
            return ("no", offered.reason, _place(offered.position))
        case step:
            wait = "unknown" if offered.expected is None else _seconds(offered.expected)
            known = () if offered.position is None else (_place(offered.position),)
            return (step, wait, offered.mark, *known)


def accepted(answer: Accepted) -> Said:
    place = _place(answer.position)
    if answer.reason is Reason.ALLOWED:
        return ("ok", answer.text, place)
    if not answer.sure:
        return ("unsure", answer.reason, place)
    return ("no", answer.reason, place)


def declined(position: int | None) -> Said:
    return ("ok", "", _place(position))


def sent(answer: Sent) -> Said:
    return ("ok", answer.text) if answer.reason is Reason.ALLOWED else ("no", answer.reason)


def state(text: TextNow) -> Said:
    return ("no", text.reason) if text.state == "no" else (text.state,)


def reply(text: str | None) -> Said:
    if text is None:
        return ("none",)
    whole = text.encode("utf-8", "replace")[:LONGEST_REPLY].decode("utf-8", "ignore")
    return ("text", b64encode(whole.encode()).decode())


def _place(position: int | None) -> str:
    return "" if position is None else str(position)


def _seconds(wait: timedelta) -> str:
    return str(round(wait.total_seconds()))
