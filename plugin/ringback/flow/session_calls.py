"""What calls do to sessions: somebody answers, it ends, or the first text that its caller was promised is settled."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from ringback.core.calls import Call
from ringback.core.messages import State
from ringback.core.sessions import WITH_AGENT, Origin, Session, SessionState, WaitingOn, Why
from ringback.core.text_queues import AfterHangUp
from ringback.flow import sessions
from ringback.flow.session_agents import agent_at
from ringback.flow.sessions import Said
from ringback.ports.storage import Tx

IN_CALL = frozenset({SessionState.NEW, SessionState.MENU})
"""Its agent will be who answers the call."""


def call_answered(call: Call, now: datetime, tx: Tx) -> None:
    """Whoever answered has the session of the call, if they may: they speak with its caller."""
    row = tx.calls.row_of(call.pbx, call.uniqueid) if call.answered_by else None
    session = tx.sessions.of_call(row) if row is not None else None
    if session is None or not session.in_call:
        return
    agent = agent_at(call.answered_by, session.did, tx)
    if agent is None or (session.state is SessionState.ASSIGNED and session.agent == agent.account):
        sessions.note(session, Said(Why.AGENT_ANSWERED, detail=call.answered_by), now, tx)
    else:
        sessions.assign(session, agent.account, Why.AGENT_ANSWERED, "", now, tx, call.answered_by)


def release(session: Session, answered: bool, now: datetime, tx: Tx) -> Session:
    """The call of a session is over: it goes on with its agent, in its queue, or not at all.

    `answered`: somebody spoke with its caller, whoever that was.
    """
    if not session.in_call:
        return session
    if session.state in IN_CALL:
        return _without_agent(replace(session, released_at=now), answered, now, tx)
    new, said = replace(session, released_at=now), Said(Why.CALL_ENDED)
    return (sessions.put if session.state in WITH_AGENT else _keep)(session, new, said, now, tx)


def _keep(_old: Session, new: Session, said: Said, now: datetime, tx: Tx) -> Session:
    return sessions.keep(new, said, now, tx)


def _without_agent(session: Session, answered: bool, now: datetime, tx: Tx) -> Session:
    """Somebody who is no agent spoke with them, or nobody did."""
    if answered and session.waiting_on is not WaitingOn.AGENT:
        return sessions.finish(session, SessionState.ENDED, Why.CALL_ENDED, "", now, tx)
    why = Why.CALL_ENDED if answered else Why.CALLER_HUNG_UP
    closes = sessions.plan_of(session, tx).after_hang_up is AfterHangUp.CLOSE
    if session.origin is Origin.WAIT_TEXT and closes and not answered:
        return sessions.finish(session, SessionState.ENDED, why, "", now, tx)
    return sessions.queue_up(session, why, now, tx)


def call_lost(call_row: int, now: datetime, tx: Tx) -> None:
    """A call ended while its PBX was out of sight, so nobody knows how; its session waits for an agent."""
    session = tx.sessions.of_call(call_row)
    if session is None or not session.in_call:
        return
    gone = replace(session, released_at=now)
    if session.state in IN_CALL:
        sessions.queue_up(gone, Why.CALL_LOST, now, tx)
    else:
        sessions.put(session, gone, Said(Why.CALL_LOST), now, tx)


def text_settled(message_row: int, state: State, now: datetime, tx: Tx) -> None:
    """The first text of a session was taken, refused, failed or is in doubt. Any other text is none of its business."""
    texts_settled({message_row: state}, now, tx)


def texts_settled(settled: Mapping[int, State], now: datetime, tx: Tx) -> None:
    """The same for several texts, in one look."""
    known = {message: why for message, state in settled.items() if (why := _WHY.get(state)) is not None}
    for session in tx.sessions.promised(known) if known else ():
        message = session.first_text
        assert message is not None
        said = Said(known[message], detail=str(settled[message]))
        unheard = session.in_call and session.state in IN_CALL and session.waiting_on is not WaitingOn.AGENT
        if said.why is Why.TEXT_NOT_SENT and unheard:
            # the caller is still in the call, and goes on there
            sessions.put(session, replace(session, state=SessionState.ENDED), said, now, tx)
        else:
            sessions.note(session, said, now, tx)


_WHY: Mapping[State, Why] = {
    State.ACCEPTED: Why.TEXT_SENT,
    # a receipt may be there before the carrier's answer
    State.SENT: Why.TEXT_SENT,
    State.DELIVERED: Why.TEXT_SENT,
    State.UNDELIVERED: Why.TEXT_SENT,
    State.UNCONFIRMED: Why.TEXT_UNCONFIRMED,
    State.REFUSED: Why.TEXT_NOT_SENT,
    State.FAILED: Why.TEXT_NOT_SENT,
    State.EXPIRED: Why.TEXT_NOT_SENT,
    State.CANCELLED: Why.TEXT_NOT_SENT,
}
