"""Things only a person can settle."""

from enum import StrEnum


class TaskKind(StrEnum):
    """TOO_OLD: a call nobody texted in time. UNSEEN: a call that ended out of sight. STORM: texts that were too many.

    UNCONFIRMED: a text that may have been sent.
    """

    TOO_OLD = "too_old"
    UNSEEN = "unseen"
    STORM = "storm"
    UNCONFIRMED = "unconfirmed"
