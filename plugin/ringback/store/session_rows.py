"""Sessions, their steps and requests to take them, as they stand in rows."""

from ringback.core.sessions import Due, Origin, Session, SessionState, StartType, TransferState, WaitingOn
from ringback.ports.sessions import Transfer
from ringback.store.moments import maybe_micros, maybe_moment_of, micros, moment_of
from ringback.store.tx import Row

_SESSION = """id public_id thread_id did peer state queue_id start opened_at changed_at origin agent_id offered_to
    waiting_on call_id released_at queued_at assigned_at replied_at ended_at wait_told_at due due_at language ivr_path
    caller_name first_text_id"""
NAMES = tuple(_SESSION.split())
SESSION = ", ".join(f"s.{name}" for name in NAMES)
"""What `session_of` reads, for statements; the table is called `s` there."""
TRANSFER = "id, session_id, by_agent, to_agent, to_queue, note, state, asked_at, due_at"
"""What `transfer_of` reads."""


def session_of(row: Row) -> Session:
    """The session in a row of these columns."""
    id_, public_id, thread, did, peer, state, queue, start, opened, changed, *more = row
    origin, agent, offered_to, waiting_on, call, released, queued, assigned, replied, ended, told, *rest = more
    due, due_at, language, ivr_path, caller_name, first_text = rest
    return Session(
        id_,
        public_id,
        thread,
        did,
        peer,
        SessionState(state),
        queue,
        StartType(start),
        moment_of(opened),
        moment_of(changed),
        Origin(origin),
        agent,
        offered_to,
        WaitingOn(waiting_on) if waiting_on else None,
        call,
        maybe_moment_of(released),
        maybe_moment_of(queued),
        maybe_moment_of(assigned),
        maybe_moment_of(replied),
        maybe_moment_of(ended),
        maybe_moment_of(told),
        Due(due),
        maybe_moment_of(due_at),
        language,
        ivr_path,
        caller_name,
        first_text,
    )


def row_of(session: Session) -> dict[str, object]:
    """A session as values of its columns."""
    return {
        "id": session.id,
        "public_id": session.public_id,
        "thread_id": session.thread,
        "did": session.did,
        "peer": session.peer,
        "state": session.state.value,
        "queue_id": session.queue,
        "start": session.start.value,
        "opened_at": micros(session.opened_at),
        "changed_at": micros(session.changed_at),
        "origin": session.origin.value,
        "agent_id": session.agent,
        "offered_to": session.offered_to,
        "waiting_on": session.waiting_on.value if session.waiting_on else "",
        "call_id": session.call,
        "released_at": maybe_micros(session.released_at),
        "queued_at": maybe_micros(session.queued_at),
        "assigned_at": maybe_micros(session.assigned_at),
        "replied_at": maybe_micros(session.replied_at),
        "ended_at": maybe_micros(session.ended_at),
        "wait_told_at": maybe_micros(session.wait_told_at),
        "due": session.due.value,
        "due_at": maybe_micros(session.due_at),
        "language": session.language,
        "ivr_path": session.ivr_path,
        "caller_name": session.caller_name,
        "first_text_id": session.first_text,
    }


def transfer_of(row: Row) -> Transfer:
    """The request in a row of these columns."""
    id_, session, by_agent, to_agent, to_queue, note, state, asked, due = row
    return Transfer(
        id_, session, by_agent, to_agent, to_queue, note, TransferState(state), moment_of(asked), moment_of(due)
    )
