"""The AMI events of missed calls, as Asterisk 22 writes them to an account that has our event filter.

A call is six events: a caller reaches a queue, hears that nobody is free, and hangs up. The fields are those of the
recordings in tests/scenes; phones that ring and QueueCallerLeave are left out.
"""

EVENTS = 6
"""Events of one call."""
FIRST_CALLER = 2_000_000
"""The callers are +1512 and seven digits, from here on; httpsink.c knows them by that."""
WARM_UP = 7_000_000
"""Calls with this number or a higher one are for warming up and are not counted."""
DIDS = tuple(f"+120255501{last:02}" for last in range(10))


def caller_of(call: int) -> str:
    return f"+1512{FIRST_CALLER + call:07}"


def call_of(caller: str) -> int:
    """The number of the call that a caller belongs to."""
    return int(caller[5:]) - FIRST_CALLER


def uniqueid_of(call: int) -> str:
    return f"pbx-1795303762.{call}"


def beginning(call: int) -> bytes:
    """The caller comes in and joins a queue."""
    did = DIDS[call % len(DIDS)]
    told = {"UserEvent": "RingbackCall", "Did": did, "Pres": "allowed_not_screened"}
    told |= {"Verstat": "", "Rdnis64": "", "Veto": "", "Lang": "en"}
    return (
        _event("Newchannel", "call", call)
        + _event("UserEvent", "user", call, told)
        + _event("QueueCallerJoin", "agent", call, {"Queue": "support", "Position": "1", "Count": "1"})
    )


def ending(call: int) -> bytes:
    """The caller gives up. The second event is what a script reacts to, the last one what Ringback waits for."""
    queue = {"Queue": "support", "Position": "1"}
    return (
        _event("HangupRequest", "call", call, {"Cause": "16", "TechCause": "0"})
        + _event("QueueCallerAbandon", "agent", call, {**queue, "OriginalPosition": "1", "HoldTime": "21"})
        + _event("Hangup", "call", call, {"Cause": "16", "Cause-txt": "Normal Clearing", "TechCause": "0"})
    )


def noise(number: int) -> bytes:
    """An event that no call needs; an account without our filter sees many of them."""
    if number % 2:
        more = {"Extension": "s", "Application": "Set", "AppData": "__DYNAMIC_FEATURES=park#hold"}
        return _event("Newexten", "dialplan", number, more)
    return _event("VarSet", "dialplan", number, {"Variable": "LOCAL(ARGC)", "Value": "1"})


def _event(name: str, privilege: str, call: int, more: dict[str, str] | None = None) -> bytes:
    caller = caller_of(call)
    fields = {
        "Event": name,
        "Privilege": f"{privilege},all",
        "Timestamp": "1795303762.299690",
        "SystemName": "pbx",
        "Channel": f"PJSIP/carrier-{call:08x}",
        "ChannelState": "6",
        "ChannelStateDesc": "Up",
        "CallerIDNum": caller,
        "CallerIDName": "Pat Example",
        "ConnectedLineNum": "<unknown>",
        "ConnectedLineName": "<unknown>",
        "Language": "en",
        "AccountCode": "12025550102",
        "Context": "from-trunk",
        "Exten": DIDS[call % len(DIDS)],
        "Priority": "3",
        "Uniqueid": uniqueid_of(call),
        "Linkedid": uniqueid_of(call),
        **(more or {}),
    }
    return "".join(f"{key}: {value}\r\n" for key, value in fields.items()).encode() + b"\r\n"
