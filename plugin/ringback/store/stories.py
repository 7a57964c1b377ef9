"""Reading back what happened: a call with its legs, its decision and its texts, each with every step it took."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, select

from ringback.core.ids import Kind, kind_of
from ringback.store.moments import maybe_moment_of, moment_of
from ringback.store.tables import (
    attempt,
    call,
    call_event,
    call_leg,
    message,
    message_event,
    number,
    pending_text,
    thread,
)

MOST = 20


@dataclass(frozen=True, slots=True)
class LegStory:
    phone: str
    at: datetime
    ended_at: datetime | None
    rang: str


@dataclass(frozen=True, slots=True)
class EventStory:
    """One line of a call's story."""

    at: datetime
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class StepStory:
    """One state a text was in, why, and what was said."""

    at: datetime
    state: str
    reason: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class AttemptStory:
    public_id: str
    carrier: str
    opened_at: datetime
    closed_at: datetime | None
    outcome: str | None
    cause: str | None
    provider_id: str | None


@dataclass(frozen=True, slots=True)
class TextStory:
    public_id: str
    did: str
    peer: str
    body: str
    segments: int
    state: str
    reason: str | None
    cause: str
    carrier: str
    created_at: datetime
    expires_at: datetime
    not_before: datetime
    steps: tuple[StepStory, ...]
    attempts: tuple[AttemptStory, ...]


@dataclass(frozen=True, slots=True)
class PendingStory:
    """A text that waits, or waited, out its rule's delay."""

    due_at: datetime
    state: str
    cause: str | None
    body: str


@dataclass(frozen=True, slots=True)
class CallStory:
    public_id: str
    pbx: str
    uniqueid: str
    linkedid: str
    direction: str
    caller: str
    did: str
    peer: str | None
    presentation: str
    vetoed: bool
    transfer_unanswered: bool
    queue: str | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    rang: timedelta | None
    waited: timedelta | None
    outcome: str | None
    decision: str | None
    reason: str | None
    rule: str | None
    rule_version: str | None
    due_at: datetime | None
    until_at: datetime | None
    tried: tuple[tuple[str, str], ...]
    legs: tuple[LegStory, ...]
    events: tuple[EventStory, ...]
    pending: PendingStory | None
    texts: tuple[TextStory, ...]


@dataclass(frozen=True, slots=True)
class Stories:
    """What was found: calls with their texts, and texts that belong to no call shown."""

    calls: tuple[CallStory, ...] = ()
    texts: tuple[TextStory, ...] = ()


def find(connection: Connection, what: str, most: int = MOST) -> Stories:
    """Look up a call by its linkedid, uniqueid or our id, a text by its id, or all of a person by an E.164 number."""
    kind = kind_of(what)
    if kind is Kind.MESSAGE:
        return _by_message(connection, what)
    if kind is Kind.CALL:
        return Stories(_calls(connection, call.c.public_id == what, 1))
    if what.startswith("+"):
        return _by_number(connection, what, most)
    return Stories(_calls(connection, (call.c.linkedid == what) | (call.c.uniqueid == what), most))


def _by_message(connection: Connection, public_id: str) -> Stories:
    row = connection.execute(select(message.c.id, message.c.call_id).where(message.c.public_id == public_id)).first()
    if row is None:
        return Stories()
    if row.call_id is not None:
        return Stories(_calls(connection, call.c.id == row.call_id, 1))
    return Stories(texts=_texts(connection, message.c.id == row.id, 1))


def _by_number(connection: Connection, e164: str, most: int) -> Stories:
    calls = _calls(connection, call.c.peer == e164, most)
    threads = select(thread.c.id).where(thread.c.peer == e164)
    alone = message.c.thread_id.in_(threads) & message.c.call_id.is_(None)
    return Stories(calls, _texts(connection, alone, most))


