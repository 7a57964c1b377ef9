"""A hostile caller on a real Asterisk: what the daemon's own AMI and tracker make of it while others call."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from lab.asterisk import Asterisk
from lab.call import Call as SipCall
from lab.pbx import Pbx
from ringback.asterisk.ami import Account
from ringback.asterisk.feed import AmiFeed
from ringback.asterisk.tracker import Tracker
from ringback.core.calls import Call, CallEnded, CallEvent, CallStarted, FeedBack, Outcome
from tests.fakes.hand_clock import HandClock

PATIENCE = 20.0
KEPT_OF_A_NUMBER = 79


@pytest.fixture
async def feed(asterisk: Asterisk) -> AsyncIterator[AmiFeed]:
    """The daemon's line to the lab, with the account we ship."""
    account = Account("lab", "127.0.0.1", asterisk.ami_port, asterisk.account.user, asterisk.account.secret)
    tracker = Tracker("lab", frozenset({"from-trunk"}), frozenset({"from-internal"}), trust_caller_id=False)
    feed = AmiFeed(account, HandClock(datetime.now(UTC)), tracker)
    feed.start()
    yield feed
    feed.close()


async def next_of(events: AsyncIterator[CallEvent], kind: type[CallEvent]) -> CallEvent:
    async with asyncio.timeout(PATIENCE):
        while not isinstance(event := await anext(events), kind):
            pass
    return event


async def call_of(events: AsyncIterator[CallEvent], kind: type[CallStarted | CallEnded]) -> Call:
    event = await next_of(events, kind)
    assert isinstance(event, CallStarted | CallEnded)
    return event.call


def forgeries(uniqueid: str) -> list[str]:
    """As hostile as 79 bytes can be."""
    return [
        f"1\r\nUniqueid: {uniqueid}\r\nX: y",
        f"1\r\n\r\nEvent: Hangup\r\nUniqueid: {uniqueid}\r\n\r\n",
        f"1\r\n\r\nEvent: BridgeEnter\r\nBridgeType: basic\r\nUniqueid: {uniqueid}",
        f"1\r\n\r\nEvent: Hangup\r\nUniqueid: {uniqueid}\r\nX:",
        "1\r\n\r\nEvent: Shutdown\r\n\r\n",
        "1\r\n",
    ]


@pytest.mark.parametrize(
    "which", range(6), ids=["header", "hang-up", "answer", "the rest too", "shutdown", "line break"]
)
async def test_lab_a_number_ends_no_call_but_its_own(pbx: Pbx, feed: AmiFeed, which: int) -> None:
    async with aclosing(feed.events()) as events:
        await next_of(events, FeedBack)
        await pbx.phones("101", "102")
        victim = await (await pbx.caller("+15125550123")).call("+12125550101")
        live = await call_of(events, CallStarted)
        number = forgeries(live.uniqueid)[which]
        assert len(number) <= KEPT_OF_A_NUMBER
        hostile = await (await pbx.caller(quote(number, safe="+"))).call("+12125550102")
        await hostile.ringing()
        started = await call_of(events, CallStarted)
        await hostile.cancel()
        ended = await call_of(events, CallEnded)
        assert (started.uniqueid, started.did, ended.uniqueid) == (ended.uniqueid, "+12125550102", started.uniqueid)
        assert (ended.outcome, [leg.to for leg in ended.legs]) == (Outcome.MISSED, ["102"])
        assert ended.caller.isprintable()
        await victim.cancel()
        last = await call_of(events, CallEnded)
        assert (last.uniqueid, last.caller, last.outcome) == (live.uniqueid, "+15125550123", Outcome.MISSED)
        assert [leg.to for leg in last.legs] == ["101"]
    counts = feed.counts()
    assert (counts.bad_frames, counts.reconnects) == (0, 0)
    assert counts.hostile > 3


async def test_lab_whoever_answers_says_nothing_of_another_call(pbx: Pbx, feed: AmiFeed) -> None:
    """A party outside puts a forgery into the identity it answers with."""
    async with aclosing(feed.events()) as events:
        await next_of(events, FeedBack)
        desk, _ = await pbx.phones("103", "101")
        victim = await (await pbx.caller("+15125550123")).call("+12125550101")
        live = await call_of(events, CallStarted)
        forged = quote(f"1\r\n\r\nEvent: Hangup\r\nUniqueid: {live.uniqueid}\r\n\r\n", safe="+")

        async def answer_as_somebody_else(call: SipCall) -> None:
            await call.answer([("P-Asserted-Identity", f"<sip:{forged}@127.0.0.1>")])

        (await pbx.carrier()).behaviours["+15125550188"] = answer_as_somebody_else
        talk = await desk.call("+15125550188")
        await talk.answered()
        await talk.hang_up()
        ended = await call_of(events, CallEnded)
        assert (ended.did, ended.outcome) == ("+15125550188", Outcome.ANSWERED)
        await victim.cancel()
        assert (await call_of(events, CallEnded)).uniqueid == live.uniqueid
    assert feed.counts().hostile > 0


async def test_lab_asterisk_keeps_no_more_of_a_number_than_the_fence_stands_on(pbx: Pbx) -> None:
    ami = await pbx.ami()
    await pbx.phone("104")
    caller = await pbx.caller("7" * 300)
    call = await caller.call("+12125550104", [("P-Asserted-Identity", f"<sip:{'8' * 300}@127.0.0.1>")])
    await call.ringing()
    dialled = await ami.wait("DialBegin", DialString="104")
    assert {dialled["CallerIDNum"], dialled["DestConnectedLineNum"]} == {"8" * KEPT_OF_A_NUMBER}
    await call.cancel()
