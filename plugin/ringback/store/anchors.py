"""Where the record was at a moment, kept outside the database: a tail that was cut off is missed by this file.

The same line goes to the log, which journald and syslog keep out of reach of whoever has only the database.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ringback.errors import StoreFault
from ringback.ports.record import Head

FILE = "audit.anchors"


@dataclass(frozen=True, slots=True)
class Anchor:
    """The last row at a moment, and its seal."""

    at: datetime
    row: int
    seal: str

    def __str__(self) -> str:
        return f"{self.at.isoformat(timespec='seconds')} {self.row} {self.seal or '-'}"


class Anchors:
    """Satisfies `ports.record.Anchors`."""

    def __init__(self, state: Path) -> None:
        self.path = state / FILE

    def keep(self, head: Head, now: datetime) -> bool:
        """Write a line, unless the last one says the same; returns whether there was something to write."""
        last = next(reversed(read_anchors(self.path)), None)
        if last is not None and (last.row, last.seal) == (head.row, head.seal):
            return False
        line = f"{Anchor(now, head.row, head.seal)}\n"
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(handle, line.encode())
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as problem:
            raise StoreFault(f"{self.path}: cannot be written: {problem.strerror}") from problem
        return True


def read_anchors(path: Path) -> list[Anchor]:
    """Those of a file, the oldest first; a file that is not there has none. Half a line was never written."""
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines(keepends=True)
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise StoreFault(f"{path}: cannot be read: {problem.strerror}") from problem
    return [_anchor(path, number, line) for number, line in enumerate(lines, 1) if line.endswith("\n")]


def _anchor(path: Path, number: int, line: str) -> Anchor:
    try:
        at, row, seal = line.rstrip("\n").split(" ")
        return Anchor(datetime.fromisoformat(at), int(row), "" if seal == "-" else seal)
    except ValueError as problem:
        raise StoreFault(f"{path}: line {number} is no anchor") from problem
