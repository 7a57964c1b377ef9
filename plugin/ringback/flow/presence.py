"""Who of the agents can take a text now: what they said at the panel, whether a page of theirs is open, their phones.

Kept in memory and reckoned anew whenever something it is made of changed. Whoever shows it listens for PRESENCE.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from ringback.core.assignment import Candidate, may_be_given
from ringback.core.book import Book
from ringback.core.presence import AgentNow, Phone, Presence, Present, presence_of
from ringback.core.text_queues import Queues
from ringback.flow.changes import Hub
from ringback.flow.lane import first
from ringback.flow.permits import FAULTS
from ringback.flow.session_agents import may_serve
from ringback.ports import Clock
from ringback.ports.changes import PRESENCE
from ringback.ports.exchange import Exchange
from ringback.ports.queues import Agent

log = structlog.get_logger("presence")

PAGE_GRACE = timedelta(seconds=15)
"""Between two pages of somebody who goes from one to the other."""
START_GRACE = timedelta(seconds=30)
"""Everybody's pages lose their line when Ringback is started anew."""
PBX_GRACE = timedelta(seconds=30)
"""So long a PBX that cannot be heard is taken to be as it was; after that nobody's phone counts."""
CALM_S = 0.05
"""Between two reckonings, however much happens."""
LOOK_EVERY = timedelta(minutes=1)
MOST_RIGHTS = 20_000
_SAYS_MORE = {presence: place for place, presence in enumerate(Presence)}


@dataclass(frozen=True, slots=True)
class Tables:
    """What is kept of agents, as one transaction saw it. `loads` counts the sessions each of them has."""

    queues: Queues
    agents: Mapping[int, Agent]
    loads: Mapping[int, int]
    book: Book


