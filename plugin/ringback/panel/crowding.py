"""Which live page ends when there are too many: nobody with many keeps others from their only one."""

from collections import Counter
from collections.abc import Collection
from typing import Protocol, TypeVar


class OpenPage(Protocol):
    """A live page of somebody; `quiet` if it shows nothing else that is live, `moved` if it ends already."""

    who: str
    quiet: bool
    moved: bool


P = TypeVar("P", bound=OpenPage)


def too_many_of(who: str, pages: Collection[P], most: int) -> list[P]:
    """Which of theirs end so that they can have one more."""
    theirs = _of(who, pages)
    return theirs[: max(0, len(theirs) + 1 - most)]


def to_spare(pages: Collection[P]) -> P | None:
    """One of whoever has most, since an agent without any counts as gone; None if everybody has one."""
    counted = Counter(page.who for page in pages if not page.moved).most_common(1)
    return _of(counted[0][0], pages)[0] if counted and counted[0][1] > 1 else None


def _of(who: str, pages: Collection[P]) -> list[P]:
    """In the order in which they end: quiet ones first, then the oldest."""
    return sorted((page for page in pages if page.who == who and not page.moved), key=lambda page: not page.quiet)
