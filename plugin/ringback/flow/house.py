"""What the owner decided, as the flow needs it: rules, numbers, carriers, limits. app makes it from the settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from ringback.core.numbers import Number
from ringback.core.triggers import Rule


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on everything automatic."""

    texts_per_minute: int = 60
    automatic_per_hour: int = 3
    per_number_per_minute: int = 60
    max_segments: int = 10


@dataclass(frozen=True, slots=True)
class House:
    """`read` reads a number as a PBX writes it (pbx name, text); `carrier_of` maps our numbers to carriers,
    `default_carrier` takes the rest.

    `languages` are the business's own, in order of preference; `countries_off` is where callers are not texted back.
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

    def validity(self, did: str) -> timedelta:
        """How long a text of ours may wait for its carrier before it is not worth sending."""
        return self.validity_of.get(self.carrier(did) or "", timedelta(hours=4))

    def carrier(self, did: str) -> str | None:
        """The carrier that sends for one of our numbers."""
        return self.carrier_of.get(did, self.default_carrier)
