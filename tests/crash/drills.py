"""Drills: work for the daemon, and what is done to it meanwhile, both drawn by seed."""

import asyncio
import random
import sqlite3
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

import psycopg

from ringback import control
from ringback.errors import RingbackError
from ringback.flow.holds import ALARM, PREFIX
from tests.crash.house import NUMBERS, House, Stuck
from tests.postgres import Cluster, unprivileged

AHEAD = 120
"""What was asked and is not acknowledged yet: enough that a fault always falls among work."""
QUEUED = 200
"""What it has and did not send yet: what is done to it shall meet work to its end."""
CHUNK = 40
PROGRAMS, CALLERS = 0.6, 0.1
"""Of all that is asked for: what programs ask, and callers who give up. The rest is written on handsets."""
SHARE = 0.65
"""Of all that is asked for, how much has arrived when the last act comes; some of it is refused or held."""
MANY = 1_000
ANY_TIME = 86_400.0
ALARMS = f"SELECT key FROM setting WHERE key LIKE '{PREFIX}%' AND changed_by = '{ALARM}'"
WORDS = ("HELP", "STOP", "is my order ready?")
ODDS: dict[str, float] = {
    "cut": 0.0005,
    "half": 0.002,
    "lost": 0.001,
    "error": 0.001,
    "reset": 0.001,
    "busy": 0.002,
    "drip": 0.002,
    "early": 0.05,
    "twice": 0.02,
    "backwards": 0.02,
    "undelivered": 0.01,
    "never": 0.01,
}
"""What the carrier does by itself in every drill."""
RARELY = {"cut": 0.00025, "half": 1e-5, "lost": 1e-5, "error": 1e-5, "reset": 1e-5, "busy": 1e-4, "hold": 0.1}
"""The same where there are many texts: with more than one of a thousand in doubt the alarm holds the carrier back, and
each "not now" costs seconds. Texts that are not answered at once are open when something happens."""
HOLD_S = 0.3


class Work:
    """What people and programs ask of the house: a plan drawn by seed, asked for as fast as it is taken."""

    def __init__(self, house: House, texts: int, within: float) -> None:
        self.house, self.texts = house, texts
        self.end = time.monotonic() + within
        self.random = random.Random(f"work {house.seed}")
        self.asked = 0
        self.people = 0
        self.unanswered = 0

    def somebody(self) -> tuple[str, str]:
        """A handset and a number of ours: mostly somebody new, now and then somebody who wrote before."""
        new = self.people < 5 or self.random.random() < 0.8
        person = self.people if new else self.random.randrange(self.people)
        self.people += new
        return f"+1512{3_000_000 + person:07}", NUMBERS[person % len(NUMBERS)]

    async def go(self) -> None:
        """Ask for everything, never far ahead of what arrived; ends when every program has its answer."""
        async with asyncio.TaskGroup() as group:
            while self.asked < self.texts and time.monotonic() < self.end:
                if await self.enough():
                    await asyncio.sleep(0.05)
                    continue
                await self.chunk(group)

    async def enough(self) -> bool:
        """Whether it has enough to do: hooks not taken, programs without an answer, texts that have not left yet."""
        if (await self.house.tell("idle"))["pending"] + self.unanswered > AHEAD:
            return True
        try:
            return await asyncio.to_thread(self.house.unsettled) > QUEUED
        except (sqlite3.Error, psycopg.Error):  # nobody can say just now
            return True

    async def chunk(self, group: asyncio.TaskGroup) -> None:
        """Some texts, each drawn: a program asks, a handset writes, a caller gives up."""
        texts: list[tuple[str, str, str]] = []
        calls = 0
        for _ in range(CHUNK):
            drawn, (peer, did) = self.random.random(), self.somebody()
            self.asked += 1
            if drawn < PROGRAMS:
                group.create_task(self.ask(self.asked, did, peer, self.random.random()))
            elif drawn < PROGRAMS + CALLERS:
                calls += 1
            else:
                texts.append((peer, did, self.random.choices(WORDS, (20, 1, 3))[0]))
        await self.house.write_in(texts, 2 if self.random.random() < 0.1 else 1)
        if any(client.logged_in for client in self.house.pbx._clients):
            self.house.ring(calls)

    async def ask(self, number: int, did: str, peer: str, drawn: float) -> None:
        assert self.house.programs is not None
        # most ask for nothing special; some for a later moment, some say what to do when nobody knows
        in_s = 1.5 if drawn < 0.03 else 0.0
        doubt = {"on_doubt": "check-then-resend"} if 0.03 < drawn < 0.06 else {"on_doubt": "once"}
        self.unanswered += 1
        await self.house.programs.send(f"key-{number}", did, peer, f"your order {number} is ready", in_s, **doubt)
        self.unanswered -= 1


async def drill(
    house: House, texts: int, acts: Sequence[str], cluster: Cluster | None = None, within: float = ANY_TIME
) -> None:
    """Do the work, and each act when the carrier has got a number of texts more, drawn by seed; then let all settle.

    What it got while the act before was under way does not count, so that no act meets a daemon that does nothing yet.
    When the time is over nothing more is asked for or done to it.
    """
    await house.tell("odds", ODDS if texts < MANY else {**ODDS, **RARELY})
    await house.tell("knobs", {"hold": HOLD_S})
    await house.start()
    work = Work(house, texts, within)
    working = asyncio.ensure_future(work.go())
    usual = texts * SHARE / (len(acts) + 1)
    watching = asyncio.ensure_future(lets_go_on(house))
    try:
        for act in acts:
            if time.monotonic() > work.end:
                break
            await house.until(house.takes_hooks, "the daemon takes hooks")
            await reaches(house, house.arrived + 1 + int(house.random.uniform(0.3, 1.7) * usual), working)
            await ACTS[act](house, cluster)
        await ends(house, working)
        if "clock" in acts:
            # what was asked for at a moment of the true clock comes at that moment
            set_clock(house.folder / CLOCK, 0)
        await house.settles(120)
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


