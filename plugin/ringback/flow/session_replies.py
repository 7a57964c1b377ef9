"""What a person's answer in a thread does to its session: whoever answers has it, unless somebody has it already."""

from dataclasses import replace
from datetime import datetime

from ringback.core.permissions import Principal
from ringback.core.sessions import WITH_AGENT, Session, SessionState, StartType, WaitingOn, Why
from ringback.flow import sessions
from ringback.flow.session_agents import agent_of
from ringback.flow.sessions import Begun, Said
from ringback.ports.pairs import Thread
from ringback.ports.storage import Tx

CLAIMED_BY_REPLY = frozenset({SessionState.QUEUED, SessionState.OFFERED, SessionState.DISMISSED})


def replied(who: Principal, thread: Thread, message: str, now: datetime, tx: Tx) -> None:
    """An answer goes out. An agent has the session by it, or begins one; of anybody else the story says who it was."""
    session = tx.sessions.of_thread(thread.id)
    account = who.account
    agent = agent_of(account, thread.did, tx) if account is not None else None
    if session is None:
        if agent is not None:
            _begin(who, thread, agent.account, message, now, tx)
        return
    said = Said(Why.REPLIED, who.label, message, account)
    beside = Said(Why.ANSWERED_BESIDE, who.label, message, account)
    answered = replace(session, waiting_on=WaitingOn.CUSTOMER, replied_at=session.replied_at or now)
    if agent is not None and session.state in CLAIMED_BY_REPLY:
        tx.queues.took_turn(agent.account, now)
        sessions.put(session, sessions.taken(answered, agent.account, now), said, now, tx)
    elif session.state in WITH_AGENT:
        resumes = session.agent == account
        again = replace(answered, state=SessionState.ASSIGNED) if resumes else answered
        sessions.put(session, again, said if resumes else beside, now, tx)
    else:
        sessions.keep(answered, beside, now, tx)


def _begin(who: Principal, thread: Thread, account: int, message: str, now: datetime, tx: Tx) -> Session:
    """An agent writes to somebody: what they answer comes to them."""
    queue = tx.queues.all().of_number(thread.did)
    begun = Begun(StartType.MANUAL, Why.REPLIED, who.label, message, WaitingOn.CUSTOMER)
    session = sessions.open_queued(thread, queue, begun, now, tx)
    return sessions.assign(replace(session, replied_at=now), account, Why.REPLIED, who.label, now, tx)
