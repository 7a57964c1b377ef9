"""The AMI connection of one PBX: logged in, watched, reconnected; events out, actions in.

panoramisk 1.4 carries the connection, here and in wire.py, and is imported nowhere else. Its protocol is subclassed to
own the bytes in both directions, its Manager to own reconnection; each flaw known of it has a test in
tests/asterisk/test_ami.py.
"""

import asyncio
import logging
import secrets
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from panoramisk.manager import Manager

from ringback.asterisk.codec import WANTED, Answer, Decoder, Event, encode
from ringback.asterisk.standing import Pace, Standing, State, Trouble
from ringback.asterisk.wire import Said, Wire
from ringback.errors import PbxAway, PbxRefused
from ringback.ports import Clock

log = logging.getLogger(__name__)

NOT_LET_IN = (
    "wrong password for user {user} (or no such user there, or its deny and permit keep us out); Asterisk says: {said}"
)
TAKEN = (
    "user {user} is logged in already: another Ringback uses this account, "
    "or Asterisk has not noticed yet that an old connection is gone"
)
NOT_TO_LIST = "user {user} may not list channels: give it write = reporting; Asterisk says: {said}"
NOT_BOOTED = (
    "logged in, but FullyBooted does not come: Asterisk is still starting, "
    "or user {user} lacks read = system or the event filter for FullyBooted"
)


@dataclass(frozen=True, slots=True)
class Account:
    """Where a PBX is and who we are there. `pbx` is our name for it."""

    pbx: str
    host: str
    port: int
    user: str
    secret: str = field(repr=False)
    tls: ssl.SSLContext | None = None


class Listener(Protocol):
    """Who hears a PBX. Called inside the reader, so it never waits; what it raises is logged and counted."""

    def on_event(self, event: Event) -> None:
        """One event. Before `on_live` come those that happened while the snapshot was on its way."""

    def on_live(self, uptime: int | None, channels: list[Event]) -> None:
        """Logged in and fully booted. `channels` are CoreShowChannel events, `uptime` seconds."""

    def on_lost(self) -> None:
        """A connection ended, whether it had become live or not."""


class Deaf:
    """A listener for those who only ask."""

    def on_event(self, event: Event) -> None: ...
    def on_live(self, uptime: int | None, channels: list[Event]) -> None: ...
    def on_lost(self) -> None: ...


