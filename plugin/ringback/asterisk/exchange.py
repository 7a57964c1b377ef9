"""One PBX as it is now, kept in memory: asked for its lists at every connect, and followed by its events from there.

A reload of app_queue, a queue or member taken out of the file: Asterisk tells little or nothing of these, so the lists
are asked for again whenever something does not fit, and once in a while in any case.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from ringback.asterisk.codec import Event
from ringback.asterisk.devices import Devices
from ringback.asterisk.learning import SETTLES, Learning
from ringback.asterisk.plain import plain
from ringback.asterisk.queues import Queues
from ringback.asterisk.rights import Asking
from ringback.asterisk.runs import SHAPES, in_shape
from ringback.core.presence import Phone
from ringback.core.voice_queues import DeviceState, VoiceQueue
from ringback.errors import PbxAway, PbxRefused
from ringback.ports import Clock
from ringback.ports.exchange import Learned

CALM_S = 1.0
"""Between two askings, whatever happens."""
REFRESH_S = 60.0
MOST_MEANWHILE = 20_000
QUEUE_DEVICE = "Queue:"
"""app_queue has a device for each queue and pause: for a queue that is new, the only news there is."""


class PbxExchange:
    """Satisfies `ports.exchange.Exchange`. The feed tells it what it hears; `run` asks for the lists."""

    def __init__(self, pbx: str, clock: Clock) -> None:
        self.name = pbx
        self.heard = False
        self._clock = clock
        self._devices = Devices()
        self._queues = Queues(pbx)
        self._learning = Learning(pbx, self._learned)
        self._live = False
        self._told_of_phones = False
        self.kept_from_us = False
        """Phones change and nobody tells us: the account's filter is one of an older Ringback."""
        self._due = asyncio.Event()
        self._meanwhile: list[tuple[Event, datetime]] | None = None
        self._tells: list[Callable[[], None]] = []
        self._takes: list[Callable[[Learned], None]] = []
        self._telling: asyncio.Handle | None = None
        self._settling: asyncio.TimerHandle | None = None
        self._handlers: dict[str, Callable[[Event, datetime], None]] = {
            "DeviceStateChange": self._device,
            "Reload": self._reload,
            "Hangup": self._hangup,
            "VarSet": self._variable,
            **dict.fromkeys(
                (
                    *("QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon", "AgentConnect", "AgentComplete"),
                    *("QueueMemberStatus", "QueueMemberPause", "QueueMemberAdded", "QueueMemberRemoved"),
                    "QueueMemberRinginuse",
                ),
                self._queue_event,
            ),
        }

    # -- what is asked

    def queue(self, name: str) -> VoiceQueue | None:
        return self._queues.queue(name)

    def queues(self) -> Sequence[VoiceQueue]:
        return self._queues.all()

    def phone(self, name: str) -> Phone | None:
        """A phone without a device state of its own (a queue's `Local/...` member) is as its queue sees it."""
        if not name:
            return None
        state, member = self._devices.state(name), self._queues.serves(name)
        dnd = self._devices.dnd(name)
        if state is None and member is None and not dnd:
            return None
        state = state or (member.state if member is not None else DeviceState.UNKNOWN)
        return Phone(state, self._queues.paused(name), dnd)

    def on_change(self, tell: Callable[[], None]) -> None:
        self._tells.append(tell)

    def on_learned(self, take: Callable[[Learned], None]) -> None:
        self._takes.append(take)

    def remembered(self) -> int:
        """How many things are held; bounded, whatever Asterisk sends."""
        return self._devices.remembered() + self._queues.remembered() + self._learning.remembered()

    # -- what the feed tells

    def on_live(self) -> None:
        """The line is there: what is known may be old."""
        self._live = True
        self._told_of_phones = self.kept_from_us = False
        self._due.set()

    def on_lost(self) -> None:
        """Nobody can say any more; what was known stays to be looked at."""
        self._live = self.heard = False
        self._meanwhile = None
        self._learning.forget()
        self._changed()

    def on_event(self, event: Event) -> None:
        """One event; any that is of no interest costs one look-up."""
        handler = self._handlers.get(event.name)
        if handler is not None and (event.name not in SHAPES or in_shape(event.name, tuple(event.fields))):
            handler(event, self._clock.now())

    def _queue_event(self, event: Event, at: datetime) -> None:
        self._learning.receive(event, at)
        self._settle_later()
        if not self._queues.receive(event, at):
            self._due.set()
        self._keep(event, at)
        self._changed()

    def _device(self, event: Event, at: datetime) -> None:
        device = event.get("Device")
        if device.startswith(QUEUE_DEVICE):
            name = plain(device.removeprefix(QUEUE_DEVICE).rpartition("_avail")[0])
            if name and self._queues.queue(name) is None:
                self._due.set()
            return
        self._told_of_phones, self.kept_from_us = True, False
        self._devices.receive(event)
        self._keep(event, at)
        self._changed()

    def _reload(self, event: Event, _at: datetime) -> None:
        if event.get("Module") in ("app_queue", "app_queue.so", "All"):
            self._due.set()

    def _hangup(self, event: Event, _at: datetime) -> None:
        if self._learning.unsettled:
            self._learning.settled(event.get("Uniqueid"))

    def _variable(self, event: Event, _at: datetime) -> None:
        """QUEUESTATUS says that the dialplan, or the queue, was done with the caller."""
        if self._learning.unsettled and event.get("Variable") == "QUEUESTATUS" and event.get("Value"):
            self._learning.given_up(event.get("Uniqueid"))

    def _keep(self, event: Event, at: datetime) -> None:
        """While the lists are on their way, what happens must be told again behind them."""
        if self._meanwhile is not None and len(self._meanwhile) < MOST_MEANWHILE:
            self._meanwhile.append((event, at))

    # -- asking

    async def run(self, ami: Asking) -> None:
        """Ask for the lists when there is a reason to, for ever."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_S):
                    await self._due.wait()
            self._due.clear()
            if self._live:
                try:
                    await self._look(ami)
                except PbxAway:
                    self._due.set()  # nobody says that the line is gone: a list may have been too slow
            await asyncio.sleep(CALM_S)

    async def _look(self, ami: Asking) -> None:
        self._meanwhile = []
        try:
            queues = await _list(ami, "QueueStatus")
            devices = await _list(ami, "DeviceStateList")
        except PbxAway:
            self._meanwhile = None
            raise
        if self._meanwhile is not None:  # else the line was lost behind the last answer
            self._take(queues, devices, self._meanwhile)

    def _take(self, queues: list[Event], devices: list[Event], meanwhile: list[tuple[Event, datetime]]) -> None:
        """What is in the lists, then what happened since they were asked for: what is told twice changes nothing."""
        now, self._meanwhile = self._clock.now(), None
        self._queues.reset(queues, now)
        before, self._devices = self._devices, Devices()
        self._devices.reset(devices)
        if self.heard and not self._told_of_phones and before.differs(self._devices):
            self.kept_from_us = True
        for event, at in meanwhile:
            if event.name == "DeviceStateChange":
                self._devices.receive(event)
            elif event.name not in COUNTED:
                self._queues.receive(event, at)
        self._learning.compare(self._queues.all(), now)
        self._settle_later()
        self.heard = True
        self._changed()

    # -- telling

    def _changed(self) -> None:
        """Tell once of all that one read of the socket brought."""
        if self._telling is None and self._tells:
            self._telling = asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        self._telling = None
        for tell in self._tells:
            tell()

    def _learned(self, learned: Learned) -> None:
        for take in self._takes:
            take(learned)

    def _settle_later(self) -> None:
        if self._settling is None and self._learning.unsettled:
            wait = SETTLES + timedelta(milliseconds=100)
            self._settling = asyncio.get_running_loop().call_later(wait.total_seconds(), self._settle)

    def _settle(self) -> None:
        self._settling = None
        self._learning.settle(self._clock.now())
        self._settle_later()


COUNTED = frozenset({"QueueCallerAbandon", "AgentConnect", "AgentComplete"})
"""What is counted already in a list that is younger; nothing else is in them that a list or another event lacks."""


async def _list(ami: Asking, action: str) -> list[Event]:
    """A list; empty where Asterisk has nothing of the kind, or lets nobody see it."""
    try:
        return await ami.ask_list(action)
    except PbxRefused:
        return []
