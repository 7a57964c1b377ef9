"""How a session moves. Each move is written with its reason, and with the deadline of the state it comes into.

Every open session has a queue to fall back to, so whatever happens to its agent, somebody minds it.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from ringback.core.session_timers import Deadline, call_deadline, deadline, queued_deadline, tell_again
from ringback.core.sessions import (
    WITH_AGENT,
    Origin,
    Session,
    SessionState,
    StartType,
    TransferState,
    WaitingOn,
    Why,
)
from ringback.core.text_queues import Plan, TextQueue
from ringback.ports.pairs import Thread
from ringback.ports.sessions import Opening, Step
from ringback.ports.storage import Tx


@dataclass(frozen=True, slots=True)
class CallWords:
    """What a call tells of its caller."""

    language: str = ""
    ivr_path: str = ""
    caller_name: str = ""


@dataclass(frozen=True, slots=True)
class ByCall:
    """How a call brings a session: for which queue, what was chosen in it, its row as far as it is known, and who says
    so."""

    queue: TextQueue
    origin: Origin
    call: int | None
    words: CallWords
    by: str


@dataclass(frozen=True, slots=True)
class Said:
    """Why a session moves, who moves it, and what they said. `agent` is who it is about, if it is not who has it."""

    why: Why
    by: str = ""
    detail: str = ""
    agent: int | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """How a session begins that no call brought. `detail` goes into the first line of its story."""

    start: StartType
    why: Why
    by: str = ""
    detail: str = ""
    waiting_on: WaitingOn | None = None


def plan_of(session: Session, tx: Tx) -> Plan:
    """How the queue of a session works."""
    return tx.queues.all().get(session.queue).plan


def open_by_call(thread: Thread, came: ByCall, now: datetime, tx: Tx) -> Session:
    """Open a session for a caller who is in a call. One that is open for the thread gets the call instead.

    Of a caller who has hung up by now it waits in the queue at once.
    """
    held = tx.sessions.of_thread(thread.id)
    session = _join_call(held, came, now, tx) if held is not None else _begin_by_call(thread, came, now, tx)
    if came.call is None or not tx.calls.is_over(came.call):
        return session
    released = replace(session, released_at=now)
    if session.state is SessionState.NEW:
        return queue_up(released, Why.CALLER_HUNG_UP, now, tx)
    return put(session, released, Said(Why.CALLER_HUNG_UP), now, tx)


def _begin_by_call(thread: Thread, came: ByCall, now: datetime, tx: Tx) -> Session:
    due = call_deadline(came.call, now)
    opening = Opening(
        thread,
        came.queue.id,
        StartType.CALL_EVENT,
        Why.CALL_ACCEPTED,
        came.by,
        came.origin,
        came.call,
        came.words.language,
        came.words.ivr_path,
        came.words.caller_name,
        due=due.due,
        due_at=due.at,
    )
    return tx.sessions.open(opening, SessionState.NEW, now)


def _join_call(held: Session, came: ByCall, now: datetime, tx: Tx) -> Session:
    """An agent who has it keeps it; without one it is for the queue of this call now."""
    words = came.words
    new = replace(
        held,
        origin=came.origin,
        call=came.call,
        released_at=None,
        language=words.language or held.language,
        ivr_path=words.ivr_path or held.ivr_path,
        caller_name=words.caller_name or held.caller_name,
    )
    if held.state in WITH_AGENT:
        new = replace(new, state=SessionState.ASSIGNED)
    elif held.state is SessionState.DISMISSED:
        new = replace(waiting(new, now), queue=came.queue.id)
    else:
        new = replace(new, queue=came.queue.id)
    return put(held, new, Said(Why.CALL_ACCEPTED, came.by), now, tx)


def open_queued(thread: Thread, queue: TextQueue, begun: Begun, now: datetime, tx: Tx, language: str = "") -> Session:
    """Open a session that waits for an agent from now on."""
    due = queued_deadline(begun.start, now, queue.plan)
    return tx.sessions.open(_opening(thread, queue, begun, due, language), SessionState.QUEUED, now)


def open_in_call(thread: Thread, queue: TextQueue, begun: Begun, call: int, now: datetime, tx: Tx) -> Session:
    """Open a session for somebody who texts while they are in a call."""
    opening = _opening(thread, queue, begun, call_deadline(call, now))
    return tx.sessions.open(replace(opening, origin=Origin.IN_CALL, call=call), SessionState.NEW, now)


def _opening(thread: Thread, queue: TextQueue, begun: Begun, due: Deadline, language: str = "") -> Opening:
    return Opening(
        thread,
        queue.id,
        begun.start,
        begun.why,
        begun.by,
        language=language,
        waiting_on=begun.waiting_on,
        due=due.due,
        due_at=due.at,
        detail=begun.detail,
    )


def waiting(session: Session, now: datetime) -> Session:
    """The session as it waits for an agent. One that nobody took keeps its place; who was told long ago that they must
    wait may be told again."""
    since = session.queued_at if session.state in (SessionState.QUEUED, SessionState.OFFERED) else now
    again = session.state is not SessionState.OFFERED and tell_again(session, now)
    return replace(
        session,
        state=SessionState.QUEUED,
        agent=None,
        offered_to=None,
        queued_at=since or now,
        wait_told_at=None if again else session.wait_told_at,
    )


def taken(session: Session, account: int, now: datetime) -> Session:
    """The session as an agent has it."""
    since = session.assigned_at if session.agent == account and session.state in WITH_AGENT else now
    return replace(
        session, state=SessionState.ASSIGNED, agent=account, offered_to=None, queued_at=None, assigned_at=since
    )


def queue_up(
    session: Session, why: Why, now: datetime, tx: Tx, queue: TextQueue | None = None, by: str = "", detail: str = ""
) -> Session:
    """Have it wait in its queue, or in another one."""
    new = waiting(session, now)
    about = session.offered_to or session.agent
    if queue is not None:
        new = replace(new, queue=queue.id)
    return put(session, new, Said(why, by, detail, about), now, tx)


def let_go(session: Session, why: Why, now: datetime, tx: Tx, by: str = "") -> Session:
    """Whoever has it, or is asked to take it, has it no more. It goes back to its queue, or is over if it was all but
    finished."""
    if session.state is SessionState.WRAP_UP:
        return finish(session, SessionState.ENDED, Why.WRAP_UP_OVER, by, now, tx)
    return queue_up(session, why, now, tx, by=by)


def offer(session: Session, account: int, now: datetime, tx: Tx) -> Session:
    """Ask an agent to take it."""
    tx.queues.took_turn(account, now)
    asked = replace(session, state=SessionState.OFFERED, offered_to=account)
    return put(session, asked, Said(Why.OFFERED), now, tx)


def assign(session: Session, account: int, why: Why, by: str, now: datetime, tx: Tx, detail: str = "") -> Session:
    """Give it to an agent, whoever had it before."""
    tx.queues.took_turn(account, now)
    return put(session, taken(session, account, now), Said(why, by, detail), now, tx)


def dismiss(session: Session, why: Why, by: str, now: datetime, tx: Tx) -> Session:
    """Set it aside. It remembers its agent, who gets it back if they write again."""
    aside = replace(session, state=SessionState.DISMISSED, offered_to=None)
    return put(session, aside, Said(why, by), now, tx)


def finish(session: Session, state: SessionState, why: Why, by: str, now: datetime, tx: Tx) -> Session:
    """It is over."""
    return put(session, replace(session, state=state), Said(why, by), now, tx)


def put(old: Session, new: Session, said: Said, now: datetime, tx: Tx) -> Session:
    """Write a session as it becomes; its timer runs anew. A request to take it falls when its agent loses it."""
    if old.state is SessionState.ASSIGNED and (new.state is not SessionState.ASSIGNED or new.agent != old.agent):
        drop_transfer(old, said.why, now, tx)
    due = deadline(new, plan_of(new, tx), now)
    return keep(replace(new, due=due.due, due_at=due.at), said, now, tx)


def keep(new: Session, said: Said, now: datetime, tx: Tx) -> Session:
    """Write a session whose timer runs on, or was set by hand."""
    return tx.sessions.save(new, line(new, said, now))


def note(session: Session, said: Said, now: datetime, tx: Tx) -> None:
    """Add to its story what does not change it."""
    tx.sessions.note(session, line(session, said, now))


def line(session: Session, said: Said, now: datetime) -> Step:
    """One line of a session's story."""
    agent = said.agent or session.offered_to or session.agent
    return Step(now, said.why, session.state, said.by, agent, session.queue, said.detail)


def drop_transfer(session: Session, why: Why, now: datetime, tx: Tx) -> None:
    """Nobody is asked any more to take it."""
    asked = tx.sessions.transfer_of(session.id)
    if asked is not None:
        tx.sessions.close_transfer(asked, TransferState.FAILED, why, now)
