"""What is refused leaves a row in the record: who, what, why, from where; at most one a minute for the same."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from ringback.flow.denials import (
    DENIED,
    FORGED,
    MOST,
    NOBODY_KNOWN,
    WRONG_KEY,
    WRONG_LOGIN,
    Denials,
    Refusal,
    denials_of,
)
from ringback.logs import REQUEST, SOURCE
from tests.conftest import NOON

SECOND = timedelta(seconds=1)
OURS = "+12025550101"
WORDS = f"You may not send from {OURS}: the department Service denies it."
SEND = Refusal("user usr_ana", "send", "thr_1", OURS, WORDS)


async def rows(store):
    await store.commit(lambda tx: None)
    columns = "who, action, about, detail, source, request"
    return await store.read(
        lambda connection: [tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM audit ORDER BY id"))]
    )


async def test_a_refusal_says_who_what_about_what_why_and_from_where(store):
    asked, came = REQUEST.set("req_7"), SOURCE.set("192.0.2.7")
    try:
        Denials(store).refused(SEND, NOON)
    finally:
        REQUEST.reset(asked)
        SOURCE.reset(came)
    assert await rows(store) == [
        ("user usr_ana", DENIED, "thr_1", f"send {OURS}: {WORDS}", "192.0.2.7", "req_7"),
    ]


async def test_the_same_again_within_a_minute_is_counted_and_told_with_the_next(store):
    denials = Denials(store)
    for second in (0, 10, 20, 59):
        denials.refused(SEND, NOON + second * SECOND)
    assert len(await rows(store)) == 1
    denials.refused(SEND, NOON + 60 * SECOND)
    assert [row[3] for row in await rows(store)][1:] == [f"send {OURS}: {WORDS} (3 times more before this)"]


async def test_what_was_counted_is_written_down_when_the_minute_is_over(store):
    denials = Denials(store)
    for second in range(5):
        denials.refused(SEND, NOON + second * SECOND)
    denials.settle(NOON + 59 * SECOND)
    assert len(await rows(store)) == 1
    denials.settle(NOON + 60 * SECOND)
    denials.settle(NOON + 61 * SECOND)
    assert [row[3] for row in await rows(store)][1:] == [f"send {OURS}: {WORDS} (3 times more before this)"]


async def test_the_part_writes_it_down_each_minute(store, clock):
    denials = Denials(store)
    denials.refused(SEND, clock.now())
    denials.refused(SEND, clock.now())
    task = asyncio.ensure_future(denials.run(clock))
    await asyncio.sleep(0)
    clock.move(timedelta(minutes=1))
    while len(await rows(store)) < 2:
        await asyncio.sleep(0)
    task.cancel()


OTHERS = [
    pytest.param(Refusal("user usr_ben", "send", "thr_1", OURS), id="somebody else"),
    pytest.param(Refusal("user usr_ana", "bulk", "thr_1", OURS), id="something else"),
    pytest.param(Refusal("user usr_ana", "send", "thr_1", "+12025550102"), id="another number"),
    pytest.param(Refusal("user usr_ana", "send", "thr_1", OURS, kind=FORGED), id="another kind"),
]


@pytest.mark.parametrize("other", OTHERS)
async def test_what_differs_has_a_row_of_its_own(store, other):
    denials = Denials(store)
    denials.refused(SEND, NOON)
    denials.refused(other, NOON)
    assert len(await rows(store)) == 2


async def test_guesses_cannot_fill_the_memory(store):
    denials = Denials(store)
    for n in range(MOST + 10):
        denials.refused(Refusal(NOBODY_KNOWN, f"password of usr_{n}", kind=WRONG_LOGIN), NOON)
    assert len(denials._tried) == MOST


async def test_every_door_of_a_store_counts_together(store):
    assert denials_of(store) is denials_of(store)


def test_kinds_are_told_apart():
    assert len({DENIED, FORGED, WRONG_KEY, WRONG_LOGIN}) == 4
