"""What an event on the caller's own channel tells of its call, as tables from event to meaning."""

from collections.abc import Callable
from datetime import datetime, timedelta

from ringback.asterisk.legs import device
from ringback.asterisk.plain import plain
from ringback.asterisk.story import Story
from ringback.core.calls import Presentation, presentation

QUEUE_GAVE_UP = frozenset({"TIMEOUT", "FULL", "JOINEMPTY", "LEAVEEMPTY", "JOINUNAVAIL", "LEAVEUNAVAIL"})

Fields = dict[str, str]
Told = Callable[[Story, Fields, datetime], None]


def _new_caller_id(story: Story, fields: Fields, _at: datetime) -> None:
    story.name_caller(fields.get("CallerIDNum", ""))
    # Not sent for the number a trunk brings, so that its absence proves nothing; what it forbids is forbidden.
    if "Prohibited" in fields.get("CID-CallingPres", ""):
        story.told = Presentation.WITHHELD


def _user_event(story: Story, fields: Fields, at: datetime) -> None:
    told = USER_EVENTS.get(fields.get("UserEvent", ""))
    if told is not None:
        told(story, fields, at)


def _ringback_call(story: Story, fields: Fields, at: datetime) -> None:
    story.did = plain(fields.get("Did", "")) or story.did
    if token := fields.get("Pres"):
        story.told = presentation(token)
    story.verstat = plain(fields.get("Verstat", "")) or story.verstat
    story.language = plain(fields.get("Lang", "")) or story.language
    if fields.get("Rdnis64"):
        story.saw(at, "redirected")
    _ringback_end(story, fields, at)


def _ringback_end(story: Story, fields: Fields, _at: datetime) -> None:
    story.vetoed = story.vetoed or fields.get("Veto", "").strip().lower() == "no"


def _deflect(story: Story, _fields: Fields, at: datetime) -> None:
    story.deflected = True
    story.saw(at, "deflected")


def _blind_transfer(story: Story, fields: Fields, at: datetime) -> None:
    if fields.get("Result", "Success") == "Success":
        story.transfer(fields.get("Extension", ""), at)


def _attended_transfer(story: Story, fields: Fields, at: datetime) -> None:
    """To `App`: the second phone was still ringing, so that nobody has the caller yet."""
    if fields.get("Result", "Success") != "Success":
        return
    if fields.get("DestType") == "App":
        story.transfer(fields.get("SecondTransfererExten", ""), at)
    else:
        story.saw(at, "transfer", device(fields.get("TransferTargetChannel", "")))


def _queue_join(story: Story, fields: Fields, at: datetime) -> None:
    story.join(fields.get("Queue", ""), fields.get("Position", ""), at)


def _queue_leave(story: Story, fields: Fields, at: datetime) -> None:
    """Left for an agent, by a key or by hanging up; what comes next decides."""
    story.queue = story.queue or fields.get("Queue") or None
    story.leave(at, _hold(fields))


def _queue_abandon(story: Story, fields: Fields, at: datetime) -> None:
    story.abandon(fields.get("Queue", ""), _hold(fields), at)


def _message_waiting(story: Story, fields: Fields, at: datetime) -> None:
    """Only the event that names a channel belongs to a call; the others are the lamp on a phone."""
    if fields.get("Channel"):
        _voicemail_status(story, "SUCCESS", at)


def _variable(story: Story, fields: Fields, at: datetime) -> None:
    told = VARIABLES.get(fields.get("Variable", ""))
    value = fields.get("Value")
    if told is not None and value:
        told(story, value, at)


def _dial_status(story: Story, value: str, _at: datetime) -> None:
    story.dial_status = value[:20]


def _queue_status(story: Story, value: str, at: datetime) -> None:
    if value in QUEUE_GAVE_UP:
        story.gave_up = True
        story.saw(at, "queue_status", value)


def _voicemail_status(story: Story, value: str, at: datetime) -> None:
    story.voicemail = story.voicemail or value == "SUCCESS"
    story.saw(at, "voicemail", "message left" if story.voicemail else "no message")


def _hold(fields: Fields) -> timedelta | None:
    seconds = fields.get("HoldTime", "")
    return timedelta(seconds=int(seconds)) if seconds.isascii() and seconds.isdigit() and len(seconds) < 8 else None


EVENTS: dict[str, tuple[str, Told]] = {
    # event: (the header that names the caller's channel, what it tells)
    "NewCallerid": ("Uniqueid", _new_caller_id),
    "UserEvent": ("Uniqueid", _user_event),
    "VarSet": ("Uniqueid", _variable),
    "QueueCallerJoin": ("Uniqueid", _queue_join),
    "QueueCallerLeave": ("Uniqueid", _queue_leave),
    "QueueCallerAbandon": ("Uniqueid", _queue_abandon),
    "AgentConnect": ("Uniqueid", _queue_leave),
    "MessageWaiting": ("Uniqueid", _message_waiting),
    "BlindTransfer": ("TransfereeUniqueid", _blind_transfer),
    "AttendedTransfer": ("TransfereeUniqueid", _attended_transfer),
}
USER_EVENTS: dict[str, Told] = {
    "RingbackCall": _ringback_call,
    "RingbackEnd": _ringback_end,
    "RingbackDeflect": _deflect,
    "Deflect": _deflect,
}
VARIABLES: dict[str, Callable[[Story, str, datetime], None]] = {
    "DIALSTATUS": _dial_status,
    "QUEUESTATUS": _queue_status,
    "VMSTATUS": _voicemail_status,
}
