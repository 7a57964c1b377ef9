"""What a person typed, before it is sent: composed, in one kind of line, without what nobody can see."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.writing import clean


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        pytest.param("We open at 9.", "We open at 9.", id="plain"),
        pytest.param("one\r\ntwo\rthree\nfour", "one\ntwo\nthree\nfour", id="the line ends of every system"),
        pytest.param("cafe\u0301", "caf\u00e9", id="an accent of its own"),
        pytest.param("  \n hello \n ", "hello", id="blanks at both ends"),
        pytest.param("a\tb", "a b", id="a tab"),
        pytest.param("a\x00b\x07c\x1b[31md\x9f", "abc[31md", id="control characters"),
        pytest.param("\u202eabc\u202c", "\u202eabc\u202c", id="marks of direction stay"),
        pytest.param("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469", id="joined emoji stay joined"),
        pytest.param("a\ud800b", "a\ufffdb", id="half a surrogate pair"),
        pytest.param("\x00\r\n\t ", "", id="nothing at all"),
    ],
)
def test_what_is_sent_of_what_was_typed(typed, sent):
    assert clean(typed) == sent


@given(st.text())
def test_what_is_clean_stays_as_it_is_and_can_be_stored(typed):
    sent = clean(typed)
    assert clean(sent) == sent
    assert "\x00" not in sent
    assert "\r" not in sent
    sent.encode()
