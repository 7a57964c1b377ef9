"""How many parts a text takes on the air, and where it is cut.

GSM 7-bit default alphabet and its extension by 3GPP TS 23.038 6.2.1; parts by TS 23.040 9.2.3.24.1 (a header of six
octets leaves 153 septets or 67 UTF-16 units). One character outside the alphabet makes the whole text UCS-2. National
shift tables are not used: a carrier has to say first that it takes them.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

SEGMENT_CAP = 10
"""The longest text we send, in parts, unless a number's own limit is lower."""


class Encoding(StrEnum):
    GSM7 = "gsm7"
    UCS2 = "ucs2"


@dataclass(frozen=True, slots=True)
class Measure:
    """`units` are septets (GSM-7; escaped characters count two) or UTF-16 units (UCS-2)."""

    encoding: Encoding
    units: int
    segments: int


BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
ESCAPED = "\f^{}\\[~]|€"

ESCAPE = "\x1b"

_BASIC = re.compile(f"[{re.escape(BASIC)}]*")
_GSM7 = re.compile(f"[{re.escape(BASIC + ESCAPED)}]*")
_OUTSIDE = re.compile(f"[^{re.escape(BASIC + ESCAPED)}]")
_UNSENDABLE = re.compile("[\0\ud800-\udfff]")


@lru_cache(maxsize=256)
def measure(text: str) -> Measure:
    """Count units and parts. An empty text is one part: a carrier that is given one sends one."""
    if _BASIC.fullmatch(text):
        units = len(text)
        return Measure(Encoding.GSM7, units, 1 if units <= 160 else -(-units // 153))
    if _GSM7.fullmatch(text):
        septets = _escape(text)
        return Measure(Encoding.GSM7, len(septets), len(_cut_septets(septets)))
    units = _utf16_units(text)
    if units == len(text):
        return Measure(Encoding.UCS2, units, 1 if units <= 70 else -(-units // 67))
    return Measure(Encoding.UCS2, units, len(_cut_units(text)))


def room(text: str) -> int:
    """How many units the last part still takes."""
    *before, last = split(text)
    if _GSM7.fullmatch(text):
        return (153 if before else 160) - len(_escape(last))
    return (67 if before else 70) - _utf16_units(last)


def split(text: str) -> list[str]:
    """Cut a text into what each part carries. No escape pair and no surrogate pair is torn apart."""
    if _GSM7.fullmatch(text):
        return [part.replace(ESCAPE, "") for part in _cut_septets(_escape(text))]
    return _cut_units(text)


def _escape(text: str) -> str:
    """One character a septet, as on the wire. The escape itself is in no GSM text, so it can be taken out again."""
    for letter in ESCAPED:
        if letter in text:
            text = text.replace(letter, ESCAPE + letter)
    return text


def _cut_septets(septets: str) -> list[str]:
    if len(septets) <= 160:
        return [septets]
    parts = []
    start = 0
    while start < len(septets):
        end = start + 153
        end -= septets[end - 1 : end] == ESCAPE
        parts.append(septets[start:end])
        start = end
    return parts


def _cut_units(text: str) -> list[str]:
    if _utf16_units(text) <= 70:
        return [text]
    parts = []
    start = 0
    while start < len(text):
        end = start + 67
        while (over := _utf16_units(text[start:end]) - 67) > 0:
            end -= (over + 1) // 2  # a character dropped frees two units at most
        parts.append(text[start:end])
        start = end
    return parts


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def normalise(text: str) -> str:
    """Compose letters with their accents (NFC), so that é is one character however it was typed.

    What no carrier and no database can carry (NUL, half a surrogate pair) becomes U+FFFD.
    """
    return unicodedata.normalize("NFC", _UNSENDABLE.sub("\ufffd", text))


def why_ucs2(text: str) -> str | None:
    """Name the first character that makes the whole text dearer, or None if none does."""
    outside = _OUTSIDE.search(text)
    if outside is None:
        return None
    letter = outside[0]
    shown = f"{letter} " if letter.isprintable() else ""
    return f"{shown}U+{ord(letter):04X} {unicodedata.name(letter, 'unnamed').lower()}"
