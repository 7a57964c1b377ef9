"""From a finished call to its one decision and at most one text, on both databases."""

import asyncio
import shutil
import sqlite3
from dataclasses import replace
from datetime import datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from ringback.core.calls import CallEnded, CallStarted, Direction, FeedBack, FeedLost, Outcome, Presentation
from ringback.core.reasons import Reason
from ringback.core.schedules import Calendar, Span
from ringback.core.templates import TemplateFault, TextKind, parse
from ringback.core.windows import read_windows
from ringback.flow.house import Limits
from ringback.flow.pauses import Pause, Scope, pause, resume
from ringback.ports.handsets import Behaviour
from ringback.store.database import Database
from tests.conftest import NOON
from tests.flow.world import DID, HOUSE, OTHER_DID, PAT, SAM, World, a_call, answered, life_of, ruled

TEXT = "Sorry we missed you, Northlight."


@pytest.fixture
async def world(store, clock, tmp_path):
    async with World(store, clock, tmp_path).running() as world:
        yield world


async def test_a_missed_call_becomes_one_text_from_the_number_that_was_called(world):
    await world.happens(*life_of(a_call("1")))
    assert world.handset() == [TEXT]
    assert world.carrier.handset(PAT)[0].sender == DID
    assert await world.decision("1") == ("send", "allowed")
    assert await world.states("1") == ["submitting", "accepted", "sent", "delivered"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"presentation": Presentation.WITHHELD}, Reason.WITHHELD, id="the caller hides the number"),
        pytest.param(
            {"presentation": Presentation.UNKNOWN}, Reason.PRESENTATION_UNKNOWN, id="nobody said whether it is hidden"
        ),
        pytest.param({"vetoed": True}, Reason.VETOED, id="the dialplan said no"),
        pytest.param({"verstat": "TN-Validation-Failed"}, Reason.SPOOFED, id="the network calls it a fake"),
        pytest.param({"caller": "anonymous"}, Reason.WITHHELD, id="the number is the word anonymous"),
        pytest.param({"caller": "101"}, Reason.INTERNAL, id="a colleague calls"),
        pytest.param({"caller": OTHER_DID}, Reason.OWN_NUMBER, id="one of our own numbers calls"),
        pytest.param({"caller": "911"}, Reason.EMERGENCY, id="the emergency services call back"),
        pytest.param({"caller": "+19005550123"}, Reason.PREMIUM, id="a premium number"),
        pytest.param({"caller": "+123"}, Reason.INVALID_NUMBER, id="a number that cannot exist"),
        pytest.param({"caller": "+442079460123"}, Reason.LANDLINE, id="a landline, where the plan tells"),
        pytest.param({"did": "+12025550199"}, Reason.NUMBER_UNKNOWN, id="no carrier sends for that number"),
    ],
)
async def test_a_text_that_must_not_go_is_suppressed_with_its_reason(world, change, reason):
    await world.happens(*life_of(a_call("1", **change)))
    assert await world.decision("1") == ("suppress", reason)
    assert world.carrier.numbers() == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"outcome": Outcome.ANSWERED, "answered_at": NOON}, "answered", id="answered"),
        pytest.param({"outcome": Outcome.ANSWERED_ELSEWHERE}, "answered", id="answered upstream"),
        pytest.param({"outcome": Outcome.VOICEMAIL_LEFT}, "no_rule", id="no rule for voicemail"),
        pytest.param({"outcome": Outcome.FAILED}, "no_rule", id="never reached anybody"),
        pytest.param(
            {"direction": Direction.OUTBOUND, "caller": "101", "did": PAT}, "no_rule", id="our own call to somebody"
        ),
    ],
)
async def test_a_call_no_rule_wants_a_text_for_says_so(world, change, reason):
    await world.happens(*life_of(a_call("1", **change)))
    assert await world.decision("1") == ("none", reason)


async def test_the_second_call_inside_the_cool_down_gets_no_text(world, clock):
    await world.happens(*life_of(a_call("1")))
    await world.passes(timedelta(hours=3))
    await world.happens(*life_of(a_call("2", ended=clock.now())))
    assert await world.decision("2") == ("suppress", "cool_down")
    await world.passes(timedelta(hours=22))
    await world.happens(*life_of(a_call("3", ended=clock.now())))
    assert await world.decision("3") == ("send", "allowed")
    assert len(world.handset()) == 2


