"""Where a text goes that is no command: to who is in a call with its sender, to who has the session, or to a queue.

One number serves for all of it. What decided is kept with the session's story, beside the text it was decided for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ringback.core.presence import AtDesk
from ringback.core.sessions import WITH_AGENT, Session, SessionState, StartType, WaitingOn, Why
from ringback.core.text_queues import Note, TextQueue
from ringback.flow import sessions
from ringback.flow.house import House
from ringback.flow.outbound import Submitted
from ringback.flow.session_agents import agent_at, agent_of
from ringback.flow.session_texts import is_closed, say, told
from ringback.flow.sessions import Begun, Said
from ringback.ports.inbox import StoredIncoming
from ringback.ports.offers import LiveCall
from ringback.ports.pairs import Thread
from ringback.ports.storage import Tx


@dataclass(frozen=True, slots=True)
class Routed:
    """Where a text went, why, and what its sender was answered by itself."""

    session: Session
    why: Why
    submitted: Submitted | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What decides beside the session: the call they are in on this number, the agent who speaks with them, and the
    agent who had it before it was dismissed, if that one may have it again."""

    call: int | None = None
    speaks: int | None = None
    had_it: int | None = None


def route(house: House, thread: Thread, stored: StoredIncoming, now: datetime, tx: Tx) -> Routed:
    """Give a text to whom it is for: live call, then claimed session, then dismissed session, then a queue."""
    session = tx.sessions.of_thread(thread.id)
    call = tx.calls.live_with(thread.peer)
    if call is not None and call.did != thread.did:
        call = None  # they speak with others of us about something else
    if session is None:
        return _first(house, thread, stored, call, now, tx)
    known = _known(session, call, tx)
    new, why = place(session, known, now)
    said = Said(why, detail=stored.public_id)
    if new == session:
        sessions.note(session, said, now, tx)
        return Routed(session, why, _closed(house, session, now, tx))
    if new.agent != session.agent and new.agent is not None:
        tx.queues.took_turn(new.agent, now)
    moved = sessions.put(session, new, said, now, tx)
    if session.state is SessionState.DISMISSED:
        return Routed(moved, why, say(house, moved, Note.DISMISSED, now, tx) or _closed(house, moved, now, tx))
    return Routed(moved, why, _closed(house, moved, now, tx))


def place(session: Session, known: Known, now: datetime) -> tuple[Session, Why]:
    """What an open session becomes by a text, and why."""
    heard = replace(session, waiting_on=WaitingOn.AGENT)
    if known.call is not None:
        heard = replace(heard, call=known.call, released_at=None)
    if known.speaks is not None:
        return sessions.taken(heard, known.speaks, now), Why.LIVE_CALL
    if session.state in WITH_AGENT:
        return replace(heard, state=SessionState.ASSIGNED), Why.CLAIMED_BEFORE
    if session.state is SessionState.DISMISSED:
        back = known.had_it
        return (sessions.taken(heard, back, now) if back else sessions.waiting(heard, now)), Why.RETURNED
    if session.state is SessionState.QUEUED and session.wait_told_at is not None:
        heard = sessions.waiting(heard, now)
    return heard, _WHY_STAYS.get(session.state, Why.NUMBERS_QUEUE)


_WHY_STAYS: Mapping[SessionState, Why] = {SessionState.NEW: Why.LIVE_CALL, SessionState.MENU: Why.LIVE_CALL}


def _known(session: Session, call: LiveCall | None, tx: Tx) -> Known:
    speaks = agent_at(call.answered_by, session.did, tx) if call is not None else None
    had = session.agent if session.state is SessionState.DISMISSED else None
    back = agent_of(had, session.did, tx) if had is not None else None
    return Known(
        call.id if call is not None else None,
        speaks.account if speaks is not None else None,
        back.account if back is not None and back.desk is AtDesk.READY else None,
    )


def _first(
    house: House, thread: Thread, stored: StoredIncoming, call: LiveCall | None, now: datetime, tx: Tx
) -> Routed:
    """Open a session: for the agent they speak with, for the call they wait in, or in the queue of the number."""
    queue = tx.queues.all().of_number(thread.did)
    if call is None:
        session = _queued(thread, queue, stored, now, tx)
        return Routed(session, Why.NUMBERS_QUEUE, _closed(house, session, now, tx))
    begun = Begun(StartType.AUTO, Why.LIVE_CALL, detail=stored.public_id, waiting_on=WaitingOn.AGENT)
    session = sessions.open_in_call(thread, queue, begun, call.id, now, tx)
    speaks = agent_at(call.answered_by, thread.did, tx)
    if speaks is not None:
        session = sessions.assign(session, speaks.account, Why.LIVE_CALL, "", now, tx)
    return Routed(session, Why.LIVE_CALL)


def _queued(thread: Thread, queue: TextQueue, stored: StoredIncoming, now: datetime, tx: Tx) -> Session:
    begun = Begun(StartType.AUTO, Why.NUMBERS_QUEUE, detail=stored.public_id, waiting_on=WaitingOn.AGENT)
    return sessions.open_queued(thread, queue, begun, now, tx)


def _closed(house: House, session: Session, now: datetime, tx: Tx) -> Submitted | None:
    """Tell somebody who waits that nobody works now: once, and again no sooner than an hour later."""
    if session.state is not SessionState.QUEUED or session.wait_told_at is not None:
        return None
    if not is_closed(house, tx.queues.all().get(session.queue), now):
        return None
    sent = say(house, session, Note.OUT_OF_HOURS, now, tx)
    if sent is not None:
        sessions.keep(replace(session, wait_told_at=now), Said(Why.OUT_OF_HOURS, detail=told(sent)), now, tx)
    return sent
