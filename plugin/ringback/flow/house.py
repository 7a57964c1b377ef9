"""What the owner decided, as the flow needs it: rules, numbers, carriers, limits. app makes it from the settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo

from ringback.core.messages import MessageClass, OnDoubt
from ringback.core.numbers import Number
from ringback.core.provider_ids import Ids
from ringback.core.schedules import Calendar
from ringback.core.templates import Template
from ringback.core.triggers import Rule


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on everything automatic."""

    texts_per_minute: int = 60
    automatic_per_hour: int = 3
    per_number_per_minute: int = 60
    max_segments: int = 10


def at_carrier(name: str) -> str:
    """The name under which `House.read` knows how a carrier writes numbers; a PBX may be called the same."""
    return f"carrier {name}"


@dataclass(frozen=True, slots=True)
class Campaign:
    """What a registered campaign may send, in segments; None is no limit. Its days are those of `zone`."""

    per_minute: int | None = None
    per_day: int | None = None
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class Destination:
    """Numbers that begin with one of `prefixes` get no more than `per_day` segments in a day of `zone`.

    With `campaign` only what that campaign sends there counts.
    """

    name: str
    prefixes: tuple[str, ...]
    per_day: int
    zone: tzinfo = UTC
    campaign: str = ""


@dataclass(frozen=True, slots=True)
class House:
    """`read` reads a number as a PBX writes it (pbx name, text), or a carrier (`at_carrier(name)`, text); under any
    other name it is in E.164. `carrier_of` maps our numbers to carriers, `default_carrier` takes the rest.

    `languages` are the business's own, in order of preference; `countries_off` is where callers are not texted back.
    `validity_of` and `segments_of` are what each carrier says of itself.
    """

    business: str
    rules: tuple[Rule, ...]
    read: Callable[[str, str], Number]
    numbers: frozenset[str] = frozenset()
    carrier_of: Mapping[str, str] = field(default_factory=dict)
    default_carrier: str | None = None
    language_of: Mapping[str, str] = field(default_factory=dict)
    languages: tuple[str, ...] = ("en",)
    countries_off: frozenset[str] = frozenset()
    limits: Limits = Limits()
    validity_of: Mapping[str, timedelta] = field(default_factory=dict)
    contact: str = ""
    carriers_that_answer: frozenset[str] = frozenset()
    """Carriers that confirm STOP, START and HELP by themselves."""
    segments_of: Mapping[str, int] = field(default_factory=dict)
    carriers_with_receipts: frozenset[str] = frozenset()
    carriers_with_numbers: frozenset[str] = frozenset()
    """Carriers whose ids are numbers, which they may write in more than one way."""
    on_doubt: Mapping[MessageClass, OnDoubt] = field(default_factory=dict)
    """What to do about a text of a class when nobody knows whether it was sent."""

    rate_of: Mapping[str, float] = field(default_factory=dict)
    """How many segments a second each carrier takes, where that is known."""
    fallback_of: Mapping[str, str] = field(default_factory=dict)
    """Who sends for a carrier while that does not answer."""
    pace_of: Mapping[str, float] = field(default_factory=dict)
    """How many segments a second each of our numbers may send, where that is bounded."""
    campaign_of: Mapping[str, str] = field(default_factory=dict)
    """The campaign of each of our numbers, for texts that name none."""
    campaigns: Mapping[str, Campaign] = field(default_factory=dict)
    destinations: tuple[Destination, ...] = ()
    zone: tzinfo = UTC
    """The clock by which the business's months begin."""
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    """Opening hours by their names in the file."""
    introduction: Mapping[str, Template] = field(default_factory=dict)
    """By language what somebody is told who texts us for the first time; empty for nothing."""
    introduce_again: timedelta = timedelta(days=180)
    """How long that is not told again."""

    def policy(self, class_: MessageClass) -> OnDoubt:
        """What to do about a text in doubt whose asker did not say."""
        return self.on_doubt.get(class_, OnDoubt.ONCE)

    def ids_of(self, carrier: str) -> Ids:
        """What a carrier's ids are."""
        return Ids.NUMBER if carrier in self.carriers_with_numbers else Ids.TEXT

    def most_segments(self, did: str) -> int:
        """The longest text that one of our numbers may send: our own limit, or its carrier's."""
        return min(self.limits.max_segments, self.segments_of.get(self.carrier(did) or "", self.limits.max_segments))

    def validity(self, did: str) -> timedelta:
        """How long a text of ours may wait for its carrier before it is not worth sending."""
        return self.validity_of.get(self.carrier(did) or "", timedelta(hours=4))

    def carrier(self, did: str) -> str | None:
        """The carrier that sends for one of our numbers."""
        return self.carrier_of.get(did, self.default_carrier)
