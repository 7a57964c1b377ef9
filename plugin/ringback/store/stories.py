"""Reading back what happened, by whatever somebody has: an id, a number, a name."""

import json
from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, Row, and_, false, func, or_, select

from ringback.core.calls import Direction
from ringback.core.grants import EVERYTHING
from ringback.core.ids import Kind, kind_of
from ringback.ports.lists import Entry
from ringback.ports.sessions import SessionStory
from ringback.ports.stories import CallStory, EventStory, LegStory, PendingStory, Stories, ThreadStory
from ringback.store.lists import of_number
from ringback.store.moments import maybe_moment_of, maybe_span_of, moment_of
from ringback.store.read_sessions import ABOUT, ONE, read_offers, read_stories
from ringback.store.session_lists import read_rows
from ringback.store.story_people import MOST, OF_A_CALL, task_story, tasks
from ringback.store.story_texts import texts
from ringback.store.story_threads import incoming_texts, threads
from ringback.store.tables import (
    attempt,
    call,
    call_event,
    call_leg,
    incoming,
    message,
    number,
    pending_text,
    task,
    thread,
)


def find(connection: Connection, what: str, most: int = MOST) -> Stories:
    """Look up one thing by its id, a call by its linkedid or uniqueid, or all of a person by what they send from.

    Of a thread or a person these are the newest `most` of each kind.
    """
    found = _find(connection, what, most)
    found = found if found.sessions else replace(found, sessions=_sessions_of(connection, found, most))
    return replace(found, lists=tuple(_lists(connection, what, found)))


def _sessions_of(connection: Connection, found: Stories, most: int) -> tuple[SessionStory, ...]:
    """The newest sessions of the threads and calls that were found, oldest first."""
    about = json.dumps([*(one.public_id for one in found.threads), *(one.public_id for one in found.calls)])
    rows = read_rows(connection, EVERYTHING, ABOUT[connection.dialect.name], ids=about, most=most)
    return tuple(read_stories(connection, rows))


def _lists(connection: Connection, what: str, found: Stories) -> Iterator[Entry]:
    """The lists that whoever this is about is on."""
    peers = {one.peer for kind in (found.calls, found.texts, found.incoming, found.threads) for one in kind}
    peers |= {story.row.session.peer for story in found.sessions}
    for peer in sorted({what if what.startswith("+") else "", *filter(None, peers)} - {""}):
        yield from of_number(connection, peer)


def _find(connection: Connection, what: str, most: int) -> Stories:
    match kind_of(what):
        case Kind.MESSAGE:
            return _by_message(connection, message.c.public_id == what)
        case Kind.ATTEMPT:
            tried = select(attempt.c.message_id).where(attempt.c.public_id == what).scalar_subquery()
            return _by_message(connection, message.c.id == tried)
        case Kind.CALL:
            return Stories(_calls(connection, call.c.public_id == what, 1))
        case Kind.INCOMING:
            return Stories(incoming=incoming_texts(connection, incoming.c.public_id == what, 1))
        case Kind.THREAD:
            return _of_threads(connection, threads(connection, thread.c.public_id == what, 1), most)
        case Kind.SESSION:
            return Stories(sessions=_session(connection, what))
        case Kind.TASK:
            return _by_task(connection, what)
    if not what.startswith("+"):
        calls = _calls(connection, call.c.linkedid == what, most) or _by_uniqueid(connection, what, most)
        if calls:
            return Stories(calls)
        if sent := _by_provider_id(connection, what):
            return sent
    return _of_person(connection, what, most)


def _session(connection: Connection, public_id: str) -> tuple[SessionStory, ...]:
    return tuple(read_stories(connection, read_rows(connection, EVERYTHING, ONE, public_id=public_id)))


def _by_uniqueid(connection: Connection, uniqueid: str, most: int) -> tuple[CallStory, ...]:
    """Ask PBX by PBX: the index begins with its name, and there are few."""
    pbxs = []
    last = ""
    while (pbx := connection.scalar(select(func.min(call.c.pbx)).where(call.c.pbx > last))) is not None:
        pbxs.append(last := pbx)
    found = or_(false(), *(and_(call.c.pbx == pbx, call.c.uniqueid == uniqueid) for pbx in pbxs))
    return _calls(connection, found, most)


