"""How much of a month's allowance is used: counted in the commit that opens an attempt, taken back in the one that
records that nothing was sent. An installation without allowances pays nothing for them.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, tzinfo

import structlog

from ringback.core.allowances import NUMBER, PREFIX, Limit, Passed, Use, is_over, month_of, passed, uses
from ringback.core.tasks import TaskKind
from ringback.flow import rates
from ringback.flow.house import House
from ringback.flow.permits import FAULTS
from ringback.flow.rates import Leaving
from ringback.ports.storage import Tx
from ringback.ports.texts import Order

log = structlog.get_logger("allowances")

WARNED: dict[Passed, str] = {
    Passed.NEARLY: "{who} has sent {used} of the {limit} segments of this month: four fifths are used",
    Passed.SOFT: "{who} has sent {used} segments this month, and {limit} are free; texts go on",
    Passed.HARD: "{who} has sent {used} of the {limit} segments of this month; what would pass that is refused",
}


Uses = tuple[Use, ...] | None
"""Where a text counts; None when that cannot be found out."""


def uses_of(house: House, account: int | None, number: str, command: str, now: datetime, tx: Tx) -> Uses:
    """Where a text counts. The answer to a command counts nowhere."""
    if command:
        return ()
    try:
        book = tx.grants.book()
        return uses(book, account, number, month_of(now, house.zone)) if book.limits else ()
    except FAULTS:
        log.exception("an allowance could not be looked up; the text is held back")
        return None


def read_ahead(house: House, senders: Iterable[tuple[int | None, str]], now: datetime, tx: Tx) -> None:
    """Read what is used, for the texts of a batch: each with its account and our number."""
    found = {use for who, number in set(senders) for use in uses_of(house, who, number, "", now, tx) or ()}
    if found:
        tx.pairs.read_counters(found)


def over(counted: Uses, segments: int, tx: Tx) -> bool | None:
    """Whether so many more would pass a hard limit; None when that cannot be found out."""
    if not counted:
        return None if counted is None else False
    try:
        return bool(_over(counted, segments, tx))
    except FAULTS:
        log.exception("an allowance could not be looked up; the text is held back")
        return None


def _over(counted: tuple[Use, ...], segments: int, tx: Tx) -> str:
    if len(counted) > 1:
        tx.pairs.read_counters(counted)
    return is_over(tx.grants.book().limits, tx.pairs.used(counted), segments)


def count(counted: tuple[Use, ...], segments: int, now: datetime, tx: Tx) -> None:
    """A text leaves: count it, and tell somebody once a month when a limit is near or passed."""
    limits, used = tx.grants.book().limits, tx.pairs.used(counted)
    for use in counted:
        before, limit = used[use.key], limits[use.key]
        tx.pairs.count(use, segments)
        reached = passed(limit, before, before + segments)
        if reached in (Passed.NEARLY, Passed.SOFT):
            warn(use, limit, reached, before + segments, now, tx)


def depart(house: House, leaving: Leaving, order: Order, now: datetime, tx: Tx) -> Order:
    """An attempt is open: count its text wherever it counts."""
    rates.count(house, leaving, now, tx)
    if not leaving.uses:
        return order
    count(leaving.uses, order.segments, now, tx)
    return replace(order, uses=leaving.uses)


def take_back(order: Order, tx: Tx) -> None:
    """Definitely nothing was sent."""
    for use in order.uses:
        tx.pairs.count(use, -order.segments)


def refuse(counted: tuple[Use, ...], segments: int, now: datetime, tx: Tx) -> str:
    """Say which allowance is used up, and leave it for a person, once a month."""
    key = _over(counted, segments, tx)
    use = next((one for one in counted if one.key == key), None)
    if use is None:
        return ""
    return warn(use, tx.grants.book().limits[key], Passed.HARD, tx.pairs.used([use])[key], now, tx)


def warn(use: Use, limit: Limit, reached: Passed, used: int, now: datetime, tx: Tx) -> str:
    """Leave one task a month for each thing a limit has to say; returns what it says."""
    most = {Passed.NEARLY: min(filter(None, limit)), Passed.SOFT: limit.soft, Passed.HARD: limit.hard}[reached]
    said = WARNED[reached].format(who=called(use.key, tx), used=used, limit=most)
    tx.tasks.add(TaskKind.ALLOWANCE, now, said, about=f"{use.key}:{use.slot}:{reached}")
    log.warning("allowance", of=use.key, reached=str(reached), used=used, limit=most)
    return said


def called(key: str, tx: Tx) -> str:
    """Whose allowance it is, in words."""
    level, _, subject = key.removeprefix(PREFIX).partition(":")
    match level:
        case "user":
            account = next((one for one in tx.accounts.all() if one.id == int(subject)), None)
            return account.called if account else "somebody who is gone"
        case "department":
            department = tx.grants.book().departments.get(int(subject))
            return f"the department {department.name}" if department else "a department that is gone"
        case str() if level == NUMBER:
            return subject
    return "the business"


def used_now(house_zone: tzinfo, now: datetime, tx: Tx) -> dict[str, int]:
    """What is used this month of each allowance."""
    month = month_of(now, house_zone)
    counted = [Use(key, month) for key in tx.grants.book().limits]
    tx.pairs.read_counters(counted)
    return tx.pairs.used(counted)
