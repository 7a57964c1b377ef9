"""What deadline a session has, from its state, its queue's plan and the clock."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from ringback.core.sessions import Due, Session, SessionState, StartType, WaitingOn
from ringback.core.text_queues import Note, Plan

CALL_LOST_AFTER = timedelta(hours=4)
"""No call goes on for so long without our hearing of it; one that does is looked at again."""
CALL_UNKNOWN_AFTER = timedelta(minutes=5)
"""The same for a session whose call we were told of and never heard."""
WAIT_AGAIN = timedelta(hours=1)
"""Somebody who waits is told so once, and once more after this if they write again."""
EXPIRES = frozenset({StartType.AUTO, StartType.CALL_EVENT})
"""Sessions that a text or a call of theirs began: only these run out while they wait."""


class Deadline(NamedTuple):
    """What happens to a session by itself, and when."""

    due: Due = Due.NONE
    at: datetime | None = None


NEVER = Deadline()
_Timer = Callable[[Session, Plan, datetime], Deadline]


def deadline(session: Session, plan: Plan, now: datetime) -> Deadline:
    """The deadline of a session that is now as it is. The wait in a queue counts from its beginning."""
    return _TIMERS[session.state](session, plan, now) if session.state in _TIMERS else NEVER


def queued_deadline(start: StartType, since: datetime, plan: Plan) -> Deadline:
    """When a session that waits since then has waited too long."""
    return _after(Due.QUEUED_EXPIRY, since, plan.queued_expiry) if start in EXPIRES else NEVER


def call_deadline(call: int | None, now: datetime) -> Deadline:
    """When to doubt that the call of a session still goes on."""
    return Deadline(Due.CALL_LOST, now + (CALL_UNKNOWN_AFTER if call is None else CALL_LOST_AFTER))


def warned_deadline(plan: Plan, now: datetime) -> Deadline:
    """What is left to somebody who was warned."""
    return Deadline(Due.CUSTOMER_IDLE, now + min(plan.warn_before, plan.customer_idle))


def warns(plan: Plan) -> bool:
    """Whether somebody who does not write is told before their session closes."""
    return bool(plan.warn_before and plan.notes.get(Note.WARNING))


def tell_again(session: Session, now: datetime) -> bool:
    """Whether somebody who waits may be told so now."""
    return session.wait_told_at is None or now - session.wait_told_at >= WAIT_AGAIN


def _after(due: Due, since: datetime, span: timedelta) -> Deadline:
    return Deadline(due, since + span) if span else NEVER


def _new(session: Session, _plan: Plan, now: datetime) -> Deadline:
    return call_deadline(session.call, now)


def _queued(session: Session, plan: Plan, now: datetime) -> Deadline:
    return queued_deadline(session.start, session.queued_at or now, plan)


def _offered(_session: Session, plan: Plan, now: datetime) -> Deadline:
    return _after(Due.OFFER_OVER, now, plan.offer_for)


def _assigned(session: Session, plan: Plan, now: datetime) -> Deadline:
    """Nobody is slow at writing while they speak."""
    if session.in_call:
        return call_deadline(session.call, now)
    if session.waiting_on is WaitingOn.AGENT:
        return _after(Due.AGENT_IDLE, now, plan.agent_idle)
    if plan.customer_idle and warns(plan):
        return Deadline(Due.WARN, now + max(plan.customer_idle - plan.warn_before, timedelta(0)))
    return _after(Due.CUSTOMER_IDLE, now, plan.customer_idle)


def _wrap_up(_session: Session, plan: Plan, now: datetime) -> Deadline:
    return _after(Due.WRAP_UP_OVER, now, plan.wrap_up)


def _dismissed(_session: Session, plan: Plan, now: datetime) -> Deadline:
    return _after(Due.DISMISSED_OVER, now, plan.dismissed_for)


_TIMERS: Mapping[SessionState, _Timer] = {
    SessionState.NEW: _new,
    SessionState.MENU: _new,
    SessionState.QUEUED: _queued,
    SessionState.OFFERED: _offered,
    SessionState.ASSIGNED: _assigned,
    SessionState.WRAP_UP: _wrap_up,
    SessionState.DISMISSED: _dismissed,
}
