"""Somebody else locks the database: hooks and programs hear "later" soon, nothing is promised, and all goes on after.

SOAK=1 locks for as long as a copy of a large database takes.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from statistics import quantiles

from sqlalchemy import create_engine, text

from ringback.carriers.twilio import build
from ringback.clock import SystemClock
from ringback.config import Address
from ringback.core.messages import Basis, MessageClass, Urgency, Wanted
from ringback.core.numbers import NumberFormat, read_number
from ringback.errors import StoreBusy
from ringback.flow.arrivals import Arrivals
from ringback.flow.outbound import submit
from ringback.flow.sending import Lanes
from ringback.hooks import Reception, serve
from ringback.ports import CarrierContext
from ringback.store.database import Database
from tests.crash.power_talk import HOME
from tests.fakes.twilio import ACCOUNT, TOKEN
from tests.flow.world import DID
from tests.hooks.conftest import PUBLIC, read_answer
from tests.hooks.test_flood import texted

LONG = os.environ.get("SOAK", "0") not in ("", "0")
LOCKED_S = 30.0 if LONG else 3.0
BEFORE_S, AFTER_S = 0.5, 2.5
EVERY_S = 0.01
WITHIN_S = 5.0
RESUMED_S = 2.0
STALL_S = 0.1

LOCKER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
database.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
database.execute("ROLLBACK")
"""


@dataclass(frozen=True)
class Asked:
    """One hook or one wish: when it was sent and answered, and how; `name` is the carrier's id or ours."""

    name: str
    at: float
    answered: float
    status: int


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """Hold the database in another process."""
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-c", LOCKER, str(path)]
    other = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert await other.stdout.readline() == b"locked\n"
    try:
        yield
    finally:
        await other.communicate(b"\n")


async def post(port: int, number: int) -> Asked:
    """Send a hook on a line of its own."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(texted(number))
    said = await asyncio.wait_for(read_answer(reader), 20)
    writer.close()
    return Asked(f"SM{number:032x}", begun, loop.time(), said.status)


async def wish(store: Database, clock: SystemClock, number: int) -> Asked:
    """Ask for a text as a program does: stored, or later."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    peer = read_number(f"+1512555{number % 10_000:04}", NumberFormat.E164, "US", extension_digits=4)
    kind, until = MessageClass.TRANSACTIONAL, clock.now() + timedelta(hours=1)
    basis, urgency = Basis.CONSENT, Urgency.TRANSACTIONAL
    wanted = Wanted(DID, peer, "hi", "en", kind, basis, "test", False, expires_at=until, urgency=urgency)
    try:
        done = await store.commit(partial(submit, HOME, None, wanted, None, clock.now()))
    except StoreBusy:
        return Asked("", begun, loop.time(), 503)
    return Asked(done.message, begun, loop.time(), 201)


async def beat(stalls: list[float]) -> None:
    """Measure how late the loop is."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + EVERY_S
        await asyncio.sleep(EVERY_S)
        stalls.append(loop.time() - due)


def rows(path: Path, statement: str) -> list[str]:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        found = [row[0] for row in connection.execute(text(statement))]
    engine.dispose()
    return found


async def test_a_locked_database_is_said_soon_and_nothing_is_promised(
    tmp_path: Path, empty_sqlite: Path, record_property
):
    path = tmp_path / "ringback.db"
    path.write_bytes(empty_sqlite.read_bytes())
    clock = SystemClock()
    store = Database(f"sqlite:///{path}", clock)
    await store.open()
    carrier = build("main", {"account": ACCOUNT, "key": TOKEN}, CarrierContext(clock, tmp_path, f"{PUBLIC}/hooks/main"))
    reception = Reception({"main": carrier}, Arrivals(HOME, store, Lanes({}), clock), PUBLIC, clock)
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(Address("127.0.0.1", 0), reception, listening.set_result))
    port = await listening
    stalls: list[float] = []
    beating = asyncio.create_task(beat(stalls))
    asking: list[asyncio.Task[Asked]] = []
    numbers = count()

    async def ask_for(seconds: float) -> None:
        """A hundred a second, ten of them wishes of programs."""
        for number in range(int(seconds / EVERY_S)):
            ours = next(numbers)
            one = wish(store, clock, ours) if number % 10 == 0 else post(port, ours)
            asking.append(asyncio.create_task(one))
            await asyncio.sleep(EVERY_S)

    loop = asyncio.get_running_loop()
    await ask_for(BEFORE_S)
    async with locked(path):
        begun = loop.time()
        await ask_for(LOCKED_S)
        ended = loop.time()
    freed = loop.time()
    await ask_for(AFTER_S)
    asked = await asyncio.gather(*asking)
    for task in (beating, serving):
        task.cancel()
    await asyncio.wait((beating, serving))
    await store.close()

    record_property("asked", len(asked))
    record_property("promised", sum(one.status in (200, 201) for one in asked))
    kept = {one.name for one in asked if one.status in (200, 201)}
    assert {one.status for one in asked} == {200, 201, 503}
    assert max(one.answered - one.at for one in asked) <= WITHIN_S
    assert {one.status for one in asked if begun < one.at and one.answered < ended} == {503}
    assert {one.status for one in asked if one.at > freed + RESUMED_S} == {200, 201}
    stored = rows(path, "SELECT provider_id FROM inbound_raw UNION ALL SELECT public_id FROM message")
    assert len(stored) == len(set(stored))
    assert kept - set(stored) == set(), "promised, and not there"
    late = quantiles(stalls, n=1000)[998 if LONG else 989]
    assert late <= STALL_S, f"the loop stood still for {late * 1000:.0f} ms"
