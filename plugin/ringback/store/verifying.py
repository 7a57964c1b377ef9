"""Looks through the whole record beside whatever runs, with the key and the anchors of the state folder."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import cast

from ringback.keyfile import Keys, known_keys
from ringback.ports.record import Checked
from ringback.store.anchors import FILE, read_anchors
from ringback.store.audit import RECORD, Audit
from ringback.store.database import peek

BREATH_S = 0.01
"""The daemon's loop works meanwhile, and must not wait for us each time."""


def verify(url: str, state: Path, now: datetime, keys: Keys | None = None, breath_s: float = 0.0) -> Checked:
    """Raises StoreFault for a database, a key file or anchors that cannot be read."""
    known, anchors = keys or known_keys(state, RECORD), read_anchors(state / FILE)
    return peek(url, lambda tx: cast(Audit, tx.audit).look(known, anchors, now, breath_s))


class Verifier:
    """Satisfies `ports.record.Verifier`."""

    def __init__(self, url: str, state: Path) -> None:
        self._url = url
        self._state = state

    async def check(self, now: datetime) -> Checked:
        """Off the loop."""
        return await asyncio.to_thread(verify, self._url, self._state, now, breath_s=BREATH_S)
