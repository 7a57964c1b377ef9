"""Sessions that lose their agent or their queue: they wait in a queue again, in the transaction that takes it away."""

from dataclasses import replace
from datetime import datetime

from ringback.core.sessions import Session, SessionState, TransferState, Why
from ringback.core.text_queues import TextQueue
from ringback.flow import sessions
from ringback.flow.session_agents import agent_of
from ringback.flow.sessions import Said
from ringback.ports.storage import Tx

WAITS = frozenset({SessionState.QUEUED, SessionState.OFFERED})


def leave(account: int, now: datetime, tx: Tx, why: Why = Why.AGENT_MAY_NOT, by: str = "") -> list[Session]:
    """An agent is gone: what they have, or are asked to take, waits in its queue again. Returns those sessions."""
    for asked in tx.sessions.transfers_to(account):
        if asked.to_agent == account:
            _fail(asked.session, why, now, tx)
    return [sessions.let_go(session, why, now, tx, by) for session in tx.sessions.with_agent(account)]


def without_rights(now: datetime, tx: Tx) -> int:
    """Take sessions from agents who may not have them any more; called after rights changed. Returns how many."""
    taken = 0
    for account in tx.sessions.loads():
        for session in tx.sessions.with_agent(account):
            if agent_of(account, session.did, tx) is None:
                sessions.let_go(session, Why.AGENT_MAY_NOT, now, tx)
                taken += 1
    return taken


def empty_queue(queue: TextQueue, now: datetime, tx: Tx, by: str = "") -> int:
    """A queue is to be removed: its sessions fall back to the main one, and those that wait go on waiting there.

    Called in the transaction that removes it, and before that; returns how many they were.
    """
    for asked in tx.sessions.transfers_into(queue.id):
        _fail(asked.session, Why.QUEUE_REMOVED, now, tx)
    main, said = tx.queues.all().main, Said(Why.QUEUE_REMOVED, by, queue.name)
    left = tx.sessions.of_queue(queue.id)
    for session in left:
        new = sessions.waiting(session, now) if session.state in WAITS else session
        sessions.put(session, replace(new, queue=main.id), said, now, tx)
    return len(left)


def _fail(session_row: int, why: Why, now: datetime, tx: Tx) -> None:
    """Nobody can accept this request any more; the session stays with who has it."""
    session, asked = tx.sessions.by_row(session_row), tx.sessions.transfer_of(session_row)
    if session is not None and asked is not None:
        tx.sessions.close_transfer(asked, TransferState.FAILED, why, now)
        sessions.note(session, Said(why, agent=asked.to_agent), now, tx)
