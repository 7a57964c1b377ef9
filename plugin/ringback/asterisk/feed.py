"""One PBX as a source of call events: the AMI line, the tracker on it, and a bounded queue behind both."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringback.asterisk.ami import Account, Ami
from ringback.asterisk.codec import Event
from ringback.asterisk.exchange import PbxExchange
from ringback.asterisk.standing import Pace, Standing
from ringback.asterisk.tracker import CALLED
from ringback.core.calls import Call, CallEvent, FeedBack, FeedLost
from ringback.errors import PbxAway, PbxRefused, ProtocolError
from ringback.ports import Clock

LIMIT = 20_000
HIGH_WATER = LIMIT - 4_000  # reading stops here: what one read of the socket may still bring stays within LIMIT
LOW_WATER = 8_000

# What our include keeps on the caller's channel for a daemon that was away when it told of the call, by header.
KEPT = {
    "Did": "RINGBACK_DID",
    "Pres": "RINGBACK_PRES",
    "Verstat": "RINGBACK_TOLD_VERSTAT",
    "Veto": "RINGBACK",
    "Lang": "RINGBACK_TOLD_LANG",
}

RESTART_SLACK = 5.0  # seconds: Uptime is whole seconds and goes by the wall clock of the PBX


class CallTracker(Protocol):
    """What folds AMI events into calls (tracker.py)."""

    def receive(self, event: Event, at: datetime) -> list[CallEvent]: ...
    def live(self) -> frozenset[str]: ...
    def call(self, uniqueid: str) -> Call | None: ...
    def resume(self, channels: Sequence[Event], at: datetime) -> list[CallEvent]: ...
    def forget(self) -> None: ...


@dataclass(frozen=True, slots=True)
class FeedCounts:
    """What a feed has seen, for health and metrics; the numbers never go back, but for `waiting`."""

    events: int
    decoded: int
    bad_frames: int
    hostile: int
    """Messages of Asterisk that a caller's number was made to forge."""
    pauses: int
    reconnects: int
    faults: int
    """How often the code behind an event raised."""
    waiting: int


def still_there(channels: Sequence[Event], early: Sequence[Event], known: frozenset[str]) -> list[Event]:
    """Join a snapshot with what happened while it was on its way and is told behind it.

    A channel born meanwhile is left out: its Newchannel is still to come. A known call whose Hangup is still to come
    stays in, so that it ends by that Hangup and not unseen.
    """
    born = {event.get("Uniqueid") for event in early if event.name == "Newchannel"}
    listed = {channel.get("Uniqueid") for channel in channels}
    hangups = (event for event in early if event.name == "Hangup" and event.get("Uniqueid") in known - listed)
    ending = [Event("CoreShowChannel", hangup.fields) for hangup in hangups]
    return [channel for channel in channels if channel.get("Uniqueid") not in born] + ending


def may_be_a_caller(channel: Event) -> bool:
    """Whether it stands at the beginning of a call: it gave the link its name, or is the far half of a Local one."""
    name = channel.get("Channel")
    return not name.endswith(";1") and (channel.get("Uniqueid") == channel.get("Linkedid") or name.endswith(";2"))


def with_did(channel: Event, told: Mapping[str, Mapping[str, str]]) -> Event:
    """Add the number that was called: a snapshot shows only where in the dialplan the call is by now."""
    said = told.get(channel.get("Uniqueid"))
    return channel if said is None else Event(channel.name, {**channel.fields, CALLED: said["Did"]})


