"""The parts of one run, wired: what is made from the settings, what runs, and how it ends."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import cast

import structlog

from ringback import control
from ringback.assembly import (
    known_to,
    make_carriers,
    make_feed,
    make_house,
    make_records,
    make_times,
    names_to_pause,
)
from ringback.commands import Commands
from ringback.condition import Condition
from ringback.core.permissions import Principal
from ringback.course import Course
from ringback.errors import StoreFault
from ringback.flow.arrivals import Arrivals
from ringback.flow.asking import Asking
from ringback.flow.bulks import Runs
from ringback.flow.delays import Delays, sweep_each_minute
from ringback.flow.denials import denials_of
from ringback.flow.desk import Desk
from ringback.flow.doubts import Doubts
from ringback.flow.feeding import Feeder
from ringback.flow.following import Follower
from ringback.flow.gaps import Gaps
from ringback.flow.holds import Holding
from ringback.flow.imports import Imports
from ringback.flow.indexing import Indexing
from ringback.flow.insist import insist_one
from ringback.flow.list_keeping import ListKeeper
from ringback.flow.looking_back import LeftBehind, look_back
from ringback.flow.pauses import Pause, Paused, Turn, turn
from ringback.flow.reconcile import Reconcile
from ringback.flow.recordkeeping import Recordkeeping
from ringback.flow.restoring import Restoring
from ringback.flow.retention import Retention
from ringback.flow.sending import Lane, Lanes
from ringback.front import Behind, Front
from ringback.hearing import Hearing
from ringback.hooks import Reception, hooked, serve
from ringback.metrics import Metrics, Sources
from ringback.panel.carriers import Reins
from ringback.panel.dashboard import Switch
from ringback.ports import Closing, Listening, Listing
from ringback.ports.storage import Tx
from ringback.pulse import BOUNDS, Pulse
from ringback.running import Parts, keep_running, no_parts
from ringback.staffing import make_askers
from ringback.store.addresses import sqlite_path
from ringback.store.anchors import Anchors
from ringback.store.checking import look_through
from ringback.store.database import Database
from ringback.store.lists import ReadLists
from ringback.store.tally import Spread
from ringback.store.verifying import Verifier
from ringback.waiting import Waiting

log = structlog.get_logger("app")

DRAIN = timedelta(seconds=20)
"""How long texts on their way may take when we stop; after that they are in doubt, and the next start says so."""

NOTE_WITHIN = timedelta(seconds=5)
"""How long a stop waits for a database that cannot write; the next start knows the last sign of life anyway."""


class House:
    """The parts of one run, wired."""

    def __init__(self, course: Course, database: Database) -> None:
        settings, clock = course.settings, course.clock
        self.course, self.database = course, database
        self.parts: Parts = no_parts(clock)
        self.pauses: tuple[Paused, ...] = ()
        self.carriers = make_carriers(settings, clock)
        self.house = known_to(self.carriers, make_house(settings))
        self.lane_of = {name: Lane(carrier, self.house, database, clock) for name, carrier in self.carriers.items()}
        self.lanes = Lanes(self.lane_of)
        self.holding = Holding(database, self.lane_of, clock)
        self.delays = Delays(self.house, database, self.lanes, clock)
        self.arrivals = Arrivals(self.house, database, self.lanes, clock)
        follower = Follower(self.house, database, self.lanes, self.delays, clock)
        self.gaps = Gaps(follower, make_records(settings))
        self.follower = replace(follower, is_back=self.gaps.nudge)
        self.feeds = {pbx.name: make_feed(pbx, clock) for pbx in settings.asterisk}
        self.calling = hooked(self.carriers)
        self.reception = Reception(self.calling, self.arrivals, settings.hooks.public_url, clock)
        self.waiting = Waiting(database.changes, database, clock)
        self.lists, self.retention, self.recordkeeping = self._keepers()
        self.lags = Spread(BOUNDS)
        self.pulse = Pulse(self.lags.add)
        self.asking = Asking(self.house, database, self.lanes, clock)
        self.runs = Runs(database, clock)
        self.condition = Condition(
            course,
            database,
            self.parts,
            self.lane_of,
            self.feeds,
            self.holding,
            self.lists,
            self.reception,
            self.waiting,
            self.retention,
            lambda: self.pauses,
        )
        self.front = Front(self._behind())

    def _keepers(self) -> tuple[ListKeeper, Retention, Recordkeeping]:
        """Who keeps the lists, who removes what is old, and who keeps the record honest."""
        settings, clock, database = self.course.settings, self.course.clock, self.database
        state = settings.paths.state
        retention = Retention(database, clock, make_times(settings), database.scrub)
        verifier = Verifier(settings.database.url, state)
        lists = ListKeeper(database, ReadLists(database), clock)
        return lists, retention, Recordkeeping(database, clock, Anchors(state), verifier)

    def _behind(self) -> Behind:
        course = self.course
        return Behind(
            settings=course.settings,
            house=self.house,
            database=self.database,
            carriers=self.carriers,
            desk=Desk(self.house, self.database, self.lanes, self.carriers, course.clock),
            asking=self.asking,
            runs=self.runs,
            lists=self.lists,
            waiting=self.waiting,
            health=self.condition.health,
            metrics=Metrics(self._sources()).render,
            switch=Switch(names_to_pause(course.settings), lambda: self.pauses, self._turn),
            recordkeeping=self.recordkeeping,
            retention=self.retention,
            askers=make_askers(self.feeds),
            imports=Imports(course.clock),
            reins=Reins(tuple(self.lane_of), lambda: self.holding.held, self.holding.change),
            clock=course.clock,
        )

    def _feeder(self) -> Feeder:
        windows = {name: carrier.window for name, carrier in self.carriers.items()}
        database, coming = self.database, self.runs.coming
        return Feeder(self.house, database, self.lanes, self.course.clock, database.changes, windows, coming)

    def _doubts(self) -> Doubts:
        changes = self.database.changes
        return Doubts(self.house, self.database, self.lanes, self.carriers, self.holding, changes, self.course.clock)

    def _sources(self) -> Sources:
        return Sources(
            database=self.database,
            pulse=self.pulse,
            lags=self.lags,
            lanes=self.lane_of,
            feeds=lambda: {name: feed.counts() for name, feed in self.feeds.items()},
            hooks=self.reception.counts,
            tasks=lambda: self.waiting.tasks,
            health=self.condition.health,
            epoch=lambda: self.course.epoch,
        )

    async def live(self) -> None:
        """Start everything; the lanes stop last, so that what is on its way can end."""
        settings = self.course.settings
        left = LeftBehind(tuple(settings.numbers), tuple(self.feeds), tuple(self.lane_of))
        self.pauses = await look_back(self.house, self.database, left, self.course.clock)
        await self.holding.load()
        await self.lists.load()
        async with asyncio.TaskGroup() as lanes:
            sending = [self._start(lanes, f"carrier {name}", lane.run) for name, lane in self.lane_of.items()]
            async with asyncio.TaskGroup() as others:
                rest = [self._start(others, name, part) for name, part in self._others()]
                rest.append(others.create_task(self._look_through()))
                # to the end of the drain: a service manager that hears nothing for long kills
                keep_told = partial(
                    self.course.service.keep_told, self.condition.in_a_line, lambda: self.database.alive
                )
                telling = [self._start(lanes, "service", keep_told)] if self.course.service.listens else []
                await self.course.stop.wait()
                log.info("ringback stops")
                self.course.service.tell("STOPPING=1")
                unheard_from = self.course.clock.now()
                for task in rest:
                    task.cancel()
            self.lanes.drain()
            await self._leave(sending, unheard_from)
            for task in telling:
                task.cancel()
        for carrier in self.carriers.values():
            if isinstance(carrier, Closing):
                await carrier.close()

    async def _look_through(self) -> None:
        """A file too large to be looked at before the start may be damaged all the same."""
        path = sqlite_path(self.course.settings.database.url)
        try:
            if path is not None:
                await look_through(path)
        except StoreFault as fault:
            self.course.give_up(fault)

    async def _leave(self, sending: "list[asyncio.Task[None]]", unheard_from: datetime) -> None:
        """Note that nobody watches the PBXs any more, and give texts on their way their time."""
        step = partial(_out_of_sight, tuple(self.feeds), unheard_from)
        try:
            async with asyncio.timeout(NOTE_WITHIN.total_seconds()):
                await insist_one(self.database, self.course.clock, step)
        except TimeoutError:
            log.warning("the database cannot write, so the stop is not noted in it")
        _done, late = await asyncio.wait(sending, timeout=DRAIN.total_seconds()) if sending else (None, set())
        for task in late:
            task.cancel()

    def _start(self, group: asyncio.TaskGroup, name: str, part: Callable[[], Awaitable[None]]) -> "asyncio.Task[None]":
        return group.create_task(keep_running(name, part, self.parts), name=name)

    def _others(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """Every part but the lanes, by the name health shows."""
        course = self.course
        parts: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("web", partial(self.front.serve, self._pages_at)),
            ("logins", self.front.guard.watch),
            ("waiting", self.waiting.run),
            ("control", partial(control.serve, course.settings.paths.state, self._commands())),
            ("api", self.asking.run),
            ("runs", self._feeder().run),
            ("delays", self.delays.run),
            ("doubts", self._doubts().run),
            ("retention", self.retention.run),
            ("search", Indexing(self.database, self.database.changes, course.clock).run),
            ("pulse", self.pulse.run),
            ("inbound", self.arrivals.look_after),
            ("gaps", self.gaps.run),
            ("restoring", Restoring(self.house, self.database, self.carriers, self.holding, course.clock).run),
            ("sealing", self.recordkeeping.run),
            ("refusals", partial(denials_of(self.database).run, course.clock)),
            ("housekeeping", partial(sweep_each_minute, self.house, self.database, course.clock)),
        ]
        if self.calling and course.settings.hooks.public_url:
            parts.append(("hooks", partial(serve, course.settings.hooks.listen, self.reception, self._hooks_at)))
        for name, carrier in self.carriers.items():
            if hasattr(carrier, "received_since"):
                listing = cast(Listing, carrier)
                reconcile = Reconcile(name, listing, self.house, self.arrivals, self.database, course.clock)
                parts.append((f"reconcile {name}", reconcile.run))
            if hasattr(carrier, "batches"):
                source = cast(Listening, carrier)
                parts.append((f"line {name}", partial(self.arrivals.listen, name, source)))
        hearing = Hearing(course, self.follower)
        for name, feed in self.feeds.items():
            self.parts.watch(f"asterisk {name}", partial(self.condition.line, name))
            parts.append((f"asterisk {name}", partial(hearing.hear, feed)))
        return parts

    def _pages_at(self, port: int) -> None:
        self.course.port = port

    def _hooks_at(self, port: int) -> None:
        self.course.hook_port = port

    def _commands(self) -> Mapping[str, control.Command]:
        return Commands(
            settings=self.course.settings,
            clock=self.course.clock,
            database=self.database,
            carriers=self.carriers,
            feeds=self.feeds,
            holding=self.holding,
            lists=self.lists,
            retention=self.retention,
            runs=self.runs,
            front=self.front,
            turn=self._turn,
            status=self.condition.status,
        ).all()

    async def _turn(self, what: Pause, way: Turn, who: Principal) -> tuple[Paused, ...]:
        """Pause or resume for somebody at the panel or at the shell; returns what is paused then."""
        self.pauses = await self.database.commit(partial(turn, what, way, who, self.course.clock.now()))
        log.info("pause", what=str(what), off=way is Turn.RESUME, by=who.label)
        return self.pauses


def _out_of_sight(pbxs: Sequence[str], now: datetime, tx: Tx) -> None:
    for pbx in pbxs:
        tx.calls.lose_sight(pbx, now)
