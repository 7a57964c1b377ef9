"""Channel event logging (CSV) as the AMI events it stands for, so that one tracker judges both.

Not in CEL: whether a voicemail was left, the state of a DND, who pressed which queue key, presentation. A forward by a
Local channel is told by the order in which channels start.
"""

import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from ringback.asterisk.codec import Event
from ringback.asterisk.legs import is_local, pair
from ringback.asterisk.rows import Layout, Lines, csv_rows, header_key, moment, picker
from ringback.asterisk.tracker import Tracker
from ringback.core.calls import Call, CallEnded, Direction
from ringback.core.plurals import count_of

# cel_custom.conf.sample; older ones end before userdeftype or extra.
COLUMNS = (  # noqa: SIM905 - reads best as the line it is
    "eventtype eventtime cidname cidnum cidani cidrdnis ciddnid exten context channame appname appdata amaflags "
    "accountcode uniqueid linkedid peer userfield userdeftype extra"
).split()
FEWEST_COLUMNS = 16
ALIASES = {"eventextra": "extra", "channel": "channame", "bridgepeer": "peer"}
NEEDED = frozenset({"eventtype", "eventtime", "uniqueid", "channame", "context"})
EVENT_TYPES = frozenset(
    """CHAN_START CHAN_END ANSWER HANGUP APP_START APP_END BRIDGE_ENTER BRIDGE_EXIT PARK_START PARK_END BLINDTRANSFER
    ATTENDEDTRANSFER PICKUP FORWARD LOCAL_OPTIMIZE LOCAL_OPTIMIZE_BEGIN LINKEDID_END USER_DEFINED DTMF STREAM_BEGIN
    STREAM_END""".split()  # noqa: SIM905 - as above
)
# Bridges in which nobody talks to the caller, or nobody in particular.
NOT_A_PERSON = {"holding_bridge": "parking", "softmix": "conference"}
TOLD = ("Did", "Pres", "Verstat", "Veto", "Lang")
"""What our include tells of a call, in the order it writes it into CEL."""
MOST_CALLERS = 20_000
MOST_LOCALS = 32


class Row(NamedTuple):
    """The columns that count, in this order in `USED`."""

    kind: str
    time: str
    number: str
    exten: str
    context: str
    channel: str
    app: str
    data: str
    uniqueid: str
    linkedid: str
    user_type: str
    extra: str


USED = "eventtype eventtime cidnum exten context channame appname appdata uniqueid linkedid userdeftype extra".split()  # noqa: SIM905 - as above


def columns_of(row: Sequence[str]) -> list[str] | None:
    """The column names when this is a header row of CEL."""
    names = [ALIASES.get(header_key(name), header_key(name)) for name in row]
    return names if set(names) >= NEEDED else None


def looks_like(row: Sequence[str]) -> bool:
    return columns_of(row) is not None or (len(row) >= FEWEST_COLUMNS and row[0] in EVENT_TYPES)


def calls(lines: Lines, layout: Layout) -> Iterator[Call]:
    """The finished inbound calls in order of hang-up."""
    tracker = Tracker(layout.pbx, layout.inbound, frozenset(), layout.trust_caller_id)
    translator = Translator(layout.inbound)
    for row, at in _read(lines, layout):
        for event in translator.events(row):
            for said in tracker.receive(event, at):
                if isinstance(said, CallEnded) and said.call.direction is Direction.INBOUND:
                    yield said.call


def _read(lines: Lines, layout: Layout) -> Iterator[tuple[Row, datetime]]:
    names, width = COLUMNS, 0
    pick = picker(names, USED)
    for index, cells in enumerate(csv_rows(lines)):
        if index == 0 and (header := columns_of(cells)):
            pick, width = picker(header, USED), len(header)
            continue
        if len(cells) != width if width else not FEWEST_COLUMNS <= len(cells) <= len(COLUMNS) + 2:
            lines.fault(count_of(len(cells), "column"))
            continue
        row = Row._make(pick([*cells, *[""] * (len(COLUMNS) - len(cells)), ""]))
        try:
            yield row, moment(row.time, layout.zone)
        except (ValueError, OverflowError, OSError):
            lines.fault(f"not a time: {row.time[:40]!r}")


