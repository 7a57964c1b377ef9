"""Things only a person can settle."""

from enum import StrEnum


class TaskKind(StrEnum):
    """TOO_OLD: a call nobody texted in time. UNSEEN: a call that ended out of sight. STORM: texts that were too many.

    UNCONFIRMED: a text that may have been sent. CALL_BACK: a caller chose a time to be called. OPT_OUT: a text that
    reads like STOP without saying it. QUARANTINED: what a carrier brought and nobody could read. PARTIAL: a text whose
    pieces did not all come. NOT_DELIVERED: what a person wrote did not reach the handset. ALLOWANCE: somebody sent
    nearly as much in a month as they may, or more. ASKED: somebody asks to be allowed something.
    """

    TOO_OLD = "too_old"
    UNSEEN = "unseen"
    STORM = "storm"
    UNCONFIRMED = "unconfirmed"
    CALL_BACK = "call_back"
    OPT_OUT = "opt_out"
    QUARANTINED = "quarantined"
    PARTIAL = "partial"
    NOT_DELIVERED = "not_delivered"
    ALLOWANCE = "allowance"
    ASKED = "asked"


OF_PERMISSIONS = frozenset({TaskKind.ALLOWANCE, TaskKind.ASKED})
"""Tasks for whoever decides who may what: they name people, and numbers that others need not know of."""
