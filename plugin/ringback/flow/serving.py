"""Sees that every session has somebody who minds it: deadlines that have come, agents who are gone, sessions that wait.

One transaction a round, and a bounded one: what is left over is done in the next. After a change of rights there is one
more before it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from ringback.core.presence import Present
from ringback.core.sessions import Session
from ringback.flow.changes import Hub
from ringback.flow.giving import calls_for, give, take_from_gone
from ringback.flow.house import House
from ringback.flow.insist import insist_one
from ringback.flow.lane import first
from ringback.flow.presence import Permitted, Roll, Tables
from ringback.flow.rounds import STEP_BACK
from ringback.flow.session_leaving import without_rights
from ringback.flow.session_timers import fire_due
from ringback.ports import Clock
from ringback.ports.changes import GRANTS, PRESENCE, QUEUES, SESSIONS, Touch, Watch
from ringback.ports.storage import Store, Tx

log = structlog.get_logger("sessions")

LOOK_EVERY = timedelta(minutes=1)
"""Opening hours begin and end without anybody's telling."""
CALM_S = 0.02
"""Between two rounds, so that others write as well."""
LEAST = timedelta(seconds=1)
"""To the next look, where nothing was left to do."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did, and what it left behind."""

    done: int
    more: bool
    again: datetime | None
    waits_on: frozenset[str]
    tables: Tables
    broadcast: tuple[Session, ...]


def serve(house: House, present: Present, permitted: Permitted, now: datetime, tx: Tx) -> Round:
    """One round, in one transaction."""
    agents = tx.queues.agents()
    fired = fire_due(house, present, now, tx)
    gone = take_from_gone(present, now, tx)
    given = give(house, present, now, tx, permitted=permitted)
    moments = [moment for moment in (tx.sessions.next_due(), gone.again, given.again) if moment is not None]
    return Round(
        done=fired.done + gone.done + given.done,
        more=fired.more or gone.more or given.more,
        again=min(moments, default=None),
        waits_on=fired.waits_on,
        tables=Tables(tx.queues.all(), agents, tx.sessions.loads(), tx.grants.book()),
        broadcast=tuple(calls_for(tx)),
    )


class Serving:
    """`run` is a part."""

    def __init__(
        self, house: House, store: Store, roll: Roll, hub: Hub, nudge: Callable[[str], None], clock: Clock
    ) -> None:
        self._house = house
        self._store = store
        self._roll = roll
        self._hub = hub
        self._nudge = nudge
        self._clock = clock
        self._permitted = Permitted()
        self._rights_changed = True
        self._rung: dict[int, frozenset[int]] = {}
        self._ahead = clock.now() - timedelta(seconds=clock.monotonic())
        hub.at_once(GRANTS, self._look_at_rights)

    def _look_at_rights(self) -> None:
        self._rights_changed = True

    async def run(self) -> None:
        """For ever: whenever a session, a queue, an agent or a right is another, and when something is due."""
        with self._hub.watch() as watch:
            watch.of((SESSIONS, QUEUES, PRESENCE, GRANTS))
            bell = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                listening = group.create_task(_ring(watch, bell))
                try:
                    while True:
                        bell.clear()
                        done = await self.round()
                        if not done.more:
                            await self._rest(done, bell)
                        await asyncio.sleep(CALM_S)
                finally:
                    listening.cancel()

    async def round(self) -> Round:
        """Do what is to do now, as far as one transaction goes."""
        now = self._clock.now()
        await self._mind_the_clock(now)
        if self._rights_changed:
            self._rights_changed = False
            try:
                await insist_one(self._store, self._clock, partial(without_rights, now))
            except BaseException:
                self._rights_changed = True
                raise
        step = partial(serve, self._house, self._roll.now(), self._permitted, now)
        done = await insist_one(self._store, self._clock, step)
        self._roll.know(done.tables)
        for carrier in done.waits_on:
            self._nudge(carrier)
        self._ring_for(done.broadcast)
        return done

    async def _mind_the_clock(self, now: datetime) -> None:
        """A wall clock that was set back makes nobody wait the longer."""
        ahead = now - timedelta(seconds=self._clock.monotonic())
        by = self._ahead - ahead
        if by > STEP_BACK:
            log.warning("the clock was set back", by_s=by.total_seconds())
            await insist_one(self._store, self._clock, lambda tx: tx.sessions.clock_went_back(by, now))
        self._ahead = ahead

    def _ring_for(self, waiting: tuple[Session, ...]) -> None:
        """Tell everybody who could take it of each session that is there for all; each of them once."""
        able: dict[tuple[int, str], frozenset[int]] = {}
        rung: dict[int, frozenset[int]] = {}
        for session in waiting:
            key = (session.queue, session.did)
            if key not in able:
                able[key] = frozenset(self._roll.who(*key))
            rung[session.id] = able[key] | self._rung.get(session.id, frozenset())
        new = (rung[session] - self._rung.get(session, frozenset()) for session in rung)
        touched = frozenset(Touch("agent", account) for accounts in new for account in accounts)
        self._rung = rung
        if touched:
            self._hub.tell(touched)

    async def _rest(self, done: Round, bell: asyncio.Event) -> None:
        now = self._clock.now()
        until = min(max(done.again, now + LEAST), now + LOOK_EVERY) if done.again else now + LOOK_EVERY
        async with asyncio.TaskGroup() as group:
            await first(group, group.create_task(self._clock.sleep_until(until)), bell)


async def _ring(watch: Watch, bell: asyncio.Event) -> None:
    while True:
        await watch.wait()
        bell.set()