class AmiFeed:
    """A `CallEventSource`. `start` it (or let `run` do it) inside the loop; one consumer takes what it heard.

    `exchange` hears everything as well; `listen_in` keeps that up to date.

    Nothing is dropped: above HIGH_WATER it stops reading, and Asterisk waits, or cuts us off, which is a gap we tell.
    """

    def __init__(self, account: Account, clock: Clock, tracker: CallTracker, pace: Pace | None = None) -> None:
        self.name = account.pbx
        self.ami = Ami(account, clock, self, pace)
        self.exchange = PbxExchange(account.pbx, clock)
        self._clock = clock
        self._tracker = tracker
        self._live = False
        self._early: list[tuple[Event, datetime]] = []  # bounded by the time-out of the snapshot
        self._uptime: int | None = None
        self._booted_at = 0.0
        self._waiting: deque[CallEvent] = deque()
        self._takes: list[Callable[[Sequence[CallEvent]], None]] = []
        self._bell = asyncio.Event()
        self._closed = asyncio.Event()
        self._asking: asyncio.Task[None] | None = None
        self._paused = False
        self._pauses = 0

    def start(self) -> None:
        """Connect, and stay connected until `close`."""
        self.ami.start()

    async def run(self) -> None:
        """Listen until closed or cancelled; for whoever supervises the parts of the daemon. It may run again."""
        self._closed.clear()
        self.on_lost()
        self.start()
        try:
            await self._closed.wait()
        finally:
            self.close()

    async def listen_in(self) -> None:
        """Keep the state of queues and phones up to date, for ever."""
        await self.exchange.run(self.ami)

    def close(self) -> None:
        """Stop listening for good. What was heard can still be taken, then the iterators end."""
        self.ami.close()
        if self._asking is not None:
            self._asking.cancel()
        self._closed.set()
        self._bell.set()

    async def events(self) -> AsyncIterator[CallEvent]:
        """Every call event, one by one; ends only after `close`."""
        async for batch in self._rings():
            while batch:
                yield batch.popleft()
                self._flow_again()

    async def batches(self) -> AsyncIterator[list[CallEvent]]:
        """All that waits, each time something does; ends only after `close`."""
        async for _ in self._rings():
            if taken := self.take():
                yield taken

    async def _rings(self) -> AsyncIterator[deque[CallEvent]]:
        while not self._closed.is_set() or self._waiting:
            await self._bell.wait()
            if not self._closed.is_set():
                self._bell.clear()
            yield self._waiting

    def take(self) -> list[CallEvent]:
        """All that waits now, without waiting."""
        taken = list(self._waiting)
        self._waiting.clear()
        self._flow_again()
        return taken

    @property
    def heard(self) -> bool:
        """Whether a call that is on is known."""
        return self._live

    def call(self, uniqueid: str) -> Call | None:
        """A call that is on, as far as it is known now."""
        return self._tracker.call(uniqueid)

    def on_calls(self, take: Callable[[Sequence[CallEvent]], None]) -> None:
        """Have this called with what happens to calls, at once and in order; whoever stores it is told later."""
        self._takes.append(take)

    def on_event(self, event: Event) -> None:
        if self._live:
            self._put(self._tracker.receive(event, self._clock.now()))
        else:
            self._early.append((event, self._clock.now()))
        self.exchange.on_event(event)

    def on_live(self, uptime: int | None, channels: list[Event]) -> None:
        if self._restarted(uptime):
            self._tracker.forget()
        callers = [channel for channel in channels if may_be_a_caller(channel)]
        if callers:
            self._asking = asyncio.get_running_loop().create_task(self._ask_then_go_on(channels, callers))
        else:
            self._go_on(channels, {})
        self.exchange.on_live()

    def _go_on(self, channels: Sequence[Event], told: Mapping[str, Mapping[str, str]]) -> None:
        """Resume with the snapshot and what its channels told, then with what happened meanwhile."""
        now = self._clock.now()
        early, self._early = self._early, []
        self._live = True
        there = still_there(channels, [event for event, _ in early], self._tracker.live())
        self._put(self._tracker.resume([with_did(channel, told) for channel in there], now))
        for uniqueid, said in told.items():
            event = Event("UserEvent", {"UserEvent": "RingbackCall", "Uniqueid": uniqueid, **said})
            self._put(self._tracker.receive(event, now))
        self._put([FeedBack(self.name, now, self._tracker.live())])
        for event, at in early:
            self._put(self._tracker.receive(event, at))

    async def _ask_then_go_on(self, channels: Sequence[Event], callers: Sequence[Event]) -> None:
        """Ask the callers' channels what our include said of them: it may not have been heard, or forgotten since.

        What happens meanwhile is kept for later. A line that breaks ends this; the next one begins it anew.
        """
        told: dict[str, dict[str, str]] = {}
        with suppress(PbxAway):
            for caller in callers:
                with suppress(PbxRefused, ProtocolError):  # that channel has just gone
                    if said := await self._kept_on(caller.get("Channel")):
                        told[caller.get("Uniqueid")] = said
        self.ami.tell(self._go_on, channels, told)

    async def _kept_on(self, channel: str) -> dict[str, str]:
        """What the include told of this channel; nothing when it was not called."""
        told: dict[str, str] = {}
        for header, variable in KEPT.items():
            told[header] = (await self.ami.ask("Getvar", Channel=channel, Variable=variable)).get("Value")
            if not told["Did"]:
                return {}
        return told

    def on_lost(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
        self._early.clear()
        self._paused = False  # the next connection reads
        if self._live:
            self._live = False
            self._put([FeedLost(self.name, self._clock.now())])
        self.exchange.on_lost()

    def _restarted(self, uptime: int | None) -> bool:
        """Whether Asterisk was started anew since the last connection: no channel of then exists any more."""
        if uptime is None:
            return False
        booted_at = self._clock.monotonic() - uptime
        before, self._uptime = self._uptime, uptime
        booted_before, self._booted_at = self._booted_at, booted_at
        return before is not None and (uptime < before or booted_at > booted_before + RESTART_SLACK)

    def _put(self, events: Sequence[CallEvent]) -> None:
        if not events:
            return
        self._waiting.extend(events)
        self._bell.set()
        for take in self._takes:
            take(events)
        if len(self._waiting) >= HIGH_WATER and not self._paused and self._live:
            self._paused = True
            self._pauses += 1
            self.ami.pause()

    def _flow_again(self) -> None:
        if self._paused and len(self._waiting) <= LOW_WATER:
            self._paused = False
            self.ami.resume()

    @property
    def standing(self) -> Standing:
        return self.ami.standing

    def state(self) -> str:
        """How the line stands, in one line: `live`, `away since ..., next try in 4 s`."""
        return self.standing.text(self._clock.now())

    def counts(self) -> FeedCounts:
        decoder = self.ami.decoder
        return FeedCounts(
            events=decoder.seen,
            decoded=decoder.decoded,
            bad_frames=decoder.bad,
            hostile=decoder.hostile,
            pauses=self._pauses,
            reconnects=self.ami.reconnects,
            faults=self.ami.faults,
            waiting=len(self._waiting),
        )
