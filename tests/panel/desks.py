"""The pages of an agent with everything behind them in memory, and somebody who is logged in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from ringback.core.permissions import Role
from ringback.panel.company import AgentsCompany
from ringback.panel.live import Streams
from ringback.panel.session_acts import SessionActs
from ringback.panel.session_bar import Bars, Staff
from ringback.panel.sessions import SessionPages
from ringback.panel.thread_acts import ThreadActs
from ringback.panel.threads import ThreadPages
from ringback.ports.changes import SESSIONS
from tests.fakes.hand_clock import HandClock
from tests.fakes.sessions import FakeSessionDesk, FakeSessions, FakeStaff
from tests.fakes.threads import Bells, FakeDesk, FakeThreads
from tests.panel.inbox import read
from tests.panel.reading import Page
from tests.panel.visiting import Visitor, client_as

WORK = "/sessions"


@dataclass
class Room:
    """An agent, and what they look at."""

    visitor: Visitor
    sessions: FakeSessions
    staff: FakeStaff
    desk: FakeSessionDesk
    threads: FakeThreads
    bells: Bells

    async def page(self, path: str = WORK) -> Page:
        return await self.visitor.page(path)

    async def press(self, act: str, number: int = 1, **form: str) -> tuple[int, str]:
        """Send a form of a session; returns the status and where it leads."""
        answer = await self.visitor.post(f"{WORK}/ses_{number:026}/{act}", form)
        return answer.status, answer.headers.get("Location", "")


@asynccontextmanager
async def room(clock: HandClock, role: Role = Role.AGENT, **more: object) -> AsyncIterator[Room]:
    sessions, people, desk = FakeSessions(), FakeStaff(), FakeSessionDesk()
    threads, bells = FakeThreads(), Bells()
    staff = Staff(people, people.present, people.waits_in)
    made: dict[str, object] = {}

    def streams(shell):
        if "streams" not in made:
            company = AgentsCompany(shell, sessions, people, people.here)
            bells.at_once(SESSIONS, company.forget)
            made["streams"] = Streams(shell, bells, calm=timedelta(), company=company)
        return made["streams"]

    def inbox(shell):
        bars = Bars(shell, sessions, staff)
        made["threads"] = ThreadPages(shell, threads, FakeDesk(), streams(shell), read, clock, bars=bars)
        return made["threads"]

    async with client_as(
        role,
        inbox,
        lambda shell: ThreadActs(shell, made["threads"], FakeDesk()),
        lambda shell: SessionPages(shell, sessions, staff, streams(shell), clock),
        lambda shell: SessionActs(shell, made["threads"], sessions, desk),
        clock=clock,
        **more,
    ) as visitor:
        yield Room(visitor, sessions, people, desk, threads, bells)
