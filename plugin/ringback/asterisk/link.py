"""One connection to a PBX after another: connect, log in, take the snapshot, watch, and begin again."""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from panoramisk.manager import Manager

from ringback.asterisk.codec import Event
from ringback.asterisk.standing import State, Trouble
from ringback.asterisk.wire import Said, Wire
from ringback.errors import PbxRefused

if TYPE_CHECKING:
    from ringback.asterisk.ami import Ami

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


class Link(Manager):  # type: ignore[misc]  # panoramisk has no types
    """Connect, log in, resynchronise, watch, and begin again: at most one connection and one timer at a time."""

    protocol: Wire | None
    loop: asyncio.AbstractEventLoop
    pinger: asyncio.TimerHandle | None

    def __init__(self, ami: "Ami") -> None:
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