def _calls(connection: Connection, condition: object, most: int) -> tuple[CallStory, ...]:
    """The newest calls that fit, oldest first."""
    query = select(call).where(condition).order_by(call.c.started_at.desc()).limit(most)  # type: ignore[arg-type]  # a Core clause
    return tuple(_call(connection, row) for row in reversed(connection.execute(query).all()))


def _call(connection: Connection, row: "Row[tuple[object, ...]]") -> CallStory:
    legs = connection.execute(select(call_leg).where(call_leg.c.call_id == row.id).order_by(call_leg.c.seq))
    events = connection.execute(select(call_event).where(call_event.c.call_id == row.id).order_by(call_event.c.seq))
    waiting = connection.execute(select(pending_text).where(pending_text.c.call_id == row.id)).first()
    tried = (line.partition(" ") for line in row.tried.split("\n") if line)
    return CallStory(
        public_id=row.public_id,
        pbx=row.pbx,
        uniqueid=row.uniqueid,
        linkedid=row.linkedid,
        direction=row.direction,
        caller=row.caller,
        did=row.did,
        peer=row.peer,
        presentation=row.presentation,
        vetoed=bool(row.vetoed),
        transfer_unanswered=bool(row.transfer_unanswered),
        queue=row.queue,
        started_at=moment_of(row.started_at),
        answered_at=maybe_moment_of(row.answered_at),
        ended_at=maybe_moment_of(row.ended_at),
        rang=None if row.rang_us is None else timedelta(microseconds=row.rang_us),
        waited=None if row.waited_us is None else timedelta(microseconds=row.waited_us),
        outcome=row.outcome,
        decision=row.decision,
        reason=row.reason,
        rule=row.rule,
        rule_version=row.rule_version,
        due_at=maybe_moment_of(row.due_at),
        until_at=maybe_moment_of(row.until_at),
        tried=tuple((rule, reason) for reason, _, rule in tried),
        legs=tuple(LegStory(leg.phone, moment_of(leg.at), maybe_moment_of(leg.ended_at), leg.rang) for leg in legs),
        events=tuple(EventStory(moment_of(event.at), event.kind, event.detail) for event in events),
        pending=None
        if waiting is None
        else PendingStory(moment_of(waiting.due_at), waiting.state, waiting.cause, waiting.body),
        texts=_texts(connection, message.c.call_id == row.id, MOST),
    )


def _texts(connection: Connection, condition: object, most: int) -> tuple[TextStory, ...]:
    query = (
        select(message, thread.c.peer, number.c.e164)
        .join(thread, thread.c.id == message.c.thread_id)
        .join(number, number.c.id == thread.c.number_id)
        .where(condition)  # type: ignore[arg-type]  # a Core clause
        .order_by(message.c.id.desc())
        .limit(most)
    )
    return tuple(_text(connection, row) for row in reversed(connection.execute(query).all()))


def _text(connection: Connection, row: "Row[tuple[object, ...]]") -> TextStory:
    steps = connection.execute(
        select(message_event).where(message_event.c.message_id == row.id).order_by(message_event.c.id)
    )
    attempts = connection.execute(select(attempt).where(attempt.c.message_id == row.id).order_by(attempt.c.id))
    return TextStory(
        public_id=row.public_id,
        did=row.e164,
        peer=row.peer,
        body=row.body,
        segments=row.segments,
        state=row.state,
        reason=row.reason,
        cause=row.cause,
        carrier=row.carrier,
        created_at=moment_of(row.created_at),
        expires_at=moment_of(row.expires_at),
        not_before=moment_of(row.not_before),
        steps=tuple(StepStory(moment_of(step.at), step.state, step.reason, step.detail) for step in steps),
        attempts=tuple(
            AttemptStory(
                tried.public_id,
                tried.carrier,
                moment_of(tried.opened_at),
                maybe_moment_of(tried.closed_at),
                tried.outcome,
                tried.cause,
                tried.provider_id,
            )
            for tried in attempts
        ),
    )
