"""The AMI wire without a wire: bytes in, events and answers out; actions in, bytes out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ringback.errors import ProtocolError

WANTED: frozenset[bytes] = frozenset(
    # What a call tracker needs, as bytes: a name that is not here is never decoded.
    b"""Newchannel NewCallerid Hangup HangupRequest DialBegin DialEnd BridgeEnter BlindTransfer AttendedTransfer
    QueueCallerJoin QueueCallerLeave QueueCallerAbandon QueueMemberStatus QueueMemberPause AgentConnect AgentComplete
    MessageWaiting UserEvent VarSet FullyBooted Shutdown
    Pickup ParkedCall UnParkedCall ParkedCallTimeOut ParkedCallGiveUp""".split()
)
WANTED_VARIABLES: frozenset[bytes] = frozenset({b"DIALSTATUS", b"QUEUESTATUS", b"VMSTATUS"})

LONGEST_MESSAGE = 64 * 1024
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

    Decoded are answers, events named in `wanted` (VarSet only for WANTED_VARIABLES), and the lines of a list we asked
    for: events whose ActionID begins with `mark`. All else is skipped by its bytes. The counters never go back.
    """

    def __init__(self, wanted: frozenset[bytes] = WANTED, mark: str = "") -> None:
        self._names = {name: name.decode() for name in wanted}
        self._asked_for = b"\r\nActionID: " + mark.encode()
        self._rest = b""
        self._ready: list[bytes] = []
        self._skipping = False
        self.seen = 0
        self.decoded = 0
        self.bad = 0

    def feed(self, chunk: bytes) -> list[Event | Answer]:
        """Return what `chunk` completes.

        Raises ProtocolError once for a message longer than LONGEST_MESSAGE. Nothing else is lost: what was good comes
        with the next call, which may bring `b""`.
        """
        messages = self._split(chunk)
        self.seen += len(messages)
        heard = [said for message in messages if (said := self._read(message)) is not None]
        self.decoded += len(heard)
        return heard

    def reset(self) -> None:
        """Forget the half message of a connection that is gone."""
        self._rest, self._ready, self._skipping = b"", [], False

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
            if known is None or (name == b"VarSet" and _variable(message) not in WANTED_VARIABLES):
                if self._asked_for not in message:
                    return None
                known = name.decode("utf-8", "replace")
            return Event(known, _fields(message))
        if message.startswith(b"Response:"):
            fields = _fields(message)
            return Answer(fields["Response"].strip(), fields.get("ActionID", ""), fields.get("Message", ""), fields)
        return self._read_after_junk(message)

    def _read_after_junk(self, message: bytes) -> Event | Answer | None:
        """Leave out what stands before the first line we know: the banner, stray line breaks, garbage."""
        begin = _FIRST_GOOD_LINE.search(message)
        junk = message[: begin.start() if begin else None].strip()
        if junk and not junk.startswith(b"Asterisk Call Manager/"):
            self.bad += 1
        return self._read(message[begin.end() :]) if begin else None


def _variable(message: bytes) -> bytes:
    begin = message.find(b"\r\nVariable: ")
    if begin < 0:
        return b""
    end = message.find(b"\r\n", begin + 12)
    return message[begin + 12 : end if end >= 0 else None]


def _fields(message: bytes) -> dict[str, str]:
    """Read the headers. Decoded as a whole, so that a letter which came in two portions is whole again."""
    fields: dict[str, str] = {}
    for line in message.decode("utf-8", "replace").split("\r\n"):
        key, colon, value = line.partition(": ")
        if not colon or ":" in key:
            key, colon, value = line.partition(":")  # `Empty:` has no space behind the colon
        if colon:
            fields.setdefault(key, value)  # the first counts: a caller's name can only add headers behind ours
    return fields


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
