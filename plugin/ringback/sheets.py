"""Tables as files, in and out: CSV as table programs write it, and XLSX. What goes out is never a formula."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from zipfile import BadZipFile

from ringback.core.formulas import defused
from ringback.errors import RingbackError

Table = list[list[str]]

LARGEST = 8 * 1024 * 1024
"""Bytes of a file that is read; 20,000 people have a tenth of it."""
LARGEST_INSIDE = 64 * 1024 * 1024
"""What an XLSX may unpack to: a small one can hold a huge one."""
MOST_ROWS, MOST_COLUMNS = 25_000, 100
_ZIP = b"PK\x03\x04"


def N_(text: str) -> str:  # noqa: N802 - marks what pages translate; they are no part of this
    return text


class BadSheet(RingbackError):
    """The file is no table; `why` says what to do, with `values` in its places."""

    def __init__(self, why: str, **values: str) -> None:
        super().__init__(why % values)
        self.why = why
        self.values = values


UNREAD = N_("This XLSX cannot be read. Save it again, or as CSV.")


def read_sheet(data: bytes) -> Table:
    """Read a CSV, whatever its separator, or an XLSX, by what is in it. Raises BadSheet."""
    return list(stream_sheet(data, MOST_ROWS))


def stream_sheet(data: bytes, most: int) -> Iterator[list[str]]:
    """The same row by row, for files of `most` lines that are not wanted as a whole. Raises BadSheet on the way."""
    if len(data) > LARGEST:
        raise BadSheet(N_("The file is larger than 8 MB. Take it apart."))
    yield from _read_xlsx(data, most) if data.startswith(_ZIP) else _read_csv(data, most)


def _read_csv(data: bytes, most: int) -> Iterator[list[str]]:
    text = _text_of(data)
    if "\0" in text:
        raise BadSheet(N_("This is neither CSV nor XLSX. Save it as one of these."))
    # strict: what stands behind a closing quote would else be taken for more of the cell
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    try:
        yield from _bounded(rows, most)
    except csv.Error as problem:
        why = N_("Line %(line)s cannot be read as CSV: %(problem)s.")
        raise BadSheet(why, line=str(rows.line_num), problem=str(problem)) from problem


def _text_of(data: bytes) -> str:
    for start, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if data.startswith(start):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                break
    # what table programs on Windows write where nobody asks for UTF-8
    return data.decode("cp1252", "replace")


def _separator(text: str) -> str:
    head = text.partition("\n")[0]
    return max((",", ";", "\t"), key=head.count)


def _read_xlsx(data: bytes, most: int) -> Iterator[list[str]]:
    """The first sheet. Formulas come as they were written, so that they can be refused."""
    from zipfile import ZipFile  # noqa: PLC0415 - openpyxl and what it needs cost 100 ms, and few ever read a file

    from openpyxl import load_workbook  # noqa: PLC0415
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    try:
        with ZipFile(io.BytesIO(data)) as packed:
            if sum(one.file_size for one in packed.infolist()) > LARGEST_INSIDE:
                raise BadSheet(N_("The file unpacks to more than 64 MB. Take it apart."))
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False)
        try:
            rows = book.worksheets[0].iter_rows(values_only=True)
            yield from _bounded(([_cell(value) for value in row] for row in rows), most)
        finally:
            book.close()
    except BadSheet:
        raise
    except (BadZipFile, InvalidFileException, KeyError, ValueError, IndexError, OSError, TypeError) as problem:
        raise BadSheet(UNREAD) from problem
    except Exception as problem:  # the XML inside is anybody's, and each fault of it has an error of its own
        raise BadSheet(UNREAD) from problem


def _cell(value: object) -> str:
    """A cell as text: 101 that a table program took for a number is no 101.0."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _bounded(rows: Iterable[Sequence[str]], most: int) -> Iterator[list[str]]:
    for count, row in enumerate(rows):
        if len(row) > MOST_COLUMNS and any(cell for cell in row[MOST_COLUMNS:]):
            raise BadSheet(N_("The file has more than %(most)s columns."), most=str(MOST_COLUMNS))
        if count >= most:
            raise BadSheet(N_("The file has more than %(most)s lines. Take it apart."), most=str(most))
        yield list(row[:MOST_COLUMNS])


def write_csv(rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """CSV as RFC 4180 has it, in UTF-8 with a mark, which table programs need to take it for that."""
    yield b"\xef\xbb\xbf"
    for row in rows:
        line = io.StringIO(newline="")
        csv.writer(line).writerow([defused(cell) for cell in row])
        yield line.getvalue().encode()


def write_xlsx(rows: Iterable[Sequence[str]], title: str) -> bytes:
    """One sheet with every cell a text, so that numbers stay exact and nothing is a formula."""
    from openpyxl import Workbook  # noqa: PLC0415 - as above
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for row in rows:
        cells = []
        for text in row:
            cell = WriteOnlyCell(sheet, value=_writable(text))
            cell.data_type = "s"
            cell.number_format = "@"
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _writable(text: str) -> str:
    """XML has no place for most control characters."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else " " for letter in text)
