"""Lines, CSV rows and times of recorded files: bounded in memory, and what cannot be read is a fault, not an end."""

import csv
import gzip
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, cast

LONGEST_LINE = 128 * 1024 - 1
"""Below the csv module's own limit for one field."""

FROM_OUTSIDE = frozenset({"from-trunk", "from-pstn", "from-did-direct", "from-carrier"})
_EPOCH = re.compile(r"[0-9]{1,12}(\.[0-9]+)?")
_GZIP = b"\x1f\x8b"
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)
"""What reading raises in the middle of a gzip file that was cut off or changed."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a recording does not say of itself. `zone` is that of CDR and CEL times without an offset.

    `trust_caller_id`: a number counts as shown where nothing was recorded about that.
    """

    pbx: str = ""
    inbound: frozenset[str] = FROM_OUTSIDE
    zone: tzinfo = UTC
    trust_caller_id: bool = True


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that was left out, and why."""

    line: int
    why: str


Report = Callable[[Fault], None]


def opened(path: Path) -> BinaryIO:
    """The bytes of a file, unpacked when it is gzip by its content. Raises OSError."""
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    return cast("BinaryIO", gzip.GzipFile(path, "rb")) if packed else path.open("rb")


class Lines:
    """The good lines of a file as text. `number` is that of the line handed out last."""

    def __init__(self, path: Path, report: Report) -> None:
        self._path = path
        self._report = report
        self.number = 0

    def fault(self, why: str) -> None:
        """Report the current line."""
        self._report(Fault(self.number, why))

    def __iter__(self) -> Iterator[str]:
        with opened(self._path) as file:
            while line := self._next(file):
                if line[-1:] != b"\n" and len(line) > LONGEST_LINE:
                    self.fault(f"longer than {LONGEST_LINE} bytes")
                    self._skip_line(file)
                elif b"\0" in line:
                    self.fault("holds a NUL byte")
                elif line.count(b'"') % 2:
                    self.fault("a quote is not closed")
                else:
                    yield line.decode("utf-8-sig" if self.number == 1 else "utf-8", "replace")

    def _next(self, file: BinaryIO) -> bytes:
        self.number += 1
        try:
            return file.readline(LONGEST_LINE + 1)
        except DAMAGED:
            self.fault("the gzip file is cut off or damaged")
            return b""

    def _skip_line(self, file: BinaryIO) -> None:
        try:
            while (more := file.readline(LONGEST_LINE)) and more[-1:] != b"\n":
                pass
        except DAMAGED:
            return


def csv_rows(lines: Lines) -> Iterator[list[str]]:
    """Rows of CSV text, one a line: a stray quote must not swallow the lines behind it, so none may span two."""
    reader = csv.reader(lines)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            lines.fault(str(problem))
            continue
        if row:
            yield row


def header_key(name: str) -> str:
    """A column's name as it is compared: `cid_num`, `CID Num` and `cidnum` are one."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def picker(header: Sequence[str], names: Sequence[str]) -> Callable[[list[str]], tuple[str, ...]]:
    """Pick columns by name, in the order of `names`; a row needs one more empty cell, for those that are missing."""
    return itemgetter(*[header.index(name) if name in header else -1 for name in names])


@lru_cache(maxsize=4096)
def moment(text: str, zone: tzinfo) -> datetime:
    """Read `2026-11-21 23:30:06`, any ISO time, or seconds since 1970, as UTC. Raises ValueError.

    Remembered, since one second stands in many rows.
    """
    if _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(float(text), UTC)
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        read = read.replace(tzinfo=zone)
    try:
        return read.astimezone(UTC)
    except OverflowError as problem:
        raise ValueError(f"out of range: {text}") from problem
