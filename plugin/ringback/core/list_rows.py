"""A list of people as a former system wrote it, row by row: who, since when, why, and what is wrong with a line."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from ringback.core.folding import fold
from ringback.core.formulas import is_formula, tame
from ringback.core.numbers import Number
from ringback.core.writing import clean

ReadNumber = Callable[[str], Number]
"""Reads a number as people write it."""

MOST_LINES = 100_000
LONGEST_WORDS = 200
FIRST_YEAR = 1992
"""No text was sent before."""


class Column(StrEnum):
    NUMBER = "number"
    DATE = "date"
    REASON = "reason"
    SOURCE = "source"


CALLED: Mapping[Column, str] = {
    Column.NUMBER: "number phone phonenumber telephone mobile mobilenumber cell msisdn to numero telefono telefon",
    Column.DATE: "date at since when day time timestamp createdat optedoutat optoutdate unsubscribedat fecha datum",
    Column.REASON: "reason why note notes comment comments remark motivo grund",
    Column.SOURCE: "source origin channel method from fuente origen quelle",
}
"""What former systems call them; capitals, accents, blanks, hyphens and underscores make no difference."""
_COLUMN_OF = {fold(name): column for column, names in CALLED.items() for name in names.split()}


class Fault(StrEnum):
    """What is wrong with a line, or with the whole file."""

    EMPTY = "empty"
    NO_NUMBERS = "no_numbers"
    TWO_COLUMNS = "two_columns"
    TOO_MANY = "too_many"
    WHO = "who"
    NO_NUMBER = "no_number"
    NO_DATE = "no_date"
    TO_COME = "to_come"
    TOO_OLD = "too_old"
    TOO_LONG = "too_long"
    FORMULA = "formula"


SENTENCES: Mapping[Fault, str] = {
    Fault.EMPTY: "The file has no line with a number in it.",
    Fault.NO_NUMBERS: "The first line names no column number, so nobody knows which it is.",
    Fault.TWO_COLUMNS: "Two columns are both %(column)s: keep one of them.",
    Fault.TOO_MANY: f"The file has more than {MOST_LINES} lines. Take it apart.",
    Fault.WHO: "The line has no number.",
    Fault.NO_NUMBER: "%(cell)s is no phone number.",
    Fault.NO_DATE: "%(cell)s is no date. Write it as 2026-11-20.",
    Fault.TO_COME: "%(cell)s is still to come.",
    Fault.TOO_OLD: f"%(cell)s is before {FIRST_YEAR}, when nobody got texts.",
    Fault.TOO_LONG: f"The cell has more than {LONGEST_WORDS} characters.",
    Fault.FORMULA: "The cell begins with a formula (%(cell)s). Write what it shall say.",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """`line` is counted as a table program counts it, 0 for the whole file; `column` and `cell` may be empty."""

    line: int
    column: str
    fault: Fault
    cell: str = ""

    @property
    def values(self) -> Mapping[str, str]:
        return {"cell": self.cell, "column": self.column}

    def __str__(self) -> str:
        place = ", ".join(part for part in (f"line {self.line}" if self.line else "", self.column) if part)
        said = SENTENCES[self.fault] % self.values
        return f"{place}: {said}" if place else said


@dataclass(frozen=True, slots=True)
class Row:
    """One person of the file. Without `at` no date stood there."""

    line: int
    number: str
    at: datetime | None
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What was read. `rows` hold each number once, with its latest date; `twice` counts the lines that said a number
    again. `left_out` are the columns that are none of ours."""

    rows: tuple[Row, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    lines: int = 0
    twice: int = 0
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """How cells are read: a date without a time zone is of `zone`."""

    number: ReadNumber
    zone: tzinfo
    now: datetime


def read_listing(table: Iterable[Sequence[str]], how: Reading) -> Listing:
    """Read a table whose first line names its columns, in any order, one line at a time. Empty lines are passed
    over."""
    lines = ((line, cells) for line, cells in enumerate(table, 1) if any(cell.strip() for cell in cells))
    head = next(lines, None)
    if head is None:
        return _wrong(Trouble(0, "", Fault.EMPTY))
    columns = [_COLUMN_OF.get(fold(name).translate(_JOINED)) for name in head[1]]
    left_out = tuple(
        name.strip()[:LONGEST_WORDS]
        for name, column in zip(head[1], columns, strict=True)
        if column is None and name.strip()
    )
    if wrong := _wrong_columns(head[0], columns):
        return Listing((), wrong, 0, 0, left_out)
    return _read_all(lines, columns, left_out, how)


_JOINED = str.maketrans("", "", " -_.")


def _wrong(*troubles: Trouble) -> Listing:
    return Listing((), troubles)


def _wrong_columns(line: int, columns: Sequence[Column | None]) -> tuple[Trouble, ...]:
    named = [column for column in columns if column is not None]
    if Column.NUMBER not in named:
        return (Trouble(line, "", Fault.NO_NUMBERS),)
    return tuple(Trouble(line, column, Fault.TWO_COLUMNS) for column in Column if named.count(column) > 1)


def _read_all(
    lines: Iterator[tuple[int, Sequence[str]]],
    columns: Sequence[Column | None],
    left_out: tuple[str, ...],
    how: Reading,
) -> Listing:
    rows: dict[str, Row] = {}
    troubles: list[Trouble] = []
    count = twice = 0
    for line, cells in lines:
        count += 1
        if count > MOST_LINES:
            return Listing((), (Trouble(0, "", Fault.TOO_MANY),), count, 0, left_out)
        cell_of = {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if column is not None}
        said = {column: tame(cell) for column, cell in cell_of.items()}
        # what somebody made harmless before is no formula
        wrong = [
            Trouble(line, column, Fault.FORMULA, cell[:40]) for column, cell in cell_of.items() if is_formula(cell)
        ]
        wrong = wrong or list(_wrong_cells(line, said, how))
        troubles += wrong
        if not wrong:
            row = _row(line, said, how)
            known = rows.get(row.number)
            twice += known is not None
            rows[row.number] = row if known is None else _later(known, row)
    if not count:
        troubles.append(Trouble(0, "", Fault.EMPTY))
    return Listing(tuple(rows.values()), tuple(troubles), count, twice, left_out)


def _later(one: Row, other: Row) -> Row:
    """Of two lines about a person the one that was said last; without a date it counts as just now."""
    if one.at is None or (other.at is not None and other.at <= one.at):
        return one
    return other


def _wrong_cells(line: int, said: Mapping[Column, str], how: Reading) -> Iterator[Trouble]:
    if not said.get(Column.NUMBER):
        yield Trouble(line, "", Fault.WHO)
    for column, cell in said.items():
        if cell and (fault := _fault_of(column, cell, how)):
            yield Trouble(line, column, fault, cell[:40])


def _fault_of(column: Column, cell: str, how: Reading) -> Fault | None:
    if len(cell) > LONGEST_WORDS:
        return Fault.TOO_LONG
    if column is Column.NUMBER:
        return None if how.number(cell).e164 else Fault.NO_NUMBER
    return _fault_of_date(cell, how) if column is Column.DATE else None


def _fault_of_date(cell: str, how: Reading) -> Fault | None:
    at = read_date(cell, how.zone)
    if at is None:
        return Fault.NO_DATE
    if at.year < FIRST_YEAR:
        return Fault.TOO_OLD
    # a clock of theirs that goes before ours is no news from the future
    return Fault.TO_COME if at > how.now + timedelta(days=1) else None


def read_date(cell: str, zone: tzinfo) -> datetime | None:
    """A day or a moment as ISO 8601 has it; None for what is none, or could be two days."""
    try:
        at = datetime.fromisoformat(cell)
        return at if at.tzinfo is not None else at.replace(tzinfo=zone)
    except ValueError:
        return None


def _row(line: int, said: Mapping[Column, str], how: Reading) -> Row:
    number = how.number(said[Column.NUMBER]).e164
    assert number is not None, "it was read before"
    date = said.get(Column.DATE, "")
    at = read_date(date, how.zone) if date else None
    return Row(line, number, at, _words(said, Column.REASON), _words(said, Column.SOURCE))


def _words(said: Mapping[Column, str], column: Column) -> str:
    return " ".join(clean(said.get(column, "")).split())
