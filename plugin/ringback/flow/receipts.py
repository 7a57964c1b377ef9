"""What carriers say later: each receipt is stored once, matched in any order, and only ever moves a text forward."""

from datetime import datetime
from functools import partial

import structlog

from ringback.core.messages import PartState, State, may_move
from ringback.flow.insist import insist_one
from ringback.ports import Clock, Listening, Receipt
from ringback.ports.storage import Store, Tx

log = structlog.get_logger("receipts")


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
    return tx.outcomes.part_moves(attempt.part, attempt.message, state, None, receipt.error, now)


async def listen(carrier: str, source: Listening, store: Store, clock: Clock) -> None:
    """Store what a carrier brings by itself, for ever; an event is done with once it is on disk."""
    async for event in source.events():
        match event:
            case Receipt():
                state = await insist_one(store, clock, partial(apply_receipt, carrier, event, clock.now()))
                log.debug("receipt", carrier=carrier, status=str(event.status), state=str(state))
            case _:
                log.warning("a text came in on a carrier that only sends here", carrier=carrier)
