"""The breaker: when it opens, how often it probes, and what closes it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.breaking import AT_LEAST, IN_A_ROW, PROBE_S, SHARE, WINDOW_S, Breaker, Heard

W, F, N = Heard.WORKS, Heard.FAILS, Heard.NOTHING


def after(answers, step=0.1, start=100.0):
    breaker = Breaker()
    for place, answer in enumerate(answers):
        breaker = breaker.heard(answer, start + place * step)
    return breaker


@pytest.mark.parametrize(
    ("answers", "opens"),
    [
        pytest.param([F] * 4, False, id="four in a row are not enough"),
        pytest.param([F] * 5, True, id="five in a row are"),
        pytest.param([F, F, F, F, W, F], False, id="one that works begins anew"),
        pytest.param([F, F, N, N, F, F, F], True, id="what says nothing does not interrupt"),
        pytest.param([N] * 50, False, id="fifty times nothing"),
        pytest.param([W, F, F, W, F, F, W, F, F, F], True, id="more than half of ten"),
        pytest.param([W, F] * 20, False, id="half is not more than half"),
        pytest.param([W, F, F, W, F, F, W, F, F], False, id="nine are too few to say"),
    ],
)
def test_when_it_opens(answers, opens):
    assert after(answers).is_open is opens


def test_what_was_half_a_minute_ago_does_not_count():
    breaker = after([W, F, F, W, F, F, W, F])
    assert not breaker.heard(F, 100 + WINDOW_S + 5).is_open


def test_open_it_lets_one_probe_through_every_five_seconds():
    breaker = after([F] * 5, step=0)
    assert not breaker.may_probe(100 + PROBE_S - 0.1)
    assert breaker.may_probe(100 + PROBE_S)
    probing = breaker.probing(106)
    assert not probing.may_probe(106 + PROBE_S - 0.1)
    assert probing.heard(F, 107).may_probe(106 + PROBE_S)


def test_a_probe_that_works_closes_it_and_the_past_is_forgotten():
    assert after([F] * 9 + [W]) == Breaker()


@given(st.lists(st.tuples(st.sampled_from([W, F, N]), st.floats(0, 3)), max_size=80))
def test_probes_are_never_closer_and_it_opens_for_a_reason(steps):
    at, breaker, probes, heard = 0.0, Breaker(), [], []
    for answer, pause in steps:
        at += pause
        if breaker.may_probe(at):
            probes.append(at)
            breaker = breaker.probing(at)
        was_open, breaker = breaker.is_open, breaker.heard(answer, at)
        heard.append((answer, at))
        if breaker.is_open and not was_open:
            said = [answer for answer, _at in heard if answer is not N]
            recent = [answer for answer, then in heard if answer is not N and then > at - WINDOW_S]
            assert said[-IN_A_ROW:] == [F] * IN_A_ROW or (
                len(recent) >= AT_LEAST - 1 and recent.count(F) > SHARE * len(recent)
            )
        if was_open and not breaker.is_open:
            assert answer is W
            heard.clear()
    assert all(later - earlier >= PROBE_S for earlier, later in pairwise(probes))
