"""How fast a carrier is asked: the owner's rate, the carrier's own, and what is found of it (R22)."""

from collections import deque
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.pacing import FORGET_S, LONGEST_WAIT_S, PLENTY, SHORTEST_WAIT_S, Pace

STEP_S = 0.005


@dataclass
class Throttling:
    """A carrier that takes `limit` texts in any second and turns the others away."""

    limit: int
    latency: float = 0.05
    took: deque = field(default_factory=deque)
    flying: list = field(default_factory=list)
    chance: Random = field(default_factory=lambda: Random(7))

    def send(self, at):
        while self.took and self.took[0] <= at - 1:
            self.took.popleft()
        taken = len(self.took) < self.limit
        if taken:
            self.took.append(at)
        self.flying.append((at + self.latency * (0.5 + self.chance.random()), taken))
        return taken

    def answers(self, at):
        come = [answer for answer in self.flying if answer[0] <= at]
        self.flying = [answer for answer in self.flying if answer[0] > at]
        return [taken for _then, taken in come]


@dataclass
class Sent:
    """What became of a run."""

    taken: int = 0
    seconds: float = 0.0
    late: int = 0
    late_refused: int = 0


def drive(pace, carrier, texts, wait=1.0, window=16):
    """Send so many texts, whenever the pace lets one go; those turned away are sent again."""
    at, run = 0.0, Sent()
    while run.taken < texts:
        at += STEP_S
        for taken in carrier.answers(at):
            pace = pace.accepted(at) if taken else pace.throttled(wait, at)
            run.taken += taken
        while pace.room(at) and len(carrier.flying) < window and not (pace.trying and carrier.flying):
            pace = pace.sent(1, at)
            taken = carrier.send(at)
            run.late += at > 10
            run.late_refused += at > 10 and not taken
    run.seconds = at
    return run


@pytest.mark.parametrize("limit", [5, 20, 100])
@pytest.mark.parametrize("wait", [0.5, 1.0])
def test_a_limit_that_nobody_wrote_down_is_found_and_used(limit, wait):
    run = drive(Pace(), Throttling(limit), texts=min(10_000, limit * 120), wait=wait)
    assert run.taken / run.seconds >= 0.9 * limit
    assert run.late_refused <= 0.05 * run.late


def test_a_limit_that_was_written_down_is_never_hit():
    run = drive(Pace(limit=19), Throttling(20), texts=2_000)
    assert run.late_refused == 0
    assert run.taken / run.seconds >= 0.97 * 19


def test_a_limit_that_rises_is_found_again():
    pace = Pace()
    for place in range(10):
        pace = pace.accepted(0.01 * place)
    pace = pace.throttled(1, 0.2).accepted(1.3)
    assert pace.rate(3) <= 10
    assert pace.rate(180) > 100


def test_nothing_slows_a_carrier_that_never_says_so():
    assert Pace().room(5) == PLENTY
    assert Pace().rate(5) is None


def test_after_a_not_now_the_lane_waits_and_then_one_goes_ahead():
    pace = Pace().throttled(30, 100)
    assert pace.room(129) == 0
    assert pace.opens(101) == 130
    assert pace.room(130) == 1
    assert pace.trying
    assert not pace.accepted(131).trying


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        pytest.param(0, SHORTEST_WAIT_S, id="no time named"),
        pytest.param(1e9, LONGEST_WAIT_S, id="longer than anybody may ask"),
        pytest.param(7, 7, id="as it asks"),
    ],
)
def test_a_wait_is_believed_within_bounds(asked, waits):
    assert Pace().throttled(asked, 100).paused_until == 100 + waits


def test_a_storm_is_one_not_now():
    first = Pace(limit=20, second=99, taken=20).throttled(5, 100)
    again = first.throttled(9, 100.1)
    assert again.found == first.found
    assert again.paused_until == 109.1


def test_a_limit_not_hit_for_long_is_forgotten():
    pace = Pace(limit=50).throttled(1, 0).accepted(2)
    assert pace.rate(3) < 50
    assert pace.rate(2 + FORGET_S + 1) == 50


def test_a_long_text_leaves_on_credit_and_the_next_waits_for_it():
    pace = Pace(limit=2).sent(5, 0)
    assert pace.room(1.9) == 0
    assert pace.opens(0) == pytest.approx(2.5)
    assert pace.room(2.5) == 1


@given(
    st.floats(0.1, 1000),
    st.lists(st.tuples(st.integers(1, 10), st.floats(0, 2)), max_size=60),
)
def test_never_more_than_the_rate_and_one_burst_leaves(rate, steps):
    pace, at, left = Pace(limit=rate), 0.0, 0
    for segments, pause in steps:
        at += pause
        if pace.room(at):
            pace = pace.sent(segments, at)
            left += segments
        assert left <= rate * at + max(1.5, rate / 20) + 10
        assert pace.room(pace.opens(at) + 0.001) >= 1


@given(st.lists(st.tuples(st.sampled_from(["taken", "not now", "look"]), st.floats(0, 5)), max_size=80))
def test_it_always_goes_on(steps):
    pace, at = Pace(), 0.0
    for what, pause in steps:
        at += pause
        pace = pace.accepted(at) if what == "taken" else pace.throttled(1, at) if what == "not now" else pace
        if pace.room(at):
            pace = pace.sent(1, at)
        assert pace.opens(at) <= at + 30
