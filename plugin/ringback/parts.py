"""The parts of one run, wired: what is made from the settings, and what runs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
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
from ringback.behind import Behind
from ringback.commands import Commands
from ringback.condition import Condition
from ringback.core.permissions import Principal
from ringback.course import Course
from ringback.dialplan_part import DialplanPart
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
from ringback.flow.list_keeping import ListKeeper
from ringback.flow.pauses import Pause, Paused, Turn, turn
from ringback.flow.presence import Roll
from ringback.flow.reconcile import Reconcile
from ringback.flow.recordkeeping import Recordkeeping
from ringback.flow.restoring import Restoring
from ringback.flow.retention import Retention
from ringback.flow.sending import Lane, Lanes
from ringback.flow.serving import Serving
from ringback.flow.session_desk import SessionDesk
from ringback.flow.waits import Waits
from ringback.front import Front
from ringback.hearing import Hearing
from ringback.hooks import Reception, hooked, serve
from ringback.metrics import Metrics, Sources
from ringback.panel.carriers import Reins
from ringback.panel.dashboard import Switch
from ringback.ports import Listening, Listing
from ringback.pulse import BOUNDS, Pulse
from ringback.running import Parts, no_parts
from ringback.staffing import make_askers
from ringback.store.anchors import Anchors
from ringback.store.database import Database
from ringback.store.lists import ReadLists
from ringback.store.tally import Spread
from ringback.store.verifying import Verifier
from ringback.waiting import Waiting

log = structlog.get_logger("app")


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
        self.waits, self.roll, self.serving, self.dialplan = self._service()
        self.calling = hooked(self.carriers)
        self.reception = Reception(self.calling, self.arrivals, settings.hooks.public_url, clock)
        self.waiting = Waiting(database.changes, database, clock)
        self.lists, self.retention, self.recordkeeping = self._keepers()
        self.lags = Spread(BOUNDS)
        self.pulse = Pulse(self.lags.add)
        self.asking, self.runs = Asking(self.house, database, self.lanes, clock), Runs(database, clock)
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
            self.waits.errors,
            self.dialplan.counts,
        )
        self.front = Front(self._behind())

    def _service(self) -> tuple[Waits, Roll, Serving, DialplanPart]:
        """Who knows how long callers wait and who can take a text, who gives sessions to agents, and who tells the
        dialplan."""
        course, house, database, lanes = self.course, self.house, self.database, self.lanes
        self.exchanges = exchanges = {name: feed.exchange for name, feed in self.feeds.items()}
        roll, waits = Roll(exchanges, database.changes, course.clock), Waits(exchanges, database, course.clock)
        serving = Serving(house, database, roll, database.changes, lanes.nudge, course.clock)
        return waits, roll, serving, DialplanPart(course, house, database, lanes, self.feeds, waits, roll)

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
            sessions=SessionDesk(self.house, self.database, course.clock, self.roll, self.lanes.nudge),
            roll=self.roll,
            exchanges=self.exchanges,
            waits=self.waits,
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
            waits=self.waits.errors,
            dialplan=self.dialplan.counts,
            dialplan_took=self.dialplan.took,
        )

    def others(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
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
            ("presence", self.roll.run),
            ("sessions", self.serving.run),
            ("retention", self.retention.run),
            ("search", Indexing(self.database, self.database.changes, course.clock).run),
            ("pulse", self.pulse.run),
            ("inbound", self.arrivals.look_after),
            ("gaps", self.gaps.run),
            ("waits", self.waits.run),
            ("restoring", Restoring(self.house, self.database, self.carriers, self.holding, course.clock).run),
            ("sealing", self.recordkeeping.run),
            ("refusals", partial(denials_of(self.database).run, course.clock)),
            ("housekeeping", partial(sweep_each_minute, self.house, self.database, course.clock)),
        ]
        if self.calling and course.settings.hooks.public_url:
            parts.append(("hooks", partial(serve, course.settings.hooks.listen, self.reception, self._hooks_at)))
        if self.dialplan.show(self.parts):
            parts.append(("dialplan", self.dialplan.run))
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
            self.parts.watch(f"queues {name}", partial(self.condition.queues, name))
            parts.append((f"queues {name}", feed.listen_in))
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
            exchanges=self.exchanges,
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
