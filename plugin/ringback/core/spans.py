"""Spans of time as people write them: `20s`, `15m`, `1h30m`."""

import re
from datetime import timedelta

UNITS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
LONGEST = timedelta(days=3_660)

# each unit once, the largest first; "5m" is five minutes, so an m before an s belongs to ms
_DURATION = re.compile("".join(rf"(?:([0-9]{{1,9}}(?:\.[0-9]{{1,3}})?){unit}(?!s))?" for unit in UNITS))


def parse_duration(text: str) -> timedelta | None:
    """Read `20s`, `15m`, `24h`, `2d`, `250ms`, `1.5s`, or a chain such as `1h30m`; None for what is none of these."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    counts = zip(found.groups(), UNITS.values(), strict=True)
    seconds = sum(float(count) * size.total_seconds() for count, size in counts if count)
    return timedelta(seconds=min(seconds, 2 * LONGEST.total_seconds()))


def write_duration(span: timedelta) -> str:
    """Write whole milliseconds the way `parse_duration` reads them, in the largest units that fit."""
    rest, parts = span, []
    for unit, size in UNITS.items():
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