async def test_the_cool_down_counts_over_all_our_numbers(world):
    await world.happens(*life_of(a_call("1")), *life_of(a_call("2", did=OTHER_DID)))
    assert await world.decision("2") == ("suppress", "cool_down")


async def test_somebody_else_is_not_cooled_down(world):
    await world.happens(*life_of(a_call("1")), *life_of(a_call("2", caller=SAM)))
    assert world.handset(SAM) == [TEXT]


async def test_the_same_end_told_twice_changes_nothing(world):
    call = a_call("1")
    await world.happens(*life_of(call), CallEnded(call), CallStarted(replace(call, ended_at=None)), CallEnded(call))
    assert world.handset() == [TEXT]


async def test_an_end_without_a_beginning_is_a_call_all_the_same(world):
    await world.happens(CallEnded(a_call("1")))
    assert world.handset() == [TEXT]


async def test_a_call_too_long_ago_becomes_a_task_for_a_person(world, store):
    await world.happens(*life_of(a_call("1", ended=NOON - timedelta(minutes=16))))
    assert await world.decision("1") == ("suppress", "too_old")
    assert await tasks(store) == ["too_old"]


async def test_a_burst_is_a_storm_and_the_rest_is_held_back(store, clock, tmp_path):
    house = replace(HOUSE, limits=Limits(texts_per_minute=5))
    async with World(store, clock, tmp_path, house).running() as world:
        for n in range(10):
            await world.happens(*life_of(a_call(str(n), caller=f"+1512555{n + 100:04}")))
        verdicts = [await world.decision(str(n)) for n in range(10)]
    assert verdicts == [("send", "allowed")] * 5 + [("suppress", "storm")] * 5
    assert await tasks(store) == ["storm"]


async def test_one_pair_gets_few_automatic_texts_an_hour_whatever_asks(store, clock, tmp_path):
    async with World(store, clock, tmp_path, ruled(cool_down=timedelta())).running() as world:
        for n in range(5):
            await world.happens(*life_of(a_call(str(n), ended=clock.now())))
        assert [await world.decision(str(n)) for n in range(5)] == [("send", "allowed")] * 3 + [
            ("suppress", "loop")
        ] * 2
        await world.passes(timedelta(hours=1, seconds=1))
        await world.happens(*life_of(a_call("later", ended=clock.now())))
        assert await world.decision("later") == ("send", "allowed")


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(Pause(Scope.ALL), id="everything"),
        pytest.param(Pause(Scope.NUMBER, DID), id="the number"),
        pytest.param(Pause(Scope.RULE, "missed"), id="the rule"),
    ],
)
async def test_what_is_paused_sends_nothing_until_it_goes_on(world, store, clock, what):
    await store.commit(partial(pause, what, "ana", NOON))
    await world.happens(*life_of(a_call("1")))
    assert await world.decision("1") == ("suppress", "paused")
    assert await store.commit(partial(resume, what)) == ()
    await world.happens(*life_of(a_call("2")))
    assert world.handset() == [TEXT]


async def test_a_pause_of_another_number_does_not_matter(world, store):
    await store.commit(partial(pause, Pause(Scope.NUMBER, OTHER_DID), "ana", NOON))
    await world.happens(*life_of(a_call("1")))
    assert world.handset() == [TEXT]


class Unfillable:
    source = "checked when it was loaded, and yet"

    def render(self, values):
        raise TemplateFault("the text comes out empty")


async def test_a_text_that_cannot_be_filled_in_says_so(store, clock, tmp_path):
    async with World(store, clock, tmp_path, ruled(text={"en": Unfillable()})).running() as world:
        await world.happens(*life_of(a_call("1")))
        assert await world.decision("1") == ("suppress", "template_fault")


async def test_the_text_is_in_the_callers_language(store, clock, tmp_path):
    texts = {"en": parse("Sorry", TextKind.CALL_TEXT), "es": parse("Lo sentimos", TextKind.CALL_TEXT)}
    async with World(store, clock, tmp_path, ruled(text=texts)).running() as world:
        await world.happens(*life_of(a_call("1", language="es-MX")), *life_of(a_call("2", caller=SAM)))
        assert world.handset() == ["Lo sentimos"]
        assert world.handset(SAM) == ["Sorry"]


