"""How many segments a month somebody may send: soft limits that warn, hard limits that refuse.

A text counts for its writer, for each of their departments and the parents of these, for its number and for the
business, wherever one of them has a limit.
"""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ringback.core.book import Book

NUMBER = "number"
PREFIX = "used:"
NEARLY = 0.8
"""From here on somebody is warned."""


class Limit(NamedTuple):
    """Segments a month; 0 is no limit of that kind."""

    soft: int
    hard: int


class Use(NamedTuple):
    """What is counted: whose, as `used:user:3`, and in which month. Kept among the other counters."""

    key: str
    slot: int


class Passed(StrEnum):
    """What a text that counts has reached."""

    NEARLY = "nearly"
    """Four fifths of the smaller limit."""
    SOFT = "soft"
    """More than the soft limit: it goes on, and somebody pays."""
    HARD = "hard"
    """All of the hard limit: nothing more goes."""


def key_of(level: str, subject: int | str) -> str:
    """Under what something is counted; a number of ours is named by its digits."""
    return f"{PREFIX}{level}:{subject}"


def month_of(now: datetime, zone: tzinfo) -> int:
    """The month by the clock of the business, as a number that grows by one each month."""
    local = now.astimezone(zone)
    return local.year * 12 + local.month


def uses(book: "Book", account: int | None, number: str, month: int) -> tuple[Use, ...]:
    """Where a text counts that this account sends from this number: only where there is a limit."""
    if not book.limits:
        return ()
    keys = [key_of(NUMBER, number), key_of("everyone", 0)]
    if account is not None:
        above = (subject for level in book.levels_of(account)[:-1] for subject in level)
        keys = [key_of("user", account), *(key_of(level, id_) for level, id_ in above), *keys]
    return tuple(Use(key, month) for key in keys if key in book.limits)


def is_over(limits: Mapping[str, Limit], used: Mapping[str, int], segments: int) -> str:
    """The key of the first hard limit that so many more would pass; empty when there is none."""
    for key, before in used.items():
        hard = limits[key].hard
        if hard and before + segments > hard:
            return key
    return ""


def passed(limit: Limit, before: int, after: int) -> Passed | None:
    """What was reached by counting from `before` to `after`, the gravest of it."""
    if limit.hard and before < limit.hard <= after:
        return Passed.HARD
    if limit.soft and before <= limit.soft < after:
        return Passed.SOFT
    nearly = NEARLY * min(one for one in limit if one) if any(limit) else 0
    return Passed.NEARLY if nearly and before < nearly <= after else None
