"""Numbers in every odd form: what they are, and what they are not."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.numbers import Line, Number, NumberFormat, NumberKind, is_usual, mask, pretty, read_number

E164 = NumberFormat.E164
HANDSETS = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)


@pytest.mark.parametrize(
    ("raw", "fmt", "country", "e164"),
    [
        pytest.param("+12025550101", E164, "US", "+12025550101", id="as it should be"),
        pytest.param("+12025550199", E164, "DE", "+12025550199", id="the plus outranks the country"),
        pytest.param("12025550101", NumberFormat.E164_NO_PLUS, "DE", "+12025550101", id="a trunk that drops the plus"),
        pytest.param("447911123456", NumberFormat.E164_NO_PLUS, "US", "+447911123456", id="no plus, from abroad"),
        pytest.param(
            "2025550101", NumberFormat.E164_NO_PLUS, "US", "+12025550101", id="ten digits where eleven are due"
        ),
        pytest.param("2025550101", NumberFormat.NANP10, "", "+12025550101", id="ten digits need no country"),
        pytest.param("12025550101", NumberFormat.NANP10, "", "+12025550101", id="eleven digits in a ten-digit trunk"),
        pytest.param("01144 7911 123456", NumberFormat.NANP10, "", "+447911123456", id="dialled abroad from +1"),
        pytest.param("2025550101", NumberFormat.NATIONAL, "US", "+12025550101", id="national"),
        pytest.param("1 202 555 0101", NumberFormat.NATIONAL, "us", "+12025550101", id="long distance, small letters"),
        pytest.param("07911 123456", NumberFormat.NATIONAL, "GB", "+447911123456", id="national with its trunk zero"),
        pytest.param("06 12 34 56 78", NumberFormat.AS_IS, "FR", "+33612345678", id="as it is, read at home"),
        pytest.param("5125550123", E164, "US", "+15125550123", id="E.164 promised, national sent"),
        pytest.param("447911123456", E164, "US", "+447911123456", id="E.164 promised, the plus lost"),
        pytest.param("00447911123456", NumberFormat.NATIONAL, "DE", "+447911123456", id="00 where it is the rule"),
        pytest.param("00447911123456", NumberFormat.NATIONAL, "US", "+447911123456", id="00 where it is not"),
        pytest.param("011447911123456", NumberFormat.NATIONAL, "US", "+447911123456", id="011 where it is the rule"),
        pytest.param("011447911123456", NumberFormat.NATIONAL, "DE", "+447911123456", id="011 where it is not"),
        pytest.param(" (202) 555-0101 ", E164, "US", "+12025550101", id="brackets, dash, blanks"),
        pytest.param("202.555.0101", E164, "US", "+12025550101", id="dots"),
        pytest.param("+1 (0) 202 555 0101", E164, "US", "+12025550101", id="a trunk zero that is not"),
        pytest.param("+44 (0)7911 123456", E164, "US", "+447911123456", id="a trunk zero in brackets"),
        pytest.param("tel:+1-202-555-0101;ext=5", E164, "US", "+12025550101", id="tel URI"),
        pytest.param("sip:+12025550101@pbx.example:5060;user=phone", E164, "US", "+12025550101", id="SIP URI"),
        pytest.param("SIPS:%2B12025550101@pbx.example", E164, "US", "+12025550101", id="SIP URI, plus escaped"),
        pytest.param('"Ann" <sip:+12025550101@pbx.example>', E164, "US", "+12025550101", id="SIP header"),
        pytest.param("Ann <+12025550101>", E164, "US", "+12025550101", id="name and number"),
        pytest.param("+12025550101@from-trunk", E164, "US", "+12025550101", id="number and context"),
        pytest.param("＋１２０２５５５０１０１", E164, "US", "+12025550101", id="full-width digits"),
        pytest.param("+١٢٠٢٥٥٥٠١٠١", E164, "US", "+12025550101", id="Arabic digits"),
        pytest.param(
            "\u202a+1 202–555–0101\u202c", E164, "US", "+12025550101", id="pasted, with marks and long dashes"
        ),
        pytest.param("+1 202 555 0101 ext. 12", E164, "US", "+12025550101", id="with an extension"),
        pytest.param("2025550101x12", E164, "US", "+12025550101", id="with x and an extension"),
        pytest.param("1-800-FLOWERS", E164, "US", "+18003569377", id="spelt in letters"),
        pytest.param("+298211234", E164, "US", "+298211234", id="a small country"),
        pytest.param("211234", NumberFormat.NATIONAL, "FO", "+298211234", id="a country of six digits"),
    ],
)
def test_odd_forms_become_one_number(raw, fmt, country, e164):
    number = read_number(raw, fmt, country)
    assert (number.kind, number.e164, number.raw) == (NumberKind.E164, e164, raw)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "  ",
        "<unknown>",
        "<>",
        "Anonymous",
        "anonymous",
        "restricted",
        "PRIVATE",
        "Private Number",
        "unavailable",
        "-",
        "asterisk",
        "sip:anonymous@anonymous.invalid",
        '"Anonymous" <sip:anonymous@anonymous.invalid>',
    ],
)
def test_a_withheld_number_says_so(raw):
    assert read_number(raw, E164, "US") == Number(raw, NumberKind.WITHHELD)


@pytest.mark.parametrize(
    ("raw", "country", "extension_digits", "kind", "line"),
    [
        pytest.param("911", "US", 0, NumberKind.SHORT, Line.EMERGENCY, id="911"),
        pytest.param("+911", "US", 0, NumberKind.SHORT, Line.EMERGENCY, id="911 with a plus"),
        pytest.param("112", "", 4, NumberKind.SHORT, Line.EMERGENCY, id="112 anywhere, extensions or not"),
        pytest.param("999", "GB", 0, NumberKind.SHORT, Line.EMERGENCY, id="999"),
        pytest.param("000", "AU", 0, NumberKind.SHORT, Line.EMERGENCY, id="000 in Australia"),
        pytest.param("110", "DE", 3, NumberKind.SHORT, Line.EMERGENCY, id="110 in Germany"),
        pytest.param("110", "US", 3, NumberKind.INTERNAL, Line.UNKNOWN, id="110 elsewhere is a phone"),
        pytest.param("101", "US", 3, NumberKind.INTERNAL, Line.UNKNOWN, id="extension"),
        pytest.param("sip:1001@10.0.0.9", "US", 4, NumberKind.INTERNAL, Line.UNKNOWN, id="extension in a SIP URI"),
        pytest.param("1001", "US", 3, NumberKind.SHORT, Line.UNKNOWN, id="longer than our extensions"),
        pytest.param("101", "US", 0, NumberKind.SHORT, Line.UNKNOWN, id="no extensions told"),
        pytest.param("72345", "US", 4, NumberKind.SHORT, Line.UNKNOWN, id="short code"),
        pytest.param("123456", "FO", 0, NumberKind.SHORT, Line.UNKNOWN, id="six digits that no plan has"),
        pytest.param("AMAZON", "US", 0, NumberKind.ALPHA, Line.UNKNOWN, id="a name for a sender"),
        pytest.param("4INFO", "US", 0, NumberKind.ALPHA, Line.UNKNOWN, id="a name with a digit"),
        pytest.param("ACME x12", "US", 0, NumberKind.ALPHA, Line.UNKNOWN, id="a name that ends like an extension"),
        pytest.param("1234 x12", "US", 0, NumberKind.ALPHA, Line.UNKNOWN, id="an extension of nothing"),
        pytest.param("A name too long for a sender", "US", 0, NumberKind.INVALID, Line.UNKNOWN, id="a sentence"),
        pytest.param("Amazon2025550101", "US", 0, NumberKind.INVALID, Line.UNKNOWN, id="a number behind a name"),
        pytest.param("+11234567890", "US", 0, NumberKind.INVALID, Line.UNKNOWN, id="no area code begins with 1"),
        pytest.param("+12021234567", "US", 0, NumberKind.INVALID, Line.UNKNOWN, id="no exchange begins with 1"),
        pytest.param("+15555550101", "US", 0, NumberKind.INVALID, Line.UNKNOWN, id="555 is no area code"),
        pytest.param("+1202555010", "US", 0, NumberKind.INVALID, Line.UNKNOWN, id="a digit short"),
        pytest.param("+120255501011", "US", 0, NumberKind.INVALID, Line.UNKNOWN, id="a digit too many"),
        pytest.param("+9991234567", "US", 0, NumberKind.INVALID, Line.UNKNOWN, id="a code no country has"),
        pytest.param("5550101", "US", 0, NumberKind.INVALID, Line.UNKNOWN, id="seven digits"),
        pytest.param("5550101", "", 0, NumberKind.INVALID, Line.UNKNOWN, id="no country known"),
        pytest.param("*67", "US", 0, NumberKind.INVALID, Line.UNKNOWN, id="feature code"),
        pytest.param("+1202\r\n5550101", "US", 0, NumberKind.INVALID, Line.UNKNOWN, id="a line break inside"),
        pytest.param("()", "US", 0, NumberKind.INVALID, Line.UNKNOWN, id="no digit at all"),
        pytest.param("٣", "", 2, NumberKind.INTERNAL, Line.UNKNOWN, id="an Arabic three"),
    ],
)
def test_what_is_no_number_is_named(raw, country, extension_digits, kind, line):
    number = read_number(raw, E164, country, extension_digits=extension_digits)
    assert number == Number(raw, kind, line=line)


@pytest.mark.parametrize(
    ("raw", "line", "country"),
    [
        pytest.param("+12025550101", Line.TEXTABLE, "US", id="+1 does not tell"),
        pytest.param("+14165550123", Line.TEXTABLE, "CA", id="Canada"),
        pytest.param("+18765550123", Line.TEXTABLE, "JM", id="Jamaica"),
        pytest.param("+447911123456", Line.TEXTABLE, "GG", id="mobile of an island"),
        pytest.param("+33612345678", Line.TEXTABLE, "FR", id="mobile"),
        pytest.param("+442079460123", Line.LANDLINE, "GB", id="London"),
        pytest.param("+390612345678", Line.LANDLINE, "IT", id="Rome keeps its zero"),
        pytest.param("+33912345678", Line.LANDLINE, "FR", id="a line in a box"),
        pytest.param("+18005551234", Line.LANDLINE, "US", id="toll free"),
        pytest.param("+443001234567", Line.LANDLINE, "GB", id="a company's one number"),
        pytest.param("+80012345678", Line.LANDLINE, "001", id="toll free of no country"),
        pytest.param("+19005551234", Line.PREMIUM, "US", id="900"),
        pytest.param("+33892123456", Line.PREMIUM, "FR", id="premium"),
        pytest.param("+448431234567", Line.PREMIUM, "GB", id="shared cost"),
        pytest.param("+15005550006", Line.PREMIUM, "US", id="personal number"),
        pytest.param("+447640123456", Line.PREMIUM, "GB", id="pager"),
    ],
)
def test_the_plan_tells_the_line(raw, line, country):
    assert read_number(raw, E164, "US") == Number(raw, NumberKind.E164, raw, line, country)


@given(st.text() | st.text(alphabet="+0123456789 ()-.x#<>@;:٠１", max_size=24), st.sampled_from(NumberFormat))
def test_anything_is_read_and_nothing_raises(raw, fmt):
    number = read_number(raw, fmt, "US", extension_digits=4)
    assert (number.kind is NumberKind.E164) == (number.e164 is not None)
    if number.e164:
        assert read_number(number.e164, fmt, "DE").e164 == number.e164


@given(st.text(alphabet="0123456789", min_size=10, max_size=11), st.sampled_from(["US", "CA", "JM", "GB"]))
def test_the_short_way_through_plus_one_agrees_with_the_library(digits, country):
    number = read_number(f"+1{digits}", E164, country)
    parsed = phonenumbers.parse(f"+1{digits}", None)
    assert (number.kind is NumberKind.E164) == phonenumbers.is_valid_number(parsed)
    if number.e164:
        assert number.e164 == phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        assert number.country == phonenumbers.region_code_for_number(parsed)


@pytest.mark.parametrize("fmt", NumberFormat)
def test_no_format_makes_a_number_of_what_is_none(fmt):
    assert read_number("5550101", fmt, "US") == Number("5550101", NumberKind.INVALID)


@pytest.mark.parametrize("fmt", [NumberFormat.NANP10, NumberFormat.NATIONAL, NumberFormat.AS_IS])
@given(st.from_regex("[2-9][0-9]{9}", fullmatch=True, alphabet="0123456789"))
def test_ten_digits_at_home_agree_with_the_library(fmt, digits):
    number = read_number(digits, fmt, "US")
    parsed = phonenumbers.parse(digits, "US")
    valid = phonenumbers.is_valid_number(parsed)
    assert number.e164 == (phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if valid else None)


def test_a_novel_in_place_of_a_number_is_kept_short():
    assert len(read_number("9" * 100_000, E164, "US").raw) == 128


@pytest.mark.parametrize(
    ("e164", "printed"),
    [("+12025550101", "+1202***01"), ("+298211234", "+2982***34"), ("12345", "12***"), ("", "***")],
)
def test_a_log_shows_no_whole_number(e164, printed):
    assert mask(e164) == printed


@pytest.mark.parametrize(
    ("e164", "printed"),
    [("+12025550101", "+1 202-555-0101"), ("+442079460123", "+44 20 7946 0123"), ("101", "101"), ("", "")],
)
def test_a_page_shows_a_number_with_gaps(e164, printed):
    assert pretty(e164) == printed


@pytest.mark.parametrize(
    ("text", "usual"),
    [
        pytest.param("+12025550101", True, id="+1"),
        pytest.param("+447400123456", True, id="a mobile of Britain"),
        pytest.param("+34612345678", True, id="a mobile of Spain"),
        pytest.param("+442079460000", False, id="a landline of Britain"),
        pytest.param("+19005550123", False, id="a premium number"),
        pytest.param("+447012345678", False, id="a personal number of Britain"),
        pytest.param("+12", False, id="too short"),
        pytest.param("12025550101", False, id="without its plus"),
        pytest.param("+1 202 555 0101", False, id="with blanks"),
        pytest.param("+99912345678", False, id="no calling code"),
        pytest.param("+80012345678", False, id="a code of no country"),
        pytest.param("+\u0661\u0662\u0660\u0662\u0665\u0665\u0665\u0660\u0661", False, id="digits of another script"),
    ],
)
def test_a_quick_look_knows_a_handset(text, usual):
    assert is_usual(text) is usual


@given(st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True))
def test_a_quick_yes_agrees_with_the_library(text):
    if is_usual(text):
        number = phonenumbers.parse(text)
        assert phonenumbers.number_type(number) in HANDSETS
        assert phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == text


@given(st.from_regex(r"[2-9][0-9]{9}", fullmatch=True))
def test_what_is_usual_in_north_america_is_read_as_the_library_does(digits):
    number = phonenumbers.parse(f"+1{digits}")
    found = read_number(f"+1{digits}", NumberFormat.E164, "DE")
    valid = phonenumbers.is_valid_number(number)
    assert (found.kind is NumberKind.E164) is valid
    assert found.country == (phonenumbers.region_code_for_number(number) if valid else "")
    assert (found.line is Line.TEXTABLE) is (phonenumbers.number_type(number) in HANDSETS)
