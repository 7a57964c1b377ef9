"""Whether the wall clock may decide that something is too old: one that is wrong by years would have all of it deleted.

Facts in, a judgement out. A clock that shows a moment far beyond the newest one known is not believed before it has run
for some days from there, or a person says that it is right.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

FAR = timedelta(days=35)
"""So long a machine may have been off without anybody wondering."""
STEADY = timedelta(days=7)
"""Time for a person to see what is said of the clock, or for the clock to be set."""


@dataclass(frozen=True, slots=True)
class Trust:
    """The newest moment that was believed. While the clock is not: since when it shows such moments, and the last."""

    newest: datetime
    since: datetime | None = None
    looked: datetime | None = None


def judge(trust: Trust, now: datetime) -> Trust:
    """Look at the clock. It is believed where `since` is None."""
    if now <= trust.newest + FAR:
        return Trust(max(trust.newest, now))
    steps = trust.looked is None or not trust.looked <= now <= trust.looked + FAR
    since = now if trust.since is None or steps else trust.since
    return Trust(now) if now >= since + STEADY else replace(trust, since=since, looked=now)