async def test_a_locked_database_loses_no_call_and_sends_no_text_twice(clock, tmp_path, empty_sqlite, monkeypatch):
    monkeypatch.setattr("ringback.store.sqlite.BUSY_WAIT_S", 0.02)
    shutil.copy(empty_sqlite, tmp_path / "locked.db")
    database = Database(f"sqlite:///{tmp_path / 'locked.db'}", clock)
    await database.open()
    async with World(database, clock, tmp_path).running() as world:
        foreign = sqlite3.connect(tmp_path / "locked.db", isolation_level=None)
        foreign.execute("BEGIN EXCLUSIVE")
        world.script.feed(*life_of(a_call("1")))
        while not database.trouble:
            await asyncio.sleep(0)
        assert "locked" in database.trouble
        assert world.handset() == []
        foreign.execute("ROLLBACK")
        foreign.close()
        for _ in range(5):
            await world.passes(timedelta(seconds=3))
        assert database.trouble == ""
        assert world.handset() == [TEXT]
        assert await world.decision("1") == ("send", "allowed")
    await database.close()


class TestDelay:
    @pytest.fixture
    async def world(self, store, clock, tmp_path):
        async with World(store, clock, tmp_path, ruled(delay=timedelta(seconds=20))).running() as world:
            yield world

    async def test_the_text_goes_when_the_delay_is_over(self, world):
        await world.happens(*life_of(a_call("1")))
        assert await world.decision("1") == ("send", "allowed")
        assert world.handset() == []
        await world.passes(timedelta(seconds=19))
        assert world.handset() == []
        await world.passes(timedelta(seconds=2))
        assert world.handset() == [TEXT]

    async def test_a_call_returned_and_answered_takes_the_text_back(self, world):
        await world.happens(*life_of(a_call("1")))
        back = answered(a_call("2", direction=Direction.OUTBOUND, caller="101", did=PAT))
        await world.happens(*life_of(back))
        await world.passes(timedelta(seconds=30))
        assert await world.decision("1") == ("suppress", "returned")
        assert world.handset() == []

    async def test_a_caller_who_tries_again_and_is_answered_gets_no_text(self, world):
        await world.happens(*life_of(a_call("1")), *life_of(answered(a_call("2", did=OTHER_DID))))
        await world.passes(timedelta(seconds=30))
        assert await world.decision("1") == ("suppress", "returned")

    async def test_an_unanswered_return_call_changes_nothing(self, world):
        await world.happens(*life_of(a_call("1")))
        await world.happens(*life_of(a_call("2", direction=Direction.OUTBOUND, caller="101", did=PAT)))
        await world.passes(timedelta(seconds=21))
        assert world.handset() == [TEXT]

    async def test_a_second_missed_call_meanwhile_waits_for_no_second_text(self, world):
        await world.happens(*life_of(a_call("1")), *life_of(a_call("2")))
        assert await world.decision("2") == ("suppress", "already_pending")
        await world.passes(timedelta(seconds=21))
        assert world.handset() == [TEXT]

    async def test_a_due_text_waits_while_its_caller_is_on_the_line_again(self, world, clock):
        await world.happens(*life_of(a_call("1")))
        await world.happens(CallStarted(a_call("2", ended_at=None, outcome=None)))
        await world.passes(timedelta(seconds=21))
        assert world.handset() == []
        await world.happens(CallEnded(a_call("2", ended=clock.now())))
        await world.passes(timedelta(seconds=6))
        assert world.handset() == [TEXT]

    async def test_a_pause_that_came_meanwhile_holds_the_text(self, world, store):
        await world.happens(*life_of(a_call("1")))
        await store.commit(partial(pause, Pause(Scope.ALL), "ana", NOON))
        await world.passes(timedelta(seconds=21))
        assert await world.decision("1") == ("suppress", "paused")
        assert world.handset() == []

    async def test_a_country_switched_off_meanwhile_holds_the_text(self, store, clock, tmp_path):
        house = ruled(delay=timedelta(seconds=20))
        async with World(store, clock, tmp_path, house).running() as first:
            await first.happens(*life_of(a_call("1")))
        clock.move(timedelta(seconds=30))
        off = replace(house, countries_off=frozenset({"US"}))
        async with World(store, clock, tmp_path, off).running() as second:
            assert second.handset() == []
            assert await second.decision("1") == ("suppress", Reason.CALLER_INITIATED_OFF)

    async def test_a_text_that_was_waiting_goes_after_a_restart(self, store, clock, tmp_path, url):
        house = ruled(delay=timedelta(seconds=20))
        async with World(store, clock, tmp_path, house).running() as first:
            await first.happens(*life_of(a_call("1")))
        clock.move(timedelta(minutes=2))
        async with World(store, clock, tmp_path, house).running() as second:
            assert second.handset() == [TEXT]


