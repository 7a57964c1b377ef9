"""Too much in doubt at a carrier holds it back, until a person has looked and lets it go on."""

from collections.abc import Mapping
from datetime import datetime

import structlog

from ringback.core.doubts import HOUR, LATELY, Doubted, alarm, are_many
from ringback.flow.holds import ALARM, hold, holds, released_at
from ringback.ports.holds import Held
from ringback.ports.storage import Tx

log = structlog.get_logger("doubts")

MOST_COUNTED = 200_000
"""Attempts that are looked at to count what was sent in an hour."""


def sound_alarms(windows: Mapping[str, int], now: datetime, tx: Tx) -> tuple[Held, ...]:
    """Hold back each carrier of which too much is in doubt; returns all that are held. A person lets them go on."""
    held = {each.carrier for each in holds(tx)}
    for name, window in windows.items():
        if name not in held:
            sound_alarm(name, window, now, tx)
    return holds(tx)


def sound_alarm(name: str, window: int, now: datetime, tx: Tx) -> None:
    released = released_at(name, tx)
    # a release that is still to come is from before the clock was set back, and silences nothing
    hour_ago = max(now - HOUR, released) if released is not None and released <= now else now - HOUR
    this_hour = tx.doubts.between(name, hour_ago, now)
    if not this_hour:
        return
    lately = tx.doubts.between(name, max(now - LATELY, hour_ago), now)
    # most hours have next to nothing in doubt, and then nobody need count what was sent
    sends = tx.doubts.sends(name, hour_ago, now, MOST_COUNTED) if are_many(this_hour, window) else 0
    if why := alarm(Doubted(window, lately, this_hour, sends)):
        log.error("a carrier is held back", carrier=name, why=why)
        hold(name, why, ALARM, now, tx)
