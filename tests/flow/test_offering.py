"""What a call is offered: kept, asked once, the same for a while, with a margin once it began, and no place lost."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from ringback.core.offers import OfferAnswer, OfferKind
from ringback.core.reasons import Reason
from ringback.core.schedules import Calendar, parse_spans
from ringback.core.text_queues import ForLandlines, Offering, Plan, TextQueue
from ringback.core.voice_queues import Served
from ringback.flow import offering as steps
from ringback.flow.offering import Asking, Offerings
from ringback.flow.waits import Waits
from tests.conftest import NOON
from tests.fakes.voice_queues import HandQueues, voice_queue

MINUTE = timedelta(minutes=1)
BY_WAIT = Offering(if_wait=2 * MINUTE)
ZONE = ZoneInfo("America/New_York")  # NOON is noon there


def queue(offering=BY_WAIT):
    return TextQueue(7, "que_7", "sales", Plan(offering=offering))


def asking(uniqueid="u9", kind=OfferKind.DEFLECTION, offering=BY_WAIT, **more):
    known = Asking(kind, "main", uniqueid, "sales", "+12025550101", "+15125550123", queue(offering), agents=2)
    return replace(known, **more)


class Desk:
    """Asks as the dialplan's flow does: look on the loop, decide in a step, remember."""

    def __init__(self, store, clock, exchange, calendars):
        self.store, self.clock, self.exchange = store, clock, exchange
        self.waits = Waits({"main": exchange}, store, clock)
        self.offerings = Offerings(self.waits, calendars)
        exchange.learns(*[Served("main", "sales", "PJSIP/101", MINUTE, NOON)] * 10)

    async def asks(self, asking):
        now = self.clock.now()
        seen = self.offerings.see(asking, now)
        made = await self.store.commit(lambda tx: steps.decide(asking, seen, now, tx))
        self.offerings.remember(asking, seen, made)
        return made

    async def answers(self, made, said):
        now = self.clock.now()
        return await self.store.commit(lambda tx: steps.answer(made.offer, said, "", "", now, tx))

    def line(self, length):
        """So many wait: with one agent, busy since noon, each adds a minute."""
        self.exchange.put(voice_queue(busy_since=NOON))
        for number in range(length):
            self.exchange.joins("sales", f"u{number}", NOON)


@pytest.fixture
def desk(store, clock):
    night = Calendar("night", ZONE, parse_spans({"mon-sun": ["20:00-23:00"]}))
    desk = Desk(store, clock, HandQueues(), {"night": night})
    desk.line(0)
    return desk


async def test_it_is_offered_and_kept(desk, store):
    desk.line(3)
    made = await desk.asks(asking())
    assert (made.reason, made.ask) == (Reason.ALLOWED, False)
    kept = await store.commit(lambda tx: steps.made_before("main", "u9", OfferKind.DEFLECTION, tx))
    assert kept == made.offer
    seen = kept.situation
    assert (seen.queue, seen.waiting, seen.agents, seen.expected, seen.position) == ("sales", 3, 2, 4 * MINUTE, 4)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        pytest.param({}, Reason.WAIT_SHORT, id="the wait is short"),
        pytest.param({"queue": None}, Reason.NO_TEXT_QUEUE, id="no text queue"),
        pytest.param({"offering": Offering(calendar="night")}, Reason.OUTSIDE_HOURS, id="closed"),
        pytest.param({"offering": Offering(), "agents": 0}, Reason.NO_TEXT_AGENTS, id="nobody there"),
        pytest.param({"offering": Offering(), "textable": Reason.LANDLINE}, Reason.LANDLINE, id="a landline"),
        pytest.param({"voice": "nowhere"}, Reason.WAIT_UNKNOWN, id="a queue that nobody sees"),
    ],
)
async def test_it_is_not_offered_and_that_is_kept(desk, store, more, reason):
    made = await desk.asks(asking(**more))
    assert made.reason is reason
    assert (await store.commit(lambda tx: tx.offers.of("main", "u9", OfferKind.DEFLECTION))).reason is reason
    assert await store.commit(lambda tx: steps.made_before("main", "u9", OfferKind.DEFLECTION, tx)) is None


async def test_a_landline_is_asked_for_a_mobile(desk):
    made = await desk.asks(asking(offering=Offering(landline=ForLandlines.ASK), textable=Reason.LANDLINE))
    assert (made.reason, made.ask) == (Reason.ALLOWED, True)


