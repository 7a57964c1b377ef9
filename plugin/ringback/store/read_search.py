"""Reads texts by their words: what is in the index, and before it what is too new to be in it.

Both sides are read by their ids downwards, and merged by time. So a page goes on exactly where the one before ended,
also when texts got into the index meanwhile.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ringback.core.grants import Reach
from ringback.core.search import Query, Term, cut
from ringback.ports.search import EVERYWHERE, Found, FoundPage, FoundPlace, Side, Within
from ringback.ports.threads import Point
from ringback.store.database import Database
from ringback.store.moments import moment_of
from ringback.store.reach import LITE, MINE, POST, as_json
from ringback.store.read_timeline import FAR, Kind
from ringback.store.reading import reading
from ringback.store.search import MARK, key_of
from ringback.store.sql import Sql, sql, sql_each
from ringback.store.tx import Row, Runner

A_PAGE = 30
TAIL = 1_000
"""So many texts of each side are looked through by themselves, while they are not in the index."""
LATEST = {"sqlite": 1_000, "postgresql": 10_000}
"""So many rows are looked through from the newest on, before all that has a word is gathered: where that is much, and
would take long, these have a page full of it."""

THREAD = sql("SELECT t.id, n.e164 FROM thread t JOIN number n ON n.id = t.number_id WHERE t.public_id = :thread")
NUMBER = sql("SELECT id FROM number WHERE e164 = :did")
OURS = sql_each(
    **{
        kind: f"SELECT id FROM number WHERE e164 IN ({mine}) ORDER BY id"
        for kind, mine in (("sqlite", MINE[LITE]), ("postgres", MINE[POST]))
    }
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One side's statements; each row is as `_row` reads it."""

    latest: Sql
    all: Sql
    tail: Sql
    kind: Kind


_SHOWN = {
    "message": "x.id, x.public_id, x.created_at, x.body, x.state, t.public_id, t.peer, n.e164",
    "incoming": "x.id, x.public_id, x.at, x.body, '', t.public_id, t.peer, n.e164",
}
_AROUND = "JOIN thread t ON t.id = x.thread_id JOIN number n ON n.id = t.number_id"


def _shown(table: str, found: str) -> str:
    # in SQLite a CROSS JOIN keeps its order: first what is found, then what it says
    return f"""SELECT {_SHOWN[table]} FROM ({found}) few CROSS JOIN {table} x {_AROUND}
    WHERE x.id = few.id ORDER BY x.id DESC"""


def _lite(index: str) -> tuple[str, str]:
    """In SQLite: what the latest rows have, each needle in its words; and what the index has."""
    latest = f"""SELECT id FROM (SELECT rowid AS id, words, whose FROM {index} WHERE rowid < :before
    ORDER BY rowid DESC LIMIT {LATEST["sqlite"]}) AS latest
    WHERE NOT EXISTS (SELECT 1 FROM json_each(:needles) AS always WHERE
    instr(' ' || words || ' # ' || whose || ' #', always.value) = 0)
    AND (:ours IS NULL
      OR CAST(substr(whose, instr(whose, ' n') + 2) AS INTEGER) IN (SELECT value FROM json_each(:ours)))
    ORDER BY id DESC LIMIT :most"""
    every = f"""SELECT rowid AS id FROM {index} WHERE {index} MATCH :words AND rowid < :before
    ORDER BY rowid DESC LIMIT :most"""
    return latest, every


def _post(index: str) -> tuple[str, str]:
    """The same in PostgreSQL. To gather all it gets an order that no index has, so that the one of words is used."""
    fits = "words @@ CAST(:words AS tsquery)"
    latest = f"""SELECT id FROM (SELECT id, words FROM {index} WHERE id < :before
    ORDER BY id DESC LIMIT {LATEST["postgresql"]}) AS latest WHERE {fits} ORDER BY id DESC LIMIT :most"""
    return latest, f"SELECT id FROM {index} WHERE {fits} AND id < :before ORDER BY id + 0 DESC LIMIT :most"


