"""Public ids: what kind of thing it is, when it was made, and 80 random bits.

An id is a prefix and 26 lower-case Crockford base-32 characters: 48 bits of milliseconds, then the entropy, so ids of
one kind sort by age as text. The core has neither clock nor randomness, so both are handed in.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
ENTROPY_BYTES = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_PAIRS = tuple(first + second for first in ALPHABET for second in ALPHABET)
_SHIFTS = range(120, -1, -10)


class Kind(StrEnum):
    """The kinds of things with a public id; the value is the prefix."""

    MESSAGE = "msg"
    ATTEMPT = "att"
    THREAD = "thr"
    CALL = "call"
    RECEIPT = "rcp"
    TASK = "task"
    INCOMING = "inb"
    USER = "usr"
    KEY = "key"
    BULK = "blk"
    DEPARTMENT = "dep"
    GROUP = "grp"
    CHANGE = "chg"
    """Grants that were changed at once."""
    SESSION = "ses"
    QUEUE = "que"


def make_id(kind: Kind, moment: datetime, entropy: bytes) -> str:
    """Build an id from an aware moment and ten random bytes."""
    # in whole numbers: the float of `timestamp` falls short of the millisecond now and then
    value = ((moment - _EPOCH) // _MILLISECOND & (2**48 - 1)) << 80 | int.from_bytes(entropy[:ENTROPY_BYTES])
    return f"{kind}_{''.join([_PAIRS[value >> shift & 1023] for shift in _SHIFTS])}"


def kind_of(text: str) -> Kind | None:
    """Say what kind of id this is, or None if it is not one of ours."""
    prefix, _, digits = text.rpartition("_")
    if len(digits) != 26 or any(letter not in ALPHABET for letter in digits):
        return None
    return next((kind for kind in Kind if kind == prefix), None)
