"""The AMI wire without a wire: bytes in, events and answers out; actions in, bytes out."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ringback.asterisk.runs import (
    LONGEST_END,
    PREFIXES,
    Broken,
    begins_anew,
    ends_a_run,
    has_a_head,
    headers,
    mend,
    same_runs,
    stands_alone,
    whole,
)
from ringback.errors import ProtocolError

OF_CALLS: frozenset[bytes] = frozenset(
    # What a call tracker needs, as bytes: a name that is in no such set is never decoded.
    b"""Newchannel NewCallerid Hangup HangupRequest DialBegin DialEnd BridgeEnter BlindTransfer AttendedTransfer
    QueueCallerJoin QueueCallerLeave QueueCallerAbandon QueueMemberStatus QueueMemberPause AgentConnect AgentComplete
    MessageWaiting UserEvent VarSet FullyBooted Shutdown
    Pickup ParkedCall UnParkedCall ParkedCallTimeOut ParkedCallGiveUp""".split()
)
OF_QUEUES: frozenset[bytes] = frozenset(
    # What an exchange needs beside that.
    b"QueueMemberAdded QueueMemberRemoved QueueMemberRinginuse DeviceStateChange Reload".split()
)
WANTED: frozenset[bytes] = OF_CALLS | OF_QUEUES
WANTED_VARIABLES: frozenset[bytes] = frozenset({b"DIALSTATUS", b"QUEUESTATUS", b"VMSTATUS"})
_VARIABLES = frozenset(name.decode() for name in WANTED_VARIABLES)
_MAYBE_WANTED = WANTED_VARIABLES | {b""}
_NO_PHONE = b"\r\nDevice: Local/"

LONGEST_MESSAGE = 64 * 1024
LONGEST_TORN = 8 * 1024
LONGEST_LINE = 1000  # Asterisk reads a line of an action into 1,025 bytes and cuts the rest off

_END = b"\r\n\r\n"
_ACTION = re.compile(r"[A-Za-z]{1,64}")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_RESERVED_HEADERS = frozenset({"action", "actionid"})
_BREAKS_A_LINE = re.compile(r"[\r\n\0]")
# The banner ends with one line break only, so the first message of a connection begins in its middle.
_FIRST_GOOD_LINE = re.compile(rb"(?:^|\r\n|\n)(?=Event:|Response:)")


@dataclass(frozen=True, slots=True)
class Event:
    """One AMI event. Of a repeated header the first value counts; `<unknown>` is kept as Asterisk wrote it."""

    name: str
    fields: dict[str, str]

    def get(self, key: str) -> str:
        """The value of a header, empty when it is missing."""
        return self.fields.get(key, "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What Asterisk said to one action: `response` is Success, Error, Goodbye ..."""

    response: str
    action_id: str
    message: str
    fields: dict[str, str]

    def get(self, key: str) -> str:
        """The value of a header, empty when it is missing."""
        return self.fields.get(key, "")


