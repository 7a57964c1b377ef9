"""Rows of sessions with what a list shows of them: names, the newest line, an open request to take them."""

from collections.abc import Mapping
from functools import lru_cache

from sqlalchemy import Connection, TextClause, text

from ringback.core.grants import Reach
from ringback.ports.sessions import SessionRow, TransferRow
from ringback.store.moments import maybe_moment_of, moment_of
from ringback.store.reach import MINE, as_json
from ringback.store.session_rows import NAMES, session_of
from ringback.store.tx import Row

_WIDTH = len(NAMES)
NOBODY = 0
"""The row of no account."""
_NAMED = "coalesce(nullif({0}.name, ''), {0}.login, '')"
_ASKED = f"""r.id, few.public_id, {_NAMED.format("rb")}, coalesce(nullif(rq.name, ''), {_NAMED.format("ra")}),
    r.note, r.asked_at, r.due_at, r.to_queue,
    CASE WHEN r.to_queue IS NULL THEN r.to_agent = :account
      ELSE EXISTS (SELECT 1 FROM queue_member x WHERE x.queue_id = r.to_queue AND x.account_id = :account)
        OR NOT EXISTS (SELECT 1 FROM queue_member x WHERE x.queue_id = r.to_queue) END"""
# The newest line of a thread, as its list has it; the few sessions are those that were chosen.
_FEW = ", ".join(f"few.{name}" for name in NAMES)
_ROWS = f"""SELECT {_FEW}, t.public_id, q.name, {_NAMED.format("a")}, {_NAMED.format("o")}, t.unread, f.opted_out_at,
    m.created_at, m.body, i.at, i.body, {_ASKED}
    FROM ({{chosen}}) AS few JOIN thread t ON t.id = few.thread_id JOIN text_queue q ON q.id = few.queue_id
    LEFT JOIN account a ON a.id = few.agent_id LEFT JOIN account o ON o.id = few.offered_to
    LEFT JOIN pair_facts f ON f.thread_id = t.id
    LEFT JOIN message m ON m.id = (SELECT x.id FROM message x WHERE x.thread_id = t.id
      ORDER BY x.created_at DESC, x.id DESC LIMIT 1)
    LEFT JOIN incoming i ON i.id = (SELECT x.id FROM incoming x WHERE x.thread_id = t.id AND x.state <> 'waiting'
      ORDER BY x.at DESC, x.id DESC LIMIT 1)
    LEFT JOIN transfer r ON r.session_id = few.id AND r.state = 'requested'
    LEFT JOIN account rb ON rb.id = r.by_agent LEFT JOIN account ra ON ra.id = r.to_agent
    LEFT JOIN text_queue rq ON rq.id = r.to_queue ORDER BY {{order}}"""


def read_rows(
    connection: Connection, reach: Reach, chosen: str, order: str = "few.id", **values: object
) -> tuple[SessionRow, ...]:
    """Sessions within a reach with what a list shows of them; `chosen` says which, `account` for whom."""
    statement, more = within(connection, reach, _ROWS.replace("{chosen}", chosen).replace("{order}", order))
    account = values.get("account") or NOBODY
    rows = connection.execute(statement, {**values, **more, "account": account})
    return tuple(_row(tuple(row), account != NOBODY) for row in rows)


def within(connection: Connection, reach: Reach, statement: str) -> tuple[TextClause, Mapping[str, object]]:
    """A statement with `{mine}` in it, held to a reach, and the values that takes."""
    kind = connection.dialect.name
    if reach.everything:
        return _statement(statement, ""), {}
    return _statement(statement, kind), {"reach": as_json(reach)}


@lru_cache(64)
def _statement(statement: str, kind: str) -> TextClause:
    return text(statement.replace("{mine}", f"AND s.did IN ({MINE[kind]})" if kind else ""))


def _row(row: Row, for_somebody: bool) -> SessionRow:
    session = session_of(row[:_WIDTH])
    thread, queue, agent, offered_to, unread, opted_out, out_at, out_body, in_at, in_body, *asked = row[_WIDTH:]
    last_at, last = max((out_at or 0, out_body or ""), (in_at or 0, in_body or ""))
    return SessionRow(
        session,
        thread,
        queue,
        agent,
        offered_to,
        last,
        maybe_moment_of(last_at or None),
        unread,
        opted_out is not None,
        _transfer(tuple(asked), for_somebody) if asked[0] is not None else None,
    )


def _transfer(row: Row, for_somebody: bool) -> TransferRow:
    id_, session, by, to, note, asked_at, due_at, to_queue, theirs = row
    to_me = for_somebody and bool(theirs)
    return TransferRow(id_, session, by, to, to_me, note, moment_of(asked_at), moment_of(due_at), to_queue is not None)
