"""A table of people as rows of text: which column is which, and what is wrong with a line before anybody is asked.

What a cell means, and whether it fits those who are here already, is for flow/importing_people.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from ringback.core.department_tree import BETWEEN
from ringback.core.folding import fold
from ringback.core.formulas import is_formula, tame


class Column(StrEnum):
    LOGIN = "login"
    NAME = "name"
    EXTENSION = "extension"
    ENDPOINT = "endpoint"
    MAIL = "mail"
    MOBILE = "mobile"
    ROLES = "roles"
    DEPARTMENTS = "departments"
    LANGUAGE = "language"


CALLED: Mapping[Column, str] = {
    Column.LOGIN: "login user username userid benutzer usuario account",
    Column.NAME: "name fullname displayname callerid nombre",
    Column.EXTENSION: "extension ext defaultextension nebenstelle extensión interno",
    Column.ENDPOINT: "endpoint device sipendpoint sip peer dial",
    Column.MAIL: "mail email emailaddress mailaddress correo",
    Column.MOBILE: "mobile mobilenumber cell cellphone cellular handy movil",
    Column.ROLES: "roles role rol rolle",
    Column.DEPARTMENTS: "departments department dept group team abteilung departamento departamentos",
    Column.LANGUAGE: "language lang idioma sprache",
}
"""What tables call them, FreePBX's among them; capitals, accents, blanks and hyphens make no difference."""
_COLUMN_OF = {fold(name): column for column, names in CALLED.items() for name in names.split()}
KEYS = (Column.LOGIN, Column.EXTENSION)
"""One of these must be there: it says whom a line is about."""
ALONE = (Column.LOGIN, Column.EXTENSION, Column.ENDPOINT)
"""These stand once in a table."""
MOST_LINES = 20_000
LONGEST_CELL = 500


class Fault(StrEnum):
    """What is wrong with a line, or with the table."""

    EMPTY = "empty"
    NO_KEY = "no_key"
    TWO_COLUMNS = "two_columns"
    TOO_MANY = "too_many"
    TOO_LONG = "too_long"
    FORMULA = "formula"
    WHO = "who"
    AGAIN = "again"
    CIRCLE = "circle"
    TWO_PLACES = "two_places"
    TOO_DEEP = "too_deep"
    BAD = "bad"
    NO_ADMINISTRATOR = "no_administrator"


