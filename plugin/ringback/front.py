"""The web front of one run: every page with what it reads and whom it asks to do things."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from aiohttp import web

from ringback.api.app import build_api
from ringback.api.bulks import BulkRows
from ringback.api.door import Door as ProgramDoor
from ringback.api.intake import BulkParts
from ringback.api.messages import MessageParts, MessageRows
from ringback.carriers.loopback import Loopback
from ringback.config import Settings
from ringback.core.numbers import Number, NumberFormat, read_number
from ringback.core.permissions import Role
from ringback.entrance import make_proving, make_sealer, told
from ringback.flow.advice import Advice, consider
from ringback.flow.asking import Asking
from ringback.flow.bulks import Runs
from ringback.flow.desk import Desk
from ringback.flow.factors import rotate
from ringback.flow.house import House
from ringback.flow.imports import Imports
from ringback.flow.list_keeping import ListKeeper
from ringback.flow.permits import Permits
from ringback.flow.recordkeeping import Recordkeeping
from ringback.flow.retention import Retention
from ringback.panel.app import PageSet, WebParts, build_web
from ringback.panel.audit import AuditPages, Shelf
from ringback.panel.calls import CallPages
from ringback.panel.carriers import CarrierPages, Reins
from ringback.panel.dashboard import HealthPages, Switch
from ringback.panel.door import Door
from ringback.panel.doors import door_pages
from ringback.panel.guard import Guard
from ringback.panel.handsets import HandsetPages
from ringback.panel.health import Health
from ringback.panel.keys import KeyPages, Locksmith
from ringback.panel.list_files import ListFiles
from ringback.panel.listed import ListedActs
from ringback.panel.lists import ListPages
from ringback.panel.live import Streams
from ringback.panel.logged_in import principal_of
from ringback.panel.metrics import MetricsPage
from ringback.panel.people_pages import people_pages
from ringback.panel.people_parts import Registry
from ringback.panel.permissions_pages import permission_pages
from ringback.panel.permissions_parts import GrantOffice
from ringback.panel.person_file import Cabinet, PersonPages
from ringback.panel.runs import Office, RunPages
from ringback.panel.search import SearchPages
from ringback.panel.shell import open_shell
from ringback.panel.site import Site, hosts_for
from ringback.panel.tasks import TaskPages
from ringback.panel.thread_acts import ThreadActs
from ringback.panel.threads import ThreadPages
from ringback.ports import Carrier, Clock
from ringback.ports.changes import GRANTS
from ringback.ports.directory import AskPbx
from ringback.ports.pairs import Thread
from ringback.ports.people import Account
from ringback.ports.threads import ReadThreads
from ringback.staffing import make_lines
from ringback.store.accounts import Readers
from ringback.store.database import Database
from ringback.store.grants import ReadGrants
from ringback.store.keys import Ring
from ringback.store.late import (
    read_calls,
    read_messages,
    read_overview,
    read_person,
    read_record,
    read_search,
    read_tasks,
    read_threads,
)
from ringback.store.read_bulks import StoredBulks
from ringback.store.read_people import StoredPeople
from ringback.waiting import Waiting

log = structlog.get_logger("app")


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind the pages."""

    settings: Settings
    house: House
    database: Database
    carriers: Mapping[str, Carrier]
    desk: Desk
    asking: Asking
    runs: Runs
    lists: ListKeeper
    waiting: Waiting
    health: Callable[[], Health]
    metrics: Callable[[], Awaitable[bytes]]
    switch: Switch
    reins: Reins
    recordkeeping: Recordkeeping
    retention: Retention
    askers: AskPbx
    imports: Imports
    clock: Clock