async def lets_go_on(house: House) -> None:
    """Be the person who reads an alarm, sees that the drill itself put so many in doubt, and lets the carrier go on."""
    while True:
        await asyncio.sleep(0.5)
        with suppress(sqlite3.Error, psycopg.Error, OSError, RingbackError, ValueError):
            for row in await asyncio.to_thread(house.ask, ALARMS):
                name = str(row["key"]).removeprefix(PREFIX)
                await control.ask(house.state, "carrier", by="drill", change="release", name=name)


async def ends(house: House, working: "asyncio.Task[None]", within: float = 120) -> None:
    """Wait until everything was asked for and answered; a daemon that died, or does nothing any more, ends the wait."""
    seen, end = 0, time.monotonic() + within
    while not (await asyncio.wait((working,), timeout=0.5))[0]:
        if not house.running:
            raise Stuck(f"the daemon ended by itself\n{house.log()}")
        if (now := house.asks + house.arrived) != seen:
            seen, end = now, time.monotonic() + within
        if time.monotonic() > end:
            raise Stuck(f"nothing happens any more\n{house.log()}")
    await working


async def reaches(house: House, number: int, working: "asyncio.Task[None]") -> None:
    """Wait until the carrier has so many texts, or there is nothing more to do."""
    end = time.monotonic() + 120
    while house.arrived < number and not (working.done() and house._tell("idle", None)["pending"] == 0):
        if not house.running:
            raise Stuck(f"the daemon ended by itself\n{house.log()}")
        if time.monotonic() > end:
            raise Stuck(f"the carrier got {house.arrived} of {number}\n{house.log()}")
        await asyncio.sleep(0.005)


# -- what may be done to it


async def kill(house: House, _cluster: Cluster | None) -> None:
    if not house.running:
        raise Stuck(f"it ended by itself before it was killed\n{house.log()}")
    house.kill()
    house.starts_up()


async def freeze(house: House, _cluster: Cluster | None) -> None:
    await house.freezes(house.random.uniform(0.2, 4.0))


async def stop(house: House, _cluster: Cluster | None) -> None:
    """SIGTERM with a full window: over within 30 s, and nothing is lost."""
    # before that it has no handler for the signal, and ends as any process does
    await house.until(house.takes_hooks, "the daemon takes hooks")
    code, took = await house.stops()
    if code != 0 or took > 30:
        raise Stuck(f"told to stop, it ended with {code} after {took:.1f} s\n{house.log()}")
    house.starts_up()


async def lock(house: House, _cluster: Cluster | None) -> None:
    """Somebody else holds the database for some seconds. Who only starts then may end, which is no drill."""
    await house.until(house.takes_hooks, "the daemon takes hooks")
    house.fault("lock")
    await asyncio.to_thread(_lock, house.url, house.random.uniform(1.0, 7.0))


def _lock(url: str, seconds: float) -> None:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10, isolation_level=None)) as foreign:
            foreign.execute("BEGIN EXCLUSIVE")
            time.sleep(seconds)  # the lock is the event
            foreign.execute("ROLLBACK")
        return
    with psycopg.connect(url) as foreign:
        foreign.execute("LOCK TABLE message, attempt, inbound_raw IN ACCESS EXCLUSIVE MODE")
        time.sleep(seconds)


async def database(house: House, cluster: Cluster | None) -> None:
    """kill -9 of the postmaster, and a new one."""
    assert cluster is not None
    await house.until(house.takes_hooks, "the daemon takes hooks")
    house.fault("database")
    await asyncio.to_thread(restart, cluster)


def restart(cluster: Cluster) -> None:
    """End PostgreSQL as a power cut would end it, and start it again on the same files."""
    command = cluster.process.args
    cluster.process.kill()
    cluster.process.wait(10)
    end = time.monotonic() + 30
    while True:
        with (cluster.folder / "log").open("ab") as log:
            cluster.process = subprocess.Popen(command, user=unprivileged(), cwd=cluster.folder, stderr=log)
        while cluster.process.poll() is None:
            with suppress(psycopg.OperationalError):
                psycopg.connect(cluster.conninfo("postgres"), connect_timeout=2).close()
                return
            if time.monotonic() > end:
                break
            time.sleep(0.05)  # a server that recovers has no event to wait for
        if time.monotonic() > end:
            raise Stuck("PostgreSQL does not come back")
        time.sleep(0.2)  # the old one's children go first


CLOCK = "clock"
JUMPS_APART_S = 1.0
"""Between two of them there is some life by the clock as it is."""
JUMPS = (3600.0, -3600.0, 300.0, -86_400.0, 60.0)


async def clock(house: House, _cluster: Cluster | None) -> None:
    """Somebody sets the clock."""
    await asyncio.sleep(JUMPS_APART_S)
    house.fault("clock")
    set_clock(house.folder / CLOCK, house.random.choice(JUMPS))


def set_clock(file: Path, seconds: float) -> None:
    spare = file.with_suffix(".new")
    spare.write_text(str(seconds))
    spare.rename(file)


ACTS: dict[str, Callable[[House, Cluster | None], Awaitable[None]]] = {
    "kill": kill,
    "freeze": freeze,
    "stop": stop,
    "lock": lock,
    "database": database,
    "clock": clock,
}
