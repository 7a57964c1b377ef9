"""What Asterisk wrote down of its calls (CEL or CDR as CSV) while nobody listened: the end of a file, read once a gap.

Such a file grows for ever, so only the part from a little before the gap is read, found by halving.
"""

import csv
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from ringback.asterisk import cdr_rows, cel
from ringback.asterisk.cdr_rows import UNIQUEID
from ringback.asterisk.recordings import calls, kind_of
from ringback.asterisk.rows import LONGEST_LINE, Fault, Layout, moment
from ringback.core.calls import Call
from ringback.errors import ProtocolError
from ringback.ports.callings import Recorded, RecordsAway

LONGEST_CALL = timedelta(hours=4)
"""How long before the gap a call may have begun that ended in it; its first rows stand that far before."""

MOST = 64 * 1024 * 1024
"""Bytes read for one gap; of a longer one only the end is known."""

ROTATED = ".1"


@dataclass(frozen=True, slots=True)
class CallFile:
    """One file that Asterisk writes. Satisfies `ports.callings.CallRecords`."""

    path: Path
    layout: Layout

    @property
    def name(self) -> str:
        return self.path.name

    def ended_between(self, since: datetime, until: datetime) -> Recorded:
        """Read the calls that ended in that time, in order of hang-up.

        A file that was rotated meanwhile is read too. Raises RecordsAway when there is nothing to read.
        """
        faults: list[Fault] = []
        found: dict[str, Call] = {}
        whole = True
        for path in (self.path.with_name(self.path.name + ROTATED), self.path):
            try:
                ended, all_of_it = self._calls(path, since - LONGEST_CALL, faults)
            except FileNotFoundError:
                if path == self.path:
                    raise RecordsAway(f"there is no {path}") from None
                continue
            except (OSError, ProtocolError) as problem:
                raise RecordsAway(f"{path} cannot be read: {problem}") from problem
            whole = whole and all_of_it
            for call in ended:
                if UNIQUEID.fullmatch(call.uniqueid) and call.ended_at is not None and since <= call.ended_at <= until:
                    found.setdefault(call.uniqueid, call)
        return Recorded(tuple(found.values()), len(faults), whole)

    def _calls(self, path: Path, since: datetime, faults: list[Fault]) -> tuple[list[Call], bool]:
        """The calls of one file from then on, and whether all of them were read."""
        if path.stat().st_size:
            kind_of(path)  # what is neither CEL nor CDR is told, and not taken for a file without calls
        with tempfile.NamedTemporaryFile(prefix="ringback-", suffix=".csv") as part:
            whole = _copy_end(path, part, since, self.layout)
            part.flush()
            return list(calls(Path(part.name), self.layout, faults.append)) if part.tell() else [], whole


def _copy_end(path: Path, part: "tempfile._TemporaryFileWrapper[bytes]", since: datetime, layout: Layout) -> bool:
    """Copy the rows from then on; says whether all of them fitted."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        first = file.readline(LONGEST_LINE)
        header = cel.columns_of(_cells(first)) or cdr_rows.columns_of(_cells(first))
        # a file with a header is somebody's export: its columns may stand in any order
        start = 0 if header else _first_at(file, size, since, layout)
        begin = max(start, size - MOST)
        file.seek(begin)
        if begin > start:
            file.readline(LONGEST_LINE)
        while chunk := file.read(1024 * 1024):
            part.write(chunk)
    return begin == start


def _first_at(file: BinaryIO, size: int, since: datetime, layout: Layout) -> int:
    """Where the first line of that time or later begins; lines stand in the order of their times."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        at, after = _line_behind(file, middle, layout)
        if at is not None and at < since:
            low = after
        else:
            high = middle
    return low


def _line_behind(file: BinaryIO, place: int, layout: Layout) -> tuple[datetime | None, int]:
    """The time of the first line that begins at `place` or behind and has one, and where the next line begins."""
    file.seek(max(place - 1, 0))
    if place:
        file.readline(LONGEST_LINE)
    while line := file.readline(LONGEST_LINE):
        at = _time_of(_cells(line), layout)
        if at is not None:
            return at, file.tell()
    return None, file.tell()


def _time_of(cells: Sequence[str], layout: Layout) -> datetime | None:
    """When a row of CEL happened, or one of CDR ended: in that order they are written."""
    text = cells[1] if len(cells) > 1 and cells[0] in cel.EVENT_TYPES else cells[11] if len(cells) > 11 else ""
    try:
        return moment(text, layout.zone) if text else None
    except (ValueError, OverflowError, OSError):
        return None


def _cells(line: bytes) -> list[str]:
    try:
        return next(csv.reader([line.decode("utf-8-sig", "replace").rstrip("\r\n")]), [])
    except csv.Error:
        return []
