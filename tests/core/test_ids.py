"""Public ids tell their kind, sort by age, and are never mistaken for anything else."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.ids import ALPHABET, ENTROPY_BYTES, Kind, kind_of, make_id

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(1_577_836_800_000, 7_258_118_400_000).map(lambda ms: EPOCH + timedelta(milliseconds=ms))
ENTROPY = st.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES)


@given(st.sampled_from(Kind), MOMENTS, ENTROPY)
def test_an_id_tells_its_kind(kind, moment, entropy):
    text = make_id(kind, moment, entropy)
    prefix, _, digits = text.partition("_")
    assert (prefix, len(digits), kind_of(text)) == (kind, 26, kind)
    assert set(digits) <= set(ALPHABET)


def value(text):
    """The number its digits stand for."""
    number = 0
    for digit in text.rpartition("_")[2]:
        number = number * 32 + ALPHABET.index(digit)
    return number


@given(MOMENTS, ENTROPY)
def test_an_id_holds_the_moment_and_the_random_bits(moment, entropy):
    number = value(make_id(Kind.CALL, moment, entropy))
    assert number >> 80 == (moment - EPOCH) // timedelta(milliseconds=1)
    assert number & (2**80 - 1) == int.from_bytes(entropy)


@given(MOMENTS, ENTROPY, MOMENTS, ENTROPY)
def test_ids_sort_by_age(one, one_entropy, other, other_entropy):
    if abs(one - other) >= timedelta(milliseconds=1):
        older, newer = (make_id(Kind.MESSAGE, one, one_entropy), make_id(Kind.MESSAGE, other, other_entropy))
        assert (older < newer) == (one < other)


@given(MOMENTS, ENTROPY, ENTROPY)
def test_ids_of_one_moment_differ_by_their_random_bits(moment, one, other):
    assert (make_id(Kind.TASK, moment, one) == make_id(Kind.TASK, moment, other)) == (one == other)


GOOD = make_id(Kind.MESSAGE, datetime(2026, 11, 20, tzinfo=UTC), bytes(10))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("1795303506.12", id="a linkedid"),
        pytest.param("+15125550123", id="a number"),
        pytest.param(GOOD[:-1], id="a digit short"),
        pytest.param(GOOD + "0", id="a digit too many"),
        pytest.param(GOOD.upper(), id="capitals"),
        pytest.param(GOOD.replace("0", "u", 1), id="a letter Crockford left out"),
        pytest.param("xyz" + GOOD[3:], id="a kind that is not ours"),
        pytest.param(GOOD[4:], id="no kind"),
    ],
)
def test_what_is_no_id(text):
    assert kind_of(text) is None


def test_the_first_id_ever_is_all_noughts():
    assert make_id(Kind.CALL, datetime(1970, 1, 1, tzinfo=UTC), bytes(10)) == "call_" + "0" * 26
