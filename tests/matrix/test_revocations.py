"""Two hundred rights are taken away while their owners look at pages and live streams: two seconds later nothing of
what they may not see any more reaches them."""

import asyncio
import json
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from ringback import control
from ringback.config import Settings
from ringback.core.grants import Cell, Effect, Level, Subject, Way
from ringback.core.permissions import Role
from ringback.panel.tokens import COOKIE, hash_of
from ringback.ports.storage import Tx
from ringback.store.database import Database
from tests.browser.house import House, open_house
from tests.fakes.hand_clock import HandClock
from tests.matrix.oracle import A
from tests.matrix.seeds import CANARY, LASTS, PEERS, seed, token_of
from tests.matrix.test_matrix import THIRD

READERS = 200
AT_ONCE = 20
WITHIN_S = 2.0
LOOKS_ON_S = 0.6
"""How long it is watched after that, while calls keep coming in."""
SEED = 5
KINDS = (
    "their own grant",
    "their department's grant",
    "their department",
    "their role",
    "their account",
    "their login",
)


TAKEN = {
    "their own grant": ("grant", {"subject": "{login}", "way": "receive", "number": A, "class": "", "effect": "deny"}),
    "their department's grant": (
        "grant",
        {"subject": "{room}", "way": "receive", "number": A, "class": "", "effect": "inherit"},
    ),
    "their department": ("department", {"change": "leave", "department": "{room}", "login": "{login}"}),
    "their role": ("user", {"change": "role", "login": "{login}", "role": "auditor"}),
    "their account": ("user", {"change": "disable", "login": "{login}"}),
    "their login": ("user", {"change": "logout", "login": "{login}"}),
}
"""How each right is taken away, in the words of a command."""
KINDS = tuple(TAKEN)


def login_of(number: int) -> str:
    return f"reader-{number}"


def kind_of(number: int) -> str:
    return KINDS[number % len(KINDS)]


async def with_readers(path: Path, settings: Settings) -> None:
    """The house of the matrix, and people who may read one number, each by one way."""
    await seed(path, settings)
    clock = HandClock(datetime.now(UTC))
    database = Database(f"sqlite:///{path}", clock)
    await database.open()
    try:
        await database.commit(partial(_readers, clock.now()))
    finally:
        await database.close()


def _readers(now: datetime, tx: Tx) -> None:
    for number in range(READERS):
        login = login_of(number)
        account = tx.accounts.add(login, login, frozenset({Role.AGENT}), "", "en", now)
        room = tx.departments.add(f"room-{number}", None, now)
        assert account is not None
        assert room is not None
        tx.accounts.begin(account.id, hash_of(token_of(login)), now + LASTS, "127.0.0.1", "", now)
        tx.departments.join(account.id, room.id, now, "main")
        alone = Subject(Level.USER, account.id)
        subject = Subject(Level.DEPARTMENT, room.id) if "department" in kind_of(number) else alone
        tx.grants.put(Cell(subject, Way.RECEIVE, A), Effect.ALLOW, "", "chg_reader", "test", now)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, empty_sqlite: Path) -> Iterator[House]:
    """A daemon with readers."""
    folder = tmp_path_factory.mktemp("revocations")
    with open_house(folder, empty_sqlite, "America/New_York", with_readers, more=THIRD) as opened:
        yield opened


@dataclass
class Reader:
    """Somebody with a page and a stream open. `came` has when each part of the stream came, and what it was."""

    number: int
    session: ClientSession
    path: str
    came: list[tuple[float, str]] = field(default_factory=list)
    ended: bool = False

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": f"{COOKIE}={token_of(login_of(self.number))}"}

    async def page(self, path: str) -> tuple[int, str]:
        async with self.session.get(path, headers=self.headers, allow_redirects=False) as answer:
            return answer.status, await answer.text()

    async def follow(self, opened: asyncio.Event) -> None:
        """Read the stream until it ends."""
        headers = self.headers | {"Accept": "text/event-stream"}
        with suppress(ClientError):
            async with self.session.get(f"{self.path}/events", headers=headers) as answer:
                assert answer.status == 200, answer.status
                opened.set()
                async for chunk in answer.content.iter_any():
                    self.came.append((asyncio.get_running_loop().time(), chunk.decode()))
        self.ended = True


async def take_away(house: House, number: int) -> None:
    command, words = TAKEN[kind_of(number)]
    filled = {name: value.format(login=login_of(number), room=f"room-{number}") for name, value in words.items()}
    assert await control.ask(house.daemon.state, command, **filled, by="shell test") is not None


async def one(house: House, session: ClientSession, number: int, chance: random.Random) -> list[str]:
    """One reader looks, loses the right, and looks on; returns what came through that should not."""
    path = house.thread(PEERS[A], A)
    reader, opened = Reader(number, session, path), asyncio.Event()
    status, body = await reader.page(path)
    assert (status, path in body) == (200, True), (kind_of(number), status)
    following = asyncio.ensure_future(reader.follow(opened))
    try:
        await asyncio.wait_for(opened.wait(), 5)
        await asyncio.sleep(chance.random() * 0.5)
        await take_away(house, number)
        over = asyncio.get_running_loop().time() + WITHIN_S
        await asyncio.sleep(WITHIN_S)
        seen = [page for page in (path, "/threads", "/calls", "/tasks") if await _sees(reader, page, path)]
        await asyncio.sleep(LOOKS_ON_S)
        late = [text for when, text in reader.came if when > over and _says_something(text)]
        return [f"{kind_of(number)}: {what}" for what in (*seen, *late)]
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


async def _sees(reader: Reader, page: str, thread: str) -> bool:
    """Whether a page shows, or leads to, what it must not."""
    status, body = await reader.page(page)
    shown = status == 200 if page == thread else thread in body
    return shown or CANARY[A] in body or PEERS[A] in body


def _says_something(chunk: str) -> bool:
    """Whether a part of a stream is more than a sign of life, or its end."""
    return any(line.startswith("data:") for line in chunk.splitlines()) and "event: ended" not in chunk


async def keep_calling(house: House) -> None:
    """Somebody calls again and again, so that every stream has something to say."""
    while True:
        house.exchange.misses(PEERS[A], A)
        await asyncio.sleep(0.15)


async def test_200_revocations_matrix(house: House):
    chance = random.Random(SEED)
    order = chance.sample(range(READERS), READERS)
    calls = asyncio.ensure_future(keep_calling(house))
    came: list[str] = []
    connector = TCPConnector(limit=0)
    async with ClientSession(house.base, timeout=ClientTimeout(total=60), connector=connector) as session:
        try:
            for first in range(0, READERS, AT_ONCE):
                batch = order[first : first + AT_ONCE]
                for found in await asyncio.gather(*(one(house, session, number, chance) for number in batch)):
                    came += found
        finally:
            calls.cancel()
    print(f"\n{READERS} revocations, {len(came)} reads after {WITHIN_S} s")
    assert came == [], json.dumps(came[:20], indent=1)
