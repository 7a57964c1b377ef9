"""Parts as 3GPP TS 23.038 and 23.040 count them, against a splitter written apart."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringback.core.segments import BASIC, ESCAPED, Encoding, Measure, measure, normalise, room, split, why_ucs2

GSM7, UCS2 = Encoding.GSM7, Encoding.UCS2


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        pytest.param("", GSM7, 0, 1, id="empty is one part"),
        pytest.param("a", GSM7, 1, 1, id="one letter"),
        pytest.param("a" * 160, GSM7, 160, 1, id="160 fit"),
        pytest.param("a" * 161, GSM7, 161, 2, id="161 take two"),
        pytest.param("a" * 306, GSM7, 306, 2, id="306 take two"),
        pytest.param("a" * 307, GSM7, 307, 3, id="307 take three"),
        pytest.param("a" * 459, GSM7, 459, 3, id="459 take three"),
        pytest.param("a" * 460, GSM7, 460, 4, id="460 take four"),
        pytest.param("a" * 155 + "€" * 5, GSM7, 165, 2, id="euro signs count two"),
        pytest.param("a" * 158 + "€", GSM7, 160, 1, id="a euro sign at the very end"),
        pytest.param("a" * 159 + "€", GSM7, 161, 2, id="a euro sign over the end"),
        pytest.param("a" * 152 + "€" + "a" * 152, GSM7, 306, 3, id="an escape pair at septet 153 moves on whole"),
        pytest.param("a" * 151 + "€" + "a" * 153, GSM7, 306, 2, id="an escape pair that ends at septet 153"),
        pytest.param("€" * 80, GSM7, 160, 1, id="80 euro signs"),
        pytest.param("€" * 153, GSM7, 306, 3, id="153 euro signs: 76 to a part"),
        pytest.param("\f^{}\\[~]|€", GSM7, 20, 1, id="every escaped character"),
        pytest.param(BASIC, GSM7, 127, 1, id="the whole alphabet"),
        pytest.param("\r\n" * 80, GSM7, 160, 1, id="line ends"),
        pytest.param("\x1b", UCS2, 1, 1, id="the escape itself is no character"),
        pytest.param("`", UCS2, 1, 1, id="backtick"),
        pytest.param("ç", UCS2, 1, 1, id="only the capital cedilla is in the alphabet"),
        pytest.param("\t", UCS2, 1, 1, id="tab"),
        pytest.param("я" * 70, UCS2, 70, 1, id="70 units fit"),
        pytest.param("я" * 71, UCS2, 71, 2, id="71 units take two"),
        pytest.param("я" * 134, UCS2, 134, 2, id="134 units take two"),
        pytest.param("я" * 135, UCS2, 135, 3, id="135 units take three"),
        pytest.param("a" * 70 + "’", UCS2, 71, 2, id="one curly quote and all is dearer"),
        pytest.param("€" * 70 + "я", UCS2, 71, 2, id="a euro sign is one unit in UCS-2"),
        pytest.param("😀" * 35, UCS2, 70, 1, id="35 emoji"),
        pytest.param("😀" * 36, UCS2, 72, 2, id="36 emoji"),
        pytest.param("a" * 66 + "😀" + "a" * 66, UCS2, 134, 3, id="a surrogate pair at unit 67 moves on whole"),
        pytest.param("😀" * 67, UCS2, 134, 3, id="33 emoji to a part"),
        pytest.param("\ud83d" * 71, UCS2, 71, 2, id="half pairs count one"),
        pytest.param("👩‍👩‍👧‍👦" * 6, UCS2, 66, 1, id="families"),
        pytest.param("ğ" * 70, UCS2, 70, 1, id="Turkish without its shift table"),
    ],
)
def test_a_text_is_measured(text, encoding, units, segments):
    assert measure(text) == Measure(encoding, units, segments)
    assert len(split(text)) == segments


def reference(text):
    """One character after the other into a list of [text, units], as the standard tells it."""
    gsm = all(letter in BASIC or letter in ESCAPED for letter in text)

    def cost(letter):
        return 1 + (letter in ESCAPED) if gsm else 1 + (ord(letter) > 0xFFFF)

    if sum(map(cost, text)) <= (160 if gsm else 70):
        return [text]
    parts = [["", 0]]
    for letter in text:
        if parts[-1][1] + cost(letter) > (153 if gsm else 67):
            parts.append(["", 0])
        parts[-1][0] += letter
        parts[-1][1] += cost(letter)
    return [part for part, _ in parts]


gsm_texts = st.text(alphabet=BASIC + ESCAPED * 4, max_size=700)
mixed_texts = st.text(alphabet=st.sampled_from("aé€я’😀🇫🇷\ud83d\ude00"), max_size=400)


@given(gsm_texts | mixed_texts | st.text(alphabet=st.characters()))
@example("\ud83d" * 66 + "\ud83d\ude00" * 9)
def test_the_cuts_are_those_of_the_reference(text):
    parts = split(text)
    assert parts == reference(text)
    assert "".join(parts) == text
    assert measure(text).segments == len(parts)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        pytest.param("Jose\u0301", "José", id="a loose accent is joined"),
        pytest.param("\u2126\u212b", "ΩÅ", id="Ohm and Angstrom become letters of the alphabet"),
        pytest.param("a\0b\ud83dc", "a\ufffdb\ufffdc", id="what nobody can carry is replaced"),
        pytest.param("plain", "plain", id="nothing to do"),
    ],
)
def test_normalise(text, normal):
    assert normalise(text) == normal


@given(st.text(alphabet=st.characters()))
def test_what_is_normal_stays_so_and_can_be_written(text):
    once = normalise(text)
    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert "\0" not in once.encode().decode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", None, id="empty"),
        pytest.param("plain [text] €", None, id="all in the alphabet"),
        pytest.param("we’re “open”", "’ U+2019 right single quotation mark", id="the first one is named"),
        pytest.param("a\u200bb", "U+200B zero width space", id="what cannot be seen"),
        pytest.param("a\tb", "U+0009 unnamed", id="what has no name"),
    ],
)
def test_why_a_text_is_dearer(text, why):
    assert why_ucs2(text) == why


@given(st.text())
def test_a_reason_is_given_exactly_for_ucs2(text):
    assert (why_ucs2(text) is None) == (measure(text).encoding is GSM7)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param("", 160, id="an empty text"),
        pytest.param("a" * 160, 0, id="full"),
        pytest.param("a" * 161, 145, id="a second part is begun"),
        pytest.param("a" * 152 + "€" + "a" * 8, 153 - 10, id="an escape pair left a hole in the first part"),
        pytest.param("ы" * 70, 0, id="full, in another alphabet"),
        pytest.param("ы" * 71, 63, id="a second part in another alphabet"),
    ],
)
def test_how_much_the_last_part_still_takes(text, left):
    assert room(text) == left


@given(st.text(max_size=400).map(normalise))
def test_what_there_is_room_for_takes_no_new_part(text):
    filled = text + "a" * room(text)
    assert room(filled) == 0
    assert measure(filled).segments == measure(text).segments
    assert measure(filled + "a").segments == measure(text).segments + 1
