"""All carriers' lanes under one roof."""

from collections.abc import Mapping

from ringback.flow.lane import Lane, first
from ringback.flow.outbound import Slot
from ringback.ports.lanes import LaneStanding
from ringback.ports.texts import Order

__all__ = ["Lane", "Lanes", "first"]


class Lanes:
    """All carriers' lanes by name."""

    def __init__(self, lanes: Mapping[str, Lane]) -> None:
        self._lanes = lanes
        for lane in lanes.values():
            lane.join(self)

    def get(self, carrier: str) -> Lane | None:
        return self._lanes.get(carrier)

    def standings(self) -> tuple[LaneStanding, ...]:
        """How every lane goes, by name."""
        return tuple(self._lanes[name].standing() for name in sorted(self._lanes))

    def drain(self) -> None:
        for lane in self._lanes.values():
            lane.drain()

    def reserve(self, carrier: str | None) -> Slot | None:
        lane = self._lanes.get(carrier or "")
        return lane.reserve() if lane else None

    def settle(self, slot: Slot | None, order: Order | None) -> None:
        """After the commit: send the text that was born in flight, or give its slot back."""
        if slot is None:
            return
        lane = self._lanes[slot.carrier]
        if order is None:
            lane.release()
        else:
            lane.take(order)

    def nudge(self, carrier: str) -> None:
        """A text waits for this carrier now."""
        if lane := self._lanes.get(carrier):
            lane.nudge()
