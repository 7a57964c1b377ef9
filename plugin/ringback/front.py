"""The web front of one run: every page with what it reads and whom it asks to do things."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog
from aiohttp import web

from ringback.api.app import build_api
from ringback.api.bulks import BulkRows
from ringback.api.door import Door as ProgramDoor
from ringback.api.intake import BulkParts
from ringback.api.messages import MessageParts, MessageRows
from ringback.behind import Behind
from ringback.carriers.loopback import Loopback
from ringback.core.numbers import Number, NumberFormat, read_number
from ringback.core.permissions import Role
from ringback.core.rights import Rights
from ringback.entrance import make_proving, make_sealer, told
from ringback.flow.factors import rotate
from ringback.flow.permits import Permits
from ringback.panel.app import PageSet, WebParts, build_web
from ringback.panel.calls import CallPages
from ringback.panel.company import AgentsCompany
from ringback.panel.consent_acts import ConsentActs
from ringback.panel.dashboard import HealthPages
from ringback.panel.door import Door
from ringback.panel.doors import door_pages
from ringback.panel.guard import Guard
from ringback.panel.handsets import HandsetPages
from ringback.panel.late_pages import LatePages
from ringback.panel.live import Streams
from ringback.panel.metrics import MetricsPage
from ringback.panel.search import SearchPages
from ringback.panel.session_acts import SessionActs
from ringback.panel.session_bar import Bars, Staff
from ringback.panel.sessions import SessionPages
from ringback.panel.shell import open_shell
from ringback.panel.site import Site, hosts_for
from ringback.panel.tasks import TaskPages
from ringback.panel.thread_acts import ThreadActs
from ringback.panel.threads import ThreadPages
from ringback.ports.changes import GRANTS, QUEUES, SESSIONS, VOICE
from ringback.ports.exchange import Exchange
from ringback.store.accounts import Readers
from ringback.store.grants import ReadGrants
from ringback.store.keys import Ring
from ringback.store.late import (
    read_calls,
    read_messages,
    read_overview,
    read_queues,
    read_search,
    read_sessions,
    read_tasks,
    read_threads,
)
from ringback.store.read_bulks import StoredBulks

log = structlog.get_logger("app")

ADMINISTERED = (
    "/users",
    "/departments",
    "/numbers",
    "/permissions",
    "/lists",
    "/staging",
    "/threads/{thread}/listed",
    "/calls/{call}/opt-out",
    "/threads/{thread}/person",
    "/health/carriers",
    "/audit",
    "/api",
)
"""Where the pages of whoever sets things up are."""
OF_THE_DOOR = frozenset({"/users/{id}/reset", "/users/{id}/totp-off"})
"""Below them, and served by the pages of logins."""


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
        self._shell = open_shell(site, clock.now, self._counts)
        self._sessions, queues = read_sessions(database), read_queues(database)
        self._staff = Staff(queues, behind.roll.now, partial(waits_in, behind.exchanges))
        self._company = AgentsCompany(self._shell, self._sessions, queues, behind.roll.here)
        for touch in (SESSIONS, QUEUES):
            database.changes.at_once(touch, self._company.forget)
        for exchange in behind.exchanges.values():
            exchange.on_change(partial(database.changes.tell, frozenset({VOICE})))
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
        handsets = next((carrier for carrier in behind.carriers.values() if isinstance(carrier, Loopback)), None)
        streams = Streams(shell, database.changes, company=self._company)
        inbox, numbers = read_threads(database), tuple(behind.settings.numbers)
        calls = read_calls(database)
        bars = Bars(shell, self._sessions, self._staff)
        threads = ThreadPages(shell, inbox, desk, streams, self._typed, behind.clock, self._whom_to_ask, bars)
        pages: list[PageSet] = [
            *door_pages(self._door, behind.settings),
            threads,
            ThreadActs(shell, threads, desk),
            SessionPages(shell, self._sessions, self._staff, streams, behind.clock),
            SessionActs(shell, threads, self._sessions, behind.sessions),
            ConsentActs(shell, threads, desk),
            SearchPages(shell, read_search(database), inbox, self._typed, numbers),
            CallPages(shell, calls, lambda text: self._typed(text).e164, behind.lists.read.of),
            TaskPages(shell, read_tasks(database), desk, streams),
            MetricsPage(behind.metrics, behind.settings.web.metrics),
            HealthPages(shell, behind.health, read_overview(database), behind.switch, behind.reins, handsets),
        ]
        pages.append(LatePages(("/queues", "/board"), partial(self._supervision_pages, streams)))
        pages.append(LatePages(ADMINISTERED, self._administration_pages, OF_THE_DOOR))
        return pages if handsets is None else [*pages, HandsetPages(shell, handsets)]

    def _counts(self, rights: Rights) -> Mapping[str, int]:
        """What waits at each place of the navigation."""
        return {**self._behind.waiting.counts(rights), **self._company.counts(rights)}

    def _supervision_pages(self, streams: Streams) -> list[PageSet]:
        # a call that is missed need not wait for the pages of supervisors
        from ringback.supervision import supervision_pages  # noqa: PLC0415

        return supervision_pages(self._behind, self._door, streams)

    def _administration_pages(self) -> list[PageSet]:
        from ringback.administration import Keys, administration_pages  # noqa: PLC0415 - as above

        keys = Keys(self._door, self.permits, self._ring, self.programs.forget, self._typed)
        return administration_pages(self._behind, keys)

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


def waits_in(exchanges: Mapping[str, Exchange], pbx: str, uniqueid: str) -> str:
    """The queue of a PBX that a call waits in now; empty where it waits in none, or nobody can say."""
    exchange = exchanges.get(pbx)
    if exchange is None or not exchange.heard:
        return ""
    found = (queue.name for queue in exchange.queues() if any(one.uniqueid == uniqueid for one in queue.callers))
    return next(found, "")
