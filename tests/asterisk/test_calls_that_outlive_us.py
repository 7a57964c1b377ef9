"""Calls that were on before we were there: found by what our include kept on their channels."""

import asyncio

import pytest

from ringback.asterisk.ami import Account
from ringback.asterisk.codec import Event
from ringback.asterisk.feed import AmiFeed, may_be_a_caller
from ringback.asterisk.standing import Pace, Retry, Trouble
from ringback.asterisk.tracker import Tracker
from ringback.core.calls import CallEnded, CallEvent, CallStarted, FeedBack, FeedLost, Outcome, Presentation
from tests.fakes.ami import FakePbx, channel
from tests.fakes.hand_clock import HandClock

QUICK = Pace(retries=dict.fromkeys(Trouble, Retry(0.0, 0.0)))
FAR = {"context": "story", "Exten": "01", "Channel": "PJSIP/trunk-1", "Application": "Dial"}
"""A caller whose call has long left the inbound context."""
KEPT = {
    "RINGBACK_DID": "+12025550101",
    "RINGBACK_PRES": "allowed_not_screened",
    "RINGBACK_TOLD_LANG": "es",
    "RINGBACK": "no",
}


@pytest.fixture
async def pbx():
    async with FakePbx() as fake:
        yield fake


@pytest.fixture
async def feed(pbx):
    account = Account("pbx1", "127.0.0.1", pbx.port, "ringback", "secret")
    tracker = Tracker("pbx1", frozenset({"from-trunk"}), frozenset({"from-internal"}), trust_caller_id=False)
    feed = AmiFeed(account, HandClock(), tracker, QUICK)
    feed.start()
    yield feed
    feed.close()


async def heard(feed: AmiFeed, count: int) -> list[CallEvent]:
    async with asyncio.timeout(10):
        events = feed.events()
        return [await anext(events) for _ in range(count)]


async def test_a_call_that_knows_its_number_is_taken_up_and_followed_to_its_end(pbx, feed):
    pbx.channels = [channel("1", **FAR)]
    pbx.variables = {"PJSIP/trunk-1": KEPT}
    begin, back = await heard(feed, 2)
    assert isinstance(begin, CallStarted)
    assert (begin.call.did, begin.call.caller) == ("+12025550101", "+15125550123")
    assert back == FeedBack("pbx1", back.at, frozenset({"1"}))
    pbx.say("VarSet", Uniqueid="1", Variable="DIALSTATUS", Value="NOANSWER")
    pbx.say("Hangup", Uniqueid="1", Cause="16")
    (end,) = await heard(feed, 1)
    assert isinstance(end, CallEnded)
    assert (end.call.outcome, end.call.did) == (Outcome.MISSED, "+12025550101")
    assert (end.call.presentation, end.call.language, end.call.vetoed) == (Presentation.SHOWN, "es", True)


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({}, id="our include was never called"),
        pytest.param({"RINGBACK_PRES": "allowed"}, id="no number was kept"),
    ],
)
async def test_a_call_that_is_none_of_ours_is_left_alone(pbx, feed, variables):
    pbx.channels = [channel("1", **FAR)]
    pbx.variables = {"PJSIP/trunk-1": variables}
    (back,) = await heard(feed, 1)
    assert back == FeedBack("pbx1", back.at, frozenset())


async def test_without_the_kept_presentation_it_stays_unknown(pbx, feed):
    pbx.channels = [channel("1", **FAR)]
    pbx.variables = {"PJSIP/trunk-1": {"RINGBACK_DID": "+12025550101"}}
    await heard(feed, 2)
    pbx.say("Hangup", Uniqueid="1")
    (end,) = await heard(feed, 1)
    assert end.call.presentation is Presentation.UNKNOWN


async def test_what_happens_while_we_ask_comes_behind(pbx, feed):
    def hang_up(name, action):
        if name == "Getvar" and action["Variable"] == "RINGBACK_DID":
            pbx.say("Hangup", Uniqueid="1")

    pbx.channels = [channel("1", **FAR)]
    pbx.variables = {"PJSIP/trunk-1": KEPT}
    pbx.before_answer = hang_up
    begin, back, end = await heard(feed, 3)
    assert [type(event) for event in (begin, back, end)] == [CallStarted, FeedBack, CallEnded]


async def test_a_line_that_breaks_while_we_ask_begins_anew(pbx, feed):
    def break_once(name, action):
        if name == "Getvar" and len(pbx.asked("Getvar")) == 1:
            pbx.cut()

    pbx.channels = [channel("1", **FAR)]
    pbx.variables = {"PJSIP/trunk-1": KEPT}
    pbx.before_answer = break_once
    begin, back = await heard(feed, 2)
    assert isinstance(begin, CallStarted)
    assert back == FeedBack("pbx1", back.at, frozenset({"1"}))
    assert pbx.connections == 2


async def test_a_channel_that_may_not_be_asked_does_not_keep_the_others(pbx, feed):
    del pbx.commands["Getvar"]
    pbx.channels = [channel("1", **FAR), channel("2")]
    begin, back = await heard(feed, 2)
    assert (begin.call.uniqueid, back.live) == ("2", frozenset({"2"}))


async def test_a_lost_line_says_so_only_when_it_was_back(pbx, feed):
    await heard(feed, 1)
    pbx.cut()
    lost, back = await heard(feed, 2)
    assert (type(lost), type(back)) == (FeedLost, FeedBack)


@pytest.mark.parametrize(
    ("name", "uniqueid", "linkedid", "expected"),
    [
        pytest.param("PJSIP/trunk-1", "1", "1", True, id="a caller from a trunk"),
        pytest.param("PJSIP/101-2", "2", "1", False, id="a phone that rings"),
        pytest.param("Local/62@story-1;2", "2", "1", True, id="the far half of a Local channel"),
        pytest.param("Local/62@story-1;1", "1", "1", False, id="its near half"),
    ],
)
def test_who_may_be_a_caller(name, uniqueid, linkedid, expected):
    fields = {"Channel": name, "Uniqueid": uniqueid, "Linkedid": linkedid}
    assert may_be_a_caller(Event("CoreShowChannel", fields)) is expected


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        pytest.param("17", Outcome.BUSY, id="Busy() told the caller so"),
        pytest.param("34", Outcome.UNREACHABLE, id="Congestion() did"),
        pytest.param("16", Outcome.ABANDONED_IVR, id="neither"),
    ],
)
async def test_an_exchange_that_turns_callers_away_names_the_outcome(pbx, feed, cause, outcome):
    await heard(feed, 1)
    pbx.say(
        "Newchannel", Channel="PJSIP/trunk-1", Context="from-trunk", Exten="+12025550131", Uniqueid="1", Linkedid="1"
    )
    pbx.say("HangupRequest", Uniqueid="1", Cause=cause)
    pbx.say("Hangup", Uniqueid="1", Cause=cause, ChannelState="7")
    _, end = await heard(feed, 2)
    assert end.call.outcome is outcome
