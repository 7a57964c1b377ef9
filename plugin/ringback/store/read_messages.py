"""Texts for the API: each list goes along one index, however many texts there are."""

from collections.abc import Sequence

from ringback.core.grants import Reach
from ringback.flow.holds import PREFIX
from ringback.ports.messages import AttemptLine, EventLine, MessageFilter, MessageLine, MessageReport, ReceiptLine
from ringback.store.database import Database
from ringback.store.moments import maybe_moment_of, moment_of
from ringback.store.reach import LITE, MINE, POST, as_json
from ringback.store.reading import reading
from ringback.store.sql import sql, sql_each
from ringback.store.tx import Row, Runner

LAST = 2**62
DID = 5
"""Where the number of ours stands in a line."""
_LINE = """m.public_id, m.state, m.reason, m.cause, m.carrier, n.e164, t.peer, m.class_, m.basis, m.language,
    m.campaign, m.reference, m.doubt, m.body, m.segments, m.created_at, m.state_at, m.not_before, m.expires_at, s.key,
    m.id"""
_FROM = f"""FROM message m JOIN thread t ON t.id = m.thread_id JOIN number n ON n.id = t.number_id
    LEFT JOIN setting s ON m.state IN ('held', 'queued') AND s.key = '{PREFIX}' || m.carrier"""
_ASKED_BY = "AND (:cause = '' OR m.cause = :cause)"

ONE = sql(f"SELECT {_LINE} {_FROM} WHERE m.public_id = :public_id")
MARK = sql(
    """SELECT m.created_at, m.id, n.e164, m.cause FROM message m JOIN thread t ON t.id = m.thread_id
    JOIN number n ON n.id = t.number_id WHERE m.public_id = :public_id"""
)
NEWEST = sql(f"SELECT {_LINE} {_FROM} WHERE m.id < :id {_ASKED_BY} ORDER BY m.id DESC LIMIT :most")
_OF_REFERENCE = (
    f"SELECT {_LINE} {_FROM} WHERE m.reference = :reference AND m.reference <> '' AND m.id < :id {_ASKED_BY}"
)
OF_REFERENCE = sql(f"{_OF_REFERENCE} ORDER BY m.id DESC LIMIT :most")
OF_REFERENCE_WITHIN = sql_each(
    **{
        kind: f"{_OF_REFERENCE} AND n.e164 IN ({mine}) ORDER BY m.id DESC LIMIT :most"
        for kind, mine in (("sqlite", MINE[LITE]), ("postgres", MINE[POST]))
    }
)
THREADS = sql("SELECT t.id, n.e164 FROM thread t JOIN number n ON n.id = t.number_id WHERE t.peer = :peer")
OF_THREAD = sql(
    f"""SELECT {_LINE} {_FROM} WHERE m.thread_id = :thread AND (m.created_at, m.id) < (:at, :id) {_ASKED_BY}
    AND (:reference = '' OR m.reference = :reference)
    ORDER BY m.created_at DESC, m.id DESC LIMIT :most"""
)
ATTEMPTS = sql(
    """SELECT public_id, carrier, opened_at, closed_at, outcome, cause FROM attempt
    WHERE message_id = :id ORDER BY id"""
)
RECEIPTS = sql(
    """SELECT a.public_id, r.status, r.carrier_at, r.received_at, r.error FROM attempt a
    JOIN receipt r ON r.attempt_id = a.id WHERE a.message_id = :id ORDER BY r.id"""
)
EVENTS = sql("SELECT at, state, reason, detail FROM message_event WHERE message_id = :id ORDER BY id")


class ReadMessages:
    """Satisfies `ports.messages.Messages`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(self, reach: Reach, public_id: str) -> MessageReport | None:
        return await self._database.read(lambda connection: read_report(reading(connection), reach, public_id))

    async def page(self, reach: Reach, wanted: MessageFilter, after: str, most: int) -> list[MessageLine] | None:
        return await self._database.read(lambda connection: read_page(reading(connection), reach, wanted, after, most))


def read_report(run: Runner, reach: Reach, public_id: str) -> MessageReport | None:
    row = run.one(ONE, public_id=public_id)
    if row is None or row[DID] not in reach:
        return None
    message = row[-1]
    return MessageReport(
        _line(row),
        tuple(_attempt(row) for row in run.all(ATTEMPTS, id=message)),
        tuple(_receipt(row) for row in run.all(RECEIPTS, id=message)),
        tuple(EventLine(moment_of(row[0]), *row[1:]) for row in run.all(EVENTS, id=message)),
    )


def read_page(run: Runner, reach: Reach, wanted: MessageFilter, after: str, most: int) -> list[MessageLine] | None:
    """Newest first. An `after` that is no text of theirs is for the asker to put right."""
    mark = _place(run, reach, wanted, after) if after else (LAST, LAST)
    if mark is None:
        return None
    if wanted.peer:
        return _to_peer(run, reach, wanted, mark, most)
    return [_line(row) for row in _newest(run, reach, wanted, mark[1], most)]


def _place(run: Runner, reach: Reach, wanted: MessageFilter, after: str) -> tuple[int, int] | None:
    """Where a text stands that whoever asks may know of."""
    row = run.one(MARK, public_id=after)
    if row is None or row[2] not in reach or wanted.cause not in ("", row[3]):
        return None
    return row[0], row[1]


def _newest(run: Runner, reach: Reach, wanted: MessageFilter, last: int, most: int) -> Sequence[Row]:
    values = {"id": last, "cause": wanted.cause, "most": most}
    if wanted.reference and reach.everything:
        return run.all(OF_REFERENCE, reference=wanted.reference, **values)
    if wanted.reference:
        return run.all(OF_REFERENCE_WITHIN, reference=wanted.reference, reach=as_json(reach), **values)
    if reach.everything:
        return run.all(NEWEST, **values)
    raise ValueError("texts of some numbers are listed by a reference or by a person only")


def _to_peer(run: Runner, reach: Reach, wanted: MessageFilter, mark: tuple[int, int], most: int) -> list[MessageLine]:
    """From each thread of this person its newest, and of those the newest: one index for each of our numbers."""
    at, last = mark
    rows = [
        row
        for thread, did in run.all(THREADS, peer=wanted.peer)
        if did in reach
        for row in run.all(
            OF_THREAD, thread=thread, at=at, id=last, cause=wanted.cause, reference=wanted.reference, most=most
        )
    ]
    newest = sorted(rows, key=lambda row: (row[15], row[-1]), reverse=True)
    return [_line(row) for row in newest[:most]]


def _line(row: Row) -> MessageLine:
    *words, created_at, state_at, not_before, expires_at, hold, _id = row
    moments = [moment_of(at) for at in (created_at, state_at, not_before, expires_at)]
    values = (*words, *moments, hold is not None)
    return MessageLine(*values)


def _attempt(row: Row) -> AttemptLine:
    public_id, carrier, opened_at, closed_at, outcome, cause = row
    return AttemptLine(public_id, carrier, moment_of(opened_at), maybe_moment_of(closed_at), outcome, cause)


def _receipt(row: Row) -> ReceiptLine:
    attempt, status, carrier_at, received_at, error = row
    # a receipt without a time of its carrier's is kept under 0, so that each status counts once
    return ReceiptLine(attempt, status, moment_of(carrier_at) if carrier_at else None, moment_of(received_at), error)
