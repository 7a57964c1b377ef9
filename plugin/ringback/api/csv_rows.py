"""CSV as it comes in, row by row; the first row names the columns."""

import csv
from collections.abc import Iterator

from ringback.api.streams import LONGEST_ITEM, BrokenStream, Found, Unread, Utf8
from ringback.core.plurals import count_of

DELIMITERS = ",;\t"
MOST_COLUMNS = 50


class CsvRows:
    """CSV whose first row names the columns. The head comes by another way, so there is one from the start."""

    places = "line"

    def __init__(self) -> None:
        self.head: str | None = "{}"
        self._text = Utf8()
        self._rest = ""
        self._line = 1
        self._names: list[str] = []
        self._delimiter = ","

    def feed(self, chunk: bytes, *, last: bool) -> list[Found]:
        text = self._rest + self._text.decode(chunk, last=last)
        found: list[Found] = []
        for record in self._records(text, last=last):
            line, self._line = self._line, self._line + record.count("\n") + 1
            if not record or record.isspace():
                continue
            if self._names:
                found.append(Found(line, self._row(record)))
            else:
                self._read_names(record)
        if last and not self._names:
            raise BrokenStream("there is no first row: name the columns there, as in to,name")
        return found

    def _records(self, text: str, *, last: bool) -> Iterator[str]:
        """Cut the text into rows; one whose quotes are open goes on in the next line. What is not whole is kept."""
        *lines, rest = text.split("\n")
        held = ""
        for line in lines:
            held = f"{held}\n{line}" if held else line
            if '"' not in held or held.count('"') % 2 == 0:
                yield held
                held = ""
            elif len(held) > LONGEST_ITEM:
                break
        self._rest = f"{held}\n{rest}" if held else rest
        if len(self._rest) > LONGEST_ITEM:
            raise BrokenStream(f"the row on line {self._line} does not end: is a quote missing?")
        if last:
            yield self._rest

    def _read_names(self, record: str) -> None:
        self._delimiter = max(DELIMITERS, key=record.count)
        row = self._row(record)
        names = [] if isinstance(row, Unread) else [str(name).strip() for name in self._cells(record)]
        if "to" not in names or len(set(names)) < len(names) or len(names) > MOST_COLUMNS:
            raise BrokenStream('the first row must name each column once, one of them "to", as in to,name')
        self._names = names

    def _cells(self, record: str) -> list[str]:
        return next(csv.reader((record,), delimiter=self._delimiter, strict=True))

    def _row(self, record: str) -> object:
        try:
            cells = self._cells(record)
        except csv.Error as problem:
            return Unread(f"is no row of CSV: {problem}")
        if self._names and len(cells) != len(self._names):
            return Unread(f"has {count_of(len(cells), 'field')}, where the first row has {len(self._names)}")
        return dict(zip(self._names, cells, strict=False))
