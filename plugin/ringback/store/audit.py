"""The record of who did what: rows that follow on one another, sealed with a key that is not in the database."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime

from ringback.errors import StoreFault
from ringback.keyfile import Key, Keys
from ringback.logs import REQUEST, SOURCE
from ringback.ports.people import Noted
from ringback.ports.record import Checked, Head
from ringback.store.anchors import Anchor
from ringback.store.chain import (
    AGED,
    DIGEST,
    SEALED,
    Begin,
    Span,
    Walk,
    Words,
    digest,
    has_key,
    last_of,
    link,
    rows_words,
    seal,
)
from ringback.store.counting import count_of
from ringback.store.moments import micros
from ringback.store.sql import insert, sql, sql_each
from ringback.store.tx import Row, Runner

DAEMON = "daemon"
DOOR = "audit:door"
"""The setting that lets rows up to its value go, for the length of a transaction; the triggers look for it."""
RECORD = "audit"
"""The name of the key that seals the record."""
AT_ONCE = 200
UNGUARDED = "the triggers that keep rows as they are were dropped"

NOTE = insert("audit", "id at who action about detail chain source request before after")
LAST = sql("SELECT id, chain FROM audit WHERE id = (SELECT max(id) FROM audit)")
SEAL_OF = sql("SELECT chain FROM audit WHERE id = :id")
NEXT = sql(f"SELECT {', '.join(SEALED.split())} FROM audit WHERE id > :after ORDER BY id LIMIT :limit")
LAST_AGED = sql("SELECT about, before FROM audit WHERE action = :aged ORDER BY id DESC LIMIT 1")
DROPPED = sql("SELECT value FROM setting WHERE key = 'retention:audit'")
UNGUARDED_BY = sql_each(
    """SELECT 3 - count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'
    AND name IN ('audit_unchanged', 'audit_stays', 'audit_unreplaced')""",
    """SELECT 2 - count(*) FROM pg_trigger WHERE tgrelid = (SELECT 'audit'::regclass)
    AND tgname IN ('audit_stays', 'audit_whole') AND tgenabled IN ('O', 'A')""",
)
"""How many of the triggers of tables/record.py are missing."""
FIRST = sql("SELECT min(id) FROM audit")
OPEN_DOOR = sql(
    """INSERT INTO setting (key, value, changed_at, changed_by) VALUES ('audit:door', :last, 0, 'daemon')
    ON CONFLICT (key) DO UPDATE SET value = excluded.value"""
)
FORGET = sql("DELETE FROM audit WHERE id <= :last")
SHUT_DOOR = sql("DELETE FROM setting WHERE key = 'audit:door'")
MOVES = sql(
    """SELECT id, message_id, at, state, reason FROM message_event
    WHERE id > coalesce((SELECT CAST(value AS BIGINT) FROM setting WHERE key = 'sealed'), 0) ORDER BY id LIMIT :most"""
)
PUT_SEALED = insert(
    "setting",
    "key value changed_at changed_by",
    "ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at",
)


class Audit:
    """Satisfies `ports.people.Audit`. Without a key, as where somebody only tries things, seals are of form 1."""

    def __init__(self, run: Runner) -> None:
        self._run = run
        self._key: Key | None = None

    def seal_with(self, key: Key | None) -> None:
        """From now on."""
        self._key = key

    def note(
        self,
        who: str,
        action: str,
        about: str,
        detail: str,
        now: datetime,
        *,
        source: str = "",
        request: str = "",
        before: str = "",
        after: str = "",
    ) -> None:
        """Write a row. Where from and in which request is known by itself, where a door let it in."""
        # looked up each time: what is remembered would be wrong after a roll-back, and people do little
        last = self.head()
        words = _words((who, action, about, detail), (source, request, before, after), now)
        self._run.change(NOTE, **self._row(last, words))

    def note_all(self, who: str, action: str, notes: Sequence[Noted], now: datetime) -> None:
        """Write a row for each."""
        last, rows = self.head(), list[dict[str, object]]()
        for one in notes:
            words = _words((who, action, one.about, one.detail), ("", "", one.before, one.after), now)
            row = self._row(last, words)
            rows.append(row)
            last = Head(last.row + 1, str(row["chain"]))
        self._run.many(NOTE, rows)

    def _row(self, last: Head, words: Words) -> dict[str, object]:
        return {
            "id": last.row + 1,
            "at": words.at,
            "who": words.who,
            "action": words.action,
            "about": words.about,
            "detail": words.detail,
            "chain": self._seal(last, words),
            "source": words.source,
            "request": words.request,
            "before": words.before,
            "after": words.after,
        }

    def _seal(self, last: Head, words: Words) -> str:
        if self._key is not None:
            return seal(self._key, last.seal, last.row + 1, words)
        if has_key(last.seal):
            raise StoreFault("the record is sealed with a key, and it is not here: nothing can be written down")
        return link(last.seal, words)

    def head(self) -> Head:
        """Where the record is now."""
        return Head(*(self._run.one(LAST) or (0, "")))

    def seal(self, most: int, now: datetime) -> int:
        """Put a digest of the next moves of texts into the record; returns of how many."""
        moves = self._run.all(MOVES, most=most)
        if moves:
            span = Span(moves[0][0], moves[-1][0], len(moves))
            self.note(DAEMON, DIGEST, str(span), digest(moves), now)
            self._run.change(PUT_SEALED, key="sealed", value=str(span.last), changed_at=micros(now), changed_by=DAEMON)
        return len(moves)

    def forget(self, last: int, now: datetime) -> None:
        """Drop the rows up to this one, whose time is over, and say so: the seal of the last holds what follows."""
        (first,) = self._run.one(FIRST) or (None,)
        (sealed,) = self._run.one(SEAL_OF, id=last) or ("",)
        self.note(DAEMON, AGED, rows_words(first or last, last), "", now, before=sealed)
        self._run.change(OPEN_DOOR, last=str(last))
        self._run.change(FORGET, last=last)
        self._run.change(SHUT_DOOR)

    def look(self, keys: Keys | None, anchors: Sequence[Anchor], now: datetime, breath_s: float = 0.0) -> Checked:
        """Go through all rows, and compare them with what was anchored. Between some and the next it takes a breath."""
        walk = Walk(keys.all if keys else None, self._begin(), anchors)
        if count_of(self._run.one(UNGUARDED_BY)):
            walk.notes.append(UNGUARDED)
        fault = walk.through(self._rows(breath_s))
        return Checked(now, walk.rows, walk.head, fault, tuple(walk.notes))

    def _begin(self) -> Begin:
        aged = self._run.one(LAST_AGED, aged=AGED)
        if aged is not None and (last := last_of(str(aged[0]))):
            return Begin(last, str(aged[1]))
        return Begin(count_of(self._run.one(DROPPED)))

    def _rows(self, breath_s: float) -> Iterator[Row]:
        after = -1
        while page := self._run.all(NEXT, after=after, limit=AT_ONCE):
            yield from page
            after = page[-1][0]
            if breath_s:
                time.sleep(breath_s)


def _words(said: tuple[str, str, str, str], more: tuple[str, str, str, str], now: datetime) -> Words:
    source, request, before, after = more
    known = (source or SOURCE.get(), request or REQUEST.get(), before, after)
    return Words(micros(now), *(_plain(word) for word in said), *(_plain(word) for word in known))


def _plain(word: str) -> str:
    """What both databases keep as it is: what is written and what is sealed must not differ by a letter."""
    whole = word.replace("\0", "")
    return whole if whole.isascii() else whole.encode("utf-8", "replace").decode()
