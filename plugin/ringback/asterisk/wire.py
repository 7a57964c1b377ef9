"""One AMI connection on panoramisk's protocol class, with its reading and writing replaced by our codec."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from panoramisk.ami_protocol import AMIProtocol

from ringback.asterisk.codec import Answer, Decoder, Event, encode
from ringback.asterisk.standing import Trouble
from ringback.errors import PbxAway, PbxRefused, ProtocolError
from ringback.ports import Clock

log = logging.getLogger(__name__)

FORGED = "pbx %s: a caller's number tried to pass for lines of Asterisk; nothing of it was taken, %d times in all"
FORGED_AGAIN = 1000
"""So many more before it is logged again: a log can be flooded too."""

Said = tuple[Answer, list[Event]]


class Owner(Protocol):
    """Who made the connection and is told what becomes of it."""

    pbx: str
    clock: Clock
    decoder: Decoder
    mark: str
    """What every ActionID of ours begins with."""

    def next_id(self) -> str: ...
    def happened(self, event: Event) -> None: ...
    def drop(self, trouble: Trouble, why: str) -> None: ...
    def connection_lost(self, exc: Exception | None) -> None: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """An action on its way. `lines` collects the events of a list; None where one answer is all."""

    action: str
    action_id: str
    future: "asyncio.Future[Said]"
    lines: list[Event] | None
    answers: list[Answer] = field(default_factory=list)


class Wire(AMIProtocol):  # type: ignore[misc]  # panoramisk has no types
    """Bytes of one connection in both directions. `responses` holds what waits for an answer, by ActionID."""

    responses: dict[str, Asked]
    transport: asyncio.Transport

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._paused = False
        self.closed = True
        self.factory = None  # panoramisk's Manager sets it once it knows the connection
        self.heard = False
        self._hostile = owner.decoder.hostile
        self._heard_at = owner.clock.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._owner.decoder.reset()

    def data_received(self, data: bytes) -> None:
        self.heard = True
        self._heard_at = self._owner.clock.monotonic()
        for said in self._decode(data):
            if self.closed:
                return
            if isinstance(said, Answer):
                self._answered(said)
            elif (action_id := said.fields.get("ActionID", "")).startswith(self._owner.mark):
                self._listed(action_id, said)
            else:
                self._owner.happened(said)

    def _decode(self, data: bytes) -> list[Event | Answer]:
        decoder = self._owner.decoder
        try:
            heard = decoder.feed(data)
        except ProtocolError as problem:
            log.warning("pbx %s: %s", self._owner.pbx, problem)
            heard = decoder.feed(b"")
        if decoder.hostile > self._hostile:
            log.warning(FORGED, self._owner.pbx, decoder.hostile)
            self._hostile = decoder.hostile + FORGED_AGAIN
        return heard

    def _answered(self, answer: Answer) -> None:
        asked = self.responses.get(answer.action_id)
        if asked is None:
            return
        if answer.response in ("Error", "Failure", "Fail"):
            self._settle(asked, PbxRefused(f"{asked.action}: {answer.message}"))
        elif asked.lines is None:
            self._settle(asked, (answer, []))
        else:
            asked.answers.append(answer)

    def _listed(self, action_id: str, event: Event) -> None:
        """A line of a list. One that nobody waits for any more is dropped: it is no news of a call."""
        asked = self.responses.get(action_id)
        if asked is None or asked.lines is None:
            return
        if event.name.endswith("Complete") or event.get("EventList") in ("Complete", "cancelled"):
            answer = asked.answers[0] if asked.answers else Answer("Success", action_id, "", {})
            self._settle(asked, (answer, asked.lines))
        else:
            asked.lines.append(event)

    def _settle(self, asked: Asked, said: Said | Exception) -> None:
        self.responses.pop(asked.action_id, None)
        if asked.future.done():
            return
        if isinstance(said, Exception):
            asked.future.set_exception(said)
        else:
            asked.future.set_result(said)

    def send(self, data: Mapping[str, str], as_list: bool | None = None) -> "asyncio.Future[Said]":
        """What panoramisk calls to log in."""
        fields = {name: value for name, value in data.items() if name != "Action"}
        return self.ask(data["Action"], fields, [] if as_list else None).future

    def ask(self, action: str, fields: Mapping[str, str], lines: list[Event] | None) -> Asked:
        """Write one action, once. `lines` is an empty list where the answer is a list of events."""
        action_id = self._owner.next_id()
        data = encode(action, action_id, fields)
        asked = Asked(action, action_id, asyncio.get_running_loop().create_future(), lines)
        self.responses[action_id] = asked
        self.transport.write(data)
        return asked

    def forget(self, asked: Asked) -> None:
        """Its answer is awaited no longer."""
        self.responses.pop(asked.action_id, None)

    def watch(self, silence: float) -> None:
        """Ping; give the connection up after `silence` seconds in which nothing at all was heard."""
        if self._paused:
            return  # the silence is ours
        if self._owner.clock.monotonic() - self._heard_at >= silence:
            self._owner.drop(Trouble.NOBODY, f"nothing was heard for {silence:g} s")
        else:
            self.transport.write(encode("Ping", self._owner.next_id(), {}))  # any byte that comes back will do

    def pause(self) -> None:
        if not self.closed and not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        if not self.closed and self._paused:
            self._paused = False
            self._heard_at = self._owner.clock.monotonic()
            self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        for asked in list(self.responses.values()):
            self._settle(asked, PbxAway(f"{self._owner.pbx} went away before it answered {asked.action}"))
        if self.factory is not None:  # else Manager does not know this connection yet, and will find it closed
            self._owner.connection_lost(exc)

    def close(self) -> None:
        """Abort: a half-open peer would never let a polite close end. Nothing is kept to be sent again."""
        if not self.closed:
            self.closed = True
            self.transport.abort()
