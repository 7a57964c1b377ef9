"""The book of all grants, and how they are resolved.

The nearest level that says something decides: the user, their departments, the parents of these, everybody, and last
what their role gives. At one level a denial outranks an allowance. Where nothing is said, it is not allowed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ringback.core.allowances import Limit
from ringback.core.grants import (
    ALL_NUMBERS,
    ANY_CLASS,
    EVERYONE,
    EVERYTHING,
    SENDING,
    UNDER,
    Cell,
    Department,
    Effect,
    Grant,
    Group,
    Level,
    Origin,
    Reach,
    Right,
    Subject,
    Way,
)
from ringback.core.permissions import Role

MOST_REACHES = 500
"""So many are kept; each names up to all of our numbers."""
UNSAID = Right(Effect.DENY, Origin(Level.NOTHING))
CLOSED = Right(Effect.DENY, Origin(Level.CLOSED))
BY_ROLE: Mapping[Role, frozenset[Way]] = {Role.ADMINISTRATOR: frozenset(Way)}
"""What a role gives where no grant says anything."""

_Keyed = Mapping[tuple[Subject, Way], Mapping[tuple[str, str], Grant]]


@dataclass(frozen=True)
class Book:
    """All grants, and what is needed to resolve them, as they were at one moment. `version` is another for each change.

    `members` are the departments of an account, the main one first; `group_of` is the group of a number. `roles` has
    accounts that can act, so one that is disabled is in none.
    """

    version: str = ""
    grants: tuple[Grant, ...] = ()
    departments: Mapping[int, Department] = field(default_factory=dict)
    members: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    groups: Mapping[int, Group] = field(default_factory=dict)
    group_of: Mapping[str, int] = field(default_factory=dict)
    roles: Mapping[int, frozenset[Role]] = field(default_factory=dict)
    numbers: tuple[str, ...] = ()
    """Our numbers, those that are not configured any more among them."""
    limits: Mapping[str, Limit] = field(default_factory=dict)
    """What may be sent in a month, by `allowances.key_of`."""

    @cached_property
    def written(self) -> Mapping[Cell, Grant]:
        """What somebody decided, by where it stands; without what follows from owning a number."""
        return {grant.cell: grant for grant in self.grants if not grant.owner}

    @cached_property
    def by_kind(self) -> frozenset[Way]:
        """The ways in which some kinds of text are treated otherwise than the rest."""
        return frozenset(grant.way for grant in self.grants if grant.class_)

    @cached_property
    def _keyed(self) -> _Keyed:
        keyed: dict[tuple[Subject, Way], dict[tuple[str, str], Grant]] = {}
        for grant in self.grants:
            said = keyed.setdefault((grant.subject, grant.way), {})
            before = said.get((grant.scope, grant.class_))
            # what was written outranks what follows from owning a number, and a denial an allowance
            if before is None or before.owner or grant.effect is Effect.DENY:
                said[grant.scope, grant.class_] = grant
        return keyed

    @cached_property
    def _chains(self) -> dict[int, tuple[tuple[Subject, ...], ...]]:
        return {}

    @cached_property
    def _above(self) -> "dict[tuple[tuple[tuple[Subject, ...], ...], Way, str, str], Right | None]":
        return {}

    @cached_property
    def _reaches(self) -> dict[tuple[int, Way], Reach]:
        return {}

    def levels_of(self, account: int) -> tuple[tuple[Subject, ...], ...]:
        """The levels above an account, the nearest first: its departments, their parents, ..., everyone."""
        known = self._chains.get(account)
        if known is None:
            known = self._chains[account] = (*self._levels(self.members.get(account, ())), (EVERYONE,))
        return known

    def levels_of_department(self, department: int) -> tuple[tuple[Subject, ...], ...]:
        """The levels above a department, the nearest first."""
        parent = self.departments[department].parent if department in self.departments else None
        return (*self._levels(() if parent is None else (parent,)), (EVERYONE,))

    def _levels(self, departments: Iterable[int]) -> Iterator[tuple[Subject, ...]]:
        """Departments, then their parents; one that is reached twice counts where it is nearest."""
        now, seen = list(dict.fromkeys(departments)), set[int]()
        while now:
            yield tuple(Subject(Level.DEPARTMENT, one) for one in now)
            seen.update(now)
            above = (self.departments[one].parent for one in now if one in self.departments)
            now = list(dict.fromkeys(one for one in above if one is not None and one not in seen))

    def said(self, subject: Subject, way: Way, number: str, class_: str) -> Grant | None:
        """What one subject's own grants say of a number; a denial outranks an allowance."""
        grants = self._keyed.get((subject, way))
        if not grants:
            return None
        group = self.group_of.get(number)
        found: Grant | None = None
        for scope in (number, f"group:{group}", ALL_NUMBERS) if group is not None else (number, ALL_NUMBERS):
            for kind in (class_, ANY_CLASS) if class_ else (ANY_CLASS,):
                grant = grants.get((scope, kind))
                if grant is not None and grant.effect is Effect.DENY:
                    return grant
                found = found or grant
        return found

    def alone(self, account: int, way: Way, number: str, class_: str = ANY_CLASS) -> Right:
        """Whether an account may do one thing with a number, without what that takes beside itself."""
        class_ = class_ if way in SENDING else ANY_CLASS
        if (own := self.said(Subject(Level.USER, account), way, number, class_)) is not None:
            return Right(own.effect, Origin(Level.USER, own))
        levels = self.levels_of(account)
        above = self._from_above(levels, way, number, class_)
        return above if above is not None else self._of_role(account, way)

    def _from_above(self, levels: tuple[tuple[Subject, ...], ...], way: Way, number: str, class_: str) -> Right | None:
        """Many share their departments, so what comes from there is reckoned once."""
        key = (levels, way, number, class_)
        if key not in self._above:
            self._above[key] = self._first(levels, way, number, class_)
        return self._above[key]

    def _first(self, levels: Iterable[tuple[Subject, ...]], way: Way, number: str, class_: str) -> Right | None:
        for level in levels:
            said = [grant for one in level if (grant := self.said(one, way, number, class_)) is not None]
            if said:
                decided = next((grant for grant in said if grant.effect is Effect.DENY), said[0])
                return Right(decided.effect, Origin(decided.subject.level, decided))
        return None

    def _of_role(self, account: int, way: Way) -> Right:
        for role in sorted(self.roles.get(account, ())):
            if way in BY_ROLE.get(role, ()):
                return Right(Effect.ALLOW, Origin(Level.ROLE, role=role))
        return UNSAID

    def right(self, account: int, way: Way, number: str, class_: str = ANY_CLASS) -> Right:
        """Whether an account may do this with one of our numbers, and why; for `class_` empty, with any kind of text.

        One whose account is disabled may nothing.
        """
        if account not in self.roles:
            return CLOSED
        right = self.alone(account, way, number, class_)
        under = UNDER.get(way)
        if under is None or not right.allowed:
            return right
        below = self.alone(account, under, number, class_)
        if below.allowed:
            return right
        return Right(below.effect, Origin(below.origin.level, below.origin.grant, below.origin.role, under))

    def of_department(self, department: int, way: Way, number: str, class_: str = ANY_CLASS) -> Right:
        """What a department's members get from it and above, and why."""
        class_ = class_ if way in SENDING else ANY_CLASS
        levels = ((Subject(Level.DEPARTMENT, department),), *self.levels_of_department(department))
        return self._from_above(levels, way, number, class_) or UNSAID

    def of_everyone(self, way: Way, number: str, class_: str = ANY_CLASS) -> Right:
        """What everybody gets who has nothing nearer."""
        class_ = class_ if way in SENDING else ANY_CLASS
        return self._from_above(((EVERYONE,),), way, number, class_) or UNSAID

    def reach(self, account: int, way: Way) -> Reach:
        """The numbers with which an account may do this.

        Everything, those of before among them, only for whoever is allowed all numbers and denied none. Reckoned once
        for those who look just now: each page and each part of a live one asks.
        """
        key = (account, way)
        if key not in self._reaches:
            if len(self._reaches) >= MOST_REACHES:
                self._reaches.clear()
            self._reaches[key] = self._reach(account, way)
        return self._reaches[key]

    def _reach(self, account: int, way: Way) -> Reach:
        numbers = frozenset(number for number in self.numbers if self.right(account, way, number).allowed)
        beyond = self.right(account, way, ALL_NUMBERS).allowed
        return EVERYTHING if beyond and len(numbers) == len(self.numbers) else Reach(everything=False, numbers=numbers)
