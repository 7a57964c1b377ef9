"""How long each statement of the hot path takes while the database grows: the very code of the daemon, timed inside.

Every step is the one that the daemon runs, through its own writer; only the driver beneath is wrapped, so that each
statement is timed with the values it really has. Texts asked for, sent, and confirmed; texts that waited; receipts of
yesterday and of years ago; and what programs and people look at.
"""

import asyncio
import gc
import itertools
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from bench.figures import Figures, Goal, What, quantile
from bench.postgres import databases
from bench.process import Stalled
from bench.years import FIRST_PERSON, SILENT, Years, fill
from ringback import store
from ringback.assembly import make_house
from ringback.clock import SystemClock
from ringback.config import read
from ringback.core.grants import EVERYTHING
from ringback.core.messages import ReceiptStatus
from ringback.core.numbers import NumberFormat, read_number
from ringback.core.permissions import Asker, Principal, Scope
from ringback.core.search import read_query
from ringback.flow.asking import One, Wish, answer_all
from ringback.flow.attempts import record
from ringback.flow.claiming import claim
from ringback.flow.governor import Room
from ringback.flow.house import House
from ringback.flow.outbound import Slot
from ringback.flow.receipts import apply_receipt
from ringback.ports import CarrierRef, Receipt
from ringback.ports.messages import MessageFilter
from ringback.ports.storage import Tx
from ringback.ports.texts import Order
from ringback.ports.threads import View
from ringback.store import database as opening
from ringback.store.database import Database
from ringback.store.read_messages import ReadMessages
from ringback.store.read_search import StoredSearch
from ringback.store.read_threads import StoredThreads
from ringback.store.sql import Sql

KINDS = ("SQLite", "PostgreSQL")
SIZES = (100_000, 1_000_000, 10_000_000)
DID = "+120255501{:02}"
LONGEST_S = 25 * 60
TIMES = 300
SMALL, LARGE = 1, 100
"""Steps in a transaction: as on a quiet day, and under load."""
ALLOWED, ALLOWED_US = 1.5, 50
"""G10: so many times the smallest size, or so much more."""
PROGRAM = Principal(Asker.PROGRAM, "bench", "bench", frozenset(), scopes=frozenset({Scope.SEND}))
SLOT = Slot("main")
TOML = """
[business]
name = "Northlight"
zone = "America/New_York"
default_country = "US"
[paths]
state = "{state}"
[limits]
per_number_per_minute = 60000
[[asterisk]]
name = "main"
user = "ringback"
inbound_contexts = ["from-trunk"]
[carriers.main]
type = "loopback"
{numbers}
"""


class Named:
    """The carrier as recording wants it."""

    name = "main"
    numeric_ids = False


@dataclass(slots=True)
class Clocked:
    """Microseconds by what was done, while it listens."""

    spans: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    under: str = ""
    """What the next spans are filed under; nothing is kept while it is empty."""

    def note(self, name: str, begun: int, count: int = 1) -> None:
        if self.under:
            self.spans[f"{self.under}: {name}"].append((time.perf_counter_ns() - begun) / 1000 / max(count, 1))


class Fetched:
    """A cursor whose rows are here already, since fetching is part of what a statement takes."""

    def __init__(self, cursor: Any) -> None:
        self.rowcount = cursor.rowcount
        self._rows = cursor.fetchall() if cursor.description else []
        self._left = iter(self._rows)

    def fetchone(self) -> Any:
        return next(self._left, None)

    def fetchall(self) -> list[Any]:
        return list(self._left)


