"""Told to stop in the middle of calls: what was heard until then is stored."""

import asyncio
from contextlib import suppress
from types import SimpleNamespace

from ringback.asterisk.ami import Account
from ringback.asterisk.feed import AmiFeed
from ringback.core.calls import CallEnded, FeedBack
from ringback.hearing import Hearing
from tests.asterisk.test_feed import QUICK, Notebook
from tests.fakes.ami import REPORTING, FakePbx
from tests.fakes.hand_clock import HandClock


class Slow:
    """A follower whose disk takes its time: each batch is stored when it is let."""

    def __init__(self) -> None:
        self.stored: list[object] = []
        self.under_way = asyncio.Event()
        self.disk = asyncio.Event()

    async def follow(self, source) -> None:
        async for batch in source.batches():
            if any(isinstance(event, CallEnded) for event in batch):
                self.under_way.set()
                await self.disk.wait()
            self.stored += batch

    def ended(self) -> list[str]:
        return [event.call.uniqueid for event in self.stored if isinstance(event, CallEnded)]


async def test_calls_that_were_heard_before_a_stop_are_stored():
    clock, follower = HandClock(), Slow()
    settings = SimpleNamespace(asterisk=[SimpleNamespace(name="pbx1", allow_dangerous_account=True)])
    async with FakePbx(commands=dict(REPORTING)) as pbx:
        account = Account("pbx1", "127.0.0.1", pbx.port, "ringback", "secret")
        feed = AmiFeed(account, clock, Notebook(), QUICK)
        hearing = Hearing(SimpleNamespace(settings=settings, clock=clock, stop=asyncio.Event()), follower)
        listening = asyncio.ensure_future(hearing.hear(feed))
        await feed.ami.settled(10)
        pbx.say("Newchannel", Uniqueid="1")
        pbx.say("Hangup", Uniqueid="1")
        async with asyncio.timeout(10):
            await follower.under_way.wait()
            pbx.say("Newchannel", Uniqueid="2")
            pbx.say("Hangup", Uniqueid="2")
            while feed.counts().waiting < 2:
                await asyncio.sleep(0.01)
        listening.cancel()
        await asyncio.sleep(0.01)
        follower.disk.set()
        async with asyncio.timeout(10):
            with suppress(asyncio.CancelledError):
                await listening
    assert follower.ended() == ["1", "2"]
    assert isinstance(follower.stored[0], FeedBack)


async def test_a_disk_that_never_comes_back_does_not_hold_up_the_stop(monkeypatch):
    monkeypatch.setattr("ringback.flow.insist.LAST_S", 0.05)
    clock, follower = HandClock(), Slow()
    settings = SimpleNamespace(asterisk=[SimpleNamespace(name="pbx1", allow_dangerous_account=True)])
    async with FakePbx(commands=dict(REPORTING)) as pbx:
        feed = AmiFeed(Account("pbx1", "127.0.0.1", pbx.port, "ringback", "secret"), clock, Notebook(), QUICK)
        hearing = Hearing(SimpleNamespace(settings=settings, clock=clock, stop=asyncio.Event()), follower)
        listening = asyncio.ensure_future(hearing.hear(feed))
        await feed.ami.settled(10)
        pbx.say("Newchannel", Uniqueid="1")
        pbx.say("Hangup", Uniqueid="1")
        async with asyncio.timeout(10):
            await follower.under_way.wait()
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
    assert follower.ended() == []
