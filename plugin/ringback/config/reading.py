"""Reads `ringback.toml` and everything beside it into `Settings`, or names every fault at once."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ringback.config import sources
from ringback.config.callers import Consent, Dialplan
from ringback.config.checks import Checks, known_names, take_secrets_out
from ringback.config.faults import Faults, show
from ringback.config.logins import Login, Mail, Oidc
from ringback.config.outside import gather, place
from ringback.config.rules import CalendarTable, RuleTable, build_calendar, build_rule
from ringback.config.sections import (
    Api,
    Asterisk,
    Business,
    CampaignLimits,
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
from ringback.config.settings import Settings
from ringback.config.values import read_country, read_did
from ringback.errors import ConfigFault


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the configuration; without a path look where it usually is. Raise ConfigFault with a line for each fault."""
    surroundings = os.environ if environ is None else environ
    file = (path or sources.find(surroundings)).absolute()
    return read(sources.read_text(file), file, surroundings)


def read(text: str, file: Path, environ: Mapping[str, str]) -> Settings:
    """Read `text` as if it stood in `file`: secrets lie in `secrets/` beside it, relative paths start there."""
    faults = Faults(file.name)
    tables = sources.by_section(sources.read_tables(text, file.name), faults)
    take_secrets_out(tables, faults)
    found = gather(file.parent, environ, sources.SECTIONS, faults)
    outside = place(found, tables, sources.NAMED, faults)
    faults.origins.update({way: given.origin for way, given in outside.items()})
    merged = sources.merge(tables, outside)
    settings = _build(Checks(merged, known_names(merged), faults), file)
    if lines := faults.lines():
        raise ConfigFault(lines)
    origins = {show(way): faults.origins.get(way, file.name) for way in _values(merged, ())}
    return replace(settings, origins=origins)


def _values(table: sources.Table, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The way to every value that was set."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _values(value, (*above, key))
        else:
            yield (*above, key)


def _build(checks: Checks, file: Path) -> Settings:
    business = checks.one(Business, "business")
    paths = checks.one(Paths, "paths")
    calendars = checks.each(CalendarTable, "calendar")
    rules = checks.each(RuleTable, "rule")
    made = Settings(
        file=file,
        business=business,
        web=checks.one(Web, "web"),
        hooks=checks.one(Hooks, "hooks"),
        api=checks.one(Api, "api"),
        dialplan=checks.one(Dialplan, "dialplan"),
        login=checks.one(Login, "login", beside=("oidc", "ldap")),
        oidc=checks.within(Oidc, "login", "oidc"),
        ldap=checks.ldap(),
        mail=checks.one(Mail, "mail"),
        database=checks.one(Database, "database"),
        paths=paths,
        asterisk=tuple(checks.each(Asterisk, "asterisk").values()),
        carriers=checks.carriers(),
        numbers=checks.each(OurNumber, "numbers"),
        rules=(),
        calendars={},
        limits=checks.one(Limits, "limits"),
        doubts=checks.one(Doubts, "doubts"),
        consent=checks.one(Consent, "consent"),
        retention=checks.one(Retention, "retention"),
        countries=checks.each(CountryRules, "countries"),
        campaigns=checks.each(CampaignLimits, "campaigns"),
        destinations=checks.each(DestinationLimits, "destinations"),
    )
    _check_keys(checks)
    return made if checks.faults else _complete(made, calendars, rules)


def _check_keys(checks: Checks) -> None:
    """Check what stands in quotes as a key, and that there is something to hear and to send from."""
    for section, reader in (("numbers", read_did), ("countries", read_country)):
        for key in checks.tables[section]:
            try:
                reader(key)
            except ValueError as problem:
                checks.faults.add((section, key), str(problem))
    for section, cure in NEEDED.items():
        if not checks.tables[section]:
            checks.faults.add((section,), f"is missing: {cure}")


NEEDED = {
    "asterisk": "add [[asterisk]] with name, user and inbound_contexts",
    "numbers": 'add your numbers, as in [numbers."+12025550101"] with carrier = "main"',
}


def _beside(file: Path, pbx: Asterisk) -> Asterisk:
    """A relative path starts beside the configuration."""
    given = {key: path for key in ("cel_file", "cdr_file") if (path := getattr(pbx, key)) is not None}
    return pbx.model_copy(update={key: file.parent / path for key, path in given.items()})


def _complete(settings: Settings, calendars: Mapping[str, CalendarTable], rules: Mapping[str, RuleTable]) -> Settings:
    """Fill in what follows from other settings."""
    business = settings.business
    state = settings.file.parent / settings.paths.state
    url = settings.database.url or f"sqlite:///{state / 'ringback.db'}"
    kept = {name: build_calendar(name, table, business.zone) for name, table in calendars.items()}
    numbers = settings.numbers.items()
    return replace(
        settings,
        database=Database(url=url),
        paths=Paths(state=state),
        asterisk=tuple(_beside(settings.file, pbx) for pbx in settings.asterisk),
        calendars=kept,
        rules=tuple(build_rule(rule, kept) for rule in rules.values()),
        numbers={did: _spoken(number, business.languages[0]) for did, number in numbers},
    )


def _spoken(number: OurNumber, language: str) -> OurNumber:
    return number if number.language else number.model_copy(update={"language": language})
