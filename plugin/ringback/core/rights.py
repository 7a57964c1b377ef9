"""What one principal may do, and where: their role's table and the book of grants, asked together."""

from collections.abc import Mapping
from dataclasses import dataclass

from ringback.core.book import UNSAID, Book
from ringback.core.grants import ANY_CLASS, EVERYTHING, NOTHING, Effect, Level, Origin, Reach, Right, Way
from ringback.core.permissions import Action, Asker, Principal, Scope, may

MACHINE = Right(Effect.ALLOW, Origin(Level.MACHINE))
BEYOND = Right(Effect.DENY, Origin(Level.KEY))
"""A key that is held to other numbers."""
OUT_OF_SCOPE = Right(Effect.DENY, Origin(Level.SCOPE))
WAYS_OF_SCOPE: Mapping[Scope, frozenset[Way]] = {
    Scope.SEND: frozenset({Way.SEND, Way.MMS, Way.RECEIVE}),
    Scope.BULK: frozenset({Way.BULK, Way.SEND, Way.RECEIVE}),
    Scope.READ: frozenset({Way.RECEIVE, Way.EXPORT}),
}
"""What a key's scopes let it do where it acts for nobody. Whoever sends may ask what became of it."""


@dataclass(frozen=True, slots=True)
class Rights:
    """`who` may do with a number what their scopes, the numbers of their key and the book all allow."""

    who: Principal
    book: Book

    def may(self, action: Action) -> bool:
        """Whether their roles or scopes grant it at all."""
        return may(self.who, action)

    def right(self, way: Way, number: str, class_: str = ANY_CLASS) -> Right:
        """Whether they may do this with one of our numbers, and why."""
        match self.who.kind:
            case Asker.SHELL:
                return MACHINE
            case Asker.USER if self.who.account is not None:
                return self.book.right(self.who.account, way, number, class_)
            case Asker.PROGRAM:
                return self._of_program(way, number, class_)
        return UNSAID

    def _of_program(self, way: Way, number: str, class_: str) -> Right:
        who = self.who
        if not any(way in WAYS_OF_SCOPE[scope] for scope in who.scopes):
            return OUT_OF_SCOPE
        if who.numbers and number not in who.numbers:
            return BEYOND
        return MACHINE if who.account is None else self.book.right(who.account, way, number, class_)

    def reach(self, way: Way) -> Reach:
        """The numbers with which they may do this."""
        match self.who.kind:
            case Asker.SHELL:
                return EVERYTHING
            case Asker.USER if self.who.account is not None:
                return self.book.reach(self.who.account, way)
            case Asker.PROGRAM:
                return self._reach_of_program(way)
        return NOTHING

    def _reach_of_program(self, way: Way) -> Reach:
        who = self.who
        if not any(way in WAYS_OF_SCOPE[scope] for scope in who.scopes):
            return NOTHING
        if who.account is None:
            return Reach(everything=False, numbers=who.numbers) if who.numbers else EVERYTHING
        reach = self.book.reach(who.account, way)
        if not who.numbers:
            return reach
        return Reach(everything=False, numbers=frozenset(one for one in who.numbers if one in reach))