def _asked(table: str, index: str, kind: Kind, more: str) -> Asked:
    lite, post = _lite(index), _post(index)
    return Asked(
        sql_each(sqlite=_shown(table, lite[0]), postgres=_shown(table, post[0])),
        sql_each(sqlite=_shown(table, lite[1]), postgres=_shown(table, post[1])),
        sql(
            f"""SELECT {_SHOWN[table]}, t.id, t.number_id FROM {table} x {_AROUND}
            WHERE x.id > :mark AND x.id < :before {more} ORDER BY x.id DESC LIMIT :most"""
        ),
        kind,
    )


ASKED: Mapping[Side, Asked] = {
    Side.OUT: _asked("message", "search_out", Kind.OUT, ""),
    Side.IN: _asked("incoming", "search_in", Kind.IN, "AND x.state <> 'waiting'"),
}
AGAIN = sql(
    f"""SELECT {_SHOWN["incoming"]}, t.id, t.number_id FROM search_again again JOIN incoming x
    ON x.id = again.incoming_id
    {_AROUND} WHERE x.state <> 'waiting' AND x.id < :before ORDER BY again.incoming_id DESC LIMIT :most"""
)


class StoredSearch:
    """Satisfies `ports.search.ReadSearch`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(
        self, reach: Reach, query: Query, within: Within = EVERYWHERE, after: FoundPlace | None = None
    ) -> FoundPage:
        if not query.says_enough:
            return FoundPage(())
        return await self._database.read(lambda connection: _find(connection, reach, query, within, after))


@dataclass(frozen=True, slots=True)
class _Where:
    """Where to look: `thread` is a row, 0 for all; `numbers` are rows of ours, None for all."""

    thread: int = 0
    numbers: tuple[int, ...] | None = None

    @property
    def nowhere(self) -> bool:
        return self.numbers == ()


@dataclass(frozen=True, slots=True)
class _Look:
    """What one page is read with."""

    run: Runner
    query: Query
    words: str
    needles: str
    gathers: bool
    where: _Where

    @property
    def ours(self) -> str | None:
        """The rows of the numbers to look in, as statements take them."""
        return None if self.where.numbers is None else json.dumps(self.where.numbers)

    def here(self, row: Row) -> bool:
        """Whether a row of the tail is in the place that was asked for, and fits."""
        *shown, thread, number = row
        where = self.where
        there = where.thread in (0, thread) and (where.numbers is None or number in where.numbers)
        return there and self.query.fits(shown[3])


def _find(connection: Connection, reach: Reach, query: Query, within: Within, after: FoundPlace | None) -> FoundPage:
    run = reading(connection)
    where = _where(run, reach, within)
    if where.nowhere:
        return FoundPage(())
    lite = connection.dialect.name == LITE
    words = (_for_lite if lite else _for_post)(query, where)
    # FTS5 walks from the newest on, but for a beginning it gathers all words that have it
    gathers = not lite or query.terms[-1].begins
    look = _Look(run, query, words, _needles(query, where), gathers, where)
    place = after or FoundPlace(FAR, FAR)
    sides = {
        Side.OUT: _read(look, Side.OUT, place.out),
        Side.IN: _read(look, Side.IN, place.came),
    }
    shown, place = _newest(sides, place)
    more = sum(len(side.rows) for side in sides.values()) > len(shown)
    rows = tuple(_row(side, row, query) for side, row in shown)
    return FoundPage(rows, place if more else None, all(side.whole for side in sides.values()))


NOWHERE = _Where(numbers=())


def _where(run: Runner, reach: Reach, within: Within) -> _Where:
    """The place that was asked for, as far as whoever asks may look."""
    if within.thread:
        row = run.one(THREAD, thread=within.thread)
        if row is None or row[1] not in reach or within.did not in ("", row[1]):
            return NOWHERE
        return _Where(row[0])
    if within.did:
        number = run.one(NUMBER, did=within.did) if within.did in reach else None
        return NOWHERE if number is None else _Where(numbers=(number[0],))
    if reach.everything:
        return _Where()
    return _Where(numbers=tuple(row[0] for row in run.all(OURS, reach=as_json(reach))))


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of a side: rows from the newest on, and whether all that is not in the index was seen."""

    rows: Sequence[Row]
    whole: bool


