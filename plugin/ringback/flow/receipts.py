"""What carriers say later: each receipt is stored once, matched in any order, and only ever moves a text forward."""

from datetime import datetime

from ringback.core.messages import PartState, State, may_correct, may_move
from ringback.core.tasks import TaskKind
from ringback.ports import Receipt
from ringback.ports.storage import Tx

UNANSWERED = frozenset({PartState.SUBMITTING, PartState.UNCONFIRMED})


def apply_receipt(carrier: str, receipt: Receipt, now: datetime, tx: Tx) -> State | None:
    """Store a receipt and move its text (D4); park it when its text is not known yet.

    A receipt knows better than a person's word. Returns the message's new state, None when nothing moved: a duplicate,
    a late or an unknown receipt.
    """
    attempt = tx.outcomes.find(carrier, receipt)
    if attempt is None:
        tx.outcomes.park(carrier, receipt, now)
        return None
    if not tx.outcomes.keep(attempt.id, carrier, receipt, now):
        return None
    if attempt.said or attempt.state in UNANSWERED:
        tx.outcomes.resolve(attempt.id, receipt.provider_id, "receipt", now)
    state, allowed = PartState(receipt.status), may_correct if attempt.said else may_move
    if not allowed(State(attempt.state), State(state)):
        return None
    moved = tx.outcomes.part_moves(attempt.part, attempt.message, state, None, receipt.error, now, allowed)
    if moved is not None and attempt.state is PartState.UNCONFIRMED:
        tx.tasks.settle(TaskKind.UNCONFIRMED, attempt.message, now)
    return moved
