"""A text that is worth nothing any more does not leave, at the edge to the microsecond, and whatever the clock does."""

import random
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from ringback.carriers.loopback import Settings
from ringback.core.messages import Basis, MessageClass, State, Urgency, Wanted
from ringback.core.numbers import NumberFormat, read_number
from ringback.flow.house import Limits
from ringback.flow.outbound import Slot, submit
from ringback.store.moments import micros
from tests.conftest import NOON
from tests.flow.office import rows
from tests.flow.world import DID, HOUSE, World

MANY = 1000
SEED = 20261122
MARGIN = timedelta(seconds=2)
STEP = timedelta(milliseconds=250)
WITHOUT_END = 10**9
HOME = replace(HOUSE, limits=Limits(WITHOUT_END, WITHOUT_END, WITHOUT_END))


def wanted(number, expires_at, not_before=None) -> Wanted:
    peer = read_number(f"+1512555{number:04}", NumberFormat.E164, "US", extension_digits=4)
    return Wanted(
        did=DID,
        peer=peer,
        text=f"text {number}",
        language="en",
        class_=MessageClass.TRANSACTIONAL,
        basis=Basis.CONSENT,
        cause="test",
        automatic=False,
        expires_at=expires_at,
        # a program's: it has a yes on records of its own, and none in our ledger
        urgency=Urgency.TRANSACTIONAL,
        not_before=not_before,
    )


async def ask(store, texts, now) -> list[str]:
    """Submit texts, none of them in flight; their public ids."""
    made = []
    for start in range(0, len(texts), 200):
        steps = [partial(submit, HOME, None, text, None, now) for text in texts[start : start + 200]]
        made += [done.message for done in await store.commit_all(steps)]
    return made


async def opened(world) -> dict[str, tuple[int, int]]:
    """When each text was opened, and when it ended."""
    found = await rows(
        world, "SELECT m.public_id, a.opened_at, m.expires_at FROM attempt a JOIN message m ON m.id = a.message_id"
    )
    assert len({row[0] for row in found}) == len(found), "a text was opened twice"
    return {row[0]: (row[1], row[2]) for row in found}


async def states_of(world) -> dict[str, str]:
    return dict(await rows(world, "SELECT public_id, state FROM message"))


async def test_no_attempt_is_opened_later_than_two_seconds_before_the_end(store, clock, tmp_path):
    dice = random.Random(SEED)
    texts = []
    for number in range(MANY):
        starts = timedelta(seconds=dice.uniform(10, 20))
        lasts = dice.choice([timedelta(seconds=dice.uniform(0.1, 5)), MARGIN, MARGIN + timedelta(microseconds=1)])
        texts.append(wanted(number, NOON + starts + lasts, NOON + starts))
    async with World(store, clock, tmp_path, HOME, Settings(window=50)).running() as world:
        names = await ask(store, texts, NOON)
        world.lanes.nudge("main")
        for _ in range(int(timedelta(seconds=26) / STEP)):
            await world.passes(STEP)
        left, states = await opened(world), await states_of(world)
    late = [name for name, (at, end) in left.items() if at >= end - MARGIN // timedelta(microseconds=1)]
    assert late == []
    assert {states[name] for name in names if name not in left} == {State.EXPIRED}
    assert State.EXPIRED not in {states[name] for name in left}
    # whoever had time for it was sent: nothing ends early
    in_time = [
        name
        for name, text in zip(names, texts, strict=True)
        if text.expires_at - text.not_before > MARGIN + STEP + timedelta(milliseconds=1)
    ]
    assert len(in_time) > MANY // 10
    assert set(in_time) <= set(left)


@pytest.mark.parametrize(
    ("lasts", "flies"),
    [
        pytest.param(MARGIN + timedelta(microseconds=1), True, id="just in time"),
        pytest.param(MARGIN, False, id="at the edge"),
        pytest.param(timedelta(0), False, id="over already"),
        pytest.param(-timedelta(hours=1), False, id="over for long"),
    ],
)
async def test_a_text_is_born_in_flight_only_while_it_is_worth_it(store, lasts, flies):
    text = wanted(1, NOON + lasts)
    done = await store.commit(partial(submit, HOME, Slot("main"), text, None, NOON))
    assert (done.order is not None) == flies


@pytest.mark.parametrize(
    "jump",
    [
        pytest.param(timedelta(hours=1), id="an hour on"),
        pytest.param(timedelta(days=1), id="a day on"),
        pytest.param(-timedelta(hours=1), id="an hour back"),
        pytest.param(-timedelta(days=1), id="a day back"),
    ],
)
async def test_a_clock_that_jumps_sends_nothing_twice_and_nothing_too_late(store, clock, tmp_path, jump):
    ends = NOON + timedelta(minutes=30)
    texts = [wanted(number, ends, NOON + timedelta(seconds=10 + number)) for number in range(40)]
    async with World(store, clock, tmp_path, HOME).running() as world:
        names = await ask(store, texts, NOON)
        world.lanes.nudge("main")
        await world.passes(timedelta(seconds=30))  # half of them
        first = await opened(world)
        await world.passes(jump)
        await world.passes(timedelta(minutes=1))
        left, states = await opened(world), await states_of(world)
        assert len(first) == 21
        assert set(first) <= set(left)
        assert all(at < end for at, end in left.values())
        if clock.now() > ends:
            assert {states[name] for name in names if name not in first} == {State.EXPIRED}
        else:
            assert State.EXPIRED not in states.values()
        assert micros(ends) in {end for _at, end in left.values()}
