"""The two sides of the permission matrix: everyone, the departments and their people down it, our numbers across."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ringback.core.book import Book
from ringback.core.department_tree import below, branches, upwards
from ringback.core.grants import ALL_NUMBERS, EVERYONE, Level, Subject
from ringback.ports.grants import NumberCard
from ringback.ports.people import Account

ALL = "everyone"
"""Stands for everyone where others have a public id."""
LAST = 10**9


@dataclass(frozen=True, slots=True)
class Row:
    """One who grants can be for. `depth` is how far below everyone; `above` are the rows it stands under, the topmost
    first; `people` is how many are in a department. `also` names further departments of a user."""

    subject: Subject
    public_id: str
    name: str
    extension: str = ""
    depth: int = 0
    above: tuple[Subject, ...] = ()
    people: int = 0
    also: tuple[str, ...] = ()

    @property
    def is_user(self) -> bool:
        return self.subject.level is Level.USER


@dataclass(frozen=True, slots=True)
class Column:
    """What a cell may be about: one number, a group of them or all. `number` is empty for more than one."""

    scope: str
    name: str
    number: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Band:
    """Columns that stand together under one head."""

    name: str
    columns: tuple[Column, ...]
    count: int = 0
    group: int = 0


@dataclass(frozen=True, slots=True)
class Sought:
    """What to show of the rows: words of a name or extension, one department with all in it, some subjects only.

    `folded` are departments whose people are left out.
    """

    words: str = ""
    department: int = 0
    only: frozenset[Subject] | None = None
    folded: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Roster:
    """Everybody and every number, as they were at one moment."""

    book: Book
    accounts: Sequence[Account]
    cards: Sequence[NumberCard] = ()

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Everyone, then each department with the people who stand under it, then those who are in none."""
        return tuple(self._rows())

    @cached_property
    def by_id(self) -> Mapping[str, Row]:
        return {row.public_id: row for row in self.rows}

    @cached_property
    def by_subject(self) -> Mapping[Subject, Row]:
        return {row.subject: row for row in self.rows}

    def _rows(self) -> Iterator[Row]:
        acting = [one for one in self.accounts if one.id in self.book.roles]
        people: dict[int, list[Account]] = {}
        for one in sorted(acting, key=_by_extension):
            people.setdefault(next(iter(self.book.members.get(one.id, ())), 0), []).append(one)
        yield Row(EVERYONE, ALL, "", people=len(acting))
        tree = self.book.departments
        for branch in branches(tree):
            department, subject = branch.department, Subject(Level.DEPARTMENT, branch.department.id)
            ups = [Subject(Level.DEPARTMENT, up.id) for up in upwards(tree, department.id)][1:]
            above, heads = (EVERYONE, *reversed(ups)), self._heads(department.id)
            yield Row(subject, department.public_id, department.name, "", branch.depth + 1, above, heads)
            under = (*above, subject)
            yield from (self._person(who, branch.depth + 2, under) for who in people.get(department.id, ()))
        yield from (self._person(who, 1, (EVERYONE,)) for who in people.get(0, ()))

    def _person(self, who: Account, depth: int, above: tuple[Subject, ...]) -> Row:
        others = self.book.members.get(who.id, ())[1:]
        also = tuple(self.book.departments[one].name for one in others if one in self.book.departments)
        return Row(Subject(Level.USER, who.id), who.public_id, who.called, who.extension, depth, above, also=also)

    @cached_property
    def _members(self) -> Mapping[int, frozenset[int]]:
        """Who acts and is in a department itself."""
        found: dict[int, set[int]] = {}
        for account, departments in self.book.members.items():
            if account in self.book.roles:
                for one in departments:
                    found.setdefault(one, set()).add(account)
        return {one: frozenset(accounts) for one, accounts in found.items()}

    def _heads(self, department: int) -> int:
        inside = below(self.book.departments, department)
        return len(frozenset().union(*(self._members.get(one, frozenset()) for one in inside)))

    def seek(self, sought: Sought) -> list[Row]:
        """The rows somebody looks for; with no wish at all, everybody."""
        words = sought.words.casefold().split()
        inside = below(self.book.departments, sought.department) if sought.department else None
        named: set[Subject] = set()
        found = []
        for row in self.rows:
            if inside is not None and not self._is_in(row, inside):
                continue
            if sought.only is not None and row.subject not in sought.only:
                continue
            if words and not self._matches(row, words, named):
                continue
            if sought.folded and any(up.level is Level.DEPARTMENT and up.id in sought.folded for up in row.above):
                continue
            found.append(row)
        return found

    def _is_in(self, row: Row, inside: frozenset[int]) -> bool:
        if row.is_user:
            return not inside.isdisjoint(self.book.members.get(row.subject.id, ()))
        return row.subject.level is Level.DEPARTMENT and row.subject.id in inside

    def _matches(self, row: Row, words: list[str], named: set[Subject]) -> bool:
        """A department that is named brings its people with it."""
        text = f"{row.name} {row.extension} {self._logins.get(row.subject, '')}".casefold()
        if all(word in text for word in words):
            if row.subject.level is Level.DEPARTMENT:
                named.add(row.subject)
            return True
        return not named.isdisjoint(row.above)

    def login_of(self, subject: Subject) -> str:
        """What a user logs in with."""
        return self._logins.get(subject, "")

    @cached_property
    def _logins(self) -> Mapping[Subject, str]:
        return {Subject(Level.USER, one.id): one.login for one in self.accounts}

    def with_context(self, rows: Sequence[Row]) -> list[tuple[Row, bool]]:
        """The rows, with those they stand under before them; True for one that is there for that only."""
        shown = {row.subject for row in rows}
        placed, listed = set[Subject](), list[tuple[Row, bool]]()
        for row in rows:
            for up in row.above:
                if up not in shown and up not in placed and up in self.by_subject:
                    placed.add(up)
                    listed.append((self.by_subject[up], True))
            listed.append((row, False))
        return listed

    def find(self, words: str) -> list[Row]:
        """Users by id, login, extension or name; the whole of it first, then a part."""
        wanted = words.strip().casefold()
        if not wanted:
            return []
        users = [(row, f"{row.extension} {row.name}".casefold()) for row in self.rows if row.is_user]
        exact = [
            row
            for row, name in users
            if wanted in (row.public_id, row.extension, row.name.casefold(), self._logins[row.subject], name)
        ]
        return exact or [row for row, name in users if wanted in name]

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """Every number in its group, the groups by name, the rest last; a group has a column of its own."""
        grouped: dict[int, list[NumberCard]] = {}
        for card in self.cards:
            grouped.setdefault(card.group or 0, []).append(card)
        bands = []
        for group in sorted(self.book.groups.values(), key=lambda one: one.name.casefold()):
            cards = grouped.get(group.id, [])
            whole = Column(f"group:{group.id}", group.name, count=len(cards))
            bands.append(Band(group.name, (whole, *_columns(cards)), len(cards), group.id))
        if rest := grouped.get(0, []):
            bands.append(Band("", _columns(rest), len(rest)))
        return tuple(bands)

    @cached_property
    def all_numbers(self) -> Column:
        return Column(ALL_NUMBERS, "", count=len(self.cards))

    def seek_numbers(self, words: str = "", group: int | None = None) -> list[tuple[Band, Column]]:
        """The numbers somebody looks for, each with its band, in the order of the columns."""
        wanted = words.casefold().split()
        digits = "".join(letter for letter in words if letter.isdigit())
        found = []
        for band in self.bands:
            if group is not None and band.group != group:
                continue
            for column in band.columns:
                text = f"{band.name} {column.name} {column.number}".casefold()
                hit = all(word in text for word in wanted) or (len(digits) > 2 and digits in column.number)
                if column.number and (not wanted or hit):
                    found.append((band, column))
        return found

    def column_of(self, scope: str) -> Column | None:
        """What a scope is called."""
        if scope == ALL_NUMBERS:
            return self.all_numbers
        return self._columns.get(scope)

    @cached_property
    def _columns(self) -> Mapping[str, Column]:
        return {column.scope: column for band in self.bands for column in band.columns}


def _by_extension(one: Account) -> tuple[int, str]:
    extension = one.extension
    return (int(extension) if extension.isascii() and extension.isdigit() else LAST, one.called.casefold())


def _columns(cards: Iterable[NumberCard]) -> tuple[Column, ...]:
    ordered = sorted(cards, key=lambda card: (card.label.casefold() or card.e164, card.e164))
    return tuple(Column(card.e164, card.label, card.e164) for card in ordered)
