"""What the state folder remembers of the database, so that one that went back in time is known by it.

The writer counts its commits in the database and, after each, here. A copy that somebody put back, and a standby that
took over without the end, have counted less than we remember. Every text after that count is forgotten there, though
it may have been sent.
"""

import os
from contextlib import suppress
from pathlib import Path

from ringback.errors import StoreFault

FILE = "commits"
_DIGITS = 20


class Mark:
    """The count of the last commit. Written without a flush, which a crash of ours survives."""

    def __init__(self, state: Path) -> None:
        self.path = state / FILE
        try:
            self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise StoreFault(f"{self.path}: cannot be written: {problem.strerror}") from problem

    def read(self) -> int:
        """0 when nothing is remembered."""
        words = os.pread(self._handle, _DIGITS, 0).strip()
        return int(words) if words.isdigit() else 0

    def write(self, count: int) -> None:
        """What cannot be written is left: the commit it counts stands, and a mark that lags behind harms nobody."""
        with suppress(OSError):
            os.pwrite(self._handle, f"{count:>{_DIGITS}}".encode(), 0)

    def close(self) -> None:
        with suppress(OSError):
            os.fsync(self._handle)
        os.close(self._handle)


def forget(state: Path) -> None:
    """Remember nothing: somebody put another database here, and has seen to it."""
    (state / FILE).unlink(missing_ok=True)
