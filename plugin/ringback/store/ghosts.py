"""Erased people: a keyed hash stands where their number stood, so that a STOP outlives its words."""

import hmac
import secrets

from ringback.store.sql import sql
from ringback.store.tx import Runner

KEY = sql("SELECT value FROM setting WHERE key = 'ghost'")
PUT_KEY = sql(
    """INSERT INTO setting (key, value, changed_at, changed_by) VALUES ('ghost', :value, 0, 'daemon')
    ON CONFLICT (key) DO NOTHING"""
)
PREFIX = "erased:"


class Ghosts:
    """One a connection. The key is made at the first start and never changes; without one nobody was erased."""

    def __init__(self, run: Runner) -> None:
        self._run = run
        self._key = b""

    def ready(self) -> None:
        """Make the key, unless there is one."""
        self._run.change(PUT_KEY, value=secrets.token_hex(32))
        self._look()

    def of(self, peer: str) -> str:
        if not self._key:
            self._look()
        return PREFIX + hmac.digest(self._key, peer.encode(), "sha256").hex()[:32] if self._key else PREFIX

    def _look(self) -> None:
        row = self._run.one(KEY)
        self._key = bytes.fromhex(row[0]) if row else b""
