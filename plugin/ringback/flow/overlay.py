"""The book of grants as it would be: with changes that nobody applied yet, and what these would do to whom."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from ringback.core.book import Book
from ringback.core.grants import (
    ALL_NUMBERS,
    ANY_CLASS,
    CLASSES,
    SENDING,
    UNDER,
    Cell,
    Effect,
    Grant,
    Level,
    Origin,
    Right,
    Subject,
    Way,
)
from ringback.core.permissions import OF_ROLE, Action, Role

NEEDS: Mapping[Way, Action] = {
    Way.SEND: Action.REPLY,
    Way.RECEIVE: Action.READ_THREADS,
    Way.BULK: Action.SEND_BULK,
    Way.MMS: Action.REPLY,
    Way.EXPORT: Action.EXPORT,
}
"""What a role must let them do at all before a grant is worth anything."""
NOT_THE_ROLE = Right(Effect.DENY, Origin(Level.ROLE))


def said_in(book: Book, cell: Cell) -> Effect | None:
    """What somebody decided for a cell, None where nobody did."""
    grant = book.written.get(cell)
    return None if grant is None else grant.effect


def with_changes(book: Book, changes: Mapping[Cell, Effect | None]) -> Book:
    """The book as if these changes were made."""
    if not changes:
        return book
    stay = [grant for grant in book.grants if grant.owner or grant.cell not in changes]
    new = [Grant(*cell, effect) for cell, effect in changes.items() if effect is not None]
    return replace(book, version=f"{book.version}+", grants=(*stay, *new))


@cache
def role_lets(roles: frozenset[Role], way: Way) -> bool:
    """Whether any role lets somebody do this at all."""
    return any(NEEDS[way] in OF_ROLE[role] for role in roles)


def with_own(*books: Book) -> frozenset[int]:
    """The accounts that grants name, or that own a number."""
    return frozenset(one.subject.id for book in books for one in book.grants if one.subject.level is Level.USER)


def likeness(book: Book, account: int, own: frozenset[int]) -> object:
    """People of whom this is the same may the same: those of the same departments and roles, but for `own`."""
    return account if account in own else (book.levels_of(account), book.roles.get(account))


def effective(book: Book, subject: Subject, way: Way, number: str, class_: str = ANY_CLASS) -> Right:
    """What a row of the matrix may do with a number, or with a scope, all told: the role, then the grants."""
    match subject.level:
        case Level.USER:
            roles = book.roles.get(subject.id)
            if roles is not None and not role_lets(roles, way):
                return NOT_THE_ROLE
            return book.right(subject.id, way, number, class_)
        case Level.DEPARTMENT:
            return book.of_department(subject.id, way, number, class_)
    return book.of_everyone(way, number, class_)


def differs_by_kind(book: Book, subject: Subject, way: Way, number: str) -> bool:
    """Whether some kinds of text are treated otherwise than the rest."""
    if way not in SENDING or way not in book.by_kind:
        return False
    plain = effective(book, subject, way, number).effect
    return any(effective(book, subject, way, number, kind).effect is not plain for kind in CLASSES)


@dataclass(frozen=True, slots=True)
class Impact:
    """Who could do more after some changes, and who less; by account."""

    gain: frozenset[int]
    lose: frozenset[int]

    @property
    def people(self) -> int:
        return len(self.gain | self.lose)


class Reckoner:
    """Says whom changes reach, in effect: what makes no difference to somebody does not count.

    People of the same departments and roles are alike, and so are numbers that no grant names, so one of each is asked.
    """

    def __init__(self, before: Book, after: Book) -> None:
        self._before = before
        self._after = after
        self._under = _people_under(before, after)
        self._alone = {one.scope for book in (before, after) for one in book.grants if one.scope.startswith("+")}

    def of(self, cells: Iterable[Cell]) -> Impact:
        """Whom the change of these cells reaches."""
        gain, lose = set[int](), set[int]()
        for (way, class_, numbers), subjects in self._asked(cells).items():
            for people in {lot[0]: lot for subject in subjects for lot in self._under.get(subject, ())}.values():
                one = Subject(Level.USER, people[0])
                for number in numbers:
                    was = effective(self._before, one, way, number, class_).allowed
                    will = effective(self._after, one, way, number, class_).allowed
                    if was != will:
                        (gain if will else lose).update(people)
        return Impact(frozenset(gain), frozenset(lose))

    def _asked(self, cells: Iterable[Cell]) -> dict[tuple[Way, str, tuple[str, ...]], list[Subject]]:
        """What to ask about whom: a way, a class, and numbers that stand for all."""
        by_kind = self._after.by_kind | self._before.by_kind
        scopes: dict[str, tuple[str, ...]] = {}
        asked: dict[tuple[Way, str, tuple[str, ...]], list[Subject]] = {}
        for cell in cells:
            if cell.scope not in scopes:
                scopes[cell.scope] = _standing_for(cell.scope, self._before, self._alone)
            for way in (cell.way, *(way for way, under in UNDER.items() if under is cell.way)):
                for class_ in (cell.class_,) if cell.class_ or not by_kind else (ANY_CLASS, *CLASSES):
                    asked.setdefault((way, class_, scopes[cell.scope]), []).append(cell.subject)
        return asked


def impact(before: Book, after: Book, cells: Iterable[Cell]) -> Impact:
    """Whom a change of these cells reaches."""
    return Reckoner(before, after).of(cells)


def _people_under(before: Book, after: Book) -> dict[Subject, list[list[int]]]:
    """Lots of people who are treated alike, by each subject that concerns them."""
    own = with_own(before, after)
    alike: dict[object, list[int]] = {}
    for account in before.roles:
        alike.setdefault(likeness(before, account, own), []).append(account)
    under: dict[Subject, list[list[int]]] = {}
    for people in alike.values():
        above = (subject for level in before.levels_of(people[0]) for subject in level)
        for subject in (Subject(Level.USER, people[0]), *above):
            under.setdefault(subject, []).append(people)
    return under


def _standing_for(scope: str, book: Book, alone: set[str]) -> tuple[str, ...]:
    """One number for each lot that is treated alike."""
    if scope != ALL_NUMBERS and not scope.startswith("group:"):
        return (scope,)
    lots: dict[object, str] = {} if scope != ALL_NUMBERS else {ALL_NUMBERS: ALL_NUMBERS}
    for number in book.numbers:
        group = book.group_of.get(number)
        if scope in (ALL_NUMBERS, f"group:{group}"):
            lots.setdefault(number if number in alone else ("group", group), number)
    return tuple(lots.values())
