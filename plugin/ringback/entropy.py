"""Random bytes for ids: taken many at a time, since asking the system costs more than making an id of them.

Each thread has its own, so nothing is handed out twice and nobody waits. A secret asks the system itself.
"""

import os
import threading

BLOCK = 4096


class _Pool(threading.local):
    block = b""
    used = 0


_pool = _Pool()


def _forget() -> None:
    _pool.block = b""
    _pool.used = 0


os.register_at_fork(after_in_child=_forget)  # else parent and child would make the same ids


def entropy(count: int) -> bytes:
    """Return so many random bytes; up to BLOCK."""
    start, end = _pool.used, _pool.used + count
    if end > len(_pool.block):
        _pool.block = os.urandom(BLOCK)
        start, end = 0, count
    _pool.used = end
    return _pool.block[start:end]