class Front:
    """All pages of one run. `serve` is a part; so is `guard.watch`, which ends the streams of people who left."""

    def __init__(self, behind: Behind) -> None:
        settings, database, clock = behind.settings, behind.database, behind.clock
        business, listen = settings.business, settings.web.listen
        hosts = hosts_for(listen.host, settings.web.public_url)
        site = Site(business.name, business.zone, business.languages[0], settings.web.public_url, hosts)
        people = Readers(database)
        self._listen = listen
        self._behind = behind
        self._shell = open_shell(site, clock.now, behind.waiting.counts)
        self.permits = Permits(ReadGrants(database), clock)
        self._sealer = make_sealer(settings)
        self._proving = make_proving(settings, database, clock, self._sealer)
        self.guard = Guard(people, database, clock, self._shell, self.permits, demand=self._proving.demand)
        database.changes.at_once(GRANTS, self.guard.forget)
        self.permits.on_change(partial(database.changes.tell, frozenset({GRANTS})))
        self._door = Door(self._shell, self.guard, people, database, clock, proving=self._proving)
        self._ring = Ring(database)
        self.programs = ProgramDoor(self._ring, database, clock, settings.api.requests_per_minute)

    def _pages(self) -> list[PageSet]:
        behind, shell = self._behind, self._shell
        database, desk = behind.database, behind.desk
        per_minute = behind.house.limits.per_number_per_minute
        handsets = next((carrier for carrier in behind.carriers.values() if isinstance(carrier, Loopback)), None)
        streams = Streams(shell, database.changes)
        inbox, numbers = read_threads(database), tuple(behind.settings.numbers)
        calls = read_calls(database)
        threads = ThreadPages(shell, inbox, desk, streams, self._typed, behind.clock, self._whom_to_ask)
        pages: list[PageSet] = [
            *door_pages(self._door, behind.settings),
            *self._people_pages(),
            *self._permission_pages(),
            threads,
            ThreadActs(shell, threads, desk),
            SearchPages(shell, read_search(database), inbox, self._typed, numbers),
            CallPages(shell, calls, lambda text: self._typed(text).e164, behind.lists.read.of),
            ListPages(shell, behind.lists, self._typed),
            ListFiles(shell, behind.lists, self._typed, behind.settings.business.zone, behind.clock),
            ListedActs(shell, behind.lists, inbox, calls),
            TaskPages(shell, read_tasks(database), desk, streams),
            MetricsPage(behind.metrics, behind.settings.web.metrics),
            HealthPages(shell, behind.health, read_overview(database), behind.switch, behind.reins, handsets),
            CarrierPages(shell, behind.reins),
            KeyPages(shell, Locksmith(self._ring, self._door.people, database, behind.clock, self.programs.forget)),
            AuditPages(shell, self._shelf()),
            PersonPages(shell, self._cabinet(inbox)),
            RunPages(shell, Office(StoredBulks(database), behind.runs, self._ring, per_minute, behind.clock)),
        ]
        return pages if handsets is None else [*pages, HandsetPages(shell, handsets)]

    def _permission_pages(self) -> list[PageSet]:
        database, clock = self._behind.database, self._behind.clock
        grants, watching = ReadGrants(database), self.guard.watching
        office = GrantOffice(self._shell, self.permits, grants, self._door.people, database, clock, watching)
        return permission_pages(office, self._ask_gates)

    async def _ask_gates(self, account: Account, number: str, to: str) -> Advice | None:
        """What every gate would say to a text of this account to somebody; changes nothing."""
        peer = self._typed(to)
        if not peer.e164:
            return None
        house, who, now = self._behind.house, principal_of(account), self._behind.clock.now()
        thread = Thread(0, "", 0, number, peer.e164)
        return await self._behind.database.commit(lambda tx: consider(house, who, thread, "", now, tx))

    def _people_pages(self) -> list[PageSet]:
        behind = self._behind
        directory, grants = StoredPeople(behind.database), ReadGrants(behind.database)
        registry = Registry(self._door, directory, self.permits, grants, behind.settings.business.default_country)
        return people_pages(registry, make_lines(behind.settings, behind.carriers), behind.askers, behind.imports)

    def _cabinet(self, inbox: ReadThreads) -> Cabinet:
        behind = self._behind
        people, verifier = read_person(behind.database), behind.recordkeeping.verifier
        return Cabinet(people, inbox, behind.retention, verifier, behind.database, behind.clock)

    def _shelf(self) -> Shelf:
        behind = self._behind
        record = read_record(behind.database)
        return Shelf(record, behind.recordkeeping, self._door.people, self._ring, behind.database, behind.clock)

    def _api(self) -> web.Application:
        """What answers programs, below /v1."""
        behind = self._behind
        database = behind.database
        permits = self.permits
        texts = MessageParts(
            behind.house, behind.asking, read_messages(database), self._typed, behind.clock, database, permits
        )
        told, largest = StoredBulks(database), behind.settings.api.largest_run
        runs = BulkParts(behind.house, behind.runs, told, self._typed, behind.clock, largest, permits)
        return build_api(self.programs, [MessageRows(texts), BulkRows(runs)], behind.settings.web.public_url)

    async def rotate(self, by: str) -> str:
        """Seal every secret with a new key; returns what to say."""
        count = await rotate(self._sealer, self._behind.database, by, self._behind.clock.now())
        return told(count, self._sealer)

    async def _whom_to_ask(self) -> Sequence[str]:
        """Who decides who may what, by name."""
        known = await self._door.people.everybody()
        return [one.called for one in known if Role.ADMINISTRATOR in one.roles and one.disabled_at is None]

    def _typed(self, text: str) -> Number:
        """A number as somebody types it."""
        return read_number(text, NumberFormat.AS_IS, self._behind.settings.business.default_country)

    async def serve(self, tell: Callable[[int], None]) -> None:
        """Show the pages until cancelled; `tell` gets the port, since the configured one may be 0."""
        app = build_web(WebParts(self._shell, self.guard, self._behind.health, self._pages(), self._api()))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._listen.host, self._listen.port).start()
            port = runner.addresses[0][1]
            tell(port)
            log.info("pages", url=f"http://{self._listen.host}:{port}/")
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()
            await self._proving.close()
