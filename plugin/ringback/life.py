"""How one run lives: everything starts, the lanes stop last, and what is on its way can end."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from ringback.errors import StoreFault
from ringback.flow.insist import insist_one
from ringback.flow.looking_back import LeftBehind, look_back
from ringback.parts import House
from ringback.ports import Closing
from ringback.ports.storage import Tx
from ringback.running import keep_running
from ringback.store.addresses import sqlite_path
from ringback.store.checking import look_through

log = structlog.get_logger("app")

DRAIN = timedelta(seconds=20)
"""How long texts on their way may take when we stop; after that they are in doubt, and the next start says so."""

NOTE_WITHIN = timedelta(seconds=5)
"""How long a stop waits for a database that cannot write; the next start knows the last sign of life anyway."""


class Life:
    """The life of a house whose database is open."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def live(self) -> None:
        """Start everything; the lanes stop last, so that what is on its way can end."""
        house, course = self._house, self._house.course
        left = LeftBehind(tuple(course.settings.numbers), tuple(house.feeds), tuple(house.lane_of))
        house.pauses = await look_back(house.house, house.database, left, course.clock)
        await house.holding.load()
        await house.lists.load()
        async with asyncio.TaskGroup() as lanes:
            sending = [self._start(lanes, f"carrier {name}", lane.run) for name, lane in house.lane_of.items()]
            async with asyncio.TaskGroup() as others:
                rest = [self._start(others, name, part) for name, part in house.others()]
                rest.append(others.create_task(self._look_through()))
                # to the end of the drain: a service manager that hears nothing for long kills
                keep_told = partial(
                    course.service.keep_told,
                    house.condition.in_a_line,
                    lambda: house.database.alive,
                )
                telling = [self._start(lanes, "service", keep_told)] if course.service.listens else []
                await course.stop.wait()
                log.info("ringback stops")
                course.service.tell("STOPPING=1")
                unheard_from = course.clock.now()
                for task in rest:
                    task.cancel()
            house.lanes.drain()
            await self._leave(sending, unheard_from)
            for task in telling:
                task.cancel()
        for carrier in house.carriers.values():
            if isinstance(carrier, Closing):
                await carrier.close()

    async def _look_through(self) -> None:
        """A file too large to be looked at before the start may be damaged all the same."""
        path = sqlite_path(self._house.course.settings.database.url)
        try:
            if path is not None:
                await look_through(path)
        except StoreFault as fault:
            self._house.course.give_up(fault)

    async def _leave(self, sending: "list[asyncio.Task[None]]", unheard_from: datetime) -> None:
        """Note that nobody watches the PBXs any more, and give texts on their way their time."""
        step = partial(_out_of_sight, tuple(self._house.feeds), unheard_from)
        try:
            async with asyncio.timeout(NOTE_WITHIN.total_seconds()):
                await insist_one(self._house.database, self._house.course.clock, step)
        except TimeoutError:
            log.warning("the database cannot write, so the stop is not noted in it")
        _done, late = await asyncio.wait(sending, timeout=DRAIN.total_seconds()) if sending else (None, set())
        for task in late:
            task.cancel()

    def _start(self, group: asyncio.TaskGroup, name: str, part: Callable[[], Awaitable[None]]) -> "asyncio.Task[None]":
        return group.create_task(keep_running(name, part, self._house.parts), name=name)


def _out_of_sight(pbxs: Sequence[str], now: datetime, tx: Tx) -> None:
    for pbx in pbxs:
        tx.calls.lose_sight(pbx, now)
