"""How many people may do something with a number: counted by kinds of people, since most have nothing of their own."""

from collections import Counter
from functools import cached_property

from ringback.core.book import Book
from ringback.core.grants import Level, Way


class Heads:
    """Counts for one book. People with the same departments and roles, and no grant of their own, are counted once."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.version = book.version

    @cached_property
    def _kinds(self) -> tuple[tuple[int, int], ...]:
        """One account of each kind, and how many there are of it."""
        own = {grant.subject.id for grant in self._book.grants if grant.subject.level is Level.USER}
        kinds: Counter[object] = Counter()
        example: dict[object, int] = {}
        for account, roles in self._book.roles.items():
            kind = account if account in own else (self._book.members.get(account, ()), roles)
            kinds[kind] += 1
            example.setdefault(kind, account)
        return tuple((example[kind], many) for kind, many in kinds.items())

    def allowed(self, way: Way, number: str) -> int:
        """How many may do this with a number, with any kind of text."""
        return sum(many for account, many in self._kinds if self._book.right(account, way, number).allowed)