SENTENCES: Mapping[Fault, str] = {
    Fault.EMPTY: "The file has no line with people in it.",
    Fault.NO_KEY: "The first line names no column login and none extension, so nobody can be told apart.",
    Fault.TWO_COLUMNS: "Two columns are both %(column)s: keep one of them.",
    Fault.TOO_MANY: f"The file has more than {MOST_LINES} lines. Take it apart.",
    Fault.TOO_LONG: f"The cell has more than {LONGEST_CELL} characters.",
    Fault.FORMULA: "The cell begins with a formula (%(cell)s). Write what it shall say.",
    Fault.WHO: "The line has neither a login nor an extension.",
    Fault.AGAIN: "%(cell)s stands in line %(other)s already.",
    Fault.CIRCLE: "The departments are part of themselves: %(path)s.",
    Fault.TWO_PLACES: "The department %(name)s stands in %(one)s and in %(other)s. A name stands once in the tree.",
    Fault.TOO_DEEP: "No more than %(most)s departments may stand one in another.",
    Fault.BAD: "This cannot be taken.",
    Fault.NO_ADMINISTRATOR: "No administrator would be left.",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """`line` is counted as a table program counts it, 0 for the whole file; `column` may be empty.

    `told` is the sentence for what is found to be wrong elsewhere.
    """

    line: int
    column: str
    fault: Fault
    values: Mapping[str, str]
    told: str = ""

    @property
    def sentence(self) -> str:
        """What is wrong, with places for the values."""
        return self.told or SENTENCES[self.fault]

    def __str__(self) -> str:
        place = ", ".join(part for part in (f"line {self.line}" if self.line else "", self.column) if part)
        said = self.sentence % self.values
        return f"{place}: {said}" if place else said


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One line: what stands in the columns that are ours."""

    line: int
    said: Mapping[Column, str]

    def get(self, column: Column) -> str:
        """A cell, without the apostrophe that says it is no formula."""
        return tame(self.said.get(column, ""))


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was read. `left_out` are the columns that are none of ours."""

    rows: tuple[PersonRow, ...]
    troubles: tuple[Trouble, ...]
    left_out: tuple[str, ...] = ()


def read_rows(table: Iterable[Sequence[str]]) -> Sheet:
    """Read a table whose first line names its columns, in any order. Empty lines are passed over."""
    lines = [(number, cells) for number, cells in enumerate(table, 1) if any(cell.strip() for cell in cells)]
    if len(lines) < 2:
        return Sheet((), (Trouble(0, "", Fault.EMPTY, {}),))
    (head, names), *rest = lines
    columns = [_COLUMN_OF.get(fold(name).replace(" ", "")) for name in names]
    left_out = tuple(name for name, column in zip(names, columns, strict=True) if column is None and name.strip())
    if wrong := _wrong_columns(head, columns):
        return Sheet((), wrong, left_out)
    if len(rest) > MOST_LINES:
        return Sheet((), (Trouble(0, "", Fault.TOO_MANY, {}),), left_out)
    rows = tuple(PersonRow(line, _said(columns, cells)) for line, cells in rest)
    troubles = [trouble for row in rows for trouble in _wrong_cells(row)]
    return Sheet(rows, (*troubles, *_twice(rows), *_wrong_tree(rows)), left_out)


def _wrong_columns(line: int, columns: Sequence[Column | None]) -> tuple[Trouble, ...]:
    named = [column for column in columns if column is not None]
    twice = sorted({column for column in named if named.count(column) > 1})
    if not any(key in named for key in KEYS):
        return (Trouble(line, "", Fault.NO_KEY, {}),)
    return tuple(Trouble(line, column, Fault.TWO_COLUMNS, {"column": column}) for column in twice)


def _said(columns: Sequence[Column | None], cells: Sequence[str]) -> Mapping[Column, str]:
    pairs = zip(columns, cells, strict=False)
    return {column: cell.strip() for column, cell in pairs if column is not None and cell.strip()}


def _wrong_cells(row: PersonRow) -> Iterable[Trouble]:
    if not any(row.get(key) for key in KEYS):
        yield Trouble(row.line, "", Fault.WHO, {})
    for column, cell in row.said.items():
        if len(cell) > LONGEST_CELL:
            yield Trouble(row.line, column, Fault.TOO_LONG, {})
        elif is_formula(cell):
            yield Trouble(row.line, column, Fault.FORMULA, {"cell": cell[:20]})


def _twice(rows: Sequence[PersonRow]) -> Iterable[Trouble]:
    for column in ALONE:
        first: dict[str, int] = {}
        for row in rows:
            cell = row.get(column).casefold()
            if cell and first.setdefault(cell, row.line) != row.line:
                values = {"cell": row.get(column)[:40], "other": str(first[cell])}
                yield Trouble(row.line, column, Fault.AGAIN, values)


def paths_in(cell: str) -> tuple[tuple[str, ...], ...]:
    """The departments of a cell, with ; between them, each as the names of its path."""
    paths = (
        tuple(part for part in (" ".join(name.split()) for name in path.split(BETWEEN)) if part)
        for path in cell.replace("\n", ";").split(";")
    )
    return tuple(path for path in paths if path)


def _wrong_tree(rows: Sequence[PersonRow]) -> Iterable[Trouble]:
    """A name below two others, and names that are below themselves."""
    parents: dict[str, tuple[str, str]] = {}
    for row in rows:
        for path in paths_in(row.get(Column.DEPARTMENTS)):
            for above, name in pairwise(path):
                key, parent = name.casefold(), above.casefold()
                known = parents.setdefault(key, (parent, above))
                if known[0] != parent:
                    values = {"name": name, "one": known[1], "other": above}
                    yield Trouble(row.line, Column.DEPARTMENTS, Fault.TWO_PLACES, values)
                elif _goes_round(parents, key):
                    values = {"path": BETWEEN.join((*path[:-1], name, above))}
                    yield Trouble(row.line, Column.DEPARTMENTS, Fault.CIRCLE, values)


def _goes_round(parents: Mapping[str, tuple[str, str]], start: str) -> bool:
    seen, now = {start}, parents.get(start, ("", ""))[0]
    while now and now in parents:
        if now in seen:
            return True
        seen.add(now)
        now = parents[now][0]
    return now in seen
