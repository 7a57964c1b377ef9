"""Every reason has a sentence, a row in docs/reasons.md, and both say the same."""

import re
from pathlib import Path

import pytest

from ringback.core.reasons import SENTENCES, Reason

PAGE = (Path(__file__).parents[2] / "docs" / "reasons.md").read_text("utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)


def test_every_reason_has_one_row_in_the_docs_in_the_order_of_decisions():
    assert [code for code, *_ in ROWS] == list(Reason)


@pytest.mark.parametrize(("code", "says", "when", "cure"), ROWS, ids=[row[0] for row in ROWS])
def test_the_docs_say_what_the_program_says(code, says, when, cure):
    assert says == SENTENCES[Reason(code)]
    assert when.strip().endswith(".")
    assert cure.strip().endswith(".")


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence(reason):
    sentence = SENTENCES[reason]
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_no_two_reasons_say_the_same():
    assert len(set(SENTENCES.values())) == len(SENTENCES) == len(Reason)


def test_codes_are_words_of_small_letters():
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in Reason)
