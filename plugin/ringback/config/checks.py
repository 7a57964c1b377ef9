"""Checks the tables of the file, one class at a time, so that a fault in one hides no fault in another."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from ringback.config.addresses import is_loopback_name, split_url
from ringback.config.faults import Faults, Way, secret_home
from ringback.config.logins import Ldap
from ringback.config.sections import CarrierSettings, CarrierTable, Known
from ringback.config.sources import Table
from ringback.config.values import split_commas
from ringback.errors import ConfigFault
from ringback.ports import OptionValue

Model = TypeVar("Model", bound=BaseModel)

SECRET_WORDS = frozenset({"key", "secret", "password", "token"})
PACKAGES = {("login", "oidc"): ("joserfc", "oidc"), ("login", "ldap"): ("ldap3", "ldap")}
"""What a table needs: a package, and the extra of ours that brings it."""
CARRIER_KEYS = tuple(CarrierTable.model_fields)


def take_secrets_out(tables: Table, faults: Faults) -> None:
    """A secret in the file is a fault: the file is shown to people, mailed, kept in version control."""
    for way, table in list(_tables(tables, ())):
        for key in [key for key in table if _is_secret(key)]:
            del table[key]
            faults.add((*way, key), f"is a secret, which this file must not hold: {_home((*way, key))}")
    url = tables.get("database", {}).get("url")
    if split_url(url).password is not None:
        cure = f"take the line out, and the whole address: {secret_home(('database', 'url'))}"
        faults.add(("database", "url"), f"holds a password, which this file must not: {cure}")


def _home(way: tuple[str, ...]) -> str:
    match way:
        case ("asterisk", name, _):
            return secret_home(("asterisk", name, "secret"))
        case ("carriers", _, _) | ("login", "ldap", "bind_password") | ("login", "oidc", "client_secret"):
            return secret_home(way)
        case ("mail", "password") | ("dialplan", "token"):
            return secret_home(way)
    return "take it out, nothing reads it"


def _tables(table: Table, way: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Table]]:
    yield way, table
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _tables(value, (*way, key))


def _is_secret(key: str) -> bool:
    return key.rpartition("_")[2] in SECRET_WORDS


def known_names(tables: Table) -> Known:
    """Gather the names other sections may use, even of tables that have faults of their own."""
    languages = split_commas(tables["business"].get("languages", ["en"]))
    spoken = languages if isinstance(languages, list) else []
    return Known(
        dids=frozenset(tables["numbers"]),
        carriers=frozenset(tables["carriers"]),
        calendars=tuple(tables["calendar"]),
        campaigns=frozenset(tables["campaigns"]),
        languages=frozenset(word for word in spoken if isinstance(word, str)),
    )


@dataclass(frozen=True, slots=True)
class Checks:
    """Makes sections of their tables and records what is wrong with them."""

    tables: Table
    known: Known
    faults: Faults

    def one(self, model: type[Model], section: str, beside: Collection[str] = ()) -> Model:
        """Make a section. A faulty one gives a stand-in that is never used, since faults end the reading.

        `beside` are the tables in it that are made by themselves.
        """
        own = {key: value for key, value in self.tables[section].items() if key not in beside}
        return self._make(model, (section,), own) or model.model_construct()

    def within(self, model: type[Model], section: str, name: str) -> Model | None:
        """Make a table of a section that need not be there; without its package it is a fault."""
        table = self.tables[section].get(name)
        if table is None:
            return None
        package, extra = PACKAGES[section, name]
        if find_spec(package) is None:
            self.faults.add((section, name), f"needs what is not installed here: pip install ringback[{extra}]")
        return self._make(model, (section, name), table)

    def ldap(self) -> Ldap | None:
        """A directory elsewhere is asked over an encrypted line only: passwords go over it."""
        made = self.within(Ldap, "login", "ldap")
        if made is None or made.start_tls or made.url.startswith("ldaps://"):
            return made
        if not is_loopback_name(str(urlsplit(made.url).hostname)):
            cure = 'begin the address with "ldaps://", or write start_tls = true'
            self.faults.add(("login", "ldap", "url"), f"would send passwords for all to read: {cure}")
        return made

    def each(self, model: type[Model], section: str) -> dict[str, Model]:
        """Make every table of a section that has names; faulty ones are left out."""
        made = {name: self._make(model, (section, name), table) for name, table in self.tables[section].items()}
        return {name: value for name, value in made.items() if value is not None}

    def carriers(self) -> dict[str, CarrierSettings]:
        """Make the carriers: the keys they have in common here, the others by the carrier's own file."""
        tables = {name: table for name, table in self.tables["carriers"].items() if isinstance(table, dict)}
        for name in set(self.tables["carriers"]) - set(tables):
            self.faults.add(("carriers", name), "must be a table")
        made = {name: self._carrier(name, table) for name, table in tables.items()}
        return {name: value for name, value in made.items() if value is not None}

    def _make(self, model: type[Model], way: Way, table: object) -> Model | None:
        try:
            return model.model_validate(table, context=self.known)
        except ValidationError as problem:
            self.faults.take(way, problem, model.model_fields)
            return None

    def _carrier(self, name: str, table: Table) -> CarrierSettings | None:
        way = ("carriers", name)
        common = self._make(CarrierTable, way, {key: table[key] for key in table if key in CARRIER_KEYS})
        own = {key: _option((*way, key), table[key], self.faults) for key in table if key not in CARRIER_KEYS}
        if common is None:
            return None
        if common.fallback == name:
            self.faults.add((*way, "fallback"), "names the carrier itself: name another, or take the line out")
        _check_options(name, common.type, own, self.faults)
        return CarrierSettings(
            name, common.type, common.validity, common.number_format, own, common.rate, common.fallback
        )


def _option(way: Way, value: object, faults: Faults) -> OptionValue:
    if not isinstance(value, str | int | float | bool):
        faults.add(way, "must be text, a number, true or false")
        return ""
    # the environment has only text; a secret of digits stays text
    if not isinstance(value, str) or way not in faults.origins or _is_secret(str(way[-1])):
        return value
    return {"true": True, "false": False}.get(value, int(value) if value.isdecimal() else value)


def _check_options(name: str, type_name: str, options: Mapping[str, OptionValue], faults: Faults) -> None:
    """Ask the carrier's own file. It is found by name: whoever reads settings must not import all carriers."""
    carriers = import_module("ringback.carriers")
    try:
        build = carriers.load(type_name)
    except ConfigFault as fault:
        faults.add(("carriers", name, "type"), fault.faults[0].removeprefix("type ").strip())
        return
    read_settings = getattr(import_module(build.__module__), "read_settings", None)
    if read_settings is None:
        return
    try:
        read_settings(name, options)
    except ConfigFault as fault:
        for line in fault.faults:
            key, _, text = line.removeprefix(f"carriers.{name}.").partition(" ")
            faults.add(("carriers", name, key), text)
