"""One attempt to send: asked once, and its outcome recorded once, whatever the carrier answers (D3, D5)."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import structlog

from ringback.core.messages import PartState, State, Urgency
from ringback.core.policy import Defer
from ringback.core.reasons import Reason
from ringback.core.retries import wait_after
from ringback.core.tasks import TaskKind
from ringback.errors import Blocked, Rejected, SendFailed, Throttled, Unconfirmed, Unreachable
from ringback.flow.allowances import take_back
from ringback.flow.not_delivered import NEVER_LEFT, leave_if_written
from ringback.flow.opt_outs import stop
from ringback.flow.receipts import apply_receipt, ids_of
from ringback.flow.session_calls import texts_settled
from ringback.flow.textless import learn_from
from ringback.ports import Carrier, CarrierRef
from ringback.ports.storage import Tx
from ringback.ports.texts import Order

log = structlog.get_logger("sending")

SEND_TIMEOUT_S = 120.0
"""After this the outcome of an attempt is unknown, whatever the carrier's library still hopes for."""


STRANDED = timedelta(minutes=5)
"""An attempt that no lane knows is given up after this; longer than any send may take."""


class OurFault(Unconfirmed):
    """The carrier's code fell over on this text, which says nothing of the carrier."""


class TooLate(Unreachable):
    """Its time was over before its first byte, since the commit that opened it took long. No byte left."""


async def attempt(carrier: Carrier, order: Order, now: datetime) -> CarrierRef | SendFailed:
    """Ask the carrier once. Whatever is not a definite answer is Unconfirmed: it may have left."""
    if order.text.expires_at <= now:
        return TooLate(NEVER_LEFT)
    try:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            return await carrier.send(order.text)
    except SendFailed as failure:
        return failure
    except TimeoutError:
        return Unconfirmed(f"no answer within {SEND_TIMEOUT_S:.0f} s")
    except Exception as fault:  # a carrier's bug must stop neither the lane nor the record
        log.exception("carrier failed", carrier=carrier.name)
        return OurFault(f"{type(fault).__name__}: {fault}")


def record(carrier: Carrier, order: Order, result: CarrierRef | SendFailed, now: datetime, tx: Tx) -> State | None:
    """Write what became of an attempt (D3, D5); None when another daemon closed it before us."""
    state = _record(carrier, order, result, now, tx)
    tell_sessions([(order, _settled(result, state))], now, tx)
    return state


def _settled(result: CarrierRef | SendFailed, state: State | None) -> State | None:
    """What the carrier took it took, also where a receipt was here before its answer and the text has moved on."""
    return State.ACCEPTED if state is None and isinstance(result, CarrierRef) else state


def tell_sessions(settled: Sequence[tuple[Order, State | None]], now: datetime, tx: Tx) -> None:
    """A session may wait for the first text its caller was promised; only a call asks for one."""
    texts_settled(
        {order.message: state for order, state in settled if state and order.urgency is Urgency.CALL}, now, tx
    )


def _record(carrier: Carrier, order: Order, result: CarrierRef | SendFailed, now: datetime, tx: Tx) -> State | None:
    match result:
        case CarrierRef(provider_id):
            return taken(carrier, order, provider_id, now, tx)
        case Unreachable() | Rejected() if order.again:
            return not_again(order, result, now, tx)
        case TooLate():
            return expire(order, now, tx)
        case Unreachable():
            return wait_and_retry(order, result, now, tx)
        case Rejected():
            return rejected(order, result, now, tx)
        case _:
            return in_doubt(order, str(result), now, tx)


def record_all(
    carrier: Carrier, answers: Sequence[tuple[Order, CarrierRef | SendFailed]], now: datetime, tx: Tx
) -> list[State | None]:
    """Record what became of several attempts, each as `record` would, in a few statements for all of them."""
    names = [result.provider_id for _order, result in answers if isinstance(result, CarrierRef) and result.provider_id]
    tx.outcomes.read_ahead(carrier.name, [order.attempt for order, _result in answers], names, ids_of(carrier))
    states = [_record(carrier, order, result, now, tx) for order, result in answers]
    settled = [(order, _settled(result, state)) for (order, result), state in zip(answers, states, strict=True)]
    tell_sessions(settled, now, tx)
    return states


def taken(carrier: Carrier, order: Order, provider_id: str, now: datetime, tx: Tx) -> State | None:
    ids = ids_of(carrier)
    if not tx.outcomes.close(order.attempt, "accepted", "", provider_id, now, ids):
        return None
    if order.again:
        tx.tasks.settle(TaskKind.UNCONFIRMED, order.message, now)
    state = tx.outcomes.part_moves(order.part, order.message, PartState.ACCEPTED, None, carrier.name, now)
    for receipt in tx.outcomes.take_parked(order.carrier, provider_id, ids) if provider_id else ():
        state = apply_receipt(order.carrier, receipt, now, tx, ids) or state
    return state


