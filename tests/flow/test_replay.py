"""Replay decides as the daemon would have, although recordings tell of a call only when it is over."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ringback.core.calls import Outcome
from ringback.core.templates import TextKind, parse
from ringback.flow import replay
from ringback.flow.house import Limits
from ringback.flow.replay import AHEAD, Replay
from tests.conftest import NOON
from tests.flow.world import HOUSE, OTHER_DID, PAT, SAM, a_call, ruled

DELAYED = ruled(delay=timedelta(seconds=20))


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def missed(name, start, end, caller=PAT, **change):
    return a_call(name, caller, at(end), started_at=at(start), **change)


def talked(name, start, answer, end, caller=PAT, **change):
    return missed(name, start, end, caller, outcome=Outcome.ANSWERED, answered_at=at(answer), **change)


def reasons(house, *calls):
    in_order = sorted(calls, key=lambda call: call.ended_at)
    return {row.call.uniqueid: str(row.decision.reason) for row in Replay(house).run(in_order)}


FIRST = missed("first", -20, 0)


@pytest.mark.parametrize(
    ("calls", "told"),
    [
        pytest.param([], {}, id="nobody calls again"),
        pytest.param([talked("again", 5, 10, 15)], {"first": "returned", "again": "answered"}, id="spoke before"),
        pytest.param(
            [talked("again", 5, 10, 600)], {"first": "returned", "again": "answered"}, id="still speaks when it is due"
        ),
        pytest.param(
            [talked("again", 15, 30, 600)],
            {"first": "returned", "again": "answered"},
            id="rings when it is due and is answered then",
        ),
        pytest.param([talked("again", 25, 30, 60)], {"again": "answered"}, id="speaks after the text has gone"),
        pytest.param([talked("other", 5, 10, 15, SAM)], {"other": "answered"}, id="somebody else speaks"),
        pytest.param(
            [talked("before", -60, -40, 300)], {"before": "answered"}, id="spoke before, on another line: texted later"
        ),
        pytest.param([missed("again", 5, 10)], {"again": "already_pending"}, id="calls again in vain"),
        pytest.param(
            [missed("again", 15, 40)], {"again": "already_pending"}, id="rings in vain when it is due: the text waits"
        ),
        pytest.param([missed("again", 25, 40)], {"again": "cool_down"}, id="calls again after the text"),
        pytest.param(
            [missed("again", 5, 10), talked("then", 12, 15, 18)],
            {"first": "returned", "again": "already_pending", "then": "answered"},
            id="calls again in vain, then gets through",
        ),
        pytest.param(
            [talked("then", 5, 10, 15), missed("again", 20, 30)],
            {"first": "returned", "then": "answered", "again": "allowed"},
            id="gets through, and is missed later: a text taken back starts no cool-down",
        ),
        pytest.param(
            [talked("other", 5, 10, 15, did=OTHER_DID)],
            {"first": "returned", "other": "answered"},
            id="gets through on another of our numbers",
        ),
    ],
)
def test_what_a_later_call_does_to_a_text_that_waits(calls, told):
    assert reasons(DELAYED, FIRST, *calls) == {"first": "allowed"} | told


def test_a_call_longer_than_the_replay_reads_on_takes_nothing_back():
    later = [missed(str(n), 0, 60 * n, f"+1512555{n:04}") for n in range(1, 70)]
    endless = talked("endless", 5, 10, AHEAD.total_seconds() + 500)
    assert reasons(ruled(delay=timedelta(seconds=20)), FIRST, *later, endless)["first"] == "allowed"


def test_what_is_remembered_is_forgotten_when_no_guard_asks_for_it(monkeypatch):
    monkeypatch.setattr(replay, "ROOM", 10)
    replaying = Replay(ruled(cool_down=timedelta(hours=2)))
    replaying._memory.room = 10
    calls = [missed(str(n), n * 600 - 20, n * 600, f"+1512555{n:04}") for n in range(500)]
    assert [row.decision.reason for row in replaying.run(calls)] == ["allowed"] * 500
    assert len(replaying._memory.cooling) + len(replaying._memory.to_pair) < 60


def test_rows_come_in_the_order_of_the_calls():
    calls = [missed(str(n), n * 3, n * 3 + 1, f"+1512555{n:04}") for n in range(100)]
    assert [row.call for row in Replay(DELAYED).run(calls)] == calls


def test_only_as_many_calls_are_kept_as_fall_into_what_is_read_on():
    told = 0

    def calls():
        for n in range(3 * 60):
            assert n - told <= 62
            yield missed(str(n), n * 60, n * 60 + 1, f"+1512555{n:04}")

    for _row in Replay(DELAYED).run(calls()):
        told += 1
    assert told == 180


@pytest.mark.parametrize(
    ("house", "told"),
    [
        pytest.param(ruled(delay=timedelta()), ["allowed"] * 5, id="no limit is reached"),
        pytest.param(
            replace(ruled(), limits=Limits(texts_per_minute=3)), ["allowed"] * 3 + ["storm"] * 2, id="a storm"
        ),
        pytest.param(
            replace(DELAYED, limits=Limits(texts_per_minute=3)),
            ["allowed"] * 3 + ["storm"] * 2,
            id="a storm of delayed texts, judged again when they are due",
        ),
        pytest.param(replace(HOUSE, carrier_of={}), ["number_unknown"] * 5, id="not our numbers"),
        pytest.param(
            replace(ruled(text={"en": parse("x" * 161, TextKind.CALL_TEXT)}), limits=Limits(max_segments=1)),
            ["too_long"] * 5,
            id="more parts than allowed",
        ),
        pytest.param(
            ruled(when=frozenset({Outcome.BUSY})),
            ["no_rule"] * 5,
            id="no rule",
        ),
    ],
)
def test_five_people_at_once(house, told):
    calls = [missed(str(n), 0, n, f"+1512555010{n}") for n in range(5)]
    assert list(reasons(house, *calls).values()) == told


def test_three_texts_an_hour_to_a_pair():
    house = ruled(cool_down=timedelta())
    calls = [missed(str(n), n * 600 - 20, n * 600) for n in range(8)]
    told = list(reasons(house, *calls).values())
    assert told == ["allowed"] * 3 + ["loop"] * 3 + ["allowed"] * 2


def test_a_text_is_told_only_where_one_would_have_gone():
    rows = list(Replay(DELAYED).run([FIRST, missed("again", 5, 10)]))
    assert [row.text for row in rows] == ["Sorry we missed you, Northlight.", None]


def test_a_call_that_never_ended_counts_from_its_start():
    (row,) = Replay(DELAYED).run([replace(FIRST, ended_at=None)])
    assert row.decision.reason == "allowed"
