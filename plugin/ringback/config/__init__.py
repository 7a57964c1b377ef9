"""The configuration: `ringback.toml`, the secrets beside it and the environment, checked as a whole, then frozen."""

from ringback.config.addresses import Address
from ringback.config.reading import load, read
from ringback.config.rules import EXAMPLE_CONTEXTS, example_rules
from ringback.config.sections import (
    Asterisk,
    Business,
    CallerInitiated,
    CarrierSettings,
    CountryRules,
    Database,
    Doubts,
    Hooks,
    Limits,
    OurNumber,
    Paths,
    Retention,
    Web,
)
from ringback.config.settings import Settings
from ringback.config.values import read_duration
from ringback.core.spans import write_duration

__all__ = [
    "load",
    "read",
    "Settings",
    "Business",
    "Web",
    "Hooks",
    "Address",
    "Database",
    "Paths",
    "Asterisk",
    "CarrierSettings",
    "OurNumber",
    "Limits",
    "Doubts",
    "Retention",
    "CountryRules",
    "CallerInitiated",
    "EXAMPLE_CONTEXTS",
    "example_rules",
    "read_duration",
    "write_duration",
]
