"""One line of calls, texts and opt-outs with one person, page by page.

Four kinds of rows are read apart, each by its own index, and merged by time; equal times keep the order of the kinds.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import IntEnum

from sqlalchemy import Connection, Row, TextClause, bindparam, text

from ringback.core import ids
from ringback.core.messages import State
from ringback.core.permissions import Asker
from ringback.core.reasons import Reason
from ringback.flow.holds import PREFIX
from ringback.ports.holds import Held
from ringback.ports.stories import AttemptStory, StepStory
from ringback.ports.threads import CallLine, Entry, Head, InLine, LedgerLine, OutLine, Point, ReceiptLine, Timeline
from ringback.store.moments import maybe_moment_of, moment_of

Found = Row[tuple[object, ...]]

FAR = 2**62
"""Later than any time, and more than any row."""
NO_TIME = -1
SHORT_OF_CALLS = 3


class Kind(IntEnum):
    """What comes first of things that have the same time."""

    CALL = 0
    IN = 1
    LEDGER = 2
    OUT = 3


def _between(at: str, id_: str) -> str:
    return f"""({at}, {id_}) < (:at, :id) AND ({at}, {id_}) >= (:from_at, :from_id)
    ORDER BY {at} DESC, {id_} DESC LIMIT :most"""


_CALL = """SELECT id, public_id, started_at AS at, direction, answered_at, ended_at, rang_us, waited_us, queue, outcome,
    decision, reason, rule, pbx, uniqueid, answered_by FROM call
    WHERE peer = :peer AND (did = :did OR direction = 'outbound')"""
CALLS = text(f"{_CALL} AND {_between('started_at', 'id')}")
RECENT_CALLS = text(f"{_CALL} ORDER BY started_at DESC, id DESC LIMIT :most")
INCOMING = text(
    f"""SELECT i.id, i.public_id, i.at, i.body, i.state, i.command, i.pieces, i.media, r.at AS repeats_at
    FROM incoming i LEFT JOIN incoming r ON r.id = i.repeats_id
    WHERE i.thread_id = :thread AND i.state <> 'waiting' AND {_between("i.at", "i.id")}"""
)
LEDGER = text(
    f"""SELECT e.id, e.at, e.kind, e.method, e.evidence, i.body FROM opt_out_event e
    LEFT JOIN incoming i ON i.public_id = e.evidence
    AND i.thread_id = e.thread_id WHERE e.thread_id = :thread AND {_between("e.at", "e.id")}"""
)
MESSAGES = text(
    f"""SELECT m.id, m.public_id, m.created_at AS at, m.body, m.state, m.reason, m.not_before, m.segments, m.carrier,
    m.cause, m.automatic, m.command, m.rule, c.public_id AS call_id, m.account_id,
    COALESCE(a.name, k.name) AS author, s.value AS held_why,
    s.changed_at AS held_since, s.changed_by AS held_by
    FROM message m LEFT JOIN call c ON c.id = m.call_id LEFT JOIN account a ON a.id = m.account_id
    LEFT JOIN api_key k ON k.public_id = substr(m.cause, {len(Asker.PROGRAM) + 2})
    LEFT JOIN setting s ON m.state IN ('held', 'queued') AND s.key = '{PREFIX}' || m.carrier
    WHERE m.thread_id = :thread AND {_between("m.created_at", "m.id")}"""
)


def _of_these(statement: str) -> TextClause:
    return text(statement).bindparams(bindparam("these", expanding=True))


STEPS = _of_these(
    "SELECT message_id AS of, at, state, reason, detail FROM message_event WHERE message_id IN :these ORDER BY id"
)
ATTEMPTS = _of_these(
    """SELECT id, message_id AS of, public_id, carrier, opened_at, closed_at, outcome, cause, provider_id FROM attempt
    WHERE message_id IN :these ORDER BY id"""
)
RECEIPTS = _of_these(
    """SELECT attempt_id AS of, CASE WHEN carrier_at > 0 THEN carrier_at ELSE received_at END AS carrier_at,
    status, error FROM receipt WHERE attempt_id IN :these ORDER BY id"""
)
PIECES = _of_these("SELECT incoming_id AS of, seq FROM incoming_piece WHERE incoming_id IN :these")
MEDIA = _of_these(
    "SELECT incoming_id AS of, content_type FROM media WHERE incoming_id IN :these ORDER BY incoming_id, seq"
)


def newest(
    connection: Connection, head: Head, most: int, before: Point | None = None, first: Point | None = None
) -> Timeline:
    """Return the newest `most` entries from `first` on and before `before`."""
    about = {"thread": head.id, "peer": head.peer, "did": head.did, "most": most + 1}

    def rows(statement: TextClause, kind: Kind) -> Sequence[Found]:
        at, id_ = _bound(before, kind) if before else (FAR, 0)
        from_at, from_id = _bound(first, kind) if first else (NO_TIME, 0)
        bounds = {"at": at, "id": id_, "from_at": from_at, "from_id": from_id}
        return connection.execute(statement, about | bounds).all()

    found: list[tuple[Point, Found]] = [
        (Point(row.at, kind, row.id), row)
        for statement, kind in ((CALLS, Kind.CALL), (INCOMING, Kind.IN), (LEDGER, Kind.LEDGER), (MESSAGES, Kind.OUT))
        for row in rows(statement, kind)
    ]
    found.sort(key=lambda pair: pair[0], reverse=True)
    shown = found[:most][::-1]
    return Timeline(_entries(connection, shown), shown[0][0] if len(found) > most else None)


def _bound(point: Point, kind: Kind) -> tuple[int, int]:
    """Where rows of one kind begin that do not come before this point."""
    if kind == point.kind:
        return point.at, point.id
    return point.at, FAR if kind < point.kind else 0


def _entries(connection: Connection, shown: list[tuple[Point, Found]]) -> tuple[Entry, ...]:
    of_kind: dict[int, list[Found]] = defaultdict(list)
    for point, row in shown:
        of_kind[point.kind].append(row)
    entries: list[Entry] = [_call_line(row) for row in of_kind[Kind.CALL]]
    entries += _in_lines(connection, of_kind[Kind.IN])
    entries += [ledger_line(row, Kind.LEDGER) for row in of_kind[Kind.LEDGER]]
    entries += _out_lines(connection, of_kind[Kind.OUT])
    return tuple(sorted(entries, key=lambda entry: entry.point))


def recent_calls(connection: Connection, peer: str, did: str) -> tuple[CallLine, ...]:
    """Return the last few calls with a person, the newest first."""
    rows = connection.execute(RECENT_CALLS, {"peer": peer, "did": did, "most": SHORT_OF_CALLS})
    return tuple(_call_line(row) for row in rows)


def _span(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(microseconds=value)


def _reason(code: str | None) -> Reason | None:
    return Reason(code) if code else None


def _call_line(row: Found) -> CallLine:
    return CallLine(
        point=Point(row.at, Kind.CALL, row.id),
        public_id=row.public_id,
        at=moment_of(row.at),
        direction=row.direction,
        answered_at=maybe_moment_of(row.answered_at),
        ended_at=maybe_moment_of(row.ended_at),
        rang=_span(row.rang_us),
        waited=_span(row.waited_us),
        queue=row.queue,
        outcome=row.outcome,
        decision=row.decision,
        reason=_reason(row.reason),
        rule=row.rule,
        pbx=row.pbx,
        uniqueid=row.uniqueid,
        answered_by=row.answered_by,
    )


def ledger_line(row: Found, kind: Kind) -> LedgerLine:
    """An entry of the ledger; what they wrote stands for the id of the text that is the evidence. What they wrote to
    another number of ours stands in that thread alone."""
    elsewhere = ids.kind_of(row.evidence) is ids.Kind.INCOMING
    words = row.body or ("" if elsewhere else row.evidence)
    return LedgerLine(Point(row.at, kind, row.id), moment_of(row.at), row.kind, row.method, words)


def _gathered(connection: Connection, statement: TextClause, these: Iterable[int]) -> dict[int, list[Found]]:
    """Rows that belong to others, by whose they are."""
    ids = list(these)
    gathered: dict[int, list[Found]] = defaultdict(list)
    for row in connection.execute(statement, {"these": ids}) if ids else ():
        gathered[row.of].append(row)
    return gathered


def _in_lines(connection: Connection, rows: list[Found]) -> list[InLine]:
    came = _gathered(connection, PIECES, (row.id for row in rows if row.state == "partial"))
    media = _gathered(connection, MEDIA, (row.id for row in rows if row.media))
    return [
        InLine(
            point=Point(row.at, Kind.IN, row.id),
            public_id=row.public_id,
            at=moment_of(row.at),
            body=row.body,
            command=row.command,
            pieces=row.pieces,
            missing=_missing(row.pieces, {piece.seq for piece in came[row.id]}) if row.state == "partial" else (),
            repeats_at=maybe_moment_of(row.repeats_at),
            media=tuple(file.content_type for file in media[row.id]),
        )
        for row in rows
    ]


def _missing(pieces: int, came: set[int]) -> tuple[int, ...]:
    return tuple(number for number in range(1, pieces + 1) if number not in came)


def _out_lines(connection: Connection, rows: list[Found]) -> list[OutLine]:
    ids = [row.id for row in rows]
    steps = _gathered(connection, STEPS, ids)
    attempts = _gathered(connection, ATTEMPTS, ids)
    receipts = _gathered(connection, RECEIPTS, (tried.id for tries in attempts.values() for tried in tries))
    return [
        OutLine(
            point=Point(row.at, Kind.OUT, row.id),
            id=row.id,
            public_id=row.public_id,
            at=moment_of(row.at),
            body=row.body,
            state=State(row.state),
            reason=_reason(row.reason),
            not_before=moment_of(row.not_before),
            segments=row.segments,
            carrier=row.carrier,
            cause=row.cause,
            automatic=bool(row.automatic),
            command=row.command,
            rule=row.rule,
            call=row.call_id,
            account=row.account_id,
            author=row.author or "",
            held=_held(row),
            steps=tuple(StepStory(moment_of(step.at), step.state, step.reason, step.detail) for step in steps[row.id]),
            attempts=tuple(_attempt(tried) for tried in attempts[row.id]),
            receipts=tuple(
                ReceiptLine(moment_of(receipt.carrier_at), receipt.status, receipt.error)
                for tried in attempts[row.id]
                for receipt in receipts[tried.id]
            ),
        )
        for row in rows
    ]


def _held(row: Found) -> Held | None:
    if row.held_since is None:
        return None
    return Held(row.carrier, row.held_why, moment_of(row.held_since), row.held_by)


def _attempt(row: Found) -> AttemptStory:
    return AttemptStory(
        row.public_id,
        row.carrier,
        moment_of(row.opened_at),
        maybe_moment_of(row.closed_at),
        row.outcome,
        row.cause,
        row.provider_id,
    )
