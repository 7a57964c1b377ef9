"""How long to wait before the next try."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.retries import LONGEST_WAIT, STEPS, wait_after


@pytest.mark.parametrize(
    ("attempts", "asked", "seconds"),
    [
        pytest.param(1, 0, 5, id="after the first"),
        pytest.param(2, 0, 15, id="after the second"),
        pytest.param(5, 0, 600, id="after the fifth"),
        pytest.param(6, 0, 900, id="never longer than a quarter of an hour"),
        pytest.param(60, 0, 900, id="the last wait repeats"),
        pytest.param(1, 2, 2, id="a carrier that names less is taken at its word"),
        pytest.param(1, 90, 90, id="a carrier that names more is obeyed"),
        pytest.param(6, 0.5, 0.5, id="its word counts after many tries too"),
        pytest.param(1, 86_400, 900, id="but not for a day"),
        pytest.param(1, -5, 0, id="nor into the past"),
    ],
)
def test_the_wait_before_the_next_try(attempts, asked, seconds):
    assert wait_after(attempts, asked) == timedelta(seconds=seconds)


@given(st.integers(1, 1000))
def test_waits_never_get_shorter(attempts):
    assert timedelta() < wait_after(attempts) <= wait_after(attempts + 1) <= LONGEST_WAIT


def test_the_steps_rise():
    assert list(STEPS) == sorted(STEPS)
