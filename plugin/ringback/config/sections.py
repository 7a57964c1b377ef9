"""What may stand in `ringback.toml`: one class a section, one field a key, with its default and its bounds.

A key that is not here is a fault. docs/configuration.md describes each; a test holds the two together. Rules and
calendars are in rules.py, since they become values of the core.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from ringback.config.addresses import Address, DatabaseUrl, Listen, PublicUrl
from ringback.config.values import (
    AnyLanguage,
    AnyPath,
    AnyZone,
    Country,
    Duration,
    Language,
    Listed,
    SafeSecret,
    Zone,
)
from ringback.core.messages import OnDoubt
from ringback.core.numbers import NumberFormat
from ringback.ports import OptionValue

Label = Annotated[str, Field(min_length=1, max_length=60)]
Context = Annotated[str, Field(min_length=1, max_length=80)]
Rate = Annotated[float, Field(ge=0, le=10_000)]
"""Segments a second; 0 is no limit."""
Prefix = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{0,14}$")]
MOST = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Known:
    """The names that other sections may use, handed to the checks as pydantic's context."""

    dids: frozenset[str]
    carriers: frozenset[str]
    calendars: tuple[str, ...]
    languages: frozenset[str]
    campaigns: frozenset[str] = frozenset()


class Section(BaseModel):
    """A table of the file, checked, unchangeable."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Business(Section):
    """Who texts. `languages` are those it texts in; the first is used where nothing else is known."""

    name: Label
    zone: Zone
    default_country: Country
    languages: Annotated[tuple[Language, ...], Listed, Field(min_length=1)] = ("en",)
    contact: Annotated[str, Field(max_length=60)] = ""


class MetricsFor(StrEnum):
    """Who may read the figures of /metrics: programs on this machine, whoever reaches the port, nobody."""

    LOCAL = "local"
    OPEN = "open"
    OFF = "off"


class Web(Section):
    """Where our own pages are, and how browsers call that when something stands in between."""

    listen: Listen = Address("127.0.0.1", 8080)
    public_url: PublicUrl = ""
    metrics: MetricsFor = MetricsFor.LOCAL

    @field_validator("public_url")
    @classmethod
    def _is_a_host(cls, url: str) -> str:
        if urlsplit(url).path:
            raise ValueError('has a path, and the panel needs a name of its own: write "https://texts.example.com"')
        return url


class Hooks(Section):
    """Where carriers call us, and how they call it: signatures cover the public address."""

    listen: Listen = Address("127.0.0.1", 8081)
    public_url: PublicUrl = ""

    def of(self, carrier: str) -> str:
        """Return the address below which a carrier's hooks are; empty without a public address."""
        return f"{self.public_url}/hooks/{carrier}" if self.public_url else ""


class Api(Section):
    """What programs may ask of us."""

    requests_per_minute: Annotated[int, Field(ge=1, le=60_000_000)] = 6_000
    largest_run: Annotated[int, Field(ge=1, le=1_000_000)] = 100_000


class Database(Section):
    """Where rows are kept. It may hold a password, so it stays out of `repr`."""

    url: DatabaseUrl = Field(default="", repr=False)


class Paths(Section):
    """Folders. `state` holds the database, its lock, `control.sock` and `handset.jsonl`."""

    state: Path = Path("/var/lib/ringback")


