"""The one place where the parts meet: it makes them from the settings, starts them, and stops them."""

import asyncio
import gc
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import cast

import structlog

from ringback import control
from ringback.assembly import (
    expected_of,
    known_pause,
    known_to,
    make_carriers,
    make_feed,
    make_house,
    names_to_pause,
)
from ringback.asterisk.checks import check_line
from ringback.asterisk.feed import AmiFeed
from ringback.asterisk.rights import Rights, dangerous, rights
from ringback.asterisk.standing import State as LineState
from ringback.config import Settings
from ringback.core.permissions import Principal, at_the_shell
from ringback.errors import ConfigFault, PbxAway, PbxRefused, RingbackError
from ringback.findings import findings, hook_findings
from ringback.flow.arrivals import Arrivals
from ringback.flow.delays import Delays, sweep_each_minute, wake_up
from ringback.flow.desk import Desk
from ringback.flow.following import Follower
from ringback.flow.insist import insist_one
from ringback.flow.orphans import take_over
from ringback.flow.pauses import Pause, Paused, Turn, in_force, turn
from ringback.flow.people import change_by_words
from ringback.flow.reconcile import Reconcile
from ringback.flow.sending import Lane, Lanes
from ringback.front import Behind, Front
from ringback.hooks import Reception, hooked, serve
from ringback.panel.dashboard import Switch
from ringback.panel.health import Finding, Health, PartState, Standing, as_json
from ringback.ports import Clock, Closing, Listening, Listing
from ringback.ports.storage import Tx
from ringback.running import Parts, keep_running, no_parts
from ringback.store.database import Database, hold, prepare
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
class App:
    """One running Ringback. `serve` it once; `stop` ends it, `failure` says why it refused to go on."""

    settings: Settings
    clock: Clock
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    failure: RingbackError | None = None
    port: int = 0
    """Where the pages really are, once they are: the configured port may be 0."""
    hook_port: int = 0
    """The same for the hooks of carriers."""

    async def serve(self) -> None:
        """Hold the state folder, open the database, run every part until told to stop, then drain."""
        with hold(self.settings.paths.state):
            prepare(self.settings.database.url)
            database = Database(self.settings.database.url, self.clock)
            epoch = await database.open()
            log.info("ringback starts", start=epoch, state=str(self.settings.paths.state))
            house = _House(self, database)
            # all that is loaded now stays: a full collection need not walk through it while calls wait
            gc.collect()
            gc.freeze()
            gc.set_threshold(5_000, 80, 50)
            try:
                await house.live()
            finally:
                await database.close()
        if self.failure is not None:
            raise self.failure


