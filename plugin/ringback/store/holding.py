"""Holding the state folder, so that one Ringback at a time writes."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ringback.errors import Locked, StoreFault


@contextmanager
def hold(state: Path) -> Iterator[None]:
    """Hold the state folder: one writing Ringback at a time. Raises Locked, naming who holds it, or StoreFault."""
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o750)
        handle = os.open(state / "ringback.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as problem:
        raise StoreFault(f"{problem.filename or state}: cannot be written: {problem.strerror}") from problem
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            holder = os.read(handle, 32).decode(errors="replace").strip() or "unknown"
            raise Locked(f"process {holder} already runs on {state}; stop it first") from problem
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)
