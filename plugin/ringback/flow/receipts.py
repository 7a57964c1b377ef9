"""What carriers say later: each receipt is stored once, matched in any order, and only ever moves a text forward."""

from collections.abc import Sequence
from datetime import datetime

from ringback.core.messages import PartState, State, may_correct, may_move
from ringback.core.provider_ids import Ids
from ringback.core.tasks import TaskKind
from ringback.flow.not_delivered import leave_if_written, reached
from ringback.flow.textless import learn_from_receipt
from ringback.ports import Receipt
from ringback.ports.storage import Tx
from ringback.ports.texts import Attempt

UNANSWERED = frozenset({PartState.SUBMITTING, PartState.UNCONFIRMED})


def ids_of(carrier: object) -> Ids:
    """What a carrier's ids are; of one that does not say, they are text."""
    return Ids.NUMBER if getattr(carrier, "numeric_ids", False) else Ids.TEXT


def apply_receipt(carrier: str, receipt: Receipt, now: datetime, tx: Tx, ids: Ids = Ids.TEXT) -> State | None:
    """Store a receipt and move its text (D4); park it when its text is not known yet.

    A receipt knows better than a person's word. Returns the message's new state, None when nothing moved: a duplicate,
    a late or an unknown receipt.
    """
    attempt = tx.outcomes.find(carrier, receipt, ids)
    if attempt is None:
        tx.outcomes.park(carrier, receipt, now, ids)
        return None
    if not tx.outcomes.keep(attempt.id, carrier, receipt, now):
        return None
    # of a text that was sent twice, the word may stand with the other attempt
    said = attempt.said or (attempt.state is PartState.FAILED and tx.doubts.take_words_back(attempt.message))
    if said or attempt.state in UNANSWERED:
        tx.outcomes.resolve(attempt.id, carrier, receipt.provider_id, "receipt", now, ids)
    state, allowed = PartState(receipt.status), may_correct if said else may_move
    if attempt.state is PartState.SUBMITTING and state is not PartState.ACCEPTED:
        # it came before the answer; what the network has, the carrier took
        tx.outcomes.part_moves(attempt.part, attempt.message, PartState.ACCEPTED, None, carrier, now)
    if not allowed(State(attempt.state), State(state)):
        return None
    moved = tx.outcomes.part_moves(attempt.part, attempt.message, state, None, receipt.error, now, allowed)
    if moved is not None:
        _tell(attempt, moved, receipt.error, now, tx)
    return moved


def apply_receipts(
    carrier: str, receipts: Sequence[Receipt], now: datetime, tx: Tx, ids: Ids = Ids.TEXT
) -> list[State | None]:
    """Apply receipts in their order, each as `apply_receipt` would, in a few statements for all of them."""
    if ids is Ids.TEXT:
        tx.outcomes.read_receipts_ahead(carrier, receipts)
    return [apply_receipt(carrier, receipt, now, tx, ids) for receipt in receipts]


def _tell(attempt: Attempt, moved: State, error: str, now: datetime, tx: Tx) -> None:
    """What this means for people: nothing is in doubt any more, and a text of theirs may have failed."""
    # a text that is sent once more was in doubt as well
    if attempt.state in UNANSWERED:
        tx.tasks.settle(TaskKind.UNCONFIRMED, attempt.message, now)
    if moved is State.UNDELIVERED:
        learn_from_receipt(error, attempt.message, now, tx)
        leave_if_written(attempt.message, error, now, tx)
    elif attempt.state is PartState.UNDELIVERED:
        reached(attempt.message, now, tx)
