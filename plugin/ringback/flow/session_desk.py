"""What people at the panel do with sessions: one door, which asks first what they may do."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

import structlog

from ringback.core.permissions import Action, Principal
from ringback.core.presence import AtDesk
from ringback.core.sessions import Session
from ringback.errors import StoreBusy
from ringback.flow import session_acts as acts
from ringback.flow.desk import BUSY, PATIENCE_S, unless
from ringback.flow.house import House
from ringback.flow.permits import Denied, NotThere, Unwritten, allow, note_denied
from ringback.flow.session_acts import Done, Wish
from ringback.flow.session_finding import Gone
from ringback.ports import Clock
from ringback.ports.storage import Step, Store

__all__ = ["Denied", "Done", "Gone", "NotThere", "SessionDesk", "Unwritten"]

T = TypeVar("T")

log = structlog.get_logger("sessions")


class Touched(Protocol):
    """Whoever keeps an eye on who is there, and looks again when told."""

    def touch(self) -> None: ...


class SessionDesk:
    """Every method raises Denied, NotThere, Unwritten or Gone before it changes anything, and StoreBusy within five
    seconds. Sessions, accounts and queues are public ids; what is returned is the session as it is then.

    `nudge` has the lane of a carrier look, when a text was queued for it.
    """

    def __init__(
        self,
        house: House,
        store: Store,
        clock: Clock,
        roll: Touched,
        nudge: Callable[[str], None] = lambda _carrier: None,
    ) -> None:
        self._house = house
        self._store = store
        self._clock = clock
        self._roll = roll
        self._nudge = nudge

    async def claim(self, who: Principal, session: str) -> Session:
        """Take one that waits, or was set aside."""
        return await self._act(who, session, partial(acts.claim, who, session, self._clock.now()))

    async def accept(self, who: Principal, session: str) -> Session:
        """Take one that is offered to them."""
        return await self._act(who, session, partial(acts.accept, who, session, self._clock.now()))

    async def decline(self, who: Principal, session: str) -> Session:
        """Let another have what is offered to them."""
        return await self._act(who, session, partial(acts.decline, who, session, self._clock.now()))

    async def transfer(
        self, who: Principal, session: str, *, to_agent: str = "", to_queue: str = "", note: str = ""
    ) -> Session:
        """Ask an agent, or a queue, to take it; it stays with them until somebody does."""
        wish = Wish(to_agent, to_queue, note)
        return await self._act(who, session, partial(acts.transfer, who, session, wish, self._clock.now()))

    async def accept_transfer(self, who: Principal, session: str) -> Session:
        """Take what a colleague asked them to take."""
        step = partial(acts.accept_transfer, self._house, who, session, self._clock.now())
        return await self._act(who, session, step)

    async def decline_transfer(self, who: Principal, session: str) -> Session:
        """Leave it with who asked."""
        return await self._act(who, session, partial(acts.decline_transfer, who, session, self._clock.now()))

    async def take_back(self, who: Principal, session: str) -> Session:
        """Keep it after all."""
        return await self._act(who, session, partial(acts.take_back, who, session, self._clock.now()))

    async def dismiss(self, who: Principal, session: str) -> Session:
        """Set it aside until they write again."""
        return await self._act(who, session, partial(acts.dismiss, who, session, self._clock.now()))

    async def end(self, who: Principal, session: str) -> Session:
        """It is done."""
        return await self._act(who, session, partial(acts.end, self._house, who, session, self._clock.now()))

    async def give_back(self, who: Principal, session: str) -> Session:
        """Put it back into its queue."""
        return await self._act(who, session, partial(acts.give_back, who, session, self._clock.now()))

    async def take_over(self, who: Principal, session: str) -> Session:
        """Have it, whoever has it: for supervisors."""
        return await self._act(who, session, partial(acts.take_over, who, session, self._clock.now()))

    async def reassign(self, who: Principal, session: str, to: str) -> Session:
        """Give it to an agent, whoever has it: for supervisors."""
        return await self._act(who, session, partial(acts.reassign, who, session, to, self._clock.now()))

    async def put_back(self, who: Principal, session: str) -> Session:
        """Have it wait in its queue again, whoever has it: for supervisors."""
        return await self._act(who, session, partial(acts.put_back, who, session, self._clock.now()))

    async def be(self, who: Principal, at_desk: AtDesk) -> None:
        """Say that one takes sessions, or does not just now."""
        allow(who, Action.TAKE_SESSIONS)
        await self._do(partial(acts.be, who, at_desk, self._clock.now()))
        self._roll.touch()
        log.info("at the desk", who=who.label, desk=str(at_desk))

    async def send_away(self, who: Principal, account: str) -> None:
        """Say of an agent that they are away; what they have waits in its queue: for supervisors."""
        allow(who, Action.ASSIGN_SESSIONS)
        await self._do(partial(acts.send_away, who, account, self._clock.now()))
        self._roll.touch()
        log.info("sent away", who=who.label, agent=account)

    async def _act(self, who: Principal, session: str, step: Step[Done]) -> Session:
        try:
            done = await self._do(step)
        except Denied as denied:
            note_denied(who, denied, session, self._clock.now(), self._store)
            raise
        if done.waits_on:
            self._nudge(done.waits_on)
        what = getattr(getattr(step, "func", step), "__name__", "")
        log.info("session", what=what, who=who.label, session=session, state=str(done.session.state))
        return done.session

    async def _do(self, step: Step[T]) -> T:
        """Commit a step while the person waits; one whose turn comes later does nothing."""
        late = threading.Event()
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._store.commit(unless(late, step))
        except TimeoutError:
            late.set()
            raise StoreBusy(BUSY) from None