def _read(look: _Look, side: Side, before: int) -> _Read:
    # how far the index goes is read first: what gets into it meanwhile is seen twice, and nothing is missed
    asked, run = ASKED[side], look.run
    mark = run.one(MARK, key=key_of(side))
    fresh = run.all(asked.tail, mark=int(mark[0]) if mark else 0, before=before, most=TAIL + 1)
    changed = run.all(AGAIN, before=before, most=TAIL) if side is Side.IN else []
    rows = {row[0]: row[:-2] for row in (*fresh[:TAIL], *changed) if look.here(row)}
    stale = {row[0] for row in changed}
    for row in _indexed(look, asked, before, A_PAGE + 1 + len(stale)):
        if row[0] not in stale:
            rows.setdefault(row[0], row)
    return _Read([rows[id_] for id_ in sorted(rows, reverse=True)][: A_PAGE + 1], len(fresh) <= TAIL)


def _indexed(look: _Look, asked: Asked, before: int, most: int) -> Sequence[Row]:
    latest: Sequence[Row] = ()
    if look.gathers:
        more = {"needles": look.needles, "ours": look.ours}
        latest = look.run.all(asked.latest, words=look.words, before=before, most=most, **more)
    return latest if len(latest) >= most else look.run.all(asked.all, words=look.words, before=before, most=most)


def _newest(sides: Mapping[Side, _Read], place: FoundPlace) -> tuple[list[tuple[Side, Row]], FoundPlace]:
    """One page of both sides by their times, each in the order of its rows; and where it ends."""
    left = {side: list(read.rows) for side, read in sides.items()}
    shown: list[tuple[Side, Row]] = []
    while len(shown) < A_PAGE and any(left.values()):
        side = max((side for side in Side if left[side]), key=lambda side: left[side][0][2])
        shown.append((side, left[side].pop(0)))
    ends = {side: row[0] for side, row in shown}
    return shown, FoundPlace(ends.get(Side.OUT, place.out), ends.get(Side.IN, place.came))


def _row(side: Side, row: Row, query: Query) -> Found:
    id_, public_id, at, body, state, thread, peer, did = row
    point = Point(at, ASKED[side].kind, id_)
    return Found(side, point, public_id, moment_of(at), thread, did, peer, cut(body, query), state)


# Words have letters and digits only, so nothing in them could end a quotation.


def _needles(query: Query, where: _Where) -> str:
    """What must stand in a row of FTS5, whose words have one blank between them."""
    terms = [f" {' '.join(term.words)}{'' if term.begins else ' '}" for term in query.terms]
    return json.dumps([*terms, *([f"# t{where.thread} "] if where.thread else [])])


def _for_lite(query: Query, where: _Where) -> str:
    """What to look for, in the language of FTS5."""

    def said(term: Term) -> str:
        return f'"{" ".join(term.words)}"{" *" if term.begins else ""}'

    thread = [f'whose : "t{where.thread}"'] if where.thread else []
    numbers = " OR ".join(f'"n{row}"' for row in where.numbers or ())
    ours = [f"whose : ({numbers})"] if numbers else []
    return " AND ".join((*thread, *ours, f"words : ({' AND '.join(map(said, query.terms))})"))


def _for_post(query: Query, where: _Where) -> str:
    """What to look for, as PostgreSQL's tsquery is written."""

    def said(term: Term) -> str:
        words = [f"'{word}'" for word in term.words]
        return f"({' <-> '.join(words)}{':*' if term.begins else ''})"

    thread = [f"'#t{where.thread}'"] if where.thread else []
    numbers = " | ".join(f"'#n{row}'" for row in where.numbers or ())
    ours = [f"({numbers})"] if numbers else []
    return " & ".join((*thread, *ours, *map(said, query.terms)))