class Asterisk(Section):
    """One PBX and our account on it."""

    name: str
    host: Annotated[str, Field(min_length=1, max_length=253)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 5038
    user: Label
    secret: SafeSecret
    inbound_contexts: Annotated[tuple[Context, ...], Listed, Field(min_length=1)]
    phone_contexts: Annotated[tuple[Context, ...], Listed] = ("from-internal",)
    number_format: NumberFormat = NumberFormat.AS_IS
    extension_digits: Annotated[int, Field(ge=0, le=6)] = 4
    trust_caller_id: bool = False
    allow_dangerous_account: bool = False
    cel_file: AnyPath = None
    cdr_file: AnyPath = None
    zone: AnyZone = None

    @property
    def records(self) -> Path | None:
        """What is read after a gap; CEL knows more than CDR."""
        return self.cel_file or self.cdr_file


@dataclass(frozen=True, slots=True)
class CarrierSettings:
    """One `[carriers.NAME]`. `options` belong to the carrier's own file, which has checked them."""

    name: str
    type: str
    validity: timedelta
    number_format: NumberFormat
    options: Mapping[str, OptionValue] = field(repr=False)
    rate: float = 0
    fallback: str = ""

    @property
    def table(self) -> Mapping[str, OptionValue]:
        """What `carriers.build_carrier` takes."""
        return {"type": self.type, **self.options}


class CarrierTable(Section):
    """The keys that every carrier has; the others belong to its type."""

    type: Label
    validity: Duration = timedelta(hours=4)
    number_format: NumberFormat = NumberFormat.E164
    rate: Rate = 0
    fallback: str = ""

    @field_validator("fallback")
    @classmethod
    def _is_known(cls, fallback: str, info: ValidationInfo) -> str:
        if fallback and isinstance(info.context, Known) and fallback not in info.context.carriers:
            raise ValueError(f"names {fallback!r}, which is no carrier here: add [carriers.{fallback}] or correct it")
        return fallback

    @field_validator("validity")
    @classmethod
    def _long_enough(cls, validity: timedelta) -> timedelta:
        if validity < timedelta(minutes=1):
            raise ValueError('is too short to send anything: write "1m" or more')
        return validity


class OurNumber(Section):
    """One of our DIDs: who carries its texts, and in which language its callers are texted."""

    carrier: str
    language: AnyLanguage = ""
    per_second: Rate = 0
    campaign: str = ""

    @field_validator("campaign")
    @classmethod
    def _is_registered(cls, campaign: str, info: ValidationInfo) -> str:
        return check_campaign(campaign, info)

    @field_validator("carrier")
    @classmethod
    def _is_known(cls, carrier: str, info: ValidationInfo) -> str:
        if isinstance(info.context, Known) and carrier not in info.context.carriers:
            raise ValueError(f"names {carrier!r}, which is no carrier here: add [carriers.{carrier}] or correct it")
        return carrier

    @field_validator("language")
    @classmethod
    def _is_ours(cls, language: str, info: ValidationInfo) -> str:
        check_languages([language] if language else [], info)
        return language


class CampaignLimits(Section):
    """What a registered campaign may send, in segments; 0 is no limit."""

    per_minute: Annotated[int, Field(ge=0, le=MOST)] = 0
    per_day: Annotated[int, Field(ge=0, le=MOST)] = 0
    zone: AnyZone = None


class DestinationLimits(Section):
    """How many segments a day may go to numbers that begin alike."""

    prefixes: Annotated[tuple[Prefix, ...], Listed, Field(min_length=1)]
    per_day: Annotated[int, Field(ge=1, le=MOST)]
    zone: AnyZone = None
    campaign: str = ""

    @field_validator("campaign")
    @classmethod
    def _is_registered(cls, campaign: str, info: ValidationInfo) -> str:
        return check_campaign(campaign, info)


def check_campaign(campaign: str, info: ValidationInfo) -> str:
    """Return the campaign; raise ValueError for one that is not there."""
    if campaign and isinstance(info.context, Known) and campaign not in info.context.campaigns:
        raise ValueError(f"names {campaign!r}, which is no campaign here: add [campaigns.{campaign}] or correct it")
    return campaign


class Limits(Section):
    """The guards on automatic texts, and the longest text."""

    texts_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 60
    automatic_per_hour: Annotated[int, Field(ge=1, le=60)] = 3
    per_number_per_minute: Annotated[int, Field(ge=1, le=60_000)] = 60
    max_segments: Annotated[int, Field(ge=1, le=10)] = 10


class Retention(Section):
    """How long what is kept of people and calls is kept. Rows that count stay, without words and numbers."""

    bodies: Duration = timedelta(days=730)
    calls: Duration = timedelta(days=395)
    raw: Duration = timedelta(days=30)
    provider_ids: Duration = timedelta(days=30)
    parked: Duration = timedelta(days=7)
    keys: Duration = timedelta(days=7)
    audit: Duration = timedelta(days=1826)
    consents: Duration = timedelta(days=1826)

    @field_validator("*")
    @classmethod
    def _long_enough(cls, kept: timedelta) -> timedelta:
        if kept < timedelta(days=1):
            raise ValueError('is too short to tell copies and late receipts from new ones: write "1d" or more')
        return kept


class Doubts(Section):
    """What to do about a text of a class when nobody knows whether it was sent."""

    promotional: OnDoubt = OnDoubt.ONCE
    transactional: OnDoubt = OnDoubt.ONCE
    conversational: OnDoubt = OnDoubt.ONCE
    system: OnDoubt = OnDoubt.ONCE


class CallerInitiated(StrEnum):
    """Whether somebody who called us may be texted back without having asked for texts."""

    ALLOW = "allow"
    OFF = "off"


class CountryRules(Section):
    """What is different about texting to one country."""

    caller_initiated: CallerInitiated = CallerInitiated.ALLOW


def check_languages(used: list[str], info: ValidationInfo) -> None:
    """Raise ValueError for a language the business does not text in."""
    ours = info.context.languages if isinstance(info.context, Known) else frozenset(used)
    strange = [language for language in used if language not in ours]
    if strange:
        raise ValueError(f"uses {', '.join(strange)}, which business.languages does not name: add it there")
