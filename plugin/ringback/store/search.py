"""Puts texts into the index by their words, some at a time behind those who write them, and takes them out again."""

from collections.abc import Mapping
from dataclasses import dataclass

from ringback.core.search import words_of
from ringback.ports.search import Side
from ringback.store.sql import Sql, sql, sql_each
from ringback.store.tx import Row, Runner

INDEXES = ("search_out", "search_in")
"""What went out, and what came in."""

MARK = sql("SELECT value FROM setting WHERE key = :key")
PUT_MARK = sql(
    """INSERT INTO setting (key, value, changed_at, changed_by) VALUES (:key, :value, 0, 'search')
    ON CONFLICT (key) DO UPDATE SET value = excluded.value"""
)
CAME_AGAIN = sql(
    """SELECT again.incoming_id, i.body, i.thread_id, t.number_id, i.state FROM
    (SELECT again.incoming_id FROM search_again again ORDER BY again.incoming_id LIMIT :limit) AS again
    JOIN incoming i ON i.id = again.incoming_id JOIN thread t ON t.id = i.thread_id
    ORDER BY again.incoming_id"""
)
SEEN_AGAIN = sql("DELETE FROM search_again WHERE incoming_id = :id")
LAST = {
    Side.OUT: sql("SELECT coalesce(max(id), 0) FROM message"),
    Side.IN: sql("SELECT coalesce(max(id), 0) FROM incoming"),
}


def _put(index: str) -> Sql:
    return sql_each(
        sqlite=f"INSERT OR REPLACE INTO {index} (rowid, words, whose) VALUES (:id, :words, :whose)",
        postgres=f"""INSERT INTO {index} (id, words) VALUES (:id, CAST(:vector AS tsvector))
        ON CONFLICT (id) DO UPDATE SET words = excluded.words""",
    )


def _merge(index: str) -> Sql:
    return sql_each(sqlite=f"INSERT INTO {index} ({index}, rank) VALUES ('merge', :pages)", postgres="SELECT 0")


def _forget(index: str, rows: str) -> Sql:
    return sql_each(
        sqlite=f"DELETE FROM {index} WHERE {rows.format(id='rowid')}",
        postgres=f"DELETE FROM {index} WHERE {rows.format(id='id')}",
    )


_WALKED = "{id} > :mark AND {id} <= :last"
_IN_THREAD = "{{id}} IN (SELECT id FROM {table} WHERE thread_id = :thread)"
FORGET_SENT = _forget("search_out", _WALKED)
FORGET_CAME = _forget("search_in", _WALKED)
FORGET_THREAD = (
    _forget("search_out", _IN_THREAD.format(table="message")),
    _forget("search_in", _IN_THREAD.format(table="incoming")),
)
MERGE = {Side.OUT: _merge("search_out"), Side.IN: _merge("search_in")}
# Only FTS5 keeps words of rows that are gone; it says by the rows it changed whether there was something to do.
CHANGED = sql_each(sqlite="SELECT total_changes()", postgres="SELECT 0")
PAGES = 100
"""Of the index that are written anew at once: a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where one side's texts come from, and where they go."""

    next: Sql
    put: Sql


SOURCES: Mapping[Side, Source] = {
    Side.OUT: Source(
        sql(
            """SELECT m.id, m.body, m.thread_id, t.number_id, '' FROM message m JOIN thread t ON t.id = m.thread_id
            WHERE m.id > :mark ORDER BY m.id LIMIT :limit"""
        ),
        _put("search_out"),
    ),
    Side.IN: Source(
        sql(
            """SELECT i.id, i.body, i.thread_id, t.number_id, i.state FROM incoming i
            JOIN thread t ON t.id = i.thread_id WHERE i.id > :mark ORDER BY i.id LIMIT :limit"""
        ),
        _put("search_in"),
    ),
}


def key_of(side: Side) -> str:
    """The setting that says how far a side is in the index."""
    return f"search:{side}"


def _words(row: Row) -> dict[str, object] | None:
    """A row as the index takes it; None for one without words, or that waits for its pieces."""
    id_, body, thread, number, state = row
    words = words_of(body) if state != "waiting" else []
    if not words:
        return None
    places = [f"'{word}':{place}" for place, word in enumerate(words, 1)]
    vector = " ".join((f"'#t{thread}'", f"'#n{number}'", *places))
    return {"id": id_, "words": " ".join(words), "whose": f"t{thread} n{number}", "vector": vector}


class Search:
    """Satisfies `ports.search.Search`."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def take_in(self, limit: int) -> int:
        return sum(self._advance(side, limit) for side in Side) + self._again(limit)

    def _mark(self, side: Side) -> int:
        row = self._run.one(MARK, key=key_of(side))
        return int(row[0]) if row else 0

    def _advance(self, side: Side, limit: int) -> int:
        source = SOURCES[side]
        rows = self._run.all(source.next, mark=self._mark(side), limit=limit)
        if rows:
            self._run.many(source.put, [words for row in rows if (words := _words(row))])
            self._run.change(PUT_MARK, key=key_of(side), value=str(rows[-1][0]))
        return len(rows)

    def _again(self, limit: int) -> int:
        """Texts whose pieces came; what still waits for some is told of again when they come."""
        rows = self._run.all(CAME_AGAIN, limit=limit)
        self._run.many(SOURCES[Side.IN].put, [words for row in rows if (words := _words(row))])
        self._run.many(SEEN_AGAIN, [{"id": row[0]} for row in rows])
        return len(rows)

    def behind(self) -> int:
        left = 0
        for side in Side:
            (last,) = self._run.one(LAST[side]) or (0,)
            left += max(0, int(last) - self._mark(side))
        return left

    def begin_wipe(self) -> None:
        for side in Side:
            self._run.change(MERGE[side], pages=-PAGES)

    def wipe(self) -> bool:
        return any([self._merged(side) for side in Side])  # noqa: C419  # each side is worked on, not the first only

    def _merged(self, side: Side) -> bool:
        before = self._changed()
        self._run.change(MERGE[side], pages=PAGES)
        return self._changed() - before >= 2  # one is the command itself

    def _changed(self) -> int:
        (changed,) = self._run.one(CHANGED) or (0,)
        return int(changed)