class Roll:
    """Answers at once, from memory; `run` keeps it true. What the tables hold it is told by each round of serving."""

    def __init__(self, exchanges: Mapping[str, Exchange], hub: Hub, clock: Clock) -> None:
        self._exchanges = exchanges
        self._hub = hub
        self._clock = clock
        self._agents: Mapping[int, Agent] = {}
        self._queues = Queues()
        self._present: dict[int, AgentNow] = {}
        self._open: dict[int, int] = {}
        # what runs out is counted by the other clock, since this one may be set back
        self._left: dict[int, float] = {}
        self._lost: dict[str, float] = {}
        self._started: float | None = None
        self._loads: Mapping[int, int] = {}
        self._book: Book | None = None
        self._permitted = Permitted()
        self._bell = asyncio.Event()
        for exchange in exchanges.values():
            exchange.on_change(self._bell.set)

    # -- what is asked

    def now(self) -> Present:
        """Everybody who is an agent."""
        return self._present

    def of(self, account: int) -> AgentNow | None:
        return self._present.get(account)

    def able(self, queue: int, did: str) -> int:
        """How many members of a text queue could take one more session of this number now; empty: of any number."""
        return len(self.who(queue, did))

    def who(self, queue: int, did: str = "") -> list[int]:
        """The same by name."""
        members = self._queues.get(queue).members if self._queues.all else ()
        return [account for account in members if self._has_room(account) and self._may(account, did)]

    def _has_room(self, account: int) -> bool:
        now, agent = self._present.get(account), self._agents.get(account)
        if now is None or agent is None or agent.disabled or not may_be_given(now):
            return False
        return bool(Candidate(now, self._loads.get(account, 0), agent.capacity, agent.voice_weight).room)

    def _may(self, account: int, did: str) -> bool:
        return self._book is not None and (not did or self._permitted.may(self._book, account, did))

    # -- what is told

    @contextmanager
    def here(self, account: int) -> Iterator[None]:
        """Hold this while a page of theirs is open."""
        self._open[account] = self._open.get(account, 0) + 1
        self._bell.set()
        try:
            yield
        finally:
            self._open[account] -= 1
            if not self._open[account]:
                del self._open[account]
                self._left[account] = self._clock.monotonic()
            self._bell.set()

    def touch(self) -> None:
        """Look again."""
        self._bell.set()

    def know(self, tables: Tables) -> None:
        """Take in what the tables hold now."""
        if tables.queues != self._queues or tables.agents != self._agents:
            self._queues, self._agents = tables.queues, tables.agents
            self._bell.set()
        self._book, self._loads = tables.book, tables.loads

    # -- keeping it true

    async def run(self) -> None:
        """For ever."""
        self._started = self._clock.monotonic() if self._started is None else self._started
        while True:
            self._bell.clear()
            until = self.reckon()
            async with asyncio.TaskGroup() as group:
                await first(group, group.create_task(self._clock.sleep_until(until)), self._bell)
            await asyncio.sleep(CALM_S)

    def reckon(self) -> datetime:
        """Reckon everybody's presence and tell what changed; returns when to do so again if nothing happens."""
        now = self._clock.now()
        self._listen()
        present = {account: self._one(agent, now) for account, agent in self._agents.items() if not agent.disabled}
        if present != self._present:
            self._present = present
            self._hub.tell(frozenset({PRESENCE}))
        return self._next(now)

    def _listen(self) -> None:
        """Note since when a PBX cannot be heard."""
        for name, exchange in self._exchanges.items():
            if exchange.heard:
                self._lost.pop(name, None)
            else:
                self._lost.setdefault(name, self._clock.monotonic())

    def _one(self, agent: Agent, now: datetime) -> AgentNow:
        here, awaited = self._is_here(agent.account)
        phone = self._phone(agent)
        new = AgentNow(
            agent.account,
            presence_of(agent.desk, here or awaited, phone),
            now,
            on_call=phone is not None and phone.state.busy,
            awaited=awaited,
        )
        before = self._present.get(agent.account)
        if before is None or before.presence is not new.presence:
            return new
        # nobody has been so since a moment that is to come
        return replace(new, since=min(before.since, now))

    def _is_here(self, account: int) -> tuple[bool, bool]:
        """Whether a page of theirs is open, and whether it would not count yet that none is."""
        if self._open.get(account):
            return True, False
        if self._within(PAGE_GRACE, self._left.get(account)):
            return True, False
        self._left.pop(account, None)
        return False, self._within(START_GRACE, self._started)

    def _within(self, grace: timedelta, since: float | None) -> bool:
        return since is not None and self._clock.monotonic() < since + grace.total_seconds()

    def _phone(self, agent: Agent) -> Phone | None:
        """What the PBXs say of their phone; the one they speak on, or the one that is there, where several know it."""
        if not agent.follows_phone or not agent.phone:
            return None
        heard = (exchange for name, exchange in self._exchanges.items() if self._hears(name))
        phones = [phone for exchange in heard if (phone := exchange.phone(agent.phone)) is not None]
        return max(
            phones, key=lambda one: (one.state.busy, _SAYS_MORE[presence_of(agent.desk, True, one)]), default=None
        )

    def _hears(self, name: str) -> bool:
        return name not in self._lost or self._within(PBX_GRACE, self._lost[name])

    def _next(self, now: datetime) -> datetime:
        at = self._clock.monotonic()
        ends = [
            *(left + PAGE_GRACE.total_seconds() for left in self._left.values()),
            *(lost + PBX_GRACE.total_seconds() for lost in self._lost.values()),
            *([self._started + START_GRACE.total_seconds()] if self._started is not None else []),
        ]
        ahead = min((end - at for end in ends if end > at), default=LOOK_EVERY.total_seconds())
        return now + min(timedelta(seconds=ahead), LOOK_EVERY)


class Permitted:
    """Who may have sessions of which number, as one book says; another book is looked up anew."""

    def __init__(self) -> None:
        self._version: str | None = None
        self._known: dict[tuple[int, str], bool] = {}

    def may(self, book: Book, account: int, did: str) -> bool:
        if book.version != self._version or len(self._known) >= MOST_RIGHTS:
            self._version, self._known = book.version, {}
        key = (account, did)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._look_up(book, account, did)
        return known

    def _look_up(self, book: Book, account: int, did: str) -> bool:
        try:
            return may_serve(book, account, did)
        except FAULTS:
            log.exception("rights could not be looked up; nobody is given what takes them")
            return False
