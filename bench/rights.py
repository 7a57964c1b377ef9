"""What permissions cost: the book of 2,000 people and 300 numbers, and what is asked for each text that leaves."""

import asyncio
import gc
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from bench.figures import Figures, Goal, What, quantile
from bench.postgres import databases
from ringback.clock import SystemClock
from ringback.core.book import Book
from ringback.core.grants import ALL_NUMBERS, EVERYONE, Cell, Effect, Group, Level, Subject, Way
from ringback.core.messages import MessageClass, State, Urgency
from ringback.core.numbers import NumberFormat, read_number
from ringback.core.permissions import Role
from ringback.core.policy import AT_OPEN, judge
from ringback.flow.claiming import look_ahead, weigh
from ringback.flow.house import House
from ringback.ports.pairs import Thread
from ringback.ports.storage import Tx
from ringback.ports.texts import CallFactsRow, StoredMessage, WaitingText
from ringback.store.book import load
from ringback.store.database import Database
from ringback.store.reading import reading
from ringback.store.schema import prepare
from ringback.store.tx import Runner

PEOPLE, NUMBERS, DEPARTMENTS, GROUPS, GRANTS = 2_000, 300, 60, 20, 6_000
ROWS, COLUMNS = 100, 30
"""Of the matrix, what a window shows."""
TEXTS = 200
"""In one claim of a lane."""
T = TypeVar("T")
DID = "+1202555{:04}"
PEER = "+1512555{:04}"
SAME = random.Random(5)
NOTHING_OF_A_CALL = CallFactsRow(None, None, None)


def measure(figures: Figures, rounds: int) -> None:
    """On SQLite, and on PostgreSQL where there is one."""
    with tempfile.TemporaryDirectory(prefix="ringback-bench-") as folder, databases() as addresses:
        asyncio.run(_measure(figures, "Ringback, SQLite", f"sqlite:///{Path(folder) / 'ringback.db'}", rounds))
        if addresses is not None:
            asyncio.run(_measure(figures, "Ringback, PostgreSQL", next(addresses), rounds))


async def _measure(figures: Figures, subject: str, url: str, rounds: int) -> None:
    prepare(url)
    database = Database(url, SystemClock())
    await database.open()
    try:
        await database.commit(fill)
        for _ in range(rounds):
            book, took = await database.read(lambda connection: _timed(lambda: load(reading(connection))))
            figures.add(What("rights", f"read the book, {PEOPLE:,} people", "ms"), subject, took)
            of_the_book(figures, subject, book)
            await database.commit(lambda tx: of_texts(figures, subject, tx))
    finally:
        await database.close()


