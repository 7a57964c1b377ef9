"""STOP and START, whoever says it: the person by text, the carrier by its block, somebody at the desk for them.

The ledger, its fold and the texts that wait are changed in one transaction, so nothing to this person leaves after it.
An attempt that is open already has left our hands, and its text says so; the confirmation of the STOP itself is let
through.
"""

from collections.abc import Iterable
from datetime import datetime

from ringback.core.consents import Method
from ringback.core.messages import State
from ringback.core.reasons import Reason
from ringback.core.sessions import SessionState, Why
from ringback.core.triggers import CallDecision, CallVerdict
from ringback.flow import ledger, sessions
from ringback.ports.pairs import Thread
from ringback.ports.storage import Tx

BY = {"text": Method.KEYWORD, "carrier": Method.KEYWORD, "key": Method.KEY_PRESS}
"""How the ledger of consents calls what the ledger of opt-outs calls so; the rest somebody wrote down."""
CROSSED = "crossed with STOP: it was on its way already"
STOPPED = CallDecision(CallVerdict.SUPPRESS, Reason.OPTED_OUT)


def stop(thread: Thread, method: str, evidence: str, now: datetime, tx: Tx) -> int:
    """Record an opt-out and call off what waits for this pair; returns how many texts that were."""
    tx.pairs.opt_out(thread.id, method, evidence, now)
    ledger.take_all_back(thread, BY.get(method, Method.AGENT), evidence, now, tx)
    for message in tx.doubts.crossing(thread.id):
        tx.outbox.note(message, State.SUBMITTING, None, CROSSED, now)
    session = tx.sessions.of_thread(thread.id)
    if session is not None:
        sessions.finish(session, SessionState.OPTED_OUT, Why.OPTED_OUT, "", now, tx)
    return _call_off_queued(thread, now, tx) + call_off_waiting(tx.pending.of_pair(thread.did, thread.peer), tx)


def start(thread: Thread, method: str, evidence: str, now: datetime, tx: Tx) -> None:
    """Record that this person wants texts again. What was called off stays so, and what was over is over."""
    tx.pairs.opt_in(thread.id, method, evidence, now)


def _call_off_queued(thread: Thread, now: datetime, tx: Tx) -> int:
    off = 0
    for message, state, call_id in tx.outbox.unsent_in(thread.id):
        if tx.outbox.move(message, state, State.CANCELLED, Reason.OPTED_OUT, "", now):
            off += 1
            if call_id is not None:
                tx.calls.redecided(call_id, STOPPED)
    return off


def call_off_waiting(waiting: Iterable[tuple[int, int]], tx: Tx) -> int:
    """Call off texts that wait out their delay, as (id, call)."""
    off = 0
    for pending, call_id in waiting:
        if tx.pending.close(pending, "cancelled", Reason.OPTED_OUT):
            off += 1
            tx.calls.redecided(call_id, STOPPED)
    return off