class Ami:
    """One PBX. Use it inside a running loop: `start`, then `ask`; `close` ends it for good.

    Raises ProtocolError at once for a user or secret that cannot be sent.
    """

    def __init__(
        self,
        account: Account,
        clock: Clock,
        listener: Listener,
        pace: Pace | None = None,
        wanted: frozenset[bytes] = WANTED,
    ) -> None:
        encode("Login", "check", {"Username": account.user, "Secret": account.secret})
        self.account = account
        self.clock = clock
        self.pace = pace or Pace()
        self.listener = listener
        self.standing = Standing(State.AWAY, clock.now(), "not started")
        self.mark = f"rb{secrets.token_hex(4)}-"
        self.decoder = Decoder(wanted, self.mark)
        self.reconnects = 0
        self.faults = 0
        """How often a listener raised."""
        self._link: _Link | None = None
        self._settled = asyncio.Event()

    def start(self) -> None:
        """Connect, and stay connected until `close`."""
        self._link = _Link(self)
        self._link.connect()

    def close(self) -> None:
        """Stop for good, also in the middle of a connect or of a wait. What is being asked gets PbxAway."""
        if self._link is not None:
            self._link.close()
        self.stand(State.AWAY, "closed")

    async def settled(self, within: float) -> Standing:
        """Wait until the line is live or refused, at most so many seconds; say how it stands."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._settled.wait()
        return self.standing

    async def ask(self, action: str, /, **fields: str) -> Answer:
        """Send one action, wait for its answer.

        Raises PbxAway when the line is not live, is cut or stays silent (whether Asterisk did it is not known; nothing
        is sent again), PbxRefused when Asterisk says no, ProtocolError for a value that cannot be sent.
        """
        answer, _ = await self._ask(action, fields, None)
        return answer

    async def ask_list(self, action: str, /, **fields: str) -> list[Event]:
        """Send an action that is answered by a list; return its events without the closing one. Raises as `ask`."""
        _, lines = await self._ask(action, fields, [])
        return lines

    async def _ask(self, action: str, fields: Mapping[str, str], lines: list[Event] | None) -> Said:
        if self._link is None or self.standing.state is not State.LIVE:
            raise PbxAway(f"{self.account.pbx} cannot be asked: {self.standing.text(self.clock.now())}")
        wire = self._link.wire()
        asked = wire.ask(action, fields, lines)
        try:
            async with asyncio.timeout(self.pace.answer):
                return await asked.future
        except TimeoutError as problem:
            raise PbxAway(f"{self.account.pbx} did not answer {action} within {self.pace.answer:g} s") from problem
        finally:
            wire.forget(asked)

    def pause(self) -> None:
        """Read no more: Asterisk waits, up to its writetimeout. A new connection reads again."""
        if self._link is not None and self._link.protocol is not None:
            self._link.protocol.pause()

    def resume(self) -> None:
        """Read again after `pause`."""
        if self._link is not None and self._link.protocol is not None:
            self._link.protocol.resume()

    def stand(self, state: State, why: str = "", wait: float | None = None) -> None:
        """Note how the line stands; `wait` is the seconds to the next try."""
        now, before = self.clock.now(), self.standing
        since = before.since if (before.state is State.LIVE) == (state is State.LIVE) else now
        self.standing = Standing(state, since, why, None if wait is None else now + timedelta(seconds=wait))
        if state in (State.LIVE, State.REFUSED):
            self._settled.set()
        elif state is State.AWAY:
            self._settled.clear()

    def tell(self, callback: Callable[..., None], *said: object) -> None:
        """Call the listener; a fault there never reaches the connection."""
        try:
            callback(*said)
        except Exception:  # whatever the listener does wrong, the next event must still be heard
            self.faults += 1
            if self.faults % 1000 == 1:
                log.exception("the listener of pbx %s failed, %d times in all", self.account.pbx, self.faults)


class _Link(Manager):  # type: ignore[misc]  # panoramisk has no types
    """Connect, log in, resynchronise, watch, and begin again: at most one connection and one timer at a time."""

    protocol: Wire | None
    loop: asyncio.AbstractEventLoop
    pinger: asyncio.TimerHandle | None

    def __init__(self, ami: Ami) -> None:
        account = ami.account
        super().__init__(
            loop=asyncio.get_running_loop(),
            host=account.host,
            port=account.port,
            ssl=account.tls or False,
            username=account.user,
            secret=account.secret,
            protocol_factory=lambda: Wire(self),
            log=log,
        )
        self.ping_delay = self.ping_interval = ami.pace.ping  # panoramisk cuts them to whole seconds
        self.pbx, self.clock, self.decoder, self.mark = account.pbx, ami.clock, ami.decoder, ami.mark
        self._ami = ami
        self._pace = ami.pace
        self._over = False
        self._ids = 0
        self._tries = 0
        self._trouble: Trouble | None = None
        self._logged = ""
        self._was_live = False
        self._timer: asyncio.TimerHandle | None = None
        self._dialing: asyncio.Task[Any] | None = None
        # Of the connection of now:
        self._booted = False
        self._snapshot_asked = False
        self._uptime: int | None = None
        self._live_at: float | None = None
        self._drop_for: tuple[Trouble, str] | None = None

    def wire(self) -> Wire:
        """The connection of now, or the last one."""
        assert self.protocol is not None  # asked for only once there was one
        return self.protocol

    def next_id(self) -> str:
        self._ids += 1
        return f"{self.mark}{self._ids}"

    def connect(self) -> None:
        self.authenticated = self._booted = self._snapshot_asked = False
        self._uptime = self._live_at = self._drop_for = None
        self._ami.stand(State.CONNECTING, f"{self._ami.account.host}:{self._ami.account.port}")
        dialing: asyncio.Task[Any] = super().connect()
        self._dialing = dialing
        self._then(self._pace.connect, dialing.cancel)

    def connection_made(self, dialing: "asyncio.Task[tuple[asyncio.Transport, Wire]]") -> None:
        self._stop_timer()
        problem = None if dialing.cancelled() else dialing.exception()
        if self._over:
            if not dialing.cancelled() and problem is None:
                dialing.result()[1].close()
        elif dialing.cancelled():
            self._retry(Trouble.NOBODY, f"no connection within {self._pace.connect:g} s")
        elif problem is not None:
            nobody = f"nothing listens at {self._ami.account.host}:{self._ami.account.port}"
            self._retry(Trouble.NOBODY, nobody if isinstance(problem, ConnectionRefusedError) else str(problem))
        elif dialing.result()[1].closed:
            self._retry(Trouble.NOBODY, "the connection closed at once")
        else:
            self._ami.stand(State.STARTING, "logging in")
            self._then(self._pace.answer, self.drop, Trouble.STRANGE, "the login is not answered")
            super().connection_made(dialing)

    def login(self, answered: "asyncio.Future[Said]") -> None:
        problem = answered.exception()
        if problem is None:
            self.authenticated = True
            why = NOT_BOOTED.format(user=self._ami.account.user)
            self._ami.stand(State.STARTING, why)
            self._then(self._pace.boot, self.drop, Trouble.STRANGE, why)
            self._take_snapshot()
        elif isinstance(problem, PbxRefused) and "Already In Use" in str(problem):
            # after a cut Asterisk may hold the old session for a while, so this passes by itself
            self.drop(Trouble.STRANGE, TAKEN.format(user=self._ami.account.user))
        elif isinstance(problem, PbxRefused):
            self._refuse(NOT_LET_IN, problem)

    def happened(self, event: Event) -> None:
        self._ami.tell(self._ami.listener.on_event, event)
        if event.name == "FullyBooted":  # with the login, or later where Asterisk was still starting
            uptime = event.get("Uptime")
            self._uptime = int(uptime) if uptime.isascii() and uptime.isdecimal() and len(uptime) < 12 else None
            self._booted = True
            self._take_snapshot()
        elif event.name == "Shutdown":
            # Only the reason for the end that follows: a caller's number could be made to say as much (runs.py).
            self._drop_for = (Trouble.NOBODY, "Asterisk shut down")

    def _take_snapshot(self) -> None:
        if not (self.authenticated and self._booted) or self._snapshot_asked:
            return
        self._snapshot_asked = True
        self._then(self._pace.answer, self.drop, Trouble.STRANGE, "CoreShowChannels is not answered")
        self.wire().ask("CoreShowChannels", {}, []).future.add_done_callback(self._go_live)

    def _go_live(self, answered: "asyncio.Future[Said]") -> None:
        problem = answered.exception()
        if isinstance(problem, PbxRefused):
            self._refuse(NOT_TO_LIST, problem)
        elif problem is None and not self.wire().closed:
            self._stop_timer()
            self._ami.reconnects += self._was_live
            self._was_live = True
            self._live_at = self.clock.monotonic()
            self._logged = ""
            self._ami.stand(State.LIVE)
            log.info("pbx %s is live", self.pbx)
            self._ami.tell(self._ami.listener.on_live, self._uptime, answered.result()[1])

    def _refuse(self, text: str, problem: PbxRefused) -> None:
        said = str(problem).partition(": ")[2]
        self.drop(Trouble.REFUSED, text.format(user=self._ami.account.user, said=said))

    def ping(self) -> None:
        self.pinger = self.loop.call_later(self._pace.ping, self.ping)
        self.wire().watch(2 * self._pace.ping)

    def drop(self, trouble: Trouble, why: str) -> None:
        """End this connection for a reason of ours."""
        self._drop_for = (trouble, why)
        self.wire().close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        if self.pinger is not None:
            self.pinger.cancel()
        if self._over:
            return
        if self._live_at is not None and self.clock.monotonic() - self._live_at >= self._pace.steady:
            self._tries = 0
        broke_early = self._live_at is None and self.wire().heard
        trouble = Trouble.STRANGE if broke_early else Trouble.NOBODY
        self._retry(*(self._drop_for or (trouble, str(exc or "Asterisk closed the connection"))))
        self._ami.tell(self._ami.listener.on_lost)

    def _retry(self, trouble: Trouble, why: str) -> None:
        if trouble is not self._trouble:
            self._trouble, self._tries = trouble, 0
        if why != self._logged:
            self._logged = why
            log.warning("pbx %s is away: %s", self.pbx, why)
        wait = self._pace.retries[trouble].wait(self._tries)
        self._tries += 1
        self._ami.stand(State.REFUSED if trouble is Trouble.REFUSED else State.AWAY, why, wait)
        self._then(wait, self.connect)

    def close(self) -> None:
        self._over = True
        self._stop_timer()
        if self._dialing is not None:
            self._dialing.cancel()
        super().close()

    def _then(self, seconds: float, act: Callable[..., object], *what: object) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, act, *what)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
