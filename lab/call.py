"""One call as one phone sees it. Every step can be awaited: ringing, answered, over."""

import asyncio
import itertools
import struct
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import quote

from lab.sip import Header, Message, address, audio_address, new_branch, new_call_id, parameter

if TYPE_CHECKING:
    from lab.phone import Phone

PATIENCE = 15.0
EVENTS = "0123456789*#ABCD"  # RFC 4733 3.2
KEY_PRESS = 0.2  # seconds between two keys, as a hand would
TRIES = 20
_tags = itertools.count(1)


class State(StrEnum):
    NEW = "new"
    RINGING = "ringing"
    UP = "up"
    OVER = "over"


class CallOver(Exception):
    """The call ended before it came as far as somebody waited for."""


class TransferRefused(Exception):
    """The exchange would not transfer the call."""


class Call:
    """A call this phone made or got. `code` is the last SIP code, `reason` the Reason header it ended with."""

    def __init__(self, phone: "Phone", call_id: str, number: str) -> None:
        self.phone, self.call_id, self.number = phone, call_id, number
        self.state = State.NEW
        self.code = 0
        self.reason = ""
        self.local = self.remote = self.target = ""
        self._outgoing = False
        self._cseq = 1
        self._branch = self._tag = ""
        self._invite: Message | None = None
        self._audio: tuple[str, int] | None = None
        self._event_number = self._stamp = 0
        self._reached = {state: asyncio.Event() for state in State}
        self._news: asyncio.Future[int] | None = None
        self._heard = asyncio.Event()
        self._acknowledged = asyncio.Event()

    @classmethod
    def outgoing(cls, phone: "Phone", uri: str, identity: str) -> "Call":
        call = cls(phone, new_call_id(), uri.removeprefix("sip:").partition("@")[0])
        call._outgoing, call.target, call.local, call.remote = True, uri, identity, f"<{uri}>"
        return call

    @classmethod
    def incoming(cls, phone: "Phone", invite: Message) -> "Call":
        call = cls(phone, invite.call_id, invite.start.split()[1].removeprefix("sip:").partition("@")[0])
        call._invite, call._tag, call.target = invite, f"u{next(_tags)}", invite.contact
        call.local, call.remote = f"{invite.get('To')};tag={call._tag}", invite.get("From")
        call._hears(invite)
        return call

    # Waiting.

    async def reached(self, state: State, patience: float = PATIENCE) -> None:
        """Wait until the call is (or was) in this state. Raises CallOver when it ended without."""
        goal = [asyncio.ensure_future(self._reached[each].wait()) for each in {state, State.OVER}]
        try:
            async with asyncio.timeout(patience):
                await asyncio.wait(goal, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise TimeoutError(f"call to {self.number} is {self.state} (last code {self.code}), not {state}") from None
        finally:
            for each in goal:
                each.cancel()
        if not self._reached[state].is_set():
            raise CallOver(f"call to {self.number} ended with {self.code} before it was {state}")

    async def ringing(self, patience: float = PATIENCE) -> None:
        """Wait until the other side rings (180 or 183)."""
        await self.reached(State.RINGING, patience)

    async def answered(self, patience: float = PATIENCE) -> None:
        """Wait until the line is up, which a machine may do as well as a person."""
        await self.reached(State.UP, patience)

    async def over(self, patience: float = PATIENCE) -> int:
        """Wait until the call has ended, and return its last SIP code."""
        await self.reached(State.OVER, patience)
        return self.code

    # What a caller does.

    async def invite(self, headers: list[Header]) -> None:
        """Send the INVITE, answer one challenge, follow it to its final response."""
        said = await self._try_invite(headers)
        if said.status in (401, 407):
            self.acknowledge(said)
            self._cseq += 1
            said = await self._try_invite([*headers, self.phone.prove(said, "INVITE", self.target)])
        self.code, self.remote = said.status, said.get("To")
        self.acknowledge(said)
        if said.status < 300:
            self.target = said.contact
            self._hears(said)
            self._now(State.UP)
        else:
            self._now(State.OVER)

    async def cancel(self, reason: str = "") -> None:
        """Hang up while it rings, and wait for the end. `reason` is sent as Reason (`Q.850;cause=26`)."""
        async with asyncio.timeout(PATIENCE):
            await self._heard.wait()  # RFC 3261 9.1: not before something came back
        extra = [("Reason", reason)] if reason else []
        dialog = (self.local, f"<{self.target}>", self.call_id, self._cseq)
        await self.phone.exchange(self.phone.request("CANCEL", self.target, dialog, extra, branch=self._branch))
        await self.over()

    # What whoever is called does.

    def ring(self) -> None:
        self._respond("180 Ringing")
        self._now(State.RINGING)

    async def answer(self, headers: Sequence[Header] = ()) -> None:
        """Lift, and wait until the other side knows. `headers` are sent along."""
        self._respond("200 OK", list(headers), body=self.phone.sdp)
        await self._until_acknowledged()
        self._now(State.UP)

    def reject(self, code: int, words: str) -> None:
        self._refuse(f"{code} {words}")

    def redirect(self, number: str) -> None:
        host, port = self.phone.server
        self._refuse("302 Moved Temporarily", [("Contact", f"<sip:{number}@{host}:{port}>")])

    # What both do while they talk.

    async def hang_up(self) -> None:
        """End a call that is up."""
        await self._in_dialog("BYE")
        self._now(State.OVER)

    async def end(self) -> None:
        """End the call from whatever state it is in."""
        match self.state, self._outgoing:
            case State.UP, _:
                await self.hang_up()
            case State.OVER, _:
                pass
            case _, True:
                await self.cancel()
            case _, False:
                self.reject(480, "Temporarily Unavailable")

    async def press(self, keys: str) -> None:
        """Press keys, sent as SIP INFO."""
        for key in keys:
            await self._in_dialog(
                "INFO", [("Content-Type", "application/dtmf-relay")], f"Signal={key}\r\nDuration=160\r\n"
            )
            await asyncio.sleep(KEY_PRESS)

    async def dial(self, keys: str) -> None:
        """Press keys, sent as telephone events inside the audio (RFC 4733), 160 ms each."""
        if self._audio is None:
            raise CallOver("nobody said where audio goes")
        for key in keys:
            self._stamp += 8_000
            for number in range(10):
                self._event_number += 1
                last, told = number >= 7, min(number + 1, 8) * 160  # the end is said three times
                head = struct.pack(
                    "!BBHI4s", 0x80, 101 | (0x80 if number == 0 else 0), self._event_number, self._stamp, b"ring"
                )
                event = struct.pack("!BBH", EVENTS.index(key), (0x80 if last else 0) | 10, told)
                self.phone.audio.sendto(head + event, self._audio)
                await asyncio.sleep(0.02)
            await asyncio.sleep(KEY_PRESS)

    async def speak(self, seconds: float) -> None:
        """Send that much silence as audio, 50 packets a second; a voicemail box wants to hear something."""
        if self._audio is None:
            raise CallOver("nobody said where audio goes")
        for number in range(int(seconds * 50)):
            head = b"\x80\x00" + number.to_bytes(2, "big") + (number * 160).to_bytes(4, "big") + b"ring"
            self.phone.audio.sendto(head + b"\xff" * 160, self._audio)
            await asyncio.sleep(0.02)

    async def transfer(self, number: str) -> None:
        """Blind transfer: send the other side to this number. Raises TransferRefused."""
        host, port = self.phone.server
        await self._refer(f"sip:{number}@{host}:{port}")

    async def transfer_to(self, other: "Call") -> None:
        """Attended transfer: connect the other side with whom we talk to in `other`. Raises TransferRefused."""
        host, port = self.phone.server
        tags = f"to-tag={parameter(other.remote, 'tag')};from-tag={parameter(other.local, 'tag')}"
        await self._refer(f"sip:{other.number}@{host}:{port}?Replaces={quote(f'{other.call_id};{tags}', safe='')}")

    # What the phone hands in.

    def progressed(self, message: Message) -> None:
        """A provisional response came."""
        self._heard.set()
        self.code = message.status
        if message.status in (180, 183):
            self._now(State.RINGING)

    def acknowledge(self, final: Message) -> None:
        """Send the ACK of a final response; of a copy that comes late, once more."""
        refused = final.status >= 300
        dialog = (self.local, final.get("To"), self.call_id, final.cseq)
        to = self.target if refused else final.contact
        self.phone.send(self.phone.request("ACK", to, dialog, branch=self._branch if refused else ""))

    def asked(self, message: Message) -> None:
        """A request of this call came."""
        match message.method:
            case "ACK":
                self._acknowledged.set()
            case "CANCEL":
                self._cancelled(message)
            case "BYE":
                self.reason = message.get("Reason")
                self.phone.respond(message, "200 OK")
                self._now(State.OVER)
            case "NOTIFY":
                self.phone.respond(message, "200 OK")
                self._notified(message)
            case "INVITE" | "UPDATE" if ";tag=" in message.get("To"):
                self.phone.respond(message, "200 OK", extra=[("Content-Type", "application/sdp")], body=self.phone.sdp)
            case "INVITE":
                pass  # the first one once more, before we said anything
            case _:
                self.phone.respond(message, "200 OK")

    async def _try_invite(self, headers: list[Header]) -> Message:
        self._branch, self._heard = new_branch(), asyncio.Event()
        dialog = (self.local, self.remote, self.call_id, self._cseq)
        extra = [*headers, ("Content-Type", "application/sdp")]
        invite = self.phone.request("INVITE", self.target, dialog, extra, self.phone.sdp, self._branch)
        return await self.phone.exchange(invite, self._heard)

    async def _in_dialog(self, method: str, extra: list[Header] | None = None, body: str = "") -> int:
        self._cseq += 1
        dialog = (self.local, self.remote, self.call_id, self._cseq)
        said = await self.phone.exchange(self.phone.request(method, self.target, dialog, extra or [], body))
        return said.status

    async def _refer(self, uri: str) -> None:
        """Ask for a transfer and wait for the first news of it, or a second without any."""
        headers = [("Refer-To", f"<{uri}>"), ("Referred-By", f"<{address(self.local)}>")]
        for _ in range(TRIES):
            self._news = asyncio.get_running_loop().create_future()
            code = await self._in_dialog("REFER", headers)
            if code == 202:
                await asyncio.wait([self._news], timeout=1)
                code = self._news.result() if self._news.done() else code
            if code < 300:
                return
            if code not in (400, 500):
                break
            await asyncio.sleep(0.05)  # the exchange has not yet connected the two that talk, or is just about to
        raise TransferRefused(f"{uri}: {code}")

    def _notified(self, message: Message) -> None:
        """How a transfer goes, as a status line (RFC 3515). When it went well, whoever transferred leaves."""
        code = int(message.body.split()[1]) if message.body.startswith("SIP/2.0 ") else 0
        if code > 100 and self._news and not self._news.done():
            self._news.set_result(code)
        if 200 <= code < 300:
            self.phone.spawn(self.end())

    def _respond(self, status: str, extra: list[Header] | None = None, body: str = "") -> None:
        if self._invite is None:
            raise CallOver("only who is called can respond")
        typed = [("Content-Type", "application/sdp")] if body else []
        self.phone.respond(self._invite, status, tag=self._tag, extra=[*(extra or []), *typed], body=body)
        self.code = int(status.split()[0])

    def _refuse(self, status: str, extra: list[Header] | None = None) -> None:
        self._respond(status, extra)
        self._now(State.OVER)
        self.phone.spawn(self._until_acknowledged())

    async def _until_acknowledged(self) -> None:
        """RFC 3261 13.3.1.4 and 17.2.1: a final response goes again and again until its ACK comes."""
        async with asyncio.timeout(PATIENCE):
            while not self._acknowledged.is_set():
                try:
                    await asyncio.wait_for(self._acknowledged.wait(), 0.5)
                except TimeoutError:
                    if self._invite:
                        self.phone.repeat(self._invite)

    def _cancelled(self, message: Message) -> None:
        self.phone.respond(message, "200 OK", tag=self._tag)
        if self.state in (State.NEW, State.RINGING):
            self.reason = message.get("Reason")
            self._refuse("487 Request Terminated")

    def _hears(self, message: Message) -> None:
        if "m=audio" in message.body:
            self._audio = audio_address(message.body)

    def _now(self, state: State) -> None:
        self.state = state
        self._reached[state].set()
