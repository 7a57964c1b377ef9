"""Which calls are on, asked of the feed at once: what is told of one shows, and what is over is gone."""

import asyncio
from datetime import timedelta

from ringback.asterisk.tracker import Tracker
from ringback.core.calls import CallEnded, CallStarted, FeedBack, Presentation
from tests.asterisk.test_feed import feeding, heard
from tests.fakes.ami import FakePbx
from tests.fakes.hand_clock import START

NEW = {
    "Uniqueid": "1.1",
    "Linkedid": "1.1",
    "Channel": "PJSIP/trunk-1",
    "Context": "from-trunk",
    "Exten": "+12025550101",
    "CallerIDNum": "5125550123",
}


def tracker() -> Tracker:
    return Tracker("pbx1", frozenset({"from-trunk"}), frozenset(), trust_caller_id=False)


async def test_a_call_is_known_from_its_first_event_to_its_last():
    taken = []
    async with FakePbx() as pbx, feeding(pbx, tracker()) as (feed, events):
        feed.on_calls(taken.extend)
        assert not feed.heard
        await heard(events, 1)
        assert feed.heard
        assert feed.call("1.1") is None
        pbx.say("Newchannel", **NEW)
        await heard(events, 1)
        assert feed.call("1.1").caller == "5125550123"
        told = {"Uniqueid": "1.1", "Did": "+12025550199", "Pres": "prohib", "Veto": "no"}
        pbx.say("UserEvent", UserEvent="RingbackCall", **told)
        async with asyncio.timeout(5):
            while not feed.call("1.1").vetoed:
                await asyncio.sleep(0)
        known = feed.call("1.1")
        assert (known.did, known.presentation, known.ended_at) == ("+12025550199", Presentation.WITHHELD, None)
        pbx.say("Hangup", Uniqueid="1.1", Cause="16")
        await heard(events, 1)
        assert feed.call("1.1") is None
    assert [type(one) for one in taken] == [FeedBack, CallStarted, CallEnded]


async def test_whoever_follows_calls_is_told_before_anything_is_stored():
    """A store that hangs keeps events waiting; the dialplan must not wait for that."""
    taken = []
    async with FakePbx() as pbx, feeding(pbx, tracker()) as (feed, _events):
        feed.on_calls(taken.extend)
        async with asyncio.timeout(5):
            while not feed.heard:
                await asyncio.sleep(0)
            pbx.say("Newchannel", **NEW)
            while len(taken) < 2:
                await asyncio.sleep(0)
        assert feed.counts().waiting == 2
        assert feed.call("1.1").started_at - START < timedelta(minutes=1)
