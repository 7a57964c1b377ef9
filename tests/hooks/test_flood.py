"""Many hooks at once, many of them twice, signed as Twilio signs, on real databases: none lost, none doubled.

SOAK=1 sends a hundred thousand of them.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import create_engine, text

from ringback.carriers.twilio import build
from ringback.config import Address
from ringback.hooks import Reception, serve
from ringback.ports import CarrierContext
from ringback.store.database import Database
from tests.fakes.hand_clock import HandClock
from tests.fakes.twilio import ACCOUNT, TOKEN, sign
from tests.flow.world import DID, World
from tests.hooks.conftest import FORM, INBOUND, PUBLIC, hook, read_answer

LONG = os.environ.get("SOAK", "0") not in ("", "0")
LINES = 64
SEED = 20261122


def texted(number: int, words: str = "please call me back") -> bytes:
    """The hook of the text with this number; the same number with the same words is the same text."""
    form = [
        ("MessageSid", f"SM{number:032x}"),
        ("AccountSid", ACCOUNT),
        ("From", f"+1202555{number % 10_000:04}"),
        ("To", DID),
        ("Body", f"Text {number}, {words}"),
        ("NumMedia", "0"),
    ]
    signature = ("X-Twilio-Signature", sign(PUBLIC + INBOUND, form, TOKEN))
    return hook(urlencode(form).encode(), headers=(("Content-Type", FORM), signature))


async def statuses(port: int, hooks: list[bytes]) -> list[int]:
    """Send hooks over many lines at once, each line one after the other, and return what was answered."""
    left = iter(hooks)
    said: list[int] = []

    async def line() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for raw in left:
            writer.write(raw)
            said.append((await read_answer(reader)).status)
        writer.close()

    await asyncio.gather(*(line() for _ in range(LINES)))
    return said


def rows(url: str) -> tuple[int, int, int]:
    """How many texts are journalled, filed, and how many different ids they have."""
    engine = create_engine(url)
    with engine.connect() as connection:
        counted = connection.execute(
            text(
                """SELECT (SELECT count(*) FROM inbound_raw), (SELECT count(*) FROM incoming),
                (SELECT count(DISTINCT provider_id) FROM inbound_raw WHERE state = 'done')"""
            )
        ).one()
    engine.dispose()
    return tuple(counted)


@pytest.fixture
async def port(url: str, store: Database, clock: HandClock, tmp_path: Path) -> AsyncIterator[int]:
    """The listener with Twilio's carrier file, the real flow and a real database behind it."""
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(World(store, clock, tmp_path).running())
        twilio = build(
            "main", {"account": ACCOUNT, "key": TOKEN}, CarrierContext(clock, tmp_path, f"{PUBLIC}/hooks/main")
        )
        reception = Reception({"main": twilio}, world.arrivals, PUBLIC, clock)
        listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(serve(Address("127.0.0.1", 0), reception, listening.set_result))
        yield await listening
        serving.cancel()
        await asyncio.wait((serving,))


@pytest.mark.timeout(3600 if LONG else 300)
async def test_a_flood_with_duplicates_is_stored_once_and_stays_so_when_replayed(port, url, clock, record_property):
    many = 100_000 if LONG else 10_000 if url.startswith("sqlite") else 2_000
    shuffle = random.Random(SEED)
    once = many * 8 // 10
    numbers = [*range(once), *shuffle.choices(range(once), k=many - once)]
    shuffle.shuffle(numbers)
    hooks = [texted(number) for number in numbers]

    assert set(await statuses(port, hooks)) == {200}
    record_property("posts", many)
    record_property("texts", once)
    assert rows(url) == (once, once, once)
    for later, again in ((timedelta(seconds=1), 500), (timedelta(minutes=6), 500), (timedelta(days=29), many)):
        clock.move(later)
        assert set(await statuses(port, hooks[:again])) == {200}
    assert rows(url) == (once, once, once)


async def test_one_text_on_64_lines_at_once_is_one_text(port, url):
    for number in range(20):
        assert await statuses(port, [texted(number)] * LINES) == [200] * LINES
        assert rows(url) == (number + 1,) * 3


async def test_one_id_with_two_texts_keeps_the_first_and_leaves_the_other_to_a_person(port, url):
    """The same id 64 times at once, half of them with other words: one is filed, the other set aside, none changed."""
    kinds = ("please call me back", "call me never")
    for number in range(10):
        hooks = [texted(number, kinds[place % 2]) for place in range(LINES)]
        assert await statuses(port, hooks) == [200] * LINES
    engine = create_engine(url)
    with engine.connect() as connection:
        states = connection.execute(text("SELECT state, count(*) FROM inbound_raw GROUP BY state")).all()
        kept = connection.execute(text("SELECT body FROM incoming ORDER BY id")).scalars().all()
        tasks = connection.execute(text("SELECT kind, count(*) FROM task GROUP BY kind")).all()
    engine.dispose()
    assert sorted(states) == [("done", 10), ("quarantined", 10)]
    assert tasks == [("quarantined", 10)]
    assert [body.split(",")[0] for body in kept] == [f"Text {number}" for number in range(10)]
    assert await statuses(port, [texted(0, kinds[0]), texted(0, kinds[1])]) == [200, 200]
    assert rows(url) == (20, 10, 10)
