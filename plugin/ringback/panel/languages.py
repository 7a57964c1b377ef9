"""Which languages the panel has, and which one a reader gets. Light, since it is asked for every request."""

from collections.abc import Iterable
from pathlib import Path

SOURCE = "en"
"""The language the pages are written in; it needs no catalogue."""


def languages_in(folder: Path) -> tuple[str, ...]:
    """Every language of a folder of catalogues, the source first."""
    found = sorted(path.parent.parent.name for path in folder.glob("*/LC_MESSAGES/ringback.po"))
    return (SOURCE, *(code for code in found if code != SOURCE))


def choose(codes: Iterable[str], own: str, accepted: str, business: str) -> str:
    """The account's language, else what the browser asks for, else the business's, else the source."""
    there = {code.lower(): code for code in codes}
    for wanted in (own, *_by_weight(accepted), business):
        for code in (wanted.lower(), wanted.lower().partition("-")[0]):
            if code in there:
                return there[code]
    return SOURCE


def _by_weight(accepted: str) -> list[str]:
    """The languages of an Accept-Language header, the dearest first; what cannot be read is left out."""
    weighed: list[tuple[float, str]] = []
    for item in accepted[:500].split(","):
        code, _, weight = item.strip().partition(";q=")
        try:
            weighed.append((float(weight) if weight else 1.0, code.strip()))
        except ValueError:
            continue
    return [code for weight, code in sorted(weighed, key=lambda pair: -pair[0]) if weight > 0 and code]