class Timed:
    """A driver that notes how long each statement took; all else is the driver's own."""

    def __init__(self, driver: Any, clocked: Clocked) -> None:
        self._driver = driver
        self._clocked = clocked

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    def execute(self, statement: Sql, values: Any) -> Fetched:
        begun = time.perf_counter_ns()
        fetched = Fetched(self._driver.execute(statement, values))
        self._clocked.note(name_of(statement), begun)
        return fetched

    def executemany(self, statement: Sql, rows: Iterable[Any]) -> Any:
        rows, begun = list(rows), time.perf_counter_ns()
        done = self._driver.executemany(statement, rows)
        self._clocked.note(f"{name_of(statement)}, each", begun, len(rows))
        return done

    def ask(self, questions: Any) -> Any:
        begun = time.perf_counter_ns()
        found = self._driver.ask(questions)
        self._clocked.note(" + ".join(name_of(statement) for statement, _values in questions), begun)
        return found

    def write(self, changes: Any) -> Any:
        begun = time.perf_counter_ns()
        done = self._driver.write(changes)
        self._clocked.note("what waited, each row", begun, sum(len(rows) for _what, rows in changes))
        return done

    def pour(self, table: str, columns: Any, rows: Any) -> Any:
        begun = time.perf_counter_ns()
        done = self._driver.pour(table, columns, rows)
        self._clocked.note(f"rows into {table}, each", begun, len(rows))
        return done


_names: dict[Sql, str] = {}


def name_of(statement: Sql) -> str:
    """Where a statement stands, as in `outbox.DUE`; its first words for one that has no name."""
    if not _names:
        for module in iter_modules(store.__path__):
            if not module.ispkg:
                for name, value in vars(import_module(f"{store.__name__}.{module.name}")).items():
                    if isinstance(value, Sql):
                        _names.setdefault(value, f"{module.name}.{name}")
    return _names.get(statement, statement.sqlite[:24])


@contextmanager
def _listening(clocked: Clocked) -> Iterator[None]:
    """Have the writer's connection timed, and its commits."""
    connector = opening.connector

    def timed(*words: Any) -> Callable[[], Any]:
        open_one = connector(*words)

        def opened() -> Any:
            connection: Any = open_one()
            run = connection.nouns._run
            run._driver = Timed(run._driver, clocked)
            commit = connection.commit

            def committed(count: int) -> None:
                begun = time.perf_counter_ns()
                commit(count)
                clocked.note("commit", begun)

            connection.commit = committed
            return connection

        return opened

    opening.connector = timed
    try:
        yield
    finally:
        opening.connector = connector


def measure(figures: Figures, sizes: Iterable[int] = SIZES, kinds: Iterable[str] = KINDS) -> None:
    """Each size on SQLite, and where it is installed on PostgreSQL; none that would take too long."""
    begun, took = time.monotonic(), dict.fromkeys(kinds, (0, 0.0))
    for size, kind in itertools.product(sizes, took):
        before, spent = took[kind]
        left = LONGEST_S - (time.monotonic() - begun)
        if before and spent * size / before > left:
            figures.notes.append(f"{size:,} texts on {kind} were left out: no time for them")
            continue
        started = time.monotonic()
        with _address(kind) as (url, folder):
            if url:
                _measure(figures, kind, url, Years(size), folder)
        took[kind] = (size, time.monotonic() - started)
    _set_goals(figures)


@contextmanager
def _address(kind: str) -> Iterator[tuple[str, Path]]:
    with tempfile.TemporaryDirectory(prefix="ringback-bench-") as name:
        if kind == "SQLite":
            yield f"sqlite:///{name}/ringback.db", Path(name)
            return
        with databases() as addresses:
            yield next(addresses) if addresses is not None else "", Path(name)


def _measure(figures: Figures, kind: str, url: str, years: Years, folder: Path) -> None:
    subject, begun = f"{kind}, {years.messages:,}", time.monotonic()
    fill(url, years)
    figures.add(What("statements", "filled in", "s"), subject, time.monotonic() - begun)
    clocked = Clocked()
    with _listening(clocked):
        asyncio.run(_play(url, years, folder, clocked))
    for name, spans in sorted(clocked.spans.items()):
        figures.add(What("statements", f"{name}, p50", "us"), subject, statistics.median(spans))
        figures.add(What("statements", f"{name}, p99", "us"), subject, quantile(spans, 0.99))


