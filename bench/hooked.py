"""One that takes hooks, as a child: ours with everything behind it, or a plain handler that stores nothing.

python -m bench.hooked ringback|plain FOLDER
"""

import asyncio
import gc
import sys
from functools import partial
from pathlib import Path

from aiohttp import web

from bench.years import Years, fill
from ringback.assembly import make_house
from ringback.carriers import build_carrier
from ringback.clock import SystemClock
from ringback.config import Address, read
from ringback.flow.arrivals import Arrivals
from ringback.flow.sending import Lane, Lanes
from ringback.hooks import Reception, hooked, serve
from ringback.logs import LogFormat, start_logging
from ringback.ports import CarrierContext
from ringback.store.database import Database

ACCOUNT = "AC" + "0" * 32
KEY = "the key of the bench"
DID = "+12025550101"
PUBLIC = "https://sms.example.com"
TARGET = "/hooks/main/inbound"
RECEIPTS = "/hooks/main/receipt"
WAITING = 20_000
"""Texts whose receipt is still to come."""
ANSWER = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'

TOML = f"""
[business]
name = "Northlight"
zone = "America/New_York"
default_country = "US"

[hooks]
public_url = "{PUBLIC}"

[paths]
state = "state"

[[asterisk]]
name = "main"
user = "ringback"
inbound_contexts = ["from-trunk"]

[carriers.main]
type = "twilio"
account = "{ACCOUNT}"

[numbers."{DID}"]
carrier = "main"
"""
SECRETS = {"RINGBACK_CARRIERS__MAIN__KEY": KEY, "RINGBACK_ASTERISK__MAIN__SECRET": "not used"}


async def ringback(folder: Path) -> None:
    """The listener, Twilio's carrier file, the flow and SQLite with every commit flushed, wired as the daemon does."""
    start_logging(LogFormat.JSON)
    settings, clock = read(TOML, folder / "ringback.toml", SECRETS), SystemClock()
    settings.paths.state.mkdir()
    fill(settings.database.url, Years(WAITING, silent=1))
    database = Database(settings.database.url, clock)
    await database.open()
    house = make_house(settings)
    context = CarrierContext(clock, settings.paths.state, settings.hooks.of("main"))
    carrier = build_carrier("main", settings.carriers["main"].table, context)
    lane = Lane(carrier, house, database, clock)
    arrivals = Arrivals(house, database, Lanes({"main": lane}), clock)
    reception = Reception(hooked({"main": carrier}), arrivals, settings.hooks.public_url, clock)
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 80, 50)
    async with asyncio.TaskGroup() as parts:
        parts.create_task(lane.run())
        parts.create_task(arrivals.look_after())
        parts.create_task(serve(Address("127.0.0.1", 0), reception, partial(print, flush=True)))


async def plain(_folder: Path) -> None:
    """What a tutorial shows: it reads the form and answers. It believes everybody; a crash forgets all."""

    async def take(request: web.Request) -> web.Response:
        form = await request.post()
        assert form["MessageSid"]
        return web.Response(text=ANSWER, content_type="text/xml")

    app = web.Application()
    app.add_routes([web.post(TARGET, take), web.post(RECEIPTS, take)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run({"ringback": ringback, "plain": plain}[sys.argv[1]](Path(sys.argv[2])))