def not_again(order: Order, failure: Unreachable | Rejected, now: datetime, tx: Tx) -> State | None:
    """The second attempt of a text definitely failed, so nobody knows of the first, as before.

    One that provably did not leave does not count as sent once more; its policy is asked again after a while.
    """
    unreachable = isinstance(failure, Unreachable)
    if not tx.outcomes.close(order.attempt, "not_sent" if unreachable else "rejected", str(failure), None, now):
        return None
    take_back(order, tx)
    if unreachable:
        tx.doubts.take_resend_back(order.message)
    if isinstance(failure, Blocked):
        stop(order.thread, "carrier", str(failure), now, tx)
    detail = f"not sent again: {failure}"
    return tx.outcomes.part_moves(order.part, order.message, PartState.UNCONFIRMED, None, detail, now)


def expire(order: Order, now: datetime, tx: Tx) -> State | None:
    """Its time was over before anything was sent."""
    if not tx.outcomes.close(order.attempt, "not_sent", NEVER_LEFT, None, now):
        return None
    take_back(order, tx)
    tx.outbox.give_up(order, NEVER_LEFT, now)
    leave_if_written(order.message, NEVER_LEFT, now, tx)
    return State.EXPIRED


def wait_and_retry(order: Order, failure: Unreachable, now: datetime, tx: Tx) -> State | None:
    """Provably nothing was sent: the text waits for the next try."""
    if not tx.outcomes.close(order.attempt, "not_sent", str(failure), None, now):
        return None
    take_back(order, tx)
    throttled = isinstance(failure, Throttled)
    wait = wait_after(order.tries, failure.wait if isinstance(failure, Throttled) else 0.0)
    reason = Reason.RATE_CARRIER if throttled else Reason.CARRIER_HOLD
    tx.outbox.take_back(order, Defer(reason, now + wait), str(failure), now)
    return State.HELD


def rejected(order: Order, failure: Rejected, now: datetime, tx: Tx) -> State | None:
    if not tx.outcomes.close(order.attempt, "rejected", str(failure), None, now):
        return None
    take_back(order, tx)
    if isinstance(failure, Blocked):
        stop(order.thread, "carrier", str(failure), now, tx)
    learn_from(str(failure), order.thread.peer, now, tx)
    leave_if_written(order.message, str(failure), now, tx)
    reason = Reason.OPTED_OUT if isinstance(failure, Blocked) else None
    return tx.outcomes.part_moves(order.part, order.message, PartState.FAILED, reason, str(failure), now)


def in_doubt(order: Order, cause: str, now: datetime, tx: Tx) -> State | None:
    """D5: it may have been sent. Its policy decides, and in most cases a person."""
    if not tx.outcomes.close(order.attempt, "unconfirmed", cause, None, now):
        return None
    tx.tasks.add(TaskKind.UNCONFIRMED, now, cause, message_id=order.message)
    return tx.outcomes.part_moves(order.part, order.message, PartState.UNCONFIRMED, None, cause, now)


def set_aside(carrier: str, now: datetime, tx: Tx) -> int:
    """Refuse waiting texts whose rows were changed by hand and make no sense. Returns how many; it looks at all."""
    odd = tx.repairs.set_aside(carrier, now)
    for text in odd:
        log.error("a waiting text was changed by hand and makes no sense; it is refused", message=text)
    return len(odd)


def recover(carrier: str, now: datetime, tx: Tx) -> int:
    """Before a lane runs: attempts that somebody left open are in doubt (D5). Returns how many."""
    left = [(attempt_id, part, message) for attempt_id, part, message, _at in tx.outbox.left_open(carrier)]
    return give_up(left, "crash", "Ringback stopped before the carrier answered", now, tx)


def find_stranded(carrier: str, in_hand: Collection[int], now: datetime, tx: Tx) -> int:
    """While a lane runs: attempts open for long that it does not know. Returns how many; they are in doubt.

    The database took such a commit and its connection broke before it could say so.
    """
    left = [
        (attempt_id, part, message)
        for attempt_id, part, message, opened_at in tx.outbox.left_open(carrier)
        if now - opened_at > STRANDED and attempt_id not in in_hand
    ]
    return give_up(left, "stranded", "The database went away before the text was handed over", now, tx)


def give_up(left: Sequence[tuple[int, int, int]], cause: str, detail: str, now: datetime, tx: Tx) -> int:
    for attempt_id, part, message in left:
        if tx.outcomes.close(attempt_id, "unconfirmed", cause, None, now):
            tx.tasks.add(TaskKind.UNCONFIRMED, now, detail, message_id=message)
            tx.outcomes.part_moves(part, message, PartState.UNCONFIRMED, None, cause, now)
    texts_settled({message: State.UNCONFIRMED for _attempt, _part, message in left}, now, tx)
    return len(left)
