"""Queues of a PBX that learned something: the exchange in memory, with one queue put in place whole."""

from datetime import datetime, timedelta

from ringback.core.voice_queues import DeviceState, VoiceMember, VoiceQueue
from ringback.ports.exchange import Learned
from tests.fakes.exchange import FakeExchange


class HandQueues(FakeExchange):
    """`put` replaces a queue, `learns` tells what calls taught."""

    def put(self, queue: VoiceQueue) -> None:
        self._queues[queue.name] = queue
        self.changed()

    def learns(self, *events: Learned) -> None:
        for event in events:
            self.learned(event)


def voice_queue(name: str = "sales", agents: int = 1, busy_since: datetime | None = None) -> VoiceQueue:
    """A queue with so many agents, free, or all busy since then."""
    state = DeviceState.NOT_INUSE if busy_since is None else DeviceState.INUSE
    members = tuple(
        VoiceMember(f"PJSIP/{number}", f"{number}", "", state, in_call=busy_since is not None, busy_since=busy_since)
        for number in range(101, 101 + agents)
    )
    return VoiceQueue("main", name, members=members, hold=timedelta(seconds=77))