@dataclass(slots=True)
class _Caller:
    """What one caller's rows said so far."""

    uniqueid: str
    channel: str
    up: bool = False
    dialled: bool = False
    asked: bool = False
    queue: str = ""
    left_queue: bool = False
    bridged: bool = False
    locals: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_LOCALS))


class Translator:
    """Rows in, the AMI events of the same meaning out."""

    def __init__(self, inbound: frozenset[str]) -> None:
        self._inbound = inbound
        self._callers: dict[str, _Caller] = {}
        self._by_link: dict[str, _Caller] = {}
        self._kinds = {
            "ANSWER": self._answer,
            "APP_START": self._app_start,
            "APP_END": self._app_end,
            "BRIDGE_ENTER": self._bridge_enter,
            "PICKUP": self._pickup,
            "HANGUP": self._hangup,
        }

    def events(self, row: Row) -> Iterator[Event]:
        """Never raises: a field that makes no sense is taken as empty."""
        if row.kind == "CHAN_START":
            yield from self._start(row)
        elif row.kind in ("BLINDTRANSFER", "ATTENDEDTRANSFER"):
            yield from _transfer(row)
        elif row.kind == "USER_DEFINED" or row.kind == row.user_type != "":  # ${eventtype} gives the user's own name
            said = dict(zip(TOLD, _extra(row).get("extra", "").split("|"), strict=False))
            yield Event("UserEvent", {"UserEvent": row.user_type, "Uniqueid": row.uniqueid, **said})
        elif (told := self._kinds.get(row.kind)) is not None:
            caller = self._callers.get(row.uniqueid)
            if caller and row.kind not in ("HANGUP", "APP_END"):
                yield from self._out_of_queue(caller, hung_up=False)
            yield from told(row, caller)

    def _start(self, row: Row) -> Iterator[Event]:
        linkedid = row.linkedid or row.uniqueid
        caller = self._by_link.get(linkedid)
        if caller is None:
            yield from self._begin(row, linkedid)
        elif row.channel.endswith(";2"):
            caller.locals.append(row.channel)
        elif row.uniqueid != caller.uniqueid:
            through = "" if is_local(row.channel) or not caller.locals else caller.locals.popleft()
            fields = {"Uniqueid": "" if through else caller.uniqueid, "Channel": through}
            caller.asked = True
            yield Event("DialBegin", fields | {"DestUniqueid": row.uniqueid, "DestChannel": row.channel})

    def _begin(self, row: Row, linkedid: str) -> Iterator[Event]:
        own = row.uniqueid == linkedid or row.channel.endswith(";2")
        if row.context not in self._inbound or row.channel.endswith(";1") or not own:
            return
        caller = self._callers[row.uniqueid] = self._by_link[linkedid] = _Caller(row.uniqueid, row.channel)
        for known in (self._callers, self._by_link):
            while len(known) > MOST_CALLERS:
                del known[next(iter(known))]
        names = {"Context": row.context, "Exten": row.exten, "Channel": row.channel, "CallerIDNum": row.number}
        yield Event("Newchannel", names | {"Uniqueid": caller.uniqueid, "Linkedid": linkedid})

    def _answer(self, row: Row, caller: _Caller | None) -> Iterator[Event]:
        if caller:
            caller.up = True
        else:
            link = self._by_link.get(row.linkedid)
            fields = {"DestUniqueid": row.uniqueid, "DestChannel": row.channel, "DialStatus": "ANSWER"}
            own = link is not None and pair(row.channel) == pair(link.channel) != ""
            if link and not own and not row.channel.endswith(";2"):
                yield Event("DialEnd", fields | {"Uniqueid": link.uniqueid})

    def _app_start(self, row: Row, caller: _Caller | None) -> Iterator[Event]:
        if caller and row.app == "Dial":
            caller.dialled = True
        elif caller and row.app == "Queue":
            caller.queue = row.data.partition(",")[0]
            yield Event("QueueCallerJoin", {"Uniqueid": caller.uniqueid, "Queue": caller.queue})

    def _app_end(self, row: Row, caller: _Caller | None) -> Iterator[Event]:
        """The queue is over; only what follows tells whether the caller or the queue ended it."""
        if caller and row.app == "Queue" and caller.queue:
            caller.left_queue = not caller.bridged
            yield Event("QueueCallerLeave", {"Uniqueid": caller.uniqueid, "Queue": caller.queue})

    def _out_of_queue(self, caller: _Caller, *, hung_up: bool) -> Iterator[Event]:
        if hung_up:
            yield Event("HangupRequest", {"Uniqueid": caller.uniqueid})
        if caller.left_queue:
            caller.left_queue = False
            yield Event("QueueCallerAbandon", {"Uniqueid": caller.uniqueid, "Queue": caller.queue})

    def _bridge_enter(self, row: Row, caller: _Caller | None) -> Iterator[Event]:
        if caller:
            kind = next((kind for word, kind in NOT_A_PERSON.items() if word in row.extra), "basic")
            if caller.queue and kind == "basic":
                yield Event("AgentConnect", {"Uniqueid": caller.uniqueid, "Queue": caller.queue})
            caller.bridged = caller.bridged or kind == "basic"
            yield Event("BridgeEnter", {"Uniqueid": caller.uniqueid, "BridgeType": kind})

    def _pickup(self, row: Row, _caller: _Caller | None) -> Iterator[Event]:
        extra = _extra(row)
        link = self._by_link.get(row.linkedid)
        if link:
            by = extra.get("pickup_channel", "")
            yield Event("Pickup", {"TargetUniqueid": row.uniqueid, "Channel": by})
            leg = {"DestUniqueid": extra.get("pickup_channel_uniqueid", ""), "DestChannel": by}
            yield Event("DialEnd", leg | {"Uniqueid": link.uniqueid, "DialStatus": "ANSWER"})

    def _hangup(self, row: Row, caller: _Caller | None) -> Iterator[Event]:
        extra = _extra(row)
        own = extra.get("hangupsource", "") == row.channel
        if caller is None:
            # All legs get the cause of the call; it tells of a phone only where that phone hung up.
            yield Event("Hangup", {"Uniqueid": row.uniqueid, "Cause": extra.get("hangupcause", "") if own else ""})
            return
        # A Local caller names no source: its other half stands for the world outside.
        yield from self._out_of_queue(caller, hung_up=own or is_local(row.channel))
        yield Event("NewCallerid", {"Uniqueid": row.uniqueid, "CallerIDNum": row.number})
        # Dial started and not one phone did: none was reachable, and CEL leaves the status empty.
        status = extra.get("dialstatus") or ("CHANUNAVAIL" if caller.dialled and not caller.asked else "")
        yield Event("VarSet", {"Uniqueid": row.uniqueid, "Variable": "DIALSTATUS", "Value": status})
        del self._callers[row.uniqueid]
        self._by_link.pop(row.linkedid or row.uniqueid, None)
        fields = {"Uniqueid": row.uniqueid, "Cause": extra.get("hangupcause", "")}
        yield Event("Hangup", fields | {"ChannelState": "6" if caller.up else ""})


def _transfer(row: Row) -> Iterator[Event]:
    extra = _extra(row)
    fields = {"TransfereeUniqueid": extra.get("transferee_channel_uniqueid", "")}
    if row.kind == "BLINDTRANSFER":
        yield Event("BlindTransfer", fields | {"Extension": extra.get("extension", "")})
    else:
        target = {"TransferTargetChannel": extra.get("transfer_target_channel_name", "")}
        yield Event("AttendedTransfer", fields | target | ({"DestType": "App"} if "app" in extra else {}))


def _extra(row: Row) -> dict[str, str]:
    try:
        read = json.loads(row.extra) if row.extra else {}
    except (ValueError, RecursionError):
        return {}
    return {key: str(value) for key, value in read.items()} if isinstance(read, dict) else {}