class Decoder:
    """Bytes of one connection in, in any portions; what was said comes out, in order.

    Decoded are answers, events named in `wanted` (VarSet only for WANTED_VARIABLES, DeviceStateChange not for Local
    channels), and the lines of a list we asked for: events whose ActionID begins with `mark`. All else is skipped by
    its bytes. The counters never go back.
    """

    def __init__(self, wanted: frozenset[bytes] = WANTED, mark: str = "") -> None:
        self._names = {name: name.decode() for name in wanted}
        self._asked_for = b"\r\nActionID: " + mark.encode()
        self._marked = bool(mark)
        self._rest = b""
        # The last event with a run: its name, its bytes so far, and how it was read, unless its rest is still to come.
        self._last: tuple[str, bytes, Event | None] = "", b"", None
        self._held: list[Event | Answer] = []
        self._wrong: list[Event | Answer] = []
        self._take: Callable[[bytes], Event | Answer | None] = self._read
        self._ready: list[bytes] = []
        self._skipping = False
        self.seen = 0
        self.decoded = 0
        self.bad = 0
        self.hostile = 0
        """Messages that a caller's text had a hand in."""

    def feed(self, chunk: bytes) -> list[Event | Answer]:
        """Return what `chunk` completes.

        Raises ProtocolError once for a message longer than LONGEST_MESSAGE. Nothing else is lost: what was good comes
        with the next call, which may bring `b""`.
        """
        messages = self._split(chunk)
        self.seen += len(messages)
        heard = [said for message in messages if (said := self._take(message)) is not None]
        if self._held or self._wrong or self._rest:
            heard = self._settled(heard)
        self.decoded += len(heard)
        return heard

    def reset(self) -> None:
        """Forget the half message of a connection that is gone."""
        self._rest, self._ready, self._skipping = b"", [], False
        self._held, self._take = [], self._read

    def _split(self, chunk: bytes) -> list[bytes]:
        buffer = self._rest + chunk if self._rest else chunk
        if len(buffer) > LONGEST_MESSAGE or self._skipping or self._ready:
            return self._split_with_care(buffer)
        *messages, self._rest = buffer.split(_END)
        return messages

    def _split_with_care(self, buffer: bytes) -> list[bytes]:
        *messages, rest = buffer.split(_END)
        if self._skipping and messages:
            del messages[0]
            self._skipping = False
        good = [message for message in messages if len(message) <= LONGEST_MESSAGE]
        too_long = len(messages) - len(good)
        # Up to three bytes of a separator may already be here: a message just within the bound is not too long yet.
        if not self._skipping and len(rest) > LONGEST_MESSAGE + len(_END) - 1:
            self._skipping = True
            too_long += 1
        self._rest = rest[1 - len(_END) :] if self._skipping else rest
        self._ready += good
        if too_long:
            self.bad += too_long
            raise ProtocolError(f"an AMI message is longer than {LONGEST_MESSAGE} bytes: skipped up to its end")
        ready, self._ready = self._ready, []
        return ready

    def _read(self, message: bytes) -> Event | Answer | None:
        if message.startswith(b"Event:"):
            end = message.find(b"\r\n")
            name = message[6 : end if end >= 0 else None].strip()
            known = self._names.get(name)
            if known is None or (name in _IN_PART and not _IN_PART[name](message)):
                if self._asked_for not in message:
                    return None
                known = name.decode("utf-8", "replace")
            text = message.decode("utf-8", "replace")  # as a whole: a letter may have come in two portions
            if known not in PREFIXES:
                return Event(known, headers(text))
            if not has_a_head(message):
                self.hostile += 1
                return None
            fields = whole(known, text)
            if fields is None:
                return self._mend(known, message)
            event = Event(known, fields)
            if len(message) - message.rfind(b"Linkedid: ") < LONGEST_END:
                self._last, self._take = (known, message, event), self._follow
            return event
        if message.startswith(b"Response:"):
            fields = headers(message.decode("utf-8", "replace"))
            return Answer(fields["Response"].strip(), fields.get("ActionID", ""), fields.get("Message", ""), fields)
        return self._read_after_junk(message)

    def _follow(self, message: bytes) -> Event | Answer | None:
        """Behind an event: the next message, or what a caller's text tore off that event."""
        name, before, event = self._last
        if event is None or not begins_anew(name, message):
            if not self._is_our_answer(message) and not stands_alone(message.decode("utf-8", "replace")):
                return self._mend(name, before + _END + message, event)
            self.hostile += event is None
        self._take = self._read
        return self._read(message)

    def _mend(self, name: str, message: bytes, before: Event | None = None) -> Event | None:
        """Read what is not in good shape; `before` is how it was read when less of it was known."""
        fields = mend(name, message.decode("utf-8", "replace"))
        if fields is Broken.FORGED or len(message) > LONGEST_TORN:
            self.hostile += 1
            self._take = self._read
            return None
        event = Event(name, fields) if isinstance(fields, dict) else None
        if before is not None and event is not None and same_runs(name, before.fields, event.fields):
            self.bad += 1
            self._last, self._take = (name, message, before), self._follow
            return None
        if before is not None:
            self._wrong.append(before)
        self._last, self._take = (name, message, event), self._follow
        if event is None:
            return None
        self.hostile += any("\r\n" in value for value in event.fields.values())
        return None if name == "VarSet" and event.get("Variable") not in _VARIABLES else event

    def _settled(self, heard: list[Event | Answer]) -> list[Event | Answer]:
        """Take back what turned out to be forged, and wait with an event that bytes stand behind."""
        heard = [said for said in self._held + heard if not any(said is wrong for wrong in self._wrong)]
        self._held, self._wrong = [], []
        if heard and self._rest and self._take == self._follow and heard[-1] is self._last[2]:
            self._held = [heard.pop()]
        return heard

    def _is_our_answer(self, message: bytes) -> bool:
        """Nobody outside can know what our ActionIDs begin with."""
        return self._marked and self._asked_for in message

    def _read_after_junk(self, message: bytes) -> Event | Answer | None:
        """Leave out what stands before the first line we know: the banner, stray line breaks, garbage."""
        begin = _FIRST_GOOD_LINE.search(message)
        junk = message[: begin.start() if begin else None].strip()
        if ends_a_run(junk.decode("utf-8", "replace")):
            # the rest of an event that a number tore: what looks like a first line in it is the number's too
            self.hostile += 1
            return None
        if junk and not junk.startswith(b"Asterisk Call Manager/"):
            self.bad += 1
        return self._read(message[begin.end() :]) if begin else None


