"""What answers the dialplan, as a child: both listeners, the flow and a store of 100,000 pairs. Says both ports.

python -m bench.dialplanned FOLDER
"""

import asyncio
import gc
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.hooked import DID
from ringback.carriers import build_carrier
from ringback.clock import SystemClock
from ringback.config import Address
from ringback.core.calls import Call, CallEvent, Direction, Presentation
from ringback.core.numbers import NumberFormat, read_number
from ringback.core.text_queues import Offering, Plan, VoiceName
from ringback.dialplan import Answering, serve, serve_agi
from ringback.flow.dialplan import Dialplan
from ringback.flow.dialplan_callers import Callers
from ringback.flow.house import House
from ringback.flow.offering import Offerings
from ringback.flow.queue_book import QueueBook
from ringback.flow.sending import Lane, Lanes
from ringback.flow.waits import Waits
from ringback.logs import LogFormat, start_logging
from ringback.ports import CarrierContext
from ringback.ports.storage import Tx
from ringback.store.addresses import sqlite_path
from ringback.store.beside import Beside
from ringback.store.database import Database
from ringback.store.schema import migrate

TOKEN = "the_token_of_the_bench_0123456789_abcdefghi"
PAIRS = 100_000
QUEUE = "support"
HERE = Address("127.0.0.1", 0)
THREADS = """WITH RECURSIVE few(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM few WHERE n < :pairs)
    INSERT INTO thread (id, public_id, number_id, peer, created_at, changed_at)
    SELECT n, 'thr_' || printf('%026d', n), 1, '+1512' || printf('%07d', 2000000 + n), 1, 1 FROM few"""
FACTS = "INSERT INTO pair_facts (thread_id, opted_out_at) SELECT id, CASE id % 50 WHEN 0 THEN 1 END FROM thread"


def peer_of(number: int) -> str:
    """Whoever is in the call with this number."""
    return f"+1512{2_000_001 + number % PAIRS:07}"


@dataclass
class Everybody:
    """A PBX in which every call is on that anybody asks about."""

    name: str = "main"
    heard: bool = True

    def call(self, uniqueid: str) -> Call | None:
        caller = peer_of(int(uniqueid.rpartition(".")[2]))
        began = datetime(2026, 11, 22, 12, tzinfo=UTC)
        return Call("main", uniqueid, uniqueid, Direction.INBOUND, caller, DID, began, presentation=Presentation.SHOWN)

    def on_calls(self, take: Callable[[Sequence[CallEvent]], None]) -> None:
        """Nobody calls in or hangs up here."""


class Two:
    """Two agents, always able."""

    def able(self, queue: int, did: str) -> int:
        return 2


def fill(url: str) -> None:
    migrate(url)
    path = sqlite_path(url)
    assert path is not None
    with closing(sqlite3.connect(path)) as database:
        database.execute("INSERT OR IGNORE INTO number (id, e164) VALUES (1, ?)", (DID,))
        database.execute(THREADS, {"pairs": PAIRS})
        database.execute(FACTS)
        database.commit()


def open_queue(clock: SystemClock, tx: Tx) -> None:
    queue = tx.queues.make("Support", Plan(offering=Offering()), clock.now())
    tx.queues.put_voice(queue, [VoiceName("main", QUEUE)], clock.now())


async def main(folder: Path) -> None:
    start_logging(LogFormat.JSON)
    url, clock = f"sqlite:///{folder / 'ringback.db'}", SystemClock()
    fill(url)
    database = Database(url, clock)
    await database.open()
    await database.commit(partial(open_queue, clock))
    house = House(
        business="Northlight",
        rules=(),
        read=lambda _pbx, text: read_number(text, NumberFormat.AS_IS, "US"),
        numbers=frozenset({DID}),
        carrier_of={DID: "main"},
    )
    carrier = build_carrier("main", {"type": "loopback"}, CarrierContext(clock, folder))
    lanes = Lanes({"main": Lane(carrier, house, database, clock)})
    callers = Callers(house, {"main": Everybody()}, Beside(database), clock)
    book = QueueBook(database, database.changes, clock)
    offerings = Offerings(Waits({}, database, clock), {})
    dialplan = Dialplan(house, database, Beside(database), lanes, callers, offerings, Two(), book, clock)
    answering = Answering(dialplan, TOKEN, clock)
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 80, 50)
    async with asyncio.TaskGroup() as parts:
        parts.create_task(callers.run())
        parts.create_task(book.run())
        parts.create_task(serve(HERE, answering, partial(print, "http", flush=True)))
        parts.create_task(serve_agi(HERE, answering, partial(print, "agi", flush=True)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
