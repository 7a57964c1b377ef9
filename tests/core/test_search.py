"""What is typed is read as words, phrases and a beginning; where a text has them is shown, whatever it is made of."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringback.core.search import AFTER, BEFORE, MOST_WORDS, Bit, Query, Term, cut, read_query, spans, words_of

ANY_TEXT = st.text(max_size=300)


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        pytest.param("boiler", [Term(("boiler",), begins=True)], id="the last word may go on"),
        pytest.param("Heating BOILER", [Term(("heating",)), Term(("boiler",), begins=True)], id="case does not matter"),
        pytest.param('"not warm" since', [Term(("not", "warm")), Term(("since",), begins=True)], id="a phrase"),
        pytest.param('since "not warm"', [Term(("since",)), Term(("not", "warm"))], id="a phrase ends where it ends"),
        pytest.param("“not warm”", [Term(("not", "warm"))], id="quotes of a phone"),
        pytest.param('"not warm', [Term(("not", "warm"))], id="quotes that nobody closed"),
        pytest.param("arrêt", [Term(("arret",), begins=True)], id="accents do not matter"),
        pytest.param("don't", [Term(("dont",), begins=True)], id="an apostrophe is no gap"),
        pytest.param("e-mail now", [Term(("e", "mail")), Term(("now",), begins=True)], id="a hyphen joins a phrase"),
        pytest.param("東京", [Term(("東", "京"))], id="Chinese and Japanese go letter by letter"),
        pytest.param("E17 x", [Term(("e17",)), Term(("x",))], id="one letter is a word, and begins none"),
        pytest.param(
            "NOT (a OR b) NEAR*",
            [Term((w,)) for w in ("not", "a", "or", "b")] + [Term(("near",), True)],
            id="commands are words",
        ),
        pytest.param("' \" * ^ : -", [], id="nothing to look for"),
    ],
)
def test_what_is_typed_is_read(typed, terms):
    assert list(read_query(typed).terms) == terms


@pytest.mark.parametrize(
    ("typed", "enough"),
    [
        pytest.param("", False, id="nothing"),
        pytest.param("a b", False, id="single letters"),
        pytest.param("京", True, id="a single letter that is a word"),
        pytest.param("ab", True, id="two letters"),
    ],
)
def test_too_little_is_known(typed, enough):
    assert read_query(typed).says_enough is enough


@pytest.mark.parametrize(
    ("typed", "text", "fits"),
    [
        pytest.param("boil", "The BOILER is off", True, id="the beginning of a word"),
        pytest.param("oiler", "The boiler is off", False, id="not its middle"),
        pytest.param("boil off", "The boiler is off", False, id="only the last word may go on"),
        pytest.param("off boiler", "The boiler is off", True, id="in any order"),
        pytest.param('"boiler off"', "The boiler is off", False, id="a phrase has nothing between"),
        pytest.param('"is off"', "The boiler is off", True, id="a phrase"),
        pytest.param('"is of"', "The boiler is off", False, id="a phrase ends with a whole word"),
        pytest.param("京都", "今日は京都です", True, id="in the middle of a line without blanks"),
        pytest.param("cafe", "Café tomorrow?", True, id="without its accent"),
    ],
)
def test_a_text_fits(typed, text, fits):
    assert read_query(typed).fits(text) is fits


@given(ANY_TEXT)
@example("´x´ ½ ﬁ İ ß \u1160a e\u0301")
def test_words_have_their_places(text):
    found = list(spans(text))
    assert [word for word, _, _ in found] == words_of(text)
    assert all(0 <= begin < end <= len(text) for _, begin, end in found)


@given(ANY_TEXT)
def test_words_have_letters_and_digits_only(text):
    assert all(word.isalnum() and word == word.casefold() for word in words_of(text))


@given(ANY_TEXT)
def test_a_query_is_never_longer_than_it_may_be(text):
    assert sum(len(term.words) for term in read_query(text).terms) <= MOST_WORDS


@given(ANY_TEXT, st.data())
def test_a_part_of_a_text_stays_as_it_was_written(text, data):
    words = words_of(text) or ["x"]
    typed = " ".join(data.draw(st.lists(st.sampled_from(words), min_size=1, max_size=3)))
    shown = "".join(bit.text for bit in cut(text, read_query(typed)))
    assert shown.removeprefix("…").removesuffix("…") in text
    assert len(shown) <= BEFORE + AFTER + 2


@given(ANY_TEXT)
def test_what_is_marked_was_looked_for(text):
    words = words_of(text)
    query = Query(tuple(Term((word,)) for word in words[:3]))
    marked = [bit.text for bit in cut(text, query) if bit.hit]
    wanted = set(words[:3])
    assert all(not words_of(hit) or wanted & set(words_of(hit)) or len(hit) < 3 for hit in marked)


def test_the_part_with_most_of_it_is_shown():
    text = "late " * 100 + "the boiler shows E17 and is off" + " later" * 100
    bits = cut(text, read_query("late boiler e17"))
    assert {"boiler", "E17"} <= {bit.text for bit in bits if bit.hit}
    assert bits[0] == Bit("…")
    assert bits[-1] == Bit("…")


def test_a_text_without_a_hit_is_shown_from_its_beginning():
    assert cut("hello there", read_query("nothing")) == (Bit("hello there"),)
