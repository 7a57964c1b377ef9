"""When to try again after a carrier provably did not take a text."""

from datetime import timedelta

STEPS = (5, 15, 60, 180, 600, 1200)
"""Seconds before the second, third ... try; the last one repeats until the text expires."""

WRITE_MARGIN = timedelta(seconds=2)
"""No attempt is opened later than this before a text expires, so that no byte leaves after it."""

LONGEST_WAIT = timedelta(minutes=15)
"""The most a carrier may make us wait by its own word."""


def wait_after(attempts: int, asked: float = 0.0) -> timedelta:
    """How long to wait after so many failed attempts; `asked` are the seconds a throttling carrier named."""
    step = timedelta(seconds=STEPS[min(attempts, len(STEPS)) - 1])
    return min(max(timedelta(seconds=asked), step if not asked else timedelta()), LONGEST_WAIT)
