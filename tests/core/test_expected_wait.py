"""How long a caller will wait: what is known, what is unknown, and that the answer goes the right way."""

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.queueing import SHOPS, Play, error
from ringback.core import expected_wait
from ringback.core.expected_wait import (
    LONGEST,
    MOST_CALLS,
    MOST_HANDOVERS,
    Errors,
    Model,
    compare,
    dump,
    expected,
    learn,
)
from ringback.core.voice_queues import DeviceState, Served, ServedHow, VoiceMember, VoiceQueue, Waited

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTES_OF_THREE = Model(talks=(60.0,) * 20)


def member(number=1, state=DeviceState.NOT_INUSE, **more):
    return VoiceMember(f"PJSIP/{number}", f"{number}", "", state, **more)


def speaking(number, seconds):
    return member(number, DeviceState.INUSE, in_call=True, busy_since=NOW - timedelta(seconds=seconds))


def queue(*members, **more):
    return VoiceQueue("main", "sales", members=members, **more)


def seconds(wait):
    return None if wait is None else round(wait.total_seconds(), 1)


@pytest.mark.parametrize(
    ("model", "there", "position", "wait"),
    [
        pytest.param(Model(), queue(member()), 1, None, id="no call was ever seen, and Asterisk has no average"),
        pytest.param(MINUTES_OF_THREE, queue(), 1, None, id="nobody serves it"),
        pytest.param(MINUTES_OF_THREE, queue(member(paused=True)), 1, None, id="the only agent pauses"),
        pytest.param(MINUTES_OF_THREE, queue(member(state=DeviceState.UNAVAILABLE)), 1, None, id="their phone is gone"),
        pytest.param(MINUTES_OF_THREE, queue(member(state=DeviceState.INVALID)), 1, None, id="their phone is nowhere"),
        pytest.param(MINUTES_OF_THREE, queue(member()), 1, 0.0, id="somebody is free"),
        pytest.param(MINUTES_OF_THREE, queue(member(state=DeviceState.UNKNOWN)), 1, 0.0, id="a phone without a state"),
        pytest.param(MINUTES_OF_THREE, queue(member()), 3, 120.0, id="two go first"),
        pytest.param(MINUTES_OF_THREE, queue(speaking(1, 20)), 1, 40.0, id="their call has forty seconds to go"),
        pytest.param(MINUTES_OF_THREE, queue(speaking(1, 20), speaking(2, 50)), 1, 10.0, id="the first who is done"),
        pytest.param(MINUTES_OF_THREE, queue(speaking(1, 20), speaking(2, 50)), 2, 40.0, id="and the second"),
        pytest.param(
            MINUTES_OF_THREE, queue(member(state=DeviceState.ONHOLD)), 1, 60.0, id="busy, and nobody knows since when"
        ),
        pytest.param(
            replace(MINUTES_OF_THREE, handovers=(4.0, 5.0, 90.0)), queue(speaking(1, 20)), 2, 110.0, id="with handovers"
        ),
        pytest.param(
            replace(MINUTES_OF_THREE, given_up=10.0, weighed=10.0), queue(speaking(1, 20)), 9, 40.0, id="all give up"
        ),
        pytest.param(MINUTES_OF_THREE, queue(member()), 101, 6000.0, id="more go first than are played one by one"),
        pytest.param(MINUTES_OF_THREE, queue(member()), 0, 0.0, id="a place before the first"),
    ],
)
def test_expected(model, there, position, wait):
    assert seconds(expected(model, there, position, NOW)) == wait


def test_a_young_queue_goes_by_the_average_of_asterisk():
    there = queue(speaking(1, 0), completed=3, talk=timedelta(seconds=100))
    assert expected(Model(), there, 1, NOW) == pytest.approx(timedelta(seconds=100), abs=timedelta(seconds=10))
    known = Model(talks=(60.0,) * expected_wait.FEW)
    assert expected(known, there, 1, NOW) == timedelta(seconds=60)


def test_a_call_that_is_longer_than_any_is_not_over_at_once():
    wait = expected(MINUTES_OF_THREE, queue(speaking(1, 600)), 1, NOW)
    assert timedelta(minutes=3) < wait < timedelta(minutes=6)


# -- which way it goes

TALKS = st.lists(st.floats(0.1, 3600), min_size=1, max_size=30).map(tuple)
MODELS = st.builds(
    lambda talks, handovers, left, of: Model(talks, tuple(handovers), min(left, of), of),
    TALKS,
    st.lists(st.floats(0, 60), max_size=5),
    st.floats(0, 40),
    st.floats(0, 50),
)
AGENTS = st.one_of(
    st.builds(member, st.integers(1, 99)),
    st.builds(speaking, st.integers(1, 99), st.floats(0, 7200)),
    st.builds(member, st.integers(1, 99), st.sampled_from(DeviceState), paused=st.booleans()),
)
STAFF = st.lists(AGENTS, min_size=1, max_size=12).map(tuple)


@given(MODELS, STAFF, st.integers(1, 150))
def test_a_place_further_back_never_waits_less(model, staff, position):
    here, behind = (expected(model, queue(*staff), place, NOW) for place in (position, position + 1))
    assert (here is None) == (behind is None)
    assert here is None or timedelta(0) <= here <= behind <= LONGEST


