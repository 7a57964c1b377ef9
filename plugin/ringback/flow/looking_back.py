"""Before anything runs: what the last run, and those at the shell, left in the database."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from ringback.flow.delays import wake_up
from ringback.flow.house import House
from ringback.flow.insist import insist_one
from ringback.flow.orphans import take_over
from ringback.flow.pauses import Paused, in_force
from ringback.flow.restoring import hold_everything
from ringback.ports import Clock
from ringback.ports.storage import Store, Tx

log = structlog.get_logger("app")


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """What is configured now, by name; what was left behind is held against it."""

    numbers: tuple[str, ...]
    pbxs: tuple[str, ...]
    carriers: tuple[str, ...]


async def look_back(house: House, store: Store, left: LeftBehind, clock: Clock) -> tuple[Paused, ...]:
    """See to it; returns what is paused."""
    insist, now = partial(insist_one, store, clock), clock.now()
    pauses = await insist(in_force)
    await insist(partial(_know_numbers, left.numbers, now))
    await insist(partial(wake_up, left.pbxs))
    if why := await insist(partial(hold_everything, left.carriers, now)):
        log.error("every carrier is held", why=why)
    if moved := await insist(partial(take_over, house, frozenset(left.carriers), now)):
        log.warning("texts of a carrier that is not configured any more", texts=moved)
    return pauses


def _know_numbers(numbers: tuple[str, ...], now: datetime, tx: Tx) -> None:
    tx.numbers.know(numbers, now)
