"""R10: PostgreSQL falls over to a real standby, one that has everything and one that lost the end.

The standby takes the place of the first one at its port, as it does behind an address that moves. With synchronous
replication nothing may be lost. Without, what was acknowledged last may be gone, and Ringback must say so: the daemon
ends, holds its carriers back at the next start, and sends nothing twice.
"""

import asyncio
import itertools
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psycopg

from tests.crash.checker import check
from tests.crash.house import NUMBERS, ROOT, House, Stuck, house
from tests.crash.part import Asked, Outcome, said
from tests.postgres import BINARIES, Cluster, cluster, free_port, unprivileged

AHEAD, TAIL = 40, 30
"""Texts that arrive while both are there, and those that only the first one knows of."""
GONE_S, QUIET_S = 60.0, 4.0


class Pair:
    """A server and its standby."""

    def __init__(self, first: Cluster) -> None:
        self.first = first
        self.folder = first.folder / "second"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Copy the first one, and let the copy follow."""
        command = [BINARIES[-1] / "pg_basebackup", "-D", self.folder, "-h", "127.0.0.1", "-p", str(self.first.port)]
        command += ["-U", "ringback", "-R", "-X", "stream", "-c", "fast", "--no-sync"]
        subprocess.run(command, check=True, user=unprivileged(), cwd=self.first.folder, stderr=subprocess.DEVNULL)
        self.start(self.port)

    def start(self, port: int) -> None:
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "synchronous_standby_names="]
        options += ["-c", f"unix_socket_directories={self.first.folder}"]
        command = [BINARIES[-1] / "postgres", "-D", self.folder, "-p", str(port), *options]
        with (self.first.folder / "log2").open("ab") as log:
            self.process = subprocess.Popen(command, user=unprivileged(), cwd=self.first.folder, stderr=log)
        wait_for(self.first.conninfo("postgres").replace(f":{self.first.port}/", f":{port}/"))

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(2)
            self.process.wait(30)

    def promote(self) -> None:
        """End the first one as a power cut would, and let the second take its place."""
        self.first.process.kill()
        self.first.process.wait(10)
        self.stop()
        self.start(self.first.port)
        with psycopg.connect(self.first.conninfo("postgres"), autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")

    def asks_for_both(self) -> None:
        """Let a commit be on both before it is acknowledged."""
        with psycopg.connect(self.first.conninfo("postgres"), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with psycopg.connect(self.first.conninfo("postgres")) as connection:
                row = connection.execute("SELECT sync_state FROM pg_stat_replication").fetchone()
            if row == ("sync",):
                return
            time.sleep(0.05)  # a server tells nobody when its standby has caught up
        raise Stuck("the standby does not follow")


def wait_for(conninfo: str) -> None:
    end = time.monotonic() + 30
    while True:
        with suppress(psycopg.OperationalError):
            psycopg.connect(conninfo, connect_timeout=2).close()
            return
        if time.monotonic() > end:
            raise Stuck("PostgreSQL does not start")
        time.sleep(0.05)  # a server has no bell before it listens


@asynccontextmanager
async def pair_and_house(folder: Path, seed: int, both: str) -> AsyncIterator[tuple[Pair, House]]:
    with cluster() as first:
        pair, url = Pair(first), first.create("ringback")
        await asyncio.to_thread(pair.make)
        if both == "synchronous":
            await asyncio.to_thread(pair.asks_for_both)
        try:
            async with house(folder, "http", url, seed) as made:
                await made.start()
                yield pair, made
        finally:
            pair.stop()
            shutil.rmtree(pair.folder, ignore_errors=True)


async def work(made: House) -> None:
    """Programs ask for texts, each for somebody new."""
    assert made.programs is not None
    async with asyncio.TaskGroup() as group:
        for number in itertools.count():
            to = f"+1512{3_000_000 + number:07}"
            group.create_task(made.programs.send(f"tail-{number}", NUMBERS[number % 10], to, f"order {number}"))
            await asyncio.sleep(0.03)


async def arrive(made: House, more: int) -> None:
    number = made.arrived + more
    await made.until(lambda: made.arrived >= number, f"{more} texts more arrive")


async def over(working: "asyncio.Task[None]") -> None:
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working


async def keeps_everything(folder: Path, seed: int) -> Outcome:
    """Synchronous: the standby has all that was acknowledged, and everything goes on."""
    async with pair_and_house(folder, seed, "synchronous") as (pair, made):
        working = asyncio.ensure_future(work(made))
        await arrive(made, AHEAD)
        made.fault("database")
        await asyncio.to_thread(pair.promote)
        if not made.running:
            made.starts_up()
        await made.until(made.takes_hooks, "the daemon takes hooks")
        await arrive(made, AHEAD)
        await over(working)
        await made.settles(120)
        ledgers = made.ledgers()
        return Outcome({"synchronous": 1, "texts": len(ledgers.accepted)}, said(check(ledgers)))


async def loses_its_end(folder: Path, seed: int) -> Outcome:
    """Asynchronous: the daemon sees it, holds everything back, and sends nothing twice once it is let go."""
    outcome = Outcome()
    async with pair_and_house(folder, seed, "asynchronous") as (pair, made):
        working = asyncio.ensure_future(work(made))
        await arrive(made, AHEAD)
        await asyncio.to_thread(pair.stop)
        await arrive(made, TAIL)
        made.fault("database")
        await asyncio.to_thread(pair.promote)
        await over(working)
        await made.until(lambda: not made.running, "the daemon sees that its database went back, and ends", GONE_S)
        before = made.arrived
        made.starts_up()
        await made.until(made.takes_hooks, "the daemon takes hooks")
        held = "SELECT value FROM setting WHERE key = 'hold:carrier:main' AND changed_by = 'restore'"
        await made.until(lambda: bool(made.ask(held)), "its carriers are held back", 30)
        await asyncio.sleep(QUIET_S)
        if made.arrived != before:
            outcome.broken.append(f"{made.arrived - before} texts left although the carriers are held back")
        await asyncio.to_thread(release, made)
        await made.settles(120)
        ledgers = made.ledgers()
        arrived: dict[object, int] = {}
        for line in ledgers.accepted:
            arrived[line["to"]] = arrived.get(line["to"], 0) + 1
        twice = sum(number > 1 for number in arrived.values())
        kept = {row["public_id"] for row in ledgers.rows("message")}
        lost = sum(line["kind"] == "api" and line["id"] not in kept for line in ledgers.told)
        outcome.numbers = {"asynchronous": 1, "texts": len(ledgers.accepted), "alarms": 1, "lost tail": lost}
        outcome.numbers["twice"] = twice
        if twice:
            outcome.broken.append(f"{twice} texts arrived twice")
        if not lost:
            outcome.broken.append("the standby lacked nothing, so nothing was shown")
    return outcome


def release(made: House) -> None:
    """A person has seen it, and lets the carrier go on."""
    command = [sys.executable, "-m", "ringback.cli", "carrier", "release", "main"]
    command += ["--config", str(made.folder / "ringback.toml")]
    subprocess.run(command, check=True, env={**made._path(ROOT / "plugin"), **made._secrets()}, timeout=60)


async def standby(asked: Asked, folder: Path) -> Outcome:
    """Ten promotions of each kind."""
    outcome = Outcome()
    for number in range(asked.many(10, 1)):
        for name, way in (("kept", keeps_everything), ("lost", loses_its_end)):
            one = await way(folder / f"{name}{number}", asked.seed + number)
            outcome.broken += one.broken
            for what, value in one.numbers.items():
                outcome.numbers[what] = outcome.numbers.get(what, 0) + value
    return outcome