async def test_an_answered_return_call_takes_back_a_text_that_waits_for_its_carrier(world):
    world.carrier.behave(PAT, Behaviour.AWAY)
    await world.happens(*life_of(a_call("1")))
    assert (await world.states("1"))[-1] == "held"
    await world.happens(*life_of(answered(a_call("2", direction=Direction.OUTBOUND, caller="101", did=PAT))))
    world.carrier.behave(PAT, Behaviour.DELIVERS)
    await world.passes(timedelta(minutes=5))
    assert (await world.states("1"))[-1] == "cancelled"
    assert await world.decision("1") == ("suppress", "returned")
    assert world.handset() == []


class TestOutOfSight:
    async def test_a_call_that_ended_unseen_is_a_task_and_gets_no_text(self, world, store):
        await world.happens(CallStarted(a_call("1", ended_at=None, outcome=None)))
        await world.happens(FeedLost("main", NOON), FeedBack("main", NOON + timedelta(seconds=30), frozenset()))
        assert await world.decision("1") == ("none", "unseen")
        assert await tasks(store) == ["unseen"]
        await world.happens(CallEnded(a_call("1")))
        assert world.handset() == []

    async def test_a_call_that_lives_through_the_gap_goes_on(self, world):
        await world.happens(CallStarted(a_call("1", ended_at=None, outcome=None)))
        await world.happens(FeedLost("main", NOON), FeedBack("main", NOON + timedelta(seconds=3), frozenset({"1"})))
        await world.happens(CallEnded(a_call("1")))
        assert world.handset() == [TEXT]

    async def test_a_call_answered_before_the_gap_is_answered(self, world, store):
        call = answered(a_call("1"))
        await world.happens(*life_of(call)[:2])
        await world.happens(FeedLost("main", NOON), FeedBack("main", NOON, frozenset()))
        assert await world.decision("1") == ("none", "answered")
        assert await tasks(store) == []

    async def test_the_gap_is_recorded_with_its_calls(self, world, store):
        await world.happens(CallStarted(a_call("1", ended_at=None, outcome=None)))
        await world.happens(FeedLost("main", NOON), FeedBack("main", NOON + timedelta(seconds=31), frozenset()))
        rows = await store.read(
            lambda connection: connection.exec_driver_sql("SELECT pbx, to_at - from_at, calls FROM pbx_gap").all()
        )
        assert [tuple(row) for row in rows] == [("main", 31_000_000, 1)]


@pytest.mark.parametrize("delay", [timedelta(), timedelta(seconds=20)], ids=["at once", "after a delay"])
@pytest.mark.parametrize(
    ("words", "offers"),
    [
        pytest.param("We call back{% if windows %} {{ windows }}{% endif %}.", True, id="a text that offers times"),
        pytest.param("We call back.", False, id="a text that offers none"),
    ],
)
async def test_the_windows_a_text_offers_are_kept_with_it(store, clock, tmp_path, delay, words, offers):
    calendar = Calendar("main", ZoneInfo("America/New_York"), (), (Span(4, time(13), time(14)),))
    house = ruled(delay=delay, calendar=calendar, text={"en": parse(words, TextKind.CALL_TEXT)})
    async with World(store, clock, tmp_path, house).running() as world:
        await world.happens(*life_of(a_call("1")))
        await world.passes(delay)
        ((kept,),) = await store.read(
            lambda connection: connection.exec_driver_sql("SELECT windows FROM message").fetchall()
        )
    one = datetime(2026, 11, 20, 13, tzinfo=calendar.zone)
    assert [window.start for window in read_windows(kept)] == ([one] if offers else [])


async def tasks(store) -> list[str]:
    return await store.read(
        lambda connection: [row[0] for row in connection.exec_driver_sql("SELECT kind FROM task ORDER BY id")]
    )
