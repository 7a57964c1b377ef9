"""The AMI connection of one PBX: logged in, watched, reconnected; events out, actions in.

panoramisk 1.4 carries the connection, in link.py and wire.py, and is imported nowhere else. Its protocol is subclassed
to own the bytes in both directions, its Manager to own reconnection; each flaw known of it has a test in
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
from typing import Protocol

from ringback.asterisk.codec import WANTED, Answer, Decoder, Event, encode
from ringback.asterisk.link import Link
from ringback.asterisk.standing import Pace, Standing, State
from ringback.asterisk.wire import Said
from ringback.errors import PbxAway
from ringback.ports import Clock

log = logging.getLogger(__name__)


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
        self._link: Link | None = None
        self._settled = asyncio.Event()

    def start(self) -> None:
        """Connect, and stay connected until `close`."""
        self._link = Link(self)
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
