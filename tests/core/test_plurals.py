"""Counts in English."""

import pytest

from ringback.core.plurals import count_of


@pytest.mark.parametrize(
    ("count", "said"),
    [
        pytest.param(count_of(0, "text"), "0 texts", id="none"),
        pytest.param(count_of(1, "text"), "1 text", id="one"),
        pytest.param(count_of("1", "text"), "1 text", id="one that came as a word"),
        pytest.param(count_of(21, "text"), "21 texts", id="some"),
        pytest.param(count_of(1, "person", "people"), "1 person", id="one of a word that changes"),
        pytest.param(count_of(2, "person", "people"), "2 people", id="some of a word that changes"),
    ],
)
def test_one_is_said_otherwise_than_many(count: str, said: str):
    assert count == said
