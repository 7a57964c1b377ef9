"""The fence around what callers write: reads the headers of an AMI event so that no number passes for another header.

Asterisk writes numbers, extensions and the names of Local channels into AMI as they are, and pjsip decodes %0D%0A in
the user part of a SIP address: a caller's number may hold line breaks, headers, even whole events. But each channel of
an event is written as one unbroken run of fourteen headers in one order. Where they stand tells which are real.

What holds it up: such a text is at most 79 bytes (Asterisk keeps it in 80, and so it was measured), while the shortest
rest of a run behind a number takes 140 bytes and a whole run more than 200. So a number can begin a run but never end
one, and the end that Asterisk wrote always follows. To tear its event and begin another, of its own call, in front of
that end takes an event's head, and a head shorter than Asterisk's is taken for none: so 103 bytes are too few for all
of this. Only an extension can end its run, with three short headers, so what comes behind such an event is looked at
too. Seen on the wire of Asterisk 22.10.1:

    From, P-Asserted-Identity, Remote-Party-ID: user    79 bytes, raw    CallerIDNum, DestConnectedLineNum
    P-Asserted-Identity of whoever answers: user        79 bytes, raw    ConnectedLineNum, DestCallerIDNum
    Request-URI: user, where a pattern ends in `!` `.`  79 bytes, raw    Exten, Channel (Local/...), DialString
    Contact of a 302: user                              79 bytes, raw    Forward, Exten, Channel (Local/...)
    Diversion: user                                     in no event that we take
    any display name                                    79 bytes, escaped as C does, so that it cannot break a line
    Value of a variable we ask for (Getvar)             any length, raw: ask only for what the dialplan has filtered
    IAX2 calling number, `shrinkcallerid = no`          255 bytes, raw   CallerIDNum, DestConnectedLineNum
    the same, but `shrinkcallerid = yes`, the default   255 bytes, raw but for its spaces, without which is no header

Longer texts cannot be kept out by reading, for their bytes can be those of other stories. From 104 bytes on a number
can rename an event of its own call. Torn heads joined with what follows them would end that; but then a copy of the
number in a Value or AppData could rename the next event, of anybody. From 170 bytes it can say another call's id.

Events about no channel (SHAPES) have no run. Each takes a number longer than 79 bytes to be written in full, and one
behind the torn beginning of another event is not taken.

What a text can still do: change what is told of its own call (its name, the names of its own events) or hide it; and,
with an extension, pass one event off as another call's if the bytes behind it come in a later read of the socket.
"""

import re
from enum import Enum
from functools import lru_cache

RUN = (
    *("Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName", "ConnectedLineNum"),
    *("ConnectedLineName", "Language", "AccountCode", "Context", "Exten", "Priority", "Uniqueid", "Linkedid"),
)
PREFIXES: dict[str, tuple[str, ...]] = {
    # event: what the runs in it are prefixed with, in their order; a run may be missing, but not all of them
    **dict.fromkeys(
        (
            *("Newchannel", "NewCallerid", "Hangup", "HangupRequest", "BridgeEnter", "UserEvent", "VarSet"),
            *("QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon", "MessageWaiting", "CoreShowChannel"),
        ),
        ("",),
    ),
    **dict.fromkeys(("DialBegin", "DialEnd", "AgentConnect", "AgentComplete"), ("", "Dest")),
    "Pickup": ("", "Target"),
    "BlindTransfer": ("Transferer", "Transferee"),
    "AttendedTransfer": (
        *("OrigTransferer", "SecondTransferer", "Transferee", "TransferTarget"),
        *("LocalOne", "LocalTwo", "DestTransferer"),
    ),
    **dict.fromkeys(
        ("ParkedCall", "UnParkedCall", "ParkedCallTimeOut", "ParkedCallGiveUp"), ("Parkee", "Parker", "Retriever")
    ),
}
_MEMBER = (
    *("Event", "Privilege", "Queue", "MemberName", "Interface", "Membership", "Penalty", "CallsTaken", "LastCall"),
    *("Status", "Paused"),
)
SHAPES: dict[str, tuple[str, ...]] = {
    # Events about no channel, and headers they have in this order: with the shortest values more than 79 bytes.
    **dict.fromkeys(
        (
            *("QueueMemberStatus", "QueueMemberPause", "QueueMemberAdded", "QueueMemberRemoved"),
            "QueueMemberRinginuse",
        ),
        _MEMBER,
    ),
    "DeviceStateChange": ("Event", "Privilege", "Device", "State"),
}
WITHOUT_A_RUN = frozenset({"MessageWaiting"})
"""Events with a channel only sometimes: the lamp on a phone is switched without one."""
LONGEST_NUMBER = 200
"""Characters; more than Asterisk ever wrote, and less than a run, so that nothing behind the run is in reach."""
SHORTEST_HEAD = 100
"""Bytes in front of the first number of an event: fewer than Asterisk writes for a channel of one letter."""
LONGEST_EXTEN = 79
"""AST_MAX_EXTENSION without its NUL. Three short headers end the run, so this one must be exact."""
LONGEST_LEFT = 28
"""Bytes an extension has left when it was made to end a run: 79 less the last three headers and an empty line."""
LONGEST_END = 48
"""Bytes from a `Linkedid` that such an extension made to the end of its message; rounded up, as is LONGEST_LEFT."""