class _House:
    """The parts of one run, wired."""

    def __init__(self, app: App, database: Database) -> None:
        settings, clock = app.settings, app.clock
        self.app = app
        self.database = database
        self.parts: Parts = no_parts(clock)
        self.pauses: tuple[Paused, ...] = ()
        self.carriers = make_carriers(settings, clock)
        self.house = known_to(self.carriers, make_house(settings))
        self.lane_of = {name: Lane(carrier, self.house, database, clock) for name, carrier in self.carriers.items()}
        self.lanes = Lanes(self.lane_of)
        self.delays = Delays(self.house, database, self.lanes, clock)
        self.arrivals = Arrivals(self.house, database, self.lanes, clock)
        self.follower = Follower(self.house, database, self.lanes, self.delays, clock)
        self.feeds = {pbx.name: make_feed(pbx, clock) for pbx in settings.asterisk}
        self.calling = hooked(self.carriers)
        self.reception = Reception(self.calling, self.arrivals, settings.hooks.public_url, clock)
        self.waiting = Waiting(database.changes, database, clock)
        self.front = Front(self._behind())

    def _behind(self) -> Behind:
        app = self.app
        return Behind(
            settings=app.settings,
            database=self.database,
            carriers=self.carriers,
            desk=Desk(self.house, self.database, self.lanes, self.carriers, app.clock),
            waiting=self.waiting,
            health=self.health,
            switch=Switch(names_to_pause(app.settings), lambda: self.pauses, self._turn),
            clock=app.clock,
        )

    async def live(self) -> None:
        """Start everything; the lanes stop last, so that what is on its way can end."""
        self.pauses = await self.database.commit(in_force)
        await self.database.commit(partial(wake_up, tuple(self.feeds)))
        orphans = partial(take_over, self.house, frozenset(self.lane_of), self.app.clock.now())
        if moved := await self.database.commit(orphans):
            log.warning("texts of a carrier that is not configured any more", texts=moved)
        async with asyncio.TaskGroup() as lanes:
            sending = [self._start(lanes, f"carrier {name}", lane.run) for name, lane in self.lane_of.items()]
            async with asyncio.TaskGroup() as others:
                rest = [self._start(others, name, part) for name, part in self._others()]
                await self.app.stop.wait()
                log.info("ringback stops")
                for task in rest:
                    task.cancel()
            self.lanes.drain()
            await self._leave(sending)
        for carrier in self.carriers.values():
            if isinstance(carrier, Closing):
                await carrier.close()

    async def _leave(self, sending: "list[asyncio.Task[None]]") -> None:
        """Note that nobody watches the PBXs now, and give texts on their way their time."""
        step = partial(_out_of_sight, tuple(self.feeds), self.app.clock.now())
        try:
            async with asyncio.timeout(NOTE_WITHIN.total_seconds()):
                await insist_one(self.database, self.app.clock, step)
        except TimeoutError:
            log.warning("the database cannot write, so the stop is not noted in it")
        _done, late = await asyncio.wait(sending, timeout=DRAIN.total_seconds()) if sending else (None, set())
        for task in late:
            task.cancel()

    def _start(self, group: asyncio.TaskGroup, name: str, part: Callable[[], Awaitable[None]]) -> "asyncio.Task[None]":
        return group.create_task(keep_running(name, part, self.parts), name=name)

    def _others(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """Every part but the lanes, by the name health shows."""
        app = self.app
        parts: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("web", partial(self.front.serve, self._pages_at)),
            ("logins", self.front.guard.watch),
            ("waiting", self.waiting.run),
            ("control", partial(control.serve, app.settings.paths.state, self._commands())),
            ("delays", self.delays.run),
            ("inbound", self.arrivals.look_after),
            ("housekeeping", partial(sweep_each_minute, self.database, app.clock)),
        ]
        if self.calling and app.settings.hooks.public_url:
            parts.append(("hooks", partial(serve, app.settings.hooks.listen, self.reception, self._hooks_at)))
        for name, carrier in self.carriers.items():
            if hasattr(carrier, "received_since"):
                listing = cast(Listing, carrier)
                reconcile = Reconcile(name, listing, self.house, self.arrivals, self.database, app.clock)
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
        pbx = next(pbx for pbx in self.app.settings.asterisk if pbx.name == feed.name)
        try:
            too_much = dangerous(await self._rights(feed))
        except PbxRefused as problem:
            log.warning("cannot ask what the account may do", pbx=feed.name, problem=str(problem))
            return
        if too_much and not pbx.allow_dangerous_account:
            fault = (
                f"{self.app.settings.file.name}: asterisk {pbx.name}: the AMI user {pbx.user} may write "
                f"{', '.join(too_much)}: give it write = reporting only, or set allow_dangerous_account = true"
            )
            self.app.failure = ConfigFault([fault])
            self.app.stop.set()

    async def _rights(self, feed: AmiFeed) -> Rights:
        """Ask as soon as the line is live, however long that takes."""
        while True:
            standing = await feed.ami.settled(within=3600)
            if standing.state is LineState.LIVE:
                with suppress(PbxAway):
                    return await rights(feed.ami)
            await self.app.clock.sleep_until(self.app.clock.now() + ASK_AGAIN)

    def _pages_at(self, port: int) -> None:
        self.app.port = port

    def _hooks_at(self, port: int) -> None:
        self.app.hook_port = port

    def health(self) -> Health:
        """How everything is now. Ready means that a missed call becomes a text."""
        parts = self.parts.all()
        needed = [part for part in parts if part.name.startswith(("asterisk ", "carrier ", "delays"))]
        works = bool(self.feeds and self.lane_of) and all(part.standing is Standing.WORKS for part in needed)
        ready = works and not self.database.trouble and not self.app.stop.is_set()
        return Health(ready, parts, self._findings())

    def _findings(self) -> tuple[Finding, ...]:
        hostile = {name: feed.counts().hostile for name, feed in self.feeds.items()}
        url, now = self.app.settings.hooks.public_url, self.app.clock.now()
        return (
            *findings(self.database.trouble, self.waiting.tasks, self.pauses, hostile),
            *hook_findings(self.reception.counts(), url, tuple(self.calling), now),
        )

    def _line(self, name: str) -> PartState:
        standing = self.feeds[name].standing
        fix = "ringback check" if standing.state is LineState.REFUSED else ""
        text = "" if standing.state is LineState.LIVE else standing.text(self.app.clock.now())
        return PartState(f"asterisk {name}", STANDINGS[standing.state], standing.since, text, fix)

    def _commands(self) -> Mapping[str, control.Command]:
        return {"pause": self._pause, "status": self._status, "check": self._check, "user": self._user}

    async def _check(self, _words: control.Words) -> control.Words:
        """Ask every PBX over the line we have; `checked` is a JSON list of what was found."""
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(check_line(expected_of(pbx), self.feeds[pbx.name].ami, self.app.clock))
                for pbx in self.app.settings.asterisk
            ]
        return {"checked": json.dumps([asdict(checked) for task in asked for checked in task.result()])}

    async def _turn(self, what: Pause, way: Turn, who: Principal) -> None:
        """Pause or resume for somebody at the panel or at the shell."""
        self.pauses = await self.database.commit(partial(turn, what, way, who, self.app.clock.now()))
        log.info("pause", what=str(what), off=way is Turn.RESUME, by=who.label)

    async def _pause(self, words: control.Words) -> control.Words:
        """`scope`, `name`, `off`, `by`: the answer lists what is paused now, a line each."""
        what = known_pause(names_to_pause(self.app.settings), words)
        way = Turn.RESUME if words.get("off") else Turn.PAUSE
        await self._turn(what, way, at_the_shell(words.get("by", "control")))
        return {"paused": "\n".join(str(paused.pause) for paused in self.pauses)}

    async def _user(self, words: control.Words) -> control.Words:
        """Change an account; `said` is what became of it. Browsers it is logged in with are looked up anew."""
        said = await self.database.commit(partial(change_by_words, words, self.app.clock.now()))
        self.front.guard.forget()
        return {"said": said}

    async def _status(self, _words: control.Words) -> control.Words:
        """How the daemon is, for when its pages cannot be reached; `health` is the JSON of /readyz."""
        return {
            "port": str(self.app.port),
            "hook_port": str(self.app.hook_port),
            "health": json.dumps(as_json(self.health())),
        }


def _out_of_sight(pbxs: Sequence[str], now: datetime, tx: Tx) -> None:
    for pbx in pbxs:
        tx.calls.lose_sight(pbx, now)
