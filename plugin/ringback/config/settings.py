"""The settings of one Ringback, checked: what the rest of the house reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ringback.config.callers import Consent, Dialplan
from ringback.config.logins import Ldap, Login, Mail, Oidc
from ringback.config.sections import (
    Api,
    Asterisk,
    Business,
    CampaignLimits,
    CarrierSettings,
    CountryRules,
    Database,
    DestinationLimits,
    Doubts,
    Hooks,
    Limits,
    OurNumber,
    Paths,
    Retention,
    Web,
)
from ringback.core.schedules import Calendar
from ringback.core.triggers import Rule


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. Paths are absolute, and `database.url` and each number's language are filled in.

    `numbers` has our DIDs in E.164; `rules` stand in the order of the file; `file` is where they were read from.
    """

    file: Path
    business: Business
    web: Web
    hooks: Hooks
    database: Database
    paths: Paths
    asterisk: tuple[Asterisk, ...]
    carriers: Mapping[str, CarrierSettings]
    numbers: Mapping[str, OurNumber]
    rules: tuple[Rule, ...]
    calendars: Mapping[str, Calendar]
    limits: Limits
    doubts: Doubts
    retention: Retention
    countries: Mapping[str, CountryRules]
    api: Api = field(default_factory=Api)
    dialplan: Dialplan = field(default_factory=Dialplan)
    consent: Consent = field(default_factory=Consent)
    login: Login = field(default_factory=Login)
    oidc: Oidc | None = None
    ldap: Ldap | None = None
    mail: Mail = field(default_factory=Mail)
    campaigns: Mapping[str, CampaignLimits] = field(default_factory=dict)
    destinations: Mapping[str, DestinationLimits] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    """Where each value stands that somebody set, by its dotted name: a file, a variable. The others are defaults."""

    def country(self, code: str) -> CountryRules:
        """What holds for texts to one country; one that is not in the file gets the defaults."""
        return self.countries.get(code, CountryRules())
