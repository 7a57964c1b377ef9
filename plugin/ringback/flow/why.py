"""Why somebody may or may not do a thing with a number: who was asked in what order, and the smallest change that
would alter it. The page and the command line tell it from here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ringback.core.book import BY_ROLE, Book
from ringback.core.grants import ALL_NUMBERS, ANY_CLASS, SENDING, UNDER, Cell, Effect, Grant, Level, Right, Subject, Way
from ringback.flow.granting import Wanted
from ringback.flow.overlay import effective, impact, role_lets, said_in, with_changes


class Place(StrEnum):
    """What became of one who was asked."""

    SILENT = "silent"
    """It says nothing."""
    DECIDES = "decides"
    SECOND = "second"
    """It says something too, at the level that decided; a denial beside it outranks it, or it says the same."""
    BEYOND = "beyond"
    """Not reached: something nearer decided."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One who was asked for `way`: a user, a department, everyone, or the roles. `grants` is what it says of this."""

    way: Way
    subject: Subject
    grants: tuple[Grant, ...]
    effect: Effect | None
    place: Place


@dataclass(frozen=True, slots=True)
class Remedy:
    """Changes that would alter the answer, made where `subject` stands; so many `people` would notice."""

    subject: Subject
    effect: Effect
    changes: tuple[Wanted, ...]
    people: int


@dataclass(frozen=True, slots=True)
class Explained:
    """`right` is the answer. `chain` has who was asked, the nearest first; for a way that takes another beside itself
    that one follows. `remedies` has the smallest change first; none where a grant cannot alter it."""

    right: Right
    chain: tuple[Asked, ...]
    remedies: tuple[Remedy, ...]


def explain(book: Book, account: int, way: Way, number: str, class_: str = ANY_CLASS) -> Explained:
    """Say why. A user whose role does not include it, or whose account is disabled, cannot be helped by grants."""
    right = effective(book, Subject(Level.USER, account), way, number, class_)
    ways = (way, UNDER[way]) if way in UNDER else (way,)
    chain = tuple(asked for one in ways for asked in _chain(book, account, one, number, class_))
    return Explained(right, chain, remedies(book, account, way, number, class_))


def smallest(book: Book, account: int, way: Way, number: str, class_: str = ANY_CLASS) -> Remedy | None:
    """The change that alters the answer and touches the fewest people; None where no grant can."""
    return next(iter(remedies(book, account, way, number, class_)), None)


def remedies(book: Book, account: int, way: Way, number: str, class_: str = ANY_CLASS) -> tuple[Remedy, ...]:
    """Changes that would alter the answer: one for the user alone, and one where it was decided."""
    if account not in book.roles or not role_lets(book.roles[account], way):
        return ()
    own = Subject(Level.USER, account)
    right = effective(book, own, way, number, class_)
    grant = right.origin.grant
    wanted = Effect.DENY if right.allowed else Effect.ALLOW
    places = [own] if grant is None or grant.subject == own else [own, grant.subject]
    found = (_remedy(book, place, own, way, number, class_, wanted) for place in places)
    return tuple(sorted((one for one in found if one is not None), key=lambda one: (one.people, len(one.changes))))


def _remedy(
    book: Book, place: Subject, who: Subject, way: Way, number: str, class_: str, wanted: Effect
) -> Remedy | None:
    changes: dict[Cell, Effect | None] = {}
    ways = (UNDER[way], way) if wanted is Effect.ALLOW and way in UNDER else (way,)
    for one in ways:
        if book.alone(who.id, one, number, class_).effect is not wanted:
            changes |= _turned(with_changes(book, changes), place, who, one, number, class_, wanted)
    after = with_changes(book, changes)
    if effective(after, who, way, number, class_).effect is not wanted:
        return None
    listed = tuple(Wanted(cell, effect, said_in(book, cell)) for cell, effect in changes.items())
    return Remedy(place, wanted, listed, impact(book, after, changes).people)


def _turned(
    book: Book, place: Subject, who: Subject, way: Way, number: str, class_: str, wanted: Effect
) -> Mapping[Cell, Effect | None]:
    """Take away what stands against it there; where that does not do, say the contrary."""
    class_ = class_ if way in SENDING else ANY_CLASS
    against = [one for one in _saying(book, place, way, number, class_) if one.effect is not wanted and not one.owner]
    # a denial must go, since no allowance outranks it; an allowance for other numbers as well may stay
    away: dict[Cell, Effect | None] = {
        one.cell: None for one in against if wanted is Effect.ALLOW or one.scope == number
    }
    if against and with_changes(book, away).alone(who.id, way, number, class_).effect is wanted:
        return away
    kept = away if wanted is Effect.ALLOW else {}
    return kept | {Cell(place, way, number, class_): wanted}


def _chain(book: Book, account: int, way: Way, number: str, class_: str) -> Iterator[Asked]:
    class_ = class_ if way in SENDING else ANY_CLASS
    levels = ((Subject(Level.USER, account),), *book.levels_of(account))
    decided = False
    for level in levels:
        said = {one: tuple(_saying(book, one, way, number, class_)) for one in level}
        speaks = next((one for one in level if _effect(said[one]) is Effect.DENY), None)
        speaks = speaks or next((one for one in level if said[one]), None)
        for one in level:
            yield Asked(way, one, said[one], _effect(said[one]), _place(one, said[one], speaks, decided))
        decided = decided or speaks is not None
    yield _of_roles(book, account, way, decided)


def _of_roles(book: Book, account: int, way: Way, decided: bool) -> Asked:
    gives = any(way in BY_ROLE.get(role, ()) for role in book.roles.get(account, ()))
    place = Place.BEYOND if decided else Place.DECIDES if gives else Place.SILENT
    return Asked(way, Subject(Level.ROLE, account), (), Effect.ALLOW if gives else None, place)


def _place(one: Subject, said: tuple[Grant, ...], speaks: Subject | None, decided: bool) -> Place:
    if decided:
        return Place.BEYOND
    if not said:
        return Place.SILENT
    return Place.DECIDES if one == speaks else Place.SECOND


def _effect(said: tuple[Grant, ...]) -> Effect | None:
    if not said:
        return None
    return Effect.DENY if any(one.effect is Effect.DENY for one in said) else Effect.ALLOW


def _saying(book: Book, subject: Subject, way: Way, number: str, class_: str) -> Iterable[Grant]:
    """Every grant of one subject that is about this."""
    scopes = {number, ALL_NUMBERS, f"group:{book.group_of.get(number, 0)}"}
    return (
        grant
        for grant in book.grants
        if grant.subject == subject and grant.way is way and grant.scope in scopes and grant.class_ in ("", class_)
    )
