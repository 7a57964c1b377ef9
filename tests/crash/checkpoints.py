"""R6: one connection writes and empties the log all the time while four others read, and the file stays whole."""

import asyncio
import multiprocessing
import sqlite3
import time
from contextlib import closing
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path

from ringback.clock import SystemClock
from ringback.store.database import Database
from ringback.store.schema import migrate
from ringback.store.sqlite import PRAGMAS
from tests.crash.part import Asked, Outcome
from tests.crash.pragmas import write_with

READERS = 4
PAGES = 25
"""The log is put back into the file after so few pages, which is at nearly every commit."""
KEYS = 400
CHECK_S = 20.0
QUERY = "SELECT count(*), sum(length(value)) FROM setting WHERE key LIKE 'r6 %'"


def put(number: int, tx: object) -> None:
    tx.settings.put(f"r6 {number % KEYS}", "x" * (200 + number * 37 % 9_000), SystemClock().now(), "test")  # type: ignore[attr-defined]


def read(path: Path, over: Event, told: "multiprocessing.Queue[tuple[int, int, str]]") -> None:
    """Read in transactions of different length, and now and then look whether the file is whole.

    Says that it is there, and in the end how often it read and looked, and what was wrong.
    """
    told.put((0, 0, ""))
    reads, checks, wrong, looked = 0, 0, "", time.monotonic()
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as connection:
        for pragma in ("PRAGMA query_only = ON", "PRAGMA wal_autocheckpoint = 0"):
            connection.execute(pragma).fetchall()
        while not over.is_set() and not wrong:
            connection.execute("BEGIN")
            before = connection.execute(QUERY).fetchone()
            time.sleep(0.002 * (reads % 5))  # a reader that stays holds the log open, which is what this is about
            after = connection.execute(QUERY).fetchone()
            connection.execute("COMMIT")
            reads += 1
            if before != after:
                wrong = f"a transaction read {before} and then {after}"
            if time.monotonic() - looked > CHECK_S:
                said = connection.execute("PRAGMA integrity_check").fetchone()[0]
                checks, looked = checks + 1, time.monotonic()
                wrong = wrong or ("" if said == "ok" else f"integrity_check: {said}")
    told.put((reads, checks, wrong))


async def write(path: Path, seconds: float) -> int:
    """Commit as fast as it goes; returns how often."""
    store, number, end = Database(f"sqlite:///{path}", SystemClock()), 0, time.monotonic() + seconds
    await store.open()
    while time.monotonic() < end:
        await asyncio.gather(*(store.commit(partial(put, number + n)) for n in range(4)))
        number += 4
    await store.close()
    return number


async def checkpoints(asked: Asked, folder: Path) -> Outcome:
    """Ten minutes of it."""
    path = folder / "ringback.db"
    migrate(f"sqlite:///{path}")
    write_with((*PRAGMAS, f"PRAGMA wal_autocheckpoint = {PAGES}"))
    context = multiprocessing.get_context("spawn")
    over, told = context.Event(), context.Queue()
    readers = [context.Process(target=read, args=(path, over, told), daemon=True) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    try:
        for _ in readers:
            await asyncio.to_thread(told.get, True, 60)
        commits = await write(path, asked.many(600, 5))
    finally:
        over.set()
    seen = [await asyncio.to_thread(told.get, True, 60) for _ in readers]
    for reader in readers:
        await asyncio.to_thread(reader.join, 30)
    broken = [wrong for _, _, wrong in seen if wrong]
    with closing(sqlite3.connect(path)) as connection:
        said = connection.execute("PRAGMA integrity_check").fetchone()[0]
    if said != "ok":
        broken.append(f"integrity_check at the end: {said}")
    checks = sum(checks for _, checks, _ in seen) + 1
    numbers = {"readers": READERS, "commits": commits, "reads": sum(reads for reads, _, _ in seen), "checks": checks}
    return Outcome(dict(numbers), broken)
