"""The parts of one run, wired: what is made from the settings, what runs, how it is, and how it ends."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
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
from ringback.asterisk.feed import AmiFeed
from ringback.asterisk.rights import Rights, dangerous, rights
from ringback.asterisk.standing import State as LineState
from ringback.commands import Commands
from ringback.config import Settings
from ringback.core.permissions import Principal
from ringback.errors import ConfigFault, PbxAway, PbxRefused, RingbackError, StoreFault
from ringback.findings import findings, hold_findings, hook_findings
from ringback.flow.arrivals import Arrivals
from ringback.flow.asking import Asking
from ringback.flow.bulks import Runs
from ringback.flow.delays import Delays, sweep_each_minute, wake_up
from ringback.flow.desk import Desk
from ringback.flow.doubts import Doubts
from ringback.flow.feeding import Feeder
from ringback.flow.following import Follower
from ringback.flow.gaps import Gaps
from ringback.flow.holds import Holding
from ringback.flow.indexing import Indexing
from ringback.flow.insist import insist_one
from ringback.flow.mending import seal_each_hour
from ringback.flow.orphans import take_over
from ringback.flow.pauses import Pause, Paused, Turn, in_force, turn
from ringback.flow.reconcile import Reconcile
from ringback.flow.restoring import hold_everything
from ringback.flow.retention import Retention
from ringback.flow.sending import Lane, Lanes
from ringback.front import Behind, Front
from ringback.hooks import Reception, hooked, serve
from ringback.metrics import Metrics, Sources, kept_figures
from ringback.panel.dashboard import Switch
from ringback.panel.health import Finding, Health, PartState, Standing, as_json
from ringback.ports import Clock, Closing, Listening, Listing
from ringback.ports.storage import Tx
from ringback.pulse import BOUNDS, Pulse
from ringback.running import Parts, keep_running, no_parts
from ringback.service import Service
from ringback.store.database import Database
from ringback.store.tally import Spread
from ringback.waiting import Waiting

log = structlog.get_logger("app")

DRAIN = timedelta(seconds=20)
"""How long texts on their way may take when we stop; after that they are in doubt, and the next start says so."""

NOTE_WITHIN = timedelta(seconds=5)
"""How long a stop waits for a database that cannot write; the next start knows the last sign of life anyway."""

ASK_AGAIN = timedelta(seconds=2)

STANDINGS = {
    LineState.LIVE: Standing.WORKS,
    LineState.REFUSED: Standing.NEEDS_YOU,
    LineState.STARTING: Standing.STARTING,
    LineState.CONNECTING: Standing.STARTING,
    LineState.AWAY: Standing.AWAY,
}


@dataclass(slots=True)
class Course:
    """What a run is told, and what it tells: `stop` ends it, `failure` says why it refused to go on."""

    settings: Settings
    clock: Clock
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    failure: RingbackError | None = None
    port: int = 0
    """Where the pages really are, once they are: the configured port may be 0."""
    hook_port: int = 0
    """The same for the hooks of carriers."""
    service: Service = field(default_factory=Service)
    epoch: int = 0
    """The number of this start of this database's daemon."""

    def give_up(self, fault: RingbackError) -> None:
        """The database must not be used any more: stop, and let whoever starts us again look at it first."""
        self.failure = self.failure or fault
        self.stop.set()