Fields = dict[str, str]


class Broken(Enum):
    """Why an event was not read."""

    CUT = "a run begins and does not end: the rest follows"
    FORGED = "Asterisk does not write it so"


def _run(prefix: str) -> re.Pattern[str]:
    """A whole run. Where a caller's text may stand it takes the most it can hold, so that the real end counts."""
    line = r"([^\r\n]*)"
    kinds = {
        "Channel": f"((?s:.){{1,{LONGEST_NUMBER}}})",
        "ChannelState": "([0-9]+)",
        "CallerIDNum": f"((?s:.){{0,{LONGEST_NUMBER}}})",
        "ConnectedLineNum": f"((?s:.){{0,{LONGEST_NUMBER}}})",
        "Exten": f"((?s:.){{0,{LONGEST_EXTEN}}})",
        "Priority": "(-?[0-9]+)",
        "Uniqueid": r"([^\r\n]+)",
        "Linkedid": r"([^\r\n]+)",
    }
    return re.compile("".join(rf"\r\n{prefix}{name}: {kinds.get(name, line)}" for name in RUN) + r"(?![^\r])")


_NAMES = {prefix: tuple(prefix + name for name in RUN) for prefixes in PREFIXES.values() for prefix in prefixes}
_RUNS = {prefix: _run(prefix) for prefix in _NAMES}
_BEGINS = {
    # Longer than a number, so that none can begin a run and have what follows taken for its end.
    prefix: re.compile(
        rf"\r\n{prefix}Channel: (?s:.){{1,{LONGEST_NUMBER}}}?"
        rf"\r\n{prefix}ChannelState: [0-9]+\r\n{prefix}ChannelStateDesc: [^\r\n]*\r\n{prefix}CallerIDNum: "
    )
    for prefix in _NAMES
}
_OPENING = re.compile(r"(?:^|\n)Event: ([A-Za-z]+)\r\n(?:Privilege|ActionID): ")
_END_OF_A_RUN = re.compile(r"\r\n[A-Za-z]*(?:CallerIDName|ConnectedLineName|AccountCode|Linkedid): ")
_OF_A_RUN = ("CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName", "AccountCode", "Linkedid")
_RESTS = {
    name: [(f"\r\n{prefix}Linkedid: ".encode(), f"\r\n{prefix}ConnectedLineName: ".encode()) for prefix in prefixes]
    for name, prefixes in PREFIXES.items()
}
"""What a run ends with, and what stands in front of that, but not in the rest of a run whose extension was cut."""


def headers(text: str) -> Fields:
    """Read any headers; of a repeated one the first counts."""
    fields: Fields = {}
    for line in text.split("\r\n"):
        key, colon, value = line.partition(": ")
        if not colon or ":" in key:
            key, colon, value = line.partition(":")  # `Empty:` has no space behind the colon
        if colon:
            fields.setdefault(key, value)
    return fields


