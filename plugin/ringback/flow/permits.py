"""Asking first: whether somebody may do a thing, and what they are told when they may not."""

import structlog

from ringback.core.ids import Kind, kind_of
from ringback.core.permissions import Action, Principal, may
from ringback.core.reasons import SENTENCES, Reason
from ringback.errors import RingbackError

log = structlog.get_logger("permits")


class Denied(RingbackError):
    """They may not do this, or not like this; `reason` says which."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(SENTENCES[reason])
        self.reason = reason


class NotThere(RingbackError):
    """There is no such thing, as far as whoever asks may know."""


class Unwritten(RingbackError):
    """What was written cannot be taken as it is; the text says what to do."""


def allow(who: Principal, action: Action) -> None:
    """Raise Denied, and leave a line in the log, unless one of their roles grants it."""
    if not may(who, action):
        log.warning("not permitted", who=who.label, action=str(action))
        raise Denied(Reason.PERMISSION_DENIED)


def of_kind(kind: Kind, public_id: str) -> str:
    """Return the id if it is of this kind; raises NotThere."""
    if kind_of(public_id) is not kind:
        raise NotThere(f"{public_id[:40]!r} is the id of nothing here")
    return public_id