@given(MODELS, STAFF, AGENTS, st.integers(1, 60))
def test_one_more_agent_never_makes_it_longer(model, staff, one, position):
    before = expected(model, queue(*staff), position, NOW)
    after = expected(model, queue(*staff, one), position, NOW)
    assert before is None or after <= before


# -- what is learned


def waited(how, seconds, at=0):
    return Waited("main", "sales", "u", how, timedelta(seconds=seconds), NOW + timedelta(seconds=at))


def served(talk, at=0):
    return Served("main", "sales", "PJSIP/1", timedelta(seconds=talk), NOW + timedelta(seconds=at))


def learned(*events):
    model = Model()
    for event in events:
        model = learn(model, event)
    return model


CONNECTED, ABANDONED, LEFT = ServedHow.CONNECTED, ServedHow.ABANDONED, ServedHow.LEFT


@pytest.mark.parametrize(
    ("events", "handovers"),
    [
        pytest.param([served(60, 0), waited(CONNECTED, 30, 8)], (8.0,), id="an agent was free, then took who waited"),
        pytest.param([waited(CONNECTED, 3, 8)], (3.0,), id="somebody was free: it only rang"),
        pytest.param([waited(CONNECTED, 300, 8)], (), id="nobody knows since when the agent was free"),
        pytest.param(
            [served(60, 0), served(60, 2), waited(CONNECTED, 30, 8), waited(CONNECTED, 30, 9)],
            (8.0, 7.0),
            id="who is free longest takes the first",
        ),
        pytest.param([served(60, 0), waited(CONNECTED, 30, 200)], (), id="an agent who went away takes no call"),
        pytest.param([served(60, 0), waited(CONNECTED, 2, 50)], (2.0,), id="nobody waited while they were free"),
        pytest.param([served(60, 0), waited(ABANDONED, 30, 8)], (), id="nobody took who gave up"),
    ],
)
def test_handovers(events, handovers):
    assert learned(*events).handovers == handovers


@pytest.mark.parametrize(
    ("events", "share"),
    [
        pytest.param([], 0.0, id="nothing"),
        pytest.param([waited(ABANDONED, 60)], 1.0, id="the only one gave up"),
        pytest.param([waited(ABANDONED, 2)], 0.0, id="who hangs up at once did not wait"),
        pytest.param([waited(CONNECTED, 60), waited(LEFT, 60)], 0.0, id="a key is no giving up"),
    ],
)
def test_share_who_give_up(events, share):
    assert learned(*events).share == share


def test_the_latest_weigh_most():
    early = learned(*[waited(ABANDONED, 60)] * 30, *[waited(CONNECTED, 60)] * 60)
    late = learned(*[waited(CONNECTED, 60)] * 60, *[waited(ABANDONED, 60)] * 30)
    assert early.share < 0.2 < 0.45 < late.share


@pytest.mark.parametrize("talk", [0, -5, 13 * 3600], ids=["of no time", "that ended before", "nobody hung up"])
def test_a_call_that_cannot_be_teaches_nothing(talk):
    assert learned(served(talk)) == Model()


def test_it_keeps_the_last_calls_only():
    model = learned(*(event for at in range(3 * MOST_CALLS) for event in (served(60, at), waited(CONNECTED, 9, at))))
    assert (len(model.talks), len(model.handovers), len(model.freed)) == (MOST_CALLS, MOST_HANDOVERS, 0)
    assert len(dump(model)) < 3000


# -- what is kept


@given(MODELS)
def test_it_is_read_as_it_was_written(model):
    kept = expected_wait.read(dump(model))
    assert kept.talks == model.talks
    assert kept.handovers == model.handovers
    assert kept.share == pytest.approx(model.share, abs=0.01) or model.weighed < 1.01


@pytest.mark.parametrize(
    "words",
    ["", "null", "[]", "{}", '{"v":1}', '{"talks":3,"handovers":[],"given_up":[0,0],"errors":[0,0,0,0]}', "{"],
)
def test_what_makes_no_sense_is_as_good_as_none(words):
    assert expected_wait.read(words) == Model()


def test_a_number_that_cannot_be_is_left_out():
    words = json.loads(dump(Model(talks=(60.0,)))) | {"talks": [60, -1, 1e9]}
    assert expected_wait.read(json.dumps(words)).talks == (60.0,)


def test_errors_are_counted():
    model = compare(Model(), timedelta(seconds=50), timedelta(seconds=10), timedelta(seconds=40))
    model = compare(model, timedelta(seconds=20), timedelta(seconds=10), timedelta(seconds=40))
    assert model.errors == Errors(2, 15.0, -5.0, 30.0)
    assert expected_wait.read(dump(model)).errors == model.errors


# -- how good it is


@pytest.mark.parametrize("name", SHOPS)
def test_it_is_nearer_to_the_truth_than_the_average_hold_time(name):
    play = Play(SHOPS[name], random.Random(name)).run(900)
    found = error(play.said[100:])
    assert play.unknown < 20
    assert found.ours < 0.8 * found.hold
    assert abs(found.bias) < 0.35 * found.wait
