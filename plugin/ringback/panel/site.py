"""What is the same on every page."""

from dataclasses import dataclass
from datetime import UTC, tzinfo


@dataclass(frozen=True, slots=True)
class Site:
    """What every page says about this installation. Times are shown in `zone`."""

    business: str = "Ringback"
    zone: tzinfo = UTC
    language: str = "en"
