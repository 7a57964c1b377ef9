"""A house with text queues, people and a PBX that says what a test wants, and the pages of queues and the board."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

from aiohttp import web

from ringback.core.grants import ALL_NUMBERS, Way
from ringback.core.permissions import Role
from ringback.core.presence import AgentNow, Phone, Presence
from ringback.core.queue_forms import Known, Surroundings
from ringback.core.sessions import SessionState, StartType, Why
from ringback.core.text_queues import Plan, TextQueue
from ringback.core.voice_queues import DeviceState, VoiceCaller, VoiceMember, VoiceQueue
from ringback.flow.permits import Permits
from ringback.flow.queues import add_queue, known_queue, put_members
from ringback.flow.session_desk import SessionDesk
from ringback.flow.sessions import assign
from ringback.panel.app import WebParts, build_web
from ringback.panel.board import BoardPages, BoardParts
from ringback.panel.board_acts import BoardActs
from ringback.panel.board_view import Sources
from ringback.panel.door import Door
from ringback.panel.guard import Guard
from ringback.panel.health import Health
from ringback.panel.live import Streams
from ringback.panel.queue_agents import AgentPages
from ringback.panel.queue_map import MapPages
from ringback.panel.queue_parts import QueueOffice
from ringback.panel.queues import QueuePages
from ringback.panel.shell import open_shell
from ringback.ports.changes import SESSIONS
from ringback.ports.sessions import Opening
from ringback.store.accounts import Readers
from ringback.store.database import Database
from ringback.store.grants import ReadGrants
from ringback.store.read_people import StoredPeople
from ringback.store.read_queues import StoredQueues
from ringback.store.read_sessions import StoredSessions
from tests.fakes.hand_clock import HandClock
from tests.panel.permission_house import House
from tests.panel.visiting import SITE

MAIN, SALES = "+12025550100", "+12025550142"
PEERS = tuple(f"+120255501{n:02}" for n in range(50, 60))


def member(interface: str, name: str, state: DeviceState = DeviceState.NOT_INUSE, **more: object) -> VoiceMember:
    return VoiceMember(interface, interface.rpartition("/")[2].partition("@")[0], name, state, **more)


@dataclass
class FakeExchange:
    """Satisfies `ports.exchange.Exchange`."""

    name: str = "main"
    heard: bool = True
    known: dict[str, VoiceQueue] = field(default_factory=dict)
    phones: dict[str, Phone] = field(default_factory=dict)
    tells: list[Callable[[], None]] = field(default_factory=list)

    def has(self, name: str, *members: VoiceMember, callers: tuple[VoiceCaller, ...] = ()) -> None:
        self.known[name] = VoiceQueue(self.name, name, callers, members)
        for tell in self.tells:
            tell()

    def queue(self, name: str) -> VoiceQueue | None:
        return self.known.get(name)

    def queues(self) -> list[VoiceQueue]:
        return list(self.known.values())

    def phone(self, name: str) -> Phone | None:
        return self.phones.get(name)

    def on_change(self, tell: Callable[[], None]) -> None:
        self.tells.append(tell)

    def on_learned(self, take: object) -> None: ...


@dataclass
class QueueHouse(House):
    """The house, what its PBX says, and who is there."""

    exchange: FakeExchange = field(default_factory=FakeExchange)
    present: dict[int, AgentNow] = field(default_factory=dict)
    waits: dict[str, timedelta] = field(default_factory=dict)
    desk: SessionDesk | None = None
    board: BoardPages | None = None

    async def do(self, step):
        return await self.database.commit(step)

    async def queue(self, name: str, *members: str) -> TextQueue:
        """A queue as it is now; made if it is not there."""

        def step(tx):
            now, known = self.clock.now(), Known(("en", "es"), ("main",))
            there = tx.queues.all().named(name) or add_queue(name, Plan(), known, "test", now, tx)
            if members:
                put_members(there.public_id, [self.people[one].id for one in members], "test", now, tx)
            return known_queue(there.public_id, tx)

        return await self.do(step)

    def is_in(self, login: str, presence: Presence = Presence.READY, on_call: bool = False) -> None:
        account = self.people[login].id
        self.present[account] = AgentNow(account, presence, self.clock.now(), on_call)

    async def session(self, queue: str = "main", did: str = MAIN, peer: str = PEERS[0], agent: str = "") -> str:
        """An open session; returns its public id."""
        now = self.clock.now()

        def step(tx):
            thread = tx.pairs.thread(did, peer, now)
            row = tx.queues.all().named(queue).id
            made = tx.sessions.open(Opening(thread, row, StartType.AUTO, Why.NUMBERS_QUEUE), SessionState.QUEUED, now)
            if agent:
                made = assign(made, self.people[agent].id, Why.CLAIMED, "test", now, tx)
            return made

        return (await self.do(step)).public_id

    async def session_now(self, public_id: str):
        return await self.do(lambda tx: tx.sessions.get(public_id))

    async def everybody_may(self) -> None:
        """All may send and receive with every number, as far as their roles go."""
        for way in (Way.SEND, Way.RECEIVE):
            await self.grant("", way, ALL_NUMBERS)
        self.guard.forget()

    async def record(self) -> list[tuple[str, str, str, str, str]]:
        """Action, about, detail, before and after of everything in the audit, the first first."""
        return await self.database.read(
            lambda connection: [
                tuple(row)
                for row in connection.exec_driver_sql(
                    'SELECT action, about, detail, "before", "after" FROM audit ORDER BY id'
                )
            ]
        )


@asynccontextmanager
async def queue_house(path: Path, clock: HandClock, port: int = 0) -> AsyncIterator[QueueHouse]:
    """Open the pages on a database that is there already."""
    database = Database(f"sqlite:///{path}", clock)
    await database.open()
    shell, people, read = open_shell(SITE, clock.now), Readers(database), ReadGrants(database)
    permits = Permits(read, clock)
    guard = Guard(people, database, clock, shell, permits)
    door = Door(shell, guard, people, database, clock)
    exchange, present, waits = FakeExchange(), {}, {}
    office = QueueOffice(
        door=door,
        read=StoredQueues(database),
        directory=StoredPeople(database),
        numbers=read.numbers,
        around=Surroundings(Known(("en", "es"), ("main",)), ("main",)),
        exchanges={"main": exchange},
    )
    desk = SessionDesk(SimpleNamespace(), database, clock, SimpleNamespace(touch=lambda: None))
    sources = Sources({"main": exchange}, lambda: present, lambda _, name: waits.get(name), lambda _queue: 0)
    parts = BoardParts(StoredSessions(database), StoredQueues(database), sources, clock)
    board = BoardPages(shell, parts, Streams(shell, database.changes))
    database.changes.at_once(SESSIONS, board.forget)
    pages = [AgentPages(office), MapPages(office), QueuePages(office), board, BoardActs(shell, parts, desk)]
    runner = web.AppRunner(build_web(WebParts(shell, guard, lambda: Health(True, ()), pages)))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    house = QueueHouse(
        database, clock, base, SimpleNamespace(permits=permits, read=read), guard,
        exchange=exchange, present=present, waits=waits, desk=desk, board=board,
    )  # fmt: skip
    try:
        yield house
    finally:
        for session in house.sessions:
            await session.close()
        await runner.cleanup()
        await database.close()


async def staffed(house: QueueHouse) -> None:
    """An administrator, a supervisor, two agents, an auditor, and two numbers."""
    await house.add("boss", "Jörg Müller-Lüdenscheidt", Role.ADMINISTRATOR, extension="102")
    await house.add("sup", "Li Wei", Role.SUPERVISOR, extension="110")
    await house.add("ana", "Ana Kovačević", extension="101")
    await house.add("ben", "Ben Okafor", extension="103")
    await house.add("aud", "An auditor", Role.AUDITOR, extension="104")
    await house.number(MAIN, "Main line")
    await house.number(SALES, "Sales")
    await house.everybody_may()