def fill(tx: Tx) -> None:
    """A tree of departments, people in them, numbers in groups, and grants of every kind."""
    now = SystemClock().now()
    departments = [tx.departments.add(f"department {n}", None, now) for n in range(DEPARTMENTS)]
    rows = [one.id for one in departments if one is not None]
    for n, row in enumerate(rows[1:], 1):
        tx.departments.move(row, rows[(n - 1) // 4], now)
    people = []
    for n in range(PEOPLE):
        account = tx.accounts.add(f"user{n}", f"User {n}", frozenset({Role.AGENT}), "x", "en", now)
        assert account is not None
        people.append(account.id)
        tx.departments.join(account.id, SAME.choice(rows), now)
    tx.numbers.know([DID.format(n) for n in range(NUMBERS)], now)
    groups = [tx.numbers.add_group(f"group {n}", now) for n in range(GROUPS)]
    for card in tx.numbers.all():
        group = SAME.choice(groups)
        tx.numbers.describe(card.id, "", group.id if group else None, now)
    for way in (Way.SEND, Way.RECEIVE):
        tx.grants.put(Cell(EVERYONE, way, ALL_NUMBERS), Effect.ALLOW, "", "chg_bench", "bench", now)
    subjects = [Subject(Level.USER, one) for one in people] + [Subject(Level.DEPARTMENT, one) for one in rows] * 20
    cells = {_cell(subjects, groups) for _ in range(GRANTS)}
    tx.grants.put_all([(cell, SAME.choice(list(Effect))) for cell in sorted(cells)], "", "chg_bench", "bench", now)
    tx.grants.allow_segments("everyone", 0, 10**9, 0, "bench", now)
    for one in people[:TEXTS]:
        tx.grants.allow_segments("user", one, 0, 10**9, "bench", now)


def _cell(subjects: list[Subject], groups: list[Group | None]) -> Cell:
    scope = SAME.choice([DID.format(SAME.randrange(NUMBERS)), f"group:{SAME.randrange(len(groups)) + 1}"])
    return Cell(SAME.choice(subjects), SAME.choice([Way.SEND, Way.RECEIVE, Way.BULK]), scope)


def of_the_book(figures: Figures, subject: str, book: Book) -> None:
    """Effective rights: all of them, what a window of the matrix shows, and the numbers that one person sees."""
    people, numbers = sorted(book.roles), book.numbers
    _, took = _timed(lambda: [book.right(who, Way.SEND, number) for who in people for number in numbers])
    cells = len(people) * len(numbers)
    figures.add(What("rights", "one effective right", "us"), subject, took * 1000 / cells)
    figures.add(What("rights", f"all {cells:,}", "s"), subject, took / 1000)
    fresh = replace(book)
    window = people[:ROWS], numbers[:COLUMNS]
    _, took = _timed(lambda: [fresh.right(who, Way.SEND, number) for who in window[0] for number in window[1]])
    figures.add(What("rights", f"a window of {ROWS} x {COLUMNS}", "ms"), subject, took, Goal("issue 5", 200))
    spans = [_timed(partial(fresh.reach, who, Way.RECEIVE))[1] for who in people[:ROWS]]
    figures.add(What("rights", "the numbers one person sees, p50", "ms"), subject, quantile(spans, 0.5))


def of_texts(figures: Figures, subject: str, tx: Tx) -> None:
    """A lane's claim: how much is asked for two hundred texts of two hundred people, and how long a text takes."""
    now, house, people = SystemClock().now(), house_of(), sorted(tx.grants.book().roles)
    texts = [waiting(n, people[n], now) for n in range(TEXTS)]
    with counted() as asked:
        look_ahead(house, texts, now, tx)
        for text in texts:
            weigh(house, text, now, tx)
    figures.add(What("rights", f"questions to the database, {TEXTS} texts", ""), subject, len(asked))
    weighed, took = _timed(lambda: [weigh(house, text, now, tx) for text in texts])
    figures.add(What("rights", "all that is known of a text", "us"), subject, took * 1000 / TEXTS)
    book = tx.grants.book()
    _, took = _timed(lambda: [book.right(text.account or 0, Way.SEND, text.thread.did, text.class_) for text in texts])
    _, gates = _timed(lambda: [judge(one.facts, AT_OPEN) for one in weighed])
    figures.add(
        What("rights", "the right and all gates, a text", "us"),
        subject,
        (took + gates) * 1000 / TEXTS,
        Goal("issue 5", 50),
    )


def house_of() -> House:
    """A house with all those numbers."""
    numbers = frozenset(DID.format(n) for n in range(NUMBERS))
    return House("Northlight", (), lambda _pbx, text: read_number(text, NumberFormat.AS_IS, "US"), numbers, {}, "main")


def waiting(n: int, account: int, now: datetime) -> WaitingText:
    """A text of somebody that is due."""
    thread = Thread(n + 1, f"thr_{n}", n % NUMBERS + 1, DID.format(n % NUMBERS), PEER.format(n))
    message = StoredMessage(n + 1, f"msg_{n}", n + 1, 1)
    expires = now + timedelta(hours=1)
    return WaitingText(
        message,
        State.QUEUED,
        thread,
        "Hello.",
        False,
        "",
        expires,
        0,
        NOTHING_OF_A_CALL,
        account=account,
        class_=MessageClass.CONVERSATIONAL,
        urgency=Urgency.AGENT,
    )


@contextmanager
def counted() -> Iterator[list[str]]:
    """Every question that is put to the database meanwhile; several in one go are one."""
    asked: list[str] = []
    kept = {name: getattr(Runner, name) for name in ("one", "all", "ask")}

    def noting(name: str, does: Callable[..., object]) -> Callable[..., object]:
        def note(run: Runner, *words: object, **values: object) -> object:
            asked.append(name)
            return does(run, *words, **values)

        return note

    for name, does in kept.items():
        setattr(Runner, name, noting(name, does))
    try:
        yield asked
    finally:
        for name, does in kept.items():
            setattr(Runner, name, does)


def _timed(does: Callable[[], T]) -> tuple[T, float]:
    """What it returns, and how many milliseconds it took."""
    gc.collect()
    begun = time.perf_counter()
    made = does()
    return made, (time.perf_counter() - begun) * 1000
