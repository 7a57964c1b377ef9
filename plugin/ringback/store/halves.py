"""Room for what is half done, beside the file it becomes. What a kill left there goes the next time."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HALF = ".ringback-half"
"""How the name of such a folder ends. One that a process works in is locked by it."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def room_beside(target: Path) -> Iterator[Path]:
    """A folder of our own beside `target`, for as long as it is used."""
    sweep(target.parent)
    folder, handle = _make(target)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def _make(target: Path) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(HALF, f".{target.name}.", target.parent))
        with suppress(FileNotFoundError):  # somebody swept before we held it
            handle = os.open(folder, _FOLDER)
            fcntl.flock(handle, fcntl.LOCK_EX)
            if folder.exists():
                return folder, handle
            os.close(handle)


def sweep(parent: Path) -> None:
    """Remove what others of us left half done there and nobody works in any more."""
    for folder in parent.glob(f".*{HALF}"):
        with suppress(OSError):
            handle = os.open(folder, _FOLDER)
            try:
                if os.fstat(handle).st_uid == os.geteuid():
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(handle)
