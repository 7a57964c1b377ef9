"""Grants as a table: what stands in a file of them, and what a file that somebody made would change.

A file is taken as a whole or not at all. Cells that it does not name stay as they are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ringback.core.department_tree import by_words, path_of
from ringback.core.formulas import is_formula, tame
from ringback.core.grants import ALL_NUMBERS, CLASSES, EVERYONE, SENDING, Cell, Effect, Level, Subject, Way
from ringback.flow.granting import Wanted
from ringback.flow.overlay import effective, likeness, said_in, with_own
from ringback.flow.roster import Roster
from ringback.ports.people import Account

HEAD = ("for", "who", "name", "right", "numbers", "kind", "says", "note")
NEEDED = ("for", "who", "right", "numbers", "says")
ALL, GROUP, INHERIT = "all", "group:", "inherit"
MOST_LINES = 20_000
MOST_FAULTS = 200
"""How many faults are kept; nobody reads more."""


class Fault(StrEnum):
    """What is wrong with a line."""

    NO_HEAD = "no_head"
    TOO_LONG = "too_long"
    FORMULA = "formula"
    FOR = "for"
    USER = "user"
    AMBIGUOUS = "ambiguous"
    DEPARTMENT = "department"
    EVERYONE = "everyone"
    RIGHT = "right"
    NUMBERS = "numbers"
    KIND = "kind"
    KIND_OF = "kind_of"
    SAYS = "says"
    TWICE = "twice"


SENTENCES: Mapping[Fault, str] = {
    Fault.NO_HEAD: "The first line must name the columns: for, who, right, numbers, says. “%(value)s” is missing.",
    Fault.TOO_LONG: "More than twenty thousand lines. Take the file apart.",
    Fault.FORMULA: "“%(value)s” is a formula. Write plain text.",
    Fault.FOR: "“%(value)s” is none of user, department, everyone.",
    Fault.USER: "Nobody has the login or extension “%(value)s”. Add them first, or correct it.",
    Fault.AMBIGUOUS: "More than one user is “%(value)s”. Write the login.",
    Fault.DEPARTMENT: "There is no department “%(value)s”. Write its name, or its path as in Service desk/Night desk.",
    Fault.EVERYONE: "For everyone, leave this empty. It says “%(value)s”.",
    Fault.RIGHT: "“%(value)s” is none of send, receive, bulk, mms, export.",
    Fault.NUMBERS: "“%(value)s” is none of our numbers. Write one as +12025550100, a group as group:NAME, or all.",
    Fault.KIND: "“%(value)s” is none of conversational, transactional, promotional. Leave it empty for every kind.",
    Fault.KIND_OF: "Only rights to send go by kind. Leave this empty; it says “%(value)s”.",
    Fault.SAYS: "“%(value)s” is none of allow, deny, inherit.",
    Fault.TWICE: "Line %(value)s is about the same already. Keep one of them.",
}


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong at one place of a file; `line` counts from 1, as table programs do."""

    line: int
    column: str
    fault: Fault
    value: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file would change: nothing as long as anything is wrong with it. `same` lines change nothing."""

    wanted: tuple[Wanted, ...] = ()
    wrong: tuple[Wrong, ...] = ()
    same: int = 0
    lines: int = 0


def write(roster: Roster) -> Iterator[list[str]]:
    """Every grant that somebody decided, as a table with its head."""
    yield list(HEAD)
    accounts = {one.id: one for one in roster.accounts}
    for cell, grant in roster.book.written.items():
        who, name = _named(cell.subject, roster, accounts)
        yield [
            cell.subject.level,
            who,
            name,
            cell.way,
            _numbers(cell.scope, roster),
            cell.class_,
            grant.effect,
            grant.note,
        ]


def _named(subject: Subject, roster: Roster, accounts: Mapping[int, Account]) -> tuple[str, str]:
    if subject == EVERYONE:
        return "", ""
    if subject.level is Level.DEPARTMENT:
        return path_of(roster.book.departments, subject.id), ""
    return accounts[subject.id].login, accounts[subject.id].called


def _numbers(scope: str, roster: Roster) -> str:
    if scope == ALL_NUMBERS:
        return ALL
    if not scope.startswith(GROUP):
        return scope
    group = roster.book.groups.get(int(scope.removeprefix(GROUP)))
    return f"{GROUP}{group.name}" if group else scope


def write_effective(roster: Roster, ways: Sequence[Way]) -> Iterator[list[str]]:
    """What everybody may do in effect: a line for each user, a column for each right and number."""
    plan = [(way, number) for number in roster.book.numbers for way in ways]
    yield ["who", "name", "extension", *(f"{way} {number}" for way, number in plan)]
    own, known = with_own(roster.book), dict[object, list[str]]()
    for row in roster.rows:
        if not row.is_user:
            continue
        key = likeness(roster.book, row.subject.id, own)
        if key not in known:
            known[key] = [effective(roster.book, row.subject, way, number).effect for way, number in plan]
        yield [roster.login_of(row.subject), row.name, row.extension, *known[key]]


def read(table: Iterable[Sequence[str]], roster: Roster) -> Plan:
    """What a table would change."""
    lines = [[tame(cell.strip()) for cell in line] for line in table]
    if not lines:
        return Plan(wrong=(Wrong(1, "", Fault.NO_HEAD, NEEDED[0]),))
    head = [cell.casefold() for cell in lines[0]]
    missing = next((name for name in NEEDED if name not in head), None)
    if missing is not None:
        return Plan(wrong=(Wrong(1, "", Fault.NO_HEAD, missing),))
    if len(lines) - 1 > MOST_LINES:
        return Plan(wrong=(Wrong(MOST_LINES + 2, "", Fault.TOO_LONG, ""),))
    reader = _Reader(roster, {name: head.index(name) for name in HEAD if name in head})
    for number, line in enumerate(lines[1:], 2):
        if any(line):
            reader.take(number, line)
    return reader.plan()


class _Unfit(Exception):
    def __init__(self, column: str, fault: Fault, value: str) -> None:
        super().__init__(value)
        self.column, self.fault, self.value = column, fault, value


class _Reader:
    """Reads line by line, and remembers what each is about."""

    def __init__(self, roster: Roster, places: Mapping[str, int]) -> None:
        self._roster = roster
        self._places = places
        self._users = _by_words(roster)
        self._groups = {one.name.casefold(): one.id for one in roster.book.groups.values()}
        self._cells: dict[Cell, int] = {}
        self._wanted: list[Wanted] = []
        self._wrong: list[Wrong] = []
        self._same = 0

    def take(self, number: int, line: Sequence[str]) -> None:
        """Read one line."""
        words = {name: line[place] if place < len(line) else "" for name, place in self._places.items()}
        try:
            cell, effect = self._read(words)
            if cell in self._cells:
                raise _Unfit("who", Fault.TWICE, str(self._cells[cell]))
        except _Unfit as problem:
            if len(self._wrong) < MOST_FAULTS:
                self._wrong.append(Wrong(number, problem.column, problem.fault, problem.value[:80]))
            return
        self._cells[cell] = number
        said = said_in(self._roster.book, cell)
        if said is effect:
            self._same += 1
        else:
            self._wanted.append(Wanted(cell, effect, said))

    def plan(self) -> Plan:
        """What all lines come to."""
        wanted = () if self._wrong else tuple(self._wanted)
        return Plan(wanted, tuple(self._wrong), self._same, len(self._cells) + len(self._wrong))

    def _read(self, words: Mapping[str, str]) -> tuple[Cell, Effect | None]:
        for column, value in words.items():
            if column not in ("name", "note") and is_formula(value):
                raise _Unfit(column, Fault.FORMULA, value)
        subject, way = self._subject(words["for"], words["who"]), self._way(words["right"])
        kind = words.get("kind", "").casefold()
        if kind and kind not in CLASSES:
            raise _Unfit("kind", Fault.KIND, kind)
        if kind and way not in SENDING:
            raise _Unfit("kind", Fault.KIND_OF, kind)
        return Cell(subject, way, self._scope(words["numbers"]), kind), self._effect(words["says"])

    def _subject(self, level: str, who: str) -> Subject:
        match level.casefold():
            case Level.EVERYONE:
                if who:
                    raise _Unfit("who", Fault.EVERYONE, who)
                return EVERYONE
            case Level.DEPARTMENT:
                department = by_words(self._roster.book.departments, who)
                if department is None:
                    raise _Unfit("who", Fault.DEPARTMENT, who)
                return Subject(Level.DEPARTMENT, department.id)
            case Level.USER:
                found = self._users.get(who.casefold(), ())
                if len(found) != 1:
                    raise _Unfit("who", Fault.AMBIGUOUS if found else Fault.USER, who)
                return Subject(Level.USER, found[0])
        raise _Unfit("for", Fault.FOR, level)

    def _way(self, text: str) -> Way:
        try:
            return Way(text.casefold())
        except ValueError as problem:
            raise _Unfit("right", Fault.RIGHT, text) from problem

    def _scope(self, text: str) -> str:
        folded = text.casefold()
        if folded in (ALL, ALL_NUMBERS):
            return ALL_NUMBERS
        if folded.startswith(GROUP) and (group := self._groups.get(folded.removeprefix(GROUP).strip())) is not None:
            return f"{GROUP}{group}"
        digits = "".join(letter for letter in text if letter not in " -().")
        # a table program that took the number for one has lost its plus
        number = digits if digits.startswith("+") else f"+{digits}"
        if number not in self._roster.book.numbers:
            raise _Unfit("numbers", Fault.NUMBERS, text)
        return number

    def _effect(self, text: str) -> Effect | None:
        folded = text.casefold()
        if folded == INHERIT:
            return None
        try:
            return Effect(folded)
        except ValueError as problem:
            raise _Unfit("says", Fault.SAYS, text) from problem


def _by_words(roster: Roster) -> Mapping[str, list[int]]:
    """Users by login, and by extension where no login is the same."""
    found = {one.login.casefold(): [one.id] for one in roster.accounts}
    logins = set(found)
    for one in roster.accounts:
        if one.extension and one.extension.casefold() not in logins:
            found.setdefault(one.extension.casefold(), []).append(one.id)
    return found
