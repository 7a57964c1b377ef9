"""Who gets a session: rows for each strategy, and properties against a slow oracle that shares no code with it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringback.core.assignment import Candidate, choose, gives
from ringback.core.presence import AgentNow, Presence
from ringback.core.text_queues import Strategy

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def ago(minutes: float) -> datetime:
    return NOON - timedelta(minutes=minutes)


def agent(account: int, presence: Presence = Presence.READY, **more) -> Candidate:
    """Ready for an hour, with nothing, able to carry three."""
    now = AgentNow(
        account, presence, ago(more.pop("since", 60)), more.pop("on_call", False), more.pop("awaited", False)
    )
    return replace(Candidate(now, 0, 3, 1, place=account), **more)


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        pytest.param([], None, id="nobody"),
        pytest.param([agent(1), agent(2)], 1, id="alike: whoever was added first"),
        pytest.param([agent(1, turn=ago(5)), agent(2, turn=ago(9))], 2, id="without a session for longer"),
        pytest.param([agent(1, turn=ago(5)), agent(2)], 2, id="never had one"),
        pytest.param([agent(1, since=50), agent(2, since=3)], 1, id="came back a moment ago"),
        pytest.param([agent(1, load=1, turn=ago(50)), agent(2, turn=ago(1))], 2, id="has nothing at all"),
        pytest.param([agent(1, Presence.ON_CALL, on_call=True), agent(2, turn=ago(1))], 2, id="a call is work too"),
        pytest.param([agent(1, load=3), agent(2, load=2)], 2, id="full"),
        pytest.param([agent(1, load=3)], None, id="all full"),
        pytest.param([agent(1, Presence.ON_CALL, on_call=True, load=2)], None, id="full with the call they are on"),
        pytest.param([agent(1, Presence.ON_CALL, on_call=True, voice_weight=0, load=2)], 1, id="a call weighs nothing"),
        pytest.param([agent(1, Presence.PAUSED), agent(2, Presence.AWAY)], None, id="nobody is ready"),
        pytest.param([agent(1, Presence.LOGGED_OUT), agent(2, Presence.DND)], None, id="gone, and not to be disturbed"),
        pytest.param([agent(1, awaited=True)], None, id="not back since the start"),
    ],
)
def test_longest_idle(candidates, chosen):
    assert account_of(choose(Strategy.LONGEST_IDLE, candidates)) == chosen


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        pytest.param([agent(1, turn=ago(5)), agent(2, turn=ago(9))], 2, id="whose turn was longest ago"),
        pytest.param([agent(1, load=2, turn=ago(9)), agent(2, turn=ago(5))], 1, id="whatever they carry"),
        pytest.param([agent(1, since=1, turn=ago(9)), agent(2, turn=ago(5))], 1, id="however short they are back"),
        pytest.param([agent(1, load=3, turn=ago(9)), agent(2, turn=ago(5))], 2, id="but not above what they can"),
    ],
)
def test_round_robin(candidates, chosen):
    assert account_of(choose(Strategy.ROUND_ROBIN, candidates)) == chosen


@pytest.mark.parametrize(
    ("candidates", "last", "declined", "chosen"),
    [
        pytest.param([agent(1), agent(2)], 2, (), 2, id="who spoke with them last"),
        pytest.param([agent(1), agent(2, load=3)], 2, (), 1, id="but they are full"),
        pytest.param([agent(1), agent(2)], 2, (2,), 1, id="but they declined"),
        pytest.param([agent(1), agent(2)], 7, (), 1, id="somebody of another queue"),
        pytest.param([agent(1), agent(2)], None, (), 1, id="nobody did"),
    ],
)
def test_most_recent(candidates, last, declined, chosen):
    assert account_of(choose(Strategy.MOST_RECENT, candidates, declined, last)) == chosen


@pytest.mark.parametrize("strategy", [Strategy.BROADCAST, Strategy.MANUAL])
def test_some_strategies_give_nothing_to_anybody(strategy):
    assert choose(strategy, [agent(1)]) is None
    assert not gives(strategy)


def test_who_declined_is_asked_again_when_all_have():
    candidates = [agent(1), agent(2), agent(3, load=3)]
    assert account_of(choose(Strategy.LONGEST_IDLE, candidates, {1})) == 2
    assert account_of(choose(Strategy.LONGEST_IDLE, candidates, {1, 2})) == 1


def account_of(chosen: Candidate | None) -> int | None:
    return None if chosen is None else chosen.account


# -- against an oracle

_CANDIDATES = st.lists(
    st.builds(
        lambda account, presence, on_call, awaited, since, turn, load, capacity, weight: Candidate(
            AgentNow(account, presence, ago(since), on_call, awaited),
            load,
            capacity,
            weight,
            None if turn is None else ago(turn),
        ),
        st.integers(1, 9),
        st.sampled_from(Presence),
        st.booleans(),
        st.sampled_from([False, False, False, True]),
        st.integers(0, 3),
        st.none() | st.integers(0, 3),
        st.integers(0, 4),
        st.integers(0, 4),
        st.integers(0, 3),
    ),
    max_size=7,
    unique_by=lambda one: one.account,
).map(lambda found: [replace(one, place=place) for place, one in enumerate(found)])


def oracle(strategy: Strategy, candidates: list[Candidate], declined: set[int], last: int | None) -> int | None:
    """Compare everybody with everybody, in plain words."""
    if strategy in (Strategy.MANUAL, Strategy.BROADCAST):
        return None
    takers = []
    for one in candidates:
        calls = one.voice_weight if one.now.on_call else 0
        ready = one.now.presence in (Presence.READY, Presence.ON_CALL) and not one.now.awaited
        if ready and one.load + calls + 1 <= one.capacity:
            takers.append(one)
    fresh = [one for one in takers if one.account not in declined]
    takers = fresh or takers
    if strategy is Strategy.MOST_RECENT and last in [one.account for one in takers]:
        return last
    best = None
    for one in takers:
        if best is None or sooner(strategy, one, best):
            best = one
    return account_of(best)


def sooner(strategy: Strategy, one: Candidate, other: Candidate) -> bool:
    never = ago(10**6)
    if strategy is Strategy.ROUND_ROBIN:
        a, b = one.turn or never, other.turn or never
        return a < b if a != b else one.place < other.place
    work = [each.load + (each.voice_weight if each.now.on_call else 0) for each in (one, other)]
    if work[0] != work[1]:
        return work[0] < work[1]
    idle = [each.now.since if each.turn is None or each.turn < each.now.since else each.turn for each in (one, other)]
    return idle[0] < idle[1] if idle[0] != idle[1] else one.place < other.place


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(Strategy), _CANDIDATES, st.sets(st.integers(1, 9)), st.none() | st.integers(1, 9), st.randoms())
def test_as_the_oracle_says(strategy, candidates, declined, last, random):
    chosen = choose(strategy, candidates, declined, last)
    assert account_of(chosen) == oracle(strategy, candidates, declined, last)
    shuffled = list(candidates)
    random.shuffle(shuffled)
    assert choose(strategy, shuffled, declined, last) == chosen
    if chosen is not None:
        assert chosen.carried + 1 <= chosen.capacity
        able = {one.account for one in candidates if one.room}
        assert chosen.account not in declined or able <= declined


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([Strategy.LONGEST_IDLE, Strategy.ROUND_ROBIN]), _CANDIDATES)
def test_giving_on_and_on_fills_everybody_and_nobody_beyond(strategy, candidates):
    given_to = {one.account: one for one in candidates}
    room = sum(one.room for one in candidates)
    for step in range(room):
        chosen = choose(strategy, list(given_to.values()))
        assert chosen is not None
        given_to[chosen.account] = replace(chosen, load=chosen.load + 1, turn=NOON + timedelta(minutes=step))
    assert choose(strategy, list(given_to.values())) is None
    assert all(one.carried <= max(one.capacity, before.carried) for one, before in pairs(given_to, candidates))


def pairs(after: dict[int, Candidate], before: list[Candidate]) -> list[tuple[Candidate, Candidate]]:
    return [(after[one.account], one) for one in before]
