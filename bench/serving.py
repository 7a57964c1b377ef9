"""What giving sessions to agents costs: rounds of serving over 20,000 that wait, and how long each holds the writer."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bench.figures import Figures, What, quantile
from bench.postgres import databases
from bench.rights import counted
from ringback.clock import SystemClock
from ringback.core.grants import ALL_NUMBERS, EVERYONE, Cell, Effect, Way
from ringback.core.numbers import NumberFormat, read_number
from ringback.core.permissions import Role
from ringback.core.presence import AgentNow, Presence, Present
from ringback.core.sessions import StartType, WaitingOn, Why
from ringback.core.text_queues import Note, Plan, Strategy
from ringback.flow import sessions
from ringback.flow.house import House
from ringback.flow.presence import Permitted
from ringback.flow.serving import serve
from ringback.ports.storage import Tx
from ringback.store.database import Database
from ringback.store.schema import prepare

AGENTS, QUEUES = 200, 4
DID = "+12025550101"
PEER = "+1512{:07}"
BEGAN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
EXPIRY = timedelta(hours=1)
ROUND = timedelta(milliseconds=20)
FILLED_AT_ONCE = 200
BEGUN = sessions.Begun(StartType.AUTO, Why.NUMBERS_QUEUE, waiting_on=WaitingOn.AGENT)


def measure(figures: Figures, waiting: int, rounds: int) -> None:
    """On SQLite, and on PostgreSQL where there is one."""
    with tempfile.TemporaryDirectory(prefix="ringback-bench-") as folder, databases() as addresses:
        asyncio.run(_measure(figures, "Ringback, SQLite", f"sqlite:///{Path(folder) / 'ringback.db'}", waiting, rounds))
        if addresses is not None:
            asyncio.run(_measure(figures, "Ringback, PostgreSQL", next(addresses), waiting, rounds))


async def _measure(figures: Figures, subject: str, url: str, waiting: int, rounds: int) -> None:
    prepare(url)
    database = Database(url, SystemClock())
    await database.open()
    try:
        await database.commit(move_in)
        for first in range(0, waiting, FILLED_AT_ONCE):
            await database.commit(partial(wait, first))
        shop = Shop(database, figures, f"{subject}, {waiting:,} wait", rounds)
        await shop.takes("told that they must wait", {})
        ready = {account: AgentNow(account, Presence.READY, BEGAN) for account in range(1, AGENTS + 1)}
        await shop.takes("given to agents", ready)
        await database.commit(forbid)
        await shop.takes("nobody may have them", ready)
        shop.now += EXPIRY
        await shop.takes("waited too long", ready)
    finally:
        await database.close()


def move_in(tx: Tx) -> None:
    """Agents who may have everything, each in every queue, and queues that say something on every occasion."""
    for n in range(AGENTS):
        account = tx.accounts.add(f"agent{n}", f"Agent {n}", frozenset({Role.AGENT}), "x", "en", BEGAN)
        assert account is not None
        tx.queues.set_up(account.id, 3, 1, follows_phone=True, now=BEGAN)
    for way in (Way.SEND, Way.RECEIVE):
        tx.grants.put(Cell(EVERYONE, way, ALL_NUMBERS), Effect.ALLOW, "", "chg_bench", "bench", BEGAN)
    notes = {note: {"en": f"{note}"} for note in Note}
    plan = Plan(strategy=Strategy.LONGEST_IDLE, queued_expiry=EXPIRY, notes=notes)
    for n in range(QUEUES):
        queue = tx.queues.make(f"queue {n}", plan, BEGAN)
        tx.queues.put_members(queue, range(1, AGENTS + 1), BEGAN)


def wait(first: int, tx: Tx) -> None:
    queues = [queue for queue in tx.queues.all().all if not queue.main]
    for n in range(first, first + FILLED_AT_ONCE):
        thread = tx.pairs.thread(DID, PEER.format(n), BEGAN)
        sessions.open_queued(thread, queues[n % QUEUES], BEGUN, BEGAN, tx)


def forbid(tx: Tx) -> None:
    tx.grants.put(Cell(EVERYONE, Way.SEND, ALL_NUMBERS), Effect.DENY, "", "chg_bench", "bench", BEGAN)


@dataclass
class Shop:
    """One database, and the rounds that are timed on it."""

    database: Database
    figures: Figures
    subject: str
    rounds: int
    now: datetime = BEGAN
    house: House = field(
        default_factory=lambda: House(
            "Northlight",
            (),
            lambda _pbx, text: read_number(text, NumberFormat.AS_IS, "US"),
            frozenset({DID}),
            {},
            "main",
        )
    )
    permitted: Permitted = field(default_factory=Permitted)

    async def takes(self, name: str, present: Present) -> None:
        """How long the writer is held by a round, and how much a round asks."""
        spent, asked = list[float](), list[float]()
        for _ in range(self.rounds):
            self.now += ROUND
            took, questions = await self.database.commit(self._timed(present, self.now))
            spent.append(took)
            asked.append(questions)
        self.figures.add(What("serving", f"a round: {name}, p50", "ms"), self.subject, quantile(spent, 0.5))
        self.figures.add(What("serving", f"a round: {name}, p99", "ms"), self.subject, quantile(spent, 0.99))
        self.figures.add(What("serving", f"questions of a round: {name}", ""), self.subject, max(asked))

    def _timed(self, present: Mapping[int, AgentNow], now: datetime) -> Callable[[Tx], tuple[float, int]]:
        def step(tx: Tx) -> tuple[float, int]:
            begun = time.perf_counter()
            with counted() as asked:
                serve(self.house, present, self.permitted, now, tx)
            return (time.perf_counter() - begun) * 1000, len(asked)

        return step
