"""Rates: by number, campaign, destination and carrier, in segments; and a carrier that says "not now" (C12, R22)."""

from collections import deque
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ringback.core.messages import State, Urgency
from ringback.core.reasons import Reason
from ringback.errors import Throttled
from ringback.flow.house import Campaign, Destination, Limits
from tests.conftest import NOON
from tests.flow.lanes import BUSY, Answering, Yard
from tests.flow.world import DID

MINUTE = NOON + timedelta(minutes=1)
MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)


def limited(**change):
    return replace(BUSY, **change)


@pytest.mark.parametrize(
    ("house", "reason", "until"),
    [
        pytest.param(limited(limits=Limits(per_number_per_minute=2)), Reason.RATE_NUMBER, MINUTE, id="number"),
        pytest.param(
            limited(pace_of={DID: 0.2}), Reason.RATE_NUMBER, NOON + timedelta(seconds=10), id="number, by the second"
        ),
        pytest.param(
            limited(campaign_of={DID: "care"}, campaigns={"care": Campaign(per_minute=2)}),
            Reason.RATE_CAMPAIGN,
            MINUTE,
            id="campaign, by the minute",
        ),
        pytest.param(
            limited(campaign_of={DID: "care"}, campaigns={"care": Campaign(per_day=2)}),
            Reason.RATE_CAMPAIGN,
            MIDNIGHT,
            id="campaign, by the day",
        ),
        pytest.param(
            limited(destinations=(Destination("us", ("+1",), 2),)), Reason.RATE_DESTINATION, MIDNIGHT, id="destination"
        ),
    ],
)
@pytest.mark.parametrize("born", [True, False], ids=["in flight", "from the queue"])
async def test_what_is_over_a_limit_waits_says_until_when_and_goes_then(store, clock, house, reason, until, born):
    carrier = Answering()
    async with Yard(store, clock, carrier, house=house).running() as yard:
        wishes = [
            yard.wanted("a long one" * 20, to=1, expires_at=NOON + timedelta(days=2)),
            yard.wanted("waits", to=2, expires_at=NOON + timedelta(days=2)),
        ]
        made = [await yard.send(wish) for wish in wishes] if born else await yard.put(*wishes)
        assert await yard.row(made[1]) == (State.HELD, reason, "main", until)
        assert len(carrier.got) == 1
        await yard.passes(until - NOON)
        assert await yard.state(made[1]) is State.ACCEPTED


async def test_a_counter_survives_a_restart(store, clock):
    house = limited(campaign_of={DID: "care"}, campaigns={"care": Campaign(per_day=1)})
    async with Yard(store, clock, Answering(), house=house).running() as yard:
        await yard.send(yard.wanted("first", to=1))
    async with Yard(store, clock, Answering(), house=house).running() as yard:
        made = await yard.send(yard.wanted("second", to=2))
        assert (await yard.row(made))[1] == Reason.RATE_CAMPAIGN


async def test_housekeeping_forgets_no_day_that_still_counts(store, clock):
    from functools import partial

    house = limited(destinations=(Destination("us", ("+1",), 1),), pace_of={DID: 0.01})
    async with Yard(store, clock, Answering(), house=house).running() as yard:
        await yard.send(yard.wanted("first", to=1))
        clock.move(timedelta(hours=2))
        await store.commit(partial(forget, clock.now()))
        made = await yard.send(yard.wanted("second", to=2, expires_at=NOON + timedelta(days=2)))
        assert (await yard.row(made))[1] == Reason.RATE_DESTINATION


def forget(now, tx):
    tx.pairs.forget_old(now)


@pytest.mark.parametrize(
    ("to", "campaign", "held"),
    [
        pytest.param("+15125550101", "care", True, id="the destination and the campaign"),
        pytest.param("+447700900123", "care", False, id="elsewhere"),
        pytest.param("+12425550123", "care", False, id="a longer prefix has its own"),
        pytest.param("+15125550101", "other", False, id="another campaign"),
    ],
)
async def test_a_destination_is_the_longest_prefix_and_its_campaign(store, clock, to, campaign, held):
    places = (Destination("us", ("+1",), 1, campaign="care"), Destination("bahamas", ("+1242",), 5))
    async with Yard(store, clock, Answering(), house=limited(destinations=places)).running() as yard:
        await yard.send(yard.wanted("fills it", to=1, campaign="care"))
        wish = replace(yard.wanted("next", campaign=campaign), peer=BUSY.read("", to))
        made = await yard.send(wish)
        assert ((await yard.row(made))[1] == Reason.RATE_DESTINATION) is held


