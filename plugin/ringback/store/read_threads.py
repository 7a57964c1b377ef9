"""Reads of the inbox: the list of threads page by page, and the head of one thread.

Each list is one statement that finds its rows by an index and, for each row, the newest line by three more look-ups.
"""

from dataclasses import replace

from sqlalchemy import Connection, Row, TextClause, text

from ringback.core import ids
from ringback.core.grants import Reach
from ringback.core.messages import State
from ringback.ports.threads import Head, LastLine, LineKind, Place, Point, ThreadPage, ThreadRow, Timeline, View
from ringback.store.consents import read_consents
from ringback.store.database import Database
from ringback.store.lists import lists_in
from ringback.store.moments import maybe_moment_of, moment_of
from ringback.store.reach import LITE, MINE, POST, Walk, as_json
from ringback.store.read_timeline import FAR, Kind, ledger_line, newest, recent_calls

A_PAGE = 50
LIVE_ENTRIES = 200
"""A page that is open for long shows more than it was opened with, and no more than this is followed."""

# In SQLite a CROSS JOIN keeps its order: the few texts in doubt first, then their threads.
_CHOSEN = {
    View.ALL: "SELECT * FROM thread WHERE (changed_at, id) < (:at, :id)",
    View.WAITING: "SELECT * FROM thread WHERE waits_since_at IS NOT NULL AND (changed_at, id) < (:at, :id)",
    View.DOUBT: """SELECT thread.* FROM
      (SELECT DISTINCT thread_id FROM message WHERE state IN ('held', 'unconfirmed', 'unresolved')) AS doubtful
      CROSS JOIN thread WHERE thread.id = doubtful.thread_id AND (changed_at, id) < (:at, :id)""",
}
_ORDER = "ORDER BY changed_at DESC, id DESC LIMIT :most"
_ROWS = """SELECT t.id, t.public_id, t.peer, n.e164 AS did, t.changed_at, t.unread, t.waits_since_at, f.opted_out_at,
    (SELECT d.state FROM message d WHERE d.thread_id = t.id AND d.state IN ('held', 'unconfirmed', 'unresolved')
       ORDER BY CASE d.state WHEN 'unconfirmed' THEN 1 WHEN 'unresolved' THEN 2 ELSE 3 END LIMIT 1) AS doubt,
    m.created_at AS out_at, m.body AS out_body, m.state AS out_state,
    i.at AS in_at, i.body AS in_body, i.media AS in_media, c.started_at AS call_at,
    c.direction, c.answered_at, c.ended_at, c.outcome
    FROM ({chosen}) AS t
    JOIN number n ON n.id = t.number_id LEFT JOIN pair_facts f ON f.thread_id = t.id
    LEFT JOIN message m ON m.id = (SELECT x.id FROM message x WHERE x.thread_id = t.id
      ORDER BY x.created_at DESC, x.id DESC LIMIT 1)
    LEFT JOIN incoming i ON i.id = (SELECT x.id FROM incoming x WHERE x.thread_id = t.id AND x.state <> 'waiting'
      ORDER BY x.at DESC, x.id DESC LIMIT 1)
    LEFT JOIN call c ON c.id = (SELECT x.id FROM call x WHERE x.peer = t.peer
      AND (x.did = n.e164 OR x.direction = 'outbound') ORDER BY x.started_at DESC, x.id DESC LIMIT 1)
    ORDER BY t.changed_at DESC, t.id DESC"""
PAGE = {view: text(_ROWS.format(chosen=f"{chosen} {_ORDER}")) for view, chosen in _CHOSEN.items()}
_PEERS = "SELECT * FROM thread WHERE peer = :peer"
OF_PEER = text(_ROWS.format(chosen=f"{_PEERS} {_ORDER}"))

_WALK = Walk("thread", "id public_id number_id peer changed_at unread waits_since_at", "changed_at", "number_id", True)
_WALKS = {View.ALL: _WALK, View.WAITING: replace(_WALK, where="AND x.waits_since_at IS NOT NULL")}


def _mine(kind: str) -> str:
    return f"AND thread.number_id IN (SELECT id FROM number WHERE e164 IN ({MINE[kind]}))"


PAGE_OF = {
    (kind, view): text(
        _ROWS.format(
            chosen=_WALKS[view].page(kind) if view in _WALKS else f"{_CHOSEN[view]} {_mine(kind)} {_ORDER}",
        )
    )
    for kind in (LITE, POST)
    for view in View
}
OF_PEER_OF = {kind: text(_ROWS.format(chosen=f"{_PEERS} {_mine(kind)} {_ORDER}")) for kind in (LITE, POST)}
WAITING_OF = {
    kind: text(
        f"""SELECT count(*) FROM (SELECT 1 FROM ({MINE[kind]}) AS mine CROSS JOIN number ours CROSS JOIN thread
        WHERE ours.e164 = mine.value AND thread.number_id = ours.id AND thread.waits_since_at IS NOT NULL
        LIMIT :most) AS few"""
    )
    for kind in (LITE, POST)
}
WAITING = text(
    """SELECT count(*) FROM
    (SELECT 1 FROM thread WHERE waits_since_at IS NOT NULL AND changed_at < :far LIMIT :most) AS few"""
)
HEAD = text(
    """SELECT t.id, t.public_id, t.peer, n.e164 AS did, t.unread, t.wrote_at, t.waits_since_at, f.opted_out_at,
    f.consents, (SELECT language FROM (SELECT m.language FROM message m WHERE m.thread_id = t.id
       ORDER BY m.created_at DESC, m.id DESC LIMIT 20) AS latest WHERE language <> '' LIMIT 1) AS spoken
    FROM thread t JOIN number n ON n.id = t.number_id LEFT JOIN pair_facts f ON f.thread_id = t.id
    WHERE t.public_id = :public_id"""
)
LEDGER = text(
    """SELECT e.id, e.at, e.kind, e.method, e.evidence, i.body FROM opt_out_event e
    LEFT JOIN incoming i ON i.public_id = e.evidence AND i.thread_id = e.thread_id
    WHERE e.thread_id = :thread ORDER BY e.at DESC, e.id DESC LIMIT 1"""
)