class House:
    """The parts of one run, wired."""

    def __init__(self, course: Course, database: Database) -> None:
        settings, clock = course.settings, course.clock
        self.course = course
        self.database = database
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
        self.retention = Retention(database, clock, make_times(settings), database.scrub)
        self.lags = Spread(BOUNDS)
        self.pulse = Pulse(self.lags.add)
        self.asking = Asking(self.house, database, self.lanes, clock)
        self.runs = Runs(database, clock)
        self.front = Front(self._behind())

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
            waiting=self.waiting,
            health=self.health,
            metrics=Metrics(self._sources()).render,
            switch=Switch(names_to_pause(course.settings), lambda: self.pauses, self._turn),
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
            health=self.health,
            epoch=lambda: self.course.epoch,
        )

    def _in_a_line(self) -> str:
        """How we are, for the service manager."""
        health = self.health()
        wrong = [part.name for part in health.parts if part.standing is not Standing.WORKS]
        return "ready" if health.ready else f"not ready: {self.database.trouble or ', '.join(wrong) or 'stopping'}"

    async def _look_back(self) -> None:
        """Before anything runs: what the last run and those at the shell left in the database."""
        insist = partial(insist_one, self.database, self.course.clock)
        self.pauses = await insist(in_force)
        await insist(partial(wake_up, tuple(self.feeds)))
        carriers, now = tuple(self.lane_of), self.course.clock.now()
        if why := await insist(partial(hold_everything, carriers, now)):
            log.error("every carrier is held", why=why)
        await self.holding.load()
        orphans = partial(take_over, self.house, frozenset(self.lane_of), self.course.clock.now())
        if moved := await insist(orphans):
            log.warning("texts of a carrier that is not configured any more", texts=moved)

    async def live(self) -> None:
        """Start everything; the lanes stop last, so that what is on its way can end."""
        await self._look_back()
        async with asyncio.TaskGroup() as lanes:
            sending = [self._start(lanes, f"carrier {name}", lane.run) for name, lane in self.lane_of.items()]
            async with asyncio.TaskGroup() as others:
                rest = [self._start(others, name, part) for name, part in self._others()]
                # to the end of the drain: a service manager that hears nothing for long kills
                keep_told = partial(self.course.service.keep_told, self._in_a_line, lambda: self.database.alive)
                telling = [self._start(lanes, "service", keep_told)] if self.course.service.listens else []
                await self.course.stop.wait()
                log.info("ringback stops")
                self.course.service.tell("STOPPING=1")
                for task in rest:
                    task.cancel()
            self.lanes.drain()
            await self._leave(sending)
            for task in telling:
                task.cancel()
        for carrier in self.carriers.values():
            if isinstance(carrier, Closing):
                await carrier.close()

    async def _leave(self, sending: "list[asyncio.Task[None]]") -> None:
        """Note that nobody watches the PBXs now, and give texts on their way their time."""
        step = partial(_out_of_sight, tuple(self.feeds), self.course.clock.now())
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
            ("sealing", partial(seal_each_hour, self.database, course.clock)),
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
        for name, feed in self.feeds.items():
            self.parts.watch(f"asterisk {name}", partial(self._line, name))
            parts.append((f"asterisk {name}", partial(self._hear, feed)))
        return parts

    async def _hear(self, feed: AmiFeed) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(feed.run())
            group.create_task(self.follower.follow(feed))
            group.create_task(self._mind_account(feed))

    async def _mind_account(self, feed: AmiFeed) -> None:
        """Refuse to go on with an AMI account that may do more than we need (S2)."""
        pbx = next(pbx for pbx in self.course.settings.asterisk if pbx.name == feed.name)
        try:
            too_much = dangerous(await self._rights(feed))
        except PbxRefused as problem:
            log.warning("cannot ask what the account may do", pbx=feed.name, problem=str(problem))
            return
        if too_much and not pbx.allow_dangerous_account:
            fault = (
                f"{self.course.settings.file.name}: asterisk {pbx.name}: the AMI user {pbx.user} may write "
                f"{', '.join(too_much)}: give it write = reporting only, or set allow_dangerous_account = true"
            )
            self.course.failure = ConfigFault([fault])
            self.course.stop.set()

    async def _rights(self, feed: AmiFeed) -> Rights:
        """Ask as soon as the line is live, however long that takes."""
        while True:
            standing = await feed.ami.settled(within=3600)
            if standing.state is LineState.LIVE:
                with suppress(PbxAway):
                    return await rights(feed.ami)
            await self.course.clock.sleep_until(self.course.clock.now() + ASK_AGAIN)

    def _pages_at(self, port: int) -> None:
        self.course.port = port

    def _hooks_at(self, port: int) -> None:
        self.course.hook_port = port

    def health(self) -> Health:
        """How everything is now. Ready means that a missed call becomes a text."""
        parts = self.parts.all()
        needed = [part for part in parts if part.name.startswith(("asterisk ", "carrier ", "delays"))]
        works = bool(self.feeds and self.lane_of) and all(part.standing is Standing.WORKS for part in needed)
        ready = works and not self.database.trouble and not self.course.stop.is_set()
        return Health(ready, parts, self._findings())

    def _findings(self) -> tuple[Finding, ...]:
        hostile = {name: feed.counts().hostile for name, feed in self.feeds.items()}
        url, now = self.course.settings.hooks.public_url, self.course.clock.now()
        return (
            *findings(self.database.trouble, self.waiting.tasks, self.pauses, hostile),
            *hold_findings(self.holding.held),
            *hook_findings(self.reception.counts(), url, tuple(self.calling), now),
        )

    def _line(self, name: str) -> PartState:
        standing = self.feeds[name].standing
        fix = "ringback check" if standing.state is LineState.REFUSED else ""
        text = "" if standing.state is LineState.LIVE else standing.text(self.course.clock.now())
        return PartState(f"asterisk {name}", STANDINGS[standing.state], standing.since, text, fix)

    def _commands(self) -> Mapping[str, control.Command]:
        return Commands(
            settings=self.course.settings,
            clock=self.course.clock,
            database=self.database,
            carriers=self.carriers,
            feeds=self.feeds,
            holding=self.holding,
            retention=self.retention,
            runs=self.runs,
            front=self.front,
            turn=self._turn,
            status=self._status,
        ).all()

    async def _turn(self, what: Pause, way: Turn, who: Principal) -> tuple[Paused, ...]:
        """Pause or resume for somebody at the panel or at the shell; returns what is paused then."""
        self.pauses = await self.database.commit(partial(turn, what, way, who, self.course.clock.now()))
        log.info("pause", what=str(what), off=way is Turn.RESUME, by=who.label)
        return self.pauses

    async def _status(self, _words: control.Words) -> control.Words:
        """How the daemon is, for when its pages cannot be reached; `health` is the JSON of /readyz."""
        return {
            "port": str(self.course.port),
            "hook_port": str(self.course.hook_port),
            "health": json.dumps(as_json(self.health())),
            "figures": json.dumps(await self._figures()),
        }

    async def _figures(self) -> dict[str, object]:
        """What `ringback status` shows beside health. A database that cannot write says so in health."""
        tasks = {str(kind): count for kind, count in self.waiting.tasks.items() if count}
        figures: dict[str, object] = {
            "start": self.course.epoch,
            "changes_waiting": self.database.waiting,
            "texts_in_flight": {name: lane.in_flight for name, lane in self.lane_of.items()},
            "tasks": tasks,
        }
        with suppress(StoreFault, TimeoutError):
            async with asyncio.timeout(NOTE_WITHIN.total_seconds()):
                figures |= await self.database.commit(kept_figures)
        return figures


def _out_of_sight(pbxs: Sequence[str], now: datetime, tx: Tx) -> None:
    for pbx in pbxs:
        tx.calls.lose_sight(pbx, now)
