"""Who may have a session: an agent who may read and answer texts of its number."""

from datetime import datetime

import structlog

from ringback.core.book import Book
from ringback.core.grants import Level, Subject, Way
from ringback.core.messages import MessageClass
from ringback.core.permissions import OF_ROLE, Action
from ringback.flow.overlay import effective
from ringback.flow.permits import FAULTS
from ringback.ports.queues import Agent
from ringback.ports.storage import Tx

CAPACITY, VOICE_WEIGHT = 3, 1
"""What an agent carries about whom nobody said anything."""

log = structlog.get_logger("sessions")


def agent_of(account: int, did: str, tx: Tx) -> Agent | None:
    """The agent, if they may have sessions of this number of ours as this very transaction sees it."""
    agent = tx.queues.agents().get(account)
    if agent is None or agent.disabled:
        return None
    try:
        return agent if may_serve(tx.grants.book(), account, did) else None
    except FAULTS:
        log.exception("rights could not be looked up; nobody gets this session")
        return None


def may_serve(book: Book, account: int, did: str) -> bool:
    """Whether somebody may have sessions of a number of ours: a role lets them, and they may read and answer there."""
    if not any(Action.TAKE_SESSIONS in OF_ROLE[role] for role in book.roles.get(account, ())):
        return False
    who = Subject(Level.USER, account)
    return all(effective(book, who, way, did, MessageClass.CONVERSATIONAL).allowed for way in (Way.SEND, Way.RECEIVE))


def agent_at(phone: str, did: str, tx: Tx) -> Agent | None:
    """The agent whose phone this is, if they may have sessions of this number of ours."""
    theirs = (agent.account for agent in tx.queues.agents().values() if agent.phone == phone) if phone else ()
    return next((agent for account in theirs if (agent := agent_of(account, did, tx)) is not None), None)


def become_agent(account: int, now: datetime, tx: Tx) -> None:
    """Whoever takes a session is an agent by that."""
    if account not in tx.queues.agents():
        tx.queues.set_up(account, CAPACITY, VOICE_WEIGHT, follows_phone=True, now=now)


def name_of(account: int | None, tx: Tx) -> str:
    """What to call an agent; empty for nobody."""
    agent = tx.queues.agents().get(account) if account is not None else None
    return (agent.name or agent.login) if agent else ""
