"""Lines of QueueStatus and DeviceStateList and the events beside them, with every header that Asterisk 22 writes."""

from ringback.asterisk.codec import Event

Lines = list[tuple[str, str]]


def member_lines(queue: str, phone: str, **more: str) -> Lines:
    """The headers of an event about a member."""
    lines = {
        "Queue": queue,
        "MemberName": f"Phone {phone}",
        "Interface": f"PJSIP/{phone}",
        "StateInterface": f"PJSIP/{phone}",
        "Membership": "static",
        "Penalty": "0",
        "CallsTaken": "0",
        "LastCall": "0",
        "LastPause": "0",
        "LoginTime": "1795297268",
        "InCall": "0",
        "Status": "1",
        "Paused": "0",
        "PausedReason": "",
        "Ringinuse": "0",
        "Wrapuptime": "0",
    }
    return list((lines | more).items())


def member(name: str, queue: str, phone: str, **more: str) -> Event:
    """QueueMemberStatus, QueueMemberPause, QueueMemberAdded ..."""
    return Event(name, {"Event": name, "Privilege": "agent,all", **dict(member_lines(queue, phone, **more))})


def listed_member(queue: str, phone: str, **more: str) -> Event:
    """A line of QueueStatus."""
    lines = dict(member_lines(queue, phone, **more))
    lines["Name"], lines["Location"] = lines.pop("MemberName"), lines.pop("Interface")
    return Event("QueueMember", lines)


def params(queue: str, **more: str) -> Event:
    """The line of QueueStatus that begins a queue."""
    lines = {
        "Queue": queue,
        "Max": "0",
        "Strategy": "ringall",
        "Calls": "0",
        "Holdtime": "0",
        "TalkTime": "0",
        "Completed": "0",
        "Abandoned": "0",
    }
    return Event("QueueParams", lines | more)


def queue_line(name: str, queue: str, uniqueid: str, **more: str) -> Event:
    """An event about a caller of a queue."""
    return Event(name, {"Uniqueid": uniqueid, "Queue": queue, **more})


def device(name: str, state: str) -> Event:
    """A line of DeviceStateList."""
    return Event("DeviceStateChange", {"Device": name, "State": state})


def device_event(name: str, state: str) -> Lines:
    """The event."""
    return [("Event", "DeviceStateChange"), ("Privilege", "call,all"), ("Device", name), ("State", state)]
