"""Grants for tests that are about something else: a book in which everyone may everything."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from ringback.core.book import Book
from ringback.core.grants import ALL_NUMBERS, EVERYONE, Cell, Effect, Grant, Level, Way
from ringback.core.permissions import Role
from ringback.flow.permits import Permits
from ringback.ports import Clock
from ringback.ports.grants import Allowance, Change, Draft, NumberCard
from ringback.ports.people import Account
from ringback.ports.storage import Tx
from ringback.store.database import Database
from tests.store.rows import put

ACCOUNTS = range(1, 1_000)
OPEN_BOOK = Book(
    version="open",
    grants=tuple(Grant(EVERYONE, way, ALL_NUMBERS, "", Effect.ALLOW) for way in Way),
    roles={account: frozenset({Role.AGENT}) for account in ACCOUNTS},
)


class Shelf:
    """A book in memory, which a test may replace. Satisfies `ports.grants.ReadGrants`."""

    def __init__(self, book: Book = OPEN_BOOK) -> None:
        self.kept = book

    async def version(self) -> str:
        return self.kept.version

    async def book(self) -> Book:
        return self.kept

    async def numbers(self) -> list[NumberCard]:
        return []

    async def drafts(self, account: int) -> list[Draft]:
        return []

    async def changes_of(self, batch: str) -> list[Change]:
        return []

    async def history(self, level: Level | None, subject: int, before: int, most: int) -> list[Change]:
        return []

    async def allowances(self) -> list[Allowance]:
        return []


def open_permits(clock: Clock) -> Permits:
    """Permits by which everyone may everything."""
    return Permits(Shelf(), clock)


def let_everyone(now: datetime, tx: Tx, ways: Iterable[Way] = Way) -> None:
    """Have everyone allowed these ways with all numbers, as most installations begin."""
    for way in ways:
        tx.grants.put(Cell(EVERYONE, way, ALL_NUMBERS), Effect.ALLOW, "for this test", "chg_test", "test", now)


async def move_in(store: Database, account: Account, now: datetime) -> None:
    """Have somebody who is only in memory in a real store as well, and let everyone do everything there."""
    row = {"id": account.id, "public_id": account.public_id, "login": account.login, "name": account.name}
    role = " ".join(sorted(account.roles))
    put(store.url, {"account": [row | {"role": role, "password": "", "created_at": 0, "changed_at": 0}]})
    await store.commit(partial(let_everyone, now))
