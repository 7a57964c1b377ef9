"""What is said of a carrier that is held back, and of a text that waits for it: pages and `ringback explain` alike."""

from collections.abc import Mapping

from ringback.flow.holds import ALARM
from ringback.flow.put_back import RESTORE
from ringback.panel.say import Say
from ringback.panel.words import N_
from ringback.ports.holds import Held

BY_A_PERSON = N_("Carrier %(name)s is held back since %(at)s by %(by)s: %(why)s")
BY_ITSELF: Mapping[str, str] = {
    ALARM: N_("Carrier %(name)s is held back by the alarm since %(at)s: %(why)s"),
    RESTORE: N_("Carrier %(name)s is held back since the database was put back, %(at)s: %(why)s"),
}
GOES_WHEN = N_("The text waits, and goes when somebody lets the carrier go on, as long as its time allows.")


def held_back(held: Held, at: str = "") -> Say:
    """Which carrier, since when, by whom or what, and why. `at` writes the moment where no page does."""
    values = {"name": held.carrier, "at": at or held.since, "by": held.by, "why": held.why}
    return Say(BY_ITSELF.get(held.by, BY_A_PERSON), values)
