"""What a string of digits is: an E.164 number, or something nobody can text."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from urllib.parse import unquote

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, PhoneNumberFormat, PhoneNumberType


class NumberKind(StrEnum):
    E164 = "e164"
    SHORT = "short"
    ALPHA = "alpha"
    INTERNAL = "internal"
    WITHHELD = "withheld"
    INVALID = "invalid"


class NumberFormat(StrEnum):
    """How a trunk or carrier writes numbers."""

    E164 = "e164"
    E164_NO_PLUS = "e164_no_plus"
    NATIONAL = "national"
    NANP10 = "nanp10"
    AS_IS = "as_is"


class Line(StrEnum):
    """What the numbering plan says; +1 does not tell mobile from landline."""

    TEXTABLE = "textable"
    LANDLINE = "landline"
    PREMIUM = "premium"
    EMERGENCY = "emergency"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Number:
    """A number as read: `e164` is set only for kind E164; `country` is a two-letter code or empty."""

    raw: str
    kind: NumberKind
    e164: str | None = None
    line: Line = Line.UNKNOWN
    country: str = ""


# A type that is not here (UNKNOWN) is no number of any plan: INVALID.
LINES: dict[int, Line] = {
    PhoneNumberType.MOBILE: Line.TEXTABLE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: Line.TEXTABLE,
    PhoneNumberType.FIXED_LINE: Line.LANDLINE,
    PhoneNumberType.VOIP: Line.LANDLINE,  # the plans that have it number home lines so
    PhoneNumberType.TOLL_FREE: Line.LANDLINE,  # a company's switchboard, no handset
    PhoneNumberType.UAN: Line.LANDLINE,  # one number for a whole company
    PhoneNumberType.VOICEMAIL: Line.LANDLINE,
    PhoneNumberType.PREMIUM_RATE: Line.PREMIUM,
    PhoneNumberType.SHARED_COST: Line.PREMIUM,
    PhoneNumberType.PERSONAL_NUMBER: Line.PREMIUM,  # +44 70 and +1 500 are priced at will, and pumped
    PhoneNumberType.PAGER: Line.PREMIUM,  # +44 76, the same
}

# What phones, trunks and Asterisk write where a number would stand.
# fmt: off
WITHHELD = frozenset({
    "anonymous", "unknown", "restricted", "private", "withheld", "unavailable", "unassigned", "blocked", "hidden",
    "asterisk", "none", "null", "p", "o", "-", "", "no number", "not available", "private number",
    "private caller", "unknown caller", "id unavailable",
})
# fmt: on

# Wherever we are: a phone dials the number of its home. Each country's own are asked of its plan.
EMERGENCY = frozenset({"112", "911", "999"})

NANP = frozenset(phonenumbers.region_codes_for_country_code(1))

SHORT_DIGITS = 6
RAW_LIMIT = 128
CACHED = 2**14  # about 7 MB when full

# Else patterns of the plans fall out of the small cache of `re` and are compiled again and again.
phonenumbers.enable_pattern_cache()

_NANP = re.compile(r"(\+?1)?([2-9][0-9]{9})")
_PLAIN = re.compile(r"\+[1-9][0-9]{7,14}")
_INNER = re.compile(r"<([^<>]*)>\s*$")
_SCHEME = re.compile(r"(?:sips?|tel):", re.IGNORECASE)
_DIALLED = re.compile(r"\+?[0-9 ()./\-]*[0-9][0-9 ()./\-]*")
_WORDED = re.compile(r"\+?[0-9 ()./\-]{3,}[A-Za-z][A-Za-z0-9 .\-]*")  # 1-800-FLOWERS
_EXTENDED = re.compile(r"(.*[0-9)])\s*(?:ext\.?|x|#)\s*[0-9]{1,7}", re.IGNORECASE)
_ALPHA = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 .&_\-+']{1,11}")


def read_number(raw: str, fmt: NumberFormat, country: str, *, extension_digits: int = 0) -> Number:
    """Read what a trunk or carrier wrote, in its own format first and as dialled in `country` (ISO code) second.

    Digits no longer than `extension_digits` are a phone of the house. Never raises: what cannot be read keeps `raw`
    and says of what kind it is.
    """
    return _read(raw[:RAW_LIMIT], fmt, country.upper(), extension_digits)


@lru_cache(maxsize=CACHED)
def _read(raw: str, fmt: NumberFormat, country: str, extension_digits: int) -> Number:
    if (nanp := _nanp(raw, fmt, country)) and (found := _handset(raw, nanp) or _number(raw, nanp)):
        return found
    text = _unwrap(raw)
    if text.lower() in WITHHELD:
        return Number(raw, NumberKind.WITHHELD)
    if not _DIALLED.fullmatch(text):
        return _read_letters(raw, text, fmt, country)
    digits = re.sub("[^0-9]", "", text)
    if len(digits) <= SHORT_DIGITS and (short := _read_short(raw, text, digits, country, extension_digits)):
        return short
    return _first_valid(raw, text, fmt, country) or Number(raw, NumberKind.INVALID)


def _nanp(raw: str, fmt: NumberFormat, country: str) -> PhoneNumber | None:
    """What `parse` makes of the usual North American number, without its search for prefixes, which costs half."""
    if not (usual := _NANP.fullmatch(raw)):
        return None
    prefix, national = usual.groups()
    if fmt is NumberFormat.E164_NO_PLUS:
        ours = prefix is not None
    else:
        ours = prefix == "+1" or fmt is NumberFormat.NANP10 or country in NANP
    return PhoneNumber(country_code=1, national_number=int(national)) if ours else None


def _unwrap(raw: str) -> str:
    """Take the number out of `"Ann" <sip:+1...;x=y@host>`, in plain digits."""
    text = raw if raw.isascii() else "".join(map(_plain, unicodedata.normalize("NFKC", raw)))
    if inner := _INNER.search(text):
        text = inner[1]
    if scheme := _SCHEME.match(text.strip()):
        text = unquote(text.strip()[scheme.end() :])
    return text.partition("@")[0].partition(";")[0].strip()


def _plain(letter: str) -> str:
    """Digits of any script as 0-9, dashes as hyphens; drop invisible marks that come along when numbers are pasted."""
    digit = unicodedata.decimal(letter, None)
    if digit is not None:
        return str(digit)
    match unicodedata.category(letter):
        case "Cf":
            return ""
        case "Pd":
            return "-"
    return letter


def _read_letters(raw: str, text: str, fmt: NumberFormat, country: str) -> Number:
    if extended := _EXTENDED.fullmatch(text):
        found = _first_valid(raw, extended[1], fmt, country)
    else:
        found = _first_valid(raw, text, fmt, country) if _WORDED.fullmatch(text) else None
    if found:
        return found
    return Number(raw, NumberKind.ALPHA if _ALPHA.fullmatch(text) else NumberKind.INVALID)


def _read_short(raw: str, text: str, digits: str, country: str, extension_digits: int) -> Number | None:
    """Tell emergency, house phone and short code apart; None if whole numbers of that country are as short."""
    if digits in EMERGENCY or _is_emergency(digits, country):
        return Number(raw, NumberKind.SHORT, line=Line.EMERGENCY)
    if text.startswith("+"):
        return None
    if len(digits) <= extension_digits:
        return Number(raw, NumberKind.INTERNAL)
    if len(digits) in _mobile_lengths(country) and (found := _number(raw, _parse(digits, country))):
        return found
    return Number(raw, NumberKind.SHORT)


def _is_emergency(digits: str, country: str) -> bool:
    return country in phonenumbers.SUPPORTED_SHORT_REGIONS and phonenumbers.is_emergency_number(digits, country)


def _mobile_lengths(country: str) -> tuple[int, ...]:
    metadata = PhoneMetadata.metadata_for_region(country, None)
    return metadata.mobile.possible_length if metadata and metadata.mobile else ()


def _first_valid(raw: str, text: str, fmt: NumberFormat, country: str) -> Number | None:
    return next(
        (found for one, region in _readings(text, fmt, country) if (found := _number(raw, _parse(one, region)))), None
    )


def _readings(text: str, fmt: NumberFormat, country: str) -> Iterator[tuple[str, str]]:
    """What the text may mean, the likeliest first; the first that is a number of its plan holds."""
    if text.startswith("+"):
        yield text, country
        yield text.replace("(0)", ""), country
        return
    match fmt:
        case NumberFormat.E164_NO_PLUS:
            yield f"+{text}", country
        case NumberFormat.NANP10:
            yield text, "US"
    yield text, country
    # 00 and 011 are dialled by people and trunks far from where they are the rule
    yield re.sub(r"^0(?:0|11)", "+", text), country
    if fmt is NumberFormat.E164:
        yield f"+{text}", country


def _parse(text: str, region: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def _number(raw: str, parsed: PhoneNumber | None) -> Number | None:
    line = LINES.get(phonenumbers.number_type(parsed)) if parsed else None
    if parsed is None or line is None:
        return None
    e164 = f"+{parsed.country_code}{phonenumbers.national_significant_number(parsed)}"
    country = phonenumbers.region_code_for_number(parsed)
    return Number(raw, NumberKind.E164, raw if raw == e164 else e164, line, country or "")


def _handset(raw: str, parsed: PhoneNumber) -> Number | None:
    """A North American number of the first country's own, as most are: what `_number` makes of it, in a tenth of the
    time. That country has no dearer numbers among its handsets'."""
    e164 = f"+1{parsed.national_number}"
    return Number(raw, NumberKind.E164, raw if raw == e164 else e164, Line.TEXTABLE, "US") if is_usual(e164) else None


