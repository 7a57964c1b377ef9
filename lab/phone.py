"""A small SIP phone: UDP, digest, and no more audio than a voicemail box needs.

It rings, is busy, declines, redirects, answers, presses keys, transfers and gives up. One phone has many calls.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable, Coroutine, Sequence

from lab.call import Call, State
from lab.sip import Address, Header, Message, NotSip, authorization, new_branch, new_call_id, parse, quoted, sdp

Behaviour = Callable[[Call], Awaitable[None]]

PATIENCE = 10.0
FIRST_RESEND = 0.5  # RFC 3261 T1
_serial = itertools.count(1)


class PhoneFault(Exception):
    """The exchange refused what a phone asked for."""


async def ring(call: Call) -> None:
    """Ring until somebody decides."""
    call.ring()


async def busy(call: Call) -> None:
    call.reject(486, "Busy Here")


async def decline(call: Call) -> None:
    call.reject(603, "Decline")


def redirect(number: str) -> Behaviour:
    """Send every caller on to another number (302)."""

    async def behave(call: Call) -> None:
        call.redirect(number)

    return behave


def answer(after: float = 0.0) -> Behaviour:
    """Ring for some seconds, then lift."""

    async def behave(call: Call) -> None:
        call.ring()
        await asyncio.sleep(after)
        if call.state is State.RINGING:
            await call.answer()

    return behave


class Phone(asyncio.DatagramProtocol):
    """One SIP phone, or a caller from outside: those do not register, and their `user` is the number they show."""

    def __init__(self, user: str, server: Address, *, secret: str = "", name: str = "", host: str = "") -> None:
        self.user, self.server = user, server
        self._secret, self._name, self._host = secret, name, host or "{}:{}".format(*server)
        self.behaviour: Behaviour = ring
        self.behaviours: dict[str, Behaviour] = {}  # by the number that was dialled, before `behaviour`
        self.calls: dict[str, Call] = {}
        self._arrivals: asyncio.Queue[Call] = asyncio.Queue()
        self._waiting: dict[tuple[str, int, str], asyncio.Future[Message]] = {}
        self._served: dict[tuple[str, str], bytes] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._registered = False

    async def open(self, port: int = 0) -> "Phone":
        """Take a UDP port of our own for signalling and one for audio."""
        loop = asyncio.get_running_loop()
        self._signals, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", port))
        self.audio, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
        self.address: Address = self._signals.get_extra_info("sockname")
        self.sdp = sdp(*self.audio.get_extra_info("sockname"))
        return self

    async def close(self) -> None:
        """End what is left, unregister, give the ports back."""
        for call in list(self.calls.values()):
            with contextlib.suppress(TimeoutError):
                await call.end()
        if self._registered:
            with contextlib.suppress(TimeoutError):
                await self.register(expires=0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._signals.close()
        self.audio.close()

    async def register(self, expires: int = 300) -> None:
        """Tell the exchange where we are; 0 seconds to leave. Raises PhoneFault."""
        uri = "sip:{}:{}".format(*self.server)
        to = f"<sip:{self.user}@{self._host}>"
        said = await self.transact("REGISTER", uri, (self.identity(), to), [("Expires", str(expires))])
        if said.status != 200:
            raise PhoneFault(f"{self.user} may not register: {said.start}")
        self._registered = expires > 0

    async def call(
        self, number: str, headers: Sequence[Header] = (), *, name: str | None = None, parameters: str = ""
    ) -> Call:
        """Call somebody. `headers` are sent along; `parameters` go into the URI of From (`;verstat=...`)."""
        call = Call.outgoing(self, f"sip:{number}@{self.server[0]}:{self.server[1]}", self.identity(name, parameters))
        self.calls[call.call_id] = call
        self.spawn(call.invite(list(headers)))
        return call

    async def incoming(self, patience: float = PATIENCE) -> Call:
        """The next call that came in here, whatever the phone did with it."""
        async with asyncio.timeout(patience):
            return await self._arrivals.get()

    # What calls use.

    def identity(self, name: str | None = None, parameters: str = "") -> str:
        """Our name and address with a fresh tag, as From shows it."""
        shown = self._name if name is None else name
        display = f"{quoted(shown)} " if shown else ""
        return f"{display}<sip:{self.user}@{self._host}{parameters}>;tag=p{next(_serial)}"

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def request(
        self,
        method: str,
        uri: str,
        dialog: tuple[str, str, str, int],
        extra: Sequence[Header] = (),
        body: str = "",
        branch: str = "",
    ) -> Message:
        """A request of a dialog (local, remote, Call-ID, CSeq)."""
        local, remote, call_id, cseq = dialog
        host, port = self.address
        return Message(
            f"{method} {uri} SIP/2.0",
            (
                ("Via", f"SIP/2.0/UDP {host}:{port};branch={branch or new_branch()};rport"),
                ("Max-Forwards", "70"),
                ("From", local),
                ("To", remote),
                ("Call-ID", call_id),
                ("CSeq", f"{cseq} {method}"),
                ("Contact", f"<sip:{self.user}@{host}:{port}>"),
                *extra,
            ),
            body,
        )

    def send(self, message: Message) -> None:
        if not self._signals.is_closing():
            self._signals.sendto(message.encode(), self.server)

    async def exchange(self, request: Message, heard: asyncio.Event | None = None) -> Message:
        """Send a request again and again until its final response comes. Once `heard` is set, only wait."""
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[request.call_id, request.cseq, request.method] = answer
        pause = FIRST_RESEND
        async with asyncio.timeout(None if heard else PATIENCE):
            while not answer.done():
                if not (heard and heard.is_set()):
                    self.send(request)
                await asyncio.wait([answer], timeout=pause)
                pause = min(pause * 2, 4.0)
            return await answer

    async def transact(self, method: str, uri: str, ends: tuple[str, str], extra: Sequence[Header] = ()) -> Message:
        """A request outside any call; one challenge is answered."""
        call_id, headers = new_call_id(), list(extra)
        said = await self.exchange(self.request(method, uri, (*ends, call_id, 1), headers))
        if said.status in (401, 407):
            headers.append(self.prove(said, method, uri))
            said = await self.exchange(self.request(method, uri, (*ends, call_id, 2), headers))
        return said

    def prove(self, challenge: Message, method: str, uri: str) -> Header:
        return authorization(challenge, method, uri, self.user, self._secret)

    def respond(
        self, request: Message, status: str, *, tag: str = "", extra: Sequence[Header] = (), body: str = ""
    ) -> None:
        """Answer a request; a copy is kept for the case that the request comes again."""
        mine = f";tag={tag}" if tag and ";tag=" not in request.get("To") else ""
        kept = [
            (key, value + mine if key.lower() == "to" else value)
            for key, value in request.all("Via", "From", "To", "Call-ID", "CSeq")
        ]
        contact = (
            []
            if any(key == "Contact" for key, _ in extra)
            else [("Contact", "<sip:{}@{}:{}>".format(self.user, *self.address))]
        )
        response = Message(f"SIP/2.0 {status}", (*kept, *contact, *extra), body)
        self._served[request.branch, request.method] = response.encode()
        self.send(response)

    def repeat(self, request: Message) -> None:
        """Send once more what was said to this request."""
        if not self._signals.is_closing():
            self._signals.sendto(self._served[request.branch, request.method], self.server)

    # What comes in.

    def datagram_received(self, data: bytes, addr: Address) -> None:
        try:
            message = parse(data)
        except NotSip:
            return
        if message.status:
            self._response(message)
        elif (message.branch, message.method) in self._served and message.method != "ACK":
            self.repeat(message)
        else:
            self._request(message)

    def _response(self, message: Message) -> None:
        call = self.calls.get(message.call_id)
        if message.status < 200:
            if call:
                call.progressed(message)
            return
        answer = self._waiting.pop((message.call_id, message.cseq, message.method), None)
        if answer and not answer.done():
            answer.set_result(message)
        elif call and message.method == "INVITE":
            call.acknowledge(message)

    def _request(self, message: Message) -> None:
        call = self.calls.get(message.call_id)
        if call:
            call.asked(message)
        elif message.method == "INVITE":
            call = self.calls[message.call_id] = Call.incoming(self, message)
            self.spawn(self._arrived(call))
        elif message.method != "ACK":
            self.respond(message, "200 OK", tag="x")

    async def _arrived(self, call: Call) -> None:
        self._arrivals.put_nowait(call)
        await self.behaviours.get(call.number, self.behaviour)(call)
