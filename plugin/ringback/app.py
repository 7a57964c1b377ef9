"""One running Ringback: holds the state folder, waits for its database, lives until told to stop."""

import asyncio
import gc
from functools import partial

import structlog

from ringback.course import Course
from ringback.life import Life
from ringback.parts import House
from ringback.standby import Standby
from ringback.store.addresses import sqlite_path
from ringback.store.checking import library as sqlite_library
from ringback.store.database import Database
from ringback.store.holding import hold
from ringback.store.schema import prepare

log = structlog.get_logger("app")


class App(Course):
    """`serve` it once."""

    async def serve(self) -> None:
        """Hold the state folder, open the database, run every part until told to stop, then drain."""
        with hold(self.settings.paths.state):
            standby = Standby(self.settings, self.clock, self.stop, self.service)
            opened: list[Database] = []
            if await standby.until(partial(self._open, opened)):
                await self._live(opened[0])
        if self.failure is not None:
            raise self.failure

    async def _open(self, opened: list[Database]) -> None:
        """Make the database ready and begin to write. Raises StoreAway where that may work later."""
        url, state = self.settings.database.url, self.settings.paths.state
        await asyncio.to_thread(prepare, url, state)
        database = Database(url, self.clock, state, self.give_up)
        self.epoch = await database.open()
        opened.append(database)
        library = sqlite_library() if sqlite_path(url) else "PostgreSQL"
        log.info("ringback starts", start=self.epoch, state=str(state), database=library)

    async def _live(self, database: Database) -> None:
        house = House(self, database)
        # all that is loaded now stays: a full collection need not walk through it while calls wait
        gc.collect()
        gc.freeze()
        gc.set_threshold(5_000, 80, 50)
        try:
            await Life(house).live()
        finally:
            await database.close()
