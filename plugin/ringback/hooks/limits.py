"""How much a stranger may ask of the listener before anybody has proven to be a carrier."""

from dataclasses import dataclass

MIB = 1024 * 1024
BODY = MIB
"""Bytes of a body, where the carrier does not ask for more by `largest_hook`."""
LARGEST_BODY = 8 * MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the listener; those in seconds together stay below the 15 s after which Twilio gives up."""

    head_s: float = 10.0
    """From the first byte of a request, or the opened connection, to the end of its headers."""
    body_s: float = 5.0
    store_s: float = 8.0
    keep_alive_s: float = 150.0
    """Longer than proxies keep their connections, since whoever closes first may cut a hook that is on its way."""
    connections: int = 512
    in_hand: int = 256
    """Believed hooks that wait for the disk."""
    held: int = 64 * MIB
    """Bytes of all bodies together."""
    linger_s: float = 2.0
    """How long the rest of a refused body is read away, so that the answer is not lost in a reset."""
    stop_s: float = 2.0


USUAL = Limits()