class StoredThreads:
    """Satisfies `ports.threads.ReadThreads`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, reach: Reach, view: View, after: Place | None = None) -> ThreadPage:
        at, id_ = after or (FAR, 0)
        return await self._database.read(lambda connection: read_page(connection, reach, view, Place(at, id_)))

    async def of_peer(self, reach: Reach, peer: str) -> ThreadPage:
        return await self._database.read(lambda connection: read_of_peer(connection, reach, peer))

    async def waiting(self, reach: Reach, most: int) -> int:
        return await self._database.read(lambda connection: count_waiting(connection, reach, most))

    async def head(self, reach: Reach, public_id: str) -> Head | None:
        if ids.kind_of(public_id) is not ids.Kind.THREAD:
            return None
        return await self._database.read(lambda connection: _head(connection, reach, public_id))

    async def timeline(self, head: Head, before: Point | None = None) -> Timeline:
        return await self._database.read(lambda connection: newest(connection, head, A_PAGE, before=before))

    async def since(self, head: Head, first: Point) -> Timeline:
        return await self._database.read(lambda connection: newest(connection, head, LIVE_ENTRIES, first=first))


def read_page(connection: Connection, reach: Reach, view: View, before: Place) -> ThreadPage:
    if reach.everything:
        return _page(connection, PAGE[view], **before._asdict())
    return _page(connection, PAGE_OF[connection.dialect.name, view], reach=as_json(reach), **before._asdict())


def read_of_peer(connection: Connection, reach: Reach, peer: str) -> ThreadPage:
    if reach.everything:
        return _page(connection, OF_PEER, peer=peer)
    return _page(connection, OF_PEER_OF[connection.dialect.name], reach=as_json(reach), peer=peer)


def count_waiting(connection: Connection, reach: Reach, most: int) -> int:
    if reach.everything:
        return int(connection.scalar(WAITING, {"far": FAR, "most": most}) or 0)
    values = {"reach": as_json(reach), "most": most}
    return int(connection.scalar(WAITING_OF[connection.dialect.name], values) or 0)


def _page(connection: Connection, statement: TextClause, **values: object) -> ThreadPage:
    found = connection.execute(statement, {**values, "most": A_PAGE + 1}).all()
    rows = tuple(_row(row) for row in found[:A_PAGE])
    return ThreadPage(rows, rows[-1].place if len(found) > A_PAGE else None)


def _row(row: "Row[tuple[object, ...]]") -> ThreadRow:
    return ThreadRow(
        place=Place(row.changed_at, row.id),
        public_id=row.public_id,
        did=row.did,
        peer=row.peer,
        changed_at=moment_of(row.changed_at),
        unread=row.unread,
        waits_since=maybe_moment_of(row.waits_since_at),
        opted_out=row.opted_out_at is not None,
        doubt=None if row.doubt is None else State(row.doubt),
        last=_last(row),
    )


def _last(row: "Row[tuple[object, ...]]") -> LastLine | None:
    lines = []
    if row.out_at is not None:
        lines.append(LastLine(LineKind.OUT, moment_of(row.out_at), row.out_body, row.out_state))
    if row.in_at is not None:
        lines.append(LastLine(LineKind.IN, moment_of(row.in_at), row.in_body, media=row.in_media))
    if row.call_at is not None:
        lines.append(
            LastLine(
                LineKind.CALL,
                moment_of(row.call_at),
                direction=row.direction,
                answered_at=maybe_moment_of(row.answered_at),
                ended_at=maybe_moment_of(row.ended_at),
                outcome=row.outcome,
            )
        )
    return max(lines, key=lambda line: line.at, default=None)


def _head(connection: Connection, reach: Reach, public_id: str) -> Head | None:
    row = connection.execute(HEAD, {"public_id": public_id}).first()
    if row is None or row.did not in reach:
        return None
    said = connection.execute(LEDGER, {"thread": row.id}).first() if row.opted_out_at is not None else None
    return Head(
        id=row.id,
        public_id=row.public_id,
        did=row.did,
        peer=row.peer,
        unread=row.unread,
        wrote_at=maybe_moment_of(row.wrote_at),
        waits_since=maybe_moment_of(row.waits_since_at),
        opted_out=None if said is None else ledger_line(said, Kind.LEDGER),
        language=row.spoken or "",
        calls=recent_calls(connection, row.peer, row.did),
        lists=lists_in(connection, row.id, row.peer),
        consents=read_consents(row.consents or ""),
    )
