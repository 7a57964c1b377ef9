"""What the waits and the talks of a PBX's queues were in truth, one by one, for whoever learns from them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ringback.asterisk.codec import Event
from ringback.asterisk.plain import plain
from ringback.asterisk.queues import whole
from ringback.core.voice_queues import Served, ServedHow, VoiceQueue, Waited

SETTLES = timedelta(seconds=3)
"""How long after a caller left a queue the events that say why may still come."""
MOST = 20_000

Key = tuple[str, str]


@dataclass(slots=True)
class _Leaving:
    """Somebody who left a queue; why, the next events say."""

    queue: str
    waited: timedelta
    at: datetime
    how: ServedHow = ServedHow.LEFT


class Learning:
    """Folds the events of one PBX into `Waited` and `Served`, each told once.

    `QueueCallerAbandon` comes as well when the dialplan's time is up, before it shows; then QUEUESTATUS follows.
    """

    def __init__(self, pbx: str, tell: Callable[[Waited | Served], None]) -> None:
        self._pbx = pbx
        self._tell = tell
        self.forget()

    def forget(self) -> None:
        """Nobody knows any more what goes on."""
        self._joined: dict[Key, datetime] = {}
        self._leaving: dict[str, _Leaving] = {}
        self._speaking: dict[Key, datetime] = {}

    def remembered(self) -> int:
        return len(self._joined) + len(self._leaving) + len(self._speaking)

    @property
    def unsettled(self) -> bool:
        """Whether `settle` has something to do later."""
        return bool(self._leaving)

    def compare(self, queues: Iterable[VoiceQueue], at: datetime) -> None:
        """Compare with a fresh list: whoever is gone left in a way we did not see."""
        there = {(queue.name, caller.uniqueid): caller.joined_at for queue in queues for caller in queue.callers}
        for queue, uniqueid in [key for key in self._joined if key not in there]:
            self._left(queue, uniqueid, at)
        for key, joined in there.items():
            self._wait(key, self._joined.get(key, joined))

    def receive(self, event: Event, at: datetime) -> None:
        """Take one event of a queue in."""
        queue, uniqueid = plain(event.get("Queue")), plain(event.get("Uniqueid"))
        match event.name:
            case "QueueCallerJoin":
                self._wait((queue, uniqueid), at)
            case "QueueCallerAbandon":
                self._left(queue, uniqueid, at, event.get("HoldTime"), ServedHow.ABANDONED)
            case "QueueCallerLeave":
                self._left(queue, uniqueid, at)
            case "AgentConnect":
                self._connected(queue, uniqueid, at, event.get("HoldTime"))
            case "AgentComplete":
                self._completed(event, queue, uniqueid, at)

    def _wait(self, key: Key, joined: datetime) -> None:
        if len(self._joined) < MOST:
            self._joined[key] = joined

    def _left(
        self, queue: str, uniqueid: str, at: datetime, hold: str = "", how: ServedHow = ServedHow.LEFT
    ) -> _Leaving | None:
        """Note that somebody left, once; where nobody saw them join, Asterisk's whole seconds have to do."""
        joined = self._joined.pop((queue, uniqueid), None)
        if joined is None and not hold:
            return None
        self.settled(uniqueid)
        waited = at - joined if joined is not None else timedelta(seconds=whole(hold))
        leaving = _Leaving(queue, max(waited, timedelta()), at, how)
        if len(self._leaving) < MOST:
            self._leaving[uniqueid] = leaving
        return leaving

    def _connected(self, queue: str, uniqueid: str, at: datetime, hold: str) -> None:
        if uniqueid not in self._leaving and self._left(queue, uniqueid, at, hold or "0") is None:
            return
        self.settled(uniqueid, ServedHow.CONNECTED)
        if len(self._speaking) < MOST:
            self._speaking[queue, uniqueid] = at

    def _completed(self, event: Event, queue: str, uniqueid: str, at: datetime) -> None:
        began = self._speaking.pop((queue, uniqueid), None)
        talk = at - began if began is not None else timedelta(seconds=whole(event.get("TalkTime")))
        self._tell(Served(self._pbx, queue, plain(event.get("Interface")), max(talk, timedelta()), at))

    def settled(self, uniqueid: str, how: ServedHow | None = None) -> None:
        """What became of somebody who left is clear; None: what it looked like."""
        leaving = self._leaving.pop(uniqueid, None)
        if leaving is not None:
            how = how or leaving.how
            self._tell(Waited(self._pbx, leaving.queue, uniqueid, how, leaving.waited, leaving.at))

    def given_up(self, uniqueid: str) -> None:
        """The queue was done with them, so they did not hang up."""
        self.settled(uniqueid, ServedHow.LEFT)

    def settle(self, now: datetime) -> None:
        """Tell of those whose time for an explanation is over."""
        for uniqueid in [one for one, leaving in self._leaving.items() if leaving.at + SETTLES <= now]:
            self.settled(uniqueid)
