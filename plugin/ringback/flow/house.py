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


def at_carrier(name: str) -> str:
    """The name under which `House.read` knows how a carrier writes numbers; a PBX may be called the same."""
    return f"carrier {name}"


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

    def most_segments(self, did: str) -> int:
        """The longest text that one of our numbers may send: our own limit, or its carrier's."""
        return min(self.limits.max_segments, self.segments_of.get(self.carrier(did) or "", self.limits.max_segments))

    def validity(self, did: str) -> timedelta:
        """How long a text of ours may wait for its carrier before it is not worth sending."""
        return self.validity_of.get(self.carrier(did) or "", timedelta(hours=4))

    def carrier(self, did: str) -> str | None:
        """The carrier that sends for one of our numbers."""
        return self.carrier_of.get(did, self.default_carrier)