def _by_provider_id(connection: Connection, provider_id: str) -> Stories:
    """A carrier's own id of a text; carrier by carrier, as the index begins with its name."""
    last, next_carrier = "", select(func.min(attempt.c.carrier))
    while (carrier := connection.scalar(next_carrier.where(attempt.c.carrier > last))) is not None:
        last = carrier
        here = and_(attempt.c.carrier == carrier, attempt.c.provider_key == provider_id)
        row = connection.scalar(select(attempt.c.message_id).where(here).limit(1))
        if row is not None:
            return _by_message(connection, message.c.id == row)
    return Stories()


def _by_message(connection: Connection, condition: ColumnElement[bool]) -> Stories:
    row = connection.execute(select(message.c.id, message.c.call_id).where(condition)).first()
    if row is None:
        return Stories()
    if row.call_id is not None:
        return Stories(_calls(connection, call.c.id == row.call_id, 1))
    return Stories(texts=texts(connection, message.c.id == row.id, 1))


def _by_task(connection: Connection, public_id: str) -> Stories:
    """What the task is about, which tells of the task too; or the task, where it is about nothing that has an id."""
    row = connection.execute(select(task).where(task.c.public_id == public_id)).first()
    if row is None:
        return Stories()
    if row.incoming_id is not None:
        return Stories(incoming=incoming_texts(connection, incoming.c.id == row.incoming_id, 1))
    if row.message_id is not None:
        return _by_message(connection, message.c.id == row.message_id)
    if row.call_id is not None:
        return Stories(_calls(connection, call.c.id == row.call_id, 1))
    return Stories(tasks=(task_story(connection, row),))


def _of_person(connection: Connection, peer: str, most: int) -> Stories:
    """Whatever passed between them and any number of ours."""
    theirs = threads(connection, thread.c.peer == peer, most)
    return _with_calls(connection, theirs, _calls(connection, call.c.peer == peer, most), most)


def _of_threads(connection: Connection, found: tuple[ThreadStory, ...], most: int) -> Stories:
    if not found:
        return Stories()
    (one,) = found
    ours = or_(call.c.did == one.did, call.c.direction == Direction.OUTBOUND)
    return _with_calls(connection, found, _calls(connection, and_(call.c.peer == one.peer, ours), most), most)


def _with_calls(
    connection: Connection, found: tuple[ThreadStory, ...], calls: tuple[CallStory, ...], most: int
) -> Stories:
    rows = [connection.scalar(select(thread.c.id).where(thread.c.public_id == one.public_id)) for one in found]
    alone = and_(message.c.call_id.is_(None), message.c.answers_id.is_(None))
    written = [text for row in rows for text in texts(connection, and_(message.c.thread_id == row, alone), most)]
    came = [text for row in rows for text in incoming_texts(connection, incoming.c.thread_id == row, most)]
    written.sort(key=lambda text: text.created_at)
    came.sort(key=lambda text: text.at)
    return Stories(calls, tuple(written[-most:]), tuple(came[-most:]), found)


def _calls(connection: Connection, condition: ColumnElement[bool], most: int) -> tuple[CallStory, ...]:
    """The newest calls that fit, oldest first."""
    query = select(call).where(condition).order_by(call.c.started_at.desc(), call.c.id.desc()).limit(most)
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
        rang=maybe_span_of(row.rang_us),
        waited=maybe_span_of(row.waited_us),
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
        texts=texts(connection, message.c.call_id == row.id),
        thread=_thread(connection, row.did, row.peer),
        tasks=tasks(connection, OF_A_CALL, row.id),
        answered_by=row.answered_by,
        offers=tuple(read_offers(connection, row.public_id)),
    )


def _thread(connection: Connection, did: str, peer: str | None) -> str | None:
    if peer is None:
        return None
    query = select(thread.c.public_id).join(number, number.c.id == thread.c.number_id)
    return connection.execute(query.where(number.c.e164 == did, thread.c.peer == peer)).scalar()
