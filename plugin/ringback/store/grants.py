"""The grants of an installation, and the book they are resolved by."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ringback.core.book import Book
from ringback.core.grants import Cell, Effect, Level, Subject, Way
from ringback.ports.grants import Allowance, Change, Draft, NumberCard
from ringback.store.book import load, turn, version
from ringback.store.departments import Numbers
from ringback.store.moments import micros, moment_of
from ringback.store.reading import reading
from ringback.store.sql import insert, sql
from ringback.store.tx import Row, Runner

if TYPE_CHECKING:
    from sqlalchemy import Connection as Reading

    from ringback.store.database import Database

_CELL = "level, subject_id, way, scope, class_"
_THIS = "level = :level AND subject_id = :subject_id AND way = :way AND scope = :scope AND class_ = :class_"
_CHANGE = f"id, batch, at, by_, {_CELL}, before, after, note"

SAID = sql(f"SELECT effect FROM grant_ WHERE {_THIS}")
PUT = insert(
    "grant_",
    "level subject_id way scope class_ effect note set_by set_at",
    """ON CONFLICT (level, subject_id, way, scope, class_) DO UPDATE SET effect = excluded.effect,
    note = excluded.note, set_by = excluded.set_by, set_at = excluded.set_at""",
)
DROP = sql(f"DELETE FROM grant_ WHERE {_THIS}")
CHANGED = insert("grant_change", "batch at by_ level subject_id way scope class_ before after note")
OF_BATCH = sql(f"SELECT {_CHANGE} FROM grant_change WHERE batch = :batch ORDER BY id")
LATEST = sql(
    f"""SELECT {_CHANGE} FROM grant_change WHERE level = :level AND subject_id = :subject_id AND way = :way
    AND scope = :scope AND class_ = :class_ ORDER BY id DESC LIMIT 1"""
)
# One walk through what was ever changed for whom the batch is about; cell by cell each would walk it again.
LAST_CHANGES = sql(
    """SELECT max(l.id) FROM (SELECT DISTINCT level, subject_id FROM grant_change WHERE batch = :batch) AS few
    CROSS JOIN grant_change l WHERE l.level = few.level AND l.subject_id = few.subject_id
    GROUP BY l.level, l.subject_id, l.way, l.scope, l.class_"""
)
HISTORY = sql(f"SELECT {_CHANGE} FROM grant_change WHERE id < :before ORDER BY id DESC LIMIT :most")
HISTORY_OF = sql(
    f"""SELECT {_CHANGE} FROM grant_change WHERE level = :level AND subject_id = :subject_id AND id < :before
    ORDER BY id DESC LIMIT :most"""
)
DRAFTS = sql(f"SELECT {_CELL}, effect, seen FROM grant_draft WHERE account_id = :account_id ORDER BY at, {_CELL}")
DRAFT = insert(
    "grant_draft",
    "account_id level subject_id way scope class_ effect seen at",
    """ON CONFLICT (account_id, level, subject_id, way, scope, class_) DO UPDATE
    SET effect = excluded.effect, at = excluded.at""",
)
FORGET_DRAFT = sql(f"DELETE FROM grant_draft WHERE account_id = :account_id AND {_THIS}")
FORGET_DRAFTS = sql("DELETE FROM grant_draft WHERE account_id = :account_id")
ALLOWANCES = sql("SELECT level, subject_id, soft, hard, set_by, set_at FROM allowance ORDER BY level, subject_id")
ALLOW = insert(
    "allowance",
    "level subject_id soft hard set_by set_at",
    """ON CONFLICT (level, subject_id) DO UPDATE SET soft = excluded.soft, hard = excluded.hard,
    set_by = excluded.set_by, set_at = excluded.set_at""",
)
NO_ALLOWANCE = sql("DELETE FROM allowance WHERE level = :level AND subject_id = :subject_id")
LARGEST = 2**62


class Grants:
    """Satisfies `ports.grants.Grants`. The last book that was read is kept as long as it holds; whether it does is
    looked up once a transaction, and again after whatever may have changed it."""

    tables = frozenset({"setting"})

    def __init__(self, run: Runner) -> None:
        self._run = run
        self._book: Book | None = None
        self._holds = False
        run.remember(self)

    def forget(self) -> None:
        self._holds = False

    def book(self) -> Book:
        if self._book is None or not self._holds:
            now = version(self._run)
            if self._book is None or self._book.version != now:
                self._book = load(self._run)
            self._holds = True
        return self._book

    def put(self, cell: Cell, effect: Effect | None, note: str, batch: str, by: str, now: datetime) -> Effect | None:
        row = self._run.one(SAID, **_named(cell))
        before = Effect(row[0]) if row else None
        if effect is None:
            self._run.change(DROP, **_named(cell))
        else:
            self._run.change(PUT, **_named(cell), effect=effect, note=note, set_by=by, set_at=micros(now))
        if before is not effect:
            words = {"before": before or "", "after": effect or "", "note": note}
            self._run.change(CHANGED, batch=batch, at=micros(now), by_=by, **_named(cell), **words)
        turn(self._run, by, now)
        return before

    def put_all(
        self, cells: Sequence[tuple[Cell, Effect | None]], note: str, batch: str, by: str, now: datetime
    ) -> None:
        said = {cell: grant.effect for cell, grant in self.book().written.items()}
        other = [(cell, effect) for cell, effect in cells if said.get(cell) is not effect]
        if not other:
            return
        at, words = micros(now), {"note": note, "batch": batch, "by_": by}
        whose = {"note": note, "set_by": by, "set_at": at}
        self._run.many(PUT, [_named(cell) | whose | {"effect": effect} for cell, effect in other if effect is not None])
        self._run.many(DROP, [_named(cell) for cell, effect in other if effect is None])
        changed = [
            _named(cell) | words | {"at": at, "before": said.get(cell) or "", "after": effect or ""}
            for cell, effect in other
        ]
        self._run.many(CHANGED, changed)
        turn(self._run, by, now)

    def changes_of(self, batch: str) -> list[Change]:
        return [_change(row) for row in self._run.all(OF_BATCH, batch=batch)]

    def last_changes(self, batch: str) -> frozenset[int]:
        return frozenset(row[0] for row in self._run.all(LAST_CHANGES, batch=batch))

    def latest(self, cell: Cell) -> Change | None:
        row = self._run.one(LATEST, **_named(cell))
        return _change(row) if row else None

    def history(self, level: Level | None, subject: int, before: int, most: int) -> list[Change]:
        limits = {"before": before or LARGEST, "most": most}
        if level is None:
            return [_change(row) for row in self._run.all(HISTORY, **limits)]
        return [_change(row) for row in self._run.all(HISTORY_OF, level=level, subject_id=subject, **limits)]

    def drafts(self, account: int) -> list[Draft]:
        rows = self._run.all(DRAFTS, account_id=account)
        return [Draft(_cell(tuple(cell)), _maybe(effect), _maybe(seen)) for *cell, effect, seen in rows]

    def draft(self, account: int, draft: Draft, now: datetime) -> None:
        self.draft_all(account, [draft], now)

    def draft_all(self, account: int, drafts: Sequence[Draft], now: datetime) -> None:
        whose = {"account_id": account, "at": micros(now)}
        rows = [_named(one.cell) | whose | {"effect": one.effect or "", "seen": one.seen or ""} for one in drafts]
        self._run.many(DRAFT, rows)

    def drop_drafts(self, account: int, cells: Iterable[Cell] | None = None) -> None:
        if cells is None:
            self._run.change(FORGET_DRAFTS, account_id=account)
            return
        self._run.many(FORGET_DRAFT, [{"account_id": account, **_named(cell)} for cell in cells])

    def allowances(self) -> list[Allowance]:
        rows = self._run.all(ALLOWANCES)
        return [Allowance(level, subject, soft, hard, by, moment_of(at)) for level, subject, soft, hard, by, at in rows]

    def allow_segments(self, level: str, subject: int, soft: int, hard: int, by: str, now: datetime) -> None:
        if not soft and not hard:
            self._run.change(NO_ALLOWANCE, level=level, subject_id=subject)
        else:
            at = micros(now)
            self._run.change(ALLOW, level=level, subject_id=subject, soft=soft, hard=hard, set_by=by, set_at=at)
        turn(self._run, by, now)


class ReadGrants:
    """Satisfies `ports.grants.ReadGrants`."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def version(self) -> str:
        return await self._database.read(lambda connection: version(reading(connection)))

    async def book(self) -> Book:
        return await self._database.read(lambda connection: load(reading(connection)))

    async def numbers(self) -> list[NumberCard]:
        return await self._database.read(lambda connection: Numbers(reading(connection)).all())

    async def drafts(self, account: int) -> list[Draft]:
        return await self._database.read(lambda connection: _grants(connection).drafts(account))

    async def changes_of(self, batch: str) -> list[Change]:
        return await self._database.read(lambda connection: _grants(connection).changes_of(batch))

    async def history(self, level: Level | None, subject: int, before: int, most: int) -> list[Change]:
        return await self._database.read(lambda connection: _grants(connection).history(level, subject, before, most))

    async def allowances(self) -> list[Allowance]:
        return await self._database.read(lambda connection: _grants(connection).allowances())


def _grants(connection: "Reading") -> Grants:
    return Grants(reading(connection))


def _named(cell: Cell) -> dict[str, object]:
    level, subject_id = cell.subject
    return {"level": level, "subject_id": subject_id, "way": cell.way, "scope": cell.scope, "class_": cell.class_}


def _cell(row: Row) -> Cell:
    level, subject_id, way, scope, class_ = row
    return Cell(Subject(Level(level), subject_id), Way(way), scope, class_)


def _maybe(effect: str) -> Effect | None:
    return Effect(effect) if effect else None


def _change(row: Row) -> Change:
    id_, batch, at, by, *cell, before, after, note = row
    return Change(id_, batch, moment_of(at), by, _cell(tuple(cell)), _maybe(before), _maybe(after), note)