def _of_a_phone(message: bytes) -> bool:
    """Calls inside a dialplan have devices too, several for each call."""
    return _NO_PHONE not in message


def _wanted_variable(message: bytes) -> bool:
    return _variable(message) in _MAYBE_WANTED


_IN_PART: dict[bytes, Callable[[bytes], bool]] = {b"VarSet": _wanted_variable, b"DeviceStateChange": _of_a_phone}
"""Events of which only some are wanted."""


def _variable(message: bytes) -> bytes:
    """The last one: a caller's number can only put another in front. None in a message that is torn."""
    begin = message.rfind(b"\r\nVariable: ")
    if begin < 0:
        return b""
    end = message.find(b"\r\n", begin + 12)
    return message[begin + 12 : end if end >= 0 else None]


def encode(action: str, action_id: str, fields: Mapping[str, str]) -> bytes:
    """Write one action. The only place where text becomes an AMI action.

    Raises ProtocolError for whatever Asterisk would read as something else: line breaks, NUL, a header name that is
    none, a second Action, a line that Asterisk would cut.
    """
    if not _ACTION.fullmatch(action):
        raise ProtocolError("an AMI action is named by letters only")
    if not action_id:
        raise ProtocolError("an AMI action needs an ActionID")
    lines = [_line("Action", action), _line("ActionID", action_id)]
    for name, value in fields.items():
        if not _HEADER.fullmatch(name) or name.lower() in _RESERVED_HEADERS:
            raise ProtocolError(f"{action}: {name!r:.80} cannot be the name of an AMI header")
        lines.append(_line(name, value))
    return b"".join(lines) + b"\r\n"


def _line(name: str, value: str) -> bytes:
    if _BREAKS_A_LINE.search(value):
        raise ProtocolError(f"{name}: an AMI value cannot hold a line break or NUL")
    try:
        line = f"{name}: {value}\r\n".encode()
    except UnicodeEncodeError as problem:
        raise ProtocolError(f"{name}: the value is not text") from problem
    if len(line) > LONGEST_LINE:
        raise ProtocolError(f"{name}: the value is longer than an AMI line of {LONGEST_LINE} bytes")
    return line
