"""Public ids: what kind of thing it is, when it was made, and 80 random bits.

An id is a prefix and 26 lower-case Crockford base-32 characters: 48 bits of milliseconds, then the entropy, so ids of
one kind sort by age as text. The core has neither clock nor randomness, so both are handed in.
"""

from base64 import b32encode
from datetime import datetime
from enum import StrEnum

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
ENTROPY_BYTES = 10
_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", ALPHABET.encode())


class Kind(StrEnum):
    """The kinds of things with a public id; the value is the prefix."""

    MESSAGE = "msg"
    ATTEMPT = "att"
    THREAD = "thr"
    CALL = "call"
    RECEIPT = "rcp"
    TASK = "task"


def make_id(kind: Kind, moment: datetime, entropy: bytes) -> str:
    """Build an id from an aware moment and ten random bytes."""
    value = (int(moment.timestamp() * 1000) & (2**48 - 1)) << 80 | int.from_bytes(entropy[:ENTROPY_BYTES])
    # 20 bytes are 32 digits of five bits; the last 26 of them hold our 128 bits
    digits = b32encode(value.to_bytes(20))[6:].translate(_CROCKFORD)
    return f"{kind}_{digits.decode()}"


def kind_of(text: str) -> Kind | None:
    """Say what kind of id this is, or None if it is not one of ours."""
    prefix, _, digits = text.rpartition("_")
    if len(digits) != 26 or any(letter not in ALPHABET for letter in digits):
        return None
    return next((kind for kind in Kind if kind == prefix), None)
