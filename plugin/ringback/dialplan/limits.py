"""How long a call may be kept waiting for an answer, and how much may be asked at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of both listeners. A call goes on without an answer after the dialplan's own time-out, which is one
    second."""

    head_s: float = 2.0
    """From the first byte of a question, or the opened connection, to the end of its headers."""
    answer_s: float = 0.8
    """From there to the answer."""
    agi_s: float = 0.3
    """A whole conversation by FastAGI: the channel waits for it without a time-out of its own."""
    keep_alive_s: float = 10.0
    connections: int = 512
    in_hand: int = 256
    """Questions that are being answered."""
    linger_s: float = 0.2
    stop_s: float = 1.0


USUAL = Limits()
