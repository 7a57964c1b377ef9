"""Texts that wait for a carrier which is not configured any more: no lane would ever look at them."""

from collections.abc import Collection
from datetime import datetime

from ringback.core.messages import State
from ringback.core.reasons import Reason
from ringback.flow.attempts import recover, set_aside
from ringback.flow.holds import hold_on
from ringback.flow.house import House
from ringback.flow.put_back import RESTORE, keep_back
from ringback.ports.storage import Tx


def take_over(house: House, carriers: Collection[str], now: datetime, tx: Tx) -> int:
    """At start: let them go by the carrier their number has now; returns how many there were.

    An attempt that was open on a carrier that is gone is in doubt, as after any stop.
    """
    gone = [carrier for carrier in tx.outbox.carriers_at_work() if carrier not in carriers]
    for carrier in gone:
        set_aside(carrier, now, tx)
    return sum(recover(carrier, now, tx) + _move_on(house, carrier, now, tx) for carrier in gone)


def _move_on(house: House, carrier: str, now: datetime, tx: Tx) -> int:
    held = hold_on(carrier, tx)
    if held is not None and held.by == RESTORE:
        # whoever takes them over need not be held back, and knows nothing of what the other took
        keep_back(carrier, now, tx)
    waiting = tx.outbox.waiting_for(carrier)
    for message, state, did in waiting:
        heir = house.carrier(did)
        if heir is None:
            tx.outbox.move(message, state, State.REFUSED, Reason.NUMBER_UNKNOWN, f"carrier {carrier} is gone", now)
        else:
            tx.outbox.reroute(message, state, heir, f"carrier {carrier} is gone, goes by {heir}", now)
    return len(waiting)
