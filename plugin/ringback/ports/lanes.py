"""How a carrier's lane stands: what health, the metrics and `ringback carrier list` show of it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LaneStanding:
    """`held` is why a person or an alarm holds the carrier back, empty when nobody does. All moments are wall time.

    `paused_until`: the carrier asked us to wait. `broken_since`: the breaker is open since then, and `next_try` is
    when one text is tried. `pace` is how many parts a second leave at most, None when nothing slows the lane.
    `bulk_in_flight` of the texts in flight are of runs; those may use no more than `bulk_window` of the window.
    """

    carrier: str
    running: bool
    held: str = ""
    paused_until: datetime | None = None
    broken_since: datetime | None = None
    next_try: datetime | None = None
    pace: float | None = None
    in_flight: int = 0
    window: int = 0
    bulk_in_flight: int = 0
    bulk_window: int = 0
    fallback: str = ""
