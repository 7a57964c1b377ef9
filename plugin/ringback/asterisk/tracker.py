"""Folds Asterisk's events into calls: one `Call` for each caller's channel, one outcome, told once.

Channels, legs and the order of events end here. A call is known by its caller's Uniqueid; it is answered when that
channel enters a basic bridge, and decided when that channel hangs up.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from ringback.asterisk import heard
from ringback.asterisk.codec import Event
from ringback.asterisk.legs import DIAL_STATUS, Phone, device, is_local, pair
from ringback.asterisk.story import MOST_PARTS, Story
from ringback.core.calls import Call, CallAnswered, CallEnded, CallEvent, CallStarted, Direction, Presentation, Rang

MOST_CALLS = 20_000
"""Calls alive at once. Beyond it the oldest is dropped unseen: its hang-up was lost long ago."""
MOST_PARTS_IN_ALL = 100_000
MOST_DESKS = 5_000
LATE = timedelta(seconds=10)
"""How long the ids of ended calls are kept, so that late nested events do not start a call again."""
MOST_ENDED = 20_000

OUTSIDE = re.compile(r"\+?[0-9]{7,}|\+[0-9]+")
IN_DIAL_STRING = re.compile(r"\+?[0-9]{7,}")
CALLED = "RingbackDid"
"""What the feed adds to a CoreShowChannel whose channel knows the number that was called."""
LINE_UP = "6"  # AST_STATE_UP
LINE_BUSY = "7"  # AST_STATE_BUSY, set by Busy() and Congestion()
ASKED_BY = frozenset({"AppDial", "AppQueue"})
"""What CoreShowChannel calls the application of a phone that rings for somebody."""
SNAPSHOT_TIME = re.compile(r"([0-9]{1,4}):([0-9]{2}):([0-9]{2})")

Fields = dict[str, str]
T = TypeVar("T")


class Tracker:
    """The calls of one Asterisk. `receive` never raises, whatever the fields hold; memory is bounded."""

    def __init__(self, pbx: str, inbound: frozenset[str], phones: frozenset[str], trust_caller_id: bool) -> None:
        self._pbx = pbx
        self._inbound = inbound
        self._phones = phones
        self._told = Presentation.SHOWN if trust_caller_id else Presentation.UNKNOWN
        self.forget()
        self._handlers: dict[str, Callable[[Fields, datetime], list[CallEvent]]] = {
            "Newchannel": self._new_channel,
            "DialBegin": self._dial_begin,
            "DialEnd": self._dial_end,
            "BridgeEnter": self._bridge_enter,
            "Pickup": self._pickup,
            "HangupRequest": self._hangup_request,
            "Hangup": self._hangup,
        }

    def receive(self, event: Event, at: datetime) -> list[CallEvent]:
        """Take one event in; say what it means for a call. Events of no interest cost two look-ups."""
        if event.name in heard.EVENTS:
            key, told = heard.EVENTS[event.name]
            story = self._stories.get(event.fields.get(key, ""))
            if story is not None:
                told(story, event.fields, at)
            return []
        handler = self._handlers.get(event.name)
        return handler(event.fields, at) if handler else []

    def live(self) -> frozenset[str]:
        """The uniqueids of the calls that are on."""
        return frozenset(self._stories)

    def call(self, uniqueid: str) -> Call | None:
        """A call that is on, as far as it is known now."""
        story = self._stories.get(uniqueid)
        return story.call() if story is not None else None

    def remembered(self) -> int:
        """How many calls, legs, desks and ids are held; bounded, whatever Asterisk sends."""
        return sum(len(known) for known in (self._stories, self._links, self._parts, self._desks, self._ended))

    def forget(self) -> None:
        """Asterisk was restarted: no channel of before exists."""
        self._stories: dict[str, Story] = {}
        self._links: dict[str, str] = {}
        self._parts: dict[str, tuple[Story, Phone]] = {}
        self._desks: dict[str, tuple[str, datetime]] = {}
        self._ended: dict[str, datetime] = {}

    def resume(self, channels: Sequence[Event], at: datetime) -> list[CallEvent]:
        """Compare with a fresh list of channels (CoreShowChannel). What is gone is dropped: its end was not seen."""
        entries = [channel.fields for channel in channels if channel.name == "CoreShowChannel"]
        there = {entry.get("Uniqueid", "") for entry in entries}
        for uniqueid in [known for known in self._stories if known not in there]:
            self._drop(uniqueid, at)
        for gone in [desk for desk in self._desks if desk not in there]:
            del self._desks[gone]
        happened: list[CallEvent] = []
        for entry in entries:
            happened += self._adopt(entry, at)
        for entry in sorted(entries, key=lambda entry: is_local(entry.get("Channel", ""))):
            self._adopt_leg(entry, at)
        return happened

    # -- calls begin and end

    def _new_channel(self, fields: Fields, at: datetime) -> list[CallEvent]:
        uniqueid = fields.get("Uniqueid", "")
        linkedid = fields.get("Linkedid") or uniqueid
        context = fields.get("Context", "")
        outbound = context in self._phones
        if not (outbound or context in self._inbound) or not self._may_start(fields, uniqueid, linkedid):
            return []
        exten = fields.get("Exten", "")
        caller = fields.get("CallerIDNum", "")
        if context in self._inbound:
            return self._start(Story(self._pbx, uniqueid, linkedid, Direction.INBOUND, caller, exten, at, self._told))
        channel = fields.get("Channel", "")
        desk = caller if is_local(channel) else device(channel)
        if OUTSIDE.fullmatch(exten):
            return self._start(Story(self._pbx, uniqueid, linkedid, Direction.OUTBOUND, desk, exten, at, self._told))
        self._desks[uniqueid] = (desk, at)
        _trim(self._desks, MOST_DESKS)
        return []

    def _may_start(self, fields: Fields, uniqueid: str, linkedid: str) -> bool:
        """A caller's channel: its own link, or the far half of a Local one, and no part of a call that is known."""
        channel = fields.get("Channel", "")
        if not uniqueid or channel.endswith(";1") or not (uniqueid == linkedid or channel.endswith(";2")):
            return False
        known = uniqueid in self._stories or uniqueid in self._parts or uniqueid in self._ended
        return not (known or linkedid in self._links or linkedid in self._ended)

    def _start(self, story: Story) -> list[CallEvent]:
        self._stories[story.uniqueid] = story
        self._links[story.linkedid] = story.uniqueid
        if len(self._stories) > MOST_CALLS:
            self._drop(next(iter(self._stories)), story.started_at)
        return [CallStarted(story.call())]

    def _hangup(self, fields: Fields, at: datetime) -> list[CallEvent]:
        uniqueid = fields.get("Uniqueid", "")
        story = self._stories.get(uniqueid)
        if story is None:
            self._desks.pop(uniqueid, None)
            self._leg_gone(uniqueid, fields, at)
            return []
        if fields.get("ChannelState") == LINE_BUSY:
            story.turn_away(fields.get("Cause", ""))
        story.hang_up(fields.get("Cause", ""), fields.get("ChannelState") == LINE_UP, at)
        self._drop(uniqueid, at)
        return [CallEnded(story.call(at))]

    def _hangup_request(self, fields: Fields, at: datetime) -> list[CallEvent]:
        uniqueid = fields.get("Uniqueid", "")
        story = self._stories.get(uniqueid)
        if story is not None:
            story.hung_up = True
        elif fields.get("Cause"):
            self._leg_gone(uniqueid, fields, at)
        return []

    def _leg_gone(self, uniqueid: str, fields: Fields, at: datetime) -> None:
        part = self._parts.get(uniqueid)
        if part is not None:
            part[1].hang_up(uniqueid, fields.get("Cause", ""), at)

    def _drop(self, uniqueid: str, at: datetime) -> None:
        """Forget a call but for its ids, which late events may name."""
        story = self._stories.pop(uniqueid)
        if self._links.get(story.linkedid) == uniqueid:
            del self._links[story.linkedid]
        for part in story.parts:
            self._parts.pop(part, None)
        while self._ended:
            oldest = next(iter(self._ended))
            if at - self._ended[oldest] < LATE and len(self._ended) <= MOST_ENDED:
                break
            del self._ended[oldest]
        self._ended[uniqueid] = self._ended[story.linkedid] = at

    # -- phones ring

    def _dial_begin(self, fields: Fields, at: datetime) -> list[CallEvent]:
        dest = fields.get("DestUniqueid", "")
        if not dest or dest in self._parts:
            return []
        uniqueid = fields.get("Uniqueid", "")
        happened = self._dialled_out(uniqueid, fields, at) if uniqueid in self._desks else []
        story, behind = self._asking(uniqueid, fields.get("Channel", ""))
        if story is not None:
            self._ask(story, dest, fields.get("DestChannel", ""), behind, at)
        return happened

    def _dialled_out(self, uniqueid: str, fields: Fields, at: datetime) -> list[CallEvent]:
        """A desk's channel asks a number outside: a click-to-call, or a short dial that leads there."""
        exten = fields.get("Exten", "")
        number = IN_DIAL_STRING.search(exten if OUTSIDE.fullmatch(exten) else fields.get("DialString", ""))
        linkedid = fields.get("Linkedid") or uniqueid
        if number is None or linkedid in self._links:
            return []
        desk, since = self._desks.pop(uniqueid)
        since = min(since, at)
        return self._start(Story(self._pbx, uniqueid, linkedid, Direction.OUTBOUND, desk, number[0], since, self._told))

    def _asking(self, uniqueid: str, channel: str) -> tuple[Story | None, Phone | None]:
        """Whose call asks: the caller's channel, or a Local half that stands for it."""
        story = self._stories.get(uniqueid)
        if story is not None:
            return story, None
        half = pair(channel)
        return self._parts.get(half, (None, None)) if half else (None, None)

    def _ask(self, story: Story, dest: str, channel: str, behind: Phone | None, at: datetime) -> Phone | None:
        phone = story.legs.ask(dest, channel, behind, at)
        if phone is not None:
            self._remember(story, dest, phone)
            if half := pair(channel):
                self._remember(story, half, phone)
        return phone

    def _remember(self, story: Story, part: str, phone: Phone) -> None:
        self._parts[part] = (story, phone)
        story.parts.append(part)
        if len(story.parts) > MOST_PARTS:
            self._parts.pop(story.parts.popleft(), None)
        _trim(self._parts, MOST_PARTS_IN_ALL)

    def _dial_end(self, fields: Fields, at: datetime) -> list[CallEvent]:
        dest = fields.get("DestUniqueid", "")
        rang = DIAL_STATUS.get(fields.get("DialStatus", ""), Rang.UNKNOWN)
        if fields.get("Forward"):
            rang = Rang.FORWARDED
        part = self._parts.get(dest)
        if part is not None:
            part[1].end(dest, rang, at)
            return []
        # A leg whose beginning was not seen under this caller: a pick-up, or a transfer while it rang.
        story, behind = self._asking(fields.get("Uniqueid", ""), fields.get("Channel", ""))
        if story is not None and dest and fields.get("DestChannel"):
            phone = self._ask(story, dest, fields["DestChannel"], behind, at)
            if phone is not None:
                phone.end(dest, rang, at)
        return []

    def _pickup(self, fields: Fields, at: datetime) -> list[CallEvent]:
        part = self._parts.get(fields.get("TargetUniqueid", ""))
        if part is not None:
            part[0].saw(at, "picked_up", device(fields.get("Channel", "")))
        return []

    def _bridge_enter(self, fields: Fields, at: datetime) -> list[CallEvent]:
        story = self._stories.get(fields.get("Uniqueid", ""))
        if story is None:
            return []
        kind = fields.get("BridgeType", "")
        if kind == "basic" and story.answer(at):
            return [CallAnswered(story.call())]
        if kind == "parking":
            story.park(at)
        return []

    # -- after a reconnect

    def _adopt(self, fields: Fields, at: datetime) -> list[CallEvent]:
        """Take in a caller's channel that lives; an answer during the gap shows in its bridge."""
        uniqueid = fields.get("Uniqueid", "")
        linkedid = fields.get("Linkedid") or uniqueid
        happened: list[CallEvent] = []
        ours = CALLED in fields or fields.get("Context", "") in self._inbound
        if ours and self._may_start(fields, uniqueid, linkedid):
            caller, exten = fields.get("CallerIDNum", ""), fields.get(CALLED) or fields.get("Exten", "")
            since = _since(fields, at)
            happened += self._start(
                Story(self._pbx, uniqueid, linkedid, Direction.INBOUND, caller, exten, since, self._told)
            )
            self._stories[uniqueid].saw(at, "adopted")
        story = self._stories.get(uniqueid)
        if story is None:
            return []
        if fields.get("Application") == "Queue" and not story.queued:
            story.queue, story.queued = fields.get("ApplicationData", "").partition(",")[0] or None, True
        if fields.get("BridgeId") and story.answer(at):
            happened.append(CallAnswered(story.call()))
        return happened

    def _adopt_leg(self, fields: Fields, at: datetime) -> None:
        """A phone that rings for a call: its DialBegin may have been missed."""
        uniqueid, channel = fields.get("Uniqueid", ""), fields.get("Channel", "")
        story = self._stories.get(self._links.get(fields.get("Linkedid", ""), ""))
        known = uniqueid in self._parts or uniqueid in self._stories
        if story is None or known or not uniqueid or fields.get("Application") not in ASKED_BY:
            return
        if not (is_local(channel) and story.legs.phones):
            self._ask(story, uniqueid, channel, None, _since(fields, at))


def _trim(known: dict[str, T], most: int) -> None:
    while len(known) > most:
        del known[next(iter(known))]


def _since(fields: Fields, at: datetime) -> datetime:
    """CoreShowChannel tells only how long a channel lives, in whole seconds."""
    told = SNAPSHOT_TIME.fullmatch(fields.get("Duration", ""))
    if told is None:
        return at
    hours, minutes, seconds = (int(part) for part in told.groups())
    return at - timedelta(hours=hours, minutes=minutes, seconds=seconds)