async def _play(url: str, years: Years, folder: Path, clocked: Clocked) -> None:
    numbers = "".join(f'[numbers."{DID.format(last)}"]\ncarrier = "main"\n' for last in range(10))
    secret = {"RINGBACK_ASTERISK__MAIN__SECRET": "not used"}
    settings = read(TOML.format(state=folder, numbers=numbers), folder / "ringback.toml", secret)
    database = Database(url, SystemClock())
    await database.open()
    gc.collect()
    gc.freeze()
    try:
        play = Play(database, make_house(settings), years, clocked)
        await play.all()
    finally:
        await database.close()


class Play:
    """The steps of a text's life, on a database of so many years."""

    def __init__(self, database: Database, house: House, years: Years, clocked: Clocked) -> None:
        self._database = database
        self._house = house
        self._years = years
        self._clocked = clocked
        self._dice = random.Random(years.messages)
        self._count = 0
        self._taken = itertools.count(1)
        people = list(range(1, years.threads + 1))
        self._dice.shuffle(people)
        self._people = iter(people)
        silent = range(1, years.messages // SILENT + 1)
        self._silent = iter(self._dice.sample(silent, times(SMALL) + times(LARGE)))

    async def all(self) -> None:
        await self._send(LARGE, TIMES)  # a warm-up
        for batch in (SMALL, LARGE):
            orders = await self._ask(f"asked, {batch} a commit", batch)
            names = await self._record(f"taken by the carrier, {batch} a commit", batch, orders)
            await self._receipts(f"receipt of now, {batch} a commit", batch, names)
            await self._receipts(f"receipt of any year, {batch} a commit", batch, self._confirm_late(batch))
        await self._queue()
        await self._look()

    async def _send(self, batch: int, count: int) -> None:
        orders = await self._ask("", batch, count)
        await self._receipts("", batch, await self._record("", batch, orders))

    def _wish(self) -> tuple[Wish, str]:
        """A text to somebody who had some already, or to somebody new, in turn."""
        self._count += 1
        if self._count % 2:
            person = next(self._people)
            did, number = DID.format(person % 10), FIRST_PERSON + person
        else:
            did, number = DID.format(self._count % 10), FIRST_PERSON + self._years.threads + self._count
        peer = read_number(f"+1512{number:07}", NumberFormat.E164, "US")
        now = self._now()
        text = f"Hello, your order {self._count} is ready. We are open until six today."
        return Wish(did, peer, text, now + timedelta(hours=4), "en", asked="a" * 64), f"new-{self._count:012}"

    def _now(self) -> datetime:
        return SystemClock().now()

    async def _in_batches(self, under: str, batch: int, steps: Sequence[Callable[[Tx], Any]]) -> list[Any]:
        self._clocked.under = under
        done: list[Any] = []
        for first in range(0, len(steps), batch):
            done += await self._database.commit_all(steps[first : first + batch])
        self._clocked.under = ""
        for one in done:
            if isinstance(one, Exception):
                raise one
        return done

    async def _ask(self, under: str, batch: int, count: int = 0, slot: Slot | None = SLOT) -> list[Order]:
        now, orders = self._now(), []
        wishes = [self._wish() for _ in range(count or times(batch))]
        for first in range(0, len(wishes), batch):
            asked = [One(slot, PROGRAM, wish, key) for wish, key in wishes[first : first + batch]]
            (outcomes,) = await self._in_batches(under, 1, [partial(answer_all, self._house, asked, now)])
            orders += [one.order for _asked, one in outcomes if one is not None and one.order is not None]
        if slot is not None and len(orders) != len(wishes):
            raise Stalled(f"{len(orders)} of {len(wishes)} texts were born in flight")
        return orders

    async def _record(self, under: str, batch: int, orders: list[Order]) -> list[str]:
        now, carrier = self._now(), Named()
        names = [f"SMnew{next(self._taken):027}" for _ in orders]
        steps = [
            partial(record, carrier, order, CarrierRef(name), now) for order, name in zip(orders, names, strict=True)
        ]
        await self._in_batches(under, batch, steps)
        return names

    async def _receipts(self, under: str, batch: int, names: list[str]) -> None:
        now = self._now()
        steps = [
            partial(apply_receipt, "main", Receipt(name, ReceiptStatus.DELIVERED, None, "", ""), now) for name in names
        ]
        moved = await self._in_batches(under, batch, steps)
        if None in moved:
            raise Stalled(f"{moved.count(None)} of {len(moved)} receipts moved nothing")

    def _confirm_late(self, batch: int) -> list[str]:
        """Ids of texts of any age whose receipt is still to come."""
        return [f"SM{next(self._silent) * SILENT:032}" for _ in range(times(batch))]

    async def _queue(self) -> None:
        """Texts that wait, and the claims that open them, twenty at a time."""
        await self._ask("put in line, 100 a commit", LARGE, TIMES * 20, None)
        room = Room(20, 20)
        for _ in range(TIMES):
            under = "claim of 20"
            (claimed,) = await self._in_batches(
                under, 1, [lambda tx: claim(self._house, "main", room, self._now(), tx)]
            )
            await self._record("", LARGE, list(claimed.orders))

    async def _look(self) -> None:
        """What programs and people read, each as a whole."""
        texts, threads = ReadMessages(self._database), StoredThreads(self._database)
        search = StoredSearch(self._database)
        for _ in range(TIMES):
            text = self._dice.randrange(1, self._years.messages)
            person = self._dice.randrange(1, self._years.threads)
            peer = f"+1512{FIRST_PERSON + person:07}"
            await self._whole("read: one text", texts.report(EVERYTHING, f"msg_{text:026}"))
            await self._whole("read: newest 20", texts.page(EVERYTHING, MessageFilter("", "", ""), "", 21))
            await self._whole(
                "read: older 20", texts.page(EVERYTHING, MessageFilter("", "", ""), f"msg_{text:026}", 21)
            )
            await self._whole(
                "read: by reference", texts.page(EVERYTHING, MessageFilter(f"order-{text // 10 * 10}", "", ""), "", 21)
            )
            await self._whole("read: by number", texts.page(EVERYTHING, MessageFilter("", peer, ""), "", 21))
            await self._whole("read: list of threads", threads.page(EVERYTHING, View.ALL))
            head = await threads.head(EVERYTHING, f"thr_{person:026}")
            assert head is not None
            await self._whole("read: thread", threads.timeline(head))
            await self._whole("read: search, one found", search.find(EVERYTHING, read_query(f"order {text}")))
            await self._whole("read: search, found everywhere", search.find(EVERYTHING, read_query("ready today")))

    async def _whole(self, name: str, asked: Any) -> None:
        begun = time.perf_counter_ns()
        found = await asked
        if found is None:
            raise Stalled(f"{name} found nothing")
        self._clocked.spans[name].append((time.perf_counter_ns() - begun) / 1000)


def times(batch: int) -> int:
    """How many steps are taken, enough for as many commits as make a p99."""
    return TIMES if batch == SMALL else TIMES * 5


def _set_goals(figures: Figures) -> None:
    """Each statement at most half as slow again as with the smallest size, or 50 us more."""
    for what, subjects in figures.values.items():
        if what.scenario != "statements" or what.unit != "us" or not what.name.endswith("p50"):
            continue
        smallest: dict[str, float] = {}
        for subject, values in subjects.items():
            kind, middle = subject.partition(",")[0], statistics.median(values)
            least = smallest.setdefault(kind, middle)
            if least != middle:
                figures.goals[what, subject] = Goal("G10", max(least * ALLOWED, least + ALLOWED_US))
