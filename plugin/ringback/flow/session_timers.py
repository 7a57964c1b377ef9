"""What happens to sessions by itself: deadlines that have come, requests nobody answered, and a word to who waits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from ringback.core.presence import TAKES, Present
from ringback.core.session_timers import warned_deadline
from ringback.core.sessions import WITH_AGENT, Due, Session, SessionState, TransferState, Why
from ringback.core.text_queues import Note, TextQueue
from ringback.flow import sessions
from ringback.flow.house import House
from ringback.flow.session_texts import is_closed, say, told, waits_on
from ringback.flow.sessions import Said
from ringback.ports.queues import Agent
from ringback.ports.storage import Tx

AT_ONCE = 20
"""Deadlines that one transaction sees to, and requests."""
TOLD_AT_ONCE = 8
"""Texts to people who wait that one transaction queues: each asks all gates."""
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Fired:
    """What was done: how many deadlines, which carriers' lanes have to look, and whether more may be due."""

    done: int = 0
    waits_on: frozenset[str] = frozenset()
    more: bool = False


def fire_due(house: House, present: Present, now: datetime, tx: Tx) -> Fired:
    """Do what is due now. Called again at `tx.sessions.next_due()`, and whenever a session or an agent moved."""
    due = tx.sessions.due(now, AT_ONCE)
    carriers = {_FIRES[session.due](house, session, now, tx) for session in due}
    late = time_out(now, tx)
    told_now = tell_who_waits(house, present, now, tx)
    more = AT_ONCE in (len(due), late) or len(told_now) == TOLD_AT_ONCE
    return Fired(len(due) + late, frozenset({*carriers, *told_now} - {""}), more)


def time_out(now: datetime, tx: Tx) -> int:
    """Close requests that nobody answered in time; their sessions stay with whoever asked. Returns how many."""
    late = tx.sessions.due_transfers(now, AT_ONCE)
    for asked in late:
        tx.sessions.close_transfer(asked, TransferState.TIMED_OUT, Why.TRANSFER_TIMED_OUT, now)
        session = tx.sessions.by_row(asked.session)
        if session is not None:
            sessions.note(session, Said(Why.TRANSFER_TIMED_OUT, agent=asked.to_agent), now, tx)
    return len(late)


def tell_who_waits(house: House, present: Present, now: datetime, tx: Tx) -> list[str]:
    """Tell those who wait while nobody is free: once, and again no sooner than an hour later, if they wrote again.

    Returns for each of them the carrier that has a text to send then, if any.
    """
    speak = [queue for queue in tx.queues.all().all if queue.plan.notes.get(Note.WAIT)]
    if not speak:
        return []
    loads = tx.sessions.loads()
    busy = (queue for queue in speak if not is_closed(house, queue, now) and not _free(queue, present, loads, tx))
    untold = (session for queue in busy for session in tx.sessions.untold(queue.id, TOLD_AT_ONCE))
    return [_tell(house, session, now, tx) for session in islice(untold, TOLD_AT_ONCE)]


def _tell(house: House, session: Session, now: datetime, tx: Tx) -> str:
    sent = say(house, session, Note.WAIT, now, tx)
    # also where it cannot be filled in: it could not at the next look either
    sessions.keep(replace(session, wait_told_at=now), Said(Why.WAIT_TOLD, detail=told(sent)), now, tx)
    return waits_on(sent)


def _free(queue: TextQueue, present: Present, loads: Mapping[int, int], tx: Tx) -> bool:
    """Whether anybody of this queue can take one more now."""
    agents = tx.queues.agents()
    return any(
        account in present and account in agents and _carries_more(agents[account], present, loads)
        for account in queue.members
    )


def _carries_more(agent: Agent, present: Present, loads: Mapping[int, int]) -> bool:
    now = present[agent.account]
    load = loads.get(agent.account, 0) + (agent.voice_weight if now.on_call else 0)
    return now.presence in TAKES and load < agent.capacity


# -- what each deadline does; returns the carrier that has a text to send then, if any


def _nothing(_house: House, _session: Session, _now: datetime, _tx: Tx) -> str:
    return ""


def _call_lost(_house: House, session: Session, now: datetime, tx: Tx) -> str:
    """We never heard its call end."""
    gone = replace(session, released_at=now)
    if session.state in WITH_AGENT:
        sessions.put(session, gone, Said(Why.CALL_LOST), now, tx)
    else:
        sessions.queue_up(gone, Why.CALL_LOST, now, tx)
    return ""


def _expire(_house: House, session: Session, now: datetime, tx: Tx) -> str:
    sessions.finish(session, SessionState.EXPIRED, Why.QUEUED_EXPIRY, "", now, tx)
    return ""


def _back(why: Why) -> "Callable[[House, Session, datetime, Tx], str]":
    def back(_house: House, session: Session, now: datetime, tx: Tx) -> str:
        sessions.let_go(session, why, now, tx)
        return ""

    return back


def _warn(house: House, session: Session, now: datetime, tx: Tx) -> str:
    """Tell them that it closes, and give them what is left of the time."""
    plan = sessions.plan_of(session, tx)
    left = warned_deadline(plan, now)
    minutes = max(1, round(plan.warn_before / _MINUTE))
    sent = say(house, session, Note.WARNING, now, tx, {"minutes": str(minutes)})
    warned = replace(session, due=left.due, due_at=left.at)
    sessions.keep(warned, Said(Why.WARNED, detail=told(sent)), now, tx)
    return waits_on(sent)


def _customer_idle(house: House, session: Session, now: datetime, tx: Tx) -> str:
    dismissed = sessions.dismiss(session, Why.CUSTOMER_IDLE, "", now, tx)
    return waits_on(say(house, dismissed, Note.CLOSED, now, tx))


def _end(why: Why) -> "Callable[[House, Session, datetime, Tx], str]":
    def end(_house: House, session: Session, now: datetime, tx: Tx) -> str:
        sessions.finish(session, SessionState.ENDED, why, "", now, tx)
        return ""

    return end


_FIRES: Mapping[Due, Callable[[House, Session, datetime, Tx], str]] = {
    Due.NONE: _nothing,
    Due.CALL_LOST: _call_lost,
    Due.QUEUED_EXPIRY: _expire,
    Due.OFFER_OVER: _back(Why.OFFER_OVER),
    Due.AGENT_IDLE: _back(Why.AGENT_IDLE),
    Due.WARN: _warn,
    Due.CUSTOMER_IDLE: _customer_idle,
    Due.WRAP_UP_OVER: _end(Why.WRAP_UP_OVER),
    Due.DISMISSED_OVER: _end(Why.DISMISSED_OVER),
}
