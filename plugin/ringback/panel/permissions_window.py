"""Which part of the permission matrix a request is about: its address says it all, so it can be kept and sent on."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from ringback.core.book import Book
from ringback.core.department_tree import by_id
from ringback.core.grants import ALL_NUMBERS, CLASSES, SENDING, Cell, Effect, Way
from ringback.flow.roster import Band, Column, Roster, Row, Sought

ROWS, NUMBERS = 50, 12
MOST_ROWS, MOST_NUMBERS = 200, 60
BOTH = "both"
WAYS_SHOWN: Mapping[str, tuple[Way, ...]] = {
    BOTH: (Way.SEND, Way.RECEIVE),
    Way.SEND: (Way.SEND,),
    Way.RECEIVE: (Way.RECEIVE,),
    Way.BULK: (Way.BULK,),
    Way.MMS: (Way.MMS,),
    Way.EXPORT: (Way.EXPORT,),
    "all": tuple(Way),
}
SET, CHANGED = "set", "changed"


@dataclass(frozen=True, slots=True)
class Window:
    """What the filters say. `row` and `col` are the first row and number; `only` is SET, CHANGED or empty."""

    words: str = ""
    numbers: str = ""
    department: str = ""
    group: str = ""
    way: str = BOTH
    class_: str = ""
    only: str = ""
    row: int = 0
    col: int = 0
    rows: int = ROWS
    cols: int = NUMBERS
    fold: tuple[str, ...] = ()

    @property
    def ways(self) -> tuple[Way, ...]:
        return WAYS_SHOWN[self.way]

    @property
    def filtered(self) -> bool:
        """Whether rows are left out by a wish."""
        return bool(self.words or self.department or self.only)

    def class_of(self, way: Way) -> str:
        """The kind of text a cell is about; ways that do not go by kind are about all."""
        return self.class_ if way in SENDING else ""

    def query(self, **other: object) -> str:
        """The address of this window, or of one that differs in these."""
        pairs = {
            "q": self.words,
            "n": self.numbers,
            "dept": self.department,
            "group": self.group,
            "way": "" if self.way == BOTH else self.way,
            "class": self.class_,
            "only": self.only,
            "row": self.row or "",
            "col": self.col or "",
            "rows": "" if self.rows == ROWS else self.rows,
            "cols": "" if self.cols == NUMBERS else self.cols,
            "fold": ".".join(self.fold),
        }
        text = urlencode({key: value for key, value in (pairs | other).items() if value not in ("", 0)})
        return f"?{text}" if text else ""

    def folding(self, public_id: str) -> str:
        """The address with one department folded, or unfolded."""
        fold = self.fold
        fold = tuple(one for one in fold if one != public_id) if public_id in fold else (*fold, public_id)
        return self.query(fold=".".join(fold))


def read_window(query: Mapping[str, str]) -> Window:
    """Read the address; what makes no sense there is as if it were not."""
    return Window(
        words=query.get("q", "")[:100],
        numbers=query.get("n", "")[:100],
        department=query.get("dept", ""),
        group=query.get("group", ""),
        way=way if (way := query.get("way", BOTH)) in WAYS_SHOWN else BOTH,
        class_=kind if (kind := query.get("class", "")) in CLASSES else "",
        only=only if (only := query.get("only", "")) in (SET, CHANGED) else "",
        row=read_count(query.get("row", ""), 0, 10**6),
        col=read_count(query.get("col", ""), 0, 10**6),
        rows=read_count(query.get("rows", ""), ROWS, MOST_ROWS),
        cols=read_count(query.get("cols", ""), NUMBERS, MOST_NUMBERS),
        fold=tuple(dict.fromkeys(filter(None, query.get("fold", "").split("."))))[:200],
    )


def read_count(text: str, otherwise: int, most: int) -> int:
    """A count in an address; what makes no sense there is as if it were not."""
    return (
        min(int(text), most) if text.isascii() and text.isdigit() and int(text[:8]) > 0 and len(text) < 8 else otherwise
    )


@dataclass(frozen=True, slots=True)
class View:
    """A window on a roster: the rows and numbers in it, and how many there are of each."""

    window: Window
    rows: tuple[tuple[Row, bool], ...]
    bands: tuple[Band, ...]
    found: tuple[Row, ...]
    start: int
    all_numbers: int
    col: int

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(column for band in self.bands for column in band.columns)


def look(roster: Roster, window: Window, changes: Mapping[Cell, Effect | None]) -> View:
    """Find what stands in a window."""
    found = tuple(roster.seek(sought_of(roster, window, changes)))
    start = min(window.row, max(0, len(found) - 1))
    group = _group_of(window.group, roster.book)
    numbers = roster.seek_numbers(window.numbers, group)
    col = min(window.col, max(0, len(numbers) - 1))
    here = numbers[col : col + window.cols]
    bands = [Band("", (roster.all_numbers,))] if not window.numbers else []
    for band, column in here:
        if len(bands) == 0 or bands[-1].group != band.group or bands[-1].columns[0].scope == ALL_NUMBERS:
            whole = band.columns[:1] if band.group else ()
            bands.append(Band(band.name, whole, band.count, band.group))
        last = bands[-1]
        bands[-1] = Band(last.name, (*last.columns, column), last.count, last.group)
    rows = roster.with_context(found[start : start + window.rows])
    return View(window, tuple(rows), tuple(bands), found, start, len(numbers), col)


def sought_of(roster: Roster, window: Window, changes: Mapping[Cell, Effect | None]) -> Sought:
    """What the filters say, as the roster takes it. Whoever looks for somebody finds them in folded departments too."""
    department = by_id(roster.book.departments, window.department)
    ids = {one.public_id: one.id for one in roster.book.departments.values()}
    only = None
    if window.only == SET:
        only = frozenset(cell.subject for cell in roster.book.written)
    elif window.only == CHANGED:
        only = frozenset(cell.subject for cell in changes)
    folded = frozenset() if window.words or only else frozenset(ids[one] for one in window.fold if one in ids)
    return Sought(window.words, department.id if department else 0, only, folded)


def _group_of(text: str, book: Book) -> int | None:
    if text == "none":
        return 0
    return next((one.id for one in book.groups.values() if one.public_id == text), None)
