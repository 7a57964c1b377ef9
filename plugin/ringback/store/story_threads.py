"""For stories: texts from handsets and what they did, opt-outs and opt-ins, and how a thread stands."""

from sqlalchemy import ColumnElement, Connection, Row, select

from ringback.core.keywords import Command
from ringback.core.messages import State
from ringback.core.reasons import Reason
from ringback.ports.stories import IncomingStory, LedgerStory, ThreadStory, Unanswered
from ringback.store.consents import Ledger
from ringback.store.ghosts import Ghosts
from ringback.store.moments import maybe_moment_of, moment_of
from ringback.store.reading import reading
from ringback.store.story_people import MOST, OF_AN_INCOMING, deeds, journal, person, tasks
from ringback.store.story_texts import incoming_id, texts
from ringback.store.tables import (
    call,
    incoming,
    incoming_piece,
    media,
    message,
    number,
    opt_out_event,
    pair_facts,
    pending_text,
    thread,
)

OPT_OUT = "opt_out"
BY_HAND = frozenset({"person", "call", "voicemail", "key", "everywhere", "import"})
"""Somebody here wrote it down."""
IN_PIECES = frozenset({"waiting", "partial"})
Found = Row[tuple[object, ...]]


def incoming_texts(
    connection: Connection, condition: ColumnElement[bool], most: int = MOST
) -> tuple[IncomingStory, ...]:
    """The newest texts from handsets that fit, oldest first."""
    query = (
        select(incoming, thread.c.peer, thread.c.public_id.label("thread"), number.c.e164)
        .join(thread, thread.c.id == incoming.c.thread_id)
        .join(number, number.c.id == thread.c.number_id)
        .where(condition)
        .order_by(incoming.c.at.desc(), incoming.c.id.desc())
        .limit(most)
    )
    return tuple(_incoming(connection, row) for row in reversed(connection.execute(query).all()))


def _incoming(connection: Connection, row: Found) -> IncomingStory:
    pieces = select(incoming_piece.c.seq).where(incoming_piece.c.incoming_id == row.id).order_by(incoming_piece.c.seq)
    came = tuple(connection.scalars(pieces))
    files = select(media.c.content_type).where(media.c.incoming_id == row.id).order_by(media.c.seq)
    said = opt_out_event.c.evidence == row.public_id
    ledger = ledger_of(connection, row.thread_id, row.e164, row.peer, said)
    answer = next(iter(texts(connection, message.c.answers_id == row.id, 1)), None)
    return IncomingStory(
        public_id=row.public_id,
        thread=row.thread,
        did=row.e164,
        peer=row.peer,
        carrier=row.carrier,
        at=moment_of(row.at),
        carrier_at=moment_of(row.carrier_at),
        received_at=moment_of(row.received_at),
        body=row.body,
        state=row.state,
        pieces=row.pieces,
        came=came,
        missing=tuple(seq for seq in range(1, row.pieces + 1) if seq not in came) if row.state in IN_PIECES else (),
        media=tuple(connection.scalars(files)),
        repeats=incoming_id(connection, row.repeats_id),
        command=row.command,
        read_at=maybe_moment_of(row.read_at),
        journal=journal(connection, row.id),
        ledger=ledger[0] if ledger else None,
        answer=answer,
        unanswered=_unanswered(connection, row) if row.command and answer is None else None,
        tasks=tasks(connection, OF_AN_INCOMING, row.id),
    )


def _unanswered(connection: Connection, row: Found) -> Unanswered:
    """A STOP of somebody who had said it is not answered again; any other command is, unless the carrier does it."""
    ledger = opt_out_event.c
    of_thread = select(ledger.id, ledger.kind, ledger.evidence).where(ledger.thread_id == row.thread_id)
    said = connection.execute(of_thread.where(ledger.evidence == row.public_id)).first()
    before = said and connection.execute(of_thread.where(ledger.id < said.id).order_by(ledger.id.desc())).first()
    if row.command == Command.STOP and before and before.kind == OPT_OUT:
        return Unanswered.SAID_BEFORE
    return Unanswered.CARRIER_ANSWERS


def threads(connection: Connection, condition: ColumnElement[bool], most: int = MOST) -> tuple[ThreadStory, ...]:
    """The threads that fit, the oldest first."""
    query = (
        select(thread, number.c.e164, pair_facts.c.opted_out_at)
        .join(number, number.c.id == thread.c.number_id)
        .outerjoin(pair_facts, pair_facts.c.thread_id == thread.c.id)
        .where(condition)
        .order_by(thread.c.changed_at.desc(), thread.c.id.desc())
        .limit(most)
    )
    return tuple(_thread(connection, row) for row in reversed(connection.execute(query).all()))


def _thread(connection: Connection, row: Found) -> ThreadStory:
    run = reading(connection)
    said = Ledger(run, Ghosts(run))
    return ThreadStory(
        public_id=row.public_id,
        did=row.e164,
        peer=row.peer,
        begun_at=moment_of(row.created_at),
        unread=row.unread,
        waits_since=maybe_moment_of(row.waits_since_at),
        opted_out_at=maybe_moment_of(row.opted_out_at),
        ledger=ledger_of(connection, row.id, row.e164, row.peer),
        deeds=deeds(connection, row.public_id),
        consents=tuple(said.of_thread(row.id)),
        told_at=said.told_at(row.id),
    )


def ledger_of(
    connection: Connection, thread_id: int, did: str, peer: str, condition: ColumnElement[bool] | None = None
) -> tuple[LedgerStory, ...]:
    """The newest opt-outs and opt-ins of a pair, oldest first."""
    query = select(opt_out_event).where(opt_out_event.c.thread_id == thread_id)
    if condition is not None:
        query = query.where(condition)
    rows = connection.execute(query.order_by(opt_out_event.c.id.desc()).limit(MOST)).all()
    return tuple(_entry(connection, row, did, peer) for row in reversed(rows))


def _entry(connection: Connection, row: Found, did: str, peer: str) -> LedgerStory:
    by = person(connection, row.evidence.partition(": ")[0]) if row.method in BY_HAND else None
    off = _called_off(connection, row, did, peer) if row.kind == OPT_OUT else ()
    return LedgerStory(moment_of(row.at), row.kind, row.method, row.evidence, by, off)


def _called_off(connection: Connection, entry: Found, did: str, peer: str) -> tuple[str, ...]:
    """What an opt-out took back. A text that waited out its delay went with the first opt-out after its call."""
    queued = (
        select(message.c.public_id)
        .where(message.c.thread_id == entry.thread_id, message.c.created_at <= entry.at)
        .where(message.c.state_at == entry.at, message.c.state == State.CANCELLED)
        .where(message.c.reason == Reason.OPTED_OUT)
        .order_by(message.c.created_at.desc())
    )
    earlier = (
        select(opt_out_event.c.at)
        .where(opt_out_event.c.thread_id == entry.thread_id, opt_out_event.c.id < entry.id)
        .where(opt_out_event.c.kind == OPT_OUT)
        .order_by(opt_out_event.c.id.desc())
    )
    delayed = (
        select(call.c.public_id)
        .join(pending_text, pending_text.c.call_id == call.c.id)
        .where(call.c.peer == peer, call.c.did == did, call.c.started_at <= entry.at)
        .where(call.c.ended_at > (connection.scalar(earlier.limit(1)) or 0), call.c.ended_at <= entry.at)
        .where(pending_text.c.state == "cancelled", pending_text.c.cause == Reason.OPTED_OUT)
        .order_by(call.c.started_at.desc())
    )
    return (*connection.scalars(queued.limit(MOST)), *connection.scalars(delayed.limit(MOST)))
