"""Who somebody is and what time it is for them, as far as their number tells."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ringback.core.numbers import Line, Number, NumberKind
from ringback.panel.words import N_

if TYPE_CHECKING:
    from babel import Locale

LINES: Mapping[Line, str] = {
    Line.TEXTABLE: N_("Gets texts, as far as the numbering plan tells"),
    Line.LANDLINE: N_("Landline"),
    Line.PREMIUM: N_("Premium rate"),
    Line.EMERGENCY: N_("Emergency"),
    Line.UNKNOWN: N_("Not known"),
}
KINDS: Mapping[NumberKind, str] = {
    NumberKind.SHORT: N_("Short number"),
    NumberKind.ALPHA: N_("A name, which cannot be answered"),
    NumberKind.INTERNAL: N_("Phone of this house"),
    NumberKind.WITHHELD: N_("Hidden number"),
    NumberKind.INVALID: N_("No number of any plan"),
}


@dataclass(frozen=True, slots=True)
class Person:
    """`there` is their time and `zone` its name; None where the number fits several times: `zones` says how many."""

    country: str
    line: str
    language: str
    there: datetime | None
    zone: str
    zones: int


def person(number: Number, language: str, locale: "Locale", now: datetime) -> Person:
    """Say who it is in the reader's language."""
    zones = _zones(number, now)
    zone = zones[0] if len(zones) == 1 else ""
    return Person(
        country=locale.territories.get(number.country, number.country),
        line=KINDS.get(number.kind, LINES[number.line]),
        language=_language(language, locale),
        there=now.astimezone(ZoneInfo(zone)) if zone else None,
        zone=zone,
        zones=len(zones),
    )


def _language(code: str, locale: "Locale") -> str:
    # a daemon that nobody looks at need not pay for the languages
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415 - loaded with the first page

    try:
        return Locale.parse(code, sep="-").get_display_name(locale) or code if code else ""
    except (UnknownLocaleError, ValueError):
        return code


def _zones(number: Number, now: datetime) -> list[str]:
    """One zone for each time it may be where the number is from."""
    if number.e164 is None:
        return []
    # half a megabyte that only this page needs
    from phonenumbers import parse, timezone  # noqa: PLC0415 - loaded with the first thread

    times: dict[object, str] = {}
    for name in timezone.time_zones_for_number(parse(number.e164)):
        try:
            times.setdefault(now.astimezone(ZoneInfo(name)).utcoffset(), name)
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return list(times.values())
