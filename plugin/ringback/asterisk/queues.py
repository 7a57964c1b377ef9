"""The queues of one PBX as its lists and events tell: who waits at which place, who serves, who is paused."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import takewhile

from ringback.asterisk.codec import Event
from ringback.asterisk.devices import phone_of, state_of
from ringback.asterisk.plain import plain
from ringback.core.voice_queues import VoiceCaller, VoiceMember, VoiceQueue

MOST_QUEUES = 2_000
MOST_CALLERS = 20_000
MOST_MEMBERS = 20_000
MOST_LEFT = 100
"""Callers of a queue who left it, and may come back to their place."""
LONGEST_NUMBER = 9

Fields = Mapping[str, str]


def whole(text: str) -> int:
    """A number that Asterisk wrote, 0 for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER else 0


@dataclass(slots=True)
class _Queue:
    """One queue. `hold` and `talk` are Asterisk's own running averages, in whole seconds."""

    name: str
    strategy: str = ""
    callers: list[VoiceCaller] = field(default_factory=list)
    members: dict[str, VoiceMember] = field(default_factory=dict)
    hold: int = 0
    talk: int = 0
    completed: int = 0
    abandoned: int = 0
    left: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def shown(self, pbx: str) -> VoiceQueue:
        callers = (
            caller if caller.position == place else replace(caller, position=place)
            for place, caller in enumerate(self.callers, 1)
        )
        return VoiceQueue(
            pbx,
            self.name,
            tuple(callers),
            tuple(self.members.values()),
            timedelta(seconds=self.hold),
            timedelta(seconds=self.talk),
            self.completed,
            self.abandoned,
            self.strategy,
            dict(self.left),
        )


