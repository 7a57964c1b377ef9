"""A carrier's id is found again in whatever form it comes back, and never taken for another one."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.provider_ids import Ids, candidates, key, pick

NUMBER, TEXT = Ids.NUMBER, Ids.TEXT
FORMS = {
    "decimal": str,
    "hex": lambda n: f"{n:x}",
    "HEX": lambda n: f"{n:X}",
    "padded decimal": lambda n: f"{n:024}",
    "padded hex": lambda n: f"{n:020x}",
    "padded HEX": lambda n: f"{n:020X}",
    "0x": lambda n: f"0x{n:x}",
}


def found(stored: list[str], receipt: str, ids: Ids = NUMBER) -> str | None:
    """What the store does: look up by the candidates, then pick; the newest first."""
    keys = candidates(receipt, ids)
    rows = [(name, key(name, ids)) for name in reversed(stored) if key(name, ids) in keys]
    place = pick(receipt, rows, ids)
    return None if place is None else rows[place][0]


@pytest.mark.parametrize("kept", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("told", FORMS.values(), ids=[f"told as {form}" for form in FORMS])
@given(number=st.integers(0, 2**64 - 1))
def test_a_number_is_found_in_every_form(kept, told, number):
    assert found([kept(number)], told(number)) == kept(number)


@pytest.mark.parametrize(
    ("stored", "receipt", "meant"),
    [
        pytest.param(["10", "16"], "10", "10", id="the very same before the same number"),
        pytest.param(["16", "10"], "10", "10", id="whichever came first"),
        pytest.param(["0010", "16"], "10", "0010", id="the same base before another base"),
        pytest.param(["16"], "10", "16", id="read as hexadecimal where nothing else fits"),
        pytest.param(["a"], "10", "a", id="read as decimal where nothing else fits"),
        pytest.param(["a", "16"], "10", None, id="two texts that fit equally well are two texts"),
        pytest.param(["10", "010"], "00010", None, id="two with zeros of their own"),
        pytest.param(["10", "10"], "10", "10", id="an id that was used twice is the newer text"),
        pytest.param(["ABC"], "abc", "ABC", id="capitals"),
        pytest.param(["xyz"], "XYZ", None, id="what is no number is only text"),
        pytest.param(["17"], "10", None, id="another number"),
        pytest.param([], "10", None, id="nothing is known yet"),
    ],
)
def test_which_text_is_meant(stored, receipt, meant):
    assert found(stored, receipt) == meant


@pytest.mark.parametrize("receipt", ["010", "16", "0x10", "a", "A"])
def test_ids_that_are_text_are_only_themselves(receipt):
    assert found(["10", "aa"], receipt, TEXT) is None
    assert found([receipt], receipt, TEXT) == receipt


@given(st.text(max_size=80))
def test_anything_has_a_key_and_finds_itself(text):
    for ids in Ids:
        assert found([text], text, ids) == text
        assert 1 <= len(candidates(text, ids)) <= 3


@pytest.mark.parametrize(
    "first", [pytest.param(0x1000_0000, id="eight digits of both"), pytest.param(2**63 - 50_000, id="long ones")]
)
def test_texts_sent_one_after_another_are_told_apart_in_every_form(first):
    """A carrier that counts: its ids differ by one, and every form of every one is matched to its own text."""
    chance = random.Random(first)
    numbers = range(first, first + 20_000)
    for kept in FORMS.values():
        by_key = {key(kept(number), NUMBER): number for number in numbers}
        assert len(by_key) == len(numbers)
        for number in chance.sample(numbers, 1_100):
            for told in FORMS.values():
                fits = {by_key[form] for form in candidates(told(number), NUMBER) if form in by_key}
                assert fits == {number}
