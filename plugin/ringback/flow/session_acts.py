"""What people do to sessions, as steps: each asks first what they may, in the transaction that does it.

What somebody else did a moment before is told as it is now: `Gone`.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ringback.core.permissions import Action, Principal
from ringback.core.presence import AtDesk
from ringback.core.sessions import Session, SessionState, TransferState, Why
from ringback.core.text_queues import Note, TextQueue
from ringback.core.writing import clean
from ringback.flow import sessions
from ringback.flow.house import House
from ringback.flow.permits import NotThere, Unwritten, allow
from ringback.flow.session_agents import become_agent, name_of
from ringback.flow.session_finding import (
    Needs,
    account_of,
    find,
    find_mine,
    for_agent,
    gone,
    has_it,
    must,
    must_be_able,
    queue_of,
    row_of,
)
from ringback.flow.session_leaving import leave
from ringback.flow.session_texts import say, waits_on
from ringback.flow.sessions import Said
from ringback.ports.sessions import Transfer
from ringback.ports.storage import Tx

LONGEST_NOTE = 500
FOR_EVER = timedelta(days=3_660)
"""How long a request stands in a queue whose requests do not time out."""
CLAIMABLE = frozenset({SessionState.QUEUED, SessionState.DISMISSED})


@dataclass(frozen=True, slots=True)
class Done:
    """A session after what was done to it. `waits_on` names the carrier whose lane has to look."""

    session: Session
    waits_on: str = ""


def claim(who: Principal, session: str, now: datetime, tx: Tx) -> Done:
    """Take a session that waits, was set aside, or is offered to them."""
    found, me = for_agent(who, session, Needs.SEND, tx)
    if has_it(found, me):
        return Done(found)
    asked = found.state is SessionState.OFFERED and found.offered_to == me
    if not asked and found.state not in CLAIMABLE:
        raise gone(found, tx)
    become_agent(me, now, tx)
    return Done(sessions.assign(found, me, Why.CLAIMED, who.label, now, tx))


def accept(who: Principal, session: str, now: datetime, tx: Tx) -> Done:
    """Take a session that is offered to them."""
    found, me = for_agent(who, session, Needs.SEND, tx)
    if has_it(found, me):
        return Done(found)
    must(found.state is SessionState.OFFERED and found.offered_to == me, found, tx)
    return Done(sessions.assign(found, me, Why.ACCEPTED, who.label, now, tx))


def decline(who: Principal, session: str, now: datetime, tx: Tx) -> Done:
    """Let another have it."""
    found, me = for_agent(who, session, Needs.SEE, tx)
    must(found.state is SessionState.OFFERED and found.offered_to == me, found, tx)
    return Done(sessions.let_go(found, Why.DECLINED, now, tx, who.label))


@dataclass(frozen=True, slots=True)
class Wish:
    """To whom a session shall go, by public id: an agent, or a queue; and what they should know."""

    to_agent: str = ""
    to_queue: str = ""
    note: str = ""


def transfer(who: Principal, session: str, wish: Wish, now: datetime, tx: Tx) -> Done:
    """Ask an agent, or whoever serves a queue, to take it. It stays with who asks until somebody does."""
    found, me = find_mine(who, session, tx)
    must(found.state is SessionState.ASSIGNED, found, tx)
    to_agent = account_of(wish.to_agent, tx).id if wish.to_agent else None
    to_queue = queue_of(wish.to_queue, tx) if wish.to_queue else None
    if (to_agent is None) is (to_queue is None) or to_agent == me:
        raise Unwritten("choose one colleague, or one queue, that shall have it")
    if to_agent is not None:
        must_be_able(to_agent, found, tx)
    span = sessions.plan_of(found, tx).transfer_for or FOR_EVER
    words = clean(wish.note)[:LONGEST_NOTE]
    row = to_queue.id if to_queue is not None else None
    tx.sessions.ask_transfer(found, to_agent, row, words, now + span, now)
    about = to_queue.name if to_queue is not None else ""
    sessions.note(found, Said(Why.TRANSFER_ASKED, who.label, about, to_agent), now, tx)
    return Done(found)


def accept_transfer(house: House, who: Principal, session: str, now: datetime, tx: Tx) -> Done:
    """Take what a colleague asked them, or a queue of theirs, to take."""
    found, me = for_agent(who, session, Needs.SEND, tx)
    asked = tx.sessions.transfer_of(found.id)
    if asked is None:
        if has_it(found, me):
            return Done(found)
        raise gone(found, tx)
    queue = tx.queues.all().get(asked.to_queue) if asked.to_queue is not None else None
    if not _is_asked(asked, queue, me):
        raise gone(found, tx)
    tx.sessions.close_transfer(asked, TransferState.COMPLETED, Why.TRANSFER_ACCEPTED, now)
    become_agent(me, now, tx)
    tx.queues.took_turn(me, now)
    taken = replace(sessions.taken(found, me, now), queue=queue.id if queue is not None else found.queue)
    moved = sessions.put(found, taken, Said(Why.TRANSFER_ACCEPTED, who.label), now, tx)
    sent = say(house, moved, Note.TRANSFERRED, now, tx, {"agent": name_of(me, tx)})
    return Done(moved, waits_on(sent))


def decline_transfer(who: Principal, session: str, now: datetime, tx: Tx) -> Done:
    """Do not take it. Of a queue that is asked, others still may."""
    found, me = for_agent(who, session, Needs.SEE, tx)
    asked = tx.sessions.transfer_of(found.id)
    if asked is None or asked.to_agent != me:
        raise gone(found, tx)
    return _close(found, asked, Why.TRANSFER_DECLINED, who, now, tx)


def take_back(who: Principal, session: str, now: datetime, tx: Tx) -> Done:
    """Whoever asked keeps it after all."""
    found, _me = find_mine(who, session, tx)
    asked = tx.sessions.transfer_of(found.id)
    if asked is None:
        raise gone(found, tx)
    return _close(found, asked, Why.TRANSFER_TAKEN_BACK, who, now, tx)


def dismiss(who: Principal, session: str, now: datetime, tx: Tx) -> Done:
    """Set it aside until they write again."""
    found, _me = find_mine(who, session, tx)
    return Done(sessions.dismiss(found, Why.DISMISSED, who.label, now, tx))


def end(house: House, who: Principal, session: str, now: datetime, tx: Tx) -> Done:
    """It is done. Where the queue gives time to wrap up, it is over after that, or when it is ended once more."""
    found, _me = find_mine(who, session, tx)
    wraps = found.state is SessionState.ASSIGNED and sessions.plan_of(found, tx).wrap_up
    state = SessionState.WRAP_UP if wraps else SessionState.ENDED
    ended = sessions.finish(found, state, Why.ENDED, who.label, now, tx)
    told_before = found.state is SessionState.WRAP_UP
    return Done(ended, "" if told_before else waits_on(say(house, ended, Note.CLOSED, now, tx)))


def give_back(who: Principal, session: str, now: datetime, tx: Tx) -> Done:
    """Put it back into its queue."""
    found, _me = find_mine(who, session, tx)
    return Done(sessions.queue_up(found, Why.GIVEN_BACK, now, tx, by=who.label))


def take_over(who: Principal, session: str, now: datetime, tx: Tx) -> Done:
    """Have it oneself, whoever has it."""
    allow(who, Action.ASSIGN_SESSIONS)
    found, me = for_agent(who, session, Needs.SEND, tx)
    if has_it(found, me):
        return Done(found)
    must(found.open, found, tx)
    become_agent(me, now, tx)
    before = name_of(found.agent, tx)
    tx.audit.note(who.label, "session_take_over", found.public_id, before, now)
    return Done(sessions.assign(found, me, Why.TAKEN_OVER, who.label, now, tx, before))


def reassign(who: Principal, session: str, to: str, now: datetime, tx: Tx) -> Done:
    """Give it to an agent, by public id, whoever has it."""
    found = find(who, session, Action.ASSIGN_SESSIONS, tx)
    account = account_of(to, tx)
    if has_it(found, account.id):
        return Done(found)
    must(found.open, found, tx)
    must_be_able(account.id, found, tx)
    tx.audit.note(who.label, "session_reassign", found.public_id, f"to {account.called}", now)
    return Done(sessions.assign(found, account.id, Why.REASSIGNED, who.label, now, tx))


def put_back(who: Principal, session: str, now: datetime, tx: Tx) -> Done:
    """Have it wait in its queue again, whoever has it. One that belongs to a call goes to whoever answers that."""
    found = find(who, session, Action.ASSIGN_SESSIONS, tx)
    if found.state is SessionState.QUEUED:
        return Done(found)
    must(found.open and found.state is not SessionState.NEW, found, tx)
    tx.audit.note(who.label, "session_put_back", found.public_id, name_of(found.agent, tx), now)
    return Done(sessions.queue_up(found, Why.GIVEN_BACK, now, tx, by=who.label))


def be(who: Principal, desk: AtDesk, now: datetime, tx: Tx) -> None:
    """Say that one takes sessions, or does not just now."""
    allow(who, Action.TAKE_SESSIONS)
    me = row_of(who)
    become_agent(me, now, tx)
    tx.queues.at_desk(me, desk, now)


def send_away(who: Principal, account: str, now: datetime, tx: Tx) -> None:
    """Say of an agent, by public id, that they are away: they get no more, and what they have waits in its queue."""
    allow(who, Action.ASSIGN_SESSIONS)
    agent = account_of(account, tx)
    if agent.id not in tx.queues.agents():
        raise NotThere(f"there is no agent {account}")
    tx.queues.at_desk(agent.id, AtDesk.AWAY, now)
    left = leave(agent.id, now, tx, Why.AGENT_SENT_AWAY, who.label)
    tx.audit.note(who.label, "agent_send_away", agent.public_id, f"{len(left)} sessions back in their queues", now)


def _is_asked(asked: Transfer, queue: TextQueue | None, me: int) -> bool:
    """A queue that has no members is everybody's, or nobody could ever take what it is asked."""
    return asked.to_agent == me or (queue is not None and (me in queue.members or not queue.members))


def _close(session: Session, asked: Transfer, why: Why, who: Principal, now: datetime, tx: Tx) -> Done:
    tx.sessions.close_transfer(asked, TransferState.FAILED, why, now)
    sessions.note(session, Said(why, who.label, agent=asked.to_agent), now, tx)
    return Done(session)
