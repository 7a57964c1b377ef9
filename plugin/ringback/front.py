"""The web front of one run: every page with what it reads and whom it asks to do things."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

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
from ringback.flow.asking import Asking
from ringback.flow.bulks import Runs
from ringback.flow.desk import Desk
from ringback.flow.house import House
from ringback.panel.app import PageSet, WebParts, build_web
from ringback.panel.calls import CallPages
from ringback.panel.carriers import CarrierPages, Reins
from ringback.panel.dashboard import HealthPages, Switch
from ringback.panel.door import Door
from ringback.panel.doors import door_pages
from ringback.panel.guard import Guard
from ringback.panel.handsets import HandsetPages
from ringback.panel.health import Health
from ringback.panel.keys import KeyPages, Locksmith
from ringback.panel.live import Streams
from ringback.panel.metrics import MetricsPage
from ringback.panel.runs import Office, RunPages
from ringback.panel.search import SearchPages
from ringback.panel.shell import open_shell
from ringback.panel.site import Site, hosts_for
from ringback.panel.tasks import TaskPages
from ringback.panel.thread_acts import ThreadActs
from ringback.panel.threads import ThreadPages
from ringback.ports import Carrier, Clock
from ringback.store.accounts import Readers
from ringback.store.database import Database
from ringback.store.keys import Ring
from ringback.store.late import read_calls, read_messages, read_overview, read_search, read_tasks, read_threads
from ringback.store.read_bulks import StoredBulks
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
    waiting: Waiting
    health: Callable[[], Health]
    metrics: Callable[[], Awaitable[bytes]]
    switch: Switch
    reins: Reins
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
        self.guard = Guard(people, database, clock, self._shell)
        self._door = Door(self._shell, self.guard, people, database, clock)
        self._ring = Ring(database)
        self.programs = ProgramDoor(self._ring, database, clock, settings.api.requests_per_minute)

    def _pages(self) -> list[PageSet]:
        behind, shell = self._behind, self._shell
        database, desk = behind.database, behind.desk
        per_minute = behind.house.limits.per_number_per_minute
        handsets = next((carrier for carrier in behind.carriers.values() if isinstance(carrier, Loopback)), None)
        streams = Streams(shell, database.changes)
        inbox, numbers = read_threads(database), tuple(behind.settings.numbers)
        threads = ThreadPages(shell, inbox, desk, streams, self._typed, behind.clock)
        pages: list[PageSet] = [
            *door_pages(self._door, behind.settings),
            threads,
            ThreadActs(shell, threads, desk),
            SearchPages(shell, read_search(database), inbox, self._typed, numbers),
            CallPages(shell, read_calls(database), lambda text: self._typed(text).e164),
            TaskPages(shell, read_tasks(database), desk, streams),
            MetricsPage(behind.metrics, behind.settings.web.metrics),
            HealthPages(shell, behind.health, read_overview(database), behind.switch, behind.reins, handsets),
            CarrierPages(shell, behind.reins),
            KeyPages(shell, Locksmith(self._ring, self._door.people, database, behind.clock, self.programs.forget)),
            RunPages(shell, Office(StoredBulks(database), behind.runs, self._ring, per_minute, behind.clock)),
        ]
        return pages if handsets is None else [*pages, HandsetPages(shell, handsets)]

    def _api(self) -> web.Application:
        """What answers programs, below /v1."""
        behind = self._behind
        database = behind.database
        texts = MessageParts(behind.house, behind.asking, read_messages(database), self._typed, behind.clock, database)
        told, largest = StoredBulks(database), behind.settings.api.largest_run
        runs = BulkParts(behind.house, behind.runs, told, self._typed, behind.clock, largest)
        return build_api(self.programs, [MessageRows(texts), BulkRows(runs)], behind.settings.web.public_url)

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
