"""Calls that ended while nobody listened are taken from what the PBX wrote down, once each."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ringback.core.calls import Call, CallStarted, FeedBack, FeedLost, Presentation
from ringback.flow.gaps import AGAIN, SETTLED, Gaps
from ringback.ports.callings import Recorded, RecordsAway
from tests.conftest import NOON
from tests.flow.office import column, rows
from tests.flow.world import PAT, SAM, World, a_call, answered, life_of, ruled

GAP, HOUR = timedelta(seconds=30), timedelta(hours=1)
TEXT = "Sorry we missed you, Northlight."


class Written:
    """A file of a PBX, as a list; `away` is why it cannot be read."""

    name = "Master.csv"

    def __init__(self, *calls: Call) -> None:
        self.calls = calls
        self.away = ""
        self.asked: list[tuple[datetime, datetime]] = []

    def ended_between(self, since: datetime, until: datetime) -> Recorded:
        self.asked.append((since, until))
        if self.away:
            raise RecordsAway(self.away)
        return Recorded(tuple(call for call in self.calls if since <= (call.ended_at or NOON) <= until))


async def at_once(read, *given):
    return read(*given)


@pytest.fixture
def written() -> Written:
    return Written()


@pytest.fixture
async def world(store, clock, tmp_path, written) -> AsyncIterator[World]:
    made = World(store, clock, tmp_path)
    gaps = Gaps(made.follower, {"main": written}, at_once)
    made.follower = replace(made.follower, is_back=gaps.nudge)
    async with made.running(gaps.run()):
        yield made


async def gap(world: World, *live: str) -> None:
    """Nobody listens for half a minute, and then the PBX has written down all it has to."""
    await world.happens(FeedLost("main", world.clock.now()))
    await world.passes(GAP)
    await world.happens(FeedBack("main", world.clock.now(), frozenset(live)))
    await world.passes(SETTLED)


def during(uniqueid: str, **change) -> Call:
    return a_call(uniqueid, ended=NOON + GAP / 2, **change)


async def tasks(world: World) -> list[tuple]:
    return await rows(world, "SELECT kind, done_at IS NULL FROM task ORDER BY id")


async def test_a_call_missed_in_a_gap_gets_its_text(world, written):
    written.calls = (during("1"),)
    await gap(world)
    assert world.handset() == [TEXT]
    assert await rows(world, "SELECT recovered, recovered_from FROM pbx_gap") == [(1, "Master.csv")]


async def test_a_call_that_began_before_the_gap_is_not_left_to_a_person(world, written):
    await world.happens(CallStarted(a_call("1", ended_at=None, outcome=None)))
    written.calls = (during("1"),)
    await gap(world)
    assert world.handset() == [TEXT]
    assert [bool(is_open) for _kind, is_open in await tasks(world)] == [False]


async def test_what_the_live_line_told_of_the_caller_holds(world, written):
    begun = a_call("1", ended_at=None, outcome=None, presentation=Presentation.WITHHELD)
    await world.happens(CallStarted(begun))
    written.calls = (during("1", presentation=Presentation.UNKNOWN),)
    await gap(world)
    assert await world.decision("1") == ("suppress", "withheld")


@pytest.mark.parametrize(
    ("presentation", "reason"),
    [
        pytest.param(Presentation.UNKNOWN, "presentation_unknown", id="nobody wrote whether the number is withheld"),
        pytest.param(Presentation.WITHHELD, "withheld", id="the file says it is withheld"),
    ],
)
async def test_a_caller_who_may_hide_is_not_texted(world, written, presentation, reason):
    written.calls = (during("1", presentation=presentation),)
    await gap(world)
    assert await world.decision("1") == ("suppress", reason)


async def test_a_call_whose_end_was_heard_is_not_decided_twice(world, written):
    await world.happens(*life_of(a_call("1")))
    written.calls = (a_call("1"), during("2", caller=SAM))
    await gap(world)
    assert (world.handset(PAT), world.handset(SAM)) == ([TEXT], [TEXT])
    assert await column(world, "SELECT recovered FROM pbx_gap") == [1]


async def test_the_same_gap_is_filled_once(world, written):
    written.calls = (during("1"),)
    await gap(world)
    await gap(world)
    assert world.handset() == [TEXT]
    assert len(written.asked) == 2


async def test_somebody_who_was_spoken_with_in_the_gap_gets_no_text(store, clock, tmp_path, written):
    world = World(store, clock, tmp_path, house=ruled(delay=timedelta(minutes=5)))
    gaps = Gaps(world.follower, {"main": written}, at_once)
    world.follower = replace(world.follower, is_back=gaps.nudge)
    async with world.running(gaps.run()):
        await world.happens(*life_of(a_call("1")))
        written.calls = (answered(during("2")),)
        await gap(world)
        await world.passes(timedelta(minutes=6))
        assert await world.decision("1") == ("suppress", "returned")
        assert world.handset() == []


async def test_a_call_that_was_too_long_ago_is_left_to_a_person(world, written):
    written.calls = (during("1"),)
    written.away = "the disk is not there"
    await gap(world)
    assert world.handset() == []
    written.away = ""
    await world.passes(HOUR)
    assert await world.decision("1") == ("suppress", "too_old")
    assert ("too_old", True) in [(kind, bool(is_open)) for kind, is_open in await tasks(world)]


async def test_a_file_that_is_away_is_asked_again(world, written):
    written.calls = (during("1"),)
    written.away = "the disk is not there"
    await gap(world)
    assert await column(world, "SELECT recovered_from FROM pbx_gap") == [""]
    written.away = ""
    await world.passes(AGAIN)
    assert world.handset() == [TEXT]


async def test_a_gap_of_a_time_that_was_none_does_not_keep_the_next_one_waiting(world, written):
    tomorrow = world.clock.now() + timedelta(days=1)
    await world.happens(FeedLost("main", tomorrow), FeedBack("main", tomorrow + GAP, frozenset()))
    written.calls = (during("1"),)
    await gap(world)
    assert world.handset() == [TEXT]