def whole(name: str, text: str) -> Fields | None:
    """Read the headers of an event in PREFIXES that is in good shape, else None: `mend` it."""
    lines = text.split("\r\n")
    fields: Fields = {}
    for line in lines:
        key, colon, value = line.partition(": ")
        if colon:
            fields[key] = value
    return fields if len(fields) == len(lines) and is_whole(name, tuple(fields)) else None


@lru_cache(maxsize=512)
def is_whole(name: str, keys: tuple[str, ...]) -> bool:
    """Whether these headers, none of them twice, are what Asterisk writes: every run unbroken and in its place."""
    at, found = 0, 0
    for prefix in PREFIXES[name]:
        run = _NAMES[prefix]
        if run[0] in keys:
            begin = keys.index(run[0])
            torn = any(key.endswith(_OF_A_RUN) for key in keys[at:begin])
            if begin < at or torn or keys[begin : begin + len(RUN)] != run:
                return False
            at, found = begin + len(RUN), found + 1
        elif not set(run).isdisjoint(keys):
            return False
    return (bool(found) or name in WITHOUT_A_RUN) and not any(":" in key for key in keys)


@lru_cache(maxsize=512)
def in_shape(name: str, keys: tuple[str, ...]) -> bool:
    """Whether an event of SHAPES has all its headers, in their order; others may stand between."""
    left = iter(keys)
    return all(key in left for key in SHAPES[name])


def mend(name: str, text: str) -> Fields | Broken:
    """Read an event that a caller's text, or a header told twice, has put out of shape."""
    at, outside = 0, ""
    inside: Fields = {}
    prefixes = PREFIXES[name]
    while begin := _next_run(prefixes, text, at):
        prefix, start = begin
        run = _RUNS[prefix].match(text, start)
        if run is None or _END_OF_A_RUN.search(text, at, start):
            return Broken.CUT if run is None and _OPENING.match(text) else Broken.FORGED
        outside += text[at:start]
        inside |= zip(_NAMES[prefix], run.groups(), strict=True)
        at, prefixes = run.end(), prefixes[prefixes.index(prefix) + 1 :]
    if not inside and name not in WITHOUT_A_RUN:
        return Broken.FORGED
    of_runs = {key for prefix in PREFIXES[name] for key in _NAMES[prefix]}
    return {key: value for key, value in headers(outside + text[at:]).items() if key not in of_runs} | inside


def _next_run(prefixes: tuple[str, ...], text: str, at: int) -> tuple[str, int] | None:
    """Which of these begins first, and where."""
    begins = [(begin.start(), prefix) for prefix in prefixes if (begin := _BEGINS[prefix].search(text, at))]
    return min(begins)[::-1] if begins else None


def same_runs(name: str, one: Fields, other: Fields) -> bool:
    """Whether two readings of an event agree on its channels."""
    return all(one.get(key) == other.get(key) for prefix in PREFIXES[name] for key in _NAMES[prefix])


def has_a_head(message: bytes) -> bool:
    """Whether so much stands in front of the first number as in an event that Asterisk wrote."""
    return message.find(b"CallerIDNum: ", 0, SHORTEST_HEAD - 1) < 0


def begins_anew(name: str, message: bytes) -> bool:
    """Whether this, behind an event of that name, is surely none of its rest. Meant to be quick."""
    if len(message) <= LONGEST_LEFT or not message.startswith((b"Event:", b"Response:")):
        return False
    for end, middle in _RESTS[name]:
        at = message.find(end)
        if at >= 0 and message.find(middle, LONGEST_LEFT, at) < 0:
            return False
    return True


def stands_alone(text: str) -> bool:
    """Whether an event begins here and a run in it, for which no number is long enough."""
    opening = _OPENING.search(text)
    if opening is None or ends_a_run(text[: opening.start()]) or not has_a_head(text[opening.start() :].encode()):
        return False
    begin = _next_run(PREFIXES.get(opening[1], ("",)), text, opening.end())
    return begin is not None and _END_OF_A_RUN.search(text, opening.end(), begin[1]) is None


def ends_a_run(text: str) -> bool:
    """Whether this holds what a number tore off the event before."""
    return _END_OF_A_RUN.search("\r\n" + text) is not None