def is_usual(text: str) -> bool:
    """Whether this is surely E.164 of a handset, by the pattern of its country alone: ten times as fast as to read it.

    False says nothing: read it.
    """
    if not _PLAIN.fullmatch(text):
        return False
    for digits in (1, 2, 3):
        if pattern := _handsets(text[1 : 1 + digits]):
            return pattern.fullmatch(text, 1 + digits) is not None
    return False


@lru_cache(maxsize=2048)
def _handsets(code: str) -> re.Pattern[str] | None:
    """What numbers of mobile phones look like in the first country of a calling code; None if it is no such code."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code)) if code.isdecimal() else None
    metadata = PhoneMetadata.metadata_for_region(regions[0], None) if regions else None
    pattern = metadata.mobile.national_number_pattern if metadata and metadata.mobile else None
    return re.compile(pattern) if pattern else None


def mask(e164: str) -> str:
    """Print a number for a log: `+1202***01`."""
    return f"{e164[:5]}***{e164[-2:]}" if len(e164) > 8 else f"{e164[:2]}***"


@lru_cache(maxsize=4096)
def pretty(e164: str) -> str:
    """Print a number for a page: `+1 202-555-0101`. What is no number comes back as it is."""
    parsed = _parse(e164, "ZZ")
    return phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL) if parsed else e164
