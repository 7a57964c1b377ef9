"""What was asked with a key of the asker's own, so that asking twice does it once."""

from datetime import datetime

from ringback.store.moments import micros
from ringback.store.sql import insert, sql
from ringback.store.tx import Runner

ASKED = sql("SELECT asked, answer FROM idempotency WHERE principal = :principal AND key = :key")
# No ON CONFLICT: a key that is there already must undo whatever its step did.
KEEP = insert("idempotency", "principal key asked answer at")
FORGET = sql("DELETE FROM idempotency WHERE at < :at")


class Idempotency:
    def __init__(self, run: Runner) -> None:
        self._run = run

    def asked(self, principal: str, key: str) -> tuple[str, str] | None:
        """Return what was asked with this key, and the answer; None when it is new."""
        row = self._run.one(ASKED, principal=principal, key=key)
        return (row[0], row[1]) if row else None

    def keep(self, principal: str, key: str, asked: str, answer: str, now: datetime) -> None:
        self._run.change(KEEP, principal=principal, key=key, asked=asked, answer=answer, at=micros(now))

    def forget_old(self, before: datetime) -> None:
        self._run.change(FORGET, at=micros(before))
