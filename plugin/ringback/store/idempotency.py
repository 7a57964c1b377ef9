"""What was asked with a key of the asker's own, so that asking twice does it once."""

import json
from collections.abc import Collection
from datetime import datetime

from ringback.store.moments import micros
from ringback.store.sql import for_each, rows, sql
from ringback.store.tx import Runner

ASKED = sql("SELECT asked, answer FROM idempotency WHERE principal = :principal AND key = :key")
ALL_ASKED = for_each(
    """SELECT i.principal, i.key, i.asked, i.answer FROM {each} CROSS JOIN idempotency i
    WHERE i.principal = each.principal AND i.key = each.key""",
    principal="text",
    key="text",
)
# No ON CONFLICT: a key that is there already must undo whatever its step did.
KEEP = rows("idempotency", "principal key asked answer at")
FORGET = sql(
    """DELETE FROM idempotency WHERE (principal, key) IN
    (SELECT principal, key FROM idempotency WHERE at < :at ORDER BY at LIMIT :limit)"""
)


class Idempotency:
    tables = frozenset({"idempotency"})

    def __init__(self, run: Runner) -> None:
        self._run = run
        self._known: dict[tuple[str, str], tuple[str, str] | None] = {}
        run.remember(self)

    def forget(self) -> None:
        self._known.clear()

    def read_ahead(self, keys: Collection[tuple[str, str]]) -> None:
        """Read what was asked with many keys, each with its principal, for a batch."""
        self._known = dict.fromkeys(keys)
        for principal, key, asked, answer in self._run.all(ALL_ASKED, each=json.dumps(list(self._known))):
            self._known[principal, key] = (asked, answer)

    def asked(self, principal: str, key: str) -> tuple[str, str] | None:
        """Return what was asked with this key, and the answer; None when it is new."""
        if (principal, key) in self._known:
            return self._known[principal, key]
        row = self._run.one(ASKED, principal=principal, key=key)
        return (row[0], row[1]) if row else None

    def keep(self, principal: str, key: str, asked: str, answer: str, now: datetime) -> None:
        self._run.later(KEEP, (principal, key, asked, answer, micros(now)))
        if (principal, key) in self._known:
            self._known[principal, key] = (asked, answer)

    def forget_old(self, before: datetime, limit: int) -> int:
        """Drop old keys, some at a time; returns how many."""
        return self._run.change(FORGET, at=micros(before), limit=limit)
