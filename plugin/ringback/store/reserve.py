"""Room kept free on the disk, so that what became of texts on their way can be written when nothing else can."""

import os
from contextlib import suppress
from pathlib import Path

FILE = "reserve"
SIZE = 16 * 1024 * 1024
SPARE = 1024 * 1024
"""What must be free beside the reserve before new work is taken again."""


class Reserve:
    """A file that is given up when the disk is full, and made again when there is room."""

    def __init__(self, folder: Path, size: int = SIZE) -> None:
        self.path = folder / FILE
        self._size = size
        self.gone = False
        """Whether the disk was full, and there was no room for the reserve since."""

    def fill(self) -> None:
        """Make it; whether there was room is in `gone`."""
        try:
            self._make()
        except OSError:
            self.gone = True
            self.release()
        else:
            self.gone = False

    def _make(self) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(handle, 0, self._size)
            os.fsync(handle)
            free = os.fstatvfs(handle)
        finally:
            os.close(handle)
        if free.f_bavail * free.f_frsize < SPARE:
            raise OSError("no room beside the reserve")

    def release(self) -> None:
        """The disk is full: give the room to the database."""
        self.gone = True
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
