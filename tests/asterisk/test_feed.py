"""One PBX as a source of call events: order around a reconnect, and a queue that never drops."""

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from ringback.asterisk import feed as feed_module
from ringback.asterisk.ami import Account
from ringback.asterisk.codec import Event
from ringback.asterisk.feed import AmiFeed, still_there
from ringback.asterisk.standing import Pace, Retry, Trouble
from ringback.asterisk.tracker import Tracker
from ringback.core.calls import Call, CallEnded, CallEvent, CallStarted, Direction, FeedBack, FeedLost
from tests.fakes.ami import FakePbx, channel, event
from tests.fakes.hand_clock import START, HandClock

QUICK = Pace(retries=dict.fromkeys(Trouble, Retry(0.0, 0.0)))


class Notebook:
    """A tracker that takes every Newchannel for a call, and notes what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.open: set[str] = set()

    def receive(self, event: Event, at: datetime) -> list[CallEvent]:
        uniqueid = event.get("Uniqueid")
        if event.name == "Newchannel":
            self.told.append(f"new {uniqueid}")
            self.open.add(uniqueid)
            return [CallStarted(call(uniqueid, at))]
        if event.name == "Hangup":
            self.told.append(f"end {uniqueid}")
            self.open.discard(uniqueid)
            return [CallEnded(call(uniqueid, at))]
        return []

    def live(self) -> frozenset[str]:
        return frozenset(self.open)

    def resume(self, channels: Sequence[Event], at: datetime) -> list[CallEvent]:
        there = [seen.get("Uniqueid") for seen in channels]
        self.told.append("resume " + ",".join(there))
        self.open = set(there)
        return []

    def forget(self) -> None:
        self.told.append("forget")
        self.open.clear()


def call(uniqueid: str, at: datetime) -> Call:
    return Call("pbx1", uniqueid, uniqueid, Direction.INBOUND, "+15125550123", "+12025550101", at)


@asynccontextmanager
async def feeding(pbx: FakePbx, tracker=None, clock: HandClock | None = None):
    account = Account("pbx1", "127.0.0.1", pbx.port, "ringback", "secret")
    feed = AmiFeed(account, clock or HandClock(), tracker or Notebook(), QUICK)
    feed.start()
    try:
        yield feed, feed.events()
    finally:
        feed.close()


async def heard(events, count: int) -> list[CallEvent]:
    async with asyncio.timeout(10):
        return [await anext(events) for _ in range(count)]


def short(events: Sequence[CallEvent]) -> list[str]:
    """`CallStarted 1`, `FeedBack 1,2`: enough to see the order."""
    return [
        f"{type(event).__name__} "
        + (event.call.uniqueid if isinstance(event, CallStarted | CallEnded) else ",".join(sorted(live_of(event))))
        for event in events
    ]


def live_of(event: CallEvent) -> frozenset[str]:
    return event.live if isinstance(event, FeedBack) else frozenset()


@pytest.fixture
async def pbx():
    async with FakePbx() as fake:
        yield fake


async def test_the_first_connect_says_which_calls_are_on(pbx):
    pbx.channels = [channel("1"), channel("2")]
    async with feeding(pbx) as (feed, events):
        assert await heard(events, 1) == [FeedBack("pbx1", START, frozenset({"1", "2"}))]
        assert (feed.name, feed.state()) == ("pbx1", "live")


async def test_lost_and_back_with_what_is_left(pbx):
    pbx.channels = [channel("1"), channel("2")]
    clock = HandClock()
    async with feeding(pbx, clock=clock) as (feed, events):
        await heard(events, 1)
        clock.move(timedelta(seconds=7))
        pbx.channels = [channel("2"), channel("3")]
        pbx.cut()
        assert await heard(events, 2) == [
            FeedLost("pbx1", clock.now()),
            FeedBack("pbx1", clock.now(), frozenset({"2", "3"})),
        ]
        assert feed.counts().reconnects == 1


async def test_a_line_that_never_was_live_is_not_lost(pbx):
    pbx.silent_to.add("CoreShowChannels")
    async with feeding(pbx) as (_, events):
        await pbx.client()
        pbx.cut()
        pbx.silent_to.clear()
        assert short(await heard(events, 1)) == ["FeedBack "]


@pytest.mark.parametrize(
    ("uptime", "away_s", "told"),
    [
        pytest.param(130, 30, ["resume 1", "resume 1"], id="the same Asterisk, half a minute later"),
        pytest.param(129, 30, ["resume 1", "resume 1"], id="a second lost to rounding"),
        pytest.param(3, 30, ["resume 1", "forget", "resume 1"], id="a smaller uptime is a restart"),
        pytest.param(400, 3600, ["resume 1", "forget", "resume 1"], id="a larger one too, when it is too small"),
    ],
)
async def test_a_restart_forgets_what_was_before(pbx, uptime, away_s, told):
    pbx.channels = [channel("1")]
    tracker, clock = Notebook(), HandClock()
    async with feeding(pbx, tracker, clock) as (_, events):
        await heard(events, 1)
        clock.move(timedelta(seconds=away_s))
        pbx.uptime = uptime
        pbx.cut()
        await heard(events, 2)
        assert tracker.told == told


async def test_what_happens_while_the_snapshot_is_on_its_way_comes_behind_it(pbx):
    pbx.channels = [channel("1"), channel("2"), channel("3")]
    tracker = Notebook()

    def meanwhile(action: str, _: dict[str, str]) -> None:
        if action == "CoreShowChannels":
            pbx.say("Newchannel", Uniqueid="3")  # also in the snapshot: born twice if told both ways
            pbx.say("Newchannel", Uniqueid="4")  # not in the snapshot, and yet alive
            pbx.say("Hangup", Uniqueid="2")

    pbx.before_answer = meanwhile
    async with feeding(pbx, tracker) as (_, events):
        said = short(await heard(events, 4))
        assert said == ["FeedBack 1,2", "CallStarted 3", "CallStarted 4", "CallEnded 2"]
        assert tracker.told == ["resume 1,2", "new 3", "new 4", "end 2"]


@pytest.mark.parametrize(
    ("channels", "early", "known", "there"),
    [
        pytest.param(["1"], [], [], ["1"], id="nothing happened meanwhile"),
        pytest.param(["1"], ["Newchannel 1"], [], [], id="born meanwhile: its own event brings it"),
        pytest.param([], ["Hangup 1"], ["1"], ["1"], id="a known call ends by its Hangup, not unseen"),
        pytest.param([], ["Hangup 1"], [], [], id="a call never known is not made up to end"),
        pytest.param(["1"], ["Hangup 1"], ["1"], ["1"], id="listed, then ended"),
        pytest.param([], ["Newchannel 1", "Hangup 1"], [], [], id="born and ended meanwhile"),
    ],
)
def test_a_snapshot_and_what_happened_meanwhile(channels, early, known, there):
    listed = [Event("CoreShowChannel", {"Uniqueid": uniqueid}) for uniqueid in channels]
    happened = [Event(name, {"Uniqueid": uniqueid}) for name, uniqueid in (said.split() for said in early)]
    joined = still_there(listed, happened, frozenset(known))
    assert [seen.get("Uniqueid") for seen in joined] == there
    assert {seen.name for seen in joined} <= {"CoreShowChannel"}


async def test_a_call_that_ends_in_the_middle_of_a_reconnect_ends_with_an_outcome(pbx):
    tracker = Tracker("pbx1", frozenset({"from-trunk"}), frozenset(), trust_caller_id=True)
    lines = dict(channel("lab-1.1", ChannelState="4"))
    async with feeding(pbx, tracker) as (_, events):
        await heard(events, 1)
        pbx.say("Newchannel", **lines)
        assert short(await heard(events, 1)) == ["CallStarted lab-1.1"]
        pbx.before_answer = lambda action, _: (
            pbx.say("Hangup", **lines, Cause="16") if action == "CoreShowChannels" else None
        )
        pbx.cut()
        assert short(await heard(events, 3)) == ["FeedLost ", "FeedBack lab-1.1", "CallEnded lab-1.1"]


# -- the queue


@pytest.fixture
def small_queue(monkeypatch):
    monkeypatch.setattr(feed_module, "HIGH_WATER", 60)
    monkeypatch.setattr(feed_module, "LOW_WATER", 20)


@pytest.mark.usefixtures("small_queue")
async def test_above_high_water_it_stops_reading_and_nothing_is_dropped(pbx):
    """More than all socket buffers hold is said while nobody takes anything."""
    async with feeding(pbx) as (feed, events):
        await heard(events, 1)
        padding = "x" * 900
        for n in range(20_000):
            pbx.say("Newchannel", Uniqueid=str(n), Padding=padding)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await pbx.drained()
        counts = feed.counts()
        assert 60 <= counts.waiting < 2000
        assert counts.pauses == 1
        said = await heard(events, 20_000)
        assert short(said) == [f"CallStarted {n}" for n in range(20_000)]
        assert feed.counts().pauses > 1
        assert feed.counts().waiting == 0


@pytest.mark.usefixtures("small_queue")
async def test_cut_while_it_did_not_read_it_still_comes_back(pbx):
    async with feeding(pbx) as (_, events):
        await heard(events, 1)
        for n in range(100):
            pbx.say("Newchannel", Uniqueid=str(n))
        await pbx.drained()
        pbx.cut()
        said = short(await heard(events, 102))
        assert said[-2:] == ["FeedLost ", "FeedBack "]


async def test_batches_bring_all_that_waits(pbx):
    async with feeding(pbx) as (feed, _):
        batches = feed.batches()
        async with asyncio.timeout(10):
            assert short(await anext(batches)) == ["FeedBack "]
            taken = 0
            pbx.raw(b"".join(event("Newchannel", Uniqueid=str(n)) for n in range(500)))
            sizes = []
            while taken < 500:
                batch = await anext(batches)
                sizes.append(len(batch))
                taken += len(batch)
        assert taken == 500
        assert len(sizes) < 50


async def test_what_was_heard_can_be_taken_after_close_and_then_it_ends(pbx):
    async with feeding(pbx) as (feed, events):
        await heard(events, 1)
        pbx.say("Newchannel", Uniqueid="1")
        await feed.ami.ask("Ping")  # its answer comes behind the event
        feed.close()
        assert short([event async for event in events]) == ["CallStarted 1"]
        assert [batch async for batch in feed.batches()] == []


async def test_run_listens_until_it_is_cancelled(pbx):
    account = Account("pbx1", "127.0.0.1", pbx.port, "ringback", "secret")
    feed = AmiFeed(account, HandClock(), Notebook(), QUICK)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(feed.run())
        async with asyncio.timeout(10):
            async for event in feed.events():
                assert short([event]) == ["FeedBack "]
                running.cancel()
    assert feed.state().endswith("(closed)")


async def test_counts_say_what_was_seen(pbx):
    async with feeding(pbx) as (feed, events):
        await heard(events, 1)
        pbx.say("Newexten", Uniqueid="1")
        pbx.raw(b"garbage\r\n\r\n")
        pbx.say("Newchannel", Uniqueid="1")
        await heard(events, 1)
        counts = feed.counts()
        # Login, FullyBooted, two of the snapshot, and three just now.
        assert (counts.events, counts.decoded, counts.bad_frames) == (7, 5, 1)
        assert (counts.pauses, counts.reconnects, counts.faults, counts.waiting) == (0, 0, 0, 0)
        assert counts.hostile == 0


async def test_a_number_that_forges_is_counted_and_told(pbx, caplog):
    async with feeding(pbx) as (feed, events):
        await heard(events, 1)
        pbx.say("Newchannel", Uniqueid="1", CallerIDNum="1\r\n\r\nEvent: Hangup\r\nUniqueid: 2\r\n\r\n")
        pbx.say("Newchannel", Uniqueid="2", CallerIDNum="1\r\nUniqueid: 1")
        assert short(await heard(events, 2)) == ["CallStarted 1", "CallStarted 2"]
        assert feed.counts().hostile == 2
    (warning,) = [record.getMessage() for record in caplog.records if "tried" in record.getMessage()]
    assert warning.startswith(
        "pbx pbx1: a caller's number tried to pass for lines of Asterisk; nothing of it was taken"
    )


async def test_a_feed_that_fell_runs_again_and_says_that_it_was_away(pbx):
    account = Account("pbx1", "127.0.0.1", pbx.port, "ringback", "secret")
    feed = AmiFeed(account, HandClock(), Notebook(), QUICK)
    told = []
    for _life in range(2):
        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(feed.run())
            await asyncio.sleep(0)
            async for event in feed.events():
                told += short([event])
                if told[-1] == "FeedBack ":
                    running.cancel()
    assert told == ["FeedBack ", "FeedLost ", "FeedBack "]
