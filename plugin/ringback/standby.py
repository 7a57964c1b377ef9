"""What is at our doors while the database is away at the start: everybody is told to come again, and why is shown."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import structlog
from aiohttp import web

from ringback import control
from ringback.config import Address, Settings
from ringback.errors import StoreAway
from ringback.panel.health import Health, PartState, Standing, as_json
from ringback.ports import Clock
from ringback.running import keep_running, no_parts
from ringback.service import Service

log = structlog.get_logger("app")

AGAIN = timedelta(seconds=2)
LATER = {"Retry-After": "5", "Cache-Control": "no-store", "Server": "Ringback"}
EXTEND_S = 60.0


class Standby:
    """Waits for the database. Returns True once it is there, False when told to stop before."""

    def __init__(self, settings: Settings, clock: Clock, stop: asyncio.Event, service: Service) -> None:
        self._settings = settings
        self._clock = clock
        self._stop = stop
        self._service = service
        self._since = clock.now()
        self._why = ""

    async def until(self, prepare: Callable[[], Awaitable[None]]) -> bool:
        """Try until `prepare` does not raise StoreAway any more."""
        if await self._once(prepare):
            return True
        log.warning("waiting for the database", problem=self._why)
        async with self._doors():
            while not self._stop.is_set():
                async with asyncio.TaskGroup() as group:
                    stopped = group.create_task(self._stop.wait())
                    await asyncio.wait({stopped}, timeout=AGAIN.total_seconds())
                    stopped.cancel()
                if await self._once(prepare):
                    return True
        return False

    async def _once(self, prepare: Callable[[], Awaitable[None]]) -> bool:
        """Try once; the service manager is asked for patience as long as that takes, as a migration may."""
        trying = asyncio.ensure_future(prepare())
        while not (await asyncio.wait((trying,), timeout=EXTEND_S / 2))[0]:
            self._wait("makes the database ready")
        try:
            await trying
        except StoreAway as problem:
            self._why = str(problem)
            self._wait(f"waits: {self._why}")
            return False
        return True

    def _wait(self, why: str) -> None:
        self._service.tell(f"STATUS={why}", f"EXTEND_TIMEOUT_USEC={int(EXTEND_S * 1_000_000)}")

    @asynccontextmanager
    async def _doors(self) -> AsyncIterator[None]:
        settings = self._settings
        doors = [settings.web.listen, *([settings.hooks.listen] if settings.hooks.public_url else [])]
        commands = {"status": self._status}
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            for door in doors:
                await stack.enter_async_context(self._door(door))
            serve = partial(control.serve, settings.paths.state, commands)
            serving = group.create_task(keep_running("control", serve, no_parts(self._clock)))
            try:
                yield
            finally:
                serving.cancel()

    @asynccontextmanager
    async def _door(self, at: Address) -> AsyncIterator[None]:
        """One port; where somebody else has it, the daemon itself will say so later."""
        runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, at.host, at.port).start()
        except OSError as problem:
            log.warning("a port is taken", host=at.host, port=at.port, problem=str(problem))
        try:
            yield
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        if request.path == "/healthz":
            return web.json_response({"alive": True}, headers=LATER)
        if request.path == "/readyz":
            return web.json_response(as_json(self._health("")), status=503, headers=LATER)
        return web.Response(status=503, text="Ringback waits for its database. Come again.\n", headers=LATER)

    async def _status(self, _words: control.Words) -> control.Words:
        return {"health": json.dumps(as_json(self._health(self._why)))}

    def _health(self, why: str) -> Health:
        return Health(False, (PartState("database", Standing.AWAY, self._since, why),))