async def test_nobody_is_asked_twice_also_after_a_restart(desk, store, clock):
    desk.line(3)
    await desk.asks(asking())
    again = Desk(store, clock, HandQueues(queues=desk.exchange.queues()), {})
    for who in (desk, again):
        assert (await who.asks(asking())).reason is Reason.ASKED_BEFORE


@pytest.mark.parametrize("said", [OfferAnswer.NO, OfferAnswer.YES, OfferAnswer.NOT_SENT])
async def test_who_answered_is_asked_nothing_else(desk, said):
    desk.line(3)
    made = await desk.asks(asking())
    await desk.answers(made, said)
    assert (await desk.asks(asking(kind=OfferKind.WAIT_TEXT))).reason is Reason.ASKED_BEFORE


async def test_who_hung_on_may_be_asked_something_else(desk):
    desk.line(3)
    await desk.asks(asking())
    assert (await desk.asks(asking(kind=OfferKind.WAIT_TEXT))).reason is Reason.ALLOWED


async def test_a_no_holds_for_a_while(desk, clock):
    assert (await desk.asks(asking())).reason is Reason.WAIT_SHORT
    desk.line(3)
    clock.move(BY_WAIT.every - timedelta(seconds=1))
    assert (await desk.asks(asking())).reason is Reason.WAIT_SHORT
    clock.move(timedelta(seconds=1))
    assert (await desk.asks(asking())).reason is Reason.ALLOWED


async def test_once_it_began_it_takes_less_to_go_on(desk):
    """The threshold is two minutes and its margin a fifth."""
    by_callers = Offering(if_waiting=5)
    for callers, name, reason in [
        (4, "a", Reason.WAIT_SHORT),
        (5, "b", Reason.ALLOWED),
        (4, "c", Reason.ALLOWED),
        (3, "d", Reason.WAIT_SHORT),
        (4, "e", Reason.WAIT_SHORT),
    ]:
        desk.line(callers)
        assert (await desk.asks(asking(name, offering=by_callers))).reason is reason, name


async def test_what_is_not_about_the_wait_does_not_end_it(desk):
    by_callers = Offering(if_waiting=5)
    desk.line(5)
    await desk.asks(asking("a", offering=by_callers))
    assert (await desk.asks(asking("b", offering=by_callers, textable=Reason.LANDLINE))).reason is Reason.LANDLINE
    desk.line(4)
    assert (await desk.asks(asking("c", offering=by_callers))).reason is Reason.ALLOWED


async def test_no_place_is_lost(desk):
    """Three wait ahead as the offer is made; one of them leaves while the prompt plays, and two come after."""
    desk.line(3)
    await desk.asks(asking("me"))
    desk.exchange.leaves("sales", "u1")
    desk.exchange.joins("sales", "later", NOON)
    desk.exchange.joins("sales", "last", NOON)
    assert desk.offerings.position("main", "me", "sales") == 3


async def test_a_place_held_already_is_kept(desk):
    desk.line(3)
    await desk.asks(asking("u1", offering=Offering()))
    desk.exchange.leaves("sales", "u0")
    desk.exchange.leaves("sales", "u1")
    assert desk.offerings.position("main", "u1", "sales") == 1


@pytest.mark.parametrize("agents", [1, 9], ids=["they are offered something", "nothing is offered"])
async def test_whoever_left_by_a_key_gets_their_place_back(desk, agents):
    """Asterisk takes them out of the queue before the key's context runs, and asks only then."""
    desk.line(4)
    desk.exchange.leaves("sales", "u1")
    await desk.asks(asking("u1", offering=Offering(agents=agents)))
    assert desk.offerings.position("main", "u1", "sales") == 2
    desk.exchange.leaves("sales", "u0")
    desk.exchange.joins("sales", "later", NOON)
    assert desk.offerings.position("main", "u1", "sales") == 1


async def test_a_place_that_nobody_knows(desk):
    assert desk.offerings.position("main", "stranger", "sales") is None
    desk.line(3)
    await desk.asks(asking("me"))
    desk.exchange.heard = False
    assert desk.offerings.position("main", "me", "sales") is None
    desk.exchange.heard = True
    desk.offerings.forget("main", "me", "sales")
    assert desk.offerings.position("main", "me", "sales") is None