async def test_the_texts_of_a_run_get_each_its_place_in_line_once(store, clock):
    house = limited(limits=Limits(per_number_per_minute=2))
    carrier = Answering()
    async with Yard(store, clock, carrier, house=house).running() as yard:
        made = await yard.put(*(yard.wanted(f"{n}", to=n, urgency=Urgency.BULK) for n in range(10)))
        moments = [(await yard.row(one))[3] for one in made[2:]]
        assert moments == [NOON + timedelta(minutes=1 + n // 2) for n in range(8)]
        for minute in range(1, 5):
            await yard.passes(timedelta(minutes=1))
            assert len(carrier.got) == 2 * (minute + 1)


async def test_a_person_goes_before_the_line(store, clock):
    house = limited(limits=Limits(per_number_per_minute=1))
    carrier = Answering()
    async with Yard(store, clock, carrier, house=house).running() as yard:
        await yard.put(*(yard.wanted(f"run {n}", to=n, urgency=Urgency.BULK) for n in range(5)))
        made = await yard.send(yard.wanted("reply", to=50, urgency=Urgency.AGENT))
        assert (await yard.row(made))[3] == MINUTE
        await yard.passes(timedelta(minutes=1))
        assert carrier.got == ["run 0", "reply"]


async def test_a_carrier_with_a_rate_gets_no_more_than_that(store, clock):
    carrier = Answering(window=50)
    async with Yard(store, clock, carrier, house=limited(rate_of={"main": 4})).running() as yard:
        await yard.put(*(yard.wanted(str(n), to=n) for n in range(40)))
        for tenth in range(1, 41):
            await yard.passes(timedelta(seconds=0.1))
            assert len(carrier.got) <= 1 + 0.5 + 4 * tenth / 10
        assert len(carrier.got) >= 15
        assert yard.lane.standing().pace == 4


async def test_a_text_that_was_not_queued_keeps_to_the_rate_too(store, clock):
    carrier = Answering(window=50)
    async with Yard(store, clock, carrier, house=limited(rate_of={"main": 1})).running() as yard:
        made = [await yard.send(yard.wanted(str(n), to=n, urgency=Urgency.AGENT)) for n in range(3)]
        assert [one.order is None for one in made] == [False, True, True]
        assert len(carrier.got) == 1
        await yard.passes(timedelta(seconds=1))
        assert len(carrier.got) == 2


async def test_after_a_not_now_the_whole_lane_waits_and_one_goes_ahead(store, clock):
    carrier = Answering(answer=lambda _text: Throttled("too fast", 30))
    async with Yard(store, clock, carrier).running() as yard:
        first = await yard.send(yard.wanted("first", to=1))
        assert (await yard.row(first))[:2] == (State.HELD, Reason.RATE_CARRIER)
        others = await yard.put(*(yard.wanted(str(n), to=10 + n) for n in range(5)))
        assert yard.lanes.reserve("main") is None
        assert yard.lane.standing().paused_until == NOON + timedelta(seconds=30)
        await yard.passes(timedelta(seconds=29))
        assert len(carrier.got) == 1
        await yard.passes(timedelta(seconds=1))
        assert len(carrier.got) == 2, "one goes ahead, and is turned away too"
        carrier.answer = lambda _text: None
        for _ in range(40):
            await yard.passes(timedelta(seconds=1))
        assert {await yard.state(one) for one in (first, *others)} == {State.ACCEPTED}


async def test_a_carrier_that_throttles_above_twenty_a_second_is_used_well(fresh):
    """R22 with the hand clock: from the tenth second on nearly all that is allowed, and few turned away."""
    store, clock = await fresh()
    took: deque[float] = deque()
    said: list[tuple[float, bool]] = []

    def answer(_text):
        at = clock.monotonic()
        while took and took[0] <= at - 1:
            took.popleft()
        said.append((at, len(took) < 20))
        if said[-1][1]:
            took.append(at)
            return None
        return Throttled("above twenty a second", 0.5)

    async with Yard(store, clock, Answering(answer=answer)).running() as yard:
        made = await yard.put(*(yard.wanted(str(n), to=n) for n in range(400)))
        while clock.monotonic() < 18:
            await yard.passes(timedelta(seconds=0.05))
        assert {await yard.state(one) for one in made} <= {State.ACCEPTED, State.HELD, State.QUEUED}
    await store.close()
    late = [taken for at, taken in said if at > 10]
    assert sum(late) >= 0.9 * 20 * 8
    assert late.count(False) <= 0.05 * len(late)


async def test_a_moment_that_comes_while_the_pace_allows_nothing_makes_nobody_wait_longer(store, clock):
    """What was put off is due just when the next text has to wait for its turn: that turn is in no minute."""
    carrier = Answering()
    async with Yard(store, clock, carrier).running() as yard:
        for n in range(10):
            await yard.send(yard.wanted(str(n), to=n))
        carrier.answer = lambda _text: Throttled("slow down", 1.0)
        soon = NOON + timedelta(seconds=1.01)
        await yard.put(*(yard.wanted(f"waits {n}", to=20 + n) for n in range(3)))
        later = await yard.send(yard.wanted("later", to=30, not_before=soon, expires_at=NOON + timedelta(hours=1)))
        carrier.answer = lambda _text: None
        await yard.passes(timedelta(seconds=1))
        await yard.passes(timedelta(seconds=0.01))
        for _ in range(20):
            await yard.passes(timedelta(seconds=0.1))
        assert await yard.state(later) is State.ACCEPTED
