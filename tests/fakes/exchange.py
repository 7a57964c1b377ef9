"""A PBX in memory, for those who only ask how its queues and phones are. Held to the real one by
tests/contracts/test_exchange_contract.py."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from ringback.core.presence import Phone
from ringback.core.voice_queues import DeviceState, VoiceCaller, VoiceMember, VoiceQueue
from ringback.ports.exchange import Learned
from tests.conftest import NOON


class FakeExchange:
    """Satisfies `ports.exchange.Exchange`. Whatever is done to it is told at once."""

    def __init__(self, name: str = "main", queues: Sequence[VoiceQueue] = ()) -> None:
        self.name = name
        self.heard = True
        self._queues = {queue.name: queue for queue in queues}
        self._phones: dict[str, Phone] = {}
        self._tells: list[Callable[[], None]] = []
        self._takes: list[Callable[[Learned], None]] = []

    def queue(self, name: str) -> VoiceQueue | None:
        return self._queues.get(name)

    def queues(self) -> Sequence[VoiceQueue]:
        return tuple(self._queues.values())

    def phone(self, name: str) -> Phone | None:
        return self._phones.get(name)

    def on_change(self, tell: Callable[[], None]) -> None:
        self._tells.append(tell)

    def on_learned(self, take: Callable[[Learned], None]) -> None:
        self._takes.append(take)

    # -- what happens there

    def is_now(self, phone: str, state: DeviceState) -> None:
        self._put(phone, replace(self._phones.get(phone, Phone(state)), state=state))

    def pauses(self, phone: str, paused: bool = True) -> None:
        self._put(phone, replace(self._phones[phone], paused=paused))

    def disturb_not(self, phone: str, dnd: bool = True) -> None:
        self._put(phone, replace(self._phones[phone], dnd=dnd))

    def joins(self, queue: str, uniqueid: str, at: datetime = NOON) -> None:
        there = self._queues[queue]
        callers = (*there.callers, VoiceCaller(uniqueid, len(there.callers) + 1, at))
        self._queues[queue] = replace(there, callers=callers)
        self.changed()

    def leaves(self, queue: str, uniqueid: str) -> None:
        there = self._queues[queue]
        stay = [one for one in there.callers if one.uniqueid != uniqueid]
        callers = tuple(replace(one, position=place) for place, one in enumerate(stay, 1))
        ids = [one.uniqueid for one in there.callers]
        left = {**there.left, uniqueid: tuple(ids[: ids.index(uniqueid)])} if uniqueid in ids else there.left
        self._queues[queue] = replace(there, callers=callers, left=left)
        self.changed()

    def lost(self) -> None:
        self.heard = False
        self.changed()

    def back(self) -> None:
        self.heard = True
        self.changed()

    def learned(self, what: Learned) -> None:
        for take in self._takes:
            take(what)

    def _put(self, phone: str, now: Phone) -> None:
        self._phones[phone] = now
        self.changed()

    def changed(self) -> None:
        for tell in self._tells:
            tell()


def a_queue(name: str, *phones: str, pbx: str = "main") -> VoiceQueue:
    """A queue with these members."""
    members = (VoiceMember(f"PJSIP/{one}", one, f"Phone {one}", DeviceState.NOT_INUSE) for one in phones)
    return VoiceQueue(pbx, name, members=tuple(members))