class Queues:
    """All queues of one PBX. `receive` never raises, whatever the fields hold; memory is bounded."""

    def __init__(self, pbx: str) -> None:
        self._pbx = pbx
        self._queues: dict[str, _Queue] = {}
        self._shown: dict[str, VoiceQueue] = {}
        self._paused: dict[str, dict[tuple[str, str], bool]] = {}
        self._callers = self._members = 0
        self._handlers: dict[str, Callable[[_Queue, Fields, datetime], bool]] = {
            "QueueCallerJoin": self._join,
            "QueueCallerLeave": self._leave,
            "QueueCallerAbandon": self._abandon,
            "QueueMemberStatus": self._member,
            "QueueMemberPause": self._member,
            "QueueMemberAdded": self._member,
            "QueueMemberRinginuse": self._member,
            "QueueMemberRemoved": self._removed,
            "AgentConnect": self._connect,
            "AgentComplete": self._complete,
        }

    # -- what is asked

    def queue(self, name: str) -> VoiceQueue | None:
        if name not in self._queues:
            return None
        if name not in self._shown:
            self._shown[name] = self._queues[name].shown(self._pbx)
        return self._shown[name]

    def all(self) -> tuple[VoiceQueue, ...]:
        return tuple(queue for name in self._queues if (queue := self.queue(name)) is not None)

    def serves(self, phone: str) -> VoiceMember | None:
        """Any membership of a phone."""
        for queue, interface in self._paused.get(phone, ()):
            return self._queues[queue].members[interface]
        return None

    def paused(self, phone: str) -> bool:
        """Whether a phone is paused in every queue it is in."""
        pauses = self._paused.get(phone, {})
        return bool(pauses) and all(pauses.values())

    def remembered(self) -> int:
        """How many queues, callers and members are held."""
        return len(self._queues) + self._callers + self._members

    # -- what is told

    def reset(self, lines: Iterable[Event], at: datetime) -> None:
        """Begin anew with a fresh list (QueueStatus); who is known to have waited since when keeps that."""
        before = self._queues
        self._queues, self._shown, self._paused, self._callers, self._members = {}, {}, {}, 0, 0
        takes = {"QueueParams": self._params, "QueueMember": self._member, "QueueEntry": self._entry}
        for line in lines:
            queue = self._of(line.fields)
            if queue is not None and line.name in takes:
                takes[line.name](queue, line.fields, at)
        for name, queue in self._queues.items():
            queue.callers.sort(key=lambda caller: caller.position)
            if name in before:
                _keep_moments(before[name], queue)

    def receive(self, event: Event, at: datetime) -> bool:
        """Take one event in. False: it does not fit with what is known, so the list should be asked for again."""
        new = plain(event.get("Queue")) not in self._queues
        queue = self._of(event.fields)
        if queue is None:
            return True
        self._shown.pop(queue.name, None)
        return self._handlers[event.name](queue, event.fields, at) and not new

    def _of(self, fields: Fields) -> _Queue | None:
        """Its queue; one that is not known yet is begun. None for one too many."""
        name = plain(fields.get("Queue", ""))
        if name not in self._queues and (not name or len(self._queues) >= MOST_QUEUES):
            return None
        return self._queues.setdefault(name, _Queue(name))

    def _params(self, queue: _Queue, fields: Fields, _at: datetime) -> bool:
        queue.strategy = plain(fields.get("Strategy", ""))
        queue.hold, queue.talk = whole(fields.get("Holdtime", "")), whole(fields.get("TalkTime", ""))
        queue.completed, queue.abandoned = whole(fields.get("Completed", "")), whole(fields.get("Abandoned", ""))
        return True

    # -- callers

    def _entry(self, queue: _Queue, fields: Fields, at: datetime) -> bool:
        joined = at - timedelta(seconds=whole(fields.get("Wait", "")))
        self._stand(queue, VoiceCaller(plain(fields.get("Uniqueid", "")), whole(fields.get("Position", "")), joined))
        return True

    def _join(self, queue: _Queue, fields: Fields, at: datetime) -> bool:
        uniqueid = plain(fields.get("Uniqueid", ""))
        if all(caller.uniqueid != uniqueid for caller in queue.callers):
            self._stand(queue, VoiceCaller(uniqueid, whole(fields.get("Position", "")), at))
        return self._counts(queue, fields)

    def _stand(self, queue: _Queue, caller: VoiceCaller) -> None:
        if self._callers < MOST_CALLERS and caller.uniqueid:
            self._callers += 1
            queue.callers.insert(max(caller.position - 1, 0), caller)

    def _leave(self, queue: _Queue, fields: Fields, _at: datetime) -> bool:
        uniqueid = plain(fields.get("Uniqueid", ""))
        stay = [caller for caller in queue.callers if caller.uniqueid != uniqueid]
        if len(stay) < len(queue.callers):
            _remember(queue, uniqueid)
        self._callers -= len(queue.callers) - len(stay)
        queue.callers = stay
        return self._counts(queue, fields)

    def _counts(self, queue: _Queue, fields: Fields) -> bool:
        """Whether as many wait as Asterisk says."""
        said = fields.get("Count", "")
        return not said.isdecimal() or whole(said) == len(queue.callers)

    def _abandon(self, queue: _Queue, _fields: Fields, _at: datetime) -> bool:
        queue.abandoned += 1  # the Leave behind it takes the caller out
        return True

    # -- members

    def _member(self, queue: _Queue, fields: Fields, at: datetime) -> bool:
        interface = plain(fields.get("Interface") or fields.get("Location", ""))
        before = queue.members.get(interface)
        if not interface or (before is None and self._members >= MOST_MEMBERS):
            return True
        in_call = fields.get("InCall") == "1"
        since = (before.busy_since if before is not None else None) or at
        member = VoiceMember(
            interface=interface,
            phone=phone_of(interface),
            name=plain(fields.get("MemberName") or fields.get("Name", "")),
            state=state_of(fields.get("Status", "")),
            paused=fields.get("Paused") == "1",
            in_call=in_call,
            busy_since=since if in_call else None,
        )
        self._members += before is None
        queue.members[interface] = member
        self._paused.setdefault(member.phone, {})[queue.name, interface] = member.paused
        return True

    def _removed(self, queue: _Queue, fields: Fields, _at: datetime) -> bool:
        member = queue.members.pop(plain(fields.get("Interface", "")), None)
        if member is not None:
            self._members -= 1
            pauses = self._paused[member.phone]
            del pauses[queue.name, member.interface]
            if not pauses:
                del self._paused[member.phone]
        return True

    def _connect(self, queue: _Queue, fields: Fields, at: datetime) -> bool:
        queue.hold = _average(queue.hold, fields.get("HoldTime", ""))
        self._busy(queue, fields, at)
        return True

    def _complete(self, queue: _Queue, fields: Fields, _at: datetime) -> bool:
        queue.talk = _average(queue.talk, fields.get("TalkTime", ""))
        queue.completed += 1
        self._busy(queue, fields, None)
        return True

    def _busy(self, queue: _Queue, fields: Fields, since: datetime | None) -> None:
        interface = plain(fields.get("Interface", ""))
        member = queue.members.get(interface)
        if member is not None:
            queue.members[interface] = replace(member, in_call=since is not None, busy_since=since)


def _average(before: int, newest: str) -> int:
    """As app_queue reckons it: three parts of before and one of the newest, in whole seconds."""
    return (3 * before + whole(newest)) >> 2


def _remember(queue: _Queue, leaving: str) -> None:
    """Who stands before somebody who leaves: by a key they leave for a moment only."""
    before = takewhile(lambda caller: caller.uniqueid != leaving, queue.callers)
    queue.left.pop(leaving, None)
    queue.left[leaving] = tuple(caller.uniqueid for caller in before)
    if len(queue.left) > MOST_LEFT:
        del queue.left[next(iter(queue.left))]


def _keep_moments(before: _Queue, now: _Queue) -> None:
    """A list has whole seconds, and not since when a member speaks."""
    now.left = before.left
    joined = {caller.uniqueid: caller.joined_at for caller in before.callers}
    now.callers = [replace(one, joined_at=joined.get(one.uniqueid, one.joined_at)) for one in now.callers]
    for interface, member in now.members.items():
        known = before.members.get(interface)
        if member.in_call and known is not None and known.busy_since is not None:
            now.members[interface] = replace(member, busy_since=known.busy_since)
