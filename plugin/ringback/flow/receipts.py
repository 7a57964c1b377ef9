"""What carriers say later: each receipt is stored once, matched in any order, and only ever moves a text forward."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import structlog

from ringback.core.messages import PartState, State, may_move
from ringback.core.tasks import TaskKind
from ringback.flow.insist import insist
from ringback.ports import Clock, Listening, Receipt
from ringback.ports.storage import Store, Tx

log = structlog.get_logger("receipts")

AT_ONCE = 256
"""Receipts in one commit; the writer takes only so many changes at a time."""


def apply_receipt(carrier: str, receipt: Receipt, now: datetime, tx: Tx) -> State | None:
    """Store a receipt and move its text (D4); park it when its text is not known yet.

    Returns the message's new state, None when nothing moved: a duplicate, a late or an unknown receipt.
    """
    attempt = tx.outcomes.find(carrier, receipt)
    if attempt is None:
        tx.outcomes.park(carrier, receipt, now)
        return None
    if not tx.outcomes.keep(attempt.id, carrier, receipt, now):
        return None
    if attempt.state is PartState.SUBMITTING or attempt.state is PartState.UNCONFIRMED:
        tx.outcomes.resolve(attempt.id, receipt.provider_id, "receipt", now)
    state = PartState(receipt.status)
    if not may_move(State(attempt.state), State(state)):
        return None
    moved = tx.outcomes.part_moves(attempt.part, attempt.message, state, None, receipt.error, now)
    if moved is not None and attempt.state is PartState.UNCONFIRMED:
        tx.tasks.settle(TaskKind.UNCONFIRMED, attempt.message, now)
    return moved


async def listen(carrier: str, source: Listening, store: Store, clock: Clock) -> None:
    """Store what a carrier brings by itself, for ever; events are done with once they are on disk."""
    async for events in source.batches():
        receipts = [event for event in events if isinstance(event, Receipt)]
        for start in range(0, len(receipts), AT_ONCE):
            await _store(carrier, receipts[start : start + AT_ONCE], store, clock)
        if len(receipts) < len(events):
            log.warning("texts came in on a carrier that only sends here", carrier=carrier)


async def _store(carrier: str, receipts: Sequence[Receipt], store: Store, clock: Clock) -> None:
    now = clock.now()
    steps = [partial(apply_receipt, carrier, receipt, now) for receipt in receipts]
    for receipt, state in zip(receipts, await insist(store, clock, steps), strict=True):
        if isinstance(state, Exception):
            log.error("a receipt could not be stored", carrier=carrier, problem=repr(state))
        else:
            log.debug("receipt", carrier=carrier, status=str(receipt.status), state=str(state))
