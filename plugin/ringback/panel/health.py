"""How the daemon is, as plain values: what the app fills in, and /readyz and the health page show."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from ringback.core.grants import Reach
from ringback.panel.say import Say


class Standing(StrEnum):
    """How one part is, by what it means for a person."""

    WORKS = "works"
    STARTING = "starting"
    AWAY = "away"
    """Not there now; tried again by itself."""
    NEEDS_YOU = "needs_you"
    """Does not come back without a person; `fix` says what to do."""
    STOPPED = "stopped"
    IDLE = "idle"
    """Not needed by this configuration."""


class Tone(StrEnum):
    """How loud a finding is; the values are the classes of the style sheet."""

    BAD = "bad"
    WARN = "warn"
    DOUBT = "doubt"


@dataclass(frozen=True, slots=True)
class PartState:
    """One long-lived part. `name` is a word of the log (`asterisk main`); `fix` is what to do, or to paste. A `detail`
    that is a `Say` is translated where it is shown."""

    name: str
    standing: Standing
    since: datetime
    detail: Say | str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the whole that a person should know: paused, texts unconfirmed, a clock that is wrong.

    A `Say` is translated where it is shown, a plain text is not. `link` is the place of the panel that settles it.
    `seen` is set where it is about numbers of ours: what somebody with this reach is told instead, None for nothing.
    """

    tone: Tone
    what: Say | str
    means: Say | str = ""
    fix: str = ""
    link: str = ""
    seen: "Callable[[Reach], Finding | None] | None" = field(default=None, compare=False, repr=False)

    def within(self, reach: Reach) -> "Finding | None":
        """The same for somebody who may know of these numbers only."""
        return self if self.seen is None else self.seen(reach)


@dataclass(frozen=True, slots=True)
class Health:
    """Ready means: a missed call becomes a text now."""

    ready: bool
    parts: tuple[PartState, ...]
    findings: tuple[Finding, ...] = ()

    def within(self, reach: Reach) -> "Health":
        """The same for somebody who may know of these numbers only."""
        seen = (finding.within(reach) for finding in self.findings)
        return replace(self, findings=tuple(finding for finding in seen if finding is not None))


def as_json(health: Health) -> dict[str, object]:
    """The body of /readyz; times are RFC 3339."""
    return {
        "ready": health.ready,
        "parts": [
            {
                "name": part.name,
                "state": part.standing,
                "since": part.since.isoformat(),
                "detail": str(part.detail),
                "fix": part.fix,
            }
            for part in health.parts
        ],
        "findings": [
            {"tone": finding.tone, "what": str(finding.what), "means": str(finding.means), "fix": finding.fix}
            for finding in health.findings
        ],
    }
